//! A statement cut into words: keywords, names, and what is neither. Comments are passed over; what
//! the server would run of them (`/*!50100 … */`) is read.

/// A word of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// An unquoted word: a keyword or a name, as it was written.
    Bare(String),
    /// A name in quotes, without them.
    Quoted(String),
    Symbol(char),
    /// A string or a number.
    Literal,
}

impl Word {
    /// Whether it is this keyword, given in lower case.
    pub fn is_keyword(&self, keyword: &str) -> bool {
        match self {
            Word::Bare(word) => word.eq_ignore_ascii_case(keyword),
            Word::Quoted(_) | Word::Symbol(_) | Word::Literal => false,
        }
    }
}

/// Cuts a statement into its words.
pub fn words(text: &str, ansi_quotes: bool, no_backslash_escapes: bool) -> Vec<Word> {
    let mut cutter = Cutter { rest: text, in_run_comment: false, ansi_quotes, no_backslash_escapes };
    let mut all = Vec::new();
    while let Some(word) = cutter.next_word() {
        all.push(word);
    }
    all
}

struct Cutter<'a> {
    rest: &'a str,
    /// Inside a comment that the server runs: its end is passed over.
    in_run_comment: bool,
    ansi_quotes: bool,
    no_backslash_escapes: bool,
}

impl Cutter<'_> {
    fn next_word(&mut self) -> Option<Word> {
        self.skip_space_and_comments();
        let first = self.rest.chars().next()?;
        match first {
            '`' => Some(Word::Quoted(self.quoted('`', true))),
            '"' if self.ansi_quotes => Some(Word::Quoted(self.quoted('"', true))),
            '\'' | '"' => {
                self.quoted(first, self.no_backslash_escapes);
                Some(Word::Literal)
            }
            c if is_word(c) => {
                let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                Some(Word::Bare(word.to_string()))
            }
            symbol => {
                self.rest = &self.rest[symbol.len_utf8()..];
                Some(Word::Symbol(symbol))
            }
        }
    }

    fn skip_space_and_comments(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\0');
            if let Some(rest) = self.rest.strip_prefix("/*M!").or(self.rest.strip_prefix("/*!")) {
                self.rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                self.in_run_comment = true;
            } else if self.in_run_comment && self.rest.starts_with("*/") {
                self.rest = &self.rest[2..];
                self.in_run_comment = false;
            } else if let Some(rest) = self.rest.strip_prefix("/*") {
                self.rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
            } else if self.rest.starts_with('#') || is_dash_comment(self.rest) {
                self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end + 1..]);
            } else {
                return;
            }
        }
    }

    /// Passes over a quoted piece and returns its inside, doubled quotes made single.
    fn quoted(&mut self, quote: char, no_backslash: bool) -> String {
        let mut inside = String::new();
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && !no_backslash {
                inside.extend(chars.next().map(|(_, c)| c));
            } else if c != quote {
                inside.push(c);
            } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
                inside.push(c);
            } else {
                self.rest = &self.rest[at + quote.len_utf8()..];
                return inside;
            }
        }
        self.rest = "";
        inside
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || c == '@' || !c.is_ascii()
}

/// Two dashes begin a comment only before white space or the end.
fn is_dash_comment(text: &str) -> bool {
    text.strip_prefix("--")
        .is_some_and(|rest| rest.chars().next().is_none_or(|c| c.is_whitespace() || c.is_control()))
}

//! Splits a statement into tokens: words, quoted names, symbols and literals. Comments are skipped, except those that the
//! server executes (`/*!50100 … */`, and in MariaDB `/*M! … */`).
//!
//! A statement is bytes. Like the server's parser, this one steps through them in the client's character set, so that
//! it takes no second byte of a character for a quote or backslash. An invalid byte counts as a character, as it does
//! for the server. So nothing fails here, and comments and strings may hold any bytes. Only names are converted, when
//! asked for: see [`Session::name`].

use std::borrow::Cow;

use crate::value::Charset;
use crate::version::Release;

/// What affects parsing: settings of the client's session, and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The client's character set; `None` for one that dumpa does not know.
    pub charset: Option<Charset>,
    /// The number of the connection's collation: the server converts strings to its character set. A number, since each
    /// transaction has one and few statements need it.
    pub connection_collation: u16,
    /// `"` quotes identifiers instead of strings.
    pub ansi_quotes: bool,
    /// `\` is an ordinary character in strings.
    pub no_backslash_escapes: bool,
    /// REAL is FLOAT instead of DOUBLE.
    pub real_as_float: bool,
    /// MariaDB's sql_mode ORACLE, in which some types have other names.
    pub oracle_mode: bool,
    /// A TIMESTAMP may be NULL unless it says otherwise; `None` if the log does not tell.
    pub explicit_timestamps: Option<bool>,
    /// The number of the collation of new databases; `None` if the log does not tell.
    pub server_collation: Option<u16>,
    /// The server that wrote the log; `None` if that is not known.
    pub writer: Option<Release>,
}

/// `utf8mb4_general_ci`.
const UTF8MB4: u16 = 45;

impl Default for Session {
    fn default() -> Session {
        Session {
            charset: Some(Charset::Utf8mb4),
            connection_collation: UTF8MB4,
            ansi_quotes: false,
            no_backslash_escapes: false,
            real_as_float: false,
            oracle_mode: false,
            explicit_timestamps: None,
            server_collation: None,
            writer: None,
        }
    }
}

impl Session {
    /// The connection's character set; `None` for one that dumpa does not know.
    pub fn connection_charset(&self) -> Option<Charset> {
        Charset::by_collation_id(self.connection_collation.into())
    }

    /// The character set of new databases; `None` if the log does not tell, or dumpa does not know it.
    pub fn server_charset(&self) -> Option<Charset> {
        Charset::by_collation_id(self.server_collation?.into())
    }

    /// A name as text; `None` if its bytes are invalid in the client's character set.
    ///
    /// Every server refuses such a name in UTF-8 (error 1300), and MariaDB in every character set. In other character sets
    /// MySQL puts `?` into the name or truncates it, so the table is unknown. (In `ascii` each byte becomes a `?`.)
    pub fn name(&self, bytes: &[u8]) -> Option<String> {
        match self.charset {
            Some(charset) => charset.decode(bytes).ok(),
            None if bytes.is_ascii() => String::from_utf8(bytes.to_vec()).ok(),
            None => None,
        }
    }

    pub fn is_mariadb(&self) -> bool {
        self.writer.is_some_and(|writer| writer.is_mariadb())
    }

    /// A string without its escapes.
    ///
    /// Source: the manuals' table of escape sequences; MySQL's `get_text` in `sql_lex.cc`.
    pub fn unescaped(&self, text: &[u8]) -> Vec<u8> {
        let mut plain = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            if byte == b'\\'
                && !self.no_backslash_escapes
                && let Some((&escaped, after)) = after.split_first()
                && self.step(rest) == 1
            {
                match escaped {
                    b'n' => plain.push(b'\n'),
                    b't' => plain.push(b'\t'),
                    b'r' => plain.push(b'\r'),
                    b'b' => plain.push(8),
                    b'0' => plain.push(0),
                    b'Z' => plain.push(26),
                    // Only for patterns: the backslash stays.
                    b'_' | b'%' => plain.extend([b'\\', escaped]),
                    other => plain.push(other),
                }
                rest = after;
                continue;
            }
            let len = self.step(rest);
            plain.extend(rest.iter().take(len));
            rest = rest.get(len..).unwrap_or_default();
        }
        plain
    }

    /// The text of a comment that the server executes, if one begins here: without its start and the version in it.
    fn executed_comment<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let of_mariadb = || bytes.strip_prefix(b"/*M!").filter(|_| self.is_mariadb());
        let rest = bytes.strip_prefix(b"/*!").or_else(of_mariadb)?;
        rest.get(self.version_len(rest)..)
    }

    /// How many digits at the start are a comment's version: five, or else six, or none. MySQL has a sixth only before
    /// white space, since 8.0; otherwise further digits are of the statement (`/*!500001a*/` is a table `1a`).
    fn version_len(&self, rest: &[u8]) -> usize {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match digits {
            0..=4 => 0,
            6.. if self.is_mariadb() => 6,
            6 if rest.get(6).is_some_and(|byte| self.is_space(*byte)) => 6,
            _ => 5,
        }
    }

    /// The length of a comment that the server did not execute, if it is longer than one of its text would be.
    ///
    /// A server replaces the `!` of a comment for a later version by a space when it logs the statement, as it skips the
    /// comment with those inside of it. MySQL 9.7 and MariaDB write `(*` and `*)` for those inside, MySQL up to 8.0 leaves
    /// them (seen in 5.6.24, 5.7.22 and 8.0.15): `/* 99999 /* x */ y */`.
    fn nested_comment_len(&self, bytes: &[u8]) -> Option<usize> {
        let writer = self.writer.filter(|writer| !writer.is_mariadb() && !writer.is_mysql_from(9, 7, 0))?;
        let text = bytes.strip_prefix(b"/* ")?;
        let digits = text.get(..self.version_len(text)).filter(|digits| !digits.is_empty())?;
        let version: u32 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        if version <= writer.version.id() {
            return None;
        }
        let end = |from: usize| Some(from + find(bytes.get(from..)?, b"*/")? + 2);
        let mut at = 2;
        let mut is_nested = false;
        loop {
            let closes = end(at)?;
            match find(bytes.get(at..closes)?, b"/*") {
                Some(opens) => {
                    at = end(at + opens + 2)?;
                    is_nested = true;
                }
                None => return is_nested.then_some(closes),
            }
        }
    }

    /// The length of the first character in bytes.
    fn step(&self, bytes: &[u8]) -> usize {
        self.charset.map_or(1, |charset| charset.step(bytes))
    }

    fn is_space(&self, byte: u8) -> bool {
        match byte {
            b'\t'..=b'\r' | b' ' => true,
            0x80.. => self.charset.is_some_and(|charset| charset.is_space_beyond_ascii(byte)),
            _ => false,
        }
    }

    fn is_word(&self, byte: u8) -> bool {
        match byte {
            b'_' | b'$' | b'@' => true,
            0x80.. => !self.is_space(byte),
            _ => byte.is_ascii_alphanumeric(),
        }
    }
}

/// Searches byte by byte, as the server does: in no character set are the bytes of a comment's end part of a longer character.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// A search for comments inside of a comment may read to the end of the statement. After so many in vain there are no more.
const MAX_NESTED_SEARCHES: usize = 100;

/// A token of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'a> {
    /// An unquoted word: a keyword or a name, as written.
    Bare(&'a [u8]),
    /// A name in quotes, without them.
    Quoted(Cow<'a, [u8]>),
    Symbol(u8),
    /// A string without its quotes; escapes stay in it.
    Literal(Cow<'a, [u8]>),
}

impl Token<'_> {
    /// Whether it is this keyword, in upper or lower case.
    pub fn is_keyword(&self, keyword: &str) -> bool {
        match self {
            Token::Bare(word) => word.eq_ignore_ascii_case(keyword.as_bytes()),
            Token::Quoted(_) | Token::Symbol(_) | Token::Literal(_) => false,
        }
    }
}

/// Splits a statement into its tokens, one at a time.
pub fn tokens(text: &[u8], session: Session) -> impl Iterator<Item = Token<'_>> {
    tokens_with(text, session, true)
}

/// Without `nested`, no comment that the server did not execute is taken to have others inside.
pub fn tokens_with(text: &[u8], session: Session, nested: bool) -> impl Iterator<Item = Token<'_>> {
    let nested_searches = if nested { MAX_NESTED_SEARCHES } else { 0 };
    let mut splitter = Splitter { rest: text, in_executed_comment: false, nested_searches, session };
    std::iter::from_fn(move || splitter.next_token())
}

struct Splitter<'a> {
    rest: &'a [u8],
    /// Inside a comment that the server executes: its end is skipped.
    in_executed_comment: bool,
    /// How many comments may still be searched for others inside.
    nested_searches: usize,
    session: Session,
}

impl<'a> Splitter<'a> {
    fn next_token(&mut self) -> Option<Token<'a>> {
        self.skip_space_and_comments();
        let first = *self.rest.first()?;
        match first {
            b'`' => Some(Token::Quoted(self.quoted(first, true))),
            b'"' if self.session.ansi_quotes => Some(Token::Quoted(self.quoted(first, true))),
            b'\'' | b'"' => Some(Token::Literal(self.quoted(first, self.session.no_backslash_escapes))),
            byte if self.session.is_word(byte) => Some(Token::Bare(self.bare())),
            symbol => {
                self.advance(1);
                Some(Token::Symbol(symbol))
            }
        }
    }

    fn advance(&mut self, len: usize) {
        self.rest = self.rest.get(len..).unwrap_or_default();
    }

    fn bare(&mut self) -> &'a [u8] {
        let all = self.rest;
        while self.rest.first().is_some_and(|byte| self.session.is_word(*byte)) {
            self.advance(self.session.step(self.rest));
        }
        all.get(..all.len() - self.rest.len()).unwrap_or_default()
    }

    fn skip_space_and_comments(&mut self) {
        loop {
            while self.rest.first().is_some_and(|byte| self.session.is_space(*byte) || *byte == 0) {
                self.advance(1);
            }
            if let Some(rest) = self.session.executed_comment(self.rest) {
                self.rest = rest;
                self.in_executed_comment = true;
            } else if self.in_executed_comment && self.rest.starts_with(b"*/") {
                self.advance(2);
                self.in_executed_comment = false;
            } else if let Some(len) = self.nested_comment_len() {
                self.advance(len);
            } else if self.rest.starts_with(b"/*") {
                self.advance(2);
                self.skip_past(b"*/");
            } else if self.rest.starts_with(b"#") || self.is_dash_comment() {
                self.skip_past(b"\n");
            } else {
                return;
            }
        }
    }

    /// See [`Session::nested_comment_len`].
    fn nested_comment_len(&mut self) -> Option<usize> {
        if self.nested_searches == 0 || !self.rest.starts_with(b"/* ") {
            return None;
        }
        let len = self.session.nested_comment_len(self.rest);
        self.nested_searches -= usize::from(len.is_none());
        len
    }

    fn skip_past(&mut self, end: &[u8]) {
        let at = find(self.rest, end);
        self.advance(at.map_or(self.rest.len(), |at| at + end.len()));
    }

    /// Two dashes begin a comment only before white space or the end.
    fn is_dash_comment(&self) -> bool {
        let rest = self.rest.strip_prefix(b"--");
        rest.is_some_and(|rest| {
            rest.first().is_none_or(|byte| self.session.is_space(*byte) || byte.is_ascii_control())
        })
    }

    /// Skips a quoted piece and returns what is inside, with doubled quotes made single.
    fn quoted(&mut self, quote: u8, no_backslash: bool) -> Cow<'a, [u8]> {
        self.advance(1);
        let all = self.rest;
        let inside = |rest: &[u8]| all.get(..all.len() - rest.len()).unwrap_or_default();
        let mut changed: Option<Vec<u8>> = None;
        while let Some(&byte) = self.rest.first() {
            let len = match byte {
                b'\\' if !no_backslash => {
                    // Escapes stay: only names are ever read, and they have none.
                    let escaped = self.rest.get(1..).unwrap_or_default();
                    1 + self.session.step(escaped)
                }
                _ if byte == quote && self.rest.get(1) == Some(&quote) => {
                    changed.get_or_insert_with(|| inside(self.rest).to_vec()).push(quote);
                    self.advance(2);
                    continue;
                }
                _ if byte == quote => break,
                _ => self.session.step(self.rest),
            };
            if let Some(changed) = &mut changed {
                changed.extend(self.rest.iter().take(len));
            }
            self.advance(len);
        }
        let inside = changed.map_or(Cow::Borrowed(inside(self.rest)), Cow::Owned);
        self.advance(1);
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8], charset: Option<Charset>) -> Vec<Token<'_>> {
        tokens(text, Session { charset, ..Session::default() }).collect()
    }

    fn quoted(name: &[u8]) -> Token<'_> {
        Token::Quoted(Cow::Borrowed(name))
    }

    #[test]
    fn comments_and_strings_may_hold_any_bytes() {
        let drop = || vec![Token::Bare(b"drop"), Token::Bare(b"table"), quoted(b"t")];
        for text in [
            &b"/* caf\xe9 */ drop table `t` /* \xe9*/"[..],
            b"drop # \xe9\n table -- \xff\n `t`-- ",
            b"/*!50000 drop /* \xe9 */ table */ `t`",
            b"drop table\0 `t`",
        ] {
            for charset in [Some(Charset::Utf8mb3), Some(Charset::Gbk), Some(Charset::Binary), None] {
                assert_eq!(cut(text, charset), drop(), "{}", text.escape_ascii());
            }
        }
        let text = b"x 'caf\xe9' \"\xff''\" 'a\\'\xe9' '\xe9''' y";
        let string = |bytes| Token::Literal(Cow::Borrowed(bytes));
        let expected = [
            Token::Bare(b"x"),
            string(b"caf\xe9"),
            string(b"\xff''"),
            string(b"a\\'\xe9"),
            string(b"\xe9'"),
            Token::Bare(b"y"),
        ];
        assert_eq!(cut(text, Some(Charset::Utf8mb4)), expected);
    }

    #[test]
    fn a_second_byte_is_no_quote_and_no_backslash() {
        use Charset::{Big5, Cp932, Gb18030, Gbk, Latin1, Sjis};
        let after = |text, charset| cut(text, Some(charset)).last().cloned();
        for charset in [Gbk, Gb18030, Sjis, Cp932] {
            assert_eq!(cut(b"`g\x81\x60` z", Some(charset)), [quoted(b"g\x81\x60"), Token::Bare(b"z")]);
        }
        for charset in [Big5, Gbk, Gb18030, Sjis, Cp932] {
            assert_eq!(after(b"'\xe5\x5c' z", charset), Some(Token::Bare(b"z")), "{charset:?}");
        }
        // Here it is a backslash, and the string goes on.
        assert_eq!(after(b"'\xe5\x5c' z", Latin1), Some(Token::Literal(Cow::Borrowed(b"\xe5\x5c' z"))));
        // Four bytes, two of them digits.
        assert_eq!(cut(b"\x81\x30\x81\x30x", Some(Gb18030)), [Token::Bare(b"\x81\x30\x81\x30x")]);
        // A byte that begins no character leaves the next one what it is.
        assert_eq!(cut(b"`g\xff` z", Some(Gbk)), [quoted(b"g\xff"), Token::Bare(b"z")]);
    }

    #[test]
    fn white_space_is_what_the_character_set_has() {
        let text = b"drop\xa0table";
        assert_eq!(cut(text, Some(Charset::Latin1)), [Token::Bare(b"drop"), Token::Bare(b"table")]);
        assert_eq!(cut(text, Some(Charset::Cp1251)), [Token::Bare(text)]);
    }

    #[test]
    fn quotes_in_names_are_doubled() {
        let name = |text| match cut(text, Some(Charset::Utf8mb4)).remove(0) {
            Token::Quoted(name) => name.into_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(name(b"`a``b\xe9\\`"), b"a`b\xe9\\");
        assert_eq!(name(b"````"), b"`");
        assert_eq!(name(b"`no end"), b"no end");
    }
}

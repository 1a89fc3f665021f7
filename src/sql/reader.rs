//! Reads the tokens of a statement.

use super::effect::{Identifier, TableName};
use super::tokens::{Session, Token};

/// A cursor over a statement's tokens. Nothing here fails: missing tokens are not consumed.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub rest: &'a [Token<'a>],
    pub session: Session,
}

impl<'a> Reader<'a> {
    /// Consumes the next token.
    pub fn next(&mut self) -> Option<&'a Token<'a>> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// An unquoted word, in lower case.
    pub fn keyword(&mut self) -> Option<String> {
        let Some(Token::Bare(word)) = self.rest.first() else { return None };
        self.next();
        Some(String::from_utf8_lossy(word).to_ascii_lowercase())
    }

    /// Whether one of these keywords comes next, without consuming it.
    pub fn is_next(&self, keywords: &[&str]) -> bool {
        self.rest.first().is_some_and(|token| keywords.iter().any(|keyword| token.is_keyword(keyword)))
    }

    /// Consumes the keyword, if it is next.
    pub fn accept(&mut self, keyword: &str) -> bool {
        self.accept_any(&[keyword])
    }

    pub fn accept_any(&mut self, keywords: &[&str]) -> bool {
        let found = self.is_next(keywords);
        if found {
            self.next();
        }
        found
    }

    /// Consumes the keywords, if all of them are next.
    pub fn accept_all(&mut self, keywords: &[&str]) -> bool {
        let mut ahead = *self;
        let all = keywords.iter().all(|keyword| ahead.accept(keyword));
        if all {
            *self = ahead;
        }
        all
    }

    pub fn accept_symbol(&mut self, symbol: u8) -> bool {
        let found = self.rest.first() == Some(&Token::Symbol(symbol));
        if found {
            self.next();
        }
        found
    }

    /// Whether the rest contains the keyword.
    pub fn holds(&self, keyword: &str) -> bool {
        self.rest.iter().any(|token| token.is_keyword(keyword))
    }

    /// Whether the rest contains the keywords, one after the other, outside of parentheses.
    pub fn holds_all(mut self, keywords: &[&str]) -> bool {
        while !self.is_at_end() {
            if self.accept_all(keywords) {
                return true;
            }
            if self.parenthesized().is_none() {
                self.next();
            }
        }
        false
    }

    /// Skips to the keyword and consumes it; false if it does not come.
    pub fn skip_past(&mut self, keyword: &str) -> bool {
        while !self.is_at_end() {
            if self.accept(keyword) {
                return true;
            }
            self.next();
        }
        false
    }

    /// Consumes the tokens up to the next comma outside of parentheses, and the comma.
    pub fn clause(&mut self) -> Reader<'a> {
        let mut depth = 0usize;
        let comma = self.rest.iter().position(|token| {
            match token {
                Token::Symbol(b'(') => depth += 1,
                Token::Symbol(b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && *token == Token::Symbol(b',')
        });
        let (clause, rest) = self.rest.split_at(comma.unwrap_or(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        Reader { rest: clause, session: self.session }
    }

    /// The tokens inside the parentheses that come next.
    pub fn parenthesized(&mut self) -> Option<Reader<'a>> {
        if !self.accept_symbol(b'(') {
            return None;
        }
        let mut depth = 1usize;
        let end = self.rest.iter().position(|token| {
            match token {
                Token::Symbol(b'(') => depth += 1,
                Token::Symbol(b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let (inside, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        Some(Reader { rest: inside, session: self.session })
    }

    /// An unsigned number.
    pub fn number(&mut self) -> Option<u64> {
        let Some(Token::Bare(word)) = self.rest.first() else { return None };
        let number = std::str::from_utf8(word).ok()?.parse().ok()?;
        self.next();
        Some(number)
    }

    /// An identifier, quoted or not.
    fn identifier(&mut self) -> Option<&'a [u8]> {
        let name: &[u8] = match self.rest.first()? {
            Token::Bare(name) => name,
            Token::Quoted(name) => name,
            Token::Symbol(_) | Token::Literal(_) => return None,
        };
        self.next();
        Some(name)
    }

    /// An identifier as text.
    pub fn name(&mut self) -> Option<Identifier> {
        let session = self.session;
        self.identifier().map(|name| session.name(name))
    }

    /// Skips an account: 'name'@'host', quoted in any way or not, CURRENT_USER or CURRENT_USER().
    pub fn skip_account(&mut self) {
        let ends_with_at =
            |token: Option<&Token<'_>>| matches!(token, Some(Token::Bare(word)) if word.ends_with(b"@"));
        let mut host_follows = ends_with_at(self.next());
        if let Some(Token::Bare(word)) = self.rest.first()
            && word.starts_with(b"@")
        {
            host_follows = ends_with_at(self.next());
        }
        if host_follows {
            self.next();
        }
        while self.accept_symbol(b'.') || self.accept_symbol(b'-') {
            self.next();
        }
        if self.accept_symbol(b'(') {
            self.accept_symbol(b')');
        }
    }

    /// The name of a savepoint, to be compared with others only.
    pub fn savepoint(&mut self) -> String {
        let session = self.session;
        let name = self.identifier().unwrap_or_default();
        session.name(name).unwrap_or_else(|| name.escape_ascii().to_string()).to_lowercase()
    }

    /// `table` or `database.table`. A dot before the name means the default database.
    pub fn table(&mut self) -> Option<TableName> {
        let is_bare = self.accept_symbol(b'.');
        let first = self.name()?;
        if !is_bare && self.accept_symbol(b'.') {
            let table = self.name()?;
            return Some(TableName { database: Some(first), table });
        }
        Some(TableName { database: None, table: first })
    }

    /// An identifier or a string, in lower case: the name of an engine.
    pub fn word_or_string(&mut self) -> Option<String> {
        let bytes: &[u8] = match self.next()? {
            Token::Bare(bytes) => bytes,
            Token::Quoted(bytes) | Token::Literal(bytes) => bytes,
            Token::Symbol(_) => return None,
        };
        Some(String::from_utf8_lossy(bytes).to_ascii_lowercase())
    }
}

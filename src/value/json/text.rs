//! JSON text, compacted.

use super::super::text;
use super::{MAX_DEPTH, TOO_DEEP};
use crate::bytes::Malformed;

const SYNTAX: Malformed = Malformed("a JSON document is not JSON");

/// Appends a document without whitespace between its parts, and with strings escaped as dumpa does everywhere.
pub fn compact(json: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    if std::str::from_utf8(json).is_err() {
        return Err(Malformed("a JSON document is not UTF-8"));
    }
    if json.is_empty() {
        // As the server reads an empty document, see `binary`.
        out.extend_from_slice(b"null");
        return Ok(());
    }
    let mut reader = Reader { rest: json, out };
    reader.value(0)?;
    reader.space();
    if reader.rest.is_empty() { Ok(()) } else { Err(SYNTAX) }
}

struct Reader<'a, 'o> {
    rest: &'a [u8],
    out: &'o mut Vec<u8>,
}

impl Reader<'_, '_> {
    fn value(&mut self, depth: usize) -> Result<(), Malformed> {
        self.space();
        match self.rest.first() {
            Some(b'{') => self.list(b'}', depth, |reader| {
                reader.space();
                reader.string()?;
                reader.space();
                reader.take(b':')
            }),
            Some(b'[') => self.list(b']', depth, |_| Ok(())),
            Some(b'"') => self.string(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.number(),
        }
    }

    /// Copies a container, from its opening bracket to `close`. `before` copies what precedes a value: an object's key.
    fn list(
        &mut self,
        close: u8,
        depth: usize,
        before: impl Fn(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        if depth >= MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        self.copy(1)?;
        self.space();
        if self.rest.first() == Some(&close) {
            return self.copy(1);
        }
        loop {
            before(self)?;
            self.value(depth + 1)?;
            self.space();
            if self.rest.first() == Some(&close) {
                return self.copy(1);
            }
            self.take(b',')?;
        }
    }

    fn space(&mut self) {
        while let Some((b' ' | b'\t' | b'\n' | b'\r', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
    }

    /// Copies the next `len` bytes.
    fn copy(&mut self, len: usize) -> Result<(), Malformed> {
        let (run, rest) = self.rest.split_at_checked(len).ok_or(SYNTAX)?;
        self.out.extend_from_slice(run);
        self.rest = rest;
        Ok(())
    }

    /// Copies `byte`, which must be next.
    fn take(&mut self, byte: u8) -> Result<(), Malformed> {
        self.word(&[byte])
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Malformed> {
        if !self.rest.starts_with(word) {
            return Err(SYNTAX);
        }
        self.copy(word.len())
    }

    fn number(&mut self) -> Result<(), Malformed> {
        if self.rest.first() == Some(&b'-') {
            self.copy(1)?;
        }
        match self.rest.first() {
            Some(b'0') => self.copy(1)?,
            _ => self.digits()?,
        }
        if self.rest.first() == Some(&b'.') {
            self.copy(1)?;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.rest.first() {
            self.copy(1)?;
            if let Some(b'+' | b'-') = self.rest.first() {
                self.copy(1)?;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Copies one digit or more.
    fn digits(&mut self) -> Result<(), Malformed> {
        match self.rest.iter().take_while(|b| b.is_ascii_digit()).count() {
            0 => Err(SYNTAX),
            len => self.copy(len),
        }
    }

    fn string(&mut self) -> Result<(), Malformed> {
        self.take(b'"')?;
        loop {
            let run = self.rest.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20);
            self.copy(run.ok_or(SYNTAX)?)?;
            match self.rest.split_first() {
                Some((b'"', _)) => return self.copy(1),
                Some((b'\\', rest)) => {
                    let (escaped, rest) = unescape(rest)?;
                    self.escaped(escaped);
                    self.rest = rest;
                }
                // MariaDB accepts unescaped control characters.
                Some((&control, rest)) => {
                    text::escape_byte(control, self.out);
                    self.rest = rest;
                }
                None => return Err(SYNTAX),
            }
        }
    }

    fn escaped(&mut self, escaped: Escaped) {
        match escaped {
            Escaped::Char(char) => {
                text::escape(char.encode_utf8(&mut [0; 4]).as_bytes(), self.out);
            }
            // It is no character, so UTF-8 cannot hold it: keep the escape.
            Escaped::Half(unit) => self.out.extend_from_slice(format!("\\u{unit:04x}").as_bytes()),
        }
    }
}

/// The meaning of an escape.
pub enum Escaped {
    Char(char),
    /// A lone surrogate.
    Half(u32),
}

/// Parses the escape after a backslash; returns the rest, too.
pub fn unescape(rest: &[u8]) -> Result<(Escaped, &[u8]), Malformed> {
    let (&letter, after) = rest.split_first().ok_or(SYNTAX)?;
    let char = match letter {
        b'"' | b'\\' | b'/' => char::from(letter),
        b'b' => '\x08',
        b'f' => '\x0c',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(after),
        _ => return Err(SYNTAX),
    };
    Ok((Escaped::Char(char), after))
}

fn unicode(rest: &[u8]) -> Result<(Escaped, &[u8]), Malformed> {
    let (unit, after) = hex4(rest)?;
    if (0xd800..0xdc00).contains(&unit)
        && let Some(low) = after.strip_prefix(b"\\u")
        && let (low @ 0xdc00..0xe000, after) = hex4(low)?
    {
        let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        return Ok((Escaped::Char(char::from_u32(code).ok_or(SYNTAX)?), after));
    }
    Ok((char::from_u32(unit).map_or(Escaped::Half(unit), Escaped::Char), after))
}

fn hex4(rest: &[u8]) -> Result<(u32, &[u8]), Malformed> {
    let (digits, after) = rest.split_at_checked(4).ok_or(SYNTAX)?;
    let mut value = 0;
    for &digit in digits {
        value = value << 4 | char::from(digit).to_digit(16).ok_or(SYNTAX)?;
    }
    Ok((value, after))
}

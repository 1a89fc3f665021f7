//! Query events: the statement, its default database, and what is needed to read its names.
//!
//! Source: MySQL's `statement_events.h`, class `Query_event`.

use std::borrow::Cow;

use super::event::Format;
use crate::bytes::Bytes;
use crate::value::{Charset, Malformed};

const MODE_ANSI_QUOTES: u64 = 4;
const MODE_NO_BACKSLASH_ESCAPES: u64 = 1 << 20;

/// A statement as it was logged.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    pub database: &'a [u8],
    pub text: &'a [u8],
    /// `"` quotes identifiers instead of strings.
    pub ansi_quotes: bool,
    /// `\` is an ordinary character in strings.
    pub no_backslash_escapes: bool,
    /// The client's character set, in which the text stands; by collation id.
    charset: Option<u16>,
}

/// The body of a compressed query event (MariaDB's `log_bin_compress`) as that of a plain one.
pub fn inflate(format: &Format, body: &[u8]) -> Result<Vec<u8>, Malformed> {
    let head = body.len() - Query::parse(format, body)?.text.len();
    let (head, text) = body.split_at(head);
    let mut inflated = Vec::new();
    super::compressed::event(text, &mut inflated)?;
    Ok([head, &inflated].concat())
}

impl<'a> Query<'a> {
    pub fn parse(format: &Format, body: &'a [u8]) -> Result<Query<'a>, Malformed> {
        let mut bytes = Bytes(body);
        bytes.take(8)?;
        let database_len = bytes.u8()?;
        bytes.u16()?;
        // Before 5.0 there were no status variables.
        let old = format.post_header_len(2) == 11;
        let status_len = if old { 0 } else { bytes.u16()? };
        let status = bytes.take(status_len.into())?;
        let database = bytes.take(database_len.into())?;
        bytes.u8()?;
        let mut query = Query {
            database,
            text: bytes.rest(),
            ansi_quotes: false,
            no_backslash_escapes: false,
            charset: None,
        };
        query.read_status(Bytes(status))?;
        Ok(query)
    }

    /// The status variables stand in a fixed order; those of interest come before any that an
    /// older reader could not know.
    fn read_status(&mut self, mut status: Bytes<'_>) -> Result<(), Malformed> {
        while !status.is_empty() {
            match status.u8()? {
                0 | 3 => {
                    status.take(4)?;
                }
                1 => {
                    let mode = status.u64()?;
                    self.ansi_quotes = mode & MODE_ANSI_QUOTES != 0;
                    self.no_backslash_escapes = mode & MODE_NO_BACKSLASH_ESCAPES != 0;
                }
                2 => {
                    let len = status.u8()?;
                    status.take(usize::from(len) + 1)?;
                }
                4 => {
                    self.charset = Some(status.u16()?);
                    return Ok(());
                }
                5 | 6 => {
                    let len = status.u8()?;
                    status.take(len.into())?;
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// The statement in UTF-8. Control statements are ASCII and are not copied.
    pub fn utf8(&self) -> Result<Cow<'a, str>, Malformed> {
        if self.text.is_ascii() {
            return Ok(String::from_utf8_lossy(self.text));
        }
        let charset = self.charset.and_then(|id| Charset::by_collation_id(id.into()));
        let charset = match charset {
            Some(charset) if !charset.is_binary() => charset,
            // A client that said nothing, or `binary`: UTF-8 is what names are stored in.
            _ => return Ok(String::from_utf8_lossy(self.text)),
        };
        let mut json = vec![b'"'];
        charset.escape(self.text, &mut json)?;
        json.push(b'"');
        let text = serde_json::from_slice::<String>(&json);
        text.map(Cow::Owned).map_err(|_| Malformed("a statement is not in its character set"))
    }
}

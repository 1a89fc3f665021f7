//! Query events: a statement, its default database, and the settings to read its names with.
//!
//! Source: MySQL's `statement_events.h`, class `Query_event`.

use super::event::FormatDescription;
use crate::bytes::{Bytes, Malformed};
use crate::sql::tokens::Session;
use crate::value::Charset;
use crate::version::Release;

/// A flag of MariaDB: `explicit_defaults_for_timestamp`.
const MARIADB_EXPLICIT_TIMESTAMPS: u32 = 1 << 24;
const MODE_REAL_AS_FLOAT: u64 = 1;
const MODE_ANSI_QUOTES: u64 = 4;
/// MariaDB's. In MySQL it stands for a mode that no release has any more.
const MODE_ORACLE: u64 = 1 << 9;
const MODE_NO_BACKSLASH_ESCAPES: u64 = 1 << 20;

/// A statement as it was logged.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    /// The client's thread id. Temporary tables belong to it.
    pub thread_id: u32,
    /// The default database. In UTF-8, as the server stores names, whatever the client's character set.
    pub database: &'a [u8],
    /// The statement in the client's character set. Comments may hold any bytes.
    pub text: &'a [u8],
    pub session: Session,
    /// The event lists the changed databases. MySQL 5.6 and later do so for every client statement that changes rows, and
    /// never for statements that the server itself writes.
    pub lists_databases: bool,
    /// It ended in an error: it may have done a part.
    pub has_failed: bool,
}

/// Inflates the body of a compressed query event (MariaDB's `log_bin_compress`).
pub fn inflate(format: &FormatDescription, body: &[u8]) -> Result<Vec<u8>, Malformed> {
    let head = body.len() - Query::parse(format, body)?.text.len();
    let (head, text) = body.split_at(head);
    let mut inflated = Vec::new();
    super::compressed::event(text, &mut inflated)?;
    Ok([head, &inflated].concat())
}

impl<'a> Query<'a> {
    pub fn parse(format: &FormatDescription, body: &'a [u8]) -> Result<Query<'a>, Malformed> {
        let mut bytes = Bytes(body);
        let thread_id = bytes.u32()?;
        // The execution time.
        bytes.take(4)?;
        let database_len = bytes.u8()?;
        let error = bytes.u16()?;
        // Before 5.0 there were no status variables.
        let old = format.post_header_len(2) == 11;
        let status_len = if old { 0 } else { bytes.u16()? };
        let status = bytes.take(status_len.into())?;
        let database = bytes.take(database_len.into())?;
        bytes.u8()?;
        let mut query = Query {
            thread_id,
            database,
            text: bytes.rest(),
            // Without a character set, or with `binary`, the server takes names for UTF-8.
            session: Session { writer: format.writer, ..Session::default() },
            lists_databases: false,
            has_failed: error != 0,
        };
        query.read_status(Bytes(status))?;
        Ok(query)
    }

    /// Reads the status variables. They are in a fixed order, so unknown ones come after all that are needed.
    fn read_status(&mut self, mut status: Bytes<'_>) -> Result<(), Malformed> {
        while !status.is_empty() {
            match status.u8()? {
                0 => {
                    let flags = status.u32()?;
                    let is_explicit = flags & MARIADB_EXPLICIT_TIMESTAMPS != 0;
                    // Older releases do not tell.
                    let tells = |writer: Release| writer.is_mariadb_from(10, 10, 0);
                    if self.session.writer.is_some_and(tells) {
                        self.session.explicit_timestamps = Some(is_explicit);
                    }
                }
                3 => {
                    status.take(4)?;
                }
                1 => {
                    let mode = status.u64()?;
                    self.session.ansi_quotes = mode & MODE_ANSI_QUOTES != 0;
                    self.session.no_backslash_escapes = mode & MODE_NO_BACKSLASH_ESCAPES != 0;
                    self.session.real_as_float = mode & MODE_REAL_AS_FLOAT != 0;
                    self.session.oracle_mode = self.session.is_mariadb() && mode & MODE_ORACLE != 0;
                }
                2 => {
                    let len = status.u8()?;
                    status.take(usize::from(len) + 1)?;
                }
                4 => {
                    self.session.charset = Charset::by_collation_id(status.u16()?.into());
                    self.session.connection_collation = status.u16()?;
                    self.session.server_collation = Some(status.u16()?);
                }
                // MariaDB's character_set_collations, 11.3 and later: it comes before the character sets.
                131 => {
                    let count = status.u8()?;
                    status.take(usize::from(count) * 4)?;
                }
                5 | 6 => {
                    let len = status.u8()?;
                    status.take(len.into())?;
                }
                7 | 8 => {
                    status.take(2)?;
                }
                9 => {
                    status.take(8)?;
                }
                10 => {
                    status.take(4)?;
                }
                11 => {
                    for _ in ["user", "host"] {
                        let len = status.u8()?;
                        status.take(len.into())?;
                    }
                }
                12 => {
                    self.lists_databases = true;
                    let count = status.u8()?;
                    // Too many to list.
                    for _ in 0..if count == 254 { 0 } else { count } {
                        while status.u8()? != 0 {}
                    }
                }
                13 => {
                    status.take(3)?;
                }
                16 => self.session.explicit_timestamps = Some(status.u8()? != 0),
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}

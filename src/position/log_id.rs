//! The identity of a log: after RESET MASTER, or on a rebuilt server, file names and offsets start over.

use std::fmt;
use std::str::FromStr;

/// Identifies a log file by its format description. Written as `CREATED-SERVER`, two decimal numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogId {
    /// When the file was created, in seconds since 1970, by the clock of the server that wrote it.
    pub created: u32,
    /// `server_id` of that server.
    pub server_id: u32,
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.created, self.server_id)
    }
}

impl FromStr for LogId {
    type Err = ();

    fn from_str(text: &str) -> Result<LogId, ()> {
        let (created, server_id) = text.split_once('-').ok_or(())?;
        Ok(LogId { created: created.parse().map_err(|_| ())?, server_id: server_id.parse().map_err(|_| ())? })
    }
}

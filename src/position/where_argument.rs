//! WHERE: a place in the log, as given on the command line.

use std::path::Path;

use anyhow::Result;

use super::{Position, read};
use crate::exit::usage;

/// A WHERE of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    Now,
    Earliest,
    At(Position),
}

impl Where {
    /// Reads a WHERE: `now`, `earliest`, a file holding a position, or `file:position`.
    ///
    /// # Errors
    /// Exit 2 when it is none of these.
    pub fn parse(text: &str) -> Result<Where> {
        match text {
            "now" => return Ok(Where::Now),
            "earliest" => return Ok(Where::Earliest),
            _ => {}
        }
        let path = Path::new(text);
        if path.exists() {
            return read::file(path).map(Where::At);
        }
        let parts = text.rsplit_once(':');
        match parts.map(|(file, position)| (file, position.parse())) {
            Some((file, Ok(position))) if !file.is_empty() => Ok(Where::At(Position::new(file, position))),
            _ => Err(usage(format!(
                "{text:?} is not a position: give `now`, `earliest`, a file that holds a position, or \
                 LOGFILE:OFFSET"
            ))),
        }
    }
}

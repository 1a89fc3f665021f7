//! The exit codes: the one table from an error to the number that a script sees.

use std::io;

/// An error whose kind decides the exit code. Everything else is exit 1.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Exit 2: wrong flags, option file or position file.
    #[error("{0}")]
    Usage(String),
    /// Exit 3: the position is not available on this server (any more).
    #[error("{0}")]
    Unavailable(String),
    /// Exit 4: the data cannot be read truthfully.
    #[error("{0}")]
    Unreadable(String),
}

/// Done, or the reader of stdout went away.
pub const DONE: u8 = 0;
/// It failed: the server cannot be reached, an I/O error.
pub const FAILED: u8 = 1;
/// It was called wrongly.
pub const USAGE: u8 = 2;
/// The position is not available on this server (any more): load again.
pub const UNAVAILABLE: u8 = 3;
/// The data cannot be read truthfully.
pub const UNREADABLE: u8 = 4;

/// stdout's reader went away. A separate type, because a server that closes its socket gives the same
/// `io::ErrorKind::BrokenPipe`, and that is a failure.
#[derive(Debug, thiserror::Error)]
#[error("stdout was closed by its reader")]
pub struct ReaderGone;

/// The exit code of an error, found anywhere in its chain.
pub fn code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if cause.is::<ReaderGone>() {
            return DONE;
        }
        match cause.downcast_ref::<Failure>() {
            Some(Failure::Usage(_)) => return USAGE,
            Some(Failure::Unavailable(_)) => return UNAVAILABLE,
            Some(Failure::Unreadable(_)) => return UNREADABLE,
            None => {}
        }
    }
    FAILED
}

/// The whole chain of causes in one line: what was tried, then why it failed.
pub fn message(error: &anyhow::Error) -> String {
    chain_message(error.chain())
}

/// [`message`] for a part of a chain.
pub fn chain_message<'a>(chain: impl Iterator<Item = &'a (dyn std::error::Error + 'static)>) -> String {
    let causes = chain.map(|cause| match cause.downcast_ref::<mysql::Error>() {
        // The crate's own Display wraps these in names of its types.
        Some(mysql::Error::MySqlError(error)) => format!("{} (error {})", error.message, error.code),
        Some(mysql::Error::IoError(error)) => error.to_string(),
        Some(mysql::Error::DriverError(error)) => error.to_string(),
        _ => cause.to_string(),
    });
    let line = causes.collect::<Vec<_>>().join(": ");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Usage error (exit 2) from a message.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    Failure::Usage(message.into()).into()
}

/// Position not available (exit 3) from a message.
pub fn unavailable(message: impl Into<String>) -> anyhow::Error {
    Failure::Unavailable(message.into()).into()
}

/// Data that cannot be read truthfully (exit 4) from a message.
pub fn unreadable(message: impl Into<String>) -> anyhow::Error {
    Failure::Unreadable(message.into()).into()
}

/// An I/O error as one clear line: what was being done, and to which path.
pub fn io_error(what: &str, path: &std::path::Path, error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("cannot {what} {}", path.display()))
}

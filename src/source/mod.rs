//! Where events come from: a server, or files. A source can begin at any event, any number of times. It does not know
//! what happens to its events.

pub mod entry;
pub mod event_queue;
pub mod files;
pub mod framing;
pub mod network;
pub mod reading_thread;
pub mod scan;

use anyhow::Result;

use entry::Sink;

/// Something to read events from.
pub trait Source {
    /// Starts reading at an offset of a file, where an event begins.
    ///
    /// # Errors
    /// Exit 3 when the position is not available (any more); exit 1 when the source cannot be reached.
    fn begin(&mut self, file: &str, offset: u64, mode: Mode) -> Result<Box<dyn Events>>;

    /// The names of the available files, oldest first, up to and including `file`. Without those from the first one on that
    /// cannot be read again.
    fn files_up_to(&mut self, file: &str) -> Result<Vec<String>>;

    /// Whether a file that is being followed can be read again, and all files before it.
    fn can_read_again(&self, _file: &str) -> bool {
        true
    }

    /// Whether everything from the followed place on can be read beside the main reading.
    fn can_read_ahead(&self) -> bool {
        true
    }

    /// How its events' offsets count.
    fn offsets(&self) -> Offsets;
}

/// How the offsets of a source's events count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offsets {
    /// As the server's headers say. A server can begin at no offset beyond [`Offsets::limit`].
    OfServer,
    /// By the file's own bytes: headers in a relay log have another server's offsets.
    OfFiles,
}

impl Offsets {
    /// The largest offset to begin at: `COM_BINLOG_DUMP` has 32 bits for it.
    pub fn limit(self) -> u64 {
        match self {
            Offsets::OfServer => u32::MAX.into(),
            Offsets::OfFiles => u64::MAX,
        }
    }
}

/// What to do at the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Wait for more.
    Follow,
    /// End there.
    UntilEnd,
}

/// Events in the order of the log.
pub trait Events: Send {
    /// Hands the next event to `sink`, with any preamble or file before it. False at the end.
    fn next(&mut self, sink: &mut dyn Sink) -> Result<bool>;
}

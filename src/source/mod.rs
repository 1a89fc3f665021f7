//! Where events come from: a server, or files. A source can be asked to begin again at a place, and knows nothing of
//! what is done with its events.

pub mod entry;
pub mod event_queue;
pub mod files;
pub mod framing;
pub mod network;
pub mod reading_thread;

use anyhow::Result;

use entry::Sink;

/// A place that events come from.
pub trait Source {
    /// Begins to read at an offset of a file: the start of an event, and the events after it.
    ///
    /// # Errors
    /// Exit 3 when the position is not there (any more); exit 1 when the source is out of reach.
    fn begin(&mut self, file: &str, offset: u64, mode: Mode) -> Result<Box<dyn Events>>;

    /// The files that are there, oldest first, up to this one.
    fn files_up_to(&mut self, file: &str) -> Result<Vec<String>>;

    /// What the offsets of its events are.
    fn offsets(&self) -> Offsets;
}

/// What the offsets of a source's events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offsets {
    /// Those that a server tells. It can be asked to begin at no offset beyond [`Offsets::limit`].
    OfServer,
    /// Those of the files themselves: the events of a relay log tell another server's.
    OfFiles,
}

impl Offsets {
    /// Largest offset that can be asked for: `COM_BINLOG_DUMP` has 32 bits for it.
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
    /// Hands the next event to `sink`, with what comes before it. False at the end.
    fn next(&mut self, sink: &mut dyn Sink) -> Result<bool>;
}

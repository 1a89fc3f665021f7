//! Where events come from. A source can be asked to begin again at a position, and knows nothing of
//! what is done with them.

pub mod event_queue;
pub mod files;
pub mod framing;
pub mod network;

use std::thread;

use anyhow::Result;

use event_queue::{Filler, Next, Taker, handoff};

/// A place that events come from.
pub trait Source {
    /// Begins to read at an offset of a file: the start of an event, and the events after it.
    ///
    /// # Errors
    /// Exit 3 when the position is not there (any more); exit 1 when the source is out of reach.
    fn begin(&mut self, file: &str, offset: u64, mode: Mode) -> Result<Box<dyn Events>>;

    /// The files that are there, oldest first, up to this one.
    fn files_up_to(&mut self, file: &str) -> Result<Vec<String>>;
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
    /// Hands the next event, in its parts, to `take`. False at the end.
    fn next(&mut self, take: &mut dyn FnMut(&[&[u8]]) -> bool) -> Result<bool>;
}

/// Reads on a thread of its own.
pub fn spawn(mut events: Box<dyn Events>) -> Taker {
    let (filler, taker) = handoff();
    // Not joined: it may be blocked in a read when the work is done, and ends with the process.
    thread::spawn(move || {
        let end = read_all(events.as_mut(), &filler);
        filler.finish(end);
    });
    taker
}

fn read_all(events: &mut dyn Events, filler: &Filler) -> Result<()> {
    let mut wanted = true;
    while wanted {
        let mut when = Next::Now;
        let take = &mut |parts: &[&[u8]]| {
            when = filler.push(parts);
            when != Next::Never
        };
        if !events.next(take)? {
            break;
        }
        wanted = match when {
            Next::Now => true,
            Next::Later => filler.wait(),
            Next::Never => false,
        };
    }
    Ok(())
}

//! One thread reads events, one works: two buffers between them, and nothing allocated per event.
//!
//! The reader appends to one buffer while the worker goes through the other; they are swapped when
//! the worker has finished its own. What the worker finds waiting is thus one batch, however much it
//! is, and an empty buffer is the moment to flush.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;

/// The reader waits once this many bytes are unread. One event may go beyond.
const LIMIT_BYTES: usize = 1 << 20;
/// A buffer that one huge event made larger than this is given back; and the reader waits while the worker has such an
/// event, so that there are not two of them.
pub const KEEP_BYTES: usize = 4 << 20;

/// Events, one after the other, each as in a file: header, body, checksum.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    /// Appends an event, whose parts are given.
    pub fn push(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.ends.push(self.bytes.len());
    }

    /// The events.
    pub fn events(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Empties it, to be filled again.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        if self.bytes.capacity() > KEEP_BYTES {
            self.bytes.shrink_to(LIMIT_BYTES);
        }
    }
}

#[derive(Debug, Default)]
struct State {
    batch: Batch,
    /// What the worker has is huge.
    worker_has_much: bool,
    /// Why no more will come.
    end: Option<Result<()>>,
    worker_waits: bool,
    worker_gone: bool,
}

impl State {
    fn next(&self) -> Next {
        if self.worker_gone {
            Next::Never
        } else if self.batch.bytes.len() >= LIMIT_BYTES || self.worker_has_much {
            Next::Later
        } else {
            Next::Now
        }
    }
}

/// When to read the next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Now,
    /// Much is unread: wait, and hold nothing meanwhile.
    Later,
    /// Nobody wants any more.
    Never,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
}

impl Shared {
    /// A panic of the other side is told by its guard, not by the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reader's end. Dropped without [`Filler::finish`], it tells of a failure.
#[derive(Debug)]
pub struct Filler(Arc<Shared>);

/// The worker's end.
#[derive(Debug)]
pub struct Taker(Arc<Shared>);

/// What the worker got.
#[derive(Debug)]
pub enum Taken {
    Batch,
    /// Nothing within the time given.
    Nothing,
    /// No more will come.
    End(Result<()>),
}

/// The two ends.
pub fn handoff() -> (Filler, Taker) {
    let shared = Arc::new(Shared::default());
    (Filler(shared.clone()), Taker(shared))
}

impl Filler {
    /// Appends an event, and tells whether to read the next one.
    pub fn push(&self, parts: &[&[u8]]) -> Next {
        let mut state = self.0.lock();
        state.batch.push(parts);
        if state.worker_waits {
            state.worker_waits = false;
            self.0.filled.notify_one();
        }
        state.next()
    }

    /// Waits until the next event is to be read. False when nobody wants it.
    pub fn wait(&self) -> bool {
        let waited = self.0.emptied.wait_while(self.0.lock(), |state| state.next() == Next::Later);
        waited.unwrap_or_else(PoisonError::into_inner).next() == Next::Now
    }

    /// Says that no more will come, and why.
    pub fn finish(self, end: Result<()>) {
        self.0.lock().end = Some(end);
        self.0.filled.notify_one();
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if state.end.is_none() {
            let panicked = anyhow::anyhow!("the reader of events failed");
            state.end = Some(Err(panicked));
        }
        self.0.filled.notify_one();
    }
}

impl Taker {
    /// Swaps `batch`, which the worker is done with, for what is waiting; waits up to `patience` for
    /// something. Events come before the end.
    pub fn take(&self, batch: &mut Batch, patience: Duration) -> Taken {
        batch.clear();
        let mut state = self.0.lock();
        if std::mem::take(&mut state.worker_has_much) {
            self.0.emptied.notify_one();
        }
        if state.batch.is_empty() && state.end.is_none() && !patience.is_zero() {
            state.worker_waits = true;
            let waited = self
                .0
                .filled
                .wait_timeout_while(state, patience, |state| state.batch.is_empty() && state.end.is_none());
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.worker_waits = false;
        }
        if !state.batch.is_empty() {
            let len = state.batch.bytes.len();
            std::mem::swap(&mut state.batch, batch);
            state.worker_has_much = len > KEEP_BYTES;
            let is_awaited = len >= LIMIT_BYTES && !state.worker_has_much;
            drop(state);
            if is_awaited {
                self.0.emptied.notify_one();
            }
            return Taken::Batch;
        }
        match state.end.take() {
            Some(end) => Taken::End(end),
            None => Taken::Nothing,
        }
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        self.0.lock().worker_gone = true;
        self.0.emptied.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_not_two_huge_events_at_a_time() {
        let (filler, taker) = handoff();
        let mut batch = Batch::default();
        assert_eq!(filler.push(&[b"a", b"b"]), Next::Now);
        assert_eq!(filler.push(&[&vec![0; KEEP_BYTES + 1]]), Next::Later);
        assert!(matches!(taker.take(&mut batch, Duration::ZERO), Taken::Batch));
        let lens: Vec<usize> = batch.events().map(<[u8]>::len).collect();
        assert_eq!(lens, [2, KEEP_BYTES + 1]);
        // The worker still has it.
        assert_eq!(filler.0.lock().next(), Next::Later);
        let reader = std::thread::spawn(move || (filler.wait(), filler));
        assert!(matches!(taker.take(&mut batch, Duration::ZERO), Taken::Nothing));
        let (wanted, filler) = reader.join().unwrap();
        assert!(wanted);
        assert!(batch.is_empty() && batch.bytes.capacity() <= KEEP_BYTES);

        assert_eq!(filler.push(&[&vec![0; LIMIT_BYTES]]), Next::Later);
        assert!(matches!(taker.take(&mut batch, Duration::ZERO), Taken::Batch));
        assert_eq!(filler.push(&[b"the worker has no more than it may"]), Next::Now);
        drop(taker);
        assert_eq!(filler.push(&[b"c"]), Next::Never);
        assert!(!filler.wait());
    }
}

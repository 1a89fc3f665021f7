//! The bounded queue between the thread that reads events and the one that works on them. It is two buffers, so that no
//! event is allocated.
//!
//! The reader fills one buffer while the worker goes through the other; the worker swaps them when it is done. So the
//! worker always gets everything that waits as one batch, and an empty buffer is the moment to flush.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;

use super::entry::{Entry, Sink};

/// The reader waits once this many bytes are unread. One event may exceed it.
const LIMIT_BYTES: usize = 1 << 20;
/// A buffer that a huge event made larger than this is shrunk afterwards; and while the worker has such an event, the
/// reader waits, so that there is only one in memory.
pub const MAX_KEPT_BYTES: usize = 4 << 20;

/// The kind of an [`Entry`].
#[derive(Debug, Clone, Copy)]
enum EntryKind {
    Event,
    Preamble,
    File,
}

/// A buffer of entries. An event is stored as in a file: header, body, checksum.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Where each entry ends. (A `usize`: an event of 1 GiB may follow others.)
    ends: Vec<(usize, EntryKind)>,
}

impl Sink for Batch {
    fn event(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.ends.push((self.bytes.len(), EntryKind::Event));
    }

    fn preamble(&mut self, event: &[u8]) {
        self.bytes.extend_from_slice(event);
        self.ends.push((self.bytes.len(), EntryKind::Preamble));
    }

    fn file(&mut self, name: &str) {
        self.bytes.extend_from_slice(name.as_bytes());
        self.ends.push((self.bytes.len(), EntryKind::File));
    }
}

impl Batch {
    /// The entries in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        starts.zip(&self.ends).map(|(start, (end, kind))| {
            let bytes = &self.bytes[start..*end];
            match kind {
                EntryKind::Event => Entry::Event(bytes),
                EntryKind::Preamble => Entry::Preamble(bytes),
                EntryKind::File => Entry::File(std::str::from_utf8(bytes).unwrap_or_default()),
            }
        })
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Empties the batch for reuse.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        if self.bytes.capacity() > MAX_KEPT_BYTES {
            self.bytes.shrink_to(LIMIT_BYTES);
        }
    }
}

#[derive(Debug, Default)]
struct State {
    batch: Batch,
    /// The worker's batch holds a huge event.
    worker_has_huge: bool,
    /// Set at the end: no more will come, and why.
    end: Option<Result<()>>,
    worker_waits: bool,
    worker_gone: bool,
}

impl State {
    fn next(&self) -> Next {
        if self.worker_gone {
            Next::Never
        } else if self.batch.bytes.len() >= LIMIT_BYTES || self.worker_has_huge {
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
    /// Too much is unread: call [`Producer::wait`].
    Later,
    /// The worker is gone.
    Never,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
}

impl Shared {
    /// A panic of the other side is reported when its end is dropped, not by the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reader's end. If dropped without [`Producer::finish`], the worker gets an error.
#[derive(Debug)]
pub struct Producer {
    shared: Arc<Shared>,
    next: Next,
}

/// The worker's end.
#[derive(Debug)]
pub struct Consumer(Arc<Shared>);

/// What the worker receives.
#[derive(Debug)]
pub enum Taken {
    Batch,
    /// Nothing within the time given.
    Nothing,
    /// No more will come.
    End(Result<()>),
}

/// The two ends of a queue.
pub fn event_queue() -> (Producer, Consumer) {
    let shared = Arc::new(Shared::default());
    (Producer { shared: shared.clone(), next: Next::Now }, Consumer(shared))
}

impl Sink for Producer {
    fn event(&mut self, parts: &[&[u8]]) {
        self.push(|batch| batch.event(parts));
    }

    fn preamble(&mut self, event: &[u8]) {
        self.push(|batch| batch.preamble(event));
    }

    fn file(&mut self, name: &str) {
        self.push(|batch| batch.file(name));
    }
}

impl Producer {
    #[inline]
    fn push(&mut self, append: impl FnOnce(&mut Batch)) {
        let mut state = self.shared.lock();
        append(&mut state.batch);
        if state.worker_waits {
            state.worker_waits = false;
            self.shared.filled.notify_one();
        }
        self.next = state.next();
    }

    /// When to read the next event, as of the last one.
    pub fn when_next(&self) -> Next {
        self.next
    }

    /// Waits until the next event may be read. False when the worker is gone.
    pub fn wait(&self) -> bool {
        let waited = self.shared.emptied.wait_while(self.shared.lock(), |state| state.next() == Next::Later);
        waited.unwrap_or_else(PoisonError::into_inner).next() == Next::Now
    }

    /// Ends the queue, with the reason.
    pub fn finish(self, end: Result<()>) {
        self.shared.lock().end = Some(end);
        self.shared.filled.notify_one();
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if state.end.is_none() {
            let panicked = anyhow::anyhow!("the thread that reads events panicked");
            state.end = Some(Err(panicked));
        }
        self.shared.filled.notify_one();
    }
}

impl Consumer {
    /// Swaps the finished `batch` for the waiting one; waits up to `patience` for something. All events come before the
    /// end.
    pub fn take(&self, batch: &mut Batch, patience: Duration) -> Taken {
        batch.clear();
        let mut state = self.0.lock();
        if std::mem::take(&mut state.worker_has_huge) {
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
            state.worker_has_huge = len > MAX_KEPT_BYTES;
            let is_awaited = len >= LIMIT_BYTES && !state.worker_has_huge;
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

impl Drop for Consumer {
    fn drop(&mut self) {
        self.0.lock().worker_gone = true;
        self.0.emptied.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(producer: &mut Producer, parts: &[&[u8]]) -> Next {
        producer.event(parts);
        producer.when_next()
    }

    #[test]
    fn there_are_not_two_huge_events_at_a_time() {
        let (mut producer, consumer) = event_queue();
        let mut batch = Batch::default();
        assert_eq!(push(&mut producer, &[b"a", b"b"]), Next::Now);
        assert_eq!(push(&mut producer, &[&vec![0; MAX_KEPT_BYTES + 1]]), Next::Later);
        assert!(matches!(consumer.take(&mut batch, Duration::ZERO), Taken::Batch));
        let lens: Vec<usize> = batch.ends.iter().map(|(end, _)| *end).collect();
        assert_eq!(lens, [2, 2 + MAX_KEPT_BYTES + 1]);
        // The worker still has it.
        assert_eq!(producer.shared.lock().next(), Next::Later);
        let reader = std::thread::spawn(move || (producer.wait(), producer));
        assert!(matches!(consumer.take(&mut batch, Duration::ZERO), Taken::Nothing));
        let (wanted, mut producer) = reader.join().unwrap();
        assert!(wanted);
        assert!(batch.is_empty() && batch.bytes.capacity() <= MAX_KEPT_BYTES);

        assert_eq!(push(&mut producer, &[&vec![0; LIMIT_BYTES]]), Next::Later);
        assert!(matches!(consumer.take(&mut batch, Duration::ZERO), Taken::Batch));
        assert_eq!(push(&mut producer, &[b"the worker has no more than it may"]), Next::Now);
        drop(consumer);
        assert_eq!(push(&mut producer, &[b"c"]), Next::Never);
        assert!(!producer.wait());
    }

    #[test]
    fn what_an_entry_is_stands_beside_its_bytes() {
        let mut batch = Batch::default();
        batch.file("bin.000007");
        batch.preamble(b"format");
        batch.event(&[b"", b"\0\0", b"\0"]);
        let entries: Vec<Entry<'_>> = batch.entries().collect();
        assert_eq!(entries, [Entry::File("bin.000007"), Entry::Preamble(b"format"), Entry::Event(b"\0\0\0")]);
    }
}

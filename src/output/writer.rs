//! A thread that writes one piece of output while the next is built: copying into a pipe takes as long as building the
//! lines. It starts with the first piece.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

#[derive(Debug, Default)]
struct State {
    /// The next piece.
    waiting: Option<Vec<u8>>,
    is_writing: bool,
    /// A written buffer, to be reused.
    spare: Vec<u8>,
    /// The error of the last write, after which the thread ends.
    error: Option<io::Error>,
    has_ended: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Wakes the writing thread: there is a piece.
    given: Condvar,
    /// Wakes the other thread: a piece was taken, or written.
    moved: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the writing thread.
    ///
    /// # Errors
    /// The error that ended the thread.
    fn wait_while(&self, busy: impl Fn(&State) -> bool) -> io::Result<MutexGuard<'_, State>> {
        let waited = self.moved.wait_while(self.lock(), |state| busy(state) && !state.has_ended);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.has_ended {
            return Err(state.error.take().unwrap_or_else(|| io::Error::other("an earlier write failed")));
        }
        Ok(state)
    }
}

/// The line-building thread's handle on the writing thread.
#[derive(Debug, Default)]
pub struct Writer {
    shared: Option<Arc<Shared>>,
}

impl Writer {
    /// Waits until the last piece is taken, and returns a buffer for the next one.
    ///
    /// # Errors
    /// The error of an earlier write.
    pub fn buffer(&mut self) -> io::Result<Vec<u8>> {
        let Some(shared) = &self.shared else { return Ok(Vec::new()) };
        let mut state = shared.wait_while(|state| state.waiting.is_some())?;
        Ok(std::mem::take(&mut state.spare))
    }

    /// Hands over a piece, to be written by `write`. Call [`Writer::buffer`] first.
    pub fn give(&mut self, piece: Vec<u8>, write: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static) {
        let shared = self.shared.get_or_insert_with(|| {
            let shared = Arc::new(Shared::default());
            let for_thread = shared.clone();
            // Not joined: at the process's end it has nothing left to write.
            thread::spawn(move || serve(&for_thread, write));
            shared
        });
        shared.lock().waiting = Some(piece);
        shared.given.notify_one();
    }

    /// Waits until all pieces are written.
    ///
    /// # Errors
    /// The error of one of the writes.
    pub fn wait(&mut self) -> io::Result<()> {
        let Some(shared) = &self.shared else { return Ok(()) };
        shared.wait_while(|state| state.waiting.is_some() || state.is_writing).map(|_| ())
    }
}

fn serve(shared: &Shared, mut write: impl FnMut(&[u8]) -> io::Result<()>) {
    loop {
        let state = shared.lock();
        let state = shared.given.wait_while(state, |state| state.waiting.is_none());
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let Some(piece) = state.waiting.take() else { continue };
        state.is_writing = true;
        drop(state);
        shared.moved.notify_one();
        let written = write(&piece);
        let mut state = shared.lock();
        state.is_writing = false;
        state.spare = piece;
        state.error = written.err();
        state.has_ended = state.error.is_some();
        let has_ended = state.has_ended;
        drop(state);
        shared.moved.notify_one();
        if has_ended {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Writes to `sent`, each piece once it is let.
    fn slow(sent: Sender<Vec<u8>>, let_go: Receiver<io::Result<()>>) -> impl FnMut(&[u8]) -> io::Result<()> {
        move |piece| {
            let_go.recv().map_err(io::Error::other)??;
            sent.send(piece.to_vec()).map_err(io::Error::other)
        }
    }

    fn give(writer: &mut Writer, piece: &str, write: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static) {
        let mut buffer = writer.buffer().unwrap();
        buffer.clear();
        buffer.extend_from_slice(piece.as_bytes());
        writer.give(buffer, write);
    }

    #[test]
    fn pieces_are_written_in_order_and_waited_for() {
        let (sender, sent) = channel();
        let (go, let_go) = channel();
        let mut writer = Writer::default();
        writer.wait().unwrap();
        give(&mut writer, "first", slow(sender, let_go));
        give(&mut writer, "second", |_| unreachable!("the first one's is used"));
        let goes = thread::spawn(move || {
            for _ in 0..50 {
                thread::sleep(std::time::Duration::from_millis(1));
                go.send(Ok(())).unwrap();
            }
        });
        for i in 3..=50 {
            give(&mut writer, &format!("{i}"), |_| unreachable!("the first one's is used"));
        }
        writer.wait().unwrap();
        goes.join().unwrap();
        let sent: Vec<String> = sent.try_iter().map(|piece| String::from_utf8(piece).unwrap()).collect();
        assert_eq!(sent[..2], ["first", "second"]);
        assert_eq!(sent[2..], (3..=50).map(|i| i.to_string()).collect::<Vec<String>>());
    }

    #[test]
    fn nothing_is_written_behind_a_piece_that_was_not() {
        let (sender, sent) = channel();
        let (go, let_go) = channel();
        let mut writer = Writer::default();
        give(&mut writer, "first", slow(sender, let_go));
        give(&mut writer, "second", |_| unreachable!("the first one's is used"));
        go.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
        assert_eq!(writer.wait().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        drop(go);
        assert!(writer.wait().is_err() && writer.buffer().is_err(), "it does not wait forever");
        assert_eq!(sent.recv().ok(), None, "its sender is gone, and nothing was sent");
    }
}

//! stdout: buffered, written in whole lines; notices when the reader goes away.

mod writer;

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, FromRawFd};
use std::sync::Arc;

use anyhow::Result;
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::exit::ReaderGone;
use writer::Writer;

/// A pipe's capacity is raised to this many bytes, so that reader and writer wait for each other less.
const PIPE_BYTES: i32 = 1 << 20;
/// Complete lines are written once they are this many bytes.
pub const WRITE_BYTES: usize = 1 << 20;
/// A buffer's capacity: a piece to write, and lines after it that must wait for their commit. Allocated at once: untouched
/// memory costs nothing, while growing in steps fragments the heap. A huge row may enlarge a buffer; it shrinks back to
/// this size afterwards.
const BUFFER_BYTES: usize = 4 << 20;

/// Lines on their way to stdout.
#[derive(Debug)]
pub struct Output {
    /// Lines. The caller may hold the last ones back until their transaction is committed.
    pub buffer: Vec<u8>,
    /// stdout itself, without the lock and the line buffer of `std::io::Stdout`.
    file: Arc<ManuallyDrop<File>>,
    writer: Writer,
    /// The first error of a write, and its errno. Nothing may be written after it.
    failed: Option<(ErrorKind, Option<i32>)>,
}

impl Output {
    pub fn stdout() -> Output {
        // SAFETY: the runtime makes sure that descriptor 1 is open, and it is never closed here: the file is not dropped.
        #[allow(unsafe_code)]
        let file = unsafe { File::from_raw_fd(1) };
        Output::to(ManuallyDrop::new(file))
    }

    /// Writes to a file instead, which is never closed.
    pub fn to(file: ManuallyDrop<File>) -> Output {
        // Fails if it is no pipe, or beyond the user's limit; then the capacity stays as it is.
        let _ = fcntl(&*file, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        Output { buffer, file: Arc::new(file), writer: Writer::default(), failed: None }
    }

    /// Removes the first `len` bytes from the buffer, and writes them on another thread.
    ///
    /// # Errors
    /// Those of [`Output::write`], and of earlier writes.
    pub fn hand_over(&mut self, len: usize) -> Result<()> {
        if self.buffer.capacity() > BUFFER_BYTES {
            // Held lines, or a huge row: a second buffer would take their memory twice.
            return self.write(len);
        }
        self.check()?;
        let next = self.writer.buffer();
        let mut next = self.result(next)?;
        next.clear();
        if next.capacity() < BUFFER_BYTES {
            next = Vec::with_capacity(BUFFER_BYTES);
        }
        next.extend_from_slice(&self.buffer[len..]);
        self.buffer.truncate(len);
        let file = self.file.clone();
        let piece = std::mem::replace(&mut self.buffer, next);
        self.writer.give(piece, move |bytes| (&**file).write_all(bytes));
        Ok(())
    }

    /// Removes the first `len` bytes from the buffer, and returns once they and all earlier ones are written.
    ///
    /// # Errors
    /// [`ReaderGone`] when stdout's reader went away.
    pub fn write(&mut self, len: usize) -> Result<()> {
        self.settle()?;
        if len == 0 {
            return Ok(());
        }
        let written = (&**self.file).write_all(&self.buffer[..len]);
        self.result(written)?;
        self.buffer.drain(..len);
        if self.buffer.len() <= BUFFER_BYTES && self.buffer.capacity() > BUFFER_BYTES {
            self.buffer.shrink_to(BUFFER_BYTES);
        }
        Ok(())
    }

    /// Waits until everything handed over is written. Call it before a message to stderr: if both go to one terminal or
    /// pipe, the message must not land inside a line.
    pub fn settle(&mut self) -> Result<()> {
        self.check()?;
        let written = self.writer.wait();
        self.result(written)
    }

    fn check(&self) -> Result<()> {
        match self.failed {
            None => Ok(()),
            Some((kind, number)) => Err(failure(number.map_or(kind.into(), io::Error::from_raw_os_error))),
        }
    }

    fn result<T>(&mut self, result: io::Result<T>) -> Result<T> {
        result.map_err(|error| {
            self.failed = Some((error.kind(), error.raw_os_error()));
            failure(error)
        })
    }

    /// Writes the whole buffer.
    pub fn flush(&mut self) -> Result<()> {
        self.write(self.buffer.len())
    }

    /// Checks whether the reader went away, while there is nothing to write.
    pub fn check_reader(&self) -> Result<()> {
        let mut fds = [PollFd::new(self.file.as_fd(), PollFlags::empty())];
        let gone = poll(&mut fds, PollTimeout::ZERO).is_ok()
            && fds[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR));
        if gone { Err(ReaderGone.into()) } else { Ok(()) }
    }
}

/// However the run ends, pieces handed over are written completely: no line is cut.
impl Drop for Output {
    fn drop(&mut self) {
        // The caller has flushed already, or has an error to report.
        let _ = self.settle();
    }
}

fn failure(error: io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::BrokenPipe => ReaderGone.into(),
        _ => anyhow::Error::new(error).context("cannot write to stdout"),
    }
}

//! stdout: one buffer, written in whole pieces, and a reader that may go away.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, FromRawFd};

use anyhow::{Context, Result};
use nix::fcntl::{FcntlArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::exit::ReaderGone;

/// A pipe's capacity is raised to this many bytes: the reader and dumpa wait for each other less.
const PIPE_BYTES: i32 = 1 << 20;
/// Complete lines are written once they are this many bytes.
pub const WRITE_BYTES: usize = 256 << 10;
/// Room for what is held back of a transaction, taken at once: memory that is never touched costs nothing, and a
/// buffer that grows leaves its old places behind. What one huge row takes beyond it is given back.
const KEEP_BYTES: usize = 12 << 20;

/// Lines on their way to stdout.
#[derive(Debug)]
pub struct Output {
    /// Lines, and at its end perhaps some that may not be written yet.
    pub buffer: Vec<u8>,
    /// stdout itself, without the lock and the line buffer of `std::io::Stdout`.
    file: ManuallyDrop<File>,
}

impl Output {
    pub fn stdout() -> Output {
        // SAFETY: descriptor 1 is open from the start of the process (the runtime sees to it) and
        // never closed by it: the file is not dropped.
        #[allow(unsafe_code)]
        let file = ManuallyDrop::new(unsafe { File::from_raw_fd(1) });
        // Refused where it is not a pipe, or beyond the user's limit: then it stays as it is.
        let _ = fcntl(&*file, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
        Output { buffer: Vec::with_capacity(KEEP_BYTES), file }
    }

    /// Writes the first `len` bytes of the buffer and takes them out of it.
    ///
    /// # Errors
    /// [`ReaderGone`] when nobody reads any more.
    pub fn write(&mut self, len: usize) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        match self.file.write_all(&self.buffer[..len]) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Err(ReaderGone.into()),
            Err(error) => return Err(error).context("cannot write to stdout"),
        }
        if len == self.buffer.len() {
            self.buffer.clear();
        } else {
            self.buffer.drain(..len);
        }
        if self.buffer.is_empty() && self.buffer.capacity() > KEEP_BYTES {
            self.buffer.shrink_to(KEEP_BYTES);
        }
        Ok(())
    }

    /// Writes the whole buffer.
    pub fn flush(&mut self) -> Result<()> {
        self.write(self.buffer.len())
    }

    /// Notices, while there is nothing to write, that the reader went away.
    pub fn check_reader(&self) -> Result<()> {
        let mut fds = [PollFd::new(self.file.as_fd(), PollFlags::empty())];
        let gone = poll(&mut fds, PollTimeout::ZERO).is_ok()
            && fds[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR));
        if gone { Err(ReaderGone.into()) } else { Ok(()) }
    }
}

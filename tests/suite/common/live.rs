//! The program while it runs.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{PATIENCE, Run, Tuple};

/// A running `dumpa`; killed when dropped. Both its streams are read all the time, so that it never waits for the test.
pub struct Live {
    child: Child,
    stdout: Stream,
    stderr: Stream,
    /// How much of stdout `next_line` has given out.
    taken: usize,
    /// Its folder stays for as long as it runs.
    _home: Arc<TempDir>,
}

impl Live {
    #[track_caller]
    pub(super) fn start(mut command: Command, home: Arc<TempDir>) -> Live {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("dumpa starts");
        let stdout = Stream::of(child.stdout.take().expect("stdout is piped"));
        let stderr = Stream::of(child.stderr.take().expect("stderr is piped"));
        Live { child, stdout, stderr, taken: 0, _home: home }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next whole line of stdout, without its end; `None` if it does not come in time, or stdout has ended.
    pub fn next_line(&mut self, timeout: Duration) -> Option<String> {
        let taken = self.taken;
        let line = self.stdout.wait_for(timeout, |bytes| {
            let rest = &bytes[taken..];
            rest.iter().position(|&byte| byte == b'\n').map(|end| rest[..end].to_vec())
        })?;
        self.taken += line.len() + 1;
        Some(String::from_utf8(line).expect("stdout is UTF-8"))
    }

    /// The next tuple, which must come.
    #[track_caller]
    pub fn next(&mut self) -> Tuple {
        match self.next_line(PATIENCE) {
            Some(line) => Tuple::parse(&line),
            None => panic!("no further line; stderr:\n{}", self.stderr()),
        }
    }

    /// The next so many tuples.
    #[track_caller]
    pub fn take(&mut self, count: usize) -> Vec<Tuple> {
        (0..count).map(|_| self.next()).collect()
    }

    /// All of stderr so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.so_far()).into_owned()
    }

    /// Waits until stderr holds this text.
    #[track_caller]
    pub fn wait_for_stderr(&self, text: &str) {
        let found = self
            .stderr
            .wait_for(PATIENCE, |bytes| String::from_utf8_lossy(bytes).contains(text).then_some(()));
        assert!(found.is_some(), "no {text:?} on stderr:\n{}", self.stderr());
    }

    /// Sends a signal, such as `libc::SIGTERM`.
    pub fn signal(&self, signal: libc::c_int) {
        let pid = libc::pid_t::try_from(self.pid()).expect("a pid fits");
        // SAFETY: a system call without pointers. The child has not been waited for, so the pid is still its own.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0, "the signal {signal} cannot be sent");
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_none()
    }

    /// Waits for its end; kills it and panics when that does not come in time. `stdout` is all that it printed, with
    /// the lines that were taken before.
    #[track_caller]
    pub fn wait(mut self, timeout: Duration) -> Run {
        let deadline = Instant::now() + timeout;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("it still runs after {timeout:?}; stderr:\n{}", self.stderr());
            }
            // The standard library cannot wait with a limit.
            thread::sleep(Duration::from_millis(2));
        };
        Run::new(status, self.stdout.all(), &self.stderr.all())
    }

    /// Signals it, then waits for its end.
    #[track_caller]
    pub fn end_by(self, signal: libc::c_int) -> Run {
        self.signal(signal);
        self.wait(PATIENCE)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Collects what comes out of a pipe, on a thread.
struct Stream {
    state: Arc<(Mutex<State>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    ended: bool,
}

impl Stream {
    fn of(mut pipe: impl Read + Send + 'static) -> Stream {
        let state = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let theirs = Arc::clone(&state);
        let reader = thread::spawn(move || {
            let (state, changed) = &*theirs;
            let mut buffer = [0; 64 * 1024];
            loop {
                let count = pipe.read(&mut buffer).expect("the pipe can be read");
                let mut state = state.lock().expect("nobody panics with the lock");
                state.bytes.extend_from_slice(&buffer[..count]);
                state.ended = count == 0;
                changed.notify_all();
                if state.ended {
                    break;
                }
            }
        });
        Stream { state, reader: Some(reader) }
    }

    /// Waits until `find` finds something in what has come; not after the stream's end or the timeout.
    fn wait_for<T>(&self, timeout: Duration, find: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + timeout;
        let (state, changed) = &*self.state;
        let mut state = state.lock().expect("nobody panics with the lock");
        loop {
            if let Some(found) = find(&state.bytes) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                return None;
            }
            state = changed.wait_timeout(state, left).expect("nobody panics with the lock").0;
        }
    }

    fn so_far(&self) -> Vec<u8> {
        self.state.0.lock().expect("nobody panics with the lock").bytes.clone()
    }

    /// Everything, when its writer has ended.
    fn all(&mut self) -> Vec<u8> {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends well");
        }
        std::mem::take(&mut self.state.0.lock().expect("nobody panics with the lock").bytes)
    }
}

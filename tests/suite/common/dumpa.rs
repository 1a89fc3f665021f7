//! The program under test.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;

use tempfile::TempDir;

use super::{Db, Live, PATIENCE, Server, Tuple};

/// A command line of `dumpa`, which can be run several times: in a folder of its own, that is also its home, and
/// untouched by the settings of whoever runs the tests.
pub struct Dumpa {
    args: Vec<OsString>,
    connection: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    home: Arc<TempDir>,
    ignores: Vec<libc::c_int>,
}

impl Dumpa {
    /// Connects as root, over TCP, to the database.
    pub fn new(server: &Server, db: &Db) -> Dumpa {
        let mut dumpa = Self::without_db(server);
        dumpa.connection.extend(["-D", &db.name].map(OsString::from));
        dumpa
    }

    /// Connects as root, over TCP, to no database.
    pub fn without_db(server: &Server) -> Dumpa {
        let mut dumpa = Self::bare();
        let port = server.port.to_string();
        dumpa.connection = ["-H", "127.0.0.1", "-P", &port, "-u", "root"].map(OsString::from).into();
        dumpa
    }

    /// Passes no options of its own.
    pub fn bare() -> Dumpa {
        let home = TempDir::with_prefix("dumpa-").expect("a temporary folder");
        Dumpa {
            args: Vec::new(),
            connection: Vec::new(),
            env: Vec::new(),
            home: Arc::new(home),
            ignores: Vec::new(),
        }
    }

    /// The same, with its folder in memory where there is such a place: hundreds of runs with `--save` would wait for
    /// the disk.
    pub fn bare_in_memory() -> Dumpa {
        match TempDir::with_prefix_in("dumpa-", "/dev/shm") {
            Ok(home) => Dumpa { home: Arc::new(home), ..Self::bare() },
            Err(_) => Self::bare(),
        }
    }

    /// Likewise of one that has arguments already.
    pub fn in_memory(self) -> Dumpa {
        Dumpa { home: Self::bare_in_memory().home, ..self }
    }

    /// Adds arguments; the first of all is the command.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Dumpa {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable. Otherwise it has none called `MYSQL_…` or `DUMPA_…`.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Dumpa {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts with a signal ignored, as by `nohup`.
    pub fn ignoring(mut self, signal: libc::c_int) -> Dumpa {
        self.ignores.push(signal);
        self
    }

    /// Runs in the folder (and home) of another, to find its files there.
    pub fn in_the_folder_of(mut self, other: &Dumpa) -> Dumpa {
        self.home = Arc::clone(&other.home);
        self
    }

    /// Its folder and home: where `--save pos.json` goes.
    pub fn dir(&self) -> &Path {
        self.home.path()
    }

    /// The path of a file in its folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// The command, without its three standard streams.
    pub fn command(&self) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("dumpa"));
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["MYSQL_", "DUMPA_", "XDG_", "RUST_"].iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        let (subcommand, rest) = self.args.split_at(self.args.len().min(1));
        // Right after the command, since the arguments may hold a `--`.
        command.args(subcommand).args(&self.connection).args(rest);
        command.env("HOME", self.dir()).current_dir(self.dir());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
            let disposition = if self.ignores.contains(&signal) { libc::SIG_IGN } else { libc::SIG_DFL };
            // SAFETY: a plain system call. Whoever runs the tests may ignore some.
            unsafe {
                command.pre_exec(move || {
                    libc::signal(signal, disposition);
                    Ok(())
                });
            }
        }
        command
    }

    /// Runs it to its end, which must come within [`PATIENCE`].
    #[track_caller]
    pub fn run(&self) -> Run {
        self.spawn().wait(PATIENCE)
    }

    /// Starts it. It runs as long as the value lives.
    #[track_caller]
    pub fn spawn(&self) -> Live {
        Live::start(self.command(), Arc::clone(&self.home))
    }
}

/// How a run ended, and all of its output.
#[derive(Debug)]
pub struct Run {
    pub status: ExitStatus,
    /// None when it was ended by a signal.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Run {
    pub(super) fn new(status: ExitStatus, stdout: Vec<u8>, stderr: &[u8]) -> Run {
        let stderr = String::from_utf8_lossy(stderr).into_owned();
        Run { status, code: status.code(), signal: status.signal(), stdout, stderr }
    }

    #[track_caller]
    pub fn expect_code(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "{}; stderr:\n{}", self.status, self.stderr);
        self
    }

    /// stdout, which is always UTF-8.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("stdout is UTF-8")
    }

    /// stdout as tuples. Panics if there is anything else.
    #[track_caller]
    pub fn lines(&self) -> Vec<Tuple> {
        let text = self.text();
        assert!(text.is_empty() || text.ends_with('\n'), "the last line has no end: {text:?}");
        text.split_terminator('\n').map(Tuple::parse).collect()
    }

    /// stdout as whole tuples but for a last line that was cut off by the end of the program.
    #[track_caller]
    pub fn whole_lines(&self) -> Vec<Tuple> {
        let end = self.stdout.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let text = std::str::from_utf8(&self.stdout[..end]).expect("stdout is UTF-8");
        text.split_terminator('\n').map(Tuple::parse).collect()
    }
}

//! A real server: one that all tests share, or a private one to be restarted, killed or set up otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use mysql::prelude::{FromRow, Queryable};
use mysql::{Conn, Opts, OptsBuilder};
use tempfile::TempDir;

use super::Dumpa;
use super::{Db, eventually};

/// Says which servers run already: `name=port:socket`, separated by spaces. `tests/run` sets it.
const SHARED: &str = "DUMPA_TEST_SERVERS";

#[derive(Debug)]
pub struct Server {
    /// As `tests/servers/install` calls it, such as `mysql-9.7`.
    pub name: String,
    pub port: u16,
    pub socket: PathBuf,
    /// Holds `data` and `error.log`.
    pub dir: PathBuf,
    pub pid: i32,
    /// The folder of a private server, which goes with it.
    own: Option<TempDir>,
    /// How long each sync of its log lasts.
    slow_sync: Duration,
}

impl Server {
    /// The server of this name that all tests share: leave its global settings alone.
    pub fn get(name: &str) -> Server {
        let shared = std::env::var(SHARED).unwrap_or_default();
        let Some((port, socket)) = shared
            .split_whitespace()
            .find_map(|entry| entry.strip_prefix(name)?.strip_prefix('=')?.split_once(':'))
        else {
            panic!("no {name} among the servers in {SHARED} ({shared:?}): run tests/run");
        };
        let socket = PathBuf::from(socket);
        let dir = socket.parent().expect("a socket lies in a folder").to_owned();
        // Where `tests/servers/start` keeps what it printed.
        let pid = fs::read_to_string(dir.join("server")).map_or(0, |said| number(&said, "pid"));
        let port = port.parse().expect("a port is a number");
        Server { name: name.to_owned(), port, socket, dir, pid, own: None, slow_sync: Duration::ZERO }
    }

    /// A fresh server for this test alone; it ends when the value is dropped. It costs up to a second.
    pub fn private(name: &str, flags: &[&str]) -> Server {
        Self::private_with_slow_log(name, flags, Duration::ZERO)
    }

    /// One whose disk takes so long for each sync of the binary log that `--sync-binlog` asks for.
    pub fn private_with_slow_log(name: &str, flags: &[&str], slow_sync: Duration) -> Server {
        let own = TempDir::with_prefix("dumpa-").expect("a temporary folder");
        let mut server = Server {
            name: name.to_owned(),
            port: 0,
            socket: PathBuf::new(),
            dir: own.path().canonicalize().expect("its real path"),
            pid: 0,
            own: Some(own),
            slow_sync,
        };
        server.start(flags);
        server
    }

    /// From a test's identifier: `mysql_9_7` is `mysql-9.7`.
    pub fn name_of(identifier: &str) -> String {
        identifier.replacen('_', "-", 1).replacen('_', ".", 1)
    }

    /// Ends the private server in order and starts it anew, with these flags alone, on the same data and port.
    pub fn restart(&mut self, flags: &[&str]) {
        self.stop();
        self.start(flags);
    }

    /// Ends the private server in order; `start` brings it back.
    pub fn stop(&mut self) {
        self.assert_private();
        let status = script("stop").arg(&self.dir).status().expect("tests/servers/stop runs");
        assert!(status.success(), "{} did not stop", self.name);
    }

    /// Ends the private server as a crash would (SIGKILL), and waits until it is gone; `start` brings it back.
    pub fn kill_hard(&mut self) {
        self.assert_private();
        if self.runs() {
            // SAFETY: a system call without pointers; `runs` has just checked whose pid it is.
            unsafe { libc::kill(self.pid, libc::SIGKILL) };
        }
        eventually("the server is gone", || (!self.runs()).then_some(()));
    }

    /// Starts the private server after `stop` or `kill_hard`, on the same data and port.
    pub fn start(&mut self, flags: &[&str]) {
        self.assert_private();
        let mut start = script("start");
        start.arg(&self.name).arg(&self.dir).args(flags).env_remove("PORT").stderr(Stdio::piped());
        if !self.slow_sync.is_zero() {
            start.env("SLOW_SYNC_MS", self.slow_sync.as_millis().to_string());
        }
        if self.port != 0 {
            start.env("PORT", self.port.to_string());
        }
        let output = start.output().expect("tests/servers/start runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} did not start:\n{stderr}", self.name);
        let said = String::from_utf8_lossy(&output.stdout);
        self.port = number(&said, "port");
        self.pid = number(&said, "pid");
        self.socket = self.dir.join("s");
    }

    /// Whether its process is there. A zombie is not: its command line is empty.
    pub fn runs(&self) -> bool {
        let command_line = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let data = format!("--datadir={}", self.dir.join("data").display());
        command_line.split(|&byte| byte == 0).any(|argument| argument == data.as_bytes())
    }

    pub fn is_mariadb(&self) -> bool {
        self.name.starts_with("mariadb")
    }

    pub fn is_mysql(&self) -> bool {
        !self.is_mariadb()
    }

    /// Major and minor: `(10, 11)`.
    pub fn version(&self) -> (u32, u32) {
        let (_, version) = self.name.split_once('-').expect("product-version");
        let (major, minor) = version.split_once('.').expect("major.minor");
        (major.parse().expect("a number"), minor.parse().expect("a number"))
    }

    /// How root connects over TCP; make other connections from it.
    pub fn opts(&self) -> OptsBuilder {
        OptsBuilder::from_opts(Opts::default())
            .ip_or_hostname(Some("127.0.0.1"))
            .tcp_port(self.port)
            .prefer_socket(false)
            .max_allowed_packet(Some(1 << 30))
            .user(Some("root"))
    }

    /// A connection of root's, without a database.
    #[track_caller]
    pub fn conn(&self) -> Conn {
        Conn::new(self.opts()).unwrap_or_else(|why| panic!("cannot connect to {}: {why}", self.name))
    }

    /// Runs a script on a fresh connection; see [`run_script`].
    #[track_caller]
    pub fn sql(&self, script: &str) {
        run_script(&mut self.conn(), script);
    }

    /// The first row of a query's result.
    #[track_caller]
    pub fn ask<T: FromRow>(&self, query: &str) -> T {
        let row = self.conn().query_first(query);
        row.unwrap_or_else(|why| panic!("{query}: {why}")).unwrap_or_else(|| panic!("no row: {query}"))
    }

    /// A database for this test alone, gone when the value is dropped. `hint` begins its name.
    #[track_caller]
    pub fn fresh_db(&self, hint: &str) -> Db<'_> {
        Db::new(self, hint)
    }

    fn assert_private(&self) {
        assert!(self.own.is_some(), "{} is shared: only a private server can be stopped", self.name);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its data goes with it, so there is nothing to end in order.
        if self.own.is_some() && self.pid != 0 {
            self.kill_hard();
        }
    }
}

/// Runs statements that end in a `;` at the end of a line. (Elsewhere, as in a trigger's body or a string, it is
/// the statement's own.)
#[track_caller]
pub fn run_script(conn: &mut Conn, script: &str) {
    for statement in statements(script) {
        if let Err(why) = conn.query_drop(statement) {
            panic!("{why}, for the statement\n{statement}");
        }
    }
}

fn statements(script: &str) -> impl Iterator<Item = &str> {
    let script = script.trim_end();
    let script = script.strip_suffix(';').unwrap_or(script);
    script.split(";\n").map(str::trim).filter(|statement| !statement.is_empty())
}

fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(name))
}

/// The value of a line `key=number`.
fn number<T: std::str::FromStr>(lines: &str, key: &str) -> T {
    lines
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('=')?.parse().ok())
        .unwrap_or_else(|| panic!("no number for {key} in {lines:?}"))
}

#[test]
fn a_script_is_split_where_a_line_ends() {
    let script = "insert into t values ('a;b');\n  begin; end;\n;\nselect 1";
    let split: Vec<_> = statements(script).collect();
    assert_eq!(split, ["insert into t values ('a;b')", "begin; end", "select 1"]);
}

/// Where the server's log ends, as `--from` takes it.
pub fn place(server: &Server) -> String {
    let run = Dumpa::without_db(server).args(["position"]).run().expect_code(0);
    let position: serde_json::Value = serde_json::from_str(run.text()).expect("JSON");
    format!("{}:{}", position["file"].as_str().expect("a name"), position["position"])
}

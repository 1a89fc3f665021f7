//! How many instructions a row costs, counted by callgrind: the same on a busy machine as on an idle one, so that a
//! change which makes dumpa slower is seen before anybody waits for it.
//!
//! Two runs that differ only in their rows are counted, and their difference is held against what is recorded here.
//! Whoever makes it faster, or slower for a good reason, records the new figure: `DUMPA_RENEW=1 tests/run instructions
//! --nocapture` prints them all. It builds dumpa with --release.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::common::*;

/// A change may cost so much more, or gain so much, without a word: in percent.
const TOLERANCE: i64 = 6;

/// The figures, of an optimised build: instructions for a row of ten columns (see tests/bench/data.sql) ...
const ROW_OF_A_STATEMENT: i64 = 2_940;
/// ... with all the events of a transaction of its own ...
const TRANSACTION_OF_ONE_ROW: i64 = 11_780;
/// ... and by `load`, where the server's answer is read by the `mysql` crate.
const ROW_OF_LOAD: i64 = 4_970;

#[test]
#[ignore = "needs a server: run tests/run"]
fn rows_cost_what_they_are_known_to_cost() {
    let dumpa = optimised();
    let server = Server::private("mysql-9.7", &["--binlog-row-metadata=FULL"]);
    mysql(&server, include_str!("../bench/data.sql"));
    let socket = server.socket.to_str().unwrap();

    let tail = |call: &str| {
        let log = log_of(&server, call);
        count(&dumpa, &["tail", "-D", "bench", "--binlog", log.to_str().unwrap()])
    };
    let one = tail("call fill('wide', 1)");
    let two = tail("call fill('wide_again', 2)");
    check("a row of a statement", (two - one) / 50_000, ROW_OF_A_STATEMENT);

    let one = tail("call drip(1000)");
    let two = tail("truncate table small; call drip(3000)");
    check("a transaction of one row", (two - one) / 2_000, TRANSACTION_OF_ONE_ROW);

    let load = |table| count(&dumpa, &["load", "-S", socket, "-u", "root", "-D", "bench", table]);
    let (one, two) = (load("wide"), load("wide_again"));
    check("a row of load", (two - one) / 50_000, ROW_OF_LOAD);
}

fn check(what: &str, is: i64, known: i64) {
    println!("{what}: {is} instructions, {known} recorded");
    if std::env::var_os("DUMPA_RENEW").is_some() {
        return;
    }
    let allowed = known * TOLERANCE / 100;
    assert!(
        is <= known + allowed,
        "{what} costs {is} instructions, {known} are recorded in {}: what has made it slower?",
        file!()
    );
    assert!(
        is >= known - allowed,
        "{what} costs {is} instructions, {known} are recorded: faster, so record that in {}",
        file!()
    );
}

/// dumpa as it is released.
fn optimised() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--bin", "dumpa"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.expect("cargo runs").success(), "dumpa does not build with --release");
    // Beside `target/debug/dumpa`.
    let debug = PathBuf::from(env!("CARGO_BIN_EXE_dumpa"));
    debug.parent().and_then(|folder| folder.parent()).unwrap().join("release/dumpa")
}

/// Runs a script as the client does, which knows DELIMITER.
fn mysql(server: &Server, script: &str) {
    let file = server.dir.join("script.sql");
    std::fs::write(&file, script).unwrap();
    let status = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/bin"))
        .arg("mysql")
        .arg(format!("--socket={}", server.socket.display()))
        .arg("--user=root")
        .stdin(std::fs::File::open(&file).unwrap())
        .status();
    assert!(status.unwrap().success());
}

/// Runs statements of the benchmark's database with a file of the log for them alone.
fn log_of(server: &Server, statements: &str) -> PathBuf {
    let mut conn = server.conn();
    conn.query_drop("use bench").unwrap();
    conn.query_drop("flush binary logs").unwrap();
    let status: mysql::Row = conn.query_first("show binary log status").unwrap().unwrap();
    for statement in statements.split(';') {
        conn.query_drop(statement).unwrap();
    }
    conn.query_drop("flush binary logs").unwrap();
    server.dir.join("data").join(status.get::<String, _>(0).unwrap())
}

/// Instructions of a whole run, of all its threads.
fn count(dumpa: &PathBuf, args: &[&str]) -> i64 {
    let folder = tempfile::TempDir::with_prefix("dumpa-").unwrap();
    let counts = folder.path().join("counts");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(dumpa)
        .args(args)
        .env("HOME", folder.path())
        .stdout(Stdio::null())
        .output()
        .expect("valgrind, which this test counts instructions with: apt-get install valgrind");
    assert!(run.status.success(), "{args:?}: {}", String::from_utf8_lossy(&run.stderr));
    let counts = std::fs::read_to_string(counts).unwrap();
    let total = counts.lines().find_map(|line| line.strip_prefix("totals: "));
    total.and_then(|total| total.trim().parse().ok()).expect("callgrind's total")
}

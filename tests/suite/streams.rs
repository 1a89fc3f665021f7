//! stdout and stderr: what cannot be written, from the start or later, and what memory a huge row takes on its way.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use crate::common::*;

fn full() -> File {
    File::options().write(true).open("/dev/full").expect("it opens")
}

/// A pipe that nobody reads.
fn broken() -> std::io::PipeWriter {
    std::io::pipe().expect("a pipe").1
}

/// Runs it with a stdout that is closed.
fn without_stdout(mut command: Command) -> Output {
    // SAFETY: only a system call between fork and exec. The standard library has no name for a closed stream.
    unsafe {
        command.pre_exec(|| {
            libc::close(1);
            Ok(())
        });
    }
    command.stdin(Stdio::null()).stdout(Stdio::inherit()).stderr(Stdio::piped()).output().expect("it runs")
}

/// All ways to print something, without a server.
const WITHOUT_SERVER: [&[&str]; 5] =
    [&["--help"], &["-h"], &["--version"], &["load", "--help"], &["tail", "--version"]];

#[test]
fn help_that_cannot_be_written_is_an_error() {
    for args in WITHOUT_SERVER {
        let dumpa = Dumpa::bare().args(args);
        let output = dumpa.command().stdin(Stdio::null()).stdout(full()).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("cannot write to stdout: No space left"), "{args:?}: {said}");
        let output = dumpa.command().stdout(broken()).output().expect("it runs");
        assert_eq!(
            (output.status.code(), output.stderr.len()),
            (Some(0), 0),
            "{args:?}: a reader that went away"
        );
    }
}

#[test]
fn a_closed_stdout_is_an_error() {
    for args in WITHOUT_SERVER.iter().copied().chain([
        &["load", "-D", "d"][..],
        &["position"],
        &["validate-pos", "now"],
    ]) {
        let dumpa = Dumpa::bare().args(args);
        let output = without_stdout(dumpa.command());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{args:?}: {said}");
        assert!(said.contains("stdout is closed"), "{args:?}: {said}");
        // One that can only be read is no better.
        let read_only = File::open("/dev/null").expect("it opens");
        let output = dumpa.command().stdout(read_only).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{args:?}");
    }
}

on_servers!([mysql_8_0, mariadb_11_4] fn nothing_is_saved_of_rows_that_went_nowhere(server) {
    let db = server.fresh_db("streams");
    db.sql("create table t (id int primary key) engine=innodb");
    let start = place(server);
    db.sql("insert into t values (1)");
    for args in [&["load"][..], &["tail", "--from", &start, "--until", "now"], &["position"]] {
        let dumpa = Dumpa::new(server, &db).args(args).args(["--save", "pos.json"]);
        let output = without_stdout(dumpa.command());
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!dumpa.file("pos.json").exists(), "{args:?}");
        // Thrown away on purpose, as a shell does it and as Python does.
        for null in [File::create("/dev/null"), File::options().read(true).write(true).open("/dev/null")] {
            let mut command = dumpa.command();
            let status = command.stdin(Stdio::null()).stdout(null.expect("it opens")).output().expect("it runs").status;
            assert_eq!(status.code(), Some(0), "{args:?}");
        }
        assert!(dumpa.file("pos.json").exists(), "{args:?}");
    }
});

on_servers!([mysql_8_0, mariadb_11_4] fn messages_that_cannot_be_written_do_not_end_the_run(server) {
    let db = server.fresh_db("streams");
    // A table without a key is worth a warning.
    db.sql("create table t (n int) engine=innodb;\ninsert into t values (1)");
    let load = Dumpa::new(server, &db).args(["load", "--progress", "always", "--save", "pos.json"]);
    let from = Dumpa::new(server, &db).args(["position", "--save", "pos.json"]);
    from.run().expect_code(0);
    db.sql("insert into t values (2)");
    let tail = Dumpa::new(server, &db).args(["tail", "--from", "pos.json", "--until", "now", "--save", "pos.json"]);
    let tail = tail.in_the_folder_of(&from);
    let missing = Dumpa::new(server, &db).args(["load", "nowhere"]);
    for (dumpa, code, lines) in [
        (&load, 0, 2),
        (&tail, 0, 1),
        (&missing, 1, 0),
        (&Dumpa::bare().args(["--nonsense"]), 2, 0),
        (&Dumpa::bare(), 2, 0),
    ] {
        let at = std::fs::read(from.file("pos.json")).expect("a position");
        for stderr in [Stdio::from(full()), Stdio::from(broken())] {
            std::fs::write(from.file("pos.json"), &at).expect("a position");
            let output = dumpa.command().stdin(Stdio::null()).stderr(stderr).output().expect("it runs");
            assert_eq!(output.status.code(), Some(code));
            assert_eq!(output.stdout.split_inclusive(|b| *b == b'\n').count(), lines);
        }
    }
    assert!(load.file("pos.json").exists());
});

on_servers!([mysql_8_0, mysql_9_7] fn a_huge_value_is_not_copied_needlessly(server) {
    let db = server.fresh_db("huge");
    db.sql("create table t (id int primary key, v longblob) engine=innodb");
    let mut live = Dumpa::new(server, &db).args(["tail", "--from", "now"]).spawn();
    db.sql("insert into t values (1, 'x')");
    while live.next_line(std::time::Duration::from_millis(100)).is_none() {
        db.sql("insert into t select max(id) + 1, 'x' from t");
    }
    db.sql("insert into t values (1000, repeat('x', 32 * 1024 * 1024))");
    let line = live.next_line(PATIENCE).expect("a line");
    let line = if line.len() < 1 << 20 { live.next_line(PATIENCE).expect("a line") } else { line };
    assert!(line.starts_with("[\"upsert\",\"t\",1000,{\"id\":1000,\"v\":\"eHh4"), "{:.100}", line);
    let status = std::fs::read_to_string(format!("/proc/{}/status", live.pid())).expect("its status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    let peak_kb: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    // What the crate reads into, the batch, and the line in base64: 3.8 times. With the line twice it was 5.6 times, with the
    // crate's packet kept 4.9 times.
    assert!(peak_kb < 9 * (32 << 10) / 2, "{peak_kb} kB");
});

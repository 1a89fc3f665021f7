//! Real log files, made by real servers and kept, read without a server and compared with the lines that
//! they are known to hold.
//!
//! `DUMPA_RENEW=1 tests/run fixtures` makes the files anew from the SQL beside them, and their lines; read
//! the difference before it is committed. MySQL 5.6 and 5.7 log no names of columns: their files are read with
//! the server at hand, where the SQL has been run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::*;

/// Whether the server can log the names of columns.
fn has_names(server: &str) -> bool {
    !matches!(server, "mysql-5.6" | "mysql-5.7")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A file of SQL, and what its head says.
struct Case {
    name: String,
    sql: String,
}

impl Case {
    fn all() -> Vec<Case> {
        let mut cases: Vec<Case> = fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "sql"))
            .map(|path| Case {
                name: path.file_stem().unwrap().to_str().unwrap().to_string(),
                sql: fs::read_to_string(&path).unwrap(),
            })
            .collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        cases
    }

    fn head(&self, key: &str) -> Option<&str> {
        self.sql.lines().find_map(|line| line.strip_prefix("-- ")?.strip_prefix(key)?.strip_prefix(": "))
    }

    fn is_of(&self, server: &str) -> bool {
        self.head("servers").unwrap().split(' ').any(|s| s == server)
    }

    fn flags(&self, server: &str) -> Vec<&str> {
        let key = if server.starts_with("mysql") { "mysql flags" } else { "mariadb flags" };
        let mut flags: Vec<&str> = self.head(key).map(|f| f.split(' ').collect()).unwrap_or_default();
        if has_names(server) {
            flags.push("--binlog-row-metadata=FULL");
        }
        flags
    }

    fn exit(&self) -> i32 {
        self.head("exit").map_or(0, |code| code.parse().unwrap())
    }

    fn statements(&self) -> String {
        self.sql.lines().filter(|line| !line.starts_with("--")).map(|line| format!("{line}\n")).collect()
    }

    fn path(&self, server: &str, extension: &str) -> PathBuf {
        folder().join(server).join(format!("{}.{extension}", self.name))
    }
}

/// The lines of a file, and what its end says if it is an error.
fn read(case: &Case, server: &str, with: &[&str]) -> String {
    let file = case.path(server, "bin");
    let run = Dumpa::bare()
        .args(["tail", "-D", "fixture", "--binlog", file.to_str().unwrap()])
        .args(with)
        .run()
        .expect_code(case.exit());
    let mut text = run.text().to_string();
    if case.exit() != 0 {
        text.push_str(&run.stderr);
    }
    text
}

fn compare(case: &Case, server: &str, lines: &str) {
    let golden = case.path(server, "ndjson");
    if std::env::var_os("DUMPA_RENEW").is_some() {
        fs::write(&golden, lines).unwrap();
        return;
    }
    let wanted = fs::read_to_string(&golden).unwrap();
    for (i, (is, should)) in lines.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(is, should, "line {} of {server}/{}", i + 1, case.name);
    }
    assert_eq!(lines.lines().count(), wanted.lines().count(), "lines of {server}/{}", case.name);
}

#[test]
fn log_files_hold_the_lines_they_are_known_to_hold() {
    let mut seen = 0;
    for case in Case::all() {
        for server in ALL_SERVERS.into_iter().filter(|server| has_names(server) && case.is_of(server)) {
            compare(&case, server, &read(&case, server, &[]));
            seen += 1;
        }
    }
    assert!(seen > 30, "only {seen} files were there");
}

#[test]
fn a_file_cut_anywhere_is_an_error_after_its_last_whole_transaction() {
    let case = Case::all().into_iter().find(|case| case.name == "shop").unwrap();
    let whole = fs::read(case.path("mysql-9.7", "bin")).unwrap();
    let lines = fs::read_to_string(case.path("mysql-9.7", "ndjson")).unwrap();
    let dumpa = Dumpa::bare();
    let path = dumpa.file("bin.000001");
    let ends: Vec<u64> = lines
        .lines()
        .map(Tuple::parse)
        .filter_map(|tuple| {
            let metadata = &tuple.metadata;
            metadata.get("next_row").is_none().then(|| metadata["next_position"].as_u64().unwrap())
        })
        .collect();
    for cut in (200..whole.len()).step_by(97) {
        fs::write(&path, &whole[..cut]).unwrap();
        let run = Dumpa::bare().args(["tail", "-D", "fixture", "--binlog", path.to_str().unwrap()]).run();
        let text = run.text().replace("bin.000001", "shop.bin");
        assert!(lines.starts_with(&text), "cut at {cut}");
        let complete = ends.iter().filter(|end| **end <= cut as u64).count();
        let got = text.lines().map(Tuple::parse).filter(|t| t.metadata.get("next_row").is_none()).count();
        assert_eq!(got, complete, "whole transactions before the cut at {cut}");
        let at_boundary = run.code == Some(0);
        assert!(at_boundary || run.code == Some(4), "cut at {cut}: {:?}", run.code);
        assert!(at_boundary || run.stderr.contains("cut short"), "cut at {cut}: {}", run.stderr);
    }
}

#[test]
fn a_damaged_byte_is_never_passed_over() {
    let case = Case::all().into_iter().find(|case| case.name == "shop").unwrap();
    let whole = fs::read(case.path("mariadb-11.8", "bin")).unwrap();
    let lines = fs::read_to_string(case.path("mariadb-11.8", "ndjson")).unwrap();
    let dumpa = Dumpa::bare();
    let path = dumpa.file("bin.000001");
    let tail = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Dumpa::bare().args(["tail", "-D", "fixture", "--binlog", path.to_str().unwrap()]).run()
    };
    let mut by_checksum = 0;
    for at in (4..whole.len()).step_by(41) {
        let event = event_at(&whole, at);
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        let run = tail(&damaged);
        assert_eq!(run.code, Some(4), "byte {at}: {}", run.stderr);
        assert!(lines.starts_with(&run.text().replace("bin.000001", "shop.bin")), "byte {at}");
        // A type or a length may say more than the checksum does; nothing else is believed before it is right.
        if ![4, 9, 10, 11, 12].contains(&(at - event.start)) && event.start > 4 {
            assert!(run.stderr.contains("its checksum is wrong"), "byte {at}: {}", run.stderr);
            by_checksum += 1;
        }
        // With a correct checksum, damage may stay unnoticed; but dumpa must not crash.
        let body = event.end - 4;
        if at < body {
            let sum = crc32fast::hash(&damaged[event.start..body]).to_le_bytes();
            damaged[body..event.end].copy_from_slice(&sum);
            let run = tail(&damaged);
            assert!(
                matches!(run.code, Some(0 | 3 | 4)) && !run.stderr.contains("panicked"),
                "byte {at}, with its checksum: {:?}, {}",
                run.code,
                run.stderr
            );
        }
    }
    assert!(by_checksum > 50, "only {by_checksum}");
}

/// The event that a byte of a log file belongs to.
fn event_at(file: &[u8], at: usize) -> std::ops::Range<usize> {
    let mut start = 4;
    loop {
        let end = start + u32::from_le_bytes(file[start + 9..start + 13].try_into().unwrap()) as usize;
        if at < end {
            return start..end;
        }
        start = end;
    }
}

#[test]
fn rows_of_no_column_that_nobody_wants_are_no_reason_to_stay() {
    let case = Case::all().into_iter().find(|case| case.name == "unchecked").unwrap();
    let mut file = fs::read(case.path("mysql-9.7", "bin")).unwrap();
    let mut at = 4;
    // Type 30 is an insert; its columns stand behind header, table id, flags, extra data and their number.
    while file[at + 4] != 30 {
        at += u32::from_le_bytes(file[at + 9..at + 13].try_into().unwrap()) as usize;
    }
    let extra = usize::from(file[at + 27]);
    file[at + 27 + extra + 1] = 0;
    let dumpa = Dumpa::bare();
    let path = dumpa.file("bin.000001");
    fs::write(&path, &file).unwrap();
    let run = Dumpa::bare().args(["tail", "fixture.other", "--binlog", path.to_str().unwrap()]).run();
    let run = run.expect_code(4);
    assert!(run.stderr.contains("a row without bytes"), "{}", run.stderr);
}

#[test]
fn what_is_no_log_file_is_told_in_words() {
    let dumpa = Dumpa::bare();
    let path = dumpa.file("x.bin");
    for (bytes, code, says) in [
        (&b"\xfdbin and more"[..], 4, "encrypted"),
        (&b"hello world"[..], 4, "not a binary log"),
        (&b""[..], 4, "not a binary log"),
    ] {
        fs::write(&path, bytes).unwrap();
        let run = Dumpa::bare()
            .args(["tail", "-D", "d", "--binlog", path.to_str().unwrap()])
            .run()
            .expect_code(code);
        assert!(run.stderr.contains(says), "{}", run.stderr);
        assert!(run.stdout.is_empty());
    }
    let run = Dumpa::bare().args(["tail", "-D", "d", "--binlog", "no-such-file"]).run().expect_code(1);
    assert!(run.stderr.contains("no-such-file"), "{}", run.stderr);
}

on_servers!([mysql_5_6, mysql_5_7] fn files_without_names_are_read_with_their_server(shared) {
    for case in Case::all().into_iter().filter(|case| case.is_of(shared.name.as_str())) {
        let server = Server::private(&shared.name, &case.flags(&shared.name));
        server.sql(&case.statements());
        let port = server.port.to_string();
        let with = ["-H", "127.0.0.1", "-P", &port, "-u", "root"];
        if std::env::var_os("DUMPA_RENEW").is_some() {
            keep(&case, &server);
        }
        compare(&case, &shared.name, &read(&case, &shared.name, &with));
    }
});

on_servers!([mysql_8_0, mysql_9_7, mariadb_10_11, mariadb_11_4, mariadb_11_8] fn renew(shared) {
    if std::env::var_os("DUMPA_RENEW").is_none() {
        return;
    }
    for case in Case::all().into_iter().filter(|case| case.is_of(shared.name.as_str())) {
        let server = Server::private(&shared.name, &case.flags(&shared.name));
        server.sql(&case.statements());
        keep(&case, &server);
        compare(&case, &shared.name, &read(&case, &shared.name, &[]));
    }
});

fn keep(case: &Case, server: &Server) {
    fs::create_dir_all(folder().join(&server.name)).unwrap();
    fs::copy(Path::new(&server.dir).join("data/bin.000001"), case.path(&server.name, "bin")).unwrap();
}

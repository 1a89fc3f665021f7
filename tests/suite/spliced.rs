//! Log files that no server writes as they are: real ones whose events are taken out, repeated or changed.

use std::fs;
use std::ops::Range;

use crate::common::*;

/// The events of a file.
#[derive(Clone)]
struct File(Vec<Vec<u8>>);

impl File {
    fn of_fixture(server: &str, name: &str) -> File {
        let path = format!("{}/tests/fixtures/{server}/{name}.bin", env!("CARGO_MANIFEST_DIR"));
        let bytes = fs::read(path).unwrap();
        let mut rest = &bytes[4..];
        let mut events = Vec::new();
        while !rest.is_empty() {
            let len = u32::from_le_bytes(rest[9..13].try_into().unwrap()) as usize;
            let (event, after) = rest.split_at(len);
            events.push(event.to_vec());
            rest = after;
        }
        File(events)
    }

    /// The group, from its GTID on, that ends in the first event that holds this text.
    fn group(&self, text: &str) -> Range<usize> {
        let end = self.0.iter().position(|event| event.windows(text.len()).any(|w| w == text.as_bytes()));
        let end = end.unwrap_or_else(|| panic!("no {text}"));
        let start = self.0[..=end].iter().rposition(|event| [33, 34, 162].contains(&event[4]));
        start.expect("a GTID event")..end + 1
    }

    fn first(&self, kinds: &[u8]) -> usize {
        self.0.iter().position(|event| kinds.contains(&event[4])).expect("an event of that type")
    }

    fn insert(&mut self, at: usize, events: Vec<Vec<u8>>) {
        self.0.splice(at..at, events);
    }

    fn offset(&self, event: usize) -> usize {
        4 + self.0[..event].iter().map(Vec::len).sum::<usize>()
    }

    /// Tails the file, which goes by the name `x.bin`.
    fn tail(&self, args: &[&str]) -> Run {
        let dumpa = Dumpa::bare();
        let bytes: Vec<u8> = b"\xfebin".iter().chain(self.0.iter().flatten()).copied().collect();
        fs::write(dumpa.file("x.bin"), bytes).unwrap();
        dumpa.args(["tail", "-D", "fixture"]).args(args).args(["--binlog", "x.bin"]).run()
    }

    fn ids(&self, args: &[&str]) -> Vec<String> {
        self.tail(args).expect_code(0).lines().into_iter().map(|line| line.id_text).collect()
    }
}

/// Changes a text in an event that ends in a checksum.
fn changed(event: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = event.windows(from.len()).position(|window| window == from.as_bytes()).expect("the text");
    let mut event = event.to_vec();
    event[at..at + to.len()].copy_from_slice(to.as_bytes());
    let body = event.len() - 4;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&event[..body]);
    event[body..].copy_from_slice(&hasher.finalize().to_le_bytes());
    event
}

const XA_SERVERS: [&str; 3] = ["mysql-9.7", "mariadb-10.11", "mariadb-11.8"];

#[test]
fn an_xa_commit_said_twice_prints_its_rows_once() {
    for server in XA_SERVERS {
        let file = File::of_fixture(server, "xa");
        assert_eq!(file.ids(&[]), ["1", "2", "4", "5"], "{server}");
        let commit = file.group("XA COMMIT X'6f6e65'");
        let again = file.0[commit.clone()].to_vec();
        // At once, and after everything else.
        for at in [commit.end, file.0.len() - 1] {
            let mut twice = file.clone();
            twice.insert(at, again.clone());
            assert_eq!(twice.ids(&[]), ["1", "2", "4", "5"], "{server} at {at}");
            // A run that begins between the two.
            let from = format!("x.bin:{}", twice.offset(commit.end));
            assert_eq!(twice.ids(&["--from", &from]), ["4", "5"], "{server} at {at}");
        }
        // Its xid may be used again, for other rows.
        let prepare = file.first(&[38]);
        let begin = file.0[..prepare].iter().rposition(|event| [33, 34, 162].contains(&event[4]));
        let whole = begin.expect("a GTID event")..prepare + 1;
        let mut reused = file.clone();
        reused.insert(file.0.len() - 1, [&file.0[whole], &again].concat());
        assert_eq!(reused.ids(&[]), ["1", "2", "4", "5", "1", "2"], "{server}");
    }
}

#[test]
fn an_xa_commit_after_a_rollback_is_refused() {
    for server in XA_SERVERS {
        let mut file = File::of_fixture(server, "xa");
        let mut commit = file.0[file.group("XA ROLLBACK X'74776f'")].to_vec();
        let last = commit.len() - 1;
        commit[last] = changed(&commit[last], "XA ROLLBACK X", "XA COMMIT   X");
        file.insert(file.0.len() - 1, commit);
        let run = file.tail(&[]).expect_code(4);
        assert_eq!(run.lines().len(), 4, "{server}");
        assert!(run.stderr.contains("rolled back before"), "{}", run.stderr);
    }
}

#[test]
fn a_log_that_begins_in_the_middle_is_no_fault_of_a_position() {
    for server in ["mysql-9.7", "mariadb-10.11", "mariadb-11.8"] {
        let whole = File::of_fixture(server, "shop");
        // The first rows of a wanted table, without what begins their transaction.
        let table_map = whole.first(&[19]);
        let group = whole.0[..table_map].iter().rposition(|event| [33, 34, 162].contains(&event[4]));
        let begin = group.expect("a GTID event");
        let mut cut = whole.clone();
        cut.0.drain(1..table_map);
        for args in [&[][..], &["--from", "earliest"]] {
            let run = cut.tail(args).expect_code(4);
            assert!(
                run.stdout.is_empty() && run.stderr.contains("whose beginning is not in the log"),
                "{}",
                run.stderr
            );
            assert!(run.stderr.contains("x.bin:") && !run.stderr.contains("resume from"), "{}", run.stderr);
        }
        // A position that was given may be wrong.
        let inside = format!("x.bin:{}", whole.offset(table_map));
        let run = whole.tail(&["--from", &inside]).expect_code(3);
        assert!(run.stderr.contains("resume from a position that dumpa printed"), "{}", run.stderr);
        // One that proved right cannot be.
        let from = format!("x.bin:{}", whole.offset(begin));
        let xid = table_map + whole.0[table_map..].iter().position(|event| event[4] == 16).expect("a commit");
        let next = xid + whole.0[xid..].iter().position(|event| event[4] == 19).expect("more rows");
        let mut gap = whole.clone();
        gap.0.drain(xid + 1..next);
        let run = gap.tail(&["--from", &from]).expect_code(4);
        assert!(
            !run.lines().is_empty() && run.stderr.contains("whose beginning is not in the log"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn logs_of_old_are_named() {
    // Headers were 13 bytes long in version 1, and version 3 has those of today.
    let start = |header_len: usize, version: u16| {
        let mut event = vec![0; header_len + 56];
        event[4] = 1;
        let size = u32::try_from(event.len()).unwrap();
        event[9..13].copy_from_slice(&size.to_le_bytes());
        event[header_len..header_len + 2].copy_from_slice(&version.to_le_bytes());
        File(vec![event])
    };
    for (file, says) in
        [(start(13, 1), "version 1 (MySQL 3.23)"), (start(19, 3), "version 3 (MySQL 4.0 and 4.1)")]
    {
        let run = file.tail(&[]).expect_code(4);
        assert!(run.stdout.is_empty() && run.stderr.contains(says), "{}", run.stderr);
        assert!(run.stderr.contains("x.bin") && run.stderr.contains("MySQL 5.0 and later"), "{}", run.stderr);
    }
    // Rows of the time before MySQL 5.1 was released. (A file without checksums.)
    let mut file = File::of_fixture("mysql-9.7", "unchecked");
    let rows = file.first(&[30]);
    for kind in 20..=22 {
        file.0[rows][4] = kind;
        let run = file.tail(&["fixture.*"]).expect_code(4);
        assert!(run.stderr.contains("in the form of MySQL 5.1.0 to 5.1.15"), "{}", run.stderr);
    }
}

//! Log files that no server writes as they are: real ones whose events are taken out, repeated or changed.

use std::fs;
use std::io::Write;
use std::ops::Range;
use std::process::Stdio;

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
        assert!(run.stderr.contains("although the log rolled it back before"), "{}", run.stderr);
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
        // A position that proved to be right cannot be.
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
        assert!(run.stderr.contains("before its release (5.1.0 to 5.1.15)"), "{}", run.stderr);
    }
}

impl File {
    fn bytes(&self) -> Vec<u8> {
        b"\xfebin".iter().chain(self.0.iter().flatten()).copied().collect()
    }
}

/// An event of this type and body, with a checksum.
fn event(kind: u8, flags: u16, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(19 + body.len() + 4).unwrap();
    let mut event = vec![0; 4];
    event.push(kind);
    event.extend_from_slice(&1u32.to_le_bytes());
    event.extend_from_slice(&size.to_le_bytes());
    event.extend_from_slice(&0u32.to_le_bytes());
    event.extend_from_slice(&flags.to_le_bytes());
    event.extend_from_slice(body);
    event.extend_from_slice(&crc32fast::hash(&event).to_le_bytes());
    event
}

/// A payload event that holds these bytes as they are.
fn payload(inside: &[u8], checksum: bool) -> Vec<u8> {
    // Compression (2): none (255); the end of the fields (0).
    let body = [&[2, 3, 0xfc, 255, 0, 0][..], inside].concat();
    let mut event = event(40, 0, &body);
    if !checksum {
        event.truncate(event.len() - 4);
        let size = u32::try_from(event.len()).unwrap();
        event[9..13].copy_from_slice(&size.to_le_bytes());
    }
    event
}

#[test]
fn a_payload_inside_of_payloads_is_refused_however_deep_it_is() {
    let mut file = File::of_fixture("mysql-9.7", "shop");
    let commit = file.first(&[16]);
    let mut nested = Vec::new();
    for _ in 0..3000 {
        nested = payload(&nested, false);
    }
    file.insert(commit + 1, vec![payload(&nested, true)]);
    let run = file.tail(&[]).expect_code(4);
    assert!(run.stderr.contains("a compressed event inside of a compressed one"), "{}", run.stderr);
    let place = format!("x.bin:{}", file.offset(commit + 1));
    assert!(run.stderr.contains(&place), "{}", run.stderr);
}

#[test]
fn an_event_of_type_zero_is_an_event() {
    for server in ["mysql-9.7", "mariadb-11.8"] {
        let whole = File::of_fixture(server, "shop");
        for (i, event) in whole.0.iter().enumerate().skip(1) {
            let mut damaged = whole.clone();
            damaged.0[i][4] = 0;
            let run = damaged.tail(&[]).expect_code(4);
            assert!(run.stderr.contains("its checksum is wrong"), "event {i}: {}", run.stderr);
            // With a checksum that is right, it is one that nobody knows.
            let body = event.len() - 4;
            let sum = crc32fast::hash(&damaged.0[i][..body]).to_le_bytes();
            damaged.0[i][body..].copy_from_slice(&sum);
            damaged.0[i][17] &= !0x80;
            let sum = crc32fast::hash(&damaged.0[i][..body]).to_le_bytes();
            damaged.0[i][body..].copy_from_slice(&sum);
            let run = damaged.tail(&[]).expect_code(4);
            assert!(run.stderr.contains("has type 0, which dumpa"), "event {i}: {}", run.stderr);
        }
    }
}

#[test]
fn an_incident_in_an_older_file_does_not_hide_a_prepared_transaction() {
    for server in XA_SERVERS {
        let whole = File::of_fixture(server, "xa");
        let commit = whole.group("XA COMMIT X'6f6e65'");
        let mut old = whole.clone();
        old.0.truncate(commit.start);
        // Number 1 (lost events), and no message.
        old.insert(1, vec![event(26, 0, &[1, 0, 0])]);
        let mut new = whole.clone();
        new.0.drain(1..commit.start);
        let dumpa = Dumpa::bare();
        fs::write(dumpa.file("b.bin"), old.bytes()).unwrap();
        fs::write(dumpa.file("a.bin"), new.bytes()).unwrap();
        let run =
            dumpa.args(["tail", "-D", "fixture", "--binlog", "b.bin", "a.bin", "--from", "a.bin:4"]).run();
        let ids: Vec<String> = run.expect_code(0).lines().into_iter().map(|line| line.id_text).collect();
        assert_eq!(ids, ["1", "2", "4", "5"], "{server}");
    }
}

/// A relay log goes on to its next file inside a group.
#[test]
fn a_prepared_transaction_that_spans_files_is_found() {
    for server in XA_SERVERS {
        let whole = File::of_fixture(server, "xa");
        let commit = whole.group("XA COMMIT X'6f6e65'");
        let prepare = whole.first(&[38]);
        let start = whole.0[..prepare].iter().rposition(|event| [33, 34, 162].contains(&event[4])).unwrap();
        // As in a relay log: no server start.
        let mut format = whole.0[0].clone();
        format[17] |= 0x40;
        let body = format.len() - 4;
        let checksum = crc32fast::hash(&format[..body]).to_le_bytes();
        format[body..].copy_from_slice(&checksum);
        let next = |events: &[Vec<u8>]| File([&[format.clone()][..], events].concat());
        for (cut, other_cut) in (start + 1..=prepare).flat_map(|cut| [(cut, cut), (cut, prepare)]) {
            let files =
                [File(whole.0[..cut].to_vec()), next(&whole.0[cut..other_cut]), next(&whole.0[other_cut..])];
            let home = Dumpa::bare();
            for (file, name) in files.iter().zip(["c.bin", "b.bin", "a.bin"]) {
                fs::write(home.file(name), file.bytes()).unwrap();
            }
            for resumed in [prepare + 1, commit.start] {
                let from = format!("a.bin:{}", files[2].offset(resumed - other_cut + 1));
                let tail = |names: &[&str]| {
                    let tail = Dumpa::bare().args(["tail", "-D", "fixture", "--from", &from, "--binlog"]);
                    tail.args(names).in_the_folder_of(&home).run()
                };
                let run = tail(&["c.bin", "b.bin", "a.bin"]).expect_code(0);
                let ids: Vec<String> = run.lines().into_iter().map(|line| line.id_text).collect();
                assert_eq!(ids, ["1", "2", "4", "5"], "{server}, cut at {cut} and {other_cut}");
                // Without its beginning: XA START will do, too.
                if cut > start + 1 {
                    let run = tail(&["b.bin", "a.bin"]).expect_code(4);
                    assert!(run.stderr.contains("the log file with its rows is gone"), "{}", run.stderr);
                }
            }
        }
    }
}

#[test]
fn until_goes_by_the_order_in_which_files_are_given() {
    let file = File::of_fixture("mysql-9.7", "shop");
    let whole: Vec<String> = file.tail(&[]).expect_code(0).lines().into_iter().map(|t| t.raw).collect();
    let named = |name: &str| whole.iter().map(|l| l.replace("x.bin", name)).collect::<Vec<_>>();
    let dumpa = Dumpa::bare();
    for name in ["z.bin", "b.999999", "a.bin"] {
        fs::write(dumpa.file(name), file.bytes()).unwrap();
    }
    let tail = |args: &[&str]| {
        let run = Dumpa::bare().in_the_folder_of(&dumpa).args(["tail", "-D", "fixture"]).args(args);
        run.args(["--binlog", "z.bin", "b.999999", "a.bin"]).run()
    };
    for (i, line) in named("b.999999").iter().enumerate() {
        fs::write(dumpa.file("line.json"), line).unwrap();
        let run = tail(&["--until", "line.json"]).expect_code(0);
        let lines: Vec<String> = run.lines().into_iter().map(|t| t.raw).collect();
        assert_eq!(lines.len(), whole.len() + i + 1);
        let expected = [&named("z.bin")[..], &named("b.999999")[..=i]].concat();
        assert_eq!(lines[..lines.len() - 1], expected[..expected.len() - 1]);
        let rest: Vec<String> =
            tail(&["--from", "line.json"]).expect_code(0).lines().into_iter().map(|t| t.raw).collect();
        assert_eq!(rest, [&named("b.999999")[i + 1..], &named("a.bin")].concat(), "from line {i}");
    }
    let run = tail(&["--from", "a.bin:4", "--until", "z.bin:4"]).expect_code(3);
    assert!(run.stderr.contains("a.bin:4 is beyond z.bin:4"), "{}", run.stderr);
    let run = tail(&["--until", "c.bin:4"]).expect_code(3);
    assert!(run.stderr.contains("c.bin is not among the log's files"), "{}", run.stderr);
}

#[test]
fn two_files_of_one_name_are_refused() {
    let file = File::of_fixture("mysql-9.7", "shop");
    let dumpa = Dumpa::bare();
    fs::create_dir(dumpa.file("other")).unwrap();
    fs::write(dumpa.file("x.bin"), file.bytes()).unwrap();
    fs::write(dumpa.file("other/x.bin"), file.bytes()).unwrap();
    let run = dumpa.args(["tail", "-D", "fixture", "--binlog", "x.bin", "other/x.bin"]).run().expect_code(2);
    assert!(run.stderr.contains("x.bin and other/x.bin are both called x.bin"), "{}", run.stderr);
}

#[test]
fn a_place_at_a_file_s_end_is_saved_as_it_is() {
    for server in ["mysql-9.7", "mariadb-11.8"] {
        let file = File::of_fixture(server, "shop");
        let dumpa = Dumpa::bare();
        fs::write(dumpa.file("x.bin"), file.bytes()).unwrap();
        let end = file.bytes().len();
        let saved = || -> serde_json::Value {
            serde_json::from_str(&fs::read_to_string(dumpa.file("s.json")).unwrap()).unwrap()
        };
        let tail = |from: &str| {
            let run = Dumpa::bare().in_the_folder_of(&dumpa).args(["tail", "-D", "fixture", "--from", from]);
            run.args(["--binlog", "x.bin", "--save", "s.json"]).run().expect_code(0)
        };
        assert!(tail(&format!("x.bin:{end}")).stdout.is_empty());
        assert_eq!(saved()["position"], end, "{server}");
        // Again from what was saved, and from the middle.
        assert!(tail("s.json").stdout.is_empty());
        assert_eq!(saved()["position"], end, "{server}");
        let lines = file.tail(&[]).expect_code(0).lines();
        fs::write(dumpa.file("line.json"), &lines[lines.len() / 2].raw).unwrap();
        assert_eq!(tail("line.json").lines().len(), lines.len() - lines.len() / 2 - 1);
        assert_eq!(saved()["position"], end, "{server}");
    }
}

#[test]
fn rows_that_a_transaction_does_not_have_are_not_done() {
    let file = File::of_fixture("mysql-9.7", "shop");
    let begin = file.group("BEGIN").start;
    let dumpa = Dumpa::bare();
    let position = format!(r#"{{"file":"x.bin","position":{},"row":1000}}"#, file.offset(begin));
    fs::write(dumpa.file("p.json"), position).unwrap();
    fs::write(dumpa.file("x.bin"), file.bytes()).unwrap();
    let run =
        dumpa.args(["tail", "-D", "fixture", "--binlog", "x.bin", "--from", "p.json"]).run().expect_code(3);
    assert!(run.stdout.is_empty() && run.stderr.contains("says that 1000 rows are done"), "{}", run.stderr);
}

#[test]
fn a_signal_is_heard_while_a_prepared_transaction_is_looked_for() {
    for server in XA_SERVERS {
        let whole = File::of_fixture(server, "xa");
        let commit = whole.group("XA COMMIT X'6f6e65'");
        let mut old = whole.clone();
        old.0.truncate(commit.start);
        let mut new = whole.clone();
        new.0.drain(1..commit.start);
        let dumpa = Dumpa::bare_in_memory();
        // The rows are at the beginning of a file that takes a while to go through.
        let shop = File::of_fixture(server, "shop");
        let end = shop.first(&[16]);
        let start = shop.0[..end].iter().rposition(|event| [33, 34, 162].contains(&event[4])).unwrap();
        let group: Vec<u8> = shop.0[start..=end].iter().flatten().copied().collect();
        let mut bytes = old.bytes();
        bytes.extend(group.repeat((300 << 20) / group.len()));
        fs::write(dumpa.file("a.bin"), bytes).unwrap();
        fs::write(dumpa.file("b.bin"), new.bytes()).unwrap();
        let tail =
            ["tail", "-D", "fixture", "--binlog", "a.bin", "b.bin", "--from", "b.bin:4", "--save", "s.json"];
        let dumpa = dumpa.args(tail);
        let live = dumpa.spawn();
        std::thread::sleep(std::time::Duration::from_millis(300));
        let run = live.end_by(libc::SIGTERM);
        assert!(run.stdout.is_empty(), "{server}: the search was over before the signal came");
        let saved: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(dumpa.file("s.json")).expect("it saved")).unwrap();
        assert_eq!(saved["position"], new.offset(1), "{server}");
    }
}

#[test]
fn files_that_end_before_the_place_to_end_at_are_said_to() {
    let file = File::of_fixture("mysql-9.7", "shop");
    let whole = file.tail(&[]).expect_code(0);
    for until in ["x.bin:9999999", "x.bin:4294967296"] {
        let run = file.tail(&["--until", until]).expect_code(3);
        assert_eq!(run.stdout, whole.stdout, "what there is, is printed");
        assert!(run.stderr.contains(&format!("before {until}")), "{}", run.stderr);
    }
    let end = format!("x.bin:{}", file.bytes().len());
    assert_eq!(file.tail(&["--until", &end]).expect_code(0).stdout, whole.stdout);
}

#[test]
fn many_prepared_transactions_are_read_again_from_files() {
    for server in XA_SERVERS {
        // Each XA transaction is read again from the middle of a file of several MiB.
        let whole = File::of_fixture(server, "xa");
        let shop = File::of_fixture(server, "shop");
        let (xid, start) = (shop.first(&[16]), shop.first(&[19]));
        let start = shop.0[..start].iter().rposition(|event| [33, 34, 162].contains(&event[4])).unwrap();
        let filler: Vec<Vec<u8>> = shop.0[start..=xid].to_vec();
        let one = whole.0[1..].to_vec();
        let mut long = whole.clone();
        for _ in 0..20 {
            for _ in 0..300 {
                long.0.extend(filler.clone());
            }
            long.0.extend(one.clone());
        }
        let lines = long.tail(&["t"]).expect_code(0).lines().len();
        assert_eq!(lines, 21 * whole.tail(&["t"]).expect_code(0).lines().len(), "{server}");
    }
}

/// Tails two files: one by its path, and one from a pipe, which is standard input or has a path.
fn piped(
    home: &Dumpa,
    from: &str,
    file: &[u8],
    pipe: &File,
    by_path: bool,
) -> (Option<i32>, Vec<String>, String) {
    fs::write(home.file("x.bin"), file).unwrap();
    let name = if by_path { "pipe" } else { "-" };
    let files = if file.is_empty() { vec![name] } else { vec!["x.bin", name] };
    let tail = Dumpa::bare().args(["tail", "-D", "fixture", from, "--binlog"]).args(files);
    let mut command = tail.in_the_folder_of(home).command();
    let stdin = if by_path { Stdio::null() } else { Stdio::piped() };
    let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (bytes, fifo, stdin) = (pipe.bytes(), home.file("pipe"), child.stdin.take());
    std::thread::spawn(move || {
        // A run that ends early closes the pipe.
        let _ = match stdin {
            Some(mut stdin) => stdin.write_all(&bytes),
            None => fs::File::options().write(true).open(fifo).and_then(|mut fifo| fifo.write_all(&bytes)),
        };
    });
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let ids = text.lines().map(|line| Tuple::parse(line).id_text).collect();
    (output.status.code(), ids, String::from_utf8(output.stderr).unwrap())
}

/// A statement of no transaction.
fn statement(text: &str) -> Vec<u8> {
    event(2, 0, &[&[0; 8][..], &[7, 0, 0, 0, 0], b"fixture\0", text.as_bytes()].concat())
}

#[test]
fn a_pipe_is_not_opened_a_second_time() {
    for (server, by_path) in XA_SERVERS.into_iter().flat_map(|server| [(server, false), (server, true)]) {
        let whole = File::of_fixture(server, "xa");
        let commit = whole.group("XA COMMIT X'6f6e65'");
        let prepare = whole.first(&[38]);
        let home = Dumpa::bare();
        let path = std::ffi::CString::new(home.file("pipe").to_str().unwrap()).unwrap();
        // SAFETY: a plain system call.
        assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
        // Its rows would have to be read again.
        let (code, ids, stderr) = piped(&home, "--from=earliest", &[], &whole, by_path);
        assert_eq!((code, ids.len()), (Some(3), 0), "{server}: {stderr}");
        assert!(stderr.contains("cannot be read from the middle, or twice: give files"), "{stderr}");
        // They are in the file before it, so the pipe need not be read again; and it was read already.
        let mut old = whole.clone();
        old.0.truncate(commit.start);
        let from = format!("--from=x.bin:{}", old.offset(prepare + 1));
        let new = File([&whole.0[..1], &whole.0[commit.clone()]].concat());
        let (code, ids, stderr) = piped(&home, &from, &old.bytes(), &new, by_path);
        assert_eq!((code, ids.join(" ").as_str()), (Some(0), "1 2"), "{server}: {stderr}");
        // What the run saw in the pipe counts, too.
        let again = new.0[1..=commit.len()].to_vec();
        let mut twice = new.clone();
        twice.insert(1 + commit.len(), again);
        let (code, ids, stderr) = piped(&home, &from, &old.bytes(), &twice, by_path);
        assert_eq!((code, ids.join(" ").as_str()), (Some(0), "1 2"), "{server}, twice: {stderr}");
        let table = whole.tail(&[]).lines().remove(0).table;
        let mut emptied = new.clone();
        emptied.insert(1, vec![statement(&format!("TRUNCATE {table}"))]);
        let (code, ids, stderr) = piped(&home, &from, &old.bytes(), &emptied, by_path);
        assert_eq!((code, ids.len()), (Some(4), 1), "{server}, emptied: {stderr}");
        assert!(stderr.contains("was emptied at"), "{stderr}");
    }
}

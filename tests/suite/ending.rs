//! Every way to end: by a signal, a kill, a reader that goes away; and what is saved by then.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use crate::common::*;

const SECOND: Duration = Duration::from_secs(1);

/// A tail that saves `pos.json` in the folder of `home`.
fn tail(server: &Server, db: &Db, from: &str, home: &Dumpa) -> Dumpa {
    Dumpa::new(server, db).args(["tail", "--from", from, "--save", "pos.json"]).in_the_folder_of(home)
}

/// The lines from a place to the log's end as of when this test had written everything.
#[track_caller]
fn rest(server: &Server, db: &Db, from: &str, home: &Dumpa) -> Vec<String> {
    let end = fs::read_to_string(home.file("end")).unwrap_or("now".into());
    let tail = Dumpa::new(server, db).args(["tail", "--from", from, "--until", &end]);
    raw(tail.in_the_folder_of(home).run().expect_code(0).lines())
}

fn raw(tuples: Vec<Tuple>) -> Vec<String> {
    tuples.into_iter().map(|tuple| tuple.raw).collect()
}

/// The saved position and the last line are both places from which the rest follows; the saved one may be behind.
#[track_caller]
fn both_places_are_good(server: &Server, db: &Db, all: &[String], printed: &[String], home: &Dumpa) {
    assert!(all.starts_with(printed), "what came is the beginning");
    let from_saved = rest(server, db, "pos.json", home);
    assert!(all.ends_with(&from_saved), "the saved position is a place of the log");
    assert!(from_saved.len() + printed.len() >= all.len(), "the saved position is not past what was printed");
    if let Some(last) = printed.last() {
        fs::write(home.file("last.json"), last).expect("a file");
        assert_eq!(rest(server, db, "last.json", home), all[printed.len()..]);
    }
}

/// 12 MiB in one transaction, or in many.
fn much(db: &Db, transactions: u32) {
    db.sql("create table much (id int auto_increment primary key, t mediumtext) engine=innodb");
    let mut conn = db.conn();
    conn.query_drop("begin").expect("it begins");
    for i in 0..12 {
        if transactions > 1 {
            conn.query_drop("commit").expect("it commits");
        }
        let rows = vec!["(repeat('x', 65536))"; 16].join(", ");
        conn.query_drop(format!("insert into much (t) values {rows}"))
            .unwrap_or_else(|why| panic!("{i}: {why}"));
    }
    conn.query_drop("commit").expect("it commits");
}

on_servers!([mysql_8_0] fn a_signal_that_was_ignored_stays_ignored(server) {
    let db = server.fresh_db("ending");
    db.sql("create table t (id int primary key) engine=innodb");
    let home = Dumpa::bare();
    let mut live = tail(server, &db, &place(server), &home).ignoring(libc::SIGHUP).spawn();
    for id in [1, 2] {
        db.sql(&format!("insert into t values ({id})"));
        live.next();
        live.signal(libc::SIGHUP);
    }
    let run = live.end_by(libc::SIGTERM);
    assert_eq!((run.signal, run.lines().len()), (Some(libc::SIGTERM), 2), "{}", run.stderr);
});

/// Where the last event of a log file begins that commits a transaction.
fn last_commit(log: &[u8]) -> usize {
    const XID: u8 = 16;
    let (mut at, mut found) = (4, None);
    while let Some(header) = log.get(at..at + 19) {
        if header[4] == XID {
            found = Some(at);
        }
        at += u32::from_le_bytes(header[9..13].try_into().expect("four bytes")) as usize;
    }
    found.expect("a commit")
}

on_servers!([mysql_8_0, mariadb_11_4] fn the_last_line_of_a_transaction_waits_for_the_commit(shared) {
    let server = Server::private(&shared.name, &["--binlog-row-metadata=FULL"]);
    let db = server.fresh_db("ending");
    much(&db, 1);
    server.sql("flush logs");
    let log = fs::read(server.dir.join("data/bin.000001")).expect("a log");
    let dumpa = Dumpa::bare();
    let tail = |from: &str| {
        let args = ["tail", "-D", &db.name, "--binlog", "bin.000001", "--from", from];
        Dumpa::bare().args(args).in_the_folder_of(&dumpa).run()
    };
    fs::write(dumpa.file("bin.000001"), &log).expect("a file");
    let all = raw(tail("earliest").expect_code(0).lines());
    assert_eq!(all.len(), 192);
    fs::write(dumpa.file("bin.000001"), &log[..last_commit(&log)]).expect("a file");
    let cut = raw(tail("earliest").expect_code(4).lines());
    assert!(cut == all[..191], "{} lines, and the last is {:?}", cut.len(), cut.last().map(|line| &line[line.len() - 200..]));
    fs::write(dumpa.file("bin.000001"), &log).expect("a file");
    fs::write(dumpa.file("last"), &cut[190]).expect("a file");
    assert!(raw(tail("last").expect_code(0).lines()) == all[191..], "the rest follows");
});

on_each_server! {
    fn a_signal_ends_an_idle_tail_and_saves(server) {
        let db = server.fresh_db("ending");
        db.sql("create table t (id int primary key) engine=innodb");
        let home = Dumpa::bare();
        let start = place(server);
        for (id, signal) in [(1, libc::SIGINT), (2, libc::SIGTERM), (3, libc::SIGHUP)] {
            let mut live = tail(server, &db, &start, &home).spawn();
            db.sql(&format!("insert into t values ({id})"));
            live.take(id);
            let begun = Instant::now();
            let run = live.end_by(signal);
            assert!(begun.elapsed() < SECOND, "it took {:?}", begun.elapsed());
            assert_eq!((run.signal, run.stderr.as_str()), (Some(signal), ""));
            assert_eq!(run.lines().len(), id);
            assert_eq!(rest(server, &db, "pos.json", &home), Vec::<String>::new(), "all is saved");
        }
        let files = fs::read_dir(home.dir()).expect("a folder").map(|f| f.expect("a file").file_name());
        let files: std::collections::BTreeSet<_> = files.collect();
        assert!(files.iter().eq(["pos.json", "pos.json.schema"]), "no other file is left: {files:?}");
    }

    fn a_signal_in_the_middle_of_a_large_transaction(server) {
        let db = server.fresh_db("ending");
        let home = Dumpa::bare();
        let start = place(server);
        much(&db, 1);
        fs::write(home.file("end"), place(server)).expect("a file");
        let all = rest(server, &db, &start, &home);
        assert_eq!(all.len(), 192);
        // Before its first line, and among them.
        for lines in [0, 60] {
            let mut live = tail(server, &db, &start, &home).spawn();
            live.take(lines);
            let begun = Instant::now();
            let run = live.end_by(libc::SIGTERM);
            assert!(begun.elapsed() < SECOND, "it took {:?}", begun.elapsed());
            assert_eq!(run.signal, Some(libc::SIGTERM), "{}", run.stderr);
            if home.file("pos.json").exists() {
                both_places_are_good(server, &db, &all, &raw(run.whole_lines()), &home);
            }
        }
    }

    fn killed_anywhere_nothing_is_lost(server) {
        let db = server.fresh_db("ending");
        let home = Dumpa::bare();
        let start = place(server);
        much(&db, 12);
        fs::write(home.file("end"), place(server)).expect("a file");
        let all = rest(server, &db, &start, &home);
        let mut printed: Vec<String> = Vec::new();
        let mut from = start;
        for lines in [1, 7, 16, 100, 33] {
            let mut live = tail(server, &db, &from, &home).spawn();
            live.take(lines.min(all.len() - printed.len()));
            printed.extend(raw(live.end_by(libc::SIGKILL).whole_lines()));
            fs::write(home.file("last.json"), printed.last().expect("a line")).expect("a file");
            from = "last.json".to_string();
        }
        printed.extend(rest(server, &db, &from, &home));
        assert!(printed == all, "{} lines came, {} are there", printed.len(), all.len());
    }

    fn a_reader_that_does_not_read_is_no_reason_to_stay(server) {
        let db = server.fresh_db("ending");
        let home = Dumpa::bare();
        let start = place(server);
        much(&db, 12);
        fs::write(home.file("end"), place(server)).expect("a file");
        let all = rest(server, &db, &start, &home);
        let (mut child, mut stdout) = unread(&tail(server, &db, &start, &home));
        // It fills the pipe; later it reads a little, so that there is something to save.
        eventually("the pipe is full", || is_stuck(&stdout).then_some(()));
        let mut printed = vec![0; 3 << 20];
        stdout.read_exact(&mut printed).expect("it goes on");
        std::thread::sleep(SECOND);
        eventually("the pipe is full again", || is_stuck(&stdout).then_some(()));
        let begun = Instant::now();
        // SAFETY: a system call without pointers, to a child that was not waited for.
        unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
        let status = child.wait().expect("it ends");
        assert!(begun.elapsed() < SECOND + SECOND / 2, "it took {:?}", begun.elapsed());
        assert_eq!(status.signal(), Some(libc::SIGTERM));
        stdout.read_to_end(&mut printed).expect("what it wrote");
        let text = String::from_utf8(printed).expect("UTF-8");
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let printed: Vec<String> = whole.lines().map(String::from).collect();
        if home.file("pos.json").exists() {
            both_places_are_good(server, &db, &all, &printed, &home);
        }
    }

    fn a_reader_that_goes_away_is_the_end(server) {
        let db = server.fresh_db("ending");
        let home = Dumpa::bare();
        let start = place(server);
        much(&db, 12);
        let load = Dumpa::new(server, &db).args(["load", "--quiet"]);
        for (what, dumpa) in [("load", load), ("tail", tail(server, &db, &start, &home))] {
            first_line_only(&dumpa, what);
        }
        // Idle: it has printed all, and has nothing more to say.
        db.sql("create table t (id int primary key)");
        let idle = tail(server, &db, &place(server), &home);
        let (child, stdout) = unread(&idle);
        db.sql("insert into t values (1)");
        end_of_reading(child, stdout, "an idle tail");
    }

    fn messages_do_not_tear_lines_where_both_go_to_one_pipe(server) {
        let db = server.fresh_db("ending");
        let home = Dumpa::bare();
        let start = place(server);
        db.sql("create table much (id int auto_increment primary key, t mediumtext) engine=innodb");
        let rows = vec!["(repeat('x', 65536))"; 16].join(", ");
        for i in 0..12 {
            // Each of the tables without a key is worth a warning.
            db.sql(&format!("insert into much (t) values {rows};
                create table keyless_{i} (n int) engine=innodb;
                insert into keyless_{i} values ({i})"));
        }
        let (mut merged, stdout) = std::io::pipe().expect("a pipe");
        let stderr = stdout.try_clone().expect("a second end");
        let mut command = tail(server, &db, &start, &home).args(["--until", "now"]).command();
        let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().expect("it starts");
        drop(command);
        let (mut all, mut some) = (Vec::new(), vec![0; 100_000]);
        loop {
            // So slowly that something is always on its way.
            std::thread::sleep(Duration::from_millis(5));
            match merged.read(&mut some).expect("it can be read") {
                0 => break,
                n => all.extend_from_slice(&some[..n]),
            }
        }
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
        let all = String::from_utf8(all).expect("UTF-8");
        let (mut tuples, mut warnings) = (0, 0);
        for line in all.lines() {
            let shown: String = line.chars().take(100).collect();
            if line.starts_with("dumpa: warning: keyless_") {
                warnings += 1;
            } else {
                serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|why| panic!("{why}: {shown}"));
                tuples += 1;
            }
        }
        assert_eq!((tuples, warnings), (12 * 17, 12));
    }

    fn a_full_disk_is_told_and_nothing_is_saved(server) {
        let db = server.fresh_db("ending");
        let home = Dumpa::bare();
        db.sql("create table little (id int primary key) engine=innodb; insert into little values (1)");
        let start = place(server);
        // Pieces that a thread writes, and one that is written at the end.
        much(&db, 12);
        db.sql("insert into little values (2)");
        let tail = |table| tail(server, &db, &start, &home).args(["--until", "now", table]);
        let load = |table| {
            let load = Dumpa::new(server, &db).args(["load", "--quiet", "--save", "pos.json", table]);
            load.in_the_folder_of(&home)
        };
        let all = rest(server, &db, &start, &home);
        let of_table = |lines: Vec<String>, table: &str| -> Vec<String> {
            lines.into_iter().filter(|line| line.contains(&format!("\"{table}\""))).collect()
        };
        for (dumpa, table) in
            [(load("much"), ""), (load("little"), ""), (tail("much"), "much"), (tail("little"), "little")]
        {
            let full = fs::File::options().write(true).open("/dev/full").expect("it opens");
            let output = dumpa.command().stdin(Stdio::null()).stdout(full).output().expect("it runs");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("cannot write to stdout: No space left"), "{said}");
            assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
            // A tail may have skipped events that it did not have to print.
            if !table.is_empty() && home.file("pos.json").exists() {
                let again = of_table(rest(server, &db, "pos.json", &home), table);
                assert_eq!(again.len(), of_table(all.clone(), table).len());
                fs::remove_file(home.file("pos.json")).expect("it was there");
            }
            assert!(!home.file("pos.json").exists());
        }
    }

    fn what_is_saved_is_whole_at_every_moment(server) {
        let db = server.fresh_db("ending");
        db.sql("create table t (id int auto_increment primary key) engine=innodb");
        let home = Dumpa::bare();
        let mut live = tail(server, &db, &place(server), &home).spawn();
        let mut conn = db.conn();
        let (mut seen, begun) = (std::collections::BTreeSet::new(), Instant::now());
        let mut inserted = 0;
        while begun.elapsed() < 3 * SECOND {
            inserted += 1;
            conn.query_drop("insert into t values ()").expect("an insert");
            if let Ok(text) = fs::read_to_string(home.file("pos.json")) {
                let position: serde_json::Value = serde_json::from_str(&text).expect("a whole position");
                seen.insert(position["position"].as_u64().expect("a number"));
            }
        }
        assert!((2..=4).contains(&seen.len()), "saved once a second: {seen:?}");
        live.take(inserted);
        live.end_by(libc::SIGINT);
        assert!(rest(server, &db, "pos.json", &home).is_empty());
    }

    fn a_row_is_there_soon_after_its_commit(server) {
        let db = server.fresh_db("latency");
        db.sql("create table t (id int auto_increment primary key) engine=innodb");
        let home = Dumpa::bare();
        let mut live = tail(server, &db, &place(server), &home).spawn();
        let mut conn = db.conn();
        conn.query_drop("insert into t values ()").expect("an insert");
        live.next();
        let mut times: Vec<Duration> = (0..20)
            .map(|_| {
                conn.query_drop("insert into t values ()").expect("an insert");
                let committed = Instant::now();
                live.next();
                committed.elapsed()
            })
            .collect();
        times.sort();
        println!("{}: from commit to stdout, median {:?}, at most {:?}", server.name, times[10], times[19]);
        assert!(times[10] < Duration::from_millis(50), "{times:?}");
    }
}

/// Starts it with a stdout that nobody reads yet.
fn unread(dumpa: &Dumpa) -> (Child, ChildStdout) {
    let mut command = dumpa.command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let stdout = child.stdout.take().expect("it is piped");
    (child, stdout)
}

/// Whether the pipe holds much and gets no more: how much fits depends on the pieces that it came in.
fn is_stuck(pipe: &ChildStdout) -> bool {
    let held = || {
        let mut held: libc::c_int = 0;
        // SAFETY: FIONREAD on an open descriptor writes one int.
        assert_eq!(unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &mut held) }, 0);
        held
    };
    let before = held();
    std::thread::sleep(Duration::from_millis(50));
    before > 256 << 10 && held() == before
}

#[track_caller]
fn first_line_only(dumpa: &Dumpa, what: &str) {
    let (child, stdout) = unread(dumpa);
    end_of_reading(child, stdout, what);
}

/// Reads one line, closes the pipe, and expects the silent end.
#[track_caller]
fn end_of_reading(mut child: Child, stdout: ChildStdout, what: &str) {
    let mut reader = BufReader::with_capacity(100, stdout);
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).expect("a line");
    assert!(!line.is_empty(), "{what} printed nothing");
    drop(reader);
    let status = eventually("it ends", || child.try_wait().expect("it can be waited for"));
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("stderr");
    assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{what}");
}

#[test]
fn where_nothing_can_be_saved_it_says_so_before_it_connects() {
    let dumpa = Dumpa::bare();
    fs::write(dumpa.file("plain"), "x").expect("a file");
    fs::create_dir(dumpa.file("folder")).expect("a folder");
    for bad in ["missing/pos.json", "plain/pos.json", "folder", "/dev/null", "..", ""] {
        for command in ["load", "position", "tail"] {
            let mut args = vec![command, "-H", "127.0.0.1", "-P", "1", "-D", "d", "--save", bad];
            if command == "tail" {
                args.extend(["--from", "now"]);
            }
            let run = Dumpa::bare().args(&args).in_the_folder_of(&dumpa).run();
            assert_eq!(run.code, Some(2), "{bad}: {}", run.stderr);
            assert!(run.stdout.is_empty() && run.stderr.contains("--save"), "{bad}: {}", run.stderr);
        }
    }
    assert_eq!(fs::read_dir(dumpa.dir()).expect("a folder").count(), 2, "nothing is left behind");
}

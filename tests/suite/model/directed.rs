//! Cases that random transactions hit too seldom: large ones, which are printed before their commit, and statements
//! instead of rows.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::log::Log;
use super::script::{Script, Step};
use super::{Round, server, settle};
use crate::common::*;
use crate::property::random::Random;

/// Stops of each kind: a run prints megabytes.
const EACH: usize = 3;
const BIG: &str = "create table big (id int primary key, t mediumtext) engine=innodb";

/// Statements, each with its connection before it.
fn script(text: &str) -> Script {
    let step = |line: &str| {
        let (conn, sql) = line.trim().split_once(": ").expect("a connection and a statement");
        Step { conn: conn.parse().expect("a number"), sql: sql.trim_end_matches(';').into() }
    };
    Script {
        steps: text.lines().filter(|line| !line.trim().is_empty()).map(step).collect(),
        loads: Vec::new(),
    }
}

/// Rows of more than is held back, between small ones; some of them change their id.
fn large(server: &Server, begin: &str, end: &str) -> String {
    // Eight megabytes, or one where the log says beforehand that all of it is committed.
    let len = if server.is_mysql() && server.version() >= (5, 7) { 60_000 } else { 290_000 };
    let rows: Vec<String> = (1..=32).map(|id| format!("({id}, repeat('x', {len}))")).collect();
    format!(
        "0: insert into a values (1, 1, 'before'), (2, 2, 'before')
         3: {begin}
         3: insert into a values (3, 3, 'first')
         3: insert into big values {}
         0: insert into x values (1, 1, 'meanwhile')
         3: update a set id = id + 100 where id > 2
         3: update big set id = id + 100 where id > 29 order by id desc
         3: insert into x values (7, 7, 'unseen'), (8, 8, 'unseen')
         3: insert into a values (5, 5, 'last')
         {end}
         0: insert into a values (6, 6, 'after'), (7, 7, 'after')",
        rows.join(", ")
    )
}

#[track_caller]
fn run(shared: &Server, text: &str) {
    let server = server(shared);
    let seed = 7;
    let mut random = Random::new(seed);
    let (facts, is_full) = settle(&server, &mut server.conn(), &mut random);
    let db = server.fresh_db("model");
    let mut text = script(text);
    if !facts.times_are_known() {
        // Its log tells the time at the commit only, which a run that is stopped before it does not read.
        let times = [0, 3].map(|conn| Step { conn, sql: "set timestamp = 1700000000".into() });
        text.steps.splice(0..0, times);
    }
    let mut round = Round::new(&server, &db, facts, is_full, text);
    round.tables.push(BIG.into());
    round.args.push("big".into());
    round.run(&mut random, EACH);
}

on_servers!(
    [mysql_5_6, mysql_8_0, mariadb_11_8]
    fn a_large_transaction_is_stopped_anywhere(shared) {
        run(shared, &large(shared, "begin", "3: commit"));
    }

    [mysql_5_7, mysql_9_7, mariadb_10_11]
    fn a_large_xa_transaction_is_stopped_anywhere(shared) {
        let end = "3: xa end 'large'
            3: xa prepare 'large'
            0: insert into a values (50, 1, 'between')
            3: xa commit 'large'";
        run(shared, &large(shared, "xa start 'large'", end));
    }
);

on_servers!([mysql_9_7] fn a_compressed_xa_transaction_is_stopped_anywhere(shared) {
    let script = "3: set binlog_transaction_compression = on
        3: xa start 'packed'
        3: insert into a values (1, 1, repeat('x', 40)), (2, 2, repeat('y', 40))
        3: savepoint s
        3: insert into b values (1, 1, 'y', repeat('z', 40), null)
        3: rollback to savepoint s
        3: update a set id = id + 10
        3: xa end 'packed'
        3: xa prepare 'packed'
        0: insert into k values (1, 1, 'between')
        3: xa commit 'packed'
        0: insert into a values (1, 1, 'after')";
    run(shared, script);
});

on_servers!([mysql_5_7, mysql_8_0, mysql_9_7, mariadb_10_11, mariadb_11_4, mariadb_11_8]
    fn a_statement_in_a_prepared_group_ends_runs_that_begin_behind_it(server) {
    let db = server.fresh_db("model");
    db.sql("create table a (id int primary key, n int) engine=innodb");
    let home = Dumpa::bare();
    let start = place(server);
    let mut conn = db.conn();
    let xid = format!("'{}'", db.name);
    for sql in ["set binlog_format = statement", &format!("xa start {xid}"), "insert into a values (1, 1)",
        &format!("xa end {xid}"), &format!("xa prepare {xid}")]
    {
        conn.query_drop(sql).unwrap_or_else(|why| panic!("{sql}: {why}"));
    }
    let prepared = place(server);
    db.sql("insert into a values (2, 2)");
    let between = place(server);
    conn.query_drop(format!("xa commit {xid}")).expect("it commits");
    let end = place(server);
    // Judged where it was prepared, or where it is committed.
    for (from, allowed) in [(&start, &["", "2"][..]), (&prepared, &["2"]), (&between, &[""])] {
        let args = ["tail", "--from", from, "--until", &end, "--save", "pos.json"];
        let tail = Dumpa::new(server, &db).args(args).in_the_folder_of(&home);
        let run = tail.run();
        let printed: Vec<String> = run.lines().into_iter().map(|line| line.id_text).collect();
        assert!(run.code == Some(4) && allowed.contains(&printed.join(" ").as_str()), "from {from}: {:?}, {printed:?}, {}", run.code, run.stderr);
        assert!(run.stderr.contains("statement"), "{}", run.stderr);
        // The saved position is not beyond it either.
        if home.file("pos.json").exists() {
            let again = Dumpa::new(server, &db).args(["tail", "--from", "pos.json", "--until", &end]);
            let again = again.in_the_folder_of(&home).run();
            assert!(again.code == Some(4) && again.stdout.is_empty(), "from {from}, saved: {:?}", again.code);
            fs::remove_file(home.file("pos.json")).expect("it is there");
        }
    }
});

/// Positions name a file by its last part.
#[test]
fn two_log_files_of_one_name_are_refused() {
    let fixture = format!("{}/tests/fixtures/mysql-9.7/shop.bin", env!("CARGO_MANIFEST_DIR"));
    let dumpa = Dumpa::bare();
    for folder in ["one", "two"] {
        fs::create_dir(dumpa.file(folder)).expect("a folder");
        fs::copy(&fixture, dumpa.file(&format!("{folder}/bin.000001"))).expect("a copy");
    }
    let args = ["tail", "-D", "fixture", "--binlog", "one/bin.000001", "two/bin.000001"];
    let run = Dumpa::bare().args(args).in_the_folder_of(&dumpa).run();
    assert!(run.code == Some(2) && run.stdout.is_empty(), "{:?}, {} lines", run.code, run.lines().len());
    assert!(run.stderr.contains("bin.000001"), "{}", run.stderr);
}

/// Bytes of an event that says nothing, and how many of them reach beyond 4 GiB.
const FILLER_BYTES: u32 = 256 << 10;
const FILLERS: u64 = (4 << 30) / FILLER_BYTES as u64 + 1;

/// Copies a log without checksums, with more than 4 GiB of nothing before the event at `at`, up to the one at `end`.
/// The file has holes: it takes no room.
fn with_a_hole(log: &[u8], at: usize, end: usize, path: &Path) {
    let mut file = fs::File::create(path).expect("a file");
    file.write_all(&log[..at]).expect("a beginning");
    for n in 0..FILLERS {
        // A type that nobody knows, with the flag that says it may be passed over.
        let mut header = [0; 19];
        header[4] = 200;
        header[9..13].copy_from_slice(&FILLER_BYTES.to_le_bytes());
        header[17] = 0x80;
        file.seek(SeekFrom::Start(at as u64 + n * u64::from(FILLER_BYTES))).expect("a place");
        file.write_all(&header).expect("a header");
    }
    file.seek(SeekFrom::Start(at as u64 + FILLERS * u64::from(FILLER_BYTES))).expect("a place");
    file.write_all(&log[at..end]).expect("an end");
}

/// Files are read from any offset. (A server cannot be asked for one beyond 4 GiB; its log would have to be as large.)
#[test]
fn transactions_beyond_four_gibibytes_of_a_file_are_resumed() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mysql-9.7");
    let bytes = fs::read(fixture.join("unchecked.bin")).expect("a fixture");
    let log = Log::read(&fixture, &["unchecked.bin".into()], u64::MAX);
    let home = Dumpa::bare_in_memory();
    let path = home.file("big.bin");
    let tail = |from: &str| {
        let args = ["tail", "fixture.*", "--from", from, "--save", "pos.json", "--binlog", "big.bin"];
        let run = Dumpa::bare().args(args).in_the_folder_of(&home).run().expect_code(0);
        run.lines().iter().map(Tuple::without_metadata).collect::<Vec<_>>()
    };
    fs::copy(fixture.join("unchecked.bin"), &path).expect("a copy");
    let all = tail("earliest");
    assert_eq!(all.len(), 3, "{all:#?}");
    // The last two transactions stand beyond; the last is written after the first run.
    let groups = log.groups.iter().map(|(start, end)| (start.offset as usize, end.offset as usize));
    let groups: Vec<(usize, usize)> = groups.collect();
    let at = groups[groups.len() - 2].0;
    with_a_hole(&bytes, at, groups[groups.len() - 1].0, &path);
    let first = tail("earliest");
    with_a_hole(&bytes, at, bytes.len(), &path);
    let rest = tail("pos.json");
    assert!(!first.is_empty() && !rest.is_empty());
    assert_eq!([first, rest].concat(), all);
}

//! Where a run begins: positions that are none, and log files with gaps.

use std::fs;

use crate::common::*;

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/mysql-8.0/shop.bin");

/// Copies of one log under these names, and a tail of all of them.
fn copies(names: &[&str]) -> Dumpa {
    let dumpa = Dumpa::bare().args(["tail", "-D", "shop", "--binlog"]).args(names);
    for name in names {
        fs::copy(SHOP, dumpa.file(name)).expect("a copy");
    }
    dumpa
}

#[test]
fn files_that_do_not_follow_one_another_are_a_warning() {
    for (names, gap) in [
        (&["bin.000001", "bin.000003"][..], Some("bin.000003 does not follow bin.000001")),
        (&["bin.000002", "bin.000001"], Some("bin.000001 does not follow bin.000002")),
        (&["bin.000001", "bin.000002"], None),
        (&["bin.999999", "bin.1000000"], None),
        (&["bin.000001", "other.000007", "copy"], None),
    ] {
        let run = copies(names).run().expect_code(0);
        match gap {
            Some(gap) => assert!(run.stderr.contains(gap), "{names:?}: {}", run.stderr),
            None => assert!(!run.stderr.contains("does not follow"), "{names:?}: {}", run.stderr),
        }
    }
}

#[test]
fn a_place_before_the_first_event_is_refused() {
    for offset in 0..4 {
        let run =
            copies(&["bin.000001"]).args(["--from", &format!("bin.000001:{offset}")]).run().expect_code(3);
        assert!(run.stderr.contains("before the first event"), "{}", run.stderr);
    }
}

#[test]
fn a_run_that_ends_where_it_begins_reads_that_log() {
    let end = fs::metadata(SHOP).expect("a file").len();
    let position = |log: &str| format!(r#"{{"file":"bin.000001","position":{end}{log}}}"#);
    let run = |position: &str| {
        let dumpa = copies(&["bin.000001"]).args(["--from", "at", "--until", "at"]);
        fs::write(dumpa.file("at"), position).expect("a file");
        dumpa.run()
    };
    run(&position("")).expect_code(0);
    let other = run(&position(r#","log":"1-1""#)).expect_code(3);
    assert!(other.stderr.contains("another log"), "{}", other.stderr);
}

on_servers!([mysql_5_7, mysql_8_0, mariadb_11_4] fn a_file_that_is_not_there_is_refused_where_nothing_is_to_be_read(server) {
    let db = server.fresh_db("starts");
    let tail = |at: &str| Dumpa::new(server, &db).args(["tail", "--from", at, "--until", at]).run();
    tail("nonexistent.000001:4").expect_code(3);
    tail(&place(server)).expect_code(0);
});

on_servers!([mysql_5_7, mariadb_11_4] fn lines_that_a_row_does_not_have_are_not_done(server) {
    let db = server.fresh_db("starts");
    db.sql("create table b (id int primary key, v int) engine=innodb;\ninsert into b values (7, 1)");
    let start = place(server);
    db.sql("start transaction; update b set id = 8; insert into b values (9, 9); commit");
    let tail = |from: &str, args: &[&str]| {
        let dumpa = Dumpa::new(server, &db).args(["tail", "--until", "now", "--from"]);
        if !from.starts_with('[') {
            return dumpa.args([from]).args(args).run();
        }
        let dumpa = dumpa.args(["line"]).args(args);
        fs::write(dumpa.file("line"), from).expect("a file");
        dumpa.run()
    };
    let all = tail(&start, &[]).expect_code(0).lines();
    assert_eq!(all.len(), 3);
    assert_eq!(tail(&all[0].raw, &[]).expect_code(0).lines(), all[1..]);
    // With this id the update is one line, which was not printed.
    let other = tail(&all[0].raw, &["--id", "b=v"]).expect_code(3);
    assert!(other.stdout.is_empty() && other.stderr.contains("--id"), "{}", other.stderr);
});

on_servers!([mysql_8_0, mariadb_11_4] fn a_log_without_a_number_need_not_be_the_first(shared) {
    let server = Server::private(&shared.name, &["--binlog-row-metadata=FULL"]);
    server.sql(
        "create database d; create table d.t (id int primary key); create table d.u (id int primary key);
         insert into d.u values (1); flush logs; insert into d.t values (2); drop database d; flush logs",
    );
    let log = server.dir.join("data/bin.000002");
    let dumpa = Dumpa::bare().args(["tail", "-D", "d", "--binlog", "day.log"]);
    fs::copy(&log, dumpa.file("day.log")).expect("a copy");
    let run = dumpa.run().expect_code(4);
    assert!(run.stderr.contains("DROP DATABASE"), "{}", run.stderr);
    let whole = Dumpa::bare().args(["tail", "-D", "d", "--binlog"]);
    let whole = whole.args([server.dir.join("data/bin.000001"), log]).run().expect_code(0).lines();
    let truncates = whole.iter().filter(|line| line.op == "truncate").count();
    assert_eq!(truncates, 2);
});

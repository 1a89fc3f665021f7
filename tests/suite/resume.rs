//! Every line that `tail` prints is a place to go on from: what follows is the same, byte for byte.

use std::fs;
use std::thread;

use crate::common::*;

/// A tail of this test's database.
fn tail(server: &Server, db: &Db, args: &[&str], home: &Dumpa) -> Dumpa {
    Dumpa::new(server, db).args(["tail"]).args(args).in_the_folder_of(home)
}

/// The lines between two places.
#[track_caller]
fn lines(server: &Server, db: &Db, from: &str, until: &str, tables: &[&str], home: &Dumpa) -> Vec<String> {
    let args = ["--from", from, "--until", until];
    let run = tail(server, db, &args, home).args(tables).run().expect_code(0);
    run.lines().into_iter().map(|tuple| tuple.raw).collect()
}

/// The place, and a schema history from there on, where tables are dropped and created anew.
fn with_history(db: &Db, home: &Dumpa) -> String {
    let position = Dumpa::new(db.server, db).args(["position", "--schema", "history"]).in_the_folder_of(home);
    let run = position.run().expect_code(0);
    let position: serde_json::Value = serde_json::from_str(run.text()).expect("JSON");
    format!("{}:{}", position["file"].as_str().expect("a name"), position["position"])
}

/// Resumes from each of these lines, and stops at each of them.
#[track_caller]
fn each_line_is_a_place(server: &Server, db: &Db, start: &str, tables: &[&str], sample: usize, home: &Dumpa) {
    // Not `now`: other tests write to the same log all the time.
    let end = place(server);
    // Without one from before, it begins here.
    let kept = fs::read(home.file("history")).ok();
    let with_history = |name: &'static str| {
        kept.iter().for_each(|kept| fs::write(home.file(name), kept).expect("a file"));
        [tables, &["--schema", name][..]].concat()
    };
    let all_tables = with_history("history0");
    let all = lines(server, db, start, &end, &all_tables, home);
    assert!(!all.is_empty());
    let picked: Vec<usize> = (0..all.len()).filter(|i| i % sample == 0 || i + 3 > all.len()).collect();
    // Two at a time: each is a program's start and a few connections.
    let check = |odd: usize| {
        let tables = &with_history(["history0", "history1"][odd]);
        for (n, &i) in picked.iter().enumerate().filter(|(n, _)| n % 2 == odd) {
            let name = format!("line{i}.json");
            fs::write(home.file(&name), format!("{}\n", all[i])).expect("a file");
            let rest = lines(server, db, &name, &end, tables, home);
            assert_same(&all[i + 1..], &rest, &format!("resumed from line {i}, {}", all[i]));
            if n % 4 > 1 {
                continue;
            }
            let begun = lines(server, db, start, &name, tables, home);
            assert_same(&all[..=i], &begun, &format!("until line {i}, {}", all[i]));
        }
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| check(1));
        check(0);
        other.join().expect("the other half holds too");
    });
}

#[track_caller]
fn assert_same(wanted: &[String], got: &[String], what: &str) {
    let same = wanted.iter().zip(got).take_while(|(a, b)| a == b).count();
    let short = |lines: &[String]| {
        lines.iter().skip(same).take(4).map(|line| line.chars().take(400).collect()).collect::<Vec<String>>()
    };
    assert!(
        same == wanted.len() && same == got.len(),
        "{what}: {} lines wanted, {} came, {same} the same; wanted then {:#?}, came {:#?}",
        wanted.len(),
        got.len(),
        short(wanted),
        short(got)
    );
}

const TABLES: &str = "
    create table a (id int primary key, n int, t varchar(20)) engine=innodb;
    create table b (x int, y varchar(10), n int, primary key (y, x)) engine=innodb;
    create table c (id int primary key) engine=innodb;
    create table d (id int primary key) engine=innodb;
    create table m (id int primary key, n int) engine=myisam";

/// MyISAM in a transaction breaks GTID consistency.
fn script(server: &Server, script: &str) -> String {
    let engine = if server.version() == (9, 7) { "engine=innodb" } else { "engine=myisam" };
    script.replace("engine=myisam", engine)
}

const CHANGES: &str = "
    insert into a values (1, 1, 'one'), (2, 2, 'two'), (3, 3, 'three');
    begin;
    insert into a values (4, 4, 'four');
    insert into b values (1, 'x', 1), (2, 'x', 2);
    insert into c values (1), (2);
    insert into m values (1, 1), (2, 2);
    update a set id = id + 100 order by id desc;
    update b set n = 7;
    savepoint s;
    insert into a values (5, 5, 'undone');
    insert into m values (3, 3);
    rollback to savepoint s;
    delete from c where id = 1;
    commit;
    update a set id = id + 100 where id > 101 order by id desc;
    flush logs;
    truncate table b;
    insert into b values (9, 'nine', 9);
    begin;
    insert into c values (10), (11);
    insert into a values (7, 7, null);
    commit;
    drop table c, d;
    create table c (id int primary key) engine=innodb;
    create table d (id int primary key) engine=innodb;
    flush logs;
    update a set n = n + 1";

on_each_server! {
    fn from_each_line_the_rest_follows(server) {
        let db = server.fresh_db("resume");
        let home = Dumpa::bare_in_memory();
        db.sql(&script(server, TABLES));
        let start = with_history(&db, &home);
        db.sql(CHANGES);
        each_line_is_a_place(server, &db, &start, &["a", "b", "c", "d", "m"], 1, &home);
    }

    fn filtered_tables_count_as_rows(server) {
        let db = server.fresh_db("resume");
        let home = Dumpa::bare_in_memory();
        db.sql(&script(server, TABLES));
        let start = with_history(&db, &home);
        db.sql(CHANGES);
        each_line_is_a_place(server, &db, &start, &["b", "d"], 2, &home);
        each_line_is_a_place(server, &db, &start, &["a"], 4, &home);
    }

    fn a_transaction_that_streams_resumes_from_its_lines(server) {
        let db = server.fresh_db("resume");
        let home = Dumpa::bare_in_memory();
        db.sql("create table small (id int primary key, t varchar(20)) engine=innodb;
            create table large (id int primary key, t mediumtext) engine=innodb;
            insert into small values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e'), (6, 'f'), (7, 'g')");
        let start = place(server);
        // 12 MiB in 48 rows and 98 lines; its first statement is older than its commit.
        db.sql("begin;
            insert into large select a.id * 10 + b.id, repeat(a.t, 250000) from small a, small b where b.id < 8;
            do sleep(1.1);
            update large set id = -id where id < 30;
            insert into small values (8, 'h'), (9, 'i');
            commit;
            insert into small values (10, 'j')");
        each_line_is_a_place(server, &db, &start, &["small", "large"], 24, &home);
        each_line_is_a_place(server, &db, &start, &["small"], 1, &home);
    }
}

on_servers!([mysql_9_7] fn compressed_transactions_resume_from_each_line(server) {
    let db = server.fresh_db("resume");
    let home = Dumpa::bare_in_memory();
    db.sql("create table a (id int primary key, t varchar(200));
        create table b (id int primary key)");
    let start = place(server);
    db.sql("set binlog_transaction_compression = on;
        insert into a values (1, repeat('a', 200)), (2, repeat('b', 200)), (3, repeat('c', 200));
        begin;
        insert into b values (1), (2);
        update a set id = id + 10 order by id desc;
        savepoint s;
        insert into a values (7, repeat('undone', 20));
        rollback to savepoint s;
        delete from b where id = 1;
        commit;
        insert into b values (3)");
    let first = lines(server, &db, &start, "now", &[], &home);
    assert_eq!(first.len(), 13);
    each_line_is_a_place(server, &db, &start, &[], 1, &home);
    each_line_is_a_place(server, &db, &start, &["b"], 1, &home);
});

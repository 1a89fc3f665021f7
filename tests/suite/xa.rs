//! XA transactions: rows come when they are committed, and not before; wherever a run began.

use std::fs;

use crate::common::*;

#[track_caller]
fn lines(server: &Server, db: &Db, args: &[&str], home: &Dumpa) -> Vec<String> {
    let run = Dumpa::new(server, db).args(["tail"]).args(args).in_the_folder_of(home).run().expect_code(0);
    run.lines().into_iter().map(|tuple| tuple.raw).collect()
}

fn ids(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| Tuple::parse(line).id_text).collect()
}

const ROWS: &str = "
    create table t (id int primary key, n varchar(20)) engine=innodb;
    create table u (id int primary key) engine=innodb";

/// Xids that differ in case, in bytes that are no text, and in their parts.
const CHANGES: &str = "
    xa start 'one';
    insert into t values (1, 'a'), (2, 'b');
    insert into u values (1);
    update t set id = id + 10 order by id desc;
    xa end 'one';
    xa prepare 'one'";

on_each_server! {
    fn rows_come_at_the_xa_commit(server) {
        let db = server.fresh_db("xa");
        db.sql(ROWS);
        let home = Dumpa::bare();
        let start = place(server);
        let xid = |name: &str| format!("{name}_{}", db.name);
        // Another connection commits what this one prepared, where the server can do that.
        let mut conn = db.conn();
        let run = |conn: &mut mysql::Conn, script: &str| {
            for statement in script.split(";\n") {
                conn.query_drop(statement).unwrap_or_else(|why| panic!("{statement}: {why}"));
            }
        };
        run(&mut conn, &CHANGES.replace("'one'", &format!("'{}'", xid("one"))));
        db.sql("insert into u values (5)");
        // Prepared only: before 5.7 it is not in the log at all.
        assert_eq!(ids(&lines(server, &db, &["--from", &start, "--until", "now"], &home)), ["5"]);
        let between = place(server);
        let mut live = Dumpa::new(server, &db).args(["tail", "--from", &start, "--server-id", "77001"]).spawn();
        assert_eq!(live.next().id_text, "5");
        run(&mut conn, &format!("xa commit '{}'", xid("one")));
        assert_eq!(ids(&live.take(7).into_iter().map(|t| t.raw).collect::<Vec<_>>()), ["1", "2", "1", "2", "12", "1", "11"]);
        let never = CHANGES.replace("'one'", &format!("'{}'", xid("two"))).replace("(1", "(101").replace("(2", "(102");
        run(&mut conn, &never.replace("values (1)", "values (101)"));
        run(&mut conn, &format!("xa rollback '{}'", xid("two")));
        run(&mut conn, "xa start 0xff00, 'B', 7;\ninsert into u values (7), (8);\nxa end 0xff00, 'B', 7;
            xa commit 0xff00, 'B', 7 one phase");
        db.sql("flush logs;\ninsert into u values (9)");
        assert_eq!(ids(&live.take(3).into_iter().map(|t| t.raw).collect::<Vec<_>>()), ["7", "8", "9"]);
        assert!(live.runs(), "reading the prepared rows ended the run: {}", live.stderr());
        // Not `now`: other tests write to the same log all the time.
        let end = place(server);
        let all = lines(server, &db, &["--from", &start, "--until", &end], &home);
        assert_eq!(ids(&all), ["5", "1", "2", "1", "2", "12", "1", "11", "7", "8", "9"]);
        // The XA PREPARE lies before where this one begins.
        assert_eq!(lines(server, &db, &["--from", &between, "--until", &end], &home), all[1..]);
        for i in 0..all.len() {
            fs::write(home.file("line.json"), &all[i]).expect("a file");
            let rest = lines(server, &db, &["--from", "line.json", "--until", &end], &home);
            assert_eq!(rest, all[i + 1..], "resumed from line {i}");
            let begun = lines(server, &db, &["--from", &start, "--until", "line.json"], &home);
            // Without the commit's time: 5.6 logs it only at the commit, which is not read here.
            assert_eq!(ids(&begun), ids(&all[..=i]), "until line {i}");
        }
    }
}

/// Prepares a transaction whose client then goes.
fn prepare(db: &Db, xid: &str) {
    prepare_in(db, xid, "insert into a values (5), (6)");
}

fn prepare_in(db: &Db, xid: &str, insert: &str) {
    let [start, end, prepare] = ["start", "end", "prepare"].map(|verb| format!("xa {verb} '{xid}'"));
    db.sql(&[&start, insert, &end, &prepare].join(";\n"));
}

/// Commits it from another connection, once the server has noticed that its own is gone.
fn commit(db: &Db, xid: &str) {
    let committed = || db.conn().query_drop(format!("xa commit '{xid}'")).ok();
    eventually("the transaction is committed", committed);
}

/// Only MySQL 5.7 lets such statements through: without its client, a prepared transaction has no metadata locks.
const MOVERS: [(&str, &str, &str); 8] = [
    ("truncate a", "emptied", "lost"),
    ("drop table a;\ncreate table a (id int primary key)", "dropped", "lost"),
    ("drop database DB;\ncreate database DB;\ncreate table DB.a (id int primary key)", "dropped", "lost"),
    ("rename table a to b;\ncreate table a (id int primary key)", "renamed", "adds the rows to DB.b"),
    ("alter table a rename to b", "renamed", "adds the rows to DB.b"),
    ("rename table a to c, c to b", "renamed", "adds the rows to DB.b"),
    ("alter table a truncate partition p", "TRUNCATE PARTITION", "which rows are still in it"),
    ("alter table a exchange partition p with table c", "EXCHANGE PARTITION", "which rows are still in it"),
];

on_servers!([mysql_5_7] fn a_prepared_transaction_whose_table_is_gone_is_refused(server) {
    for (i, (script, what, consequence)) in MOVERS.iter().enumerate() {
        // The search goes through one file, or several.
        let rotates = i % 2 == 1;
        let db = server.fresh_db("xa");
        let partitions = if script.contains("partition") { "partition by range (id) (partition p values less than (9))" } else { "" };
        db.sql(&format!("create table a (id int primary key) engine=innodb {partitions}"));
        let start = place(server);
        let xid = format!("{}_{i}", db.name);
        prepare(&db, &xid);
        let prepared = place(server);
        if script.contains("with table c") {
            db.sql("create table c (id int primary key) engine=innodb");
        }
        if rotates {
            db.sql("flush binary logs");
        }
        let changed = place(server);
        db.sql(&script.replace("DB", &db.name));
        if rotates {
            db.sql("flush binary logs");
        }
        let after = place(server);
        commit(&db, &xid);
        let end = place(server);
        for from in [&start, &prepared, &after] {
            let tail = ["tail", "--from", from, "--until", &end, "a", "--allow-missing"];
            let run = Dumpa::new(server, &db).args(tail).run().expect_code(4);
            assert!(run.lines().iter().all(|line| line.op == "truncate"), "{script} from {from}: {}", run.text());
            // A run that sees the statement may end there.
            if from == &after || run.stderr.contains("XA transaction") {
                let consequence = consequence.replace("DB", &db.name);
                for part in [*what, &format!("{}.a", db.name), &consequence, changed.split(':').next().unwrap(), "load again"] {
                    assert!(run.stderr.to_lowercase().contains(&part.to_lowercase()), "{script}: no {part} in {}", run.stderr);
                }
            }
        }
        // Under its new name, too.
        if *what == "renamed" {
            let tail = ["tail", "--from", &after, "--until", &end, "b", "--allow-missing"];
            let run = Dumpa::new(server, &db).args(tail).run().expect_code(4);
            assert!(run.stdout.is_empty() && run.stderr.contains("adds the rows to"), "{}", run.stderr);
        }
    }
});

on_servers!([mysql_5_7] fn a_prepared_transaction_goes_on_when_other_tables_are_gone(server) {
    let db = server.fresh_db("xa");
    db.sql("create table a (id int primary key, e enum('x') default 'x') engine=innodb;\ncreate table b like a");
    let start = place(server);
    let xid = db.name.clone();
    prepare_in(&db, &xid, "insert into a (id) values (5), (6)");
    let prepared = place(server);
    db.sql("alter table a modify e enum('x', 'y') default 'y';\ntruncate b;\ndrop table b;\ncreate temporary table a (id int);\ntruncate a");
    let after = place(server);
    commit(&db, &xid);
    let end = place(server);
    for from in [&start, &prepared, &after] {
        let run = Dumpa::new(server, &db).args(["tail", "--from", from, "--until", &end, "a"]).run().expect_code(0);
        let ids: Vec<String> = run.lines().into_iter().map(|line| line.id_text).collect();
        assert_eq!(ids, ["5", "6"], "from {from}");
    }
});

on_servers!([mysql_5_7] fn a_table_with_prepared_rows_does_not_count_as_empty(server) {
    let db = server.fresh_db("xa");
    let start = place(server);
    db.sql("create table a (id int primary key) engine=innodb");
    prepare(&db, &db.name);
    db.sql("rename table a to b");
    commit(&db, &db.name);
    let end = place(server);
    let run = Dumpa::new(server, &db).args(["tail", "--from", &start, "--until", &end]).run().expect_code(4);
    // So far, there were no rows.
    let shown: Vec<_> = run.lines().into_iter().map(|line| format!("{} {}", line.op, line.table)).collect();
    assert_eq!(shown, ["truncate a", "truncate b"]);
    assert!(run.stderr.contains("was renamed at"), "{}", run.stderr);
});

//! Temporary tables whose statements are in the log: each hides the real table of the same name from its own session as
//! long as it exists, and dumpa takes no other table for it.

use crate::common::*;
use crate::json::Start;

/// What a tail of `t` prints.
#[track_caller]
fn printed(db: &Db, start: &Start) -> Vec<String> {
    let run = start.tail_with(db, "t", &["--allow-missing"]).expect_code(0);
    run.lines().iter().map(|t| format!("{} {}", t.op, t.id_text)).collect()
}

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_5_6, mysql_5_7]
fn a_temporary_table_dropped_without_a_log_hides_nothing(server) {
    let db = server.fresh_db("temporary");
    db.sql("create table t (id int primary key) engine=innodb");
    let start = Start::here(&db);
    db.sql("insert into t values (1);
        set session binlog_format = mixed;
        create temporary table t (a int);
        set sql_log_bin = 0;
        drop temporary table t;
        set sql_log_bin = 1;
        truncate table t;
        set session binlog_format = row;
        insert into t values (2);
        set session binlog_format = mixed;
        alter table t rename to other;
        create table t (id int primary key)");
    assert_eq!(printed(&db, &start), ["upsert 1", "truncate null", "upsert 2", "truncate null"]);
});

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_5_7]
fn a_drop_in_an_xa_transaction_that_is_rolled_back(server) {
    let db = server.fresh_db("temporary");
    db.sql("create table t (id int primary key) engine=innodb;
        create table r (id int primary key) engine=innodb;
        create table tmp (id int) engine=innodb;
        create procedure p() begin truncate table tmp; truncate table t; end");
    let start = Start::here(&db);
    let xid = &db.name;
    db.sql(&format!("insert into t values (1);
        set session binlog_format = mixed;
        create temporary table t (a int);
        xa start '{xid}';
        insert into r values (1);
        drop temporary table t;
        xa end '{xid}';
        xa prepare '{xid}';
        xa rollback '{xid}';
        create temporary table tmp (id int);
        call p()"));
    assert_eq!(printed(&db, &start), ["upsert 1", "truncate null"]);
});

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_5_6, mysql_5_7]
fn a_thread_of_the_same_id_has_no_part_in_it(server) {
    let db = server.fresh_db("temporary");
    db.sql("create table t (id int primary key) engine=innodb;
        create procedure p() begin truncate table tmp; truncate table t; end");
    let start = Start::here(&db);
    let mut first = db.conn();
    run_script(&mut first, "insert into t values (1);
        set session binlog_format = mixed, pseudo_thread_id = 12345;
        create temporary table t (a int)");
    // Only MariaDB has a server_id by session: as events of another server have it, which it replicates from.
    let server_id = if server.is_mariadb() { ", server_id = 77" } else { "" };
    let mut second = db.conn();
    run_script(&mut second, &format!("set session binlog_format = mixed, pseudo_thread_id = 12345{server_id};
        create temporary table tmp (id int)"));
    run_script(&mut second, if server.is_mariadb() { "call p()" } else { "truncate table t" });
    if server.is_mariadb() {
        run_script(&mut first, "truncate table t");
    }
    assert_eq!(printed(&db, &start), ["upsert 1", "truncate null"]);
});

on_servers!([mariadb_10_11, mariadb_11_4, mysql_5_6, mysql_5_7]
fn a_temporary_table_from_before_the_position(shared) {
    let server = Server::private(&shared.name, &[]);
    let db = server.fresh_db("temporary");
    db.sql("create table t (id int primary key) engine=innodb");
    let mut session = db.conn();
    run_script(&mut session, "set session binlog_format = mixed;\ncreate temporary table t (a int)");
    server.sql("flush logs");
    let start = Start::here(&db);
    db.sql("insert into t values (1)");
    run_script(&mut session, "truncate table t;\nalter table t rename to other");
    assert_eq!(printed(&db, &start), ["upsert 1"]);
    // The log does not reach back any more.
    let here = place(&server);
    eventually("nobody reads the first file", || {
        server.sql(&format!("purge binary logs to '{}'", here.split(':').next().unwrap_or_default()));
        (server.conn().query::<mysql::Row, _>("show binary logs").expect("a list").len() == 1).then_some(())
    });
    let run = start.tail_with(&db, "t", &["--trust-catalog"]).expect_code(4);
    assert!(run.stderr.contains(&format!("emptied or altered {}.t", db.name)), "{}", run.stderr);
    assert_eq!(run.lines().len(), 1);
    // Nor is it known which table got another name.
    let run = start.tail_with(&db, "t", &[]).expect_code(4);
    assert!(run.stdout.is_empty() && run.stderr.contains("(alter table t rename to other)"), "{}", run.stderr);
    // Other tables do not need the search.
    start.tail_with(&db, "u", &["--allow-missing"]).expect_code(0);
});

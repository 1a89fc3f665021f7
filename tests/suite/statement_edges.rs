//! Statements whose effect differs from what their words suggest: what they change is printed or ends the run, and
//! nothing else does.

use crate::common::*;
use crate::json::Start;

/// What a tail of these tables prints after a script, in short: op, table, id.
#[track_caller]
fn printed(db: &Db, start: &Start, args: &[&str]) -> Vec<String> {
    let (table, args) = args.split_first().expect("a table");
    let run = start.tail_with(db, table, args).expect_code(0);
    run.lines().iter().map(|t| format!("{} {} {}", t.op, t.table, t.id_text)).collect()
}

on_each_server! {
    fn a_column_may_be_called_import_or_discard(server) {
        let db = server.fresh_db("edges");
        db.sql("create table t (id int primary key)");
        db.sql("alter table t add column import int, add column discard int");
        let start = Start::here(&db);
        db.sql("alter table t modify import bigint, modify discard bigint");
        assert!(printed(&db, &start, &["t"]).is_empty());
        db.sql("flush tables t for export;\nunlock tables;\nalter table t discard tablespace");
        let run = start.tail_with(&db, "t", &[]).expect_code(4);
        assert!(run.stderr.contains("DISCARD TABLESPACE"), "{}", run.stderr);
    }

    /// Only the server's own bookkeeping in database `mysql` is ignored.
    fn a_statement_that_changes_a_wanted_table_beside_one_of_the_server_s_own(shared) {
        // Others' runs would end at what this one logs.
        let own = Server::private(&shared.name, &[]);
        let server = &own;
        let db = server.fresh_db("edges");
        let own = format!("mysql.`{}`", db.name);
        db.sql(&format!("create table {own} (id int primary key) engine=innodb;
            insert into {own} values (1);
            create table t (id int primary key) engine=innodb;
            insert into t values (1)"));
        let start = Start::here(&db);
        db.sql(&format!("set binlog_format = statement;\ninsert into {own} values (5)"));
        let wanted = start.tail_with(&db, &own, &[]);
        let others = printed(&db, &start, &["t"]);
        db.sql(&format!("set binlog_format = statement;\nupdate {own} as o, t set t.id = 9 where t.id = o.id"));
        let both = start.tail_with(&db, "t", &[]);
        db.sql(&format!("drop table {own}"));
        wanted.expect_code(4);
        assert!(others.is_empty());
        both.expect_code(4);
    }
}

// A statement of a procedure that used a temporary table before is flagged as one that uses a temporary table, whatever
// table it is on: the flag alone proves nothing.
on_each_server! { fn a_real_table_is_told_after_a_temporary_one_was_used(server) {
    let db = server.fresh_db("edges");
    db.sql("create table t (id int primary key) engine=innodb;
        create procedure p() begin insert into tmp values (1); truncate table t; end");
    let start = Start::here(&db);
    db.sql("insert into t values (1);
        create temporary table tmp (id int);
        insert into tmp values (1);
        call p();
        truncate table t");
    assert_eq!(printed(&db, &start, &["t"]), ["upsert t 1", "truncate t null", "truncate t null"]);
} }

on_servers!([mysql_8_0, mysql_9_7] fn statistics_change_no_row(server) {
    let db = server.fresh_db("edges");
    db.sql("create table t (id int primary key, a int);\ninsert into t values (1, 1)");
    let start = Start::here(&db);
    db.sql("analyze table t update histogram on a with 4 buckets;\ninsert into t values (2, 2)");
    assert_eq!(printed(&db, &start, &["t"]), ["upsert t 2"]);
});

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_5_6, mysql_5_7]
fn a_point_before_a_name_means_the_default_database(server) {
    let db = server.fresh_db("edges");
    db.sql("create table t (id int primary key);\ncreate table a (id int primary key)");
    let start = Start::here(&db);
    db.sql("truncate table .t;\nrename table .a to .b;\ndrop table .t");
    let lines = printed(&db, &start, &["t", "a", "--allow-missing"]);
    assert_eq!(lines, ["truncate t null", "truncate a null", "truncate t null"]);
    start.tail_with(&db, "b", &[]).expect_code(4);
});

on_servers!([mariadb_10_11, mariadb_11_4, mysql_5_6, mysql_5_7]
fn names_are_compared_as_the_server_keeps_them(shared) {
    let server = Server::private(&shared.name, &["--lower-case-table-names=1"]);
    server.sql("create database Shop;
        create table Shop.People (id int primary key);
        create table Shop.P2 (id int primary key);
        create table Shop.P3 (id int primary key);
        create table Shop.P5 (id int primary key)");
    let from = ["tail", "--until", "now", "--from", "earliest"];
    server.sql("use SHOP;
        insert into People values (1);
        truncate table PEOPLE;
        truncate ShoP.P2;
        insert into PEOPLE values (3);
        insert into P5 values (1);
        rename table P3 to P4;
        rename table P5 to P6");
    let tail = |args: &[&str]| Dumpa::without_db(&server).args(from).args(args).run();
    let short = |run: Run| -> Vec<String> {
        let lines = run.expect_code(0).lines();
        lines.iter().map(|t| format!("{} {} {}", t.op, t.table, t.id_text)).collect()
    };
    let all = short(tail(&["-D", "Shop", "People", "P2", "P3", "--allow-missing"]));
    assert_eq!(all, ["upsert people 1", "truncate people null", "truncate p2 null", "upsert people 3", "truncate p3 null"]);
    assert!(short(tail(&["-D", "Shop", "P4"])).is_empty(), "it came without rows");
    assert_eq!(short(tail(&["-D", "Shop", "P6"])), ["truncate p6 null", "upsert p6 1"]);
    let home = Dumpa::bare();
    let position = Dumpa::without_db(&server).args(["position", "--save", "pos.json"]).in_the_folder_of(&home);
    position.run().expect_code(0);
    server.sql("drop database SHOP");
    let gone = ["tail", "Shop.People", "--allow-missing", "--from", "pos.json", "--until", "now"];
    let gone = Dumpa::without_db(&server).args(gone).in_the_folder_of(&home).run();
    assert_eq!(short(gone), ["truncate shop.people null"]);
});

// MariaDB logs a long ALTER when it begins, and again when it is done or rolled back.
on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn an_alter_counts_when_it_is_done(server) {
    let db = server.fresh_db("edges");
    db.sql("create table t (id int primary key, a int) engine=innodb;\ninsert into t values (1, 1), (2, 1)");
    let start = Start::here(&db);
    let mut conn = db.conn();
    conn.query_drop("set binlog_alter_two_phase = 1").expect("a setting");
    let undone = conn.query_drop("alter table t add unique key u (a), rename to t_old, algorithm=copy");
    assert!(undone.is_err(), "its values are there twice");
    assert!(printed(&db, &start, &["t"]).is_empty());
    conn.query_drop("alter table t rename to t_old, add column b int, algorithm=copy").expect("it is done");
    assert_eq!(printed(&db, &start, &["t", "--allow-missing"]), ["truncate t null"]);
});

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn dropped_versions_change_no_current_row(server) {
    let db = server.fresh_db("edges");
    db.sql("create table t (id int primary key) with system versioning partition by system_time limit 1000 (
            partition p0 history, partition p1 history, partition pn current);
        create table r (id int primary key) with system versioning
            partition by range (id) (partition p0 values less than (9), partition p1 values less than (99))");
    let start = Start::here(&db);
    let mut live = Dumpa::new(server, &db).args(["tail", "t", "--from"]).args([start.file()]).spawn();
    db.sql("insert into t values (1), (2);
        delete from t where id = 1;
        insert into r values (1)");
    live.take(3);
    db.sql("alter table t drop partition p0;
        insert into t values (3)");
    assert_eq!(live.next().id_text, "3");
    // A table of old row versions.
    db.sql("alter table t add partition (partition p2 history);
        alter table t convert partition p1 to table y;
        insert into t values (4)");
    assert_eq!(live.next().id_text, "4");
    // The rows of today have a partition, too.
    db.sql("alter table t truncate partition pn");
    let run = live.wait(PATIENCE).expect_code(4);
    assert!(run.stderr.contains("TRUNCATE PARTITION"), "{}", run.stderr);
    db.sql("alter table r drop partition p0");
    let run = start.tail_with(&db, "r", &[]).expect_code(4);
    assert!(run.stderr.contains("DROP PARTITION"), "{}", run.stderr);
});

// The catalog does not tell how the table was partitioned when its partition was dropped.
on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn a_dropped_partition_of_a_table_that_got_versions_later(server) {
    let db = server.fresh_db("edges");
    db.sql("create table t (id int primary key)
            partition by range (id) (partition p0 values less than (9), partition p1 values less than (99));
        insert into t values (1), (11)");
    let load = Dumpa::new(server, &db).args(["load", "--save", "pos.json"]);
    load.run().expect_code(0);
    let start = Start::here(&db);
    db.sql("alter table t drop partition p0;
        alter table t remove partitioning;
        alter table t add system versioning partition by system_time limit 1000 (partition p0 history, partition pn current)");
    let saved = Dumpa::new(server, &db).in_the_folder_of(&load).args(["tail", "--from", "pos.json", "--until", "now"]);
    for run in [saved.run(), start.tail_with(&db, "t", &[])] {
        let run = run.expect_code(4);
        assert!(run.stderr.contains("DROP PARTITION") && run.stdout.is_empty(), "{}", run.stderr);
    }
});

on_servers!([mariadb_10_11, mariadb_11_4] fn options_of_alter_come_in_any_order(server) {
    let db = server.fresh_db("edges");
    db.sql("create table t (id int primary key) partition by range (id) (partition p0 values less than (9));
        create table x (id int primary key)");
    for (statement, words) in [
        ("alter online online table t truncate partition p0", "TRUNCATE PARTITION"),
        ("alter ignore online table t exchange partition p0 with table x", "EXCHANGE PARTITION"),
    ] {
        let start = Start::here(&db);
        db.sql(statement);
        let run = start.tail_with(&db, "t", &[]).expect_code(4);
        assert!(run.stderr.contains(words), "{statement}: {}", run.stderr);
    }
    let start = Start::here(&db);
    db.sql("alter ignore ignore table t rename to t9");
    assert_eq!(printed(&db, &start, &["t", "--allow-missing"]), ["truncate t null"]);
});

// How a server logs definitions that change no row.
on_each_server! { fn definitions_of_other_objects_change_no_row(shared) {
    // Users and servers belong to no database.
    let server = Server::private(&shared.name, &[]);
    let db = server.fresh_db("edges");
    db.sql("create table t (id int primary key)");
    let start = Start::here(&db);
    db.sql("create or replace algorithm=merge sql security invoker view v as select * from t;
        alter algorithm=temptable definer=current_user() view v as select 1 as one;
        drop view v;
        create procedure p() select 1;
        alter procedure p comment 'x';
        drop procedure if exists p;
        create definer=root@localhost function f() returns int deterministic return 1;
        drop function f;
        create trigger g before insert on t for each row set @a = 1;
        drop trigger g;
        create event e on schedule every 1 day disable do select 1;
        alter event e comment 'x';
        drop event e;
        create user u;
        alter user u password expire;
        rename user u to w;
        drop user w;
        create server s foreign data wrapper mysql options (host 'localhost');
        alter server s options (user 'a');
        drop server s;
        create index i on t (id);
        drop index i on t;
        insert into t values (1)");
    if server.is_mariadb() {
        db.sql("create or replace sequence s;\nalter sequence s restart 5;\ndrop sequence s;\ncreate role r;\ndrop role r");
    } else if server.version() >= (8, 0) {
        db.sql("create role r;\ndrop role r;
            create spatial reference system 990001 name 'x' definition 'GEOGCS[\"x\",DATUM[\"x\",SPHEROID[\"x\",6378137,298.257223563]],PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.017453292519943278],AXIS[\"Lat\",NORTH],AXIS[\"Lon\",EAST]]';
            drop spatial reference system 990001");
    }
    assert_eq!(printed(&db, &start, &["t"]), ["upsert t 1"]);
} }

on_each_server! {
    /// It has no rows to lose.
    fn a_partition_of_an_empty_table_may_go(server) {
        let db = server.fresh_db("edges");
        let start = Start::here(&db);
        db.sql("create table t (id int primary key, a int) partition by range (id)
                (partition p0 values less than (9), partition p1 values less than (99), partition p2 values less than (999));
            alter table t drop partition p0;
            alter table t truncate partition p1");
        if server.is_mariadb() || server.version() == (5, 6) {
            db.sql("alter ignore table t add unique key (a, id)");
        }
        db.sql("insert into t values (1, 1)");
        assert_eq!(printed(&db, &start, &["t"]), ["upsert t 1"]);
        db.sql("alter table t truncate partition p1");
        let run = start.tail_with(&db, "t", &[]).expect_code(4);
        assert!(run.stderr.contains("TRUNCATE PARTITION"), "{}", run.stderr);
    }
}

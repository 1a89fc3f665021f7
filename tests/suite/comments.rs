//! Comments in statements: which of them the server executes, and where they end.

use crate::common::*;
use crate::json::Start;

/// What a tail of some tables prints after a script, in short: op, table, id.
#[track_caller]
fn printed(db: &Db, start: &Start, tables: &[&str]) -> Vec<String> {
    let (table, others) = tables.split_first().expect("a table");
    let run = start.tail_with(db, table, others).expect_code(0);
    run.lines().iter().map(|t| format!("{} {} {}", t.op, t.table, t.id_text)).collect()
}

const TABLES: &str = "create table t (id int primary key) engine=innodb;
    create table a (id int primary key) engine=innodb;
    create table `1a` (id int primary key) engine=innodb;
    insert into t values (1)";

on_servers!([mysql_5_6, mysql_5_7, mysql_8_0, mysql_9_7] fn mysql_executes_no_comment_of_mariadb_s(server) {
    let db = server.fresh_db("comments");
    db.sql(TABLES);
    let start = Start::here(&db);
    db.sql("rename table a to b /*M!, t to zz */;
        alter table t add c int /*M!, rename to zz */;
        create /*M!100103 or replace */ table if not exists t (id int);
        create table if not exists a (id int primary key) /*M!100301 select 1 id */;
        alter table t comment 'x' /*M! , modify id varchar(10) */;
        truncate /*M! table other. */ t;
        truncate /*!500001a*/");
    assert_eq!(printed(&db, &start, &["t", "a", "1a"]), ["truncate a null", "truncate t null", "truncate 1a null"]);
});

on_each_server! { fn a_comment_for_a_later_version_ends_where_the_server_says(server) {
    let db = server.fresh_db("comments");
    db.sql(TABLES);
    let start = Start::here(&db);
    db.sql("/*!99999 /* x */ set */ truncate t;
        /*!99999 /* x */ drop table zzz, */ truncate t;
        /*!99999 it's /*! x *//*y*/ set */ truncate t;
        /*!40000 /*!99999 /* x */ set */ truncate */ a;
        /*!99999 x */ truncate /*!99999 /**/ zzz*/ a;
        /* 99999 /* x */ truncate t;
        /* 10000 /* x */ truncate `1a` /* */ -- */");
    let expected = [
        "truncate t null", "truncate t null", "truncate t null", "truncate a null", "truncate a null", "truncate t null",
        "truncate 1a null",
    ];
    assert_eq!(printed(&db, &start, &["t", "a", "1a"]), expected);
} }

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn mariadb_executes_its_own_comments(server) {
    let db = server.fresh_db("comments");
    db.sql(TABLES);
    let start = Start::here(&db);
    db.sql("truncate /*M! table */ t;
        /*M!100301 truncate */ t;
        truncate /*M!1005001a*/;
        rename table a to b /*M!, t to zz */");
    let printed = printed(&db, &start, &["t", "a", "1a", "--allow-missing"]);
    let expected =
        ["truncate t null", "truncate t null", "truncate 1a null", "truncate a null", "truncate t null"];
    assert_eq!(printed, expected);
});

//! Which numbers are UNSIGNED, as the log tells it: releases of MySQL 8.0 differ in whether a YEAR counts.

use std::fs;

use crate::common::*;

const FLAGS: [&str; 2] = ["--binlog-row-metadata=FULL", "--binlog-checksum=NONE"];

const TABLE: &str = "create table t (id int primary key, y year, a int, b int unsigned, c bigint, z year, d smallint unsigned,
    e decimal(5,2), f tinyint, g float, h bigint unsigned, i double unsigned, j mediumint)";
const ROWS: &str = "insert into t values (1, 2000, -5, 4294967291, -5, 1901, 65531, -5, -5, -5, 18446744073709551611, 5, -5),
    (2, 0, 5, 5, 5, 0, 5, 5, 5, 5, 5, 5, 5)";
const CONTENT: &str = r#"{"id":1,"y":2000,"a":-5,"b":4294967291,"c":-5,"z":1901,"d":65531,"e":"-5.00","f":-5,"g":-5.0,"h":18446744073709551611,"i":5.0,"j":-5}"#;

/// A server with the table, and where the log goes on after the statement that made it.
fn filled(name: &str) -> (Server, String) {
    let server = Server::private(name, &FLAGS);
    server.sql(&format!("create database d;\nuse d;\n{TABLE}"));
    let created = place(&server);
    server.sql(&format!("use d;\n{ROWS}"));
    (server, created)
}

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_8_0, mysql_9_7]
fn integers_behind_a_year_keep_their_sign(shared) {
    let (server, _) = filled(&shared.name);
    let load = Dumpa::without_db(&server).args(["load", "-D", "d"]).run().expect_code(0).lines();
    assert_eq!(load[0].content_text, CONTENT);
    // From the log alone.
    let file = server.dir.join("data/bin.000001");
    let tail = Dumpa::bare().args(["tail", "-D", "d", "--binlog", file.to_str().expect("a path")]);
    let tail = tail.run().expect_code(0).lines();
    assert_eq!(tail.len(), 2);
    for (load, tail) in load.iter().zip(&tail) {
        assert_eq!(load.without_metadata(), tail.without_metadata());
    }
});

/// The log of a server as one of another release would have it.
fn renamed(server: &Server, from: &str, to: &str, home: &Dumpa) {
    let mut log = fs::read(server.dir.join("data/bin.000001")).expect("a log");
    let at = log.windows(from.len()).position(|window| window == from.as_bytes()).expect("its version");
    log[at..at + 50].fill(0);
    log[at..at + to.len()].copy_from_slice(to.as_bytes());
    fs::write(home.file("bin.000001"), log).expect("a file");
}

on_servers!([mysql_8_0, mysql_9_7] fn where_a_release_may_do_either_the_statement_or_the_catalog_decides(shared) {
    let (server, created) = filled(&shared.name);
    let home = Dumpa::bare();
    let version: String = server.ask("select version()");
    renamed(&server, &version, "8.0.22", &home);
    let all = Dumpa::bare().args(["tail", "-D", "d", "--binlog", "bin.000001"]).in_the_folder_of(&home);
    let all = all.run().expect_code(0).lines();
    assert_eq!((all.len(), all[0].content_text.as_str()), (2, CONTENT));

    // From behind that statement.
    let tail = || ["tail", "-D", "d", "--binlog", "bin.000001", "--from", &created];
    let told = Dumpa::without_db(&server).args(tail()).in_the_folder_of(&home).run().expect_code(0).lines();
    assert_eq!((told.len(), told[0].content_text.as_str()), (2, CONTENT));

    let alone = Dumpa::bare().args(tail()).in_the_folder_of(&home).run().expect_code(4);
    assert!(alone.stdout.is_empty() && alone.stderr.contains("`a` of d.t at bin.000001:"), "{}", alone.stderr);

    // A table that is another by now decides nothing.
    server.sql("delete from d.t;\nalter table d.t modify a int unsigned null, modify b int null");
    let altered = Dumpa::without_db(&server).args(tail()).in_the_folder_of(&home).run().expect_code(4);
    assert!(altered.stdout.is_empty() && altered.stderr.contains("Load again"), "{}", altered.stderr);
});

on_servers!([mysql_8_0, mysql_9_7] fn a_year_that_changes_nothing_is_no_reason_to_ask(shared) {
    let server = Server::private(&shared.name, &FLAGS);
    server.sql("create database d;\nuse d;\ncreate table t (id int primary key, a int, y year);
                insert into t values (1, -5, 2000)");
    let home = Dumpa::bare();
    let version: String = server.ask("select version()");
    renamed(&server, &version, "8.0.22", &home);
    let tail = Dumpa::bare().args(["tail", "-D", "d", "--binlog", "bin.000001"]).in_the_folder_of(&home);
    assert_eq!(tail.run().expect_code(0).lines()[0].content_text, r#"{"id":1,"a":-5,"y":2000}"#);
});

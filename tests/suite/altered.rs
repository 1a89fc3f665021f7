//! Tables that were altered after their rows were written. Rows from before are refused if the log contradicts the
//! present definition.

use crate::common::*;
use crate::json::Start;

/// A tail from before an ALTER of table `t`, whose only row was written before.
#[track_caller]
fn tail(db: &Db, columns: &str, values: &str, alter: &str) -> Run {
    db.sql(&format!("drop table if exists t;\ncreate table t (id int primary key, {columns})"));
    let start = Start::here(db);
    // Without strict mode, values need not fit the new type.
    db.sql(&format!(
        "set sql_mode = '';\nset names utf8;\ninsert into t values (1, {values});\nalter table t {alter}"
    ));
    start.tail_with(db, "t", &[])
}

/// The tail prints nothing, and fails with this message.
#[track_caller]
fn refused(db: &Db, columns: &str, values: &str, alter: &str, says: &str) {
    let run = tail(db, columns, values, alter).expect_code(4);
    assert!(run.stdout.is_empty(), "{alter}: {}", run.text());
    assert!(run.stderr.contains(says) && run.stderr.contains("load again"), "no {says:?}: {}", run.stderr);
}

/// Columns, values, an ALTER, and the message.
const DIFFERENT: &[(&str, &str, &str, &str)] = &[
    ("n int", "-1", "modify n int unsigned", "column 2 is INT in the log, but `n` INT UNSIGNED in the table"),
    (
        "n bigint unsigned",
        "18446744073709551615",
        "modify n bigint",
        "column 2 is BIGINT UNSIGNED in the log, but `n` BIGINT in the table",
    ),
    (
        "y year, f float, n smallint",
        "2000, 1, -1",
        "modify n smallint unsigned",
        "column 4 is SMALLINT in the log, but `n` SMALLINT UNSIGNED in the table",
    ),
    ("d decimal(5,2)", "1", "modify d decimal(5,2) unsigned", "`d` DECIMAL(5,2) UNSIGNED in the table"),
    (
        "c varchar(10) character set latin1",
        "'é ß'",
        "modify c varchar(10) character set cp1251",
        "column 2 is VARCHAR of 10 bytes CHARACTER SET latin1 in the log, but `c` VARCHAR(10) CHARACTER SET cp1251",
    ),
    (
        "c char(9) character set latin1, e enum('a') character set utf8, b blob, t text character set latin2",
        "'é', 'a', 'b', 'á'",
        "modify t text character set latin1",
        "column 5 is TEXT CHARACTER SET latin2 in the log, but `t` TEXT CHARACTER SET latin1",
    ),
    ("t text", "'a'", "modify t blob", "in the log, but `t` BLOB in the table"),
    (
        "b varbinary(20)",
        "0xe9",
        "modify b varchar(20) character set latin1",
        "column 2 is VARBINARY(20) in the log, but `b` VARCHAR(20) CHARACTER SET latin1 in the table",
    ),
];

const HARMLESS: &[(&str, &str, &str, &str)] = &[
    (
        "c varchar(10) character set latin1 collate latin1_german1_ci",
        "'é'",
        "modify c varchar(10) character set latin1 collate latin1_bin",
        r#"{"id":1,"c":"é"}"#,
    ),
    ("e enum('a','b')", "'b'", "modify e enum('a','b','c')", r#"{"id":1,"e":"b"}"#),
    (
        "s set('1','2','3','4','5','6','7','8')",
        "'8'",
        "modify s set('1','2','3','4','5','6','7','8','9')",
        r#"{"id":1,"s":["8"]}"#,
    ),
    ("s set('a','b') character set latin1", "'b'", "convert to character set utf8", r#"{"id":1,"s":["b"]}"#),
    ("n int", "-1", "modify n int not null", r#"{"id":1,"n":-1}"#),
    ("n int", "-1", "add key (n), comment 'x'", r#"{"id":1,"n":-1}"#),
];

#[track_caller]
fn metadata_is_compared(server: &Server) {
    let db = server.fresh_db("altered");
    for (columns, values, alter, says) in DIFFERENT {
        refused(&db, columns, values, alter, says);
    }
}

on_each_server! {
    fn what_changes_no_value_is_no_difference(server) {
        let db = server.fresh_db("altered");
        for (columns, values, alter, content) in HARMLESS {
            let run = tail(&db, columns, values, alter);
            // Only a log with signs and character sets proves that they were the same; labels it has with names.
            let has_signs = server.is_mysql() && server.version() >= (8, 0);
            let is_proved = match columns.split(' ').next() {
                Some("e") => false,
                Some("s") => alter.starts_with("convert"),
                _ => has_signs || alter.starts_with("add"),
            };
            if !is_proved {
                assert!(run.stdout.is_empty() && run.stderr.contains("--trust-catalog"), "{alter}: {}", run.stderr);
                db.sql(&format!("drop table t;\ncreate table t (id int primary key, {columns})"));
                let start = Start::here(&db);
                db.sql(&format!("set sql_mode = '';\nset names utf8;\ninsert into t values (1, {values});\nalter table t {alter}"));
                let lines = start.tail_with(&db, "t", &["--trust-catalog"]).expect_code(0).lines();
                assert_eq!(lines[0].content_text, *content, "{alter}");
                continue;
            }
            let lines = run.expect_code(0).lines();
            assert_eq!(lines[0].content_text, *content, "{alter}");
        }
    }
}

on_servers!(
    [mysql_8_0, mysql_9_7] fn what_the_log_always_tells(server) {
        metadata_is_compared(server);
    }

    [mariadb_10_11, mariadb_11_4, mariadb_11_8] fn what_the_log_tells_when_asked_to(shared) {
        metadata_is_compared(&Server::private(&shared.name, &["--binlog-row-metadata=MINIMAL"]));
    }

    [mariadb_10_11, mysql_8_0, mysql_9_7] fn the_type_of_a_geometry(shared) {
        let server = Server::private(&shared.name, &["--binlog-row-metadata=MINIMAL"]);
        let db = server.fresh_db("altered");
        let point = "st_geomfromtext('point(1 2)')";
        refused(&db, "g point", point, "modify g geometry", "column 2 is POINT in the log, but `g` GEOMETRY in the table");
    }

    [mysql_9_7] fn the_dimensions_of_a_vector(server) {
        let db = server.fresh_db("altered");
        let vector = "to_vector('[1,2]')";
        refused(&db, "v vector(2)", vector, "modify v vector(3)", "column 2 is VECTOR(2) in the log, but `v` VECTOR(3) in the table");
    }
);

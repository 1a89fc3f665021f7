//! A statement is bytes in the client's character set, and only its names have to be text.

use mysql::prelude::Queryable;

use crate::common::*;

/// Sends bytes that need not be UTF-8 as a statement.
fn send(conn: &mut mysql::Conn, statement: &[u8]) -> mysql::Result<()> {
    // SAFETY: none of its characters is looked at: the crate copies the bytes into a packet.
    conn.query_drop(unsafe { std::str::from_utf8_unchecked(statement) })
}

#[track_caller]
fn must(conn: &mut mysql::Conn, statement: &[u8]) {
    send(conn, statement).unwrap_or_else(|why| panic!("{}: {why}", statement.escape_ascii()));
}

fn tail(server: &Server, db: &Db, from: &str, tables: &[&str]) -> Run {
    // MariaDB's parser, too, loses what follows some names, so that not each CREATE can be followed.
    let tail = ["tail", "--from", from, "--until", "now", "--allow-missing", "--trust-catalog"];
    Dumpa::new(server, db).args(tail).args(tables).run()
}

fn short(run: Run) -> Vec<String> {
    run.expect_code(0).lines().iter().map(|t| format!("{} {}", t.op, t.table)).collect()
}

/// Names beyond ASCII in character sets of clients, and as text; where a second byte is a quote or a backslash.
const NAMES: &[(&str, &[u8], &str)] = &[
    ("latin1", b"caf\xe9", "café"),
    ("utf8", b"caf\xc3\xa9", "café"),
    ("binary", b"caf\xc3\xa9", "café"),
    ("gbk", b"g\x81\x60", "g乣"),
    ("sjis", b"s\x83\x5c", "sソ"),
    ("cp932", b"c\x83\x5c", "cソ"),
    ("big5", b"b\xa5\x5c", "b功"),
    ("koi8r", b"k\xed\xc9\xd2", "kМир"),
];

on_each_server! {
    fn comments_and_strings_may_be_in_any_encoding(server) {
        let db = server.fresh_db("bytes");
        db.sql("create table t (id int primary key) engine=innodb;\ncreate table u (id int primary key) engine=innodb");
        let start = place(server);
        let mut conn = db.conn();
        must(&mut conn, b"set names utf8");
        must(&mut conn, b"create table other (id int) /* caf\xe9 */");
        // Newer servers refuse these.
        let mut refused = 0;
        for statement in [
            &b"create table a (id int comment 'caf\xe9')"[..],
            b"create table b (id int) /*!50000 comment 'caf\xe9' */",
            b"alter table other comment \"caf\xe9\"",
        ] {
            refused += usize::from(send(&mut conn, statement).is_err());
        }
        assert_eq!(refused, if server.name == "mysql-5.6" || server.name == "mysql-5.7" { 0 } else { 3 });
        must(&mut conn, b"insert into t values (1) /* \xe9 */");
        // MySQL has refused this one since 8.0.
        let procedure = b"/* \xe9 */ create /*!50000 /* \xe9 */ procedure */ p() begin /* \xe9' */ end";
        assert_eq!(send(&mut conn, procedure).is_err(), server.is_mysql() && server.version() >= (8, 0));
        must(&mut conn, b"/* caf\xe9 */ truncate # \xff` '\n /* \xe9\xe9 */ u -- \xe9'");
        must(&mut conn, b"/* \xe9 */ drop /* \xe9 */ table /*! u */ /* \xe9 */");
        must(&mut conn, b"drop table /* \xe9 */ if exists other /* \xe9 */");
        assert_eq!(short(tail(server, &db, &start, &["t"])), ["upsert t"]);
        assert_eq!(short(tail(server, &db, &start, &["t", "u"])), ["upsert t", "truncate u", "truncate u"]);
    }

    fn names_are_in_the_character_set_of_the_client(server) {
        let db = server.fresh_db("client");
        let start = place(server);
        let mut expected = Vec::new();
        for (charset, bytes, text) in NAMES {
            let mut conn = db.conn();
            must(&mut conn, format!("set names {charset}").as_bytes());
            let mut run = |before: &str, after: &[u8]| {
                must(&mut conn, &[before.as_bytes(), b" `", bytes, b"`", after].concat());
            };
            run("create table if not exists", &[b" (id int primary key) engine=innodb comment '", *bytes, b"'"].concat());
            run("truncate table", b" /* \xff */");
            run("drop table", b"");
            run("create table", b" (id int primary key) engine=innodb");
            run("drop table if exists", b", nothing");
            run("create table", b" (id int primary key) engine=innodb");
            expected.extend([format!("truncate {text}"), format!("truncate {text}"), format!("truncate {text}")]);
            if server.is_mariadb() {
                run("create or replace table", b" (primary key (id)) engine=innodb select 1 as id");
                run("create or replace table", b" (id int primary key)");
                let replaced = ["truncate", "upsert", "truncate"].map(|op| format!("{op} {text}"));
                expected.extend(replaced);
            }
            // In front, for MariaDB's parser drops what follows a second byte that is a backquote.
            must(&mut conn, &[b"rename table `", *bytes, b"` to `2", bytes, b"`"].concat());
            must(&mut conn, &[b"drop table `2", *bytes, b"`"].concat());
            expected.push(format!("truncate {text}"));
            // For whoever has to ask for its columns.
            must(&mut conn, &[b"create table `", *bytes, b"` (id int primary key) engine=innodb"].concat());
        }
        let mut names: Vec<&str> = NAMES.iter().map(|(_, _, text)| *text).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(short(tail(server, &db, &start, &names)), expected);
    }
}

on_servers!([mysql_5_6, mysql_5_7, mysql_8_0, mysql_9_7] fn a_name_that_is_no_text_may_be_any_tables(server) {
    let db = server.fresh_db("notext");
    let other = server.fresh_db("notext_other");
    other.sql("create table o (id int primary key)");
    let mut conn = db.conn();
    // MySQL makes a table of each; MariaDB refuses them.
    must(&mut conn, b"set names gbk");
    must(&mut conn, b"create table `g\xff` (id int primary key)");
    let start = place(server);
    must(&mut conn, b"truncate table `g\xff`");
    assert!(short(tail(server, &other, &start, &["o"])).is_empty(), "it is of another database");
    let run = tail(server, &db, &start, &[]).expect_code(4);
    assert!(run.stderr.contains("not valid in the client's character set"), "{}", run.stderr);
    // A byte beyond ASCII is a question mark there, so this one can be told.
    must(&mut conn, b"set names ascii");
    must(&mut conn, b"create table `a\xe9` (id int primary key)");
    let start = place(server);
    must(&mut conn, b"truncate table `a\xe9`");
    assert_eq!(short(tail(server, &db, &start, &[])), ["truncate a?"]);
});

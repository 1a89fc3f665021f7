//! The ways in which servers can be told to log rows: each gives the right rows, or an end that says what to do.

use std::fmt::Write;

use crate::common::*;
use crate::json::Start;
use crate::{property, tables, types};

/// Flags of a private server, and statements for each session.
struct Format<'a> {
    flags: &'a [&'a str],
    session: &'a str,
}

const SCRIPT: &str = "create table people (id int primary key, name varchar(20), big mediumtext, n bigint unsigned,
    y year, e enum('a','é') character set utf8mb4, s set('x','y') character set latin1, t timestamp(3) null, b binary(4),
    c char(3) character set cp1251, d decimal(9,3), f float, v varbinary(300), l longblob);
insert into people values (1, 'Ada', repeat('x', 3000), 18446744073709551615, 2155, 'é', 'x,y', '2001-02-03 04:05:06.789',
    'ab', 'Ж', -1.5, 0.1, '', repeat('l', 40000)), (2, null, null, null, null, null, null, null, null, null, null, null,
    null, null), (3, 'c', '', 0, 0, 'a', '', null, '', '', 0, -0.5, 'v', '');
create table logs (site varchar(10), n int, primary key (site, n));
insert into logs values ('web', 1), ('web', 2), ('app', 1);
update people set name = 'B', n = 7 where id = 2;
update people set id = 9 where id = 3;
update people, logs set people.name = 'both', logs.n = logs.n + 10 where people.id = 1 and logs.site = 'web';
update people set big = repeat('y', 100000);
delete people, logs from people, logs where people.id = 9 and logs.site = 'app'";

/// Both halves over the script, on a private server.
#[track_caller]
fn check(name: &str, format: &Format<'_>) -> Vec<Tuple> {
    let server = Server::private(name, format.flags);
    let db = server.fresh_db("formats");
    let start = Start::here(&db);
    db.sql(&format!(
        "set names utf8mb4, time_zone = '+00:00', sql_mode = '';\n{};\n{SCRIPT}",
        format.session
    ));
    let (rows, lines) = halves_agree(&db, &start);
    assert_eq!(rows.len(), 4);
    lines
}

/// The tail of a private server's session ends with code 4; returns what it said.
#[track_caller]
fn refused(server: &Server, setup: &str, script: &str) -> String {
    let db = server.fresh_db("formats");
    db.sql(setup);
    let start = Start::here(&db);
    db.sql(script);
    let tail = Dumpa::new(server, &db).args(["tail", "--from"]).args([start.file()]).args(["--until", "now"]);
    let run = tail.run().expect_code(4);
    assert_eq!(run.stdout, b"", "nothing of it is printed");
    run.stderr
}

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_8_0, mysql_9_7]
fn names_and_types_from_the_log(server) {
    let server = Server::private(&server.name, &["--binlog-row-metadata=FULL"]);
    types::check(&server, |_| true);
    property::run(&server, property::rows(100), property::seed());
    if server.is_mariadb() {
        tables::keys_on_blobs(&server);
        tables::implicit_versions(&server);
        tables::explicit_versions(&server);
    }
    // Even for a table that does not exist any more.
    let db = server.fresh_db("formats");
    let start = Start::here(&db);
    db.sql(&format!("set names utf8mb4, sql_mode = '';\n{SCRIPT};\ndrop table people, logs"));
    let lines = start.tail_of_gone(&db, "people");
    assert_eq!(lines.first().map(|line| line.content["e"].clone()), Some("é".into()));
    if server.is_mariadb() {
        db.sql(
            "create table gone (id int primary key, b blob, v int, unique (b)) with system versioning;
             insert into gone values (1, 'b', 5);
             update gone set v = 6;
             delete from gone;
             drop table gone",
        );
        let lines = start.tail_of_gone(&db, "gone");
        let shown: Vec<_> = lines.iter().map(|line| format!("{} {}", line.op, line.content_text)).collect();
        assert_eq!(shown, [
            r#"upsert {"id":1,"b":"Yg==","v":5}"#,
            r#"upsert {"id":1,"b":"Yg==","v":6}"#,
            r#"delete {"id":1,"b":"Yg==","v":6}"#,
            "truncate null",
        ]);
        // Old row versions do not come back when the table has lost its versioning since.
        let start = Start::here(&db);
        db.sql(
            "create table plain (id int primary key, v int) with system versioning;
             insert into plain values (1, 5);
             update plain set v = 6;
             alter table plain drop system versioning",
        );
        let lines = start.tail(&db, "plain");
        let shown: Vec<_> = lines.iter().map(|line| format!("{} {}", line.id_text, line.content_text)).collect();
        assert_eq!(shown, [r#"1 {"id":1,"v":5}"#, r#"1 {"id":1,"v":6}"#]);
        // Types that the catalog knows are found by the column's name, wherever it stands by now.
        db.sql("create table moved (id int primary key, u uuid, i inet6)");
        let created = Start::here(&db);
        db.sql("insert into moved values (1, uuid(), '::1');\nalter table moved add column z int first");
        for from in [&start, &created] {
            let lines = from.tail(&db, "moved");
            assert_eq!(lines[0].content["i"], "::1");
        }
        // A type that only the catalog knows gives a warning, but the statement that made the table tells it.
        let start = Start::here(&db);
        db.sql("create table ids (u uuid primary key)");
        let created = Start::here(&db);
        db.sql("insert into ids values ('00112233-4455-6677-8899-aabbccddeeff');\ndrop table ids");
        let run = start.tail_with(&db, "ids", &["--allow-missing"]).expect_code(0);
        assert_eq!((&*run.stderr, &*run.lines()[0].id_text), ("", r#""00112233-4455-6677-8899-aabbccddeeff""#));
        let run = created.tail_with(&db, "ids", &["--allow-missing"]).expect_code(0);
        assert!(run.stderr.contains("`u` may be UUID"), "{}", run.stderr);
    }
});

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_8_0, mysql_9_7]
fn little_or_no_metadata(server) {
    check(&server.name, &Format { flags: &["--binlog-row-metadata=MINIMAL"], session: "set @x = 1" });
});

on_each_server! {
    fn a_log_without_checksums(server) {
        check(&server.name, &Format { flags: &["--binlog-checksum=NONE"], session: "set @x = 1" });
    }

    fn parts_of_rows_are_refused(server) {
        let setup = "create table t (id int primary key, a int, b text, c int);
            insert into t values (1, 1, 'x', 1)";
        let minimal = "set binlog_row_image = minimal;\n";
        for script in [
            "update t set a = 2",
            "delete from t",
            "insert into t (id) values (5)",
            "insert into t () values ()",
        ] {
            let said = refused(server, setup, &format!("set sql_mode = '';\n{minimal}{script}"));
            assert!(said.contains("binlog_row_image=FULL") && said.contains("bin.0"), "{script}: {said}");
        }
        let said = refused(server, setup, "set binlog_row_image = noblob;\nupdate t set a = 2");
        assert!(said.contains("without `b`"), "{said}");
    }

    /// Where the before image is whole, what the after image leaves out is known.
    fn what_an_update_leaves_out_is_taken_from_before(server) {
        let db = server.fresh_db("formats");
        let start = Start::here(&db);
        // Without a key, the image before is the whole row.
        db.sql(
            "create table t (id int not null, a int, b text, c int not null, d binary(3));
             insert into t values (1, 1, 'x', 1, 'd'), (2, null, null, 2, null);
             set binlog_row_image = minimal;
             update t set a = 5 where id = 1;
             update t set b = null, d = 'e' where id = 1;
             update t set c = 9, b = 'new' where id = 2;
             delete from t where id = 2",
        );
        let lines = start.tail(&db, "t");
        let shown: Vec<_> = lines.iter().map(|line| format!("{} {}", line.op, line.content_text)).collect();
        assert_eq!(shown, [
            r#"upsert {"id":1,"a":1,"b":"x","c":1,"d":"ZAAA"}"#,
            r#"upsert {"id":2,"a":null,"b":null,"c":2,"d":null}"#,
            r#"upsert {"id":1,"a":5,"b":"x","c":1,"d":"ZAAA"}"#,
            r#"upsert {"id":1,"a":5,"b":null,"c":1,"d":"ZQAA"}"#,
            r#"upsert {"id":2,"a":null,"b":"new","c":9,"d":null}"#,
            r#"delete {"id":2,"a":null,"b":"new","c":9,"d":null}"#,
        ]);
    }
}

// What the server itself changes in a row, besides the statement's columns, is in the image too.
on_each_server! { fn what_the_server_changes_is_not_left_out(server) {
    let db = server.fresh_db("formats");
    let start = Start::here(&db);
    let generated = match server.version() {
        // 5.6 has none, and 11.8 does not log them.
        (5, 6) | (11, 8) => "v int, s int",
        _ => "v int as (a + 1) virtual, s int as (a + 2) stored",
    };
    db.sql(&format!(
        "create table t (id int not null, a int, {generated}, b text, n int default 0,
            at timestamp(6) default current_timestamp(6) on update current_timestamp(6));
         create trigger before_t before update on t for each row set new.n = old.n + 1;
         insert into t (id, a, b) values (1, 1, 'x'), (2, 2, null), (3, 3, '');
         set binlog_row_image = minimal;
         update t set a = 5 where id = 1;
         update t set b = 'y' where id = 2;
         delete from t where id = 3"
    ));
    let all = ["--id", "t=id", "t"];
    let load = Dumpa::new(server, &db).args(["load"]).args(all).run().expect_code(0).lines();
    let tail = Dumpa::new(server, &db).args(["tail", "--from"]).args([start.file()]).args(["--until", "now"]);
    let tail = tail.args(all).run().expect_code(0).lines();
    assert_eq!(load.len(), 2);
    Fold::of(tail).assert_is(&Fold::of(load), "the tail");
} }

on_servers!([mariadb_11_8] fn images_without_duplicates(server) {
    check(&server.name, &Format { flags: &[], session: "set binlog_row_image = full_nodup" });
});

on_servers!([mysql_5_6, mysql_5_7, mysql_8_0] fn rows_of_the_first_version(server) {
    check(&server.name, &Format { flags: &["--log-bin-use-v1-row-events=ON"], session: "set @x = 1" });
});

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn rows_compressed_by_mariadb(server) {
    let flags = ["--log-bin-compress=ON", "--log-bin-compress-min-len=10"];
    check(&server.name, &Format { flags: &flags, session: "set @x = 1" });
});

on_servers!([mysql_8_0, mysql_9_7] fn documents_changed_in_part(server) {
    let lines = check(&server.name, &Format { flags: &[], session: "set binlog_row_value_options = PARTIAL_JSON" });
    assert!(!lines.is_empty());
});

on_servers!([mysql_9_7] fn compressed_transactions(server) {
    let compressed = "set binlog_transaction_compression = on";
    check(&server.name, &Format { flags: &[], session: compressed });
    // Of more lines than are held back, with several tables and savepoints in one.
    let db = server.fresh_db("formats");
    let start = Start::here(&db);
    let mut script = format!(
        "{compressed};\ncreate table a (id int primary key, t mediumtext);\ncreate table b like a;\nbegin;\n"
    );
    for id in 0..24 {
        writeln!(script, "insert into a values ({id}, repeat('x', 1000000)), ({id} + 100, '{id}');").unwrap();
        writeln!(script, "insert into b select id, left(t, 10) from a where id = {id};").unwrap();
    }
    script.push_str("update b set t = 'changed';\ndelete from a where id < 100;\ncommit");
    db.sql(&script);
    let (rows, lines) = halves_agree(&db, &start);
    assert_eq!((rows.len(), lines.len()), (48, 24 * 5));
});

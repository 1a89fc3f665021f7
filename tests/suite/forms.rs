//! What the options change in a line: `--decimal`, `--big-int`, `--zero-date`, `--old`.

use crate::common::*;
use crate::json::Start;

const NUMBERS: &str = "create table t (id bigint unsigned primary key, d decimal(30,2), i bigint, b bit(64), a date, \
     at datetime(2), ts timestamp(3) null, dur time, y year);
insert into t values (18446744073709551615, -12345678901234567890.10, -9007199254740993, b'1', '0000-00-00', \
     '0000-00-00 00:00:00', '0000-00-00 00:00:00', '00:00:00', '0000'), (9007199254740992, 0, 9007199254740992, null, \
     '2015-00-00', '2015-08-03 00:00:00', null, null, 1999)";

/// The contents that both halves print with these options.
#[track_caller]
fn contents(server: &Server, options: &[&str]) -> Vec<String> {
    let db = server.fresh_db("forms");
    let start = Start::here(&db);
    db.sql(&format!("set sql_mode = '';\n{NUMBERS}"));
    let load = Dumpa::new(server, &db).args(["load", "t"]).args(options).run().expect_code(0).lines();
    let tail =
        Dumpa::new(server, &db).args(["tail", "--from"]).args([start.file()]).args(["--until", "now", "t"]);
    let tail = tail.args(options).run().expect_code(0).lines();
    let show = |lines: &[Tuple]| {
        let mut all: Vec<_> =
            lines.iter().map(|line| format!("{} {}", line.id_text, line.content_text)).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(show(&load), show(&tail));
    show(&tail)
}

on_each_server! {
    fn numbers_and_zero_dates_as_they_are_asked_for(server) {
        assert_eq!(contents(server, &[]), [
            r#"18446744073709551615 {"id":18446744073709551615,"d":"-12345678901234567890.10","i":-9007199254740993,"b":1,"a":null,"at":null,"ts":null,"dur":"00:00:00","y":0}"#,
            r#"9007199254740992 {"id":9007199254740992,"d":"0.00","i":9007199254740992,"b":null,"a":"2015-00-00","at":"2015-08-03T00:00:00.00","ts":null,"dur":null,"y":1999}"#,
        ]);
        let options = ["--decimal", "number", "--big-int", "string", "--zero-date", "string"];
        assert_eq!(contents(server, &options), [
            r#""18446744073709551615" {"id":"18446744073709551615","d":-12345678901234567890.10,"i":"-9007199254740993","b":1,"a":"0000-00-00","at":"0000-00-00T00:00:00.00","ts":"0000-00-00T00:00:00.000Z","dur":"00:00:00","y":0}"#,
            r#"9007199254740992 {"id":9007199254740992,"d":0.00,"i":9007199254740992,"b":null,"a":"2015-00-00","at":"2015-08-03T00:00:00.00","ts":null,"dur":null,"y":1999}"#,
        ]);
    }

    fn old_values_of_updates(server) {
        let db = server.fresh_db("forms");
        let start = Start::here(&db);
        db.sql(
            "create table t (id int primary key, a int, b varchar(9), c text, d decimal(5,1));
             begin;
             insert into t values (1, 1, 'x', 'c', 1), (2, 2, null, null, null), (3, 3, 'z', '', 3);
             update t set a = 10, b = 'y' where id = 1;
             update t set a = a where id = 1;
             update t set b = 'q\"', c = 'new' where id = 2;
             savepoint s;
             update t set a = 0;
             rollback to s;
             update t set id = 7, d = null where id = 3;
             commit;
             update t set c = null where id = 1;
             delete from t where id = 1;
             truncate t",
        );
        let tail = |options: &[&str]| {
            let tail = Dumpa::new(server, &db).args(["tail", "--from"]).args([start.file()]).args(["--until", "now"]);
            tail.args(options).run().expect_code(0).lines()
        };
        let (with, without) = (tail(&["--old"]), tail(&[]));
        let shown: Vec<_> = with
            .iter()
            .map(|line| format!("{} {} {}", line.op, line.id_text, line.metadata["old"]))
            .collect();
        let wanted = [
            "upsert 1 null",
            "upsert 2 null",
            "upsert 3 null",
            r#"upsert 1 {"a":1,"b":"x"}"#,
            r#"upsert 2 {"b":null,"c":null}"#,
            "delete 3 null",
            r#"upsert 7 {"id":3,"d":"3.0"}"#,
            r#"upsert 1 {"c":"c"}"#,
            "delete 1 null",
            "truncate null null",
        ];
        assert_eq!(shown, wanted);
        // Everything else is as without it.
        for (with, without) in with.iter().zip(&without) {
            let end = with.raw.find(",\"old\":").map_or(with.raw.as_str(), |at| &with.raw[..at]);
            assert!(without.raw.starts_with(end), "{} and {}", with.raw, without.raw);
            assert_eq!(with.content_text, without.content_text);
        }
        // In table order, and as the last thing of the line.
        assert!(with[3].raw.ends_with(r#","old":{"a":1,"b":"x"}}]"#), "{}", with[3].raw);
    }
}

on_servers!([mysql_8_0, mysql_9_7] fn old_documents_of_partial_updates(server) {
    let db = server.fresh_db("forms");
    db.sql("create table t (id int primary key, j json, n int)");
    let start = Start::here(&db);
    db.sql(
        "insert into t values (1, '{\"a\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\", \"b\": 1}', 1);
         set binlog_row_value_options = 'PARTIAL_JSON';
         update t set j = json_set(j, '$.b', 2);
         update t set n = 2",
    );
    let tail = Dumpa::new(server, &db).args(["tail", "--from"]).args([start.file()]).args(["--until", "now", "--old"]);
    let lines = tail.run().expect_code(0).lines();
    let old = r#","old":{"j":{"a":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","b":1}}}]"#;
    assert!(lines[1].raw.ends_with(old), "{}", lines[1].raw);
    assert!(lines[1].content_text.contains("\"b\":2"), "{}", lines[1].raw);
    assert!(lines[2].raw.ends_with(r#","old":{"n":1}}]"#), "{}", lines[2].raw);
});

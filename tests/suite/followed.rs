//! Definitions follow the statements of the log: rows are printed under the columns that they were written with, through
//! any ALTER, although the servers' default is to log no names.

use crate::common::*;
use crate::json::Start;

/// Tails table `t` from before these statements, and compares the contents that are printed.
#[track_caller]
fn contents(db: &Db, script: &str, expected: &[&str]) -> Run {
    let start = Start::here(db);
    db.sql(script);
    let run = start.tail_with(db, "t", &["--allow-missing", "--quiet"]).expect_code(0);
    let contents: Vec<String> = run.lines().into_iter().map(|tuple| tuple.content_text).collect();
    assert_eq!(contents, expected, "{script}\n{}", run.stderr);
    run
}

on_each_server! {
    fn rows_have_the_columns_that_they_were_written_with(server) {
        let db = server.fresh_db("followed");
        contents(
            &db,
            "create table t (id int primary key, a int, b int);\n\
             insert into t values (1, 2, 3);\n\
             alter table t modify b int after id;\n\
             insert into t values (2, 3, 4);\n\
             alter table t change a x int, change b a int;\n\
             insert into t values (3, 4, 5);\n\
             alter table t add c varchar(3) character set latin1 first, drop x;\n\
             insert into t values ('é', 4, 5);\n\
             alter table t convert to character set utf8mb4, modify a bigint unsigned;\n\
             insert into t values ('ß', 5, 18446744073709551615)",
            &[
                r#"{"id":1,"a":2,"b":3}"#,
                r#"{"id":2,"b":3,"a":4}"#,
                r#"{"id":3,"a":4,"x":5}"#,
                r#"{"c":"é","id":4,"a":5}"#,
                r#"{"c":"ß","id":5,"a":18446744073709551615}"#,
            ],
        );
    }

    fn signs_and_labels_are_those_of_the_time(server) {
        let db = server.fresh_db("followed");
        contents(
            &db,
            "create table t (id int primary key, n tinyint unsigned, e enum('a', 'b'), s set('x', 'y'));\n\
             insert into t values (1, 200, 'b', 'x,y');\n\
             truncate table t;\n\
             alter table t modify n tinyint, modify e enum('b', 'a'), modify s set('y', 'x');\n\
             insert into t values (2, -56, 'b', 'x');\n\
             truncate table t;\n\
             alter table t modify n tinyint unsigned, modify e enum('it''s', '\\\\', 'é')",
            &[
                r#"{"id":1,"n":200,"e":"b","s":["x","y"]}"#,
                "null",
                r#"{"id":2,"n":-56,"e":"b","s":["x"]}"#,
                "null",
            ],
        );
    }

    fn tables_that_are_gone_by_now(server) {
        let db = server.fresh_db("followed");
        contents(
            &db,
            "create table t (id int primary key, a int);\n\
             insert into t values (1, 2);\n\
             alter table t add b int;\n\
             insert into t values (2, 3, 4);\n\
             drop table t",
            &[r#"{"id":1,"a":2}"#, r#"{"id":2,"a":3,"b":4}"#, "null"],
        );
    }

    fn a_table_takes_its_definition_along(server) {
        let db = server.fresh_db("followed");
        contents(
            &db,
            "create table model (id int primary key, a int);\n\
             create table made like model;\n\
             alter table made add b int first;\n\
             alter table model add z int first;\n\
             rename table made to t;\n\
             insert into t values (1, 2, 3);\n\
             alter table t drop b",
            &[r#"{"b":1,"id":2,"a":3}"#],
        );
    }
}

on_servers! {
    [mysql_5_7, mysql_8_0, mariadb_11_4] fn schemas_are_told_where_they_change(server) {
        let db = server.fresh_db("followed");
        let start = Start::here(&db);
        db.sql(
            "create table t (id int primary key, z int, a varchar(3) character set latin1);\n\
             insert into t values (1, 0, 'a');\n\
             alter table t drop z, add b int unique;\n\
             insert into t values (2, 'b', 3);\n\
             create index i on t (a)",
        );
        let run = start.tail_with(&db, "t", &["--quiet", "--schemas"]).expect_code(0);
        let told: Vec<(String, String)> = run.lines().into_iter().map(|tuple| (tuple.op, tuple.content_text)).collect();
        let ops: Vec<&str> = told.iter().map(|(op, _)| &**op).collect();
        assert_eq!(ops, ["schema", "upsert", "schema", "upsert", "schema"], "{}", run.text());
        let columns = |i: usize| -> Vec<String> {
            let json: serde_json::Value = serde_json::from_str(&told[i].1).expect("JSON");
            let names = json["columns"].as_array().expect("columns");
            names.iter().map(|column| column["name"].as_str().expect("a name").to_string()).collect()
        };
        assert_eq!((columns(0), columns(2)), (vec!["id".into(), "z".into(), "a".into()], vec!["id".into(), "a".into(), "b".into()]));
        assert!(told[2].1.contains(r#""sql":"alter table t drop z, add b int unique""#), "{}", told[2].1);
        assert!(told[4].1.contains(r#"{"name":"i","unique":false,"columns":["a"]}"#), "{}", told[4].1);
        // A run that goes on from any line repeats no row.
        for (i, line) in run.text().lines().enumerate() {
            let home = Dumpa::bare();
            std::fs::write(home.file("line.json"), line).expect("the line is written");
            let rest = Dumpa::new(server, &db).in_the_folder_of(&home);
            let args = ["tail", "t", "--from", "line.json", "--until", "now", "--quiet"];
            let rest = rest.args(args).run();
            if i == 0 {
                // Nothing tells any more what the table was like before the ALTER.
                rest.expect_code(4);
                continue;
            }
            let rows = told.iter().skip(i + 1).filter(|(op, _)| op != "schema").count();
            assert_eq!(rest.expect_code(0).lines().len(), rows, "after line {i}: {line}");
        }
    }

    [mysql_8_0] fn what_is_not_followed_is_asked_for(server) {
        let db = server.fresh_db("followed");
        let start = Start::here(&db);
        db.sql(
            "create table t (id int primary key, a int);\n\
             alter table t add index ((a + 1)), add b int after id;\n\
             insert into t values (1, 2, 3)",
        );
        let run = start.tail_with(&db, "t", &["--quiet", "--schemas"]);
        let contents: Vec<String> = run.lines().into_iter().map(|tuple| tuple.content_text).collect();
        assert!(contents[1].starts_with(r#"{"columns":null,"#), "{contents:?}");
        assert_eq!(contents.last().map(String::as_str), Some(r#"{"id":1,"b":2,"a":3}"#), "{}", run.stderr);
    }
}

on_each_server! {
    fn two_tables_change_names_through_a_third(server) {
        let start = place(server);
        let db = server.fresh_db("swapped");
        db.sql("
            create table a (x int primary key);
            create table b (y int primary key);
            insert into a values (1);
            insert into b values (2);
            rename table a to tmp, b to a, tmp to b;
            insert into a values (3);
            insert into b values (4)");
        let run = Dumpa::without_db(server)
            .args(["tail", "--allow-missing", "--from", &start, "--until", "now", &format!("{}.*", db.name)])
            .run()
            .expect_code(0);
        let fold = Fold::of(run.lines());
        let load = Dumpa::without_db(server).args(["load", &format!("{}.*", db.name)]).run().expect_code(0);
        assert_eq!(fold, Fold::of(load.lines()));
    }

    fn names_after_set_names_are_read_in_its_character_set(server) {
        let start = place(server);
        let db = server.fresh_db("names");
        let mut conn = db.conn();
        conn.query_drop("set names latin1").expect("SET NAMES");
        // The bytes of `é` in UTF-8 are two characters of latin1.
        conn.query_drop("create table t (`é` int primary key)").expect("CREATE");
        let run = Dumpa::without_db(server)
            .args(["tail", "--schemas", "--allow-missing", "--from", &start, "--until", "now"])
            .args([format!("{}.*", db.name)])
            .run()
            .expect_code(0);
        assert!(run.text().contains("\"name\":\"Ã©\""), "{}", run.text());
    }
}

// The log has names and types, but not what else a schema line tells: that is the catalog's, if it was so there.
on_servers!([mysql_8_0, mariadb_11_4] fn a_schema_line_is_not_that_of_a_later_table(shared) {
    let server = Server::private(&shared.name, &["--binlog-row-metadata=FULL"]);
    let db = server.fresh_db("followed");
    for (alter, first) in [
        ("add b bigint", r#"{"name":"a","type":"int","nullable":true}],"primary_key":["id"]"#),
        ("modify a bigint", r#"{"columns":null,"sql":null}"#),
    ] {
        db.sql("drop table if exists t;\ncreate table t (id int primary key, a int)");
        let start = Start::here(&db);
        db.sql(&format!("insert into t (id, a) values (1, 2), (2, 3);\nupdate t set a = 4;\nalter table t {alter};\ninsert into t (id) values (3)"));
        let lines = start.tail_with(&db, "t", &["--quiet", "--schemas"]).expect_code(0).lines();
        let told: Vec<&Tuple> = lines.iter().filter(|line| line.op == "schema").collect();
        assert_eq!(lines.len() - told.len(), 5, "{alter}");
        assert!(lines[0].content_text.contains(first), "{alter}: {}", lines[0].raw);
        assert!(told.last().expect("a line").content_text.contains(r#""type":"bigint""#), "{alter}: {told:?}");
        let before = lines.iter().position(|line| line.content_text.contains("alter table")).expect("the statement");
        assert!(!lines[..before].iter().any(|line| line.content_text.contains("bigint")), "{alter}");
    }
});

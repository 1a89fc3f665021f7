//! The schema history that `load --save` and `position --save` keep.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::common::*;

/// The lines after the first.
fn lines(dumpa: &Dumpa, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(dumpa.file(name)).expect("a history");
    let mut lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let header: Value = lines.next().expect("a header");
    assert_eq!(header["format"], "dumpa schema history");
    lines.collect()
}

fn names(line: &Value) -> Vec<&str> {
    line["columns"].as_array().into_iter().flatten().filter_map(|column| column["name"].as_str()).collect()
}

on_each_server! {
    fn a_saved_position_has_the_definitions_that_hold_there_beside_it(server) {
        let db = server.fresh_db("history");
        db.sql("create table t (id int primary key, a int); create table u (b int); insert into t values (1, 2)");
        let both = [&["load", "--quiet"][..], &["position"]];
        for args in both {
            let dumpa = Dumpa::new(server, &db).args(args).args(["--save", "pos.json"]);
            dumpa.run().expect_code(0);
            let position: Value =
                serde_json::from_slice(&fs::read(dumpa.file("pos.json")).expect("a position")).expect("JSON");
            let kept = lines(&dumpa, "pos.json.schema");
            let tables: Vec<_> =
                kept.iter().map(|line| (line["table"].as_str(), names(line), &line["complete"][0][0])).collect();
            let name = Value::from(db.name.as_str());
            assert_eq!(
                tables,
                [
                    (Some("t"), vec!["id", "a"], &Value::Null),
                    (Some("u"), vec!["b"], &Value::Null),
                    (None, vec![], &name)
                ],
                "{args:?}"
            );
            for line in &kept {
                for member in ["file", "position", "log", "server_uuid"] {
                    assert_eq!(line[member], position[member], "{args:?} {member}");
                }
                assert_eq!(line.get("sql").is_some(), line["complete"].is_null());
            }
            // Nothing is written twice, and the history goes on with what has changed.
            dumpa.run().expect_code(0);
            // Others may have moved the place meanwhile.
            let about_tables = |lines: Vec<Value>| lines.into_iter().filter(|line| line["complete"].is_null()).collect::<Vec<_>>();
            assert_eq!(about_tables(lines(&dumpa, "pos.json.schema")), kept[..2]);
            db.sql("alter table t add c int; drop table u; create table v (x int)");
            dumpa.run().expect_code(0);
            let later = about_tables(lines(&dumpa, "pos.json.schema"));
            let told: Vec<_> = later[2..].iter().map(|line| (line["table"].as_str(), names(line))).collect();
            assert_eq!(
                told,
                [(Some("t"), vec!["id", "a", "c"]), (Some("v"), vec!["x"]), (Some("u"), vec![])]
            );
            assert!(later[4]["columns"].is_null() && later[2]["position"].as_u64() > kept[0]["position"].as_u64());
            db.sql("alter table t drop column c; drop table v; create table u (b int)");
        }
    }
}

on_servers!([mysql_8_0, mariadb_11_4] fn a_history_is_named_and_of_the_selected_tables(server) {
    let db = server.fresh_db("history");
    db.sql("create table t (id int primary key); create table u (b int)");
    let dumpa = Dumpa::new(server, &db).args(["position", "--schema", "h", "--save", "p", "t"]);
    dumpa.run().expect_code(0);
    let tables: Vec<_> = lines(&dumpa, "h").iter().map(|line| line["table"].as_str().map(str::to_string)).collect();
    assert_eq!(tables, [Some("t".to_string()), None]);
    assert!(!dumpa.file("p.schema").exists());
    // Without a selection there is nothing to keep.
    let none = Dumpa::without_db(server).args(["position", "--save", "p"]);
    none.run().expect_code(0);
    assert_eq!(fs::read_dir(none.dir()).expect("a folder").count(), 1);
    for (args, says) in [
        (&["position", "--save", "p", "--schema", "p"][..], "the file of --save"),
        (&["position", "nosuch"], "there is no base table nosuch"),
        (&["load", "--schema", "h"], "--save"),
    ] {
        let run = Dumpa::new(server, &db).args(args).run();
        assert!(run.code != Some(0) && run.stderr.contains(says), "{args:?}: {}", run.stderr);
    }
    let run = Dumpa::without_db(server).args(["position", "--schema", "h"]).run().expect_code(2);
    assert!(run.stderr.contains("no database"), "{}", run.stderr);
});

on_servers!([mysql_8_0, mariadb_11_4] fn nothing_is_saved_where_the_history_cannot_be(server) {
    let db = server.fresh_db("history");
    db.sql("create table t (id int primary key); insert into t values (1)");
    for args in [&["load", "--quiet"][..], &["position"]] {
        // A full disk, another log, another process.
        let cases = [("/dev/full", 2, "not a regular file"), ("h", 2, "another log"), ("h", 1, "another process")];
        for (schema, code, says) in cases {
            let dumpa = Dumpa::new(server, &db).args(args).args(["--save", "p", "--schema", schema]);
            let history = concat!(
                r#"{"format":"dumpa schema history","version":1}"#, "\n",
                r#"{"file":"b.1","position":4,"server_uuid":"other","log":"1-1","#,
                r#""database":"d","table":"t","sql":null,"columns":null}"#, "\n"
            );
            fs::write(dumpa.file("h"), history).expect("a file");
            let locked = File::open(dumpa.file("h")).expect("a file");
            if code == 1 {
                locked.lock().expect("a lock");
            } else if schema == "h" && server.is_mariadb() {
                // It has no server_uuid to tell.
                continue;
            }
            let run = dumpa.run().expect_code(code);
            assert!(run.stderr.contains(says) && run.text().is_empty(), "{args:?} {schema}: {}", run.stderr);
            assert!(!dumpa.file("p").exists());
            assert_eq!(fs::read_to_string(dumpa.file("h")).expect("a file"), history);
        }
    }
    let dumpa = Dumpa::new(server, &db).args(["load", "--save", "p"]);
    File::create(dumpa.file("p.schema")).expect("a file");
    fs::set_permissions(dumpa.file("p.schema"), Permissions::from_mode(0o640)).expect("a mode");
    dumpa.run().expect_code(0);
    assert_eq!(dumpa.file("p.schema").metadata().expect("a file").permissions().mode() & 0o777, 0o640);
});

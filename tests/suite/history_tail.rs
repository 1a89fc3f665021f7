//! A tail with a schema history: each row under the columns that it was written with, however often the run is resumed.

use std::fs;

use mysql::prelude::Queryable;

use crate::common::*;

/// What changes names, order and types in ways that only who follows each statement can tell.
const CHANGES: &str = "
    insert into t values (1, 10, 20);
    alter table t modify a int after b;
    insert into t values (2, 20, 10);
    alter table t drop b, add c varchar(9) character set latin1 not null default 'é' first;
    insert into t values ('c', 3, 30);
    alter table t change c d text character set utf8, convert to character set utf8;
    insert into t values ('d', 4, 40);
    rename table t to u, u to v, v to t;
    insert into t values (5, 'u');
    insert into u values ('u', 6, 60);
    drop table t;
    create table t (id int primary key, x int, y int);
    insert into t values (7, 1, 2);
    drop table t;
    create table t (id int primary key, y int, x int);
    insert into t values (8, 1, 2);
    flush logs;
    create table w like t;
    alter table w rename to x, modify x int first;
    insert into x values (3, 9, 4)";

const CONTENTS: [&str; 8] = [
    r#"{"id":1,"a":10,"b":20}"#,
    r#"{"id":2,"b":20,"a":10}"#,
    r#"{"c":"c","id":3,"a":30}"#,
    r#"{"d":"d","id":4,"a":40}"#,
    r#"{"id":5,"n":"u"}"#,
    r#"{"d":"u","id":6,"a":60}"#,
    r#"{"id":7,"x":1,"y":2}"#,
    r#"{"id":8,"y":1,"x":2}"#,
];
const LAST: &str = r#"{"x":3,"id":9,"y":4}"#;

fn tables(db: &Db) {
    db.sql("create table t (id int primary key, a int, b int); create table u (id int primary key, n varchar(3))");
}

/// `v` does not exist, so names change places by a third one.
fn changes() -> String {
    CHANGES.replace("rename table t to u, u to v, v to t", "rename table u to v, t to u, v to t")
}

fn contents(lines: &[Tuple]) -> Vec<&str> {
    let rows = lines.iter().filter(|line| line.op == "upsert");
    rows.map(|line| line.content_text.as_str()).collect()
}

fn tail(db: &Db, home: &Dumpa, args: &[&str]) -> Dumpa {
    let tail = Dumpa::new(db.server, db).args(["tail", "--swaps", "continue", "--allow-missing"]).args(args);
    tail.in_the_folder_of(home)
}

#[track_caller]
fn begin(db: &Db) -> Dumpa {
    let home = Dumpa::new(db.server, db).args(["position", "--save", "pos.json"]).in_memory();
    home.run().expect_code(0);
    home
}

on_each_server! {
    fn each_row_has_the_columns_that_it_was_written_with(server) {
        let db = server.fresh_db("history");
        tables(&db);
        let home = begin(&db);
        db.sql(&changes());
        let end = place(server);
        let until = ["--until", &end];
        let wanted: Vec<&str> = CONTENTS.iter().copied().chain([LAST]).collect();
        let all = tail(&db, &home, &[&["--from", "pos.json"][..], &until].concat()).run().expect_code(0).lines();
        assert_eq!(contents(&all), wanted);
        // Without the history, the first row cannot be read.
        fs::rename(home.file("pos.json.schema"), home.file("history")).expect("it is renamed");
        let run = tail(&db, &home, &[&["--from", "pos.json"][..], &until].concat()).run().expect_code(4);
        assert!(run.stdout.is_empty(), "{}", run.text());
        // One that was kept of the beginning only is completed.
        fs::copy(home.file("history"), home.file("first")).expect("it is copied");
        for (i, line) in all.iter().enumerate() {
            fs::write(home.file("line.json"), &line.raw).expect("a file");
            for history in ["history", "first"] {
                let args = [&["--from", "line.json", "--schema", history][..], &until].concat();
                let rest = tail(&db, &home, &args).run().expect_code(0).lines();
                let raw = |lines: &[Tuple]| lines.iter().map(|line| line.raw.clone()).collect::<Vec<_>>();
                assert_eq!(raw(&rest), raw(&all[i + 1..]), "{history}, resumed from line {i}");
            }
        }
        // Nothing is written twice, and what no run told is told.
        let kept = fs::read_to_string(home.file("history")).expect("a history");
        let statements: Vec<&str> = kept.lines().filter(|line| line.contains(r#""sql":""#)).collect();
        let distinct: std::collections::BTreeSet<&&str> = statements.iter().collect();
        assert_eq!(statements.len(), distinct.len(), "{kept}");
        assert!(statements.iter().any(|line| line.contains("modify a int after b")), "{kept}");
    }

    fn a_history_that_a_crash_cut_anywhere_misleads_nobody(server) {
        let db = server.fresh_db("history");
        tables(&db);
        let home = begin(&db);
        let start = place(server);
        db.sql(&changes());
        let end = place(server);
        let args = ["--from", "pos.json", "--save", "pos.json", "--until", &end];
        let all = tail(&db, &home, &args).run().expect_code(0).lines();
        let history = fs::read(home.file("pos.json.schema")).expect("a history");
        let wanted: Vec<&str> = CONTENTS.iter().copied().chain([LAST]).collect();
        assert_eq!(contents(&all), wanted);
        let first = history.split(|byte| *byte == b'\n').next().expect("a line").len() + 1;
        for cut in (first..history.len()).step_by(history.len() / 9) {
            fs::write(home.file("cut"), &history[..cut]).expect("a file");
            let run = tail(&db, &home, &["--from", &start, "--schema", "cut", "--until", &end]).run();
            let lines = run.lines();
            let told = contents(&lines);
            assert_eq!(told, wanted[..told.len()], "cut at {cut}");
            // Without its beginning, the first row cannot be read.
            assert_eq!(run.code, Some(if told.is_empty() { 4 } else { 0 }), "cut at {cut}: {}", run.stderr);
        }
    }

    fn a_killed_tail_goes_on_where_it_was(server) {
        let db = server.fresh_db("history");
        tables(&db);
        let home = begin(&db);
        let args = ["--from", "pos.json", "--schema", "history"];
        fs::rename(home.file("pos.json.schema"), home.file("history")).expect("it is renamed");
        let script = changes();
        let mut lines: Vec<Tuple> = Vec::new();
        let mut live = tail(&db, &home, &args).spawn();
        for statement in script.split(";\n") {
            if statement.contains("rename table") {
                // A run that looks for tables while MariaDB renames them one by one may miss some.
                drop(live.end_by(libc::SIGKILL));
                db.sql(statement);
                live = tail(&db, &home, &["--from", "line.json", "--schema", "history"]).spawn();
                continue;
            }
            db.sql(statement);
            if !statement.trim_start().starts_with("insert") {
                continue;
            }
            loop {
                let line = live.next();
                let is_row = line.op == "upsert";
                fs::write(home.file("line.json"), &line.raw).expect("a file");
                lines.push(line);
                if is_row {
                    break;
                }
            }
            drop(live.end_by(libc::SIGKILL));
            live = tail(&db, &home, &["--from", "line.json", "--schema", "history"]).spawn();
        }
        drop(live.end_by(libc::SIGKILL));
        let wanted: Vec<&str> = CONTENTS.iter().copied().chain([LAST]).collect();
        assert_eq!(contents(&lines), wanted);
    }
}

// As a tool does that changes a schema online: its run is longer than that of a tail.
on_each_server! {
    fn a_table_from_before_the_run_is_read_again(server) {
        let db = server.fresh_db("history");
        db.sql("create table t (id int primary key, n int, v varchar(9)); insert into t values (1, 10, 'a'), (2, 20, 'b')");
        let loaded = Dumpa::new(server, &db).args(["load", "--save", "pos.json", "t"]).in_memory();
        let mut lines = loaded.run().expect_code(0).lines();
        let home = &loaded;
        let run = |until: &str| {
            let args = ["tail", "--from", "pos.json", "--save", "pos.json", "--until", until, "t"];
            Dumpa::new(server, &db).args(args).in_the_folder_of(home).run().expect_code(0).lines()
        };
        for script in [
            "create table _t_gho like t; alter table _t_gho drop v, add extra int not null default 7 first",
            "insert into _t_gho (id, n) select id, n from t where id < 2; insert into t values (3, 30, 'c')",
            "insert into _t_gho (id, n) values (3, 30); flush logs",
            "create table other (id int); insert into _t_gho (id, n) values (2, 20)",
            "update t set n = 11 where id = 1; update _t_gho set n = 11 where id = 1",
        ] {
            db.sql(script);
            lines.extend(run(&place(server)));
        }
        db.sql("rename table t to _t_del, _t_gho to t; drop table _t_del; insert into t values (9, 4, 40)");
        let end = place(server);
        let rest = run(&end);
        let ops: Vec<(&str, &str)> = rest.iter().map(|line| (&*line.op, &*line.content_text)).collect();
        assert_eq!(
            ops,
            [
                ("truncate", "null"),
                ("upsert", r#"{"extra":7,"id":1,"n":10}"#),
                ("upsert", r#"{"extra":7,"id":3,"n":30}"#),
                ("upsert", r#"{"extra":7,"id":2,"n":20}"#),
                ("upsert", r#"{"extra":7,"id":1,"n":11}"#),
                ("upsert", r#"{"extra":9,"id":4,"n":40}"#),
            ]
        );
        let wanted = Dumpa::new(server, &db).args(["load", "t"]).run().expect_code(0).lines();
        Fold::of(lines).then(rest).assert_is(&Fold::of(wanted), "after the cutover");
    }
}

on_each_server! {
    fn validate_pos_tells_of_the_history(server) {
        let db = server.fresh_db("history");
        tables(&db);
        let home = begin(&db);
        let start = place(server);
        db.sql("alter table t modify a int after b");
        let schema = |args: &[&str]| {
            let run = Dumpa::new(server, &db).args(["validate-pos"]).args(args).in_the_folder_of(&home).run();
            let verdict: serde_json::Value = serde_json::from_str(run.expect_code(0).text()).expect("JSON");
            verdict["schema"].as_str().expect("a word").to_string()
        };
        assert_eq!(schema(&["pos.json"]), "history");
        assert_eq!(schema(&[&start, "--schema", "pos.json.schema"]), "history");
        assert_eq!(schema(&[&start]), "unknown");
        // Of a place before its beginning it tells nothing.
        assert_eq!(schema(&["earliest", "--schema", "pos.json.schema"]), "unknown");
    }
}

on_servers!([mysql_8_0, mysql_9_7] fn a_statement_that_is_not_followed_is_named(server) {
    let db = server.fresh_db("history");
    tables(&db);
    let home = begin(&db);
    db.sql("insert into t values (1, 10, 20); alter table t add index ((a + 1)); insert into t values (2, 20, 30)");
    let before = place(server);
    let wanted = [r#"{"id":1,"a":10,"b":20}"#, r#"{"id":2,"a":20,"b":30}"#];
    let run = tail(&db, &home, &["--from", "pos.json", "--until", &before, "t"]).run().expect_code(0);
    assert_eq!(contents(&run.lines()), wanted, "the catalog has it");
    db.sql("drop table t");
    let end = place(server);
    let run = tail(&db, &home, &["--from", "pos.json", "--until", &end, "t"]).run().expect_code(4);
    assert_eq!(contents(&run.lines()), wanted[..1]);
    let says = ["dumpa does not follow the statement at bin.", "an index on an expression", "DROP TABLE"];
    assert!(says.iter().all(|text| run.stderr.contains(text)), "{}", run.stderr);
});

on_servers!([mysql_5_7, mariadb_11_4] fn a_history_that_ends_before_the_log_begins_is_completed(shared) {
    let server = Server::private(&shared.name, &[]);
    let db = server.fresh_db("history");
    tables(&db);
    let home = begin(&db);
    db.sql("alter table t modify a int after b; flush logs; insert into t values (1, 20, 10)");
    let from = place(&server);
    let file = from.split(':').next().unwrap_or_default();
    eventually("nobody reads the first file", || {
        server.sql(&format!("purge binary logs to '{file}'"));
        (server.conn().query::<mysql::Row, _>("show binary logs").expect("a list").len() == 1).then_some(())
    });
    let start = format!("{file}:4");
    let args = ["--from", &start, "--schema", "pos.json.schema", "--until", &from];
    let run = tail(&db, &home, &args).run().expect_code(0);
    assert_eq!(contents(&run.lines()), [r#"{"id":1,"b":20,"a":10}"#]);
    // And is complete from there on.
    db.sql("alter table t modify a int first; insert into t values (10, 2, 20)");
    let end = place(&server);
    let run = tail(&db, &home, &["--from", &from, "--schema", "pos.json.schema", "--until", &end]).run().expect_code(0);
    assert_eq!(contents(&run.lines()), [r#"{"a":10,"id":2,"b":20}"#]);
});

on_servers!([mysql_5_7, mariadb_11_4] fn a_long_history_loses_what_the_server_has_purged(shared) {
    let server = Server::private(&shared.name, &[]);
    let db = server.fresh_db("history");
    tables(&db);
    let home = begin(&db);
    let mut history = fs::read_to_string(home.file("pos.json.schema")).expect("a history");
    for i in 0..10_000 {
        history.push_str(&format!(
            r#"{{"file":"bin.000001","position":{},"database":"{}","table":"v{}","sql":"drop table","columns":null}}"#,
            1_000_000 + i, db.name, i % 7
        ));
        history.push('\n');
    }
    fs::write(home.file("history"), history).expect("a file");
    db.sql("flush logs");
    let from = place(&server);
    let file = from.split(':').next().unwrap_or_default();
    let size = || fs::metadata(home.file("history")).expect("a file").len();
    let run = || tail(&db, &home, &["--from", "now", "--until", "now", "--schema", "history"]).run().expect_code(0);
    run();
    assert!(size() > 1 << 20);
    eventually("nobody reads the first file", || {
        server.sql(&format!("purge binary logs to '{file}'"));
        (server.conn().query::<mysql::Row, _>("show binary logs").expect("a list").len() == 1).then_some(())
    });
    run();
    assert!(size() < 10_000, "{} bytes", size());
    // What held then is still known.
    db.sql("insert into t values (1, 10, 20); alter table t modify a int after b");
    let run = tail(&db, &home, &["--from", &from, "--until", "now", "--schema", "history"]).run().expect_code(0);
    assert_eq!(contents(&run.lines()), [r#"{"id":1,"a":10,"b":20}"#]);
});

// What was followed after the last place that the history tells all of: as of a run that was killed.
on_each_server! {
    fn statements_in_a_gap_of_the_history_are_followed_again(server) {
        let db = server.fresh_db("history");
        tables(&db);
        let home = begin(&db);
        db.sql("create table n (id int primary key, a int, b int);\ninsert into n values (1, 2, 3);\ntruncate table n");
        let first = place(server);
        tail(&db, &home, &["--from", "pos.json", "--schema", "history", "--until", &first, "t"]).run().expect_code(0);
        db.sql("alter table n change a b int, change b a int;\ninsert into n values (2, 5, 6);\nalter table t modify a int after b");
        let gap = place(server);
        let before = fs::read_to_string(home.file("history")).expect("a history");
        tail(&db, &home, &["--from", &first, "--schema", "history", "--until", &gap, "t"]).run().expect_code(0);
        // As if it had been killed before it noted how far it came.
        let after = fs::read_to_string(home.file("history")).expect("a history");
        let killed: String = after.lines().filter(|line| before.contains(line) || !line.contains("complete")).map(|line| format!("{line}\n")).collect();
        assert!(killed.contains("change a b int") && killed.len() > before.len(), "{killed}");
        db.sql("rename table t to o, n to t;\ninsert into t values (3, 7, 8)");
        let end = place(server);
        for history in [&before, &killed] {
            fs::write(home.file("history"), history).expect("a file");
            let run = Dumpa::new(server, &db).args(["tail", "--from", &gap, "--schema", "history", "--until", &end, "t"]);
            let run = run.in_the_folder_of(&home).run();
            let wanted = [r#"{"id":2,"b":5,"a":6}"#, r#"{"id":3,"b":7,"a":8}"#];
            // Where its TRUNCATE stands is held only in the lines of the run that was killed.
            match run.code {
                Some(4) => assert!(run.stdout.is_empty() && run.stderr.contains("cannot be read again"), "{}", run.stderr),
                code => assert_eq!((code, contents(&run.lines())), (Some(0), wanted.to_vec()), "{}", run.text()),
            }
            if std::ptr::eq(history, &killed) {
                assert_eq!(run.code, Some(0), "{}", run.stderr);
            }
        }
    }
}

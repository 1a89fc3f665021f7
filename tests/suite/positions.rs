//! Positions: what they hold, which log they are of, and that a run resumed from one is the rest of the run before.

use std::fs;
use std::thread;
use std::time::Duration;

use mysql::prelude::Queryable;
use serde_json::Value;

use crate::common::*;

/// Where the log ends, as `position` prints it.
fn position(server: &Server) -> Value {
    let run = Dumpa::without_db(server).args(["position"]).run().expect_code(0);
    serde_json::from_str(run.text()).expect("JSON")
}

fn saved(home: &Dumpa, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(home.file(name)).expect("a saved position")).expect("JSON")
}

/// Runs `tail` in the folder of `home`.
fn tail(server: &Server, db: &Db, home: &Dumpa, args: &[&str]) -> Run {
    Dumpa::new(server, db).args(["tail"]).args(args).in_the_folder_of(home).run()
}

fn ids(run: &Run) -> Vec<String> {
    run.lines().into_iter().map(|line| line.id_text).collect()
}

fn reset(server: &Server) {
    let new_words = server.is_mysql() && server.version() >= (8, 4);
    server.sql(if new_words { "reset binary logs and gtids" } else { "reset master" });
}

on_each_server! {
    fn a_log_that_was_reset_is_another(shared) {
        let server = Server::private(&shared.name, &[]);
        let db = server.fresh_db("reset");
        let home = Dumpa::bare();
        db.sql("create table t (id int primary key) engine=innodb");
        reset(&server);
        db.sql("insert into t values (1), (2), (3)");
        let p = position(&server);
        fs::write(home.file("position.json"), p.to_string()).unwrap();
        Dumpa::new(&server, &db).args(["load", "--save", "load.json"]).in_the_folder_of(&home).run().expect_code(0);
        tail(&server, &db, &home, &["--from", "position.json", "--until", "now", "--save", "tail.json"]).expect_code(0);
        let run = tail(&server, &db, &home, &["--from", "earliest", "--until", "now"]).expect_code(0);
        fs::write(home.file("line.json"), &run.lines().last().expect("lines").raw).unwrap();
        let all = ["position.json", "load.json", "tail.json", "line.json"];
        for from in all {
            let valid = Dumpa::without_db(&server).args(["validate-pos", from]).in_the_folder_of(&home).run();
            valid.expect_code(0);
            assert_eq!(ids(&tail(&server, &db, &home, &["--from", from, "--until", "now"]).expect_code(0)), [""; 0]);
        }
        // The log's file is created by the second.
        thread::sleep(Duration::from_millis(1100));
        reset(&server);
        for i in 4..40 {
            db.sql(&format!("insert into t values ({i})"));
        }
        // The same file name, an offset that is there, the same server.
        assert_eq!(position(&server)["file"], p["file"]);
        assert!(position(&server)["position"].as_u64() > p["position"].as_u64());
        for from in all {
            let run = tail(&server, &db, &home, &["--from", from, "--until", "now", "--save", "s.json"]).expect_code(3);
            assert!(run.stdout.is_empty() && run.stderr.contains("belongs to another log"), "{from}: {}", run.stderr);
            assert!(!home.file("s.json").exists(), "{from}: nothing good is known to be saved");
            let valid = Dumpa::without_db(&server).args(["validate-pos", from]).in_the_folder_of(&home).run();
            let verdict: Value = serde_json::from_str(valid.expect_code(3).text()).expect("JSON");
            assert!(verdict["reason"].as_str().unwrap().contains("belongs to another log"), "{from}: {verdict}");
        }
        // A run does not end at a place of the earlier log either.
        let run = tail(&server, &db, &home, &["--from", "earliest", "--until", "line.json"]).expect_code(3);
        assert!(run.stderr.contains("belongs to another log"), "{}", run.stderr);
    }

    fn many_savepoints_are_gone_back_to(server) {
        let db = server.fresh_db("many_savepoints");
        db.sql("create table t (id int primary key) engine=innodb;\ncreate table u (id int primary key) engine=innodb");
        let from = format!("{}:{}", position(server)["file"].as_str().unwrap(), position(server)["position"]);
        let mut conn = db.conn();
        conn.query_drop("start transaction").unwrap();
        conn.query_drop("insert into t values (0)").unwrap();
        for i in 1..=3000 {
            // Between two rows that are wanted, and between two that are not. Where nothing changed, none is logged.
            let table = if i % 2 == 0 { "t" } else { "u" };
            conn.query_drop(format!("savepoint s{i}")).unwrap();
            conn.query_drop(format!("insert into {table} values ({i})")).unwrap();
        }
        conn.query_drop("rollback to s2001").unwrap();
        conn.query_drop("savepoint s7").unwrap();
        conn.query_drop("insert into t values (-1)").unwrap();
        conn.query_drop("rollback to s7").unwrap();
        conn.query_drop("commit").unwrap();
        let end = position(server);
        let end = format!("{}:{}", end["file"].as_str().unwrap(), end["position"]);
        let run = tail(server, &db, &Dumpa::bare(), &["t", "--from", &from, "--until", &end]).expect_code(0);
        let expected: Vec<String> = (0..=2000).step_by(2).map(|i| i.to_string()).collect();
        assert_eq!(ids(&run), expected);
    }
}

on_servers! {
    [mysql_5_7, mysql_8_0, mysql_9_7, mariadb_10_11, mariadb_11_8]
    fn an_xa_transaction_that_is_stopped_inside_of_is_resumed_inside(server) {
        let db = server.fresh_db("xa_inside");
        let home = Dumpa::bare();
        db.sql("create table t (id int primary key, v mediumtext) engine=innodb");
        let from = position(server);
        fs::write(home.file("from.json"), from.to_string()).unwrap();
        let xid = format!("inside_{}", db.name);
        // More than is held back, so that it is printed while it is read.
        let mut conn = db.conn();
        for statement in [
            format!("xa start '{xid}'"),
            "insert into t values (1, 'a'), (2, 'b'), (3, 'c')".to_string(),
            "insert into t select id + 10, repeat('x', 3000000) from t".to_string(),
            format!("xa end '{xid}'"),
            format!("xa prepare '{xid}'"),
        ] {
            conn.query_drop(&statement).unwrap_or_else(|why| panic!("{statement}: {why}"));
        }
        let between = position(server);
        fs::write(home.file("between.json"), between.to_string()).unwrap();
        conn.query_drop(format!("xa commit '{xid}'")).unwrap();
        db.sql("insert into t values (99, 'z')");
        let end = position(server);
        fs::write(home.file("end.json"), end.to_string()).unwrap();
        for begin in ["from.json", "between.json"] {
            let all = tail(server, &db, &home, &["--from", begin, "--until", "end.json"]).expect_code(0).lines();
            assert_eq!(all.len(), 7, "{begin}");
            for i in 0..all.len() {
                fs::write(home.file("line.json"), &all[i].raw).unwrap();
                let args = ["--from", begin, "--until", "line.json", "--save", "s.json"];
                let run = tail(server, &db, &home, &args).expect_code(0);
                assert_eq!(run.lines().len(), i + 1);
                // The saved position equals the line's.
                let metadata = &all[i].metadata;
                let saved = saved(&home, "s.json");
                for (of_line, of_saved) in
                    [("next_file", "file"), ("next_position", "position"), ("next_row", "row"), ("log", "log")]
                {
                    let of_line = metadata.get(of_line).cloned().unwrap_or(Value::Null);
                    assert_eq!(saved[of_saved], of_line, "{of_saved} at line {i} of {begin}: {saved}");
                }
                let rest = tail(server, &db, &home, &["--from", "s.json", "--until", "end.json"]).expect_code(0);
                let rest: Vec<String> = rest.lines().into_iter().map(|t| t.without_metadata()).collect();
                let wanted: Vec<String> = all[i + 1..].iter().map(Tuple::without_metadata).collect();
                assert_eq!(rest, wanted, "from what was saved at line {i} of {begin}");
            }
        }
    }

    [mysql_5_7, mysql_8_0, mysql_9_7, mariadb_10_11, mariadb_11_8]
    fn a_statement_in_an_xa_transaction_ends_the_run_when_it_is_committed(shared) {
        // Others' runs would end at what this one logs.
        let own = Server::private(&shared.name, &[]);
        let server = &own;
        let db = server.fresh_db("xa_statement");
        let home = Dumpa::bare();
        db.sql("create table t (id int primary key) engine=innodb");
        for (name, how, code) in [("r", "rollback", 0), ("c", "commit", 4)] {
            fs::write(home.file("from.json"), position(server).to_string()).unwrap();
            let xid = format!("statement_{name}_{}", db.name);
            let mut conn = db.conn();
            conn.query_drop("set session binlog_format = statement").unwrap();
            for statement in [
                format!("xa start '{xid}'"),
                "insert into t values (1)".to_string(),
                format!("xa end '{xid}'"),
                format!("xa prepare '{xid}'"),
            ] {
                conn.query_drop(&statement).unwrap_or_else(|why| panic!("{statement}: {why}"));
            }
            let between = position(server);
            fs::write(home.file("between.json"), between.to_string()).unwrap();
            // Prepared, and perhaps never committed: no reason to end.
            let run = tail(server, &db, &home, &["--from", "from.json", "--until", "between.json"]).expect_code(0);
            assert!(run.stdout.is_empty());
            conn.query_drop(format!("xa {how} '{xid}'")).unwrap();
            fs::write(home.file("end.json"), position(server).to_string()).unwrap();
            for begin in ["from.json", "between.json"] {
                let run = tail(server, &db, &home, &["--from", begin, "--until", "end.json"]).expect_code(code);
                assert!(run.stdout.is_empty(), "{begin} {how}");
                assert!(code == 0 || run.stderr.contains("INSERT of"), "{begin}: {}", run.stderr);
            }
        }
    }

    [mysql_9_7] fn compressed_transactions_and_xa(server) {
        let db = server.fresh_db("xa_compressed");
        let home = Dumpa::bare();
        db.sql("create table t (id int primary key, v text) engine=innodb");
        fs::write(home.file("from.json"), position(server).to_string()).unwrap();
        let xid = |name: &str| format!("{name}_{}", db.name);
        let mut conn = db.conn();
        conn.query_drop("set session binlog_transaction_compression = on").unwrap();
        let mut run = |statement: String| {
            conn.query_drop(&statement).unwrap_or_else(|why| panic!("{statement}: {why}"));
        };
        for (i, (name, how)) in
            [("one", "commit"), ("two", "rollback"), ("three", "commit"), ("four", "one phase")].into_iter().enumerate()
        {
            let xid = xid(name);
            run(format!("xa start '{xid}'"));
            run(format!("insert into t values ({i}1, repeat('x', 2000)), ({i}2, repeat('y', 2000))"));
            run("savepoint s".to_string());
            run(format!("insert into t values ({i}3, 'undone')"));
            run("rollback to s".to_string());
            run(format!("xa end '{xid}'"));
            if how == "one phase" {
                run(format!("xa commit '{xid}' one phase"));
                continue;
            }
            run(format!("xa prepare '{xid}'"));
            if i == 0 {
                fs::write(home.file("between.json"), position(server).to_string()).unwrap();
            }
            run(format!("xa {how} '{xid}'"));
        }
        run("insert into t values (99, 'z')".to_string());
        fs::write(home.file("end.json"), position(server).to_string()).unwrap();
        for begin in ["from.json", "between.json"] {
            let run = tail(server, &db, &home, &["--from", begin, "--until", "end.json"]).expect_code(0);
            assert_eq!(ids(&run), ["1", "2", "21", "22", "31", "32", "99"], "{begin}");
        }
    }

    [mysql_9_7] fn the_gtid_set_of_a_position_holds_until_the_end(server) {
        let db = server.fresh_db("gtid_set");
        let home = Dumpa::bare();
        db.sql("create table t (id int primary key) engine=innodb");
        let mut from = position(server);
        let before: String = server.ask("select @@global.gtid_executed");
        let mut conn = db.conn();
        for i in 1..=9 {
            conn.query_drop(format!("insert into t values ({i})")).unwrap();
        }
        fs::write(home.file("from.json"), from.to_string()).unwrap();
        fs::write(home.file("end.json"), position(server).to_string()).unwrap();
        let all = tail(server, &db, &home, &["--from", "from.json", "--until", "end.json"]).expect_code(0).lines();
        let gtid = |i: usize| all[i].metadata["gtid"].as_str().unwrap().to_string();
        // The second, the fifth and the eighth are done.
        let set = [before.replace('\n', ""), gtid(1), gtid(4), gtid(7)].join(",");
        from["gtid_set"] = set.into();
        fs::write(home.file("from.json"), from.to_string()).unwrap();
        let rest = ["1", "3", "4", "6", "7", "9"];
        let lines = tail(server, &db, &home, &["--from", "from.json", "--until", "end.json"]).expect_code(0).lines();
        assert_eq!(lines.iter().map(|line| line.id_text.as_str()).collect::<Vec<_>>(), rest);
        for (i, line) in lines.iter().enumerate() {
            fs::write(home.file("line.json"), &line.raw).unwrap();
            let args = ["--from", "from.json", "--until", "line.json", "--save", "s.json"];
            assert_eq!(ids(&tail(server, &db, &home, &args).expect_code(0)), rest[..=i]);
            for from in ["line.json", "s.json"] {
                let run = tail(server, &db, &home, &["--from", from, "--until", "end.json"]).expect_code(0);
                assert_eq!(ids(&run), rest[i + 1..], "from {from} of line {i}");
            }
        }
    }
}

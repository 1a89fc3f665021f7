//! What cannot be done: one clear line on stderr, the exit code that fits, and nothing on stdout.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::*;

/// Where the log ends.
fn position(server: &Server) -> Value {
    let run = Dumpa::without_db(server).args(["position"]).run().expect_code(0);
    serde_json::from_str(run.text()).expect("JSON")
}

/// It ends with this code and one line that says each of these.
#[track_caller]
fn refused(dumpa: &Dumpa, code: i32, says: &[&str]) {
    let run = dumpa.run();
    assert_eq!(run.code, Some(code), "{}", run.stderr);
    assert!(run.stdout.is_empty(), "{}", run.text());
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(run.stderr.starts_with("dumpa: "), "{}", run.stderr);
    for text in says {
        assert!(run.stderr.contains(text), "no {text:?}: {}", run.stderr);
    }
}

/// The verdict on a place: its exit code fits, and its shape.
#[track_caller]
fn verdict(server: &Server, place: &str, args: &[&str], home: &Dumpa) -> Value {
    let password = if args.is_empty() { "" } else { "secret" };
    let validate = Dumpa::without_db(server).args(["validate-pos", place]).args(args);
    let run = validate.env("DUMPA_PASSWORD", password).in_the_folder_of(home).run();
    assert_eq!(run.text().lines().count(), 1, "{}", run.stderr);
    let verdict: Value = serde_json::from_str(run.text()).expect("JSON");
    let valid = verdict["valid"].as_bool().expect("a verdict");
    assert_eq!(run.code, Some(if valid { 0 } else { 3 }), "{verdict}");
    assert!(verdict["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{verdict}");
    assert_eq!(run.stderr, "");
    verdict
}

on_each_server! {
    fn places_that_are_not_there(server) {
        let db = server.fresh_db("refusals");
        db.sql("create table t (id int primary key, x varchar(200)) engine=innodb");
        let home = Dumpa::bare();
        let at = position(server);
        let (file, start) = (at["file"].as_str().expect("a name"), at["position"].as_u64().expect("a number"));
        db.sql("begin;\ninsert into t values (1, repeat('x', 200)), (2, null);\ninsert into t values (3, null);\n
            update t set x = 'y' where id = 1;\ncommit");
        let tail = |from: &str| {
            Dumpa::new(server, &db).args(["tail", "--from", from, "--until", "now"]).in_the_folder_of(&home)
        };
        assert_eq!(tail(&format!("{file}:{start}")).run().expect_code(0).lines().len(), 4);
        // Every event of the transaction, and one byte behind it.
        let events: Vec<(u64, String)> = {
            use mysql::prelude::Queryable;
            let query = format!("show binlog events in '{file}' from {start}");
            let rows: Vec<mysql::Row> = server.conn().query(query).expect("its events");
            rows.iter().map(|row| (row.get(1).expect("an offset"), row.get(2).expect("a type"))).collect()
        };
        for (offset, kind) in &events[1..] {
            let begins = matches!(kind.as_str(), "Query" | "Gtid" | "Anonymous_Gtid" | "Format_desc");
            for (offset, good) in [(*offset, begins), (offset + 1, false)] {
                let place = format!("{file}:{offset}");
                let run = tail(&place).run();
                if good {
                    run.expect_code(0);
                    continue;
                }
                assert_eq!(run.code, Some(3), "{kind} at {place}: {}", run.stderr);
                assert!(run.stdout.is_empty() && run.stderr.lines().count() == 1, "{}", run.stderr);
                let verdict = verdict(server, &place, &[], &home);
                assert_eq!((&verdict["valid"], &verdict["position"]), (&json!(false), &json!(offset)), "{kind} at {place}: {verdict}");
            }
        }
        for (place, says) in [
            (format!("{file}:{}", start + (1 << 31)), "beyond"),
            (format!("{file}:3"), ""),
            (format!("{file}:{}", 1u64 << 33), "4 GiB"),
            ("bin.999999:4".to_string(), "Load again"),
            ("other.000001:4".to_string(), "Load again"),
        ] {
            let mut follow = Dumpa::new(server, &db).args(["tail", "--from", &place]);
            refused(&follow, 3, &[says, &place]);
            follow = follow.args(["--until", "now"]);
            assert_eq!(follow.run().code, Some(3));
            let verdict = verdict(server, &place, &[], &home);
            assert!(verdict["valid"] == false && verdict["reason"].as_str().is_some_and(|r| r.contains(says)), "{verdict}");
        }
        for place in ["now".to_string(), "earliest".to_string(), format!("{file}:{start}"), format!("{file}:4")] {
            let verdict = verdict(server, &place, &[], &home);
            assert_eq!(verdict["valid"], true, "{place}: {verdict}");
            assert!(verdict["file"].is_string() && verdict["position"].is_u64() && verdict["server"].is_string());
        }
    }

    fn position_files_of_all_kinds(server) {
        let db = server.fresh_db("refusals");
        let home = Dumpa::bare();
        let cases = [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("{", "cut short"),
            ("[\"upsert\",\"t\",1,{},{\"ts\":\"2026-11-22T07:31:14Z\",\"next_fi", "cut short"),
            ("hello", "not JSON"),
            ("{}", "no \"file\""),
            ("{\"file\":\"bin.000001\"}", "no \"position\""),
            ("{\"file\":7,\"position\":4}", "not a string"),
            ("{\"file\":\"bin.000001\",\"position\":-4}", "not a whole number"),
            ("{\"file\":\"bin.000001\",\"position\":4,\"row\":\"x\"}", "not a whole number"),
            ("[\"upsert\",\"t\",1,{},null]", "--save"),
            ("[1,2]", "not a line"),
            ("{\"file\":\"bin.000001\",\"position\":4}\n{\"file\":\"bin.000001\",\"position\":4}\n", "tail -n 1"),
            ("{\"file\":\"bin.000001\",\"position\":4,\"gtid_set\":\"nonsense\"}", "GTID"),
            ("\u{feff}{\"file\":\"bin.000001\",\"position\":4}", "not JSON"),
        ];
        for (text, says) in cases {
            fs::write(home.file("bad.json"), text).expect("a file");
            let tail = Dumpa::new(server, &db).args(["tail", "--from", "bad.json", "--until", "now"]);
            refused(&tail.in_the_folder_of(&home), 2, &[says]);
            if !says.contains("GTID") {
                let validate = Dumpa::new(server, &db).args(["validate-pos", "bad.json"]);
                refused(&validate.in_the_folder_of(&home), 2, &[says, "bad.json"]);
            }
        }
        fs::write(home.file("bytes"), b"\xff\xfe\0").expect("a file");
        for bad in ["bytes", ".", "no-such-file", "bin.000001:", ":4", "bin.000001:x", ""] {
            let tail = Dumpa::new(server, &db).args(["tail", "--from", bad]).in_the_folder_of(&home);
            refused(&tail, 2, &[]);
        }
    }

    fn a_purged_log(shared) {
        let server = Server::private(&shared.name, &[]);
        server.sql("create database d;\ncreate table d.t (id int primary key)");
        let home = Dumpa::bare();
        let at = position(&server).to_string();
        fs::write(home.file("old.json"), &at).expect("a file");
        server.sql("flush logs;\ninsert into d.t values (1);\nflush logs");
        let now = position(&server)["file"].as_str().expect("a name").to_string();
        server.sql(&format!("purge binary logs to '{now}'"));
        let tail = Dumpa::without_db(&server).args(["tail", "d.t", "--from", "old.json", "--save", "new.json"]);
        refused(&tail.in_the_folder_of(&home), 3, &["purged", "Load again"]);
        assert!(!home.file("new.json").exists(), "what was refused is not saved");
        assert_eq!(verdict(&server, "old.json", &[], &home)["valid"], false);
        // A load says before its first row that the log cannot be followed.
        assert_eq!(verdict(&server, "earliest", &[], &home)["valid"], true);
    }

    fn servers_that_do_not_log_rows(shared) {
        let mut server = Server::private(&shared.name, &[]);
        server.sql("create database d;\ncreate table d.t (id int primary key, a int, b int);\ninsert into d.t values (1, 1, 1)");
        let home = Dumpa::bare();
        for (name, value) in [
            ("binlog_format", "STATEMENT"),
            ("binlog_format", "MIXED"),
            ("binlog_row_image", "MINIMAL"),
            ("binlog_row_image", "NOBLOB"),
        ] {
            let (before, says): (String, _) = (server.ask(&format!("select @@{name}")), format!("{name}={value}"));
            server.sql(&format!("set global {name} = '{value}'"));
            let verdict = verdict(&server, "now", &[], &home);
            assert!(verdict["valid"] == false && verdict["reason"].as_str().is_some_and(|r| r.contains(&says)), "{verdict}");
            server.sql(&format!("set global {name} = '{before}'"));
        }
        // An image that lacks columns does not print as a row.
        let mut conn = server.conn();
        conn.query_drop("set session binlog_row_image = 'minimal'").expect("a setting");
        fs::write(home.file("at.json"), position(&server).to_string()).expect("a file");
        conn.query_drop("update d.t set a = 2").expect("an update");
        let tail = Dumpa::without_db(&server).args(["tail", "d.*", "--from", "at.json", "--until", "now"]);
        refused(&tail.in_the_folder_of(&home), 4, &["binlog_row_image=FULL", "d.t", "bin.0"]);
        // In order it would take ten seconds: a server waits for the thread of a reader that went away.
        server.kill_hard();
        server.start(&["--skip-log-bin"]);
        for args in [vec!["tail", "*.*", "--from", "now"], vec!["position"], vec!["tail", "d.t", "--from", "bin.000001:4"]] {
            refused(&Dumpa::without_db(&server).args(&args), 3, &["log_bin"]);
        }
        let load = Dumpa::without_db(&server).args(["load", "d.t", "--save", "no.json"]).in_the_folder_of(&home);
        let run = load.run().expect_code(3);
        assert!(run.stdout.is_empty() && run.stderr.contains("log_bin"), "{}", run.stderr);
        Dumpa::without_db(&server).args(["load", "d.t"]).run().expect_code(0);
        assert_eq!(verdict(&server, "now", &[], &home)["valid"], false);
        assert_eq!(verdict(&server, "bin.000001:4", &[], &home)["valid"], false);
    }

    fn accounts_that_may_not(server) {
        let db = server.fresh_db("refusals");
        db.sql("create table t (id int primary key);\ninsert into t values (1)");
        let home = Dumpa::bare();
        let user = format!("poor{}", std::process::id() % 10_000);
        let monitor = if server.is_mariadb() { "binlog monitor" } else { "replication client" };
        server.sql(&format!("create user {user}@'%' identified by 'secret';\ngrant select on {}.* to {user}@'%'", db.name));
        let dumpa = |args: &[&str]| {
            Dumpa::new(server, &db).args(args).args(["-u", &user]).env("DUMPA_PASSWORD", "secret")
        };
        let at = position(server);
        let place = format!("{}:{}", at["file"].as_str().expect("a name"), at["position"]);
        let grants = |what: &str| format!("GRANT {} ON *.* TO '{user}'@'%'\n", what.to_uppercase());
        // The message ends in the statement to send.
        let lacks = |args: &[&str], privilege: &str| {
            refused(&dumpa(args), 1, &[]);
            let run = dumpa(args).run();
            assert!(run.stderr.ends_with(&grants(privilege)), "{args:?}: {}", run.stderr);
        };
        for command in ["position", "validate-pos now", "validate-pos earliest", "tail --from now"] {
            lacks(&command.split(' ').collect::<Vec<_>>(), monitor);
        }
        // MariaDB tells each session the position of its own snapshot.
        if server.is_mysql() {
            refused(&dumpa(&["load", "t", "--save", "no.json"]).in_the_folder_of(&home), 1, &["GRANT"]);
        }
        lacks(&["validate-pos", &place], "replication slave");
        lacks(&["tail", "--from", &place], "replication slave");
        server.sql(&format!("grant {monitor} on *.* to {user}@'%'"));
        lacks(&["validate-pos", "now"], "replication slave");
        lacks(&["tail", "--from", "earliest"], "replication slave");
        server.sql(&format!("revoke {monitor} on *.* from {user}@'%';\ngrant replication slave on *.* to {user}@'%'"));
        assert_eq!(verdict(server, &place, &["-u", &user], &home)["valid"], true);
        lacks(&["validate-pos", "now"], monitor);
        server.sql(&format!("grant replication slave, {monitor} on *.* to {user}@'%'"));
        assert_eq!(verdict(server, &place, &["-u", &user], &home)["valid"], true);
        dumpa(&["load", "t"]).run().expect_code(0);
        dumpa(&["tail", "--from", "now", "--until", "now"]).run().expect_code(0);
        refused(&Dumpa::new(server, &db).args(["load", "-u", &user]).env("DUMPA_PASSWORD", "wrong"), 1, &[&user, "password"]);
        refused(&Dumpa::new(server, &db).args(["load", "nowhere"]), 1, &["nowhere"]);
        refused(&Dumpa::new(server, &db).args(["load", "t", "nowhere_*"]), 1, &["nowhere_*"]);
        refused(&Dumpa::without_db(server).args(["load", "-D", "no_such_db"]), 1, &["no_such_db"]);
        refused(&Dumpa::without_db(server).args(["load"]), 2, &["-D"]);
        refused(&Dumpa::without_db(server).args(["tail", "--from", "now", "t"]), 2, &["-D"]);
        server.sql(&format!("drop user {user}@'%'"));
    }

    fn a_second_dump_of_the_same_id(server) {
        let db = server.fresh_db("refusals");
        db.sql("create table t (id int primary key) engine=innodb");
        let id = ["--server-id", &format!("{}", 5_000_000 + std::process::id() % 1000)].map(String::from);
        let tail = || Dumpa::new(server, &db).args(["tail", "--from", "now"]).args(&id);
        let mut first = tail().spawn();
        db.sql("insert into t values (1)");
        // It may have come before the tail began, or not.
        while first.next_line(Duration::from_millis(100)).is_none() {
            db.sql("insert into t select max(id) + 1 from t");
        }
        let mut second = tail().spawn();
        while second.next_line(Duration::from_millis(100)).is_none() {
            db.sql("insert into t select max(id) + 1 from t");
        }
        if server.version() == (5, 6) {
            assert!(first.runs(), "5.6 lets both live");
            return;
        }
        let run = first.wait(PATIENCE).expect_code(1);
        assert!(run.stderr.contains("--server-id") && run.stderr.lines().count() == 1, "{}", run.stderr);
        assert!(second.runs());
    }
}

on_servers!([mysql_9_7, mysql_8_0, mysql_5_7, mysql_5_6] fn the_position_of_another_server(server) {
    let db = server.fresh_db("refusals");
    let home = Dumpa::bare();
    let mut at = position(server);
    assert!(at["server_uuid"].is_string());
    at["server_uuid"] = json!("00000000-0000-0000-0000-000000000001");
    fs::write(home.file("other.json"), at.to_string()).expect("a file");
    let tail = Dumpa::new(server, &db).args(["tail", "--from", "other.json"]);
    refused(&tail.in_the_folder_of(&home), 3, &["00000000-0000-0000-0000-000000000001", "Load again"]);
    let until = Dumpa::new(server, &db).args(["tail", "--from", "earliest", "--until", "other.json"]);
    refused(&until.in_the_folder_of(&home), 3, &["00000000-0000-0000-0000-000000000001"]);
    assert_eq!(verdict(server, "other.json", &[], &home)["valid"], false);
});

#[test]
fn a_server_out_of_reach() {
    // Nobody takes the connection: the queue is full.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port().to_string();
    for args in [vec!["load"], vec!["tail", "--from", "now"], vec!["position"], vec!["validate-pos", "now"]] {
        let connect = ["-H", "127.0.0.1", "-D", "d", "--connect-timeout", "1s", "-P"];
        let begun = Instant::now();
        refused(&Dumpa::bare().args(&args).args(connect).args([&port]), 1, &["127.0.0.1"]);
        assert!(begun.elapsed() < Duration::from_secs(3));
        refused(&Dumpa::bare().args(&args).args(connect).args(["1"]), 1, &["127.0.0.1:1"]);
    }
}

#[test]
fn flags_that_do_not_fit() {
    for args in [
        vec![],
        vec!["nonsense"],
        vec!["load", "--nonsense"],
        vec!["tail"],
        vec!["validate-pos"],
        vec!["tail", "--from"],
        vec!["tail", "--from", "now", "--server-id", "0"],
        vec!["position", "extra"],
        vec!["load", "--progress", "sometimes"],
    ] {
        let run = Dumpa::bare().args(&args).run();
        assert_eq!(run.code, Some(2), "{args:?}: {}", run.stderr);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty());
    }
}

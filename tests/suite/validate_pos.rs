//! `dumpa validate-pos` says yes only where `dumpa tail` could go on.

use std::fs;
use std::process::Command;

use mysql::Row;
use serde_json::Value;

use crate::common::*;

/// The verdict: the exit code has to agree with it.
#[track_caller]
fn verdict(server: &Server, at: &str) -> (bool, String) {
    let run = Dumpa::without_db(server).args(["validate-pos", at]).run();
    let verdict: Value = serde_json::from_str(run.text()).expect("one JSON value");
    let valid = verdict["valid"].as_bool().expect("a verdict");
    assert_eq!(run.code, Some(if valid { 0 } else { 3 }), "{verdict}");
    (valid, verdict["reason"].as_str().expect("a reason").to_owned())
}

on_each_server! {
    fn only_the_beginning_of_a_transaction_is_a_place_to_go_on_from(shared) {
        let flags: &[&str] = if shared.is_mysql() { &["--binlog-rows-query-log-events=ON"] } else { &[] };
        let server = Server::private(&shared.name, flags);
        server.sql("create database d;\ncreate table d.t (id int primary key) engine=innodb;\ninsert into d.t values (1), (2)");
        server.sql("begin;\ninsert into d.t values (3);\nsavepoint a;\ninsert into d.t values (4);\nrollback to a;
            insert into d.t values (5);\ncommit");
        if shared.name != "mysql-5.6" {
            server.sql("xa start 'x';\ninsert into d.t values (6);\nxa end 'x';\nxa prepare 'x';\nxa commit 'x'");
        }
        let events: Vec<Row> = server.conn().query("show binlog events").unwrap();
        assert!(events.len() > 4);
        let mut places = Vec::new();
        for event in &events {
            let (file, position, kind): (String, u64, String) =
                (event.get("Log_name").unwrap(), event.get("Pos").unwrap(), event.get("Event_type").unwrap());
            let text: String = event.get("Info").unwrap();
            let (valid, reason) = verdict(&server, &format!("{file}:{position}"));
            let inside = ["Table_map", "Xid", "Rows_query", "Annotate_rows", "XA_prepare"].contains(&kind.as_str())
                || kind.starts_with("Write_rows")
                || ["SAVEPOINT", "ROLLBACK TO", "XA END"].iter().any(|word| text.contains(word)) && kind == "Query";
            if inside {
                assert!(!valid, "{position} {kind} {text}");
            } else if kind == "Gtid" || kind == "Anonymous_Gtid" {
                assert!(valid, "{position} {kind}: {reason}");
            }
            places.push((format!("{file}:{position}"), valid, kind));
        }
        // And so says tail.
        for (place, valid, kind) in places {
            let args = ["tail", "-D", "d", "--from", &place, "--until", "now"];
            let run = Dumpa::without_db(&server).args(args).run();
            assert_eq!(run.code, Some(if valid { 0 } else { 3 }), "{place} {kind}: {}", run.stderr);
        }
        assert_eq!(verdict(&server, "now"), (true, "the server can resume there".to_owned()));
        assert!(verdict(&server, "earliest").0);
    }

    fn why_a_position_is_not_there_is_said(server) {
        let at = Dumpa::without_db(server).args(["position"]).run().expect_code(0);
        let at: Value = serde_json::from_str(at.text()).unwrap();
        let file = at["file"].as_str().unwrap();
        let reason = |at: &str| match verdict(server, at) {
            (false, reason) => reason,
            (true, _) => panic!("{at} is no place"),
        };
        let gone = reason("bin.099999:4");
        assert!(gone.starts_with("the server does not have bin.099999:4 (any more)"), "{gone}");
        let beyond = reason(&format!("{file}:4294967000"));
        assert!(beyond.contains("beyond the end of that file"), "{beyond}");
        let between = reason(&format!("{file}:11"));
        assert!(between.contains("cannot be read from there") || between.contains(":11"), "{between}");
    }
}

/// The example of `dumpa validate-pos --help`, run by a shell in the folder of `home`.
fn the_example(home: &Dumpa) -> String {
    let help = Dumpa::bare().args(["validate-pos", "--help"]).run().expect_code(0);
    let (_, example) = help.text().split_once("Examples:\n").expect("examples");
    let program = assert_cmd::cargo::cargo_bin!("dumpa");
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", example]).current_dir(home.dir()).env("HOME", home.dir()).env("PATH", path);
    let output = shell.output().expect("a shell");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

on_servers!([mysql_5_7, mariadb_11_4] fn the_example_loads_again_only_where_the_position_is_gone(shared) {
    let server = Server::private(&shared.name, &[]);
    server.sql("create database shop;\ncreate table shop.t (id int primary key);\ninsert into shop.t values (1)");
    let home = Dumpa::bare();
    let options = |port: u16| {
        let file = format!("[client]\nhost=127.0.0.1\nport={port}\nuser=root\n");
        fs::write(home.file(".my.cnf"), file).unwrap();
    };
    let rows = || fs::read_to_string(home.file("shop.ndjson")).unwrap();
    fs::write(home.file("shop.ndjson"), "before\n").unwrap();
    // Nobody is there, and then the account may not do it.
    fs::write(home.file("pos.json"), r#"{"file":"bin.000001","position":4}"#).unwrap();
    options(1);
    let said = the_example(&home);
    assert!(rows() == "before\n" && said.contains("cannot reach"), "{said}");
    options(server.port);
    server.sql("create user poor@'%';\ngrant select on shop.* to poor@'%'");
    let poor = fs::read_to_string(home.file(".my.cnf")).unwrap().replace("user=root", "user=poor");
    fs::write(home.file(".my.cnf"), poor).unwrap();
    let said = the_example(&home);
    assert!(rows() == "before\n" && said.contains("GRANT REPLICATION SLAVE"), "{said}");
    // It is fine.
    options(server.port);
    the_example(&home);
    assert_eq!(rows(), "before\n");
    // It is gone.
    fs::write(home.file("pos.json"), r#"{"file":"bin.099999","position":4}"#).unwrap();
    let said = the_example(&home);
    assert_eq!(rows(), "[\"upsert\",\"t\",1,{\"id\":1},null]\n", "{said}");
    assert!(fs::read_to_string(home.file("pos.json")).unwrap().contains("bin.00000"));
});

//! `dumpa validate-pos` says yes only where `dumpa tail` could go on.

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
        let server = Server::private(&shared.name, &[]);
        server.sql("create database d;\ncreate table d.t (id int primary key);\ninsert into d.t values (1), (2)");
        let events: Vec<Row> = server.conn().query("show binlog events").unwrap();
        assert!(events.len() > 4);
        for event in &events {
            let (file, position, kind): (String, u64, String) =
                (event.get("Log_name").unwrap(), event.get("Pos").unwrap(), event.get("Event_type").unwrap());
            let (valid, reason) = verdict(&server, &format!("{file}:{position}"));
            let inside = ["Table_map", "Xid"].contains(&kind.as_str()) || kind.starts_with("Write_rows");
            if inside {
                assert!(!valid, "{position} {kind}");
            } else if kind == "Gtid" || kind == "Anonymous_Gtid" {
                assert!(valid, "{position} {kind}: {reason}");
            }
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
        assert!(gone.starts_with("the server has no bin.099999:4 (any more)"), "{gone}");
        let beyond = reason(&format!("{file}:4294967000"));
        assert!(beyond.contains("beyond the end of that file"), "{beyond}");
        let between = reason(&format!("{file}:11"));
        assert!(between.contains("does not begin well") || between.contains(":11"), "{between}");
    }
}

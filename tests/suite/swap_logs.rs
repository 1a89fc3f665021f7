//! Logs of real online schema changes by gh-ost and pt-online-schema-change, recorded under writers
//! (tests/fixtures/osc/record): the rows before them and what `tail` prints fold to the rows after them.

use std::fs;
use std::path::PathBuf;

use crate::common::*;

/// The new definition.
const TABLE: &str = "
    create database osc;
    create table osc.t (id int primary key, n bigint unsigned, body varchar(40), extra int not null default 7)";

fn file(recording: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/osc").join(recording).join(name)
}

fn fold(recording: &str, name: &str) -> Fold {
    let text = fs::read_to_string(file(recording, name)).expect("the recording is there");
    Fold::of(text.lines().map(Tuple::parse))
}

/// Where the group of the first statement with this text begins, and where the statement itself does.
fn places(recording: &str, text: &str) -> (usize, usize) {
    let log = fs::read(file(recording, "bin.000001")).expect("the recording is there");
    let (mut at, mut group) = (4, 4);
    while at < log.len() {
        let len = u32::from_le_bytes(log[at + 9..at + 13].try_into().expect("four bytes")) as usize;
        let event = &log[at..at + len];
        if [33, 34, 162].contains(&event[4]) {
            group = at;
        }
        if event[4] == 2 && event.windows(text.len()).any(|window| window == text.as_bytes()) {
            return (group, at);
        }
        at += len;
    }
    panic!("no {text} in {recording}");
}

fn tail(recording: &str, with: &[&str], home: &Dumpa) -> Vec<Tuple> {
    let log = file(recording, "bin.000001");
    let args = ["tail", "-D", "osc", "t", "--binlog", log.to_str().expect("text")];
    Dumpa::bare().args(args).args(with).in_the_folder_of(home).run().expect_code(0).lines()
}

#[test]
fn a_recorded_change_folds_by_the_names_in_its_log() {
    let recording = "pt-osc-mariadb-11.4-full";
    let home = Dumpa::bare();
    let all = tail(recording, &[], &home);
    fold(recording, "before.ndjson").then(all.clone()).assert_is(&fold(recording, "after.ndjson"), recording);
    let at = all.iter().position(|line| line.op == "truncate").expect("a truncate line");
    let end = all.iter().rposition(|line| line.metadata.get("reread").is_some()).expect("lines of it");
    assert!(end - at > 120, "{} lines", end - at);
    for i in (at..end + 2).step_by(9).chain([end, end + 1]) {
        fs::write(home.file("line.json"), &all[i].raw).expect("a file");
        let rest = tail(recording, &["--from", "line.json"], &home);
        let raw = |lines: &[Tuple]| lines.iter().map(|line| line.raw.clone()).collect::<Vec<_>>();
        assert_eq!(raw(&rest), raw(&all[i + 1..]), "resumed from line {i}");
    }
}

/// Without names in the log: from the RENAME on, since the rows before have an older definition than the catalog.
fn folds_from_its_rename(shared: &Server, recording: &str, shadow: &str, create: &str, rename: &str) {
    let server = Server::private(&shared.name, &[]);
    server.sql(TABLE);
    let home = Dumpa::bare();
    let ((position, created), (from, renamed)) = (places(recording, create), places(recording, rename));
    let place = serde_json::json!({"file": "bin.000001", "position": from, "reread": [{
        "table": ["osc", "t"], "was": ["osc", shadow], "file": "bin.000001", "position": position, "created": created,
        "renamed": renamed,
    }]});
    fs::write(home.file("pos.json"), place.to_string()).expect("a file");
    let port = server.port.to_string();
    let with = ["--from", "pos.json", "-H", "127.0.0.1", "-P", &port, "-u", "root"];
    let all = tail(recording, &with, &home);
    assert_eq!(all[0].op, "truncate");
    fold(recording, "before.ndjson").then(all.clone()).assert_is(&fold(recording, "after.ndjson"), recording);
    let again = all.iter().filter(|line| line.metadata.get("reread").is_some()).count();
    assert!(again > 120, "{again} lines");
}

/// The whole log, by the schema history that a load before it had kept: no server is asked.
fn folds_by_a_history(shared: &Server, recording: &str) {
    let server = Server::private(&shared.name, &[]);
    server.sql("create database osc;\ncreate table osc.t (id int primary key, n int not null, v varchar(20), body varchar(40))");
    let home = Dumpa::without_db(&server).args(["position", "--schema", "now", "-D", "osc", "t"]);
    home.run().expect_code(0);
    let kept = fs::read_to_string(home.file("now")).expect("a history");
    let mut lines = kept.lines();
    // The lines hold from the log's start on.
    let mut history = format!("{}\n", lines.next().expect("a header"));
    for line in lines {
        let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let line = line.as_object_mut().expect("an object");
        ["log", "server_uuid"].iter().for_each(|member| drop(line.remove(*member)));
        line.insert("file".into(), "bin.000001".into());
        line.insert("position".into(), 4.into());
        history.push_str(&format!("{}\n", serde_json::Value::Object(line.clone())));
    }
    fs::write(home.file("history"), history).expect("a file");
    let with = ["--schema", "history"];
    let all = tail(recording, &with, &home);
    fold(recording, "before.ndjson").then(all.clone()).assert_is(&fold(recording, "after.ndjson"), recording);
    let at = all.iter().position(|line| line.op == "truncate").expect("a truncate line");
    assert!(at > 50 && all.len() - at > 120, "{at} of {} lines", all.len());
    assert!(all[..at].iter().all(|line| line.content.get("extra").is_none()));
    let raw = |lines: &[Tuple]| lines.iter().map(|line| line.raw.clone()).collect::<Vec<_>>();
    for i in (0..all.len() - 1).step_by(23).chain([at - 1, at, at + 1]) {
        fs::write(home.file("line.json"), &all[i].raw).expect("a file");
        let rest = tail(recording, &[&with[..], &["--from", "line.json"]].concat(), &home);
        assert_eq!(raw(&rest), raw(&all[i + 1..]), "resumed from line {i}");
    }
}

on_servers!([mysql_5_7] fn recorded_changes_fold_by_a_history(shared) {
    folds_by_a_history(shared, "gh-ost-mysql-5.7");
    folds_by_a_history(shared, "pt-osc-mysql-5.7");
});

on_servers!([mariadb_11_4] fn a_recorded_change_folds_by_a_history(shared) {
    folds_by_a_history(shared, "pt-osc-mariadb-11.4");
});

on_servers!([mysql_5_7] fn recorded_changes_fold_by_the_catalog(shared) {
    folds_from_its_rename(shared, "gh-ost-mysql-5.7", "_t_gho", "table `osc`.`_t_gho` like", "rename /* gh-ost */");
    folds_from_its_rename(shared, "pt-osc-mysql-5.7", "_t_new", "CREATE TABLE `osc`.`_t_new`", "RENAME TABLE");
});

on_servers!([mariadb_11_4] fn a_recorded_change_folds_by_the_catalog(shared) {
    folds_from_its_rename(shared, "pt-osc-mariadb-11.4", "_t_new", "CREATE TABLE `osc`.`_t_new`", "RENAME TABLE");
});

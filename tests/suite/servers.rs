//! What a server does to its log and to those who read it: it dies and comes back, moves on to new files, is silent
//! for long; and what it says of its transactions, names and times.

use std::fs;
use std::time::{Duration, SystemTime};

use mysql::Conn;

use crate::common::*;

#[track_caller]
fn ids(tuples: &[Tuple]) -> Vec<&str> {
    tuples.iter().map(|tuple| tuple.id_text.as_str()).collect()
}

#[track_caller]
fn until_now(server: &Server, from: &str, home: &Dumpa) -> Vec<Tuple> {
    let tail = Dumpa::without_db(server).args(["tail", "--from", from, "--until", "now", "d.*"]);
    tail.in_the_folder_of(home).run().expect_code(0).lines()
}

on_each_server! {
    fn a_server_that_dies_in_mid_transaction(shared) {
        let mut server = Server::private(&shared.name, &[]);
        server.sql("create database d;\ncreate table d.t (id int primary key, x longtext) engine=innodb");
        let home = Dumpa::bare();
        let start = place(&server);
        let tail = Dumpa::without_db(&server).args(["tail", "--from", &start, "--save", "pos.json", "d.*"]);
        let mut live = tail.in_the_folder_of(&home).spawn();
        server.sql("insert into d.t values (1, null), (2, null)");
        live.take(2);
        let mut open: Conn = server.conn();
        for statement in ["begin", "insert into d.t values (3, repeat('x', 100000))"] {
            open.query_drop(statement).expect("it works so far");
        }
        server.kill_hard();
        let run = live.wait(PATIENCE).expect_code(1);
        assert_eq!(run.stderr.lines().filter(|line| !line.contains("warning")).count(), 1, "{}", run.stderr);
        assert_eq!(ids(&run.lines()), ["1", "2"]);
        server.start(&[]);
        server.sql("insert into d.t values (4, null)");
        assert_eq!(ids(&until_now(&server, "pos.json", &home)), ["4"]);
        fs::write(home.file("line.json"), &run.lines()[0].raw).expect("a file");
        assert_eq!(ids(&until_now(&server, "line.json", &home)), ["2", "4"]);
        assert_eq!(ids(&until_now(&server, &start, &home)), ["1", "2", "4"]);
    }

    fn log_after_log(server) {
        let db = server.fresh_db("rotate");
        db.sql("create table t (id int auto_increment primary key) engine=innodb");
        let home = Dumpa::bare();
        let start = place(server);
        let tail = |from: &str| {
            Dumpa::new(server, &db).args(["tail", "--save", "pos.json", "--from", from]).in_the_folder_of(&home)
        };
        let mut live = tail(&start).spawn();
        let mut files = std::collections::BTreeSet::new();
        for _ in 0..4 {
            // Another test may flush as well, at any moment.
            db.sql("insert into t values ();\nflush logs;\nflush logs;\ninsert into t values ()");
            for tuple in live.take(2) {
                files.insert(tuple.metadata["next_file"].as_str().expect("a name").to_owned());
            }
        }
        assert!(files.len() >= 5, "{files:?}");
        let end_of_file = place(server);
        db.sql("flush logs");
        assert_eq!(live.end_by(libc::SIGTERM).lines().len(), 8);
        db.sql("insert into t values ()");
        for from in [end_of_file.as_str(), "pos.json"] {
            let resumed = Dumpa::new(server, &db).args(["tail", "--from", from, "--until", "now"]);
            let run = resumed.in_the_folder_of(&home).run().expect_code(0);
            assert_eq!(ids(&run.lines()), ["9"], "from {from}");
        }
    }

    fn times_and_names_of_transactions(server) {
        let db = server.fresh_db("names");
        db.sql("create table t (id int auto_increment primary key) engine=innodb");
        let mut live = Dumpa::new(server, &db).args(["tail", "t", "--from", &place(server)]).spawn();
        let mut conn = db.conn();
        conn.query_drop("begin").expect("it begins");
        conn.query_drop("insert into t values (), ()").expect("an insert");
        // The time is that of the commit, which here comes well after the insert.
        std::thread::sleep(Duration::from_millis(1500));
        let before = SystemTime::now();
        conn.query_drop("commit").expect("it commits");
        let tuples = live.take(2);
        let after = SystemTime::now() + Duration::from_millis(2);
        let fine = server.is_mysql() && server.version() >= (8, 0);
        for tuple in &tuples {
            let text = tuple.metadata["ts"].as_str().expect("a time");
            assert_eq!(text.len(), if fine { 27 } else { 20 }, "{text}");
            let ts = humantime::parse_rfc3339(text).expect("RFC 3339");
            // Without decimals it is cut to the second.
            let slack = if fine { Duration::from_millis(2) } else { Duration::from_secs(1) };
            assert!(ts + slack >= before && ts <= after, "{text} is not in {before:?}..{after:?}");
        }
        let gtids: Vec<_> = tuples.iter().map(|t| t.metadata["gtid"].as_str()).collect();
        assert_eq!(gtids[0], gtids[1]);
        let executed: Option<String> = match server.name.as_str() {
            "mysql-9.7" => Some(server.ask("select concat(@@server_uuid, ':')")),
            // The others of MySQL have no GTIDs here.
            name if name.starts_with("mysql") => None,
            _ => Some(server.ask("select concat(@@gtid_domain_id, '-', @@global.server_id, '-')")),
        };
        assert_eq!(gtids[0].is_some(), executed.is_some(), "{gtids:?}");
        if let (Some(gtid), Some(begins)) = (gtids[0], executed) {
            let number = gtid.strip_prefix(&begins).expect("it begins with the server");
            assert!(number.parse::<u64>().is_ok(), "{gtid}");
        }
    }
}

// Longer than the silence after which a server counts as dead; all of them at once.
#[test]
#[ignore = "needs a server: run tests/run"]
fn a_server_may_be_idle_for_long() {
    let servers = ALL_SERVERS.map(|name| Server::private(name, &[]));
    let mut tails = servers.each_ref().map(|server| {
        server.sql("create database d;\ncreate table d.t (id int primary key)");
        Dumpa::without_db(server).args(["tail", "*.*", "--from", &place(server)]).spawn()
    });
    std::thread::sleep(Duration::from_secs(33));
    for (server, live) in servers.iter().zip(&mut tails) {
        assert!(live.runs(), "{}: {}", server.name, live.stderr());
        server.sql("insert into d.t values (1)");
        assert_eq!(live.next().id_text, "1");
    }
}

on_servers!([mysql_9_7] fn transactions_without_names(shared) {
    let server = Server::private(&shared.name, &["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"]);
    server.sql("create database d;\ncreate table d.t (id int primary key)");
    let start = place(&server);
    server.sql("insert into d.t values (1), (2);\ncreate table d.c select * from d.t;\ndrop table d.c;\n
        create table d.c (id int);\ndelete from d.t");
    let tuples = until_now(&server, &start, &Dumpa::bare());
    let lines: Vec<_> = tuples.iter().map(|t| format!("{} {}", t.op, t.table)).collect();
    assert_eq!(lines, ["upsert d.t", "upsert d.t", "upsert d.c", "upsert d.c", "truncate d.c", "delete d.t", "delete d.t"]);
    assert!(tuples.iter().all(|t| t.metadata.get("gtid").is_none() && t.metadata["ts"].as_str().is_some_and(|ts| ts.len() == 27)));
});

// A position with a set, as a load without any lock saves it: what the set names is done, wherever it stands.
on_servers!([mysql_9_7] fn a_set_of_transactions_that_are_done(shared) {
    let server = Server::private(&shared.name, &[]);
    server.sql("create database d;\ncreate table d.t (id int primary key);\nflush logs");
    let home = Dumpa::bare();
    let start = place(&server);
    let uuid: String = server.ask("select @@server_uuid");
    server.sql("insert into d.t values (1), (2)");
    server.sql("insert into d.t values (3);
        set gtid_next = 'AUTOMATIC:blue';
        insert into d.t values (4);
        set gtid_next = 'AUTOMATIC';
        set gtid_next = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:7';
        insert into d.t values (5);
        set gtid_next = 'AUTOMATIC';
        truncate table d.t");
    let all = until_now(&server, &start, &home);
    assert_eq!(ids(&all), ["1", "2", "3", "4", "5", "null"]);
    let gtids: Vec<_> = all.iter().map(|t| t.metadata["gtid"].as_str().expect("a name").to_owned()).collect();
    assert!(gtids[3].starts_with(&format!("{uuid}:blue:")) && gtids[4] == "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:7", "{gtids:?}");
    let (file, offset) = start.split_once(':').expect("file and offset");
    let with = |set: &str| {
        let position = format!(r#"{{"file":"{file}","position":{offset},"gtid_set":"{set}"}}"#);
        fs::write(home.file("set.json"), position).expect("a file");
        until_now(&server, "set.json", &home)
    };
    assert_eq!(ids(&with("")), ids(&all));
    assert_eq!(ids(&with(&gtids[0])), ["3", "4", "5", "null"]);
    let first = gtids[0].rsplit(':').next().expect("a number");
    let run = format!("{}:{first}-{},{}", uuid.to_uppercase(), first.parse::<u64>().expect("one") + 1, gtids[3]);
    assert_eq!(ids(&with(&run)), ["5", "null"]);
    assert_eq!(ids(&with(&server.ask::<String>("select replace(@@global.gtid_executed, '\n', '')"))), Vec::<&str>::new());
    // A line of it resumes as any other.
    fs::write(home.file("line.json"), &with(&run)[0].raw).expect("a file");
    assert_eq!(ids(&until_now(&server, "line.json", &home)), ["null"]);
});

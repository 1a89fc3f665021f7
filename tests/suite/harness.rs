//! Tests of the harness itself: a test that talks to the wrong server proves nothing.

use std::time::Duration;

use crate::common::*;

on_each_server! {
    fn is_the_server_that_it_says(server) {
        let (version, log_bin, format): (String, bool, String) =
            server.ask("select version(), @@log_bin, @@binlog_format");
        let (major, minor) = server.version();
        assert!(version.starts_with(&format!("{major}.{minor}.")), "{version}");
        assert_eq!(version.contains("MariaDB"), server.is_mariadb(), "{version}");
        assert!(log_bin);
        assert_eq!(format, "ROW");
    }

    fn a_database_goes_with_its_value(server) {
        let db = server.fresh_db("gone");
        db.sql("create table t (a int);\ninsert into t values (1), (2)");
        assert_eq!(db.ask::<u32>("select count(*) from t"), 2);
        let query = format!("select count(*) from information_schema.schemata where schema_name = '{}'", db.name);
        assert_eq!(server.ask::<u32>(&query), 1);
        drop(db);
        assert_eq!(server.ask::<u32>(&query), 0);
    }

    fn a_private_server_survives_a_kill(shared) {
        let mut server = Server::private(&shared.name, &["--binlog-row-image=MINIMAL"]);
        let port = server.port;
        assert_ne!(port, shared.port);
        assert_eq!(server.ask::<String>("select @@binlog_row_image"), "MINIMAL");
        server.sql("create database d;\ncreate table d.t (a int);\ninsert into d.t values (7)");
        server.kill_hard();
        assert!(!server.runs());
        server.start(&[]);
        assert!(server.runs());
        assert_eq!(server.port, port);
        // What was committed reached the kernel, and so outlives the process.
        assert_eq!(server.ask::<u32>("select a from d.t"), 7);
        server.restart(&["--binlog-row-image=NOBLOB"]);
        assert_eq!(server.ask::<String>("select @@binlog_row_image"), "NOBLOB");
        assert_eq!(server.ask::<u32>("select a from d.t"), 7);
    }
}

on_servers!([mysql_9_7, mysql_5_6] fn copies_are_told_apart(shared) {
    let (one, other) = (Server::private(&shared.name, &[]), Server::private(&shared.name, &[]));
    let uuid = "select @@server_uuid";
    assert_ne!(one.ask::<String>(uuid), other.ask::<String>(uuid));
    assert_ne!(one.ask::<String>(uuid), shared.ask::<String>(uuid));
});

#[test]
fn a_run_reports_code_and_streams() {
    let run = Dumpa::bare().args(["--no-such-flag"]).run().expect_code(2);
    assert!(run.lines().is_empty());
    assert!(run.stderr.contains("--no-such-flag"), "{}", run.stderr);
}

#[test]
fn a_line_that_does_not_come_is_none() {
    let mut live = Dumpa::bare().args(["--version"]).spawn();
    assert!(live.next_line(PATIENCE).is_some_and(|line| line.starts_with("dumpa ")));
    assert_eq!(live.next_line(Duration::from_secs(1)), None);
    let run = live.wait(PATIENCE);
    assert_eq!(run.code, Some(0));
    assert!(run.text().starts_with("dumpa "), "the lines taken before are still there");
}

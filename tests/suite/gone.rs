//! Tables that are dropped while they are loaded, and databases that do not exist.

use std::io::Read;
use std::process::Stdio;

use crate::common::*;

/// Waits until somebody waits for a lock on a table.
fn wait_for_waiter(server: &Server) {
    let query = "select count(*) from information_schema.processlist where state like 'Waiting for table metadata lock%'";
    eventually("dumpa waits", || (server.ask::<u32>(query) > 0).then_some(()));
}

on_servers!([mysql_5_7, mysql_8_0, mysql_9_7] fn a_table_that_goes_while_the_load_begins_is_left_out(server) {
    let db = server.fresh_db("gone");
    // Its label is searched for in the table, which is locked.
    db.sql("create table a (id int primary key, e enum('?') character set utf8mb4);
            create table b (id int primary key);
            create table z (id int primary key);
            insert into b values (1)");
    let mut conn = db.conn();
    conn.query_drop("lock tables a write, z write").expect("a lock");
    let load = Dumpa::new(server, &db).args(["load"]).spawn();
    wait_for_waiter(server);
    conn.query_drop("drop table z").expect("it can be dropped");
    conn.query_drop("unlock tables").expect("it has locks");
    let run = load.wait(PATIENCE).expect_code(0);
    assert_eq!(run.lines().len(), 1, "{}", run.text());
    assert!(run.stderr.contains(&format!("{}.z was dropped", db.name)), "{}", run.stderr);
    assert!(run.stderr.contains("left out"), "{}", run.stderr);
});

on_each_server! {
    fn a_table_that_goes_during_the_load_ends_it(server) {
        for change in ["drop table z", "drop table z;\ncreate table z (id int primary key)", "rename table z to y"] {
            let db = server.fresh_db("gone");
            db.sql("create table a (id int primary key, t longtext);
                    create table z (id int primary key);
                    insert into a values (1, repeat('a', 900000)), (2, repeat('b', 900000)), (3, repeat('c', 900000));
                    insert into z values (1)");
            let dumpa = Dumpa::new(server, &db).args(["load", "--save", "pos.json"]);
            let mut child = dumpa.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
            // The first table is under way, and stuck as nobody reads.
            let mut stdout = child.stdout.take().expect("a pipe");
            stdout.read_exact(&mut [0; 10]).expect("a line");
            db.sql(change);
            let mut rest = Vec::new();
            stdout.read_to_end(&mut rest).expect("lines");
            let output = child.wait_with_output().expect("it ends");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{change}: {stderr}");
            assert_eq!(rest.iter().filter(|byte| **byte == b'\n').count(), 3, "{change}");
            assert!(stderr.contains("z was dropped, emptied or altered after the snapshot began"), "{change}: {stderr}");
            assert!(!dumpa.file("pos.json").exists(), "{change}");
        }
    }

    fn a_database_that_is_not_there(server) {
        let db = server.fresh_db("gone");
        db.sql("create table t (id int primary key)");
        let gone = format!("{}x", db.name);
        let run = |args: &[&str]| Dumpa::without_db(server).args(args).args(["-D", &gone]).run();
        let tail = ["tail", "--from", "now", "--until", "now"];
        for args in [&["load"][..], &tail, &["load", "t"], &[&tail[..], &["t"]].concat()] {
            let run = run(args).expect_code(1);
            assert!(run.stdout.is_empty() && run.stderr.contains(&format!("database {gone}")), "{args:?}: {}", run.stderr);
            let whole = args.last() != Some(&"t");
            assert!(!whole || run.stderr.contains(&format!("did you mean `{}`?", db.name)), "{args:?}: {}", run.stderr);
            assert_eq!(run.stderr.contains("--allow-missing"), args[0] == "tail", "{args:?}: {}", run.stderr);
        }
        for args in [&tail[..], &[&tail[..], &["t"]].concat()] {
            let args = [args, &["--allow-missing"]].concat();
            assert!(run(&args).expect_code(0).stdout.is_empty());
        }
    }

    fn a_database_to_come(server) {
        let db = server.fresh_db("gone");
        let later = format!("{}later", db.name);
        let args = ["tail", "-D", &later, "--allow-missing", "--from", &place(server)];
        let last: u64 = server.ask("select connection_id()");
        let mut tail = Dumpa::without_db(server).args(args).spawn();
        let query = format!("select count(*) from information_schema.processlist where command like 'Binlog Dump%' and id > {last}");
        eventually("it follows the log", || {
            assert!(tail.runs(), "{}", tail.stderr());
            (server.ask::<u32>(&query) > 0).then_some(())
        });
        server.sql(&format!("create database {later};\ncreate table {later}.t (id int primary key);\ninsert into {later}.t values (7)"));
        let line = tail.next();
        assert_eq!(line.without_metadata(), r#"["upsert","t",7,{"id":7}]"#);
        server.sql(&format!("drop database {later}"));
    }
}

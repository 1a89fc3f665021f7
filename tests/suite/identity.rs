//! What identifies a row: its primary key in key order, another key, `--id`, or nothing.

use std::fs;

use crate::common::*;

/// `op table id` of each line.
#[track_caller]
fn short(run: &Run) -> Vec<String> {
    run.lines().iter().map(|t| format!("{} {} {}", t.op, t.table, t.id_text)).collect()
}

const KEYS: &str = "
    create table composite (a int, b varchar(5), c int, primary key (c, a)) engine=innodb;
    create table fallback (a int, b int not null, c int not null, unique key maybe (a), unique key sure (c, b),
        unique key later (b)) engine=innodb;
    create table nullable (a int, b int, unique key (a)) engine=innodb;
    create table prefix (a varchar(20) not null, n int, unique key (a(3))) engine=innodb;
    create table primary_prefix (t varchar(200) not null, n int, primary key (t(2))) engine=innodb;
    create table tiny (a tinyint(1) primary key, b bit(1)) engine=innodb;
    create table Mixed (Id int primary key, ID2 int) engine=innodb;
    create table text_key (k varchar(10) character set utf8 collate utf8_general_ci primary key) engine=innodb;
    create table keyless (a int, b int, key (a)) engine=innodb";

const ROWS: &str = "
    insert into composite values (1, 'x', 2);
    insert into fallback values (1, 2, 3);
    insert into nullable values (1, 2), (null, 3);
    insert into prefix values ('abcdef', 1);
    insert into primary_prefix values ('long text', 1);
    insert into tiny values (2, 1), (-1, 0);
    insert into Mixed values (1, 2);
    insert into text_key values ('a');
    insert into keyless values (1, 2), (1, 2)";

on_each_server! {
    fn the_id_of_load_and_tail(server) {
        let db = server.fresh_db("keys");
        db.sql(KEYS);
        let start = place(server);
        db.sql(ROWS);
        let tables =
            ["composite", "fallback", "nullable", "prefix", "primary_prefix", "tiny", "Mixed", "text_key", "keyless"];
        let load = Dumpa::new(server, &db).args(["load", "--quiet"]).args(tables).run().expect_code(0);
        let tail = Dumpa::new(server, &db).args(["tail", "--from", &start, "--until", "now"]).args(tables).run();
        let tail = tail.expect_code(0);
        let expected = [
            "composite [2,1]", "fallback [3,2]", "nullable null", "nullable null", "prefix \"abcdef\"",
            "primary_prefix \"long text\"", "tiny -1", "tiny 2", "Mixed 1", "text_key \"a\"", "keyless null",
            "keyless null",
        ];
        let sorted = |run: &Run| {
            let mut lines: Vec<_> = run.lines().iter().map(Tuple::without_metadata).collect();
            lines.sort();
            lines
        };
        let mut wanted: Vec<_> = expected.iter().map(|line| format!("upsert {line}")).collect();
        wanted.sort();
        for run in [&load, &tail] {
            let mut lines = short(run);
            lines.sort();
            assert_eq!(lines, wanted);
            // One warning for each table, however many rows it has.
            let warnings: Vec<_> = run.stderr.lines().filter(|line| line.contains("warning")).collect();
            assert_eq!(warnings.len(), 2, "{}", run.stderr);
            assert!(warnings.iter().any(|w| w.contains("keyless")) && warnings.iter().any(|w| w.contains("nullable")));
        }
        assert_eq!(sorted(&load), sorted(&tail), "the same bytes");
    }

    fn an_id_of_ones_own(server) {
        let db = server.fresh_db("keys");
        db.sql(KEYS);
        let start = place(server);
        db.sql(ROWS);
        let id = ["--id", "keyless=b,a", "--id", "comp*=b", "--id", "nullable=a"];
        let tables = ["composite", "keyless", "nullable"];
        let load = Dumpa::new(server, &db).args(["load"]).args(id).args(tables).run().expect_code(0);
        let tail = Dumpa::new(server, &db).args(["tail", "--from", &start, "--until", "now"]).args(id).args(tables);
        let tail = tail.run().expect_code(0);
        let mut wanted =
            ["composite \"x\"", "keyless [2,1]", "keyless [2,1]", "nullable 1", "nullable null"].map(|l| format!("upsert {l}"));
        wanted.sort();
        for run in [load, tail] {
            let mut lines = short(&run);
            lines.sort();
            assert_eq!(lines, wanted);
            assert!(!run.stderr.contains("warning"), "{}", run.stderr);
        }
        for (bad, code) in [("keyless=nope", 2), ("keyless=", 2), ("keyless", 2), ("=a", 2)] {
            for command in [vec!["load", "keyless"], vec!["tail", "--from", &start, "--until", "now", "keyless"]] {
                let run = Dumpa::new(server, &db).args(command).args(["--id", bad]).run().expect_code(code);
                assert!(run.stdout.is_empty() && run.stderr.contains("--id"), "{}", run.stderr);
            }
        }
    }

    fn a_change_of_the_id_is_two_lines(server) {
        let db = server.fresh_db("keys");
        db.sql(KEYS);
        db.sql(ROWS);
        let start = place(server);
        db.sql("update composite set b = 'y';
            update composite set c = 9;
            update composite set a = 8, b = null;
            update fallback set a = 7;
            update fallback set b = 7;
            update text_key set k = 'A';
            update keyless set a = 5 limit 1;
            update tiny set a = 0 where a = -1;
            delete from composite");
        let run = Dumpa::new(server, &db).args(["tail", "--quiet", "--from", &start, "--until", "now"]).run().expect_code(0);
        let wanted = [
            "upsert composite [2,1]", "delete composite [2,1]", "upsert composite [9,1]", "delete composite [9,1]",
            "upsert composite [9,8]", "upsert fallback [3,2]", "delete fallback [3,2]", "upsert fallback [3,7]",
            "delete text_key \"a\"", "upsert text_key \"A\"", "upsert keyless null", "delete tiny -1", "upsert tiny 0",
            "delete composite [9,8]",
        ];
        assert_eq!(short(&run), wanted);
        let contents: Vec<_> = run.lines().iter().take(5).map(|t| t.content_text.clone()).collect();
        let row = |a, b: &str, c| format!(r#"{{"a":{a},"b":{b},"c":{c}}}"#);
        let (y, null) = ("\"y\"", "null");
        assert_eq!(contents, [row(1, y, 2), row(1, y, 2), row(1, y, 9), row(1, y, 9), row(8, null, 9)]);
    }
}

// The log has the table's columns, but does not say that it has no key: the catalog would.
on_servers!([mariadb_11_8, mysql_9_7] fn an_id_that_is_not_known_any_more_ends_the_run(shared) {
    let server = Server::private(&shared.name, &["--binlog-row-metadata=FULL"]);
    server.sql("create database d;\ncreate table d.u (a int, b int not null, unique key (b));\ninsert into d.u values (1, 1)");
    let load = Dumpa::without_db(&server).args(["load", "-D", "d", "--save", "pos.json"]);
    load.run().expect_code(0);
    server.sql("alter table d.u drop key b;\ninsert into d.u values (2, 2);\ndrop table d.u");
    let tail = |args: &[&str]| {
        let tail = Dumpa::without_db(&server).in_the_folder_of(&load);
        tail.args(["tail", "-D", "d", "--from", "pos.json", "--until", "now"]).args(args).run()
    };
    // The history tells that the key was the id.
    let run = tail(&[]).expect_code(4);
    let says = "ALTER TABLE d.u … DROP INDEX `b` may have changed the ids";
    assert!(run.stdout.is_empty() && run.stderr.contains(says), "{}", run.text());
    fs::remove_file(load.file("pos.json.schema")).expect("a history");
    let run = tail(&[]).expect_code(4);
    let says = ["cannot tell which columns make up the id of d.u", "have the id `b`. Give --id u=COLUMN"];
    assert!(run.stdout.is_empty() && says.iter().all(|text| run.stderr.contains(text)), "{}", run.text());
    let run = tail(&["u", "--id", "u=b", "--allow-missing"]).expect_code(0);
    assert_eq!(short(&run), ["upsert u 2", "truncate u null"]);
});

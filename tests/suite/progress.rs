//! What stderr shows while nothing is wrong.

use crate::common::*;

on_servers!([mysql_9_7, mariadb_10_11] fn progress_is_said_only_when_it_is_wanted(server) {
    let db = server.fresh_db("progress");
    db.sql("create table a (id int primary key);\ncreate table b (id int primary key);\ninsert into a values (1), (2)");
    let load = |args: &[&str]| Dumpa::new(server, &db).args(["load"]).args(args).run().expect_code(0);

    // No terminal: nothing, and of the snapshot only how its position was found.
    assert_eq!(load(&[]).stderr, "");
    let saved = load(&["--save", "pos.json"]).stderr;
    assert!(saved.contains("exact position") && saved.lines().count() == 1, "{saved}");
    assert_eq!(load(&["--save", "pos.json", "--quiet"]).stderr, "");

    let always = load(&["--progress", "always"]).stderr;
    let lines: Vec<&str> = always.lines().collect();
    assert_eq!(lines.len(), 3, "{always}");
    assert!(lines[0].starts_with("dumpa: a: 2 rows, "), "{always}");
    assert!(lines[1].starts_with("dumpa: b: 0 rows, "), "{always}");
    assert!(lines[2].starts_with("dumpa: 2 rows of 2 tables in "), "{always}");
});

on_each_server! {
    fn a_warning_is_said_although_the_tail_ends_at_once(server) {
        let db = server.fresh_db("warned");
        let at = Dumpa::without_db(server).args(["position"]).run().expect_code(0);
        db.sql("create table keyless (a int);\ninsert into keyless values (1)");
        let tail = Dumpa::new(server, &db).args(["tail", "--quiet", "--from", "pos.json", "--until", "now"]);
        std::fs::write(tail.file("pos.json"), &at.stdout).unwrap();
        let run = tail.run().expect_code(0);
        assert_eq!(run.lines().len(), 1);
        assert!(run.stderr.contains("keyless has neither a primary key nor"), "{}", run.stderr);
    }
}

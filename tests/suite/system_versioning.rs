//! Rows that are older than the system versioning of their table are no old row versions (MariaDB).

use crate::common::*;

/// Columns that hidden ones look like in a table map, then dropped; then the table gets versioning.
const SCRIPTS: [(&str, &str, &str); 3] = [
    ("x timestamp(6) null, y timestamp(6) null", "drop x, drop y", "add system versioning"),
    (
        "row_start timestamp(6) not null default now(6), row_end timestamp(6) not null default now(6)",
        "drop row_start, drop row_end",
        "add system versioning",
    ),
    (
        "s timestamp(6) null, e timestamp(6) null",
        "drop s, drop e",
        "add s timestamp(6) generated always as row start, add e timestamp(6) generated always as row end,
         add period for system_time (s, e), add system versioning",
    ),
];

fn tail(server: &Server, script: &str) -> Run {
    let db = server.fresh_db("versioning");
    let from = place(server);
    db.sql(script);
    Dumpa::new(server, &db).args(["tail", "--from", &from, "--until", "now", "t"]).run()
}

fn script((columns, drop, add): (&str, &str, &str)) -> String {
    format!(
        "create table t (id int primary key, {columns});
         insert into t (id) values (1);
         alter table t {drop};
         alter table t {add};
         insert into t (id) values (2)"
    )
}

fn real_versions_are_read(server: &Server) {
    let run = tail(
        server,
        "create table t (id int primary key);
         alter table t add system versioning;
         insert into t values (1), (9);
         delete from t where id = 9;
         alter table t drop system versioning;
         alter table t add system versioning;
         insert into t values (2)",
    );
    let run = run.expect_code(0);
    let shown: Vec<_> = run.lines().iter().map(|line| format!("{} {}", line.op, line.id_text)).collect();
    assert_eq!(shown, ["upsert 1", "upsert 9", "delete 9", "upsert 2"]);
}

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn rows_older_than_versioning_are_not_lost(server) {
    for versions in SCRIPTS {
        // The statement that made the table tells what it was like.
        let run = tail(server, &script(versions)).expect_code(0);
        let shown: Vec<_> = run.lines().iter().map(|line| line.id_text.clone()).collect();
        assert_eq!(shown, ["1", "2"], "{versions:?}: {}", run.text());
        assert_eq!(run.lines()[0].content.as_object().map(serde_json::Map::len), Some(3), "{}", run.text());
        // From behind it, nothing does.
        let db = server.fresh_db("versioning");
        let script = script(versions);
        let (create, rest) = script.split_once(";\n").expect("statements");
        db.sql(create);
        let from = place(server);
        db.sql(rest);
        let run = Dumpa::new(server, &db).args(["tail", "--from", &from, "--until", "now", "t"]).run().expect_code(4);
        assert!(run.stdout.is_empty(), "{}", run.text());
        assert!(run.stderr.contains("load again") || run.stderr.contains("Load again"), "{}", run.stderr);
    }
    real_versions_are_read(server);
});

#[test]
#[ignore = "needs a server: run tests/run"]
fn rows_older_than_versioning_are_printed_where_the_log_has_names() {
    let server = Server::private("mariadb-11.4", &["--binlog-row-metadata=FULL"]);
    for versions in SCRIPTS {
        let run = tail(&server, &script(versions)).expect_code(0);
        let shown: Vec<_> = run.lines().iter().map(|line| line.id_text.clone()).collect();
        assert_eq!(shown, ["1", "2"], "{versions:?}: {}", run.text());
        assert_eq!(run.lines()[0].content.as_object().map(serde_json::Map::len), Some(3), "{}", run.text());
    }
    // Without versioning now, and without the table's old columns, too.
    let run = tail(
        &server,
        "create table t (id int primary key, row_start timestamp(6) not null default now(6),
            row_end timestamp(6) not null default now(6));
         insert into t (id) values (1);
         alter table t drop row_start, drop row_end",
    )
    .expect_code(0);
    assert_eq!(run.lines().len(), 1, "{}", run.text());
    real_versions_are_read(&server);
}

//! Generated columns, virtual and stored ones: both halves print them, or leave them out with `--generated omit`; and
//! if the log lacks their values, no other values are printed.

use crate::common::*;
use crate::json::Start;

const OMIT: [&str; 2] = ["--generated", "omit"];

/// With and without a key on a virtual column, since that decides on some servers what the log holds of it.
const TABLES: &str = "
    create table t (id int primary key, v int as (a * 2) virtual, a int, s varchar(20) as (concat('s', a)) stored,
        x text as (concat('x', a)) virtual, w int);
    create table k (id int primary key, v int as (a * 2) virtual, a int, s varchar(20) as (concat('s', a)) stored,
        x text as (concat('x', a)) virtual, w int, key (v), unique (s))";

const ROWS: &str = "
    insert into t (id, a) values (1, 1), (2, 2), (3, 3), (4, null);
    insert into k (id, a) select id, a from t;
    update t set a = 10 where id = 1;
    update k set a = 10 where v = 2;
    update t set id = 20, a = 20 where id = 2;
    update k set id = 20, a = 20 where s = 's2';
    update t, k set t.w = 5, k.w = 6 where t.id = k.id and t.id = 4;
    delete from t where id = 3;
    delete from k where v = 6;
    replace into k (id, a) values (1, 11);
    insert into t (id, a) values (1, 0) on duplicate key update a = 11";

const KEPT: [&str; 6] = [
    r#"{"id":1,"v":22,"a":11,"s":"s11","x":"x11","w":null}"#,
    r#"{"id":20,"v":40,"a":20,"s":"s20","x":"x20","w":null}"#,
    r#"{"id":4,"v":null,"a":null,"s":null,"x":null,"w":6}"#,
    r#"{"id":1,"v":22,"a":11,"s":"s11","x":"x11","w":null}"#,
    r#"{"id":20,"v":40,"a":20,"s":"s20","x":"x20","w":null}"#,
    r#"{"id":4,"v":null,"a":null,"s":null,"x":null,"w":5}"#,
];

const OMITTED: [&str; 6] = [
    r#"{"id":1,"a":11,"w":null}"#,
    r#"{"id":20,"a":20,"w":null}"#,
    r#"{"id":4,"a":null,"w":6}"#,
    r#"{"id":1,"a":11,"w":null}"#,
    r#"{"id":20,"a":20,"w":null}"#,
    r#"{"id":4,"a":null,"w":5}"#,
];

/// Makes both tables and fills them.
fn filled<'a>(server: &'a Server) -> (Db<'a>, Start) {
    let db = server.fresh_db("generated");
    db.sql(TABLES);
    let start = Start::here(&db);
    db.sql(ROWS);
    (db, start)
}

#[track_caller]
fn check(db: &Db, start: &Start, args: &[&str], wanted: &[&str]) {
    let (rows, lines) = halves_agree_with(db, start, args);
    assert_eq!(rows.values().map(String::as_str).collect::<Vec<_>>(), wanted);
    // A REPLACE is a delete and an insert, or an update.
    assert!(matches!(lines.len(), 20 | 21), "as many lines as changes: {lines:#?}");
}

#[track_caller]
fn kept(server: &Server) {
    let (db, start) = filled(server);
    check(&db, &start, &[], &KEPT);
    check(&db, &start, &["--generated", "keep"], &KEPT);
}

#[track_caller]
fn omitted(server: &Server) {
    let (db, start) = filled(server);
    check(&db, &start, &OMIT, &OMITTED);
    // The changed columns, without the generated ones that changed with them.
    let run = start.tail_with(&db, "t", &["--generated", "omit", "--old"]).expect_code(0);
    let olds: Vec<_> = run.lines().iter().filter_map(|line| line.metadata.get("old").cloned()).collect();
    let olds: Vec<_> = olds.iter().map(ToString::to_string).collect();
    assert_eq!(olds, [r#"{"a":1}"#, r#"{"id":2,"a":2}"#, r#"{"w":null}"#, r#"{"a":10}"#]);
}

on_servers!(
    [mariadb_10_11, mariadb_11_4, mysql_5_7, mysql_8_0, mysql_9_7] fn they_print_as_others(server) {
        kept(server);
    }

    [mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_5_7, mysql_8_0, mysql_9_7] fn they_can_be_left_out(server) {
        omitted(server);
    }

    // In the other tests the log does not name columns.
    [mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_8_0, mysql_9_7] fn where_the_log_names_columns(shared) {
        let server = Server::private(&shared.name, &["--binlog-row-metadata=FULL"]);
        omitted(&server);
        if server.name == "mariadb-11.8" {
            not_logged(&server);
        } else {
            kept(&server);
        }
        which_are_generated_must_be_known(&server);
    }

    [mariadb_11_8] fn what_the_log_leaves_out_ends_the_run(server) {
        not_logged(server);
    }

    [mariadb_10_11, mariadb_11_4, mysql_9_7] fn invisible_ones_too(server) {
        let db = server.fresh_db("generated");
        let start = Start::here(&db);
        db.sql(
            "create table t (id int primary key, i int invisible default 7, v int as (id * 2) virtual invisible,
                e enum('a','b') as (if(id > 1, 'b', 'a')) virtual, d int as (v + 1) virtual);
             insert into t (id) values (1), (2), (3);
             update t set i = 8 where id = 1;
             update t set id = 9 where id = 2;
             delete from t where id = 3",
        );
        let contents = |args: &[&str]| halves_agree_with(&db, &start, args).0.into_values().collect::<Vec<_>>();
        assert_eq!(contents(&[]), [r#"{"id":1,"i":8,"v":2,"e":"a","d":3}"#, r#"{"id":9,"i":7,"v":18,"e":"b","d":19}"#]);
        assert_eq!(contents(&OMIT), [r#"{"id":1,"i":8}"#, r#"{"id":9,"i":7}"#]);
    }

    [mariadb_10_11, mariadb_11_4, mariadb_11_8] fn what_tells_when_a_version_holds_is_not_generated(server) {
        let db = server.fresh_db("generated");
        let start = Start::here(&db);
        db.sql(
            "create table t (id int primary key, g int as (id + 1) stored, s timestamp(6) generated always as row start,
                e timestamp(6) generated always as row end, v int, period for system_time (s, e)) with system versioning;
             insert into t (id, v) values (1, 1), (2, 2);
             update t set v = 3 where id = 2;
             delete from t where id = 1",
        );
        let (rows, lines) = halves_agree_with(&db, &start, &OMIT);
        assert_eq!((rows.len(), lines.len()), (1, 4));
        let names = lines.iter().map(|line| line.content.as_object().expect("an object").len());
        assert!(names.clone().all(|count| count == 4), "id, s, e, v: {lines:#?}");
    }
);

/// MariaDB 11.8 leaves generated columns out of updates and deletes.
#[track_caller]
fn not_logged(server: &Server) {
    let db = server.fresh_db("generated");
    db.sql("create table t (id int primary key, v int as (id * 2) virtual, s int as (id * 3) stored, w int)");
    for change in ["update t set w = 1", "delete from t"] {
        let start = Start::here(&db);
        db.sql(&format!("insert into t (id) values (1);\n{change}"));
        let run = start.tail_with(&db, "t", &[]).expect_code(4);
        assert_eq!(run.lines().len(), 1, "the insert is whole");
        for says in ["`v`, `s`", "--generated omit", ".t are logged without", "bin.0"] {
            assert!(run.stderr.contains(says), "no {says:?}: {}", run.stderr);
        }
        // An id of a generated column cannot be printed at all.
        let omit = ["--generated", "omit", "--id", "t=v,id"];
        let run = start.tail_with(&db, "t", &omit).expect_code(4);
        assert_eq!(run.lines().first().map(|line| line.id_text.clone()).as_deref(), Some("[2,1]"));
        assert!(run.stderr.contains("`v`") && run.stderr.contains("--id t=COLUMN"), "{}", run.stderr);
        assert_eq!(start.tail_with(&db, "t", &OMIT).expect_code(0).lines().len(), 2);
        db.sql("delete from t");
    }
}

/// The names alone do not show it. The statement that made the table does.
#[track_caller]
fn which_are_generated_must_be_known(server: &Server) {
    let db = server.fresh_db("generated");
    let start = Start::here(&db);
    db.sql("create table t (id int primary key, g int as (id) stored, more int)");
    let created = Start::here(&db);
    db.sql("insert into t (id) values (1);\nalter table t drop column more");
    let lines = start.tail_with(&db, "t", &OMIT).expect_code(0).lines();
    let contents: Vec<_> = lines.iter().map(|line| line.content_text.as_str()).collect();
    assert_eq!(contents, [r#"{"id":1,"more":null}"#]);
    assert_eq!(created.tail(&db, "t").len(), 1);
    let run = created.tail_with(&db, "t", &OMIT).expect_code(4);
    assert!(run.stdout.is_empty() && run.stderr.contains("--generated omit"), "{}", run.stderr);
    let (file,): (String,) = server.ask("select @@log_bin_basename");
    let log = format!("{file}.000001");
    let offline = Dumpa::bare().args(["tail", "-D", &db.name, "--generated", "omit", "t", "--binlog", &log]);
    let run = offline.run().expect_code(2);
    assert!(run.stderr.contains("--host"), "{}", run.stderr);
}

on_servers!(
    [mysql_5_7, mysql_8_0, mysql_9_7] fn an_id_of_theirs_stays_the_id(server) {
        let db = server.fresh_db("generated");
        let start = Start::here(&db);
        db.sql(
            "create table kept (id int, a int not null, g int as (id * 3) stored, primary key (g, a));
             create table virt (a int, g varchar(30) as (concat('g', a)) virtual not null, h int as (1), unique (g));
             insert into kept (id, a) values (1, 1), (2, 2), (3, 3);
             insert into virt (a) values (1), (2), (3);
             update kept set id = 20 where id = 2;
             update virt set a = 20 where a = 2;
             delete from kept where id = 3;
             delete from virt where a = 3",
        );
        let ids = |rows: &Rows| rows.keys().map(|(_, id)| id.clone()).collect::<Vec<_>>();
        let (kept, lines) = halves_agree(&db, &start);
        let (omitted, fewer) = halves_agree_with(&db, &start, &OMIT);
        assert_eq!(ids(&omitted), ["[3,1]", "[60,2]", "\"g1\"", "\"g20\""]);
        assert_eq!(ids(&kept), ids(&omitted));
        let contents: Vec<_> = omitted.values().map(String::as_str).collect();
        assert_eq!(contents, [r#"{"id":1,"a":1}"#, r#"{"id":20,"a":2}"#, r#"{"a":1}"#, r#"{"a":20}"#]);
        let shown = |lines: &[Tuple]| lines.iter().map(|l| format!("{} {}", l.op, l.id_text)).collect::<Vec<_>>();
        assert_eq!(shown(&lines), shown(&fewer), "a change of it is a change of the id");
        let run = start.tail_with(&db, "kept", &["--generated", "omit", "--old"]).expect_code(0);
        let olds: Vec<_> = run.lines().iter().filter_map(|line| line.metadata.get("old").cloned()).collect();
        assert_eq!(olds, [serde_json::json!({"id": 2})]);
    }
);

#[test]
#[ignore = "needs a server: run tests/run"]
fn a_server_that_logs_null_for_virtual_columns() {
    let server = Server::private("mariadb-10.2", &[]);
    let (db, start) = filled(&server);
    let old = "MariaDB 10.2.11 is older than the oldest release that dumpa supports (10.5)";
    for args in [
        vec!["load"],
        vec!["position"],
        vec!["validate-pos", "now"],
        vec!["tail", "--from", "now", "--until", "now"],
    ] {
        let run = Dumpa::new(&server, &db).args(&args).run().expect_code(0);
        assert_eq!(run.stderr.matches(old).count(), 1, "{args:?}: {}", run.stderr);
    }
    let run = start.tail_with(&db, "t", &[]).expect_code(4);
    assert!(run.stdout.is_empty());
    for says in ["`v`", ".t is virtual", "--generated omit", "bin.0"] {
        assert!(run.stderr.contains(says), "no {says:?}: {}", run.stderr);
    }
    let (rows, _) = halves_agree_with(&db, &start, &OMIT);
    assert!(rows.len() == 6 && rows.values().all(|row| !row.contains("\"v\"")), "{rows:?}");
    let run = start.tail_with(&db, "t", &["--generated", "omit", "--id", "t=v"]).expect_code(4);
    assert!(run.stdout.is_empty() && run.stderr.contains("since the id uses it"), "{}", run.stderr);
    // What is stored is in its log.
    db.sql("create table s (id int primary key, s int as (id * 3) stored);\ninsert into s (id) values (1)");
    let contents: Vec<_> = start.tail(&db, "s").into_iter().map(|line| line.content_text).collect();
    assert_eq!(contents, [r#"{"id":1,"s":3}"#]);
}

// Its rows print without any column.
on_servers!([mysql_5_7, mysql_8_0, mysql_9_7, mariadb_10_11, mariadb_11_8]
fn a_table_of_generated_columns_alone(server) {
    let db = server.fresh_db("generated");
    let start = Start::here(&db);
    db.sql("create table t (a int as (1) stored, b int as (2) virtual);\ninsert into t values (), ()");
    let load = Dumpa::new(server, &db).args(["load", "--generated", "omit"]).run().expect_code(0).lines();
    let tail = start.tail_with(&db, "t", &OMIT).expect_code(0).lines();
    assert_eq!((load.len(), tail.len()), (2, 2));
    assert!(load.iter().chain(&tail).all(|line| line.content_text == "{}"), "{load:?} {tail:?}");
});

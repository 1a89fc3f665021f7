//! Indexes on expressions. MySQL before 8.0.20 counts the hidden columns that it makes for them in its log, wherever they
//! stand among the table's own.

use crate::common::*;
use crate::json::Start;

/// Of several indexes, of all that an expression can be, unique ones, and with columns that came and went after them.
const TABLES: &str = "
    create table plain (a int primary key, index ((a + 1)));
    create table many (v varchar(9) not null, id int not null, b varchar(20), d date, f float, last int, index ((id + 1), b),
        unique index u ((upper(b))), index ((lower(b)), (id + 2)), index ((cast(d as datetime(3)))), index ((f * 2)),
        index ((cast(b as binary(10)))), index ((cast(b as char(300)))), index ((id = 3)),
        index ((cast(b as decimal(10,2)))), index ((cast(id as time))), index ((cast(id as unsigned))));
    alter table many add primary key (id, v);
    create table later (a int primary key, g int as (a * 3) virtual, j json, index ((a + 1)), index gone ((a + 2)));
    alter table later add index ((concat('x', a)));
    alter table later add column z int;
    alter table later drop index gone, add column y int as (a * 2) stored, add column first int first";

const ROWS: &str = "
    insert into plain values (1), (2);
    update plain set a = 3 where a = 1;
    delete from plain where a = 2;
    insert into many values ('A', 1, 'x', '2020-01-01', 1.5, 10), ('B', 2, 'y', null, null, 20), ('C', 3, null, null, 0, 30);
    update many set last = 11, b = 'z' where id = 1;
    update many set v = 'BB' where b = 'y';
    delete from many where id = 3;
    replace into many values ('D', 4, 'Z', null, null, 40);
    insert into many values ('E', 5, 'yy', null, null, 50), ('F', 6, 'YY', null, 2, 60) on duplicate key update last = 51;
    insert into later (a, z, j) values (1, 2, '{\"a\": 1}'), (2, null, null);
    update later set z = 3, first = -1 where a = 1;
    update later set j = json_set(j, '$.a', 2) where a = 1;
    update later set a = 20 where a = 2";

const LEFT: [&str; 6] = [
    r#"{"first":-1,"a":1,"g":3,"j":{"a":2},"z":3,"y":2}"#,
    r#"{"first":null,"a":20,"g":60,"j":null,"z":null,"y":40}"#,
    r#"{"v":"BB","id":2,"b":"y","d":null,"f":null,"last":20}"#,
    r#"{"v":"D","id":4,"b":"Z","d":null,"f":null,"last":40}"#,
    r#"{"v":"E","id":5,"b":"yy","d":null,"f":null,"last":51}"#,
    r#"{"a":3}"#,
];

#[track_caller]
fn check(server: &Server) {
    for session in ["set @x = 1", "set binlog_row_value_options = PARTIAL_JSON"] {
        let db = server.fresh_db("expressions");
        db.sql(TABLES);
        let start = Start::here(&db);
        db.sql(&format!("set sql_mode = '';\n{session};\n{ROWS}"));
        let (rows, _) = halves_agree(&db, &start);
        assert_eq!(rows.values().map(String::as_str).collect::<Vec<_>>(), LEFT);
        let (rows, _) = halves_agree_with(&db, &start, &["--generated", "omit"]);
        let first = rows.values().next().map(String::as_str);
        assert_eq!(first, Some(r#"{"first":-1,"a":1,"j":{"a":2},"z":3}"#));
        let run = start.tail_with(&db, "later", &["--old"]).expect_code(0);
        let olds: Vec<_> = run.lines().iter().filter_map(|line| line.metadata.get("old").cloned()).collect();
        assert_eq!(olds.first(), Some(&serde_json::json!({"first": null, "z": 2})));
    }
}

on_servers!(
    [mysql_8_0, mysql_9_7] fn they_add_nothing(server) {
        check(server);
    }

    [mysql_8_0, mysql_9_7] fn they_add_nothing_where_the_log_names_columns(shared) {
        check(&Server::private(&shared.name, &["--binlog-row-metadata=FULL"]));
    }

    [mysql_8_0] fn the_log_alone_tells_which_columns_are_theirs(shared) {
        let server = Server::private(&shared.name, &["--binlog-row-metadata=FULL"]);
        let db = server.fresh_db("expressions");
        db.sql(TABLES);
        db.sql("flush logs");
        let start = Start::here(&db);
        db.sql(&format!("set sql_mode = '';\n{ROWS}"));
        let tailed = start.tail(&db, "*");
        db.sql("drop table plain, many, later");
        let (base,): (String,) = server.ask("select @@log_bin_basename");
        let offline = Dumpa::bare().args(["tail", "-D", &db.name, "--binlog", &format!("{base}.000002")]);
        let offline = offline.run().expect_code(0).lines();
        let shown = |lines: &[Tuple]| lines.iter().map(Tuple::without_metadata).collect::<Vec<_>>();
        assert_eq!(shown(&offline)[..tailed.len()], shown(&tailed));
    }

    [mysql_8_0] fn no_column_of_the_table_is_taken_for_one_of_theirs(server) {
        // As many columns of the same types: but the log's rows hold what the table's now do not.
        let index = "add index ((a + 1))";
        for (create, alter, says) in [
            ("(a bigint primary key, q bigint)", format!("drop column q, {index}"), "hold column 2"),
            ("(a bigint primary key, q int)", format!("drop column q, {index}"), "column 2 of the rows does not have the type"),
            ("(a bigint primary key, q bigint, r bigint)", format!("drop column q, {index}"), "hold column 3"),
            ("(a bigint primary key, index i ((a + 1)))", "drop index i".into(), "2 columns"),
            ("(a bigint primary key, index i ((a + 1)))", "drop index i, add column q bigint".into(), "without `q`"),
            ("(a bigint primary key, q bigint, index i ((a + 1)))", "drop column q".into(), "3 columns"),
            ("(a bigint primary key, index i ((a + 1)))", "add column q bigint".into(), "2 columns, the table 3, 1 of them"),
        ] {
            let db = server.fresh_db("expressions");
            db.sql(&format!("create table t {create}"));
            let start = Start::here(&db);
            db.sql("insert into t (a) values (1)");
            db.sql(&format!("alter table t {alter}"));
            let run = start.tail_with(&db, "t", &["--trust-catalog"]).expect_code(4);
            assert!(run.stdout.is_empty() && run.stderr.contains(says), "{create}, {alter}: {}", run.stderr);
            // The statement is seen before that.
            let run = start.tail_with(&db, "t", &[]).expect_code(4);
            let names_it = ["(alter table t", "The table was altered since"].iter().any(|text| run.stderr.contains(text));
            assert!(run.stdout.is_empty() && names_it, "{create}, {alter}: {}", run.stderr);
        }
    }
);

// Names that hidden columns have may be a table's own.
on_servers!([mysql_8_0] fn a_column_that_is_called_as_one_of_theirs(shared) {
    let server = Server::private(&shared.name, &["--binlog-row-metadata=FULL"]);
    let db = server.fresh_db("expressions");
    let start = Start::here(&db);
    db.sql("create table t (id int primary key, b int, d41d8cd98f00b204e9800998ecf8427e text, `!hidden!` int, index i ((b + 1)));
        insert into t values (1, 1, 'kept', 7);
        update t set b = 2");
    let (rows, _) = halves_agree(&db, &start);
    assert!(rows.values().all(|row| row.contains("kept") && row.contains("\"!hidden!\":7")), "{rows:?}");
    db.sql("set binlog_row_image = noblob;\nupdate t set b = 3");
    let run = start.tail_with(&db, "t", &[]).expect_code(4);
    assert!(run.stderr.contains("binlog_row_image"), "{}", run.stderr);
});

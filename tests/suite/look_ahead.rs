//! Rows that are read by the catalog's definition: statements between them and the catalog decide whether it holds.

use serde_json::Value;

use crate::common::*;
use crate::json::Start;

/// A tail from before the only row of `t`, after which the script ran. By default, no server logs column names.
#[track_caller]
fn tail(db: &Db, after: &str, args: &[&str]) -> Run {
    db.sql("drop table if exists t, u, old;\ncreate table t (id int primary key, a int, b int);\ncreate table u like t");
    let start = Start::here(db);
    db.sql(&format!("insert into t values (1, 10, 20);\n{after}"));
    start.tail_with(db, "t", args)
}

/// Nothing is printed, and the message names the statement.
#[track_caller]
fn refused(db: &Db, after: &str, statement: &str) {
    let run = tail(db, after, &[]).expect_code(4);
    assert!(run.stdout.is_empty(), "{after}: {}", run.text());
    for part in [statement, ".t at bin.0", "the statement at bin.0", "Load again", "--trust-catalog"] {
        assert!(run.stderr.contains(part), "no {part:?} after {after}: {}", run.stderr);
    }
}

/// Statements that change the meaning of a row of `t`, and what the message quotes.
const IN_THE_WAY: &[(&str, &str)] = &[
    ("alter table t modify a int after b", "(alter table t modify a int after b)"),
    ("alter table t modify b int first", "(alter table t modify b int first)"),
    ("alter table t drop a;\nalter table t add a int", "(alter table t drop a)"),
    ("alter table t change a c int", "(alter table t change a c int)"),
    ("rename table t to old, u to t;\ndrop table old", "(DROP TABLE `old`"),
    ("drop table t;\ncreate table t (id int primary key, b int, a int)", "(DROP TABLE `t`"),
    (
        "flush logs;\nalter table\n  t\n change a b int,  change b a int",
        "(alter table t change a b int, change b a int)",
    ),
    ("/*!50000 alter table t modify a int after b */", "alter table t modify a int after b"),
];

/// Statements that leave the columns of `t` as they are.
const HARMLESS: &[&str] = &[
    "alter table u modify a int after b",
    "alter table t add index (a), comment 'modify a int after b'",
    "create index i on t (b);\ndrop index i on t",
    "alter table t alter a set default 7, engine=innodb",
    "alter table t add unique (a);\nset foreign_key_checks = 0;\nalter table t add constraint f foreign key (a) references u (id)",
    "create table if not exists t (x int)",
    "analyze table t;\noptimize table t",
    "create temporary table t (x int);\nalter table t add y int;\ndrop temporary table t",
    "create table v (id int);\nrename table v to w;\ndrop table w",
    "create view v as select * from t;\ndrop view v",
    "flush logs;\nalter table u drop a",
];

/// Likewise, after which the row does not even fit.
const UNFIT: &[(&str, &str)] = &[
    ("alter table t add c int, modify a int after b", "(alter table t add c int, modify a int after b)"),
    ("alter table t add c int;\nalter table t modify a int after b", "(alter table t modify a int after b)"),
];

/// Statements that change `t`, or who has its name, in ways that can be undone.
const UNDONE: &[&str] = &[
    "alter table t add c int first",
    "alter table t add c int after id, add unique (c), add index k (b, a);\nalter table t add (d int, e varchar(3))",
    "alter table t add c int;\ninsert into t values (2, 3, 4, 5);\nalter table t drop c",
    "rename table t to old, u to t",
    "rename table t to tmp, u to t, tmp to u",
    "alter table t rename to old;\nalter table old add c int first",
    "rename table t to old;\nrename table old to older;\nalter table older add z int first;\ncreate table t (x int)",
    "alter table t add c int first, rename to old;\ncreate table t (id int primary key, b int, a int)",
];

/// The same, where the server has RENAME COLUMN.
const RENAMED: &[&str] = &[
    "alter table t rename column a to c, add index (c)",
    "alter table t rename column a to b, rename column b to a",
    "alter table t rename column a to c, add column a int first;\nalter table t rename column c to d, rename column a to c",
];

on_each_server! {
    fn what_can_be_undone_is_undone(server) {
        let db = server.fresh_db("ahead");
        let renames = if server.is_mariadb() || server.version() >= (8, 0) { RENAMED } else { &[] };
        for after in UNDONE.iter().chain(renames) {
            db.sql("drop table if exists older");
            let run = tail(&db, after, &["--swaps", "continue", "--allow-missing"]).expect_code(0);
            assert_eq!(run.lines()[0].content_text, r#"{"id":1,"a":10,"b":20}"#, "{after}: {}", run.stderr);
        }
    }

    fn a_statement_that_may_change_columns_ends_the_run_before_the_row(server) {
        let db = server.fresh_db("ahead");
        for (after, statement) in IN_THE_WAY {
            refused(&db, after, statement);
        }
        // Under its last name it does not fit.
        let run = tail(&db, "rename table t to old, u to t;\nalter table old modify b bigint", &[]).expect_code(4);
        assert!(run.stdout.is_empty() && run.stderr.contains(".t at bin.0"), "{}", run.text());
        for (after, statement) in UNFIT {
            let run = tail(&db, after, &[]).expect_code(4);
            assert!(run.stdout.is_empty(), "{after}: {}", run.text());
            for part in [statement, ".t at bin.0", "the rows have 3 columns, the table 4", "was altered since, at bin.0", "load again"] {
                assert!(run.stderr.contains(part), "no {part:?} after {after}: {}", run.stderr);
            }
        }
    }

    fn what_leaves_columns_alone_is_not_in_the_way(server) {
        let db = server.fresh_db("ahead");
        for after in HARMLESS {
            let run = tail(&db, after, &[]).expect_code(0);
            assert_eq!(run.lines()[0].content_text, r#"{"id":1,"a":10,"b":20}"#, "{after}");
            assert!(!run.stderr.contains("warning"), "{after}: {}", run.stderr);
        }
    }

    fn the_users_word_stands_for_the_catalog(server) {
        let db = server.fresh_db("ahead");
        let run = tail(&db, "alter table t modify a int after b", &["--trust-catalog"]).expect_code(0);
        assert_eq!(run.lines()[0].content_text, r#"{"id":1,"b":10,"a":20}"#);
    }

    fn rows_after_the_statement_are_printed(server) {
        let db = server.fresh_db("ahead");
        db.sql("create table t (id int primary key, a int, b int);\ninsert into t values (1, 1, 1);
            alter table t modify a int after b");
        let start = Start::here(&db);
        db.sql("insert into t values (2, 3, 4)");
        let lines = start.tail_with(&db, "t", &[]).expect_code(0).lines();
        assert_eq!(lines[0].content_text, r#"{"id":2,"b":3,"a":4}"#);
    }

    fn a_database_that_was_altered_later_had_another_character_set(server) {
        let db = server.fresh_db("ahead");
        let create = "create table t (id int primary key, v varchar(9), w text)";
        let row = "set names utf8;\ninsert into t values (1, 'é', 'õ')";
        let content = r#"{"id":1,"v":"é","w":"õ"}"#;
        db.sql("alter database character set latin1");
        let start = Start::here(&db);
        db.sql(&format!("{create};\n{row};\nalter database character set latin2"));
        assert_eq!(start.tail(&db, "t")[0].content_text, content);
        // The statement does not say it, and the table that would is gone. A log with character sets need not be asked.
        db.sql("drop table t");
        let run = start.tail_with(&db, "t", &["--allow-missing"]);
        match run.code {
            Some(4) => assert!(run.stdout.is_empty() && run.stderr.contains("DROP TABLE"), "{}", run.text()),
            code => assert_eq!((code, &*run.lines()[0].content_text), (Some(0), content)),
        }
        // Where it was altered before, it is known.
        let start = Start::here(&db);
        db.sql(&format!("alter database character set latin1;\n{create};\n{row};\nalter database character set latin2;\ndrop table t"));
        let lines = start.tail_with(&db, "t", &["--allow-missing"]).expect_code(0).lines();
        assert_eq!(lines[0].content_text, content);
    }

    fn what_the_log_does_not_hold_ends_the_run_where_it_shows(server) {
        let db = server.fresh_db("ahead");
        let run = tail(&db, "set sql_log_bin = 0;\nalter table t add c int", &[]).expect_code(4);
        let says = ["the rows have 3 columns, the table 4", "without a word in the log", "load again"];
        assert!(run.stdout.is_empty() && says.iter().all(|text| run.stderr.contains(text)), "{}", run.stderr);
    }

    fn a_table_whose_name_differs_in_case_is_another(server) {
        let db = server.fresh_db("ahead");
        let start = Start::here(&db);
        db.sql("create table T (id int primary key, b int, a int)");
        // Which of them it was is not known for certain, so it counts for both.
        let run = tail(&db, "alter table T drop a", &["T"]).expect_code(4);
        assert!(run.stdout.is_empty() && run.stderr.contains("(alter table T drop a)"), "{}", run.stderr);
        drop(start);
    }

    fn a_dropped_database_is_in_the_way_of_its_tables(server) {
        let other = server.fresh_db("gone");
        let db = server.fresh_db("ahead");
        other.sql("create table t (id int primary key, a int, b int)");
        let start = Start::here(&db);
        let name = &other.name;
        other.sql("insert into t values (1, 2, 3)");
        db.sql(&format!("drop database {name};\ncreate database {name};\ncreate table {name}.t (id int primary key, b int, a int)"));
        let run = start.tail_with(&db, &format!("{name}.t"), &[]).expect_code(4);
        assert!(run.stdout.is_empty() && run.stderr.contains("(drop database"), "{}", run.stderr);
    }

    fn an_alter_under_a_live_tail_is_followed(server) {
        let db = server.fresh_db("ahead");
        db.sql("create table t (id int primary key, a int, b int)");
        let mut tail = Dumpa::new(server, &db).args(["tail", "--from", "now", "t"]).spawn();
        let mut contents = Vec::new();
        // The run may begin at any of them; it has begun when a row comes.
        db.sql("insert into t values (0, 1, 2)");
        let mut id = 0;
        while contents.is_empty() {
            id += 1;
            db.sql(&format!("insert into t values ({id}, 1, 2)"));
            contents.extend(tail.next_line(std::time::Duration::from_millis(100)));
        }
        for i in 0..5 {
            let order = ["modify a int after b", "modify b int after a"][i % 2];
            db.sql(&format!("alter table t {order}"));
            db.sql(&format!("insert into t (id, a, b) values (100{i}, 1, 2)"));
            let text = loop {
                let next = tail.next();
                if next.id_text == format!("100{i}") {
                    break next.content_text;
                }
            };
            let wanted = if i % 2 == 0 { r#""b":2,"a":1}"# } else { r#""a":1,"b":2}"# };
            assert!(text.ends_with(wanted), "{text}");
        }
        tail.end_by(libc::SIGTERM);
    }

    fn strict_ends_at_an_alter_that_changes_rows_silently(server) {
        let db = server.fresh_db("ahead");
        db.sql("create table t (id int primary key, a int)");
        let start = Start::here(&db);
        db.sql("insert into t values (1, 1);\nalter table t add unique (a)");
        let before = place(server);
        db.sql("alter table t add b int not null default 7");
        let alter = place(server);
        db.sql("insert into t values (2, 2, 2)");
        // The rows before it are read by the present definition, which has another column.
        let args = ["tail", "--from", &before, "--until", "now", "t", "--save", "p.json"];
        let lax = Dumpa::new(server, &db).args(args).run().expect_code(0);
        assert_eq!(lax.stderr.matches("altered at").count(), 1, "{}", lax.stderr);
        assert_eq!(lax.lines().len(), 1);
        let strict = Dumpa::new(server, &db).args(args).args(["--strict"]);
        let run = strict.run().expect_code(4);
        assert!(run.stdout.is_empty() && run.stderr.contains("t: altered at bin.0"), "{}", run.stderr);
        assert!(run.stderr.contains("ADD COLUMN `b`") && run.stderr.contains("--strict"), "{}", run.stderr);
        let saved: Value = serde_json::from_slice(&std::fs::read(strict.file("p.json")).unwrap()).unwrap();
        // Others write to the log meanwhile.
        let saved = |member: &str| saved[member].clone();
        let (file, position) = before.rsplit_once(':').expect("a position");
        assert_eq!(saved("file"), file);
        assert!((position.parse().unwrap()..alter.rsplit_once(':').unwrap().1.parse().unwrap()).contains(&saved("position").as_u64().unwrap()));
        drop(start);
    }
}

/// The verdict's two members on the schema.
#[track_caller]
fn schema(db: &Db, at: &str) -> (String, String) {
    let run = Dumpa::new(db.server, db).args(["validate-pos", at]).run().expect_code(0);
    let verdict: Value = serde_json::from_str(run.text()).expect("one JSON value");
    let member = |name: &str| verdict[name].as_str().unwrap_or_default().to_owned();
    (member("schema"), member("schema_reason"))
}

on_each_server! {
    fn validate_pos_says_what_a_tail_goes_by(server) {
        let db = server.fresh_db("ahead");
        let other = server.fresh_db("other");
        let create = "create table t (id int primary key, a int, b int);\ninsert into t values (1, 2, 3)";
        db.sql(create);
        other.sql(create);
        let start = place(server);
        db.sql("alter table t add index (a);\ntruncate table t;\ncreate table u like t");
        other.sql("alter table t drop a");
        assert_eq!(schema(&db, &start), ("catalog".into(), String::new()));
        assert_eq!(schema(&db, "now"), ("catalog".into(), String::new()));
        db.sql("alter table t modify a int after b");
        let (schema_is, reason) = schema(&db, &start);
        assert!(schema_is == "unknown" && reason.contains("alter table t modify a int after b"), "{schema_is} {reason}");
        // Without -D, the other database counts.
        let run = Dumpa::without_db(server).args(["validate-pos", &start]).run().expect_code(0);
        assert!(run.text().contains("alter table t drop a"), "{}", run.text());
    }
}

on_servers!(
    [mariadb_10_11, mariadb_11_8, mysql_8_0, mysql_9_7] fn validate_pos_goes_by_a_log_with_names(shared) {
        let server = Server::private(&shared.name, &["--binlog-row-metadata=FULL"]);
        let db = server.fresh_db("ahead");
        db.sql("create table t (id int primary key)");
        let start = place(&server);
        db.sql("alter table t add a int");
        assert_eq!(schema(&db, &start).0, "log");
    }

    [mariadb_10_11, mariadb_11_4, mariadb_11_8] fn an_alter_in_two_phases_counts_once(shared) {
        let server = Server::private(&shared.name, &[]);
        let db = server.fresh_db("ahead");
        for alter in ["rename column a to b, rename column b to a", "add c int first"] {
            let run = tail(&db, &format!("set binlog_alter_two_phase = 1;\nalter table t {alter}"), &[]).expect_code(0);
            assert_eq!(run.lines()[0].content_text, r#"{"id":1,"a":10,"b":20}"#, "{alter}");
        }
        // One that is rolled back changes nothing.
        db.sql("drop table if exists t;\ncreate table t (id int primary key, a int, b int)");
        let start = Start::here(&db);
        db.sql("insert into t values (1, 10, 20), (2, 10, 20)");
        let mut conn = db.conn();
        run_script(&mut conn, "set binlog_alter_two_phase = 1");
        let failing = "alter table t rename column a to b, rename column b to a, add unique (b)";
        mysql::prelude::Queryable::query_drop(&mut conn, failing).expect_err("two rows have the same value");
        let lines = start.tail_with(&db, "t", &[]).expect_code(0).lines();
        assert_eq!(lines[0].content_text, r#"{"id":1,"a":10,"b":20}"#);
    }

    [mariadb_10_11, mariadb_11_4, mariadb_11_8] fn compressed_statements_count(shared) {
        let server = Server::private(&shared.name, &["--log-bin-compress=1", "--log-bin-compress-min-len=10"]);
        let db = server.fresh_db("ahead");
        let comment = "x".repeat(300);
        refused(&db, &format!("alter table t modify a int after b, comment '{comment}'"), "(alter table t modify a int after b");
    }

    [mariadb_11_4, mysql_5_7, mysql_8_0] fn files_warn_of_what_comes_after_them(shared) {
        let server = Server::private(&shared.name, &[]);
        let db = server.fresh_db("ahead");
        db.sql("create table t (id int primary key, a int, b int);\nflush logs;\ninsert into t values (1, 2, 3);\nflush logs;\ninsert into t values (2, 2, 3)");
        let [first, second] = ["bin.000002", "bin.000003"].map(|name| server.dir.join("data").join(name).display().to_string());
        let tail = |files: &[&str]| Dumpa::new(&server, &db).args(["tail", "t", "--binlog"]).args(files).run();
        let run = tail(&[&first]).expect_code(0);
        assert!(run.lines().len() == 1 && run.stderr.matches("log goes on after the files").count() == 1, "{}", run.stderr);
        let run = tail(&[&first, &second]).expect_code(0);
        assert!(run.lines().len() == 2 && !run.stderr.contains("goes on"), "{}", run.stderr);
        // What the files hold is found.
        db.sql("alter table t modify a int after b");
        let run = tail(&[&first, &second]).expect_code(4);
        assert!(run.stdout.is_empty() && run.stderr.contains("(alter table t modify a int after b)"), "{}", run.stderr);
        let run = tail(&[&first]).expect_code(0);
        assert!(run.stderr.contains("log goes on after the files"), "{}", run.stderr);
        assert_eq!(tail(&[&first, "--trust-catalog"]).expect_code(0).stderr.matches("after the files").count(), 0);
    }
);

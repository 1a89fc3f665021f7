//! Tables that are more than columns of ordinary types: hidden columns, versions, and many columns.

use std::fmt::Write;

use crate::common::*;
use crate::json::Start;

/// Runs the script in a fresh database, and compares the halves. `wanted` is the content of all rows that are left,
/// sorted.
#[track_caller]
fn check(server: &Server, script: &str, wanted: &[&str]) -> Vec<Tuple> {
    let db = server.fresh_db("tables");
    let start = Start::here(&db);
    db.sql(&format!("set names utf8mb4, sql_mode = '';\n{script}"));
    let (rows, lines) = halves_agree(&db, &start);
    let mut contents: Vec<_> = rows.values().map(String::as_str).collect();
    contents.sort_unstable();
    assert_eq!(contents, wanted);
    lines
}

on_servers!([mysql_9_7] fn a_generated_primary_key_is_the_id(server) {
    check(
        server,
        "set sql_generate_invisible_primary_key = on;
         create table t (v varchar(9));
         insert into t values ('a'), ('b'), ('c');
         update t set v = 'B' where v = 'b';
         delete from t where v = 'c'",
        &[r#"{"my_row_id":1,"v":"a"}"#, r#"{"my_row_id":2,"v":"B"}"#],
    );
});

#[track_caller]
pub fn keys_on_blobs(server: &Server) {
    check(
        server,
        "create table t (b blob not null, id int primary key, x text, unique (b), unique (x, id));
         insert into t values ('a', 1, 'x'), ('b', 2, 'y'), ('c', 3, 'z');
         update t set b = 'd' where id = 2;
         delete from t where id = 3;
         create table only_hashed (t text not null, n int, unique (t));
         insert into only_hashed values ('one', 1), ('two', 2);
         update only_hashed set t = 'three' where n = 2",
        &[
            r#"{"b":"YQ==","id":1,"x":"x"}"#,
            r#"{"b":"ZA==","id":2,"x":"y"}"#,
            r#"{"t":"one","n":1}"#,
            r#"{"t":"three","n":2}"#,
        ],
    );
}

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn a_unique_key_on_a_blob_adds_nothing(server) {
    keys_on_blobs(server);
});

#[track_caller]
pub fn implicit_versions(server: &Server) {
    let lines = check(
        server,
        "create table t (id int primary key, v varchar(9)) with system versioning;
         insert into t values (1, 'a'), (2, 'b'), (3, 'c');
         update t set v = 'B' where id = 2;
         update t set v = 'BB' where id = 2;
         update t set id = 9 where id = 1;
         delete from t where id = 3;
         replace into t values (2, 'R')",
        &[r#"{"id":2,"v":"R"}"#, r#"{"id":9,"v":"a"}"#],
    );
    let ops: Vec<_> = lines.iter().map(|line| format!("{} {}", line.op, line.content_text)).collect();
    assert!(ops.contains(&r#"delete {"id":3,"v":"c"}"#.to_owned()), "{ops:#?}");
}

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn of_a_versioned_table_the_rows_of_now_are_printed(server) {
    implicit_versions(server);
});

#[track_caller]
pub fn explicit_versions(server: &Server) {
    let db = server.fresh_db("tables");
    let start = Start::here(&db);
    db.sql(
        "create table t (id int primary key, v int, s timestamp(6) generated always as row start,
         e timestamp(6) generated always as row end, period for system_time (s, e)) with system versioning;
         insert into t values (1, 1, default, default), (2, 2, default, default);
         update t set v = 3 where id = 2;
         delete from t where id = 1",
    );
    let (rows, lines) = halves_agree(&db, &start);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let shown: Vec<_> = lines.iter().map(|line| format!("{} {}", line.op, line.id_text)).collect();
    assert_eq!(shown, ["upsert 1", "upsert 2", "upsert 2", "delete 1"]);
}

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn a_versioned_table_may_show_its_columns_of_time(server) {
    explicit_versions(server);
});

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn sequences_are_no_tables(server) {
    check(
        server,
        "create sequence s;
         create table t (id int primary key default nextval(s), v int);
         insert into t (v) values (5), (6);
         do nextval(s)",
        &[r#"{"id":1,"v":5}"#, r#"{"id":2,"v":6}"#],
    );
});

on_each_server! {
    fn tables_of_many_columns(server) {
        let mut script = String::new();
        let mut wanted = vec![];
        for count in [8, 250, 251, 252, 1000] {
            let names: Vec<_> = (2..=count).map(|n| format!("c{n}")).collect();
            let columns: Vec<_> = names.iter().map(|name| format!("{name} smallint unsigned")).collect();
            writeln!(script, "create table t{count} (c1 int primary key, {});", columns.join(", ")).unwrap();
            let values: Vec<_> = (2..=count).map(|n| if n % 3 == 0 { "null".to_owned() } else { n.to_string() }).collect();
            writeln!(script, "insert into t{count} values (1, {0}), (2, {0});", values.join(", ")).unwrap();
            writeln!(script, "update t{count} set c{count} = 65535 where c1 = 1;\ndelete from t{count} where c1 = 2;").unwrap();
            let members: Vec<_> = (2..=count)
                .zip(values)
                .map(|(n, value)| format!("\"c{n}\":{}", if n == count { "65535" } else { &value }))
                .collect();
            wanted.push(format!("{{\"c1\":1,{}}}", members.join(",")));
        }
        wanted.sort_unstable();
        check(server, &script, &wanted.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn names_of_any_kind(server) {
        check(
            server,
            "create table `Привет мир` (`ключ` int primary key, `a\"b` int, `back\\slash` int, `tick``` int, `日本` int,
             `a.b` int, `SELECT` int, `with space` int, `%` int, `é'` int);
             insert into `Привет мир` values (1,2,3,4,5,6,7,8,9,10);
             update `Привет мир` set `tick``` = 0;
             create table `a.b-c\"d` (`id``` int primary key);
             insert into `a.b-c\"d` values (1)",
            &[
                r#"{"id`":1}"#,
                r#"{"ключ":1,"a\"b":2,"back\\slash":3,"tick`":0,"日本":5,"a.b":6,"SELECT":7,"with space":8,"%":9,"é'":10}"#,
            ],
        );
    }

    fn keys_of_several_columns_and_their_changes(server) {
        let lines = check(
            server,
            "create table t (v int, b varchar(5) not null, a int not null, primary key (a, b));
             insert into t values (1, 'x', 1), (2, 'y', 1), (3, 'z', 2);
             update t set a = 5 where b = 'y';
             update t set v = 9 where b = 'z';
             delete from t where b = 'x'",
            &[r#"{"v":2,"b":"y","a":5}"#, r#"{"v":9,"b":"z","a":2}"#],
        );
        let shown: Vec<_> = lines.iter().map(|line| format!("{} {}", line.op, line.id_text)).collect();
        let wanted = [
            r#"upsert [1,"x"]"#, r#"upsert [1,"y"]"#, r#"upsert [2,"z"]"#, r#"delete [1,"y"]"#, r#"upsert [5,"y"]"#,
            r#"upsert [2,"z"]"#, r#"delete [1,"x"]"#,
        ];
        assert_eq!(shown, wanted);
    }

    fn a_change_of_letter_case_in_the_key_is_a_change_of_the_id(server) {
        check(
            server,
            "create table t (id varchar(5) primary key, v int) collate latin1_swedish_ci;
             insert into t values ('a', 1);
             update t set id = 'A'",
            &[r#"{"id":"A","v":1}"#],
        );
    }

    fn large_values_print_whole(server) {
        let db = server.fresh_db("tables");
        let start = Start::here(&db);
        db.sql(
            "create table t (id int primary key, b longblob, t longtext character set latin1);
             insert into t values (1, repeat(0x00, 16777218), repeat('e', 16777217));
             insert into t values (2, null, ''), (3, '', repeat(0xe9, 20000000))",
        );
        let (rows, _) = halves_agree(&db, &start);
        let row = |id: &str| &rows[&("t".to_owned(), id.to_owned())];
        assert!(*row("1") == format!("{{\"id\":1,\"b\":\"{}\",\"t\":\"{}\"}}", "A".repeat(22_369_624), "e".repeat(16_777_217)));
        assert!(*row("3") == format!("{{\"id\":3,\"b\":\"\",\"t\":\"{}\"}}", "é".repeat(20_000_000)));
    }

    fn a_table_that_was_altered_since_is_described_in_words(server) {
        for (create, alter, says) in [
            ("n int", "modify n bigint unsigned", "column 2 is INT in the log, but `n` BIGINT UNSIGNED in the table"),
            ("n varchar(4) character set latin1", "modify n varchar(9)", " of 4 bytes"),
            ("n decimal(5,2)", "modify n time(3)", "column 2 is DECIMAL(5,2) in the log, but `n` TIME(3) in the table"),
            ("n int", "drop n", "the rows have 2 columns, the table 1"),
            ("n int", "add m int, modify n bigint", "the rows have 2 columns, the table 3"),
        ] {
            let db = server.fresh_db("tables");
            db.sql(&format!("create table t (id int primary key, {create})"));
            let start = Start::here(&db);
            db.sql(&format!("insert into t (id) values (1);\nalter table t {alter}"));
            let run = start.tail_with(&db, "t", &[]).expect_code(4);
            assert!(run.stdout.is_empty() && run.stderr.contains(says), "{says}: {}", run.stderr);
            // No advice that the server cannot take.
            let names_columns = server.is_mariadb() || server.version() >= (8, 0);
            assert_eq!(run.stderr.contains("binlog_row_metadata"), names_columns, "{}", run.stderr);
        }
    }
}

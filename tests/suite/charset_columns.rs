//! Columns, labels and names in every character set, through both halves.

use std::fmt::Write;

use crate::common::*;
use crate::json::Start;

/// Text that a character set can hold, in its own script if that is known.
fn sample(charset: &str) -> &'static str {
    match charset {
        "big5" | "gbk" | "gb2312" | "gb18030" => "中文字",
        "sjis" | "cp932" | "ujis" | "eucjpms" => "日本語ソ能",
        "euckr" => "한국어",
        "tis620" => "ไทย",
        "hebrew" => "שלום",
        "greek" => "Ελλάδα",
        "koi8r" | "cp1251" | "cp866" => "Привет",
        "koi8u" => "Київ",
        "cp1250" | "latin2" | "cp852" | "macce" | "keybcs2" => "žluť",
        "latin5" => "şĞ",
        "latin7" | "cp1257" => "ąčę",
        "cp1256" => "سلام",
        "latin1" | "cp850" | "dec8" | "hp8" | "macroman" => "éÄ",
        "utf8mb4" | "utf16" | "utf16le" | "utf32" => "é日😀",
        "ucs2" | "utf8" | "utf8mb3" => "é日Ж",
        "swe7" => "åÄ",
        _ => "plain ~",
    }
}

on_each_server! {
    fn a_column_and_labels_in_each_character_set(server) {
        let db = server.fresh_db("charset_columns");
        let start = Start::here(&db);
        let mut conn = db.conn();
        let names: Vec<String> =
            conn.query_map("show character set", |row: mysql::Row| row.get(0).unwrap()).unwrap();
        let names: Vec<_> = names.iter().filter(|name| *name != "binary").collect();
        assert!(names.len() >= 39);
        let mut script = String::from("set names utf8mb4, sql_mode = '';\n");
        for (n, name) in names.iter().enumerate() {
            // Labels beyond U+FFFF have a test of their own.
            let text = sample(name);
            let label = text.replace('😀', "");
            writeln!(
                script,
                "create table t{n} (id int primary key, c char(9), v varchar(9), t text, e enum('{label}', 'x'), \
                 s set('x', '{label}')) character set {name};\n\
                 insert into t{n} values (1, '{text}', '{text}', '{text}', 1, 3);"
            )
            .unwrap();
        }
        db.sql(&script);
        let (rows, _) = halves_agree(&db, &start);
        for (n, name) in names.iter().enumerate() {
            let text = sample(name);
            let label = text.replace('😀', "");
            let wanted = format!(
                "{{\"id\":1,\"c\":\"{text}\",\"v\":\"{text}\",\"t\":\"{text}\",\"e\":\"{label}\",\"s\":[\"x\",\"{label}\"]}}"
            );
            assert_eq!(rows.get(&(format!("t{n}"), "1".into())), Some(&wanted), "{name}");
        }
    }

    /// Tables made with NO_BACKSLASH_ESCAPES, and read by sessions with and without it.
    fn labels_with_backslashes_quotes_and_commas(server) {
        let db = server.fresh_db("charset_columns");
        let start = Start::here(&db);
        db.sql(
            "set sql_mode = 'NO_BACKSLASH_ESCAPES';
             create table t (id int primary key, e enum('a\\b', '\\', 'it''s', '\"', ',', '\\n'), s set('\\''', 'c:\\d'))
                character set utf8;
             insert into t values (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 0), (5, 5, 0), (6, 6, 0)",
        );
        let (rows, _) = halves_agree(&db, &start);
        let rows: Vec<_> = rows.values().map(String::as_str).collect();
        assert_eq!(rows, [
            r#"{"id":1,"e":"a\\b","s":["\\'"]}"#,
            r#"{"id":2,"e":"\\","s":["c:\\d"]}"#,
            r#"{"id":3,"e":"it's","s":["\\'","c:\\d"]}"#,
            r#"{"id":4,"e":"\"","s":[]}"#,
            r#"{"id":5,"e":",","s":[]}"#,
            r#"{"id":6,"e":"\\n","s":[]}"#,
        ]);
    }

    /// No server's catalog holds them. The statement in the log does. After it, a row with the label shows it, and on
    /// MariaDB a variable does.
    fn labels_beyond_the_catalog(server) {
        let db = server.fresh_db("charset_columns");
        let start = Start::here(&db);
        db.sql(
            "set names utf8mb4;
             create table t (id int primary key, e enum('x','😀','?') character set utf8mb4,
                s set('a','𝄞','?','b') character set utf16);
             insert into t values (1, '😀', '𝄞,b'), (2, 'x', 'a'), (3, '?', 'a,?')",
        );
        let (rows, _) = halves_agree(&db, &start);
        let rows: Vec<_> = rows.values().map(String::as_str).collect();
        assert_eq!(rows, [
            r#"{"id":1,"e":"😀","s":["𝄞","b"]}"#,
            r#"{"id":2,"e":"x","s":["a"]}"#,
            r#"{"id":3,"e":"?","s":["a","?"]}"#,
        ]);
        let created = Start::here(&db);
        db.sql("delete from t where id <> 2");
        let lines = start.tail(&db, "t");
        let contents: Vec<_> = lines.iter().map(|line| line.content_text.as_str()).collect();
        assert_eq!(contents, [rows[0], rows[1], rows[2], rows[0], rows[2]]);
        let run = created.tail_with(&db, "t", &[]);
        if server.is_mariadb() {
            let lines = run.expect_code(0).lines();
            let contents: Vec<_> = lines.iter().map(|line| line.content_text.as_str()).collect();
            assert_eq!(contents, [rows[0], rows[2]]);
        } else {
            let run = run.expect_code(4);
            assert!(run.stderr.contains("column `e`") && run.stderr.contains("binlog_row_metadata"), "{}", run.stderr);
        }
    }
}

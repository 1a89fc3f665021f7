//! JSON documents: `load` reads the server's text of them, `tail` their binary form, and both print that text
//! without the blanks between its parts.

use std::path::{Path, PathBuf};

use crate::common::*;

/// Whatever becomes an opaque value inside a document, or is printed in a way of the server's own.
const EXPRESSIONS: &[&str] = &[
    "cast(12.50 as decimal(10,2))",
    "cast(-0.5 as decimal(3,2))",
    "-0.00",
    "cast(0 as decimal(5,0))",
    "cast(repeat('9', 65) as decimal(65,0))",
    "cast(concat('-', repeat('9', 35), '.', repeat('8', 30)) as decimal(65,30))",
    "0.000000000000000000000000000001",
    "99999999999999999999999999999999999999999999999999999999999999999 / 3",
    "date'2015-01-15'",
    "date'0001-01-01'",
    "cast('0000-00-00' as date)",
    "cast('2015-00-00' as date)",
    "time'23:24:25'",
    "time'-838:59:59'",
    "time'-00:00:00.5'",
    "time'100:00:00.000001'",
    "timestamp'2015-01-15 23:24:25.12'",
    "timestamp'9999-12-31 23:59:59.999999'",
    "cast('0000-00-00 00:00:00' as datetime)",
    "current_timestamp(6)",
    "b'101'",
    "x'cafe'",
    "cast('' as binary)",
    "cast(repeat('x', 57) as binary)",
    "cast(repeat('x', 58) as binary)",
    "cast(repeat('x', 5000) as binary)",
    "_latin1 x'e9'",
    "true",
    "1 = 1",
    "null",
    "18446744073709551615",
    "-9223372036854775808",
    "1e300",
    "-0e0",
    "point(1, 2)",
    "json_object()",
    "json_array()",
];

/// The tuples of a table, which `load` and a `tail` from `start` have to print alike. The table has seen inserts only.
#[track_caller]
pub fn loaded_and_tailed(db: &Db, table: &str, start: &Start) -> Vec<Tuple> {
    let load = Dumpa::new(db.server, db).args(["load", table]);
    let loaded = load.run().expect_code(0).lines();
    let tailed = start.tail(db, table);
    assert_eq!(loaded.len(), tailed.len());
    for (loaded, tailed) in loaded.iter().zip(&tailed) {
        assert_eq!(loaded.without_metadata(), tailed.without_metadata());
    }
    loaded
}

/// Where the server's log stood.
pub struct Start {
    dumpa: Dumpa,
    file: PathBuf,
}

impl Start {
    #[track_caller]
    pub fn here(db: &Db) -> Start {
        let dumpa = Dumpa::new(db.server, db).args(["position", "--save", "start.json"]);
        dumpa.run().expect_code(0);
        // The place alone: the history beside it would tell each table's columns there.
        std::fs::remove_file(dumpa.file("start.json.schema")).expect("a history");
        let file = dumpa.file("start.json");
        Start { dumpa, file }
    }

    /// For `--from`.
    pub fn file(&self) -> &Path {
        &self.file
    }

    #[track_caller]
    pub fn tail(&self, db: &Db, table: &str) -> Vec<Tuple> {
        self.tail_with(db, table, &[]).expect_code(0).lines()
    }

    /// Likewise of a table that may be gone.
    #[track_caller]
    pub fn tail_of_gone(&self, db: &Db, table: &str) -> Vec<Tuple> {
        self.tail_with(db, table, &["--allow-missing"]).expect_code(0).lines()
    }

    #[track_caller]
    pub fn tail_with(&self, db: &Db, table: &str, args: &[&str]) -> Run {
        let tail = Dumpa::new(db.server, db).in_the_folder_of(&self.dumpa);
        let tail = tail.args(["tail", "--from"]).args([&self.file]);
        tail.args(["--until", "now", table]).args(args).run()
    }
}

/// The server's text without what it puts between the parts.
pub fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let kept = json.chars().filter(|&char| {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = in_string,
            '"' => in_string = !in_string,
            _ => {}
        }
        in_string || char != ' '
    });
    // 5.7 breaks base64 into lines with a bare line feed, which JSON does not take.
    kept.collect::<String>().replace('\n', "\\n")
}

/// Compares the documents of the table `docs`, row by row.
#[track_caller]
fn check(db: &Db, start: &Start) {
    let rows: Vec<(u32, String)> =
        db.conn().query("select id, cast(j as char) from docs order by id").expect("the server's text");
    let printed = loaded_and_tailed(db, "docs", start);
    assert_eq!(printed.len(), rows.len());
    for (printed, (id, text)) in printed.iter().zip(&rows) {
        let wanted = format!("{{\"id\":{id},\"j\":{}}}", compact(text));
        assert!(printed.content_text == wanted, "{} is not {wanted}", printed.content_text);
    }
}

fn documents_table(server: &Server) -> (Db<'_>, Start) {
    let db = server.fresh_db("json");
    db.sql("create table docs (id int primary key auto_increment, j json)");
    let start = Start::here(&db);
    (db, start)
}

on_servers!([mysql_5_7, mysql_8_0, mysql_9_7] fn documents_print_as_the_server_prints_them(server) {
    let (db, start) = documents_table(server);
    let mut conn = db.conn();
    conn.query_drop("set sql_mode = ''").expect("zero dates are let in");
    conn.query_drop("begin").expect("one transaction");
    let mut random = Random(7);
    for _ in 0..1500 {
        conn.exec_drop("insert into docs (j) values (?)", (random.document(0),)).expect("a random document");
    }
    // Casts that 8.0.15 does not have.
    let later: &[&str] = if server.version() > (8, 0) { &["cast('2015' as year)", "cast(1.1 as float)"] } else { &[] };
    for value in EXPRESSIONS.iter().chain(later) {
        let insert = format!("insert into docs (j) values (json_array({value})), (json_object('k', {value}))");
        conn.query_drop(&insert).unwrap_or_else(|why| panic!("{insert}: {why}"));
    }
    conn.query_drop("insert ignore into docs (j) select j from docs limit 10").expect("rows of one statement");
    conn.query_drop("commit").expect("committed");
    check(&db, &start);
});

on_servers!([mysql_5_7, mysql_8_0, mysql_9_7] fn large_and_deep_documents_print_whole(server) {
    let (db, start) = documents_table(server);
    let numbers: Vec<String> = (0..30_000i64).map(|n| (n * 150_001 - 2_250_000_000).to_string()).collect();
    let members: Vec<String> = (0..9000).map(|n| format!("\"key {n}\":[{n},\"{n}\",{n}.5]")).collect();
    // What the server takes at most.
    let depth = if server.version() < (8, 0) { 99 } else { 100 };
    let mut documents = vec![
        "[".repeat(depth) + &"]".repeat(depth),
        "{\"k\":".repeat(depth) + "1" + &"}".repeat(depth),
        format!("[{}]", numbers.join(",")),
        format!("{{{}}}", members.join(",")),
        format!("{{\"{}\":1}}", "k".repeat(65_535)),
        format!("[\"{}\",70000,-70000,5000000000,1,null,{{\"a\":[100000]}}]", "x".repeat(70_000)),
        format!("\"{}\"", "y".repeat(3_000_000)),
    ];
    // A string's length takes another byte from 128 and 16384 on, and a document goes over to the large form below 64 KiB.
    for len in [0, 127, 128, 16_383, 16_384, 65_519, 65_520, 65_527, 65_528, 65_535, 65_536] {
        documents.push(format!("[1,\"{}\"]", "z".repeat(len)));
    }
    let mut conn = db.conn();
    for document in documents {
        conn.exec_drop("insert into docs (j) values (?)", (document,)).expect("a large document");
    }
    check(&db, &start);
});

// JSON text cannot hand the server every double; a point's coordinates can.
on_servers!([mysql_5_7, mysql_8_0, mysql_9_7] fn doubles_print_as_the_server_prints_them(server) {
    let (db, start) = documents_table(server);
    let powers = (-1074..1024).map(|power| 2f64.powi(power));
    let near = powers.flat_map(|power| [power.next_down(), power, power.next_up()]);
    let tens = (-323..309).flat_map(|power| ["1", "-1.5", "1.2345678901234567", "9.5"].map(|digits| {
        format!("{digits}e{power}").parse().expect("a double")
    }));
    let mut random = Random(11);
    let bits = (0..10_000).map(|_| f64::from_bits(random.next()));
    let values: Vec<f64> = near.chain(tens).chain(bits).filter(|value| value.is_finite()).collect();
    let mut conn = db.conn();
    for values in values.chunks(500) {
        let calls: Vec<String> = values.iter().map(|value| {
            let digits: String = value.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            format!("st_x(x'000000000101000000{digits}0000000000000000')")
        }).collect();
        let insert = format!("insert into docs (j) values (json_array({}))", calls.join(","));
        conn.query_drop(insert).expect("an array of doubles");
    }
    check(&db, &start);
});

on_servers!([mysql_5_7, mysql_8_0, mysql_9_7] fn a_column_of_every_type_within_a_document(server) {
    let (db, start) = documents_table(server);
    db.sql(
        "create table source (a enum('x','y'), b set('p','q'), c bit(12), d tinyblob, e mediumblob, f longblob, \
         g blob, h binary(5), i varbinary(7), k year, l timestamp(3), m datetime(2), n time(1), o date, \
         p decimal(20,5), q float, r double, s char(3), t text character set latin1, u json, v geometry);
         insert into source values ('x', 'p,q', b'110011', x'00', x'0102', x'ff', x'fe', x'01', x'0203', 1999, \
         '2020-01-01 01:02:03.456', '2021-02-03 04:05:06.78', '-12:13:14.5', '1999-12-31', -12.345, 1.1, 2.2, \
         'abc', x'e9', '{\"z\":1}', point(1,2))",
    );
    for column in "abcdefghiklmnopqrstuv".chars() {
        db.sql(&format!("insert into docs (j) select json_object('{column}', {column}) from source"));
    }
    check(&db, &start);
});

// With PARTIAL_JSON the log holds what changed; an update still prints the whole new document.
on_servers!([mysql_8_0, mysql_9_7] fn partial_updates_print_the_whole_document(server) {
    let (db, start) = documents_table(server);
    let mut conn = db.conn();
    conn.query_drop("set binlog_row_value_options = 'PARTIAL_JSON'").expect("partial updates");
    let filler = "f".repeat(300);
    let document = format!(
        r#"{{"a": {{"é": [1, 2, {{"q\"q": null}}], "with space": 2.50}}, "b": [1, "x", true], "": 0, "f": "{filler}"}}"#
    );
    conn.exec_drop("insert into docs (j) values (?)", (document,)).expect("the document");
    let mut texts = vec![];
    for (change, rest) in [
        ("json_set", r#"'$.a.é[1]', 'two'"#),
        ("json_set", r#"'$.a.é[2]."q\\"q"', cast('{"deep": [1.0]}' as json)"#),
        ("json_set", r#"'$.a."with space"', 1e22, '$.b[last]', date'2020-01-02'"#),
        ("json_set", r#"'$.b[9]', 9, '$.a.new', 1, '$.c', cast('[]' as json)"#),
        ("json_remove", r#"'$.b[0]', '$.a.é[last-1]', '$.""'"#),
        ("json_replace", r#"'$.b', cast('{"x": -70000}' as json)"#),
        ("json_remove", r#"'$.a'"#),
    ] {
        conn.query_drop(format!("update docs set j = {change}(j, {rest})")).expect("an update");
        texts.push(conn.query_first::<String, _>("select cast(j as char) from docs").expect("its text").expect("a row"));
    }
    let printed = start.tail(&db, "docs");
    let contents: Vec<_> = printed.iter().skip(1).map(|tuple| tuple.content_text.as_str()).collect();
    let wanted: Vec<_> = texts.iter().map(|text| format!("{{\"id\":1,\"j\":{}}}", compact(text))).collect();
    assert_eq!(contents, wanted);
});

/// The same documents on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn document(&mut self, depth: u32) -> String {
        let kind = if depth > 4 { 0 } else { self.below(10) };
        match kind {
            0..4 => self.scalar(),
            4..7 => {
                let values: Vec<_> = (0..self.below(6)).map(|_| self.document(depth + 1)).collect();
                format!("[{}]", values.join(", "))
            }
            _ => {
                let members: Vec<_> = (0..self.below(6))
                    .map(|_| format!("{}:{}", self.string(5), self.document(depth + 1)))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    fn scalar(&mut self) -> String {
        let bits = self.next();
        match self.below(8) {
            0 => ["null", "true", "false"][(bits % 3) as usize].to_owned(),
            1 => (bits as i16).to_string(),
            2 => (bits as i32).to_string(),
            3 => (bits as i64).to_string(),
            4 => bits.to_string(),
            5 => format!("{}.{:02}", bits as i16, bits >> 57),
            6 => self.string(300),
            _ => self.string(12),
        }
    }

    /// A JSON string of up to so many characters, among them all that need an escape.
    fn string(&mut self, max: u64) -> String {
        const CHARS: [char; 16] = [
            'a', 'b', '0', ' ', '/', '.', '$', '"', '\\', '\n', '\0', '\u{1f}', '\u{7f}', 'é', '\u{2028}',
            '😀',
        ];
        let len = self.below(max + 1);
        let string: String = (0..len).map(|_| CHARS[self.below(16) as usize]).collect();
        serde_json::Value::from(string).to_string()
    }
}

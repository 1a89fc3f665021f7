//! `load --schemas`: the definition of a table before its rows.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::*;

/// A column of each type that every server has.
const TYPES: &str = "a tinyint(1), b smallint unsigned zerofill, c mediumint, d int, e bigint unsigned, f decimal(5,2), g float, \
     h double unsigned, i bit(3), j year, k date, l time(2), m datetime, n timestamp(3) null, o char(3), p varchar(9) character set utf8, \
     q tinytext, r text, s mediumtext, t longtext, u binary(2), v varbinary(3), w blob, x longblob, y enum('a', 'it''s'), \
     z set('b', 'c') character set utf8mb4, aa geometry, ab point, ac multipolygon, ad char(2) character set ucs2";

/// The only definition that a load prints.
#[track_caller]
fn definition(server: &Server, db: &Db, args: &[&str]) -> Tuple {
    let load = Dumpa::new(server, db).args(["load", "--schemas", "--no-rows"]).args(args);
    let [line] = <[Tuple; 1]>::try_from(load.run().expect_code(0).lines()).expect("one line");
    line
}

on_each_server! {
    fn a_definition_stands_before_the_rows_of_its_table(server) {
        let db = server.fresh_db("schemas");
        db.sql(
            "create table t (id int unsigned not null, Name varchar(20) not null, e enum('a', 'it''s') character set utf8mb4, body text, \
                 unique u (Name), key (e, id), primary key (id), key p (body(7)), fulltext f (body)) engine=myisam default charset latin1;
             create table w (n int) engine=innodb default charset utf8;
             insert into t values (7, 'x', 'a', null);
             insert into w values (1)",
        );
        let lines = Dumpa::new(server, &db).args(["load", "--schemas"]).run().expect_code(0).lines();
        let ops: Vec<_> = lines.iter().map(|line| (&*line.op, &*line.table)).collect();
        assert_eq!(ops, [("schema", "t"), ("upsert", "t"), ("schema", "w"), ("upsert", "w")]);
        assert_eq!(lines[0].raw, format!(
            r#"["schema","t",null,{{"columns":[{{"name":"id","type":"int unsigned","nullable":false,"key":"primary"}},{}],{},"engine":"myisam","sql":null}},null]"#,
            concat!(
                r#"{"name":"Name","type":"varchar(20)","nullable":false,"charset":"latin1","key":"unique"},"#,
                r#"{"name":"e","type":"enum","nullable":true,"charset":"utf8mb4","labels":["a","it's"]},"#,
                r#"{"name":"body","type":"text","nullable":true,"charset":"latin1"}"#,
            ),
            concat!(
                r#""primary_key":["id"],"keys":[{"name":"u","unique":true,"columns":["Name"]},"#,
                r#"{"name":"e","unique":false,"columns":["e","id"]},{"name":"p","unique":false,"columns":["body"],"prefix":true},"#,
                r#"{"name":"f","unique":false,"columns":["body"],"kind":"fulltext"}],"charset":"latin1""#,
            ),
        ));
        let of_w = r#"{"columns":[{"name":"n","type":"int","nullable":true}],"primary_key":[],"keys":[],"charset":"utf8mb3","engine":"innodb","sql":null}"#;
        assert_eq!(lines[2].content_text, of_w);
    }

    fn types_are_those_of_information_schema(server) {
        let db = server.fresh_db("schemas");
        let of_mariadb = ", ba uuid, bb inet6, bc json, bd varchar(20) compressed";
        let more = match () {
            () if server.is_mariadb() => of_mariadb,
            () if server.version() >= (5, 7) => ", ba json",
            () => "",
        };
        db.sql(&format!("create table t ({TYPES}{more}) default charset latin1"));
        let line = definition(server, &db, &[]);
        let columns = line.content["columns"].as_array().expect("columns");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        for (i, column) in columns.iter().enumerate() {
            let (name, column_type, charset): (String, String, Option<String>) = db.ask(&format!(
                "select column_name, cast(column_type as char), replace(concat(character_set_name, '.'), 'utf8.', 'utf8mb3.') \
                 from information_schema.columns where table_schema = database() and table_name = 't' and ordinal_position = {}",
                i + 1
            ));
            assert_eq!(text(&column["name"]), Some(name));
            let word = if i == 24 { "enum" } else if i == 25 { "set" } else { &*column_type };
            // Not all servers tell the display width of integers and of YEAR, which changes no value.
            let told = text(&column["type"]).expect("a type");
            assert_eq!(crate::ddl::shape::kind(&told), crate::ddl::shape::kind(word));
            assert!(!told.contains("int(") && !told.contains("year("), "{told}");
            assert_eq!(text(&column["charset"]), charset.map(|name| name.trim_end_matches('.').to_owned()));
            assert_eq!(column["nullable"], json!(true));
        }
        assert_eq!(columns.len(), 30 + more.matches(", b").count());
        assert_eq!(columns[24]["labels"], json!(["a", "it's"]));
        assert_eq!(columns[25]["labels"], json!(["b", "c"]));
    }

    fn definitions_alone_come_with_a_position(server) {
        let db = server.fresh_db("schemas");
        db.sql("create table t (id int primary key); create table u (id int primary key); insert into t values (1)");
        let load = Dumpa::new(server, &db).args(["load", "--schemas", "--no-rows", "--save", "pos.json"]);
        let lines = load.run().expect_code(0).lines();
        let ops: Vec<_> = lines.iter().map(|line| (&*line.op, &*line.table)).collect();
        assert_eq!(ops, [("schema", "t"), ("schema", "u")]);
        db.sql("insert into t values (2)");
        let tail = Dumpa::new(server, &db).in_the_folder_of(&load).args(["tail", "--from", "pos.json", "--until", "now"]);
        let ids: Vec<_> = tail.run().expect_code(0).lines().into_iter().map(|line| line.id_text).collect();
        assert_eq!(ids, ["2"]);
        let alone = Dumpa::new(server, &db).args(["load", "--no-rows"]).run().expect_code(2);
        assert!(alone.stderr.contains("--schemas"), "{}", alone.stderr);
    }

    fn a_consumer_makes_a_table_of_a_definition(server) {
        let db = server.fresh_db("schemas");
        db.sql(
            "create table t (site varchar(9) not null, n int not null, score decimal(5,2), f double, primary key (n, site));
             create table `a point` (id bigint unsigned not null, at point)",
        );
        let load = Dumpa::new(server, &db).args(["load", "--schemas", "--no-rows"]).run().expect_code(0);
        let program = r#"select(.[0] == "schema") | "CREATE TABLE \"\(.[1])\" (" + ([(.[3].columns[] | "\"\(.name)\" "
            + (if .type | test("^(tiny|small|medium|big)?int|^year|^bit") then "INTEGER"
               elif .type | test("^(float|double)") then "REAL" else "TEXT" end)
            + (if .nullable then "" else " NOT NULL" end)),
            (.[3].primary_key | select(. != []) | "PRIMARY KEY (" + (map("\"\(.)\"") | join(", ")) + ")")] | join(", ")) + ");""#;
        let made = filter("jq", &["-r", program], load.text()).expect("jq is installed");
        assert_eq!(made, concat!(
            "CREATE TABLE \"a point\" (\"id\" INTEGER NOT NULL, \"at\" TEXT);\n",
            "CREATE TABLE \"t\" (\"site\" TEXT NOT NULL, \"n\" INTEGER NOT NULL, \"score\" TEXT, \"f\" REAL, PRIMARY KEY (\"n\", \"site\"));\n",
        ));
        // Not every machine has it.
        if let Some(tables) = filter("sqlite3", &["-bail", ":memory:"], &format!("{made}.tables\n")) {
            assert_eq!(tables.split_whitespace().collect::<Vec<_>>(), ["a", "point", "t"]);
        }
    }
}

/// What a program prints, given a text; `None` if it is not installed.
fn filter(program: &str, args: &[&str], text: &str) -> Option<String> {
    let mut command = Command::new(program);
    let mut child = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{program} failed");
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

/// Each column as `name`, and what is set of `generated` and `invisible`.
fn attributes(line: &Tuple) -> Vec<String> {
    let columns = line.content["columns"].as_array().expect("columns");
    let show = |column: &Value| {
        let invisible = (column["invisible"] == json!(true)).then_some("invisible");
        let words = [column["name"].as_str(), column["generated"].as_str(), invisible];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    columns.iter().map(show).collect()
}

on_servers!([mysql_5_7, mysql_8_0, mysql_9_7, mariadb_10_11, mariadb_11_4, mariadb_11_8] fn generated_columns_are_left_out_as_they_are_in_the_rows(server) {
    let db = server.fresh_db("schemas");
    db.sql(
        "create table t (id int primary key, v int generated always as (id + 1) virtual, s int generated always as (id + 2) stored, n int, \
         key by_s (s, n), key by_n (n))",
    );
    let line = definition(server, &db, &[]);
    assert_eq!(attributes(&line), ["id", "v virtual", "s stored", "n"]);
    assert_eq!(line.content["keys"].as_array().map(Vec::len), Some(2));
    let line = definition(server, &db, &["--generated", "omit"]);
    assert_eq!(attributes(&line), ["id", "n"]);
    assert_eq!(line.content["keys"], json!([{"name": "by_n", "unique": false, "columns": ["n"]}]));
});

on_servers!([mysql_9_7, mariadb_10_11, mariadb_11_4, mariadb_11_8] fn invisible_columns_are_marked(server) {
    let db = server.fresh_db("schemas");
    db.sql(
        "create table t (id int primary key, a int invisible default 1, \
         g int generated always as (id + 2) virtual invisible, `invisible` int)",
    );
    assert_eq!(attributes(&definition(server, &db, &[])), ["id", "a invisible", "g virtual invisible", "invisible"]);
});

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn hidden_parts_of_mariadb_are_named(server) {
    let db = server.fresh_db("schemas");
    db.sql("create table t (id int primary key, b text, unique u (b)) with system versioning partition by system_time");
    let content = definition(server, &db, &[]).content;
    assert_eq!(content["versioning"], json!({"history_partitions": true}));
    assert_eq!(content["keys"], json!([{"name": "u", "unique": true, "columns": ["b"], "kind": "hash"}]));
    db.sql(
        "drop table t; create table t (id int primary key, a timestamp(6) generated always as row start, \
         z timestamp(6) generated always as row end, period for system_time (a, z)) with system versioning",
    );
    let line = definition(server, &db, &[]);
    assert_eq!(line.content["versioning"], json!({"row_end": "z"}));
    assert_eq!(attributes(&line), ["id", "a", "z"]);
});

on_servers!([mysql_8_0, mysql_9_7] fn functional_indexes_are_named(server) {
    let db = server.fresh_db("schemas");
    db.sql("create table t (id int primary key, n int, unique u (n, (n + 1)))");
    let content = definition(server, &db, &[]).content;
    assert_eq!(content["keys"], json!([{"name": "u", "unique": true, "columns": ["n", null]}]));
    assert_eq!(content["expressions"][0][0], json!(2));
});

//! Where many tables of a database are asked for, the rest is read at once. What is read so is what the server says of a
//! single table.

use std::collections::BTreeMap;

use crate::common::*;

/// More than are asked for one by one.
const TABLES: usize = 160;

/// Definitions with each kind of id.
const FORMS: [&str; 8] = [
    "(id int primary key, n int)",
    "(n int not null, id int not null, v varchar(9), primary key (id, n))",
    // The server puts this key first, which is neither the first by name nor the first declared.
    "(id int not null, n int, a int not null, unique z (a), unique y (id), unique x (n))",
    "(id int, n int not null, unique a (id), unique b (n))",
    "(id int, n int)",
    "(`we``ird` int, id int not null, unique (id))",
    "(id int not null, n int generated always as (id + 1) stored, e enum('a', 'b'), unique (n, id))",
    "(t text character set latin1, id int not null, unique `PRIMARY key` (id))",
];
const OF_MARIADB: [&str; 3] = [
    "(id int primary key, t text, unique (t)) with system versioning",
    "(id int primary key, t text, unique (t), unique u (t, id))",
    "(t text not null, id int not null, unique (t))",
];
const OF_MYSQL_8: [&str; 2] = [
    "(id int primary key, n int, index ((n + 1)))",
    "(n int, id int not null, unique a ((n + 1)), unique b (id))",
];

on_each_server! {
    fn tables_that_are_read_at_once_are_as_those_asked_for_one_by_one(server) {
        let db = server.fresh_db("ahead");
        let mut forms = FORMS.to_vec();
        if server.is_mariadb() {
            forms.extend(OF_MARIADB);
        } else if server.version() >= (8, 0) {
            forms.extend(OF_MYSQL_8);
        }
        // 5.6 has none, and MariaDB 11.8 does not log them in updates.
        if server.version() < (5, 7) || server.version() >= (11, 8) {
            forms.retain(|form| !form.contains("generated"));
        }
        let mut sql = String::from("set sql_mode = '';\n");
        for i in 0..TABLES {
            let column = if forms[i % forms.len()].starts_with("(t text not") { "id, t" } else { "id" };
            let values = if column == "id" { "7" } else { "7, 'x'" };
            let form = forms[i % forms.len()];
            sql += &format!("create table t{i:03} {form}; insert into t{i:03} ({column}) values ({values});\n");
        }
        db.sql(&sql);
        let start = place(server);
        db.sql(&(0..TABLES).map(|i| format!("update t{i:03} set id = 8;\n")).collect::<String>());
        let load = Dumpa::new(server, &db).args(["load"]).run().expect_code(0).lines();
        let tail = Dumpa::new(server, &db).args(["tail", "--from", &start, "--until", "now"]).run().expect_code(0).lines();
        assert_eq!(load.len(), TABLES);
        for (half, lines) in [("load", &load), ("tail", &tail)] {
            // A form's lines, but for the table's name, as its first table has them.
            let mut first: BTreeMap<usize, Vec<String>> = BTreeMap::new();
            for of_table in lines.chunk_by(|a, b| a.table == b.table) {
                let number: usize = of_table[0].table[1..].parse().expect("a number");
                let texts: Vec<_> = of_table.iter().map(|line| format!("{} {} {}", line.op, line.id_text, line.content_text)).collect();
                let wanted = first.entry(number % forms.len()).or_insert_with(|| texts.clone());
                assert_eq!(&texts, wanted, "{half} of t{number:03} {}", forms[number % forms.len()]);
            }
            assert_eq!(first.len(), forms.len());
        }
        // The definitions are those that are asked for one by one, with the keys in the same order where it matters.
        let all = Dumpa::new(server, &db).args(["load", "--schemas", "--no-rows"]).run().expect_code(0).lines();
        for (i, line) in all.iter().enumerate() {
            assert_eq!(line.content_text, all[i % forms.len()].content_text, "{} {}", line.table, forms[i % forms.len()]);
        }
        assert_eq!(all.len(), TABLES);
        let id = |table: &str| load.iter().find(|line| line.table == table).map(|line| line.id_text.as_str());
        assert_eq!([id("t000"), id("t001"), id("t002"), id("t003")], [Some("8"), Some("[8,0]"), Some("0"), Some("0")]);
    }
}

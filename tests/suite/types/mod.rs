//! Every type with its edges: what is inserted, and the JSON that `load` and `tail` print of it.
//!
//! The JSON is written by hand, from the manuals' words on the type; the servers' part is to store it. The page
//! `docs/types.md` is generated from the same cases.

mod binary;
mod cases;
mod numbers;
mod page;
mod strings;
mod structures;
mod times;

use std::fmt::Write;

use crate::common::*;
use crate::json::Start;
use cases::{Column, expanded, sections};

/// A row's number within its table, and the JSON of its value.
type Wanted = (usize, String);

/// Creates a table for each column definition that the server has, and gives the rows to be inserted.
fn create(db: &Db, wanted: fn(&Column) -> bool, script: &mut String) -> Vec<(&'static Column, Vec<Wanted>)> {
    let mut tables = vec![];
    let columns = sections().iter().flat_map(|section| section.columns);
    let columns = columns.filter(|column| column.on.has(&db.server.name) && wanted(column));
    for (number, column) in columns.enumerate() {
        let definition = expanded(column.definition);
        writeln!(script, "create table c{number:03} (n int primary key, v {definition});").unwrap();
        let nullable = !column.definition.contains("NOT NULL");
        let null = nullable.then_some(("NULL", "null"));
        let mut wanted = vec![];
        for (row, (literal, json)) in column.rows.iter().copied().chain(null).enumerate() {
            writeln!(script, "insert into c{number:03} values ({row}, {});", expanded(literal)).unwrap();
            wanted.push((row, expanded(json)));
        }
        tables.push((column, wanted));
    }
    tables
}

/// What differs, a line each: all of it is wanted at once.
fn differences(half: &str, tables: &[(&'static Column, Vec<Wanted>)], lines: &[Tuple]) -> Vec<String> {
    let mut found = vec![];
    for (number, (column, wanted)) in tables.iter().enumerate() {
        let table = format!("c{number:03}");
        let mut lines: Vec<_> = lines.iter().filter(|line| line.table == table).collect();
        lines.sort_by_key(|line| line.id.as_u64());
        if lines.len() != wanted.len() {
            found.push(format!("{half}: {} has {} lines", column.definition, lines.len()));
            continue;
        }
        for (line, (row, json)) in lines.iter().zip(wanted) {
            let content = format!("{{\"n\":{row},\"v\":{json}}}");
            if line.content_text != content {
                let literal = column.rows.get(*row).map_or("NULL", |(literal, _)| literal);
                let shown: String = line.content_text.chars().take(200).collect();
                found.push(format!("{half}: {} {literal}: {shown}", column.definition));
            }
        }
    }
    found
}

/// Runs the cases of the wanted columns on the server.
#[track_caller]
pub fn check(server: &Server, wanted: fn(&Column) -> bool) {
    let db = server.fresh_db("types");
    let start = Start::here(&db);
    let mut script = String::from(
        "set names utf8mb4, sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00', default_storage_engine = 'InnoDB';\n",
    );
    let tables = create(&db, wanted, &mut script);
    assert!(tables.len() > 10);
    db.sql(&script);
    let loaded = Dumpa::new(server, &db).args(["load"]).run().expect_code(0).lines();
    let mut conn = db.conn();
    for number in 0..tables.len() {
        conn.query_drop(format!("delete from c{number:03}")).unwrap();
    }
    let tailed = start.tail(&db, "c*");
    let (inserted, deleted): (Vec<_>, Vec<_>) = tailed.into_iter().partition(|line| line.op == "upsert");
    let mut found = differences("load", &tables, &loaded);
    found.extend(differences("tail of an insert", &tables, &inserted));
    found.extend(differences("tail of a delete", &tables, &deleted));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

on_each_server! {
    fn every_type_and_edge_in_both_halves(server) {
        check(server, |_| true);
    }
}

// As tables of before MySQL 5.6.4 are, which only MariaDB can still make; there with decimals.
on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn old_formats_of_time(server) {
    let flags = ["--mysql56-temporal-format=OFF", "--binlog-row-metadata=FULL"];
    for flags in [&flags[..1], &flags] {
        let server = Server::private(&server.name, flags);
        check(&server, |column| ["DATE", "TIME"].iter().any(|word| column.definition.starts_with(word)));
        crate::property::run(&server, crate::property::rows(100), crate::property::seed());
    }
});

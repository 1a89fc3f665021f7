//! Random tables and rows: `load`, the fold of `tail`, and the server's own text of each value must agree.
//!
//! `DUMPA_PROPERTY_ROWS` asks for more rows a server, `DUMPA_PROPERTY_SEED` repeats a run. A failure prints both, and a
//! script of the table and the row that differ.

mod kinds;
pub mod random;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use mysql::Row;

use crate::common::*;
use crate::json::Start;
use kinds::{Kind, choose};
use random::Random;

const ROWS: u64 = 500;
const ROWS_A_TABLE: u64 = 40;
const TABLES_A_ROUND: u64 = 5;

struct Table {
    name: String,
    create: String,
    columns: Vec<Column>,
    /// What was done to each row, by the value of its column `id`.
    history: BTreeMap<u64, Vec<String>>,
}

struct Column {
    name: String,
    kind: Kind,
    not_null: bool,
    generated: bool,
}

/// Runs rounds until so many rows were inserted.
#[track_caller]
pub fn run(server: &Server, rows: u64, seed: u64) {
    println!("DUMPA_PROPERTY_SEED={seed}");
    let mut random = Random::new(seed);
    let mut done = 0;
    while done < rows {
        let db = server.fresh_db("property");
        let start = Start::here(&db);
        let mut conn = db.conn();
        conn.query_drop("set names utf8mb4, sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'").unwrap();
        let mut tables = vec![];
        for n in 0..TABLES_A_ROUND {
            let mut table = Table::create(&mut random, server, &mut conn, n);
            done += table.fill(&mut random, &mut conn);
            tables.push(table);
        }
        // 11.8 does not log generated columns of updates and deletes.
        let omit = server.version() == (11, 8) || random.one_in(3);
        let args: &[&str] = if omit { &["--generated", "omit"] } else { &[] };
        let (rows, _) = halves_agree_with(&db, &start, args);
        if omit {
            tables.iter_mut().for_each(|table| table.columns.retain(|column| !column.generated));
        }
        for table in &tables {
            table.compare(&mut conn, &rows, seed);
        }
    }
    println!("{}: {done} rows, no difference", server.name);
}

impl Table {
    fn create(random: &mut Random, server: &Server, conn: &mut mysql::Conn, n: u64) -> Table {
        // Some are refused, since a row is limited in length.
        loop {
            let table = Table::choose(random, server, n);
            if conn.query_drop(&table.create).is_ok() {
                return table;
            }
        }
    }

    fn choose(random: &mut Random, server: &Server, n: u64) -> Table {
        let count = if random.one_in(8) { random.between(20, 300) } else { random.between(1, 12) };
        let names = ["c", "Spalte ", "колонка", "q\\\"", "列"];
        let mut columns = vec![];
        let mut parts = vec![];
        for i in 0..count {
            let (kind_text, kind) = choose(random, server, count > 12);
            let nullable = matches!(kind, Kind::Timestamp) || !random.one_in(3);
            let can_hide = server.version() != (5, 6) && nullable;
            let invisible = if can_hide && random.one_in(10) { " invisible" } else { "" };
            let name = format!("{}{i}", random.pick(&names));
            let not_null = if nullable { "" } else { " not null" };
            parts.push(format!("`{name}` {kind_text}{not_null}{invisible}"));
            columns.push(Column { name, kind, not_null: !nullable, generated: false });
        }
        // 5.6 has none.
        if server.version() != (5, 6) && random.one_in(3) {
            let kept = random.pick(&["virtual", "stored"]);
            let at = random.below(parts.len() as u64 + 1) as usize;
            parts.insert(at, format!("generated int as (id * 2 + 1) {kept}"));
            let kind = Kind::Int { bits: 32, unsigned: false };
            columns.insert(at, Column { name: "generated".into(), kind, not_null: true, generated: true });
        }
        // The id stands anywhere.
        let at = random.below(parts.len() as u64 + 1) as usize;
        parts.insert(at, "id int not null".into());
        let kind = Kind::Int { bits: 32, unsigned: false };
        columns.insert(at, Column { name: "id".into(), kind, not_null: true, generated: false });
        let second = columns.iter().find(|column| {
            let plain = matches!(
                column.kind,
                Kind::Int { .. }
                    | Kind::Decimal { .. }
                    | Kind::Date
                    | Kind::DateTime
                    | Kind::Year
                    | Kind::Bit(_)
            );
            plain && column.not_null && !column.generated && column.name != "id"
        });
        let key = match second {
            Some(second) if random.one_in(2) => format!("`{}`, id", second.name),
            _ => "id".into(),
        };
        parts.push(match random.one_in(4) {
            true => format!("unique `the key` ({key})"),
            false => format!("primary key ({key})"),
        });
        let name = format!("t{n}");
        let engine = random.pick(&["InnoDB", "InnoDB", "MyISAM"]);
        let create = format!("create table `{name}` ({}) engine = {engine}", parts.join(", "));
        Table { name, create, columns, history: BTreeMap::new() }
    }

    /// Inserts, updates and deletes; returns how many rows were inserted.
    fn fill(&mut self, random: &mut Random, conn: &mut mysql::Conn) -> u64 {
        let mut inserted = 0;
        for id in 1..=ROWS_A_TABLE {
            let insert = self.insert(random, id);
            if self.execute(conn, id, insert) {
                inserted += 1;
            }
            if random.one_in(2) {
                let of = random.between(1, id);
                let update = self.update(random, of);
                self.execute(conn, of, update);
            }
            if random.one_in(6) {
                let of = random.between(1, id);
                self.execute(conn, of, format!("delete from {} where id = {of}", self.name));
            }
        }
        assert!(inserted > ROWS_A_TABLE / 2, "most rows were refused: {}", self.create);
        inserted
    }

    /// Whether the server took it: what is too long for a row is refused.
    fn execute(&mut self, conn: &mut mysql::Conn, id: u64, statement: String) -> bool {
        let taken = conn.query_drop(&statement).is_ok();
        if taken {
            self.history.entry(id).or_default().push(statement);
        }
        taken
    }

    fn insert(&self, random: &mut Random, id: u64) -> String {
        let given: Vec<_> = self.columns.iter().filter(|column| !column.generated).collect();
        let names: Vec<_> = given.iter().map(|column| format!("`{}`", column.name)).collect();
        let values: Vec<_> = given
            .iter()
            .map(|column| if column.name == "id" { id.to_string() } else { column.value(random) })
            .collect();
        format!("insert ignore into {} ({}) values ({})", self.name, names.join(", "), values.join(", "))
    }

    fn update(&self, random: &mut Random, id: u64) -> String {
        let given: Vec<_> = self.columns.iter().filter(|column| !column.generated).collect();
        let mut changes = vec![];
        for _ in 0..random.between(1, 3) {
            let column = random.pick(&given);
            if column.name != "id" {
                changes.push(format!("`{}` = {}", column.name, column.value(random)));
            }
        }
        if changes.is_empty() {
            // Another id, and sometimes the one that it has.
            changes.push(format!("id = {}", if random.one_in(3) { id } else { id + 10_000 }));
        }
        format!("update ignore {} set {} where id in ({id}, {id} + 10000)", self.name, changes.join(", "))
    }

    /// The rows against the server's own text.
    #[track_caller]
    fn compare(&self, conn: &mut mysql::Conn, rows: &Rows, seed: u64) {
        let witnesses: Vec<_> =
            self.columns.iter().map(|column| column.kind.witness(&format!("`{}`", column.name))).collect();
        let query = format!("select {} from {}", witnesses.join(", "), self.name);
        let told: Vec<Row> = conn.query(&query).unwrap_or_else(|why| panic!("{query}: {why}"));
        let printed: Vec<&String> =
            rows.iter().filter(|((table, _), _)| *table == self.name).map(|(_, content)| content).collect();
        assert_eq!(printed.len(), told.len(), "{seed}: rows of {}", self.create);
        for row in told {
            let texts: Vec<Option<String>> = (0..row.len()).map(|i| row.get(i).unwrap()).collect();
            let members = self.columns.iter().zip(&texts).map(|(column, text)| {
                let json = text.as_deref().map_or("null".to_owned(), |text| column.kind.json(text));
                format!("{}:{json}", serde_json::to_string(&column.name).unwrap())
            });
            let members: Vec<_> = members.collect();
            let content = format!("{{{}}}", members.join(","));
            if !printed.contains(&&content) {
                self.fail(&content, &printed, &members, seed, &texts);
            }
        }
    }

    #[track_caller]
    fn fail(
        &self,
        content: &str,
        printed: &[&String],
        members: &[String],
        seed: u64,
        texts: &[Option<String>],
    ) -> ! {
        let at = self.columns.iter().position(|column| column.name == "id").unwrap();
        let id = members[at].as_str();
        let own = printed
            .iter()
            .find(|other| other.contains(&format!("{id},")) || other.contains(&format!("{id}}}")));
        let wrong: Vec<_> =
            members.iter().filter(|member| !own.is_some_and(|own| own.contains(*member))).collect();
        let number: u64 = texts[at].as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
        let script: Vec<_> = self.history.get(&(number % 10_000)).into_iter().flatten().cloned().collect();
        panic!(
            "DUMPA_PROPERTY_SEED={seed}: printed is\n{}\nthe server has\n{content}\nwhat differs: {wrong:?}\nscript:\n{};\n{};",
            own.map_or("nothing", |own| own.as_str()),
            self.create,
            script.join(";\n")
        );
    }
}

impl Column {
    fn value(&self, random: &mut Random) -> String {
        if !self.not_null && random.one_in(6) { "null".into() } else { self.kind.value(random) }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// As many as the environment asks for.
pub fn rows(default: u64) -> u64 {
    number("DUMPA_PROPERTY_ROWS").unwrap_or(default)
}

/// As asked for in the environment, or another one each time.
pub fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    number("DUMPA_PROPERTY_SEED").unwrap_or(now.as_nanos() as u64)
}

on_each_server! {
    fn halves_and_server_agree_on_random_tables(server) {
        run(server, rows(ROWS), seed());
    }
}

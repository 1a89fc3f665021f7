//! What the server says of the tables of some databases after a statement.

use std::collections::BTreeMap;

use mysql::{Conn, Row};

use super::shape::{Column, Key, Shape, charset, kind, labels};
use crate::common::*;

/// Database and name.
pub type Name = (String, String);

/// Keeps the tables' definitions; only tables that changed are asked for in full.
pub struct Catalog {
    conn: Conn,
    dbs: Vec<String>,
    /// By what SHOW CREATE TABLE prints.
    created: BTreeMap<Name, String>,
    pub tables: BTreeMap<Name, Shape>,
    /// A table that the server has lost: MariaDB 11.4 does it to some that were altered. Nothing can be said of it.
    pub lost: Option<String>,
}

impl Catalog {
    pub fn new(server: &Server, dbs: &[String]) -> Catalog {
        let mut conn = server.conn();
        conn.query_drop("set names utf8mb4").expect("SET NAMES");
        Catalog { conn, dbs: dbs.to_vec(), created: BTreeMap::new(), tables: BTreeMap::new(), lost: None }
    }

    /// The tables that changed since the last time; `None` for those that are gone.
    pub fn changes(&mut self) -> BTreeMap<Name, Option<Shape>> {
        let mut changes = BTreeMap::new();
        let mut created = BTreeMap::new();
        for db in self.dbs.clone() {
            for name in self.names(&db) {
                let show = format!("show create table {}.{}", quote(&db), quote(&name));
                let row: Row = match self.conn.query_first(&show) {
                    Ok(row) => row.expect("a table"),
                    Err(why) => {
                        self.lost = Some(format!("{show}: {why}"));
                        continue;
                    }
                };
                let name = (db.clone(), name);
                let text: String = row.get(1).expect("its statement");
                if self.created.get(&name) != Some(&text) {
                    changes.insert(name.clone(), Some(self.shape(&name)));
                }
                created.insert(name, text);
            }
        }
        let gone = self.created.keys().filter(|name| !created.contains_key(name));
        changes.extend(gone.map(|name| (name.clone(), None)));
        self.created = created;
        // The auto-increment's next value is part of the text.
        changes.retain(|name, shape| self.tables.get(name) != shape.as_ref());
        for (name, shape) in &changes {
            match shape {
                Some(shape) => self.tables.insert(name.clone(), shape.clone()),
                None => self.tables.remove(name),
            };
        }
        changes
    }

    fn names(&mut self, db: &str) -> Vec<String> {
        let query = format!("show full tables from {} where table_type = 'BASE TABLE'", quote(db));
        // The database may be gone.
        let rows: Vec<(String, String)> = self.conn.query(query).unwrap_or_default();
        rows.into_iter().map(|(name, _)| name).collect()
    }

    fn shape(&mut self, name: &Name) -> Shape {
        let of = format!("table_schema = {} and table_name = {}", string(&name.0), string(&name.1));
        let query = format!(
            "select lower(engine), character_set_name from information_schema.tables join \
             information_schema.collation_character_set_applicability on {} = table_collation where {of}",
            // 11.4 and later have names without a character set, too.
            if self.has_full_names() { "full_collation_name" } else { "collation_name" }
        );
        let (engine, set): (String, String) = self.conn.query_first(&query).expect(&query).expect("a table");
        let query = format!(
            "select column_name, column_type, character_set_name, is_nullable, extra \
             from information_schema.columns where {of} order by ordinal_position"
        );
        let columns: Vec<(String, String, Option<String>, String, String)> =
            self.conn.query(&query).expect(&query);
        let columns = columns.into_iter().map(column).collect();
        Shape { columns, keys: self.keys(name), charset: charset(&set).unwrap_or_default(), engine }
    }

    /// 10.10 and later: collations have names that go with several character sets.
    fn has_full_names(&mut self) -> bool {
        let query = "select count(*) from information_schema.columns where table_schema = 'information_schema' \
                     and column_name = 'full_collation_name'";
        self.conn.query_first::<u64, _>(query).expect(query).expect("a count") > 0
    }

    fn keys(&mut self, name: &Name) -> Vec<Key> {
        let show = format!("show index from {}.{}", quote(&name.0), quote(&name.1));
        let rows: Vec<Row> = self.conn.query(&show).expect(&show);
        let mut keys: Vec<Key> = Vec::new();
        for row in rows {
            let name: String = row.get("Key_name").expect("a name");
            let column: Option<String> = row.get("Column_name").expect("a column");
            let non_unique: u8 = row.get("Non_unique").expect("a flag");
            match keys.last_mut().filter(|last| last.name == name) {
                Some(last) => last.columns.push(column),
                None => keys.push(Key { name, unique: non_unique == 0, columns: vec![column] }),
            }
        }
        keys
    }
}

fn column(
    (name, column_type, set, nullable, extra): (String, String, Option<String>, String, String),
) -> Column {
    let (text, labels) = labels(&column_type);
    let extra = extra.to_uppercase();
    let generated = if extra.contains("VIRTUAL") {
        Some("virtual".to_string())
    } else {
        let stored = extra.contains("STORED") || extra.contains("PERSISTENT");
        stored.then(|| "stored".to_string())
    };
    Column {
        name,
        kind: kind(&text),
        labels,
        charset: set.as_deref().and_then(charset),
        nullable: nullable == "YES",
        generated,
        invisible: extra.contains("INVISIBLE"),
    }
}

/// A name in backticks.
pub fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn string(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

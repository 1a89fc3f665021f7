//! Reads the columns and keys of all tables of a database at once. A server answers that for thousands of tables in the time
//! that some hundred questions about one table take.

use std::collections::HashMap;

use mysql::prelude::Queryable;
use mysql::{Conn, params};

use super::described::{self, COLUMN_FIELDS, Described, KeyPart, TABLE_FIELDS};
use crate::server::Server;

/// Tables of a database to ask for one by one before it is read at once.
const MIN_ASKED: usize = 100;
/// It is read at once if it has at most so many tables for each that was asked for. Asking for one table takes as long as
/// reading some twenty at once.
const TABLES_PER_ASKED: usize = 50;
/// Larger databases are never read at once: this many tables of ten columns take some 50 MB.
const MAX_TABLES: usize = 20_000;

#[derive(Debug)]
struct Database {
    /// Tables that were asked for one by one.
    asked: usize,
    /// How many must be asked for before it is read at once, again.
    next: usize,
    /// Tables that were read, and not asked for since.
    tables: HashMap<String, Described>,
}

/// Tables that were read before they are asked for, by database.
#[derive(Debug, Default)]
pub struct ReadAhead {
    databases: HashMap<String, Database>,
    /// How often a database was read at once.
    questions: u64,
}

impl ReadAhead {
    /// What was read of a table, once: asked again, the server must answer. Reads the database if that pays.
    pub fn take(
        &mut self,
        conn: &mut Conn,
        server: &Server,
        database: &str,
        table: &str,
    ) -> Option<Described> {
        let new = || Database { asked: 0, next: MIN_ASKED, tables: HashMap::new() };
        let known = self.databases.entry(database.to_string()).or_insert_with(new);
        if let Some(described) = known.tables.remove(table) {
            return Some(described);
        }
        known.asked += 1;
        if known.asked < known.next {
            return None;
        }
        known.next = known.asked * 2;
        self.questions += 1;
        // An error shows again when the server is asked for the table.
        known.tables = read(conn, server, database, known.asked * TABLES_PER_ASKED).ok()?;
        known.tables.remove(table)
    }

    pub fn questions(&self) -> u64 {
        self.questions
    }

    /// The definitions of some tables may have changed.
    pub fn forget(&mut self, changed: &dyn Fn(&str, &str) -> bool) {
        for (database, known) in &mut self.databases {
            known.tables.retain(|table, _| !changed(database, table));
        }
    }
}

/// All tables of a database, or none if it has more than `most`.
fn read(
    conn: &mut Conn,
    server: &Server,
    database: &str,
    most: usize,
) -> mysql::Result<HashMap<String, Described>> {
    let given = params! { "database" => database };
    let mut tables: HashMap<String, Described> = HashMap::new();
    let count = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = :database";
    let count: Option<usize> = conn.exec_first(count, &given)?;
    if count.is_none_or(|count| count > most.min(MAX_TABLES)) {
        return Ok(tables);
    }
    let columns = format!(
        "SELECT TABLE_NAME, {COLUMN_FIELDS} FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = :database \
         ORDER BY TABLE_NAME, ORDINAL_POSITION"
    );
    conn.exec_fold(columns, &given, (), |(), (table, name, column_type, charset, nullable, extra)| {
        let column = described::column((name, column_type, charset, nullable, extra));
        tables.entry(table).or_default().definition.columns.push(column);
    })?;
    read_keys(conn, server, database, &mut tables)?;
    // After the columns, as where one table is asked for: a table that got versions meanwhile must not seem to have none.
    let [engine, collation] = TABLE_FIELDS;
    let rows = format!(
        "SELECT TABLE_NAME, TABLE_TYPE = 'SYSTEM VERSIONED', {engine}, {collation} FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = :database"
    );
    conn.exec_fold(rows, &given, (), |(), (table, has_versions, engine, collation)| {
        let table: String = table;
        let Some(described) = tables.get_mut(&table) else { return };
        described.may_have_versions = has_versions;
        described::set_table(&mut described.definition, (engine, collation));
    })?;
    Ok(tables)
}

fn read_keys(
    conn: &mut Conn,
    server: &Server,
    database: &str,
    tables: &mut HashMap<String, Described>,
) -> mysql::Result<()> {
    // MySQL 8.0 has them in a dictionary, by name. Other servers find them table by table, in order: sorted, they would
    // not be.
    let in_order = !server.is_mysql_from(8, 0, 0);
    let order = if in_order { "" } else { "ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX" };
    let keys = format!(
        "SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE = 0, COLUMN_NAME, SUB_PART IS NOT NULL, INDEX_TYPE \
         FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = :database {order}"
    );
    let given = params! { "database" => database };
    conn.exec_fold(keys, given, (), |(), (table, key, is_unique, column, is_prefix, index_type)| {
        let table: String = table;
        let Some(described) = tables.get_mut(&table) else { return };
        let part = KeyPart { key, is_unique, column, is_prefix, index_type };
        described::add_part(&mut described.definition.keys, part, server.is_mariadb());
    })?;
    if !in_order {
        for described in tables.values_mut() {
            described::sort_keys(&mut described.definition);
            described.keys_in_order = false;
        }
    }
    Ok(())
}

//! Reads the columns and keys of all tables of a database at once. A server answers that for thousands of tables in the time
//! that some hundred questions about one table take.

use std::collections::{HashMap, HashSet};

use mysql::prelude::Queryable;
use mysql::{Conn, params};

/// Tables of a database to ask for one by one before it is read at once.
const MIN_ASKED: usize = 100;
/// It is read at once if it has at most so many tables for each that was asked for. Asking for one table takes as long as
/// reading some twenty at once.
const TABLES_PER_ASKED: usize = 50;
/// Larger databases are never read at once: this many tables of ten columns take some 50 MB.
const MAX_TABLES: usize = 20_000;

/// The fields of a [`ColumnRow`] in `information_schema.COLUMNS`.
pub const COLUMN_FIELDS: &str = "COLUMN_NAME, CAST(COLUMN_TYPE AS CHAR), CHARACTER_SET_NAME, \
     CAST(CHARACTER_OCTET_LENGTH AS UNSIGNED), IS_NULLABLE = 'YES', CAST(EXTRA AS CHAR)";

/// A column: see [`COLUMN_FIELDS`].
pub type ColumnRow = (String, String, Option<String>, Option<u64>, bool, String);

/// A part of a key.
#[derive(Debug)]
pub struct KeyPart {
    pub key: String,
    /// `None` for an expression.
    pub column: Option<String>,
    pub is_hash: bool,
    pub is_unique: bool,
}

/// The unique keys of a table, and those on expressions.
#[derive(Debug, Default)]
pub struct Keys {
    /// Those of one key stand together, in its order.
    pub parts: Vec<KeyPart>,
    /// The keys are in the server's order, not by name.
    pub in_order: bool,
}

/// What the catalog says of a table.
#[derive(Debug, Default)]
pub struct Described {
    /// In table order.
    pub columns: Vec<ColumnRow>,
    pub keys: Keys,
    /// It has system versioning (MariaDB).
    pub has_versions: bool,
}

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
    pub fn take(&mut self, conn: &mut Conn, database: &str, table: &str) -> Option<Described> {
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
        known.tables = read(conn, database, known.asked * TABLES_PER_ASKED).ok()?;
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
fn read(conn: &mut Conn, database: &str, most: usize) -> mysql::Result<HashMap<String, Described>> {
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
    conn.exec_fold(
        columns,
        &given,
        (),
        |(), (table, name, column_type, charset, octets, nullable, extra)| {
            let column: ColumnRow = (name, column_type, charset, octets, nullable, extra);
            tables.entry(table).or_default().columns.push(column);
        },
    )?;
    // A part of a key without a column is an expression.
    let keys = "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, INDEX_TYPE = 'HASH', NON_UNIQUE = 0 \
         FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = :database AND (NON_UNIQUE = 0 OR COLUMN_NAME IS NULL) \
         ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX";
    conn.exec_fold(keys, &given, (), |(), (table, key, column, is_hash, is_unique)| {
        let table: String = table;
        let Some(described) = tables.get_mut(&table) else { return };
        let part = KeyPart { key, column, is_hash, is_unique };
        described.keys.parts.push(part);
    })?;
    // After the columns, as where one table is asked for: a table that got versions meanwhile must not seem to have none.
    let versioned = "SELECT TABLE_NAME FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = :database AND TABLE_TYPE = 'SYSTEM VERSIONED'";
    let versioned: HashSet<String> = conn.exec(versioned, &given)?.into_iter().collect();
    for (name, table) in &mut tables {
        table.has_versions = versioned.contains(name);
    }
    Ok(tables)
}

//! The catalog: tables as `information_schema` describes them now.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow};
use mysql::prelude::Queryable;
use mysql::{Conn, Row, params};

use super::foreign_keys::ForeignKey;
use super::known::FullName;
use super::quoting::quoted;
use super::read_ahead::{COLUMN_FIELDS, ColumnRow, Described, KeyPart, Keys, ReadAhead};
use super::{
    Column, Generated, HiddenColumns, Id, Table, column_grants, declared_type, enum_labels,
    expression_columns, merge_tables, system_versioning,
};
use crate::exit::unreadable;
use crate::position::Position;
use crate::server::{Server, binary_log};

/// No such database, table dropped, no such table, and table altered since the snapshot began.
const GONE: [u16; 4] = [1049, 1051, 1146, 1412];

/// Asks a server about its tables, on a connection of its own.
#[derive(Debug)]
pub struct Catalog {
    conn: Conn,
    server: Server,
    /// Whether the account may read all of a database.
    reads_all: HashMap<String, bool>,
    read_ahead: ReadAhead,
    /// How often the server was asked for definitions.
    questions: u64,
}

impl Catalog {
    /// Sets up the connection.
    pub fn new(mut conn: Conn, server: &Server) -> Result<Catalog> {
        // MySQL 8.0 would answer from cached statistics, which may be a day old. A lock must not block the run. Quoted
        // names can be told from the rest of SHOW CREATE TABLE.
        conn.query_drop(
            "SET NAMES utf8mb4, @@session.sql_mode = '', @@session.lock_wait_timeout = 60, \
             @@session.sql_quote_show_create = 1",
        )
        .context("cannot set up the session for the catalog")?;
        if server.is_mysql_from(8, 0, 30) {
            // A generated invisible primary key is a column like any other, even if the server is set to hide it.
            conn.query_drop("SET @@session.show_gipk_in_create_table_and_information_schema = ON")
                .context("cannot set up the session for the catalog")?;
        }
        Ok(Catalog {
            conn,
            server: server.clone(),
            reads_all: HashMap::new(),
            read_ahead: ReadAhead::default(),
            questions: 0,
        })
    }

    fn reads_all(&mut self, database: &str) -> bool {
        if let Some(known) = self.reads_all.get(database) {
            return *known;
        }
        let reads_all = column_grants::may_read_database(&mut self.conn, database);
        self.reads_all.insert(database.to_string(), reads_all);
        reads_all
    }

    /// The definitions of some tables may have changed.
    pub fn forget(&mut self, changed: &dyn Fn(&str, &str) -> bool) {
        self.read_ahead.forget(changed);
    }

    /// How often the server was asked for definitions: if no more often than before, an answer was read ahead.
    pub fn questions(&self) -> u64 {
        self.questions + self.read_ahead.questions()
    }

    /// Where the server's log ends now; `None` if the account may not ask.
    pub fn log_end(&mut self) -> Option<Position> {
        binary_log::end(&mut self.conn, &self.server).ok()
    }

    /// Gives the connection back.
    pub fn into_conn(self) -> Conn {
        self.conn
    }

    /// The base tables of a database, sorted by name: all, or the one called `name`. With `estimates`, the server opens
    /// each to estimate its rows.
    pub fn tables(
        &mut self,
        database: &str,
        name: Option<&str>,
        estimates: bool,
    ) -> Result<Vec<(String, Option<u64>)>> {
        let estimate = if estimates { "CAST(TABLE_ROWS AS UNSIGNED)" } else { "NULL" };
        let all = format!(
            "SELECT TABLE_NAME, {estimate} FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = :database AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')"
        );
        let rows = match name {
            None => self.conn.exec(all, params! { "database" => database }),
            Some(name) => {
                let one = format!("{all} AND TABLE_NAME = :name");
                self.conn.exec(one, params! { "database" => database, "name" => name })
            }
        };
        let mut rows: Vec<(String, Option<u64>)> =
            rows.with_context(|| format!("cannot list the tables of {database}"))?;
        // Sorted here, because servers sort differently.
        rows.sort();
        Ok(rows)
    }

    /// The type of a table, such as `VIEW`; `None` if there is no such table.
    pub fn other_type(&mut self, database: &str, table: &str) -> Result<Option<String>> {
        let query = "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = :database AND TABLE_NAME = :table";
        let rows: Result<Vec<(String, String)>, _> =
            self.conn.exec(query, params! { "database" => database, "table" => table });
        let rows = rows.with_context(|| format!("cannot ask for the type of {database}.{table}"))?;
        Ok(rows.into_iter().find(|(name, _)| name == table).map(|(_, kind)| kind))
    }

    /// Foreign keys that delete or change rows of a database's tables, sorted by table.
    pub fn cascades(&mut self, database: &str) -> Result<Vec<(String, ForeignKey)>> {
        let query = "SELECT CONSTRAINT_NAME, TABLE_NAME, REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE \
             FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = :database \
             AND (DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL')) \
             ORDER BY TABLE_NAME, CONSTRAINT_NAME";
        let map = |(name, table, parent, on_delete, on_update)| {
            (table, ForeignKey { name: Some(name), parent, on_delete, on_update })
        };
        let rows = self.conn.exec_map(query, params! { "database" => database }, map);
        rows.with_context(|| format!("cannot list the foreign keys of {database}"))
    }

    /// The MERGE tables of a database, and the tables of their UNIONs.
    pub fn merge_tables(&mut self, database: &str) -> Result<Vec<(FullName, Vec<FullName>)>> {
        merge_tables::ask(&mut self.conn, database)
    }

    /// Whether the engine handles foreign keys although the server could.
    pub fn native_foreign_keys(&mut self, server: &Server) -> Result<bool> {
        if !server.is_mysql_from(9, 6, 0) {
            return Ok(false);
        }
        let native = crate::server::queries::variable(&mut self.conn, "innodb_native_foreign_keys")?;
        Ok(native.is_some_and(|is| is.eq_ignore_ascii_case("ON")))
    }

    /// Names of all databases.
    pub fn databases(&mut self) -> Result<Vec<String>> {
        let query = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME";
        self.conn.query(query).context("cannot list the databases")
    }

    /// A table's definition; `None` if the account sees no such table.
    ///
    /// # Errors
    /// Exit 4 when a column has a type that dumpa does not know, or the account may not read it.
    pub fn table(&mut self, database: &str, table: &str) -> Result<Option<Table>> {
        // The catalog may hide keys from an account that reads only some of the tables.
        let reads_all = self.reads_all(database);
        let described = match reads_all {
            true => self.read_ahead.take(&mut self.conn, database, table),
            false => None,
        };
        let Some(Described { columns: rows, keys, has_versions }) =
            described.map_or_else(|| self.describe(database, table), |described| Ok(Some(described)))?
        else {
            return Ok(None);
        };
        let mut columns = Vec::with_capacity(rows.len());
        for (name, column_type, charset, octets, nullable, extra) in rows {
            let kind = declared_type::parse(&column_type, charset.as_deref());
            let mut kind = kind.ok_or_else(|| {
                unreadable(format!(
                    "column `{name}` of {database}.{table} has type {column_type}, which dumpa does not know"
                ))
            })?;
            self.questions += u64::from(enum_labels::asks(&kind));
            enum_labels::find(
                &mut self.conn,
                self.server.is_mariadb(),
                &quoted(database, table),
                &name,
                &mut kind,
            );
            columns.push(Column {
                name,
                kind,
                declared: declared(&column_type).to_string(),
                octets,
                is_char: column_type.starts_with("char"),
                nullable,
                generated: generated(&extra),
                omitted: false,
            });
        }
        let (database, name, hidden) = (database.into(), table.into(), HiddenColumns::default());
        let mut table = Table {
            database,
            name,
            columns,
            id: Id::None,
            has_primary_key: false,
            unique_keys: Vec::new(),
            hidden,
            has_history_partitions: false,
        };
        if !reads_all {
            column_grants::check(&mut self.conn, &self.server, &table)?;
        }
        match self.set_id(&mut table, keys) {
            Err(error) if is_gone(&error) => return Ok(None),
            other => other?,
        }
        if has_versions {
            self.questions += 1;
            system_versioning::ask(&mut self.conn, &mut table)?;
        }
        Ok(Some(table))
    }

    /// Asks for one table; `None` if the account sees no such table.
    fn describe(&mut self, database: &str, table: &str) -> Result<Option<Described>> {
        self.questions += 1;
        let query = format!(
            "SELECT {COLUMN_FIELDS} FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = :database AND TABLE_NAME = :table ORDER BY ORDINAL_POSITION"
        );
        let columns: Vec<ColumnRow> = self
            .conn
            .exec(query, params! { "database" => database, "table" => table })
            .with_context(|| format!("cannot ask for the columns of {database}.{table}"))?;
        if columns.is_empty() {
            return Ok(None);
        }
        match self.keys(database, table) {
            Err(error) if is_gone(&error) => Ok(None),
            keys => Ok(Some(Described { columns, keys: keys?, has_versions: self.server.is_mariadb() })),
        }
    }

    fn keys(&mut self, database: &str, table: &str) -> Result<Keys> {
        self.questions += 1;
        let rows: Vec<Row> = self
            .conn
            .query(format!("SHOW INDEX FROM {}", quoted(database, table)))
            .with_context(|| format!("cannot ask for the keys of {database}.{table}"))?;
        let part = |row: &Row| -> Result<KeyPart> {
            Ok(KeyPart {
                key: text(row, "Key_name")?,
                column: text(row, "Column_name").ok(),
                is_hash: text(row, "Index_type")? == "HASH",
                is_unique: row.get::<Option<u8>, _>("Non_unique").flatten() == Some(0),
            })
        };
        Ok(Keys { parts: rows.iter().map(part).collect::<Result<_>>()?, in_order: true })
    }

    /// Finds the id: the primary key, else the first unique key whose columns are all NOT NULL.
    fn set_id(&mut self, table: &mut Table, keys: Keys) -> Result<()> {
        let on_expressions = keys.parts.iter().any(|part| part.column.is_none());
        // Keys by name, with the columns of those that can be an id. Expressions and hidden columns are not columns of the table.
        let mut unique: Vec<(&str, Option<Vec<usize>>)> = Vec::new();
        for part in keys.parts.iter().filter(|part| part.is_unique) {
            let column = part.column.as_ref().and_then(|name| table.column_number(name));
            let column = column.filter(|i| !table.columns[*i].nullable);
            match unique.last_mut().filter(|(last, _)| *last == part.key) {
                Some((_, columns)) => {
                    *columns = columns.take().zip(column).map(|(mut all, i)| {
                        all.push(i);
                        all
                    });
                }
                None => {
                    table.hidden.hashes += usize::from(self.server.is_mariadb() && part.is_hash);
                    unique.push((&part.key, column.map(|i| vec![i])));
                }
            }
        }
        let primary = unique.iter().position(|(name, _)| *name == "PRIMARY");
        let candidates = unique.iter().filter(|(_, columns)| columns.is_some()).count();
        if !keys.in_order && primary.is_none() && candidates > 1 {
            table.hidden.hashes = 0;
            let keys = self.keys(&table.database, &table.name)?;
            return self.set_id(table, keys);
        }
        table.has_primary_key = primary.is_some();
        table.unique_keys = unique_keys(table, &keys);
        if let Some(primary) = primary {
            unique.swap(0, primary);
        }
        table.id = unique.into_iter().find_map(|(_, columns)| columns).map_or(Id::None, Id::Columns);
        if on_expressions {
            self.questions += 1;
            expression_columns::ask(&mut self.conn, table)?;
        }
        Ok(())
    }
}

/// The columns of each unique key, unless it has expressions or hidden columns.
fn unique_keys(table: &Table, keys: &Keys) -> Vec<Vec<usize>> {
    let parts: Vec<&KeyPart> = keys.parts.iter().filter(|part| part.is_unique).collect();
    let of_one = parts.chunk_by(|a, b| a.key == b.key);
    let columns = |key: &[&KeyPart]| -> Option<Vec<usize>> {
        key.iter().map(|part| table.column_number(part.column.as_ref()?)).collect()
    };
    of_one.filter_map(columns).collect()
}

/// Whether an error says that the table is gone, or was altered since the snapshot began.
pub fn is_gone(error: &anyhow::Error) -> bool {
    let code = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref() {
        Some(mysql::Error::MySqlError(error)) => Some(error.code),
        _ => None,
    };
    error.chain().filter_map(code).any(|code| GONE.contains(&code))
}

/// A COLUMN_TYPE without the labels of an ENUM or SET.
fn declared(column_type: &str) -> &str {
    match column_type.split_once('(') {
        Some((word @ ("enum" | "set"), _)) => word,
        _ => column_type,
    }
}

/// Parses a column's EXTRA. (MariaDB before 10.2 writes VIRTUAL and PERSISTENT.)
fn generated(extra: &str) -> Option<Generated> {
    let extra = extra.to_ascii_uppercase();
    match extra.split([' ', ',']).next() {
        Some("VIRTUAL") => Some(Generated::Virtual),
        Some("STORED" | "PERSISTENT") => Some(Generated::Stored),
        // DEFAULT_GENERATED means an expression as default.
        _ => None,
    }
}

fn text(row: &Row, column: &str) -> Result<String> {
    row.get_opt::<String, _>(column)
        .and_then(Result::ok)
        .ok_or_else(|| anyhow!("the server did not return {column} for a key"))
}

//! The catalog: tables as `information_schema` describes them now.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow};
use mysql::prelude::Queryable;
use mysql::{Conn, Row, params};

use super::column_grants::Seen;
use super::definition::{DefinedKey, Definition};
use super::described::{self, COLUMN_FIELDS, Described, KeyPart, TABLE_FIELDS};
use super::foreign_keys::ForeignKey;
use super::known::FullName;
use super::quoting::quoted;
use super::read_ahead::ReadAhead;
use super::{Table, column_grants, enum_labels, expression_columns, merge_tables, system_versioning};
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

    /// How often it was asked for many definitions at once.
    pub fn bulk_questions(&self) -> u64 {
        self.read_ahead.questions()
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

    /// The character set of a database's new tables; `None` if there is no such database.
    pub fn database_charset(&mut self, database: &str) -> Result<Option<String>> {
        let query =
            "SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?";
        let charset: Option<String> = self
            .conn
            .exec_first(query, (database,))
            .with_context(|| format!("cannot ask for the character set of {database}"))?;
        Ok(charset.map(|charset| if charset == "utf8" { "utf8mb3".to_string() } else { charset }))
    }

    /// Names of all databases.
    pub fn databases(&mut self) -> Result<Vec<String>> {
        let query = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME";
        self.conn.query(query).context("cannot list the databases")
    }

    /// A table to read rows with; `None` if the account sees no such table.
    ///
    /// # Errors
    /// Exit 4 when a column has a type that dumpa does not know, or the account may not read it.
    pub fn table(&mut self, database: &str, table: &str) -> Result<Option<Table>> {
        let definition = self.definition(database, table)?;
        definition.map(|definition| definition.table(database, table)).transpose()
    }

    /// A table's definition; `None` if the account sees no such table.
    ///
    /// # Errors
    /// Exit 4 when the account may not read all of its columns.
    pub fn definition(&mut self, database: &str, table: &str) -> Result<Option<Definition>> {
        // The catalog may hide keys from an account that reads only some of the tables.
        let reads_all = self.reads_all(database);
        let described = match reads_all {
            true => self.read_ahead.take(&mut self.conn, &self.server, database, table),
            false => None,
        };
        let Some(Described { mut definition, keys_in_order, may_have_versions }) =
            described.map_or_else(|| self.describe(database, table), |described| Ok(Some(described)))?
        else {
            return Ok(None);
        };
        let full_name = quoted(database, table);
        for column in &mut definition.columns {
            self.questions += u64::from(enum_labels::asks(column));
            enum_labels::find(&mut self.conn, self.server.is_mariadb(), &full_name, column);
        }
        if !reads_all {
            let seen = Seen { database, table, definition: &definition };
            column_grants::check(&mut self.conn, &self.server, seen)?;
        }
        match self.complete_keys(database, table, &mut definition, keys_in_order) {
            Err(error) if is_gone(&error) => return Ok(None),
            other => other?,
        }
        if may_have_versions {
            self.questions += 1;
            system_versioning::ask(&mut self.conn, database, table, &mut definition)?;
        }
        Ok(Some(definition))
    }

    /// Asks for one table; `None` if the account sees no such table.
    fn describe(&mut self, database: &str, table: &str) -> Result<Option<Described>> {
        self.questions += 1;
        let of_table = |field: &str| {
            format!(
                "(SELECT {field} FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = :database AND TABLE_NAME = :table)"
            )
        };
        let [engine, collation] = TABLE_FIELDS.map(of_table);
        let query = format!(
            "SELECT {COLUMN_FIELDS}, {engine}, {collation} FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = :database AND TABLE_NAME = :table ORDER BY ORDINAL_POSITION"
        );
        let given = params! { "database" => database, "table" => table };
        let mut described = Described { may_have_versions: self.server.is_mariadb(), ..Described::default() };
        let definition = &mut described.definition;
        let add = |(), (name, column_type, charset, nullable, extra, engine, collation)| {
            definition.columns.push(described::column((name, column_type, charset, nullable, extra)));
            described::set_table(definition, (engine, collation));
        };
        self.conn
            .exec_fold(query, given, (), add)
            .with_context(|| format!("cannot ask for the columns of {database}.{table}"))?;
        if described.definition.columns.is_empty() {
            return Ok(None);
        }
        match self.keys(database, table) {
            Err(error) if is_gone(&error) => Ok(None),
            keys => {
                described.definition.keys = keys?;
                Ok(Some(described))
            }
        }
    }

    /// All keys, in the server's order.
    fn keys(&mut self, database: &str, table: &str) -> Result<Vec<DefinedKey>> {
        self.questions += 1;
        let rows: Vec<Row> = self
            .conn
            .query(format!("SHOW INDEX FROM {}", quoted(database, table)))
            .with_context(|| format!("cannot ask for the keys of {database}.{table}"))?;
        let mut keys = Vec::new();
        for row in &rows {
            let part = KeyPart {
                key: text(row, "Key_name")?,
                is_unique: row.get::<Option<u8>, _>("Non_unique").flatten() == Some(0),
                column: text(row, "Column_name").ok(),
                is_prefix: row.get::<Option<u64>, _>("Sub_part").flatten().is_some(),
                index_type: text(row, "Index_type")?,
            };
            described::add_part(&mut keys, part, self.server.is_mariadb());
        }
        Ok(keys)
    }

    /// Asks for the order of keys where it decides which of them is the id, now or once there is no primary key; and for
    /// the hidden columns of keys on expressions.
    fn complete_keys(
        &mut self,
        database: &str,
        table: &str,
        definition: &mut Definition,
        in_order: bool,
    ) -> Result<()> {
        let other_unique = definition.keys.iter().filter(|key| key.is_unique && key.name != "PRIMARY");
        if !in_order && other_unique.count() > 1 {
            definition.keys = self.keys(database, table)?;
        }
        if definition.keys.iter().flat_map(|key| &key.columns).any(Option::is_none) {
            self.questions += 1;
            expression_columns::ask(&mut self.conn, database, table, definition)?;
        }
        Ok(())
    }
}

/// Whether an error says that the table is gone, or was altered since the snapshot began.
pub fn is_gone(error: &anyhow::Error) -> bool {
    let code = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref() {
        Some(mysql::Error::MySqlError(error)) => Some(error.code),
        _ => None,
    };
    error.chain().filter_map(code).any(|code| GONE.contains(&code))
}

fn text(row: &Row, column: &str) -> Result<String> {
    row.get_opt::<String, _>(column)
        .and_then(Result::ok)
        .ok_or_else(|| anyhow!("the server did not return {column} for a key"))
}

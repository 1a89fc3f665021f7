//! The definition for a table map: from the log, completed by the catalog.
//!
//! [`Definitions::forget`] is called for each statement that may change a definition, in log order. A schema history
//! would hook in there.

use std::collections::HashMap;
use std::rc::Rc;

use anyhow::Result;

use super::from_log::{Logged, LoggedTable};
use super::known::FullName;
use super::{Id, Table, expression_columns, system_versioning};
use crate::binlog::column_format::ColumnFormat;
use crate::binlog::table_map::TableMap;
use crate::exit::unreadable;
use crate::position::Position;
use crate::value::ColumnType;
use crate::version::Release;

/// When a definition was read from the catalog.
#[derive(Debug, Default)]
pub struct ReadAt {
    /// The end of the server's log, asked for after the definition was read; `None` if it is not known.
    pub log_end: Option<Position>,
    /// Counts the readings.
    pub number: u64,
}

/// Looks tables up in a catalog.
pub trait Lookup {
    /// A table's present definition; `None` if there is no such table.
    fn table(&mut self, database: &str, table: &str) -> Result<Option<Table>>;

    /// Whether the catalog has a sequence of this name (MariaDB), or else another table; `None` if there is no such table.
    fn is_sequence(&mut self, database: &str, table: &str) -> Result<Option<bool>>;

    /// When the last answer to [`Lookup::table`] was read.
    fn read_at(&self) -> Rc<ReadAt>;

    /// The definitions of some tables may have changed: they must be asked for anew.
    fn forget(&mut self, changed: &dyn Fn(&str, &str) -> bool);
}

/// A table's definition, and where it comes from.
pub struct Definition {
    pub table: Table,
    /// It is the table's present definition, from the catalog. It must be checked against the log, since the rows may be
    /// older.
    pub is_from_catalog: bool,
    /// The log lacks only its id, which is by the table's present keys.
    pub has_present_id: bool,
    /// For stderr.
    pub warning: Option<String>,
}

/// Finds definitions, and caches those of the catalog.
pub struct Definitions {
    /// `None` without a server.
    lookup: Option<Box<dyn Lookup>>,
    /// The server that wrote the log, once known.
    writer: Option<Release>,
    /// The caller must know which columns are generated (`--generated omit`).
    needs_generated: bool,
    catalog: HashMap<(String, String), Table>,
    /// Those of them that are not known to hold where they are used.
    unsettled: HashMap<(String, String), Rc<ReadAt>>,
}

impl Definitions {
    pub fn new(lookup: Option<Box<dyn Lookup>>, needs_generated: bool) -> Definitions {
        Definitions {
            lookup,
            writer: None,
            needs_generated,
            catalog: HashMap::new(),
            unsettled: HashMap::new(),
        }
    }

    pub fn writer(&self) -> Option<Release> {
        self.writer
    }

    /// Sets the server that wrote the log. Returns whether it changed.
    pub fn set_writer(&mut self, writer: Option<Release>) -> bool {
        std::mem::replace(&mut self.writer, writer) != writer
    }

    /// The definitions of some tables may have changed.
    pub fn forget(&mut self, changed: &dyn Fn(&str, &str) -> bool) {
        self.catalog.retain(|(database, table), _| !changed(database, table));
        self.unsettled.retain(|(database, table), _| !changed(database, table));
        if let Some(lookup) = &mut self.lookup {
            lookup.forget(changed);
        }
    }

    /// The definition for a table map. `logged` is its metadata.
    ///
    /// # Errors
    /// Exit 4 when neither the log nor the catalog has it.
    pub fn of(
        &mut self,
        map: &TableMap<'_>,
        formats: &[ColumnFormat],
        logged: &Logged,
        place: &str,
    ) -> Result<Definition> {
        let bad = |why| unreadable(format!("the table map at {place} cannot be read: {why}"));
        match logged.table(map, formats).map_err(bad)? {
            LoggedTable::Complete(table) => self.completed(table, formats, place),
            LoggedTable::EitherSign(one, other) => {
                let table = self.choose_sign(one, other, place)?;
                self.completed(table, formats, place)
            }
            LoggedTable::Incomplete => {
                let (database, table) =
                    (String::from_utf8_lossy(map.database), String::from_utf8_lossy(map.table));
                let table = self.required(&database, &table, place)?;
                Ok(Definition { table, is_from_catalog: true, has_present_id: false, warning: None })
            }
        }
    }

    /// A table's definition in the catalog; `None` without a catalog, or if it has no such table.
    pub fn in_catalog(&mut self, database: &str, table: &str) -> Result<Option<Table>> {
        let key = (database.to_string(), table.to_string());
        if let Some(known) = self.catalog.get(&key) {
            return Ok(Some(known.clone()));
        }
        let Some(lookup) = &mut self.lookup else { return Ok(None) };
        let found = lookup.table(database, table)?;
        if let Some(found) = &found {
            self.unsettled.insert(key.clone(), lookup.read_at());
            self.catalog.insert(key, found.clone());
        }
        Ok(found)
    }

    /// When a definition was read from the catalog, unless it is known to hold where it is used.
    pub fn unsettled(&self, table: &FullName) -> Option<Rc<ReadAt>> {
        self.unsettled.get(table).cloned()
    }

    /// The catalog's definition holds here, and so until a statement changes it.
    pub fn settle(&mut self, table: &FullName) {
        self.unsettled.remove(table);
    }

    /// See [`Lookup::is_sequence`]; `None` also without a catalog.
    pub fn is_sequence(&mut self, database: &str, table: &str) -> Result<Option<bool>> {
        self.lookup.as_mut().map_or(Ok(None), |lookup| lookup.is_sequence(database, table))
    }

    /// The advice to make the server log column names, if it can.
    pub fn or_log_names(&self, advice: &'static str) -> &'static str {
        if self.writer.is_some_and(|writer| writer.can_log_names()) { advice } else { "" }
    }

    fn writer_is_mariadb(&self) -> bool {
        self.writer.is_some_and(|writer| writer.is_mariadb())
    }

    fn counts_hidden_columns(&self) -> bool {
        self.writer.is_some_and(|writer| writer.counts_hidden_columns())
    }

    /// The catalog's definition, if the log has none.
    fn required(&mut self, database: &str, table: &str, place: &str) -> Result<Table> {
        let found = self.in_catalog(database, table)?.map(|mut found| {
            if !self.counts_hidden_columns() {
                found.hidden.expressions.clear();
            }
            found
        });
        found.ok_or_else(|| {
            unreadable(match self.lookup {
                None => format!(
                    "the log lacks the column names and types of {database}.{table} at {place}, and there is no server \
                     to ask: name one with --host{}",
                    self.or_log_names(", or log with binlog_row_metadata=FULL")
                ),
                Some(_) => format!(
                    "the rows of {database}.{table} at {place} cannot be read: the table is gone, or this account may \
                     not see it (GRANT SELECT), and the log lacks its column names{}",
                    self.or_log_names(" (binlog_row_metadata=FULL)")
                ),
            })
        })
    }

    /// Completes the log's definition with what only the catalog has: unique keys, types that MariaDB logs as other types,
    /// and which columns are hidden or generated.
    fn completed(&mut self, mut table: Table, formats: &[ColumnFormat], place: &str) -> Result<Definition> {
        self.remove_expression_columns(&mut table)?;
        if table.id != Id::Unknown && !self.writer_is_mariadb() && !self.needs_generated {
            return Ok(Definition { table, is_from_catalog: false, has_present_id: false, warning: None });
        }
        let catalog = self.in_catalog(&table.database, &table.name)?;
        let (mut warning, mut has_present_id) = (None, false);
        if self.writer_is_mariadb() {
            system_versioning::remove_hidden(&mut table, formats, catalog.as_ref());
            if let Some(catalog) = &catalog {
                restore_types(&mut table, formats, catalog);
            }
            warning = unknown_types(&table, formats, catalog.as_ref());
        }
        let names = |table: &Table| table.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
        let catalog = catalog.filter(|catalog| names(catalog) == names(&table));
        if catalog.is_none() && self.needs_generated {
            return Err(unreadable(format!(
                "the log does not say which columns of {}.{} were generated when its rows at {place} were written, \
                 and on the server the table is gone or has other columns: load again, or do without \
                 --generated omit",
                table.database, table.name
            )));
        }
        if let Some(catalog) = catalog {
            for (column, same) in table.columns.iter_mut().zip(&catalog.columns) {
                column.generated = same.generated;
            }
            if table.id == Id::Unknown {
                table.id = catalog.id;
                has_present_id = true;
            }
        }
        Ok(Definition { table, is_from_catalog: false, has_present_id, warning })
    }

    /// Removes the hidden columns of functional indexes, if the log counts them. The catalog decides, because a declared
    /// column may have such a name, too.
    fn remove_expression_columns(&mut self, table: &mut Table) -> Result<()> {
        if self.counts_hidden_columns() && expression_columns::may_be_in(table) {
            let catalog = self.in_catalog(&table.database, &table.name)?;
            expression_columns::remove(table, catalog.as_ref());
        }
        Ok(())
    }

    /// Chooses the one of two definitions that agrees with the catalog.
    ///
    /// # Errors
    /// Exit 4 when neither or both agree, or there is no catalog: a wrong sign gives a wrong number.
    fn choose_sign(&mut self, mut one: Table, mut other: Table, place: &str) -> Result<Table> {
        self.remove_expression_columns(&mut one)?;
        self.remove_expression_columns(&mut other)?;
        let catalog = self.in_catalog(&one.database, &one.name)?;
        let pairs = one.columns.iter().zip(&other.columns).enumerate();
        let differing: Vec<usize> = pairs.filter(|(_, (a, b))| a.kind != b.kind).map(|(i, _)| i).collect();
        let agrees = |table: &Table| {
            let columns = catalog.as_ref().map(|catalog| &catalog.columns).filter(|all| !all.is_empty());
            columns.is_some_and(|columns| {
                columns.iter().zip(&table.columns).enumerate().all(|(i, (known, logged))| {
                    known.name == logged.name && (known.kind == logged.kind || !differing.contains(&i))
                })
            })
        };
        match (agrees(&one), agrees(&other)) {
            (true, false) => Ok(one),
            (false, true) => Ok(other),
            // Both agree if the catalog lacks the columns that differ.
            (true, true) | (false, false) => {
                let column = differing.first().and_then(|i| one.columns.get(*i));
                Err(unreadable(format!(
                    "column `{}` of {}.{} at {place} may be signed or UNSIGNED: the releases of MySQL 8.0 that may have \
                     written this log differ in how they count a YEAR before it, and {}. Load again",
                    column.map_or("", |column| &column.name),
                    one.database,
                    one.name,
                    match catalog {
                        Some(_) => "on the server the table has other columns now",
                        None => "there is no server to ask (--host), or the table is gone",
                    }
                )))
            }
        }
    }
}

/// Restores types from the catalog: MariaDB logs UUID and INET6 as BINARY(16), INET4 as BINARY(4), VECTOR as VARBINARY.
fn restore_types(table: &mut Table, formats: &[ColumnFormat], catalog: &Table) {
    for (column, format) in table.columns.iter_mut().zip(formats) {
        if let Some(same) = catalog.columns.iter().find(|same| same.name == column.name)
            && matches!(column.kind, ColumnType::Bytes { .. })
            && matches!(
                same.kind,
                ColumnType::Uuid | ColumnType::Inet4 | ColumnType::Inet6 | ColumnType::Vector
            )
            && matches!(format, ColumnFormat::String { max: 16 | 4 } | ColumnFormat::Varchar { .. })
        {
            column.kind = same.kind.clone();
        }
    }
}

/// Warns of columns that may have such a type, if the catalog does not have them.
fn unknown_types(table: &Table, formats: &[ColumnFormat], catalog: Option<&Table>) -> Option<String> {
    let is_known =
        |name: &str| catalog.is_some_and(|catalog| catalog.columns.iter().any(|column| column.name == name));
    let unknown = table.columns.iter().zip(formats).filter(|(column, format)| {
        matches!(column.kind, ColumnType::Bytes { .. })
            && matches!(format, ColumnFormat::String { max: 16 | 4 })
            && !is_known(&column.name)
    });
    let names: Vec<String> = unknown.map(|(column, _)| format!("`{}`", column.name)).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{}.{}: {} may be UUID, INET4 or INET6, which the log stores like BINARY: printed as bytes. With a \
             server to ask (--host) that still has the columns they print as text",
            table.database,
            table.name,
            names.join(", ")
        )
    })
}

//! The definition that goes with a table map: what the log tells, completed by the catalog.
//!
//! [`Definitions::forget`] is called at each statement that may change a definition, in the order of the log: the seam for a
//! history of definitions.

use std::collections::HashMap;

use anyhow::Result;

use super::from_log::{Logged, LoggedTable};
use super::{Id, Table, expression_columns, system_versioning};
use crate::binlog::column_format::ColumnFormat;
use crate::binlog::table_map::TableMap;
use crate::exit::unreadable;
use crate::value::ColumnType;
use crate::version::Release;

/// Asks for a table's definition as it is now; `None` if there is no such table.
pub type Lookup = Box<dyn FnMut(&str, &str) -> Result<Option<Table>>>;

/// A table's definition, and where it comes from.
pub struct Definition {
    pub table: Table,
    /// It is the table's present definition, from the catalog, and may not be that of the rows: it has to be checked.
    pub is_from_catalog: bool,
    /// For stderr.
    pub warning: Option<String>,
}

/// Finds definitions, and keeps those of the catalog.
pub struct Definitions {
    /// `None` without a server.
    lookup: Option<Lookup>,
    /// Which server wrote the log, once that is known.
    writer: Option<Release>,
    /// Generated columns have to be known.
    needs_generated: bool,
    catalog: HashMap<(String, String), Table>,
}

impl Definitions {
    pub fn new(lookup: Option<Lookup>, needs_generated: bool) -> Definitions {
        Definitions { lookup, writer: None, needs_generated, catalog: HashMap::new() }
    }

    pub fn writer(&self) -> Option<Release> {
        self.writer
    }

    /// Which server wrote the log. Returns whether it is another than before.
    pub fn set_writer(&mut self, writer: Option<Release>) -> bool {
        std::mem::replace(&mut self.writer, writer) != writer
    }

    /// Some definition may have changed: what the catalog said no longer holds.
    pub fn forget(&mut self) {
        self.catalog.clear();
    }

    /// The definition of a table map's table. `logged` is what the map tells of it.
    ///
    /// # Errors
    /// Exit 4 when neither the log nor the catalog tells it.
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
                Ok(Definition { table, is_from_catalog: true, warning: None })
            }
        }
    }

    /// A table's definition in the catalog, if there is a catalog and it has that table.
    pub fn in_catalog(&mut self, database: &str, table: &str) -> Result<Option<Table>> {
        let key = (database.to_string(), table.to_string());
        if let Some(known) = self.catalog.get(&key) {
            return Ok(Some(known.clone()));
        }
        let Some(lookup) = &mut self.lookup else { return Ok(None) };
        let found = lookup(database, table)?;
        if let Some(found) = &found {
            self.catalog.insert(key, found.clone());
        }
        Ok(found)
    }

    /// Advice to have the log name columns, if the server that wrote the log can do that.
    pub fn or_log_names(&self, advice: &'static str) -> &'static str {
        if self.writer.is_some_and(|writer| writer.can_log_names()) { advice } else { "" }
    }

    fn writer_is_mariadb(&self) -> bool {
        self.writer.is_some_and(|writer| writer.is_mariadb())
    }

    fn counts_hidden_columns(&self) -> bool {
        self.writer.is_some_and(|writer| writer.counts_hidden_columns())
    }

    /// The catalog's definition, where the log does not give one.
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
                    "the log does not tell the names and types of the columns of {database}.{table} at {place}, and \
                     no server was given to ask: give one with --host{}",
                    self.or_log_names(", or log with binlog_row_metadata=FULL")
                ),
                Some(_) => format!(
                    "the rows of {database}.{table} at {place} cannot be read: the table does not exist any \
                     more, or this account may not see it (GRANT SELECT), and the log does not name its \
                     columns{}",
                    self.or_log_names(" (binlog_row_metadata=FULL)")
                ),
            })
        })
    }

    /// Completes the log's definition by what only the catalog tells: keys other than the primary one, types that MariaDB
    /// logs as others, which columns are hidden, and which are generated.
    fn completed(&mut self, mut table: Table, formats: &[ColumnFormat], place: &str) -> Result<Definition> {
        self.remove_expression_columns(&mut table)?;
        if table.id != Id::Unknown && !self.writer_is_mariadb() && !self.needs_generated {
            return Ok(Definition { table, is_from_catalog: false, warning: None });
        }
        let catalog = self.in_catalog(&table.database, &table.name)?;
        let mut warning = None;
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
                "the log does not tell which columns of {}.{} were generated when its rows at {place} were written, \
                 and the server has no such table, or one of other columns by now: load again, or do without \
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
            }
        }
        Ok(Definition { table, is_from_catalog: false, warning })
    }

    /// Removes the hidden columns of indexes on expressions, where the log counts them. The catalog is asked, because a
    /// table's own column may have such a name.
    fn remove_expression_columns(&mut self, table: &mut Table) -> Result<()> {
        if self.counts_hidden_columns() && expression_columns::may_be_in(table) {
            let catalog = self.in_catalog(&table.database, &table.name)?;
            expression_columns::remove(table, catalog.as_ref());
        }
        Ok(())
    }

    /// The one of two definitions that the catalog agrees with.
    ///
    /// # Errors
    /// Exit 4 where it agrees with neither or both, or there is none: a wrong sign is a wrong number.
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
            // It agrees with both where it does not have the columns that differ.
            (true, true) | (false, false) => {
                let column = differing.first().and_then(|i| one.columns.get(*i));
                Err(unreadable(format!(
                    "column `{}` of {}.{} at {place} may be signed or UNSIGNED: releases of MySQL 8.0 that may \
                     have written this log count a YEAR before it differently, and {}. Load again",
                    column.map_or("", |column| &column.name),
                    one.database,
                    one.name,
                    match catalog {
                        Some(_) => "the server has a table of other columns by now",
                        None => "there is no server to ask (--host), or it has no such table any more",
                    }
                )))
            }
        }
    }
}

/// MariaDB logs a UUID and an INET6 as BINARY(16), an INET4 as BINARY(4), a VECTOR as VARBINARY. The catalog knows better.
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

/// The warning of columns that may be of such a type, if there is no catalog or it does not have them.
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
            "{}.{}: {} may be UUID, INET4 or INET6, which the log does not tell from BINARY: printed as bytes. \
             With a server to ask (--host) that has these columns they are printed as text",
            table.database,
            table.name,
            names.join(", ")
        )
    })
}

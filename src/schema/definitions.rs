//! The definition for a table map: from the log, completed by the catalog.
//!
//! What the catalog told of a table is kept, and follows the statements of the log: [`Definitions::follow`] is called for each
//! that may change a definition, in log order.

use std::collections::HashMap;
use std::rc::Rc;

use anyhow::Result;

use super::followed::{Change, Followed, Known, KnownBy, ReadAt};
use super::from_log::{Logged, LoggedTable};
use super::known::FullName;
use super::{Id, Table, definition, expression_columns, system_versioning};
use crate::binlog::column_format::ColumnFormat;
use crate::binlog::table_map::TableMap;
use crate::exit::unreadable;
use crate::sql::ddl::{Ddl, Understood};
use crate::sql::tokens::Session;
use crate::value::ColumnType;
use crate::version::Release;

/// Looks tables up in a catalog.
pub trait Lookup {
    /// A table's present definition; `None` if there is no such table.
    fn definition(&mut self, database: &str, table: &str) -> Result<Option<definition::Definition>>;

    /// When the last answer to [`Lookup::definition`] was read.
    fn read_at(&self) -> Rc<ReadAt>;

    /// Whether the catalog has a sequence of this name (MariaDB), or else another table; `None` if there is no such table.
    fn is_sequence(&mut self, database: &str, table: &str) -> Result<Option<bool>>;

    /// The character set of a database now; `None` if there is no such database.
    fn database_charset(&mut self, database: &str) -> Result<Option<String>>;

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
    /// It is known from the log: the catalog may know a later one.
    pub is_followed: bool,
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
    followed: Followed,
    /// What was made of those.
    tables: HashMap<FullName, Table>,
}

impl Definitions {
    pub fn new(lookup: Option<Box<dyn Lookup>>, needs_generated: bool) -> Definitions {
        Definitions {
            lookup,
            writer: None,
            needs_generated,
            followed: Followed::default(),
            tables: HashMap::new(),
        }
    }

    pub fn writer(&self) -> Option<Release> {
        self.writer
    }

    /// Sets the server that wrote the log. Returns whether it changed.
    pub fn set_writer(&mut self, writer: Option<Release>) -> bool {
        std::mem::replace(&mut self.writer, writer) != writer
    }

    /// Applies a statement's change to the definition that is known. If it is not followed, the catalog must be asked; and
    /// if that does not fit either, it matters why.
    ///
    /// # Errors
    /// When the catalog cannot be asked for what the statement leaves to the database.
    pub fn follow(
        &mut self,
        change: &Change<'_>,
        ddl: &Understood<Ddl>,
        session: &Session,
    ) -> Result<Understood<()>> {
        if let Change::Created { table, .. } | Change::Altered { table } = change {
            self.ask_for_charset(&table.0, ddl)?;
        }
        Ok(self.followed.apply(change, ddl, session))
    }

    fn ask_for_charset(&mut self, database: &str, ddl: &Understood<Ddl>) -> Result<()> {
        if !self.followed.charset_is_known(database)
            && ddl.as_ref().is_ok_and(Ddl::needs_database_charset)
            && let Some(lookup) = &mut self.lookup
            && let Some(charset) = lookup.database_charset(database)?
        {
            let read_at = lookup.read_at();
            self.followed.charset_told(database, charset, read_at);
        }
        Ok(())
    }

    /// What a table will be after an ALTER TABLE that comes next: as it follows, or else as the catalog has it now. `None` if
    /// neither tells.
    ///
    /// # Errors
    /// When the catalog cannot be asked.
    pub fn after(
        &mut self,
        table: &FullName,
        ddl: &Understood<Ddl>,
        session: &Session,
    ) -> Result<Option<Table>> {
        self.ask_for_charset(&table.0, ddl)?;
        let known = self.followed.get(table).filter(|known| known.is_sure());
        let after =
            known.and_then(|known| self.followed.altered(&known.definition, &table.0, ddl, session).ok());
        let after = match (after, &mut self.lookup) {
            (Some(after), _) => Some(after),
            (None, Some(lookup)) => lookup.definition(&table.0, &table.1)?,
            (None, None) => None,
        };
        after.map(|after| after.table(&table.0, &table.1)).transpose()
    }

    /// The definitions of some tables may have changed. Those that are `followed` stay known.
    pub fn changed(&mut self, changed: &dyn Fn(&str, &str) -> bool, followed: &dyn Fn(&FullName) -> bool) {
        self.tables.retain(|(database, table), _| !changed(database, table));
        self.followed.retain(&|table| !changed(&table.0, &table.1) || followed(table));
        if let Some(lookup) = &mut self.lookup {
            lookup.forget(changed);
        }
    }

    /// A definition that was followed does not fit the log: the catalog must be asked.
    pub fn does_not_fit(&mut self, table: &FullName) {
        self.tables.remove(table);
        self.followed.forget(table);
    }

    /// Sets what is known of a table, for another place of the log.
    pub fn put(&mut self, table: &FullName, known: Option<Known>) {
        self.tables.remove(table);
        self.followed.put(table, known);
    }

    /// The definition that holds at the current place, if it is known.
    pub fn known(&self, table: &FullName) -> Option<&Known> {
        self.followed.get(table)
    }

    /// The tables whose definitions are known.
    pub fn known_tables(&self) -> Vec<FullName> {
        self.followed.tables().cloned().collect()
    }

    /// The tables of a database whose definitions are known.
    pub fn known_tables_of(&self, database: &str) -> Vec<FullName> {
        self.followed.tables().filter(|table| table.0 == database).cloned().collect()
    }

    /// The definition for a table map. `logged` is its metadata.
    ///
    /// `None` if the log lacks it, and the catalog has no such table.
    ///
    /// # Errors
    /// Exit 4 when the log lacks it, and there is no catalog.
    pub fn of(
        &mut self,
        map: &TableMap<'_>,
        formats: &[ColumnFormat],
        logged: &Logged,
        place: &str,
    ) -> Result<Option<Definition>> {
        let bad = |why| unreadable(format!("the table map at {place} cannot be read: {why}"));
        let definition = match logged.table(map, formats).map_err(bad)? {
            LoggedTable::Complete(table) => self.completed(table, formats, place),
            LoggedTable::EitherSign(one, other) => {
                let table = self.choose_sign(one, other, place)?;
                self.completed(table, formats, place)
            }
            LoggedTable::Incomplete => {
                let (database, table) =
                    (String::from_utf8_lossy(map.database), String::from_utf8_lossy(map.table));
                let name = (database.to_string(), table.to_string());
                let Some(table) = self.required(&database, &table, place)? else { return Ok(None) };
                let is_followed = self.followed.get(&name).is_some_and(Known::is_sure);
                Ok(Definition {
                    table,
                    is_from_catalog: true,
                    has_present_id: false,
                    is_followed,
                    warning: None,
                })
            }
        };
        definition.map(Some)
    }

    /// What the catalog says of a table now, and when it was asked.
    pub fn ask(&mut self, table: &FullName) -> Result<Option<(definition::Definition, Rc<ReadAt>)>> {
        let Some(lookup) = &mut self.lookup else { return Ok(None) };
        let definition = lookup.definition(&table.0, &table.1)?;
        Ok(definition.map(|definition| (definition, lookup.read_at())))
    }

    /// When the catalog was last asked.
    pub fn read_at(&self) -> Option<Rc<ReadAt>> {
        self.lookup.as_ref().map(|lookup| lookup.read_at())
    }

    /// The message when the catalog has no table that the log has rows of.
    pub fn gone(&self, database: &str, table: &str, place: &str) -> String {
        format!(
            "the rows of {database}.{table} at {place} cannot be read: the table is gone, or this account may not see it \
             (GRANT SELECT), and the log lacks its column names{}",
            self.or_log_names(" (binlog_row_metadata=FULL)")
        )
    }

    /// A table's definition, as the statements of the log made it of what the catalog told, or else as the catalog tells it;
    /// `None` without a catalog, or if it has no such table.
    pub fn in_catalog(&mut self, database: &str, table: &str) -> Result<Option<Table>> {
        let name = (database.to_string(), table.to_string());
        if let Some(made) = self.tables.get(&name) {
            return Ok(Some(made.clone()));
        }
        let definition = match (self.followed.get(&name), &mut self.lookup) {
            (Some(known), _) => Rc::clone(&known.definition),
            (None, None) => return Ok(None),
            (None, Some(lookup)) => {
                let Some(told) = lookup.definition(database, table)? else { return Ok(None) };
                let told = Rc::new(told);
                let by = KnownBy::Catalog(lookup.read_at());
                self.followed.set(name.clone(), Known::new(Rc::clone(&told), by));
                told
            }
        };
        let made = definition.table(database, table)?;
        self.tables.insert(name, made.clone());
        Ok(Some(made))
    }

    /// When the character set was read that a table's definition, which is otherwise known, assumes its database to have had.
    pub fn assumed_charset(&self, table: &FullName) -> Option<Rc<ReadAt>> {
        let known = self.followed.get(table).filter(|known| known.assumes_charset)?;
        known.is_sure().then(|| self.followed.charset_asked(&table.0))?
    }

    /// See [`Followed::charset_settled`].
    pub fn charset_settled(&mut self, database: &str, holds: bool) {
        self.followed.charset_settled(database, holds);
        if !holds {
            self.tables.retain(|table, _| table.0 != database);
        }
    }

    /// When the definition that is known of a table was read from the catalog, unless it is known to hold.
    pub fn unsettled(&self, table: &FullName) -> Option<Rc<ReadAt>> {
        match &self.followed.get(table)?.by {
            KnownBy::Catalog(read_at) => Some(Rc::clone(read_at)),
            KnownBy::Log | KnownBy::Columns => None,
        }
    }

    /// See [`Followed::holds`].
    pub fn settle(&mut self, table: &FullName, with_all: bool) {
        self.followed.holds(table, with_all);
    }

    /// This definition of a table holds here, not the one that is known.
    pub fn was(&mut self, table: &FullName, definition: definition::Definition, with_all: bool) {
        let by = if with_all { KnownBy::Log } else { KnownBy::Columns };
        self.followed.set(table.clone(), Known::new(Rc::new(definition), by));
        self.tables.remove(table);
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
    fn required(&mut self, database: &str, table: &str, place: &str) -> Result<Option<Table>> {
        if self.lookup.is_none() && self.followed.get(&(database.to_string(), table.to_string())).is_none() {
            return Err(unreadable(format!(
                "the log lacks the column names and types of {database}.{table} at {place}, and there is no server to \
                 ask: name one with --host{}",
                self.or_log_names(", or log with binlog_row_metadata=FULL")
            )));
        }
        let mut found = self.in_catalog(database, table)?;
        if !self.counts_hidden_columns()
            && let Some(found) = &mut found
        {
            found.hidden.expressions.clear();
        }
        Ok(found)
    }

    /// Completes the log's definition with what only the catalog has: unique keys, types that MariaDB logs as other types,
    /// and which columns are hidden or generated.
    fn completed(&mut self, mut table: Table, formats: &[ColumnFormat], place: &str) -> Result<Definition> {
        self.remove_expression_columns(&mut table)?;
        if table.id != Id::Unknown && !self.writer_is_mariadb() && !self.needs_generated {
            return Ok(Definition {
                table,
                is_from_catalog: false,
                has_present_id: false,
                is_followed: false,
                warning: None,
            });
        }
        let catalog = self.in_catalog(&table.database, &table.name)?;
        let has_present_id = table.id == Id::Unknown && catalog.is_some();
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
            }
        }
        Ok(Definition { table, is_from_catalog: false, has_present_id, is_followed: false, warning })
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

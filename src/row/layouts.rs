//! The one place that turns a table map into a layout, and that is told of each definition that may
//! have changed, in the order of the log.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use anyhow::Result;

use super::layout::{Layout, old_decimals};
use super::skip::Skipper;
use crate::binlog::column_format::ColumnFormat;
use crate::binlog::table_map::TableMap;
use crate::bytes::Malformed;
use crate::exit::unreadable;
use crate::schema::catalog::Cascade;
use crate::schema::from_log::{self, Told};
use crate::schema::known::KnownTables;
use crate::schema::rules::{IdRule, Rules};
use crate::schema::seen::Seen;
use crate::schema::selection::Selection;
use crate::schema::{Generated, Id, Table, hidden};
use crate::value::{Dialect, Kind, Style};
use crate::version::Release;

/// Asks for a table's definition as it is now; `None` if there is no such table.
pub type Lookup = Box<dyn FnMut(&str, &str) -> Result<Option<Table>>>;

/// What a table map stands for.
#[derive(Debug)]
pub enum Mapping {
    Wanted(Layout),
    /// Rows are counted and passed over.
    Skipped(Skipper),
}

impl Mapping {
    pub fn column_count(&self) -> usize {
        match self {
            Mapping::Wanted(layout) => layout.column_count(),
            Mapping::Skipped(passing) => passing.column_count(),
        }
    }
}

/// The warning about a table whose rows nothing identifies.
pub fn no_key(printed: &str) -> String {
    format!(
        "{printed} has neither a primary key nor a unique key of NOT NULL columns: its id is null. \
         --id {printed}=COLUMN names one"
    )
}

/// Layouts by table id, and the definitions that they were made of.
pub struct Layouts {
    selection: Selection,
    rules: Rules,
    style: Style,
    /// `None` without a server.
    lookup: Option<Lookup>,
    /// Which server wrote the log, once that is known.
    writer: Option<Release>,
    dialect: Dialect,
    maps: HashMap<u64, (Vec<u8>, Rc<Mapping>)>,
    tables: HashMap<(String, String), Table>,
    pub tables_known: KnownTables,
    seen: Seen,
    warned: HashSet<String>,
    /// For stderr: things that are so once for a table.
    pub warnings: Vec<String>,
}

impl Layouts {
    pub fn new(selection: Selection, rules: Rules, style: Style, lookup: Option<Lookup>) -> Layouts {
        let seen = Seen::new(&selection, &rules.ids);
        Layouts {
            selection,
            rules,
            style,
            lookup,
            writer: None,
            dialect: Dialect::default(),
            maps: HashMap::new(),
            tables: HashMap::new(),
            tables_known: KnownTables::default(),
            seen,
            warned: HashSet::new(),
            warnings: Vec::new(),
        }
    }

    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    pub fn id_rules(&self) -> &[IdRule] {
        &self.rules.ids
    }

    /// Whether MariaDB wrote the log.
    pub fn is_mariadb(&self) -> bool {
        self.writer.is_some_and(|writer| writer.is_mariadb())
    }

    fn counts_hidden_columns(&self) -> bool {
        self.writer.is_some_and(|writer| writer.counts_hidden_columns())
    }

    /// Which server wrote the log: its version decides how its table maps are read, and how it prints values.
    pub fn written_by(&mut self, version: &str) {
        let writer = Release::parse(version, "");
        if self.writer != writer {
            self.writer = writer;
            self.dialect = Dialect::of_server(version);
            self.maps.clear();
        }
    }

    /// Foreign keys that change rows of a database's tables without a word in the log, by table: one warning for
    /// each, that names them all.
    pub fn cascades(&mut self, database: &str, all: &[Cascade]) {
        for of_one in all.chunk_by(|a, b| a.table == b.table) {
            let Some(first) = of_one.first().filter(|key| self.selection.selects(database, &key.table))
            else {
                continue;
            };
            let keys: Vec<String> = of_one
                .iter()
                .map(|Cascade { key, parent, on_delete, on_update, .. }| {
                    format!("`{key}` (to {parent}, ON DELETE {on_delete}, ON UPDATE {on_update})")
                })
                .collect();
            let (keys, change) = match keys.as_slice() {
                [one] => (format!("foreign key {one}"), "changes"),
                many => (format!("foreign keys {}", many.join(", ")), "change"),
            };
            self.warnings.push(format!(
                "{}: {keys} {change} its rows without a word in this server's log: what that does is not printed",
                self.selection.printed(database, &first.table)
            ));
        }
    }

    /// Warns of each TABLE and `--id` that nothing in the log was of: it may be misspelt.
    pub fn warn_of_unseen(&mut self) {
        for name in self.seen.unseen() {
            self.warnings.push(format!("no change in these files is of {name}"));
        }
    }

    /// A statement changed this table.
    pub fn named(&mut self, table: &(String, String)) {
        self.seen.table(&table.0, &table.1);
    }

    /// Some definition may have changed: what was looked up no longer holds.
    pub fn definition_changed(&mut self) {
        self.maps.clear();
        self.tables.clear();
    }

    /// What a table id stands for since its last table map.
    pub fn get(&self, table_id: u64) -> Option<Rc<Mapping>> {
        self.maps.get(&table_id).map(|(_, mapping)| mapping.clone())
    }

    /// Takes a table map in. The same one again costs a comparison.
    pub fn map(&mut self, map: &TableMap<'_>, body: &[u8], place: &dyn std::fmt::Display) -> Result<()> {
        if self.maps.get(&map.table_id).is_some_and(|(known, _)| known == body) {
            return Ok(());
        }
        let mapping = self.make(map, &place.to_string())?;
        self.maps.insert(map.table_id, (body.to_vec(), Rc::new(mapping)));
        Ok(())
    }

    fn make(&mut self, map: &TableMap<'_>, place: &str) -> Result<Mapping> {
        let name = || {
            let (database, table) =
                (String::from_utf8_lossy(map.database), String::from_utf8_lossy(map.table));
            format!("{database}.{table}")
        };
        let bad = |why: Malformed| {
            unreadable(format!("the table map of {} at {place} cannot be read: {why}", name()))
        };
        let wires = map.wires().map_err(bad)?;
        let (database, table) =
            (from_log::utf8(map.database).map_err(bad)?, from_log::utf8(map.table).map_err(bad)?);
        self.seen.table(&database, &table);
        let wires = wires.into_iter().enumerate().map(|(i, wire)| {
            wire.ok_or_else(|| {
                unreadable(format!(
                    "column {} of {} at {place} is of type {}, which dumpa does not know",
                    i + 1,
                    name(),
                    map.type_byte(i).unwrap_or(0)
                ))
            })
        });
        let wires = wires.collect::<Result<Vec<ColumnFormat>>>()?;
        if !self.selection.selects(&database, &table) {
            return self.skipped(&database, &table, &wires);
        }
        self.tables_known.has_rows(&(database.clone(), table.clone()));
        let told = from_log::table(map, &wires, self.writer).map_err(bad)?;
        let mut table = match told {
            Told::Table(told) => self.completed(told, &wires, place)?,
            Told::Either(one, other) => {
                let told = self.decided(one, other, place)?;
                self.completed(told, &wires, place)?
            }
            Told::Nothing => self.looked_up(&database, &table, place)?,
        };
        if self.is_mariadb() && hidden::is_sequence(&table) {
            return self.skipped(&table.database, &table.name, &wires);
        }
        self.rules.apply(&mut table)?;
        self.check_virtual(&table, place)?;
        let printed = self.selection.printed(&table.database, &table.name);
        self.check_id(&table, &printed, place)?;
        if !matches!(table.id, Id::Columns(_)) {
            self.warn(no_key(&printed));
        }
        let joined = Layout::join(&table, &wires, &printed, self.dialect, self.style);
        joined.map(Mapping::Wanted).map_err(|mismatch| {
            unreadable(format!(
                "the rows of {} at {place} do not fit the table as it is now: {mismatch}. It was altered \
                 since; load again{}",
                name(),
                self.or_names(", or have the server log names (binlog_row_metadata=FULL)")
            ))
        })
    }

    /// # Errors
    /// Exit 4 when a virtual column is to be printed whose values this log may not hold.
    fn check_virtual(&self, table: &Table, place: &str) -> Result<()> {
        let Some(writer) = self.writer.filter(|writer| !writer.logs_virtual_columns()) else {
            return Ok(());
        };
        let parts = table.columns.iter().zip(table.parts());
        let mut read =
            parts.filter(|(column, part)| part.is_read && column.generated == Some(Generated::Virtual));
        let Some((column, _)) = read.next() else { return Ok(()) };
        let advice = match column.omitted {
            false => "load again with --generated omit, which leaves generated columns out, and tail with it",
            true => "the id is made of it, so name other columns for that, with --id, and load again",
        };
        Err(unreadable(format!(
            "column `{}` of {}.{} is virtual, and {writer}, which wrote the log at {place}, may log NULL for its \
             values: {advice}",
            column.name, table.database, table.name
        )))
    }

    /// # Errors
    /// Exit 4 when the ids of rows are made of other columns, or print in another way, than those of rows that were
    /// printed before: a consumer would keep these for ever.
    fn check_id(&mut self, table: &Table, printed: &str, place: &str) -> Result<()> {
        if table.id == Id::Unknown {
            return Ok(());
        }
        let Some(before) = self.tables_known.id_is(table) else { return Ok(()) };
        let names = |names: Vec<&str>| match names.as_slice() {
            [] => "of no column".to_string(),
            names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        };
        let was = names(before.iter().map(|column| column.name.as_str()).collect());
        let is =
            names(table.id.columns().iter().filter_map(|i| Some(&*table.columns.get(*i)?.name)).collect());
        let what = match was == is {
            true => format!("{was}, of another type than before"),
            false => format!("{is}, and before it was {was}"),
        };
        if before.is_empty() {
            self.warnings.push(format!(
                "{printed}: from {place} on the id is {what}: rows printed before have null for it. Load again"
            ));
            return Ok(());
        }
        Err(unreadable(format!(
            "from {place} on the id of {}.{} is {what}: rows printed before keep their old id. Load again",
            table.database, table.name
        )))
    }

    /// The columns that a table's id is made of as it is now, if there is anybody to ask.
    pub fn id_now(&mut self, table: &(String, String)) -> Result<Vec<String>> {
        let Some(mut known) = self.known(&table.0, &table.1)? else { return Ok(Vec::new()) };
        self.rules.apply(&mut known)?;
        let names = known.id.columns().iter().filter_map(|i| Some(known.columns.get(*i)?.name.clone()));
        Ok(names.collect())
    }

    /// Whether the command line names the columns of a table's id.
    pub fn has_id_rule(&self, table: &(String, String)) -> bool {
        self.rules.ids.iter().any(|rule| rule.pattern.matches(&table.0, &table.1))
    }

    fn warn(&mut self, warning: String) {
        if self.warned.insert(warning.clone()) {
            self.warnings.push(warning);
        }
    }

    /// Tables that nobody wants need no names, but the decimals of old temporal columns.
    fn skipped(&mut self, database: &str, table: &str, wires: &[ColumnFormat]) -> Result<Mapping> {
        let old = |wire: &ColumnFormat| {
            matches!(wire, ColumnFormat::OldTime | ColumnFormat::OldDateTime | ColumnFormat::OldTimestamp)
        };
        let mut decimals = vec![0; wires.len()];
        if self.is_mariadb()
            && wires.iter().any(old)
            && let Some(table) = self.known(database, table)?
        {
            for (i, (wire, column)) in wires.iter().zip(&table.columns).enumerate() {
                decimals[i] = old_decimals(*wire, &column.kind);
            }
        }
        Ok(Mapping::Skipped(Skipper::new(wires.iter().copied().zip(decimals).collect())))
    }

    /// Of two readings of a table map the one that the catalog agrees with.
    ///
    /// # Errors
    /// Exit 4 where it agrees with neither, or there is none: a wrong sign is a wrong number.
    fn decided(&mut self, mut one: Table, mut other: Table, place: &str) -> Result<Table> {
        self.take_expressions_off(&mut one)?;
        self.take_expressions_off(&mut other)?;
        let known = self.known(&one.database, &one.name)?;
        let kinds = one.columns.iter().zip(&other.columns).enumerate();
        let differing: Vec<usize> = kinds.filter(|(_, (a, b))| a.kind != b.kind).map(|(i, _)| i).collect();
        let column = differing.first().and_then(|i| one.columns.get(*i));
        let column = column.map(|column| column.name.clone()).unwrap_or_default();
        let name = format!("{}.{}", one.database, one.name);
        let agrees = |told: &Table| {
            let known = known.as_ref().map(|known| &known.columns).filter(|known| !known.is_empty());
            known.is_some_and(|known| {
                known.iter().zip(&told.columns).enumerate().all(|(i, (known, told))| {
                    known.name == told.name && (known.kind == told.kind || !differing.contains(&i))
                })
            })
        };
        match (agrees(&one), agrees(&other)) {
            (true, false) => Ok(one),
            (false, true) => Ok(other),
            // Both: the columns that differ are not in the table as it is now.
            (true, true) | (false, false) => Err(unreadable(format!(
                "column `{column}` of {name} at {place} may be signed or UNSIGNED: releases of MySQL 8.0 that may \
                 have written this log count a YEAR before it differently, and {}. Load again",
                match known {
                    Some(_) => "the table as it is now is another",
                    None => "there is no server to ask (--host), or no such table on it any more",
                }
            ))),
        }
    }

    /// What the log tells, and from the catalog what it leaves out: keys other than the primary one, types that MariaDB
    /// logs as another, and which columns are generated.
    fn completed(&mut self, mut told: Table, wires: &[ColumnFormat], place: &str) -> Result<Table> {
        self.take_expressions_off(&mut told)?;
        let omits = self.rules.omit_generated;
        if told.id != Id::Unknown && !self.is_mariadb() && !omits {
            return Ok(told);
        }
        let known = self.known(&told.database, &told.name)?;
        if self.is_mariadb() {
            hidden::take_off(&mut told, wires, known.as_ref());
            if let Some(known) = &known {
                see_through(&mut told, wires, known);
            }
            self.warn_of_disguise(&told, wires, known.as_ref());
        }
        let same_names = |known: &Table| {
            let names = |table: &Table| table.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
            names(&told) == names(known)
        };
        let Some(known) = known.filter(same_names) else {
            if omits {
                return Err(unreadable(format!(
                    "which columns of {}.{} are generated, as its rows are at {place}, the log does not tell, and \
                     the server has no such table or one of other columns by now: load again, or do without \
                     --generated omit",
                    told.database, told.name
                )));
            }
            return Ok(told);
        };
        for (column, same) in told.columns.iter_mut().zip(&known.columns) {
            column.generated = same.generated;
        }
        if told.id == Id::Unknown {
            told.id = known.id;
        }
        Ok(told)
    }

    /// Takes off the hidden columns of indexes on expressions, where the log counts them. A column of the table may
    /// have such a name, too: the catalog is asked where there is one.
    fn take_expressions_off(&mut self, told: &mut Table) -> Result<()> {
        if self.counts_hidden_columns() && hidden::may_have_expressions(told) {
            let known = self.known(&told.database, &told.name)?;
            hidden::take_expressions_off(told, known.as_ref());
        }
        Ok(())
    }

    /// MariaDB's log says BINARY(16) of a UUID and an INET6, BINARY(4) of an INET4; nobody was there to ask, or the
    /// table has no such column any more.
    fn warn_of_disguise(&mut self, told: &Table, wires: &[ColumnFormat], known: Option<&Table>) {
        let all = told.columns.iter().zip(wires);
        let is_known =
            |name: &str| known.is_some_and(|known| known.columns.iter().any(|column| column.name == name));
        let disguised = all.filter(|(column, wire)| {
            matches!(column.kind, Kind::Bytes { .. })
                && matches!(wire, ColumnFormat::String { max: 16 | 4 })
                && !is_known(&column.name)
        });
        let names: Vec<String> = disguised.map(|(column, _)| format!("`{}`", column.name)).collect();
        if self.is_mariadb() && !names.is_empty() {
            self.warn(format!(
                "{}.{}: {} may be UUID, INET4 or INET6, which the log does not tell from BINARY: printed as bytes. \
                 With a server to ask (--host) that has these columns they are printed as text",
                told.database,
                told.name,
                names.join(", ")
            ));
        }
    }

    fn looked_up(&mut self, database: &str, table: &str, place: &str) -> Result<Table> {
        let no_server = self.lookup.is_none();
        let known = self.known(database, table)?.map(|mut known| {
            if !self.counts_hidden_columns() {
                known.hidden.expressions.clear();
            }
            known
        });
        known.ok_or_else(|| {
            unreadable(if no_server {
                format!(
                    "the log does not name the columns of {database}.{table} at {place}, and no server was \
                     given to ask: give one with --host{}",
                    self.or_names(", or log with binlog_row_metadata=FULL")
                )
            } else {
                format!(
                    "the rows of {database}.{table} at {place} cannot be read: the table is not there any \
                     more, or this account may not see it (GRANT SELECT), and the log does not name its \
                     columns{}",
                    self.or_names(" (binlog_row_metadata=FULL)")
                )
            })
        })
    }

    /// Advice to have names logged, where the server that wrote the log can do that.
    fn or_names(&self, advice: &'static str) -> &'static str {
        if self.writer.is_some_and(|writer| writer.can_log_names()) { advice } else { "" }
    }

    fn known(&mut self, database: &str, table: &str) -> Result<Option<Table>> {
        let key = (database.to_string(), table.to_string());
        if let Some(known) = self.tables.get(&key) {
            return Ok(Some(known.clone()));
        }
        let Some(lookup) = &mut self.lookup else { return Ok(None) };
        let found = lookup(database, table)?;
        if let Some(found) = &found {
            self.tables.insert(key, found.clone());
        }
        Ok(found)
    }
}

/// MariaDB's log tells another type of some columns, which the catalog knows.
fn see_through(told: &mut Table, wires: &[ColumnFormat], known: &Table) {
    for (column, wire) in told.columns.iter_mut().zip(wires) {
        if let Some(same) = known.columns.iter().find(|known| known.name == column.name)
            && matches!(column.kind, Kind::Bytes { .. })
            && matches!(same.kind, Kind::Uuid | Kind::Inet4 | Kind::Inet6 | Kind::Vector)
            && matches!(wire, ColumnFormat::String { max: 16 | 4 } | ColumnFormat::Varchar { .. })
        {
            column.kind = same.kind.clone();
        }
    }
}

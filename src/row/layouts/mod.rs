//! Makes layouts from table maps and definitions, and caches them by table id.

mod definitions;
mod ids;
mod maps;
mod questions;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use anyhow::Result;

use self::maps::CachedMap;
pub use self::maps::Maps;
use super::check::{self, Mismatch};
use super::from_catalog::{FromCatalog, Question};
use super::layout::{Layout, old_decimals};
use super::skip::Skipper;
use crate::binlog::column_format::ColumnFormat;
use crate::binlog::table_map::TableMap;
use crate::bytes::Malformed;
use crate::exit::unreadable;
use crate::schema::definitions::Definitions;
use crate::schema::followed::ReadAt;
use crate::schema::foreign_keys::{ForeignKey, ForeignKeys};
use crate::schema::from_log::{self, Logged};
use crate::schema::known::{FullName, KnownTables};
use crate::schema::matched_names::MatchedNames;
use crate::schema::merge_tables::MergeTables;
use crate::schema::rules::{IdRule, Rules};
use crate::schema::selection::Selection;
use crate::schema::{Generated, Id, Table, mysql50, sequence};
use crate::value::{Dialect, Style};
use crate::version::Release;

pub use crate::schema::definitions::Lookup;
pub use ids::{IdNow, no_key};

/// What to do with the rows of a table map.
#[derive(Debug)]
pub enum Mapping {
    Wanted(Layout),
    /// Count the rows only.
    Skipped(Skipper),
    /// They are written to selected tables, but logged for another.
    Refused {
        columns: usize,
        why: String,
    },
}

impl Mapping {
    pub fn column_count(&self) -> usize {
        match self {
            Mapping::Wanted(layout) => layout.column_count(),
            Mapping::Skipped(skipper) => skipper.column_count(),
            Mapping::Refused { columns, .. } => *columns,
        }
    }
}

fn does_not_fit(name: &str, place: &str, mismatch: &Mismatch) -> String {
    format!("the rows of {name} at {place} do not fit the table as it is now: {mismatch}")
}

/// What a table map leads to.
enum Made {
    Mapping(Rc<Mapping>),
    /// This must be known first.
    Asks(Box<FromCatalog>),
    /// Likewise whether the database had the character set that it has now.
    AsksForCharset(FullName, Rc<ReadAt>),
}

impl Made {
    fn of(mapping: Mapping) -> Made {
        Made::Mapping(Rc::new(mapping))
    }
}

/// How a definition differs from a table map.
struct Misfit {
    mismatch: Mismatch,
    /// A statement of the log made the definition.
    is_followed: bool,
}

/// Whether a selected name is known to be no base table's, at the current place.
pub type IsNoTable<'a> = dyn Fn(&KnownTables, &FullName) -> bool + 'a;

/// Layouts by table id.
pub struct Layouts {
    selection: Selection,
    rules: Rules,
    style: Style,
    dialect: Dialect,
    definitions: Definitions,
    /// Statements that were not followed, by table.
    not_followed: HashMap<FullName, String>,
    /// What tables will be after the statement that is being judged, if that is known.
    after: HashMap<FullName, Option<Table>>,
    maps: HashMap<u64, CachedMap>,
    /// The total of their columns.
    cached_columns: usize,
    /// Counts statements.
    statement: u64,
    pub tables_known: KnownTables,
    pub foreign_keys: ForeignKeys,
    pub merge_tables: MergeTables,
    /// Tables whose rows were read in this run as those of a table with system versioning, since they last lost it.
    pub read_as_versioned: HashSet<FullName>,
    matched: MatchedNames,
    warned: HashSet<String>,
    /// Warnings not yet printed.
    pub warnings: Vec<String>,
}

impl Layouts {
    pub fn new(selection: Selection, rules: Rules, style: Style, lookup: Option<Box<dyn Lookup>>) -> Layouts {
        let matched = MatchedNames::new(&selection, &rules.ids);
        let definitions = Definitions::new(lookup, rules.omit_generated);
        Layouts {
            selection,
            rules,
            style,
            dialect: Dialect::default(),
            definitions,
            not_followed: HashMap::new(),
            after: HashMap::new(),
            maps: HashMap::new(),
            cached_columns: 0,
            statement: 0,
            tables_known: KnownTables::default(),
            foreign_keys: ForeignKeys::default(),
            merge_tables: MergeTables::default(),
            read_as_versioned: HashSet::new(),
            matched,
            warned: HashSet::new(),
            warnings: Vec::new(),
        }
    }

    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// `--generated omit`.
    pub fn omits_generated(&self) -> bool {
        self.rules.omit_generated
    }

    pub fn id_rules(&self) -> &[IdRule] {
        &self.rules.ids
    }

    /// Whether MariaDB wrote the log.
    pub fn is_mariadb(&self) -> bool {
        self.definitions.writer().is_some_and(|writer| writer.is_mariadb())
    }

    /// Sets the version of the server that wrote the log: it decides how to read table maps and print values.
    pub fn written_by(&mut self, version: &str) {
        if self.definitions.set_writer(Release::parse(version, "")) {
            self.dialect = Dialect::of_server(version);
            self.forget_maps();
        }
        let printed = |table: &FullName| self.selection.printed(&table.0, &table.1);
        self.warnings.extend(self.foreign_keys.written_by(self.definitions.writer(), printed));
    }

    /// The server that wrote the log, once known.
    pub fn writer(&self) -> Option<Release> {
        self.definitions.writer()
    }

    /// Notes that a statement added foreign keys to a selected table.
    pub fn foreign_keys_added(&mut self, table: &FullName, keys: &[ForeignKey]) {
        let printed = |table: &FullName| self.selection.printed(&table.0, &table.1);
        let warning = self.foreign_keys.added(table, keys, self.definitions.writer(), printed);
        self.warnings.extend(warning);
    }

    /// Notes a MERGE table, and warns of it if it or some table of its UNION is selected.
    pub fn merge_table(&mut self, table: FullName, union: Vec<FullName>) {
        let printed = self.selection.printed(&table.0, &table.1);
        self.merge_tables.add(table.clone(), union);
        let members = self.merge_tables.selected_members(&table, &self.selection).map(|members| {
            format!("the log does not say which of {members} a change through it changes: such a change ends the run")
        });
        let own = "changes of the tables in its UNION change its rows, too, and are not printed for it";
        let own = self.selection.selects(&table.0, &table.1).then(|| own.to_string());
        let why: Vec<String> = members.into_iter().chain(own).collect();
        if !why.is_empty() {
            self.warn(format!("{printed} is a MERGE table: {}", why.join("; ")));
        }
    }

    /// Warns of each TABLE and `--id` that matched nothing in the log, and may be misspelt.
    pub fn warn_of_unseen(&mut self) {
        for name in self.matched.unmatched() {
            self.warnings.push(format!("these files hold no change of {name}"));
        }
    }

    /// Notes that a statement changed this table.
    pub fn named(&mut self, table: &(String, String)) {
        self.matched.see(&table.0, &table.1);
    }

    /// Handles a new table map at `place`. `is_no_table` tells of a selected name
    /// whether it is known there to be no base table's.
    ///
    /// A definition from the catalog must be known to hold there: then that is returned instead, and nothing is done.
    /// `accepted` are the readings of the catalog that need not be asked for any more.
    pub fn map(
        &mut self,
        map: &TableMap<'_>,
        body: &[u8],
        place: &dyn std::fmt::Display,
        is_no_table: &IsNoTable<'_>,
        accepted: Option<u64>,
    ) -> Result<Option<Question>> {
        let statement = self.statement;
        let mapping = match self.make(map, &place.to_string(), is_no_table, None, accepted)? {
            Made::Mapping(mapping) => mapping,
            Made::Asks(claim) => return Ok(Some(Question::Definition(claim))),
            Made::AsksForCharset(table, read_at) => return Ok(Some(Question::Charset(table, read_at))),
        };
        let [database, table] = [map.database, map.table].map(String::from_utf8_lossy);
        let (database, table) = self.understood(&database, &table).unwrap_or((&database, &table));
        let table = (database.to_string(), table.to_string());
        self.keep(map.table_id, CachedMap { table, body: body.to_vec(), mapping, statement });
        Ok(None)
    }

    /// [`Layouts::map`] for a table that has another name by now, `table`: its rows print under that.
    ///
    /// This is where a schema history is asked for the definition of the old name, at `place`. Without one, the catalog is
    /// asked for the table by its present name.
    pub fn map_renamed(
        &mut self,
        map: &TableMap<'_>,
        body: &[u8],
        place: &dyn std::fmt::Display,
        table: &FullName,
        accepted: Option<u64>,
    ) -> Result<Option<Question>> {
        if self.maps.get(&map.table_id).is_some_and(|known| known.body == body) {
            return Ok(None);
        }
        let mapping = match self.make(map, &place.to_string(), &|_, _| false, Some(table), accepted)? {
            Made::Mapping(mapping) => mapping,
            Made::Asks(claim) => return Ok(Some(Question::Definition(claim))),
            Made::AsksForCharset(table, read_at) => return Ok(Some(Question::Charset(table, read_at))),
        };
        let (table, body, statement) = (table.clone(), body.to_vec(), self.statement);
        self.keep(map.table_id, CachedMap { table, body, mapping, statement });
        Ok(None)
    }

    /// `renamed` is the table's present name, if it has another one by now.
    fn make(
        &mut self,
        map: &TableMap<'_>,
        place: &str,
        is_no_table: &IsNoTable<'_>,
        renamed: Option<&FullName>,
        accepted: Option<u64>,
    ) -> Result<Made> {
        let mut name =
            format!("{}.{}", String::from_utf8_lossy(map.database), String::from_utf8_lossy(map.table));
        if let Some((database, table)) = renamed {
            name.push_str(&format!(" (now {database}.{table})"));
        }
        let bad =
            |why: Malformed| unreadable(format!("the table map of {name} at {place} cannot be read: {why}"));
        let (database, table) =
            (from_log::utf8(map.database).map_err(bad)?, from_log::utf8(map.table).map_err(bad)?);
        let (database, table) = self
            .understood(&database, &table)
            .map_err(|why| unreadable(format!("the table map at {place}: {why}")))?;
        let (database, table) = match renamed {
            Some((database, table)) => (database.as_str(), table.as_str()),
            None => (database, table),
        };
        let mut map = *map;
        (map.database, map.table) = (database.as_bytes(), table.as_bytes());
        let (map, database, table) = (&map, database.to_string(), table.to_string());
        self.matched.see(&database, &table);
        let formats = map.formats().map_err(bad)?.into_iter().enumerate().map(|(i, format)| {
            format.ok_or_else(|| {
                let (number, code) = (i + 1, map.type_byte(i).unwrap_or(0));
                unreadable(format!(
                    "column {number} of {name} at {place} has type {code}, which dumpa does not know"
                ))
            })
        });
        let formats = formats.collect::<Result<Vec<ColumnFormat>>>()?;
        let table = (database, table);
        self.tables_known.may_be_filled(&table);
        if let Some(members) = self.merge_tables.selected_members(&table, &self.selection) {
            let why = format!(
                "rows at {place} were written through the MERGE table {name}, to one of the tables of its UNION, of \
                 which {members} are selected: the log does not say which. Write to those tables themselves, and load \
                 again"
            );
            return Ok(Made::of(Mapping::Refused { columns: formats.len(), why }));
        }
        if !self.selection.selects(&table.0, &table.1) {
            return self.skipped(&table.0, &table.1, &formats).map(Made::of);
        }
        let logged = Logged::read(map, &formats, self.definitions.writer()).map_err(bad)?;
        if self.is_mariadb()
            && sequence::may_be(&formats, &logged.columns)
            && self.is_sequence(&table, is_no_table)?.unwrap_or_else(|| self.guess_sequence(&table, &logged))
        {
            return self.skipped(&table.0, &table.1, &formats).map(Made::of);
        }
        let joined = self.joined(map, (&formats, &logged), place, accepted)?;
        let joined = match joined {
            // What statements made of it may be wrong. Then the catalog decides, as for a table that is new.
            Err(misfit) if misfit.is_followed => {
                self.definitions.does_not_fit(&table);
                self.joined(map, (&formats, &logged), place, accepted)?
            }
            joined => joined,
        };
        joined.map_err(|Misfit { mismatch, .. }| {
            let misfit = does_not_fit(&name, place, &mismatch);
            unreadable(format!("{misfit}. The table was altered since: load again{}", self.or_log_names()))
        })
    }

    /// The advice to have the server log names, if it can.
    pub fn or_log_names(&self) -> &'static str {
        self.definitions.or_log_names(", or have the server log names (binlog_row_metadata=FULL)")
    }

    /// The layout for a table map, or how it differs from the definition that is known.
    fn joined(
        &mut self,
        map: &TableMap<'_>,
        (formats, logged): (&[ColumnFormat], &Logged),
        place: &str,
        accepted: Option<u64>,
    ) -> Result<Result<Made, Misfit>> {
        let name = (
            String::from_utf8_lossy(map.database).into_owned(),
            String::from_utf8_lossy(map.table).into_owned(),
        );
        // A log that has names has character sets, too.
        if let Some(read_at) = self.definitions.assumed_charset(&name)
            && logged.columns.iter().any(|column| column.name.is_none())
            && accepted.is_none_or(|accepted| accepted < read_at.number)
        {
            return Ok(Ok(Made::AsksForCharset(name, read_at)));
        }
        let Some(definition) = self.definitions.of(map, formats, logged, place)? else {
            let missing = self.missing(map, (formats, logged), place);
            return match missing.read_at.number {
                number if accepted.is_none_or(|accepted| accepted < number) => {
                    Ok(Ok(Made::Asks(Box::new(missing))))
                }
                _ => Err(unreadable(missing.misfit.unwrap_or_default())),
            };
        };
        if let Some(mut claim) = self.claim(&definition, formats, logged, accepted) {
            let misfit = self.fits(&definition, formats, logged).err();
            let name = format!("{}.{}", claim.table.database, claim.table.name);
            claim.misfit = misfit.map(|mismatch| does_not_fit(&name, place, &mismatch));
            return Ok(Ok(Made::Asks(Box::new(claim))));
        }
        definition.warning.into_iter().for_each(|warning| self.warn(warning));
        let is_followed = definition.is_followed;
        let mut table = definition.table;
        self.tables_known.has_rows(&(table.database.clone(), table.name.clone()));
        let key = table.id.clone();
        self.rules.apply(&mut table)?;
        self.check_virtual(&table, place)?;
        let printed = self.selection.printed(&table.database, &table.name);
        let layout = match self.checked(&table, &key, definition.is_from_catalog, formats, logged) {
            Ok(layout) => layout,
            Err(mismatch) => return Ok(Err(Misfit { mismatch, is_followed })),
        };
        if layout.has_versions() {
            self.read_as_versioned.insert((table.database.clone(), table.name.clone()));
        }
        self.check_id(&table, &printed, place)?;
        if !matches!(table.id, Id::Columns(_)) {
            self.warn(no_key(&printed));
        }
        Ok(Ok(Made::of(Mapping::Wanted(layout))))
    }

    /// The names of a table map, as the server that wrote it understands them. A table's does not matter if none of its
    /// database is selected.
    fn understood<'a>(&self, database: &'a str, table: &'a str) -> Result<(&'a str, &'a str), String> {
        let writer = self.definitions.writer();
        let database = mysql50::understood(database, writer)?;
        match mysql50::understood(table, writer) {
            Err(_) if !self.selection.selects_some_of(database) => Ok((database, table)),
            understood => Ok((database, understood?)),
        }
    }

    /// Whether a selected name is a sequence's here (MariaDB), by what the log told, and then the catalog; `None` if nothing
    /// tells. A table takes precedence: its rows must not be lost.
    pub fn is_sequence(&mut self, name: &FullName, is_no_table: &IsNoTable<'_>) -> Result<Option<bool>> {
        if self.tables_known.is_sequence(name) {
            return Ok(Some(true));
        }
        if self.tables_known.is_table(name) {
            return Ok(Some(false));
        }
        let told = self.definitions.is_sequence(&name.0, &name.1)?;
        Ok(told.or_else(|| is_no_table(&self.tables_known, name).then_some(true)))
    }

    /// Takes a table for a sequence if the log names all of its columns so. Otherwise its rows end the run.
    fn guess_sequence(&mut self, name: &FullName, logged: &Logged) -> bool {
        let is_named = sequence::is_named(&logged.columns);
        if is_named {
            let printed = self.selection.printed(&name.0, &name.1);
            self.warn(format!(
                "{printed} is taken for a sequence, whose changes are not printed: it has the columns of one, and it is not on                  the server now. If it was a table, load again"
            ));
        }
        is_named
    }

    /// # Errors
    /// Exit 4 when a virtual column must be read, but the log may not hold its values.
    fn check_virtual(&self, table: &Table, place: &str) -> Result<()> {
        let Some(writer) = self.definitions.writer().filter(|writer| !writer.logs_virtual_columns()) else {
            return Ok(());
        };
        let roles = table.columns.iter().zip(table.roles());
        let mut read =
            roles.filter(|(column, role)| role.is_read && column.generated == Some(Generated::Virtual));
        let Some((column, _)) = read.next() else { return Ok(()) };
        let advice = match column.omitted {
            false => "load and tail again with --generated omit, which leaves generated columns out",
            true => "since the id uses it, name other columns with --id, and load again",
        };
        Err(unreadable(format!(
            "column `{}` of {}.{} is virtual, and {writer}, which wrote the log at {place}, may log NULL for it: {advice}",
            column.name, table.database, table.name
        )))
    }

    /// Whether a table is now partitioned by SYSTEM_TIME (MariaDB): old row versions have partitions of their own. The
    /// partition of the current rows cannot be dropped.
    pub fn has_history_partitions(&mut self, table: &(String, String)) -> Result<bool> {
        if !self.is_mariadb() {
            return Ok(false);
        }
        let known = self.definitions.in_catalog(&table.0, &table.1)?;
        Ok(known.is_some_and(|known| known.has_history_partitions))
    }

    fn warn(&mut self, warning: String) {
        if self.warned.insert(warning.clone()) {
            self.warnings.push(warning);
        }
    }

    /// Skips the rows of a table that is not selected. That takes no definition, except for MariaDB's old temporal columns,
    /// whose decimals only the catalog has.
    fn skipped(&mut self, database: &str, table: &str, formats: &[ColumnFormat]) -> Result<Mapping> {
        let is_old = |format: &ColumnFormat| {
            matches!(format, ColumnFormat::OldTime | ColumnFormat::OldDateTime | ColumnFormat::OldTimestamp)
        };
        let mut decimals = vec![0; formats.len()];
        if self.is_mariadb()
            && formats.iter().any(is_old)
            && let Some(table) = self.definitions.in_catalog(database, table)?
        {
            for (i, (format, column)) in formats.iter().zip(&table.columns).enumerate() {
                decimals[i] = old_decimals(*format, &column.kind);
            }
        }
        Ok(Mapping::Skipped(Skipper::new(formats.iter().copied().zip(decimals).collect())))
    }
}

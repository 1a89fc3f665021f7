//! What is known of the selected tables at the current place in the log: which exist (a DROP DATABASE names none), which
//! are empty, and which columns make up their ids.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::selection::Selection;
use super::{Column, Table};
use crate::position::{FileOrder, IdColumn, Ids, Position};
use crate::value::ColumnType;

/// Names of tables, by database.
pub type Names = BTreeMap<String, BTreeSet<String>>;

/// A table's database and name.
pub type FullName = (String, String);

/// Groups tables by database.
pub fn names(tables: impl IntoIterator<Item = FullName>) -> Names {
    let mut names = Names::new();
    for (database, table) in tables {
        names.entry(database).or_default().insert(table);
    }
    names
}

/// When the server's catalog was read.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Where its log ended afterwards, if known.
    pub end: Option<Position>,
    /// The server's time before, in seconds since 1970.
    pub seconds: u64,
}

#[derive(Debug, Default)]
pub struct KnownTables {
    /// Those that exist. Shared with positions to be saved.
    names: Arc<Names>,
    /// `names` has been complete since the start of the run.
    is_complete: bool,
    /// A statement that began before, in seconds since 1970, may have dropped others.
    since: Option<u64>,
    /// There are others that were there before the run, whose rows are of no interest.
    others_are_untold: bool,
    /// Databases that were created or dropped in this run: all of their tables are known.
    complete: HashSet<String>,
    survey: Option<Survey>,
    /// Those that were created or emptied in this run, and have had no row since; also such as are not wanted, for they
    /// may be renamed.
    empty: HashSet<FullName>,
    /// What the ids of rows were made of when they were last seen. Shared as the names are.
    ids: Arc<Ids>,
}

impl KnownTables {
    /// What a position tells of the tables that are there.
    pub fn begin_with(&mut self, from: &Position, selection: &Selection) {
        self.ids = from.ids.clone().unwrap_or_default();
        let Some(names) = &from.tables else { return };
        if from.selection.as_ref().is_some_and(|saved| selection.is_within(saved)) {
            (self.names, self.since) = (names.clone(), from.tables_since);
            self.is_complete = true;
            return;
        }
        // Of tables that were not wanted then nothing was saved.
        for (database, tables) in &**names {
            for table in tables.iter().filter(|table| selection.selects(database, table)) {
                self.add(&(database.clone(), table.clone()));
            }
        }
    }

    /// Of the tables that were there before the run no row was printed: nothing need be taken back.
    pub fn begin_with_none(&mut self) {
        self.is_complete = true;
        self.others_are_untold = true;
    }

    /// Adds the tables that exist now. If the run starts further back, others may have existed there.
    pub fn surveyed(&mut self, tables: impl IntoIterator<Item = FullName>, survey: Survey) {
        if !self.is_complete {
            tables.into_iter().for_each(|table| self.add(&table));
            self.survey = Some(survey);
        }
    }

    /// All tables at a place that was reached, to be saved with it, and since when statements must have begun for these
    /// to be all that they may drop. `None` if there may be others.
    pub fn at(&self, place: &Position, order: &FileOrder) -> Option<(Arc<Names>, Option<u64>)> {
        if self.is_complete {
            return Some((Arc::clone(&self.names), self.since));
        }
        let survey = self.survey.as_ref().filter(|survey| survey.seconds < u64::MAX)?;
        let is_reached = survey.end.as_ref().is_some_and(|end| order.is_at_or_after(place, end));
        is_reached.then(|| (Arc::clone(&self.names), Some(survey.seconds)))
    }

    /// Whether all tables of a database are known to a statement that ends at `place` and began at this time.
    fn knows_all(&self, database: &str, place: &Position, order: &FileOrder, began_seconds: u64) -> bool {
        let surveyed = self.survey.as_ref().is_some_and(|survey| match &survey.end {
            // A statement that was under way while the catalog was asked may have dropped some tables by then.
            Some(end) => order.is_at_or_after(place, end) && began_seconds >= survey.seconds,
            None => began_seconds > survey.seconds,
        });
        let is_complete = self.is_complete && self.since.is_none_or(|since| began_seconds >= since);
        is_complete || self.complete.contains(database) || surveyed
    }

    /// The tables of a database that a statement drops; `None` if there may be others. The statement ends at `place` and
    /// began at `began_seconds`.
    pub fn of_dropped(
        &self,
        database: &str,
        place: &Position,
        order: &FileOrder,
        began_seconds: u64,
    ) -> Option<Vec<FullName>> {
        if !self.knows_all(database, place, order, began_seconds) {
            return None;
        }
        let tables = self.names.get(database).into_iter().flatten();
        Some(tables.map(|table| (database.to_string(), table.clone())).collect())
    }

    /// Whether a wanted name is known to be no base table's, at the end of a statement as above: it is a view or a
    /// sequence.
    pub fn is_no_table(
        &self,
        table: &FullName,
        place: &Position,
        order: &FileOrder,
        began_seconds: u64,
    ) -> bool {
        let is_known = self.names.get(&table.0).is_some_and(|tables| tables.contains(&table.1));
        let others_are_untold = self.others_are_untold && !self.complete.contains(&table.0);
        !is_known && !others_are_untold && self.knows_all(&table.0, place, order, began_seconds)
    }

    /// A table is there; it may have rows.
    pub fn add(&mut self, table: &FullName) {
        if !self.names.get(&table.0).is_some_and(|tables| tables.contains(&table.1)) {
            let names = Arc::make_mut(&mut self.names);
            names.entry(table.0.clone()).or_default().insert(table.1.clone());
        }
    }

    pub fn created(&mut self, table: &FullName) {
        self.add(table);
        self.emptied(table);
    }

    pub fn emptied(&mut self, table: &FullName) {
        self.forget_id(table);
        self.empty.insert(table.clone());
    }

    pub fn gone(&mut self, table: &FullName) {
        self.forget_id(table);
        self.empty.remove(table);
        if self.names.get(&table.0).is_some_and(|tables| tables.contains(&table.1))
            && let Some(tables) = Arc::make_mut(&mut self.names).get_mut(&table.0)
        {
            tables.remove(&table.1);
        }
    }

    /// A table goes by another name, with its rows; `is_wanted` says whether that one is.
    pub fn renamed(&mut self, from: &FullName, to: &FullName, is_wanted: bool) {
        let was_empty = self.empty.contains(from);
        self.gone(from);
        self.gone(to);
        if is_wanted {
            self.add(to);
        }
        if was_empty {
            self.empty.insert(to.clone());
        }
    }

    /// A table that is not wanted is there, and empty.
    pub fn unwanted_is_empty(&mut self, table: &FullName) {
        self.empty.insert(table.clone());
    }

    /// A table of any kind may have rows.
    pub fn may_be_filled(&mut self, table: &FullName) {
        self.empty.remove(table);
    }

    /// A database was created or dropped: any later table in it is new.
    pub fn database_emptied(&mut self, database: &str) {
        self.empty.retain(|table| table.0 != database);
        if self.ids.contains_key(database) {
            Arc::make_mut(&mut self.ids).remove(database);
        }
        if self.names.contains_key(database) {
            Arc::make_mut(&mut self.names).remove(database);
        }
        self.complete.insert(database.to_string());
    }

    /// A table has rows.
    pub fn has_rows(&mut self, table: &FullName) {
        self.add(table);
        self.empty.remove(table);
    }

    pub fn may_have_rows(&self, table: &FullName) -> bool {
        !self.empty.contains(table)
    }

    /// What all ids were made of, to be saved with a position; `None` if nothing is known.
    pub fn ids(&self) -> Option<Arc<Ids>> {
        (!self.ids.is_empty()).then(|| Arc::clone(&self.ids))
    }

    /// What a table's ids were made of when its rows were last seen.
    pub fn id(&self, table: &FullName) -> Option<&[IdColumn]> {
        self.ids.get(&table.0)?.get(&table.1).map(Vec::as_slice)
    }

    fn forget_id(&mut self, table: &FullName) {
        if self.id(table).is_some()
            && let Some(tables) = Arc::make_mut(&mut self.ids).get_mut(&table.0)
        {
            tables.remove(&table.1);
        }
    }

    /// Columns got new names, all at once: two may have changed theirs with one another.
    pub fn columns_renamed(&mut self, table: &FullName, renames: &[(&str, &str)]) {
        let new_name = |column: &IdColumn| {
            renames.iter().find(|(from, _)| column.name.eq_ignore_ascii_case(from)).map(|(_, to)| *to)
        };
        if !self.id(table).is_some_and(|columns| columns.iter().any(|column| new_name(column).is_some())) {
            return;
        }
        let ids = Arc::make_mut(&mut self.ids);
        let columns = ids.get_mut(&table.0).and_then(|tables| tables.get_mut(&table.1));
        for column in columns.into_iter().flatten() {
            if let Some(to) = new_name(column) {
                column.name = to.to_string();
            }
        }
    }

    /// Takes in what a table's ids are made of now, and returns what they were made of before, if that differs. Then it
    /// is taken in only if that was no column: other ids end the run, and a later one must notice them, too.
    pub fn id_is(&mut self, table: &Table) -> Option<Vec<IdColumn>> {
        let now = id_of(table);
        let before = self.ids.get(&table.database).and_then(|tables| tables.get(&table.name));
        let same = |before: &[IdColumn]| {
            before.len() == now.len()
                && before.iter().zip(&now).all(|(before, now)| {
                    before.name.eq_ignore_ascii_case(&now.name) && before.class == now.class
                })
        };
        if before.is_some_and(|before| same(before)) {
            return None;
        }
        let before = before.cloned();
        if before.as_ref().is_none_or(Vec::is_empty) {
            let tables = Arc::make_mut(&mut self.ids).entry(table.database.clone()).or_default();
            tables.insert(table.name.clone(), now);
        }
        before
    }
}

/// What a table's ids are made of.
pub fn id_of(table: &Table) -> Vec<IdColumn> {
    let columns = table.id.columns().iter().filter_map(|i| table.columns.get(*i));
    columns.map(|column| IdColumn { name: column.name.clone(), class: class(column) }).collect()
}

/// What the ids of tables are made of.
pub fn ids_of<'a>(tables: impl IntoIterator<Item = &'a Table>) -> Ids {
    let mut ids = Ids::new();
    for table in tables {
        ids.entry(table.database.clone()).or_default().insert(table.name.clone(), id_of(table));
    }
    ids
}

/// How a column's values print, after a conversion from any other type of this class, too.
fn class(column: &Column) -> String {
    match column.kind {
        ColumnType::Int { .. } | ColumnType::Year { .. } | ColumnType::Bit { .. } => "integer".into(),
        ColumnType::Decimal(format) => format!("decimal({})", format.scale),
        ColumnType::Float => "float".into(),
        ColumnType::Double => "double".into(),
        ColumnType::Text { .. }
        | ColumnType::Enum(_)
        | ColumnType::Uuid
        | ColumnType::Inet4
        | ColumnType::Inet6 => "text".into(),
        ColumnType::Bytes { padded: false } => "bytes".into(),
        ColumnType::Bytes { padded: true } => format!("binary({})", column.octets.unwrap_or(0)),
        ColumnType::Set(_) => "set".into(),
        ColumnType::Date => "date".into(),
        ColumnType::DateTime { decimals } => format!("datetime({decimals})"),
        ColumnType::Timestamp { decimals } => format!("timestamp({decimals})"),
        ColumnType::Time { decimals } => format!("time({decimals})"),
        ColumnType::Json => "json".into(),
        ColumnType::Geometry => "geometry".into(),
        ColumnType::Vector => "vector".into(),
    }
}

/// Whether values of a class print as the same JSON in a type that begins with this word; `None` where that depends on
/// more than the word.
pub fn prints_as(class: &str, type_word: &str) -> Option<bool> {
    let (class, is_of_length) = match class.split_once('(') {
        Some((class, _)) => (class, true),
        None => (class, false),
    };
    let same = match type_word {
        "tinyint" | "smallint" | "mediumint" | "middleint" | "int" | "integer" | "bigint" | "int1"
        | "int2" | "int3" | "int4" | "int8" | "serial" | "bool" | "boolean" | "bit" | "year" => {
            class == "integer"
        }
        "char" | "character" | "varchar" | "varcharacter" | "tinytext" | "text" | "mediumtext"
        | "longtext" | "nchar" | "nvarchar" | "national" | "enum" | "uuid" | "inet4" | "inet6" => {
            class == "text"
        }
        "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => class == "bytes",
        "binary" | "date" | "set" => class == type_word,
        "float" | "real" | "double" => match class {
            "float" | "double" => return None,
            _ => false,
        },
        "decimal" | "numeric" | "dec" | "fixed" => class == "decimal",
        "time" => class == "time",
        "datetime" | "timestamp" => matches!(class, "datetime" | "timestamp"),
        _ => return None,
    };
    // The length may be another.
    if same && is_of_length { None } else { Some(same) }
}

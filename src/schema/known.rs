//! What is known of the selected tables at the current place in the log: which exist (a DROP DATABASE does not name
//! them), which are empty, and which columns make up their ids.

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
    /// Where the server's log ended just after that, if known.
    pub end: Option<Position>,
    /// The server's time just before that, in seconds since 1970.
    pub seconds: u64,
}

#[derive(Debug, Default)]
pub struct KnownTables {
    /// The selected tables that exist. Shared with positions that are to be saved.
    names: Arc<Names>,
    /// `names` has been complete since the start of the run.
    is_complete: bool,
    /// In seconds since 1970: a statement that began earlier may have dropped tables that are not in `names`.
    since: Option<u64>,
    /// `names` lacks tables that existed before the run. None of their rows was printed.
    lacks_older: bool,
    /// Databases that were created or dropped in this run: all of their tables are known.
    complete: HashSet<String>,
    survey: Option<Survey>,
    /// Where the log ended when the run read the catalog, if known.
    catalog_end: Option<Position>,
    /// Tables that were created or emptied in this run, and got no row since. Also tables that are not selected: a
    /// rename may give them a selected name.
    empty: HashSet<FullName>,
    /// Sequences that were created in this run, selected or not.
    sequences: HashSet<FullName>,
    /// Each table's id columns when its rows were last seen. Shared as `names` is.
    ids: Arc<Ids>,
}

impl KnownTables {
    /// Takes over the tables and id columns that were saved with a position.
    pub fn begin_with(&mut self, from: &Position, selection: &Selection) {
        self.ids = from.ids.clone().unwrap_or_default();
        let Some(names) = &from.tables else { return };
        if from.selection.as_ref().is_some_and(|saved| selection.is_within(saved)) {
            (self.names, self.since) = (names.clone(), from.tables_since);
            self.is_complete = true;
            return;
        }
        // Tables that were not selected in that run were not saved.
        for (database, tables) in &**names {
            for table in tables.iter().filter(|table| selection.selects(database, table)) {
                self.add(&(database.clone(), table.clone()));
            }
        }
    }

    /// Begins at the start of the log: no row was printed before, so older tables need no truncate line.
    pub fn begin_with_none(&mut self) {
        self.is_complete = true;
        self.lacks_older = true;
    }

    /// Adds the tables that exist now. If the run starts further back, others may have existed there.
    pub fn surveyed(&mut self, tables: impl IntoIterator<Item = FullName>, survey: Survey) {
        self.catalog_end.clone_from(&survey.end);
        if !self.is_complete {
            tables.into_iter().for_each(|table| self.add(&table));
            self.survey = Some(survey);
        }
    }

    /// The selected tables that are known to exist.
    pub fn all(&self) -> Vec<FullName> {
        let of_one = |(database, tables): (&String, &BTreeSet<String>)| {
            tables.iter().map(|table| (database.clone(), table.clone())).collect::<Vec<_>>()
        };
        self.names.iter().flat_map(of_one).collect()
    }

    /// All selected tables at a place that the run has reached, and the value of `since` for them, to be saved with the
    /// place. `None` if there may be other tables.
    pub fn at(&self, place: &Position, order: &FileOrder) -> Option<(Arc<Names>, Option<u64>)> {
        if self.is_complete {
            return Some((Arc::clone(&self.names), self.since));
        }
        let survey = self.survey.as_ref().filter(|survey| survey.seconds < u64::MAX)?;
        let is_reached = survey.end.as_ref().is_some_and(|end| order.is_at_or_after(place, end));
        is_reached.then(|| (Arc::clone(&self.names), Some(survey.seconds)))
    }

    /// Whether this place is not before the one that the log had reached when the run read the catalog.
    pub fn is_surveyed(&self, place: &Position, order: &FileOrder) -> bool {
        self.catalog_end.as_ref().is_some_and(|end| order.is_at_or_after(place, end))
    }

    /// Whether all selected tables of a database are known. A statement on it ends at `place` and began at
    /// `began_seconds`.
    fn knows_all(&self, database: &str, place: &Position, order: &FileOrder, began_seconds: u64) -> bool {
        let surveyed = self.survey.as_ref().is_some_and(|survey| match &survey.end {
            // A statement that ran while the catalog was read may have dropped some tables already.
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

    /// Whether a selected name is known to be a view's or a sequence's, not a base table's. The arguments describe a
    /// statement as in [`KnownTables::of_dropped`].
    pub fn is_no_table(
        &self,
        table: &FullName,
        place: &Position,
        order: &FileOrder,
        began_seconds: u64,
    ) -> bool {
        let is_known = self.is_table(table);
        let lacks_older = self.lacks_older && !self.complete.contains(&table.0);
        !is_known && !lacks_older && self.knows_all(&table.0, place, order, began_seconds)
    }

    /// Whether a selected name is known to be a base table's.
    pub fn is_table(&self, table: &FullName) -> bool {
        self.names.get(&table.0).is_some_and(|tables| tables.contains(&table.1))
    }

    /// Whether the log told that a name is a sequence's.
    pub fn is_sequence(&self, name: &FullName) -> bool {
        self.sequences.contains(name)
    }

    pub fn sequence_created(&mut self, name: &FullName) {
        self.gone(name);
        self.sequences.insert(name.clone());
    }

    pub fn sequence_gone(&mut self, name: &FullName) {
        self.sequences.remove(name);
    }

    /// Notes that a view or sequence was renamed.
    pub fn other_renamed(&mut self, from: &FullName, to: &FullName) {
        if self.sequences.remove(from) {
            self.sequence_created(to);
        }
    }

    /// Notes that a table exists. It may have rows.
    pub fn add(&mut self, table: &FullName) {
        if !self.names.get(&table.0).is_some_and(|tables| tables.contains(&table.1)) {
            let names = Arc::make_mut(&mut self.names);
            names.entry(table.0.clone()).or_default().insert(table.1.clone());
        }
    }

    pub fn created(&mut self, table: &FullName) {
        self.sequences.remove(table);
        self.add(table);
        self.emptied(table);
    }

    pub fn emptied(&mut self, table: &FullName) {
        self.forget_id(table);
        self.empty.insert(table.clone());
    }

    pub fn gone(&mut self, table: &FullName) {
        self.forget_id(table);
        self.sequences.remove(table);
        self.empty.remove(table);
        if self.names.get(&table.0).is_some_and(|tables| tables.contains(&table.1))
            && let Some(tables) = Arc::make_mut(&mut self.names).get_mut(&table.0)
        {
            tables.remove(&table.1);
        }
    }

    /// Notes that a table was renamed. With `is_wanted`, the new name is selected.
    pub fn renamed(&mut self, from: &FullName, to: &FullName, is_wanted: bool) {
        if self.sequences.contains(from) {
            return self.other_renamed(from, to);
        }
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

    /// Notes that a table that is not selected is empty.
    pub fn unwanted_is_empty(&mut self, table: &FullName) {
        self.empty.insert(table.clone());
    }

    /// Notes that a table, selected or not, may have rows.
    pub fn may_be_filled(&mut self, table: &FullName) {
        self.empty.remove(table);
    }

    /// Notes that a database was created or dropped: it has no tables now.
    pub fn database_emptied(&mut self, database: &str) {
        self.empty.retain(|table| table.0 != database);
        self.sequences.retain(|name| name.0 != database);
        if self.ids.contains_key(database) {
            Arc::make_mut(&mut self.ids).remove(database);
        }
        if self.names.contains_key(database) {
            Arc::make_mut(&mut self.names).remove(database);
        }
        self.complete.insert(database.to_string());
    }

    /// Notes that a selected table has rows.
    pub fn has_rows(&mut self, table: &FullName) {
        self.add(table);
        self.empty.remove(table);
    }

    pub fn may_have_rows(&self, table: &FullName) -> bool {
        !self.empty.contains(table)
    }

    /// The id columns of all tables, to be saved with a position; `None` if none are known.
    pub fn ids(&self) -> Option<Arc<Ids>> {
        (!self.ids.is_empty()).then(|| Arc::clone(&self.ids))
    }

    /// A table's id columns when its rows were last seen.
    pub fn id(&self, table: &FullName) -> Option<&[IdColumn]> {
        self.ids.get(&table.0)?.get(&table.1).map(Vec::as_slice)
    }

    /// Sets a table's id columns: its rows were printed with them.
    pub fn set_id(&mut self, table: &FullName, id: Vec<IdColumn>) {
        Arc::make_mut(&mut self.ids).entry(table.0.clone()).or_default().insert(table.1.clone(), id);
    }

    fn forget_id(&mut self, table: &FullName) {
        if self.id(table).is_some()
            && let Some(tables) = Arc::make_mut(&mut self.ids).get_mut(&table.0)
        {
            tables.remove(&table.1);
        }
    }

    /// Notes new types of id columns, by the columns' old names. Their ids print as before.
    pub fn types_changed(&mut self, table: &FullName, types: &[(&str, &str)]) {
        let new_class = |column: &IdColumn| {
            let (_, word) = types.iter().find(|(name, _)| column.name.eq_ignore_ascii_case(name))?;
            class_after(&column.class, word).filter(|class| *class != column.class)
        };
        if !self.id(table).is_some_and(|columns| columns.iter().any(|column| new_class(column).is_some())) {
            return;
        }
        let columns =
            Arc::make_mut(&mut self.ids).get_mut(&table.0).and_then(|tables| tables.get_mut(&table.1));
        for column in columns.into_iter().flatten() {
            if let Some(class) = new_class(column) {
                column.class = class.to_string();
            }
        }
    }

    /// Renames id columns, all at once, because two columns may swap their names.
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

    /// Compares a table's id columns with those before, and returns those before if they differ. The new ones are
    /// stored only if there were none before: other id columns end the run, and a later run must notice them, too.
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

/// A table's id columns.
pub fn id_of(table: &Table) -> Vec<IdColumn> {
    let columns = table.id.columns().iter().filter_map(|i| table.columns.get(*i));
    columns.map(|column| IdColumn { name: column.name.clone(), class: class(column) }).collect()
}

/// The id columns of tables.
pub fn ids_of<'a>(tables: impl IntoIterator<Item = &'a Table>) -> Ids {
    let mut ids = Ids::new();
    for table in tables {
        ids.entry(table.database.clone()).or_default().insert(table.name.clone(), id_of(table));
    }
    ids
}

/// How a column's values print: if an ALTER changes a type to another of the same class, they print as before.
pub fn class(column: &Column) -> String {
    match column.kind {
        ColumnType::Int { .. } | ColumnType::Year { .. } | ColumnType::Bit { .. } => "integer".into(),
        ColumnType::Decimal(format) => format!("decimal({})", format.scale),
        ColumnType::Float => "float".into(),
        ColumnType::Double => "double".into(),
        ColumnType::Text { .. } => if column.is_char { "char" } else { "text" }.into(),
        ColumnType::Enum(_) => "enum".into(),
        ColumnType::Uuid => "uuid".into(),
        ColumnType::Inet4 => "inet4".into(),
        ColumnType::Inet6 => "inet6".into(),
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

/// Whether values of a class print as before when an ALTER gives their column a type that begins with this word; `None`
/// if that depends on more than the word.
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
        "char" | "character" | "nchar" | "national" => class != "text" && is_text(class),
        "varchar" | "varcharacter" | "tinytext" | "text" | "mediumtext" | "longtext" | "nvarchar" => {
            is_text(class)
        }
        // Of the same text, these keep one spelling: an ENUM that of its label.
        "enum" | "uuid" | "inet4" | "inet6" => class == type_word,
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
    // The length or the number of decimals may have changed.
    if same && is_of_length { None } else { Some(same) }
}

fn is_text(class: &str) -> bool {
    matches!(class, "char" | "text" | "enum" | "uuid" | "inet4" | "inet6")
}

/// The class of text with a type that begins with this word, after an ALTER to it that left the ids alone.
fn class_after(class: &str, type_word: &str) -> Option<&'static str> {
    match prints_as(class, type_word) {
        Some(true) if is_text(class) => match type_word {
            "char" | "character" | "nchar" | "national" => Some("char"),
            "enum" | "uuid" | "inet4" | "inet6" => None,
            _ => Some("text"),
        },
        _ => None,
    }
}

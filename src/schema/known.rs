//! What is known of the selected tables at the current place in the log: which exist (a DROP DATABASE names none), which
//! are empty, and which columns make up their ids.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::Table;
use crate::position::{FileOrder, Position};
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

/// A column of an id.
#[derive(Debug, Clone, PartialEq)]
pub struct IdColumn {
    pub name: String,
    pub kind: ColumnType,
}

#[derive(Debug, Default)]
pub struct KnownTables {
    /// Those that exist. Shared with positions to be saved.
    names: Arc<Names>,
    /// `names` has been complete since the start of the run.
    is_complete: bool,
    /// Databases created or dropped in this run: all their tables are known.
    complete: HashSet<String>,
    survey: Option<Survey>,
    /// Tables created or emptied in this run, without a row since.
    empty: HashSet<FullName>,
    /// The id columns of each table when its rows were last seen.
    ids: HashMap<FullName, Vec<IdColumn>>,
}

impl KnownTables {
    /// Sets all tables that exist at the start of the run.
    pub fn begin_with(&mut self, names: Arc<Names>) {
        self.names = names;
        self.is_complete = true;
    }

    /// Adds the tables that exist now. If the run starts further back, others may have existed there.
    pub fn surveyed(&mut self, tables: impl IntoIterator<Item = FullName>, survey: Survey) {
        if !self.is_complete {
            tables.into_iter().for_each(|table| self.add(&table));
            self.survey = Some(survey);
        }
    }

    /// All tables at a place that was reached, to be saved with it; `None` if there may be others.
    pub fn tables_at(&self, place: &Position, order: &FileOrder) -> Option<Arc<Names>> {
        let surveyed = self.survey.as_ref().and_then(|survey| survey.end.as_ref());
        let is_complete = self.is_complete || surveyed.is_some_and(|end| order.is_at_or_after(place, end));
        is_complete.then(|| Arc::clone(&self.names))
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
        let surveyed = self.survey.as_ref().is_some_and(|survey| match &survey.end {
            // A statement that ran while the catalog was read may have dropped some tables already.
            Some(end) => order.is_at_or_after(place, end) && began_seconds >= survey.seconds,
            None => began_seconds > survey.seconds,
        });
        if !(self.is_complete || self.complete.contains(database) || surveyed) {
            return None;
        }
        let tables = self.names.get(database).into_iter().flatten();
        Some(tables.map(|table| (database.to_string(), table.clone())).collect())
    }

    /// A table exists; it may have rows.
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
        self.ids.remove(table);
        self.empty.insert(table.clone());
    }

    pub fn gone(&mut self, table: &FullName) {
        self.ids.remove(table);
        self.empty.remove(table);
        if self.names.get(&table.0).is_some_and(|tables| tables.contains(&table.1))
            && let Some(tables) = Arc::make_mut(&mut self.names).get_mut(&table.0)
        {
            tables.remove(&table.1);
        }
    }

    /// A table got this name, with rows in it.
    pub fn arrived(&mut self, table: &FullName) {
        self.gone(table);
        self.add(table);
    }

    /// A database was created or dropped: any later table in it is new.
    pub fn database_emptied(&mut self, database: &str) {
        let of = |table: &FullName| table.0 == database;
        self.ids.retain(|table, _| !of(table));
        self.empty.retain(|table| !of(table));
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

    /// A table's id columns when its rows were last seen.
    pub fn id(&self, table: &FullName) -> Option<&[IdColumn]> {
        self.ids.get(table).map(Vec::as_slice)
    }

    pub fn column_renamed(&mut self, table: &FullName, from: &str, to: &str) {
        let columns = self.ids.get_mut(table).into_iter().flatten();
        for column in columns.filter(|column| column.name.eq_ignore_ascii_case(from)) {
            column.name = to.to_string();
        }
    }

    /// Sets a table's id columns, and returns the previous ones if they differ.
    pub fn update_id(&mut self, table: &Table) -> Option<Vec<IdColumn>> {
        let column = |i: &usize| {
            let column = table.columns.get(*i)?;
            Some(IdColumn { name: column.name.clone(), kind: column.kind.clone() })
        };
        let now: Vec<IdColumn> = table.id.columns().iter().filter_map(column).collect();
        let same = |before: &[IdColumn]| {
            before.len() == now.len()
                && before.iter().zip(&now).all(|(before, now)| {
                    before.name.eq_ignore_ascii_case(&now.name) && prints_alike(&before.kind, &now.kind)
                })
        };
        let key = (table.database.clone(), table.name.clone());
        if self.ids.get(&key).is_some_and(|before| same(before)) {
            return None;
        }
        self.ids.insert(key, now)
    }
}

/// Whether values of one type print as the same JSON after a conversion to the other.
fn prints_alike(a: &ColumnType, b: &ColumnType) -> bool {
    let is_integer = |kind: &ColumnType| {
        matches!(kind, ColumnType::Int { .. } | ColumnType::Year { .. } | ColumnType::Bit { .. })
    };
    let is_text = |kind: &ColumnType| matches!(kind, ColumnType::Text { .. } | ColumnType::Enum(_));
    let is_bytes = |kind: &ColumnType| matches!(kind, ColumnType::Bytes { .. });
    a == b || is_integer(a) && is_integer(b) || is_text(a) && is_text(b) || is_bytes(a) && is_bytes(b)
}

/// Whether values of a column print as the same JSON in a type that begins with this word; `None` if that depends on more
/// than the word.
pub fn prints_as(kind: &ColumnType, type_word: &str) -> Option<bool> {
    let is_integer =
        matches!(kind, ColumnType::Int { .. } | ColumnType::Year { .. } | ColumnType::Bit { .. });
    let is_text = matches!(kind, ColumnType::Text { .. } | ColumnType::Enum(_));
    Some(match type_word {
        "tinyint" | "smallint" | "mediumint" | "middleint" | "int" | "integer" | "bigint" | "int1"
        | "int2" | "int3" | "int4" | "int8" | "serial" | "bool" | "boolean" | "bit" | "year" => is_integer,
        "char" | "character" | "varchar" | "varcharacter" | "tinytext" | "text" | "mediumtext"
        | "longtext" | "nchar" | "nvarchar" | "national" | "enum" => is_text,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
            matches!(kind, ColumnType::Bytes { .. })
        }
        "date" => *kind == ColumnType::Date,
        "float" | "real" | "double" => match kind {
            ColumnType::Float | ColumnType::Double => return None,
            _ => false,
        },
        "decimal" | "numeric" | "dec" | "fixed" => match kind {
            ColumnType::Decimal(_) => return None,
            _ => false,
        },
        "time" => match kind {
            ColumnType::Time { .. } => return None,
            _ => false,
        },
        "datetime" | "timestamp" => match kind {
            ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } => return None,
            _ => false,
        },
        _ => return None,
    })
}

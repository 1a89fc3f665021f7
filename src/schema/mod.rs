//! Table definitions: the columns, in order, and what identifies a row. They come from the log ([`from_log`]), completed by
//! the server's catalog ([`catalog`]); [`definitions`] joins the two. Also which tables are selected ([`selection`],
//! [`table_search`]).

pub mod catalog;
mod column_grants;
pub mod declared_type;
pub mod definition;
mod definition_json;
mod definition_table;
pub mod definitions;
mod described;
mod enum_labels;
pub mod evolve;
pub mod expression_columns;
pub mod fold;
pub mod followed;
pub mod foreign_keys;
pub mod from_log;
pub mod history;
pub mod known;
pub mod matched_names;
pub mod merge_tables;
pub mod mysql50;
pub mod quoting;
mod read_ahead;
pub mod rules;
pub mod selection;
pub mod sequence;
pub mod system_versioning;
pub mod table_search;

use crate::push_fixed::Piece;
use crate::tuple::{IdPlace, key};
use crate::value::ColumnType;

/// The definition of a table.
#[derive(Debug, Clone)]
pub struct Table {
    pub database: String,
    pub name: String,
    pub columns: Vec<Column>,
    pub id: Id,
    pub has_primary_key: bool,
    /// The columns of each unique key that has columns only. Only the catalog tells.
    pub unique_keys: Vec<Vec<usize>>,
    pub hidden: HiddenColumns,
    /// MariaDB: it is partitioned by SYSTEM_TIME. Only the catalog tells.
    pub has_history_partitions: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnType,
    /// The type as the catalog writes it, without the labels of an ENUM or SET. Empty if the definition comes from the log.
    pub declared: String,
    /// Maximum length in bytes of a CHAR, VARCHAR, BINARY or VARBINARY.
    pub octets: Option<u64>,
    /// CHAR, which has no trailing spaces.
    pub is_char: bool,
    pub nullable: bool,
    /// How a generated column is stored. Only the catalog tells.
    pub generated: Option<Generated>,
    /// Left out of the content.
    pub omitted: bool,
}

/// How a generated column is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generated {
    /// Computed when read.
    Virtual,
    Stored,
}

/// Columns in table maps that are hidden from users.
#[derive(Debug, Clone, Default)]
pub struct HiddenColumns {
    /// MariaDB, after the table's own columns: row start and row end, if the table does not declare them.
    pub row_times: bool,
    /// MariaDB, after those: at most so many hash columns.
    pub hashes: usize,
    /// The number of row end among all columns of the row image.
    pub row_end: Option<usize>,
    /// MySQL, between the table's own columns.
    pub expressions: Vec<ExpressionColumn>,
}

/// A hidden column that MySQL makes for a functional index.
#[derive(Debug, Clone)]
pub struct ExpressionColumn {
    /// Its number among all columns of a table map.
    pub column: usize,
    /// `None` for a type that dumpa does not know.
    pub kind: Option<ColumnType>,
}

/// The role of a column in a table's lines.
#[derive(Debug)]
pub struct ColumnRole {
    /// Empty if it is not in the content.
    pub key: Piece,
    pub id_place: IdPlace,
    /// It is in the content, or in the id.
    pub is_read: bool,
}

/// What identifies a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Id {
    /// These columns, by number, in key order.
    Columns(Vec<usize>),
    /// Nothing does: there is no key.
    None,
    /// The log does not tell, and there is no catalog.
    Unknown,
}

impl Id {
    /// Numbers of its columns, in key order.
    pub fn columns(&self) -> &[usize] {
        match self {
            Id::Columns(columns) => columns,
            Id::None | Id::Unknown => &[],
        }
    }
}

impl Table {
    /// Leaves generated columns out of the content. The id may still use them.
    pub fn omit_generated(&mut self) {
        for column in &mut self.columns {
            column.omitted = column.generated.is_some();
        }
    }

    /// The role of each column, the same in `load` and `tail`.
    pub fn roles(&self) -> Vec<ColumnRole> {
        let mut printed = 0;
        let role = |(i, column): (usize, &Column)| {
            let place = self.id.columns().iter().position(|n| *n == i);
            if column.omitted {
                let id_place = place.map_or(IdPlace::None, IdPlace::Alone);
                return ColumnRole { key: Piece::new(Vec::new()), id_place, is_read: place.is_some() };
            }
            printed += 1;
            let id_place = place.map_or(IdPlace::None, IdPlace::Shared);
            ColumnRole { key: key(&column.name, printed - 1), id_place, is_read: true }
        };
        self.columns.iter().enumerate().map(role).collect()
    }

    /// The number of a column. Names are compared exactly first, then without case, as the server does.
    pub fn column_number(&self, name: &str) -> Option<usize> {
        number_of(self.columns.iter().map(|column| &*column.name), name)
    }
}

/// See [`Table::column_number`].
fn number_of<'a>(mut names: impl Iterator<Item = &'a str> + Clone, name: &str) -> Option<usize> {
    let exact = names.clone().position(|other| other == name);
    exact.or_else(|| {
        let lower = name.to_lowercase();
        names.position(|other| other.to_lowercase() == lower)
    })
}

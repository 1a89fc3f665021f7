//! Definitions of tables: their columns, in order, and what identifies a row. They come from the log itself
//! ([`from_log`]), completed by the server's catalog ([`catalog`]); [`definitions`] joins the two. And which tables are wanted
//! ([`selection`], [`table_search`]).

pub mod catalog;
mod column_grants;
pub mod column_type;
pub mod definitions;
mod enum_labels;
pub mod expression_columns;
pub mod fold;
pub mod from_log;
pub mod known;
pub mod matched_names;
pub mod quoting;
pub mod rules;
pub mod selection;
pub mod system_versioning;
pub mod table_search;

use crate::push_fixed::Piece;
use crate::tuple::{IdPlace, key};
use crate::value::Kind;
use expression_columns::ExpressionColumn;

/// The definition of a table.
#[derive(Debug, Clone)]
pub struct Table {
    pub database: String,
    pub name: String,
    pub columns: Vec<Column>,
    pub id: Id,
    pub has_primary_key: bool,
    pub hidden: HiddenColumns,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    /// The type as the catalog writes it, without the labels of an ENUM or SET. Empty if the definition is the log's.
    pub declared: String,
    /// Longest value in bytes, of a CHAR, VARCHAR, BINARY or VARBINARY.
    pub octets: Option<u64>,
    pub nullable: bool,
    /// How the server computes it. Only the catalog tells.
    pub generated: Option<Generated>,
    /// It is not printed in the content.
    pub omitted: bool,
}

/// How a generated column is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generated {
    /// It is computed when it is read.
    Virtual,
    Stored,
}

/// Columns that table maps count and users do not see.
#[derive(Debug, Clone, Default)]
pub struct HiddenColumns {
    /// MariaDB, behind the table's own columns: row start and row end, where the table does not name these itself.
    pub row_times: bool,
    /// MariaDB, behind those: at most so many hash columns.
    pub hashes: usize,
    /// The number of the row end among all columns of the row image.
    pub row_end: Option<usize>,
    /// MySQL, between the table's own columns.
    pub expressions: Vec<ExpressionColumn>,
}

/// What a column is in a table's lines.
#[derive(Debug)]
pub struct ColumnRole {
    /// Empty when it is not in the content.
    pub key: Piece,
    pub id_place: IdPlace,
    /// It is in the content or in the id.
    pub is_read: bool,
}

/// What identifies a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Id {
    /// These columns, by number, in key order.
    Columns(Vec<usize>),
    /// Nothing does.
    None,
    /// The log does not tell, and there was no catalog to ask.
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
    /// Leaves generated columns out of the content. The id may still be made of them.
    pub fn omit_generated(&mut self) {
        for column in &mut self.columns {
            column.omitted = column.generated.is_some();
        }
    }

    /// The role of each column: the same for `load` and `tail`.
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

    /// The number of a column. Names are compared as the server does: first exactly, then whatever their case.
    pub fn column_number(&self, name: &str) -> Option<usize> {
        let exact = self.columns.iter().position(|column| column.name == name);
        let lower = name.to_lowercase();
        exact.or_else(|| self.columns.iter().position(|column| column.name.to_lowercase() == lower))
    }
}

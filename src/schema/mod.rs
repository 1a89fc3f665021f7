//! What tables look like: their columns, in order, and what identifies a row.
//!
//! Whoever needs a layout asks [`layouts::Layouts`], and tells it of every statement that may change
//! a definition, in the order of the log: the seam for a history of schemas.

pub mod catalog;
pub mod column_type;
mod enum_labels;
pub mod find;
pub mod fold;
pub mod from_log;
pub mod hidden;
pub mod known;
pub mod rules;
pub mod seen;
pub mod selection;

use crate::push_fixed::Piece;
use crate::tuple::{IdPlace, key};
use crate::value::Kind;

/// A table as the server describes it.
#[derive(Debug, Clone)]
pub struct Table {
    pub database: String,
    pub name: String,
    pub columns: Vec<Column>,
    pub id: Id,
    pub hidden: hidden::Hidden,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    /// Longest value in bytes, of a CHAR, VARCHAR, BINARY or VARBINARY.
    pub octets: Option<u64>,
    pub nullable: bool,
    /// How the server computes it. Only the catalog tells.
    pub generated: Option<Generated>,
    /// It is no part of the content.
    pub omitted: bool,
}

/// How a generated column is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generated {
    /// It is computed when it is read.
    Virtual,
    Stored,
}

/// How a column takes part in a table's lines.
#[derive(Debug)]
pub struct Part {
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
    /// The log does not say, and nobody else was asked.
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
    /// Generated columns are to be no part of the content. Those that the id is made of stay in it.
    pub fn omit_generated(&mut self) {
        for column in &mut self.columns {
            column.omitted = column.generated.is_some();
        }
    }

    /// What is made of each column: the same in both halves.
    pub fn parts(&self) -> Vec<Part> {
        let mut printed = 0;
        let part = |(i, column): (usize, &Column)| {
            let place = self.id.columns().iter().position(|n| *n == i);
            if column.omitted {
                let id_place = place.map_or(IdPlace::None, IdPlace::Alone);
                return Part { key: Piece::new(Vec::new()), id_place, is_read: place.is_some() };
            }
            printed += 1;
            let id_place = place.map_or(IdPlace::None, IdPlace::Shared);
            Part { key: key(&column.name, printed - 1), id_place, is_read: true }
        };
        self.columns.iter().enumerate().map(part).collect()
    }

    /// The number of a column, whose name is compared as the server does.
    pub fn column_number(&self, name: &str) -> Option<usize> {
        let exact = self.columns.iter().position(|column| column.name == name);
        let lower = name.to_lowercase();
        exact.or_else(|| self.columns.iter().position(|column| column.name.to_lowercase() == lower))
    }
}

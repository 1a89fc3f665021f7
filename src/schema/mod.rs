//! What tables look like: their columns, in order, and what identifies a row.
//!
//! Whoever needs a layout asks [`layouts::Layouts`], and tells it of every statement that may change
//! a definition, in the order of the log: the seam for a history of schemas.

pub mod catalog;
pub mod column_type;
pub mod find;
pub mod from_log;
pub mod hidden;
pub mod layout;
pub mod layouts;
mod lost_labels;
pub mod passing;
pub mod selection;

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
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    /// Longest value in bytes, of a CHAR, VARCHAR, BINARY or VARBINARY.
    pub octets: Option<u64>,
    pub nullable: bool,
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

impl Table {
    /// The number of a column, whose name is compared as the server does.
    pub fn column_number(&self, name: &str) -> Option<usize> {
        let exact = self.columns.iter().position(|column| column.name == name);
        let lower = name.to_lowercase();
        exact.or_else(|| self.columns.iter().position(|column| column.name.to_lowercase() == lower))
    }
}

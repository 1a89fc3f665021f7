//! Checks a definition from the catalog against all metadata in the log. A difference shows that the table was altered
//! after the rows were written, so that the definition could misread them.
//!
//! All optional fields of a table map are compared, even if they change no value: a difference shows other columns. Not
//! compared are collations within a character set, visibility, labels added at the end of an ENUM or SET, and whether a
//! column may be NULL: ALTERs of these are common, and old rows print the same after them.

use std::fmt;

use super::type_names;
use crate::binlog::column_format::ColumnFormat;
use crate::schema::from_log::{Logged, LoggedColumn};
use crate::schema::{Column, Id, Table, declared_type};
use crate::value::{Charset, ColumnType, Labels};

/// How the rows differ from the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Mismatch(pub String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Mismatch {
    pub(super) fn of_count(table: &Table, formats: &[ColumnFormat]) -> Mismatch {
        let (own, hidden) = (table.columns.len(), table.hidden.expressions.len());
        let of_which = match hidden {
            0 => String::new(),
            _ => format!(", {hidden} of them hidden columns of functional indexes"),
        };
        Mismatch(format!("the rows have {} columns, the table {}{of_which}", formats.len(), own + hidden))
    }

    pub(super) fn of_expression(i: usize) -> Mismatch {
        Mismatch(format!(
            "column {} of the rows does not have the type of the functional index's hidden column there",
            i + 1
        ))
    }

    pub(super) fn of_type(
        i: usize,
        format: ColumnFormat,
        logged: &LoggedColumn,
        column: &Column,
    ) -> Mismatch {
        Mismatch(format!(
            "column {} is {} in the log, but `{}` {} in the table",
            i + 1,
            type_names::of_logged(format, logged),
            column.name,
            type_names::of_column(column)
        ))
    }
}

/// Checks a definition whose columns fit the formats; `id` is the id by its own keys, before any `--id`.
pub fn definition(table: &Table, id: &Id, formats: &[ColumnFormat], logged: &Logged) -> Result<(), Mismatch> {
    let outcome = columns(table, formats, &logged.columns);
    match &logged.alternative {
        Some(other) if outcome.is_err() => columns(table, formats, other).or(outcome)?,
        _ => outcome?,
    }
    key(table, id, logged)
}

fn columns(table: &Table, formats: &[ColumnFormat], logged: &[LoggedColumn]) -> Result<(), Mismatch> {
    let is_expression = |i: usize| table.hidden.expressions.iter().any(|hidden| hidden.column == i);
    let of_log = formats.iter().zip(logged).enumerate().filter(|(i, _)| !is_expression(*i));
    for ((i, (format, logged)), column) in of_log.zip(&table.columns) {
        if let Some(name) = logged.name.as_ref().filter(|name| **name != column.name) {
            let own = &column.name;
            return Err(Mismatch(format!(
                "column {} is `{name}` in the log, but `{own}` in the table",
                i + 1
            )));
        }
        if !type_agrees(logged, column) {
            return Err(Mismatch::of_type(i, *format, logged, column));
        }
    }
    Ok(())
}

fn type_agrees(logged: &LoggedColumn, column: &Column) -> bool {
    let is = |told: Option<u64>, known: Option<u64>| told.is_none() || known.is_none() || told == known;
    match &column.kind {
        ColumnType::Int { unsigned, .. } => logged.unsigned.is_none_or(|told| told == *unsigned),
        ColumnType::Text { charset } => logged.charset.is_none_or(|told| told == *charset),
        // MariaDB logs the last three as BINARY.
        ColumnType::Bytes { .. } | ColumnType::Uuid | ColumnType::Inet4 | ColumnType::Inet6 => {
            logged.charset.is_none_or(Charset::is_binary)
        }
        ColumnType::Vector => {
            logged.charset.is_none_or(Charset::is_binary)
                && is(logged.dimensions, declared_type::dimensions(&column.declared))
        }
        ColumnType::Geometry => is(logged.geometry_type, declared_type::geometry_type(&column.declared)),
        ColumnType::Enum(labels) | ColumnType::Set(labels) => labels_agree(logged, labels),
        ColumnType::Float | ColumnType::Double | ColumnType::Decimal(_) => {
            let known = column.declared.to_ascii_lowercase().contains("unsigned");
            logged.unsigned.is_none_or(|told| told == known)
        }
        ColumnType::Year { .. }
        | ColumnType::Bit { .. }
        | ColumnType::Date
        | ColumnType::DateTime { .. }
        | ColumnType::Timestamp { .. }
        | ColumnType::Time { .. }
        | ColumnType::Json => true,
    }
}

/// Whether the catalog's labels begin with those of the log. An unknown label agrees with any.
fn labels_agree(logged: &LoggedColumn, known: &Labels) -> bool {
    let Some(told) = &logged.labels else { return true };
    let same = |number: u64| match (told.of_index(number), known.of_index(number)) {
        (Ok(told), Ok(known)) => match (told.json(), known.json()) {
            (Ok(told), Ok(known)) => told.bytes() == known.bytes(),
            _ => true,
        },
        _ => false,
    };
    (1..=told.len() as u64).all(same)
}

/// Checks the primary key, if the log has it.
fn key(table: &Table, id: &Id, logged: &Logged) -> Result<(), Mismatch> {
    let Some(key) = &logged.primary_key else { return Ok(()) };
    let is_own = |i: &usize| *i < table.columns.len() && Some(*i) != table.hidden.row_end;
    let key: Vec<usize> = key.iter().copied().filter(is_own).collect();
    if table.hidden.expressions.is_empty() && !key.is_empty() && *id != Id::Columns(key) {
        return Err(Mismatch("its primary key has other columns in the log than in the table".to_string()));
    }
    Ok(())
}

//! The hidden columns that MySQL makes for functional indexes. Before 8.0.20 table maps count them, but row images never
//! hold them.

use anyhow::{Context, Result, anyhow};
use mysql::prelude::Queryable;
use mysql::{Conn, Row};

use super::definition::Definition;
use super::quoting::quoted;
use super::{ExpressionColumn, Id, Table};
use crate::server::queries::text;

/// Asks the catalog where these columns are among the table's own.
pub fn ask(conn: &mut Conn, database: &str, table: &str, definition: &mut Definition) -> Result<()> {
    let rows: Vec<Row> = conn
        .query(format!("SHOW EXTENDED COLUMNS FROM {}", quoted(database, table)))
        .with_context(|| format!("cannot ask for the hidden columns of {database}.{table}"))?;
    let mut own = definition.columns.iter().map(|column| column.name.as_str()).peekable();
    for (i, row) in rows.iter().enumerate() {
        let (name, column_type) = (text(row, 0).unwrap_or_default(), text(row, 1).unwrap_or_default());
        if own.peek() == Some(&name.as_str()) {
            own.next();
        } else if !column_type.is_empty() {
            definition.hidden.expressions.push((i, Some(column_type.to_ascii_lowercase())));
        }
        // InnoDB's own columns have no type, come last, and are never logged.
    }
    match own.next() {
        None => Ok(()),
        Some(name) => Err(anyhow!(
            "{database}.{table} was altered while dumpa asked for its columns (`{name}`): try again"
        )),
    }
}

/// Removes these columns from a definition of MySQL's log, which has the names of all columns. A hidden column's name is an
/// MD5 sum, or in later releases `!hidden!…`.
///
/// A column that `catalog` has is not hidden, whatever its name.
pub fn remove(logged: &mut Table, catalog: Option<&Table>) {
    let is_own = |name: &str| catalog.is_some_and(|table| table.columns.iter().any(|own| own.name == name));
    let is_hidden = |name: &str| is_hidden_name(name) && !is_own(name);
    let hidden: Vec<usize> =
        (0..logged.columns.len()).filter(|i| is_hidden(&logged.columns[*i].name)).collect();
    let mut i = 0;
    let expressions = &mut logged.hidden.expressions;
    logged.columns.retain(|column| {
        let is_hidden = hidden.contains(&i);
        if is_hidden {
            expressions.push(ExpressionColumn { column: i, kind: Some(column.kind.clone()) });
        }
        i += 1;
        !is_hidden
    });
    if let Id::Columns(columns) = &mut logged.id {
        columns.retain(|i| !hidden.contains(i));
        for column in columns {
            *column -= hidden.iter().filter(|i| *i < column).count();
        }
    }
}

/// Whether a column has the name of a hidden one.
pub fn may_be_in(logged: &Table) -> bool {
    logged.columns.iter().any(|column| is_hidden_name(&column.name))
}

fn is_hidden_name(name: &str) -> bool {
    let is_sum = name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_sum || name.starts_with("!hidden!")
}

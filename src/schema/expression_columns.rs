//! The hidden columns that MySQL makes for functional indexes. Before 8.0.20 table maps count them, but row images never
//! hold them.

use anyhow::{Context, Result, anyhow};
use mysql::prelude::Queryable;
use mysql::{Conn, Row};

use super::quoting::quoted;
use super::{ExpressionColumn, Id, Table, declared_type};
use crate::server::queries::text;

/// Asks the catalog where these columns are among the table's own.
pub fn ask(conn: &mut Conn, table: &mut Table) -> Result<()> {
    let query = format!("SHOW EXTENDED COLUMNS FROM {}", quoted(&table.database, &table.name));
    let rows: Vec<Row> = conn
        .query(query)
        .with_context(|| format!("cannot ask for the hidden columns of {}.{}", table.database, table.name))?;
    let mut own = table.columns.iter().map(|column| column.name.as_str()).peekable();
    for (i, row) in rows.iter().enumerate() {
        let (name, column_type) = (text(row, 0).unwrap_or_default(), text(row, 1).unwrap_or_default());
        if own.peek() == Some(&name.as_str()) {
            own.next();
        } else if !column_type.is_empty() {
            // The character set is not shown, and does not matter: only the column format does.
            let is_text = ["char", "varchar"].iter().any(|word| column_type.starts_with(word));
            let kind = declared_type::parse(&column_type, is_text.then_some("utf8mb4"));
            table.hidden.expressions.push(ExpressionColumn { column: i, kind });
        }
        // InnoDB's own columns have no type, come last, and are never logged.
    }
    match own.next() {
        None => Ok(()),
        Some(name) => Err(anyhow!(
            "{}.{} was altered while dumpa asked for its columns (`{name}`): try again",
            table.database,
            table.name
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

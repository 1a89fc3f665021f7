//! Helpers for queries.

use anyhow::{Context, Result};
use mysql::prelude::Queryable;
use mysql::{Conn, Row};

/// Column `i` as text, whatever `character_set_results` is.
pub fn text(row: &Row, i: usize) -> Option<String> {
    let bytes: Vec<u8> = row.get_opt(i)?.ok()?;
    String::from_utf8(bytes).ok()
}

/// A global variable; `None` if the server does not have it.
pub fn variable(conn: &mut Conn, name: &str) -> Result<Option<String>> {
    let row: Option<Row> = conn
        .query_first(format!("SHOW GLOBAL VARIABLES LIKE '{name}'"))
        .with_context(|| format!("cannot ask for {name}"))?;
    Ok(row.and_then(|row| text(&row, 1)))
}

//! Finds labels of an ENUM or SET that the catalog shows with a `?`. A label that stays unknown is an error if a row has it.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::definition::DefinedColumn;
use super::quoting::quote;

/// How many rows are searched for one with the label.
const ROWS: u32 = 100_000;

/// Whether the server is asked for labels.
pub fn asks(column: &DefinedColumn) -> bool {
    column.labels.iter().any(Option::is_none)
}

/// Completes a column's labels as far as the server reveals them.
pub fn find(conn: &mut Conn, mariadb: bool, table: &str, column: &mut DefinedColumn) {
    let is_set = column.kind == "set";
    for (i, label) in column.labels.iter_mut().enumerate().filter(|(_, label)| label.is_none()) {
        let number = if is_set { 1 << i } else { i as u64 + 1 };
        let found = match mariadb {
            true => declared(conn, table, &column.name, number),
            false => stored(conn, table, &column.name, number, is_set),
        };
        *label = found.and_then(|found| String::from_utf8(found).ok());
    }
}

/// Finds a label by a variable of the column's type.
fn declared(conn: &mut Conn, table: &str, column: &str, number: u64) -> Option<Vec<u8>> {
    let column = quote(column);
    let block = format!(
        "BEGIN NOT ATOMIC DECLARE v TYPE OF {table}.{column}; SET v = {number}; \
         SELECT CONVERT(v USING utf8mb4); END"
    );
    conn.query_first(block).ok().flatten()
}

/// Finds a label by a row that has it.
fn stored(conn: &mut Conn, table: &str, column: &str, number: u64, is_set: bool) -> Option<Vec<u8>> {
    let column = quote(column);
    let has_it = if is_set { format!("v & {number}") } else { format!("v = {number}") };
    let query = format!(
        "SELECT CONVERT(v USING utf8mb4), CAST(v AS UNSIGNED) \
         FROM (SELECT {column} AS v FROM {table} LIMIT {ROWS}) AS some WHERE {has_it} LIMIT 1"
    );
    let (text, bits): (Vec<u8>, u64) = conn.query_first(query).ok().flatten()?;
    if !is_set {
        return Some(text);
    }
    // Labels of lower bits come before it, and none contains a comma.
    let before = (bits & (number - 1)).count_ones();
    text.split(|byte| *byte == b',').nth(before as usize).map(<[u8]>::to_vec)
}

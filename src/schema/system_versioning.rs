//! Columns that MariaDB writes to row images but hides from users, after the table's own columns: row start and row end of
//! system versioning, and hash columns of long unique keys.

use anyhow::{Context, Result};
use mysql::prelude::Queryable;
use mysql::{Conn, params};

use super::definition::{Definition, Versioning};
use super::from_log::LoggedColumn;
use super::{HiddenColumns, Id, Table};
use crate::binlog::column_format::ColumnFormat;
use crate::bytes::{Bytes, Malformed};

/// A hash column is a BIGINT UNSIGNED.
const HASH: ColumnFormat = ColumnFormat::Int { bytes: 8 };

/// Row start and row end. (Tables with transaction-precise versioning are never logged as rows.)
const ROW_TIME: ColumnFormat = ColumnFormat::Timestamp { decimals: 6 };

/// Whether the columns of a table map from number `own` on, which follow a table's own, can be its hidden columns; and
/// whether its row end can be one. Other columns that stood there before the table got versioning may be NULL, or have
/// other types.
pub fn fits(hidden: &HiddenColumns, own: usize, formats: &[ColumnFormat], logged: &[LoggedColumn]) -> bool {
    let is_nullable = |i: usize| logged.get(i).is_none_or(|column| column.nullable);
    if hidden.row_end.is_some_and(|end| formats.get(end) != Some(&ROW_TIME) || is_nullable(end)) {
        return false;
    }
    let hashes = match formats.get(own..).unwrap_or_default() {
        [ROW_TIME, ROW_TIME, rest @ ..] if hidden.row_times && !is_nullable(own) => rest,
        _ if hidden.row_times => return false,
        rest => rest,
    };
    // Keys of a MEMORY table are hashes, too, but without a hidden column.
    (hashes.is_empty() || hashes.len() == hidden.hashes) && hashes.iter().all(|format| *format == HASH)
}

/// Whether a row version is current: its row end is the greatest TIMESTAMP(6), which differs since MariaDB 11.5.
pub fn is_current(format: ColumnFormat, bytes: &mut Bytes<'_>) -> Result<bool, Malformed> {
    if format != ROW_TIME {
        return Err(Malformed("its row end is not a TIMESTAMP(6)"));
    }
    let bytes = bytes.take(7)?;
    Ok(bytes == [0x7f, 0xff, 0xff, 0xff, 0x0f, 0x42, 0x3f]
        || bytes == [0xff, 0xff, 0xff, 0xff, 0x0f, 0x42, 0x3f])
}

/// Asks the catalog whether a table has system versioning. Row start and row end do not count as generated, although
/// MariaDB's catalog says so: they are not computed from other columns.
pub fn ask(conn: &mut Conn, database: &str, table: &str, definition: &mut Definition) -> Result<()> {
    let named = |expression: &str| {
        format!(
            "(SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = :database \
             AND TABLE_NAME = :table AND GENERATION_EXPRESSION = '{expression}')"
        )
    };
    let query = format!(
        "SELECT {}, {} FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = :database AND TABLE_NAME = :table AND TABLE_TYPE = 'SYSTEM VERSIONED'",
        named("ROW START"),
        named("ROW END")
    );
    let named: Option<(Option<String>, Option<String>)> =
        match conn.exec_first(query, params! { "database" => database, "table" => table }) {
            // MariaDB before 10.3 has no system versioning.
            Err(mysql::Error::MySqlError(_)) => None,
            answer => answer
                .with_context(|| format!("cannot ask whether {database}.{table} has system versioning"))?,
        };
    if let Some((start, row_end)) = named {
        for name in [&start, &row_end].into_iter().flatten() {
            let number = definition.column_number(name);
            if let Some(column) = number.and_then(|i| definition.columns.get_mut(i)) {
                column.generated = None;
            }
        }
        let has_history_partitions = is_partitioned_by_time(conn, database, table)?;
        definition.hidden.versioning = Some(Versioning { row_end, has_history_partitions });
    }
    Ok(())
}

/// Whether old row versions have partitions of their own (PARTITION BY SYSTEM_TIME).
fn is_partitioned_by_time(conn: &mut Conn, database: &str, table: &str) -> Result<bool> {
    let query = "SELECT COUNT(*) FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? \
         AND PARTITION_METHOD = 'SYSTEM_TIME'";
    let count: Option<u64> = conn
        .exec_first(query, (database, table))
        .with_context(|| format!("cannot ask for the partitions of {database}.{table}"))?;
    Ok(count.is_some_and(|count| count > 0))
}

/// Removes the hidden columns from a definition that MariaDB's log gives with the names of all columns. `catalog` is the
/// same table in the catalog, which tells what is hidden; without it the names decide.
pub fn remove_hidden(logged: &mut Table, formats: &[ColumnFormat], catalog: Option<&Table>) {
    let name = |i: usize| logged.columns.get(i).map(|column| column.name.as_str());
    let mut own = logged.columns.len();
    let is_time = |i: usize| {
        formats.get(i) == Some(&ROW_TIME) && logged.columns.get(i).is_some_and(|column| !column.nullable)
    };
    // The server adds row end to the primary key.
    let is_end = |i: usize| is_time(i) && (logged.id == Id::Unknown || logged.id.columns().contains(&i));
    // The table in the catalog may be a later one, without versioning.
    let had_versions = (0..own).any(|i| name(i) == Some("row_end") && is_end(i));
    let has_versions = |table: &Table| {
        table.hidden.row_times || table.hidden.row_end.is_some() || table.column_number("row_end").is_some()
    };
    if let Some(catalog) = catalog.filter(|table| !had_versions || has_versions(table)) {
        while own > catalog.columns.len() && name(own - 1).is_some_and(is_hash_name) {
            own -= 1;
        }
        let times = own >= 2
            && (name(own - 2), name(own - 1)) == (Some("row_start"), Some("row_end"))
            && is_time(own - 2)
            && is_end(own - 1);
        let end_name = catalog.hidden.row_end.and_then(|i| catalog.columns.get(i)).map(|c| c.name.as_str());
        let row_end = match end_name {
            Some(end) => (0..own).find(|i| name(*i) == Some(end) && is_end(*i)),
            None => (times && catalog.hidden.row_times).then(|| own - 1),
        };
        logged.hidden.row_times = times && catalog.hidden.row_times;
        logged.hidden.row_end = row_end;
    } else {
        while own > 0 && name(own - 1).is_some_and(is_hash_name) && formats.get(own - 1) == Some(&HASH) {
            own -= 1;
        }
        // These are the default names.
        logged.hidden.row_times = own > 2
            && name(own - 2) == Some("row_start")
            && name(own - 1) == Some("row_end")
            && is_time(own - 2)
            && is_end(own - 1);
        logged.hidden.row_end = logged.hidden.row_times.then(|| own - 1);
    }
    logged.hidden.hashes = logged.columns.len() - own;
    logged.columns.truncate(if logged.hidden.row_times { own - 2 } else { own });
    remove_row_end_from_id(logged);
}

fn is_hash_name(name: &str) -> bool {
    name.strip_prefix("DB_ROW_HASH_").is_some_and(|number| number.parse::<u32>().is_ok())
}

/// Only current rows are printed.
pub fn remove_row_end_from_id(table: &mut Table) {
    if let Id::Columns(columns) = &mut table.id {
        columns.retain(|i| Some(*i) != table.hidden.row_end);
        if columns.is_empty() {
            table.id = Id::None;
        }
    }
}

//! Sequences of MariaDB. The log treats each as a table of one row, and writes that row again for each change.

use super::from_log::LoggedColumn;
use crate::binlog::column_format::ColumnFormat;

const NAMES: [&str; 8] = [
    "next_not_cached_value",
    "minimum_value",
    "maximum_value",
    "start_value",
    "increment",
    "cache_size",
    "cycle_option",
    "cycle_count",
];

/// Whether a table map may be a sequence's, as far as it tells: a table may have the same columns.
pub fn may_be(formats: &[ColumnFormat], logged: &[LoggedColumn]) -> bool {
    let [value @ ColumnFormat::Int { .. }, values @ .., step, cache, cycles, count] = formats else {
        return false;
    };
    const BIGINT: ColumnFormat = ColumnFormat::Int { bytes: 8 };
    // Since 11.5, values may have any integer type.
    values.len() == 3
        && values.iter().all(|format| format == value)
        && [*step, *cache, *cycles, *count] == [BIGINT, BIGINT, ColumnFormat::Int { bytes: 1 }, BIGINT]
        && logged.iter().zip(NAMES).all(|(column, name)| {
            !column.nullable && column.name.as_ref().is_none_or(|logged| logged == name)
        })
}

/// Whether the log names the columns, and they are a sequence's.
pub fn is_named(logged: &[LoggedColumn]) -> bool {
    logged.iter().map(|column| column.name.as_deref()).eq(NAMES.map(Some))
}

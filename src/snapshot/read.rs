//! Reads one table in the snapshot, row by row, over the binary protocol.

use anyhow::{Context, Result};
use mysql::prelude::Queryable;
use mysql::{Conn, Value as Given};

use crate::bytes::{Malformed, big_endian};
use crate::exit::unreadable;
use crate::output::{Output, WRITE_BYTES};
use crate::schema::quoting::{quote, quoted};
use crate::schema::{Column, ColumnRole, Table};
use crate::tuple::{Content, LinePrefixes, NO_METADATA, Op, row};
use crate::value::{ColumnType, Date, DateTime, Dialect, Style, Time, Value};

/// A table's first lines are written after this many bytes, then after twice as many each time: so the first rows arrive
/// soon, even if they come slowly.
const FIRST_PIECE_BYTES: usize = 16 << 10;

/// Call `each` after so many rows.
const EACH_ROWS: u64 = 256;

/// How a table's rows are printed.
#[derive(Debug, Clone, Copy)]
pub struct Print<'a> {
    pub printed: &'a str,
    pub style: Style,
    pub dialect: Dialect,
}

/// Prints every row of a table, and returns their number. `each` gets the number of rows so far now and then, and stops the
/// reading by returning false.
///
/// # Errors
/// Exit 4 when a value cannot be read.
pub fn table(
    conn: &mut Conn,
    table: &Table,
    print: Print<'_>,
    output: &mut Output,
    each: &mut dyn FnMut(u64, &mut Output) -> Result<bool>,
) -> Result<u64> {
    let context = || format!("cannot read {}.{}", table.database, table.name);
    let statement = conn.prep(select(table)).with_context(context)?;
    let prefixes = LinePrefixes::new(print.printed);
    let id_values = table.id.columns().len();
    let read = read_columns(table);
    let mut content = Content::default();
    let mut rows = 0;
    let mut piece_bytes = FIRST_PIECE_BYTES;
    for given in conn.exec_iter(&statement, ()).with_context(context)? {
        let given = given.with_context(context)?;
        content.begin(id_values);
        for (i, (column, role)) in read.iter().enumerate() {
            let value =
                given.as_ref(i).ok_or(WRONG_TYPE).and_then(|given| value(&column.kind, given, print.dialect));
            let (start, out) = content.column(&role.key);
            let written = value.and_then(|value| value.write(print.style, out));
            written.map_err(|why| bad_value(table, &column.name, rows, why))?;
            content.end_column(start, role.id_place);
        }
        content.end();
        row(prefixes.of(Op::Upsert), &mut content, &mut output.buffer);
        output.buffer.extend_from_slice(NO_METADATA);
        content.free_if_huge();
        rows += 1;
        if output.buffer.len() >= piece_bytes {
            piece_bytes = WRITE_BYTES.min(2 * piece_bytes);
            output.hand_over(output.buffer.len())?;
        }
        if rows % EACH_ROWS == 0 && !each(rows, output)? {
            break;
        }
    }
    Ok(rows)
}

/// The columns that are read, in table order.
fn read_columns(table: &Table) -> Vec<(&Column, ColumnRole)> {
    table.columns.iter().zip(table.roles()).filter(|(_, role)| role.is_read).collect()
}

fn bad_value(table: &Table, column: &str, rows: u64, why: Malformed) -> anyhow::Error {
    unreadable(format!(
        "column `{column}` of {}.{} cannot be read in row {} of the load: {why}",
        table.database,
        table.name,
        rows + 1
    ))
}

/// The query for a table. It returns ENUM and SET as numbers, as in the log, so that labels come from one place. YEAR() gives
/// a YEAR(2) its century; YEAR 0000 has no century, and MariaDB returns 1900 for it.
fn select(table: &Table) -> String {
    let read = read_columns(table);
    let columns = read.iter().map(|(column, _)| match column.kind {
        ColumnType::Enum(_) | ColumnType::Set(_) => format!("CAST({} AS UNSIGNED)", quote(&column.name)),
        ColumnType::Year { two_digits: true } => {
            format!("IF(YEAR({0}) = 1900, 0, YEAR({0}))", quote(&column.name))
        }
        _ => quote(&column.name),
    });
    let mut columns = columns.collect::<Vec<_>>().join(", ");
    if columns.is_empty() {
        // All columns are left out, but each row still prints a line.
        columns.push('1');
    }
    format!("SELECT {columns} FROM {}", quoted(&table.database, &table.name))
}

const WRONG_TYPE: Malformed = Malformed("the server sent a value of a different type than the column's");

/// The value of a column in a result row.
fn value<'a>(kind: &'a ColumnType, given: &'a Given, dialect: Dialect) -> Result<Value<'a>, Malformed> {
    Ok(match (kind, given) {
        (_, Given::NULL) => Value::Null,
        (ColumnType::Int { .. } | ColumnType::Year { .. }, Given::Int(n)) => Value::Int(*n),
        (ColumnType::Int { .. } | ColumnType::Year { .. }, Given::UInt(n)) => Value::UInt(*n),
        (ColumnType::Bit { .. }, Given::Bytes(bytes)) if bytes.len() <= 8 => Value::UInt(big_endian(bytes)),
        (ColumnType::Decimal(_), Given::Bytes(text)) => Value::DecimalText(text),
        (ColumnType::Float, Given::Float(n)) => Value::Float(*n),
        (ColumnType::Double, Given::Double(n)) => Value::Double(*n),
        (ColumnType::Text { charset }, Given::Bytes(bytes)) => Value::Text { bytes, charset: *charset },
        (ColumnType::Bytes { .. }, Given::Bytes(bytes)) => Value::Bytes { bytes, pad_to: 0 },
        (ColumnType::Enum(labels), number) => Value::Label(labels.of_index(unsigned(number)?)?),
        (ColumnType::Set(labels), number) => Value::Set { bits: unsigned(number)?, labels },
        (ColumnType::Date, Given::Date(year, month, day, ..)) => {
            Value::Date(Date { year: *year, month: *month, day: *day })
        }
        (ColumnType::DateTime { decimals }, Given::Date(..)) => {
            Value::DateTime(moment(given, *decimals, false)?)
        }
        (ColumnType::Timestamp { decimals }, Given::Date(..)) => {
            Value::DateTime(moment(given, *decimals, true)?)
        }
        (ColumnType::Time { decimals }, Given::Time(negative, days, hours, minutes, seconds, micros)) => {
            let hours = *days * 24 + u32::from(*hours);
            Value::Time(Time {
                negative: *negative,
                hours: u16::try_from(hours).map_err(|_| WRONG_TYPE)?,
                minutes: *minutes,
                seconds: *seconds,
                micros: *micros,
                decimals: *decimals,
            })
        }
        (ColumnType::Json, Given::Bytes(text)) => Value::JsonText(text),
        (ColumnType::Geometry, Given::Bytes(bytes)) => Value::Geometry { bytes, axes: dialect.axes },
        (ColumnType::Vector, Given::Bytes(bytes)) => Value::Vector(bytes),
        (ColumnType::Uuid | ColumnType::Inet4 | ColumnType::Inet6, Given::Bytes(text)) => Value::Ascii(text),
        _ => return Err(WRONG_TYPE),
    })
}

fn unsigned(given: &Given) -> Result<u64, Malformed> {
    match given {
        Given::Int(n) => u64::try_from(*n).map_err(|_| WRONG_TYPE),
        Given::UInt(n) => Ok(*n),
        _ => Err(WRONG_TYPE),
    }
}

fn moment(given: &Given, decimals: u8, utc: bool) -> Result<DateTime, Malformed> {
    let Given::Date(year, month, day, hour, minute, second, micros) = *given else {
        return Err(WRONG_TYPE);
    };
    let date = Date { year, month, day };
    Ok(DateTime { date, hour, minute, second, micros, decimals, utc })
}

//! Column types as SQL writes them, for messages.

use crate::binlog::column_format::ColumnFormat;
use crate::schema::from_log::LoggedColumn;
use crate::schema::{Column, declared_type};
use crate::value::{Charset, ColumnType, decimal};

/// The type in a table map.
pub fn of_logged(format: ColumnFormat, logged: &LoggedColumn) -> String {
    let mut name = match (format, logged.charset) {
        (ColumnFormat::String { max }, Some(Charset::Binary)) => format!("BINARY({max})"),
        (ColumnFormat::String { max }, Some(_)) => format!("CHAR of {max} bytes"),
        (ColumnFormat::Varchar { max, .. }, Some(Charset::Binary)) => format!("VARBINARY({max})"),
        (ColumnFormat::Varchar { max, .. }, Some(_)) => format!("VARCHAR of {max} bytes"),
        (ColumnFormat::Blob { .. }, Some(Charset::Binary)) => "BLOB".to_owned(),
        (ColumnFormat::Blob { .. }, Some(_)) => "TEXT".to_owned(),
        _ => of_format(format),
    };
    if logged.unsigned == Some(true) {
        name.push_str(" UNSIGNED");
    }
    if let Some(charset) = logged.charset.filter(|charset| !charset.is_binary()) {
        name.push_str(&format!(" CHARACTER SET {}", charset.name()));
    }
    if let Some(labels) = &logged.labels {
        let labels = (1..=labels.len() as u64).map(|number| labels.of_index(number));
        let labels = labels.map(|label| match label.and_then(|label| label.json()) {
            Ok(json) => String::from_utf8_lossy(json.bytes()).into_owned(),
            Err(_) => "?".to_string(),
        });
        name.push_str(&format!(" of {}", labels.collect::<Vec<_>>().join(", ")));
    }
    if let Some(dimensions) = logged.dimensions {
        name.push_str(&format!("({dimensions})"));
    }
    if let Some(subtype) = logged.geometry_type.and_then(declared_type::geometry_name) {
        name = subtype.to_ascii_uppercase();
    }
    name
}

fn of_format(format: ColumnFormat) -> String {
    match format {
        ColumnFormat::Int { bytes } => int(bytes).to_owned(),
        ColumnFormat::Float => "FLOAT".to_owned(),
        ColumnFormat::Double => "DOUBLE".to_owned(),
        ColumnFormat::Decimal(precision) => of_decimal(precision),
        ColumnFormat::Year => "YEAR".to_owned(),
        ColumnFormat::Bit { bits } => format!("BIT({bits})"),
        ColumnFormat::Date => "DATE".to_owned(),
        ColumnFormat::OldTime => "TIME of the old format".to_owned(),
        ColumnFormat::OldDateTime => "DATETIME of the old format".to_owned(),
        ColumnFormat::OldTimestamp => "TIMESTAMP of the old format".to_owned(),
        ColumnFormat::Time { decimals } => format!("TIME({decimals})"),
        ColumnFormat::DateTime { decimals } => format!("DATETIME({decimals})"),
        ColumnFormat::Timestamp { decimals } => format!("TIMESTAMP({decimals})"),
        ColumnFormat::String { max } => format!("CHAR or BINARY of {max} bytes"),
        ColumnFormat::Varchar { max, .. } => format!("VARCHAR or VARBINARY of {max} bytes"),
        ColumnFormat::Blob { .. } => "TEXT or BLOB".to_owned(),
        ColumnFormat::Json { .. } => "JSON".to_owned(),
        ColumnFormat::Geometry { .. } => "GEOMETRY".to_owned(),
        ColumnFormat::Vector { .. } => "VECTOR".to_owned(),
        ColumnFormat::Enum { .. } => "ENUM".to_owned(),
        ColumnFormat::Set { .. } => "SET".to_owned(),
    }
}

/// The type in the catalog, without the display width of integers.
pub fn of_column(column: &Column) -> String {
    let declared = column.declared.to_ascii_uppercase();
    match &column.kind {
        ColumnType::Int { bytes, unsigned: false } => int(*bytes).to_owned(),
        ColumnType::Int { bytes, unsigned: true } => format!("{} UNSIGNED", int(*bytes)),
        ColumnType::Text { charset } => {
            format!("{declared}{} CHARACTER SET {}", bytes(column), charset.name())
        }
        ColumnType::Bytes { .. } => format!("{declared}{}", bytes(column)),
        _ => declared,
    }
}

/// The length in bytes, if it differs from the declared length.
fn bytes(column: &Column) -> String {
    let length = column.declared.split(['(', ')']).nth(1).and_then(|length| length.parse::<u64>().ok());
    match (length, column.octets) {
        (Some(length), Some(octets)) if octets != length => format!(" of {octets} bytes"),
        _ => String::new(),
    }
}

fn int(bytes: u8) -> &'static str {
    match bytes {
        1 => "TINYINT",
        2 => "SMALLINT",
        3 => "MEDIUMINT",
        4 => "INT",
        _ => "BIGINT",
    }
}

fn of_decimal(precision: decimal::Precision) -> String {
    format!("DECIMAL({},{})", precision.digits, precision.scale)
}

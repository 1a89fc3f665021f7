//! Column types in the words of SQL, for messages.

use super::Column;
use crate::binlog::wire::Wire;
use crate::value::{Kind, decimal};

/// What a row's packing says of a column's type.
pub fn of_wire(wire: Wire) -> String {
    match wire {
        Wire::Int { bytes } => int(bytes).to_owned(),
        Wire::Float => "FLOAT".to_owned(),
        Wire::Double => "DOUBLE".to_owned(),
        Wire::Decimal(format) => of_decimal(format),
        Wire::Year => "YEAR".to_owned(),
        Wire::Bit { bits } => format!("BIT({bits})"),
        Wire::Date => "DATE".to_owned(),
        Wire::OldTime => "TIME of the old format".to_owned(),
        Wire::OldDateTime => "DATETIME of the old format".to_owned(),
        Wire::OldTimestamp => "TIMESTAMP of the old format".to_owned(),
        Wire::Time { decimals } => format!("TIME({decimals})"),
        Wire::DateTime { decimals } => format!("DATETIME({decimals})"),
        Wire::Timestamp { decimals } => format!("TIMESTAMP({decimals})"),
        Wire::String { max } => format!("CHAR or BINARY of {max} bytes"),
        Wire::Varchar { max, .. } => format!("VARCHAR or VARBINARY of {max} bytes"),
        Wire::Blob { .. } => "TEXT or BLOB".to_owned(),
        Wire::Json { .. } => "JSON".to_owned(),
        Wire::Geometry { .. } => "GEOMETRY".to_owned(),
        Wire::Vector { .. } => "VECTOR".to_owned(),
        Wire::Enum { .. } => "ENUM".to_owned(),
        Wire::Set { .. } => "SET".to_owned(),
    }
}

/// What a table says of it.
pub fn of_column(column: &Column) -> String {
    let length = column.octets.map_or_else(String::new, |octets| format!(" of {octets} bytes"));
    match &column.kind {
        Kind::Int { bytes, unsigned: false } => int(*bytes).to_owned(),
        Kind::Int { bytes, unsigned: true } => format!("{} UNSIGNED", int(*bytes)),
        Kind::Year { .. } => "YEAR".to_owned(),
        Kind::Bit { bits } => format!("BIT({bits})"),
        Kind::Decimal(format) => of_decimal(*format),
        Kind::Float => "FLOAT".to_owned(),
        Kind::Double => "DOUBLE".to_owned(),
        Kind::Text { .. } => format!("CHAR, VARCHAR or TEXT{length}"),
        Kind::Bytes { padded: true } => format!("BINARY{length}"),
        Kind::Bytes { padded: false } => format!("VARBINARY or BLOB{length}"),
        Kind::Enum(_) => "ENUM".to_owned(),
        Kind::Set(_) => "SET".to_owned(),
        Kind::Date => "DATE".to_owned(),
        Kind::DateTime { decimals } => format!("DATETIME({decimals})"),
        Kind::Timestamp { decimals } => format!("TIMESTAMP({decimals})"),
        Kind::Time { decimals } => format!("TIME({decimals})"),
        Kind::Json => "JSON".to_owned(),
        Kind::Geometry => "GEOMETRY".to_owned(),
        Kind::Vector => "VECTOR".to_owned(),
        Kind::Uuid => "UUID".to_owned(),
        Kind::Inet4 => "INET4".to_owned(),
        Kind::Inet6 => "INET6".to_owned(),
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

fn of_decimal(format: decimal::Format) -> String {
    format!("DECIMAL({},{})", format.precision, format.scale)
}

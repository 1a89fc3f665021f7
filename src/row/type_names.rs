//! Column types in the words of SQL, for messages.

use crate::binlog::column_format::ColumnFormat;
use crate::schema::Column;
use crate::value::{Kind, decimal};

/// What a row's packing says of a column's type.
pub fn of_wire(wire: ColumnFormat) -> String {
    match wire {
        ColumnFormat::Int { bytes } => int(bytes).to_owned(),
        ColumnFormat::Float => "FLOAT".to_owned(),
        ColumnFormat::Double => "DOUBLE".to_owned(),
        ColumnFormat::Decimal(format) => of_decimal(format),
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

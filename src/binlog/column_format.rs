//! Column formats: how a column's values are encoded in row images, from the type and parameters in the table map.
//!
//! Source: MySQL's `table_map_event` in `rows_event.h` ("Table_map column types"), and
//! `Field::pack` of each type.

use crate::bytes::{Bytes, Malformed};
use crate::value::decimal;
use crate::value::temporal::fraction_len;

/// The format of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnFormat {
    /// TINYINT to BIGINT.
    Int {
        bytes: u8,
    },
    Float,
    Double,
    Decimal(decimal::Precision),
    Year,
    Bit {
        bits: u8,
    },
    Date,
    /// The next three are from before MySQL 5.6.4, and remain in tables made then. MariaDB may add a fraction, whose length
    /// only the column's definition tells.
    OldTime,
    OldDateTime,
    OldTimestamp,
    Time {
        decimals: u8,
    },
    DateTime {
        decimals: u8,
    },
    Timestamp {
        decimals: u8,
    },
    /// CHAR, BINARY: a length in bytes, of 1 or 2 bytes depending on `max`, and the value.
    String {
        max: u16,
    },
    /// VARCHAR, VARBINARY: likewise.
    Varchar {
        max: u16,
        compressed: bool,
    },
    /// TEXT and BLOB of every size: a length of `length_bytes` bytes, and the value.
    Blob {
        length_bytes: u8,
        compressed: bool,
    },
    Json {
        length_bytes: u8,
    },
    Geometry {
        length_bytes: u8,
    },
    Vector {
        length_bytes: u8,
    },
    Enum {
        bytes: u8,
    },
    Set {
        bytes: u8,
    },
}

impl ColumnFormat {
    /// Parses a format: the type byte, and the type's parameters from the table map's metadata block. `None` for a type
    /// that dumpa does not know.
    pub fn parse(type_byte: u8, meta: &mut Bytes<'_>) -> Result<Option<ColumnFormat>, Malformed> {
        Ok(Some(match type_byte {
            1 => ColumnFormat::Int { bytes: 1 },
            2 => ColumnFormat::Int { bytes: 2 },
            3 => ColumnFormat::Int { bytes: 4 },
            8 => ColumnFormat::Int { bytes: 8 },
            9 => ColumnFormat::Int { bytes: 3 },
            4 => meta.u8().map(|_| ColumnFormat::Float)?,
            5 => meta.u8().map(|_| ColumnFormat::Double)?,
            7 => ColumnFormat::OldTimestamp,
            10 | 14 => ColumnFormat::Date,
            11 => ColumnFormat::OldTime,
            12 => ColumnFormat::OldDateTime,
            13 => ColumnFormat::Year,
            15 => ColumnFormat::Varchar { max: meta.u16()?, compressed: false },
            141 => ColumnFormat::Varchar { max: meta.u16()?, compressed: true },
            16 => bit(meta.u8()?, meta.u8()?)?,
            17 => ColumnFormat::Timestamp { decimals: decimals(meta.u8()?)? },
            18 => ColumnFormat::DateTime { decimals: decimals(meta.u8()?)? },
            19 => ColumnFormat::Time { decimals: decimals(meta.u8()?)? },
            246 => {
                let precision = decimal::Precision::new(meta.u8()?, meta.u8()?);
                ColumnFormat::Decimal(precision.ok_or(Malformed("a DECIMAL has an impossible precision"))?)
            }
            249..=252 => ColumnFormat::Blob { length_bytes: length_bytes(meta)?, compressed: false },
            140 => ColumnFormat::Blob { length_bytes: length_bytes(meta)?, compressed: true },
            245 => ColumnFormat::Json { length_bytes: length_bytes(meta)? },
            255 => ColumnFormat::Geometry { length_bytes: length_bytes(meta)? },
            242 => ColumnFormat::Vector { length_bytes: length_bytes(meta)? },
            247 | 248 | 253 | 254 => string(type_byte, meta)?,
            _ => return Ok(None),
        }))
    }

    pub fn is_json(self) -> bool {
        matches!(self, ColumnFormat::Json { .. })
    }

    /// How long a value is. `old_decimals` are the decimals of an old temporal column.
    #[inline]
    pub fn size(self, old_decimals: u8) -> Size {
        Size::Fixed(match self {
            ColumnFormat::Int { bytes } | ColumnFormat::Enum { bytes } | ColumnFormat::Set { bytes } => {
                bytes.into()
            }
            ColumnFormat::Float => 4,
            ColumnFormat::Double => 8,
            ColumnFormat::Decimal(precision) => precision.packed_len(),
            ColumnFormat::Year => 1,
            ColumnFormat::Bit { bits } => usize::from(bits).div_ceil(8),
            ColumnFormat::Date => 3,
            ColumnFormat::OldTime => old_time_len(old_decimals),
            ColumnFormat::OldDateTime => old_datetime_len(old_decimals),
            ColumnFormat::OldTimestamp => 4 + fraction_len(old_decimals),
            ColumnFormat::Time { decimals } => 3 + fraction_len(decimals),
            ColumnFormat::DateTime { decimals } => 5 + fraction_len(decimals),
            ColumnFormat::Timestamp { decimals } => 4 + fraction_len(decimals),
            ColumnFormat::String { max } | ColumnFormat::Varchar { max, .. } => {
                return Size::Prefixed { length_bytes: string_length_bytes(max) };
            }
            ColumnFormat::Blob { length_bytes, .. }
            | ColumnFormat::Json { length_bytes }
            | ColumnFormat::Geometry { length_bytes }
            | ColumnFormat::Vector { length_bytes } => return Size::Prefixed { length_bytes },
        })
    }

    /// Skips a value. `old_decimals` are the decimals of an old temporal column.
    #[inline]
    pub fn skip(self, bytes: &mut Bytes<'_>, old_decimals: u8) -> Result<(), Malformed> {
        let len = match self.size(old_decimals) {
            Size::Fixed(len) => len,
            Size::Prefixed { length_bytes } => bytes.uint(length_bytes.into())? as usize,
        };
        bytes.take(len).map(|_| ())
    }
}

/// The length of a value in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Fixed(usize),
    /// A length of `length_bytes` bytes precedes the value.
    Prefixed {
        length_bytes: u8,
    },
}

/// Length of an old TIME (MariaDB's `time_hires_bytes`).
pub fn old_time_len(decimals: u8) -> usize {
    [3, 4, 4, 5, 5, 5, 6].get(usize::from(decimals)).copied().unwrap_or(6)
}

/// Length of an old DATETIME (MariaDB's `datetime_hires_bytes`).
pub fn old_datetime_len(decimals: u8) -> usize {
    [8, 6, 6, 7, 7, 7, 8].get(usize::from(decimals)).copied().unwrap_or(8)
}

/// How many bytes the length before a CHAR, BINARY, VARCHAR or VARBINARY has.
pub fn string_length_bytes(max: u16) -> u8 {
    if max > 255 { 2 } else { 1 }
}

fn decimals(n: u8) -> Result<u8, Malformed> {
    if n <= 6 { Ok(n) } else { Err(Malformed("a temporal column has more than six decimals")) }
}

fn length_bytes(meta: &mut Bytes<'_>) -> Result<u8, Malformed> {
    let n = meta.u8()?;
    if (1..=4).contains(&n) {
        Ok(n)
    } else {
        Err(Malformed("the length of a TEXT or BLOB does not have 1 to 4 bytes"))
    }
}

fn bit(bits: u8, bytes: u8) -> Result<ColumnFormat, Malformed> {
    let all = u16::from(bytes) * 8 + u16::from(bits);
    match u8::try_from(all) {
        Ok(bits @ 1..=64) => Ok(ColumnFormat::Bit { bits }),
        _ => Err(Malformed("a BIT has more than 64 bits")),
    }
}

/// CHAR, BINARY, ENUM and SET share a type byte; the metadata's first byte is the real type. For a CHAR of more than 255
/// bytes, bits 4 and 5 of that byte are the two high bits of the length, inverted.
fn string(type_byte: u8, meta: &mut Bytes<'_>) -> Result<ColumnFormat, Malformed> {
    let (first, second) = (meta.u8()?, meta.u8()?);
    let (real, max) = if first & 0x30 == 0x30 {
        (first, u16::from(second))
    } else {
        (first | 0x30, u16::from(second) | u16::from((first & 0x30) ^ 0x30) << 4)
    };
    // Before 5.0 the first byte may be zero: then the type byte is the real type.
    let real = if first == 0 { type_byte } else { real };
    match (real, max) {
        (247, 1 | 2) => Ok(ColumnFormat::Enum { bytes: max as u8 }),
        (248, 1..=8) => Ok(ColumnFormat::Set { bytes: max as u8 }),
        (253 | 254, _) => Ok(ColumnFormat::String { max }),
        _ => Err(Malformed("a string column has an unknown type")),
    }
}

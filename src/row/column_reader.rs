//! Reads one column of a row image. Format and type are joined once per table, so that reading a value takes a single
//! match.

use std::sync::Arc;

use super::old_temporal;
use crate::binlog::column_format::{ColumnFormat, string_length_bytes};
use crate::binlog::compressed;
use crate::bytes::{Bytes, Malformed, big_endian};
use crate::value::geometry::Axes;
use crate::value::temporal::{fraction, fraction_len};
use crate::value::{Charset, ColumnType, Date, DateTime, Dialect, Documents, Labels, Time, Value, decimal};

/// How to read one column of a row image into a [`Value`].
#[derive(Debug, Clone)]
pub enum ColumnReader {
    I8,
    U8,
    I16,
    U16,
    I24,
    U24,
    I32,
    U32,
    I64,
    U64,
    Float,
    Double,
    Decimal {
        precision: decimal::Precision,
        len: usize,
    },
    Year,
    Bit {
        len: usize,
    },
    Date,
    Time {
        decimals: u8,
    },
    DateTime {
        decimals: u8,
    },
    Timestamp {
        decimals: u8,
    },
    OldTime {
        decimals: u8,
    },
    OldDateTime {
        decimals: u8,
    },
    OldTimestamp {
        decimals: u8,
    },
    Text {
        length_bytes: u8,
        charset: Charset,
    },
    Bytes {
        length_bytes: u8,
        pad_to: usize,
    },
    CompressedText {
        length_bytes: u8,
        charset: Charset,
    },
    CompressedBytes {
        length_bytes: u8,
    },
    Enum {
        len: usize,
        labels: Arc<Labels>,
    },
    Set {
        len: usize,
        labels: Arc<Labels>,
    },
    Json {
        length_bytes: u8,
        documents: Documents,
    },
    Geometry {
        length_bytes: u8,
        axes: Axes,
    },
    Vector {
        length_bytes: u8,
    },
    Uuid,
    Inet4,
    Inet6,
    /// Skipped: no value is made of it.
    Skipped {
        format: ColumnFormat,
        old_decimals: u8,
    },
}

/// Receives a value.
///
/// A trait, not only closures, because its method can be inlined into [`ColumnReader::read`]: the match on the column's type
/// then also decides how the value is written. That saves an eighth of the instructions.
pub trait ReceiveValue {
    fn receive(self, value: Value<'_>) -> Result<(), Malformed>;
}

impl<F: FnOnce(Value<'_>) -> Result<(), Malformed>> ReceiveValue for F {
    fn receive(self, value: Value<'_>) -> Result<(), Malformed> {
        self(value)
    }
}

impl ColumnReader {
    /// Joins a format and a type; `None` if they do not fit: the table was altered after the rows were written.
    pub fn join(format: ColumnFormat, kind: &ColumnType, dialect: Dialect) -> Option<ColumnReader> {
        let reader = match kind {
            ColumnType::Int { bytes, unsigned } if format == (ColumnFormat::Int { bytes: *bytes }) => {
                int(*bytes, *unsigned)?
            }
            ColumnType::Year { .. } if format == ColumnFormat::Year => Self::Year,
            ColumnType::Bit { bits } if format == (ColumnFormat::Bit { bits: *bits }) => {
                Self::Bit { len: usize::from(*bits).div_ceil(8) }
            }
            ColumnType::Decimal(decimal) if format == ColumnFormat::Decimal(*decimal) => {
                Self::Decimal { precision: *decimal, len: decimal.packed_len() }
            }
            ColumnType::Float if format == ColumnFormat::Float => Self::Float,
            ColumnType::Double if format == ColumnFormat::Double => Self::Double,
            ColumnType::Date if format == ColumnFormat::Date => Self::Date,
            ColumnType::Time { decimals } => time(format, *decimals)?,
            ColumnType::DateTime { decimals } => datetime(format, *decimals)?,
            ColumnType::Timestamp { decimals } => timestamp(format, *decimals)?,
            ColumnType::Text { charset } => text(format, *charset)?,
            ColumnType::Bytes { padded } => binary(format, *padded)?,
            ColumnType::Enum(labels) => match format {
                ColumnFormat::Enum { bytes } => Self::Enum { len: bytes.into(), labels: labels.clone() },
                _ => return None,
            },
            ColumnType::Set(labels) => match format {
                ColumnFormat::Set { bytes } => Self::Set { len: bytes.into(), labels: labels.clone() },
                _ => return None,
            },
            ColumnType::Json => match format {
                ColumnFormat::Json { length_bytes } => {
                    Self::Json { length_bytes, documents: dialect.documents }
                }
                _ => return None,
            },
            ColumnType::Geometry => match format {
                ColumnFormat::Geometry { length_bytes }
                | ColumnFormat::Blob { length_bytes, compressed: false } => {
                    Self::Geometry { length_bytes, axes: dialect.axes }
                }
                _ => return None,
            },
            ColumnType::Vector => match format {
                ColumnFormat::Vector { length_bytes } => Self::Vector { length_bytes },
                // MariaDB logs a VECTOR as VARBINARY.
                ColumnFormat::Varchar { max, compressed: false } => {
                    Self::Vector { length_bytes: string_length_bytes(max) }
                }
                _ => return None,
            },
            ColumnType::Uuid if format == (ColumnFormat::String { max: 16 }) => Self::Uuid,
            ColumnType::Inet6 if format == (ColumnFormat::String { max: 16 }) => Self::Inet6,
            ColumnType::Inet4 if format == (ColumnFormat::String { max: 4 }) => Self::Inet4,
            ColumnType::Int { .. }
            | ColumnType::Year { .. }
            | ColumnType::Bit { .. }
            | ColumnType::Decimal(_)
            | ColumnType::Float
            | ColumnType::Double
            | ColumnType::Date
            | ColumnType::Uuid
            | ColumnType::Inet4
            | ColumnType::Inet6 => return None,
        };
        Some(reader)
    }

    /// Reads the next value and hands it to `receiver`. `inflated` is a buffer for a compressed column.
    #[inline(always)]
    pub fn read(
        &self,
        bytes: &mut Bytes<'_>,
        inflated: &mut Vec<u8>,
        receiver: impl ReceiveValue,
    ) -> Result<(), Malformed> {
        match *self {
            Self::I8 => receiver.receive(Value::Int((bytes.u8()? as i8).into())),
            Self::U8 => receiver.receive(Value::UInt(bytes.u8()?.into())),
            Self::I16 => receiver.receive(Value::Int((bytes.u16()? as i16).into())),
            Self::U16 => receiver.receive(Value::UInt(bytes.u16()?.into())),
            // Bit 23 is the sign.
            Self::I24 => receiver.receive(Value::Int((((bytes.u24()? << 8) as i32) >> 8).into())),
            Self::U24 => receiver.receive(Value::UInt(bytes.u24()?.into())),
            Self::I32 => receiver.receive(Value::Int((bytes.u32()? as i32).into())),
            Self::U32 => receiver.receive(Value::UInt(bytes.u32()?.into())),
            Self::I64 => receiver.receive(Value::Int(bytes.u64()? as i64)),
            Self::U64 => receiver.receive(Value::UInt(bytes.u64()?)),
            Self::Float => receiver.receive(Value::Float(f32::from_bits(bytes.u32()?))),
            Self::Double => receiver.receive(Value::Double(f64::from_bits(bytes.u64()?))),
            Self::Decimal { precision, len } => {
                receiver.receive(Value::PackedDecimal { bytes: bytes.take(len)?, precision })
            }
            Self::Year => receiver.receive(Value::UInt(year(bytes.u8()?))),
            Self::Bit { len } => receiver.receive(Value::UInt(big_endian(bytes.take(len)?))),
            Self::Date => receiver.receive(Value::Date(date(bytes.u24()?))),
            Self::Time { decimals } => receiver.receive(Value::Time(time_value(bytes, decimals)?)),
            Self::DateTime { decimals } => {
                receiver.receive(Value::DateTime(datetime_value(bytes, decimals)?))
            }
            Self::Timestamp { decimals } => {
                receiver.receive(Value::DateTime(timestamp_value(bytes, decimals)?))
            }
            Self::OldTime { decimals } => receiver.receive(Value::Time(old_temporal::time(bytes, decimals)?)),
            Self::OldDateTime { decimals } => {
                receiver.receive(Value::DateTime(old_temporal::datetime(bytes, decimals)?))
            }
            Self::OldTimestamp { decimals } => {
                receiver.receive(Value::DateTime(old_temporal::timestamp(bytes, decimals)?))
            }
            Self::Text { length_bytes, charset } => {
                receiver.receive(Value::Text { bytes: prefixed(bytes, length_bytes)?, charset })
            }
            Self::Bytes { length_bytes, pad_to } => {
                receiver.receive(Value::Bytes { bytes: prefixed(bytes, length_bytes)?, pad_to })
            }
            Self::CompressedText { length_bytes, charset } => {
                receiver.receive(Value::Text { bytes: uncompressed(bytes, length_bytes, inflated)?, charset })
            }
            Self::CompressedBytes { length_bytes } => receiver
                .receive(Value::Bytes { bytes: uncompressed(bytes, length_bytes, inflated)?, pad_to: 0 }),
            Self::Enum { len, ref labels } => {
                receiver.receive(Value::Label(labels.of_index(bytes.uint(len)?)?))
            }
            Self::Set { len, ref labels } => receiver.receive(Value::Set { bits: bytes.uint(len)?, labels }),
            Self::Json { length_bytes, documents } => {
                receiver.receive(Value::JsonBinary { bytes: prefixed(bytes, length_bytes)?, documents })
            }
            Self::Geometry { length_bytes, axes } => {
                receiver.receive(Value::Geometry { bytes: prefixed(bytes, length_bytes)?, axes })
            }
            Self::Vector { length_bytes } => receiver.receive(Value::Vector(prefixed(bytes, length_bytes)?)),
            // The log has the bytes in the order of the text, unlike MariaDB's records (`pack` in `sql_type_uuid.h`).
            Self::Uuid => receiver.receive(Value::Uuid(padded(bytes)?)),
            Self::Inet4 => receiver.receive(Value::Inet4(padded(bytes)?)),
            Self::Inet6 => receiver.receive(Value::Inet6(padded(bytes)?)),
            Self::Skipped { format, old_decimals } => skip(format, bytes, old_decimals),
        }
    }
}

/// YEAR 0000 is stored as 0, any other year as its distance from 1900.
fn year(byte: u8) -> u64 {
    if byte == 0 { 0 } else { 1900 + u64::from(byte) }
}

/// Not inlined: most tables have no such column.
#[inline(never)]
fn skip(format: ColumnFormat, bytes: &mut Bytes<'_>, old_decimals: u8) -> Result<(), Malformed> {
    format.skip(bytes, old_decimals)
}

fn int(bytes: u8, unsigned: bool) -> Option<ColumnReader> {
    Some(match (bytes, unsigned) {
        (1, false) => ColumnReader::I8,
        (1, true) => ColumnReader::U8,
        (2, false) => ColumnReader::I16,
        (2, true) => ColumnReader::U16,
        (3, false) => ColumnReader::I24,
        (3, true) => ColumnReader::U24,
        (4, false) => ColumnReader::I32,
        (4, true) => ColumnReader::U32,
        (8, false) => ColumnReader::I64,
        (8, true) => ColumnReader::U64,
        _ => return None,
    })
}

fn time(format: ColumnFormat, decimals: u8) -> Option<ColumnReader> {
    match format {
        ColumnFormat::Time { decimals: d } if d == decimals => Some(ColumnReader::Time { decimals }),
        ColumnFormat::OldTime => Some(ColumnReader::OldTime { decimals }),
        _ => None,
    }
}

fn datetime(format: ColumnFormat, decimals: u8) -> Option<ColumnReader> {
    match format {
        ColumnFormat::DateTime { decimals: d } if d == decimals => Some(ColumnReader::DateTime { decimals }),
        ColumnFormat::OldDateTime => Some(ColumnReader::OldDateTime { decimals }),
        _ => None,
    }
}

fn timestamp(format: ColumnFormat, decimals: u8) -> Option<ColumnReader> {
    match format {
        ColumnFormat::Timestamp { decimals: d } if d == decimals => {
            Some(ColumnReader::Timestamp { decimals })
        }
        ColumnFormat::OldTimestamp => Some(ColumnReader::OldTimestamp { decimals }),
        _ => None,
    }
}

/// How many bytes a string's length has, and whether the string is compressed.
fn string_length(format: ColumnFormat) -> Option<(u8, bool)> {
    match format {
        ColumnFormat::String { max } => Some((string_length_bytes(max), false)),
        ColumnFormat::Varchar { max, compressed } => Some((string_length_bytes(max), compressed)),
        ColumnFormat::Blob { length_bytes, compressed } => Some((length_bytes, compressed)),
        _ => None,
    }
}

fn text(format: ColumnFormat, charset: Charset) -> Option<ColumnReader> {
    string_length(format).map(|(length_bytes, compressed)| {
        if compressed {
            ColumnReader::CompressedText { length_bytes, charset }
        } else {
            ColumnReader::Text { length_bytes, charset }
        }
    })
}

fn binary(format: ColumnFormat, padded: bool) -> Option<ColumnReader> {
    let is_char = matches!(format, ColumnFormat::String { .. });
    if is_char != padded {
        return None;
    }
    let pad_to = match format {
        ColumnFormat::String { max } => max.into(),
        _ => 0,
    };
    string_length(format).map(|(length_bytes, compressed)| {
        if compressed {
            ColumnReader::CompressedBytes { length_bytes }
        } else {
            ColumnReader::Bytes { length_bytes, pad_to }
        }
    })
}

#[inline]
fn prefixed<'a>(bytes: &mut Bytes<'a>, length_bytes: u8) -> Result<&'a [u8], Malformed> {
    let len = match length_bytes {
        1 => bytes.u8()?.into(),
        2 => bytes.u16()?.into(),
        _ => bytes.uint(length_bytes.into())? as usize,
    };
    bytes.take(len)
}

/// The value of a compressed column.
fn uncompressed<'a: 'b, 'b>(
    bytes: &mut Bytes<'a>,
    length_bytes: u8,
    inflated: &'b mut Vec<u8>,
) -> Result<&'b [u8], Malformed> {
    compressed::column(prefixed(bytes, length_bytes)?, inflated)
}

/// A value of fixed length, whose trailing zero bytes are not logged.
fn padded<const N: usize>(bytes: &mut Bytes<'_>) -> Result<[u8; N], Malformed> {
    let given = prefixed(bytes, 1)?;
    let mut whole = [0; N];
    let head = whole.get_mut(..given.len());
    head.ok_or(Malformed("a value is longer than its type"))?.copy_from_slice(given);
    Ok(whole)
}

fn date(packed: u32) -> Date {
    Date { year: (packed >> 9) as u16, month: (packed >> 5 & 15) as u8, day: (packed & 31) as u8 }
}

/// Parts and fraction form one number, with half its range added. In a negative time the parts borrow from the fraction;
/// the magnitude of the whole number undoes that.
fn time_value(bytes: &mut Bytes<'_>, decimals: u8) -> Result<Time, Malformed> {
    let extra = fraction_len(decimals);
    let raw = big_endian(bytes.take(3 + extra)?) as i64;
    let signed = raw - (0x80_0000 << (8 * extra));
    let magnitude = signed.unsigned_abs();
    let parts = magnitude >> (8 * extra);
    let fraction_bytes = magnitude.to_be_bytes();
    let micros = fraction(&mut Bytes(fraction_bytes.get(8 - extra..).unwrap_or_default()), decimals)?;
    Ok(Time {
        negative: signed < 0,
        hours: (parts >> 12 & 0x3ff) as u16,
        minutes: (parts >> 6 & 63) as u8,
        seconds: (parts & 63) as u8,
        micros,
        decimals,
    })
}

#[inline(always)]
fn timestamp_value(bytes: &mut Bytes<'_>, decimals: u8) -> Result<DateTime, Malformed> {
    let seconds = u32::from_be_bytes(bytes.array()?);
    Ok(DateTime::from_unix(seconds, fraction(bytes, decimals)?, decimals))
}

/// Bits: 1 sign (always set), 17 year × 13 + month, 5 day, 5 hour, 6 minute, 6 second.
#[inline(always)]
fn datetime_value(bytes: &mut Bytes<'_>, decimals: u8) -> Result<DateTime, Malformed> {
    let [a, b, c, d, e] = bytes.array()?;
    let packed = u64::from_be_bytes([0, 0, 0, a & 0x7f, b, c, d, e]);
    let micros = fraction(bytes, decimals)?;
    let year_month = packed >> 22;
    Ok(DateTime {
        date: Date {
            year: (year_month / 13) as u16,
            month: (year_month % 13) as u8,
            day: (packed >> 17 & 31) as u8,
        },
        hour: (packed >> 12 & 31) as u8,
        minute: (packed >> 6 & 63) as u8,
        second: (packed & 63) as u8,
        micros,
        decimals,
        utc: false,
    })
}

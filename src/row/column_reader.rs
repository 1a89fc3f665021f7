//! One column of a layout: its packing and its kind, joined once, so that reading a value is one
//! match.

use std::sync::Arc;

use super::old_temporal;
use crate::binlog::column_format::{ColumnFormat, string_length_bytes, varchar_length_bytes};
use crate::binlog::compressed;
use crate::bytes::Bytes;
use crate::bytes::Malformed;
use crate::value::geometry::Axes;
use crate::value::temporal::{fraction, fraction_len};
use crate::value::{Charset, Date, DateTime, Dialect, Documents, Kind, Labels, Time, Value, decimal};

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
        format: decimal::Format,
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
    /// Of no interest: nothing is given away.
    Passed {
        wire: ColumnFormat,
        old_decimals: u8,
    },
}

/// What is done with a value.
///
/// A trait beside closures, because a method can be made part of its caller: then what a cell is, is asked
/// once, and not again when its value is written. That is an eighth of the work.
pub trait Take {
    fn take(self, value: Value<'_>) -> Result<(), Malformed>;
}

impl<F: FnOnce(Value<'_>) -> Result<(), Malformed>> Take for F {
    fn take(self, value: Value<'_>) -> Result<(), Malformed> {
        self(value)
    }
}

impl ColumnReader {
    /// Joins a packing and a kind; `None` where they cannot belong to the same column, which is
    /// how a table that was altered since is found out.
    pub fn join(wire: ColumnFormat, kind: &Kind, dialect: Dialect) -> Option<ColumnReader> {
        let cell = match kind {
            Kind::Int { bytes, unsigned } if wire == (ColumnFormat::Int { bytes: *bytes }) => {
                int(*bytes, *unsigned)?
            }
            Kind::Year { .. } if wire == ColumnFormat::Year => ColumnReader::Year,
            Kind::Bit { bits } if wire == (ColumnFormat::Bit { bits: *bits }) => {
                ColumnReader::Bit { len: usize::from(*bits).div_ceil(8) }
            }
            Kind::Decimal(format) if wire == ColumnFormat::Decimal(*format) => {
                ColumnReader::Decimal { format: *format, len: format.packed_len() }
            }
            Kind::Float if wire == ColumnFormat::Float => ColumnReader::Float,
            Kind::Double if wire == ColumnFormat::Double => ColumnReader::Double,
            Kind::Date if wire == ColumnFormat::Date => ColumnReader::Date,
            Kind::Time { decimals } => time(wire, *decimals)?,
            Kind::DateTime { decimals } => datetime(wire, *decimals)?,
            Kind::Timestamp { decimals } => timestamp(wire, *decimals)?,
            Kind::Text { charset } => text(wire, *charset)?,
            Kind::Bytes { padded } => binary(wire, *padded)?,
            Kind::Enum(labels) => match wire {
                ColumnFormat::Enum { bytes } => {
                    ColumnReader::Enum { len: bytes.into(), labels: labels.clone() }
                }
                _ => return None,
            },
            Kind::Set(labels) => match wire {
                ColumnFormat::Set { bytes } => {
                    ColumnReader::Set { len: bytes.into(), labels: labels.clone() }
                }
                _ => return None,
            },
            Kind::Json => match wire {
                ColumnFormat::Json { length_bytes } => {
                    ColumnReader::Json { length_bytes, documents: dialect.documents }
                }
                _ => return None,
            },
            Kind::Geometry => match wire {
                ColumnFormat::Geometry { length_bytes }
                | ColumnFormat::Blob { length_bytes, compressed: false } => {
                    ColumnReader::Geometry { length_bytes, axes: dialect.axes }
                }
                _ => return None,
            },
            Kind::Vector => match wire {
                ColumnFormat::Vector { length_bytes } => ColumnReader::Vector { length_bytes },
                // MariaDB's VECTOR travels as a VARBINARY.
                ColumnFormat::Varchar { max, compressed: false } => {
                    ColumnReader::Vector { length_bytes: varchar_length_bytes(max, false) }
                }
                _ => return None,
            },
            Kind::Uuid if wire == (ColumnFormat::String { max: 16 }) => ColumnReader::Uuid,
            Kind::Inet6 if wire == (ColumnFormat::String { max: 16 }) => ColumnReader::Inet6,
            Kind::Inet4 if wire == (ColumnFormat::String { max: 4 }) => ColumnReader::Inet4,
            Kind::Int { .. }
            | Kind::Year { .. }
            | Kind::Bit { .. }
            | Kind::Decimal(_)
            | Kind::Float
            | Kind::Double
            | Kind::Date
            | Kind::Uuid
            | Kind::Inet4
            | Kind::Inet6 => return None,
        };
        Some(cell)
    }

    /// Reads the next value, and gives it away. `inflated` holds the bytes of a compressed column
    /// meanwhile.
    #[inline(always)]
    pub fn read(
        &self,
        bytes: &mut Bytes<'_>,
        inflated: &mut Vec<u8>,
        taker: impl Take,
    ) -> Result<(), Malformed> {
        match *self {
            ColumnReader::I8 => taker.take(Value::Int((bytes.u8()? as i8).into())),
            ColumnReader::U8 => taker.take(Value::UInt(bytes.u8()?.into())),
            ColumnReader::I16 => taker.take(Value::Int((bytes.u16()? as i16).into())),
            ColumnReader::U16 => taker.take(Value::UInt(bytes.u16()?.into())),
            // The sign stands in bit 23.
            ColumnReader::I24 => taker.take(Value::Int((((bytes.u24()? << 8) as i32) >> 8).into())),
            ColumnReader::U24 => taker.take(Value::UInt(bytes.u24()?.into())),
            ColumnReader::I32 => taker.take(Value::Int((bytes.u32()? as i32).into())),
            ColumnReader::U32 => taker.take(Value::UInt(bytes.u32()?.into())),
            ColumnReader::I64 => taker.take(Value::Int(bytes.u64()? as i64)),
            ColumnReader::U64 => taker.take(Value::UInt(bytes.u64()?)),
            ColumnReader::Float => taker.take(Value::Float(f32::from_bits(bytes.u32()?))),
            ColumnReader::Double => taker.take(Value::Double(f64::from_bits(bytes.u64()?))),
            ColumnReader::Decimal { format, len } => {
                taker.take(Value::PackedDecimal { bytes: bytes.take(len)?, format })
            }
            ColumnReader::Year => taker.take(Value::UInt(year(bytes.u8()?))),
            ColumnReader::Bit { len } => taker.take(Value::UInt(big_endian(bytes.take(len)?))),
            ColumnReader::Date => taker.take(Value::Date(date(bytes.u24()?))),
            ColumnReader::Time { decimals } => taker.take(Value::Time(time_value(bytes, decimals)?)),
            ColumnReader::DateTime { decimals } => {
                taker.take(Value::DateTime(datetime_value(bytes, decimals)?))
            }
            ColumnReader::Timestamp { decimals } => {
                let seconds = u32::from_be_bytes(bytes.array()?);
                let micros = fraction(bytes, decimals)?;
                taker.take(Value::DateTime(DateTime::from_unix(seconds, micros, decimals)))
            }
            ColumnReader::OldTime { decimals } => {
                taker.take(Value::Time(old_temporal::time(bytes, decimals)?))
            }
            ColumnReader::OldDateTime { decimals } => {
                taker.take(Value::DateTime(old_temporal::datetime(bytes, decimals)?))
            }
            ColumnReader::OldTimestamp { decimals } => {
                taker.take(Value::DateTime(old_temporal::timestamp(bytes, decimals)?))
            }
            ColumnReader::Text { length_bytes, charset } => {
                taker.take(Value::Text { bytes: prefixed(bytes, length_bytes)?, charset })
            }
            ColumnReader::Bytes { length_bytes, pad_to } => {
                taker.take(Value::Bytes { bytes: prefixed(bytes, length_bytes)?, pad_to })
            }
            ColumnReader::CompressedText { length_bytes, charset } => {
                let bytes = compressed::column(prefixed(bytes, length_bytes)?, inflated)?;
                taker.take(Value::Text { bytes, charset })
            }
            ColumnReader::CompressedBytes { length_bytes } => {
                let bytes = compressed::column(prefixed(bytes, length_bytes)?, inflated)?;
                taker.take(Value::Bytes { bytes, pad_to: 0 })
            }
            ColumnReader::Enum { len, ref labels } => {
                taker.take(Value::Label(labels.of_index(bytes.uint(len)?)?))
            }
            ColumnReader::Set { len, ref labels } => {
                taker.take(Value::Set { bits: bytes.uint(len)?, labels })
            }
            ColumnReader::Json { length_bytes, documents } => {
                taker.take(Value::JsonBinary { bytes: prefixed(bytes, length_bytes)?, documents })
            }
            ColumnReader::Geometry { length_bytes, axes } => {
                taker.take(Value::Geometry { bytes: prefixed(bytes, length_bytes)?, axes })
            }
            ColumnReader::Vector { length_bytes } => {
                taker.take(Value::Vector(prefixed(bytes, length_bytes)?))
            }
            // In the order of its text, not of MariaDB's record (`sql_type_uuid.h`, `pack`).
            ColumnReader::Uuid => taker.take(Value::Uuid(padded(bytes)?)),
            ColumnReader::Inet4 => taker.take(Value::Inet4(padded(bytes)?)),
            ColumnReader::Inet6 => taker.take(Value::Inet6(padded(bytes)?)),
            ColumnReader::Passed { wire, old_decimals } => pass(wire, bytes, old_decimals),
        }
    }
}

/// A YEAR of 0000 is not 1900.
fn year(byte: u8) -> u64 {
    if byte == 0 { 0 } else { 1900 + u64::from(byte) }
}

/// Not made part of its caller: most tables have no such column.
#[inline(never)]
fn pass(wire: ColumnFormat, bytes: &mut Bytes<'_>, old_decimals: u8) -> Result<(), Malformed> {
    wire.skip(bytes, old_decimals)
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

fn time(wire: ColumnFormat, decimals: u8) -> Option<ColumnReader> {
    match wire {
        ColumnFormat::Time { decimals: d } if d == decimals => Some(ColumnReader::Time { decimals }),
        ColumnFormat::OldTime => Some(ColumnReader::OldTime { decimals }),
        _ => None,
    }
}

fn datetime(wire: ColumnFormat, decimals: u8) -> Option<ColumnReader> {
    match wire {
        ColumnFormat::DateTime { decimals: d } if d == decimals => Some(ColumnReader::DateTime { decimals }),
        ColumnFormat::OldDateTime => Some(ColumnReader::OldDateTime { decimals }),
        _ => None,
    }
}

fn timestamp(wire: ColumnFormat, decimals: u8) -> Option<ColumnReader> {
    match wire {
        ColumnFormat::Timestamp { decimals: d } if d == decimals => {
            Some(ColumnReader::Timestamp { decimals })
        }
        ColumnFormat::OldTimestamp => Some(ColumnReader::OldTimestamp { decimals }),
        _ => None,
    }
}

/// Bytes of the length before a string, and whether the string is compressed.
fn string_length(wire: ColumnFormat) -> Option<(u8, bool)> {
    match wire {
        ColumnFormat::String { max } => Some((string_length_bytes(max), false)),
        ColumnFormat::Varchar { max, compressed } => {
            Some((varchar_length_bytes(max, compressed), compressed))
        }
        ColumnFormat::Blob { length_bytes, compressed } => Some((length_bytes, compressed)),
        _ => None,
    }
}

fn text(wire: ColumnFormat, charset: Charset) -> Option<ColumnReader> {
    string_length(wire).map(|(length_bytes, compressed)| {
        if compressed {
            ColumnReader::CompressedText { length_bytes, charset }
        } else {
            ColumnReader::Text { length_bytes, charset }
        }
    })
}

fn binary(wire: ColumnFormat, padded: bool) -> Option<ColumnReader> {
    let is_char = matches!(wire, ColumnFormat::String { .. });
    if is_char != padded {
        return None;
    }
    let pad_to = match wire {
        ColumnFormat::String { max } => max.into(),
        _ => 0,
    };
    string_length(wire).map(|(length_bytes, compressed)| {
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

/// A fixed string whose trailing zero bytes the log cut off.
fn padded<const N: usize>(bytes: &mut Bytes<'_>) -> Result<[u8; N], Malformed> {
    let given = prefixed(bytes, 1)?;
    let mut whole = [0; N];
    let head = whole.get_mut(..given.len());
    head.ok_or(Malformed("a value is longer than its type"))?.copy_from_slice(given);
    Ok(whole)
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

fn date(packed: u32) -> Date {
    Date { year: (packed >> 9) as u16, month: (packed >> 5 & 15) as u8, day: (packed & 31) as u8 }
}

/// The whole number is the time's parts and its fraction, with half its range added: negative
/// times borrow from the fraction, which taking the magnitude of the whole undoes.
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

/// 1 bit sign (always set), 17 bits year × 13 + month, 5 day, 5 hour, 6 minute, 6 second.
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

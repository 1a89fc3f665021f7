//! Values of columns, and their JSON.
//!
//! Row images of the binary log and rows of a query's result are both decoded into [`Value`], and only [`Value::write`]
//! prints one. That is why a type prints the same from `load` and `tail`.

pub mod charset;
pub mod column_type;
pub mod decimal;
pub mod dialect;
pub mod digits;
pub mod geometry;
pub mod internet;
pub mod json;
pub mod temporal;
pub mod text;

use base64::Engine;

use crate::bytes::Malformed;
pub use charset::Charset;
pub use column_type::{ColumnType, Label, Labels};
pub use dialect::{ByteStrings, Dialect, Documents, WholeDoubles};
pub use temporal::{Date, DateTime, Time};

/// How numbers and zero dates are printed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// DECIMAL as a JSON number instead of a string.
    pub decimal_as_number: bool,
    /// Integers beyond 2^53 as strings instead of numbers.
    pub big_int_as_string: bool,
    /// A zero date as its text instead of null.
    pub zero_date_as_string: bool,
}

/// A value, borrowed from the server's bytes.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    Null,
    Int(i64),
    UInt(u64),
    Float(f32),
    Double(f64),
    /// DECIMAL in the packed form of a row image.
    PackedDecimal {
        bytes: &'a [u8],
        precision: decimal::Precision,
    },
    /// DECIMAL as the server's text.
    DecimalText(&'a [u8]),
    Text {
        bytes: &'a [u8],
        charset: Charset,
    },
    /// Binary bytes, to be padded with zero bytes to length `pad_to`, if that is not 0.
    Bytes {
        bytes: &'a [u8],
        pad_to: usize,
    },
    /// A member of an ENUM.
    Label(&'a Label),
    /// Members of a SET, lowest bit first.
    Set {
        bits: u64,
        labels: &'a Labels,
    },
    Date(Date),
    DateTime(DateTime),
    Time(Time),
    /// MySQL's binary JSON.
    JsonBinary {
        bytes: &'a [u8],
        documents: Documents,
    },
    /// A document in binary JSON, and diffs to apply to it.
    JsonDiffs {
        before: &'a [u8],
        diffs: &'a [u8],
        documents: Documents,
    },
    /// A JSON document as the server's text.
    JsonText(&'a [u8]),
    /// SRID and well-known binary.
    Geometry {
        bytes: &'a [u8],
        axes: geometry::Axes,
    },
    /// 32-bit floats, little-endian.
    Vector(&'a [u8]),
    /// ASCII text: UUID, INET4, INET6 in a query's result.
    Ascii(&'a [u8]),
    Uuid([u8; 16]),
    Inet4([u8; 4]),
    Inet6([u8; 16]),
}

/// Up to here every integer is exact in a 64-bit float: 2^53.
const EXACT_IN_DOUBLE: u64 = 1 << 53;
/// Smaller floats print without a positive exponent.
const LARGE: f64 = 1e10;

impl Value<'_> {
    /// Appends the value's JSON.
    #[inline(always)]
    pub fn write(&self, style: Style, out: &mut Vec<u8>) -> Result<(), Malformed> {
        match *self {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Int(n) => {
                let quoted = style.big_int_as_string && n.unsigned_abs() > EXACT_IN_DOUBLE;
                mark(quoted, out);
                digits::signed(n, out);
                mark(quoted, out);
            }
            Value::UInt(n) => {
                let quoted = style.big_int_as_string && n > EXACT_IN_DOUBLE;
                mark(quoted, out);
                digits::unsigned(n, out);
                mark(quoted, out);
            }
            Value::Float(n) if n.is_finite() => {
                float(zmij::Buffer::new().format_finite(n), n.abs() >= LARGE as f32, out);
            }
            Value::Double(n) if n.is_finite() => {
                float(zmij::Buffer::new().format_finite(n), n.abs() >= LARGE, out);
            }
            Value::Float(_) | Value::Double(_) => {
                return Err(Malformed("it is not a finite number, which JSON cannot hold"));
            }
            Value::PackedDecimal { bytes, precision } => {
                quote(!style.decimal_as_number, out, |out| decimal::unpack(bytes, precision, out))?;
            }
            Value::DecimalText(text) => {
                quote(!style.decimal_as_number, out, |out| decimal::text(text, out))?;
            }
            Value::Text { bytes, charset } => quote(true, out, |out| charset.escape(bytes, out))?,
            Value::Bytes { bytes, pad_to } => quote(true, out, |out| base64(bytes, pad_to, out))?,
            Value::Label(label) => label.json()?.append(out),
            Value::Set { bits, labels } => labels.write_set(bits, out)?,
            Value::Date(date) => date.write(style.zero_date_as_string, out),
            Value::DateTime(at) => at.write(style.zero_date_as_string, out),
            Value::Time(time) => time.write(out),
            Value::JsonBinary { bytes, documents } => json::write_binary(bytes, documents, out)?,
            Value::JsonDiffs { before, diffs, documents } => {
                json::write_with_diffs(before, diffs, documents, out)?;
            }
            Value::JsonText(text) => json::write_text(text, out)?,
            Value::Geometry { bytes, axes } => geometry::write(bytes, axes, out)?,
            Value::Vector(bytes) => vector(bytes, out)?,
            Value::Ascii(text) => quote(true, out, |out| {
                text::escape(text, out);
                Ok(())
            })?,
            Value::Uuid(uuid) => quote(true, out, |out| {
                text::uuid(uuid, out);
                Ok(())
            })?,
            Value::Inet4(address) => internet::v4(address, out),
            Value::Inet6(address) => internet::v6(address, out),
        }
        Ok(())
    }
}

/// Appends a float's text without the `+` of a positive exponent: `1e22`.
#[inline]
fn float(text: &str, is_large: bool, out: &mut Vec<u8>) {
    let (digits, exponent) = if is_large { text.split_once('+').unwrap_or((text, "")) } else { (text, "") };
    out.extend_from_slice(digits.as_bytes());
    out.extend_from_slice(exponent.as_bytes());
}

#[inline(always)]
fn quote<T>(quoted: bool, out: &mut Vec<u8>, inner: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    mark(quoted, out);
    let result = inner(out);
    mark(quoted, out);
    result
}

/// Appends a quotation mark, if the value is quoted.
#[inline(always)]
fn mark(quoted: bool, out: &mut Vec<u8>) {
    if quoted {
        out.push(b'"');
    }
}

/// Appends bytes as base64, after restoring the trailing zero bytes that the log omits.
fn base64(bytes: &[u8], pad_to: usize, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let engine = &base64::engine::general_purpose::STANDARD;
    let append = |bytes: &[u8], out: &mut Vec<u8>| {
        let start = out.len();
        // Four characters for three bytes, rounded up.
        out.resize(start + bytes.len().div_ceil(3) * 4, 0);
        engine
            .encode_slice(bytes, &mut out[start..])
            .map(|len| out.truncate(start + len))
            .map_err(|_| Malformed("base64 of these bytes does not fit"))
    };
    if bytes.len() >= pad_to {
        return append(bytes, out);
    }
    // BINARY(n) has at most 255 bytes.
    let mut padded = [0u8; 255];
    let whole = padded.get_mut(..pad_to).ok_or(Malformed("a BINARY is longer than 255 bytes"))?;
    whole[..bytes.len()].copy_from_slice(bytes);
    append(whole, out)
}

fn vector(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (floats, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Malformed("a VECTOR does not end with a whole number"));
    }
    out.push(b'[');
    for (i, float) in floats.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        Value::Float(f32::from_le_bytes(*float)).write(Style::default(), out)?;
    }
    out.push(b']');
    Ok(())
}

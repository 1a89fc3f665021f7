//! Opaque values: values in a JSON document that JSON has no type for, as the server prints them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::bytes::Malformed;
use crate::value::{decimal, digits, text};

pub const TIMESTAMP: u8 = 7;
pub const DATE: u8 = 10;
pub const TIME: u8 = 11;
pub const DATETIME: u8 = 12;
pub const NEWDECIMAL: u8 = 246;
pub const VAR_STRING: u8 = 253;

/// Bytes per line of base64: the server breaks lines after 76 characters.
const LINE: usize = 57;

const DECIMAL: Malformed = Malformed("a decimal in a JSON document is damaged");
const TEMPORAL: Malformed = Malformed("a date or time in a JSON document is damaged");

/// Appends `"base64:type252:…"`.
pub fn base64(field_type: u8, data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"base64:type");
    digits::unsigned(field_type.into(), out);
    out.push(b':');
    for (at, line) in data.chunks(LINE).enumerate() {
        if at > 0 {
            text::escape_byte(b'\n', out);
        }
        let mut encoded = [0u8; LINE.div_ceil(3) * 4];
        // The buffer has the length of a line, so this cannot fail.
        let len = STANDARD.encode_slice(line, &mut encoded).unwrap_or(0);
        out.extend_from_slice(encoded.get(..len).unwrap_or_default());
    }
    out.push(b'"');
}

/// Appends a decimal: digits and scale, a byte each, then the packed form.
pub fn decimal(data: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (&[digits, scale], bytes) = data.split_first_chunk().ok_or(DECIMAL)?;
    // Not `Precision::new`: a computed decimal may have more digits than a column can.
    let precision = decimal::Precision { digits, scale };
    if scale > digits || bytes.len() != precision.packed_len() {
        return Err(DECIMAL);
    }
    decimal::unpack(bytes, precision, out)
}

/// Appends `"-838:59:59.000000"`.
pub fn time(packed: [u8; 8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let packed = i64::from_le_bytes(packed);
    out.push(b'"');
    if packed < 0 {
        out.push(b'-');
    }
    let packed = packed.unsigned_abs();
    clock(packed, (packed >> 36) & 0x3ff, out)?;
    out.push(b'"');
    Ok(())
}

/// Appends `"2015-01-15"`.
pub fn date(packed: [u8; 8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    out.push(b'"');
    calendar(i64::from_le_bytes(packed).unsigned_abs(), out)?;
    out.push(b'"');
    Ok(())
}

/// Appends `"2015-01-15 23:24:25.000000"`.
pub fn datetime(packed: [u8; 8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let packed = i64::from_le_bytes(packed).unsigned_abs();
    out.push(b'"');
    calendar(packed, out)?;
    out.push(b' ');
    clock(packed, (packed >> 36) & 0x1f, out)?;
    out.push(b'"');
    Ok(())
}

/// Bits from the lowest: 24 microseconds, 6 seconds, 6 minutes, 5 hours (in a TIME 10), 5 day, then year × 13 + month.
fn calendar(packed: u64, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (day, months) = ((packed >> 41) & 0x1f, packed >> 46);
    padded(months / 13, 4, out)?;
    out.push(b'-');
    padded(months % 13, 2, out)?;
    out.push(b'-');
    padded(day, 2, out)
}

fn clock(packed: u64, hour: u64, out: &mut Vec<u8>) -> Result<(), Malformed> {
    padded(hour, if hour < 100 { 2 } else { 3 }, out)?;
    out.push(b':');
    padded((packed >> 30) & 0x3f, 2, out)?;
    out.push(b':');
    padded((packed >> 24) & 0x3f, 2, out)?;
    out.push(b'.');
    padded(packed & 0xff_ffff, 6, out)
}

fn padded(mut value: u64, width: usize, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut digits = [b'0'; 8];
    for digit in digits.iter_mut().take(width).rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
    if value != 0 {
        return Err(TEMPORAL);
    }
    out.extend(digits.iter().take(width));
    Ok(())
}

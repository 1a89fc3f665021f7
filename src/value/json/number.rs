//! Doubles as the server prints them: the shortest digits that read back. The server has its own rules for when to use an
//! exponent, and how to write it: `1e22`, `1e-16`, no `+`, no padding.

use crate::value::dialect::WholeDoubles;
use crate::value::digits;

/// The server's maximum width of a double in JSON: enough for any number without exponent.
pub const JSON_WIDTH: usize = 34;

/// With more places before the point, or zeros after it, the server uses an exponent.
const MAX_PLACES: i32 = 15;

/// Appends a finite double in at most `width` characters: 20 or more, so that no digit is lost.
pub fn write(value: f64, width: usize, out: &mut Vec<u8>) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));

    let mut digits = [0u8; 32];
    let mut len = 0;
    for (slot, digit) in digits.iter_mut().zip(whole.bytes().chain(fraction.bytes())) {
        *slot = digit;
        len += 1;
    }
    let digits = digits.get(..len).unwrap_or_default();
    let zeros = digits.iter().take_while(|&&b| b == b'0').count();
    let digits = digits.get(zeros..).unwrap_or_default();
    let end = digits.iter().rposition(|&b| b != b'0').map_or(0, |at| at + 1);
    let digits = digits.get(..end).unwrap_or_default();

    // The position of the point, counted from the first digit.
    let point = whole.len() as i32 + exponent.parse::<i32>().unwrap_or(0) - zeros as i32;
    let (digits, point) = if digits.is_empty() { (&b"0"[..], 1) } else { (digits, point) };

    if value.is_sign_negative() {
        out.push(b'-');
    }
    let width = width as i32 - i32::from(value < 0.0);
    if is_plain(digits.len() as i32, point, width) {
        plain(digits, point, out);
    } else {
        scientific(digits, point, out);
    }
}

/// [`write()`] in JSON, where a double without fraction may print as `1.0`.
pub fn write_json(value: f64, whole: WholeDoubles, out: &mut Vec<u8>) {
    let start = out.len();
    write(value, JSON_WIDTH, out);
    if whole == WholeDoubles::Bare {
        return;
    }
    let printed = out.get(start..).unwrap_or_default();
    if !printed.iter().any(|b| matches!(b, b'.' | b'e')) {
        out.extend_from_slice(b".0");
    }
}

fn is_plain(len: i32, point: i32, width: i32) -> bool {
    let needed = match point {
        ..=0 => len - point + 2,
        _ if point < len => len + 1,
        _ => point,
    };
    needed <= width && point > -MAX_PLACES && (point <= MAX_PLACES || len > point)
}

fn plain(digits: &[u8], point: i32, out: &mut Vec<u8>) {
    if point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', point.unsigned_abs() as usize));
        out.extend_from_slice(digits);
        return;
    }
    let point = point.unsigned_abs() as usize;
    match digits.split_at_checked(point) {
        Some((whole, fraction)) => {
            out.extend_from_slice(whole);
            if !fraction.is_empty() {
                out.push(b'.');
                out.extend_from_slice(fraction);
            }
        }
        None => {
            out.extend_from_slice(digits);
            out.extend(std::iter::repeat_n(b'0', point.saturating_sub(digits.len())));
        }
    }
}

fn scientific(digits: &[u8], point: i32, out: &mut Vec<u8>) {
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, &[]));
    out.extend_from_slice(first);
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest);
    }
    out.push(b'e');
    digits::signed(i64::from(point - 1), out);
}

//! DECIMAL: from its packed form in a row image, or the server's text, to digits.
//!
//! Source: MySQL's `strings/decimal.cc`, `bin2decimal`. The packed form has groups of nine digits in four bytes,
//! big-endian; the first group of the integer part and the last of the fraction may be shorter. The highest bit is
//! flipped, and a negative number inverted.

use super::digits;
use crate::bytes::{Bytes, ENDS_EARLY, Malformed};

/// How many bytes 0 to 9 digits take.
const BYTES_OF_DIGITS: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
const DIGITS_A_GROUP: usize = 9;

/// The precision and scale of a DECIMAL, which give its packed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Precision {
    /// All digits.
    pub digits: u8,
    /// Digits after the point.
    pub scale: u8,
}

impl Precision {
    /// `None` if no server allows it: at most 65 digits, and no more after the point. (MySQL allows 30 after the point,
    /// MariaDB 38.)
    pub fn new(digits: u8, scale: u8) -> Option<Precision> {
        (digits <= 65 && scale <= digits && digits > 0).then_some(Precision { digits, scale })
    }

    /// Length of the packed form, in bytes.
    pub fn packed_len(self) -> usize {
        let packed = |digits: usize| digits / DIGITS_A_GROUP * 4 + BYTES_OF_DIGITS[digits % DIGITS_A_GROUP];
        packed(usize::from(self.digits - self.scale)) + packed(usize::from(self.scale))
    }
}

/// Appends a packed DECIMAL: `-` if negative, no leading zeros, and as many digits after the point as the scale says.
pub fn unpack(bytes: &[u8], precision: Precision, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let negative = bytes.first().ok_or(ENDS_EARLY)? & 0x80 == 0;
    let mut groups =
        DigitGroups { bytes: Bytes(bytes), invert: if negative { u32::MAX } else { 0 }, is_first: true };
    if negative {
        out.push(b'-');
    }
    let whole = usize::from(precision.digits - precision.scale);
    let start = out.len();
    let lead = whole % DIGITS_A_GROUP;
    if lead > 0 {
        let value = groups.next(lead)?;
        if value > 0 {
            digits::unsigned(value.into(), out);
        }
    }
    for _ in 0..whole / DIGITS_A_GROUP {
        let value = groups.next(DIGITS_A_GROUP)?;
        if out.len() > start {
            nine_digits(value, out);
        } else if value > 0 {
            digits::unsigned(value.into(), out);
        }
    }
    if out.len() == start {
        out.push(b'0');
    }
    let fraction = usize::from(precision.scale);
    if fraction == 0 {
        return Ok(());
    }
    out.push(b'.');
    for _ in 0..fraction / DIGITS_A_GROUP {
        nine_digits(groups.next(DIGITS_A_GROUP)?, out);
    }
    let tail = fraction % DIGITS_A_GROUP;
    if tail > 0 {
        digits::padded(groups.next(tail)?, tail, out);
    }
    Ok(())
}

/// Reads the digit groups of a packed DECIMAL.
struct DigitGroups<'a> {
    bytes: Bytes<'a>,
    /// All ones if the number is negative.
    invert: u32,
    is_first: bool,
}

impl DigitGroups<'_> {
    /// The next group, of 1 to 9 digits.
    #[inline]
    fn next(&mut self, digits: usize) -> Result<u32, Malformed> {
        let (raw, bits) = match BYTES_OF_DIGITS[digits] {
            1 => (self.bytes.u8()?.into(), u8::MAX.into()),
            2 => (u16::from_be_bytes(self.bytes.array()?).into(), u16::MAX.into()),
            3 => (self.bytes.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))?, u32::MAX >> 8),
            _ => (u32::from_be_bytes(self.bytes.array()?), u32::MAX),
        };
        // The highest bit of the first group is the sign.
        let sign = if self.is_first { bits ^ bits >> 1 } else { 0 };
        self.is_first = false;
        let value = (raw ^ self.invert ^ sign) & bits;
        if value >= TEN_TO[digits] {
            return Err(Malformed("a DECIMAL holds more digits than its column"));
        }
        Ok(value)
    }
}

/// Powers of ten: the first number that does not fit into so many digits.
const TEN_TO: [u32; 10] = {
    let mut powers = [1; 10];
    let mut i = 1;
    while i < 10 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

fn nine_digits(value: u32, out: &mut Vec<u8>) {
    digits::padded(value / TEN_TO[8], 1, out);
    digits::padded(value % TEN_TO[8], 8, out);
}

/// Appends the server's text of a DECIMAL without the leading zeros of ZEROFILL, which the log does not hold.
pub fn text(text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let well_formed = digits.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    if digits.is_empty() || !well_formed {
        return Err(Malformed("a DECIMAL is not made of digits"));
    }
    let significant = digits.iter().position(|b| *b != b'0').unwrap_or(digits.len());
    let digits = &digits[significant..];
    if sign {
        out.push(b'-');
    }
    if digits.first().is_none_or(|b| *b == b'.') {
        out.push(b'0');
    }
    out.extend_from_slice(digits);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(bytes: &[u8], digits: u8, scale: u8) -> String {
        let mut out = Vec::new();
        let precision = Precision::new(digits, scale).unwrap();
        assert_eq!(bytes.len(), precision.packed_len());
        unpack(bytes, precision, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_examples_of_the_manual() {
        // decimal.cc: 1234567890.1234 as DECIMAL(14,4), and its negative.
        let bytes = [0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2];
        assert_eq!(unpacked(&bytes, 14, 4), "1234567890.1234");
        assert_eq!(unpacked(&bytes.map(|b| !b), 14, 4), "-1234567890.1234");
        assert_eq!(unpacked(&[0x80, 0x00], 3, 2), "0.00");
        assert_eq!(unpacked(&[0x80 | 5], 2, 2), "0.05");
    }

    #[test]
    fn text_loses_only_the_zeros_of_zerofill() {
        for (given, wanted) in [("0012.50", "12.50"), ("-0.10", "-0.10"), ("000", "0"), ("00.5", "0.5")] {
            let mut out = Vec::new();
            text(given.as_bytes(), &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
        assert!(text(b"1e5", &mut Vec::new()).is_err());
    }

    #[test]
    fn short_or_overfull_bytes_are_malformed() {
        let precision = Precision::new(14, 4).unwrap();
        assert!(unpack(&[0x81, 0x0d], precision, &mut Vec::new()).is_err());
        assert!(unpack(&[0xff; 7], precision, &mut Vec::new()).is_err());
    }
}

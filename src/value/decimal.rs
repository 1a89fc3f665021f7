//! DECIMAL: from its packed form in a row image, or the server's text, to digits.
//!
//! Source of the packed form: MySQL's `strings/decimal.cc`, `bin2decimal`: base 10^9 words of four
//! bytes, big-endian, the first of the integer part and the last of the fraction shortened, the
//! highest bit flipped, a negative number inverted.

use super::Malformed;

/// Bytes that 0 to 9 digits take.
const BYTES_OF_DIGITS: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
const DIGITS_A_WORD: usize = 9;

/// Digits in all and behind the point, and the packed length they give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    pub precision: u8,
    pub scale: u8,
}

impl Format {
    /// A format that a server can have: at most 65 digits, at most 30 of them behind the point
    /// (38 on MariaDB), never more behind the point than in all.
    pub fn new(precision: u8, scale: u8) -> Option<Format> {
        (precision <= 65 && scale <= precision && precision > 0).then_some(Format { precision, scale })
    }

    /// Length of the packed form, in bytes.
    pub fn packed_len(self) -> usize {
        let packed = |digits: usize| digits / DIGITS_A_WORD * 4 + BYTES_OF_DIGITS[digits % DIGITS_A_WORD];
        packed(usize::from(self.precision - self.scale)) + packed(usize::from(self.scale))
    }
}

/// Appends the digits of a packed DECIMAL: a `-` where it is negative, no needless zero in front,
/// and exactly the column's scale behind the point.
pub fn unpack(bytes: &[u8], format: Format, out: &mut Vec<u8>) -> Result<(), Malformed> {
    const SHORT: Malformed = Malformed("a DECIMAL ends early");
    let first = *bytes.first().ok_or(SHORT)?;
    let negative = first & 0x80 == 0;
    let invert = if negative { 0xff } else { 0 };
    let whole = usize::from(format.precision - format.scale);
    let fraction = usize::from(format.scale);
    let mut at = 0;
    let mut word = |digits: usize| -> Result<u32, Malformed> {
        let len = BYTES_OF_DIGITS[digits];
        let mut value = 0u32;
        for byte in bytes.get(at..at + len).ok_or(SHORT)? {
            let byte = if at == 0 { byte ^ 0x80 } else { *byte };
            value = value << 8 | u32::from(byte ^ invert);
            at += 1;
        }
        Ok(value)
    };
    if negative {
        out.push(b'-');
    }
    let start = out.len();
    let lead = whole % DIGITS_A_WORD;
    if lead > 0 {
        push_digits(word(lead)?, lead, start, out)?;
    }
    for _ in 0..whole / DIGITS_A_WORD {
        push_digits(word(DIGITS_A_WORD)?, DIGITS_A_WORD, start, out)?;
    }
    if out.len() == start {
        out.push(b'0');
    }
    if fraction == 0 {
        return Ok(());
    }
    out.push(b'.');
    for _ in 0..fraction / DIGITS_A_WORD {
        pad_digits(word(DIGITS_A_WORD)?, DIGITS_A_WORD, out)?;
    }
    let tail = fraction % DIGITS_A_WORD;
    if tail > 0 {
        pad_digits(word(tail)?, tail, out)?;
    }
    Ok(())
}

/// Digits of the integer part: padded, unless nothing but zeros stands before them.
fn push_digits(value: u32, digits: usize, start: usize, out: &mut Vec<u8>) -> Result<(), Malformed> {
    if out.len() > start {
        return pad_digits(value, digits, out);
    }
    if value > 0 {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(value);
        if text.len() > digits {
            return Err(TOO_LARGE);
        }
        out.extend_from_slice(text.as_bytes());
    }
    Ok(())
}

const TOO_LARGE: Malformed = Malformed("a DECIMAL holds more digits than its column");

fn pad_digits(value: u32, digits: usize, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value).as_bytes();
    let zeros = digits.checked_sub(text.len()).ok_or(TOO_LARGE)?;
    out.extend_from_slice(&b"000000000"[..zeros]);
    out.extend_from_slice(text);
    Ok(())
}

/// Appends the server's text of a DECIMAL, without the zeros that ZEROFILL puts in front: the log
/// does not hold them.
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

    fn unpacked(bytes: &[u8], precision: u8, scale: u8) -> String {
        let mut out = Vec::new();
        let format = Format::new(precision, scale).unwrap();
        assert_eq!(bytes.len(), format.packed_len());
        unpack(bytes, format, &mut out).unwrap();
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
        let format = Format::new(14, 4).unwrap();
        assert!(unpack(&[0x81, 0x0d], format, &mut Vec::new()).is_err());
        assert!(unpack(&[0xff; 7], format, &mut Vec::new()).is_err());
    }
}

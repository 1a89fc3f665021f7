//! JSON strings: escaping for values, keys, names and labels.

use crate::push_fixed::push_fixed;

/// How to escape a byte in a JSON string: 0 not at all, `u` as `\u00XX`, else by this letter after `\`.
const ESCAPE: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut i = 0;
    while i < 0x20 {
        table[i] = b'u';
        i += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `bytes`, which are UTF-8, as the inside of a JSON string, without quotes. Runs that need no escape are copied
/// whole.
pub fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    escape_up_to::<false>(bytes, out);
}

/// [`escape`] up to the first byte that is not ASCII. Returns the rest.
#[inline(always)]
pub fn escape_ascii<'a>(bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    escape_up_to::<true>(bytes, out)
}

#[inline(always)]
fn escape_up_to<'a, const STOP_AT_NON_ASCII: bool>(bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let mut rest = bytes;
    loop {
        rest = copy_plain::<STOP_AT_NON_ASCII>(rest, out);
        match rest.split_first() {
            Some((byte, after)) if byte.is_ascii() => {
                escape_byte(*byte, out);
                rest = after;
            }
            _ => return rest,
        }
    }
}

/// Appends the bytes before the first one that needs an escape (or, if `STOP_AT_NON_ASCII`, is not ASCII), and returns
/// the rest. Works in blocks of 16 bytes, at the end of 8: appends the block, then truncates to the plain part.
#[inline(always)]
fn copy_plain<'a, const STOP_AT_NON_ASCII: bool>(bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<16>() {
        let both = u128::from_le_bytes(*chunk);
        let [low, high] = [both as u64, (both >> 64) as u64].map(marks::<STOP_AT_NON_ASCII>);
        out.extend_from_slice(chunk);
        if low | high != 0 {
            let at = if low != 0 { low.trailing_zeros() / 8 } else { 8 + high.trailing_zeros() / 8 } as usize;
            out.truncate(out.len() - 16 + at);
            return &rest[at..];
        }
        rest = after;
    }
    while !rest.is_empty() {
        let (word, len) = first_word(rest);
        let at = len.min(marks::<STOP_AT_NON_ASCII>(word).trailing_zeros() as usize / 8);
        push_fixed(out, |room| {
            *room = word.to_le_bytes();
            at
        });
        rest = &rest[at..];
        if at < len {
            break;
        }
    }
    rest
}

/// The first bytes, up to eight, and how many. Unused bytes are zero, which ends a run.
#[inline]
fn first_word(bytes: &[u8]) -> (u64, usize) {
    if let Some(word) = bytes.first_chunk() {
        return (u64::from_le_bytes(*word), 8);
    }
    let len = bytes.len();
    // Two overlapping loads.
    let word = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4))
        }
        _ => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    (word, len)
}

/// Marks the highest bit of each byte that ends a run. A borrow can mark bytes above the lowest such byte, so only the
/// lowest mark is exact.
#[inline]
fn marks<const STOP_AT_NON_ASCII: bool>(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // An ASCII byte is below n if it borrows from its highest bit.
    let below = |word: u64, n: u64| word.wrapping_sub(n * EACH);
    let equals = |byte: u8| below(word ^ (u64::from(byte) * EACH), 1);
    let marks = below(word, 0x20) | equals(b'"') | equals(b'\\');
    (if STOP_AT_NON_ASCII { marks | word } else { marks & !word }) & (0x80 * EACH)
}

/// Appends one byte of ASCII as the inside of a JSON string.
#[inline]
pub fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    match ESCAPE[byte as usize] {
        0 => out.push(byte),
        b'u' => out.extend_from_slice(&[
            b'\\',
            b'u',
            b'0',
            b'0',
            HEX[(byte >> 4) as usize],
            HEX[(byte & 15) as usize],
        ]),
        letter => out.extend_from_slice(&[b'\\', letter]),
    }
}

/// The length of a UUID's text.
pub const UUID_BYTES: usize = 36;

/// Appends a UUID as its text: lower-case, with hyphens.
pub fn uuid(uuid: [u8; 16], out: &mut Vec<u8>) {
    /// Where the two digits of each byte stand.
    const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let mut text = [b'-'; UUID_BYTES];
    for (byte, at) in uuid.into_iter().zip(PLACES) {
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
    }
    out.extend_from_slice(&text);
}

/// Appends `text` as a whole JSON string, quotes and all.
pub fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escape(text.as_bytes(), out);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_run_is_found_wherever_it_stands() {
        for byte in 0..=255u8 {
            for len in 0..40 {
                for at in 0..len {
                    let mut bytes = vec![b'~'; len];
                    bytes[at] = byte;
                    let escaped = byte < 0x20 || byte == b'"' || byte == b'\\';
                    let plain = |ends| if ends { at } else { len };
                    let mut out = vec![b'-'];
                    let rest = copy_plain::<false>(&bytes, &mut out);
                    assert_eq!(rest, &bytes[plain(escaped)..], "{byte} at {at} of {len}");
                    assert_eq!(out[1..], bytes[..plain(escaped)]);
                    let mut out = vec![b'-'];
                    let rest = copy_plain::<true>(&bytes, &mut out);
                    assert_eq!(rest, &bytes[plain(escaped || !byte.is_ascii())..], "{byte} at {at} of {len}");
                    assert_eq!(out[1..], bytes[..bytes.len() - rest.len()]);
                }
            }
        }
    }

    #[test]
    fn every_character_reads_back_and_control_characters_are_escaped() {
        let all: String = (0..0x250).filter_map(char::from_u32).chain(['😀', '\u{2028}']).collect();
        let mut out = Vec::new();
        string(&all, &mut out);
        assert!(out.iter().all(|&b| b >= 0x20), "no raw control byte");
        let back: String = serde_json::from_slice(&out).unwrap();
        assert_eq!(back, all);
        assert_eq!(out, serde_json::to_vec(&all).unwrap());
    }
}

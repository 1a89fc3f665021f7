//! JSON strings: the one escaper, for values, keys, names and labels.

/// What a byte needs inside a JSON string: 0 nothing, `u` a `\u00XX`, else the letter after `\`.
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

/// Appends `bytes`, already UTF-8, as the inside of a JSON string: without the quotes. Runs that
/// need no escape are copied whole.
pub fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    escape_up_to::<false>(bytes, out);
}

/// Likewise the leading bytes that are ASCII. The others are returned.
pub fn escape_ascii<'a>(bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    escape_up_to::<true>(bytes, out)
}

#[inline]
fn escape_up_to<'a, const BEYOND_ASCII: bool>(bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let mut rest = bytes;
    loop {
        let (plain, tail) = rest.split_at(plain_len::<BEYOND_ASCII>(rest));
        out.extend_from_slice(plain);
        match tail.split_first() {
            Some((byte, after)) if byte.is_ascii() => {
                escape_byte(*byte, out);
                rest = after;
            }
            _ => return tail,
        }
    }
}

/// How many bytes come before the first that needs an escape, or (as `BEYOND_ASCII`) is not ASCII. Eight
/// are looked at in one step.
#[inline]
fn plain_len<const BEYOND_ASCII: bool>(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let marks = marks::<BEYOND_ASCII>(u64::from_le_bytes(*word));
        if marks != 0 {
            return 8 * i + marks.trailing_zeros() as usize / 8;
        }
    }
    let done = 8 * words.len();
    // The last eight overlap bytes that end no run.
    if let Some(word) = bytes.last_chunk().filter(|_| done > 0) {
        let marks = marks::<BEYOND_ASCII>(u64::from_le_bytes(*word));
        return bytes.len() - 8 + marks.trailing_zeros() as usize / 8;
    }
    let ends = |byte: &u8| ESCAPE[usize::from(*byte)] != 0 || (BEYOND_ASCII && !byte.is_ascii());
    rest.iter().position(ends).unwrap_or(rest.len())
}

/// The highest bit of each byte that ends a run. A borrow can mark bytes above the lowest such byte, so
/// only that one's mark is exact.
#[inline]
fn marks<const BEYOND_ASCII: bool>(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // A byte is below n where it borrows from its highest bit, and had that bit clear.
    let below = |word: u64, n: u64| word.wrapping_sub(n * EACH) & !word;
    let equals = |byte: u8| below(word ^ (u64::from(byte) * EACH), 1);
    let beyond_ascii = if BEYOND_ASCII { word } else { 0 };
    (below(word, 0x20) | equals(b'"') | equals(b'\\') | beyond_ascii) & (0x80 * EACH)
}

/// Appends one byte of ASCII as the inside of a JSON string.
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

/// Appends a UUID's text.
pub fn uuid(uuid: [u8; 16], out: &mut Vec<u8>) {
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (i, byte) in uuid.iter().enumerate() {
        at += usize::from(matches!(i, 4 | 6 | 8 | 10));
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
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
            for at in 0..20 {
                let mut bytes = [b'~'; 20];
                bytes[at] = byte;
                bytes[19] = b'"';
                let escaped = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(plain_len::<false>(&bytes), if escaped { at } else { 19 }, "{byte} at {at}");
                let ends = escaped || !byte.is_ascii();
                assert_eq!(plain_len::<true>(&bytes), if ends { at } else { 19 }, "{byte} at {at}");
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

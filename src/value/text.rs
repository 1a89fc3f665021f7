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
    let mut rest = bytes;
    loop {
        let (plain, tail) = rest.split_at(plain_len(rest));
        out.extend_from_slice(plain);
        let Some((byte, tail)) = tail.split_first() else { return };
        escape_byte(*byte, out);
        rest = tail;
    }
}

/// How many bytes come before the first that needs an escape. Eight are looked at in one step.
fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return 8 * i + marks.trailing_zeros() as usize / 8;
        }
    }
    let in_rest = rest.iter().position(|byte| ESCAPE[usize::from(*byte)] != 0);
    8 * words.len() + in_rest.unwrap_or(rest.len())
}

/// The highest bit of each byte that needs an escape. A borrow can mark bytes above the lowest such
/// byte, so only that one's mark is exact.
fn marks(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // A byte is below n where it borrows from its highest bit, and had that bit clear.
    let below = |word: u64, n: u64| word.wrapping_sub(n * EACH) & !word;
    let equals = |byte: u8| below(word ^ (u64::from(byte) * EACH), 1);
    (below(word, 0x20) | equals(b'"') | equals(b'\\')) & (0x80 * EACH)
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
    fn what_needs_an_escape_is_found_wherever_it_stands() {
        for byte in 0..=255u8 {
            for at in 0..20 {
                let mut bytes = [b'~'; 20];
                bytes[at] = byte;
                bytes[19] = b'"';
                let first = if byte < 0x20 || byte == b'"' || byte == b'\\' { at } else { 19 };
                assert_eq!(plain_len(&bytes), first, "{byte} at {at}");
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

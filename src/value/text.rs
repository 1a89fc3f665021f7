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
    while let Some(at) = rest.iter().position(|&b| ESCAPE[b as usize] != 0) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        escape_byte(tail[0], out);
        rest = &tail[1..];
    }
    out.extend_from_slice(rest);
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

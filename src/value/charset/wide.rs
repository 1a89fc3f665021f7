//! Character sets of two-byte or four-byte units: ucs2, utf16, utf16le, utf32.

use super::push;
use crate::bytes::Malformed;

/// utf16, in the byte order of `unit`.
pub(super) fn escape_utf16(
    bytes: &[u8],
    unit: fn([u8; 2]) -> u16,
    malformed: Malformed,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let (pairs, odd) = bytes.as_chunks();
    for character in char::decode_utf16(pairs.iter().map(|&pair| unit(pair))) {
        push(character.map_err(|_| malformed)?, out);
    }
    whole(odd, malformed)
}

/// ucs2 has no surrogate pairs: the server takes each surrogate for a character.
pub(super) fn escape_ucs2(bytes: &[u8], malformed: Malformed, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (pairs, odd) = bytes.as_chunks();
    for &pair in pairs {
        push(char::from_u32(u16::from_be_bytes(pair).into()).ok_or(malformed)?, out);
    }
    whole(odd, malformed)
}

pub(super) fn escape_utf32(bytes: &[u8], malformed: Malformed, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (fours, odd) = bytes.as_chunks();
    for &four in fours {
        push(char::from_u32(u32::from_be_bytes(four)).ok_or(malformed)?, out);
    }
    whole(odd, malformed)
}

fn whole(rest: &[u8], malformed: Malformed) -> Result<(), Malformed> {
    if rest.is_empty() { Ok(()) } else { Err(malformed) }
}

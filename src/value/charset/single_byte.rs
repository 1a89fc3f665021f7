//! Character sets with one byte per character.

use super::{Charset, push, split_ascii, tables};
use crate::value::text;

/// The characters of the bytes from 0x80; `None` if the character set is not of this kind.
pub(super) fn upper_half(charset: Charset) -> Option<&'static [u16; 128]> {
    Some(match charset {
        Charset::Armscii8 => &tables::ARMSCII8,
        Charset::Ascii => &[b'?' as u16; 128],
        Charset::Cp1250 => &tables::CP1250,
        Charset::Cp1251 => &tables::CP1251,
        Charset::Cp1256 => &tables::CP1256,
        Charset::Cp1257 => &tables::CP1257,
        Charset::Cp850 => &tables::CP850,
        Charset::Cp852 => &tables::CP852,
        Charset::Cp866 => &tables::CP866,
        Charset::Dec8 => &tables::DEC8,
        Charset::Geostd8 => &tables::GEOSTD8,
        Charset::Greek => &tables::GREEK,
        Charset::Hebrew => &tables::HEBREW,
        Charset::Hp8 => &tables::HP8,
        Charset::Keybcs2 => &tables::KEYBCS2,
        Charset::Koi8r => &tables::KOI8R,
        Charset::Koi8u => &tables::KOI8U,
        Charset::Latin1 => &tables::LATIN1,
        Charset::Latin2 => &tables::LATIN2,
        Charset::Latin5 => &tables::LATIN5,
        Charset::Latin7 => &tables::LATIN7,
        Charset::Macce => &tables::MACCE,
        Charset::Macroman => &tables::MACROMAN,
        Charset::Tis620 => &tables::TIS620,
        _ => return None,
    })
}

pub(super) fn escape(upper: &[u16; 128], bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (ascii, beyond) = split_ascii(rest);
        text::escape(ascii, out);
        rest = beyond;
        while let Some((&byte @ 0x80.., more)) = rest.split_first() {
            push_code(upper, byte - 0x80, out);
            rest = more;
        }
    }
}

/// swe7 has letters where ASCII has brackets and braces, and nothing beyond 0x7F.
pub(super) fn escape_swe7(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        push_code(&tables::SWE7, if byte.is_ascii() { byte } else { b'?' }, out);
    }
}

fn push_code(table: &[u16; 128], index: u8, out: &mut Vec<u8>) {
    let code = table[usize::from(index & 0x7f)];
    // No table holds a surrogate.
    push(char::from_u32(code.into()).unwrap_or(char::REPLACEMENT_CHARACTER), out);
}

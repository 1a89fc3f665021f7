//! The server's character sets: from a column's bytes to the inside of a JSON string.
//!
//! Queries use `character_set_results = NULL`, and the binary log holds columns as they are stored, so both bring a
//! column's own bytes here. The result is that of the server's `CONVERT(column USING utf8mb4)`; `tests/suite/charset.rs`
//! compares the two for every character, on each server. MySQL 5.6, MySQL 9.7 and MariaDB agree on every character. They
//! differ in which bytes a column refuses:
//!
//! - Bytes without a character that a column accepts (0x81 in cp1250, 0xA140 in gbk, and except on MySQL 9.7, 0x80 in
//!   ascii) give `?`, as from the server.
//! - Bytes that a column refuses are [`Malformed`]. They can only come from damage.
//! - So are surrogates, U+D800 to U+DFFF, which ucs2 accepts, and on MariaDB and MySQL 5.6 also utf8 and utf32: they are
//!   no characters, and the server converts them to invalid UTF-8.

use encoding_rs::Encoding;

use super::text;
use crate::bytes::Malformed;

mod differences;
mod multi_byte;
mod single_byte;
// Rows of sixteen are easier to read.
#[rustfmt::skip]
mod tables;
mod wide;

/// Defines the character sets, each with its name and collation ids on MySQL and MariaDB, from information_schema. Ids that
/// follow from these are in [`Charset::by_collation_id`].
macro_rules! charsets {
    ($($variant:ident $name:literal $ids:pat,)+) => {
        /// A character set of the server.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Charset {
            $($variant,)+
        }

        impl Charset {
            /// The server's name. What older servers call utf8 is `utf8mb3`.
            pub fn name(self) -> &'static str {
                match self { $(Charset::$variant => $name,)+ }
            }

            fn malformed(self) -> Malformed {
                match self { $(Charset::$variant => Malformed(concat!("a string is not valid ", $name)),)+ }
            }

            fn by_listed_id(id: u32) -> Option<Charset> {
                match id {
                    $($ids => Some(Charset::$variant),)+
                    _ => None,
                }
            }
        }

        const ALL: &[Charset] = &[$(Charset::$variant,)+];
    };
}

charsets! {
    Armscii8 "armscii8" 32 | 64,
    Ascii "ascii" 11 | 65,
    Big5 "big5" 1 | 84,
    Binary "binary" 63,
    Cp1250 "cp1250" 26 | 34 | 44 | 66 | 99,
    Cp1251 "cp1251" 14 | 23 | 50..=52,
    Cp1256 "cp1256" 57 | 67,
    Cp1257 "cp1257" 29 | 58 | 59,
    Cp850 "cp850" 4 | 80,
    Cp852 "cp852" 40 | 81,
    Cp866 "cp866" 36 | 68,
    Cp932 "cp932" 95 | 96,
    Dec8 "dec8" 3 | 69,
    Eucjpms "eucjpms" 97 | 98,
    Euckr "euckr" 19 | 85,
    Gb18030 "gb18030" 248..=250,
    Gb2312 "gb2312" 24 | 86,
    Gbk "gbk" 28 | 87,
    Geostd8 "geostd8" 92 | 93,
    Greek "greek" 25 | 70,
    Hebrew "hebrew" 16 | 71,
    Hp8 "hp8" 6 | 72,
    Keybcs2 "keybcs2" 37 | 73,
    Koi8r "koi8r" 7 | 74,
    Koi8u "koi8u" 22 | 75,
    Latin1 "latin1" 5 | 8 | 15 | 31 | 47..=49 | 94,
    Latin2 "latin2" 2 | 9 | 21 | 27 | 77,
    Latin5 "latin5" 30 | 78,
    Latin7 "latin7" 20 | 41 | 42 | 79,
    Macce "macce" 38 | 43,
    Macroman "macroman" 39 | 53,
    Sjis "sjis" 13 | 88,
    Swe7 "swe7" 10 | 82,
    Tis620 "tis620" 18 | 89,
    Ucs2 "ucs2" 35 | 90 | 128..=151 | 159 | 640..=642,
    Ujis "ujis" 12 | 91,
    Utf16 "utf16" 54 | 55 | 101..=124 | 672..=674,
    Utf16le "utf16le" 56 | 62,
    Utf32 "utf32" 60 | 61 | 160..=183 | 736..=738,
    Utf8mb3 "utf8mb3" 33 | 76 | 83 | 192..=215 | 223 | 576..=579,
    Utf8mb4 "utf8mb4" 45 | 46 | 224..=247 | 255..=323 | 608..=611,
}

impl Charset {
    /// By its name in information_schema or a statement, in any case; `utf8` is utf8mb3.
    pub fn by_name(name: &str) -> Option<Charset> {
        if name.eq_ignore_ascii_case("utf8") {
            return Some(Charset::Utf8mb3);
        }
        ALL.iter().copied().find(|charset| charset.name().eq_ignore_ascii_case(name))
    }

    /// By a collation's id, as in a table map's metadata.
    pub fn by_collation_id(id: u32) -> Option<Charset> {
        match id {
            // MariaDB's NO PAD variant of an older collation.
            1025..=2047 => Charset::by_listed_id(id - 1024),
            // MariaDB's uca1400 collations: 256 ids for each character set.
            2048..=2303 => Some(Charset::Utf8mb3),
            2304..=2559 => Some(Charset::Utf8mb4),
            2560..=2815 => Some(Charset::Ucs2),
            2816..=3071 => Some(Charset::Utf16),
            3072..=3327 => Some(Charset::Utf32),
            _ => Charset::by_listed_id(id),
        }
    }

    /// The length of its longest characters: MAXLEN in information_schema.
    pub fn max_bytes(self) -> u64 {
        match self {
            Charset::Gb18030 | Charset::Utf16 | Charset::Utf16le | Charset::Utf32 | Charset::Utf8mb4 => 4,
            Charset::Eucjpms | Charset::Ujis | Charset::Utf8mb3 => 3,
            Charset::Big5 | Charset::Cp932 | Charset::Euckr | Charset::Gb2312 | Charset::Gbk => 2,
            Charset::Sjis | Charset::Ucs2 => 2,
            _ => 1,
        }
    }

    /// Whether its columns hold bytes (BINARY, VARBINARY, BLOB), not text.
    pub fn is_binary(self) -> bool {
        self == Charset::Binary
    }

    /// Appends `bytes` as the inside of a JSON string: escaped, without the quotes. On an error `out` holds a part.
    ///
    /// Binary is read as UTF-8, for labels of a binary ENUM.
    pub fn escape(self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        match self {
            // Servers never store four-byte characters in utf8mb3, but they would be unambiguous.
            Charset::Utf8mb4 | Charset::Utf8mb3 | Charset::Binary => {
                let rest = text::escape_ascii(bytes, out);
                if rest.is_empty() {
                    return Ok(());
                }
                if Encoding::utf8_valid_up_to(rest) != rest.len() {
                    return Err(self.malformed());
                }
                text::escape(rest, out);
                Ok(())
            }
            Charset::Utf16 => wide::escape_utf16(bytes, u16::from_be_bytes, self.malformed(), out),
            Charset::Utf16le => wide::escape_utf16(bytes, u16::from_le_bytes, self.malformed(), out),
            Charset::Ucs2 => wide::escape_ucs2(bytes, self.malformed(), out),
            Charset::Utf32 => wide::escape_utf32(bytes, self.malformed(), out),
            Charset::Swe7 => {
                single_byte::escape_swe7(bytes, out);
                Ok(())
            }
            _ => match text::escape_ascii(bytes, out) {
                [] => Ok(()),
                rest => self.escape_beyond_ascii(rest, out),
            },
        }
    }

    /// Decodes bytes to text.
    pub fn decode(self, bytes: &[u8]) -> Result<String, Malformed> {
        let mut json = vec![b'"'];
        self.escape(bytes, &mut json)?;
        json.push(b'"');
        serde_json::from_slice(&json).map_err(|_| self.malformed())
    }

    /// Whether it has a character; `None` if that is not known. Not for rows: it tries all bytes.
    pub fn holds(self, char: char) -> Option<bool> {
        match self {
            Charset::Utf8mb4 | Charset::Utf16 | Charset::Utf16le | Charset::Utf32 | Charset::Gb18030 => {
                Some(true)
            }
            Charset::Utf8mb3 | Charset::Ucs2 => Some(u32::from(char) <= 0xffff),
            Charset::Binary => None,
            _ if char.is_ascii() && self != Charset::Swe7 => Some(true),
            _ if self.max_bytes() > 1 => None,
            _ => {
                let is_it = |byte: u8| self.decode(&[byte]).is_ok_and(|text| text.chars().eq([char]));
                Some((0..=0xff).any(is_it))
            }
        }
    }

    /// Text as a server converts it to this character set: a character that it does not have becomes a `?`. `None` if that
    /// is not known.
    pub fn converted(self, text: &str) -> Option<String> {
        text.chars().map(|char| Some(if self.holds(char)? { char } else { '?' })).collect()
    }

    /// The length of the first character in bytes, as the server's parser sees it; 1 for an invalid sequence. For character
    /// sets that a client may use.
    pub fn step(self, bytes: &[u8]) -> usize {
        if bytes.first().is_none_or(u8::is_ascii) {
            return 1;
        }
        multi_byte::step(self, bytes)
    }

    /// Whether a byte beyond ASCII separates words of a statement: the no-break space of some single-byte character sets
    /// does (measured; MySQL 5.6, 9.7 and MariaDB agree).
    pub fn is_space_beyond_ascii(self, byte: u8) -> bool {
        use Charset::{Armscii8, Cp852, Cp866, Cp1250, Dec8, Geostd8, Greek, Hebrew, Keybcs2};
        use Charset::{Latin1, Latin2, Latin5, Latin7};
        match self {
            Armscii8 | Cp1250 | Dec8 | Geostd8 | Greek | Hebrew | Latin1 | Latin2 | Latin5 | Latin7 => {
                byte == 0xa0
            }
            Cp852 | Cp866 | Keybcs2 => byte == 0xff,
            _ => false,
        }
    }

    /// [`Charset::escape`] for character sets that extend ASCII.
    fn escape_beyond_ascii(self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        if let Some(upper) = single_byte::upper_half(self) {
            single_byte::escape(upper, bytes, out);
            return Ok(());
        }
        let table = multi_byte::table(self).ok_or(self.malformed())?;
        table.escape(bytes, out).ok_or(self.malformed())
    }
}

/// Appends one character, escaped for JSON.
fn push(character: char, out: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    character.encode_utf8(&mut buffer);
    let [a, b, c, _] = buffer;
    // Appending slices of a fixed length takes no call: measurable in Cyrillic text.
    match character.len_utf8() {
        1 => text::escape_byte(a, out),
        2 => out.extend_from_slice(&[a, b]),
        3 => out.extend_from_slice(&[a, b, c]),
        _ => out.extend_from_slice(&buffer),
    }
}

/// Splits off the leading ASCII bytes.
fn split_ascii(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(bytes.len());
    bytes.split_at(end)
}

#[cfg(test)]
mod tests;

//! The character sets of China, Japan, Korea and Taiwan: ASCII, and sequences of two to four bytes.
//!
//! encoding_rs has nearly all of their characters, in the variants of the web; [`super::differences`] has where
//! the server's differ. The first use of a character set builds a table from both, so that each character is a look-up.

use std::ops::RangeInclusive;
use std::str;
use std::sync::OnceLock;

use encoding_rs::{BIG5, DecoderResult, EUC_JP, EUC_KR, Encoding, GB18030, SHIFT_JIS};

use super::differences::{self, Difference};
use super::{ALL, Charset, push, split_ascii};
use crate::value::text;

/// What the server makes of well-formed bytes without a character.
const UNASSIGNED: u16 = b'?' as u16;
/// A table's entry for ill-formed bytes.
const ILL_FORMED: u16 = 0;

type Pairs = [(RangeInclusive<u8>, RangeInclusive<u8>)];

/// The sequences of a character set, and the source of their characters.
struct Sequences {
    encoding: &'static Encoding,
    differences: &'static [Difference],
    /// Sequences of two bytes: ranges of the first, each with a range of the second.
    pairs: &'static Pairs,
    extra: Extra,
}

/// Sequences besides ASCII and pairs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extra {
    Nothing,
    /// Bytes from 0xA1 to 0xDF: halfwidth katakana.
    Kana,
    /// 0x8F and such a pair: JIS X 0212.
    Three(&'static Pairs),
    /// GB 18030's sequences of four bytes, the second and fourth of them digits.
    Four,
}

fn sequences(charset: Charset) -> Option<Sequences> {
    const BIG5_PAIRS: &Pairs = &[(0xa1..=0xf9, 0x40..=0x7e), (0xa1..=0xf9, 0xa1..=0xfe)];
    const GB2312_PAIRS: &Pairs = &[(0xa1..=0xf7, 0xa1..=0xfe)];
    const GBK_PAIRS: &Pairs = &[(0x81..=0xfe, 0x40..=0x7e), (0x81..=0xfe, 0x80..=0xfe)];
    const EUC_KR_PAIRS: &Pairs =
        &[(0x81..=0xfe, 0x41..=0x5a), (0x81..=0xfe, 0x61..=0x7a), (0x81..=0xfe, 0x81..=0xfe)];
    const SJIS_PAIRS: &Pairs = &[
        (0x81..=0x9f, 0x40..=0x7e),
        (0x81..=0x9f, 0x80..=0xfc),
        (0xe0..=0xfc, 0x40..=0x7e),
        (0xe0..=0xfc, 0x80..=0xfc),
    ];
    // MySQL's columns also accept 0x8EA0, before the first katakana, but its conversion treats it as ill-formed (and gives
    // two question marks), as MariaDB does.
    const EUC_JP_PAIRS: &Pairs = &[(0x8e..=0x8e, 0xa1..=0xdf), (0xa1..=0xfe, 0xa1..=0xfe)];
    const EUC_JP_PLANE: &Pairs = &[(0xa1..=0xfe, 0xa1..=0xfe)];

    let (encoding, differences, pairs, extra) = match charset {
        Charset::Big5 => (BIG5, differences::BIG5, BIG5_PAIRS, Extra::Nothing),
        Charset::Cp932 => (SHIFT_JIS, differences::NONE, SJIS_PAIRS, Extra::Kana),
        Charset::Eucjpms => (EUC_JP, differences::EUCJPMS, EUC_JP_PAIRS, Extra::Three(EUC_JP_PLANE)),
        Charset::Euckr => (EUC_KR, differences::NONE, EUC_KR_PAIRS, Extra::Nothing),
        Charset::Gb18030 => (GB18030, differences::GB18030, GBK_PAIRS, Extra::Four),
        Charset::Gb2312 => (GB18030, differences::GB2312, GB2312_PAIRS, Extra::Nothing),
        Charset::Gbk => (GB18030, differences::GBK, GBK_PAIRS, Extra::Nothing),
        Charset::Sjis => (SHIFT_JIS, differences::SJIS, SJIS_PAIRS, Extra::Kana),
        Charset::Ujis => (EUC_JP, differences::UJIS, EUC_JP_PAIRS, Extra::Three(EUC_JP_PLANE)),
        _ => return None,
    };
    Some(Sequences { encoding, differences, pairs, extra })
}

/// The length of the well-formed sequence that begins here; 1 if none does.
pub(super) fn step(charset: Charset, bytes: &[u8]) -> usize {
    let Some(sequences) = sequences(charset) else { return 1 };
    let is_of = |pairs: &Pairs, first: u8, second: u8| {
        pairs.iter().any(|(one, two)| one.contains(&first) && two.contains(&second))
    };
    match *bytes {
        [first, second, ..] if is_of(sequences.pairs, first, second) => 2,
        [0x8f, second, third, ..] if matches!(sequences.extra, Extra::Three(plane) if is_of(plane, second, third)) => {
            3
        }
        [0x81..=0xfe, b'0'..=b'9', 0x81..=0xfe, b'0'..=b'9', ..] if sequences.extra == Extra::Four => 4,
        _ => 1,
    }
}

/// The characters of a character set, by their bytes.
pub(super) struct Table {
    /// By both bytes, big-endian. No pair gives a character beyond U+FFFF.
    two: Vec<u16>,
    /// By the two bytes after 0x8F; empty if there are no such sequences.
    three: Vec<u16>,
    extra: Extra,
}

/// The table of a character set; `None` if it is not one of these.
pub(super) fn table(charset: Charset) -> Option<&'static Table> {
    static TABLES: [OnceLock<Table>; ALL.len()] = [const { OnceLock::new() }; ALL.len()];
    let table = TABLES.get(charset as usize)?;
    if let Some(made) = table.get() {
        return Some(made);
    }
    let sequences = sequences(charset)?;
    Some(table.get_or_init(|| Table::new(&sequences)))
}

impl Table {
    fn new(sequences: &Sequences) -> Table {
        let mut builder = TableBuilder { sequences, run: None };
        let two = builder.fill(sequences.pairs, &[]);
        let three = match sequences.extra {
            Extra::Three(pairs) => builder.fill(pairs, &[0x8f]),
            _ => Vec::new(),
        };
        Table { two, three, extra: sequences.extra }
    }

    /// `None` for ill-formed bytes.
    pub(super) fn escape(&self, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (ascii, beyond) = split_ascii(rest);
            text::escape(ascii, out);
            rest = beyond;
            while rest.first().is_some_and(|byte| !byte.is_ascii()) {
                let (character, length) = self.first(rest)?;
                push(character, out);
                rest = rest.get(length..)?;
            }
        }
        Some(())
    }

    /// The first character, which is not ASCII, and its length in bytes.
    fn first(&self, bytes: &[u8]) -> Option<(char, usize)> {
        let (code, length) = match (self.extra, bytes) {
            (Extra::Kana, &[kana @ 0xa1..=0xdf, ..]) => (0xff61 + u16::from(kana - 0xa1), 1),
            (Extra::Three(_), &[0x8f, lead, trail, ..]) => (at(&self.three, [lead, trail]), 3),
            (Extra::Four, &[a, b @ b'0'..=b'9', c, d, ..]) => return Some((four([a, b, c, d])?, 4)),
            (_, &[lead, trail, ..]) => (at(&self.two, [lead, trail]), 2),
            _ => return None,
        };
        if code == ILL_FORMED {
            return None;
        }
        Some((char::from_u32(code.into())?, length))
    }
}

fn at(table: &[u16], pair: [u8; 2]) -> u16 {
    table.get(usize::from(u16::from_be_bytes(pair))).copied().unwrap_or(ILL_FORMED)
}

fn four(bytes: [u8; 4]) -> Option<char> {
    let well_formed = matches!(bytes, [0x81..=0xfe, b'0'..=b'9', 0x81..=0xfe, b'0'..=b'9']);
    well_formed.then(|| decode(GB18030, &bytes).unwrap_or('?'))
}

/// The one character that these bytes encode.
fn decode(encoding: &'static Encoding, bytes: &[u8]) -> Option<char> {
    // Twice the room that is needed.
    let mut buffer = [0; 32];
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let (result, _, length) = decoder.decode_to_utf8_without_replacement(bytes, &mut buffer, true);
    let mut characters = str::from_utf8(buffer.get(..length)?).ok()?.chars();
    match (result, characters.next(), characters.next()) {
        (DecoderResult::InputEmpty, Some(character), None) => Some(character),
        _ => None,
    }
}

/// Goes through a character set's sequences in order, once, alongside its differences.
struct TableBuilder<'a> {
    sequences: &'a Sequences,
    /// The next sequence's character, and how many more sequences the difference covers.
    run: Option<(u16, u16)>,
}

impl TableBuilder<'_> {
    /// The table of the sequences that begin with `prefix`.
    fn fill(&mut self, pairs: &Pairs, prefix: &[u8]) -> Vec<u16> {
        let mut table = vec![ILL_FORMED; 0x10000];
        for (pair, entry) in (0..=u16::MAX).zip(&mut table) {
            let [lead, trail] = pair.to_be_bytes();
            if pairs.iter().any(|(leads, trails)| leads.contains(&lead) && trails.contains(&trail)) {
                *entry = self.next(&[prefix, &[lead, trail]].concat());
            }
        }
        table
    }

    fn next(&mut self, sequence: &[u8]) -> u16 {
        let number = sequence.iter().fold(0, |number, &byte| number << 8 | u32::from(byte));
        if let Ok(at) = self.sequences.differences.binary_search_by_key(&number, |difference| difference.0) {
            let (_, count, code) = self.sequences.differences[at];
            self.run = Some((code, count));
        }
        match self.run {
            Some((code, left @ 1..)) => {
                let next = if code == UNASSIGNED { code } else { code.wrapping_add(1) };
                self.run = Some((next, left - 1));
                code
            }
            _ => decode(self.sequences.encoding, sequence)
                .and_then(|character| u16::try_from(u32::from(character)).ok())
                .unwrap_or(UNASSIGNED),
        }
    }
}

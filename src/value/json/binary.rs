//! MySQL's binary JSON.
//!
//! A container has two counts (members, bytes), in an object an entry per key (offset, length), an entry per value (type,
//! and offset or inlined scalar), and the data that offsets point to. Offsets count from the container's first count.
//! Counts and offsets have two bytes, in the large format four. See the top of the server's `json_binary.h`.

use super::{MAX_DEPTH, TOO_DEEP, number, opaque};
use crate::bytes::Malformed;
use crate::value::dialect::{ByteStrings, Documents};
use crate::value::{digits, text};

/// See [`ByteStrings`].
const BYTE_STRING: Malformed = Malformed(
    "a JSON document holds a byte string from MySQL 5.7, which 8.0.16 to 8.0.19 print in one of two ways: update \
     the document, and load again",
);

const SMALL_OBJECT: u8 = 0x00;
const LARGE_OBJECT: u8 = 0x01;
const SMALL_ARRAY: u8 = 0x02;
const LARGE_ARRAY: u8 = 0x03;
const LITERAL: u8 = 0x04;
const INT16: u8 = 0x05;
const UINT16: u8 = 0x06;
const INT32: u8 = 0x07;
const UINT32: u8 = 0x08;
const INT64: u8 = 0x09;
const UINT64: u8 = 0x0a;
const DOUBLE: u8 = 0x0b;
const STRING: u8 = 0x0c;
const OPAQUE: u8 = 0x0f;

const CUT: Malformed = Malformed("a JSON document is cut short");
const OVERLAP: Malformed = Malformed("parts of a JSON document overlap");

/// A value in a document: its type, and its bytes, which reach to the end of its container.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    kind: u8,
    bytes: &'a [u8],
}

impl<'a> Raw<'a> {
    pub fn document(doc: &'a [u8]) -> Raw<'a> {
        match doc.split_first() {
            Some((&kind, bytes)) => Raw { kind, bytes },
            // A NOT NULL column after INSERT IGNORE of NULL; the server reads it as null.
            None => Raw { kind: LITERAL, bytes: &[0] },
        }
    }

    /// The value as an array or object; `None` for a scalar.
    pub fn container(self) -> Result<Option<Container<'a>>, Malformed> {
        let (is_object, large) = match self.kind {
            SMALL_OBJECT => (true, false),
            LARGE_OBJECT => (true, true),
            SMALL_ARRAY => (false, false),
            LARGE_ARRAY => (false, true),
            _ => return Ok(None),
        };
        Container::read(self.bytes, is_object, large).map(Some)
    }
}

/// An array or object. Its counts and entries have been checked to lie within its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    pub is_object: bool,
    pub count: usize,
    large: bool,
    /// The length of counts and entries together.
    pub header: usize,
    bytes: &'a [u8],
}

impl<'a> Container<'a> {
    fn read(bytes: &'a [u8], is_object: bool, large: bool) -> Result<Container<'a>, Malformed> {
        let word = if large { 4 } else { 2 };
        let count = unsigned(bytes, 0, large)?;
        let size = unsigned(bytes, word, large)?;
        let bytes = bytes.get(..size).ok_or(CUT)?;
        let entry = if is_object { (word + 2) + (word + 1) } else { word + 1 };
        let header = count.checked_mul(entry).and_then(|n| n.checked_add(2 * word)).ok_or(CUT)?;
        if header > size {
            return Err(CUT);
        }
        Ok(Container { is_object, count, large, header, bytes })
    }

    fn word(&self) -> usize {
        if self.large { 4 } else { 2 }
    }

    /// The key of the member `at`, of an object.
    pub fn key(&self, at: usize) -> Result<&'a [u8], Malformed> {
        let word = self.word();
        let entry = at.checked_mul(word + 2).and_then(|n| n.checked_add(2 * word)).ok_or(CUT)?;
        let start = unsigned(self.bytes, entry, self.large)?;
        let len = unsigned(self.bytes, entry + word, false)?;
        let end = start.checked_add(len).ok_or(CUT)?;
        self.bytes.get(start..end).ok_or(CUT)
    }

    /// The value of the member or element `at`.
    pub fn value(&self, at: usize) -> Result<Raw<'a>, Malformed> {
        let word = self.word();
        let keys = if self.is_object { self.count.checked_mul(word + 2) } else { Some(0) };
        let entry = keys
            .zip(at.checked_mul(word + 1))
            .and_then(|(keys, values)| keys.checked_add(values)?.checked_add(2 * word))
            .ok_or(CUT)?;
        let kind = *self.bytes.get(entry).ok_or(CUT)?;
        let inline = match kind {
            LITERAL | INT16 | UINT16 => true,
            INT32 | UINT32 => self.large,
            _ => false,
        };
        let start = entry + 1;
        let range = if inline {
            start..start + word
        } else {
            let offset = unsigned(self.bytes, start, self.large)?;
            if offset < self.header {
                return Err(OVERLAP);
            }
            offset..self.bytes.len()
        };
        let bytes = self.bytes.get(range).ok_or(CUT)?;
        Ok(Raw { kind, bytes })
    }
}

/// Prints values. It counts the bytes it reads: a valid document needs each at most once, while overlapping parts could
/// make the output grow without bound.
pub struct Writer<'o> {
    left: usize,
    documents: Documents,
    pub out: &'o mut Vec<u8>,
}

impl<'o> Writer<'o> {
    /// A writer that may read `size` bytes in total.
    pub fn new(size: usize, documents: Documents, out: &'o mut Vec<u8>) -> Writer<'o> {
        Writer { left: size, documents, out }
    }

    pub fn document(&mut self, doc: &[u8]) -> Result<(), Malformed> {
        self.value(Raw::document(doc), 0)
    }

    pub fn value(&mut self, raw: Raw, depth: usize) -> Result<(), Malformed> {
        let bytes = raw.bytes;
        match raw.kind {
            SMALL_OBJECT | LARGE_OBJECT | SMALL_ARRAY | LARGE_ARRAY => {
                return match raw.container()? {
                    Some(container) if depth < MAX_DEPTH => self.container(&container, depth),
                    _ => Err(TOO_DEEP),
                };
            }
            LITERAL => self.literal(bytes)?,
            INT16 => digits::signed(i16::from_le_bytes(array(bytes)?).into(), self.out),
            UINT16 => digits::unsigned(u16::from_le_bytes(array(bytes)?).into(), self.out),
            INT32 => digits::signed(i32::from_le_bytes(array(bytes)?).into(), self.out),
            UINT32 => digits::unsigned(u32::from_le_bytes(array(bytes)?).into(), self.out),
            INT64 => digits::signed(i64::from_le_bytes(array(bytes)?), self.out),
            UINT64 => digits::unsigned(u64::from_le_bytes(array(bytes)?), self.out),
            DOUBLE => {
                let value = f64::from_le_bytes(array(bytes)?);
                if !value.is_finite() {
                    return Err(Malformed("a number in a JSON document is not finite"));
                }
                number::write_json(value, self.documents.whole_doubles, self.out);
            }
            STRING => {
                let string = counted(bytes)?;
                self.spend(string.len())?;
                self.string(string)?;
            }
            OPAQUE => {
                let (&field_type, rest) = bytes.split_first().ok_or(CUT)?;
                let data = counted(rest)?;
                self.spend(data.len())?;
                self.opaque(field_type, data)?;
            }
            _ => return Err(Malformed("a JSON document holds a value of an unknown type")),
        }
        Ok(())
    }

    fn container(&mut self, container: &Container, depth: usize) -> Result<(), Malformed> {
        self.spend(container.header)?;
        self.out.push(if container.is_object { b'{' } else { b'[' });
        for at in 0..container.count {
            if at > 0 {
                self.out.push(b',');
            }
            if container.is_object {
                let key = container.key(at)?;
                self.spend(key.len())?;
                self.string(key)?;
                self.out.push(b':');
            }
            self.value(container.value(at)?, depth + 1)?;
        }
        self.out.push(if container.is_object { b'}' } else { b']' });
        Ok(())
    }

    pub fn spend(&mut self, bytes: usize) -> Result<(), Malformed> {
        self.left = self.left.checked_sub(bytes).ok_or(OVERLAP)?;
        Ok(())
    }

    fn literal(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let word: &[u8] = match bytes.first() {
            Some(0) => b"null",
            Some(1) => b"true",
            Some(2) => b"false",
            Some(_) => return Err(Malformed("a JSON document holds an unknown literal")),
            None => return Err(CUT),
        };
        self.out.extend_from_slice(word);
        Ok(())
    }

    pub fn string(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let string =
            std::str::from_utf8(bytes).map_err(|_| Malformed("a string in a JSON document is not UTF-8"))?;
        text::string(string, self.out);
        Ok(())
    }

    fn opaque(&mut self, field_type: u8, data: &[u8]) -> Result<(), Malformed> {
        match field_type {
            opaque::VAR_STRING if self.documents.byte_strings == ByteStrings::Plain => self.string(data),
            opaque::VAR_STRING if self.documents.byte_strings == ByteStrings::Either => Err(BYTE_STRING),
            opaque::NEWDECIMAL => opaque::decimal(data, self.out),
            opaque::TIME => opaque::time(array(data)?, self.out),
            opaque::DATE => opaque::date(array(data)?, self.out),
            opaque::DATETIME | opaque::TIMESTAMP => opaque::datetime(array(data)?, self.out),
            other => {
                opaque::base64(other, data, self.out);
                Ok(())
            }
        }
    }
}

/// The unsigned number of two bytes, or four, at `at`.
fn unsigned(bytes: &[u8], at: usize, large: bool) -> Result<usize, Malformed> {
    let bytes = bytes.get(at..).ok_or(CUT)?;
    Ok(if large {
        u32::from_le_bytes(array(bytes)?) as usize
    } else {
        usize::from(u16::from_le_bytes(array(bytes)?))
    })
}

/// The first N bytes.
fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes.first_chunk().copied().ok_or(CUT)
}

/// Bytes after their length, which has seven bits per byte, low bits first, in up to five bytes.
fn counted(bytes: &[u8]) -> Result<&[u8], Malformed> {
    let mut len = 0u64;
    for (at, &byte) in bytes.iter().take(5).enumerate() {
        len |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let len = usize::try_from(len).map_err(|_| CUT)?;
            return bytes.get(at + 1..).and_then(|rest| rest.get(..len)).ok_or(CUT);
        }
    }
    Err(CUT)
}

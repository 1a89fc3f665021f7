//! The type of a column, apart from how its bytes are encoded: it decides what the JSON looks like.

use std::sync::Arc;

use super::{Charset, decimal, text};
use crate::bytes::Malformed;
use crate::push_fixed::Piece;

/// The type of a column. For a server's new type add a variant, and follow the compiler from there.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnType {
    /// TINYINT to BIGINT, of 1, 2, 3, 4 or 8 bytes.
    Int {
        bytes: u8,
        unsigned: bool,
    },
    /// `two_digits` is MariaDB's YEAR(2), of which a query returns only the last two digits.
    Year {
        two_digits: bool,
    },
    /// BIT(n), of 1 to 64 bits.
    Bit {
        bits: u8,
    },
    Decimal(decimal::Precision),
    Float,
    Double,
    /// CHAR, VARCHAR, TEXT.
    Text {
        charset: Charset,
    },
    /// VARBINARY, BLOB, and BINARY(n), which is `padded` to n.
    Bytes {
        padded: bool,
    },
    Enum(Arc<Labels>),
    Set(Arc<Labels>),
    Date,
    /// With 0 to 6 decimals of a second, as the next two.
    DateTime {
        decimals: u8,
    },
    Timestamp {
        decimals: u8,
    },
    Time {
        decimals: u8,
    },
    Json,
    Geometry,
    Vector,
    Uuid,
    Inet4,
    Inet6,
}

/// A label's JSON with its quotes, or why it is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Label(Result<Piece, Malformed>);

impl Label {
    pub fn new(bytes: &[u8], charset: Charset) -> Label {
        let mut json = vec![b'"'];
        Label(charset.escape(bytes, &mut json).map(|()| {
            json.push(b'"');
            Piece::new(json)
        }))
    }

    /// A label whose text is not known.
    pub fn unknown(reason: &'static str) -> Label {
        Label(Err(Malformed(reason)))
    }

    #[inline]
    pub fn json(&self) -> Result<&Piece, Malformed> {
        self.0.as_ref().map_err(|error| *error)
    }
}

/// The members of an ENUM or a SET, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    /// What an ENUM's index 0 prints as: the value after an invalid insert.
    error: Label,
    members: Vec<Label>,
}

impl Labels {
    pub fn new(members: Vec<Label>) -> Labels {
        Labels { error: Label(Ok(Piece::new(b"\"\"".to_vec()))), members }
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The member at an ENUM's index, which counts from 1; 0 is the error value.
    #[inline]
    pub fn of_index(&self, index: u64) -> Result<&Label, Malformed> {
        let Some(index) = index.checked_sub(1) else {
            return Ok(&self.error);
        };
        let member = usize::try_from(index).ok().and_then(|i| self.members.get(i));
        member.ok_or(Malformed("an ENUM's number is beyond its members"))
    }

    /// Appends a SET as an array of its members.
    pub fn write_set(&self, bits: u64, out: &mut Vec<u8>) -> Result<(), Malformed> {
        if self.members.len() < 64 && bits >> self.members.len() != 0 {
            return Err(Malformed("a SET's number is beyond its members"));
        }
        out.push(b'[');
        let mut first = true;
        for (i, label) in self.members.iter().enumerate() {
            if bits >> i & 1 == 1 {
                if !first {
                    out.push(b',');
                }
                first = false;
                label.json()?.append(out);
            }
        }
        out.push(b']');
        Ok(())
    }
}

/// Appends the key `"name":`.
pub fn key(name: &str, out: &mut Vec<u8>) {
    text::string(name, out);
    out.push(b':');
}

//! Rows events: the table, the columns, and the row images.
//!
//! Source: MySQL's `rows_event.h`, class `Rows_event`; MariaDB's `sql/log_event.cc` for the
//! compressed ones.

use super::compressed;
use super::event::{FormatDescription, RowChange, RowsKind};
use crate::bytes::{Bytes, Malformed};

/// Flag: the last event of its statement. Earlier table maps end with it.
pub const FLAG_STATEMENT_END: u16 = 1;

/// Reads only the flags of a rows event.
pub fn flags(format: &FormatDescription, type_byte: u8, body: &[u8]) -> Result<u16, Malformed> {
    let mut bytes = Bytes(body);
    format.table_id(type_byte, &mut bytes)?;
    bytes.u16()
}

/// Reads only the table id of a rows event.
pub fn table_id(format: &FormatDescription, type_byte: u8, body: &[u8]) -> Result<u64, Malformed> {
    format.table_id(type_byte, &mut Bytes(body))
}

/// A rows event, borrowed from its body.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    pub kind: RowsKind,
    pub table_id: u64,
    pub flags: u16,
    pub columns: usize,
    /// Bitmap of the columns in before images, of an update or a delete.
    pub before: &'a [u8],
    /// Bitmap of the columns in after images, of an insert or an update.
    pub after: &'a [u8],
    /// The row images.
    pub data: &'a [u8],
}

impl<'a> Rows<'a> {
    /// Parses the event. Compressed row images are inflated into `inflated`.
    pub fn parse(
        format: &FormatDescription,
        kind: RowsKind,
        type_byte: u8,
        body: &'a [u8],
        inflated: &'a mut Vec<u8>,
    ) -> Result<Rows<'a>, Malformed> {
        let mut bytes = Bytes(body);
        let table_id = format.table_id(type_byte, &mut bytes)?;
        let flags = bytes.u16()?;
        if kind.extra_data {
            // The length includes itself.
            let len = bytes.u16()?;
            bytes.take(usize::from(len).checked_sub(2).ok_or(crate::bytes::ENDS_EARLY)?)?;
        }
        let columns = bytes.length()?;
        let bitmap = bytes.take(columns.div_ceil(8))?;
        let second = match kind.change {
            RowChange::Update => bytes.take(columns.div_ceil(8))?,
            RowChange::Insert | RowChange::Delete => bitmap,
        };
        let mut data = bytes.rest();
        if kind.compressed {
            compressed::event(data, inflated)?;
            data = inflated;
        }
        Ok(Rows { kind, table_id, flags, columns, before: bitmap, after: second, data })
    }

    /// Whether this only marks the end of a statement, with no table and no rows.
    pub fn is_dummy(&self) -> bool {
        let none = [0xff_ffff, 0xffff_ffff, 0xffff_ffff_ffff];
        self.columns == 0 && self.data.is_empty() && none.contains(&self.table_id)
    }
}

/// Whether the first `columns` bits are all set: the image is full.
pub fn is_full(bitmap: &[u8], columns: usize) -> bool {
    let (whole, rest) = (columns / 8, columns % 8);
    let mask = (1u8 << rest) - 1;
    bitmap.iter().take(whole).all(|byte| *byte == 0xff)
        && (rest == 0 || bitmap.get(whole).is_some_and(|byte| byte & mask == mask))
}

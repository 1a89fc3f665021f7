//! Table map events: the table that the following rows belong to, and its column formats.
//!
//! Source: MySQL's `rows_event.h`, class `Table_map_event`.

use super::column_format::ColumnFormat;
use super::event::FormatDescription;
use crate::bytes::{Bytes, Malformed, bit};

/// Limit of a table's columns. Both servers allow 4,096 (`MAX_FIELDS`), and add a few hidden ones.
const MAX_COLUMNS: usize = 8192;

/// A table map event, borrowed from its body.
#[derive(Debug, Clone, Copy)]
pub struct TableMap<'a> {
    pub table_id: u64,
    /// In `utf8mb3`, as the table's name.
    pub database: &'a [u8],
    pub table: &'a [u8],
    types: &'a [u8],
    metadata: &'a [u8],
    nullable: &'a [u8],
    /// The optional metadata: fields of type, length and bytes.
    optional: &'a [u8],
}

impl<'a> TableMap<'a> {
    pub fn parse(
        format: &FormatDescription,
        type_byte: u8,
        body: &'a [u8],
    ) -> Result<TableMap<'a>, Malformed> {
        let mut bytes = Bytes(body);
        let table_id = format.table_id(type_byte, &mut bytes)?;
        bytes.u16()?;
        let database = bytes.lenenc_bytes()?;
        bytes.u8()?;
        let table = bytes.lenenc_bytes()?;
        bytes.u8()?;
        let columns = bytes.length()?;
        if columns > MAX_COLUMNS {
            return Err(Malformed("it has more columns than a table can have"));
        }
        let types = bytes.take(columns)?;
        let metadata = bytes.lenenc_bytes()?;
        let nullable = bytes.take(columns.div_ceil(8))?;
        Ok(TableMap { table_id, database, table, types, metadata, nullable, optional: bytes.rest() })
    }

    pub fn column_count(&self) -> usize {
        self.types.len()
    }

    /// Whether column `i` may be NULL.
    pub fn is_nullable(&self, i: usize) -> bool {
        bit(self.nullable, i)
    }

    /// The format of every column. After an unknown type, which gives `None`, the others cannot be read.
    pub fn formats(&self) -> Result<Vec<Option<ColumnFormat>>, Malformed> {
        let mut meta = Bytes(self.metadata);
        let mut formats = Vec::with_capacity(self.types.len());
        for kind in self.types {
            let format = ColumnFormat::parse(*kind, &mut meta)?;
            formats.push(format);
            if format.is_none() {
                break;
            }
        }
        Ok(formats)
    }

    /// The type byte of column `i`, for messages.
    pub fn type_byte(&self, i: usize) -> Option<u8> {
        self.types.get(i).copied()
    }

    /// Parses the optional metadata.
    pub fn metadata(&self) -> Result<Metadata<'a>, Malformed> {
        Metadata::parse(self.optional)
    }
}

/// Collations of columns: a default with exceptions, or one for each.
#[derive(Debug, Clone, Default)]
pub struct Collations {
    default: Option<u64>,
    /// Ordinal among the columns of that sort, and collation.
    exceptions: Vec<(u64, u64)>,
    each: Vec<u64>,
}

impl Collations {
    /// Collation id of the `ordinal`-th column of that sort.
    pub fn of(&self, ordinal: usize) -> Option<u64> {
        if let Some(default) = self.default {
            let named = self.exceptions.binary_search_by_key(&(ordinal as u64), |(i, _)| *i);
            return Some(named.map_or(default, |at| self.exceptions[at].1));
        }
        self.each.get(ordinal).copied()
    }

    fn with_default(bytes: &[u8]) -> Result<Collations, Malformed> {
        let mut numbers = lenencs(bytes)?.into_iter();
        let default = numbers.next();
        let mut exceptions = Vec::new();
        while let Some(i) = numbers.next() {
            let collation = numbers.next();
            exceptions.push((i, collation.ok_or(Malformed("a character set is missing"))?));
        }
        exceptions.sort_unstable();
        Ok(Collations { default, exceptions, each: Vec::new() })
    }

    fn for_each(bytes: &[u8]) -> Result<Collations, Malformed> {
        Ok(Collations { each: lenencs(bytes)?, ..Collations::default() })
    }
}

/// The optional metadata (`binlog_row_metadata`). Each list counts only the columns of its sort.
#[derive(Debug, Clone, Default)]
pub struct Metadata<'a> {
    /// A bit for each numeric column, highest bit first, set if UNSIGNED.
    pub unsigned: Option<&'a [u8]>,
    pub text_collations: Option<Collations>,
    pub label_collations: Option<Collations>,
    /// Names of all columns; only with `binlog_row_metadata=FULL`.
    pub names: Option<Vec<&'a [u8]>>,
    pub set_labels: Option<Vec<Vec<&'a [u8]>>>,
    pub enum_labels: Option<Vec<Vec<&'a [u8]>>>,
    /// Column numbers of the primary key, in key order.
    pub primary_key: Option<Vec<usize>>,
    pub geometry_types: Option<Vec<u64>>,
    pub vector_dimensions: Option<Vec<u64>>,
}

impl<'a> Metadata<'a> {
    fn parse(optional: &'a [u8]) -> Result<Metadata<'a>, Malformed> {
        let mut metadata = Metadata::default();
        let mut bytes = Bytes(optional);
        while !bytes.is_empty() {
            let kind = bytes.u8()?;
            let value = bytes.lenenc_bytes()?;
            match kind {
                1 => metadata.unsigned = Some(value),
                2 => metadata.text_collations = Some(Collations::with_default(value)?),
                3 => metadata.text_collations = Some(Collations::for_each(value)?),
                4 => metadata.names = Some(strings(value)?),
                5 => metadata.set_labels = Some(label_lists(value)?),
                6 => metadata.enum_labels = Some(label_lists(value)?),
                8 => metadata.primary_key = Some(key(value, false)?),
                9 => metadata.primary_key = Some(key(value, true)?),
                10 => metadata.label_collations = Some(Collations::with_default(value)?),
                11 => metadata.label_collations = Some(Collations::for_each(value)?),
                7 => metadata.geometry_types = Some(lenencs(value)?),
                13 => metadata.vector_dimensions = Some(lenencs(value)?),
                // 12 is visibility: invisible columns print as others do.
                _ => {}
            }
        }
        Ok(metadata)
    }

    /// Whether the `ordinal`-th numeric column is UNSIGNED.
    pub fn is_unsigned(&self, ordinal: usize) -> Option<bool> {
        let byte = self.unsigned?.get(ordinal / 8)?;
        Some(byte & (0x80 >> (ordinal % 8)) != 0)
    }
}

fn lenencs(bytes: &[u8]) -> Result<Vec<u64>, Malformed> {
    let mut bytes = Bytes(bytes);
    let mut all = Vec::new();
    while !bytes.is_empty() {
        all.push(bytes.lenenc()?);
    }
    Ok(all)
}

fn strings(bytes: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut bytes = Bytes(bytes);
    let mut all = Vec::new();
    while !bytes.is_empty() {
        all.push(bytes.lenenc_bytes()?);
    }
    Ok(all)
}

fn label_lists(bytes: &[u8]) -> Result<Vec<Vec<&[u8]>>, Malformed> {
    let mut bytes = Bytes(bytes);
    let mut lists = Vec::new();
    while !bytes.is_empty() {
        let count = bytes.length()?;
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(bytes.lenenc_bytes()?);
        }
        lists.push(list);
    }
    Ok(lists)
}

fn key(bytes: &[u8], prefixes: bool) -> Result<Vec<usize>, Malformed> {
    let mut bytes = Bytes(bytes);
    let mut columns = Vec::new();
    while !bytes.is_empty() {
        columns.push(bytes.length()?);
        if prefixes {
            bytes.lenenc()?;
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checking a key takes time quadratic in its columns: an hour for a million of them.
    #[test]
    fn more_columns_than_a_table_can_have_are_refused() {
        let map = |columns: u32| {
            let mut body = vec![1, 0, 0, 0, 0, 0, 1, 0, 1, b'd', 0, 1, b't', 0, 0xfd];
            body.extend(&columns.to_le_bytes()[..3]);
            body.extend(vec![1; columns as usize]);
            body.push(0);
            body.extend(vec![0; columns.div_ceil(8) as usize]);
            TableMap::parse(&FormatDescription::default(), 19, &body).map(|map| map.column_count())
        };
        assert_eq!(map(4096), Ok(4096));
        assert!(map(1 << 20).is_err());
    }
}

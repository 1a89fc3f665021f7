//! A table map and a table, joined: how to read the rows that follow, prepared once.

use std::fmt;

use super::{Column, Id, Table};
use crate::binlog::cell::Cell;
use crate::binlog::wire::Wire;
use crate::bytes::{Bytes, bit};
use crate::tuple::{Content, Heads};
use crate::value::geometry::Axes;
use crate::value::{Kind, Malformed, Style, Value, kind};

/// How to read and print the rows of one table.
#[derive(Debug)]
pub struct Layout {
    pub database: String,
    pub table: String,
    pub heads: Heads,
    columns: Vec<LayoutColumn>,
    id_values: usize,
    style: Style,
}

#[derive(Debug)]
struct LayoutColumn {
    /// `"name":`, with a comma before it for all but the first.
    key: Vec<u8>,
    cell: Cell,
    wire: Wire,
    old_decimals: u8,
    id_place: Option<usize>,
}

/// A column that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowError {
    pub column: usize,
    pub why: Malformed,
}

/// A column that is not packed as its table says.
#[derive(Debug, PartialEq, Eq)]
pub struct Mismatch(pub String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Decimals of an old temporal column, which its packing does not tell.
pub fn old_decimals(wire: Wire, kind: &Kind) -> u8 {
    match (wire, kind) {
        (
            Wire::OldTime | Wire::OldDateTime | Wire::OldTimestamp,
            Kind::Time { decimals } | Kind::DateTime { decimals } | Kind::Timestamp { decimals },
        ) => *decimals,
        _ => 0,
    }
}

impl Layout {
    /// Joins them, or says where they differ.
    pub fn join(
        table: &Table,
        wires: &[Wire],
        printed: &str,
        axes: Axes,
        style: Style,
    ) -> Result<Layout, Mismatch> {
        if table.columns.len() != wires.len() {
            return Err(Mismatch(format!(
                "its rows have {} columns, the table {}",
                wires.len(),
                table.columns.len()
            )));
        }
        let id: &[usize] = match &table.id {
            Id::Columns(columns) => columns,
            Id::None | Id::Unknown => &[],
        };
        let mut columns = Vec::with_capacity(wires.len());
        for (i, (column, wire)) in table.columns.iter().zip(wires).enumerate() {
            let cell = Cell::join(*wire, &column.kind, axes).filter(|_| fits(*wire, column));
            let cell = cell.ok_or_else(|| {
                Mismatch(format!(
                    "column {} (`{}`) is {:?} in the rows and {:?} in the table",
                    i + 1,
                    column.name,
                    wire,
                    column.kind
                ))
            })?;
            columns.push(LayoutColumn {
                key: key(&column.name, i),
                cell,
                wire: *wire,
                old_decimals: old_decimals(*wire, &column.kind),
                id_place: id.iter().position(|n| *n == i),
            });
        }
        Ok(Layout {
            database: table.database.clone(),
            table: table.name.clone(),
            heads: Heads::new(printed),
            columns,
            id_values: id.len(),
            style,
        })
    }

    pub fn column_count(&self) -> usize {
        self.columns.len()
    }

    /// The column's key as it is printed, for messages.
    pub fn column_name(&self, i: usize) -> String {
        let key = self.columns.get(i).map(|column| column.key.as_slice()).unwrap_or_default();
        let key = key.strip_prefix(b",").unwrap_or(key);
        let key = key.strip_suffix(b":").unwrap_or(key);
        serde_json::from_slice(key).unwrap_or_default()
    }

    /// Reads a whole row image into `content`.
    pub fn read(
        &self,
        image: &mut Bytes<'_>,
        content: &mut Content,
        inflated: &mut Vec<u8>,
    ) -> Result<(), RowError> {
        let nulls = self.nulls(image)?;
        content.begin(self.id_values);
        for (i, column) in self.columns.iter().enumerate() {
            let read = if bit(nulls, i) {
                content.column(&column.key, column.id_place, &Value::Null, self.style)
            } else {
                column
                    .cell
                    .read(image, inflated)
                    .and_then(|value| content.column(&column.key, column.id_place, &value, self.style))
            };
            read.map_err(|why| RowError { column: i, why })?;
        }
        content.end();
        Ok(())
    }

    /// Reads the values of a row image's id into `content`, and passes over the others.
    pub fn read_id(
        &self,
        image: &mut Bytes<'_>,
        content: &mut Content,
        inflated: &mut Vec<u8>,
    ) -> Result<(), RowError> {
        let nulls = self.nulls(image)?;
        content.begin(self.id_values);
        for (i, column) in self.columns.iter().enumerate() {
            let read = match (bit(nulls, i), column.id_place) {
                (true, None) => Ok(()),
                (true, place) => content.column(&column.key, place, &Value::Null, self.style),
                (false, None) => column.wire.skip(image, column.old_decimals),
                (false, place) => column
                    .cell
                    .read(image, inflated)
                    .and_then(|value| content.column(&column.key, place, &value, self.style)),
            };
            read.map_err(|why| RowError { column: i, why })?;
        }
        Ok(())
    }

    /// Reads an after image some of whose JSON documents are differences from those of the before
    /// image, which is given from its beginning and must be whole.
    ///
    /// Source: MySQL's `rows_event.h`, on `PARTIAL_UPDATE_ROWS_EVENT`.
    pub fn read_partial(
        &self,
        mut before: Bytes<'_>,
        image: &mut Bytes<'_>,
        content: &mut Content,
        inflated: &mut Vec<u8>,
    ) -> Result<(), RowError> {
        let at = |column| move |why| RowError { column, why };
        let options = image.lenenc().map_err(at(0))?;
        if options & !1 != 0 {
            return Err(RowError { column: 0, why: Malformed("its options are not known") });
        }
        let documents = self.columns.iter().filter(|column| column.wire.is_json()).count();
        let partial: &[u8] = match options {
            0 => &[],
            _ => image.take(documents.div_ceil(8)).map_err(at(0))?,
        };
        let nulls_before = self.nulls(&mut before)?;
        let nulls = self.nulls(image)?;
        content.begin(self.id_values);
        let mut document = 0;
        for (i, column) in self.columns.iter().enumerate() {
            let start = before;
            if !bit(nulls_before, i) {
                column.wire.skip(&mut before, column.old_decimals).map_err(at(i))?;
            }
            let is_partial = column.wire.is_json() && bit(partial, document);
            document += usize::from(column.wire.is_json());
            let value = if bit(nulls, i) { Ok(Value::Null) } else { column.cell.read(image, inflated) };
            let value = match value.map_err(at(i))? {
                Value::JsonBinary(diffs) if is_partial => {
                    if bit(nulls_before, i) {
                        return Err(at(i)(Malformed("a difference from no document")));
                    }
                    Value::JsonDiffs { before: document_at(column.wire, start).map_err(at(i))?, diffs }
                }
                value => value,
            };
            let written = content.column(&column.key, column.id_place, &value, self.style);
            written.map_err(at(i))?;
        }
        content.end();
        Ok(())
    }

    fn nulls<'a>(&self, image: &mut Bytes<'a>) -> Result<&'a [u8], RowError> {
        image.take(self.columns.len().div_ceil(8)).map_err(|why| RowError { column: 0, why })
    }
}

/// The bytes of the document that stands there.
fn document_at<'a>(wire: Wire, mut at: Bytes<'a>) -> Result<&'a [u8], Malformed> {
    let Wire::Json { length_bytes } = wire else {
        return Err(Malformed("a difference from no document"));
    };
    let len = at.uint(length_bytes.into())?;
    at.take(len as usize)
}

/// `"name":` with a comma before it for all but the first column.
pub fn key(name: &str, i: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    if i > 0 {
        bytes.push(b',');
    }
    kind::key(name, &mut bytes);
    bytes
}

/// Whether the lengths agree, where both sides tell them: a difference is the trace of an ALTER.
fn fits(wire: Wire, column: &Column) -> bool {
    match (wire, column.octets) {
        (Wire::String { max } | Wire::Varchar { max, compressed: false }, Some(octets)) => {
            u64::from(max) == octets
        }
        _ => true,
    }
}

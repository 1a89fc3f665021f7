//! A table map and a table, joined: how to read the rows that follow, prepared once.

use std::fmt;

use super::hidden::is_of_now;
use super::{Column, Id, Table};
use crate::append::Piece;
use crate::binlog::cell::{Cell, Take};
use crate::binlog::event::Change;
use crate::binlog::rows::Rows;
use crate::binlog::wire::Wire;
use crate::bytes::{Bytes, any_bit, bit};
use crate::tuple::{Content, Heads, key};
use crate::value::{Dialect, Kind, Malformed, Style, Value, kind};

/// How to read and print the rows of one table.
#[derive(Debug)]
pub struct Layout {
    pub database: String,
    pub table: String,
    pub heads: Heads,
    columns: Vec<LayoutColumn>,
    id_values: usize,
    style: Style,
    /// Columns of MariaDB's behind the table's own.
    hidden: Vec<Wire>,
    /// See [`Hidden`](super::hidden::Hidden).
    until: Option<usize>,
}

#[derive(Debug)]
struct LayoutColumn {
    /// Its place among them, so that a loop over columns need not count.
    number: usize,
    name: String,
    key: Piece,
    cell: Cell,
    wire: Wire,
    old_decimals: u8,
    id_place: Option<usize>,
}

/// Where a value of a row goes.
struct Slot<'a> {
    out: &'a mut Vec<u8>,
    style: Style,
}

impl Take for Slot<'_> {
    #[inline(always)]
    fn take(self, value: Value<'_>) -> Result<(), Malformed> {
        value.write(self.style, self.out)
    }
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
        dialect: Dialect,
        style: Style,
    ) -> Result<Layout, Mismatch> {
        let (own, hidden) = wires.split_at(table.columns.len().min(wires.len()));
        if table.columns.len() != own.len() || !table.hidden.fits(hidden) {
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
            let cell = Cell::join(*wire, &column.kind, dialect).filter(|_| fits(*wire, column));
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
                number: i,
                name: column.name.clone(),
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
            hidden: hidden.to_vec(),
            until: table.hidden.until,
        })
    }

    /// Columns of a row in the log.
    pub fn column_count(&self) -> usize {
        self.columns.len() + self.hidden.len()
    }

    /// Those that are printed, which come first.
    pub fn own_columns(&self) -> usize {
        self.columns.len()
    }

    /// Appends an object of the columns that differ, with what they were.
    pub fn write_changed(&self, before: &Content, after: &Content, out: &mut Vec<u8>) {
        out.push(b'{');
        let start = out.len();
        for (i, column) in self.columns.iter().enumerate() {
            let was = before.value(i);
            if was != after.value(i) {
                if out.len() > start {
                    out.push(b',');
                }
                kind::key(&column.name, out);
                out.extend_from_slice(was);
            }
        }
        out.push(b'}');
    }

    /// The column's name, for messages.
    pub fn column_name(&self, i: usize) -> &str {
        self.columns.get(i).map(|column| column.name.as_str()).unwrap_or_default()
    }

    /// Reads a whole row image into `content`.
    pub fn read(
        &self,
        image: &mut Bytes<'_>,
        content: &mut Content,
        inflated: &mut Vec<u8>,
    ) -> Result<(), RowError> {
        let nulls = self.nulls(image)?;
        let some_are_null = any_bit(nulls, self.columns.len());
        content.begin(self.id_values);
        for column in &self.columns {
            let is_null = some_are_null && bit(nulls, column.number);
            let read = self.read_column(column, is_null, image, content, inflated);
            read.map_err(|why| RowError { column: column.number, why })?;
        }
        content.end();
        self.pass_hidden(nulls, image)
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
                (false, None) => column.wire.skip(image, column.old_decimals),
                (is_null, Some(_)) => self.read_column(column, is_null, image, content, inflated),
            };
            read.map_err(|why| RowError { column: i, why })?;
        }
        self.pass_hidden(nulls, image)
    }

    #[inline(always)]
    fn read_column(
        &self,
        column: &LayoutColumn,
        is_null: bool,
        image: &mut Bytes<'_>,
        content: &mut Content,
        inflated: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let (start, out) = content.column(&column.key);
        if is_null {
            out.extend_from_slice(b"null");
        } else {
            column.cell.read(image, inflated, Slot { out, style: self.style })?;
        }
        content.end_column(start, column.id_place);
        Ok(())
    }

    fn pass_hidden(&self, nulls: &[u8], image: &mut Bytes<'_>) -> Result<(), RowError> {
        for (i, wire) in (self.columns.len()..).zip(&self.hidden) {
            if !bit(nulls, i) {
                wire.skip(image, 0).map_err(|why| RowError { column: i, why })?;
            }
        }
        Ok(())
    }

    /// Passes over a row image of these columns; returns what begins with column `stop`, if that is there.
    pub fn pass_over<'b>(
        &self,
        image: &mut Bytes<'b>,
        present: &[u8],
        stop: Option<usize>,
    ) -> Result<Option<(Wire, Bytes<'b>)>, RowError> {
        let mut columns = Present::begin(image, present, self.column_count())?;
        let mut found = None;
        let own = self.columns.iter().map(|column| (column.wire, column.old_decimals));
        let all = own.chain(self.hidden.iter().map(|wire| (*wire, 0)));
        for (i, (wire, old_decimals)) in all.enumerate() {
            if columns.next(i) == Some(false) {
                if Some(i) == stop {
                    found = Some((wire, *image));
                }
                wire.skip(image, old_decimals).map_err(|why| RowError { column: i, why })?;
            }
        }
        Ok(found)
    }

    /// What a change does to the row of now. Of most tables it is the change itself; but those with versions log an
    /// update that ends one where a row is deleted, and insert those that have ended. An image that is of no
    /// interest is passed over; that after an update which deletes is left to the caller.
    pub fn effect(&self, rows: &Rows<'_>, image: &mut Bytes<'_>) -> Result<Option<Change>, RowError> {
        let change = rows.kind.change;
        let Some(until) = self.until else {
            return Ok(Some(change));
        };
        let is_of_now = |found: Option<(Wire, Bytes<'_>)>| match found {
            Some((wire, mut bytes)) => {
                let of_now = is_of_now(wire, &mut bytes);
                of_now.map(Some).map_err(|why| RowError { column: until, why })
            }
            None => Ok(None),
        };
        let start = *image;
        let was = is_of_now(self.pass_over(image, rows.before, Some(until))?)?;
        let was = was.ok_or(RowError { column: until, why: NOT_LOGGED })?;
        if change != Change::Update {
            if was {
                *image = start;
            }
            return Ok(was.then_some(change));
        }
        let after = *image;
        // What is left out has not changed.
        let is = is_of_now(self.pass_over(image, rows.after, Some(until))?)?.unwrap_or(was);
        Ok(match (was, is) {
            (true, is) => {
                *image = start;
                Some(if is { Change::Update } else { Change::Delete })
            }
            (false, true) => {
                *image = after;
                Some(Change::Insert)
            }
            (false, false) => None,
        })
    }

    /// Reads a row image that holds only the columns of `present`; the others come from `rest`, another image and
    /// its columns.
    pub fn read_present<'b>(
        &self,
        image: &mut Bytes<'b>,
        present: &[u8],
        rest: Option<(Bytes<'b>, &[u8])>,
        content: &mut Content,
        inflated: &mut Vec<u8>,
    ) -> Result<(), RowError> {
        let mut first = Present::begin(image, present, self.column_count())?;
        let mut other = match rest {
            Some((mut bytes, columns)) => {
                let present = Present::begin(&mut bytes, columns, self.column_count())?;
                Some((bytes, present))
            }
            None => None,
        };
        content.begin(self.id_values);
        for (i, column) in self.columns.iter().enumerate() {
            let mut take = |bytes: &mut Bytes<'b>, is_null: bool| {
                self.read_column(column, is_null, bytes, content, inflated)
            };
            let written = match (first.next(i), &mut other) {
                (Some(is_null), other) => {
                    // The same column of the other image is passed over.
                    let passed = match other {
                        Some((bytes, present)) => match present.next(i) {
                            Some(false) => column.wire.skip(bytes, column.old_decimals),
                            _ => Ok(()),
                        },
                        None => Ok(()),
                    };
                    passed.and_then(|()| take(image, is_null))
                }
                (None, Some((bytes, present))) => match present.next(i) {
                    Some(is_null) => take(bytes, is_null),
                    None => Err(NOT_LOGGED),
                },
                (None, None) => Err(NOT_LOGGED),
            };
            written.map_err(|why| RowError { column: i, why })?;
        }
        content.end();
        for (i, wire) in (self.columns.len()..).zip(&self.hidden) {
            if first.next(i) == Some(false) {
                wire.skip(image, 0).map_err(|why| RowError { column: i, why })?;
            }
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
            let written = if bit(nulls, i) || !is_partial {
                self.read_column(column, bit(nulls, i), image, content, inflated)
            } else if bit(nulls_before, i) {
                Err(NO_DOCUMENT)
            } else {
                let Cell::Json { documents, .. } = column.cell else {
                    return Err(RowError { column: i, why: NO_DOCUMENT });
                };
                let before = document_at(column.wire, start).map_err(at(i))?;
                let diffs = document_at(column.wire, *image).map_err(at(i))?;
                column.wire.skip(image, column.old_decimals).map_err(at(i))?;
                let (start, out) = content.column(&column.key);
                let written = Value::JsonDiffs { before, diffs, documents }.write(self.style, out);
                content.end_column(start, column.id_place);
                written
            };
            written.map_err(at(i))?;
        }
        content.end();
        Ok(())
    }

    fn nulls<'a>(&self, image: &mut Bytes<'a>) -> Result<&'a [u8], RowError> {
        image.take(self.column_count().div_ceil(8)).map_err(|why| RowError { column: 0, why })
    }
}

const NO_DOCUMENT: Malformed = Malformed("a difference from no document");
const NOT_LOGGED: Malformed = Malformed("it is not logged");

/// Which columns of an image are there, and which of those are NULL: the image counts only those that are there.
#[derive(Debug)]
struct Present<'a, 'b> {
    columns: &'a [u8],
    nulls: &'b [u8],
    seen: usize,
}

impl<'a, 'b> Present<'a, 'b> {
    fn begin(image: &mut Bytes<'b>, columns: &'a [u8], count: usize) -> Result<Present<'a, 'b>, RowError> {
        let there = (0..count).filter(|i| bit(columns, *i)).count();
        let nulls = image.take(there.div_ceil(8)).map_err(|why| RowError { column: 0, why })?;
        Ok(Present { columns, nulls, seen: 0 })
    }

    /// Whether the next column, of this number, is NULL; `None` if it is not there.
    fn next(&mut self, i: usize) -> Option<bool> {
        bit(self.columns, i).then(|| {
            self.seen += 1;
            bit(self.nulls, self.seen - 1)
        })
    }
}

/// The bytes of the document that stands there.
fn document_at<'a>(wire: Wire, mut at: Bytes<'a>) -> Result<&'a [u8], Malformed> {
    let Wire::Json { length_bytes } = wire else {
        return Err(NO_DOCUMENT);
    };
    let len = at.uint(length_bytes.into())?;
    at.take(len as usize)
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

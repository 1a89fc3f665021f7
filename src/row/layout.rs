//! A table map and a table, joined: how to read the rows that follow, prepared once.

use std::fmt;

use super::partial::{NOT_LOGGED, Present};
use super::type_names;
use crate::binlog::column_format::ColumnFormat;
use crate::binlog::event::Change;
use crate::binlog::rows::Rows;
use crate::bytes::Malformed;
use crate::bytes::{Bytes, any_bit, bit};
use crate::push_fixed::Piece;
use crate::row::column_reader::{ColumnReader, Take};
use crate::schema::hidden::is_of_now;
use crate::schema::{Column, Part, Table};
use crate::tuple::{Content, Heads, IdPlace};
use crate::value::{Dialect, Kind, Style, Value, kind};

/// How to read and print the rows of one table.
#[derive(Debug)]
pub struct Layout {
    pub database: String,
    pub table: String,
    pub heads: Heads,
    /// All that a row of the log has, in that order.
    pub(super) columns: Vec<LayoutColumn>,
    pub(super) id_values: usize,
    pub(super) style: Style,
    /// Columns that no image holds.
    pub(super) never_logged: Vec<usize>,
    /// See [`Hidden`](crate::schema::hidden::Hidden).
    pub(super) until: Option<usize>,
}

#[derive(Debug)]
pub(super) struct LayoutColumn {
    /// Its place among them, so that a loop over columns need not count.
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) key: Piece,
    pub(super) cell: ColumnReader,
    pub(super) wire: ColumnFormat,
    pub(super) old_decimals: u8,
    pub(super) id_place: IdPlace,
    /// For the content or the id. Others are passed over.
    pub(super) is_read: bool,
    pub(super) is_generated: bool,
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

impl Mismatch {
    fn of_count(table: &Table, wires: &[ColumnFormat]) -> Mismatch {
        let (own, hidden) = (table.columns.len(), table.hidden.expressions.len());
        let of_which = match hidden {
            0 => String::new(),
            _ => format!(", {hidden} of them hidden ones of indexes on expressions"),
        };
        Mismatch(format!("its rows have {} columns, the table {}{of_which}", wires.len(), own + hidden))
    }

    fn of_hidden(i: usize) -> Mismatch {
        Mismatch(format!(
            "column {} of its rows is not of the type that a hidden column of an index on an expression has there",
            i + 1
        ))
    }
}

impl LayoutColumn {
    fn join(
        number: usize,
        column: &Column,
        part: Part,
        wire: ColumnFormat,
        dialect: Dialect,
    ) -> Result<LayoutColumn, Mismatch> {
        let cell = ColumnReader::join(wire, &column.kind, dialect).filter(|_| fits(wire, column));
        let cell = cell.ok_or_else(|| {
            Mismatch(format!(
                "column {} (`{}`) is {} in the rows and {} in the table",
                number + 1,
                column.name,
                type_names::of_wire(wire),
                type_names::of_column(column)
            ))
        })?;
        let old_decimals = old_decimals(wire, &column.kind);
        Ok(LayoutColumn {
            number,
            name: column.name.clone(),
            key: part.key,
            cell: if part.is_read { cell } else { ColumnReader::Passed { wire, old_decimals } },
            wire,
            old_decimals,
            id_place: part.id_place,
            is_read: part.is_read,
            is_generated: column.generated.is_some(),
        })
    }

    /// One that only the server sees.
    fn passed(number: usize, wire: ColumnFormat) -> LayoutColumn {
        LayoutColumn {
            number,
            name: String::new(),
            key: Piece::new(Vec::new()),
            cell: ColumnReader::Passed { wire, old_decimals: 0 },
            wire,
            old_decimals: 0,
            id_place: IdPlace::None,
            is_read: false,
            is_generated: false,
        }
    }
}

/// Decimals of an old temporal column, which its packing does not tell.
pub fn old_decimals(wire: ColumnFormat, kind: &Kind) -> u8 {
    match (wire, kind) {
        (
            ColumnFormat::OldTime | ColumnFormat::OldDateTime | ColumnFormat::OldTimestamp,
            Kind::Time { decimals } | Kind::DateTime { decimals } | Kind::Timestamp { decimals },
        ) => *decimals,
        _ => 0,
    }
}

impl Layout {
    /// Joins them, or says where they differ.
    pub fn join(
        table: &Table,
        wires: &[ColumnFormat],
        printed: &str,
        dialect: Dialect,
        style: Style,
    ) -> Result<Layout, Mismatch> {
        let expressions = &table.hidden.expressions;
        let seen = table.columns.len() + expressions.len();
        if wires.len() < seen || !table.hidden.fits(&wires[seen..]) {
            return Err(Mismatch::of_count(table, wires));
        }
        let mut own = table.columns.iter().zip(table.parts());
        let mut columns = Vec::with_capacity(wires.len());
        for (i, wire) in wires.iter().enumerate() {
            let hidden = expressions.iter().find(|expression| expression.column == i);
            if let Some(expression) = hidden {
                let kind = expression.kind.as_ref();
                let fits = kind.is_some_and(|kind| ColumnReader::join(*wire, kind, dialect).is_some());
                columns.push(
                    fits.then(|| LayoutColumn::passed(i, *wire)).ok_or_else(|| Mismatch::of_hidden(i))?,
                );
            } else if let Some((column, part)) = own.next() {
                columns.push(LayoutColumn::join(i, column, part, *wire, dialect)?);
            } else {
                columns.push(LayoutColumn::passed(i, *wire));
            }
        }
        Ok(Layout {
            database: table.database.clone(),
            table: table.name.clone(),
            heads: Heads::new(printed),
            columns,
            id_values: table.id.columns().len(),
            style,
            never_logged: expressions.iter().map(|expression| expression.column).collect(),
            until: table.hidden.until,
        })
    }

    /// Columns of a row in the log.
    pub fn column_count(&self) -> usize {
        self.columns.len()
    }

    /// Those that are read and yet not in an image of these columns.
    pub fn missing_in(&self, present: &[u8]) -> Vec<usize> {
        let read = self.columns.iter().filter(|column| column.is_read);
        read.map(|column| column.number).filter(|i| !bit(present, *i)).collect()
    }

    /// A column of these that no image of this table can hold.
    pub fn cannot_hold(&self, present: &[u8]) -> Option<usize> {
        self.never_logged.iter().copied().find(|i| bit(present, *i))
    }

    pub fn is_generated(&self, i: usize) -> bool {
        self.columns.get(i).is_some_and(|column| column.is_generated)
    }

    /// Whether a column is read for the id alone.
    pub fn is_omitted(&self, i: usize) -> bool {
        self.columns.get(i).is_some_and(|column| matches!(column.id_place, IdPlace::Alone(_)))
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
                (true, IdPlace::None) => Ok(()),
                (false, IdPlace::None) => column.wire.skip(image, column.old_decimals),
                (is_null, _) => self.read_column(column, is_null, image, content, inflated),
            };
            read.map_err(|why| RowError { column: i, why })?;
        }
        content.end_id();
        Ok(())
    }

    #[inline(always)]
    pub(super) fn read_column(
        &self,
        column: &LayoutColumn,
        is_null: bool,
        image: &mut Bytes<'_>,
        content: &mut Content,
        inflated: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        let (start, out) = content.column(&column.key);
        if is_null {
            if column.is_read {
                out.extend_from_slice(b"null");
            }
        } else {
            column.cell.read(image, inflated, Slot { out, style: self.style })?;
        }
        content.end_column(start, column.id_place);
        Ok(())
    }

    /// Passes over a row image of these columns; returns what begins with column `stop`, if that is there.
    pub fn pass_over<'b>(
        &self,
        image: &mut Bytes<'b>,
        present: &[u8],
        stop: Option<usize>,
    ) -> Result<Option<(ColumnFormat, Bytes<'b>)>, RowError> {
        let mut columns = Present::begin(image, present, self.column_count())?;
        let mut found = None;
        for column in &self.columns {
            let i = column.number;
            if columns.next(i) == Some(false) {
                if Some(i) == stop {
                    found = Some((column.wire, *image));
                }
                column.wire.skip(image, column.old_decimals).map_err(|why| RowError { column: i, why })?;
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
        let is_of_now = |found: Option<(ColumnFormat, Bytes<'_>)>| match found {
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

    fn nulls<'a>(&self, image: &mut Bytes<'a>) -> Result<&'a [u8], RowError> {
        image.take(self.column_count().div_ceil(8)).map_err(|why| RowError { column: 0, why })
    }
}

/// Whether the lengths agree, where both sides tell them: a difference is the trace of an ALTER.
fn fits(wire: ColumnFormat, column: &Column) -> bool {
    match (wire, column.octets) {
        (ColumnFormat::String { max } | ColumnFormat::Varchar { max, compressed: false }, Some(octets)) => {
            u64::from(max) == octets
        }
        _ => true,
    }
}

//! A layout: how to read and print the rows of one table, made once from its definition and its table map.

use super::check::Mismatch;
pub use super::image::RowError;
use super::image::{NOT_LOGGED, Present};
use crate::binlog::column_format::ColumnFormat;
use crate::binlog::event::RowChange;
use crate::binlog::rows::Rows;
use crate::bytes::{Bytes, Malformed, any_bit, bit};
use crate::push_fixed::Piece;
use crate::row::column_reader::{ColumnReader, ReceiveValue};
use crate::schema::from_log::LoggedColumn;
use crate::schema::system_versioning::{self, is_current};
use crate::schema::{Column, ColumnRole, Table};
use crate::tuple::{Content, IdPlace, LinePrefixes};
use crate::value::{ColumnType, Dialect, Style, Value, column_type};

/// How to read and print the rows of one table.
#[derive(Debug)]
pub struct Layout {
    pub database: String,
    pub table: String,
    pub prefixes: LinePrefixes,
    /// All columns of a row image, in its order.
    pub(super) columns: Vec<LayoutColumn>,
    pub(super) id_values: usize,
    pub(super) style: Style,
    /// Columns that no row image holds.
    pub(super) never_logged: Vec<usize>,
    /// The row end column of a table with system versioning.
    pub(super) row_end: Option<usize>,
}

#[derive(Debug)]
pub(super) struct LayoutColumn {
    /// Its number in the row image, so that loops need no counter.
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) key: Piece,
    pub(super) reader: ColumnReader,
    pub(super) format: ColumnFormat,
    pub(super) old_decimals: u8,
    pub(super) id_place: IdPlace,
    /// Its value goes to the content or the id. Others are skipped.
    pub(super) is_read: bool,
    pub(super) is_generated: bool,
}

/// Receives a value and writes its JSON.
struct Slot<'a> {
    out: &'a mut Vec<u8>,
    style: Style,
}

impl ReceiveValue for Slot<'_> {
    #[inline(always)]
    fn receive(self, value: Value<'_>) -> Result<(), Malformed> {
        value.write(self.style, self.out)
    }
}

impl LayoutColumn {
    fn join(
        number: usize,
        column: &Column,
        role: ColumnRole,
        (format, logged): (ColumnFormat, &LoggedColumn),
        dialect: Dialect,
    ) -> Result<LayoutColumn, Mismatch> {
        let reader =
            ColumnReader::join(format, &column.kind, dialect).filter(|_| length_fits(format, column));
        let reader = reader.ok_or_else(|| Mismatch::of_type(number, format, logged, column))?;
        let old_decimals = old_decimals(format, &column.kind);
        Ok(LayoutColumn {
            number,
            name: column.name.clone(),
            key: role.key,
            reader: if role.is_read { reader } else { ColumnReader::Skipped { format, old_decimals } },
            format,
            old_decimals,
            id_place: role.id_place,
            is_read: role.is_read,
            is_generated: column.generated.is_some(),
        })
    }

    /// A hidden column.
    fn hidden(number: usize, format: ColumnFormat) -> LayoutColumn {
        LayoutColumn {
            number,
            name: String::new(),
            key: Piece::new(Vec::new()),
            reader: ColumnReader::Skipped { format, old_decimals: 0 },
            format,
            old_decimals: 0,
            id_place: IdPlace::None,
            is_read: false,
            is_generated: false,
        }
    }
}

/// The decimals of an old temporal column, which its format does not tell.
pub fn old_decimals(format: ColumnFormat, kind: &ColumnType) -> u8 {
    match (format, kind) {
        (
            ColumnFormat::OldTime | ColumnFormat::OldDateTime | ColumnFormat::OldTimestamp,
            ColumnType::Time { decimals }
            | ColumnType::DateTime { decimals }
            | ColumnType::Timestamp { decimals },
        ) => *decimals,
        _ => 0,
    }
}

impl Layout {
    /// Joins a definition with the column formats of a table map, or says where they differ. `logged` is the map's metadata.
    pub fn join(
        table: &Table,
        formats: &[ColumnFormat],
        logged: &[LoggedColumn],
        printed: &str,
        dialect: Dialect,
        style: Style,
    ) -> Result<Layout, Mismatch> {
        let expressions = &table.hidden.expressions;
        let known = table.columns.len() + expressions.len();
        if known > formats.len() || !system_versioning::fits(&table.hidden, known, formats, logged) {
            return Err(Mismatch::of_count(table, formats));
        }
        let mut own = table.columns.iter().zip(table.roles());
        let mut columns = Vec::with_capacity(formats.len());
        for (i, (format, logged)) in formats.iter().zip(logged).enumerate() {
            let hidden = expressions.iter().find(|expression| expression.column == i);
            if let Some(expression) = hidden {
                let kind = expression.kind.as_ref();
                let fits = kind.is_some_and(|kind| ColumnReader::join(*format, kind, dialect).is_some());
                if !fits {
                    return Err(Mismatch::of_expression(i));
                }
                columns.push(LayoutColumn::hidden(i, *format));
            } else if let Some((column, role)) = own.next() {
                columns.push(LayoutColumn::join(i, column, role, (*format, logged), dialect)?);
            } else {
                columns.push(LayoutColumn::hidden(i, *format));
            }
        }
        Ok(Layout {
            database: table.database.clone(),
            table: table.name.clone(),
            prefixes: LinePrefixes::new(printed),
            columns,
            id_values: table.id.columns().len(),
            style,
            never_logged: expressions.iter().map(|expression| expression.column).collect(),
            row_end: table.hidden.row_end,
        })
    }

    /// Whether old row versions are left out.
    pub fn has_versions(&self) -> bool {
        self.row_end.is_some()
    }

    /// The number of columns in a full row image.
    pub fn column_count(&self) -> usize {
        self.columns.len()
    }

    /// Columns that must be read, but are not in `present`.
    pub fn missing_in(&self, present: &[u8]) -> Vec<usize> {
        let read = self.columns.iter().filter(|column| column.is_read);
        read.map(|column| column.number).filter(|i| !bit(present, *i)).collect()
    }

    /// A column of `present` that no row image of this table can hold.
    pub fn cannot_hold(&self, present: &[u8]) -> Option<usize> {
        self.never_logged.iter().copied().find(|i| bit(present, *i))
    }

    pub fn is_generated(&self, i: usize) -> bool {
        self.columns.get(i).is_some_and(|column| column.is_generated)
    }

    /// Whether a column is read only for the id.
    pub fn is_omitted(&self, i: usize) -> bool {
        self.columns.get(i).is_some_and(|column| matches!(column.id_place, IdPlace::Alone(_)))
    }

    /// Appends an object of the changed columns with their old values.
    pub fn write_changed(&self, before: &Content, after: &Content, out: &mut Vec<u8>) {
        out.push(b'{');
        let start = out.len();
        for (i, column) in self.columns.iter().enumerate() {
            let was = before.value(i);
            if was != after.value(i) {
                if out.len() > start {
                    out.push(b',');
                }
                column_type::key(&column.name, out);
                out.extend_from_slice(was);
            }
        }
        out.push(b'}');
    }

    /// The names of the table's own columns, in order.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str()).filter(|name| !name.is_empty())
    }

    /// The column's name, for messages.
    pub fn column_name(&self, i: usize) -> &str {
        self.columns.get(i).map(|column| column.name.as_str()).unwrap_or_default()
    }

    /// Reads a full row image into `content`.
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

    /// Reads only the id of a row image into `content`.
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
                (false, IdPlace::None) => column.format.skip(image, column.old_decimals),
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
            column.reader.read(image, inflated, Slot { out, style: self.style })?;
        }
        content.end_column(start, column.id_place);
        Ok(())
    }

    /// Skips a row image of the columns `present`. Returns the bytes from column `wanted` on, if it is there and not NULL.
    pub fn skip<'b>(
        &self,
        image: &mut Bytes<'b>,
        present: &[u8],
        wanted: Option<usize>,
    ) -> Result<Option<(ColumnFormat, Bytes<'b>)>, RowError> {
        let mut columns = Present::begin(image, present, self.column_count())?;
        let mut found = None;
        for column in &self.columns {
            let i = column.number;
            if columns.next(i) == Some(false) {
                if Some(i) == wanted {
                    found = Some((column.format, *image));
                }
                column.format.skip(image, column.old_decimals).map_err(|why| RowError { column: i, why })?;
            }
        }
        Ok(found)
    }

    /// The change to the current row. In most tables it is the logged change. But with system versioning, a DELETE is logged
    /// as an update that sets row end, and historical versions as inserts. Ineffective images are skipped; of an update that
    /// deletes, the after image is left to the caller.
    pub fn effect(&self, rows: &Rows<'_>, image: &mut Bytes<'_>) -> Result<Option<RowChange>, RowError> {
        let change = rows.kind.change;
        let Some(row_end) = self.row_end else {
            return Ok(Some(change));
        };
        let is_current = |found: Option<(ColumnFormat, Bytes<'_>)>| match found {
            Some((format, mut bytes)) => {
                let current = is_current(format, &mut bytes);
                current.map(Some).map_err(|why| RowError { column: row_end, why })
            }
            None => Ok(None),
        };
        let start = *image;
        let was = is_current(self.skip(image, rows.before, Some(row_end))?)?;
        let was = was.ok_or(RowError { column: row_end, why: NOT_LOGGED })?;
        if change != RowChange::Update {
            if was {
                *image = start;
            }
            return Ok(was.then_some(change));
        }
        let after = *image;
        // A column left out of the after image has not changed.
        let is = is_current(self.skip(image, rows.after, Some(row_end))?)?.unwrap_or(was);
        Ok(match (was, is) {
            (true, is) => {
                *image = start;
                Some(if is { RowChange::Update } else { RowChange::Delete })
            }
            (false, true) => {
                *image = after;
                Some(RowChange::Insert)
            }
            (false, false) => None,
        })
    }

    fn nulls<'a>(&self, image: &mut Bytes<'a>) -> Result<&'a [u8], RowError> {
        image.take(self.column_count().div_ceil(8)).map_err(|why| RowError { column: 0, why })
    }
}

/// Whether the lengths agree, if both are known: a difference shows that the table was altered.
fn length_fits(format: ColumnFormat, column: &Column) -> bool {
    match (format, column.octets) {
        (ColumnFormat::String { max } | ColumnFormat::Varchar { max, compressed: false }, Some(octets)) => {
            u64::from(max) == octets
        }
        _ => true,
    }
}

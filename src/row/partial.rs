//! Partial row images: without some columns, or with JSON diffs instead of documents.

use super::image::{NOT_LOGGED, Present, RowError};
use super::layout::{Layout, LayoutColumn};
use crate::binlog::column_format::ColumnFormat;
use crate::binlog::rows::Rows;
use crate::bytes::{Bytes, Malformed, bit};
use crate::row::column_reader::ColumnReader;
use crate::tuple::Content;
use crate::value::Value;

const NO_DOCUMENT: Malformed = Malformed("a JSON diff has no document to apply to");

impl Layout {
    /// Reads a row image with only the columns `present`. The others come from `rest`, another image and its columns.
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
        for column in &self.columns {
            let mut take = |bytes: &mut Bytes<'b>, is_null: bool| {
                self.read_column(column, is_null, bytes, content, inflated)
            };
            let read = match (first.next(column.number), &mut other) {
                (Some(is_null), other) => {
                    // Skip the column in the other image.
                    let skipped = match other {
                        Some((bytes, present)) => skip_next(present, column, bytes),
                        None => Ok(()),
                    };
                    skipped.and_then(|()| take(image, is_null))
                }
                (None, Some((bytes, present))) => match present.next(column.number) {
                    Some(is_null) => take(bytes, is_null),
                    None => left_out(column, content),
                },
                (None, None) => left_out(column, content),
            };
            read.map_err(|why| RowError { column: column.number, why })?;
        }
        content.end();
        Ok(())
    }

    /// Reads an after image in which some JSON documents are diffs against the before image, which is `before`. Both must
    /// hold all columns that are read.
    ///
    /// Source: MySQL's `rows_event.h`, on `PARTIAL_UPDATE_ROWS_EVENT`.
    pub fn read_partial(
        &self,
        mut before: Bytes<'_>,
        image: &mut Bytes<'_>,
        rows: &Rows<'_>,
        content: &mut Content,
        inflated: &mut Vec<u8>,
    ) -> Result<(), RowError> {
        let at = |column| move |why| RowError { column, why };
        let options = image.lenenc().map_err(at(0))?;
        if options & !1 != 0 {
            return Err(RowError { column: 0, why: Malformed("it has unknown options") });
        }
        let documents = self.columns.iter().filter(|column| column.format.is_json()).count();
        let partial: &[u8] = match options {
            0 => &[],
            _ => image.take(documents.div_ceil(8)).map_err(at(0))?,
        };
        let mut was = Present::begin(&mut before, rows.before, self.column_count())?;
        let mut is = Present::begin(image, rows.after, self.column_count())?;
        content.begin(self.id_values);
        let mut document = 0;
        for column in &self.columns {
            let i = column.number;
            let start = before;
            let null_before = was.next(i);
            if null_before == Some(false) {
                column.format.skip(&mut before, column.old_decimals).map_err(at(i))?;
            }
            let is_partial = column.format.is_json() && bit(partial, document);
            document += usize::from(column.format.is_json());
            let read = match is.next(i) {
                None => left_out(column, content),
                Some(is_null) if is_null || !is_partial || !column.is_read => {
                    self.read_column(column, is_null, image, content, inflated)
                }
                Some(_) if null_before != Some(false) => Err(NO_DOCUMENT),
                Some(_) => {
                    let ColumnReader::Json { documents, .. } = column.reader else {
                        return Err(at(i)(NO_DOCUMENT));
                    };
                    let before = document_at(column.format, start).map_err(at(i))?;
                    let diffs = document_at(column.format, *image).map_err(at(i))?;
                    column.format.skip(image, column.old_decimals).map_err(at(i))?;
                    let (start, out) = content.column(&column.key);
                    let written = Value::JsonDiffs { before, diffs, documents }.write(self.style, out);
                    content.end_column(start, column.id_place);
                    written
                }
            };
            read.map_err(at(i))?;
        }
        content.end();
        Ok(())
    }
}

/// Ends a column that neither image holds.
fn left_out(column: &LayoutColumn, content: &mut Content) -> Result<(), Malformed> {
    if column.is_read {
        return Err(NOT_LOGGED);
    }
    let (start, _) = content.column(&column.key);
    content.end_column(start, column.id_place);
    Ok(())
}

/// Skips the next column of an image.
fn skip_next(
    present: &mut Present<'_, '_>,
    column: &LayoutColumn,
    image: &mut Bytes<'_>,
) -> Result<(), Malformed> {
    match present.next(column.number) {
        Some(false) => column.format.skip(image, column.old_decimals),
        Some(true) | None => Ok(()),
    }
}

/// The JSON document or diffs that begin here.
fn document_at<'a>(format: ColumnFormat, mut at: Bytes<'a>) -> Result<&'a [u8], Malformed> {
    let ColumnFormat::Json { length_bytes } = format else {
        return Err(NO_DOCUMENT);
    };
    let len = at.uint(length_bytes.into())?;
    at.take(len as usize)
}

//! Prints rows events: from row images to lines.

use anyhow::Result;

use super::cursor::{Cursor, Flow};
use super::lines::{Counts, Line, LineContent, Lines};
use super::transaction::{Transaction, malformed};
use crate::binlog::event::RowChange;
use crate::binlog::rows::{Rows, is_full};
use crate::bytes::{Bytes, Malformed};
use crate::exit::unreadable;
use crate::row::layout::{Layout, RowError};
use crate::row::layouts::{Layouts, Mapping};
use crate::row::skip::Skipper;
use crate::source::framing::Place;
use crate::tuple::{Content, Op};

/// Turns rows events into lines. Keeps the buffers for it.
#[derive(Debug, Default)]
pub struct RowPrinter {
    content: Content,
    before: Content,
    /// Whether updates print the old values of the changed columns.
    with_old: bool,
    /// Those values, of the current row.
    old: Vec<u8>,
    inflated: Vec<u8>,
}

/// Where lines go, and the transaction that they belong to.
pub struct Printing<'a> {
    pub lines: &'a mut Lines,
    pub cursor: &'a mut Cursor,
    pub transaction: &'a Transaction,
}

impl Printing<'_> {
    #[inline]
    pub fn push(&mut self, line: Line<'_>) -> Result<()> {
        self.lines.push(line, self.cursor, self.transaction)
    }
}

impl RowPrinter {
    /// With `with_old`, updates print the old values of the changed columns.
    pub fn new(with_old: bool) -> RowPrinter {
        if !with_old {
            return RowPrinter::default();
        }
        let (content, before) = (Content::with_values(), Content::with_values());
        RowPrinter { content, before, with_old, ..RowPrinter::default() }
    }

    /// Prints the rows of the event at `place`.
    pub fn print(
        &mut self,
        rows: &Rows<'_>,
        layouts: &Layouts,
        to: &mut Printing<'_>,
        place: &Place,
    ) -> Result<Flow> {
        if rows.is_dummy() {
            return Ok(Flow::Continue);
        }
        let mapping = layouts.get(rows.table_id);
        let mapping = mapping.ok_or_else(|| malformed("its table id has no table map", place))?;
        if mapping.column_count() != rows.columns {
            return Err(malformed("its rows have a different number of columns than their table map", place));
        }
        let layout = match &*mapping {
            Mapping::Wanted(layout) => layout,
            Mapping::Refused { why, .. } => return Err(unreadable(why.clone())),
            Mapping::Skipped(skipper) => {
                return count(rows, skipper, to.cursor).map_err(|why| malformed(why.0, place));
            }
        };
        let whole = check_whole(rows, layout, layouts, place)?;
        let mut image = Bytes(rows.data);
        while !image.is_empty() {
            let left = image.rest().len();
            let row = to.cursor.done().row;
            let flow = self.row(rows, whole, layout, &mut image, to);
            let flow = flow.map_err(|error| match error {
                PrintError::Row(error) => bad_row(layout, error, row + 1, place),
                PrintError::Other(error) => error,
            })?;
            self.content.free_if_huge();
            self.before.free_if_huge();
            if flow == Flow::Stop {
                return Ok(Flow::Stop);
            }
            if image.rest().len() == left {
                return Err(malformed("a row without bytes", place));
            }
        }
        Ok(Flow::Continue)
    }

    fn row(
        &mut self,
        rows: &Rows<'_>,
        whole: bool,
        layout: &Layout,
        image: &mut Bytes<'_>,
        to: &mut Printing<'_>,
    ) -> Result<Flow, PrintError> {
        if to.cursor.stops_before_row() {
            return Ok(Flow::Stop);
        }
        let Some(effect) = layout.effect(rows, image)? else {
            to.cursor.row_done();
            return Ok(Flow::Continue);
        };
        self.old.clear();
        match effect {
            RowChange::Insert | RowChange::Delete => {
                let op = if effect == RowChange::Insert { Op::Upsert } else { Op::Delete };
                if whole {
                    layout.read(image, &mut self.content, &mut self.inflated)?;
                } else {
                    let present = if effect == RowChange::Insert { rows.after } else { rows.before };
                    layout.read_present(image, present, None, &mut self.content, &mut self.inflated)?;
                }
                self.push(layout.prefixes.of(op), true, to)?;
                if effect == RowChange::Delete && rows.kind.change == RowChange::Update {
                    layout.skip(image, rows.after, None)?;
                }
            }
            RowChange::Update => return self.update(rows, whole, layout, image, to),
        }
        Ok(Flow::Continue)
    }

    fn update(
        &mut self,
        rows: &Rows<'_>,
        whole: bool,
        layout: &Layout,
        image: &mut Bytes<'_>,
        to: &mut Printing<'_>,
    ) -> Result<Flow, PrintError> {
        let before = *image;
        let inflated = &mut self.inflated;
        if !whole {
            layout.read_present(image, rows.before, None, &mut self.before, inflated)?;
        } else if self.with_old {
            layout.read(image, &mut self.before, inflated)?;
        } else {
            layout.read_id(image, &mut self.before, inflated)?;
        }
        if rows.kind.partial_json {
            layout.read_partial(before, image, rows, &mut self.content, inflated)?;
        } else if whole {
            layout.read(image, &mut self.content, inflated)?;
        } else {
            let rest = Some((before, rows.before));
            layout.read_present(image, rows.after, rest, &mut self.content, inflated)?;
        }
        if !self.before.same_id(&self.content) {
            // Delete the whole row under its old id.
            std::mem::swap(&mut self.before, &mut self.content);
            if whole && !self.with_old {
                layout.read(&mut { before }, &mut self.content, &mut self.inflated)?;
            }
            self.push(layout.prefixes.of(Op::Delete), false, to)?;
            std::mem::swap(&mut self.before, &mut self.content);
            if to.cursor.stops_here() {
                return Ok(Flow::Stop);
            }
        }
        if self.with_old {
            layout.write_changed(&self.before, &self.content, &mut self.old);
        }
        self.push(layout.prefixes.of(Op::Upsert), true, to)?;
        self.old.clear();
        Ok(Flow::Continue)
    }

    #[inline]
    fn push(&mut self, prefix: &[u8], ends_row: bool, to: &mut Printing<'_>) -> Result<()> {
        let counts = if ends_row { Counts::Row } else { Counts::Line };
        to.push(Line { prefix, content: LineContent::Row(&mut self.content), old: &self.old, counts })
    }
}

/// Counts the rows of a table that is not selected.
fn count(rows: &Rows<'_>, skipper: &Skipper, cursor: &mut Cursor) -> Result<Flow, Malformed> {
    let given;
    let (before, after) = if is_full(rows.before, rows.columns) && is_full(rows.after, rows.columns) {
        (skipper, skipper)
    } else {
        given = (skipper.of_present(rows.before), skipper.of_present(rows.after));
        (&given.0, &given.1)
    };
    let mut image = Bytes(rows.data);
    // A row without columns has no bytes.
    let mut more = !image.is_empty() || after.column_count() == 0;
    while more {
        if cursor.stops_in_row() {
            return Ok(Flow::Stop);
        }
        let left = image.rest().len();
        match rows.kind.change {
            RowChange::Insert => after.skip(&mut image)?,
            RowChange::Delete => before.skip(&mut image)?,
            RowChange::Update => {
                before.skip(&mut image)?;
                if rows.kind.partial_json && image.lenenc()? & 1 != 0 {
                    image.take(skipper.documents().div_ceil(8))?;
                }
                after.skip(&mut image)?;
            }
        }
        cursor.row_done();
        more = !image.is_empty();
        if more && image.rest().len() == left {
            return Err(Malformed("a row without bytes"));
        }
    }
    Ok(Flow::Continue)
}

/// Whether every row image holds every column. An after image may leave out columns that a full before image holds, and
/// any image may leave out columns that users do not see.
///
/// # Errors
/// Exit 4 when other columns are missing: a partial row must not pass for a full one.
fn check_whole(rows: &Rows<'_>, layout: &Layout, layouts: &Layouts, place: &Place) -> Result<bool> {
    let held = layout.cannot_hold(rows.before).or_else(|| layout.cannot_hold(rows.after));
    if let Some(column) = held {
        return Err(unreadable(format!(
            "at {} rows of {}.{} hold column {}, which in the table now is the hidden column of a functional index and \
             never logged: the table was altered since. Load again",
            place,
            layout.database,
            layout.table,
            column + 1
        )));
    }
    if is_full(rows.before, rows.columns) && is_full(rows.after, rows.columns) {
        return Ok(true);
    }
    let mut missing = layout.missing_in(rows.before);
    if missing.is_empty() && rows.kind.partial_json {
        missing = layout.missing_in(rows.after);
    }
    if missing.is_empty() {
        return Ok(false);
    }
    Err(unreadable(format!(
        "at {} rows of {}.{} are logged {}",
        place,
        layout.database,
        layout.table,
        without(layout, layouts, &missing)
    )))
}

/// Which columns are missing, why, and what to do about it.
fn without(layout: &Layout, layouts: &Layouts, missing: &[usize]) -> String {
    let name = |i: &usize| format!("`{}`", layout.column_name(*i));
    let names = missing.iter().map(name).collect::<Vec<_>>().join(", ");
    if missing.iter().any(|i| layout.is_omitted(*i)) {
        return format!(
            "without {names}, which the id is made of: name other columns with --id {}=COLUMN, and load again",
            layouts.selection().printed(&layout.database, &layout.table)
        );
    }
    if layouts.is_mariadb() && missing.iter().all(|i| layout.is_generated(*i)) {
        return format!(
            "without the generated columns {names} (so does MariaDB 11.8 in updates and deletes): load again with \
             --generated omit, which leaves generated columns out, and tail with it, too"
        );
    }
    let advice = match layouts.is_mariadb() {
        true => ". If these are generated columns, --generated omit leaves them out of load and tail",
        false => "",
    };
    format!(
        "in part, without {names}: set binlog_row_image=FULL on the server, also for sessions under way, \
         and load again{advice}"
    )
}

/// Why a row was not printed.
enum PrintError {
    Row(RowError),
    Other(anyhow::Error),
}

impl From<RowError> for PrintError {
    fn from(error: RowError) -> PrintError {
        PrintError::Row(error)
    }
}

impl From<anyhow::Error> for PrintError {
    fn from(error: anyhow::Error) -> PrintError {
        PrintError::Other(error)
    }
}

fn bad_row(layout: &Layout, error: RowError, row: u64, place: &Place) -> anyhow::Error {
    unreadable(format!(
        "column `{}` of {}.{} cannot be read at {} (row {row} of its transaction): {}",
        layout.column_name(error.column),
        layout.database,
        layout.table,
        place,
        error.why
    ))
}

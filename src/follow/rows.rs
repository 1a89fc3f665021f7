//! Rows events: from their images to lines.

use anyhow::Result;

use super::lines::{Flow, Printer};
use crate::binlog::event::Change;
use crate::binlog::rows::{Rows, is_full};
use crate::bytes::Bytes;
use crate::bytes::Malformed;
use crate::exit::unreadable;
use crate::follow::transaction::{Group, malformed};
use crate::row::layout::{Layout, RowError};
use crate::row::layouts::Mapping;
use crate::row::skip::Skipper;
use crate::source::framing::Log;
use crate::tuple::Op;

impl Printer {
    /// Prints the rows of an event.
    pub fn rows(&mut self, rows: &Rows<'_>, group: &Group, log: &Log) -> Result<Flow> {
        if rows.is_dummy() {
            return Ok(Flow::On);
        }
        let mapping = self.layouts.get(rows.table_id);
        let mapping = mapping.ok_or_else(|| malformed("rows of a table that was not named", log))?;
        if mapping.column_count() != rows.columns {
            return Err(malformed("its rows have another number of columns than their table map", log));
        }
        let layout = match &*mapping {
            Mapping::Wanted(layout) => layout,
            Mapping::Skipped(passing) => {
                return self.count(rows, passing).map_err(|why| malformed(why.0, log));
            }
        };
        let whole = self.check_whole(rows, layout, log)?;
        let mut image = Bytes(rows.data);
        while !image.is_empty() {
            let at = (rows.data.len() - image.rest().len(), self.transaction.done.row);
            let flow = self.row(rows, whole, layout, &mut image, group);
            let flow = flow.map_err(|error| match error {
                Trouble::Row(error) => bad_row(layout, error, at.1, log),
                Trouble::Other(error) => error,
            })?;
            self.content.give_back();
            self.before.give_back();
            if flow == Flow::Stop {
                return Ok(Flow::Stop);
            }
            if at.0 == rows.data.len() - image.rest().len() {
                return Err(malformed("a row without bytes", log));
            }
        }
        Ok(Flow::On)
    }

    fn count(&mut self, rows: &Rows<'_>, passing: &Skipper) -> Result<Flow, Malformed> {
        let given;
        let (before, after) = if is_full(rows.before, rows.columns) && is_full(rows.after, rows.columns) {
            (passing, passing)
        } else {
            given = (passing.of_present(rows.before), passing.of_present(rows.after));
            (&given.0, &given.1)
        };
        let mut image = Bytes(rows.data);
        // A row of no column is a row of no byte.
        let mut more = !image.is_empty() || after.column_count() == 0;
        while more {
            if self.transaction.done.row >= self.stop_at.map_or(u64::MAX, |stop| stop.row) {
                return Ok(Flow::Stop);
            }
            let left = image.rest().len();
            match rows.kind.change {
                Change::Insert => after.pass(&mut image)?,
                Change::Delete => before.pass(&mut image)?,
                Change::Update => {
                    before.pass(&mut image)?;
                    if rows.kind.partial_json && image.lenenc()? & 1 != 0 {
                        image.take(passing.documents().div_ceil(8))?;
                    }
                    after.pass(&mut image)?;
                }
            }
            self.row_done();
            more = !image.is_empty();
            if more && image.rest().len() == left {
                return Err(Malformed("a row without bytes"));
            }
        }
        Ok(Flow::On)
    }

    /// Whether every image holds every column. Where the after image of an update leaves some out, they are as in
    /// the before image, if that is whole; columns that only the server sees may be left out everywhere.
    ///
    /// # Errors
    /// Exit 4 when it is otherwise: a row that was logged in part is not passed off as a whole one.
    fn check_whole(&self, rows: &Rows<'_>, layout: &Layout, log: &Log) -> Result<bool> {
        let held = layout.cannot_hold(rows.before).or_else(|| layout.cannot_hold(rows.after));
        if let Some(column) = held {
            return Err(unreadable(format!(
                "at {} rows of {}.{} hold column {}, which as the table is now is a hidden one of an index on an \
                 expression, and those are not logged. It was altered since; load again",
                log.place(),
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
            log.place(),
            layout.database,
            layout.table,
            self.without(layout, &missing)
        )))
    }

    /// What rows are logged without, why, and what to do about it.
    fn without(&self, layout: &Layout, missing: &[usize]) -> String {
        let name = |i: &usize| format!("`{}`", layout.column_name(*i));
        let names = missing.iter().map(name).collect::<Vec<_>>().join(", ");
        if missing.iter().any(|i| layout.is_omitted(*i)) {
            return format!(
                "without {names}, and the id is made of that: name other columns for it, with --id {}=COLUMN, and \
                 load again",
                self.layouts.selection().printed(&layout.database, &layout.table)
            );
        }
        if self.layouts.is_mariadb() && missing.iter().all(|i| layout.is_generated(*i)) {
            return format!(
                "without the generated columns {names}, as MariaDB 11.8 logs updates and deletes: load again with \
                 --generated omit, which leaves generated columns out, and tail with it"
            );
        }
        let advice = match self.layouts.is_mariadb() {
            true => ". If these are generated columns, --generated omit leaves them out of load and tail",
            false => "",
        };
        format!(
            "in part only, without {names}: set binlog_row_image=FULL on the server, also for sessions under way, \
             and load again{advice}"
        )
    }

    fn row(
        &mut self,
        rows: &Rows<'_>,
        whole: bool,
        layout: &Layout,
        image: &mut Bytes<'_>,
        group: &Group,
    ) -> Result<Flow, Trouble> {
        if self.stop_at.is_some_and(|stop| self.transaction.done >= stop && stop.line == 0) {
            return Ok(Flow::Stop);
        }
        let Some(effect) = layout.effect(rows, image)? else {
            self.row_done();
            return Ok(Flow::On);
        };
        self.old.clear();
        match effect {
            Change::Insert | Change::Delete => {
                let op = if effect == Change::Insert { Op::Upsert } else { Op::Delete };
                if whole {
                    layout.read(image, &mut self.content, &mut self.inflated)?;
                } else {
                    let present = if effect == Change::Insert { rows.after } else { rows.before };
                    layout.read_present(image, present, None, &mut self.content, &mut self.inflated)?;
                }
                self.line(layout.heads.of(op), true, true, group)?;
                if effect == Change::Delete && rows.kind.change == Change::Update {
                    layout.pass_over(image, rows.after, None)?;
                }
            }
            Change::Update => return self.update(rows, whole, layout, image, group),
        }
        Ok(Flow::On)
    }

    fn update(
        &mut self,
        rows: &Rows<'_>,
        whole: bool,
        layout: &Layout,
        image: &mut Bytes<'_>,
        group: &Group,
    ) -> Result<Flow, Trouble> {
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
            // The row that goes, whole, under its old id.
            std::mem::swap(&mut self.before, &mut self.content);
            if whole && !self.with_old {
                layout.read(&mut { before }, &mut self.content, &mut self.inflated)?;
            }
            self.line(layout.heads.of(Op::Delete), true, false, group)?;
            std::mem::swap(&mut self.before, &mut self.content);
            if self.stop_at.is_some_and(|stop| self.transaction.done >= stop) {
                return Ok(Flow::Stop);
            }
        }
        if self.with_old {
            layout.write_changed(&self.before, &self.content, &mut self.old);
        }
        self.line(layout.heads.of(Op::Upsert), true, true, group)?;
        self.old.clear();
        Ok(Flow::On)
    }
}

/// What ends a row's printing early.
enum Trouble {
    Row(RowError),
    Other(anyhow::Error),
}

impl From<RowError> for Trouble {
    fn from(error: RowError) -> Trouble {
        Trouble::Row(error)
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Trouble {
        Trouble::Other(error)
    }
}

fn bad_row(layout: &Layout, error: RowError, row: u64, log: &Log) -> anyhow::Error {
    unreadable(format!(
        "column `{}` of {}.{} cannot be read at {} (row {row} of its transaction): {}",
        layout.column_name(error.column),
        layout.database,
        layout.table,
        log.place(),
        error.why
    ))
}

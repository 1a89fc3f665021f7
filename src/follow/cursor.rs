//! The cursor: the one owner of where the run is, and where it can resume.
//!
//! It has a *base*, a place between two transactions where the source can begin again, and counts the rows done since.
//! Rows are counted before any filter, so that the count means the same in every run. Usually the base moves to the end
//! of each transaction. But a server cannot begin beyond 4 GiB: if a transaction ends there, the base stays and the count
//! goes on.

use std::cmp::Ordering;
use std::sync::Arc;

use anyhow::Result;

use crate::binlog::gtid_set::GtidSet;
use crate::exit::{unavailable, usage};
use crate::position::{FileOrder, LogId, Position};
use crate::source::Offsets;
use crate::source::framing::Place;

/// Rows done since the base, and lines done of the row after them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Done {
    pub row: u64,
    pub line: u64,
}

impl Done {
    fn of(position: &Position) -> Done {
        Done { row: position.row, line: position.line }
    }

    fn is_none(self) -> bool {
        self == Done::default()
    }
}

/// A place to resume from.
#[derive(Debug, Clone)]
pub struct Base {
    pub file: Arc<str>,
    pub offset: u64,
    /// The log that the file belongs to.
    pub log: Option<LogId>,
}

/// Where to stop.
#[derive(Debug)]
struct Until {
    position: Position,
    /// How the current file compares to the position's.
    file: Ordering,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Continue,
    /// The end of the run is reached, or a signal came.
    Stop,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Cursor {
    base: Base,
    /// The end of the last transaction: the base's offset, or beyond `limit`.
    end: u64,
    done: Done,
    /// `done` at the end of the last transaction: what a position may claim while the next one is not committed.
    settled: Done,
    /// What an earlier run printed after the base.
    printed_before: Done,
    limit: u64,
    order: FileOrder,
    until: Option<Until>,
    /// The start of the run. Its file must belong to the same log.
    from: Position,
    /// Transactions after the base that are already done.
    done_gtids: Option<GtidSet>,
    rows_read: u64,
}

impl Cursor {
    /// Begins at `from`, whose `row` and `line` are done, and stops at `until`.
    ///
    /// # Errors
    /// Exit 2 when the position's `gtid_set` is invalid; exit 3 when `until` comes before `from`.
    pub fn new(
        from: Position,
        until: Option<Position>,
        mut order: FileOrder,
        offsets: Offsets,
    ) -> Result<Cursor> {
        let set = |set: &String| {
            GtidSet::parse(set).ok_or_else(|| usage(format!("{set:?} in the position is not a GTID set")))
        };
        let done_gtids = from.gtid_set.as_ref().map(set).transpose()?;
        let until = match until {
            Some(position) => {
                let file = order.compare(&from.file, &position.file);
                let file = file.ok_or_else(|| unknown_order(&from, &position))?;
                Some(Until { position, file })
            }
            None => None,
        };
        order.came_to(&from.file);
        let cursor = Cursor {
            base: Base { file: from.file.as_str().into(), offset: from.position, log: from.log },
            end: from.position,
            done: Done::default(),
            settled: Done::of(&from),
            printed_before: Done::of(&from),
            limit: offsets.limit(),
            order,
            until,
            from,
            done_gtids,
            rows_read: 0,
        };
        match &cursor.until {
            Some(until) if cursor.compare_to(until, cursor.settled).is_gt() => {
                Err(beyond(&cursor.from, &until.position))
            }
            _ => Ok(cursor),
        }
    }

    /// The start of the current transaction, or of the next one; or an earlier place, see the module.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// The order of the log's files, as far as known.
    pub fn order(&self) -> &FileOrder {
        &self.order
    }

    /// The start of the run.
    pub fn start(&self) -> &Position {
        &self.from
    }

    pub fn done(&self) -> Done {
        self.done
    }

    /// The `gtid_set` of the position that the run began at.
    pub fn gtid_set(&self) -> Option<&str> {
        self.from.gtid_set.as_deref()
    }

    /// Whether that set contains a transaction.
    pub fn is_done_gtid(&self, gtid: Option<&str>) -> bool {
        self.done_gtids.as_ref().zip(gtid).is_some_and(|(set, gtid)| set.contains(gtid))
    }

    pub fn row_done(&mut self) {
        self.rows_read += 1;
        self.done = Done { row: self.done.row + 1, line: 0 };
    }

    /// Rows read in this run, for progress.
    pub fn rows_read(&self) -> u64 {
        self.rows_read
    }

    pub fn line_done(&mut self) {
        self.done.line += 1;
    }

    /// Whether an earlier run has printed the line that follows `before`.
    #[inline]
    pub fn was_printed(&self, before: Done) -> bool {
        before < self.printed_before
    }

    /// Checks the position's `line` where a row ends with the line after `before`.
    ///
    /// # Errors
    /// Exit 3 when the position claims more lines of the row.
    pub fn check_lines(&self, before: Done) -> Result<()> {
        if before.row != self.printed_before.row || before.line >= self.printed_before.line {
            return Ok(());
        }
        Err(unavailable(format!(
            "{} says that {} lines are done of row {} after it, but with this --id the row has only {}. Resume with the \
             options of the run that printed the position, or load again",
            self.from,
            self.printed_before.line,
            before.row + 1,
            before.line + 1
        )))
    }

    /// Whether to stop before the next line or row. For use inside a transaction.
    #[inline]
    pub fn stops_here(&self) -> bool {
        self.until.as_ref().is_some_and(|until| self.is_base(until) && self.done >= Done::of(&until.position))
    }

    /// Whether to stop before the next row.
    #[inline]
    pub fn stops_before_row(&self) -> bool {
        self.until.as_ref().is_some_and(|until| until.position.line == 0) && self.stops_here()
    }

    /// Whether to stop before a row that prints no line, or between its lines.
    #[inline]
    pub fn stops_in_row(&self) -> bool {
        let until = self.until.as_ref().filter(|until| self.is_base(until));
        until.is_some_and(|until| self.done.row >= until.position.row)
    }

    fn is_base(&self, until: &Until) -> bool {
        until.file.is_eq() && self.base.offset == until.position.position
    }

    /// Whether the run has reached its end. For use between transactions.
    pub fn is_at_end(&self) -> bool {
        self.until.as_ref().is_some_and(|until| self.compare_to(until, self.settled).is_ge())
    }

    /// # Errors
    /// Exit 3 when the log ends here, and should have gone on.
    pub fn expect_end(&self) -> Result<()> {
        match &self.until {
            Some(until) if !self.is_at_end() => Err(unavailable(format!(
                "the files end at {}:{}, before {}, where the run should have ended. What they hold is printed",
                self.base.file, self.end, until.position
            ))),
            _ => Ok(()),
        }
    }

    fn compare_to(&self, until: &Until, done: Done) -> Ordering {
        let wanted = Done::of(&until.position);
        let is_beyond_base = self.end > self.base.offset;
        if wanted.is_none() && is_beyond_base {
            return until.file.then(self.end.cmp(&until.position.position));
        }
        let offset = self.base.offset.cmp(&until.position.position);
        until.file.then(offset).then(done.cmp(&wanted))
    }

    /// Moves the base to this event's end: a transaction ended there, or the event is between transactions.
    ///
    /// # Errors
    /// Exit 3 when the position claims more rows after the base than there were.
    #[inline]
    pub fn move_on(&mut self, place: &Place, log: Option<LogId>) -> Result<()> {
        let same_file = Arc::ptr_eq(&self.base.file, &place.file) || *self.base.file == *place.file;
        if same_file && self.base.offset == place.end {
            self.base.log = self.base.log.or(log);
            return Ok(());
        }
        if place.end > self.limit {
            self.end = place.end;
            self.settled = self.done.max(self.settled);
            return Ok(());
        }
        if self.done < self.printed_before {
            return Err(self.fewer_rows(place));
        }
        if !same_file {
            self.enter(&place.file);
        }
        (self.base.offset, self.end) = (place.end, place.end);
        self.base.log = log;
        (self.done, self.settled, self.printed_before) = Default::default();
        Ok(())
    }

    #[cold]
    fn enter(&mut self, file: &Arc<str>) {
        self.base.file = file.clone();
        self.order.came_to(file);
        if let Some(until) = &mut self.until {
            // A file that is not listed yet is newer, so `until` may still come.
            until.file = self.order.compare(file, &until.position.file).unwrap_or(Ordering::Less);
        }
    }

    #[cold]
    fn fewer_rows(&self, place: &Place) -> anyhow::Error {
        unavailable(format!(
            "{} says that {} rows are done of the transaction that begins there, but it has only {} rows and ends before \
             {}:{}: the position belongs to another log, or was edited. Load again",
            self.from, self.printed_before.row, self.done.row, place.file, place.end
        ))
    }

    /// Checks the positions of the run against the log that `file` belongs to.
    ///
    /// # Errors
    /// Exit 3 when a position belongs to another log.
    pub fn check_log(&mut self, file: &str, log: LogId) -> Result<()> {
        let until = self.until.as_ref().map(|until| &until.position);
        for position in [Some(&self.from), until].into_iter().flatten() {
            if position.file == file {
                position.check_log(log)?;
            }
        }
        if *self.base.file == *file {
            self.base.log = Some(log);
        }
        Ok(())
    }

    /// The position that stdout has reached, once it is flushed. `of_transaction` is the part of the current transaction
    /// that is on stdout.
    pub fn position(&self, of_transaction: Option<Done>) -> Position {
        let done = of_transaction.map_or(self.settled, |done| done.max(self.printed_before));
        Position {
            row: done.row,
            line: done.line,
            gtid_set: self.from.gtid_set.clone(),
            log: self.base.log,
            ..Position::new(&*self.base.file, self.base.offset)
        }
    }
}

fn beyond(from: &Position, until: &Position) -> anyhow::Error {
    unavailable(format!(
        "{from} is beyond {until}, where the run is to end. If the log ends there now, it was cut by a crash or reset, \
         or it belongs to another server: load again"
    ))
}

fn unknown_order(from: &Position, until: &Position) -> anyhow::Error {
    unavailable(format!(
        "cannot tell which of {from} and {until} comes first: {} is not among the log's files",
        until.file
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(from: Position, until: Option<Position>, offsets: Offsets) -> Cursor {
        Cursor::new(from, until, FileOrder::default(), offsets).unwrap()
    }

    fn place(file: &str, end: u64) -> Place {
        Place { file: file.into(), start: end.saturating_sub(10), end }
    }

    fn rows(cursor: &mut Cursor, count: u64) {
        (0..count).for_each(|_| cursor.row_done());
    }

    #[test]
    fn beyond_4_gib_the_base_stays_and_the_count_goes_on() {
        let start = u64::from(u32::MAX) - 5;
        let mut cursor = cursor(Position::new("a.1", start), None, Offsets::OfServer);
        rows(&mut cursor, 3);
        cursor.move_on(&place("a.1", start + 100), None).unwrap();
        // Another transaction of the same group commit begins there.
        rows(&mut cursor, 2);
        assert_eq!(cursor.position(None), Position { row: 3, ..Position::new("a.1", start) });
        cursor.move_on(&place("a.1", start + 200), None).unwrap();
        let saved = cursor.position(None);
        assert_eq!(saved, Position { row: 5, ..Position::new("a.1", start) });

        // Resumed from there, the five are printed already, and the sixth is not.
        let mut again = self::cursor(saved, None, Offsets::OfServer);
        rows(&mut again, 3);
        again.move_on(&place("a.1", start + 100), None).unwrap();
        rows(&mut again, 1);
        assert!(again.was_printed(again.done()));
        rows(&mut again, 1);
        assert!(!again.was_printed(again.done()));
        again.move_on(&place("a.1", start + 200), None).unwrap();
        again.move_on(&place("a.2", 4), None).unwrap();
        assert_eq!(again.position(None), Position::new("a.2", 4));

        // A file can be read from anywhere.
        let mut cursor = self::cursor(Position::new("a.1", start), None, Offsets::OfFiles);
        rows(&mut cursor, 3);
        cursor.move_on(&place("a.1", start + 100), None).unwrap();
        assert_eq!(cursor.position(None), Position::new("a.1", start + 100));
    }

    #[test]
    fn an_end_beyond_4_gib_is_reached() {
        let start = u64::from(u32::MAX) - 5;
        let until = Position::new("a.1", start + 100);
        let mut cursor = cursor(Position::new("a.1", start), Some(until), Offsets::OfServer);
        rows(&mut cursor, 3);
        assert!(!cursor.is_at_end());
        cursor.move_on(&place("a.1", start + 100), None).unwrap();
        assert!(cursor.is_at_end());
    }

    #[test]
    fn a_run_ends_at_a_row_of_a_transaction_or_behind_it() {
        let until = Position { row: 2, ..Position::new("a.2", 50) };
        let mut cursor = cursor(Position::new("a.1", 4), Some(until), Offsets::OfServer);
        rows(&mut cursor, 5);
        assert!(!cursor.stops_here() && !cursor.is_at_end());
        for end in [("a.2", 4), ("a.2", 50)] {
            cursor.move_on(&place(end.0, end.1), None).unwrap();
            assert!(!cursor.is_at_end());
        }
        rows(&mut cursor, 1);
        assert!(!cursor.stops_here());
        rows(&mut cursor, 1);
        assert!(cursor.stops_here());
        cursor.move_on(&place("a.2", 90), None).unwrap();
        assert!(cursor.is_at_end());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let new = |from, until| Cursor::new(from, Some(until), FileOrder::default(), Offsets::OfServer);
        let at = Position::new;
        assert!(new(at("a.1", 5), at("a.1", 4)).is_err());
        assert!(new(Position { row: 1, ..at("a.1", 4) }, at("a.1", 4)).is_err());
        assert!(new(at("a.1", 5), at("b", 4)).is_err(), "which one comes first is not known");
        assert!(new(at("a.1", 5), at("a.1", 5)).unwrap().is_at_end());
        // Two rows are said to be done of a transaction that has one.
        let mut cursor = cursor(Position { row: 2, ..at("a.1", 4) }, None, Offsets::OfServer);
        rows(&mut cursor, 1);
        assert!(cursor.move_on(&place("a.1", 50), None).is_err());
    }

    #[test]
    fn a_log_that_was_begun_anew_is_another() {
        let log = |created| LogId { created, server_id: 1 };
        let from = Position { log: Some(log(7)), ..Position::new("a.1", 4) };
        let mut cursor = cursor(from, None, Offsets::OfServer);
        assert!(cursor.check_log("a.1", log(8)).is_err());
        assert!(cursor.check_log("a.1", log(7)).is_ok() && cursor.check_log("a.2", log(8)).is_ok());
    }
}

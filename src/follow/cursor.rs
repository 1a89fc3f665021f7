//! Where the following is, and where it can be resumed: the one owner of both.
//!
//! The cursor stands at a *base*, a place between two transactions that the source can be asked to begin at again, and
//! counts what is done since. Rows are counted before any filter, whatever becomes of them, so that the count means
//! the same in every run. Mostly the base moves to each transaction's end. A server cannot be asked to begin beyond
//! 4 GiB: where a transaction ends there, the base stays, and the count goes on.

use std::cmp::Ordering;
use std::sync::Arc;

use anyhow::Result;

use crate::binlog::gtid_set::GtidSet;
use crate::exit::{unavailable, usage};
use crate::position::{FileOrder, LogId, Position};
use crate::source::Offsets;
use crate::source::framing::Place;

/// Rows, and lines of the row after them, that are done since the base.
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

/// A place to resume from, and what is done after it.
#[derive(Debug, Clone)]
pub struct Base {
    pub file: Arc<str>,
    pub offset: u64,
    /// Which log the file is of.
    pub log: Option<LogId>,
}

/// Where to stop.
#[derive(Debug)]
struct Until {
    position: Position,
    /// Where the file at hand stands to that of the position.
    file: Ordering,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Continue,
    /// What was asked for is reached, or a signal came.
    Stop,
}

/// See the module.
#[derive(Debug)]
pub struct Cursor {
    base: Base,
    /// Where the last transaction ended: the base's offset, or beyond what can be asked for.
    end: u64,
    done: Done,
    /// What was done at the end of the last transaction: all that may be said to be done while the next is not.
    settled: Done,
    /// What an earlier run has printed since the base.
    printed_before: Done,
    limit: u64,
    order: FileOrder,
    until: Option<Until>,
    /// What the run began at. Its file is checked to be of the same log.
    from: Position,
    /// Transactions that are done although they stand behind the base.
    done_gtids: Option<GtidSet>,
    rows_read: u64,
}

impl Cursor {
    /// Begins at a position, whose `row` and `line` are done, and stops at another.
    ///
    /// # Errors
    /// Exit 2 when the position's `gtid_set` is none; exit 3 when the end stands before the beginning.
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

    /// Where the transaction under way began, or the next one does; or an earlier place, see the module.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// The order of the log's files, as far as it is known.
    pub fn order(&self) -> &FileOrder {
        &self.order
    }

    pub fn done(&self) -> Done {
        self.done
    }

    /// Transactions that are done after the base besides those before it, as the run's position gave them.
    pub fn gtid_set(&self) -> Option<&str> {
        self.from.gtid_set.as_deref()
    }

    /// Whether a transaction is done although it stands behind the base.
    pub fn is_done_gtid(&self, gtid: Option<&str>) -> bool {
        self.done_gtids.as_ref().zip(gtid).is_some_and(|(set, gtid)| set.contains(gtid))
    }

    /// Whether an earlier run has printed rows since the base.
    pub fn is_resumed(&self) -> bool {
        self.printed_before.row > 0
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

    /// Whether an earlier run has printed the line that follows when this much was done.
    #[inline]
    pub fn was_printed(&self, before: Done) -> bool {
        before < self.printed_before
    }

    /// Whether to stop before the next line, or row. Asked inside of a transaction.
    #[inline]
    pub fn stops_here(&self) -> bool {
        self.until.as_ref().is_some_and(|until| self.is_base(until) && self.done >= Done::of(&until.position))
    }

    /// Whether to stop before the next row.
    #[inline]
    pub fn stops_before_row(&self) -> bool {
        self.until.as_ref().is_some_and(|until| until.position.line == 0) && self.stops_here()
    }

    /// Whether to stop before a row of which no line is printed, or in the midst of its lines.
    #[inline]
    pub fn stops_in_row(&self) -> bool {
        let until = self.until.as_ref().filter(|until| self.is_base(until));
        until.is_some_and(|until| self.done.row >= until.position.row)
    }

    fn is_base(&self, until: &Until) -> bool {
        until.file.is_eq() && self.base.offset == until.position.position
    }

    /// Whether what was asked for is all done. Asked between transactions.
    pub fn is_at_end(&self) -> bool {
        self.until.as_ref().is_some_and(|until| self.compare_to(until, self.settled).is_ge())
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

    /// The log moved on between transactions, or a transaction ended: the base moves to this event's end.
    ///
    /// # Errors
    /// Exit 3 when an earlier run had printed more rows from the base on than there were.
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
            // What is newer than all that is known cannot be told from a file that is still to come.
            until.file = self.order.compare(file, &until.position.file).unwrap_or(Ordering::Less);
        }
    }

    #[cold]
    fn fewer_rows(&self, place: &Place) -> anyhow::Error {
        unavailable(format!(
            "{} says that {} rows are done of the transaction that begins there, and it had only {} when it ended \
             before {}:{}: it is another log's, or was changed by hand. Load again",
            self.from, self.printed_before.row, self.done.row, place.file, place.end
        ))
    }

    /// Which log the file at hand is of has been read.
    ///
    /// # Errors
    /// Exit 3 when a position of the run is of another.
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

    /// The place that all of stdout reaches up to, once it is flushed: of the transaction under way as much as is
    /// given, if anything of it is on stdout.
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
        "{from} stands beyond {until}, where it is to end. If that is where the log ends now, the log was cut after \
         a crash, reset, or is another server's: load again"
    ))
}

fn unknown_order(from: &Position, until: &Position) -> anyhow::Error {
    unavailable(format!(
        "{from} and {until} are in files of which is not known which comes first: {} is not among the log's files",
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

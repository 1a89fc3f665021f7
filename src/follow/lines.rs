//! The lines of the current transaction. They wait in the output buffer until its commit is read, and each names the
//! place to resume from.

use anyhow::Result;

use super::cursor::{Cursor, Done};
use super::last_line::LastLine;
use super::savepoints::{Mark, Savepoints};
use super::transaction::Transaction;
use crate::exit::unreadable;
use crate::output::{Output, WRITE_BYTES};
use crate::position::{LogId, Reading};
use crate::source::framing::Place;
use crate::tuple::{CommitTime, Content, METADATA_END, Metadata, no_row, row, schema};

/// A transaction with more bytes of lines than this is printed while it is read, although it may still be rolled back, and
/// although its commit time may be known only at its end, too late for the lines printed before.
const HELD_BYTES: usize = 8 << 20;
/// The same limit for a transaction whose commit time is known at its beginning, and which cannot be rolled back. More
/// would not stay in a core's cache until it is written.
const HELD_ROWS_BYTES: usize = 1 << 20;

/// The state of the current transaction's lines in the buffer.
#[derive(Debug, Default)]
struct Open {
    last: Option<LastLine>,
    /// Bytes of its lines so far, including those that an earlier run printed: whether it streams, and from which line on,
    /// must not depend on where the run began.
    len: usize,
    /// Some of its lines are on stdout already.
    streams: bool,
    /// The metadata has its commit time.
    time_is_known: bool,
    /// The log may hold rows of it that were rolled back.
    may_be_undone: bool,
    /// Where in the buffer the commit times are that must be patched at the commit.
    times: Vec<usize>,
    savepoints: Savepoints,
    /// Its last line when the lines were last made certain: those before it can be written.
    certain: Option<LastLine>,
    /// The state at the beginning of the transaction that is read again.
    inner: Option<Mark>,
}

impl Open {
    fn held_bytes(&self) -> usize {
        if self.time_is_known && !self.may_be_undone { HELD_ROWS_BYTES } else { HELD_BYTES }
    }

    fn clear(&mut self) {
        self.times.clear();
        self.savepoints.clear();
        (self.last, self.certain, self.inner) = (None, None, None);
        self.len = 0;
        (self.streams, self.time_is_known, self.may_be_undone) = (false, false, false);
    }

    fn mark(&self, buffer_len: usize) -> Mark {
        Mark { buffer_len, len: self.len, last: self.last, times: self.times.len() }
    }

    /// The line before which all can be written, although the transaction goes on.
    fn waiting(&self) -> Option<LastLine> {
        if self.streams { self.last } else { self.certain }
    }
}

/// One line to print.
pub struct Line<'a> {
    /// How it begins: operation and table.
    pub prefix: &'a [u8],
    pub content: LineContent<'a>,
    /// The old values of the changed columns, or empty.
    pub old: &'a [u8],
    pub counts: Counts,
}

/// What a line holds between its beginning and its metadata.
pub enum LineContent<'a> {
    /// A row's id and content.
    Row(&'a mut Content),
    /// Nothing: a truncate.
    Empty,
    /// A definition's JSON.
    Definition(&'a [u8]),
}

/// How a line counts where a run is resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// It is the last line of its row.
    Row,
    /// Another line of its row follows.
    Line,
    /// Not at all: it tells of a table, and may be repeated.
    Nothing,
}

/// Lines on their way to the output.
#[derive(Debug)]
pub struct Lines {
    output: Output,
    /// Lines up to here belong to committed transactions.
    committed: usize,
    open: Open,
    metadata: Metadata,
    /// The identity of the log, and its text in the lines.
    log: (Option<LogId>, String),
    /// The second readings of the transaction, as in its lines.
    reread: String,
    old: Vec<u8>,
}

impl Lines {
    pub fn new(output: Output) -> Lines {
        Lines {
            output,
            committed: 0,
            open: Open::default(),
            metadata: Metadata::default(),
            log: (None, String::new()),
            reread: String::new(),
            old: Vec::new(),
        }
    }

    /// Appends a line with the metadata of a line inside its transaction, unless an earlier run printed it.
    #[inline]
    pub fn push(&mut self, line: Line<'_>, cursor: &mut Cursor, transaction: &Transaction) -> Result<()> {
        let before = cursor.done();
        match line.counts {
            Counts::Row => cursor.row_done(),
            Counts::Line => cursor.line_done(),
            Counts::Nothing => {}
        }
        let buffer = &mut self.output.buffer;
        let start = buffer.len();
        match line.content {
            LineContent::Row(content) => row(line.prefix, content, buffer),
            LineContent::Empty => no_row(line.prefix, buffer),
            LineContent::Definition(json) => schema(line.prefix, json, buffer),
        }
        let metadata = buffer.len();
        if !self.open.time_is_known {
            self.begin_metadata(cursor, transaction);
        }
        let done = cursor.done();
        self.metadata.inside(done.row, done.line, line.old, &mut self.output.buffer);
        // Where such lines stand depends on where the run began.
        if line.counts != Counts::Nothing {
            self.open.len += self.output.buffer.len() - start;
        }
        if cursor.was_printed(before) {
            if line.counts == Counts::Row {
                cursor.check_lines(before)?;
            }
            self.output.buffer.truncate(start);
        } else {
            self.open.last = Some(LastLine { start, metadata, old_len: line.old.len(), before });
            if !self.open.time_is_known && !self.open.streams {
                self.open.times.push(metadata);
            }
        }
        if self.open.len > self.open.held_bytes() {
            self.stream()?;
        }
        Ok(())
    }

    fn begin_metadata(&mut self, cursor: &Cursor, transaction: &Transaction) {
        let time = commit_time(transaction);
        self.open.time_is_known = time.is_some();
        self.open.may_be_undone |= !transaction.only_committed;
        let seen = CommitTime { seconds: transaction.seen_seconds.into(), micros: None };
        let base = cursor.base();
        self.set_log(base.log);
        let place = (&*base.file, base.offset, self.log.1.as_str());
        let gtid = transaction.gtid.as_deref();
        self.metadata.begin(time.unwrap_or(seen), place, gtid, cursor.gtid_set(), &self.reread);
    }

    fn set_log(&mut self, log: Option<LogId>) {
        if self.log.0 != log {
            self.log = (log, log.map(|log| log.to_string()).unwrap_or_default());
        }
    }

    /// Sets the second readings that the next lines are part of, or follow without a place between to resume from.
    pub fn set_readings(&mut self, readings: &[Reading]) {
        self.reread.clear();
        if !readings.is_empty() {
            self.reread = Reading::list(readings).to_string();
        }
    }

    /// A transaction begins that is read again as part of the current one.
    pub fn inner_begin(&mut self) {
        self.open.savepoints.clear();
        self.open.may_be_undone = true;
        self.open.inner = Some(self.open.mark(self.output.buffer.len()));
    }

    /// It was committed: its lines can be written, except the last one. Only the transaction that is read again counts
    /// for what is held back, so that others before it do not matter.
    pub fn inner_commit(&mut self) -> Result<()> {
        let open = &mut self.open;
        open.savepoints.clear();
        (open.inner, open.len, open.streams) = (None, 0, false);
        open.certain = open.last;
        match open.certain {
            Some(last) if last.start >= WRITE_BYTES => {
                self.output.hand_over(last.start)?;
                self.taken_out(last.start);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// It was rolled back before `place`: drops its lines. Their rows stay counted, since the log holds them.
    ///
    /// # Errors
    /// Exit 4 when some were printed already.
    pub fn inner_rollback(&mut self, place: &Place) -> Result<()> {
        if self.open.streams {
            return Err(self.rolled_back_late(place));
        }
        self.open.savepoints.clear();
        if let Some(mark) = self.open.inner.take() {
            self.go_back(mark);
        }
        Ok(())
    }

    fn go_back(&mut self, mark: Mark) {
        self.output.buffer.truncate(mark.buffer_len);
        self.open.len = mark.len;
        self.open.last = mark.last;
        self.open.times.truncate(mark.times);
    }

    /// Writes the lines so far of a large transaction, except the last one: at the commit that names the end.
    fn stream(&mut self) -> Result<()> {
        self.open.streams = true;
        // Lines may be written from now on, so all but the last keep the time that they have.
        self.open.times.clear();
        self.open.savepoints.clear();
        let Some(last) = self.open.last else { return Ok(()) };
        if last.start < WRITE_BYTES {
            return Ok(());
        }
        self.output.hand_over(last.start)?;
        self.taken_out(last.start);
        Ok(())
    }

    /// Adjusts all offsets after the first `len` bytes were removed from the buffer.
    fn taken_out(&mut self, len: usize) {
        self.committed = self.committed.saturating_sub(len);
        if let Some(last) = &mut self.open.last {
            last.taken_out(len);
        }
        if let Some(certain) = &mut self.open.certain {
            certain.taken_out(len);
        }
        if let Some(inner) = &mut self.open.inner {
            inner.taken_out(len);
        }
        self.open.times.iter_mut().for_each(|at| *at -= len);
        self.open.savepoints.taken_out(len);
    }

    /// Commits the transaction: its last line names `end`; or, beyond 4 GiB, the rows done since the base.
    pub fn commit(
        &mut self,
        cursor: &Cursor,
        transaction: &Transaction,
        end: Option<(&Place, Option<LogId>)>,
    ) -> Result<()> {
        if let Some(last) = self.open.last.take() {
            if !self.open.time_is_known {
                self.begin_metadata(cursor, transaction);
                self.patch_times(transaction);
            }
            self.old.clear();
            let old_end = self.output.buffer.len() - METADATA_END.len();
            self.old.extend_from_slice(&self.output.buffer[old_end - last.old_len..old_end]);
            self.output.buffer.truncate(last.metadata);
            match end {
                Some((place, log)) => {
                    self.set_log(log);
                    let place = (&*place.file, place.end, self.log.1.as_str());
                    self.metadata.at_end(place, &self.old, &mut self.output.buffer);
                }
                None => {
                    self.metadata.inside(cursor.done().row, 0, &self.old, &mut self.output.buffer);
                }
            }
        }
        self.end()
    }

    /// Writes the commit time into lines that were built before it was known. Both texts have the same length.
    fn patch_times(&mut self, transaction: &Transaction) {
        const BEFORE: usize = br#"{"ts":""#.len();
        let Some(time) = commit_time(transaction) else { return };
        let mut text = Vec::new();
        crate::value::temporal::rfc3339(time.seconds, time.micros, &mut text);
        for at in self.open.times.drain(..) {
            let start = at + BEFORE;
            if let Some(place) = self.output.buffer.get_mut(start..start + text.len()) {
                place.copy_from_slice(&text);
            }
        }
    }

    /// Drops the lines of the transaction, which was rolled back before `place`.
    ///
    /// # Errors
    /// Exit 4 when some were printed already.
    pub fn rollback(&mut self, place: &Place) -> Result<()> {
        if self.open.streams {
            return Err(self.rolled_back_late(place));
        }
        self.output.buffer.truncate(self.committed);
        self.end()
    }

    fn rolled_back_late(&self, place: &Place) -> anyhow::Error {
        unreadable(format!(
            "the transaction before {}:{} was rolled back, but lines of it were printed already because it is larger \
             than {} MiB: they are not committed. Load again",
            place.file,
            place.end,
            self.open.held_bytes() >> 20
        ))
    }

    fn end(&mut self) -> Result<()> {
        self.open.clear();
        self.committed = self.output.buffer.len();
        if self.committed >= WRITE_BYTES {
            self.output.hand_over(self.committed)?;
            self.taken_out(self.committed);
        }
        Ok(())
    }

    pub fn savepoint(&mut self, name: String) {
        let open = &mut self.open;
        open.may_be_undone = true;
        if !open.streams {
            let mark = open.mark(self.output.buffer.len());
            open.savepoints.set(name, mark);
        }
    }

    /// Drops the lines since the savepoint. Their rows stay counted, since the log holds them.
    ///
    /// # Errors
    /// Exit 4 when the savepoint is unknown, or lines since then were printed already.
    pub fn rollback_to(&mut self, name: &str, place: &Place) -> Result<()> {
        let known = if self.open.streams { None } else { self.open.savepoints.go_back(name) };
        let Some(mark) = known else {
            let why = match () {
                () if self.open.streams => "but lines of its large transaction were printed already",
                () if self.open.savepoints.are_some_forgotten() => "but too many were set to remember all",
                () => "which was not set",
            };
            return Err(unreadable(format!(
                "the event at {place} rolls back to savepoint `{name}`, {why}. Load again"
            )));
        };
        self.go_back(mark);
        Ok(())
    }

    /// The part of the current transaction that is on stdout once it is flushed, if any. If the run `stopped` inside the
    /// transaction, that is all of its lines.
    pub fn printed_part(&self, cursor: &Cursor, stopped: bool) -> Option<Done> {
        if self.open.streams || stopped {
            return Some(self.open.last.map_or(cursor.done(), |last| last.before));
        }
        self.open.certain.map(|last| last.before)
    }

    /// Writes all lines that may be written now.
    pub fn flush(&mut self) -> Result<()> {
        let len = self.open.waiting().map_or(self.committed, |last| last.start);
        self.output.write(len)?;
        self.taken_out(len);
        Ok(())
    }

    /// Writes all lines that may be written at the end of the run. If it `stopped` inside the transaction, as `--until` says,
    /// those are all. Otherwise the last line of a transaction printed in part is left out: it would name another place if
    /// the commit had been read.
    pub fn finish(&mut self, stopped: bool) -> Result<()> {
        match self.open.waiting() {
            _ if stopped => (self.open.last, self.open.certain) = (None, None),
            Some(last) => self.output.buffer.truncate(last.start),
            None => self.output.buffer.truncate(self.committed),
        }
        self.output.flush()
    }

    /// See [`Output::settle`].
    pub fn settle(&mut self) -> Result<()> {
        self.output.settle()
    }

    /// See [`Output::check_reader`].
    pub fn check_reader(&self) -> Result<()> {
        self.output.check_reader()
    }
}

/// When the transaction was committed, if known by now.
fn commit_time(transaction: &Transaction) -> Option<CommitTime> {
    if let Some(micros) = transaction.committed_micros {
        return Some(CommitTime { seconds: micros / 1_000_000, micros: Some((micros % 1_000_000) as u32) });
    }
    transaction.committed_seconds.map(|seconds| CommitTime { seconds: seconds.into(), micros: None })
}

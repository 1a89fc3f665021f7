//! Rows of transactions, printed: lines wait in the output's buffer until their commit has been read, and
//! every line names the place to go on from.

use anyhow::Result;

use crate::exit::unreadable;
use crate::follow::transaction::Group;
use crate::output::{Output, WRITE_BYTES};
use crate::position::Position;
use crate::row::layouts::Layouts;
use crate::source::framing::Log;
use crate::tuple::{CommitTime, Content, Heads, METADATA_END, Metadata, Op, no_row, row};

/// A transaction whose lines are more than this many bytes is printed while it is read, though it may end in a ROLLBACK,
/// or its end may tell when it was committed, which lines that are printed before do not have.
const HELD_BYTES: usize = 8 << 20;
/// Likewise one that says at its beginning when it was committed, and that nothing of it was undone. More of it would not
/// stay in a core's cache until it is written.
const HELD_ROWS_BYTES: usize = 1 << 20;
/// Largest offset that a server can be asked to resume from.
const MAX_OFFSET: u64 = u32::MAX as u64;

/// Rows, and lines of the row after them, that are done in a transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Done {
    pub row: u64,
    pub line: u64,
}

/// The last line of the transaction under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastLine {
    pub(super) start: usize,
    pub(super) metadata: usize,
    /// Bytes of its `"old"`, which stand at its end.
    pub(super) old_len: usize,
    /// What was done before it.
    pub(super) before: Done,
}

/// Where the rows of a transaction stand in the buffer.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    pub(super) last: Option<LastLine>,
    pub(super) done: Done,
    /// Bytes of its lines so far, of those too that an earlier run has printed: whether it streams, and from which
    /// line on, must not depend on where a run began.
    pub(super) len: usize,
    /// Some of its lines are on stdout already.
    pub(super) streams: bool,
    /// The metadata of its lines has the time of its commit.
    pub(super) time_is_known: bool,
    /// Rows of it may stand in the log and be undone.
    pub(super) may_be_undone: bool,
    /// Where the commit times begin that are only known at the commit.
    pub(super) times: Vec<usize>,
    pub(super) savepoints: Vec<Savepoint>,
}

impl Transaction {
    fn held_bytes(&self) -> usize {
        if self.time_is_known && !self.may_be_undone { HELD_ROWS_BYTES } else { HELD_BYTES }
    }
}

/// What the transaction was at a savepoint.
#[derive(Debug)]
pub(super) struct Savepoint {
    pub(super) name: String,
    pub(super) buffer_len: usize,
    pub(super) len: usize,
    pub(super) last: Option<LastLine>,
    pub(super) times: usize,
}

/// Prints rows.
pub struct Printer {
    pub output: Output,
    pub layouts: Layouts,
    /// Lines up to here belong to committed transactions.
    pub(super) committed: usize,
    pub(super) transaction: Transaction,
    pub(super) metadata: Metadata,
    /// Lines of the first transaction that were printed by an earlier run.
    pub(super) skip: Done,
    /// Stop before this row of the transaction under way.
    pub stop_at: Option<Done>,
    /// The end of the last transaction, or what the run began at.
    pub(super) boundary: Position,
    pub(super) content: Content,
    pub(super) before: Content,
    /// Whether updates print what the changed columns held before; and that, of the row under way.
    pub(super) with_old: bool,
    pub(super) old: Vec<u8>,
    pub(super) inflated: Vec<u8>,
    /// Rows read, for progress.
    pub rows: u64,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    On,
    /// `stop_at` is reached.
    Stop,
}

impl Printer {
    /// Begins at a position, whose `row` and `line` are done.
    pub fn new(output: Output, layouts: Layouts, from: Position) -> Printer {
        Printer {
            output,
            layouts,
            committed: 0,
            transaction: Transaction::default(),
            metadata: Metadata::default(),
            skip: Done { row: from.row, line: from.line },
            stop_at: None,
            boundary: from,
            content: Content::default(),
            before: Content::default(),
            with_old: false,
            old: Vec::new(),
            inflated: Vec::new(),
            rows: 0,
        }
    }

    /// Updates print what the changed columns held before.
    pub fn print_old(&mut self) {
        self.with_old = true;
        (self.content, self.before) = (Content::of_values(), Content::of_values());
    }

    pub(super) fn row_done(&mut self) {
        self.transaction.done = Done { row: self.transaction.done.row + 1, line: 0 };
        self.rows += 1;
    }

    /// One line, with metadata as inside of its transaction; `ends_row` if it is its row's last.
    pub(super) fn line(&mut self, head: &[u8], content: bool, ends_row: bool, group: &Group) -> Result<()> {
        let before = self.transaction.done;
        if ends_row {
            self.row_done();
        } else {
            self.transaction.done.line += 1;
        }
        let start = self.output.buffer.len();
        if content {
            row(head, &mut self.content, &mut self.output.buffer);
        } else {
            no_row(head, &mut self.output.buffer);
        }
        let at = self.output.buffer.len();
        if !self.transaction.time_is_known {
            self.begin_metadata(group);
        }
        let Done { row, line } = self.transaction.done;
        self.metadata.inside(row, line, &self.old, &mut self.output.buffer);
        self.transaction.len += self.output.buffer.len() - start;
        if before < self.skip {
            self.output.buffer.truncate(start);
        } else {
            self.transaction.last = Some(LastLine { start, metadata: at, old_len: self.old.len(), before });
            if !self.transaction.time_is_known && !self.transaction.streams {
                self.transaction.times.push(at);
            }
        }
        if self.transaction.len > self.transaction.held_bytes() {
            self.stream()?;
        }
        Ok(())
    }

    fn begin_metadata(&mut self, group: &Group) {
        let time = commit_time(group);
        self.transaction.time_is_known = time.is_some();
        self.transaction.may_be_undone |= !group.only_committed;
        let seen = CommitTime { seconds: group.seen_seconds.into(), micros: None };
        let gtid = group.gtid.as_deref();
        self.metadata.begin(time.unwrap_or(seen), &group.file, group.start, gtid);
    }

    /// Writes what is there of a large transaction, but for its last line: that may be the one that
    /// names its end.
    fn stream(&mut self) -> Result<()> {
        self.transaction.streams = true;
        // Lines may be written from now on, so all of them but the last keep the time that they have.
        self.transaction.times.clear();
        let Some(last) = self.transaction.last else { return Ok(()) };
        if last.start < WRITE_BYTES {
            return Ok(());
        }
        self.output.hand_over(last.start)?;
        self.taken_out(last.start);
        Ok(())
    }

    /// Moves the marks on what stays in the buffer, of which the first bytes were taken out.
    fn taken_out(&mut self, len: usize) {
        self.committed = self.committed.saturating_sub(len);
        if let Some(last) = &mut self.transaction.last {
            last.start -= len;
            last.metadata -= len;
        }
        self.transaction.times.iter_mut().for_each(|at| *at -= len);
        if self.transaction.streams {
            self.transaction.savepoints.clear();
        } else {
            for savepoint in &mut self.transaction.savepoints {
                savepoint.buffer_len -= len;
                if let Some(last) = &mut savepoint.last {
                    last.start -= len;
                    last.metadata -= len;
                }
            }
        }
    }

    /// Tables that a statement emptied, each a row of its group.
    pub fn truncate(&mut self, tables: &[(String, String)], group: &Group) -> Result<Flow> {
        for (database, table) in tables {
            if self.stop_at.is_some_and(|stop| self.transaction.done >= stop) {
                return Ok(Flow::Stop);
            }
            if self.layouts.selection().selects(database, table) {
                let heads = Heads::new(&self.layouts.selection().printed(database, table));
                self.line(heads.of(Op::Truncate), false, true, group)?;
            } else {
                self.row_done();
            }
        }
        Ok(Flow::On)
    }

    /// The transaction is committed: its last line names its end.
    pub fn commit(&mut self, group: &Group, log: &Log) -> Result<()> {
        let rows = self.transaction.done.row;
        let resumable = log.offset <= MAX_OFFSET;
        if let Some(last) = self.transaction.last.take() {
            if !self.transaction.time_is_known {
                self.begin_metadata(group);
                self.patch_times(group);
            }
            self.old.clear();
            let end = self.output.buffer.len() - METADATA_END.len();
            self.old.extend_from_slice(&self.output.buffer[end - last.old_len..end]);
            self.output.buffer.truncate(last.metadata);
            if resumable {
                self.metadata.at_end(&log.file, log.offset, &self.old, &mut self.output.buffer);
            } else {
                // No server resumes there: from its start, with all of its rows done.
                self.metadata.inside(rows, 0, &self.old, &mut self.output.buffer);
            }
            self.old.clear();
        }
        let end = if resumable {
            Position::new(&*log.file, log.offset)
        } else {
            Position { row: rows, ..Position::new(&*group.file, group.start) }
        };
        self.end(end)
    }

    /// Lines that were written before the commit's time was known. Both have seconds: the length stays.
    fn patch_times(&mut self, group: &Group) {
        const BEFORE: usize = br#"{"ts":""#.len();
        let Some(time) = commit_time(group) else { return };
        let mut text = Vec::new();
        crate::value::temporal::rfc3339(time.seconds, time.micros, &mut text);
        for at in self.transaction.times.drain(..) {
            let start = at + BEFORE;
            if let Some(place) = self.output.buffer.get_mut(start..start + text.len()) {
                place.copy_from_slice(&text);
            }
        }
    }

    /// The transaction left nothing behind.
    pub fn rollback(&mut self, end: Position) -> Result<()> {
        if self.transaction.streams {
            return Err(unreadable(format!(
                "the transaction before {end} was rolled back, after lines of it were printed because it is \
                 larger than {} MiB: they are not committed. Load again",
                self.transaction.held_bytes() >> 20
            )));
        }
        self.output.buffer.truncate(self.committed);
        self.end(end)
    }

    fn end(&mut self, boundary: Position) -> Result<()> {
        self.transaction =
            Transaction { times: std::mem::take(&mut self.transaction.times), ..Transaction::default() };
        self.transaction.times.clear();
        self.skip = Done::default();
        self.committed = self.output.buffer.len();
        self.boundary = boundary;
        if self.committed >= WRITE_BYTES {
            self.output.hand_over(self.committed)?;
            self.taken_out(self.committed);
        }
        Ok(())
    }

    pub fn savepoint(&mut self, name: String) {
        let transaction = &mut self.transaction;
        transaction.may_be_undone = true;
        transaction.savepoints.retain(|other| other.name != name);
        transaction.savepoints.push(Savepoint {
            name,
            buffer_len: self.output.buffer.len(),
            len: transaction.len,
            last: transaction.last,
            times: transaction.times.len(),
        });
    }

    /// Rows since the savepoint are undone. They stay counted: they stand in the log.
    pub fn rollback_to(&mut self, name: &str, log: &Log) -> Result<()> {
        let at = self.transaction.savepoints.iter().rposition(|other| other.name == name);
        let Some(at) = at.filter(|_| !self.transaction.streams) else {
            return Err(unreadable(format!(
                "the event at {} rolls back to savepoint `{name}`, which is not known, or lines since then \
                 were printed already. Load again",
                log.place()
            )));
        };
        self.transaction.savepoints.truncate(at + 1);
        let savepoint = &self.transaction.savepoints[at];
        self.output.buffer.truncate(savepoint.buffer_len);
        self.transaction.len = savepoint.len;
        self.transaction.last = savepoint.last;
        self.transaction.times.truncate(savepoint.times);
        Ok(())
    }

    /// The log moved on without a row: a new file, or groups of no interest.
    pub fn moved_to(&mut self, file: &str, offset: u64) {
        let boundary = &mut self.boundary;
        // Where it has not moved, the rows that are done after the boundary still are.
        let moved = boundary.position != offset || boundary.file != file;
        if moved && self.transaction.last.is_none() && offset <= MAX_OFFSET {
            if boundary.file != file {
                boundary.file = file.to_string();
            }
            (boundary.position, boundary.row, boundary.line) = (offset, 0, 0);
        }
    }

    /// Whether an earlier run has printed rows of the transaction under way.
    pub fn is_resumed(&self) -> bool {
        self.skip.row > 0
    }

    /// Whether rows of a transaction are waiting for its end.
    pub fn is_inside(&self) -> bool {
        self.transaction.done != Done::default()
    }

    /// Writes all that may be written.
    pub fn flush(&mut self) -> Result<()> {
        let len = match self.transaction.last {
            Some(last) if self.transaction.streams => last.start,
            _ => self.committed,
        };
        self.output.write(len)?;
        self.taken_out(len);
        Ok(())
    }

    /// Writes all that may be written, and of a large transaction also its last whole line: no more
    /// will be read.
    pub fn finish(&mut self) -> Result<()> {
        if self.transaction.streams || self.stop_at.is_some() {
            self.transaction.last = None;
            return self.output.flush();
        }
        self.output.buffer.truncate(self.committed);
        self.output.flush()
    }

    /// The place that everything on stdout reaches up to, once it is flushed.
    pub fn position(&self, group: Option<&Group>) -> Position {
        let printed_part =
            self.transaction.streams || self.stop_at.is_some_and(|stop| self.transaction.done >= stop);
        match group.filter(|_| printed_part) {
            Some(group) => {
                let done = self.transaction.last.map_or(self.transaction.done, |last| last.before);
                let done = done.max(self.skip);
                Position { row: done.row, line: done.line, ..Position::new(&*group.file, group.start) }
            }
            None => self.boundary.clone(),
        }
    }

    pub fn boundary(&self) -> &Position {
        &self.boundary
    }
}

/// When the group was committed, if that is known by now.
fn commit_time(group: &Group) -> Option<CommitTime> {
    if let Some(micros) = group.committed_micros {
        return Some(CommitTime { seconds: micros / 1_000_000, micros: Some((micros % 1_000_000) as u32) });
    }
    group.committed_seconds.map(|seconds| CommitTime { seconds: seconds.into(), micros: None })
}

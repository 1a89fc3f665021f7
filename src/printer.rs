//! Rows of transactions, printed: lines wait in the output's buffer until their commit has been read, and
//! every line names the place to go on from.

use anyhow::Result;

use crate::binlog::event::Change;
use crate::binlog::log::Log;
use crate::binlog::rows::{Rows, is_full};
use crate::binlog::transaction::{Group, malformed};
use crate::bytes::Bytes;
use crate::exit::unreadable;
use crate::output::{Output, WRITE_BYTES};
use crate::position::Position;
use crate::schema::layout::{Layout, RowError};
use crate::schema::layouts::{Layouts, Mapping, skip};
use crate::tuple::{CommitTime, Content, Heads, Metadata, Op, no_row, row};

/// A transaction whose lines are more than this many bytes is printed while it is read.
const HELD_BYTES: usize = 8 << 20;
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
struct LastLine {
    start: usize,
    metadata: usize,
    /// What was done before it.
    before: Done,
}

/// Where the rows of a transaction stand in the buffer.
#[derive(Debug, Default)]
struct Transaction {
    last: Option<LastLine>,
    done: Done,
    /// Bytes of its lines so far, of those too that an earlier run has printed: whether it streams, and from which
    /// line on, must not depend on where a run began.
    len: usize,
    /// Some of its lines are on stdout already.
    streams: bool,
    /// The metadata of its lines has the time of its commit.
    time_is_known: bool,
    /// Where the commit times begin that are only known at the commit.
    times: Vec<usize>,
    savepoints: Vec<Savepoint>,
}

/// What the transaction was at a savepoint.
#[derive(Debug)]
struct Savepoint {
    name: String,
    buffer_len: usize,
    len: usize,
    last: Option<LastLine>,
    times: usize,
}

/// Prints rows.
pub struct Printer {
    pub output: Output,
    pub layouts: Layouts,
    /// Lines up to here belong to committed transactions.
    committed: usize,
    transaction: Transaction,
    metadata: Metadata,
    /// Lines of the first transaction that were printed by an earlier run.
    skip: Done,
    /// Stop before this row of the transaction under way.
    pub stop_at: Option<Done>,
    /// The end of the last transaction, or what the run began at.
    boundary: Position,
    content: Content,
    before: Content,
    inflated: Vec<u8>,
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
            inflated: Vec::new(),
            rows: 0,
        }
    }

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
            Mapping::Skipped { wires } => {
                return self.count(rows, wires).map_err(|why| malformed(why.0, log));
            }
        };
        self.check_whole(rows, layout, log)?;
        let mut image = Bytes(rows.data);
        while !image.is_empty() {
            let at = (rows.data.len() - image.rest().len(), self.transaction.done.row);
            let flow = self.row(rows, layout, &mut image, group);
            let flow = flow.map_err(|error| match error {
                Trouble::Row(error) => bad_row(layout, error, at.1, log),
                Trouble::Other(error) => error,
            })?;
            if flow == Flow::Stop {
                return Ok(Flow::Stop);
            }
            if at.0 == rows.data.len() - image.rest().len() {
                return Err(malformed("a row without bytes", log));
            }
        }
        Ok(Flow::On)
    }

    fn count(
        &mut self,
        rows: &Rows<'_>,
        wires: &[(crate::binlog::wire::Wire, u8)],
    ) -> Result<Flow, crate::value::Malformed> {
        let present = |bitmap: &[u8]| -> Vec<(crate::binlog::wire::Wire, u8)> {
            let all = wires.iter().enumerate();
            all.filter(|(i, _)| crate::bytes::bit(bitmap, *i)).map(|(_, wire)| *wire).collect()
        };
        let (before, after) = (present(rows.before), present(rows.after));
        let mut image = Bytes(rows.data);
        // A row of no column is a row of no byte.
        let mut more = !image.is_empty() || after.is_empty();
        while more {
            if self.transaction.done.row >= self.stop_at.map_or(u64::MAX, |stop| stop.row) {
                return Ok(Flow::Stop);
            }
            match rows.kind.change {
                Change::Insert => skip(&after, &mut image)?,
                Change::Delete => skip(&before, &mut image)?,
                Change::Update => {
                    skip(&before, &mut image)?;
                    if rows.kind.partial_json && image.lenenc()? & 1 != 0 {
                        let documents = wires.iter().filter(|(wire, _)| wire.is_json()).count();
                        image.take(documents.div_ceil(8))?;
                    }
                    skip(&after, &mut image)?;
                }
            }
            self.row_done();
            more = !image.is_empty();
        }
        Ok(Flow::On)
    }

    fn row_done(&mut self) {
        self.transaction.done = Done { row: self.transaction.done.row + 1, line: 0 };
        self.rows += 1;
    }

    /// A row that was logged in part is not passed off as a whole one.
    fn check_whole(&self, rows: &Rows<'_>, layout: &Layout, log: &Log) -> Result<()> {
        if is_full(rows.before, rows.columns) && is_full(rows.after, rows.columns) {
            return Ok(());
        }
        Err(unreadable(format!(
            "at {} rows of {}.{} are logged in part only: set binlog_row_image=FULL on the server, also for \
             sessions under way, and load again",
            log.place(),
            layout.database,
            layout.table
        )))
    }

    fn row(
        &mut self,
        rows: &Rows<'_>,
        layout: &Layout,
        image: &mut Bytes<'_>,
        group: &Group,
    ) -> Result<Flow, Trouble> {
        if self.stop_at.is_some_and(|stop| self.transaction.done >= stop && stop.line == 0) {
            return Ok(Flow::Stop);
        }
        match rows.kind.change {
            Change::Insert => {
                layout.read(image, &mut self.content, &mut self.inflated)?;
                self.line(layout.heads.of(Op::Upsert), true, true, group)?;
            }
            Change::Delete => {
                layout.read(image, &mut self.content, &mut self.inflated)?;
                self.line(layout.heads.of(Op::Delete), true, true, group)?;
            }
            Change::Update => {
                let before = *image;
                layout.read_id(image, &mut self.before, &mut self.inflated)?;
                if rows.kind.partial_json {
                    layout.read_partial(before, image, &mut self.content, &mut self.inflated)?;
                } else {
                    layout.read(image, &mut self.content, &mut self.inflated)?;
                }
                if !self.before.same_id(&self.content) {
                    // The row that goes, whole, under its old id.
                    std::mem::swap(&mut self.before, &mut self.content);
                    layout.read(&mut { before }, &mut self.content, &mut self.inflated)?;
                    self.line(layout.heads.of(Op::Delete), true, false, group)?;
                    std::mem::swap(&mut self.before, &mut self.content);
                    if self.stop_at.is_some_and(|stop| self.transaction.done >= stop) {
                        return Ok(Flow::Stop);
                    }
                }
                self.line(layout.heads.of(Op::Upsert), true, true, group)?;
            }
        }
        Ok(Flow::On)
    }

    /// One line, with metadata as inside of its transaction; `ends_row` if it is its row's last.
    fn line(&mut self, head: &[u8], content: bool, ends_row: bool, group: &Group) -> Result<()> {
        let before = self.transaction.done;
        if ends_row {
            self.row_done();
        } else {
            self.transaction.done.line += 1;
        }
        let start = self.output.buffer.len();
        if content {
            row(head, &self.content, &mut self.output.buffer);
        } else {
            no_row(head, &mut self.output.buffer);
        }
        let at = self.output.buffer.len();
        if !self.transaction.time_is_known {
            self.begin_metadata(group);
        }
        let Done { row, line } = self.transaction.done;
        self.metadata.inside(row, line, &[], &mut self.output.buffer);
        self.transaction.len += self.output.buffer.len() - start;
        if before < self.skip {
            self.output.buffer.truncate(start);
        } else {
            self.transaction.last = Some(LastLine { start, metadata: at, before });
            if !self.transaction.time_is_known && !self.transaction.streams {
                self.transaction.times.push(at);
            }
        }
        if self.transaction.len > HELD_BYTES {
            self.stream()?;
        }
        Ok(())
    }

    fn begin_metadata(&mut self, group: &Group) {
        let time = commit_time(group);
        self.transaction.time_is_known = time.is_some();
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
        self.write(last.start)
    }

    /// Writes the first `len` bytes of the buffer, and moves the marks on what stays.
    fn write(&mut self, len: usize) -> Result<()> {
        self.output.write(len)?;
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
        Ok(())
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
            self.output.buffer.truncate(last.metadata);
            if resumable {
                self.metadata.at_end(&log.file, log.offset, &[], &mut self.output.buffer);
            } else {
                // No server resumes there: from its start, with all of its rows done.
                self.metadata.inside(rows, 0, &[], &mut self.output.buffer);
            }
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
                HELD_BYTES >> 20
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
            self.flush()?;
        }
        Ok(())
    }

    pub fn savepoint(&mut self, name: String) {
        let transaction = &mut self.transaction;
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

    /// Whether rows of a transaction are waiting for its end.
    pub fn is_inside(&self) -> bool {
        self.transaction.done != Done::default()
    }

    /// Writes all that may be written.
    pub fn flush(&mut self) -> Result<()> {
        match self.transaction.last {
            Some(last) if self.transaction.streams => self.write(last.start),
            _ => self.write(self.committed),
        }
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

/// When the group was committed, if that is known by now.
fn commit_time(group: &Group) -> Option<CommitTime> {
    if let Some(micros) = group.committed_micros {
        return Some(CommitTime { seconds: micros / 1_000_000, micros: Some((micros % 1_000_000) as u32) });
    }
    group.committed_seconds.map(|seconds| CommitTime { seconds: seconds.into(), micros: None })
}

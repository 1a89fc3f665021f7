//! The log followed: one pull loop. The source yields an event; the follower says what it means; rows go through their
//! layout to lines; at a commit the cursor moves, output flushes, the position is saved.

mod altered;
pub mod cursor;
pub mod lines;
mod rows;
mod savepoints;
mod statement;
mod temporary;
pub mod transaction;
mod xa;

use std::sync::Arc;

use anyhow::Result;

use crate::binlog::event::{Event, EventType, QUERY, RowsKind};
use crate::binlog::payload::Payload;
use crate::binlog::query::inflate;
use crate::binlog::rows::{FLAG_STATEMENT_END, Rows};
use crate::binlog::table_map::TableMap;
use crate::exit::unreadable;
use crate::output::Output;
use crate::position::{FileOrder, Patterns, Position};
use crate::row::layouts::Layouts;
use crate::signal::Signal;
use crate::source::framing::Framer;
use crate::source::{Entry, Events, Mode, Source};
use cursor::Cursor;
use lines::Lines;
use rows::{Printing, RowPrinter};
use temporary::Temporary;
use transaction::{Meaning, Transactions, malformed};
use xa::{Prepared, Replay};

/// A buffer for inflated bytes that took more is given back.
const KEEP_INFLATED_BYTES: usize = 4 << 20;

/// What to follow, from where to where, and how.
pub struct Plan<'a> {
    /// Prepared transactions are read again from it, too.
    pub source: &'a mut dyn Source,
    pub from: Position,
    /// `from` was given by somebody, and may stand in the middle of a transaction.
    pub from_is_a_guess: bool,
    pub until: Option<Position>,
    pub order: FileOrder,
    pub layouts: Layouts,
    /// Updates print what the changed columns held before.
    pub with_old: bool,
    pub signal: &'a Signal,
}

/// Follows a log from a position on.
pub struct Follower<'a> {
    framer: Framer,
    steps: Steps<'a>,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    On,
    /// What was asked for is reached, or a signal came.
    Stop,
}

/// The steps that follow from events.
struct Steps<'a> {
    cursor: Cursor,
    transactions: Transactions,
    layouts: Layouts,
    /// Which tables are wanted, as it is saved with a position.
    selection: Arc<Patterns>,
    lines: Lines,
    rows: RowPrinter,
    source: &'a mut dyn Source,
    signal: &'a Signal,
    prepared: Prepared,
    /// A prepared transaction is read again: `transactions` are of that reading.
    replay: Option<Replay>,
    /// The transaction under way is done although it stands behind the position.
    skips: bool,
    /// It was stopped inside of a transaction, where it was asked to stop: its lines so far are to be printed.
    stopped_inside: bool,
    temporary: Temporary,
    /// Images of a compressed rows event.
    inflated: Vec<u8>,
    /// Of the last event, in seconds since 1970.
    seen_seconds: u32,
}

impl<'a> Follower<'a> {
    /// # Errors
    /// Exit 2 or 3 for positions that cannot be; see [`Cursor::new`].
    pub fn new(plan: Plan<'a>, output: Output) -> Result<Follower<'a>> {
        let offsets = plan.source.offsets();
        let framer = Framer::at(&plan.from.file, plan.from.position, offsets);
        let transactions = match plan.from_is_a_guess {
            true => Transactions::at_given_position(),
            false => Transactions::new(),
        };
        let steps = Steps {
            cursor: Cursor::new(plan.from, plan.until, plan.order, offsets)?,
            transactions,
            selection: Arc::new(plan.layouts.selection().saved()),
            layouts: plan.layouts,
            lines: Lines::new(output),
            rows: RowPrinter::new(plan.with_old),
            source: plan.source,
            signal: plan.signal,
            prepared: Prepared::default(),
            replay: None,
            skips: false,
            stopped_inside: false,
            temporary: Temporary::default(),
            inflated: Vec::new(),
            seen_seconds: 0,
        };
        Ok(Follower { framer, steps })
    }

    /// Begins to read at the position.
    ///
    /// # Errors
    /// Those of [`Source::begin`].
    pub fn begin(&mut self) -> Result<Box<dyn Events>> {
        let place = self.framer.place();
        self.steps.source.begin(&place.file, place.start, Mode::Follow)
    }

    /// Takes in the next entry that the source yielded.
    pub fn take(&mut self, entry: Entry<'_>) -> Result<Flow> {
        if self.steps.signal.is_set() {
            return Ok(Flow::Stop);
        }
        let Some(event) = self.framer.frame(entry)? else { return Ok(Flow::On) };
        self.steps.outer_event(&event, &self.framer)
    }

    /// Whether what was asked for is reached.
    pub fn is_at_end(&self) -> bool {
        self.steps.cursor.is_at_end()
    }

    /// The log ends here for good.
    ///
    /// # Errors
    /// Exit 4 when it ends in the middle of a transaction.
    pub fn end_of_log(&mut self) -> Result<()> {
        if self.steps.transactions.is_between() {
            // Only files have an end, and no catalog that the names could be checked against before.
            self.steps.layouts.warn_of_unseen();
            return Ok(());
        }
        let base = self.steps.cursor.base();
        Err(unreadable(format!(
            "{} is cut short: it ends in the middle of the transaction that begins at {}:{}. What stands before is \
             printed",
            self.framer.place().file,
            base.file,
            base.offset
        )))
    }

    /// The place that all of stdout reaches up to, once it is flushed.
    pub fn position(&self) -> Position {
        let Steps { cursor, lines, layouts, .. } = &self.steps;
        let place = cursor.position(lines.printed_part(cursor, self.steps.stopped_inside));
        let known = &layouts.tables_known;
        let tables = if layouts.selection().has_globs() { known.at(&place, cursor.order()) } else { None };
        let selection = tables.is_some().then(|| Arc::clone(&self.steps.selection));
        let (tables, tables_since) = tables.unzip();
        let tables_since = tables_since.flatten();
        Position { tables, selection, tables_since, ids: known.ids(), ..place }
    }

    /// Writes all that may be written.
    pub fn flush(&mut self) -> Result<()> {
        self.steps.lines.flush()
    }

    /// Writes all that may be written when no more is read.
    pub fn finish(&mut self) -> Result<()> {
        self.steps.lines.finish(self.steps.stopped_inside)
    }

    /// Waits until what was handed over is written: before a message is, for both may go to one place.
    pub fn settle(&mut self) -> Result<()> {
        self.steps.lines.settle()
    }

    /// Notices, while there is nothing to write, that the reader of stdout went away.
    pub fn check_reader(&self) -> Result<()> {
        self.steps.lines.check_reader()
    }

    /// Warnings since the last time.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.steps.layouts.warnings)
    }

    /// Rows read, and when the last event was written, in seconds since 1970, if any was.
    pub fn progress(&self) -> (u64, Option<u32>) {
        let seconds = self.steps.seen_seconds;
        (self.steps.cursor.rows_read(), (seconds > 0).then_some(seconds))
    }
}

impl Steps<'_> {
    /// An event as it stands in the log; others may be packed into it.
    fn outer_event(&mut self, event: &Event<'_>, framer: &Framer) -> Result<Flow> {
        if event.header.timestamp != 0 {
            self.seen_seconds = event.header.timestamp;
        }
        if self.unpack(event, framer)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        if self.transactions.is_between() {
            self.cursor.move_on(framer.place(), framer.log())?;
            if self.cursor.is_at_end() {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::On)
    }

    /// Takes an event apart that others, or a statement, are packed into. None is packed twice.
    fn unpack(&mut self, event: &Event<'_>, framer: &Framer) -> Result<Flow> {
        match EventType::of(event.header.kind) {
            EventType::TransactionPayload => {
                let bad = |why: crate::bytes::Malformed| malformed(why.0, framer.place());
                let mut payload = Payload::open(event.body).map_err(bad)?;
                while let Some(inner) = payload.next_event().map_err(bad)? {
                    if self.signal.is_set() || self.event(&inner, framer)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
                Ok(Flow::On)
            }
            EventType::QueryCompressed => {
                let body = inflate(framer.format(), event.body);
                let body = body.map_err(|why| malformed(why.0, framer.place()))?;
                let mut header = event.header;
                header.kind = QUERY;
                self.event(&Event { header, body: &body }, framer)
            }
            _ => self.event(event, framer),
        }
    }

    /// An event that is packed into another, or none is packed into.
    fn event(&mut self, event: &Event<'_>, framer: &Framer) -> Result<Flow> {
        let meaning = self.transactions.meaning(event, framer)?;
        if self.replay.is_some() {
            return self.replayed(meaning, event, framer);
        }
        match meaning {
            Meaning::Nothing => {}
            Meaning::NewFile { abandons } => {
                if abandons {
                    self.rolled_back(framer)?;
                }
                self.new_format(event, framer)?;
            }
            Meaning::Begin { abandons } => {
                if abandons {
                    self.abandoned(framer)?;
                }
                self.begin();
            }
            Meaning::TableMap => self.table_map(event, framer)?,
            Meaning::Rows { kind, ends } => {
                if self.print_rows(kind, event, framer)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                if ends {
                    self.commit(framer)?;
                }
            }
            Meaning::Statement { effects, query, alone } => {
                if alone {
                    self.begin();
                }
                if self.effects(effects, &query, event, framer)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                if alone {
                    self.commit(framer)?;
                }
            }
            Meaning::Savepoint(name) => self.lines.savepoint(name),
            Meaning::RollbackTo(name) => self.lines.rollback_to(&name, framer.place())?,
            Meaning::Commit => self.commit(framer)?,
            Meaning::Rollback => {
                self.transactions.close();
                self.rolled_back(framer)?;
            }
            Meaning::XaPrepare { xid, one_phase } => {
                let base = self.cursor.base();
                self.prepared.remember(xid.clone(), &base.file, base.offset);
                if one_phase {
                    return self.xa_commit(&xid, framer);
                }
                self.commit(framer)?;
            }
            Meaning::XaCommit(xid) => {
                self.begin();
                return self.xa_commit(&xid, framer);
            }
            Meaning::XaRollback(xid) => {
                self.prepared.forget(&xid);
                self.commit(framer)?;
            }
        }
        Ok(Flow::On)
    }

    fn new_format(&mut self, event: &Event<'_>, framer: &Framer) -> Result<()> {
        if EventType::of(event.header.kind) == EventType::FormatDescription {
            self.layouts.written_by(&framer.format().server_version);
            if framer.format().after_start {
                self.temporary.clear();
            }
            if let Some(log) = framer.log() {
                self.cursor.check_log(&framer.place().file, log)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self) {
        let gtid = self.transactions.open().and_then(|open| open.gtid.as_deref());
        self.skips = self.cursor.is_done_gtid(gtid);
    }

    fn table_map(&mut self, event: &Event<'_>, framer: &Framer) -> Result<()> {
        if self.skips {
            return Ok(());
        }
        let map = TableMap::parse(framer.format(), event.header.kind, event.body);
        let map = map.map_err(|why| malformed(why.0, framer.place()))?;
        self.layouts.map(&map, event.body, framer.place())
    }

    fn print_rows(&mut self, kind: RowsKind, event: &Event<'_>, framer: &Framer) -> Result<Flow> {
        if self.skips {
            return Ok(Flow::On);
        }
        let transactions = self.replay.as_ref().map_or(&self.transactions, |replay| &replay.outer);
        let Some(transaction) = transactions.open() else { return Ok(Flow::On) };
        let rows = Rows::parse(framer.format(), kind, event.header.kind, event.body, &mut self.inflated);
        let rows = rows.map_err(|why| malformed(why.0, framer.place()))?;
        let mut printing = Printing { lines: &mut self.lines, cursor: &mut self.cursor, transaction };
        let flow = self.rows.print(&rows, &self.layouts, &mut printing, framer.place())?;
        if rows.flags & FLAG_STATEMENT_END != 0 {
            self.layouts.statement_ended();
        }
        if self.inflated.capacity() > KEEP_INFLATED_BYTES {
            self.inflated = Vec::new();
        }
        self.stopped_inside |= flow == Flow::Stop;
        Ok(flow)
    }

    /// The transaction under way ends with this event, and is committed.
    fn commit(&mut self, framer: &Framer) -> Result<()> {
        let place = framer.place();
        if let Some(transaction) = self.transactions.open() {
            let end = (place.end <= framer.offsets().limit()).then_some((place, framer.log()));
            self.lines.commit(&self.cursor, transaction, end)?;
        }
        self.transactions.close();
        self.skips = false;
        self.cursor.move_on(place, framer.log())
    }

    /// The transaction under way ends with this event, and left nothing behind.
    fn rolled_back(&mut self, framer: &Framer) -> Result<()> {
        self.skips = false;
        self.lines.rollback(framer.place())?;
        self.cursor.move_on(framer.place(), framer.log())
    }

    /// The transaction that was under way ended before this event, without a word.
    fn abandoned(&mut self, framer: &Framer) -> Result<()> {
        let place = framer.place();
        let before = crate::source::framing::Place { end: place.start, ..place.clone() };
        self.lines.rollback(&before)?;
        self.cursor.move_on(&before, framer.log())
    }
}

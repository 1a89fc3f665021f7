//! Follows the log. The source yields an event; the follower decides what it means; rows go through their layout to
//! lines; at a commit the cursor moves, and output may flush and the position be saved.

mod ahead;
mod altered;
mod births;
pub mod cursor;
mod definitions;
mod foreign_keys;
mod full_effect;
mod hidden_tables;
mod id_changes;
mod in_the_way;
mod last_line;
mod lines;
pub mod look_ahead;
mod merge_tables;
mod prepared;
pub mod recorder;
mod reread;
mod rows;
mod savepoints;
mod schemas;
mod settle;
mod statement;
mod swaps;
mod temporary;
mod temporary_history;
pub mod transaction;
mod xa;

use std::sync::Arc;

use anyhow::Result;

use crate::binlog::event::{Event, EventType, QUERY, RowsKind};
use crate::binlog::payload::Payload;
use crate::binlog::query::inflate;
use crate::binlog::rows::{FLAG_STATEMENT_END, Rows};
use crate::binlog::table_map::TableMap;
use crate::bytes::Malformed;
use crate::exit::unreadable;
use crate::output::Output;
use crate::position::{FileOrder, Patterns, Position, Reading};
use crate::row::layouts::Layouts;
use crate::schema::known::{FullName, KnownTables};
use crate::signal::Signal;
use crate::source::entry::Entry;
use crate::source::framing::{Framer, Place};
use crate::source::{Events, Mode, Source};
use births::Births;
use cursor::{Cursor, Flow};
use lines::Lines;
use look_ahead::LookAhead;
use prepared::{Prepared, Replay};
use recorder::Recorder;
use reread::Reread;
use rows::{Printing, RowPrinter};
use schemas::Schemas;
pub use swaps::OnSwap;
use temporary::Temporary;
use transaction::{Meaning, Transaction, Transactions, malformed};

/// A buffer for inflated bytes is freed if it has grown beyond this.
const MAX_KEPT_INFLATED_BYTES: usize = 4 << 20;

/// What to follow, from where to where, and how.
pub struct Plan<'a> {
    /// Also reads prepared transactions and renamed tables again.
    pub source: &'a mut dyn Source,
    pub from: Position,
    /// `from` came from the user, and may be inside a transaction.
    pub from_was_given: bool,
    pub until: Option<Position>,
    pub order: FileOrder,
    pub layouts: Layouts,
    /// Updates print the old values of the changed columns.
    pub with_old: bool,
    /// Lines tell the definitions of tables.
    pub with_schemas: bool,
    /// Keeps the schema history.
    pub recorder: Option<Recorder>,
    pub on_swap: OnSwap,
    /// An ALTER that changes rows which the log does not repeat ends the run.
    pub strict: bool,
    pub look_ahead: LookAhead,
    pub signal: &'a Signal,
}

/// Follows a log from a position on.
pub struct Follower<'a> {
    framer: Framer,
    steps: Steps<'a>,
}

/// What the follower does about events: the state of the run, apart from framing.
struct Steps<'a> {
    cursor: Cursor,
    transactions: Transactions,
    layouts: Layouts,
    /// Which tables are selected, as saved with a position.
    selection: Arc<Patterns>,
    lines: Lines,
    rows: RowPrinter,
    source: &'a mut dyn Source,
    signal: &'a Signal,
    prepared: Prepared,
    /// A prepared transaction that is being read again; `transactions` then follows that reading.
    replay: Option<Replay>,
    births: Births,
    on_swap: OnSwap,
    /// The second readings since the base: what a position needs to resume inside of one.
    readings: Vec<Reading>,
    /// A renamed table that is being read again; `transactions`, or `replay`, then follows that reading.
    reread: Option<Reread>,
    /// The position's `gtid_set` says that the current transaction is done.
    skips: bool,
    /// The run ends inside a transaction, as `--until` says: its lines so far are printed.
    stopped_inside: bool,
    temporary: Temporary,
    /// With `--schemas`.
    schemas: Option<Schemas>,
    recorder: Option<Recorder>,
    strict: bool,
    look_ahead: LookAhead,
    /// Row images of a compressed rows event.
    inflated: Vec<u8>,
    /// Time of the last event, in seconds since 1970.
    seen_seconds: u32,
}

impl<'a> Follower<'a> {
    /// # Errors
    /// Exit 2 or 3 for impossible positions; see [`Cursor::new`].
    pub fn new(plan: Plan<'a>, output: Output) -> Result<Follower<'a>> {
        let offsets = plan.source.offsets();
        let framer = Framer::at(&plan.from.file, plan.from.position, offsets);
        let transactions = match plan.from_was_given {
            true => Transactions::at_given_position(),
            false => Transactions::new(),
        };
        let readings = plan.from.readings.clone();
        let mut lines = Lines::new(output);
        lines.set_readings(&readings);
        let steps = Steps {
            cursor: Cursor::new(plan.from, plan.until, plan.order, offsets)?,
            transactions,
            selection: Arc::new(plan.layouts.selection().saved()),
            layouts: plan.layouts,
            lines,
            rows: RowPrinter::new(plan.with_old),
            source: plan.source,
            signal: plan.signal,
            prepared: Prepared::default(),
            replay: None,
            births: Births::default(),
            on_swap: plan.on_swap,
            readings,
            reread: None,
            skips: false,
            stopped_inside: false,
            temporary: Temporary::default(),
            schemas: plan.with_schemas.then(Schemas::default),
            recorder: plan.recorder,
            strict: plan.strict,
            look_ahead: plan.look_ahead,
            inflated: Vec::new(),
            seen_seconds: 0,
        };
        Ok(Follower { framer, steps })
    }

    /// Makes the definitions known that the schema history holds, and completes it where the run begins.
    ///
    /// # Errors
    /// Exit 2 when the history belongs to another log; those of asking the catalog and reading the log.
    pub fn begin_history(&mut self) -> Result<Flow> {
        self.steps.begin_history()
    }

    /// Notes in the schema history how far it goes.
    pub fn note_followed(&mut self) -> Result<()> {
        self.steps.note_followed()
    }

    /// Starts reading at the position.
    ///
    /// # Errors
    /// Those of [`Source::begin`].
    pub fn begin(&mut self) -> Result<Box<dyn Events>> {
        let place = self.framer.place();
        self.steps.source.begin(&place.file, place.start, Mode::Follow)
    }

    /// Handles the next entry that the source yielded.
    pub fn take(&mut self, entry: Entry<'_>) -> Result<Flow> {
        if self.steps.signal.is_set() {
            return Ok(Flow::Stop);
        }
        let Some(event) = self.framer.frame(entry)? else { return Ok(Flow::Continue) };
        self.steps.outer_event(&event, &self.framer)
    }

    /// The log ends here for good.
    ///
    /// # Errors
    /// Exit 4 when it ends in the middle of a transaction; exit 3 when it ends before the place that the run should have
    /// reached.
    pub fn end_of_log(&mut self) -> Result<()> {
        if self.steps.transactions.is_between() {
            // Only files end, and without a catalog the names could not be checked before.
            self.steps.layouts.warn_of_unseen();
            return self.steps.cursor.expect_end();
        }
        let base = self.steps.cursor.base();
        Err(unreadable(format!(
            "{} is cut short: it ends inside the transaction that begins at {}:{}. Everything before is printed",
            self.framer.place().file,
            base.file,
            base.offset
        )))
    }

    /// The position that stdout has reached, once it is flushed.
    pub fn position(&self) -> Position {
        let Steps { cursor, lines, layouts, .. } = &self.steps;
        let place = cursor.position(lines.printed_part(cursor, self.steps.stopped_inside));
        let known = &layouts.tables_known;
        let tables = if layouts.selection().has_globs() { known.at(&place, cursor.order()) } else { None };
        let selection = tables.is_some().then(|| Arc::clone(&self.steps.selection));
        let (tables, tables_since) = tables.unzip();
        let tables_since = tables_since.flatten();
        let is_inside = place.row > 0 || place.line > 0;
        let readings = if is_inside { self.steps.readings.clone() } else { Vec::new() };
        Position { tables, selection, tables_since, ids: known.ids(), readings, ..place }
    }

    /// Writes all lines that may be written now.
    pub fn flush(&mut self) -> Result<()> {
        self.steps.sync_history()?;
        self.steps.lines.flush()
    }

    /// Writes all lines that may be written at the end of the run.
    pub fn finish(&mut self) -> Result<()> {
        self.steps.sync_history()?;
        self.steps.lines.finish(self.steps.stopped_inside)?;
        self.steps.note_followed()
    }

    /// Waits until everything handed over is written. Call it before a message.
    pub fn settle(&mut self) -> Result<()> {
        self.steps.lines.settle()
    }

    /// Checks whether stdout's reader went away, while there is nothing to write.
    pub fn check_reader(&self) -> Result<()> {
        self.steps.lines.check_reader()
    }

    /// Warnings since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.steps.layouts.warnings)
    }

    /// Rows read, and the time of the last event, in seconds since 1970.
    pub fn progress(&self) -> (u64, Option<u32>) {
        let seconds = self.steps.seen_seconds;
        (self.steps.cursor.rows_read(), (seconds > 0).then_some(seconds))
    }
}

impl Steps<'_> {
    /// Handles an event of the log, which may contain others.
    fn outer_event(&mut self, event: &Event<'_>, framer: &Framer) -> Result<Flow> {
        if event.header.timestamp != 0 {
            self.seen_seconds = event.header.timestamp;
        }
        if self.unpack(event, framer)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        if self.transactions.is_between() {
            self.move_on(framer.place(), framer)?;
            // A run that ends where it begins reads so much, to see that the log is the right one.
            if framer.has_format() && self.cursor.is_at_end() {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Continue)
    }

    /// Unpacks a compressed transaction or statement. These do not nest.
    fn unpack(&mut self, event: &Event<'_>, framer: &Framer) -> Result<Flow> {
        match EventType::of(event.header.type_byte) {
            EventType::TransactionPayload => {
                let bad = |why: Malformed| malformed(why.0, framer.place());
                let mut payload = Payload::open(event.body).map_err(bad)?;
                while let Some(inner) = payload.next_event().map_err(bad)? {
                    if self.signal.is_set() || self.event(&inner, framer)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
                Ok(Flow::Continue)
            }
            EventType::QueryCompressed => {
                let body = inflate(framer.format(), event.body);
                let body = body.map_err(|why| malformed(why.0, framer.place()))?;
                let mut header = event.header;
                header.type_byte = QUERY;
                self.event(&Event { header, body: &body }, framer)
            }
            _ => self.event(event, framer),
        }
    }

    /// Handles an unpacked event.
    fn event(&mut self, event: &Event<'_>, framer: &Framer) -> Result<Flow> {
        let meaning = self.transactions.meaning(event, framer)?;
        if self.replay.is_some() {
            return self.replayed(meaning, event, framer);
        }
        if self.reread.is_some() {
            return self.reread_event(meaning, event, framer);
        }
        match meaning {
            Meaning::Nothing => {}
            Meaning::NewFile { abandons } => {
                if abandons {
                    self.rolled_back(framer)?;
                }
                self.new_format(event, framer)?;
                self.note_followed()?;
            }
            Meaning::Begin { abandons } => {
                if abandons {
                    self.abandoned(framer)?;
                }
                self.begin();
            }
            Meaning::TableMap => {
                self.table_map(event, framer)?;
                // A signal may have ended the look ahead.
                if self.signal.is_set() {
                    return Ok(Flow::Stop);
                }
            }
            Meaning::HiddenTableMap => self.hidden_table_map(event, framer)?,
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
            Meaning::RollbackTo(name) => {
                self.forget_schemas();
                self.lines.rollback_to(&name, framer.place())?;
            }
            Meaning::Commit => self.commit(framer)?,
            Meaning::Rollback => {
                self.transactions.close();
                self.rolled_back(framer)?;
            }
            Meaning::XaPrepare { xid, one_phase } => {
                if let Some(open) = self.transactions.open() {
                    self.prepared.remember(xid.clone(), &open.file, open.start);
                }
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
                self.note_decision(&xid, false, framer);
                self.commit(framer)?;
            }
        }
        Ok(Flow::Continue)
    }

    fn new_format(&mut self, event: &Event<'_>, framer: &Framer) -> Result<()> {
        if EventType::of(event.header.type_byte) == EventType::FormatDescription {
            self.layouts.written_by(&framer.format().server_version);
            if framer.format().after_start {
                self.temporary = Temporary::of_started_server();
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
        self.prepared.begin();
    }

    fn table_map(&mut self, event: &Event<'_>, framer: &Framer) -> Result<()> {
        if self.skips {
            return Ok(());
        }
        if self.reread.is_some() {
            return self.reread_table_map(event, framer, false);
        }
        let map = TableMap::parse(framer.format(), event.header.type_byte, event.body);
        let map = map.map_err(|why| malformed(why.0, framer.place()))?;
        if self.layouts.is_same(&map, event.body) {
            self.sync_history()?;
            return self.show_schema_of_map(map.table_id, framer.place());
        }
        let (place, order) = (framer.place(), self.cursor.order().clone());
        let is_no_table = |known: &KnownTables, name: &FullName| {
            let here = Position::new(&*place.file, place.end);
            known.is_no_table(name, &here, &order, event.header.timestamp.into())
        };
        self.settled_map(place, &|layouts, accepted| {
            layouts.map(&map, event.body, place, &is_no_table, accepted)
        })?;
        self.show_schema_of_map(map.table_id, place)
    }

    fn print_rows(&mut self, kind: RowsKind, event: &Event<'_>, framer: &Framer) -> Result<Flow> {
        if self.skips {
            return Ok(Flow::Continue);
        }
        if let Some(reread) = &self.reread
            && !reread.has(event, framer).map_err(|why| malformed(why.0, framer.place()))?
        {
            return Ok(Flow::Continue);
        }
        let transaction = printed(&self.transactions, self.replay.as_ref(), self.reread.as_ref());
        let Some(transaction) = transaction else { return Ok(Flow::Continue) };
        let rows = Rows::parse(framer.format(), kind, event.header.type_byte, event.body, &mut self.inflated);
        let rows = rows.map_err(|why| malformed(why.0, framer.place()))?;
        let mut printing = Printing { lines: &mut self.lines, cursor: &mut self.cursor, transaction };
        let flow = self.rows.print(&rows, &self.layouts, &mut printing, framer.place())?;
        if rows.flags & FLAG_STATEMENT_END != 0 {
            self.layouts.statement_ended();
        }
        if self.inflated.capacity() > MAX_KEPT_INFLATED_BYTES {
            self.inflated = Vec::new();
        }
        self.stopped_inside |= flow == Flow::Stop;
        Ok(flow)
    }

    /// The current transaction ends with this event, and is committed.
    fn commit(&mut self, framer: &Framer) -> Result<()> {
        let place = framer.place();
        if let Some(transaction) = self.transactions.open() {
            let end = (place.end <= framer.offsets().limit()).then_some((place, framer.log()));
            self.lines.commit(&self.cursor, transaction, end)?;
        }
        self.transactions.close();
        self.skips = false;
        self.move_on(place, framer)
    }

    fn move_on(&mut self, place: &Place, framer: &Framer) -> Result<()> {
        let before = (!self.readings.is_empty()).then(|| self.cursor.base().clone());
        self.cursor.move_on(place, framer.log())?;
        let now = self.cursor.base();
        if before.is_some_and(|before| before.offset != now.offset || before.file != now.file) {
            self.readings.clear();
            self.lines.set_readings(&self.readings);
        }
        Ok(())
    }

    /// The current transaction ends with this event, and is rolled back.
    fn rolled_back(&mut self, framer: &Framer) -> Result<()> {
        self.skips = false;
        self.forget_schemas();
        self.lines.rollback(framer.place())?;
        self.move_on(framer.place(), framer)
    }

    /// The previous transaction ended before this event, without a commit.
    fn abandoned(&mut self, framer: &Framer) -> Result<()> {
        let place = framer.place();
        let before = Place { end: place.start, ..place.clone() };
        self.forget_schemas();
        self.lines.rollback(&before)?;
        self.move_on(&before, framer)
    }
}

/// The transaction that rows belong to: that of the main reading.
fn printed<'a>(
    current: &'a Transactions,
    replay: Option<&'a Replay>,
    reread: Option<&'a Reread>,
) -> Option<&'a Transaction> {
    let outer = reread.map(|reread| &reread.outer).or(replay.map(|replay| &replay.outer));
    outer.unwrap_or(current).open()
}

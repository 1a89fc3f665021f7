//! The log followed: each event taken in, its step taken, until the place to stop at.

pub mod lines;
mod rows;
mod statement;
pub mod transaction;
mod xa;

use anyhow::Result;

use crate::binlog::event::{Event, EventType};
use crate::binlog::gtid_set::GtidSet;
use crate::binlog::payload::Payload;
use crate::binlog::query::{Query, inflate};
use crate::binlog::rows::{FLAG_STATEMENT_END, Rows};
use crate::binlog::table_map::TableMap;
use crate::exit::unreadable;
use crate::follow::lines::{Done, Flow, Printer};
use crate::follow::transaction::{Group, Step, Tracker, malformed};
use crate::position::Position;
use crate::source::Source;
use crate::source::framing::Log;

/// Follows a log from a position on.
pub struct Follower<'a> {
    pub printer: Printer,
    log: Log,
    tracker: Tracker,
    /// Where prepared groups are read again from.
    source: &'a mut dyn Source,
    until: Option<Position>,
    /// Transactions that are done although they stand behind the position.
    done: Option<GtidSet>,
    skips_group: bool,
    /// Bytes of events that were packed into others.
    inflated: Vec<u8>,
    /// Of the last event, in seconds: how far behind the reading is.
    pub seen_seconds: u32,
}

impl<'a> Follower<'a> {
    pub fn new(
        printer: Printer,
        log: Log,
        tracker: Tracker,
        source: &'a mut dyn Source,
        until: Option<Position>,
        done: Option<GtidSet>,
    ) -> Follower<'a> {
        Follower {
            printer,
            log,
            tracker,
            source,
            until,
            done,
            skips_group: false,
            inflated: Vec::new(),
            seen_seconds: 0,
        }
    }

    /// The place that all of stdout reaches up to, once it is flushed.
    pub fn position(&self) -> Position {
        self.printer.position(self.tracker.group())
    }

    /// Whether what was asked for has been reached already.
    pub fn is_done(&self) -> bool {
        self.until.as_ref().is_some_and(|until| self.printer.boundary().is_at_or_after(until))
    }

    /// The log ends here for good.
    ///
    /// # Errors
    /// Exit 4 when it ends in the middle of a transaction.
    pub fn end_of_log(&self) -> Result<()> {
        match self.tracker.group() {
            Some(group) => Err(unreadable(format!(
                "{} is cut short: it ends in the middle of the transaction that begins at {}:{}. What stands \
                 before is printed",
                self.log.file, group.file, group.start
            ))),
            None => Ok(()),
        }
    }

    /// Takes in the next event, as the source gave it.
    pub fn raw(&mut self, raw: &[u8]) -> Result<Flow> {
        let Some(event) = self.log.read(raw)? else { return Ok(Flow::On) };
        if event.header.timestamp != 0 {
            self.seen_seconds = event.header.timestamp;
        }
        if self.event(&event)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        if self.tracker.group().is_none() {
            self.printer.moved_to(&self.log.file, self.log.offset);
            if self.is_done() {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::On)
    }

    fn event(&mut self, event: &Event<'_>) -> Result<Flow> {
        let step = self.tracker.step(event, &self.log)?;
        self.step(step, event)
    }

    fn step(&mut self, step: Step<'_>, event: &Event<'_>) -> Result<Flow> {
        match step {
            Step::Nothing => {}
            Step::NewFile => self.new_format(event),
            Step::Begin => return Ok(self.begin()),
            Step::TableMap => self.table_map(event)?,
            Step::Rows(kind) => {
                let EventType::Rows(_) = EventType::of(event.header.kind) else { return Ok(Flow::On) };
                let mut inflated = std::mem::take(&mut self.inflated);
                let rows = Rows::parse(&self.log.format, kind, event.header.kind, event.body, &mut inflated)
                    .map_err(|why| malformed(why.0, &self.log))?;
                let group = self.tracker.group();
                let flow = match group.filter(|_| !self.skips_group) {
                    Some(group) => self.printer.rows(&rows, group, &self.log)?,
                    None => Flow::On,
                };
                let ends = rows.flags & FLAG_STATEMENT_END != 0;
                if ends {
                    self.printer.layouts.statement_ended();
                }
                self.inflated = inflated;
                if flow == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                if let Some(group) = self.tracker.after_rows(ends, event, &self.log) {
                    self.commit(&group)?;
                }
            }
            Step::Payload => return self.payload(event),
            Step::CompressedQuery => {
                let body =
                    inflate(&self.log.format, event.body).map_err(|why| malformed(why.0, &self.log))?;
                let query =
                    Query::parse(&self.log.format, &body).map_err(|why| malformed(why.0, &self.log))?;
                let step = self.tracker.statement(query, event, &self.log)?;
                return self.step(step, event);
            }
            Step::Statement(statement, query) => return self.statement(statement, &query, event),
            Step::Savepoint(name) => self.printer.savepoint(name),
            Step::RollbackTo(name) => self.printer.rollback_to(&name, &self.log)?,
            Step::Commit(group) => self.commit(&group)?,
            Step::Rollback => {
                self.skips_group = false;
                let end = match self.tracker.group() {
                    Some(next) => Position::new(&*next.file, next.start),
                    None => Position::new(&*self.log.file, self.log.offset),
                };
                self.printer.rollback(end)?;
                self.new_format(event);
                if self.tracker.group().is_some() {
                    return Ok(self.begin());
                }
            }
            Step::XaCommit(xid, group) => return self.xa_commit(&xid, &group),
            Step::XaRollback(xid, group) => {
                self.tracker.prepared.forget(&xid);
                self.commit(&group)?;
            }
        }
        Ok(Flow::On)
    }

    fn new_format(&mut self, event: &Event<'_>) {
        if EventType::of(event.header.kind) == EventType::FormatDescription {
            self.printer.layouts.written_by(&self.log.format.server_version);
        }
    }

    fn begin(&mut self) -> Flow {
        let Some(group) = self.tracker.group() else { return Flow::On };
        if let (Some(set), Some(gtid)) = (&self.done, &group.gtid) {
            self.skips_group = set.contains(gtid);
        }
        let Some(until) = &self.until else { return Flow::On };
        let start = Position::new(&*group.file, group.start);
        if start.file == until.file && start.position == until.position && until.row + until.line > 0 {
            self.printer.stop_at = Some(Done { row: until.row, line: until.line });
        } else if start.is_at_or_after(until) {
            return Flow::Stop;
        }
        Flow::On
    }

    fn table_map(&mut self, event: &Event<'_>) -> Result<()> {
        let map = TableMap::parse(&self.log.format, event.header.kind, event.body)
            .map_err(|why| malformed(why.0, &self.log))?;
        self.printer.layouts.map(&map, event.body, &|| self.log.place())
    }

    fn commit(&mut self, group: &Group) -> Result<()> {
        self.skips_group = false;
        self.printer.commit(group, &self.log)
    }

    fn payload(&mut self, event: &Event<'_>) -> Result<Flow> {
        let mut payload = Payload::open(event.body).map_err(|why| malformed(why.0, &self.log))?;
        while let Some(inner) = payload.next_event().map_err(|why| malformed(why.0, &self.log))? {
            if self.event(&inner)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::On)
    }
}

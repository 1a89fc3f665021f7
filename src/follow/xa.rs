//! XA transactions: prepared in one group of events, committed or rolled back by a later one.
//!
//! Rows of a prepared transaction are not held: that could be any amount, for any time, and a
//! restart would lose them. They stay where they are, in the log, and are read again when their
//! commit is seen.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;

use super::transaction::{Meaning, Transactions, malformed};
use super::{Flow, Steps};
use crate::binlog::event::{Event, EventType};
use crate::binlog::payload::Payload;
use crate::binlog::query::{Query, inflate};
use crate::binlog::xa::Prepare;
use crate::bytes::Malformed;
use crate::exit::unreadable;
use crate::source::event_queue::Batch;
use crate::source::framing::{FIRST_OFFSET, Framer, Place};
use crate::source::{Events, Mode};
use crate::sql::effect::{self, Statement};

/// Where a group of events begins.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Start {
    file: Arc<str>,
    offset: u64,
}

/// What the log says last of an xid, up to some place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// Prepared here, and not decided since.
    Prepared(Start),
    Committed,
    RolledBack,
}

/// Where the prepared transactions that are not yet decided begin, as far as they were seen.
#[derive(Debug, Default)]
pub struct Prepared(HashMap<String, Start>);

impl Prepared {
    pub fn remember(&mut self, xid: String, file: &Arc<str>, offset: u64) {
        self.0.insert(xid, Start { file: file.clone(), offset });
    }

    pub fn forget(&mut self, xid: &str) {
        self.0.remove(xid);
    }
}

impl Steps<'_> {
    /// Prints the rows of a prepared transaction, read again from where they stand, as rows of the transaction under
    /// way, which commits them.
    pub(super) fn xa_commit(&mut self, xid: &str, framer: &Framer) -> Result<Flow> {
        let known = self.prepared.0.remove(xid);
        if self.skips {
            self.commit(framer)?;
            return Ok(Flow::On);
        }
        let fate = match known {
            Some(start) => Some(Fate::Prepared(start)),
            None => self.fate_of(xid, framer)?,
        };
        // A search that was cut off says nothing.
        if self.signal.is_set() {
            return Ok(Flow::Stop);
        }
        match fate {
            Some(Fate::Prepared(start)) => {
                if self.replay(&start, framer.place())? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
            }
            // Said twice, as a server does that went down between its log and its engine: the rows are printed.
            Some(Fate::Committed) => {}
            Some(Fate::RolledBack) => {
                return Err(unreadable(format!(
                    "at {} XA transaction {xid} is committed, which the log had rolled back before: whether its rows \
                     stand cannot be told. Load again",
                    framer.place()
                )));
            }
            None => {
                return Err(unreadable(format!(
                    "at {} XA transaction {xid} is committed, but the log that holds its rows is not there any more. \
                     Load again",
                    framer.place()
                )));
            }
        }
        self.commit(framer)?;
        Ok(Flow::On)
    }

    /// Reads a prepared group to its end, and prints its rows.
    fn replay(&mut self, start: &Start, committed_at: &Place) -> Result<Flow> {
        let mut framer = Framer::at(&start.file, start.offset, self.source.offsets());
        let mut events = self.source.begin(&start.file, start.offset, Mode::UntilEnd)?;
        let outer = std::mem::replace(&mut self.transactions, Transactions::replaying());
        self.replay = Some(Replay { outer, state: ReplayState::GoesOn });
        let flow = self.replay_events(events.as_mut(), &mut framer);
        let replay = self.replay.take();
        let state = replay.as_ref().map_or(ReplayState::IsAnother, |replay| replay.state);
        self.transactions = replay.map(|replay| replay.outer).unwrap_or_default();
        let (flow, from) = (flow?, format!("{}:{}", start.file, start.offset));
        match state {
            _ if flow == Flow::Stop => Ok(Flow::Stop),
            ReplayState::IsPrepared => Ok(Flow::On),
            ReplayState::GoesOn => Err(unreadable(format!(
                "the XA transaction that is committed at {committed_at} cannot be read again from {from}, where it \
                 was prepared: the log ends in the middle of it. Load again"
            ))),
            ReplayState::IsAnother => Err(unreadable(format!(
                "what stands at {from} is not the XA transaction that is committed at {committed_at}. Load again"
            ))),
        }
    }

    fn replay_events(&mut self, events: &mut dyn Events, framer: &mut Framer) -> Result<Flow> {
        let mut batch = Batch::default();
        loop {
            batch.clear();
            let more = events.next(&mut batch)?;
            for entry in batch.entries() {
                let Some(event) = framer.frame(entry)? else { continue };
                if self.signal.is_set() || self.unpack(&event, framer)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                if self.replay.as_ref().is_none_or(|replay| replay.state != ReplayState::GoesOn) {
                    return Ok(Flow::On);
                }
            }
            if !more {
                return Ok(Flow::On);
            }
        }
    }

    /// What follows from an event of a group that is read again.
    pub(super) fn replayed(
        &mut self,
        meaning: Meaning<'_>,
        event: &Event<'_>,
        framer: &Framer,
    ) -> Result<Flow> {
        let state = match meaning {
            Meaning::Nothing | Meaning::NewFile { abandons: false } | Meaning::Begin { abandons: false } => {
                ReplayState::GoesOn
            }
            Meaning::TableMap => {
                self.table_map(event, framer)?;
                ReplayState::GoesOn
            }
            Meaning::Rows { kind, .. } => {
                if self.print_rows(kind, event, framer)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                ReplayState::GoesOn
            }
            Meaning::Statement { effects, query, .. } => {
                if self.effects(effects, &query, event, framer)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                ReplayState::GoesOn
            }
            Meaning::Savepoint(name) => {
                self.lines.savepoint(name);
                ReplayState::GoesOn
            }
            Meaning::RollbackTo(name) => {
                self.lines.rollback_to(&name, framer.place())?;
                ReplayState::GoesOn
            }
            Meaning::XaPrepare { .. } => ReplayState::IsPrepared,
            Meaning::Commit
            | Meaning::Rollback
            | Meaning::XaCommit(_)
            | Meaning::XaRollback(_)
            | Meaning::NewFile { abandons: true }
            | Meaning::Begin { abandons: true } => ReplayState::IsAnother,
        };
        if let Some(replay) = &mut self.replay {
            replay.state = state;
        }
        Ok(Flow::On)
    }

    /// What the log before the event at hand says last of an xid that was not prepared in this run, or is decided
    /// already: none of these is kept, as there may be any number. `None` if it says nothing, or a signal came.
    fn fate_of(&mut self, xid: &str, framer: &Framer) -> Result<Option<Fate>> {
        let end = framer.place();
        for file in self.source.files_up_to(&end.file)?.into_iter().rev() {
            let last = self.fate_in(xid, &file, end)?;
            if last.is_some() || self.signal.is_set() {
                return Ok(last);
            }
        }
        Ok(None)
    }

    /// Likewise of one file, up to a place.
    fn fate_in(&mut self, xid: &str, file: &str, end: &Place) -> Result<Option<Fate>> {
        let mut framer = Framer::at(file, FIRST_OFFSET, self.source.offsets());
        let mut events = self.source.begin(file, FIRST_OFFSET, Mode::UntilEnd)?;
        let mut scan = Scan { xid, group: None, last: None };
        let mut batch = Batch::default();
        loop {
            batch.clear();
            let more = events.next(&mut batch)?;
            for entry in batch.entries() {
                let Some(event) = framer.frame(entry)? else { return Ok(scan.last) };
                let place = framer.place();
                if *place.file != *file || *place.file == *end.file && place.start >= end.start {
                    return Ok(scan.last);
                }
                scan.outer_event(&event, &framer)?;
            }
            if !more || self.signal.is_set() {
                return Ok(scan.last);
            }
        }
    }
}

/// A prepared transaction that is read again.
pub struct Replay {
    /// The one that commits it.
    pub outer: Transactions,
    state: ReplayState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReplayState {
    GoesOn,
    /// All of it was read.
    IsPrepared,
    /// It was no prepared transaction.
    IsAnother,
}

/// A look for one xid. Whatever else there is in the log does not matter here: incidents, statements, rows.
struct Scan<'a> {
    xid: &'a str,
    /// Where the group under way begins, if one does.
    group: Option<Start>,
    last: Option<Fate>,
}

impl Scan<'_> {
    fn outer_event(&mut self, event: &Event<'_>, framer: &Framer) -> Result<()> {
        let bad = |why: Malformed| malformed(why.0, framer.place());
        match EventType::of(event.header.kind) {
            EventType::TransactionPayload => {
                let mut payload = Payload::open(event.body).map_err(bad)?;
                while let Some(inner) = payload.next_event().map_err(bad)? {
                    self.event(&inner, framer).map_err(bad)?;
                }
                Ok(())
            }
            EventType::QueryCompressed => {
                let body = inflate(framer.format(), event.body).map_err(bad)?;
                self.statement(&body, framer).map_err(bad)
            }
            _ => self.event(event, framer).map_err(bad),
        }
    }

    fn event(&mut self, event: &Event<'_>, framer: &Framer) -> Result<(), Malformed> {
        match EventType::of(event.header.kind) {
            EventType::Gtid | EventType::AnonymousGtid | EventType::GtidTagged | EventType::MariaGtid => {
                self.group = Some(start_at(framer));
            }
            EventType::Query => self.statement(event.body, framer)?,
            EventType::Xid => self.group = None,
            EventType::XaPrepare => {
                let start = self.group.take().unwrap_or_else(|| start_at(framer));
                let prepare = Prepare::parse(event.body)?;
                if prepare.xid == self.xid {
                    self.last = Some(if prepare.one_phase { Fate::Committed } else { Fate::Prepared(start) });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn statement(&mut self, body: &[u8], framer: &Framer) -> Result<(), Malformed> {
        let query = Query::parse(framer.format(), body)?;
        match effect::read(query.text, query.session) {
            // Where no GTID event comes before it, it is what begins the group.
            Statement::XaStart => _ = self.group.get_or_insert_with(|| start_at(framer)),
            Statement::XaCommit(xid) => self.decided(&xid, Fate::Committed),
            Statement::XaRollback(xid) => self.decided(&xid, Fate::RolledBack),
            Statement::Commit | Statement::Rollback => self.group = None,
            _ => {}
        }
        Ok(())
    }

    fn decided(&mut self, xid: &str, fate: Fate) {
        self.group = None;
        if xid == self.xid {
            self.last = Some(fate);
        }
    }
}

fn start_at(framer: &Framer) -> Start {
    let place = framer.place();
    Start { file: place.file.clone(), offset: place.start }
}

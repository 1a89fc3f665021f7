//! XA transactions: prepared in one group of events, committed or rolled back in a later one.
//!
//! The rows of a prepared transaction are not kept in memory: their number and the time until the commit have no limit,
//! and a restart would lose them. At the commit they are read again from the log.

use std::ops::ControlFlow;

use anyhow::Result;

use super::Steps;
use super::cursor::Flow;
use super::prepared::{Fate, GroupStart, Replay, ReplayState, Scan};
use super::transaction::{Meaning, Transactions};
use crate::binlog::event::Event;
use crate::exit::unreadable;
use crate::source::framing::{FIRST_OFFSET, Framer, Place};
use crate::source::scan::{scan, stop_if};
use crate::source::{Events, Mode};

impl Steps<'_> {
    /// Prints the rows of a prepared transaction, read again, as rows of the current transaction, which commits it.
    pub(super) fn xa_commit(&mut self, xid: &str, framer: &Framer) -> Result<Flow> {
        let known = self.prepared.take(xid);
        if self.skips {
            self.commit(framer)?;
            return Ok(Flow::Continue);
        }
        let fate = match known {
            Some(start) => Some(Fate::Prepared(start)),
            None => self.fate_of(xid, framer)?,
        };
        // A signal ended the search early, so its result means nothing.
        if self.signal.is_set() {
            return Ok(Flow::Stop);
        }
        match fate {
            Some(Fate::Prepared(start)) => {
                if self.replay(xid, &start, framer.place())? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
            }
            // Logged twice, after a crash between log and engine: the rows are printed already.
            Some(Fate::Committed) => {}
            Some(Fate::RolledBack) => {
                return Err(unreadable(format!(
                    "at {} XA transaction {xid} is committed, although the log rolled it back before: cannot tell whether \
                     its rows exist. Load again",
                    framer.place()
                )));
            }
            None => {
                return Err(unreadable(format!(
                    "at {} XA transaction {xid} is committed, but the log file with its rows is gone. Load again",
                    framer.place()
                )));
            }
        }
        self.commit(framer)?;
        Ok(Flow::Continue)
    }

    /// Reads a prepared transaction again, and prints its rows.
    fn replay(&mut self, xid: &str, start: &GroupStart, committed_at: &Place) -> Result<Flow> {
        let mut framer = Framer::at(&start.file, start.offset, self.source.offsets());
        let mut events = self.source.begin(&start.file, start.offset, Mode::UntilEnd)?;
        let outer = std::mem::replace(&mut self.transactions, Transactions::replaying());
        self.replay = Some(Replay { outer, xid: xid.to_string(), state: ReplayState::GoesOn });
        let flow = self.replay_events(events.as_mut(), &mut framer);
        let replay = self.replay.take();
        let state = replay.as_ref().map_or(ReplayState::IsAnother, |replay| replay.state);
        self.transactions = replay.map(|replay| replay.outer).unwrap_or_default();
        let (flow, from) = (flow?, format!("{}:{}", start.file, start.offset));
        match state {
            _ if flow == Flow::Stop => Ok(Flow::Stop),
            ReplayState::IsPrepared => Ok(Flow::Continue),
            ReplayState::GoesOn => Err(unreadable(format!(
                "the XA transaction that is committed at {committed_at} cannot be read again from {from}, where it \
                 begins: the log ends inside it. Load again"
            ))),
            ReplayState::IsAnother => Err(unreadable(format!(
                "{from} does not hold the XA transaction that is committed at {committed_at}. Load again"
            ))),
        }
    }

    fn replay_events(&mut self, events: &mut dyn Events, framer: &mut Framer) -> Result<Flow> {
        let flow = scan(events, framer, |event, framer| {
            let Some(event) = event else { return Ok(ControlFlow::Continue(())) };
            if self.signal.is_set() || self.unpack(event, framer)? == Flow::Stop {
                return Ok(ControlFlow::Break(Flow::Stop));
            }
            Ok(match self.replay.as_ref().map(|replay| replay.state) {
                Some(ReplayState::GoesOn) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(Flow::Continue),
            })
        })?;
        Ok(flow.unwrap_or(Flow::Continue))
    }

    /// Handles an event of a transaction that is read again.
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
            Meaning::XaPrepare { xid, .. }
                if self.replay.as_ref().is_some_and(|replay| replay.xid == xid) =>
            {
                ReplayState::IsPrepared
            }
            Meaning::Commit
            | Meaning::Rollback
            | Meaning::XaCommit(_)
            | Meaning::XaRollback(_)
            | Meaning::XaPrepare { .. }
            | Meaning::NewFile { abandons: true }
            | Meaning::Begin { abandons: true } => ReplayState::IsAnother,
        };
        if let Some(replay) = &mut self.replay {
            replay.state = state;
        }
        Ok(Flow::Continue)
    }

    /// The last thing that the log says about an xid before the current event. For xids that are not in `prepared`: not
    /// prepared in this run, or committed or rolled back since. `None` if the log says nothing, or on a signal.
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

    /// [`Steps::fate_of`] in one file, up to a place.
    fn fate_in(&mut self, xid: &str, file: &str, end: &Place) -> Result<Option<Fate>> {
        let mut framer = Framer::at(file, FIRST_OFFSET, self.source.offsets());
        let mut events = self.source.begin(file, FIRST_OFFSET, Mode::UntilEnd)?;
        let mut search = Scan::new(xid);
        scan(events.as_mut(), &mut framer, |event, framer| {
            let Some(event) = event else { return Ok(stop_if(self.signal.is_set())) };
            let place = framer.place();
            if *place.file != *file || *place.file == *end.file && place.start >= end.start {
                return Ok(ControlFlow::Break(()));
            }
            search.outer_event(event, framer)?;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(search.last)
    }
}

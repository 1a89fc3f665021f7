//! XA transactions: prepared in one group of events, committed or rolled back in a later one.
//!
//! The rows of a prepared transaction are not kept in memory: their number and the time until the commit have no limit,
//! and a restart would lose them. At the commit they are read again from the log.

use std::ops::ControlFlow;

use anyhow::Result;

use super::Steps;
use super::cursor::Flow;
use super::full_effect::FullEffect;
use super::hidden_tables::HiddenTables;
use super::prepared::{Fate, Group, GroupStart, Names, Part, Replay, ReplayState, Scan};
use super::temporary::{By, Temporary};
use super::transaction::{Meaning, Transactions, malformed};
use crate::binlog::event::Event;
use crate::binlog::query::Query;
use crate::binlog::table_map::TableMap;
use crate::bytes::Malformed;
use crate::exit::{unavailable, unreadable};
use crate::schema::from_log;
use crate::schema::known::FullName;
use crate::source::framing::{FIRST_OFFSET, Framer, Place};
use crate::source::scan::{scan, stop_if};
use crate::source::{Events, Mode};
use crate::sql::effect::{Effect, Effects};

impl Steps<'_> {
    /// Prints the rows of a prepared transaction, read again, as rows of the current transaction, which commits it.
    pub(super) fn xa_commit(&mut self, xid: &str, framer: &Framer) -> Result<Flow> {
        let known = self.prepared.take(xid);
        if self.skips {
            self.note_decision(xid, true, framer);
            self.commit(framer)?;
            return Ok(Flow::Continue);
        }
        let fate = match known {
            Some(group) => Some(Fate::Prepared(group)),
            None => self.fate_of(xid, framer)?,
        };
        self.note_decision(xid, true, framer);
        // A signal ended the search early, so its result means nothing.
        if self.signal.is_set() {
            return Ok(Flow::Stop);
        }
        match fate {
            Some(Fate::Prepared(group)) => {
                if let Some(change) = group.tables.change() {
                    return Err(unreadable(format!(
                        "at {} XA transaction {xid} is committed; but since it was prepared, {change}. Load again",
                        framer.place()
                    )));
                }
                if self.replay(xid, &group.start, framer.place())? == Flow::Stop {
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
            None | Some(Fate::BeginsEarlier(_)) => {
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
    pub(super) fn replay(&mut self, xid: &str, start: &GroupStart, committed_at: &Place) -> Result<Flow> {
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
            Meaning::Nothing
            | Meaning::HiddenTableMap
            | Meaning::NewFile { abandons: false }
            | Meaning::Begin { abandons: false } => ReplayState::GoesOn,
            Meaning::TableMap => {
                self.table_map(event, framer)?;
                if self.signal.is_set() {
                    return Ok(Flow::Stop);
                }
                ReplayState::GoesOn
            }
            Meaning::Rows { kind, .. } => {
                if self.print_rows(kind, event, framer)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                ReplayState::GoesOn
            }
            Meaning::Statement { effects, query, .. } if self.reread.is_some() => {
                self.reread_effects(effects, &query, event, framer)?;
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

    /// A table that the current transaction, which will be prepared, has rows of.
    pub(super) fn hidden_table_map(&mut self, event: &Event<'_>, framer: &Framer) -> Result<()> {
        let bad = |why: Malformed| malformed(why.0, framer.place());
        let map = TableMap::parse(framer.format(), event.header.type_byte, event.body).map_err(bad)?;
        let name = self.name_of(&map).map_err(bad)?;
        // A rename must not take it for an empty table.
        self.layouts.tables_known.may_be_filled(&name);
        self.prepared.tables().add(name);
        Ok(())
    }

    /// The full name of a table map's table.
    pub(super) fn name_of(&self, map: &TableMap<'_>) -> Result<FullName, Malformed> {
        let selection = self.layouts.selection();
        let folded = |name| from_log::utf8(name).map(|name| selection.folded(name));
        Ok((folded(map.database)?, folded(map.table)?))
    }

    /// The last thing that the log says about an xid before the current event. For xids that are not in `prepared`: not
    /// prepared in this run, or committed or rolled back since. `None` if the log says nothing, or on a signal.
    fn fate_of(&mut self, xid: &str, framer: &Framer) -> Result<Option<Fate>> {
        if let Some(fate) = self.prepared.fate_for_good(xid) {
            return Ok(Some(fate));
        }
        let end = framer.place();
        let files = self.source.files_up_to(&end.file)?;
        let mut fate = self.fate_in(xid, &files, end)?;
        if !self.source.can_read_again(&end.file) {
            if fate.is_some() && self.prepared.forgot() {
                return Err(unavailable(format!(
                    "at {end} XA transaction {xid} is committed: for that, {} would have to be read twice: give files",
                    end.file
                )));
            }
            if let Some(tables) = fate.as_mut().and_then(Fate::tables) {
                self.prepared.take_in_for_good(tables, &|table| self.is_wanted(table));
            }
        }
        Ok(fate)
    }

    /// Notes that an xid was committed or rolled back, if a search could not read that again.
    pub(super) fn note_decision(&mut self, xid: &str, committed: bool, framer: &Framer) {
        if !self.source.can_read_again(&framer.place().file) {
            self.prepared.decided_for_good(xid, committed);
        }
    }

    /// [`Steps::fate_of`] in the files that can be read again.
    fn fate_in(&mut self, xid: &str, files: &[String], end: &Place) -> Result<Option<Fate>> {
        for (i, file) in files.iter().enumerate().rev() {
            let (last, _) = self.search(xid, None, std::slice::from_ref(file), end)?;
            if self.signal.is_set() {
                return Ok(None);
            }
            let (known, from) = match last {
                None => continue,
                Some(Fate::BeginsEarlier(tables)) => match self.begun(xid, tables, &files[..i], end)? {
                    Some(group) => (Fate::Prepared(group), i),
                    None => return Ok(None),
                },
                Some(last) => (last, i + 1),
            };
            if from == files.len() {
                return Ok(Some(known));
            }
            // What happened to its tables after that.
            return Ok(self.search(xid, Some(known), &files[from..], end)?.0);
        }
        Ok(None)
    }

    /// The group that one of the files begins, and the file after them ends. A relay log may go on to its next file
    /// inside a group, more than once.
    fn begun(
        &mut self,
        xid: &str,
        mut tables: HiddenTables,
        files: &[String],
        end: &Place,
    ) -> Result<Option<Group>> {
        for file in files.iter().rev() {
            let (_, open) = self.search(xid, None, std::slice::from_ref(file), end)?;
            let Some(part) = open.filter(|_| !self.signal.is_set()) else { break };
            tables.add_all(part.tables);
            if let Some(start) = part.start {
                return Ok(Some(Group { start, tables }));
            }
        }
        Ok(None)
    }

    /// [`Steps::fate_of`] in some files, if `known` is from before them. Also the group that is open at the end.
    fn search(
        &mut self,
        xid: &str,
        known: Option<Fate>,
        files: &[String],
        end: &Place,
    ) -> Result<(Option<Fate>, Option<Part>)> {
        let Some(file) = files.first() else { return Ok((known, None)) };
        let mut framer = Framer::at(file, FIRST_OFFSET, self.source.offsets());
        let mut events = self.source.begin(file, FIRST_OFFSET, Mode::UntilEnd)?;
        let names = StepsNames { steps: self, temporary: Temporary::default() };
        let mut search = Scan::new(xid, known, names);
        scan(events.as_mut(), &mut framer, |event, framer| {
            let place = framer.place();
            // Before the next file is opened: that may be a pipe.
            let is_past = files.iter().all(|file| *place.file != **file);
            if is_past || *place.file == *end.file && place.start >= end.start {
                return Ok(ControlFlow::Break(()));
            }
            let Some(event) = event else { return Ok(stop_if(self.signal.is_set())) };
            search.outer_event(event, framer)?;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok((search.last, search.group))
    }
}

/// The names in a part of the log that [`Scan`] goes through.
struct StepsNames<'a, 'b> {
    steps: &'a Steps<'b>,
    /// Temporary tables of that part.
    temporary: Temporary,
}

impl Names for StepsNames<'_, '_> {
    fn real_effects(
        &mut self,
        effects: Effects,
        query: &Query<'_>,
        event: &Event<'_>,
        place: &Place,
    ) -> Vec<FullEffect> {
        let full = effects.into_iter().map(|effect| {
            // A name that is not valid text may be any table's.
            self.steps.full_effect(effect, query, place).unwrap_or(Effect::Data { verb: String::new() })
        });
        let mut effects: Vec<FullEffect> = full.collect();
        self.temporary.take_out(By::of(event, query, self.steps.layouts.is_mariadb()), &mut effects);
        effects
    }

    fn full(&self, map: &TableMap<'_>) -> Result<FullName, Malformed> {
        self.steps.name_of(map)
    }

    fn is_wanted(&self, table: &FullName) -> bool {
        self.steps.is_wanted(table)
    }
}

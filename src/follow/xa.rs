//! XA transactions: their rows are read again where they were prepared, once their commit has been read.

use anyhow::Result;

use super::Follower;
use crate::binlog::event::Event;
use crate::binlog::query::{Query, inflate};
use crate::binlog::rows::Rows;
use crate::binlog::table_map::TableMap;
use crate::binlog::xa::{Fate, Place};
use crate::exit::unreadable;
use crate::follow::lines::{Done, Flow};
use crate::follow::transaction::{Group, Step, Tracker, malformed};
use crate::position::Position;
use crate::source::event_queue::Batch;
use crate::source::framing::{FIRST_OFFSET, Log};
use crate::source::{Mode, Source};

impl Follower<'_> {
    /// Prints the rows of a prepared transaction, read again from where they stand.
    pub(super) fn xa_commit(&mut self, xid: &str, group: &Group) -> Result<Flow> {
        let known = self.tracker.prepared.forget(xid);
        if self.skips_group {
            self.commit(group)?;
            return Ok(Flow::On);
        }
        let fate = known.map_or_else(|| self.fate_of(xid), |place| Ok(Fate::Prepared(place)))?;
        let place = match fate {
            Fate::Prepared(place) => place,
            // Said twice, as a server does that went down between its log and its engine: the rows are printed.
            Fate::Committed => {
                self.commit(group)?;
                return Ok(Flow::On);
            }
            Fate::RolledBack => {
                return Err(unreadable(format!(
                    "at {} XA transaction {xid} is committed, which the log had rolled back before: whether its rows \
                     stand cannot be told. Load again",
                    self.log.place()
                )));
            }
        };
        if let Some(until) = &self.until
            && group.start == until.position
            && *until.file == *group.file
            && until.row + until.line > 0
        {
            self.printer.stop_at = Some(Done { row: until.row, line: until.line });
        }
        let flow = self.replay(&place, group)?;
        if flow == Flow::On {
            self.commit(group)?;
        }
        Ok(flow)
    }

    /// Reads a prepared group to its end, and prints its rows as `group`'s.
    fn replay(&mut self, place: &Place, group: &Group) -> Result<Flow> {
        let mut log = Log::at(&place.file, place.start, self.log.is_of_files());
        let mut tracker = Tracker::replaying();
        let mut flow = Flow::On;
        let mut is_whole = false;
        let mut inflated = Vec::new();
        let printer = &mut self.printer;
        let outer = &self.log;
        each_event(self.source, place, &mut |raw| {
            let Some(event) = log.read(raw)? else { return Ok(true) };
            match tracker.step(&event, &log)? {
                Step::TableMap => {
                    let map = TableMap::parse(&log.format, event.header.kind, event.body);
                    let map = map.map_err(|why| malformed(why.0, &log))?;
                    printer.layouts.map(&map, event.body, &|| log.place())?;
                }
                Step::Rows(kind) => {
                    let rows = Rows::parse(&log.format, kind, event.header.kind, event.body, &mut inflated);
                    let rows = rows.map_err(|why| malformed(why.0, &log))?;
                    flow = printer.rows(&rows, group, outer)?;
                }
                Step::Commit(_) => {
                    is_whole = true;
                    return Ok(false);
                }
                Step::Rollback | Step::XaCommit(..) | Step::XaRollback(..) => return Ok(false),
                Step::Savepoint(name) => printer.savepoint(name),
                Step::RollbackTo(name) => printer.rollback_to(&name, &log)?,
                Step::Payload => {
                    return Err(malformed("a compressed transaction inside of an XA transaction", &log));
                }
                Step::Nothing
                | Step::NewFile
                | Step::Begin
                | Step::CompressedQuery
                // Judged when the group was first seen.
                | Step::Statement(..) => {}
            }
            Ok(flow == Flow::On)
        })?;
        if flow == Flow::On && !is_whole {
            return Err(unreadable(format!(
                "the XA transaction that is committed at {} cannot be read again from {}:{}, where it was prepared: \
                 the log ends in the middle of it. Load again",
                outer.place(),
                place.file,
                place.start
            )));
        }
        Ok(flow)
    }

    /// What the log before the event at hand says last of an xid that was not prepared in this run, or is decided
    /// already: none of these is kept, as there may be any number.
    fn fate_of(&mut self, xid: &str) -> Result<Fate> {
        let end = Position::new(&*self.log.file, self.log.start);
        for file in self.source.files_up_to(&end.file)?.into_iter().rev() {
            let mut log = Log::at(&file, FIRST_OFFSET, self.log.is_of_files());
            let mut tracker = Tracker::new();
            let mut last = None;
            each_event(self.source, &Place { file: file.clone(), start: FIRST_OFFSET }, &mut |raw| {
                let Some(event) = log.read(raw)? else { return Ok(true) };
                let decided = decision(tracker.step(&event, &log)?, &mut tracker, &event, &log)?;
                if let Some(place) = tracker.prepared.forget(xid) {
                    last = Some(Fate::Prepared(place));
                }
                if let Some((of, fate)) = decided {
                    tracker.prepared.forget(&of);
                    last = if of == xid { Some(fate) } else { last.take() };
                }
                let here = Position::new(&*log.file, log.offset);
                Ok(*log.file == *file && !here.is_at_or_after(&end))
            })?;
            if let Some(fate) = last {
                return Ok(fate);
            }
        }
        Err(unreadable(format!(
            "at {} XA transaction {xid} is committed, but the log that holds its rows is not there any more. \
             Load again",
            self.log.place()
        )))
    }
}

/// The xid that a step decides on, and how.
fn decision(
    step: Step<'_>,
    tracker: &mut Tracker,
    event: &Event<'_>,
    log: &Log,
) -> Result<Option<(String, Fate)>> {
    match step {
        Step::XaCommit(xid, _) => Ok(Some((xid, Fate::Committed))),
        Step::XaRollback(xid, _) => Ok(Some((xid, Fate::RolledBack))),
        Step::CompressedQuery => {
            let body = inflate(&log.format, event.body).map_err(|why| malformed(why.0, log))?;
            let query = Query::parse(&log.format, &body).map_err(|why| malformed(why.0, log))?;
            let step = tracker.statement(query, event, log)?;
            decision(step, tracker, event, log)
        }
        _ => Ok(None),
    }
}

/// Gives every event from a place on to `take`, until it returns false or the log ends.
fn each_event(
    source: &mut dyn Source,
    place: &Place,
    take: &mut dyn FnMut(&[u8]) -> Result<bool>,
) -> Result<()> {
    let mut events = source.begin(&place.file, place.start, Mode::UntilEnd)?;
    let mut batch = Batch::default();
    loop {
        batch.clear();
        let more = events.next(&mut |parts| {
            batch.push(parts);
            true
        })?;
        for raw in batch.events() {
            if !take(raw)? {
                return Ok(());
            }
        }
        if !more {
            return Ok(());
        }
    }
}

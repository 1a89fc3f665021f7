//! Temporary tables from before the start of the run. The log is searched for them only if a statement cannot be judged
//! otherwise: its event has the flag of temporary tables. Such a statement changes a temporary table, or a real table
//! in a procedure that used a temporary one before.

use std::ops::ControlFlow;

use anyhow::Result;

use super::full_effect::FullEffect;
use super::temporary::{By, Temporary};
use super::transaction::malformed;
use super::{Flow, Steps};
use crate::binlog::event::{Event, EventType};
use crate::binlog::query::{Query, inflate};
use crate::exit::unreadable;
use crate::schema::known::FullName;
use crate::source::Mode;
use crate::source::framing::{FIRST_OFFSET, Framer, Place};
use crate::source::scan::{scan, stop_if};
use crate::sql::statement::{self, Statement};

impl Steps<'_> {
    /// Searches the log for earlier temporary tables, if the statement may change one of them.
    ///
    /// # Errors
    /// Exit 4 when the log does not reach back to the server's start, so that it stays unknown.
    pub(super) fn complete_temporary(
        &mut self,
        by: By,
        effects: &[FullEffect],
        framer: &Framer,
    ) -> Result<Flow> {
        // MySQL 8.0 and later log temporary tables only in STATEMENT format, in which data ends the run.
        let release = framer.format().writer;
        if self.temporary.is_complete() || release.is_some_and(|release| release.is_mysql_from(8, 0, 0)) {
            return Ok(Flow::Continue);
        }
        if self.undecided(by, effects).is_none() {
            return Ok(Flow::Continue);
        }
        self.temporary = self.temporary_before(framer.place())?;
        if self.signal.is_set() {
            return Ok(Flow::Stop);
        }
        match self.undecided(by, effects) {
            Some((database, table)) if !self.temporary.is_complete() => Err(unreadable(format!(
                "at {} a session that uses temporary tables emptied or altered {database}.{table}: cannot tell \
                 whether that is one of them, because the log does not reach back to the server's start. Load again",
                framer.place()
            ))),
            _ => Ok(Flow::Continue),
        }
    }

    fn undecided<'e>(&self, by: By, effects: &'e [FullEffect]) -> Option<&'e FullName> {
        self.temporary.undecided(by, effects).into_iter().find(|table| self.is_wanted(table))
    }

    /// The temporary tables before a place. Reads the log from the server's last start on, or else from its
    /// beginning.
    pub(super) fn temporary_before(&mut self, end: &Place) -> Result<Temporary> {
        let files = self.source.files_up_to(&end.file)?;
        let mut first = None;
        for file in files.iter().rev() {
            first = Some(file);
            if self.signal.is_set() || self.begins_with_a_start(file)? {
                break;
            }
        }
        let mut temporary = Temporary::default();
        if let Some(file) = first {
            self.take_in_temporary(&mut temporary, file, end)?;
        }
        Ok(temporary)
    }

    /// Whether this is the first file after a server start.
    fn begins_with_a_start(&mut self, file: &str) -> Result<bool> {
        let mut framer = Framer::at(file, FIRST_OFFSET, self.source.offsets());
        let mut events = self.source.begin(file, FIRST_OFFSET, Mode::UntilEnd)?;
        let found = scan(events.as_mut(), &mut framer, |event, framer| {
            let is_format =
                |event: &Event<'_>| EventType::of(event.header.type_byte) == EventType::FormatDescription;
            Ok(match event.is_some_and(is_format) {
                true => ControlFlow::Break(framer.format().after_start),
                false => ControlFlow::Continue(()),
            })
        })?;
        Ok(found.unwrap_or(false))
    }

    fn take_in_temporary(&mut self, temporary: &mut Temporary, file: &str, end: &Place) -> Result<()> {
        let mut framer = Framer::at(file, FIRST_OFFSET, self.source.offsets());
        let mut events = self.source.begin(file, FIRST_OFFSET, Mode::UntilEnd)?;
        scan(events.as_mut(), &mut framer, |event, framer| {
            let Some(event) = event else { return Ok(stop_if(self.signal.is_set())) };
            let place = framer.place();
            if place.file == end.file && place.start >= end.start {
                return Ok(ControlFlow::Break(()));
            }
            self.take_in_event(temporary, event, framer)?;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(())
    }

    fn take_in_event(&self, temporary: &mut Temporary, event: &Event<'_>, framer: &Framer) -> Result<()> {
        let place = framer.place();
        let inflated;
        let body = match EventType::of(event.header.type_byte) {
            EventType::FormatDescription if framer.format().after_start => {
                *temporary = Temporary::of_started_server();
                return Ok(());
            }
            EventType::Query => event.body,
            EventType::QueryCompressed => {
                inflated = inflate(framer.format(), event.body).map_err(|why| malformed(why.0, place))?;
                &inflated
            }
            _ => return Ok(()),
        };
        let query = Query::parse(framer.format(), body).map_err(|why| malformed(why.0, place))?;
        let Statement::Effects(effects) = statement::read(query.text, query.session) else { return Ok(()) };
        // An effect with an invalid name is skipped: it is not on a selected table, or a run that follows that part of
        // the log ends there.
        let full = effects.into_iter().filter_map(|effect| self.full_effect(effect, &query, place).ok());
        let by = By::of(event, &query, self.layouts.is_mariadb());
        temporary.take_out(by, &mut full.collect());
        Ok(())
    }
}

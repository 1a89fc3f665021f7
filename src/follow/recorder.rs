//! Keeps the schema history of a run: what statements made of definitions, durable before the rows under them are printed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use anyhow::Result;

use super::Steps;
use super::births::{Birth, Births, Origin};
use super::cursor::{Base, Flow};
use super::full_effect::{FullEffect, is_changed};
use super::look_ahead::{Ahead, Here};
use super::settle::Judgement;
use crate::binlog::query::Query;
use crate::exit;
use crate::position::{FileOrder, LogId, Position};
use crate::row::from_catalog::FromCatalog;
use crate::schema::definition::Definition;
use crate::schema::followed::{Known, KnownBy};
use crate::schema::history::{Born, Coverage, History, Line, State};
use crate::schema::known::FullName;
use crate::schema::selection::Selection;
use crate::source::Mode;
use crate::source::framing::{Framer, Place};
use crate::source::scan::scan;
use crate::sql::effect::{DatabaseChange, Effect, TableChange};

/// The history, and what of it this run has followed.
pub struct Recorder {
    /// The history that is kept.
    history: Option<History>,
    /// Another one, of the position that the run begins at. It is only read.
    other: Option<History>,
    server_uuid: Option<String>,
    /// All statements since this place were followed.
    since: Option<Position>,
    /// Lines were added that are not durable yet.
    is_ahead: bool,
}

/// Whether all is held; and what: definitions, and where tables were last empty.
type Found = (Coverage, BTreeMap<FullName, State>, Vec<(FullName, Born, Option<Definition>)>);

/// What was known before a statement of the tables that it concerns: the definition, and where the table was last empty.
pub(super) type Before = BTreeMap<FullName, (Option<Rc<Definition>>, Origin)>;

impl Recorder {
    pub fn new(
        history: Option<History>,
        other: Option<History>,
        server_uuid: Option<String>,
    ) -> Option<Recorder> {
        let is_any = history.is_some() || other.is_some();
        is_any.then_some(Recorder { history, other, server_uuid, since: None, is_ahead: false })
    }

    /// What the histories hold of a place: all, or as far as they go.
    fn coverage(&self, place: &Position, order: &FileOrder, selection: &Selection) -> Result<Found> {
        let mut found = (Coverage::None, BTreeMap::new(), Vec::new());
        for history in [&self.history, &self.other].into_iter().flatten() {
            history.check(place)?;
            let coverage = history.coverage(place, order, selection);
            let is_better = matches!(
                (&found.0, &coverage),
                (Coverage::None, _) | (Coverage::Until(_), Coverage::Complete)
            );
            let held_at = match &coverage {
                Coverage::Complete => place,
                Coverage::Until(reached) => reached,
                Coverage::None => continue,
            };
            if is_better {
                let states = history.at(held_at, order, |_, _| true)?;
                found = (coverage.clone(), states, history.births(held_at, order)?);
            }
        }
        Ok(found)
    }

    fn add(
        &mut self,
        place: &Position,
        gtid: Option<&str>,
        table: &FullName,
        sql: Option<&str>,
        state: &State,
        birth: &Origin,
    ) -> Result<()> {
        let place = &self.place(place);
        let born = match (state, birth) {
            (State::Known(_), Origin::Born(birth)) => Some(Born {
                file: birth.file.clone(),
                position: birth.position,
                created: birth.created,
                database: birth.name.0.clone(),
                table: birth.name.1.clone(),
            }),
            _ => None,
        };
        let Some(history) = &mut self.history else { return Ok(()) };
        self.is_ahead = true;
        let (database, table) = (&table.0, &table.1);
        history.append(Line { place, gtid, database, table, sql, state, born: born.as_ref() })
    }

    /// Where a table was last empty, by what an earlier run recorded of a statement.
    fn born_at(&self, table: &FullName, place: &Position) -> Result<Option<Birth>> {
        let place = self.place(place);
        for history in [&self.history, &self.other].into_iter().flatten() {
            if let Some((born, definition)) = history.born_at(table, &place)? {
                return Ok(Some(birth(born, definition)));
            }
        }
        Ok(None)
    }

    fn place(&self, position: &Position) -> Position {
        Position {
            log: position.log,
            server_uuid: self.server_uuid.clone(),
            ..Position::new(&*position.file, position.position)
        }
    }

    fn sync(&mut self) -> Result<()> {
        match &mut self.history {
            Some(history) if std::mem::take(&mut self.is_ahead) => history.sync(),
            _ => Ok(()),
        }
    }
}

impl Steps<'_> {
    /// Makes known what the history holds of the place where the run begins. If that is not all, it is completed: by the
    /// statements since the last place that it holds all of, or by the catalog.
    pub(super) fn begin_history(&mut self) -> Result<Flow> {
        let Some(mut recorder) = self.recorder.take() else { return Ok(Flow::Continue) };
        let flow = self.begin_with(&mut recorder);
        self.recorder = Some(recorder);
        flow
    }

    fn begin_with(&mut self, recorder: &mut Recorder) -> Result<Flow> {
        let (start, order) = (self.cursor.start().clone(), self.cursor.order().clone());
        // A place of another log is refused before anything is kept of it.
        let log = self.log_at(&start)?;
        log.map_or(Ok(()), |log| start.check_log(log))?;
        let start = recorder.place(&Position { log: start.log.or(log), ..start });
        let (coverage, states, births) = recorder.coverage(&start, &order, self.layouts.selection())?;
        for (table, state) in &states {
            if let State::Known(definition) = state {
                self.layouts.definition_was(table, definition.clone(), true);
            }
        }
        for (table, born, definition) in births {
            self.births.add(table, birth(born, definition));
        }
        let must_ask = match coverage {
            Coverage::Complete => false,
            Coverage::None => true,
            Coverage::Until(reached) => {
                let statements = self.statements_between(&reached, &start)?;
                for ahead in statements.iter().flatten() {
                    self.catch_up(recorder, ahead)?;
                }
                statements.is_none()
            }
        };
        if must_ask {
            self.layouts.forget_definitions();
            self.births = Births::default();
        }
        if self.signal.is_set() || must_ask && self.ask_for_all(recorder, &start)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        self.complete_history(recorder, &start)?;
        Ok(Flow::Continue)
    }

    /// The log that a place belongs to, if it can be read before the run.
    fn log_at(&mut self, place: &Position) -> Result<Option<LogId>> {
        if !self.source.can_read_ahead() {
            return Ok(None);
        }
        let mut framer = Framer::at(&place.file, place.position, self.source.offsets());
        let mut events = self.source.begin(&place.file, place.position, Mode::UntilEnd)?;
        scan(events.as_mut(), &mut framer, |_, framer| {
            Ok(framer.log().map_or(ControlFlow::Continue(()), ControlFlow::Break))
        })
    }

    /// Records what is known where the run begins, unless it is there.
    fn complete_history(&mut self, recorder: &mut Recorder, start: &Position) -> Result<()> {
        let order = self.cursor.order();
        let Some(history) = &recorder.history else { return Ok(()) };
        let held = history.at(start, order, |_, _| true)?;
        for table in self.layouts.known_tables() {
            let Some(known) = self.layouts.known_definition(&table).filter(|known| known.is_sure()) else {
                continue;
            };
            let state = State::Known(Definition::clone(&known.definition));
            if held.get(&table) != Some(&state) {
                recorder.add(start, None, &table, None, &state, &self.births.of(&table))?;
            }
        }
        let Some(history) = &mut recorder.history else { return Ok(()) };
        history.complete_at(start, order, self.layouts.selection())?;
        history.sync()?;
        recorder.is_ahead = false;
        recorder.since = Some(start.clone());
        Ok(())
    }

    /// The statements between two places; `None` if they cannot be read again, or a signal came.
    fn statements_between(&mut self, from: &Position, to: &Position) -> Result<Option<Vec<Ahead>>> {
        if !self.source.can_read_ahead() {
            return Ok(None);
        }
        let place = Place { file: (&*from.file).into(), start: from.position, end: from.position };
        let base = Base { file: place.file.clone(), offset: place.start, log: from.log };
        let here = Here::new(&place, &base, self.cursor.order());
        match self.look_ahead.another().up_to(&here, to, &mut *self.source, self.signal) {
            // The server has purged that part, which says nothing of the place where the run begins.
            Err(error) if exit::code(&error) == exit::UNAVAILABLE => Ok(None),
            statements => statements,
        }
    }

    /// Follows a statement before the place where the run begins.
    fn catch_up(&mut self, recorder: &mut Recorder, ahead: &Ahead) -> Result<()> {
        let before = self.known_before(ahead.effects());
        let query = ahead.query();
        // A base in no file: where the statement's transaction begins was not kept.
        let nowhere = Base { file: "".into(), offset: 0, log: None };
        self.births.take_in(ahead.effects(), &nowhere, ahead.place(), &|_| false);
        let place = ahead.place();
        self.follow_definitions(ahead.effects(), &[], &query, place)?;
        // Whether the database had the character set that it has now, nobody searches here.
        for table in before.keys() {
            if self.layouts.assumed_charset(table).is_some() {
                self.layouts.charset_settled(&table.0, false);
            }
        }
        let place = Position::new(&*place.file, place.end);
        for table in before.keys() {
            if let Some(born) = recorder.born_at(table, &place)? {
                self.births.add(table.clone(), born);
            }
        }
        self.record_with(recorder, &before, ahead.effects(), &query, &place, None)
    }

    /// Asks the catalog for all selected tables, and finds out which of its definitions held at the place where the run
    /// begins.
    fn ask_for_all(&mut self, recorder: &mut Recorder, start: &Position) -> Result<Flow> {
        if recorder.history.is_none() {
            return Ok(Flow::Continue);
        }
        let base = self.cursor.base();
        let place = Place { file: base.file.clone(), start: base.offset, end: base.offset };
        for table in self.layouts.tables_known.all() {
            if self.signal.is_set() {
                return Ok(Flow::Stop);
            }
            if !self.is_wanted(&table) {
                continue;
            }
            let Some(known) = self.layouts.definition(&table)? else { continue };
            let Some(claim) = self.claim_of(&table, &known) else { continue };
            let judged = self.settle(&claim, &place);
            self.layouts.warnings.append(&mut self.look_ahead.warnings);
            let state = match judged? {
                Judgement::Interrupted => return Ok(Flow::Stop),
                Judgement::InTheWay(ahead) => {
                    let why =
                        format!("the statement at {} may have changed it: {}", ahead.place(), ahead.shown());
                    State::Unknown { why }
                }
                Judgement::ForThem | Judgement::Known => match self.layouts.known_definition(&table) {
                    // Recorded below.
                    Some(known) if known.is_sure() => continue,
                    _ => State::Unknown { why: "not all of its definition is known for certain".into() },
                },
            };
            recorder.add(start, None, &table, None, &state, &Origin::Unknown)?;
        }
        Ok(Flow::Continue)
    }

    /// What must be found out before a definition from the catalog is taken for the one that holds, whatever rows there are.
    pub(super) fn claim_of(&self, table: &FullName, known: &Known) -> Option<FromCatalog> {
        let KnownBy::Catalog(read_at) = &known.by else { return None };
        Some(FromCatalog {
            table: known.definition.table(&table.0, &table.1).ok()?,
            definition: Some(Rc::clone(&known.definition)),
            misfit: None,
            read_at: Rc::clone(read_at),
            only_id: false,
            id_is_given: self.layouts.has_id_rule(table),
            formats: Vec::new(),
            logged: Vec::new(),
            is_mariadb: false,
        })
    }

    /// The definitions that are known before a statement.
    pub(super) fn known_before(&self, effects: &[FullEffect]) -> Before {
        let mut names: Vec<FullName> = Vec::new();
        for effect in effects {
            match effect {
                Effect::Table(table, TableChange::RenamedTo(to)) => names.extend([table.clone(), to.clone()]),
                Effect::Table(table, _) => names.push(table.clone()),
                Effect::Database(database, DatabaseChange::Dropped) => {
                    names.extend(self.layouts.known_tables_of(database));
                }
                Effect::Database(..) | Effect::Data { .. } => {}
            }
        }
        let may_change = |table: &FullName| is_changed(effects, &table.0, &table.1);
        names.extend(self.layouts.known_tables().into_iter().filter(may_change));
        let known = |name: &FullName| Some(Rc::clone(&self.layouts.known_definition(name)?.definition));
        names.into_iter().map(|name| (name.clone(), (known(&name), self.births.of(&name)))).collect()
    }

    /// Records what a statement, which was followed, made of definitions.
    pub(super) fn record(
        &mut self,
        before: &Before,
        effects: &[FullEffect],
        query: &Query<'_>,
        place: &Position,
    ) -> Result<()> {
        let Some(mut recorder) = self.recorder.take() else { return Ok(()) };
        let gtid = self.transactions.open().and_then(|open| open.gtid.clone());
        let recorded = self.record_with(&mut recorder, before, effects, query, place, gtid.as_deref());
        self.recorder = Some(recorder);
        recorded
    }

    fn record_with(
        &mut self,
        recorder: &mut Recorder,
        before: &Before,
        effects: &[FullEffect],
        query: &Query<'_>,
        place: &Position,
        gtid: Option<&str>,
    ) -> Result<()> {
        let sql = query.session.name(query.text);
        let sql = sql.unwrap_or_else(|| String::from_utf8_lossy(query.text).into_owned());
        for (table, (was, birth_before)) in before {
            let mut is_assumed = false;
            if let Some(read_at) = self.layouts.assumed_charset(table) {
                let at = Place { file: (&*place.file).into(), start: place.position, end: place.position };
                // A signal ends the search, and soon the run.
                is_assumed = self.settle_charset(table, &read_at, &at)? == Flow::Stop;
            }
            let birth = self.births.of(table);
            let known = self.layouts.known_definition(table);
            if !self.is_wanted(table) && known.is_none() && was.is_none() {
                continue;
            }
            let state = match (known, ends_as(effects, table)) {
                (Some(_), _) if is_assumed => {
                    State::Unknown { why: "the run ended before it was known".into() }
                }
                // A name that differs in case, or a statement that may have changed any table.
                (None, None) if was.is_some() => {
                    State::Unknown { why: "the statement may have changed it".into() }
                }
                // It was emptied, or changed without row events.
                (Some(known), None) if known.is_sure() && birth != *birth_before => {
                    State::Known(Definition::clone(&known.definition))
                }
                (_, None) => continue,
                (Some(known), Some(true))
                    if birth == *birth_before
                        && was.as_ref().is_some_and(|was| Rc::ptr_eq(was, &known.definition)) =>
                {
                    continue;
                }
                (Some(known), Some(true)) if known.is_sure() => {
                    State::Known(Definition::clone(&known.definition))
                }
                (_, Some(true)) => State::Unknown { why: "the statement is not followed".into() },
                (_, Some(false)) => State::Gone,
            };
            recorder.add(place, gtid, table, Some(&sql), &state, &birth)?;
        }
        Ok(())
    }

    /// Records a definition that came to be known at the beginning of the current transaction.
    pub(super) fn record_settled(&mut self, table: &FullName) -> Result<()> {
        let (Some(recorder), Some(known)) = (&mut self.recorder, self.layouts.known_definition(table)) else {
            return Ok(());
        };
        // There, the name is still another table's.
        if self.reread.is_some() {
            return Ok(());
        }
        let base = self.cursor.base();
        let place = Position { log: base.log, ..Position::new(&*base.file, base.offset) };
        match known.is_sure() {
            true => {
                let state = State::Known(Definition::clone(&known.definition));
                recorder.add(&place, None, table, None, &state, &self.births.of(table))
            }
            false => Ok(()),
        }
    }

    /// Makes what was recorded durable. Costs nothing if nothing was.
    pub(super) fn sync_history(&mut self) -> Result<()> {
        self.recorder.as_mut().map_or(Ok(()), Recorder::sync)
    }

    /// Notes that all statements were followed up to the current transaction.
    pub(super) fn note_followed(&mut self) -> Result<()> {
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        let base = self.cursor.base();
        let reached = Position { log: base.log, ..Position::new(&*base.file, base.offset) };
        let reached = recorder.place(&reached);
        let Some(since) = &recorder.since else { return Ok(()) };
        let Some(history) = &mut recorder.history else { return Ok(()) };
        history.followed(since, &reached, self.cursor.order(), self.layouts.selection())?;
        recorder.since = Some(reached);
        recorder.is_ahead = true;
        recorder.sync()
    }
}

fn birth(born: Born, definition: Option<Definition>) -> Birth {
    Birth {
        name: (born.database, born.table),
        file: born.file,
        position: born.position,
        created: born.created,
        definition: definition.map(Rc::new),
    }
}

/// Whether a table exists after the effects; `None` if they leave its definition as it was.
fn ends_as(effects: &[FullEffect], table: &FullName) -> Option<bool> {
    let mut exists = None;
    for effect in effects {
        match effect {
            Effect::Table(name, TableChange::RenamedTo(to)) if name == table || to == table => {
                exists = Some(to == table);
            }
            Effect::Table(name, change) if name == table => match change {
                TableChange::Gone | TableChange::SequenceCreated { .. } | TableChange::SequenceGone => {
                    exists = Some(false);
                }
                TableChange::Created { .. }
                | TableChange::Altered(_)
                | TableChange::VersioningAdded
                | TableChange::VersioningDropped => exists = Some(true),
                _ => {}
            },
            Effect::Database(name, DatabaseChange::Dropped) if *name == table.0 => exists = Some(false),
            _ => {}
        }
    }
    exists
}

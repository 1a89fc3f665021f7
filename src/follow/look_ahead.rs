//! Looks ahead in the log, from rows that have to be read under the catalog's definition to the place where the catalog was
//! asked: does a statement there change the definition?
//!
//! Only statements are read. MySQL compresses no transaction that holds a statement (`TRANSACTION_PAYLOAD`); MariaDB may
//! compress each. What was read is remembered, so that the next table costs only what is new in the log.

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow;

use anyhow::{Context, Result};

pub use super::ahead::{Ahead, changes_existing};
use super::ahead::{concerns, is_same, may_define};
use super::cursor::Base;
use super::full_effect::{FullEffect, full_effect};
use super::in_the_way::may_matter;
use super::temporary::{By, Temporary};
use super::transaction::malformed;
use crate::binlog::event::{Event, EventType};
use crate::binlog::gtid;
use crate::binlog::query::{Query, inflate};
use crate::position::{FileOrder, LogId, Position};
use crate::progress::Progress;
use crate::schema::followed::ReadAt;
use crate::schema::known::FullName;
use crate::schema::selection::Selection;
use crate::signal::Signal;
use crate::source::framing::{Framer, Place};
use crate::source::scan::scan;
use crate::source::{Mode, Source};
use crate::sql::effect::{Effect, TableChange};
use crate::sql::statement::{self, Statement};

/// At most this many statements are remembered. If there are more, the next table costs another reading.
const MOST: usize = 10_000;
/// And at most so many bytes of their texts.
const MOST_BYTES: usize = 16 << 20;

/// What of the log can be looked at.
pub enum Reach {
    /// The user's word stands for it (`--trust-catalog`), or there is no catalog.
    Nothing,
    /// All of a server's log.
    Log,
    /// Files, which may end before the place where the catalog was asked. Tells whether they do not, of their end.
    Files(Box<ReachesEnd>),
}

/// Whether the server's log ends at a place. The log that the place belongs to is told if it is known.
pub type ReachesEnd = dyn FnMut(&Place, Option<LogId>) -> bool;

/// The statements about a table between two places.
#[derive(Debug)]
pub enum Between {
    /// All of them, in log order.
    All(Vec<Ahead>),
    /// Not all can be remembered. The first that may matter, if any does.
    TooMany(Option<Box<Ahead>>),
    /// They cannot be looked at, or need not be.
    Unknown,
    /// A signal came.
    Interrupted,
}

/// Where the question comes from.
pub struct Here<'a> {
    pub place: &'a Place,
    /// Where the source can begin, at or before `place`.
    pub base: &'a Base,
    pub order: &'a FileOrder,
    temporary: Cow<'a, Temporary>,
}

impl<'a> Here<'a> {
    /// A place between two transactions; earlier temporary tables are not known.
    pub fn new(place: &'a Place, base: &'a Base, order: &'a FileOrder) -> Here<'a> {
        Here { place, base, order, temporary: Cow::Owned(Temporary::default()) }
    }

    /// With the temporary tables at that place.
    pub(super) fn with_temporary(self, temporary: &'a Temporary) -> Here<'a> {
        Here { temporary: Cow::Borrowed(temporary), ..self }
    }
}

/// The answer.
#[derive(Debug)]
pub enum Answer {
    /// No statement stands between.
    Nothing,
    /// The first one that does.
    Statement(Box<Ahead>),
    /// A signal came.
    Interrupted,
}

/// Looks ahead, and remembers the statements seen.
pub struct LookAhead {
    reach: Reach,
    selection: Selection,
    progress: Progress,
    /// Those from the last question's place to `reached`, unless they were too many.
    statements: VecDeque<Ahead>,
    /// Bytes of their texts.
    bytes: usize,
    /// Names that selected tables have later on.
    later_names: HashSet<FullName>,
    has_more: bool,
    /// The log cannot be read ahead.
    cannot: bool,
    /// All statements count that concern databases of selected tables.
    keeps_all: bool,
    /// The group's ALTER has no effect.
    is_no_ddl: bool,
    reached: Option<Base>,
    /// Definitions read up to this number were read before `reached` was the log's end.
    covered: Option<u64>,
    order: FileOrder,
    temporary: Temporary,
    /// Warnings not yet printed.
    pub warnings: Vec<String>,
}

impl LookAhead {
    pub fn new(reach: Reach, selection: Selection, progress: Progress) -> LookAhead {
        LookAhead {
            reach,
            selection,
            progress,
            statements: VecDeque::new(),
            bytes: 0,
            later_names: HashSet::new(),
            has_more: false,
            cannot: false,
            keeps_all: false,
            is_no_ddl: false,
            reached: None,
            covered: None,
            order: FileOrder::default(),
            temporary: Temporary::default(),
            warnings: Vec::new(),
        }
    }

    /// One for another part of the log.
    pub fn another(&self) -> LookAhead {
        let fresh = LookAhead::new(Reach::Log, self.selection.clone(), self.progress.beside());
        LookAhead { keeps_all: true, ..fresh }
    }

    /// All statements up to a place that is known to be in the log. `None` if they are too many, or a signal came.
    ///
    /// # Errors
    /// When the log cannot be read so far.
    pub fn up_to(
        mut self,
        here: &Here<'_>,
        to: &Position,
        source: &mut dyn Source,
        signal: &Signal,
    ) -> Result<Option<Vec<Ahead>>> {
        let read_at = ReadAt { log_end: Some(to.clone()), number: 1 };
        match self.first(here, &read_at, &|_| false, source, signal)? {
            Answer::Interrupted => Ok(None),
            Answer::Nothing | Answer::Statement(_) if self.has_more => Ok(None),
            Answer::Nothing | Answer::Statement(_) => Ok(Some(self.statements.into())),
        }
    }

    /// Whether the log must be read to answer a question.
    pub fn must_read(&self, here: &Here<'_>, read_at: &ReadAt) -> bool {
        let is_past = |end: &Position| is_at_or_after(here.order, (&here.place.file, here.place.end), end);
        let is_read = |end: &Position| {
            self.reached
                .as_ref()
                .is_some_and(|reached| is_at_or_after(&self.order, (&reached.file, reached.offset), end))
        };
        !matches!(self.reach, Reach::Nothing)
            && self.covered.is_none_or(|covered| covered < read_at.number)
            && !self.end(read_at).is_some_and(|end| is_past(end) || is_read(end))
    }

    /// Where the reading ends, if that is known.
    fn end<'r>(&self, read_at: &'r ReadAt) -> Option<&'r Position> {
        read_at.log_end.as_ref().filter(|_| matches!(self.reach, Reach::Log))
    }

    /// More is known of temporary tables: all must be read again.
    pub fn forget(&mut self) {
        self.forget_statements();
        (self.reached, self.covered, self.has_more) = (None, None, false);
    }

    /// The statements between here and the reading of a definition that may have changed the table called `name` here, or
    /// another table that took its name.
    ///
    /// # Errors
    /// When the log cannot be read so far.
    pub fn between(
        &mut self,
        here: &Here<'_>,
        read_at: &ReadAt,
        name: &FullName,
        source: &mut dyn Source,
        signal: &Signal,
    ) -> Result<Between> {
        if matches!(self.reach, Reach::Nothing) {
            return Ok(Between::Unknown);
        }
        if let Answer::Interrupted = self.first(here, read_at, &|_| false, source, signal)? {
            return Ok(Between::Interrupted);
        }
        if self.cannot {
            return Ok(Between::Unknown);
        }
        if self.has_more {
            let matters = |effects: &[FullEffect]| {
                effects.iter().any(|effect| may_matter(effect) && concerns(effect, &[name]))
            };
            return Ok(match self.first(here, read_at, &matters, source, signal)? {
                Answer::Nothing => Between::TooMany(None),
                Answer::Statement(ahead) => Between::TooMany(Some(ahead)),
                Answer::Interrupted => Between::Interrupted,
            });
        }
        let end = self.end(read_at);
        let is_before_end = |ahead: &&Ahead| {
            end.is_none_or(|end| !is_at_or_after(&self.order, (&ahead.place.file, ahead.place.start), end))
        };
        let mut names = vec![name.clone()];
        let mut all = Vec::new();
        for ahead in self.statements.iter().take_while(is_before_end) {
            let known: Vec<&FullName> = names.iter().collect();
            if !ahead.effects.iter().any(|effect| concerns(effect, &known)) {
                continue;
            }
            for effect in &ahead.effects {
                if let Effect::Table(from, TableChange::RenamedTo(to)) = effect
                    && names.iter().any(|name| is_same(name, from))
                {
                    names.push(to.clone());
                }
            }
            all.push(ahead.clone());
        }
        Ok(Between::All(all))
    }

    /// The first statement between here and the reading of a definition that matters to it.
    ///
    /// # Errors
    /// When the log cannot be read so far.
    pub fn first(
        &mut self,
        here: &Here<'_>,
        read_at: &ReadAt,
        matters: &dyn Fn(&[FullEffect]) -> bool,
        source: &mut dyn Source,
        signal: &Signal,
    ) -> Result<Answer> {
        if matches!(self.reach, Reach::Nothing) {
            return Ok(Answer::Nothing);
        }
        let end = self.end(read_at);
        self.forget_before(here);
        let must_read = self.must_read(here, read_at);
        let known = self.statements.iter().find(|ahead| {
            end.is_none_or(|end| !is_at_or_after(&self.order, (&ahead.place.file, ahead.place.start), end))
                && matters(&ahead.effects)
        });
        if let Some(known) = known {
            return Ok(Answer::Statement(Box::new(known.clone())));
        }
        if !must_read {
            return Ok(Answer::Nothing);
        }
        if matches!(self.reach, Reach::Files(_)) && !source.can_read_ahead() {
            self.warn("standard input and pipes cannot be read twice, so");
            self.covered = Some(u64::MAX);
            self.cannot = true;
            return Ok(Answer::Nothing);
        }
        let found = self.read(here, read_at, end, matters, source, signal);
        self.progress.clear();
        found
    }

    /// Forgets the statements that the main reading has passed.
    fn forget_before(&mut self, here: &Here<'_>) {
        let at = Position::new(&*here.place.file, here.place.end);
        let is_before = |file: &str, offset: u64| {
            let files = here.order.compare(file, &at.file);
            files.is_some_and(|files| files.then(offset.cmp(&at.position)).is_lt())
        };
        while self.statements.front().is_some_and(|ahead| is_before(&ahead.place.file, ahead.place.start)) {
            let gone = self.statements.pop_front();
            self.bytes -= gone.map_or(0, |gone| gone.text.len());
        }
        if self.reached.as_ref().is_some_and(|reached| is_before(&reached.file, reached.offset)) {
            self.reached = None;
        }
    }

    /// Reads on, until a statement matters, or up to the end.
    fn read(
        &mut self,
        here: &Here<'_>,
        read_at: &ReadAt,
        end: Option<&Position>,
        matters: &dyn Fn(&[FullEffect]) -> bool,
        source: &mut dyn Source,
        signal: &Signal,
    ) -> Result<Answer> {
        let limit = source.offsets().limit();
        let from = match &self.reached {
            Some(reached) if reached.offset <= limit => reached.clone(),
            // Statements that are known already are left out.
            Some(_) => here.base.clone(),
            None => {
                self.forget_statements();
                self.temporary = here.temporary.clone().into_owned();
                self.order = here.order.clone();
                here.base.clone()
            }
        };
        let mut framer = Framer::at(&from.file, from.offset, source.offsets());
        let mut file = from.file.clone();
        let mut is_full = false;
        self.progress.begin("");
        let mut events = source.begin(&from.file, from.offset, Mode::UntilEnd).context(CANNOT)?;
        let outcome = scan(events.as_mut(), &mut framer, |event, framer| {
            let place = framer.place();
            if signal.is_set() {
                return Ok(ControlFlow::Break(Answer::Interrupted));
            }
            // The event before the end is one of those to look at.
            let at = if event.is_some() { place.start } else { place.end };
            if end.is_some_and(|end| *place.file == *end.file && at >= end.position) {
                return Ok(ControlFlow::Break(Answer::Nothing));
            }
            let Some(event) = event else { return Ok(ControlFlow::Continue(())) };
            let found = self.event(event, framer)?.filter(|ahead| is_after(here, &self.statements, ahead));
            if let Some(ahead) = found {
                if matters(&ahead.effects) {
                    return Ok(ControlFlow::Break(Answer::Statement(Box::new(ahead))));
                }
                is_full |= self.statements.len() >= MOST || self.bytes + ahead.text.len() > MOST_BYTES;
                if !is_full {
                    self.bytes += ahead.text.len();
                    self.statements.push_back(ahead);
                }
            }
            if *file != *place.file {
                self.order.came_to(&place.file);
                file = place.file.clone();
            }
            if self.progress.is_due() {
                self.progress.look_ahead(&place.file, place.end);
            }
            Ok(ControlFlow::Continue(()))
        });
        let answer = match outcome {
            // The files' end, or damage: the main reading ends there, too.
            Err(_) | Ok(None) if matches!(self.reach, Reach::Files(_)) => {
                let is_end = outcome.is_ok();
                self.files_read(framer.place(), framer.log().filter(|_| is_end));
                return Ok(Answer::Nothing);
            }
            outcome => outcome.context(CANNOT)?,
        };
        // Places inside a transaction are none to begin at, and MariaDB leaves out events there.
        let place = framer.place();
        self.order.came_to(&place.file);
        let reached = match end.filter(|_| answer.is_some()) {
            Some(end) => Base { file: (&*end.file).into(), offset: end.position, log: None },
            None => Base { file: place.file.clone(), offset: place.end, log: None },
        };
        let is_whole = !is_full && matches!(answer, None | Some(Answer::Nothing));
        self.reached = is_whole.then_some(reached);
        if answer.is_none() && !is_full {
            // The server had nothing more, so this was its end after the definition was read.
            self.covered = Some(read_at.number);
        }
        self.has_more = is_full;
        if is_full {
            self.forget_statements();
        }
        Ok(answer.unwrap_or(Answer::Nothing))
    }

    fn forget_statements(&mut self) {
        self.statements.clear();
        self.bytes = 0;
        self.later_names.clear();
    }

    /// All files were read, up to this place.
    fn files_read(&mut self, place: &Place, log: Option<LogId>) {
        self.covered = Some(u64::MAX);
        let reaches = match &mut self.reach {
            Reach::Files(reaches) => reaches(place, log),
            _ => true,
        };
        if !reaches {
            self.cannot = true;
            self.warn("the server's log goes on after the files, so");
        }
    }

    fn warn(&mut self, why: &str) {
        self.warnings.push(format!(
            "the log lacks column names, so that rows are read by the server's present definitions; {why} statements that \
             changed them afterwards may go unnoticed. Give all files up to now, or tail the server"
        ));
    }

    /// The statement in an event, if it may matter to selected tables.
    fn event(&mut self, event: &Event<'_>, framer: &Framer) -> Result<Option<Ahead>> {
        let place = framer.place();
        let inflated;
        let body = match EventType::of(event.header.type_byte) {
            EventType::Query => event.body,
            EventType::QueryCompressed => {
                inflated = inflate(framer.format(), event.body).map_err(|why| malformed(why.0, place))?;
                &inflated
            }
            EventType::MariaGtid => {
                let gtid = gtid::mariadb(&event.header, event.body);
                self.is_no_ddl = gtid.map_err(|why| malformed(why.0, place))?.is_no_ddl;
                return Ok(None);
            }
            EventType::FormatDescription if framer.format().after_start => {
                self.temporary = Temporary::of_started_server();
                return Ok(None);
            }
            _ => return Ok(None),
        };
        let query = Query::parse(framer.format(), body).map_err(|why| malformed(why.0, place))?;
        let Statement::Effects(effects) = statement::read(query.text, query.session) else { return Ok(None) };
        if self.is_no_ddl {
            return Ok(None);
        }
        let full = effects.into_iter().map(|effect| {
            // A name that is not valid text may be any selected table's.
            full_effect(&self.selection, effect, &query, place)
                .unwrap_or_else(|_| Effect::Data { verb: "ALTER".to_string() })
        });
        let mut effects: Vec<FullEffect> = full.collect();
        let is_mariadb = framer.format().writer.is_some_and(|writer| writer.is_mariadb());
        let by = By::of(event, &query, is_mariadb);
        // MySQL 8.0 and later log temporary tables only in STATEMENT format, in which data ends the run.
        let may_log_temporary = framer.format().writer.is_none_or(|writer| !writer.is_mysql_from(8, 0, 0));
        let may_be_temporary = may_log_temporary && by.is_flagged() && !self.temporary.is_complete();
        self.temporary.take_out(by, &mut effects);
        effects.retain(|effect| {
            let is_kept = (self.keeps_all || may_define(effect)) && self.is_wanted(effect);
            // Names that the statement itself gives matter in its later parts.
            if is_kept && let Effect::Table(_, TableChange::RenamedTo(to)) = effect {
                self.later_names.insert(to.clone());
            }
            is_kept
        });
        if effects.is_empty() {
            return Ok(None);
        }
        Ok(Some(Ahead {
            place: place.clone(),
            effects,
            text: query.text.to_vec(),
            database: query.database.to_vec(),
            session: query.session,
            has_failed: query.has_failed,
            may_be_temporary,
        }))
    }

    fn is_wanted(&self, effect: &FullEffect) -> bool {
        let selects = |name: &FullName| {
            self.keeps_all && self.selection.selects_some_of(&name.0)
                || self.selection.selects(&name.0, &name.1)
                || self.later_names.contains(name)
        };
        match effect {
            Effect::Table(name, TableChange::RenamedTo(to)) => selects(name) || selects(to),
            Effect::Table(name, _) => selects(name),
            // ALTER DATABASE goes without a name.
            Effect::Database(name, _) => name.is_empty() || self.selection.selects_some_of(name),
            Effect::Data { .. } => true,
        }
    }
}

const CANNOT: &str =
    "cannot look ahead in the log for statements that changed definitions (--trust-catalog leaves that out)";

/// Whether it stands at or after the question's place, and after the statements known already.
fn is_after(here: &Here<'_>, known: &VecDeque<Ahead>, ahead: &Ahead) -> bool {
    let place = &ahead.place;
    let is_known =
        known.back().is_some_and(|last| *last.place.file == *place.file && last.place.start >= place.start);
    let is_before = *here.place.file == *place.file && place.start < here.place.end;
    !is_known && !is_before
}

/// Whether a place is at or after another; not if that is unknown.
fn is_at_or_after(order: &FileOrder, (file, offset): (&str, u64), other: &Position) -> bool {
    order.compare(file, &other.file).is_some_and(|files| files.then(offset.cmp(&other.position)).is_ge())
}

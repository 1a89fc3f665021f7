//! Rows whose definition only the catalog has: was it so when they were written? The statements between the rows and the
//! catalog tell. If some changed the table, the definition is worked back, where each can be undone.

use std::rc::Rc;

use anyhow::Result;

use super::Steps;
use super::ahead::concerns;
use super::cursor::Flow;
use super::full_effect::FullEffect;
use super::in_the_way::{self, is_in_the_way, may_matter};
use super::look_ahead::{Ahead, Answer, Between, Here};
use crate::exit::unreadable;
use crate::row::from_catalog::{FromCatalog, Question};
use crate::row::layouts::Layouts;
use crate::schema::definition::Definition;
use crate::schema::evolve::{self, Partial, Setting};
use crate::schema::followed::ReadAt;
use crate::schema::known::FullName;
use crate::source::framing::Place;
use crate::sql::ddl::{Ddl, Step};
use crate::sql::effect::{Effect, TableChange};

/// What is known of a definition from the catalog.
pub(super) enum Judgement {
    /// It holds for the rows, but is not known beyond them.
    ForThem,
    /// It, or the one that was worked back, is kept as known.
    Known,
    /// This statement may have changed it, and cannot be undone.
    InTheWay(Box<Ahead>),
    /// The run ends first.
    Interrupted,
}

/// Handles a table map, or asks what must be known first; see [`Layouts::map`].
type MapTable<'a> = dyn Fn(&mut Layouts, Option<u64>) -> Result<Option<Question>> + 'a;

/// A table's last name, and the statements that altered it, each with its name there.
type Passage = (FullName, Vec<(FullName, Ahead)>);

/// A definition worked back through statements.
struct WorkedBack {
    definition: Definition,
    /// Statements that could not be undone, and the table's name there.
    left: Vec<(FullName, Ahead)>,
    /// Columns had other names.
    renames: bool,
}

impl Steps<'_> {
    /// Handles a table map, whose definition may have to be settled first. Nothing is done if a signal comes.
    pub(super) fn settled_map(&mut self, place: &Place, map: &MapTable<'_>) -> Result<()> {
        let mut accepted = None;
        // What the catalog told of it was found to hold.
        let mut settled: Option<FullName> = None;
        while let Some(question) = map(&mut self.layouts, accepted)? {
            let claim = match question {
                Question::Definition(claim) => claim,
                Question::Charset(table, read_at) => {
                    if self.settle_charset(&table, &read_at, place)? == Flow::Stop {
                        return Ok(());
                    }
                    continue;
                }
            };
            let judged = self.settle(&claim, place);
            self.layouts.warnings.append(&mut self.look_ahead.warnings);
            match judged? {
                Judgement::ForThem => accepted = Some(claim.read_at.number),
                Judgement::Known if settled.is_some() => return Err(self.never_fits(&claim, place)),
                Judgement::Known => settled = Some((claim.table.database.clone(), claim.table.name.clone())),
                Judgement::InTheWay(ahead) => {
                    let table = (claim.table.database.clone(), claim.table.name.clone());
                    let not_followed = self.layouts.not_followed(&table);
                    let advice = self.layouts.or_log_names();
                    return Err(in_the_way::error(&claim, &ahead, place, not_followed, advice));
                }
                Judgement::Interrupted => return Ok(()),
            }
        }
        if let Some(table) = settled {
            self.record_settled(&table)?;
        }
        self.sync_history()
    }

    /// The definition does not fit although no statement in the log changed it.
    fn never_fits(&self, claim: &FromCatalog, place: &Place) -> anyhow::Error {
        let (database, name) = (&claim.table.database, &claim.table.name);
        let misfit = claim.misfit.clone();
        let misfit =
            misfit.unwrap_or_else(|| format!("the rows of {database}.{name} at {place} cannot be read"));
        let advice = self.layouts.or_log_names();
        unreadable(format!(
            "{misfit}. The table was altered since, without a word in the log: load again{advice}"
        ))
    }

    /// Finds out whether a table's database had the character set at a place that it has now.
    pub(super) fn settle_charset(
        &mut self,
        table: &FullName,
        read_at: &ReadAt,
        place: &Place,
    ) -> Result<Flow> {
        let here = Here::new(place, self.cursor.base(), self.cursor.order()).with_temporary(&self.temporary);
        if self.look_ahead.must_read(&here, read_at) {
            self.lines.flush()?;
        }
        // ALTER DATABASE goes without a name.
        let matters = |effects: &[FullEffect]| {
            let is_it = |name: &str| name.is_empty() || name == table.0;
            effects.iter().any(|effect| matches!(effect, Effect::Database(name, _) if is_it(name)))
        };
        let answer = self.look_ahead.first(&here, read_at, &matters, &mut *self.source, self.signal)?;
        match answer {
            Answer::Nothing => self.layouts.charset_settled(&table.0, true),
            Answer::Statement(_) => self.layouts.charset_settled(&table.0, false),
            Answer::Interrupted => return Ok(Flow::Stop),
        }
        Ok(Flow::Continue)
    }

    /// Finds out whether a definition from the catalog holds at a place.
    pub(super) fn settle(&mut self, claim: &FromCatalog, place: &Place) -> Result<Judgement> {
        let judged = self.judge_claim(claim, place)?;
        let Judgement::InTheWay(ahead) = &judged else { return Ok(judged) };
        if !ahead.may_be_temporary || self.temporary.is_complete() {
            return Ok(judged);
        }
        self.temporary = self.temporary_before(place)?;
        if self.signal.is_set() {
            return Ok(Judgement::Interrupted);
        }
        self.look_ahead.forget();
        self.judge_claim(claim, place)
    }

    fn judge_claim(&mut self, claim: &FromCatalog, place: &Place) -> Result<Judgement> {
        let base = self.cursor.base();
        let elsewhere = |start: u64, end: u64| Place { file: base.file.clone(), start, end };
        let from = match &self.reread {
            // What is known of the table is its definition after the RENAME.
            Some(reread) => &elsewhere(reread.reading.renamed, reread.reading.renamed + 1),
            // Rows of a prepared transaction are as the table was at its commit: until then it was locked.
            None if self.replay.is_some() => &elsewhere(base.offset, base.offset),
            None => place,
        };
        let here = Here::new(from, base, self.cursor.order()).with_temporary(&self.temporary);
        if self.look_ahead.must_read(&here, &claim.read_at) {
            self.lines.flush()?;
        }
        let name = (claim.table.database.clone(), claim.table.name.clone());
        // The catalog knows the table by the name that it has in the end.
        let mut asked = (name.clone(), claim.definition.clone(), Rc::clone(&claim.read_at));
        let (altering, statements) = loop {
            let between = self.look_ahead.between(&here, &asked.2, &name, &mut *self.source, self.signal)?;
            let statements = match between {
                Between::All(statements) => statements,
                Between::TooMany(None) | Between::Unknown => return for_them(claim),
                Between::TooMany(Some(first)) => return Ok(Judgement::InTheWay(first)),
                Between::Interrupted => return Ok(Judgement::Interrupted),
            };
            if let Some(ahead) = statements.iter().find(|ahead| ahead.may_be_temporary) {
                return Ok(Judgement::InTheWay(Box::new(ahead.clone())));
            }
            match passage(&statements, &name) {
                Err(lost) => return Ok(Judgement::InTheWay(Box::new(lost.clone()))),
                Ok((last_name, altering)) if last_name == asked.0 => break (altering, statements),
                Ok((last_name, _)) => {
                    asked = match self.layouts.ask_catalog(&last_name)? {
                        Some((definition, read_at)) => (last_name, Some(Rc::new(definition)), read_at),
                        None => return in_the_way_of_missing(claim, &statements),
                    };
                }
            }
        };
        let Some(now) = asked.1 else { return in_the_way_of_missing(claim, &statements) };
        if asked.0 == name && altering.is_empty() {
            if claim.misfit.is_some() {
                return Err(self.never_fits(claim, place));
            }
            self.layouts.settle(&name, true);
            return Ok(Judgement::Known);
        }
        let worked_back = work_back(&now, altering);
        let was = |name: &FullName| {
            anyhow::Ok(FromCatalog {
                definition: None,
                table: worked_back.definition.table(&name.0, &name.1)?,
                misfit: None,
                read_at: Rc::clone(&claim.read_at),
                formats: claim.formats.clone(),
                logged: claim.logged.clone(),
                ..*claim
            })
        };
        for (name, ahead) in &worked_back.left {
            let may_matter = worked_back.renames && ahead.effects().iter().any(may_matter);
            if may_matter || is_in_the_way(ahead.effects(), &was(name)?) {
                return Ok(Judgement::InTheWay(Box::new(ahead.clone())));
            }
        }
        let is_all = worked_back.left.is_empty();
        if claim.only_id && !is_all {
            return Ok(Judgement::ForThem);
        }
        self.layouts.definition_was(&name, worked_back.definition, is_all);
        Ok(Judgement::Known)
    }
}

/// The rows are read by the catalog's definition, if there is one.
fn for_them(claim: &FromCatalog) -> Result<Judgement> {
    match (&claim.definition, &claim.misfit) {
        (None, Some(misfit)) => Err(unreadable(misfit.clone())),
        _ => Ok(Judgement::ForThem),
    }
}

/// The table is not in the catalog, by the name that it has in the end.
fn in_the_way_of_missing(claim: &FromCatalog, statements: &[Ahead]) -> Result<Judgement> {
    match statements.last() {
        Some(last) => Ok(Judgement::InTheWay(Box::new(last.clone()))),
        None => for_them(claim),
    }
}

/// The name that a table has after the statements, and those that altered it, each with its name there.
///
/// # Errors
/// The first statement after which there is no such table, or another one.
fn passage<'a>(statements: &'a [Ahead], name: &FullName) -> std::result::Result<Passage, &'a Ahead> {
    use TableChange::{Altered, RenamedTo, VersioningAdded, VersioningDropped};
    let mut name = name.clone();
    let mut altering: Vec<(FullName, Ahead)> = Vec::new();
    for ahead in statements {
        let mut alters = false;
        for effect in ahead.effects() {
            match effect {
                effect if !concerns(effect, &[&name]) => {}
                Effect::Table(from, RenamedTo(to)) if *from == name => {
                    if alters {
                        altering.push((name.clone(), ahead.clone()));
                        alters = false;
                    }
                    name.clone_from(to);
                }
                // Names that differ in case may be two tables'.
                Effect::Table(other, Altered(_) | VersioningAdded | VersioningDropped) if *other == name => {
                    alters = true;
                }
                Effect::Table(_, Altered(_) | VersioningAdded | VersioningDropped) => return Err(ahead),
                effect if may_matter(effect) => return Err(ahead),
                _ => {}
            }
        }
        if alters {
            altering.push((name.clone(), ahead.clone()));
        }
    }
    Ok((name, altering))
}

/// Works a definition back through the statements that altered it, last first.
fn work_back(now: &Definition, altering: Vec<(FullName, Ahead)>) -> WorkedBack {
    let mut partial = Partial { definition: now.clone(), unknown: Vec::new() };
    let (mut left, mut renames) = (Vec::new(), false);
    // Statements that dropped columns which no statement before them added, as far as known.
    let mut drops: Vec<(usize, FullName, Ahead)> = Vec::new();
    for (number, (name, ahead)) in altering.into_iter().enumerate().rev() {
        let setting = Setting { session: &ahead.session, database_charset: None };
        let before = match ahead.ddl() {
            Ok(Ddl::Alter(steps)) => {
                renames |= steps.iter().any(|step| matches!(step, Step::RenameColumn { .. }));
                evolve::before(&partial, &steps, &setting).ok()
            }
            _ => None,
        };
        match before {
            Some(before) => {
                match before.unknown.len() {
                    0 => drops.clear(),
                    now if now > partial.unknown.len() => drops.push((number, name, ahead)),
                    _ => {}
                }
                partial = before;
            }
            None => left.push((number, name, ahead)),
        }
    }
    left.append(&mut drops);
    left.sort_by_key(|(number, ..)| *number);
    let left = left.into_iter().map(|(_, name, ahead)| (name, ahead)).collect();
    WorkedBack { definition: partial.definition, left, renames }
}

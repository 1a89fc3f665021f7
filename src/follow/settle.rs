//! Rows whose definition only the catalog has: was it so when they were written? The statements between the rows and the
//! catalog tell. If some changed the table, the definition is worked back, where each can be undone.

use std::rc::Rc;

use anyhow::Result;

use super::Steps;
use super::full_effect::FullEffect;
use super::in_the_way::{self, is_in_the_way, may_matter};
use super::look_ahead::{Ahead, Between, Here, concerns};
use crate::row::from_catalog::FromCatalog;
use crate::row::layouts::Layouts;
use crate::schema::definition::Definition;
use crate::schema::evolve::{self, Setting};
use crate::schema::known::FullName;
use crate::source::framing::Place;
use crate::sql::ddl::{Ddl, Step};
use crate::sql::effect::{Effect, TableChange};

/// What is known of a definition from the catalog.
enum Settled {
    /// It holds for the rows, but is not known beyond them.
    ForThem,
    /// It, or the one that was worked back, is kept as known.
    Known,
    /// The run ends first.
    Interrupted,
}

/// A definition worked back through statements.
struct WorkedBack {
    definition: Definition,
    /// Statements that could not be undone, as far as they concern the table.
    left: Vec<Ahead>,
    /// Columns had other names.
    renames: bool,
}

impl Steps<'_> {
    /// Handles a table map, whose definition may have to be settled first. Nothing is done if a signal comes.
    pub(super) fn settled_map(
        &mut self,
        place: &Place,
        map: &dyn Fn(&mut Layouts, Option<u64>) -> Result<Option<FromCatalog>>,
    ) -> Result<()> {
        let mut accepted = None;
        while let Some(claim) = map(&mut self.layouts, accepted)? {
            let settled = self.settle(&claim, place);
            self.layouts.warnings.append(&mut self.look_ahead.warnings);
            match settled? {
                Settled::ForThem => accepted = Some(claim.read_at.number),
                Settled::Known => {}
                Settled::Interrupted => return Ok(()),
            }
        }
        Ok(())
    }

    /// # Errors
    /// Exit 4 when the definition may have been another one, and cannot be known.
    fn settle(&mut self, claim: &FromCatalog, place: &Place) -> Result<Settled> {
        // Rows of a prepared transaction are as the table was at its commit: until then it was locked. So are those of a
        // table that is read again, as its definition here is.
        let base = self.cursor.base();
        let at_base = Place { file: base.file.clone(), start: base.offset, end: base.offset };
        let is_elsewhere = self.replay.is_some() || self.reread.is_some();
        let from = if is_elsewhere { &at_base } else { place };
        let here = Here::new(from, base, self.cursor.order()).with_temporary(&self.temporary);
        if self.look_ahead.must_read(&here, &claim.read_at) {
            self.lines.flush()?;
        }
        let name = (claim.table.database.clone(), claim.table.name.clone());
        let between = self.look_ahead.between(&here, &claim.read_at, &name, &mut *self.source, self.signal)?;
        let statements = match between {
            Between::All(statements) => statements,
            Between::TooMany(None) | Between::Unknown => return Ok(Settled::ForThem),
            Between::TooMany(Some(first)) => return Err(in_the_way::error(claim, &first, place)),
            Between::Interrupted => return Ok(Settled::Interrupted),
        };
        if statements.is_empty() {
            // Of a definition that only its id is used of, nothing compared the rest with the log.
            self.layouts.settle(&name, true);
            return Ok(Settled::Known);
        }
        let is_lost = |ahead: &&Ahead| !only_alters(ahead.effects(), &name);
        if let Some(lost) = statements.iter().find(is_lost) {
            return Err(in_the_way::error(claim, lost, place));
        }
        let worked_back = work_back(&claim.definition, &statements);
        let table = worked_back.definition.table(&name.0, &name.1)?;
        let was = FromCatalog {
            definition: Rc::new(worked_back.definition.clone()),
            table,
            read_at: Rc::clone(&claim.read_at),
            formats: claim.formats.clone(),
            logged: claim.logged.clone(),
            ..*claim
        };
        let mut left = worked_back.left.iter();
        if let Some(ahead) = left.find(|ahead| {
            worked_back.renames && ahead.effects().iter().any(may_matter) || is_in_the_way(ahead.effects(), &was)
        }) {
            return Err(in_the_way::error(claim, ahead, place));
        }
        let is_all = worked_back.left.is_empty();
        if claim.only_id && !is_all {
            return Ok(Settled::ForThem);
        }
        self.layouts.definition_was(&name, worked_back.definition, is_all);
        Ok(Settled::Known)
    }
}

/// Whether the effects on a table are only those of clauses that alter it.
fn only_alters(effects: &[FullEffect], name: &FullName) -> bool {
    use TableChange::{Altered, VersioningAdded, VersioningDropped};
    let alters = |effect: &FullEffect| {
        matches!(effect, Effect::Table(_, Altered(_) | VersioningAdded | VersioningDropped))
    };
    effects.iter().filter(|effect| concerns(effect, &[name])).all(|effect| alters(effect) || !may_matter(effect))
}

/// Works a definition back through the statements that altered it, last first.
fn work_back(now: &Definition, statements: &[Ahead]) -> WorkedBack {
    let mut worked_back = WorkedBack { definition: now.clone(), left: Vec::new(), renames: false };
    for ahead in statements.iter().rev() {
        let setting = Setting { session: &ahead.session, database_charset: None };
        let before = match ahead.ddl() {
            Ok(Ddl::Alter(steps)) => {
                worked_back.renames |= steps.iter().any(|step| matches!(step, Step::RenameColumn { .. }));
                evolve::before(&worked_back.definition, &steps, &setting).ok()
            }
            _ => None,
        };
        match before {
            Some(before) => worked_back.definition = before,
            None => worked_back.left.push(ahead.clone()),
        }
    }
    worked_back.left.reverse();
    worked_back
}

//! Where in the log each table was last empty: created there, or emptied. All rows of such a table stand in the log from
//! there on, under the names that it had.
//!
//! Only tables that this run saw empty are known. A schema history would add those from before: see [`Births::add`].

use std::collections::HashMap;
use std::rc::Rc;

use super::cursor::Base;
use super::full_effect::FullEffect;
use crate::schema::definition::Definition;
use crate::schema::followed::Known;
use crate::schema::known::FullName;
use crate::source::framing::Place;
use crate::sql::alter::ONLY_DELETE;
use crate::sql::effect::{DatabaseChange, Effect, TableChange};

/// At most this many tables are remembered: some 30 MB.
const MOST: usize = 100_000;

/// Where a table was last empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Birth {
    /// The name it had there.
    pub name: FullName,
    pub file: String,
    /// A place in that file to begin reading at, not after `created`.
    pub position: u64,
    /// Offset of the statement.
    pub created: u64,
    /// The definition it had there, if it is known.
    pub definition: Option<Rc<Definition>>,
}

/// What is known of the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// All stand in the log since this place.
    Born(Birth),
    /// Some do not, because of this.
    Unlogged(String),
    /// It was not empty in this run.
    Unknown,
    /// It may have been, but there were too many tables to remember all.
    Forgotten,
}

#[derive(Debug, Default)]
pub struct Births {
    /// The birth of each table, or why its rows do not all stand in the log.
    tables: HashMap<FullName, Result<Birth, String>>,
    /// There were more than are remembered.
    has_more: bool,
}

impl Births {
    pub fn of(&self, table: &FullName) -> Origin {
        match self.tables.get(table) {
            Some(Ok(birth)) => Origin::Born(birth.clone()),
            Some(Err(why)) => Origin::Unlogged(why.clone()),
            None if self.has_more => Origin::Forgotten,
            None => Origin::Unknown,
        }
    }

    /// Notes where a table was last empty.
    pub fn add(&mut self, table: FullName, birth: Birth) {
        self.put(table, Ok(birth));
    }

    fn put(&mut self, table: FullName, birth: Result<Birth, String>) {
        match self.tables.len() < MOST || self.tables.contains_key(&table) {
            true => _ = self.tables.insert(table, birth),
            false => self.has_more = true,
        }
    }

    /// Notes the definitions of tables that a statement left empty: `known` after it.
    pub fn take_in_definitions<'a>(
        &mut self,
        effects: &[FullEffect],
        known: &dyn Fn(&FullName) -> Option<&'a Known>,
    ) {
        for effect in effects {
            if let Effect::Table(table, TableChange::Emptied | TableChange::Created { .. }) = effect
                && let Some(Ok(birth)) = self.tables.get_mut(table)
            {
                let known = known(table).filter(|known| known.is_sure());
                birth.definition = known.map(|known| Rc::clone(&known.definition));
            }
        }
    }

    /// Notes what the statement at `place`, in a transaction after `base`, did to tables. `is_empty` tells of a table
    /// whether it was empty before.
    pub fn take_in(
        &mut self,
        effects: &[FullEffect],
        base: &Base,
        place: &Place,
        is_empty: &dyn Fn(&FullName) -> bool,
    ) {
        for effect in effects {
            match effect {
                Effect::Table(table, TableChange::Unlogged(what))
                    if ONLY_DELETE.contains(what) && is_empty(table) => {}
                Effect::Table(table, change) => self.take_in_change(table, change, base, place),
                Effect::Database(database, DatabaseChange::Dropped) => {
                    self.tables.retain(|table, _| table.0 != *database);
                }
                Effect::Database(..) | Effect::Data { .. } => {}
            }
        }
    }

    fn take_in_change(
        &mut self,
        table: &FullName,
        change: &TableChange<FullName>,
        base: &Base,
        place: &Place,
    ) {
        match change {
            // A name that could not be read stands for any.
            _ if table.1.is_empty() => {}
            TableChange::Emptied | TableChange::Created { if_not_exists: false, .. } => {
                // A server cannot begin beyond 4 GiB; the base is at or before this place, and in the same file.
                let birth = Birth {
                    name: table.clone(),
                    file: base.file.to_string(),
                    position: base.offset,
                    created: place.start,
                    definition: None,
                };
                match base.file == place.file {
                    true => self.add(table.clone(), birth),
                    false => _ = self.tables.remove(table),
                }
            }
            TableChange::RenamedTo(to) => match self.tables.remove(table) {
                Some(birth) if !to.1.is_empty() => self.put(to.clone(), birth),
                _ => _ = self.tables.remove(to),
            },
            TableChange::Gone | TableChange::SequenceCreated { if_not_exists: false, .. } => {
                self.tables.remove(table);
            }
            TableChange::Unlogged(what) => self.unlogged(table, what, place),
            TableChange::Data { verb, .. } => self.unlogged(table, verb, place),
            TableChange::Merges(_) => self.unlogged(table, "ENGINE=MERGE", place),
            // The rows before and after it are read in different ways.
            TableChange::VersioningAdded => self.unlogged(table, "ADD SYSTEM VERSIONING", place),
            TableChange::VersioningDropped => self.unlogged(table, "DROP SYSTEM VERSIONING", place),
            TableChange::Created { if_not_exists: true, .. }
            | TableChange::SequenceCreated { if_not_exists: true, .. }
            | TableChange::SequenceGone
            | TableChange::Altered(_)
            | TableChange::ForeignKeysAdded(_)
            | TableChange::ForeignKeyDropped { .. }
            | TableChange::TemporaryCreated
            | TableChange::TemporaryGone => {}
        }
    }

    /// Rows of the table changed without row events.
    pub fn unlogged(&mut self, table: &FullName, what: &str, place: &Place) {
        if let Some(birth) = self.tables.get_mut(table) {
            *birth = Err(format!("{what} at {place} changed them in a way that the log does not hold"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(table: &str) -> FullName {
        ("d".into(), table.into())
    }

    fn place(start: u64) -> Place {
        Place { file: "bin.1".into(), start, end: start + 10 }
    }

    fn base(offset: u64) -> Base {
        Base { file: "bin.1".into(), offset, log: None }
    }

    fn created() -> TableChange<FullName> {
        TableChange::Created { replaces: false, if_not_exists: false, like: None }
    }

    #[test]
    fn a_table_keeps_its_birth_under_other_names() {
        let mut births = Births::default();
        let effects = [Effect::Table(name("gho"), created())];
        births.take_in(&effects, &base(100), &place(120), &|_| false);
        let birth =
            Birth { name: name("gho"), file: "bin.1".into(), position: 100, created: 120, definition: None };
        assert_eq!(births.of(&name("gho")), Origin::Born(birth.clone()));
        let swap = [
            Effect::Table(name("t"), TableChange::RenamedTo(name("old"))),
            Effect::Table(name("gho"), TableChange::RenamedTo(name("t"))),
        ];
        births.take_in(&swap, &base(200), &place(220), &|_| false);
        assert_eq!(births.of(&name("t")), Origin::Born(birth));
        assert_eq!(births.of(&name("gho")), Origin::Unknown);
        assert_eq!(births.of(&name("old")), Origin::Unknown);

        births.take_in(
            &[Effect::Table(name("t"), TableChange::Unlogged("EXCHANGE PARTITION"))],
            &base(300),
            &place(320),
            &|_| false,
        );
        assert!(
            matches!(births.of(&name("t")), Origin::Unlogged(why) if why.contains("EXCHANGE PARTITION at bin.1:320"))
        );
        births
            .take_in(&[Effect::Table(name("t"), TableChange::Emptied)], &base(400), &place(420), &|_| false);
        assert!(matches!(births.of(&name("t")), Origin::Born(birth) if birth.created == 420));
        births.take_in(
            &[Effect::Database("d".into(), DatabaseChange::Dropped)],
            &base(500),
            &place(520),
            &|_| false,
        );
        assert_eq!(births.of(&name("t")), Origin::Unknown);
    }

    #[test]
    fn of_very_many_tables_some_are_forgotten_and_that_is_known() {
        let mut births = Births::default();
        for i in 0..=MOST {
            births
                .take_in(&[Effect::Table(name(&i.to_string()), created())], &base(4), &place(4), &|_| false);
        }
        assert!(births.tables.len() == MOST && matches!(births.of(&name("0")), Origin::Born(_)));
        assert_eq!(births.of(&name(&MOST.to_string())), Origin::Forgotten);
    }
}

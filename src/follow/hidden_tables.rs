//! The tables that a prepared transaction has rows of, and what became of them before its commit.
//!
//! Its locks keep statements that drop or empty a table from them. But MySQL 5.7 gives up the metadata locks when the
//! client goes: then TRUNCATE and DROP lose its rows, and RENAME takes them along. ALTER
//! TABLE goes through only if it leaves rows as they are, so it does not count here.

use std::fmt;

use super::full_effect::FullEffect;
use crate::schema::known::FullName;
use crate::source::framing::Place;
use crate::sql::effect::{DatabaseChange, Effect, TableChange};

/// At most this many tables of a transaction are remembered. Of one that has more, any table may be one.
const MOST: usize = 100;

const LOST: &str = "the server may have lost the rows that this transaction has in it";

/// The tables of one transaction.
#[derive(Debug, Default)]
pub struct HiddenTables {
    names: Vec<FullName>,
    has_more: bool,
    change: Option<Change>,
}

/// The first statement that changed one of the tables, so that the rows are not what the log holds.
#[derive(Debug)]
pub struct Change {
    table: FullName,
    what: What,
    place: Place,
}

#[derive(Debug)]
enum What {
    Emptied,
    Dropped,
    RenamedTo(FullName),
    /// By this clause.
    Unlogged(&'static str),
    /// By a statement that cannot be read, or that is not known.
    Unknown,
}

impl HiddenTables {
    /// Whether the table is remembered already.
    pub fn has(&self, database: &str, table: &str) -> bool {
        self.names.iter().any(|name| name.1 == table && name.0 == database)
    }

    /// Remembers a table.
    pub fn add(&mut self, table: FullName) {
        if self.has(&table.0, &table.1) {
            return;
        }
        match self.names.len() < MOST {
            true => self.names.push(table),
            false => self.has_more = true,
        }
    }

    /// Remembers the tables of another part of the transaction, too.
    pub fn add_all(&mut self, other: HiddenTables) {
        other.names.into_iter().for_each(|table| self.add(table));
        self.has_more |= other.has_more;
    }

    /// Notes what a statement did to the tables, if that matters to a selected one.
    pub fn take_in(&mut self, effects: &[FullEffect], is_wanted: &dyn Fn(&FullName) -> bool, place: &Place) {
        for effect in effects {
            match effect {
                Effect::Table(table, change) => {
                    let is_wanted = |name: &FullName| match change {
                        // EXCHANGE PARTITION may bring the rows into the other table.
                        TableChange::Unlogged(_) => effects.iter().any(|effect| match effect {
                            Effect::Table(name, TableChange::Unlogged(_)) => is_wanted(name),
                            _ => false,
                        }),
                        _ => is_wanted(name),
                    };
                    self.take_in_change(table, change, &is_wanted, place);
                }
                Effect::Database(
                    database,
                    DatabaseChange::Dropped | DatabaseChange::Created { if_not_exists: false },
                ) => {
                    let its = self.names.iter().find(|name| name.0 == *database && is_wanted(name)).cloned();
                    let any = || self.has_more.then(|| (database.clone(), "*".to_string()));
                    if let Some(table) = its.or_else(any) {
                        self.changed(&table, What::Dropped, place);
                    }
                }
                Effect::Database(..) => {}
                Effect::Data { .. } => {
                    if let Some(table) = self.names.iter().find(|name| is_wanted(name)).cloned() {
                        self.changed(&table, What::Unknown, place);
                    }
                }
            }
        }
    }

    fn take_in_change(
        &mut self,
        table: &FullName,
        change: &TableChange<FullName>,
        is_wanted: &dyn Fn(&FullName) -> bool,
        place: &Place,
    ) {
        if !self.has_more && !self.has(&table.0, &table.1) {
            return;
        }
        let (what, matters) = match change {
            TableChange::Emptied => (What::Emptied, is_wanted(table)),
            // A table that is created did not exist just before.
            TableChange::Gone | TableChange::Created { if_not_exists: false, .. } => {
                (What::Dropped, is_wanted(table))
            }
            TableChange::RenamedTo(to) => {
                if let Some(name) = self.names.iter_mut().find(|name| *name == table) {
                    *name = to.clone();
                }
                if let Some(Change { what: What::RenamedTo(now), .. }) = &mut self.change
                    && now == table
                {
                    *now = to.clone();
                }
                (What::RenamedTo(to.clone()), is_wanted(table) || is_wanted(to))
            }
            TableChange::Unlogged(clause) => (What::Unlogged(clause), is_wanted(table)),
            TableChange::Created { if_not_exists: true, .. }
            | TableChange::Altered(_)
            | TableChange::Data { .. }
            | TableChange::Merges(_)
            | TableChange::VersioningAdded
            | TableChange::VersioningDropped
            | TableChange::ForeignKeysAdded(_)
            | TableChange::ForeignKeyDropped { .. }
            | TableChange::SequenceCreated { .. }
            | TableChange::SequenceGone
            | TableChange::TemporaryCreated
            | TableChange::TemporaryGone => return,
        };
        if matters {
            self.changed(table, what, place);
        }
    }

    fn changed(&mut self, table: &FullName, what: What, place: &Place) {
        self.change.get_or_insert_with(|| Change { table: table.clone(), what, place: place.clone() });
    }

    pub fn change(&self) -> Option<&Change> {
        self.change.as_ref()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { table: (database, table), what, place } = self;
        let name = format!("{database}.{table}");
        match what {
            What::Emptied => write!(f, "{name} was emptied at {place}: {LOST}"),
            What::Dropped => write!(f, "{name} was dropped at {place}: {LOST}"),
            What::RenamedTo((database, table)) => {
                write!(f, "{name} was renamed at {place}: the server adds the rows to {database}.{table}")
            }
            What::Unknown => {
                write!(f, "the statement at {place}, which cannot be read, may have changed {name}")
            }
            What::Unlogged(clause) => {
                write!(
                    f,
                    "{clause} changed {name} at {place}: the log does not tell which rows are still in it"
                )
            }
        }
    }
}

//! Definitions follow the statements of the log: see [`Followed`](crate::schema::followed::Followed).

use anyhow::Result;

use super::Steps;
use super::full_effect::{FullEffect, is_changed};
use crate::binlog::event::Event;
use crate::binlog::query::Query;
use crate::position::Position;
use crate::schema::followed::Change;
use crate::schema::known::FullName;
use crate::source::framing::Place;
use crate::sql::ddl;
use crate::sql::effect::{DatabaseChange, Effect, TableChange};

impl Steps<'_> {
    /// Finds out what the tables that a statement alters will be.
    pub(super) fn preview(&mut self, effects: &[FullEffect], query: &Query<'_>) -> Result<()> {
        let mut ddl = None;
        for effect in effects {
            if let Effect::Table(table, TableChange::Altered(clauses)) = effect
                && !clauses.is_empty()
                && self.is_wanted(table)
            {
                let ddl = ddl.get_or_insert_with(|| ddl::read(query.text, query.session));
                self.layouts.will_be(table, ddl, &query.session)?;
            }
        }
        Ok(())
    }

    /// Selected tables of a CREATE TABLE IF NOT EXISTS that did not exist.
    pub(super) fn absent(&self, effects: &[FullEffect], event: &Event<'_>, place: &Place) -> Vec<FullName> {
        let (known, here) = (&self.layouts.tables_known, Position::new(&*place.file, place.end));
        let (order, began) = (self.cursor.order(), event.header.timestamp.into());
        let absent = effects.iter().filter_map(|effect| match effect {
            Effect::Table(table, TableChange::Created { if_not_exists: true, .. })
                if self.is_wanted(table) && known.is_no_table(table, &here, order, began) =>
            {
                Some(table.clone())
            }
            _ => None,
        });
        absent.collect()
    }

    /// Applies a statement to the definitions that are known. Maps of the tables that it may have changed are forgotten.
    /// `absent` tables did not exist before it, which an IF NOT EXISTS leaves open.
    pub(super) fn follow_definitions(
        &mut self,
        effects: &[FullEffect],
        absent: &[FullName],
        query: &Query<'_>,
        place: &Place,
    ) -> Result<()> {
        let changes: Vec<Change<'_>> = effects.iter().filter_map(change).collect();
        // A name that differs in case may be the same table's, but is not followed.
        let is_named = |name: &FullName| {
            effects.iter().any(|effect| match effect {
                Effect::Table(table, TableChange::RenamedTo(to)) => name == table || name == to,
                Effect::Table(table, _) => name == table,
                Effect::Database(database, _) => name.0 == *database,
                Effect::Data { .. } => false,
            })
        };
        let is_changed = |database: &str, table: &str| is_changed(effects, database, table);
        self.layouts.definitions_changed(&is_changed, &is_named);
        let default_database = String::from_utf8_lossy(query.database);
        let matters = |change: &Change<'_>| match change {
            Change::Created { table, .. } | Change::Copied { table, .. } => {
                self.layouts.selection().selects_some_of(&table.0)
            }
            _ => true,
        };
        let changes: Vec<Change<'_>> = changes.into_iter().filter(matters).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let ddl = ddl::read(query.text, query.session);
        for change in &changes {
            let change = match change {
                // Without a name it is the default database.
                Change::DatabaseAltered { database: "" } => {
                    &Change::DatabaseAltered { database: &default_database }
                }
                // A CREATE OR REPLACE that failed has dropped the table (MariaDB).
                Change::Created { table, .. } | Change::Copied { table, .. } if query.has_failed => {
                    &Change::Gone { table }
                }
                Change::Created { table, .. } if absent.contains(table) => {
                    &Change::Created { table, if_not_exists: false }
                }
                Change::Copied { table, like, .. } if absent.contains(table) => {
                    &Change::Copied { table, like, if_not_exists: false }
                }
                change => change,
            };
            self.layouts.follow_definition(change, &ddl, &query.session, place)?;
        }
        Ok(())
    }
}

fn change(effect: &FullEffect) -> Option<Change<'_>> {
    Some(match effect {
        Effect::Table(table, change) => return of_table(table, change),
        Effect::Database(database, DatabaseChange::Dropped) => Change::DatabaseGone { database },
        Effect::Database(database, DatabaseChange::Created { if_not_exists }) => {
            Change::DatabaseCreated { database, if_not_exists: *if_not_exists }
        }
        Effect::Database(database, DatabaseChange::Altered) => Change::DatabaseAltered { database },
        Effect::Data { .. } => return None,
    })
}

fn of_table<'a>(table: &'a FullName, change: &'a TableChange<FullName>) -> Option<Change<'a>> {
    Some(match change {
        TableChange::Created { if_not_exists, like: None, .. } => {
            Change::Created { table, if_not_exists: *if_not_exists }
        }
        TableChange::Created { if_not_exists, like: Some(like), .. } => {
            Change::Copied { table, like, if_not_exists: *if_not_exists }
        }
        TableChange::Altered(_) => Change::Altered { table },
        TableChange::RenamedTo(to) => Change::Renamed { from: table, to },
        TableChange::Gone | TableChange::SequenceCreated { .. } | TableChange::SequenceGone => {
            Change::Gone { table }
        }
        TableChange::VersioningAdded | TableChange::VersioningDropped | TableChange::Data { .. } => {
            Change::Unknown { table }
        }
        TableChange::Emptied
        | TableChange::Merges(_)
        | TableChange::ForeignKeysAdded(_)
        | TableChange::ForeignKeyDropped { .. }
        | TableChange::Unlogged(_)
        | TableChange::TemporaryCreated
        | TableChange::TemporaryGone => return None,
    })
}

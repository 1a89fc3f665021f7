//! Statements that create, change and empty MERGE tables, which have the rows of other tables.

use anyhow::Result;

use super::Steps;
use super::full_effect::FullEffect;
use crate::exit::unreadable;
use crate::schema::known::FullName;
use crate::source::framing::Place;
use crate::sql::effect::{DatabaseChange, Effect, TableChange};

impl Steps<'_> {
    /// # Errors
    /// Exit 4 when a statement empties selected tables through a MERGE table.
    pub(super) fn judge_merge_tables(&self, effects: &[FullEffect], place: &Place) -> Result<()> {
        for effect in effects {
            let Effect::Table(table, TableChange::Emptied) = effect else { continue };
            let layouts = &self.layouts;
            if let Some(members) = layouts.merge_tables.selected_members(table, layouts.selection()) {
                return Err(unreadable(format!(
                    "at {place} TRUNCATE of the MERGE table {}.{} emptied the tables of its UNION, of which {members} \
                     are selected: load again",
                    table.0, table.1
                )));
            }
        }
        Ok(())
    }

    /// Records what a statement did to MERGE tables. None of them is ever known to be empty.
    /// Nor do all of its rows, and those of its UNION, stand in the log under their own names.
    pub(super) fn take_in_merge_tables(&mut self, effects: &[FullEffect], place: &Place) {
        for effect in effects {
            let merges = &mut self.layouts.merge_tables;
            match effect {
                Effect::Table(table, TableChange::Merges(union)) => {
                    self.layouts.merge_table(table.clone(), union.clone());
                }
                Effect::Table(table, TableChange::Created { like: Some(like), .. }) => {
                    if let Some(union) = merges.union(like).cloned() {
                        self.layouts.merge_table(table.clone(), union);
                    }
                }
                Effect::Table(table, TableChange::Gone | TableChange::Created { replaces: true, .. }) => {
                    merges.gone(table);
                }
                Effect::Table(table, TableChange::RenamedTo(to)) => merges.renamed(table, to),
                Effect::Database(database, DatabaseChange::Dropped) => merges.database_gone(database),
                _ => {}
            }
        }
        let named = effects.iter().filter_map(|effect| match effect {
            Effect::Table(_, TableChange::RenamedTo(to)) => Some(to),
            Effect::Table(table, _) => Some(table),
            _ => None,
        });
        for table in named.collect::<Vec<&FullName>>() {
            if let Some(union) = self.layouts.merge_tables.union(table) {
                self.layouts.tables_known.may_be_filled(table);
                for table in union.iter().chain([table]) {
                    self.births.unlogged(table, "a MERGE table", place);
                }
            }
        }
    }
}

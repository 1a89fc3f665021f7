//! ALTER TABLE on a table that has rows: it may change rows that were printed before, and no row event says how. Each such
//! statement gives one warning; if ids change, the run ends.
//!
//! Every clause of every ALTER TABLE comes through here. A schema history, or an option to be strict, would hook in
//! here.

use anyhow::Result;

use super::Steps;
use crate::exit::unreadable;
use crate::schema::known::FullName;
use crate::source::framing::Place;
use crate::sql::effect::{Clause, Effect, Identifier, TableChange};

impl Steps<'_> {
    /// Warns of changes that a statement's clauses make to existing rows.
    ///
    /// # Errors
    /// Exit 4 when they change ids.
    pub(super) fn judge_clauses(
        &mut self,
        effects: &[Effect<FullName, String>],
        emptied: &[FullName],
        place: &Place,
    ) -> Result<()> {
        for effect in effects {
            let Effect::Table(table, TableChange::Altered(clauses)) = effect else { continue };
            let layouts = &self.layouts;
            let has_rows = layouts.tables_known.may_have_rows(table) && !emptied.contains(table);
            if clauses.is_empty() || !has_rows || !layouts.selection().selects(&table.0, &table.1) {
                continue;
            }
            if let Some(change) = self.id_change(table, clauses)? {
                return Err(unreadable(format!(
                    "at {} ALTER TABLE {}.{} … {change} the ids of its rows, and the log does not repeat these rows: \
                     load again",
                    place, table.0, table.1,
                )));
            }
            self.warn_of_values(table, clauses, place)?;
        }
        Ok(())
    }

    /// Records new types and names of id columns.
    pub(super) fn take_in_clauses(&mut self, table: &FullName, clauses: &[Clause]) {
        let types = clauses.iter().filter_map(|clause| match clause {
            Clause::ChangeColumn { from: Some(from), type_word, .. } => {
                Some((from.as_str(), type_word.as_str()))
            }
            _ => None,
        });
        self.layouts.tables_known.types_changed(table, &types.collect::<Vec<_>>());
        self.layouts.tables_known.columns_renamed(table, &renames(clauses));
    }

    /// # Errors
    /// Exit 4 with `--strict`.
    fn warn_of_values(&mut self, table: &FullName, clauses: &[Clause], place: &Place) -> Result<()> {
        let changes: Vec<String> = clauses
            .iter()
            .filter(|clause| self.may_change_values(table, clause))
            .filter_map(described)
            .collect();
        if changes.is_empty() {
            return Ok(());
        }
        let layouts = &mut self.layouts;
        let what = format!(
            "{}: altered at {} ({}). The log does not repeat its rows: those printed before keep their old columns and \
             values. Load again",
            layouts.selection().printed(&table.0, &table.1),
            place,
            changes.join(", ")
        );
        if self.strict {
            return Err(unreadable(format!("{what} (--strict)")));
        }
        layouts.warnings.push(format!("{what} if that matters"));
        Ok(())
    }

    /// Whether a clause may change values. A primary key makes its columns NOT NULL, which, without a strict sql_mode,
    /// turns NULL into 0 or an empty string. Columns of a key that was the id had no NULL; but `--id` may name any.
    fn may_change_values(&self, table: &FullName, clause: &Clause) -> bool {
        let Clause::AddPrimaryKey { columns } = clause else { return true };
        let id = match self.layouts.has_id_rule(table) {
            true => None,
            false => self.layouts.tables_known.id(table),
        };
        !columns
            .iter()
            .flatten()
            .all(|name| id.is_some_and(|id| id.iter().any(|column| column.name.eq_ignore_ascii_case(name))))
    }
}

/// Old and new names of the columns that clauses rename.
pub(super) fn renames(clauses: &[Clause]) -> Vec<(&str, &str)> {
    let renames = clauses.iter().filter_map(|clause| match clause {
        Clause::RenameColumn { from: Some(from), to: Some(to) }
        | Clause::ChangeColumn { from: Some(from), to: Some(to), .. }
            if from != to =>
        {
            Some((from.as_str(), to.as_str()))
        }
        _ => None,
    });
    renames.collect()
}

/// Describes a clause that changes values or names of columns in existing rows.
fn described(clause: &Clause) -> Option<String> {
    let name = quoted;
    Some(match clause {
        Clause::AddColumn { name: column } => format!("ADD COLUMN {}", name(column)),
        Clause::DropColumn { name: column } => format!("DROP COLUMN {}", name(column)),
        Clause::ChangeColumn { from, to, .. } if from == to => format!("MODIFY {}", name(to)),
        Clause::ChangeColumn { from, to, .. } => format!("CHANGE {} {}", name(from), name(to)),
        Clause::RenameColumn { from, to } => format!("RENAME COLUMN {} TO {}", name(from), name(to)),
        Clause::ConvertCharset => "CONVERT TO CHARACTER SET".to_string(),
        Clause::AddPrimaryKey { columns } => {
            format!("ADD PRIMARY KEY ({})", columns.iter().map(name).collect::<Vec<_>>().join(", "))
        }
        Clause::DropPrimaryKey | Clause::AddUniqueKey { .. } | Clause::DropIndex { .. } => return None,
    })
}

pub(super) fn quoted(name: &Identifier) -> String {
    format!("`{}`", name.as_deref().unwrap_or("?"))
}

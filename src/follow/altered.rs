//! ALTER TABLE on a table that has rows: it may change rows that were printed before, and no row event says how. Each such
//! statement gives one warning; if ids change, the run ends.
//!
//! Every clause of a statement comes through here: the place to hook in a schema history, or an option to be strict.

use anyhow::Result;

use super::Steps;
use crate::exit::unreadable;
use crate::schema::known::{FullName, prints_as};
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
                    "at {} ALTER TABLE {}.{} … {change} changed the ids of its rows, but the log does not hold the new \
                     ones: load again",
                    place, table.0, table.1,
                )));
            }
            self.note_new_names(table, clauses);
            self.warn_of_values(table, clauses, place);
        }
        Ok(())
    }

    /// The clause that changes ids. If no row of the table was seen in this run, the columns' old types are unknown, and a
    /// clause that may change ids counts, too.
    fn id_change(&mut self, table: &FullName, clauses: &[Clause]) -> Result<Option<String>> {
        let layouts = &mut self.layouts;
        if let Some(id) = layouts.tables_known.id(table) {
            let of_id = |name: &Identifier| {
                let name = name.as_ref()?;
                id.iter().find(|column| column.name.eq_ignore_ascii_case(name))
            };
            let change = clauses.iter().find_map(|clause| match clause {
                Clause::DropColumn { name } => of_id(name).map(|column| (column, "DROP COLUMN")),
                Clause::ChangeColumn { from, type_word, .. } => of_id(from)
                    .filter(|column| prints_as(&column.kind, type_word) == Some(false))
                    .map(|column| (column, "MODIFY")),
                _ => None,
            });
            return Ok(change.map(|(column, what)| format!("{what} `{}`", column.name)));
        }
        let drops = clauses.contains(&Clause::DropPrimaryKey);
        if drops && !layouts.has_id_rule(table) {
            return Ok(Some("DROP PRIMARY KEY".to_string()));
        }
        let changed = |clause: &Clause| match clause {
            Clause::ChangeColumn { to: Some(to), type_word, .. } if !is_integer(type_word) => {
                Some(to.clone())
            }
            _ => None,
        };
        let changed: Vec<String> = clauses.iter().filter_map(changed).collect();
        if changed.is_empty() {
            return Ok(None);
        }
        let id = layouts.id_now(table)?;
        let column = changed.into_iter().find(|name| id.iter().any(|of_id| of_id.eq_ignore_ascii_case(name)));
        Ok(column.map(|column| format!("MODIFY `{column}`")))
    }

    fn note_new_names(&mut self, table: &FullName, clauses: &[Clause]) {
        for clause in clauses {
            if let Clause::RenameColumn { from: Some(from), to: Some(to) }
            | Clause::ChangeColumn { from: Some(from), to: Some(to), .. } = clause
            {
                self.layouts.tables_known.column_renamed(table, from, to);
            }
        }
    }

    fn warn_of_values(&mut self, table: &FullName, clauses: &[Clause], place: &Place) {
        let changes: Vec<String> = clauses.iter().filter_map(described).collect();
        if changes.is_empty() {
            return;
        }
        let layouts = &mut self.layouts;
        let warning = format!(
            "{}: altered at {} ({}). The log does not repeat its rows: those printed before keep their old columns and \
             values. Load again if that matters",
            layouts.selection().printed(&table.0, &table.1),
            place,
            changes.join(", ")
        );
        layouts.warnings.push(warning);
    }
}

/// Whether a type is an integer. Such a column was nearly always a shorter integer before, and its values stay.
fn is_integer(type_word: &str) -> bool {
    matches!(
        type_word,
        "tinyint" | "smallint" | "mediumint" | "middleint" | "int" | "integer" | "bigint" | "serial"
    )
}

/// Describes a clause that changes values or names of columns in existing rows.
fn described(clause: &Clause) -> Option<String> {
    let name = |name: &Identifier| format!("`{}`", name.as_deref().unwrap_or("?"));
    Some(match clause {
        Clause::AddColumn { name: column } => format!("ADD COLUMN {}", name(column)),
        Clause::DropColumn { name: column } => format!("DROP COLUMN {}", name(column)),
        Clause::ChangeColumn { from, to, .. } if from == to => format!("MODIFY {}", name(to)),
        Clause::ChangeColumn { from, to, .. } => format!("CHANGE {} {}", name(from), name(to)),
        Clause::RenameColumn { from, to } => format!("RENAME COLUMN {} TO {}", name(from), name(to)),
        Clause::ConvertCharset => "CONVERT TO CHARACTER SET".to_string(),
        Clause::AddPrimaryKey | Clause::DropPrimaryKey | Clause::AddUniqueKey | Clause::DropIndex { .. } => {
            return None;
        }
    })
}

//! ALTER TABLE on a table that has rows: it may change rows that were printed before, and no row event says how. Each such
//! statement gives one warning; if ids change, the run ends.
//!
//! Every clause of a statement comes through here: the place to hook in a schema history, or an option to be strict.

use anyhow::Result;

use super::Steps;
use crate::exit::unreadable;
use crate::row::layouts::IdNow;
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
                    "at {} ALTER TABLE {}.{} … {change} the ids of its rows, and the log does not hold these again: \
                     load again",
                    place, table.0, table.1,
                )));
            }
            self.warn_of_values(table, clauses, place);
        }
        Ok(())
    }

    /// The clause that changes ids of rows, or may do so, with the words for that.
    ///
    /// Where it is known what the ids were made of, a change of keys needs no look here: the next rows tell what the ids
    /// are made of then, in this run or, as that is saved with the position, in a later one.
    fn id_change(&mut self, table: &FullName, clauses: &[Clause]) -> Result<Option<String>> {
        let Some(id) = self.layouts.tables_known.id(table) else {
            let change = self.unseen_id_change(table, clauses)?;
            return Ok(change.map(|change| format!("{change} may have changed")));
        };
        let of_id = |name: &Identifier| {
            let name = name.as_ref()?;
            id.iter().find(|column| column.name.eq_ignore_ascii_case(name))
        };
        let change = clauses.iter().find_map(|clause| match clause {
            Clause::DropColumn { name } => of_id(name).map(|column| (column, "DROP COLUMN")),
            Clause::ChangeColumn { from, type_word, .. } => of_id(from)
                .filter(|column| prints_as(&column.class, type_word) == Some(false))
                .map(|column| (column, "MODIFY")),
            _ => None,
        });
        Ok(change.map(|(column, what)| format!("{what} `{}` changed", column.name)))
    }

    /// The clause that may have changed ids of rows of which this run knows nothing: they may have been made of what the
    /// clause changes, unless `--id` names other columns, or the table has a primary key now that it had all along.
    fn unseen_id_change(&mut self, table: &FullName, clauses: &[Clause]) -> Result<Option<String>> {
        let key = clauses.iter().find_map(|clause| match clause {
            Clause::AddPrimaryKey => Some("ADD PRIMARY KEY"),
            Clause::DropPrimaryKey => Some("DROP PRIMARY KEY"),
            _ => None,
        });
        if let Some(key) = key
            && !self.layouts.has_id_rule(table)
        {
            return Ok(Some(key.to_string()));
        }
        let may_matter = |clause: &Clause| match clause {
            Clause::DropColumn { .. } | Clause::DropIndex { .. } => true,
            Clause::ChangeColumn { type_word, .. } => !is_integer(type_word),
            _ => false,
        };
        if !clauses.iter().any(may_matter) {
            return Ok(None);
        }
        // Of a table that is gone by now, or with nobody to ask, nothing can be told.
        let Some(now) = self.layouts.id_now(table)? else { return Ok(None) };
        Ok(clauses.iter().find_map(|clause| may_change(clause, &now)))
    }

    /// Takes in what columns of ids are called from now on.
    pub(super) fn take_in_new_names(&mut self, table: &FullName, clauses: &[Clause]) {
        let renames = clauses.iter().filter_map(|clause| match clause {
            Clause::RenameColumn { from: Some(from), to: Some(to) }
            | Clause::ChangeColumn { from: Some(from), to: Some(to), .. }
                if from != to =>
            {
                Some((from.as_str(), to.as_str()))
            }
            _ => None,
        });
        self.layouts.tables_known.columns_renamed(table, &renames.collect::<Vec<_>>());
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

/// What a clause does that may have changed ids, of which only this is known.
fn may_change(clause: &Clause, now: &IdNow) -> Option<String> {
    let is_of_id = |name: &str| now.columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    let quoted = |name: &Identifier| name.as_deref().unwrap_or("?").to_string();
    match clause {
        Clause::DropColumn { name } => {
            let may = match now.is_given {
                true => name.as_deref().is_some_and(is_of_id),
                false => !now.is_primary_key,
            };
            may.then(|| format!("DROP COLUMN `{}`", quoted(name)))
        }
        Clause::DropIndex { name } => {
            (!now.is_given && !now.is_primary_key).then(|| format!("DROP INDEX `{}`", quoted(name)))
        }
        Clause::ChangeColumn { to: Some(to), type_word, .. } => {
            (!is_integer(type_word) && is_of_id(to)).then(|| format!("MODIFY `{to}`"))
        }
        _ => None,
    }
}

/// Nearly always an integer was one before, only shorter.
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

//! ALTER TABLE on a table that has rows: it may change rows that were printed before, and no row event says how. Each such
//! statement gives one warning; if ids change, the run ends.
//!
//! Every clause of every ALTER TABLE comes through here. A schema history, or an option to be strict, would hook in
//! here.

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
                    "at {} ALTER TABLE {}.{} … {change} the ids of its rows, and the log does not repeat these rows: \
                     load again",
                    place, table.0, table.1,
                )));
            }
            self.warn_of_values(table, clauses, place);
        }
        Ok(())
    }

    /// Describes the clause that changed ids of existing rows, or may have changed them.
    ///
    /// If the id columns are known, changes of keys are not judged here: `Layouts` compares the id columns when the
    /// next rows come. They are saved with the position, so a later run compares them, too.
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

    /// [`Steps::id_change`] for a table whose id columns are not known. Any column may have been one of them, unless
    /// `--id` names others, or the table has a primary key now and had it before the statement.
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
        // Without a server, or if the table is gone by now, the id columns stay unknown.
        let Some(now) = self.layouts.id_now(table)? else { return Ok(None) };
        Ok(clauses.iter().find_map(|clause| may_change(clause, &now)))
    }

    /// Records new names of id columns.
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

/// Describes a clause that may have changed ids. Of the id columns only those of `now` are known.
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

/// Whether a type is an integer. A column that an ALTER makes an integer was nearly always a shorter one before, and
/// prints the same.
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

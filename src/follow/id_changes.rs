//! Which ALTER TABLE changes the ids of rows that were printed before. Each is judged where it stands in the log: a later
//! run may begin right after it, and no longer know the id columns from before.

use anyhow::Result;

use super::Steps;
use super::altered::{quoted, renames};
use crate::position::IdColumn;
use crate::row::layouts::IdNow;
use crate::schema::known::{FullName, prints_as};
use crate::sql::effect::{Clause, Identifier};

impl Steps<'_> {
    /// Describes the clause that changed ids of existing rows, or may have changed them.
    pub(super) fn id_change(&mut self, table: &FullName, clauses: &[Clause]) -> Result<Option<String>> {
        let id = self.layouts.tables_known.id(table).map(<[IdColumn]>::to_vec);
        let Some(id) = id.or_else(|| self.layouts.id_by_definition(table)) else {
            let change = self.unseen_id_change(table, clauses)?;
            return Ok(change.map(|change| format!("{change} may have changed")));
        };
        // The next rows warn if the id was null.
        if id.is_empty() {
            return Ok(None);
        }
        if let Some(change) = self.id_column_change(table, &id, clauses)? {
            return Ok(Some(change));
        }
        match self.layouts.has_id_rule(table) {
            true => Ok(None),
            false => self.key_change(table, &id, clauses),
        }
    }

    /// Describes the clause that dropped a column of the id `id`, or changed how its values print.
    fn id_column_change(
        &mut self,
        table: &FullName,
        id: &[IdColumn],
        clauses: &[Clause],
    ) -> Result<Option<String>> {
        let of_id = |name: &Identifier| {
            let name = name.as_ref()?;
            id.iter().find(|column| column.name.eq_ignore_ascii_case(name))
        };
        for clause in clauses {
            match clause {
                Clause::DropColumn { name } if of_id(name).is_some() => {
                    return Ok(Some(format!("DROP COLUMN {} changed", quoted(name))));
                }
                Clause::ChangeColumn { from, to, type_word, .. } => {
                    let Some(column) = of_id(from) else { continue };
                    let changed = match prints_as(&column.class, type_word) {
                        Some(same) => (!same).then_some("changed"),
                        // The length or the decimals decide. Without a server, or if the table is gone by now, the
                        // next rows tell.
                        None => {
                            let now = self.layouts.class_now(table, to.as_deref().unwrap_or_default())?;
                            now.is_some_and(|now| now != column.class).then_some("may have changed")
                        }
                    };
                    if let Some(changed) = changed {
                        return Ok(Some(format!("MODIFY {} {changed}", quoted(from))));
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Describes the clause that made other columns the id than those of `id`, or may have done so.
    fn key_change(
        &mut self,
        table: &FullName,
        id: &[IdColumn],
        clauses: &[Clause],
    ) -> Result<Option<String>> {
        let renames = renames(clauses);
        let new_name = |name: &str| {
            renames.iter().find(|(from, _)| from.eq_ignore_ascii_case(name)).map(|(_, to)| to.to_string())
        };
        let id: Vec<String> =
            id.iter().map(|column| new_name(&column.name).unwrap_or_else(|| column.name.clone())).collect();
        let primary = clauses.iter().rev().find_map(|clause| match clause {
            Clause::AddPrimaryKey { columns } => Some(columns),
            _ => None,
        });
        if let Some(columns) = primary {
            let names: Vec<String> = columns.iter().map(quoted).collect();
            return Ok(
                (!is_key_of(columns, &id)).then(|| format!("ADD PRIMARY KEY ({}) changed", names.join(", ")))
            );
        }
        // A unique key of the same columns takes the place of the primary key.
        let is_replaced = || {
            clauses
                .iter()
                .any(|clause| matches!(clause, Clause::AddUniqueKey { columns } if is_key_of(columns, &id)))
        };
        if clauses.contains(&Clause::DropPrimaryKey) && !is_replaced() {
            return Ok(Some("DROP PRIMARY KEY changed".to_string()));
        }
        let Some(change) = clauses.iter().find_map(|clause| moves_id(clause, &id)) else { return Ok(None) };
        // Without a server, or if the table is gone by now, the next rows tell.
        let Some(now) = self.layouts.id_now(table)? else { return Ok(None) };
        // If the primary key is younger than this statement, its ADD PRIMARY KEY ends the run, unless it has the same
        // columns.
        let stays = now.is_primary_key() || same_names(now.columns.iter().map(String::as_str), &id);
        Ok((!stays).then(|| format!("{change} may have changed")))
    }

    /// [`Steps::id_change`] for a table whose id columns are not known. Any column may have been one of them, unless
    /// `--id` names others, or the table has a primary key now and had it before the statement.
    fn unseen_id_change(&mut self, table: &FullName, clauses: &[Clause]) -> Result<Option<String>> {
        let key = clauses.iter().find_map(|clause| match clause {
            Clause::AddPrimaryKey { .. } => Some("ADD PRIMARY KEY"),
            Clause::DropPrimaryKey => Some("DROP PRIMARY KEY"),
            _ => None,
        });
        if let Some(key) = key
            && !self.layouts.has_id_rule(table)
        {
            return Ok(Some(key.to_string()));
        }
        let may_matter = |clause: &Clause| {
            matches!(
                clause,
                Clause::DropColumn { .. } | Clause::DropIndex { .. } | Clause::ChangeColumn { .. }
            )
        };
        if !clauses.iter().any(may_matter) {
            return Ok(None);
        }
        // Without a server, or if the table is gone by now, the id columns stay unknown.
        let Some(now) = self.layouts.id_now(table)? else { return Ok(None) };
        Ok(clauses.iter().find_map(|clause| may_change(clause, &now)))
    }
}

/// Describes a clause after which another key may be the first unique key of NOT NULL columns. `id` holds the id columns
/// under their new names.
fn moves_id(clause: &Clause, id: &[String]) -> Option<String> {
    let is_of_id = |name: &Identifier| {
        name.as_deref().is_some_and(|name| id.iter().any(|column| column.eq_ignore_ascii_case(name)))
    };
    match clause {
        Clause::DropPrimaryKey => Some("DROP PRIMARY KEY".to_string()),
        Clause::DropIndex { name } => Some(format!("DROP INDEX {}", quoted(name))),
        Clause::AddUniqueKey { .. } => Some("ADD UNIQUE".to_string()),
        Clause::ChangeColumn { to, not_null, .. } if *not_null != is_of_id(to) => {
            Some(format!("MODIFY {}", quoted(to)))
        }
        _ => None,
    }
}

/// Whether a key has exactly these columns.
fn is_key_of(key: &[Identifier], id: &[String]) -> bool {
    same_names(key.iter().map(|column| column.as_deref().unwrap_or_default()), id)
}

fn same_names<'a>(names: impl ExactSizeIterator<Item = &'a str>, id: &[String]) -> bool {
    names.len() == id.len() && names.zip(id).all(|(name, id)| name.eq_ignore_ascii_case(id))
}

/// Describes a clause that may have changed ids. Of the id columns only those of `now` are known.
fn may_change(clause: &Clause, now: &IdNow) -> Option<String> {
    let is_of_id = |name: &str| now.columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    let quoted = |name: &Identifier| name.as_deref().unwrap_or("?").to_string();
    match clause {
        Clause::DropColumn { name } => {
            let may = match now.is_given {
                true => name.as_deref().is_some_and(is_of_id),
                false => !now.is_primary_key(),
            };
            may.then(|| format!("DROP COLUMN `{}`", quoted(name)))
        }
        Clause::DropIndex { name } => {
            (!now.is_given && !now.is_primary_key()).then(|| format!("DROP INDEX `{}`", quoted(name)))
        }
        Clause::ChangeColumn { to: Some(to), type_word, not_null, .. } => {
            // A column that is not there any more may have been the id under its old name.
            let prints_anew = !is_integer(type_word) && (is_of_id(to) || now.lacks(to));
            (prints_anew || now.may_have_moved(to, *not_null)).then(|| format!("MODIFY `{to}`"))
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

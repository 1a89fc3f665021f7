//! The definition of a table before a statement, from the one after it.

use super::column::is_same_name;
use super::keys::PRIMARY;
use super::{Setting, altered, refused};
use crate::schema::definition::{DefinedKey, Definition};
use crate::sql::ddl::{KeyPart, KeySort, KeySpec, Step, Understood};

/// A definition, and the columns that it has besides: dropped later, and not known.
#[derive(Debug, Clone)]
pub struct Partial {
    pub definition: Definition,
    pub unknown: Vec<String>,
}

impl Partial {
    fn lacks(&self, name: &str) -> bool {
        self.unknown.iter().any(|unknown| is_same_name(unknown, name))
    }
}

/// The definition before the clauses of an ALTER TABLE, if it can only have been one.
///
/// Each clause says what it added or renamed. What it removed or replaced, such as the type before a MODIFY, is not known any
/// more; of a dropped column, at least the name is, and it may turn out that another statement added it.
///
/// # Errors
/// When it may have been another one, or not all of the statement is followed.
pub fn before(after: &Partial, steps: &[Step], setting: &Setting<'_>) -> Understood<Partial> {
    let mut before = after.clone();
    let mut seen = Vec::with_capacity(steps.len());
    // As the server goes, backwards: it renames all at once, then adds columns, then keys.
    for step in steps.iter().rev() {
        if is_of_unknown(after, step)? {
            continue;
        }
        match step {
            Step::AddKey { key, if_not_exists: false, replaces: false } => {
                remove_key(&mut before.definition, key)?;
            }
            // Its keys are clauses of their own.
            Step::AddColumn { if_not_exists: false, .. } => {}
            Step::DropColumn { name, if_exists: false } => {
                if after.lacks(name) || after.definition.column_number(name).is_some() {
                    return refused(format!("DROP COLUMN `{name}`, which is there"));
                }
                before.unknown.push(name.clone());
                continue;
            }
            Step::RenameColumn { if_exists: false, .. } | Step::RenameKey { .. } => {}
            Step::Options(options) if options.charset.is_none() => {}
            _ => return refused("a clause that does not say what was before"),
        }
        seen.push(step.clone());
    }
    seen.reverse();
    for step in steps {
        match step {
            Step::AddColumn { column, .. } if after.lacks(&column.name) => {
                before.unknown.retain(|unknown| !is_same_name(unknown, &column.name));
            }
            Step::AddColumn { column, .. } => remove_column(&mut before.definition, &column.name)?,
            _ => {}
        }
    }
    rename(&mut before, steps);
    // Keys without a name got one that depends on the others: the server's way forward decides.
    match altered(&before.definition, &seen, setting)? == after.definition {
        true => Ok(before),
        false => refused("clauses that do not lead to the table as it was afterwards"),
    }
}

/// Whether a clause is about a column that is not known: then it leaves the others as they are.
fn is_of_unknown(after: &Partial, step: &Step) -> Understood<bool> {
    Ok(match step {
        Step::AddColumn { column, .. } => after.lacks(&column.name),
        Step::RenameColumn { to, .. } => after.lacks(to),
        Step::AddKey { key, .. } => {
            let lacks = |part: &KeyPart| part.column.as_ref().is_some_and(|name| after.lacks(name));
            match key.columns.iter().filter(|part| lacks(part)).count() {
                0 => false,
                lacking if lacking == key.columns.len() => true,
                // It lost the column, and may have changed its name.
                _ => return refused("a key of a column that was dropped"),
            }
        }
        _ => false,
    })
}

/// Removes a column that a clause added.
fn remove_column(definition: &mut Definition, name: &str) -> Understood<()> {
    let is_it = |other: &str| is_same_name(other, name);
    let Some(at) = definition.columns.iter().position(|column| is_it(&column.name)) else {
        return refused(format!("ADD COLUMN `{name}`, which is gone"));
    };
    if definition.keys.iter().any(|key| key.columns.iter().flatten().any(|name| is_it(name))) {
        return refused(format!("a key of column `{name}` that no clause adds"));
    }
    definition.columns.remove(at);
    Ok(())
}

/// Gives columns and keys their names before the clauses.
fn rename(before: &mut Partial, steps: &[Step]) {
    let column_before = |name: &mut String| {
        let before = steps.iter().find_map(|step| match step {
            Step::RenameColumn { from, to, .. } if is_same_name(to, name) => Some(from),
            _ => None,
        });
        if let Some(before) = before {
            name.clone_from(before);
        }
    };
    before.unknown.iter_mut().for_each(column_before);
    before.definition.columns.iter_mut().for_each(|column| column_before(&mut column.name));
    for key in &mut before.definition.keys {
        key.columns.iter_mut().flatten().for_each(column_before);
        let before = steps.iter().find_map(|step| match step {
            Step::RenameKey { from, to } if is_same_name(to, &key.name) => Some(from),
            _ => None,
        });
        if let Some(before) = before {
            key.name.clone_from(before);
        }
    }
}

/// Removes the key that a clause added.
fn remove_key(definition: &mut Definition, added: &KeySpec) -> Understood<()> {
    let is_unique = match added.kind {
        // It made its columns NOT NULL, whatever they were.
        KeySort::Primary => return refused("ADD PRIMARY KEY"),
        // Another key may have been replaced by its own.
        KeySort::Foreign => return refused("ADD FOREIGN KEY"),
        KeySort::Unique => true,
        KeySort::Plain | KeySort::Fulltext | KeySort::Spatial | KeySort::Vector => false,
    };
    let is_same = |(one, other): (&Option<String>, &Option<String>)| match (one, other) {
        (Some(one), Some(other)) => is_same_name(one, other),
        _ => false,
    };
    let columns: Vec<Option<String>> = added.columns.iter().map(|part| part.column.clone()).collect();
    let is_it = |key: &DefinedKey| {
        key.name != PRIMARY
            && key.is_unique == is_unique
            && added.name.as_ref().is_none_or(|name| is_same_name(name, &key.name))
            && key.columns.len() == columns.len()
            && key.columns.iter().zip(&columns).all(is_same)
    };
    // Of several without a name, the last one was added last.
    match definition.keys.iter().rposition(is_it) {
        Some(at) => _ = definition.keys.remove(at),
        None => return refused("an index that is gone"),
    }
    Ok(())
}

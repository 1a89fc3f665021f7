//! The definition of a table after a statement, from the one before it, as the server makes it.
//!
//! Source: `mysql_prepare_create_table` and `mysql_prepare_alter_table` in the servers' `sql_table.cc`; what they make of a
//! statement quietly was seen on each server, and `tests/suite/ddl` compares it with information_schema.

mod column;
mod keys;
#[cfg(test)]
mod tests;
mod undo;

use super::definition::{DefinedColumn, DefinedKey, Definition, HiddenParts};
use crate::sql::ddl::{
    Base, CharsetSpec, ColumnPlace, NotUnderstood, Step, TableBody, TableOptions, Understood,
};
use crate::sql::tokens::Session;
use column::{converted, defined, is_same_name};
use keys::Keys;
pub use undo::{Partial, before};

/// What a statement's outcome depends on, beside its text.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    pub session: &'a Session,
    /// The database's character set; `None` if it is not known.
    pub database_charset: Option<&'a str>,
}

impl Setting<'_> {
    fn is_mariadb(&self) -> bool {
        self.session.is_mariadb()
    }

    /// Whether a TIMESTAMP may be NULL unless it says otherwise. If the log does not tell, the server's default counts.
    fn explicit_timestamps(&self) -> bool {
        let by_default = || {
            let writer = self.session.writer?;
            Some(if writer.is_mariadb() {
                writer.is_mariadb_from(10, 10, 0)
            } else {
                writer.is_mysql_from(8, 0, 2)
            })
        };
        self.session.explicit_timestamps.or_else(by_default).unwrap_or(true)
    }
}

fn refused<T>(why: impl Into<String>) -> Understood<T> {
    Err(NotUnderstood(why.into()))
}

/// The definition that a CREATE TABLE makes.
///
/// # Errors
/// When not all of it is followed.
pub fn created(body: &TableBody, setting: &Setting<'_>) -> Understood<Definition> {
    check_options(&body.options)?;
    let database = setting.database_charset;
    let charset = match &body.options.charset {
        Some(CharsetSpec::Named(name)) => name.clone(),
        // Where it is needed, and not known, it is missed below.
        _ => database.unwrap_or_default().to_string(),
    };
    let mut columns = Vec::with_capacity(body.columns.len());
    for column in &body.columns {
        columns.push(defined(column, &charset, setting)?);
    }
    let engine = body.options.engine.as_deref().map(engine_name).unwrap_or_default();
    let mut keys = Keys::of(Vec::new(), &[]);
    for key in &body.keys {
        keys.add(key, &columns, &engine, setting)?;
    }
    finished(columns, keys, charset, engine, setting)
}

/// The definition that CREATE TABLE … LIKE makes: the server may put the indexes in another order.
///
/// # Errors
/// When it is not followed.
pub fn copied(like: &Definition, setting: &Setting<'_>) -> Understood<Definition> {
    if like.hidden != HiddenParts::default() {
        return Ok(like.clone());
    }
    let keys = Keys::of(like.keys.clone(), &like.columns).sorted_anew();
    finished(like.columns.clone(), keys, like.charset.clone(), like.engine.clone(), setting)
}

/// The definition after the clauses of an ALTER TABLE.
///
/// # Errors
/// When not all of it is followed.
pub fn altered(before: &Definition, steps: &[Step], setting: &Setting<'_>) -> Understood<Definition> {
    if steps.iter().all(|step| matches!(step, Step::Options(options) if *options == TableOptions::default()))
    {
        return Ok(before.clone());
    }
    if before.hidden != HiddenParts::default() {
        return refused("ALTER of a table with hidden columns");
    }
    let (mut charset, mut engine) = (before.charset.clone(), before.engine.clone());
    let mut convert = None;
    for step in steps {
        match step {
            Step::Options(options) => {
                check_options(options)?;
                engine = options.engine.as_deref().map_or(engine, engine_name);
                match &options.charset {
                    Some(CharsetSpec::Named(name)) => charset = name.clone(),
                    Some(CharsetSpec::OfDatabase) => charset = of_database(setting)?,
                    Some(CharsetSpec::Inherited) | None => {}
                }
            }
            Step::ConvertTo(to) => {
                charset = to.clone().map_or_else(|| of_database(setting), Ok)?;
                convert = Some(charset.clone());
            }
            _ => {}
        }
    }
    if convert.is_some() {
        check_converted(steps, &charset)?;
    }
    let mut keys = Keys::of(before.keys.clone(), &before.columns);
    let mut columns = columns_after(before, steps, &charset, &mut keys, setting)?;
    if let Some(charset) = convert {
        for column in columns.iter_mut().filter(|column| column.charset.is_some()) {
            *column = converted(column, &charset)?;
        }
        // Seen on 5.6: with nothing to convert, the table's character set stays, unless other clauses have it copied.
        let is_before_5_7 = setting.session.writer.is_some_and(|writer| !writer.is_mysql_from(5, 7, 0));
        if is_before_5_7 && !setting.is_mariadb() && columns == before.columns && charset != before.charset {
            return refused("CONVERT TO of a table without text");
        }
    }
    keys.types_changed(before, &columns, steps)?;
    keys.drop_and_rename(steps)?;
    for step in steps {
        keys.step(step, &columns, &engine, setting)?;
    }
    finished(columns, keys, charset, engine, setting)
}

/// # Errors
/// When what CONVERT TO makes of another clause is not known: of the size of a new TEXT with a character set of its own, and
/// of another default character set (servers differ in that by the order and by the columns).
fn check_converted(steps: &[Step], to: &str) -> Understood<()> {
    let is_odd = |step: &Step| match step {
        Step::AddColumn { column, .. } | Step::ChangeColumn { column, .. } => {
            matches!(column.kind.base, Base::Text(_) | Base::TextOf(_) | Base::Varchar(_))
                && column.kind.charset != CharsetSpec::Inherited
        }
        Step::Options(options) => {
            options.charset.as_ref().is_some_and(|charset| *charset != CharsetSpec::Named(to.to_string()))
        }
        _ => false,
    };
    match steps.iter().any(is_odd) {
        true => refused("CONVERT TO beside another character set"),
        false => Ok(()),
    }
}

/// An engine's name in the catalog. Some have a second one.
fn engine_name(name: &str) -> String {
    match name {
        "heap" => "memory".into(),
        "merge" => "mrg_myisam".into(),
        "innobase" => "innodb".into(),
        "maria" => "aria".into(),
        "ndb" => "ndbcluster".into(),
        name => name.to_string(),
    }
}

fn of_database(setting: &Setting<'_>) -> Understood<String> {
    match setting.database_charset {
        Some(charset) => Ok(charset.to_string()),
        None => refused("the character set of the database"),
    }
}

fn check_options(options: &TableOptions) -> Understood<()> {
    match options.has_versioning || options.has_history_partitions {
        true => refused("system versioning"),
        false => Ok(()),
    }
}

/// Primary keys make their columns NOT NULL, and keys get the server's order.
fn finished(
    mut columns: Vec<DefinedColumn>,
    keys: Keys,
    charset: String,
    engine: String,
    setting: &Setting<'_>,
) -> Understood<Definition> {
    if columns.is_empty() {
        return refused("a table without columns");
    }
    let keys: Vec<DefinedKey> = keys.finished(&mut columns, &engine, setting)?;
    if keys.iter().any(|key| key.columns.iter().any(Option::is_none)) {
        return refused("an index on an expression");
    }
    Ok(Definition { columns, keys, charset, engine, hidden: HiddenParts::default() })
}

/// The columns after the clauses, in order. As in the server, each column that no AFTER or FIRST moves stays where it was;
/// then those that are moved and the new ones come in, in the order of the statement.
fn columns_after(
    before: &Definition,
    steps: &[Step],
    charset: &str,
    keys: &mut Keys,
    setting: &Setting<'_>,
) -> Understood<Vec<DefinedColumn>> {
    check_names(before, steps)?;
    let mut columns = Vec::new();
    // Renames take place at once: two columns may change names.
    let mut renames: Vec<(&str, &str)> = Vec::new();
    let mut dropped: Vec<&str> = Vec::new();
    for column in &before.columns {
        let is_it = |name: &str| is_same_name(name, &column.name);
        let mut stays = Some(column.clone());
        for step in steps {
            match step {
                Step::DropColumn { name, .. } if is_it(name) => {
                    stays = None;
                    dropped.push(&column.name);
                }
                Step::ChangeColumn { from, column: spec, place, .. } if is_it(from) => {
                    renames.push((&column.name, &spec.name));
                    stays = match place {
                        None => Some(defined(spec, charset, setting)?),
                        Some(_) => None,
                    };
                }
                Step::RenameColumn { from, to, .. } if is_it(from) => {
                    renames.push((&column.name, to));
                    stays = stays.map(|stays| DefinedColumn { name: to.clone(), ..stays });
                }
                Step::SetInvisible { column: name, invisible } if is_it(name) => {
                    stays = stays.map(|stays| DefinedColumn { invisible: *invisible, ..stays });
                }
                _ => {}
            }
        }
        columns.extend(stays);
    }
    for step in steps {
        match step {
            Step::AddColumn { column, place, if_not_exists } => {
                let exists = columns.iter().any(|known| is_same_name(&known.name, &column.name));
                match (exists, if_not_exists) {
                    (true, true) => {}
                    (true, false) => return refused(format!("ADD COLUMN `{}`, which exists", column.name)),
                    (false, _) => put(&mut columns, defined(column, charset, setting)?, place.as_ref())?,
                }
            }
            Step::ChangeColumn { from, column, place: Some(place), .. } => {
                // With IF EXISTS it may not be there.
                if !before.columns.iter().any(|old| is_same_name(&old.name, from)) {
                    continue;
                }
                put(&mut columns, defined(column, charset, setting)?, Some(place))?;
            }
            _ => {}
        }
    }
    keys.columns_changed(&before.columns, &dropped, &renames)?;
    Ok(columns)
}

/// Whether it is the primary key that MySQL adds to tables without one (sql_generate_invisible_primary_key).
fn is_made_key(column: &DefinedColumn) -> bool {
    column.name == "my_row_id" && column.invisible && column.kind.starts_with("bigint") && !column.nullable
}

fn put(
    columns: &mut Vec<DefinedColumn>,
    column: DefinedColumn,
    place: Option<&ColumnPlace>,
) -> Understood<()> {
    let at = match place {
        None => columns.len(),
        // Behind a primary key that the server made.
        Some(ColumnPlace::First) => columns.first().is_some_and(is_made_key).into(),
        Some(ColumnPlace::After(name)) => {
            match columns.iter().position(|known| is_same_name(&known.name, name)) {
                Some(at) => at + 1,
                None => return refused(format!("AFTER `{name}`, which is not known")),
            }
        }
    };
    columns.insert(at, column);
    Ok(())
}

/// # Errors
/// When a clause names a column that the definition does not have: then it is not the one that the server altered.
fn check_names(before: &Definition, steps: &[Step]) -> Understood<()> {
    for step in steps {
        let (name, may_lack) = match step {
            Step::ChangeColumn { from, if_exists, .. } | Step::RenameColumn { from, if_exists, .. } => {
                (from, *if_exists)
            }
            Step::DropColumn { name, if_exists } => (name, *if_exists),
            Step::SetInvisible { column, .. } => (column, false),
            _ => continue,
        };
        let is_known = before.columns.iter().any(|column| is_same_name(&column.name, name));
        // A column that the same statement adds may be changed there (MariaDB).
        if !is_known && !may_lack {
            return refused(format!("column `{name}`, which is not known"));
        }
    }
    Ok(())
}

//! The effects of a statement with full names.

use anyhow::Result;

use crate::binlog::query::Query;
use crate::exit::unreadable;
use crate::schema::known::FullName;
use crate::schema::mysql50;
use crate::schema::selection::Selection;
use crate::source::framing::Place;
use crate::sql::effect::{DatabaseChange, Effect, TableChange, TableName};

/// An effect with full names: a table's with its database, and folded to lower case if the server compares names so. If
/// a name is not valid text, and no table of its database is selected, it is empty.
pub type FullEffect = Effect<FullName, String>;

/// Whether a statement may have changed a table's definition. Names that differ only in case count as the same, because a log
/// does not always say how its server compares them.
pub fn is_changed(effects: &[FullEffect], database: &str, table: &str) -> bool {
    let same =
        |a: &str, b: &str| a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase));
    let is_it = |name: &FullName| same(&name.1, table) && same(&name.0, database);
    effects.iter().any(|effect| match effect {
        Effect::Table(name, TableChange::RenamedTo(to)) => is_it(name) || is_it(to),
        Effect::Table(name, _) => is_it(name),
        Effect::Database(name, _) => same(name, database),
        Effect::Data { .. } => true,
    })
}

/// The effect with full names, as the server compares them. Nothing else converts names.
///
/// # Errors
/// Exit 4 when a name is not valid text, and may be a selected table's or database's.
pub fn full_effect(
    selection: &Selection,
    effect: Effect,
    query: &Query<'_>,
    place: &Place,
) -> Result<FullEffect> {
    let full = |name: TableName| full(selection, name, query, place);
    Ok(match effect {
        Effect::Data { verb } => Effect::Data { verb },
        Effect::Database(_, DatabaseChange::Altered) => {
            Effect::Database(String::new(), DatabaseChange::Altered)
        }
        Effect::Database(Some(name), change) => {
            Effect::Database(understood(selection, name, query, place)?, change)
        }
        Effect::Database(None, _) => return Err(illegible("database", place)),
        // Data in statement format ends the run whatever the table's name is.
        Effect::Table(name, TableChange::Data { verb, alone, deletes_all }) => match full(name) {
            Ok(table) => Effect::Table(table, TableChange::Data { verb, alone, deletes_all }),
            Err(_) => Effect::Data { verb },
        },
        Effect::Table(name, change) => Effect::Table(full(name)?, change.with_names(full)?),
    })
}

/// A table's full name.
///
/// # Errors
/// Exit 4 when the name is not valid text, and may be a selected table's.
fn full(selection: &Selection, name: TableName, query: &Query<'_>, place: &Place) -> Result<FullName> {
    let default = || std::str::from_utf8(query.database).ok().map(str::to_string);
    let database = name.database.unwrap_or_else(default);
    let database = database.map(|name| understood(selection, name, query, place)).transpose()?;
    match (database, name.table) {
        (Some(database), Some(table)) => match understood(selection, table, query, place) {
            Err(_) if !selection.selects_some_of(&database) => Ok((database, String::new())),
            table => Ok((database, table?)),
        },
        (Some(database), None) if !selection.selects_some_of(&database) => Ok((database, String::new())),
        _ => Err(illegible("table", place)),
    }
}

/// A name as the server understands and compares it.
fn understood(selection: &Selection, name: String, query: &Query<'_>, place: &Place) -> Result<String> {
    match mysql50::understood(&name, query.session.writer) {
        Ok(same) if same.len() == name.len() => Ok(selection.folded(name)),
        Ok(real) => Ok(selection.folded(real.to_string())),
        Err(why) => Err(unreadable(format!("at {place} {why}"))),
    }
}

fn illegible(what: &str, place: &Place) -> anyhow::Error {
    unreadable(format!(
        "the statement at {} names a {what} in bytes that are not valid in the client's character set: cannot \
         tell which {what} it is. Load again",
        place
    ))
}

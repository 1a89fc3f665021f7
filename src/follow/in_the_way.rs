//! Which statements make a catalog's definition doubtful for rows that were logged before them.
//!
//! A clause counts unless it is certain to leave names, order, types and id as they are. New indexes, comments, defaults,
//! partitions, foreign keys and engines are such, and have no clause here. So is EXCHANGE PARTITION: both tables keep their
//! definitions.

use super::full_effect::FullEffect;
use super::look_ahead::Ahead;
use crate::exit::unreadable;
use crate::row::from_catalog::FromCatalog;
use crate::schema::known::FullName;
use crate::schema::{Id, Table};
use crate::source::framing::Place;
use crate::sql::effect::{Clause, DatabaseChange, Effect, Identifier, TableChange};

/// First words of statements that change rows, but no definition.
const NO_DDL: [&str; 8] = ["INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD", "WITH", "DO", "SELECT"];

/// Whether an effect may change the definition of some table that existed before.
pub fn may_matter(effect: &FullEffect) -> bool {
    match effect {
        Effect::Table(_, change) => match change {
            TableChange::Altered(clauses) => !clauses.is_empty(),
            // A table that has rows before exists, so that nothing happened.
            TableChange::Created { if_not_exists, replaces, .. } => *replaces || !if_not_exists,
            TableChange::Data { verb, .. } => verb.starts_with("CREATE"),
            TableChange::Gone
            | TableChange::RenamedTo(_)
            | TableChange::SequenceCreated { replaces: true, .. } => true,
            TableChange::Emptied
            | TableChange::Merges(_)
            // The columns that they add and remove are hidden; the others are clauses of their own.
            | TableChange::VersioningAdded
            | TableChange::VersioningDropped
            | TableChange::ForeignKeysAdded(_)
            | TableChange::ForeignKeyDropped { .. }
            | TableChange::Unlogged(_)
            | TableChange::SequenceCreated { replaces: false, .. }
            | TableChange::SequenceGone
            | TableChange::TemporaryCreated
            | TableChange::TemporaryGone => false,
        },
        Effect::Database(_, change) => *change == DatabaseChange::Dropped,
        Effect::Data { verb } => !NO_DDL.iter().any(|word| verb.split(' ').next() == Some(word)),
    }
}

/// Whether one of the effects makes a definition doubtful. Names that differ only in case count as the same: see
/// [`super::full_effect::is_changed`].
pub fn is_in_the_way(effects: &[FullEffect], definition: &FromCatalog) -> bool {
    let table = &definition.table;
    let is_it = |name: &FullName| same(&name.1, &table.name) && same(&name.0, &table.database);
    effects.iter().filter(|effect| may_matter(effect)).any(|effect| match effect {
        Effect::Table(name, TableChange::Altered(clauses)) => {
            is_it(name) && clauses.iter().any(|clause| is_doubt(clause, definition))
        }
        Effect::Table(name, TableChange::RenamedTo(to)) => is_it(name) || is_it(to),
        Effect::Table(name, _) => is_it(name),
        Effect::Database(name, _) => same(name, &table.database),
        Effect::Data { .. } => true,
    })
}

/// Whether a clause of an ALTER of the table makes its definition doubtful.
fn is_doubt(clause: &Clause, definition: &FromCatalog) -> bool {
    let table = &definition.table;
    // With a primary key before and after, other keys are never the id.
    let by_other_key = !definition.id_is_given && !table.has_primary_key;
    match clause {
        Clause::AddColumn { .. } => !definition.only_id,
        Clause::DropColumn { .. } => !definition.only_id || by_other_key,
        Clause::RenameColumn { .. } => true,
        Clause::ChangeColumn { from, to, moves, .. } => {
            let is_same = from == to && !moves;
            let is_proved = definition.only_id || to.as_ref().is_some_and(|name| definition.is_proved(name));
            // A column that may be NULL makes no id.
            let has_keys = definition.only_id || !table.unique_keys.is_empty();
            !is_same || !is_proved || by_other_key && has_keys
        }
        Clause::ConvertCharset => !definition.only_id && !definition.is_proved_but_for_charset(),
        Clause::AddPrimaryKey { .. } | Clause::DropPrimaryKey => !definition.id_is_given,
        Clause::AddUniqueKey { columns } => by_other_key && is_id(columns, definition),
        Clause::DropIndex { .. } => by_other_key,
    }
}

/// Whether a new key has the columns of the id, in any order; also if that is not certain.
fn is_id(columns: &[Identifier], definition: &FromCatalog) -> bool {
    let Id::Columns(id) = &definition.table.id else { return false };
    let numbers = columns.iter().map(|name| definition.table.column_number(name.as_deref()?));
    match numbers.collect::<Option<Vec<usize>>>() {
        Some(mut key) => {
            let mut id = id.clone();
            key.sort_unstable();
            id.sort_unstable();
            key == id
        }
        None => true,
    }
}

/// Names that differ only in case count as the same.
pub(super) fn same(a: &str, b: &str) -> bool {
    a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}

/// The error of rows before such a statement.
pub fn error(
    definition: &FromCatalog,
    ahead: &Ahead,
    place: &Place,
    not_followed: Option<&str>,
    or_log_names: &str,
) -> anyhow::Error {
    let Table { database, name, .. } = &definition.table;
    // Otherwise the definition would be known from there on.
    let not_followed = not_followed.map(|what| format!(" (dumpa does not follow the statement {what})"));
    let not_followed = not_followed.unwrap_or_default();
    if let Some(misfit) = &definition.misfit {
        return unreadable(format!(
            "{misfit}. The table was altered since, at {} ({}){not_followed}: load again{or_log_names}",
            ahead.place(),
            ahead.shown()
        ));
    }
    let what = match definition.only_id {
        true => "the columns that make up the id of",
        false => "the column names and types of",
    };
    unreadable(format!(
        "the rows of {database}.{name} at {place} cannot be read for certain: the log lacks {what} the table, and the \
         statement at {} may have changed them before the server was asked ({}){not_followed}. Load again; or, if you know \
         that they are the same now, give --trust-catalog",
        ahead.place(),
        ahead.shown()
    ))
}

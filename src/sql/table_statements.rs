//! Statements that create, drop, empty, rename and alter tables and databases.
//!
//! Source: the manuals of MySQL 5.6 to 9.7 (Data Definition Statements) and of MariaDB (Data Definition).

use super::alter;
use super::effect::{DatabaseChange, Effect, Effects, TableChange, TableName, data};
use super::foreign_keys;
use super::other_objects;
use super::reader::Reader;
use super::table_options::Options;

const DATABASE: [&str; 2] = ["database", "schema"];
const TABLES: [&str; 2] = ["table", "tables"];

/// `TRUNCATE [TABLE] t`
pub(super) fn truncate(mut reader: Reader<'_>) -> Effects {
    reader.accept("table");
    match reader.table() {
        Some(table) => vec![Effect::Table(table, TableChange::Emptied)],
        None => data("truncate"),
    }
}

/// DROP TABLE a, b; DROP DATABASE d; DROP INDEX i ON t; DROP of any other object.
pub(super) fn drop(mut reader: Reader<'_>) -> Effects {
    let temporary = reader.accept("temporary");
    if reader.accept_any(&DATABASE) {
        reader.accept_all(&["if", "exists"]);
        let database = reader.name().unwrap_or_default();
        return vec![Effect::Database(database, DatabaseChange::Dropped)];
    }
    while reader.accept_any(&["online", "offline"]) {}
    if reader.accept("index") {
        return drop_index(reader);
    }
    let is_sequence = reader.accept("sequence");
    if !is_sequence && !reader.accept_any(&TABLES) {
        return other_objects::definition("drop", reader);
    }
    reader.accept_all(&["if", "exists"]);
    let change = match is_sequence {
        _ if temporary => TableChange::TemporaryGone,
        true => TableChange::SequenceGone,
        false => TableChange::Gone,
    };
    let mut effects = Vec::new();
    loop {
        // If the name cannot be parsed, it could be any table.
        let Some(table) = reader.table() else { return data("drop table") };
        effects.push(Effect::Table(table, change.clone()));
        if !reader.accept_symbol(b',') {
            return effects;
        }
    }
}

fn drop_index(mut reader: Reader<'_>) -> Effects {
    reader.accept_all(&["if", "exists"]);
    let Some(name) = reader.name() else { return data("drop index") };
    reader.skip_past("on");
    match reader.table() {
        Some(table) => vec![Effect::Table(table, TableChange::Altered(vec![alter::drop_index(name)]))],
        None => data("drop index"),
    }
}

/// CREATE TABLE, DATABASE and INDEX, and CREATE of any other object.
pub(super) fn create(mut reader: Reader<'_>) -> Effects {
    let replaces = reader.accept_all(&["or", "replace"]);
    if reader.accept_any(&DATABASE) {
        let if_not_exists = reader.accept_all(&["if", "not", "exists"]);
        let database = reader.name().unwrap_or_default();
        let dropped = replaces.then(|| Effect::Database(database.clone(), DatabaseChange::Dropped));
        let created = Effect::Database(database, DatabaseChange::Created { if_not_exists });
        return dropped.into_iter().chain([created]).collect();
    }
    let temporary = reader.accept("temporary");
    while reader.accept_any(&["external", "online", "offline"]) {}
    if reader.accept("table") {
        return create_table(reader, replaces, temporary);
    }
    if reader.accept("sequence") {
        return create_sequence(reader, replaces, temporary);
    }
    let before_index = reader;
    let unique = reader.accept("unique");
    reader.accept_any(&["fulltext", "spatial", "vector"]);
    if !reader.accept("index") {
        return other_objects::definition("create", before_index);
    }
    reader.accept_all(&["if", "not", "exists"]);
    let name = reader.name();
    reader.skip_past("on");
    match reader.table() {
        Some(table) => {
            let replaced = name.filter(|_| replaces).map(alter::drop_index);
            let clauses = replaced.into_iter().chain(alter::add_index(unique, reader)).collect();
            vec![Effect::Table(table, TableChange::Altered(clauses))]
        }
        None => data("create index"),
    }
}

/// `CREATE SEQUENCE [IF NOT EXISTS] s …`
fn create_sequence(mut reader: Reader<'_>, replaces: bool, temporary: bool) -> Effects {
    let if_not_exists = reader.accept_all(&["if", "not", "exists"]);
    let change = match temporary {
        true => TableChange::TemporaryCreated,
        false => TableChange::SequenceCreated { replaces, if_not_exists },
    };
    match reader.table() {
        Some(name) => vec![Effect::Table(name, change)],
        None => data("create sequence"),
    }
}

/// Whether CREATE TABLE makes a sequence: the option `SEQUENCE = 1`, as SHOW CREATE TABLE of a sequence has it.
fn is_sequence(mut reader: Reader<'_>) -> bool {
    reader.parenthesized().is_some() && reader.skip_past("sequence") && {
        reader.accept_symbol(b'=');
        reader.accept("1")
    }
}

fn create_table(mut reader: Reader<'_>, replaces: bool, temporary: bool) -> Effects {
    let if_not_exists = reader.accept_all(&["if", "not", "exists"]);
    let Some(table) = reader.table() else { return data("create table") };
    if temporary {
        return vec![Effect::Table(table, TableChange::TemporaryCreated)];
    }
    if takes_rows(reader) {
        let verb = "CREATE … SELECT".to_string();
        return vec![Effect::Table(table, TableChange::Data { verb, alone: true, deletes_all: false })];
    }
    if is_sequence(reader) {
        return vec![Effect::Table(table, TableChange::SequenceCreated { replaces, if_not_exists })];
    }
    let list = reader.parenthesized();
    let like = list.and_then(like).or_else(|| like(reader));
    let mut effects =
        vec![Effect::Table(table.clone(), TableChange::Created { replaces, if_not_exists, like })];
    let options = Options::read(reader);
    let keys = list.map(foreign_keys::of_list).unwrap_or_default();
    if !keys.is_empty() && !options.ignores_foreign_keys() {
        effects.push(Effect::Table(table.clone(), TableChange::ForeignKeysAdded(keys)));
    }
    effects.extend(options.merged().map(|union| Effect::Table(table, TableChange::Merges(union))));
    effects
}

/// LIKE t, in parentheses or not.
fn like(mut reader: Reader<'_>) -> Option<TableName> {
    if reader.accept("like") { reader.table() } else { None }
}

/// Whether a CREATE TABLE takes rows from somewhere: SELECT, and in MySQL 8.0 TABLE and VALUES (also a word of partition
/// definitions, before LESS or IN). Row format logs CREATE … SELECT without the SELECT, and its rows as events.
fn takes_rows(mut reader: Reader<'_>) -> bool {
    while !reader.is_at_end() {
        if reader.accept_any(&["select", "table"])
            || reader.accept("values") && !reader.is_next(&["less", "in"])
        {
            return true;
        }
        reader.next();
    }
    false
}

/// RENAME TABLE a TO b, c TO d
pub(super) fn rename(mut reader: Reader<'_>) -> Effects {
    reader.accept_all(&["if", "exists"]);
    let mut effects = Vec::new();
    loop {
        let from = reader.table();
        // Skips MariaDB's WAIT and NOWAIT.
        reader.skip_past("to");
        let Some((from, to)) = from.zip(reader.table()) else { return data("rename table") };
        effects.push(Effect::Table(from, TableChange::RenamedTo(to)));
        if !reader.accept_symbol(b',') {
            return effects;
        }
    }
}

/// ALTER TABLE and ALTER DATABASE, and ALTER of any other object. MariaDB takes the options in any order, and more than
/// once.
pub(super) fn alter(mut reader: Reader<'_>) -> Effects {
    if reader.accept_any(&DATABASE) {
        // Without a name it is the default database; the name does not matter.
        let name = reader.name().unwrap_or_default();
        return vec![Effect::Database(name, DatabaseChange::Altered)];
    }
    let mut ignore = false;
    while reader.is_next(&["online", "offline", "ignore"]) {
        ignore |= reader.accept("ignore");
        reader.accept_any(&["online", "offline"]);
    }
    if !reader.accept("table") {
        return other_objects::definition("alter", reader);
    }
    reader.accept_all(&["if", "exists"]);
    match reader.table() {
        Some(table) => alter::table(&table, ignore, reader),
        None => data("alter table"),
    }
}

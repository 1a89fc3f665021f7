//! Foreign keys in the definitions of CREATE TABLE and ALTER TABLE.

use super::effect::{ForeignKey, Identifier};
use super::reader::Reader;

/// The keys among the definitions of a CREATE TABLE, which stand in parentheses.
pub(super) fn of_list(mut list: Reader<'_>) -> Vec<ForeignKey> {
    let mut keys = Vec::new();
    while !list.is_at_end() {
        let definition = list.clause();
        keys.extend(of_definition(definition));
    }
    keys
}

/// The keys that a clause of ALTER TABLE adds. `reader` is after ADD.
pub(super) fn added(mut reader: Reader<'_>) -> Vec<ForeignKey> {
    reader.accept("column");
    reader.accept_all(&["if", "not", "exists"]);
    match reader.parenthesized() {
        Some(list) => of_list(list),
        None => of_definition(reader).into_iter().collect(),
    }
}

/// The key in one definition: of its own, or REFERENCES in a column's.
fn of_definition(mut definition: Reader<'_>) -> Option<ForeignKey> {
    let mut name = None;
    if definition.accept("constraint") {
        definition.accept_all(&["if", "not", "exists"]);
        if !definition.is_next(&["primary", "unique", "foreign", "check"]) {
            name = definition.name();
        }
    }
    let is_inline = !definition.accept_all(&["foreign", "key"]);
    if !is_inline {
        definition.accept_all(&["if", "not", "exists"]);
        // The name of the index, which only some servers give to the key.
        definition.name();
    }
    while !definition.is_at_end() {
        if definition.accept("references") {
            return references(definition, name, is_inline);
        }
        if definition.parenthesized().is_none() {
            definition.next();
        }
    }
    None
}

/// `REFERENCES t [(a, b)] [MATCH …] [ON DELETE …] [ON UPDATE …]`, after its first word.
fn references(mut reader: Reader<'_>, name: Option<Identifier>, is_inline: bool) -> Option<ForeignKey> {
    let parent = reader.table()?;
    let mut key = ForeignKey { name, parent, on_delete: "NO ACTION", on_update: "NO ACTION", is_inline };
    while !reader.is_at_end() {
        if reader.accept_all(&["on", "delete"]) {
            key.on_delete = action(&mut reader);
        } else if reader.accept_all(&["on", "update"]) {
            key.on_update = action(&mut reader);
        } else {
            reader.next();
        }
    }
    Some(key)
}

fn action(reader: &mut Reader<'_>) -> &'static str {
    if reader.accept("cascade") {
        "CASCADE"
    } else if reader.accept_all(&["set", "null"]) {
        "SET NULL"
    } else {
        // InnoDB refuses SET DEFAULT, or takes it for RESTRICT.
        "NO ACTION"
    }
}

//! CREATE, ALTER and DROP of objects other than tables, databases and indexes.
//!
//! Source: the manuals of MySQL 5.6 to 9.7 (SQL Statements) and of MariaDB 10.5 to 11.8.

use super::effect::{Effects, data};
use super::reader::Reader;

/// Objects whose definition changes no row of a table. Of two words, such as RESOURCE GROUP, the one that identifies
/// the object.
const WITHOUT_ROWS: &[&str] = &[
    "catalog",
    "event",
    "function",
    "instance",
    "library",
    // LOGFILE GROUP
    "logfile",
    // PACKAGE and PACKAGE BODY
    "package",
    "prepare",
    "procedure",
    // RESOURCE GROUP
    "resource",
    "role",
    // ALTER SEQUENCE
    "sequence",
    "server",
    // SPATIAL REFERENCE SYSTEM
    "spatial",
    "tablespace",
    "trigger",
    "user",
    "view",
];

/// Words that may come before the object's.
const BEFORE: &[&str] =
    &["aggregate", "duality", "json", "loadable", "materialized", "relational", "temporary", "undo"];

/// The effects of such a statement: none, or for an unknown object, data of any table. `reader` is after the verb.
pub(super) fn definition(verb: &str, mut reader: Reader<'_>) -> Effects {
    loop {
        match reader.keyword().as_deref() {
            Some("or") => _ = reader.accept("replace"),
            Some("definer") => {
                reader.accept_symbol(b'=');
                reader.skip_account();
            }
            Some("algorithm") => {
                reader.accept_symbol(b'=');
                reader.next();
            }
            Some("sql") => {
                reader.accept("security");
                reader.next();
            }
            Some(word) if BEFORE.contains(&word) => {}
            Some(word) if WITHOUT_ROWS.contains(&word) => return Vec::new(),
            Some(word) => return data(&format!("{verb} {word}")),
            None => return data(verb),
        }
    }
}

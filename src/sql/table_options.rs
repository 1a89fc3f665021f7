//! Table options of CREATE TABLE and ALTER TABLE that decide which rows a table has.

use super::effect::TableName;
use super::reader::Reader;

/// The options of a CREATE TABLE.
#[derive(Default)]
pub(super) struct Options {
    /// In lower case.
    engine: Option<String>,
    union: Vec<TableName>,
}

impl Options {
    /// `reader` is after the list of definitions.
    pub fn read(mut reader: Reader<'_>) -> Options {
        let mut options = Options::default();
        while !reader.is_at_end() && !reader.is_next(&["partition"]) {
            if reader.accept("engine") {
                options.engine = engine(&mut reader);
            } else if reader.accept("union") {
                options.union = union(&mut reader);
            } else {
                reader.next();
            }
        }
        options
    }

    /// Whether its engine ignores foreign keys.
    pub fn ignores_foreign_keys(&self) -> bool {
        self.engine.as_ref().is_some_and(|engine| engine != "innodb")
    }

    /// The tables of a MERGE table's UNION; `None` for another engine.
    pub fn merged(self) -> Option<Vec<TableName>> {
        self.engine.is_some_and(|engine| is_merge(&engine)).then_some(self.union)
    }
}

/// `[=] name`, after ENGINE; in lower case.
pub(super) fn engine(reader: &mut Reader<'_>) -> Option<String> {
    reader.accept_symbol(b'=');
    reader.word_or_string()
}

/// `[=] (a, d.b)`, after UNION.
pub(super) fn union(reader: &mut Reader<'_>) -> Vec<TableName> {
    reader.accept_symbol(b'=');
    let mut tables = Vec::new();
    let Some(mut list) = reader.parenthesized() else { return tables };
    while let Some(table) = list.table() {
        tables.push(table);
        list.accept_symbol(b',');
    }
    tables
}

pub(super) fn is_merge(engine: &str) -> bool {
    matches!(engine, "merge" | "mrg_myisam")
}

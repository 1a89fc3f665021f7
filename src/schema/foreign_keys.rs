//! Foreign keys that change the rows of selected tables: which were warned of, because the log does not hold such changes.

use std::collections::{HashMap, HashSet};

use super::known::FullName;
use crate::position::{FileOrder, Position};
use crate::version::Release;

/// A foreign key: what it does to the referring rows.
#[derive(Debug, Clone)]
pub struct ForeignKey {
    /// `None` if the server names it.
    pub name: Option<String>,
    pub parent: String,
    pub on_delete: String,
    pub on_update: String,
}

impl ForeignKey {
    fn changes_rows(&self) -> bool {
        [&self.on_delete, &self.on_update].iter().any(|rule| matches!(rule.as_str(), "CASCADE" | "SET NULL"))
    }

    fn described(&self) -> String {
        let name = self.name.as_ref().map(|name| format!("`{name}` ")).unwrap_or_default();
        let ForeignKey { parent, on_delete, on_update, .. } = self;
        format!("{name}(to {parent}, ON DELETE {on_delete}, ON UPDATE {on_update})")
    }
}

/// What is known of the foreign keys of selected tables.
#[derive(Debug, Default)]
pub struct ForeignKeys {
    /// Those of the catalog, by table, until a server is met that does not log their changes.
    of_catalog: Vec<(FullName, Vec<ForeignKey>)>,
    /// Where the log ended after the catalog was read.
    catalog_end: Option<Position>,
    /// The server has `innodb_native_foreign_keys=ON`.
    native: bool,
    /// Keys by table and name, as described. Those that change rows were warned of.
    known: HashMap<FullName, HashMap<String, String>>,
    /// Tables that were created in this run.
    created: HashSet<FullName>,
}

impl ForeignKeys {
    /// Notes the keys of a table in the catalog that change rows.
    pub fn in_catalog(&mut self, table: FullName, keys: Vec<ForeignKey>) {
        self.of_catalog.push((table, keys));
    }

    /// Notes where the log ended after the catalog was read, and `innodb_native_foreign_keys`.
    pub fn surveyed(&mut self, end: Option<Position>, native: bool) {
        (self.catalog_end, self.native) = (end, native);
    }

    /// Whether the log holds changes by foreign keys. Since MySQL 9.6 the server makes and logs them; before, and on
    /// MariaDB, the engine makes them without a log event.
    fn are_logged(&self, writer: Option<Release>) -> bool {
        !self.native && writer.is_some_and(|writer| writer.is_mysql_from(9, 6, 0))
    }

    /// Warnings about the keys of the catalog, if `writer`, which writes the log from here on, does not log their changes.
    pub fn written_by(
        &mut self,
        writer: Option<Release>,
        printed: impl Fn(&FullName) -> String,
    ) -> Vec<String> {
        if self.are_logged(writer) {
            return Vec::new();
        }
        let of_catalog = std::mem::take(&mut self.of_catalog);
        of_catalog.into_iter().filter_map(|(table, keys)| self.warning(&table, &keys, &printed)).collect()
    }

    /// A warning about keys that a statement adds to a selected table.
    pub fn added(
        &mut self,
        table: &FullName,
        keys: &[ForeignKey],
        writer: Option<Release>,
        printed: impl Fn(&FullName) -> String,
    ) -> Option<String> {
        if self.are_logged(writer) { None } else { self.warning(table, keys, printed) }
    }

    fn warning(
        &mut self,
        table: &FullName,
        keys: &[ForeignKey],
        printed: impl Fn(&FullName) -> String,
    ) -> Option<String> {
        let known = self.known.entry(table.clone()).or_default();
        let mut new = Vec::new();
        for key in keys {
            let described = key.described();
            let name = key.name.as_ref().map_or_else(|| described.clone(), |name| name.to_lowercase());
            if known.insert(name, described.clone()).as_ref() != Some(&described) && key.changes_rows() {
                new.push(described);
            }
        }
        let (keys, change) = match new.as_slice() {
            [] => return None,
            [one] => (format!("foreign key {one}"), "changes"),
            many => (format!("foreign keys {}", many.join(", ")), "change"),
        };
        Some(format!(
            "{}: {keys} {change} its rows, which this server does not log: such changes are not printed",
            printed(table)
        ))
    }

    /// Whether a key that a statement, which begins at `place`, drops from a selected table may have changed rows in this run,
    /// and was not warned of.
    pub fn may_have_changed(
        &self,
        table: &FullName,
        name: &str,
        writer: Option<Release>,
        place: &Position,
        order: &FileOrder,
    ) -> bool {
        let is_known = self.known.get(table).is_some_and(|keys| keys.contains_key(&name.to_lowercase()));
        // What the catalog did not list, and no statement added since, did not change rows.
        let is_after_catalog = self.catalog_end.as_ref().is_some_and(|end| order.is_at_or_after(place, end));
        !is_known && !is_after_catalog && !self.created.contains(table) && !self.are_logged(writer)
    }

    /// Notes that a selected table was created.
    pub fn table_created(&mut self, table: &FullName) {
        self.known.remove(table);
        self.created.insert(table.clone());
    }

    pub fn table_gone(&mut self, table: &FullName) {
        self.known.remove(table);
        self.created.remove(table);
    }

    pub fn table_renamed(&mut self, from: &FullName, to: &FullName) {
        let (keys, was_created) = (self.known.remove(from), self.created.remove(from));
        self.table_gone(to);
        self.known.extend(keys.map(|keys| (to.clone(), keys)));
        self.created.extend(was_created.then(|| to.clone()));
    }
}

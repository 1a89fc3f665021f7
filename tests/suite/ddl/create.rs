//! CREATE TABLE in all its forms.

use super::maker::{Maker, Planned};
use super::snapshot::Name;
use super::types::{CHARSETS, Class};

const TABLE_NAMES: [&str; 9] = ["t1", "t2", "t3", "t4", "t5", "orders", "q t", "größe", "t6"];

impl Maker<'_> {
    /// A table's name that is free.
    pub fn free_table(&mut self) -> Option<Name> {
        for _ in 0..20 {
            let name = (self.random.pick(self.dbs), self.random.pick(&TABLE_NAMES).to_string());
            if !self.tables.contains_key(&name) && (self.session.utf8 || name.1.is_ascii()) {
                return Some(name);
            }
        }
        None
    }

    pub fn any_table(&mut self) -> Option<Name> {
        let usable = |name: &&Name| self.session.utf8 || name.1.is_ascii();
        let names: Vec<Name> = self.tables.keys().filter(usable).cloned().collect();
        (!names.is_empty()).then(|| self.random.pick(&names))
    }

    pub fn create(&mut self) -> Option<String> {
        let existing = self.any_table();
        let (name, replaces) = match existing {
            Some(name) if self.random.one_in(10) => (name, true),
            _ => (self.free_table()?, false),
        };
        let head = match (replaces, self.has.mariadb) {
            (true, true) => "create or replace table",
            (true, false) => "create table if not exists",
            _ => self.random.pick(&["create table", "create table", "create table if not exists"]),
        };
        let table = self.table_name(&name);
        if let Some(other) = self.any_table().filter(|other| *other != name && self.random.one_in(9)) {
            let other = self.table_name(&other);
            return Some(match self.random.below(2) {
                0 => format!("{head} {table} like {other}"),
                _ => format!("{head} {table} (like {other})"),
            });
        }
        if let Some(other) = self.any_table().filter(|other| *other != name && self.random.one_in(9)) {
            return self.create_select(head, &table, &other);
        }
        let (list, columns) = self.list();
        let options = self.table_options();
        let partitions =
            if self.random.one_in(12) { self.partitions(&columns, &list) } else { String::new() };
        Some(format!("{head} {table} ({list}){options}{partitions}"))
    }

    fn create_select(&mut self, head: &str, table: &str, other: &Name) -> Option<String> {
        let shape = self.tables.get(other)?;
        let all: Vec<String> = shape
            .columns
            .iter()
            .filter(|column| !column.invisible)
            .map(|column| column.name.clone())
            .collect();
        let ascii: Vec<String> =
            all.iter().filter(|name| self.session.utf8 || name.is_ascii()).cloned().collect();
        let mut parts: Vec<String> = Vec::new();
        for name in ascii.iter().take(4) {
            let quoted = self.name(name);
            parts.push(match self.random.below(4) {
                0 => format!("{quoted} as n{}", parts.len()),
                1 => format!("concat({quoted}, 'x') as s{}", parts.len()),
                _ => quoted,
            });
        }
        parts.push(self.random.pick(&["1 as one", "now() as at", "'x' as lit", "1.5 as num"]).to_string());
        let own = self.random.pick(&["", "", " (own int)", " (own serial)", " (own varchar(5), key(own))"]);
        let how = self.random.pick(&["", "", " as", " ignore", " replace as"]);
        let other = self.table_name(other);
        Some(format!("{head} {table}{own}{how} select {} from {other}", parts.join(", ")))
    }

    /// Columns and keys in one list, keys not always last.
    fn list(&mut self) -> (String, Vec<Planned>) {
        let count = self.random.between(1, 7);
        let (mut columns, mut items): (Vec<Planned>, Vec<String>) = (Vec::new(), Vec::new());
        let mut has_key = false;
        for _ in 0..count {
            let taken: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
            let name = self.new_name(&taken);
            let (text, planned) = self.column(&name, &columns, has_key);
            has_key |= text.contains(" key") || text.contains("serial");
            items.push(text);
            columns.push(planned);
        }
        for _ in 0..self.random.below(4) {
            if let Some(key) = self.key(&columns, !has_key) {
                has_key |= key.contains("primary key");
                let at = if self.random.one_in(5) {
                    self.random.below(items.len() as u64 + 1) as usize
                } else {
                    items.len()
                };
                items.insert(at, key);
            }
        }
        if !has_key && self.random.one_in(8) {
            items.push(format!("auto{0} int auto_increment, key (auto{0})", self.random.below(10)));
        }
        (items.join(self.random.pick(&[", ", ",", "\n, "])), columns)
    }

    pub fn table_options(&mut self) -> String {
        let mut options = Vec::new();
        let set = self.random.pick(&CHARSETS);
        if self.random.one_in(3) {
            options.push(match self.random.below(4) {
                0 => format!("default character set = {set}"),
                1 => format!("charset {set}"),
                2 => "collate utf8mb4_bin".into(),
                _ => format!("default charset={set}"),
            });
        }
        if self.random.one_in(5) {
            options.push(
                self.random
                    .pick(&["engine=myisam", "engine = innodb", "engine 'InnoDB'", "engine=memory"])
                    .to_string(),
            );
        }
        if self.random.one_in(5) {
            options.push(
                self.random
                    .pick(&[
                        "comment='x;y'",
                        "auto_increment=7",
                        "row_format=dynamic",
                        "stats_persistent=1",
                        "comment 'engine=x'",
                    ])
                    .to_string(),
            );
        }
        if options.is_empty() {
            return String::new();
        }
        format!(" {}", options.join(self.random.pick(&[" ", ", "])))
    }

    pub fn partitions(&mut self, columns: &[Planned], list: &str) -> String {
        // A key must hold the partition's column.
        let is_number = |column: &&Planned| column.class == Class::Number;
        match columns
            .iter()
            .find(is_number)
            .cloned()
            .filter(|_| !list.contains("key") && !list.contains("unique"))
        {
            Some(column) => {
                let column = self.name(&column.name);
                match self.random.below(3) {
                    0 => format!(" partition by hash ({column}) partitions 3"),
                    1 => format!(" partition by key ({column}) partitions 2"),
                    _ => format!(
                        " partition by range ({column}) (partition p0 values less than (10), partition p1 values less than maxvalue)"
                    ),
                }
            }
            None => String::new(),
        }
    }
}

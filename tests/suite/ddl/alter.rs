//! ALTER TABLE in every clause, alone and in combination.

use super::maker::{Maker, Planned};
use super::shape::{Column, PRIMARY, Shape};
use super::snapshot::Name;
use super::types::{CHARSETS, Class};

impl Maker<'_> {
    pub fn alter(&mut self) -> Option<String> {
        let name = self.any_table()?;
        let shape = self.tables.get(&name)?.clone();
        let table = self.table_name(&name);
        let mut clauses = Vec::new();
        let count = if self.random.one_in(2) { 1 } else { self.random.between(1, 4) };
        let mut touched = Vec::new();
        for _ in 0..count {
            clauses.extend(self.clause(&shape, &mut touched));
        }
        if self.random.one_in(8) {
            clauses.push(
                self.random
                    .pick(&["force", "algorithm=copy", "lock=default", "comment='x'", "algorithm = default"])
                    .into(),
            );
        }
        // MariaDB may leave a table behind under such a name when it alters and renames it (seen on all three).
        let may_stay = self.has.mariadb && !name.1.chars().all(|c| c.is_ascii_alphanumeric());
        if self.random.one_in(16) && !may_stay {
            clauses.extend(self.rename_clause());
        }
        // MySQL 8.0.15 crashes on these in one statement.
        let crashes = !self.has.mariadb && self.has.version == (8, 0);
        if crashes && clauses.iter().any(|clause| !clause.starts_with("convert") && clause.contains("set ")) {
            clauses.retain(|clause| !clause.starts_with("convert"));
        }
        if clauses.is_empty() {
            return None;
        }
        let ignore = if self.has.mariadb && self.random.one_in(12) { " ignore" } else { "" };
        let only = if self.has.mariadb && self.random.one_in(20) { " if exists" } else { "" };
        Some(format!(
            "alter{ignore} table{only} {table} {}",
            clauses.join(self.random.pick(&[", ", ",", "\n  , "]))
        ))
    }

    fn usable(&self, shape: &Shape, touched: &[String]) -> Vec<Column> {
        let fits = |column: &&Column| {
            !touched.contains(&column.name) && (self.session.utf8 || column.name.is_ascii())
        };
        shape.columns.iter().filter(fits).cloned().collect()
    }

    fn column_of(&mut self, shape: &Shape, touched: &mut Vec<String>) -> Option<Column> {
        let columns = self.usable(shape, touched);
        let column = (!columns.is_empty()).then(|| self.random.pick(&columns))?;
        touched.push(column.name.clone());
        Some(column)
    }

    fn place(&mut self, shape: &Shape, touched: &[String]) -> String {
        let columns = self.usable(shape, touched);
        match self.random.below(4) {
            0 => " first".into(),
            1 if !columns.is_empty() => {
                let column = self.random.pick(&columns);
                format!(" after {}", self.name(&column.name))
            }
            _ => String::new(),
        }
    }

    fn planned(shape: &Shape) -> Vec<Planned> {
        shape.columns.iter().map(Planned::of).collect()
    }

    fn clause(&mut self, shape: &Shape, touched: &mut Vec<String>) -> Option<String> {
        match self.random.below(26) {
            0..=4 => self.add_column(shape, touched),
            5 => self.add_columns(shape, touched),
            6..=8 => self.modify(shape, touched),
            9..=10 => self.change(shape, touched),
            11 if self.has.mariadb || self.has.version >= (8, 0) => {
                let (column, new) = (self.column_of(shape, touched)?, self.new_column(shape, touched));
                Some(format!("rename column {} to {}", self.name(&column.name), self.name(&new)))
            }
            12..=14 => self.drop_column(shape, touched),
            15..=17 => {
                let key = self.key(&self.usable_planned(shape, touched), shape.primary().is_none())?;
                Some(format!("add {key}"))
            }
            18..=19 => self.drop_key(shape),
            20 => self.rename_key(shape),
            21 => self.default_clause(shape, touched),
            22..=23 => Some(self.charset_clause()),
            24 => self.table_clause(shape),
            _ => self.hide(shape, touched),
        }
    }

    fn usable_planned(&self, shape: &Shape, touched: &[String]) -> Vec<Planned> {
        self.usable(shape, touched).iter().map(Planned::of).collect()
    }

    fn new_column(&mut self, shape: &Shape, touched: &mut Vec<String>) -> String {
        let mut taken: Vec<String> = shape.columns.iter().map(|column| column.name.clone()).collect();
        taken.extend(touched.iter().cloned());
        let name = self.new_name(&taken);
        touched.push(name.clone());
        name
    }

    fn add_column(&mut self, shape: &Shape, touched: &mut Vec<String>) -> Option<String> {
        let place = self.place(shape, touched);
        let name = self.new_column(shape, touched);
        let (column, _) =
            self.column(&name, &Self::planned(shape), shape.primary().is_some() || touched.len() > 1);
        let words = self.random.pick(&["add", "add column", "add column"]);
        let only = if self.has.mariadb && self.random.one_in(6) { " if not exists" } else { "" };
        Some(format!("{words}{only} {column}{place}"))
    }

    fn add_columns(&mut self, shape: &Shape, touched: &mut Vec<String>) -> Option<String> {
        let mut items = Vec::new();
        let mut planned = Vec::new();
        for _ in 0..self.random.between(1, 3) {
            let name = self.new_column(shape, touched);
            let (column, plan) = self.column(&name, &[], true);
            items.push(column);
            planned.push(plan);
        }
        if self.random.one_in(3) {
            items.extend(self.key(&planned, false));
        }
        Some(format!("add {}({})", self.random.pick(&["", "column "]), items.join(", ")))
    }

    fn modify(&mut self, shape: &Shape, touched: &mut Vec<String>) -> Option<String> {
        let column = self.column_of(shape, touched)?;
        let place = self.place(shape, touched);
        let (text, _) = self.column(&column.name, &[], true);
        Some(format!("modify {}{text}{place}", self.random.pick(&["", "column "])))
    }

    fn change(&mut self, shape: &Shape, touched: &mut Vec<String>) -> Option<String> {
        let column = self.column_of(shape, touched)?;
        let place = self.place(shape, touched);
        let new = if self.random.one_in(3) { column.name.clone() } else { self.new_column(shape, touched) };
        let (text, _) = self.column(&new, &[], true);
        Some(format!(
            "change {}{} {text}{place}",
            self.random.pick(&["", "column "]),
            self.name(&column.name)
        ))
    }

    fn drop_column(&mut self, shape: &Shape, touched: &mut Vec<String>) -> Option<String> {
        if shape.columns.len() < touched.len() + 2 {
            return None;
        }
        let column = self.column_of(shape, touched)?;
        let words = self.random.pick(&["drop", "drop column", "drop column"]);
        let only = if self.has.mariadb && self.random.one_in(6) { " if exists" } else { "" };
        Some(format!("{words}{only} {}", self.name(&column.name)))
    }

    fn drop_key(&mut self, shape: &Shape) -> Option<String> {
        if shape.keys.is_empty() {
            return None;
        }
        let key = self.random.pick(&shape.keys);
        if key.name == PRIMARY {
            return Some("drop primary key".into());
        }
        if !self.session.utf8 && !key.name.is_ascii() {
            return None;
        }
        let words = self.random.pick(&["drop key", "drop index", "drop index"]);
        Some(format!("{words} {}", self.name(&key.name)))
    }

    fn rename_key(&mut self, shape: &Shape) -> Option<String> {
        let old_server = !self.has.mariadb && self.has.version < (5, 7);
        let keys: Vec<_> =
            shape.keys.iter().filter(|key| key.name != PRIMARY && key.name.is_ascii()).cloned().collect();
        if keys.is_empty() || old_server {
            return None;
        }
        let key = self.random.pick(&keys);
        let new = format!("r{}", self.random.below(30));
        let word = self.random.pick(&["index", "key"]);
        Some(format!("rename {word} {} to {}", self.name(&key.name), self.name(&new)))
    }

    fn default_clause(&mut self, shape: &Shape, touched: &mut Vec<String>) -> Option<String> {
        let column = self.column_of(shape, touched)?;
        let class = Planned::of(&column).class;
        let name = self.name(&column.name);
        let word = self.random.pick(&["", "column "]);
        Some(match class {
            Class::Number if self.random.one_in(2) && column.generated.is_none() => {
                format!("alter {word}{name} set default 5")
            }
            _ if column.generated.is_none() => format!("alter {word}{name} drop default"),
            _ => return None,
        })
    }

    fn hide(&mut self, shape: &Shape, touched: &mut Vec<String>) -> Option<String> {
        if !self.has.mysql(9, 0) {
            return None;
        }
        let column = self.column_of(shape, touched)?;
        let name = self.name(&column.name);
        Some(format!("alter column {name} set {}", self.random.pick(&["invisible", "visible"])))
    }

    fn charset_clause(&mut self) -> String {
        let set = self.random.pick(&CHARSETS);
        match self.random.below(6) {
            0..=1 => format!("convert to character set {set}"),
            2 => "convert to character set utf8mb4 collate utf8mb4_bin".into(),
            3 => format!("default character set {set}"),
            4 => format!("charset = {set}"),
            _ => "collate = latin1_bin".into(),
        }
    }

    fn table_clause(&mut self, shape: &Shape) -> Option<String> {
        Some(match self.random.below(6) {
            0 => "engine=innodb".into(),
            1 => "engine = myisam".into(),
            2 => {
                let column = self.random.pick(&shape.columns);
                if !self.session.utf8 && !column.name.is_ascii() {
                    return None;
                }
                format!("order by {}", self.name(&column.name))
            }
            3 => "row_format=dynamic".into(),
            4 => "disable keys".into(),
            _ => "auto_increment=100".into(),
        })
    }

    fn rename_clause(&mut self) -> Option<String> {
        let new = self.free_table()?;
        let new = self.table_name(&new);
        Some(format!("rename {}{new}", self.random.pick(&["", "to ", "as "])))
    }

    pub fn index_statement(&mut self) -> Option<String> {
        let name: Name = self.any_table()?;
        let shape = self.tables.get(&name)?.clone();
        let table = self.table_name(&name);
        if self.random.one_in(3) {
            let keys: Vec<_> = shape.keys.iter().filter(|key| key.name.is_ascii()).cloned().collect();
            let key = (!keys.is_empty()).then(|| self.random.pick(&keys))?;
            // PRIMARY is a name to be quoted here.
            let key = if key.name == PRIMARY { "`PRIMARY`".to_string() } else { self.name(&key.name) };
            return Some(format!("drop index {key} on {table}"));
        }
        let (list, _) = self.key_columns(&self.usable_planned(&shape, &[]), false)?;
        let new = format!("i{}", self.random.below(60));
        let (kind, new) = (self.random.pick(&["", "", "unique "]), self.name(&new));
        let using = self.random.pick(&["", "", " using btree"]);
        Some(format!("create {kind}index {new}{using} on {table} {list}"))
    }
}

//! Makes statements of what there is: the parts that CREATE TABLE and ALTER TABLE have in common.

use std::collections::BTreeMap;

use super::session::Session;
use super::shape::{Column, Shape};
use super::snapshot::Name;
use super::types::{Class, Has, choose};
use crate::property::random::Random;

pub const COLUMN_NAMES: [&str; 20] = [
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "id",
    "name",
    "Value",
    "x y",
    "order",
    "key",
    "q\"q",
    "b`t",
    "check",
    "first",
    "длина",
    "größe",
];
const KEY_NAMES: [&str; 8] = ["k1", "k2", "K3", "a", "b", "index", "b_2", "my key"];

pub struct Maker<'a> {
    pub random: &'a mut Random,
    pub has: Has,
    pub session: &'a Session,
    pub tables: &'a BTreeMap<Name, Shape>,
    pub dbs: &'a [String],
}

/// A column to be: enough to make keys of it.
#[derive(Clone)]
pub struct Planned {
    pub name: String,
    pub class: Class,
    pub nullable: bool,
}

impl Planned {
    pub fn of(column: &Column) -> Planned {
        let kind = column.kind.as_str();
        let class = if kind.contains("text") || kind.contains("blob") {
            Class::Long
        } else if kind.starts_with("json") || kind.starts_with("vector") {
            Class::Document
        } else if ["point", "geom", "line", "poly", "multi"].iter().any(|name| kind.starts_with(name)) {
            Class::Geometry
        } else if kind.starts_with("varchar") || kind.starts_with("char") {
            Class::Text
        } else if kind.contains("int") || kind.starts_with("decimal") {
            Class::Number
        } else {
            Class::Other
        };
        Planned { name: column.name.clone(), class, nullable: column.nullable }
    }
}

impl Maker<'_> {
    pub fn name(&mut self, name: &str) -> String {
        self.session.name(self.random, name)
    }

    pub fn table_name(&mut self, (db, table): &Name) -> String {
        self.session.table(self.random, db, table)
    }

    /// A name that the table does not have yet; columns of one table differ in more than case.
    pub fn new_name(&mut self, taken: &[String]) -> String {
        let taken: Vec<String> = taken.iter().map(|name| name.to_lowercase()).collect();
        loop {
            let mut name = self.random.pick(&COLUMN_NAMES).to_string();
            if !self.session.utf8 && !name.is_ascii() {
                continue;
            }
            if taken.contains(&name.to_lowercase()) {
                name += &self.random.below(100).to_string();
            }
            if !taken.contains(&name.to_lowercase()) {
                return name;
            }
        }
    }

    /// A whole column: name, type, attributes. `others` may be named by an expression; `has_key` if it must not make a
    /// second primary key or auto-increment.
    pub fn column(&mut self, name: &str, others: &[Planned], has_key: bool) -> (String, Planned) {
        let (kind, class) = choose(self.random, self.has);
        // SERIAL is a key of an auto-increment: only one fits.
        let (kind, class) = match class {
            Class::Whole if has_key => ("bigint unsigned".to_string(), Class::Number),
            _ => (kind, class),
        };
        let mut text = format!("{} {kind}", self.name(name));
        let numbers: Vec<String> = others
            .iter()
            .filter(|other| other.class == Class::Number)
            .map(|other| other.name.clone())
            .collect();
        let nullable = if class == Class::Whole {
            false
        } else if class == Class::Number
            && !numbers.is_empty()
            && self.has.version != (5, 6)
            && self.random.one_in(7)
        {
            text += &self.generated(&numbers);
            return (text, Planned { name: name.into(), class: Class::Document, nullable: true });
        } else {
            self.attributes(&mut text, class, has_key)
        };
        (text, Planned { name: name.into(), class, nullable })
    }

    fn generated(&mut self, numbers: &[String]) -> String {
        let other = self.random.pick(numbers);
        let other = self.name(&other);
        let expression = self.random.pick(&[" + 1", " * 2", "", " % 7", " + length('a)')"]);
        let how = match self.has.mariadb {
            true => self.random.pick(&["", " virtual", " stored", " persistent"]),
            false => self.random.pick(&["", " virtual", " stored", " stored not null", " virtual null"]),
        };
        let words = self.random.pick(&["as", "generated always as"]);
        format!(" {words} ({other}{expression}){how}")
    }

    /// Adds attributes in some order, and tells whether the column can be null.
    fn attributes(&mut self, text: &mut String, class: Class, has_key: bool) -> bool {
        let mut parts: Vec<String> = Vec::new();
        let mut nullable = !self.random.one_in(3);
        match self.random.below(3) {
            0 if nullable => parts.push("null".into()),
            _ if !nullable => parts.push("not null".into()),
            _ => {}
        }
        if self.random.one_in(3) {
            parts.extend(self.default(class, nullable));
        }
        if self.random.one_in(8) {
            let comment = self.random.pick(&["it''s", "a, b)", "", "-- no", "/* c */", "x int"]);
            parts.push(format!("comment '{comment}'"));
        }
        let indexed = matches!(class, Class::Number | Class::Time | Class::Label);
        if !has_key && indexed && self.random.one_in(9) {
            parts.push(self.random.pick(&["unique", "unique key", "primary key", "key"]).into());
            nullable &= !parts.ends_with(&["primary key".into()]) && !parts.ends_with(&["key".into()]);
        } else if class == Class::Text && self.random.one_in(12) {
            parts.push(format!("collate {}", self.random.pick(&["utf8mb4_bin", "latin1_bin", "utf8_bin"])));
        }
        if self.random.one_in(14)
            && self.may_hide()
            && (nullable || parts.iter().any(|part| part.starts_with("default")))
        {
            parts.push("invisible".into());
        }
        if self.random.one_in(16) && self.has.mysql(5, 6) {
            parts.push(
                self.random.pick(&["column_format fixed", "storage disk", "column_format dynamic"]).into(),
            );
        }
        if self.random.one_in(3) {
            let middle = self.random.below(parts.len() as u64 + 1) as usize;
            parts.rotate_left(middle);
        }
        if self.random.one_in(16) {
            parts.push(format!(
                "check ({} is not null or 1)",
                text.split(' ').next().filter(|name| !name.starts_with(['`', '"'])).unwrap_or("1")
            ));
        } else if self.random.one_in(16) {
            parts.push("references other_table (id) on delete cascade".into());
        }
        for part in parts {
            *text += " ";
            *text += &part;
        }
        nullable
    }

    pub fn may_hide(&self) -> bool {
        self.has.mariadb || self.has.version >= (9, 0)
    }

    pub fn default(&mut self, class: Class, nullable: bool) -> Option<String> {
        Some(match class {
            Class::Number => self.random.pick(&["default 1", "default '0'", "default 0"]).into(),
            Class::Text => self.random.pick(&["default ''", "default ''", "default ''"]).into(),
            Class::Stamp => match self.random.below(2) {
                0 => "default '2020-01-01 00:00:00'".into(),
                _ if nullable => "default null".into(),
                _ => return None,
            },
            Class::Long | Class::Document | Class::Geometry | Class::Whole => return None,
            _ if nullable => "default null".into(),
            _ => return None,
        })
    }

    /// The parts of a key: columns, some with prefixes.
    pub fn key_columns(&mut self, columns: &[Planned], plain: bool) -> Option<(String, Vec<Planned>)> {
        let fit = |column: &&Planned| !matches!(column.class, Class::Document | Class::Geometry);
        let mut fit: Vec<Planned> = columns.iter().filter(fit).cloned().collect();
        let mut chosen: Vec<Planned> = Vec::new();
        let mut parts = Vec::new();
        for _ in 0..self.random.between(1, 3) {
            if fit.is_empty() {
                break;
            }
            let column = fit.remove(self.random.below(fit.len() as u64) as usize);
            let prefix = match column.class {
                Class::Long if plain => continue,
                Class::Long => "(10)",
                Class::Text if !plain && self.random.one_in(4) => self.random.pick(&["(1)", "(2)", "(3)"]),
                _ => "",
            };
            let order = self.random.pick(&["", "", "", " asc", " desc"]);
            let order = if plain { "" } else { order };
            parts.push(format!("{}{prefix}{order}", self.name(&column.name)));
            chosen.push(column);
        }
        let text = format!("({})", parts.join(self.random.pick(&[", ", ",", " , "])));
        (!chosen.is_empty()).then_some((text, chosen))
    }

    /// A key as an item of a list: named or not, unique or not; of the primary key `primary` allows one.
    pub fn key(&mut self, columns: &[Planned], primary: bool) -> Option<String> {
        if self.random.one_in(10) {
            return self.special_key(columns);
        }
        let (list, chosen) = self.key_columns(columns, false)?;
        let name = self.key_name();
        let using = self.random.pick(&["", "", "", "", " using btree", " comment 'k'", " key_block_size=0"]);
        if primary
            && chosen.iter().all(|column| !matches!(column.class, Class::Long))
            && self.random.one_in(2)
        {
            let (list, _) = self.key_columns(&chosen, true)?;
            let constraint = self.random.pick(&["", "", "constraint ", "constraint pk "]);
            return Some(format!(
                "{constraint}primary key{} {list}",
                if self.random.one_in(6) { " using btree" } else { "" }
            ));
        }
        Some(match self.random.below(6) {
            0 => format!("unique {name} {list}{using}"),
            1 => format!("unique key {name} {list}{using}"),
            2 => format!("constraint {name} unique index {list}"),
            3 => format!("index {name} {list}{using}"),
            _ => format!("key {name} {list}{using}"),
        })
    }

    fn key_name(&mut self) -> String {
        match self.random.below(2) {
            0 => String::new(),
            _ => {
                let name = format!(
                    "{}{}",
                    self.random.pick(&KEY_NAMES),
                    self.random.pick(&["", "", "x", "y", "_z"])
                );
                self.name(&name)
            }
        }
    }

    /// FULLTEXT, SPATIAL, foreign keys, checks.
    fn special_key(&mut self, columns: &[Planned]) -> Option<String> {
        let is_long = |column: &&Planned| matches!(column.class, Class::Text | Class::Long);
        let texts: Vec<Planned> = columns.iter().filter(is_long).cloned().collect();
        let spatial =
            columns.iter().find(|column| column.class == Class::Geometry && !column.nullable).cloned();
        match (self.random.below(3), spatial) {
            (0, Some(column)) if self.has.version != (5, 6) => {
                let name = self.key_name();
                let column = self.name(&column.name);
                Some(format!("spatial {}{name} ({column})", self.random.pick(&["", "key ", "index "])))
            }
            (1, _) => {
                let name = if self.random.one_in(2) { String::new() } else { "constraint chk ".into() };
                Some(format!("{name}check (1 = 1)"))
            }
            _ => {
                let text = (!texts.is_empty()).then(|| self.random.pick(&texts))?;
                let (name, text) = (self.key_name(), self.name(&text.name));
                Some(format!("fulltext {}{name} ({text})", self.random.pick(&["", "key ", "index "])))
            }
        }
    }
}

//! The other statements, and which one is next.

use super::maker::Maker;
use super::types::CHARSETS;

impl Maker<'_> {
    /// `None` where there is nothing that it could be about.
    pub fn statement(&mut self) -> Option<String> {
        let few = self.tables.len() < 4;
        match self.random.below(100) {
            0..=44 if few => self.create(),
            0..=11 => self.create(),
            12..=69 => self.alter(),
            70..=77 => self.index_statement(),
            78..=83 => self.rename(),
            84..=88 => self.drop_table(),
            89..=91 => {
                let name = self.any_table()?;
                Some(format!("truncate {}{}", self.random.pick(&["", "table "]), self.table_name(&name)))
            }
            92..=95 => Some(self.database()),
            _ => self.create(),
        }
    }

    fn rename(&mut self) -> Option<String> {
        let old = self.any_table()?;
        let other = self.any_table()?;
        let free = self.free_table()?;
        let [old_name, other_name, free_name] = [&old, &other, &free].map(|name| self.table_name(name));
        if self.random.one_in(3) && old != other {
            // A swap, as tools do it.
            let [old_again, other_again, free_again] =
                [&old, &other, &free].map(|name| self.table_name(name));
            return Some(format!(
                "rename table {old_name} to {free_name}, {other_name} to {old_again}, {free_again} to {other_again}"
            ));
        }
        Some(format!("rename {} {old_name} to {free_name}", self.random.pick(&["table", "table", "table"])))
    }

    fn drop_table(&mut self) -> Option<String> {
        let mut names = vec![self.any_table()?];
        if self.random.one_in(4) {
            let other = self.any_table()?;
            if !names.contains(&other) {
                names.push(other);
            }
        }
        let names: Vec<String> = names.iter().map(|name| self.table_name(name)).collect();
        let (only, end) =
            (self.random.pick(&["", "if exists "]), self.random.pick(&["", "", " cascade", " restrict"]));
        Some(format!("drop table {only}{}{end}", names.join(", ")))
    }

    fn database(&mut self) -> String {
        let db = self.random.pick(self.dbs);
        let set = self.random.pick(&CHARSETS);
        match self.random.below(12) {
            0 => format!("drop database {}`{db}`", self.random.pick(&["", "if exists "])),
            1..=2 => format!("create database if not exists `{db}` character set {set}"),
            3 => format!("create schema if not exists `{db}`"),
            4 => format!("alter schema `{db}` default collate = utf8mb4_bin"),
            5 if self.dbs.contains(&self.session.db) => format!("alter database character set {set}"),
            _ => format!("alter database `{db}` default character set = {set}"),
        }
    }
}

//! Where each line of a schema history is, and which one holds at a place.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::line::{Kind, Outline, Subject};
use crate::position::{FileOrder, LogId, Patterns, Position, compare_ranked};
use crate::schema::known::FullName;

/// A place in a log, by the file's number here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    pub file: u32,
    pub position: u64,
}

/// A line about a table.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub offset: u64,
    pub length: usize,
    /// Its number in the file, from 1.
    pub number: u64,
    pub place: Place,
    pub table: u32,
    pub kind: Kind,
    pub is_statement: bool,
}

/// A line that says up to where the history is complete.
#[derive(Debug)]
pub struct Complete {
    pub offset: u64,
    pub length: usize,
    /// `None`: at `to` alone.
    pub from: Option<Place>,
    pub to: Place,
    pub patterns: Patterns,
}

/// What of the file is kept in memory.
#[derive(Debug, Default)]
pub struct Index {
    files: Vec<(String, Option<LogId>)>,
    file_numbers: HashMap<String, u32>,
    pub tables: Vec<FullName>,
    table_numbers: HashMap<FullName, u32>,
    pub entries: Vec<Entry>,
    /// The last entry of a table at a place, of statements and of the catalog apart.
    at_place: HashMap<(u32, Place, bool), usize>,
    pub complete: Vec<Complete>,
    server_uuid: Option<String>,
}

/// Where a line is in the file.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub offset: u64,
    pub length: usize,
    pub number: u64,
}

impl Index {
    /// Adds a line. `None` if it belongs to another log than the lines before.
    pub fn add(&mut self, outline: Outline, span: Span) -> Option<()> {
        let Outline { file, position, log, server_uuid, subject } = outline;
        if self.conflict(&file, log, server_uuid.as_deref()) {
            return None;
        }
        self.server_uuid = self.server_uuid.take().or(server_uuid);
        let place = Place { file: self.file_number(file), position };
        if let Some(known) = self.files.get_mut(place.file as usize) {
            known.1 = known.1.or(log);
        }
        let Span { offset, length, number } = span;
        match subject {
            Subject::Table { database, table, kind, is_statement } => {
                let table = self.table_number((database, table));
                self.at_place.insert((table, place, is_statement), self.entries.len());
                self.entries.push(Entry { offset, length, number, place, table, kind, is_statement });
            }
            Subject::Complete { patterns, from } => {
                let from = from.map(|(file, position)| Place { file: self.file_number(file), position });
                self.complete.push(Complete { offset, length, from, to: place, patterns });
            }
            Subject::None => {}
        }
        Some(())
    }

    fn file_number(&mut self, file: String) -> u32 {
        if let Some(number) = self.file_numbers.get(&file) {
            return *number;
        }
        let number = self.files.len() as u32;
        self.files.push((file.clone(), None));
        self.file_numbers.insert(file, number);
        number
    }

    fn table_number(&mut self, table: FullName) -> u32 {
        if let Some(number) = self.table_numbers.get(&table) {
            return *number;
        }
        let number = self.tables.len() as u32;
        self.tables.push(table.clone());
        self.table_numbers.insert(table, number);
        number
    }

    pub fn table(&self, table: &FullName) -> Option<u32> {
        self.table_numbers.get(table).copied()
    }

    /// Whether a log of this identity is another than the one of the lines.
    pub fn conflict(&self, file: &str, log: Option<LogId>, server_uuid: Option<&str>) -> bool {
        let known = self.file_numbers.get(file).and_then(|number| self.files.get(*number as usize)?.1);
        let other_log = known.zip(log).is_some_and(|(known, log)| known != log);
        let known = self.server_uuid.as_deref();
        other_log || known.zip(server_uuid).is_some_and(|(known, uuid)| known != uuid)
    }

    /// The entry of a table at exactly this place.
    pub fn at_place(&self, table: &FullName, place: &Position, is_statement: bool) -> Option<Entry> {
        let file = *self.file_numbers.get(&place.file)?;
        let key = (self.table(table)?, Place { file, position: place.position }, is_statement);
        self.entries.get(*self.at_place.get(&key)?).copied()
    }

    /// The first entry of a table behind an offset of a file, in that file.
    pub fn first_after(&self, table: &FullName, file: &str, offset: u64) -> Option<Entry> {
        let (table, file) = (self.table(table)?, *self.file_numbers.get(file)?);
        let later = self.entries.iter().filter(|entry| {
            entry.table == table && entry.place.file == file && entry.place.position > offset
        });
        later.min_by_key(|entry| entry.place.position).copied()
    }

    /// The file and position of a place.
    pub fn position(&self, place: Place) -> Position {
        let (file, log) = self.files.get(place.file as usize).cloned().unwrap_or_default();
        Position { log, server_uuid: self.server_uuid.clone(), ..Position::new(file, place.position) }
    }

    /// The order of places, relative to `at`.
    pub fn ordered<'a>(&'a self, at: &'a Position, order: &FileOrder) -> Ordered<'a> {
        let names = self.files.iter().map(|(name, _)| &**name).chain([&*at.file]);
        let number = self.file_numbers.get(&at.file).copied().unwrap_or(self.files.len() as u32);
        let at_place = Place { file: number, position: at.position };
        Ordered { index: self, at_file: &at.file, at: at_place, ranks: order.ranks(names) }
    }
}

/// An index with an order of the log's files.
pub struct Ordered<'a> {
    index: &'a Index,
    at_file: &'a str,
    pub at: Place,
    ranks: Vec<Option<usize>>,
}

impl Ordered<'_> {
    fn file(&self, number: u32) -> (&str, Option<usize>) {
        let name = self.index.files.get(number as usize).map_or(self.at_file, |(name, _)| &**name);
        (name, self.ranks.get(number as usize).copied().flatten())
    }

    /// Files that are neither listed nor numbered are in the order in which the history came to them.
    pub fn compare(&self, one: Place, other: Place) -> Ordering {
        let files = match one.file == other.file {
            true => Ordering::Equal,
            false => compare_ranked(self.file(one.file), self.file(other.file))
                .unwrap_or_else(|| one.file.cmp(&other.file)),
        };
        files.then_with(|| one.position.cmp(&other.position))
    }

    pub fn is_reached(&self, place: Place) -> bool {
        self.compare(place, self.at).is_le()
    }

    /// Which of two entries of a table holds after both. At one place, the catalog knows better than a statement, and
    /// anything better than a statement that was not understood.
    fn compare_entries(&self, one: &Entry, other: &Entry) -> Ordering {
        let rank = |entry: &Entry| (entry.kind != Kind::Unknown, !entry.is_statement, entry.offset);
        self.compare(one.place, other.place).then_with(|| rank(one).cmp(&rank(other)))
    }

    /// The entry that holds for each table that has one, in the order of [`Index::tables`].
    pub fn held(&self) -> Vec<Entry> {
        let mut held: Vec<Option<&Entry>> = vec![None; self.index.tables.len()];
        for entry in self.index.entries.iter().filter(|entry| self.is_reached(entry.place)) {
            if let Some(last) = held.get_mut(entry.table as usize)
                && last.is_none_or(|last| self.compare_entries(last, entry).is_lt())
            {
                *last = Some(entry);
            }
        }
        held.into_iter().flatten().copied().collect()
    }

    /// The entries of a table up to here, last first.
    pub fn entries_of(&self, table: u32) -> Vec<Entry> {
        let mut sorted: Vec<Entry> = Vec::new();
        for entry in self.index.entries.iter() {
            if entry.table == table && self.is_reached(entry.place) {
                // Almost all come in order.
                let later = |other: &Entry| self.compare_entries(other, entry).is_gt();
                let count = sorted.iter().rev().take_while(|other| later(other)).count();
                sorted.insert(sorted.len() - count, *entry);
            }
        }
        sorted.reverse();
        sorted
    }

    /// Up to where the history is complete for some tables, beginning at or before this place and not beyond it.
    pub fn complete_up_to(&self, covers: impl Fn(&Patterns) -> bool) -> Option<Place> {
        let all = || self.index.complete.iter().filter(|line| covers(&line.patterns));
        let begins = all().filter(|line| line.from.is_none() && self.is_reached(line.to)).map(|line| line.to);
        let mut reach = begins.max_by(|one, other| self.compare(*one, *other))?;
        // Usually one pass is enough, and a second that finds nothing.
        loop {
            let before = reach;
            for line in all() {
                if line.from.is_some_and(|from| self.compare(from, reach).is_le())
                    && self.compare(line.to, reach).is_gt()
                {
                    reach = line.to;
                }
            }
            if self.compare(reach, self.at).is_ge() {
                return Some(self.at);
            }
            if before == reach {
                return Some(reach);
            }
        }
    }
}

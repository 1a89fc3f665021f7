//! The schema history: a file that says which definition each table had from which place in the log on.
//!
//! One JSON object a line. The first names the format. A line about a table has a place, the statement that ends there
//! (null: the definition comes from the catalog), and the definition; `"columns":null` where the table is gone; or
//! `"unknown"` where the statement was not understood. A line with `complete` says for which tables the lines before it are
//! all there are: at its place, or with `from` at each place since that one, from where on all statements were followed.
//! Lines are only added, the file is cut at a torn last line, and [`History::compact`] states what goes.

mod compact;
mod file;
mod index;
mod line;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use self::file::{HistoryFile, damaged};
use self::index::{Entry, Index, Span};
use self::line::Kind;
pub use self::line::{Born, Line, State};
use super::definition::Definition;
use super::known::FullName;
use super::selection::{Selection, is_within};
use crate::exit::{io_error, usage};
use crate::position::{FileOrder, Position};

/// Where the history of a saved position is kept, unless a flag names another file.
pub fn beside(save: &Path) -> PathBuf {
    let mut path = save.as_os_str().to_owned();
    path.push(".schema");
    path.into()
}

#[derive(Debug)]
pub struct History {
    file: HistoryFile,
    index: Index,
    /// Lines in the file, with those that are not written yet.
    lines: u64,
}

/// Whether a history holds the definition of each selected table at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// A table that is not in it does not exist.
    Complete,
    /// It was complete here, and nobody has followed the statements after that, as far as it tells.
    Until(Position),
    /// These tables were not looked at.
    None,
}

impl History {
    /// Opens a history to be added to. The file need not exist. `flag` is the one that named it.
    ///
    /// # Errors
    /// Exit 2 when it is none, is damaged or cannot be written; exit 1 when another process adds to it.
    pub fn open(flag: &str, path: &Path) -> Result<History> {
        Self::scanned(HistoryFile::for_appending(flag, path)?)
    }

    /// Opens a history that another process may be adding to.
    ///
    /// # Errors
    /// Exit 2 when it is none, is damaged or cannot be read.
    pub fn read(path: &Path) -> Result<History> {
        Self::scanned(HistoryFile::for_reading(path)?)
    }

    fn scanned(mut file: HistoryFile) -> Result<History> {
        let (index, lines) = Self::scan(&mut file)?;
        Ok(History { file, index, lines })
    }

    fn scan(file: &mut HistoryFile) -> Result<(Index, u64)> {
        let (mut index, mut lines) = (Index::default(), 1);
        file.scan(|number, offset, bytes| {
            lines = number;
            let span = Span { offset, length: bytes.len(), number };
            line::outline(bytes).and_then(|outline| index.add(outline, span)).is_some()
        })?;
        Ok((index, lines))
    }

    /// Where the file is, behind symbolic links; `None` for a reader.
    pub fn target(&self) -> Option<&Path> {
        self.file.target()
    }

    /// # Errors
    /// Exit 2 when a place belongs to another log than the history.
    pub fn check(&self, place: &Position) -> Result<()> {
        match self.index.conflict(&place.file, place.log, place.server_uuid.as_deref()) {
            false => Ok(()),
            true => Err(usage(format!(
                "{place} belongs to another log than the schema history {}: the log was reset since, or this is another \
                 server. Remove that file and load again, or name another with --schema",
                self.file.path().display()
            ))),
        }
    }

    /// Adds what holds of a table from a place on, unless it is there. Nothing is written before [`History::sync`].
    ///
    /// # Errors
    /// Exit 2 when the history says otherwise of this place.
    pub fn append(&mut self, line: Line<'_>) -> Result<()> {
        self.check(line.place)?;
        let table = (line.database.to_string(), line.table.to_string());
        if let Some(entry) = self.index.at_place(&table, line.place, line.sql.is_some()) {
            let (sql, state) = self.state(&entry)?;
            let is_unknown = |state: &State| matches!(state, State::Unknown { .. });
            match (is_unknown(&state), is_unknown(line.state)) {
                // Another release may understand more, or less.
                (true, false) => {}
                (_, true) => return Ok(()),
                (false, false) if sql.as_deref() == line.sql && state == *line.state => return Ok(()),
                (false, false) => {
                    return Err(usage(format!(
                        "{}: line {} says otherwise of {}.{} at {} than this run, so it is the history of another log. \
                         Remove it and load again, or name another with --schema",
                        self.file.path().display(),
                        entry.number,
                        line.database,
                        line.table,
                        line.place
                    )));
                }
            }
        }
        self.add(&line.written())
    }

    fn add(&mut self, written: &str) -> Result<()> {
        self.lines += 1;
        let span = Span { offset: self.file.append(written), length: written.len(), number: self.lines };
        let outline = line::outline(written.as_bytes());
        let added = outline.and_then(|outline| self.index.add(outline, span));
        added.ok_or_else(|| damaged(self.file.path(), self.lines))
    }

    /// Adds the definitions that the catalog has at a place, of all selected tables. What holds there already is not
    /// written again.
    pub fn begin<'a>(
        &mut self,
        place: &Position,
        order: &FileOrder,
        selection: &Selection,
        tables: impl IntoIterator<Item = (&'a FullName, &'a Definition)>,
    ) -> Result<()> {
        self.check(place)?;
        let mut held = self.at(place, order, |database, table| selection.selects(database, table))?;
        for ((database, table), definition) in tables {
            let name = (database.clone(), table.clone());
            let state = State::Known(definition.clone());
            if held.remove(&name).as_ref() != Some(&state) {
                self.append(Line {
                    place,
                    gtid: None,
                    database,
                    table,
                    sql: None,
                    state: &state,
                    born: None,
                })?;
            }
        }
        // Those that went while nobody followed.
        for ((database, table), _) in held.into_iter().filter(|(_, state)| *state != State::Gone) {
            let state = State::Gone;
            self.append(Line {
                place,
                gtid: None,
                database: &database,
                table: &table,
                sql: None,
                state: &state,
                born: None,
            })?;
        }
        self.complete_at(place, order, selection)
    }

    /// Notes that the lines so far are all that there are of the selected tables at a place.
    pub fn complete_at(&mut self, place: &Position, order: &FileOrder, selection: &Selection) -> Result<()> {
        match self.coverage(place, order, selection) {
            Coverage::Complete => Ok(()),
            _ => self.add(&line::complete(place, None, &selection.saved())),
        }
    }

    /// Notes that all statements between two places were followed, for the selected tables: their lines have been added.
    pub fn followed(
        &mut self,
        from: &Position,
        to: &Position,
        order: &FileOrder,
        selection: &Selection,
    ) -> Result<()> {
        self.check(to)?;
        match self.coverage(to, order, selection) {
            Coverage::Complete => Ok(()),
            _ => self.add(&line::complete(to, Some(from), &selection.saved())),
        }
    }

    /// Makes what was added durable. Costs nothing if nothing was.
    pub fn sync(&mut self) -> Result<()> {
        self.file.sync()
    }

    /// What holds at a place, of the wanted tables that the history has lines of up to there. A place within a transaction
    /// is the transaction's beginning.
    ///
    /// # Errors
    /// Exit 2 when the place belongs to another log, or a line is damaged.
    pub fn at(
        &self,
        place: &Position,
        order: &FileOrder,
        wants: impl Fn(&str, &str) -> bool,
    ) -> Result<BTreeMap<FullName, State>> {
        self.check(place)?;
        let mut states = BTreeMap::new();
        for entry in self.index.ordered(place, order).held() {
            if let Some(name) = self.index.tables.get(entry.table as usize)
                && wants(&name.0, &name.1)
            {
                states.insert(name.clone(), self.state(&entry)?.1);
            }
        }
        Ok(states)
    }

    /// Where the tables at a place were last empty, of those of which the history tells, with their definitions there if it
    /// has them.
    ///
    /// # Errors
    /// Exit 2 when the place belongs to another log, or a line is damaged.
    pub fn births(
        &self,
        place: &Position,
        order: &FileOrder,
    ) -> Result<Vec<(FullName, Born, Option<Definition>)>> {
        self.check(place)?;
        let mut births = Vec::new();
        for entry in self.index.ordered(place, order).held() {
            if entry.kind != Kind::Known {
                continue;
            }
            let Some(name) = self.index.tables.get(entry.table as usize) else { continue };
            let Some((born, definition)) = self.born(&entry)? else { continue };
            births.push((name.clone(), born, definition));
        }
        Ok(births)
    }

    /// Where a table was last empty by the line of a statement that ends at a place, and its definition there if it is held.
    ///
    /// # Errors
    /// Exit 2 when a line is damaged.
    pub fn born_at(&self, table: &FullName, place: &Position) -> Result<Option<(Born, Option<Definition>)>> {
        self.index.at_place(table, place, true).map_or(Ok(None), |entry| self.born(&entry))
    }

    fn born(&self, entry: &Entry) -> Result<Option<(Born, Option<Definition>)>> {
        let Some(born) = line::born(&self.line(entry)?) else { return Ok(None) };
        // Its statement ends behind its beginning.
        let was = (born.database.clone(), born.table.clone());
        let first = self.index.first_after(&was, &born.file, born.created);
        let first = first.map(|first| self.state(&first)).transpose()?;
        let definition = first.and_then(|(_, state)| match state {
            State::Known(definition) => Some(definition),
            State::Gone | State::Unknown { .. } => None,
        });
        Ok(Some((born, definition)))
    }

    /// Whether [`History::at`] knows all selected tables at a place.
    pub fn coverage(&self, place: &Position, order: &FileOrder, selection: &Selection) -> Coverage {
        let wanted = selection.saved();
        let ordered = self.index.ordered(place, order);
        match ordered.complete_up_to(|patterns| is_within(&wanted, patterns)) {
            None => Coverage::None,
            Some(reach) if ordered.compare(reach, ordered.at).is_ge() => Coverage::Complete,
            Some(reach) => Coverage::Until(self.index.position(reach)),
        }
    }

    /// Whether it holds all definitions of some tables at a place, or at an earlier one, from which on statements can be
    /// followed.
    pub fn reaches(&self, place: &Position, order: &FileOrder) -> bool {
        self.index.ordered(place, order).complete_up_to(|_| true).is_some()
    }

    /// The statements that made a table what it is at a place, last first, each with the place where it ends, back to where
    /// there was no such table. A null statement is a definition from the catalog.
    pub fn statements(
        &self,
        table: &FullName,
        place: &Position,
        order: &FileOrder,
    ) -> Result<Vec<(Position, Option<String>)>> {
        let Some(table) = self.index.table(table) else { return Ok(Vec::new()) };
        let entries = self.index.ordered(place, order).entries_of(table);
        let alive = entries.iter().take_while(|entry| entry.kind != Kind::Gone);
        alive.map(|entry| Ok((self.index.position(entry.place), self.state(entry)?.0))).collect()
    }

    fn line(&self, entry: &Entry) -> Result<Vec<u8>> {
        let line = self.file.line(entry.offset, entry.length);
        line.map_err(|error| io_error("read the schema history", self.file.path(), error))
    }

    fn state(&self, entry: &Entry) -> Result<(Option<String>, State)> {
        let line = self.line(entry)?;
        line::state(&line).ok_or_else(|| damaged(self.file.path(), entry.number))
    }
}

//! RENAME: what comes of the rows of tables that take a selected name, as at the end of an online schema change by gh-ost
//! or pt-online-schema-change. Their rows are read again, or were told under the name before, or end the run.

use anyhow::Result;

use super::Steps;
use super::births::Origin;
use crate::exit::unreadable;
use crate::position::{IdColumn, Reading};
use crate::schema::known::FullName;
use crate::source::framing::Place;

/// What to do where a table takes a selected name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSwap {
    /// Print its rows.
    ReadAgain,
    /// If another table had the name until then, go on without them.
    Continue,
}

/// A table that a statement renamed.
#[derive(Debug)]
pub(super) struct Move {
    /// Its name before the statement.
    pub origin: FullName,
    pub to: FullName,
    /// It is known to be empty.
    pub is_empty: bool,
}

/// The renames of a statement, in order.
#[derive(Debug, Default)]
pub(super) struct Moves(Vec<Move>);

impl Moves {
    pub fn add(&mut self, from: &FullName, to: &FullName, is_empty: bool) {
        let origin = self.to(from).map_or(from, |came| &came.origin).clone();
        self.0.push(Move { origin, to: to.clone(), is_empty });
    }

    /// The last rename to this name.
    pub fn to(&self, name: &FullName) -> Option<&Move> {
        self.0.iter().rev().find(|came| came.to == *name)
    }

    /// Where each table is after the statement.
    fn last(&self) -> impl Iterator<Item = &Move> {
        let is_last =
            |at: usize, of: &Move| self.0.iter().skip(at + 1).all(|later| later.origin != of.origin);
        self.0.iter().enumerate().filter(move |(at, of)| is_last(*at, of)).map(|(_, of)| of)
    }

    /// Whether some table had this name before the statement, and has another one after it.
    fn leaves(&self, name: &FullName) -> bool {
        self.last().any(|moved| moved.origin == *name && moved.to != *name)
    }

    /// Whether some name went from one table to another.
    fn is_swap(&self) -> bool {
        self.last().any(|moved| self.leaves(&moved.to))
    }
}

/// What a statement's renames lead to.
#[derive(Debug, Default)]
pub(super) struct Swaps {
    pub readings: Vec<Reading>,
    /// Names that go on with another table, whose rows are not printed.
    pub continued: Vec<FullName>,
}

impl Steps<'_> {
    /// Decides about each table that took a selected name, and adds the names whose rows are printed anew to `emptied`.
    ///
    /// # Errors
    /// Exit 4 when the rows of one cannot be read again.
    pub(super) fn judge_moves(
        &mut self,
        moves: &Moves,
        emptied: &mut Vec<FullName>,
        place: &Place,
    ) -> Result<Swaps> {
        let mut swaps = Swaps::default();
        for moved in moves.last() {
            if let Some(reading) = self.reading_given(&moved.to, place) {
                swaps.readings.push(reading);
            } else if moved.is_empty || !self.is_wanted(&moved.to) {
                continue;
            } else if self.on_swap == OnSwap::Continue && moves.is_swap() {
                self.warn_of_continued(moved, moves, place);
                swaps.continued.push(moved.to.clone());
                continue;
            } else {
                swaps.readings.push(self.reading_of(moved, moves, place)?);
            }
            if !emptied.contains(&moved.to) {
                emptied.push(moved.to.clone());
            }
        }
        Ok(swaps)
    }

    /// The reading that an earlier run began, by the position that this run began at. Also of a table that is not selected
    /// any more: its rows count.
    fn reading_given(&self, table: &FullName, place: &Place) -> Option<Reading> {
        let given = self.readings.iter().find(|given| given.table == *table && given.renamed == place.start);
        given.filter(|_| self.cursor.base().file == place.file).cloned()
    }

    fn reading_of(&mut self, moved: &Move, moves: &Moves, place: &Place) -> Result<Reading> {
        let why = match self.births.of(&moved.origin) {
            Origin::Born(birth) if !self.source.can_read_again(&place.file) => format!(
                "for its rows, the log would have to be read again from {}:{} on, and a pipe cannot be read twice: give \
                 files",
                birth.file, birth.position
            ),
            Origin::Born(_) if self.layouts.merge_tables.concerns(&moved.origin) => {
                "its rows cannot be read again, because a MERGE table has them, too. Load again".to_string()
            }
            Origin::Born(birth) => {
                return Ok(Reading {
                    table: moved.to.clone(),
                    was: birth.name,
                    file: birth.file,
                    position: birth.position,
                    created: birth.created,
                    renamed: place.start,
                });
            }
            Origin::Unlogged(why) => format!("its rows cannot be read again, because {why}. Load again"),
            Origin::Unknown => format!(
                "its rows cannot be read again, because it was not created (without IF NOT EXISTS) or emptied between {}, \
                 where this run began, and there. Load again, or resume from a position before its CREATE TABLE",
                self.cursor.start()
            ),
            Origin::Forgotten => "its rows cannot be read again, because too many tables were created to remember where \
                                  each was. Load again, or resume from a position before its CREATE TABLE, and name \
                                  the tables that you want"
                .to_string(),
        };
        let advice = match moves.is_swap() {
            true => {
                ". If an online schema change copied all rows to it, --swaps continue goes on without reading them again"
            }
            false => "",
        };
        let ((database, name), (to_database, to)) = (&moved.origin, &moved.to);
        Err(unreadable(format!(
            "at {place} table {database}.{name} was renamed to {to_database}.{to}: this run cannot tell which rows it has \
             under the new name; {why}{advice}"
        )))
    }

    fn warn_of_continued(&mut self, moved: &Move, moves: &Moves, place: &Place) {
        let (database, name) = &moved.origin;
        let printed = self.layouts.selection().printed(&moved.to.0, &moved.to.1);
        let warning = match moves.leaves(&moved.to) {
            true => format!(
                "{printed}: at {place} {database}.{name} took this name. Its rows are not read again (--swaps continue): \
                 those printed before keep their old columns and values. Load again if it was not a copy of all rows"
            ),
            false => format!(
                "{printed}: at {place} {database}.{name} got this name, and its rows are not printed under it (--swaps \
                 continue). Load it if you want them"
            ),
        };
        self.layouts.warnings.push(warning);
    }

    /// Puts the readings into the lines to come, and into positions.
    pub(super) fn begin_swaps(&mut self, swaps: &Swaps) {
        for reading in &swaps.readings {
            if !self.readings.contains(reading) {
                self.readings.push(reading.clone());
            }
        }
        self.lines.set_readings(&self.readings);
    }

    /// The id columns that rows were printed with under names that go on.
    pub(super) fn kept_ids(&self, swaps: &Swaps) -> Vec<(FullName, Vec<IdColumn>)> {
        let known = &self.layouts.tables_known;
        let of = |table: &FullName| Some((table.clone(), known.id(table)?.to_vec()));
        swaps.continued.iter().filter_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(renames: &[(&str, &str)]) -> Moves {
        let name = |table: &str| ("d".to_string(), table.to_string());
        let mut moves = Moves::default();
        renames.iter().for_each(|(from, to)| moves.add(&name(from), &name(to), false));
        moves
    }

    fn last(moves: &Moves) -> Vec<(&str, &str)> {
        moves.last().map(|moved| (moved.origin.1.as_str(), moved.to.1.as_str())).collect()
    }

    #[test]
    fn renames_in_one_statement_are_followed_to_the_last_name() {
        let swap = moves(&[("t", "old"), ("gho", "t")]);
        assert_eq!(last(&swap), [("t", "old"), ("gho", "t")]);
        assert!(swap.is_swap());
        let exchange = moves(&[("a", "tmp"), ("b", "a"), ("tmp", "b")]);
        assert_eq!(last(&exchange), [("b", "a"), ("a", "b")]);
        assert!(exchange.is_swap());
        let back = moves(&[("a", "b"), ("b", "a")]);
        assert_eq!(last(&back), [("a", "a")]);
        assert!(!back.is_swap());
        assert!(!moves(&[("a", "b"), ("c", "d")]).is_swap());
    }
}

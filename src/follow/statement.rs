//! Statements of the log: what each does to the tables that are wanted. They print `truncate`, warn, or end the run.

use anyhow::Result;

use super::lines::Line;
use super::transaction::data_statement;
use super::{Flow, Steps};
use crate::binlog::event::Event;
use crate::binlog::query::Query;
use crate::exit::unreadable;
use crate::position::Position;
use crate::schema::known::FullName;
use crate::source::framing::{Framer, Place};
use crate::sql::effect::{Change, DatabaseChange, Effect, Effects, Name};
use crate::tuple::{Heads, Op};
use crate::version::Release;

/// An effect whose names are the server's: folded, with their database. A table whose name cannot be read, in a
/// database that is not wanted, has an empty name.
type FullEffect = Effect<FullName, String>;

impl Steps<'_> {
    /// What follows from a statement that is no control.
    pub(super) fn effects(
        &mut self,
        effects: Effects,
        query: &Query<'_>,
        event: &Event<'_>,
        framer: &Framer,
    ) -> Result<Flow> {
        if effects.is_empty() {
            return Ok(Flow::On);
        }
        let place = framer.place();
        let effects: Result<Vec<FullEffect>> =
            effects.into_iter().map(|effect| self.full_effect(effect, query, place)).collect();
        let mut effects = match effects {
            // What happened to a table whose name cannot be read is printed already.
            Err(_) if self.skips => Vec::new(),
            effects => effects?,
        };
        let has_effects = !effects.is_empty();
        self.temporary.take_out(query.thread_id, &mut effects, self.layouts.is_mariadb());
        if has_effects && effects.is_empty() {
            // No real table: what is known of those holds.
            return Ok(Flow::On);
        }
        let views = match self.skips {
            true => Vec::new(),
            false => self.renamed_views(&effects, event, place),
        };
        if !self.skips {
            let emptied = self.judge(&effects, &views, query, event, framer)?;
            self.judge_clauses(&effects, &emptied, place)?;
            if self.print_truncates(&emptied)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        self.take_in(&effects, &views);
        self.layouts.definition_changed();
        Ok(Flow::On)
    }

    /// Tables that a statement emptied, each a row of its transaction.
    fn print_truncates(&mut self, tables: &[FullName]) -> Result<Flow> {
        let transactions = self.replay.as_ref().map_or(&self.transactions, |replay| &replay.outer);
        let Some(transaction) = transactions.open() else { return Ok(Flow::On) };
        for (database, table) in tables {
            if self.cursor.stops_here() {
                self.stopped_inside = true;
                return Ok(Flow::Stop);
            }
            if self.layouts.selection().selects(database, table) {
                let heads = Heads::new(&self.layouts.selection().printed(database, table));
                let line = Line { head: heads.of(Op::Truncate), content: None, old: &[], ends_row: true };
                self.lines.push(line, &mut self.cursor, transaction)?;
            } else {
                self.cursor.row_done();
            }
        }
        Ok(Flow::On)
    }

    /// An effect with its names as the server keeps them: the one place where this is done.
    ///
    /// # Errors
    /// Exit 4 when a name cannot be read, and may be a wanted one's.
    fn full_effect(&self, effect: Effect, query: &Query<'_>, place: &Place) -> Result<FullEffect> {
        let full = |name: Name| self.full(name, query, place);
        Ok(match effect {
            Effect::Data { verb } => Effect::Data { verb },
            Effect::Database(_, DatabaseChange::Altered) => {
                Effect::Database(String::new(), DatabaseChange::Altered)
            }
            Effect::Database(Some(name), change) => {
                Effect::Database(self.layouts.selection().kept(name), change)
            }
            Effect::Database(None, _) => return Err(self.illegible("database", place)),
            // Such a statement ends the run whatever its table is called.
            Effect::Table(name, Change::Data { verb, alone, deletes_all }) => match full(name) {
                Ok(table) => Effect::Table(table, Change::Data { verb, alone, deletes_all }),
                Err(_) => Effect::Data { verb },
            },
            Effect::Table(name, change) => Effect::Table(full(name)?, change.with_names(full)?),
        })
    }

    /// A table of a statement, with its database.
    ///
    /// # Errors
    /// Exit 4 when its name cannot be read, and may be a wanted one's.
    fn full(&self, name: Name, query: &Query<'_>, place: &Place) -> Result<FullName> {
        let selection = self.layouts.selection();
        let default = || std::str::from_utf8(query.database).ok().map(str::to_string);
        let database = name.database.unwrap_or_else(default).map(|name| selection.kept(name));
        match (database, name.table) {
            (Some(database), Some(table)) => Ok((database, selection.kept(table))),
            (Some(database), None) if !selection.selects_some_of(&database) => Ok((database, String::new())),
            _ => Err(self.illegible("table", place)),
        }
    }

    fn illegible(&self, what: &str, place: &Place) -> anyhow::Error {
        unreadable(format!(
            "the statement at {} names a {what} in bytes that are no text in the client's character set, so it \
             cannot be told which one it was. Load again",
            place
        ))
    }

    fn is_wanted(&self, table: &FullName) -> bool {
        self.layouts.selection().selects(&table.0, &table.1)
    }

    /// The tables that a statement empties, each a row of its group.
    ///
    /// # Errors
    /// Exit 4 when it changes rows in a way that the log does not hold.
    fn judge(
        &self,
        effects: &[FullEffect],
        views: &[FullName],
        query: &Query<'_>,
        event: &Event<'_>,
        framer: &Framer,
    ) -> Result<Vec<FullName>> {
        let mut emptied = Vec::new();
        // Names that this statement gave to tables, and whether these have no rows.
        let mut came: Vec<(&FullName, bool)> = Vec::new();
        for effect in effects {
            match effect {
                // No rows come to the new name.
                Effect::Table(table, Change::RenamedTo(_)) if views.contains(table) => {
                    emptied.push(table.clone());
                }
                Effect::Table(table, Change::RenamedTo(to)) if self.is_empty(table, &came) => {
                    came.push((to, true));
                    emptied.push(table.clone());
                }
                Effect::Table(table, change) => {
                    if let Change::RenamedTo(to) = change {
                        came.push((to, false));
                    }
                    if self.is_emptied(table, change, query, framer)? {
                        emptied.push(table.clone());
                    }
                }
                Effect::Database(database, DatabaseChange::Dropped) => {
                    emptied.extend(self.tables_of_dropped(database, event, framer.place())?);
                }
                Effect::Database(_, DatabaseChange::Created { .. } | DatabaseChange::Altered) => {}
                Effect::Data { verb } => return Err(data_statement(verb, "", framer.place())),
            }
        }
        Ok(emptied)
    }

    /// Whether a table has no rows, for certain, before this statement or since it was renamed by it.
    fn is_empty(&self, table: &FullName, came: &[(&FullName, bool)]) -> bool {
        let last = came.iter().rev().find(|(name, _)| *name == table);
        last.map_or_else(|| !self.layouts.tables_known.may_have_rows(table), |(_, is_empty)| *is_empty)
    }

    /// Wanted names that a statement renames, and that are known to be no tables'.
    fn renamed_views(&self, effects: &[FullEffect], event: &Event<'_>, place: &Place) -> Vec<FullName> {
        let (known, here) = (&self.layouts.tables_known, Position::new(&*place.file, place.end));
        let (order, began) = (self.cursor.order(), event.header.timestamp.into());
        let is_view = |table: &FullName| {
            self.is_wanted(table)
                && known.may_have_rows(table)
                && known.is_no_table(table, &here, order, began)
        };
        let renamed = effects.iter().filter_map(|effect| match effect {
            Effect::Table(table, Change::RenamedTo(_)) if is_view(table) => Some(table.clone()),
            _ => None,
        });
        renamed.collect()
    }

    /// Whether a table has lost all of its rows.
    ///
    /// # Errors
    /// Exit 4 when its rows changed in another way that the log does not hold.
    fn is_emptied(
        &self,
        table: &FullName,
        change: &Change<FullName>,
        query: &Query<'_>,
        framer: &Framer,
    ) -> Result<bool> {
        let ((database, name), place) = (table, framer.place());
        match change {
            Change::Emptied | Change::Gone => Ok(true),
            Change::Created { replaces, .. } => Ok(*replaces),
            Change::RenamedTo(to) if self.is_wanted(to) => Err(unreadable(format!(
                "at {} table {database}.{name} was renamed {}.{}: the log does not hold its rows under the new name. \
                 Load again",
                place, to.0, to.1
            ))),
            Change::RenamedTo(_) => Ok(true),
            Change::Unlogged(what) if self.is_wanted(table) => Err(unreadable(format!(
                "at {} {what} changed rows of {database}.{name} in a way that the log does not hold: load again",
                place
            ))),
            Change::Data { deletes_all: true, .. } if self.is_made_up(query, framer) => Ok(true),
            // The server's own bookkeeping, which some managed servers do by statement.
            Change::Data { alone: true, deletes_all: false, .. }
                if database == "mysql" && !self.is_wanted(table) =>
            {
                Ok(false)
            }
            Change::Data { verb, .. } => Err(data_statement(verb, &format!("{database}.{name}"), place)),
            Change::Unlogged(_) | Change::Altered(_) | Change::TemporaryCreated | Change::TemporaryGone => {
                Ok(false)
            }
        }
    }

    /// Whether the server made up a DELETE of all rows, for a MEMORY table that its restart emptied. Nothing else
    /// happens then; one of a client might start triggers. MySQL 5.7 and 8.0 log it as a transaction, others alone.
    fn is_made_up(&self, query: &Query<'_>, framer: &Framer) -> bool {
        let release = Release::parse(&framer.format().server_version, "");
        let in_transaction = release.is_some_and(|release| release.is_mysql_from(5, 7, 0));
        self.transactions.is_alone() || in_transaction && !query.lists_databases
    }

    /// The wanted tables that go with a database: the log does not name them.
    ///
    /// # Errors
    /// Exit 4 when it is not known which these are.
    fn tables_of_dropped(&self, database: &str, event: &Event<'_>, place: &Place) -> Result<Vec<FullName>> {
        let layouts = &self.layouts;
        let selection = layouts.selection();
        if !selection.selects_some_of(database) {
            return Ok(Vec::new());
        }
        if let Some(named) = selection.named(database) {
            return Ok(named);
        }
        let here = Position::new(&*place.file, place.end);
        let known = layouts.tables_known.of_dropped(
            database,
            &here,
            self.cursor.order(),
            event.header.timestamp.into(),
        );
        known.ok_or_else(|| {
            unreadable(format!(
                "at {} DROP DATABASE {database} dropped tables that the log does not name, and the server does not \
                 know them any more: name those that you have on the command line (with --allow-missing), or load \
                 again. A position saved by --save knows them",
                place
            ))
        })
    }

    /// Remembers what a statement did, for what comes after it.
    fn take_in(&mut self, effects: &[FullEffect], views: &[FullName]) {
        for effect in effects {
            match effect {
                Effect::Table(table, Change::RenamedTo(_)) if views.contains(table) => {}
                Effect::Table(table, change) => self.take_in_change(table, change),
                Effect::Database(database, DatabaseChange::Dropped)
                | Effect::Database(database, DatabaseChange::Created { if_not_exists: false }) => {
                    self.layouts.tables_known.database_emptied(database);
                }
                Effect::Database(..) | Effect::Data { .. } => {}
            }
        }
    }

    fn take_in_change(&mut self, table: &FullName, change: &Change<FullName>) {
        let empties = matches!(
            change,
            Change::Emptied | Change::Gone | Change::RenamedTo(_) | Change::Created { replaces: true, .. }
        );
        if empties {
            self.layouts.named(table);
        }
        let is_wanted = self.is_wanted(table);
        let wants_other = matches!(change, Change::RenamedTo(to) if self.is_wanted(to));
        let known = &mut self.layouts.tables_known;
        match change {
            Change::RenamedTo(to) => known.renamed(table, to, wants_other),
            Change::Gone => known.gone(table),
            // It is done already, and so may be rows that came since.
            Change::Emptied | Change::Created { if_not_exists: false, .. } if self.skips => {
                known.may_be_filled(table);
                if is_wanted {
                    known.add(table);
                }
            }
            Change::Emptied | Change::Created { if_not_exists: false, .. } if !is_wanted => {
                known.unwanted_is_empty(table);
            }
            Change::Emptied => known.emptied(table),
            Change::Created { if_not_exists: false, .. } => known.created(table),
            // It may have rows from before.
            Change::Created { if_not_exists: true, .. } if is_wanted => known.add(table),
            // What is saved has the new names already.
            Change::Altered(clauses) if !self.skips => self.take_in_new_names(table, clauses),
            Change::Unlogged(_) | Change::Data { .. } => known.may_be_filled(table),
            Change::Created { if_not_exists: true, .. }
            | Change::Altered(_)
            | Change::TemporaryCreated
            | Change::TemporaryGone => {}
        }
    }
}

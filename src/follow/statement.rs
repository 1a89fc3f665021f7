//! Statements: what each does to the selected tables. They print `truncate`, warn, or end the run.

use anyhow::Result;

use super::Steps;
use super::cursor::Flow;
use super::full_effect::{self, FullEffect};
use super::lines::{Counts, Line, LineContent};
use super::recorder::Before;
use super::swaps::{Moves, Swaps};
use super::temporary::By;
use super::transaction::data_statement;
use crate::binlog::event::Event;
use crate::binlog::query::Query;
use crate::exit::unreadable;
use crate::position::Position;
use crate::schema::known::{FullName, KnownTables};
use crate::source::framing::{Framer, Place};
use crate::sql::alter::{EXCHANGE, ONLY_DELETE, ONLY_HISTORY};
use crate::sql::effect::{DatabaseChange, Effect, Effects, TableChange};
use crate::tuple::{LinePrefixes, Op};

impl Steps<'_> {
    /// Handles the effects of a statement other than transaction control.
    pub(super) fn effects(
        &mut self,
        effects: Effects,
        query: &Query<'_>,
        event: &Event<'_>,
        framer: &Framer,
    ) -> Result<Flow> {
        if effects.is_empty() {
            return Ok(Flow::Continue);
        }
        let place = framer.place();
        let effects: Result<Vec<FullEffect>> =
            effects.into_iter().map(|effect| self.full_effect(effect, query, place)).collect();
        let mut effects = match effects {
            // The transaction is done already, so an unreadable name does not matter, but any definition may have changed.
            Err(_) if self.skips => vec![Effect::Data { verb: String::new() }],
            effects => effects?,
        };
        let has_effects = !effects.is_empty();
        let mut swaps = Swaps::default();
        let by = By::of(event, query, self.layouts.is_mariadb());
        if !self.skips && self.complete_temporary(by, &effects, framer)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        self.temporary.take_out(by, &mut effects);
        if has_effects && effects.is_empty() {
            // Only temporary tables: definitions of real ones still hold.
            return Ok(Flow::Continue);
        }
        let views = match self.skips {
            true => Vec::new(),
            false => self.renamed_views(&effects, event, place),
        };
        if !self.skips {
            self.take_out_history(&mut effects, place)?;
            self.judge_merge_tables(&effects, place)?;
            let (mut emptied, moves) = self.judge(&effects, &views, query, event, framer)?;
            self.preview(&effects, query)?;
            self.judge_clauses(&effects, &emptied, place)?;
            self.layouts.was_judged();
            swaps = self.judge_moves(&moves, &mut emptied, place)?;
            self.begin_swaps(&swaps);
            if self.print_truncates(&emptied, &swaps.continued)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        let kept = self.kept_ids(&swaps);
        let before = if self.recorder.is_some() { self.known_before(&effects) } else { Before::new() };
        let known = &self.layouts.tables_known;
        self.births.take_in(&effects, self.cursor.base(), place, &|table| !known.may_have_rows(table));
        let selection = self.layouts.selection();
        self.prepared.take_in(&effects, &|(database, table)| selection.selects(database, table), place);
        if !self.source.can_read_again(&place.file) {
            self.prepared.happened_for_good(&effects, place);
        }
        let copies = self.copied_sequences(&effects, event, place)?;
        let absent = self.absent(&effects, event, place);
        self.take_in_foreign_keys(&effects, place);
        self.take_in(&effects, &views);
        self.take_in_merge_tables(&effects, place);
        copies.iter().for_each(|copy| self.layouts.tables_known.sequence_created(copy));
        self.follow_definitions(&effects, &absent, query, place)?;
        if self.recorder.is_some() {
            let place = Position { log: framer.log(), ..Position::new(&*place.file, place.end) };
            self.record(&before, &effects, query, &place)?;
        }
        self.births.take_in_definitions(&effects, &|table| self.layouts.known_definition(table));
        if !self.skips {
            self.show_changed_schemas(&effects, query)?;
        }
        kept.into_iter().for_each(|(table, id)| self.layouts.tables_known.set_id(&table, id));
        self.read_again(&swaps, &effects, framer)
    }

    /// Removes a DROP or CONVERT PARTITION of old row versions only, which are never printed. The catalog tells, unless
    /// the statement is older than it: a later one may have partitioned the table anew.
    fn take_out_history(&mut self, effects: &mut Vec<FullEffect>, place: &Place) -> Result<()> {
        let drops = |effect: &FullEffect| match effect {
            Effect::Table(table, TableChange::Unlogged(what)) if ONLY_HISTORY.contains(what) => {
                Some(table.clone())
            }
            _ => None,
        };
        let Some(table) = effects.iter().find_map(drops) else { return Ok(()) };
        let here = Position::new(&*place.file, place.end);
        if self.is_wanted(&table)
            && self.layouts.tables_known.is_surveyed(&here, self.cursor.order())
            && self.layouts.has_history_partitions(&table)?
        {
            // The table that a partition became has its rows.
            effects.retain(|effect| drops(effect).as_ref() != Some(&table));
        }
        Ok(())
    }

    /// Prints a truncate line for each table that a statement emptied, except those that are `continued`. Each counts as
    /// a row of the transaction.
    fn print_truncates(&mut self, tables: &[FullName], continued: &[FullName]) -> Result<Flow> {
        let transactions = self.replay.as_ref().map_or(&self.transactions, |replay| &replay.outer);
        let Some(transaction) = transactions.open() else { return Ok(Flow::Continue) };
        for name in tables {
            let (database, table) = name;
            if self.cursor.stops_here() {
                self.stopped_inside = true;
                return Ok(Flow::Stop);
            }
            if self.layouts.selection().selects(database, table) && !continued.contains(name) {
                let prefixes = LinePrefixes::new(&self.layouts.selection().printed(database, table));
                let line = Line {
                    prefix: prefixes.of(Op::Truncate),
                    content: LineContent::Empty,
                    old: &[],
                    counts: Counts::Row,
                };
                self.lines.push(line, &mut self.cursor, transaction)?;
            } else {
                self.cursor.row_done();
            }
        }
        Ok(Flow::Continue)
    }

    /// See [`full_effect::full_effect`].
    pub(super) fn full_effect(&self, effect: Effect, query: &Query<'_>, place: &Place) -> Result<FullEffect> {
        full_effect::full_effect(self.layouts.selection(), effect, query, place)
    }

    pub(super) fn is_wanted(&self, table: &FullName) -> bool {
        self.layouts.selection().selects(&table.0, &table.1)
    }

    /// The tables that a statement empties, and those that it renames.
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
    ) -> Result<(Vec<FullName>, Moves)> {
        let mut emptied = Vec::new();
        let mut moves = Moves::default();
        for effect in effects {
            match effect {
                Effect::Table(table, TableChange::SequenceCreated { replaces: true, .. }) => {
                    if self.is_wanted(table) && !views.contains(table) {
                        emptied.push(table.clone());
                    }
                }
                // A view or sequence brings no rows to its new name.
                Effect::Table(table, TableChange::RenamedTo(_)) if views.contains(table) => {
                    emptied.push(table.clone());
                }
                Effect::Table(table, TableChange::RenamedTo(to)) => {
                    moves.add(table, to, self.is_empty(table, &moves));
                    emptied.push(table.clone());
                }
                Effect::Table(table, change) => {
                    // The partitions of an empty table hold no rows, and it has no duplicates.
                    let only_deletes =
                        matches!(change, TableChange::Unlogged(what) if ONLY_DELETE.contains(what));
                    if only_deletes && self.is_empty(table, &moves) {
                        continue;
                    }
                    if matches!(change, TableChange::Unlogged(what) if *what == EXCHANGE)
                        && effects.iter().all(|effect| self.exchanges_nothing(effect, &moves))
                    {
                        continue;
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
        Ok((emptied, moves))
    }

    /// Whether this is no EXCHANGE PARTITION, or of an empty table.
    fn exchanges_nothing(&self, effect: &FullEffect, moves: &Moves) -> bool {
        match effect {
            Effect::Table(table, TableChange::Unlogged(what)) if *what == EXCHANGE => {
                self.is_empty(table, moves)
            }
            _ => true,
        }
    }

    /// Whether a table is known to be empty: before the statement, or under the name that the statement gave it.
    fn is_empty(&self, table: &FullName, moves: &Moves) -> bool {
        let came = moves.to(table);
        came.map_or_else(|| !self.layouts.tables_known.may_have_rows(table), |came| came.is_empty)
    }

    /// Names that a statement renames or replaces, and that are known to be names of views or sequences.
    fn renamed_views(&self, effects: &[FullEffect], event: &Event<'_>, place: &Place) -> Vec<FullName> {
        let (known, here) = (&self.layouts.tables_known, Position::new(&*place.file, place.end));
        let (order, began) = (self.cursor.order(), event.header.timestamp.into());
        let is_view = |table: &FullName| {
            known.is_sequence(table)
                || self.is_wanted(table)
                    && known.may_have_rows(table)
                    && known.is_no_table(table, &here, order, began)
        };
        let mut views: Vec<FullName> = Vec::new();
        // Names that the statement itself gave to tables.
        let mut came: Vec<&FullName> = Vec::new();
        for effect in effects {
            let Effect::Table(table, change) = effect else { continue };
            let is_view = |table: &FullName| !came.contains(&table) && is_view(table);
            match change {
                TableChange::RenamedTo(_) | TableChange::SequenceCreated { replaces: true, .. }
                    if views.contains(table) || is_view(table) =>
                {
                    views.push(table.clone());
                    if let TableChange::RenamedTo(to) = change {
                        views.push(to.clone());
                    }
                }
                TableChange::RenamedTo(to) => came.push(to),
                _ => {}
            }
        }
        views
    }

    /// Selected names that a CREATE TABLE … LIKE gave to sequences (MariaDB).
    fn copied_sequences(
        &mut self,
        effects: &[FullEffect],
        event: &Event<'_>,
        place: &Place,
    ) -> Result<Vec<FullName>> {
        let mut copies = Vec::new();
        for effect in effects {
            if let Effect::Table(copy, TableChange::Created { like: Some(like), .. }) = effect
                && self.layouts.is_mariadb()
                && self.is_wanted(copy)
            {
                let (order, began) = (self.cursor.order(), event.header.timestamp.into());
                let is_wanted = self.is_wanted(like);
                let is_no_table = |known: &KnownTables, name: &FullName| {
                    let here = Position::new(&*place.file, place.end);
                    is_wanted && known.is_no_table(name, &here, order, began)
                };
                if self.layouts.is_sequence(like, &is_no_table)? == Some(true) {
                    copies.push(copy.clone());
                }
            }
        }
        Ok(copies)
    }

    /// Whether a table has lost all of its rows.
    ///
    /// # Errors
    /// Exit 4 when its rows changed in another way, which the log does not hold.
    fn is_emptied(
        &self,
        table: &FullName,
        change: &TableChange<FullName>,
        query: &Query<'_>,
        framer: &Framer,
    ) -> Result<bool> {
        let ((database, name), place) = (table, framer.place());
        match change {
            TableChange::Emptied | TableChange::Gone => Ok(true),
            TableChange::Created { replaces, .. } => Ok(*replaces),
            // Where its rows went is judged apart from this.
            TableChange::RenamedTo(_) => Ok(true),
            TableChange::Unlogged(what) if self.is_wanted(table) => Err(unreadable(format!(
                "at {} {what} changed rows of {database}.{name} in a way that the log does not hold: load again",
                place
            ))),
            TableChange::VersioningAdded if self.layouts.read_as_versioned.contains(table) => {
                Err(unreadable(format!(
                    "at {place} table {database}.{name} got system versioning, but its rows before were read as if it had \
                     it already, since it has it on the server: some may be missing. Load again"
                )))
            }
            TableChange::Data { deletes_all: true, .. } if self.is_made_up(query, framer) => Ok(true),
            // Bookkeeping of the server, which some managed servers do in statement format.
            TableChange::Data { alone: true, deletes_all: false, .. }
                if database == "mysql" && !self.is_wanted(table) =>
            {
                Ok(false)
            }
            TableChange::Data { verb, .. } => Err(data_statement(verb, &format!("{database}.{name}"), place)),
            TableChange::Unlogged(_)
            | TableChange::Altered(_)
            | TableChange::SequenceCreated { .. }
            | TableChange::SequenceGone
            | TableChange::Merges(_)
            | TableChange::VersioningAdded
            | TableChange::VersioningDropped
            | TableChange::ForeignKeysAdded(_)
            | TableChange::ForeignKeyDropped { .. }
            | TableChange::TemporaryCreated
            | TableChange::TemporaryGone => Ok(false),
        }
    }

    /// Whether the server itself wrote a DELETE of all rows, for a MEMORY table that its restart emptied. A client's DELETE
    /// could fire triggers; this one cannot. MySQL 5.7 and 8.0 log it in a transaction, others without one.
    fn is_made_up(&self, query: &Query<'_>, framer: &Framer) -> bool {
        let release = framer.format().writer;
        let in_transaction = release.is_some_and(|release| release.is_mysql_from(5, 7, 0));
        self.transactions.is_alone() || in_transaction && !query.lists_databases
    }

    /// The selected tables of a dropped database, which the log does not name.
    ///
    /// # Errors
    /// Exit 4 when not all of them are known.
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
                "at {} DROP DATABASE {database} dropped tables that neither the log nor the server can name: name \
                 the tables that you loaded on the command line (with --allow-missing), or load again. (A position \
                 saved by --save lists them.)",
                place
            ))
        })
    }

    /// Records what a statement did to the known tables.
    fn take_in(&mut self, effects: &[FullEffect], views: &[FullName]) {
        for effect in effects {
            match effect {
                Effect::Table(table, TableChange::RenamedTo(to)) if views.contains(table) => {
                    self.layouts.tables_known.other_renamed(table, to);
                }
                Effect::Table(table, change) => self.take_in_change(table, change),
                Effect::Database(database, DatabaseChange::Dropped)
                | Effect::Database(database, DatabaseChange::Created { if_not_exists: false }) => {
                    self.layouts.tables_known.database_emptied(database);
                }
                Effect::Database(..) | Effect::Data { .. } => {}
            }
        }
    }

    fn take_in_change(&mut self, table: &FullName, change: &TableChange<FullName>) {
        let empties = matches!(
            change,
            TableChange::Emptied
                | TableChange::Gone
                | TableChange::RenamedTo(_)
                | TableChange::Created { replaces: true, .. }
        );
        if empties {
            self.layouts.named(table);
        }
        if empties
            || matches!(
                change,
                TableChange::VersioningDropped | TableChange::Created { if_not_exists: false, .. }
            )
        {
            self.layouts.read_as_versioned.remove(table);
        }
        let is_wanted = self.is_wanted(table);
        let wants_other = matches!(change, TableChange::RenamedTo(to) if self.is_wanted(to));
        let known = &mut self.layouts.tables_known;
        match change {
            TableChange::RenamedTo(to) => known.renamed(table, to, wants_other),
            TableChange::Gone => known.gone(table),
            // A table of the name stays.
            TableChange::SequenceCreated { if_not_exists: true, .. } if known.is_table(table) => {}
            TableChange::SequenceCreated { .. } => known.sequence_created(table),
            TableChange::SequenceGone => known.sequence_gone(table),
            // An earlier run printed this statement, and perhaps also rows that came after it.
            TableChange::Emptied | TableChange::Created { if_not_exists: false, .. } if self.skips => {
                known.may_be_filled(table);
                if is_wanted {
                    known.add(table);
                }
            }
            TableChange::Emptied | TableChange::Created { if_not_exists: false, .. } if !is_wanted => {
                known.unwanted_is_empty(table);
            }
            TableChange::Emptied => known.emptied(table),
            TableChange::Created { if_not_exists: false, .. } => known.created(table),
            // The table may have existed before, with rows.
            TableChange::Created { if_not_exists: true, .. } if is_wanted => known.add(table),
            // If an earlier run printed this statement, the saved id columns have the new names already.
            TableChange::Altered(clauses) if !self.skips => self.take_in_clauses(table, clauses),
            TableChange::Unlogged(what) if ONLY_DELETE.contains(what) => {}
            TableChange::Unlogged(_) | TableChange::Data { .. } => known.may_be_filled(table),
            TableChange::Created { if_not_exists: true, .. }
            | TableChange::Altered(_)
            | TableChange::Merges(_)
            | TableChange::VersioningAdded
            | TableChange::VersioningDropped
            | TableChange::ForeignKeysAdded(_)
            | TableChange::ForeignKeyDropped { .. }
            | TableChange::TemporaryCreated
            | TableChange::TemporaryGone => {}
        }
    }
}

//! The second reading of a table's rows, from where it was empty up to the RENAME that gave it a selected name.
//!
//! All of the table's rows stand in that part of the log, under the names that it had there. They are printed as rows of the
//! RENAME's transaction, so that a run resumes at each. Only they count there, whatever tables are selected.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use anyhow::Result;

use super::Steps;
use super::births::Origin;
use super::cursor::Flow;
use super::full_effect::FullEffect;
use super::prepared::GroupStart;
use super::swaps::Swaps;
use super::temporary::{By, Temporary};
use super::transaction::{Meaning, Transactions, data_statement, malformed};
use crate::binlog::event::{Event, EventType};
use crate::binlog::query::Query;
use crate::binlog::rows;
use crate::binlog::table_map::TableMap;
use crate::bytes::Malformed;
use crate::exit::{Failure, message, unreadable};
use crate::position::Reading;
use crate::schema::followed::{Change, Known, KnownBy};
use crate::schema::known::FullName;
use crate::source::Mode;
use crate::source::framing::{Framer, Place};
use crate::source::scan::scan;
use crate::sql::ddl;
use crate::sql::effect::{Clause, Effect, Effects, TableChange};

/// A second reading under way.
pub(super) struct Reread {
    /// The state of the main reading, inside the RENAME's transaction.
    pub outer: Transactions,
    pub(super) reading: Reading,
    /// The name that the table has at the current place of this reading.
    name: FullName,
    /// The statement that left the table empty was read.
    is_born: bool,
    /// Table maps of the table.
    ids: HashSet<u64>,
    /// Prepared transactions with rows of it, that were neither committed nor rolled back yet.
    prepared: HashMap<String, GroupStart>,
    /// The current transaction has rows of it that count only if a later one commits them.
    hides_rows: bool,
    /// Temporary tables of that part of the log.
    temporary: Temporary,
    columns: Columns,
}

/// What tells the columns of rows whose table maps do not name them.
pub(super) struct Columns {
    /// What is known of the table after the RENAME.
    outer: Option<Known>,
    /// The statements of that part of the log were followed, from where the table was empty.
    is_followed: bool,
    /// Otherwise, the first rows that were read as if the table had been as it is after the RENAME: where.
    guessed: Option<Place>,
}

impl Reread {
    /// Whether a rows event is one of the table's.
    pub fn has(&self, event: &Event<'_>, framer: &Framer) -> Result<bool, Malformed> {
        let id = rows::table_id(framer.format(), event.header.type_byte, event.body)?;
        Ok(self.is_born && self.ids.contains(&id))
    }
}

impl Steps<'_> {
    /// Prints the rows of tables that took a selected name, as rows of the current transaction.
    pub(super) fn read_again(
        &mut self,
        swaps: &Swaps,
        effects: &[FullEffect],
        framer: &Framer,
    ) -> Result<Flow> {
        for reading in &swaps.readings {
            let mut guessed = None;
            let flow = self.read_table_again(reading, framer, &mut guessed);
            if self.with_context(flow, reading, framer.place())? == Flow::Stop {
                return Ok(Flow::Stop);
            }
            // Clauses beside the RENAME, in one ALTER TABLE.
            for effect in effects {
                if let Effect::Table(table, TableChange::Altered(clauses)) = effect
                    && effects.iter().any(|other| {
                        matches!(other, Effect::Table(from, TableChange::RenamedTo(to))
                            if from == table && *to == reading.table)
                    })
                {
                    check_guess(guessed.as_ref(), clauses, &reading.table, framer.place())?;
                    let altered = Effect::Table(reading.table.clone(), TableChange::Altered(clauses.clone()));
                    self.judge_clauses(&[altered], &[], framer.place())?;
                }
            }
        }
        Ok(Flow::Continue)
    }

    /// A part of the log that is gone makes the rows unreadable; the RENAME itself is there.
    fn with_context(&self, flow: Result<Flow>, reading: &Reading, renamed: &Place) -> Result<Flow> {
        flow.map_err(|error| {
            let is_gone = |cause: &(dyn std::error::Error + 'static)| {
                matches!(cause.downcast_ref(), Some(Failure::Unavailable(_)))
            };
            if !error.chain().any(is_gone) {
                return error;
            }
            unreadable(format!(
                "at {renamed} a table was renamed to {}.{}, and its rows cannot be read again from {}:{} on: {}",
                reading.table.0,
                reading.table.1,
                reading.file,
                reading.position,
                message(&error)
            ))
        })
    }

    fn read_table_again(
        &mut self,
        reading: &Reading,
        main: &Framer,
        guessed: &mut Option<Place>,
    ) -> Result<Flow> {
        let offsets = self.source.offsets();
        let mut framer = Framer::at(&reading.file, reading.position, offsets);
        let mut events = self.source.begin(&reading.file, reading.position, Mode::UntilEnd)?;
        // Rows printed before are gone, and may have had another id.
        self.layouts.tables_known.emptied(&reading.table);
        let maps = self.layouts.take_maps();
        let outer = self.layouts.known_definition(&reading.table).cloned();
        self.reread = Some(Reread {
            outer: std::mem::take(&mut self.transactions),
            reading: reading.clone(),
            name: reading.was.clone(),
            is_born: false,
            ids: HashSet::new(),
            prepared: HashMap::new(),
            hides_rows: false,
            temporary: Temporary::default(),
            columns: Columns { outer: outer.clone(), is_followed: false, guessed: None },
        });
        let end = main.place();
        let flow = scan(events.as_mut(), &mut framer, |event, framer| {
            let place = framer.place();
            if *place.file == *end.file && place.start >= end.start {
                return Ok(ControlFlow::Break(Flow::Continue));
            }
            let Some(event) = event.filter(|_| !self.signal.is_set()) else {
                let stops = self.signal.is_set();
                return Ok(if stops { ControlFlow::Break(Flow::Stop) } else { ControlFlow::Continue(()) });
            };
            Ok(match self.unpack(event, framer)? {
                Flow::Stop => ControlFlow::Break(Flow::Stop),
                Flow::Continue => ControlFlow::Continue(()),
            })
        });
        let reread = self.reread.take();
        let is_born = reread.as_ref().is_some_and(|reread| reread.is_born);
        self.layouts.put_definition(&reading.table, outer);
        if let Some(reread) = reread {
            (self.transactions, *guessed) = (reread.outer, reread.columns.guessed);
        }
        self.layouts.put_maps_back(maps, &main.format().server_version);
        match flow? {
            Some(Flow::Continue) if !is_born => Err(unreadable(format!(
                "{}:{} does not hold the statement that left {}.{} empty. Load again",
                reading.file, reading.created, reading.was.0, reading.was.1
            ))),
            Some(flow) => Ok(flow),
            None => Err(unreadable(format!(
                "the log from {}:{} on, which holds the rows of the table that was renamed at {end}, ends before that \
                 place. Load again",
                reading.file, reading.position
            ))),
        }
    }

    /// Handles an event of that part of the log.
    pub(super) fn reread_event(
        &mut self,
        meaning: Meaning<'_>,
        event: &Event<'_>,
        framer: &Framer,
    ) -> Result<Flow> {
        match meaning {
            Meaning::Nothing => {}
            Meaning::NewFile { abandons } => {
                if EventType::of(event.header.type_byte) == EventType::FormatDescription {
                    self.layouts.written_by(&framer.format().server_version);
                }
                if abandons {
                    self.lines.inner_rollback(framer.place())?;
                }
            }
            Meaning::Begin { abandons } => {
                if abandons {
                    self.lines.inner_rollback(framer.place())?;
                }
                self.inner_begin();
            }
            Meaning::TableMap => self.reread_table_map(event, framer, false)?,
            Meaning::HiddenTableMap => self.reread_table_map(event, framer, true)?,
            Meaning::Rows { kind, ends } => {
                if self.print_rows(kind, event, framer)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                if ends {
                    self.inner_commit()?;
                }
            }
            Meaning::Statement { effects, query, alone } => {
                self.reread_effects(effects, &query, event, framer)?;
                if alone {
                    self.inner_commit()?;
                }
            }
            Meaning::Savepoint(name) => self.lines.savepoint(name),
            Meaning::RollbackTo(name) => self.lines.rollback_to(&name, framer.place())?,
            Meaning::Commit => self.inner_commit()?,
            Meaning::Rollback => {
                self.transactions.close();
                self.lines.inner_rollback(framer.place())?;
            }
            Meaning::XaPrepare { xid, one_phase } => {
                self.inner_prepared(&xid);
                self.inner_commit()?;
                if one_phase {
                    return self.inner_xa_commit(&xid, framer);
                }
            }
            Meaning::XaCommit(xid) => return self.inner_xa_commit(&xid, framer),
            Meaning::XaRollback(xid) => {
                if let Some(reread) = &mut self.reread {
                    reread.prepared.remove(&xid);
                }
                self.inner_commit()?;
            }
        }
        Ok(Flow::Continue)
    }

    /// The table was left empty: its definition there is known, or follows from the statement.
    fn begin_columns(&mut self, change: &TableChange<FullName>, query: &Query<'_>) -> Result<()> {
        let Some(reread) = &mut self.reread else { return Ok(()) };
        let (table, created) = (reread.reading.table.clone(), reread.reading.created);
        // The RENAME has moved it to the present name.
        let known = match self.births.of(&table) {
            Origin::Born(birth) if birth.created == created && birth.file == reread.reading.file => {
                birth.definition
            }
            _ => None,
        };
        if let Some(definition) = known {
            reread.columns.is_followed = true;
            self.layouts.put_definition(&table, Some(Known::new(definition, KnownBy::Log)));
        } else if matches!(change, TableChange::Created { like: None, .. }) {
            let created = Change::Created { table: &table, if_not_exists: false };
            self.follow_column_change(&created, query)?;
        }
        Ok(())
    }

    /// The table was altered.
    fn follow_columns(&mut self, query: &Query<'_>) -> Result<()> {
        let Some(reread) = &self.reread else { return Ok(()) };
        if !reread.columns.is_followed {
            return Ok(());
        }
        let table = reread.reading.table.clone();
        self.follow_column_change(&Change::Altered { table: &table }, query)
    }

    /// What is not followed leaves the definition after the RENAME.
    fn follow_column_change(&mut self, change: &Change<'_>, query: &Query<'_>) -> Result<()> {
        let (Change::Created { table, .. } | Change::Altered { table }) = *change else { return Ok(()) };
        let ddl = ddl::read(query.text, query.session);
        self.layouts.definitions_changed(&|database, name| table.0 == database && table.1 == name, &|_| true);
        self.layouts.follow_definition(change, &ddl, &query.session, &"a second reading")?;
        let is_followed = self.layouts.known_definition(table).is_some();
        let Some(reread) = &mut self.reread else { return Ok(()) };
        reread.columns.is_followed = is_followed;
        if !is_followed {
            let outer = reread.columns.outer.clone();
            self.layouts.put_definition(table, outer);
        }
        Ok(())
    }

    fn inner_begin(&mut self) {
        self.lines.inner_begin();
        if let Some(reread) = &mut self.reread {
            reread.hides_rows = false;
            reread.ids.clear();
        }
    }

    fn inner_commit(&mut self) -> Result<()> {
        self.transactions.close();
        self.lines.inner_commit()
    }

    /// Notes where a prepared transaction begins, if it has rows of the table.
    fn inner_prepared(&mut self, xid: &str) {
        if let (Some(reread), Some(open)) = (&mut self.reread, self.transactions.open())
            && std::mem::take(&mut reread.hides_rows)
        {
            let start = GroupStart { file: open.file.clone(), offset: open.start };
            reread.prepared.insert(xid.to_string(), start);
        }
    }

    /// Prints the table's rows of a prepared transaction that is committed here. One from before the table was empty has
    /// none: its locks would have kept the table from that.
    fn inner_xa_commit(&mut self, xid: &str, framer: &Framer) -> Result<Flow> {
        let start = self.reread.as_mut().and_then(|reread| reread.prepared.remove(xid));
        if let Some(start) = start {
            self.inner_begin();
            if self.replay(xid, &start, framer.place())? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        self.inner_commit()?;
        Ok(Flow::Continue)
    }

    /// The layout of the table's rows is asked for by the name that it has after the RENAME; the log tells it from others by
    /// the name that it had.
    pub(super) fn reread_table_map(
        &mut self,
        event: &Event<'_>,
        framer: &Framer,
        hidden: bool,
    ) -> Result<()> {
        let bad = |why: Malformed| malformed(why.0, framer.place());
        let map = TableMap::parse(framer.format(), event.header.type_byte, event.body).map_err(bad)?;
        // A name that cannot be read is not the table's, whose name was.
        let name = self.name_of(&map).ok();
        let Some(reread) = &mut self.reread else { return Ok(()) };
        if !reread.is_born || name.is_none_or(|name| name != reread.name) {
            reread.ids.remove(&map.table_id);
            return Ok(());
        }
        if hidden {
            reread.hides_rows = true;
            return Ok(());
        }
        reread.ids.insert(map.table_id);
        let table = reread.reading.table.clone();
        self.settled_map(framer.place(), &|layouts, accepted| {
            layouts.map_renamed(&map, event.body, framer.place(), &table, accepted)
        })?;
        let Some(reread) = &mut self.reread else { return Ok(()) };
        if reread.columns.guessed.is_none() && map.metadata().map_err(bad)?.names.is_none() {
            // A definition that did not fit was given up.
            let known = self.layouts.known_definition(&reread.reading.table);
            if !reread.columns.is_followed || !known.is_some_and(Known::is_sure) {
                reread.columns.guessed = Some(framer.place().clone());
            }
        }
        Ok(())
    }

    /// Follows the table through a statement: it is renamed, or altered.
    ///
    /// # Errors
    /// Exit 4 when the statement changes its rows without row events, or its ids.
    pub(super) fn reread_effects(
        &mut self,
        effects: Effects,
        query: &Query<'_>,
        event: &Event<'_>,
        framer: &Framer,
    ) -> Result<()> {
        if effects.is_empty() {
            return Ok(());
        }
        let place = framer.place();
        // A name that cannot be read is not the table's. Other tables do not matter here.
        let effects = effects.into_iter().filter_map(|effect| self.full_effect(effect, query, place).ok());
        let mut effects: Vec<FullEffect> = effects.collect();
        let by = By::of(event, query, self.layouts.is_mariadb());
        let Some(reread) = &mut self.reread else { return Ok(()) };
        reread.temporary.take_out(by, &mut effects);
        for effect in effects {
            let Some(reread) = &mut self.reread else { return Ok(()) };
            let Effect::Table(table, change) = effect else { continue };
            if !reread.is_born {
                let empties = matches!(
                    change,
                    TableChange::Emptied | TableChange::Created { if_not_exists: false, .. }
                );
                reread.is_born = empties
                    && table == reread.name
                    && *place.file == *reread.reading.file
                    && place.start == reread.reading.created;
                if reread.is_born {
                    self.begin_columns(&change, query)?;
                }
                continue;
            }
            if table != reread.name {
                continue;
            }
            let table_now = reread.reading.table.clone();
            match change {
                TableChange::RenamedTo(to) => reread.name = to,
                TableChange::Altered(clauses) => {
                    check_guess(reread.columns.guessed.as_ref(), &clauses, &table, place)?;
                    self.follow_columns(query)?;
                    let altered = Effect::Table(table_now, TableChange::Altered(clauses));
                    self.judge_clauses(&[altered], &[], place)?;
                }
                TableChange::Data { verb, .. } => {
                    return Err(data_statement(&verb, &format!("{}.{}", table.0, table.1), place));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// # Errors
/// Exit 4 when rows were read as if the table had been as it is after the RENAME, and a later statement changed its columns.
fn check_guess(guessed: Option<&Place>, clauses: &[Clause], table: &FullName, place: &Place) -> Result<()> {
    let is_of_columns = |clause: &Clause| {
        matches!(
            clause,
            Clause::AddColumn { .. }
                | Clause::DropColumn { .. }
                | Clause::ChangeColumn { .. }
                | Clause::RenameColumn { .. }
                | Clause::ConvertCharset
        )
    };
    match guessed {
        Some(rows) if clauses.iter().any(is_of_columns) => Err(unreadable(format!(
            "the rows of {}.{} at {rows} were read again with the columns that it has by now, but at {place} it was \
             altered: what was printed of them may be wrong. Load again",
            table.0, table.1
        ))),
        _ => Ok(()),
    }
}

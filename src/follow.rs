//! The log followed: each event taken in, its step taken, until the place to stop at.

mod xa;

use anyhow::Result;

use crate::binlog::event::{Event, EventType};
use crate::binlog::gtid_set::GtidSet;
use crate::binlog::log::Log;
use crate::binlog::payload::Payload;
use crate::binlog::query::{Query, inflate};
use crate::binlog::rows::{FLAG_STATEMENT_END, Rows};
use crate::binlog::source::Source;
use crate::binlog::statement::{Name, Statement};
use crate::binlog::table_map::TableMap;
use crate::binlog::transaction::{Group, Step, Tracker, data_statement, malformed};
use crate::exit::unreadable;
use crate::position::Position;
use crate::printer::{Done, Flow, Printer};
use crate::version::Release;

/// Follows a log from a position on.
pub struct Follower<'a> {
    pub printer: Printer,
    log: Log,
    tracker: Tracker,
    /// Where prepared groups are read again from.
    source: &'a mut dyn Source,
    until: Option<Position>,
    /// Transactions that are done although they stand behind the position.
    done: Option<GtidSet>,
    skips_group: bool,
    /// Bytes of events that were packed into others.
    inflated: Vec<u8>,
    /// Of the last event, in seconds: how far behind the reading is.
    pub seen_seconds: u32,
}

impl<'a> Follower<'a> {
    pub fn new(
        printer: Printer,
        log: Log,
        tracker: Tracker,
        source: &'a mut dyn Source,
        until: Option<Position>,
        done: Option<GtidSet>,
    ) -> Follower<'a> {
        Follower {
            printer,
            log,
            tracker,
            source,
            until,
            done,
            skips_group: false,
            inflated: Vec::new(),
            seen_seconds: 0,
        }
    }

    /// The place that all of stdout reaches up to, once it is flushed.
    pub fn position(&self) -> Position {
        self.printer.position(self.tracker.group())
    }

    /// Whether what was asked for has been reached already.
    pub fn is_done(&self) -> bool {
        self.until.as_ref().is_some_and(|until| self.printer.boundary().is_at_or_after(until))
    }

    /// The log ends here for good.
    ///
    /// # Errors
    /// Exit 4 when it ends in the middle of a transaction.
    pub fn end_of_log(&self) -> Result<()> {
        match self.tracker.group() {
            Some(group) => Err(unreadable(format!(
                "{} is cut short: it ends in the middle of the transaction that begins at {}:{}. What stands \
                 before is printed",
                self.log.file, group.file, group.start
            ))),
            None => Ok(()),
        }
    }

    /// Takes in the next event, as the source gave it.
    pub fn raw(&mut self, raw: &[u8]) -> Result<Flow> {
        let Some(event) = self.log.read(raw)? else { return Ok(Flow::On) };
        if event.header.timestamp != 0 {
            self.seen_seconds = event.header.timestamp;
        }
        if self.event(&event)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        if self.tracker.group().is_none() {
            self.printer.moved_to(&self.log.file, self.log.offset);
            if self.is_done() {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::On)
    }

    fn event(&mut self, event: &Event<'_>) -> Result<Flow> {
        let step = self.tracker.step(event, &self.log)?;
        self.step(step, event)
    }

    fn step(&mut self, step: Step<'_>, event: &Event<'_>) -> Result<Flow> {
        match step {
            Step::Nothing => {}
            Step::NewFile => self.new_format(event),
            Step::Begin => return Ok(self.begin()),
            Step::TableMap => self.table_map(event)?,
            Step::Rows(kind) => {
                let EventType::Rows(_) = EventType::of(event.header.kind) else { return Ok(Flow::On) };
                let mut inflated = std::mem::take(&mut self.inflated);
                let rows = Rows::parse(&self.log.format, kind, event.header.kind, event.body, &mut inflated)
                    .map_err(|why| malformed(why.0, &self.log))?;
                let group = self.tracker.group();
                let flow = match group.filter(|_| !self.skips_group) {
                    Some(group) => self.printer.rows(&rows, group, &self.log)?,
                    None => Flow::On,
                };
                let ends = rows.flags & FLAG_STATEMENT_END != 0;
                self.inflated = inflated;
                if flow == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                if let Some(group) = self.tracker.after_rows(ends, event, &self.log) {
                    self.commit(&group)?;
                }
            }
            Step::Payload => return self.payload(event),
            Step::CompressedQuery => {
                let body =
                    inflate(&self.log.format, event.body).map_err(|why| malformed(why.0, &self.log))?;
                let query =
                    Query::parse(&self.log.format, &body).map_err(|why| malformed(why.0, &self.log))?;
                let step = self.tracker.statement(query, event, &self.log)?;
                return self.step(step, event);
            }
            Step::Statement(statement, query) => return self.statement(statement, &query, event),
            Step::Savepoint(name) => self.printer.savepoint(name),
            Step::RollbackTo(name) => self.printer.rollback_to(&name, &self.log)?,
            Step::Commit(group) => self.commit(&group)?,
            Step::Rollback => {
                self.skips_group = false;
                let end = match self.tracker.group() {
                    Some(next) => Position::new(&*next.file, next.start),
                    None => Position::new(&*self.log.file, self.log.offset),
                };
                self.printer.rollback(end)?;
                self.new_format(event);
                if self.tracker.group().is_some() {
                    return Ok(self.begin());
                }
            }
            Step::XaCommit(xid, group) => return self.xa_commit(&xid, &group),
            Step::XaRollback(xid, group) => {
                self.tracker.prepared.forget(&xid);
                self.commit(&group)?;
            }
        }
        Ok(Flow::On)
    }

    fn new_format(&mut self, event: &Event<'_>) {
        if EventType::of(event.header.kind) == EventType::FormatDescription {
            self.printer.layouts.written_by(&self.log.format.server_version);
        }
    }

    fn begin(&mut self) -> Flow {
        let Some(group) = self.tracker.group() else { return Flow::On };
        if let (Some(set), Some(gtid)) = (&self.done, &group.gtid) {
            self.skips_group = set.contains(gtid);
        }
        let Some(until) = &self.until else { return Flow::On };
        let start = Position::new(&*group.file, group.start);
        if start.file == until.file && start.position == until.position && until.row + until.line > 0 {
            self.printer.stop_at = Some(Done { row: until.row, line: until.line });
        } else if start.is_at_or_after(until) {
            return Flow::Stop;
        }
        Flow::On
    }

    fn table_map(&mut self, event: &Event<'_>) -> Result<()> {
        let map = TableMap::parse(&self.log.format, event.header.kind, event.body)
            .map_err(|why| malformed(why.0, &self.log))?;
        self.printer.layouts.map(&map, event.body, &self.log)
    }

    fn commit(&mut self, group: &Group) -> Result<()> {
        self.skips_group = false;
        self.printer.commit(group, &self.log)
    }

    fn payload(&mut self, event: &Event<'_>) -> Result<Flow> {
        let mut payload = Payload::open(event.body).map_err(|why| malformed(why.0, &self.log))?;
        while let Some(inner) = payload.next_event().map_err(|why| malformed(why.0, &self.log))? {
            if self.event(&inner)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::On)
    }

    fn statement(&mut self, statement: Statement, query: &Query<'_>, event: &Event<'_>) -> Result<Flow> {
        // Where no GTID event comes before it, the statement is what begins its group.
        let begins = self.tracker.group().is_some_and(|group| group.start == self.log.start);
        if begins && self.begin() == Flow::Stop {
            return Ok(Flow::Stop);
        }
        if let Some(group) = self.tracker.group().filter(|_| !self.skips_group) {
            let emptied = self.emptied(&statement, query)?;
            if self.printer.truncate(&emptied, group)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
            self.printer.layouts.dropped(&emptied);
        }
        if statement != Statement::Nothing {
            self.printer.layouts.definition_changed();
        }
        if let Some(group) = self.tracker.after_statement(event, &self.log) {
            self.commit(&group)?;
        }
        Ok(Flow::On)
    }

    /// A table that goes away under its old name.
    ///
    /// # Errors
    /// Exit 4 when its new name is wanted: the rows that it holds were not printed under that.
    fn renamed(&self, from: (String, String), to: (String, String)) -> Result<(String, String)> {
        if !self.printer.layouts.selection().selects(&to.0, &to.1) {
            return Ok(from);
        }
        Err(unreadable(format!(
            "at {} table {}.{} was renamed {}.{}: the log does not hold its rows under the new name. Load again",
            self.log.place(),
            from.0,
            from.1,
            to.0,
            to.1
        )))
    }

    /// A table of a statement, with its database. Where its name cannot be read, but its database is none that is
    /// wanted, the name is empty.
    ///
    /// # Errors
    /// Exit 4 when its name cannot be read, and may be a wanted one's.
    fn full(&self, name: &Name, query: &Query<'_>) -> Result<(String, String)> {
        let selection = self.printer.layouts.selection();
        let default = || std::str::from_utf8(query.database).ok().map(str::to_string);
        let database = name.database.clone().unwrap_or_else(default);
        match (database, name.table.clone()) {
            (Some(database), Some(table)) => Ok((selection.kept(database), selection.kept(table))),
            (Some(database), None) if !selection.selects_some_of(&selection.kept(database.clone())) => {
                Ok((database, String::new()))
            }
            _ => Err(self.illegible("table")),
        }
    }

    fn illegible(&self, what: &str) -> anyhow::Error {
        unreadable(format!(
            "the statement at {} names a {what} in bytes that are no text in the client's character set: which \
             one it was cannot be told. Load again",
            self.log.place()
        ))
    }

    /// Whether the server made up a DELETE of all rows, for a MEMORY table that its restart emptied. Nothing else
    /// happens then; one of a client might start triggers. MySQL 5.7 and 8.0 log it as a transaction, others alone.
    fn is_made_up(&self, query: &Query<'_>) -> bool {
        let release = Release::parse(&self.log.format.server_version, "");
        let in_transaction = release.is_some_and(|release| release.is_mysql_from(5, 7, 0));
        self.tracker.is_alone() || in_transaction && !query.lists_databases
    }

    /// The tables that a statement empties, database and name.
    ///
    /// # Errors
    /// Exit 4 when it changes rows in another way that the log does not hold.
    fn emptied(&self, statement: &Statement, query: &Query<'_>) -> Result<Vec<(String, String)>> {
        let full = |name: &Name| self.full(name, query);
        let is_wanted =
            |database: &str, table: &str| self.printer.layouts.selection().selects(database, table);
        let data = |verb: &str, table: Option<(String, String)>| {
            let name = table.map(|(database, table)| format!("{database}.{table}"));
            data_statement(verb, &name.unwrap_or_default(), &self.log)
        };
        match statement {
            Statement::Empties(names) => names.iter().map(full).collect(),
            Statement::DropDatabase(Some(database)) => {
                self.tables_of(&self.printer.layouts.selection().kept(database.clone()))
            }
            Statement::DropDatabase(None) => Err(self.illegible("database")),
            Statement::Renames(names) => {
                names.iter().map(|(from, to)| self.renamed(full(from)?, full(to)?)).collect()
            }
            Statement::DeleteAll(name) if self.is_made_up(query) => Ok(vec![full(name)?]),
            Statement::DeleteAll(name) => Err(data("DELETE", full(name).ok())),
            Statement::Data { verb, table, alone } => match table.as_ref().and_then(|name| full(name).ok()) {
                // The server's own bookkeeping, which some managed servers do by statement.
                Some((database, table)) if *alone && database == "mysql" && !is_wanted(&database, &table) => {
                    Ok(Vec::new())
                }
                table => Err(data(verb, table)),
            },
            Statement::Unlogged { what, table } => {
                let table = table.as_ref().map(full).transpose()?;
                let selection = self.printer.layouts.selection();
                if table.as_ref().is_some_and(|(database, table)| !selection.selects(database, table)) {
                    return Ok(Vec::new());
                }
                let (database, table) = table.unwrap_or_default();
                Err(unreadable(format!(
                    "at {} ALTER TABLE {database}.{table} … {what} changes rows that the log does not hold: \
                     load again",
                    self.log.place()
                )))
            }
            Statement::Definition
            | Statement::Nothing
            | Statement::Begin
            | Statement::Commit
            | Statement::Rollback
            | Statement::Savepoint(_)
            | Statement::RollbackTo(_)
            | Statement::XaStart
            | Statement::XaEnd
            | Statement::XaCommit(_)
            | Statement::XaRollback(_) => Ok(Vec::new()),
        }
    }

    /// The tables that go with a database. The log does not name them, and the server does not know them any more.
    fn tables_of(&self, database: &str) -> Result<Vec<(String, String)>> {
        if let Some(named) = self.printer.layouts.selection().named(database) {
            return Ok(named);
        }
        if self.printer.is_resumed() {
            return Err(unreadable(format!(
                "at {} database {database} was dropped, and which of its tables are not yet told is not known any \
                 more: name the tables (with --allow-missing), or load again",
                self.log.place()
            )));
        }
        Ok(self.printer.layouts.tables_of(database))
    }
}

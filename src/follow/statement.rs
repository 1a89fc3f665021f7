//! Statements of the log: which of the tables that are wanted one empties, and which end the run.

use anyhow::Result;

use super::lines::Line;
use super::transaction::data_statement;
use super::{Flow, Steps};
use crate::binlog::query::Query;
use crate::exit::unreadable;
use crate::source::framing::{Framer, Place};
use crate::sql::effect::{Name, Statement};
use crate::tuple::{Heads, Op};
use crate::version::Release;

impl Steps<'_> {
    /// What follows from a statement that is no control.
    pub(super) fn statement(
        &mut self,
        statement: &Statement,
        query: &Query<'_>,
        framer: &Framer,
    ) -> Result<Flow> {
        if !self.skips {
            let emptied = self.emptied(statement, query, framer)?;
            if self.print_truncates(&emptied)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
            self.layouts.dropped(&emptied);
        }
        if *statement != Statement::Nothing {
            self.layouts.definition_changed();
        }
        Ok(Flow::On)
    }

    /// Tables that a statement emptied, each a row of its transaction.
    fn print_truncates(&mut self, tables: &[(String, String)]) -> Result<Flow> {
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
                self.lines.push(&line, &mut self.cursor, transaction)?;
            } else {
                self.cursor.row_done();
            }
        }
        Ok(Flow::On)
    }

    /// A table that goes away under its old name.
    ///
    /// # Errors
    /// Exit 4 when its new name is wanted: the rows that it holds were not printed under that.
    fn renamed(
        &self,
        from: (String, String),
        to: (String, String),
        place: &Place,
    ) -> Result<(String, String)> {
        if !self.layouts.selection().selects(&to.0, &to.1) {
            return Ok(from);
        }
        Err(unreadable(format!(
            "at {} table {}.{} was renamed {}.{}: the log does not hold its rows under the new name. Load again",
            place, from.0, from.1, to.0, to.1
        )))
    }

    /// A table of a statement, with its database. Where its name cannot be read, but its database is none that is
    /// wanted, the name is empty.
    ///
    /// # Errors
    /// Exit 4 when its name cannot be read, and may be a wanted one's.
    fn full(&self, name: &Name, query: &Query<'_>, place: &Place) -> Result<(String, String)> {
        let selection = self.layouts.selection();
        let default = || std::str::from_utf8(query.database).ok().map(str::to_string);
        let database = name.database.clone().unwrap_or_else(default);
        match (database, name.table.clone()) {
            (Some(database), Some(table)) => Ok((selection.kept(database), selection.kept(table))),
            (Some(database), None) if !selection.selects_some_of(&selection.kept(database.clone())) => {
                Ok((database, String::new()))
            }
            _ => Err(self.illegible("table", place)),
        }
    }

    fn illegible(&self, what: &str, place: &Place) -> anyhow::Error {
        unreadable(format!(
            "the statement at {} names a {what} in bytes that are no text in the client's character set: which \
             one it was cannot be told. Load again",
            place
        ))
    }

    /// Whether the server made up a DELETE of all rows, for a MEMORY table that its restart emptied. Nothing else
    /// happens then; one of a client might start triggers. MySQL 5.7 and 8.0 log it as a transaction, others alone.
    fn is_made_up(&self, query: &Query<'_>, framer: &Framer) -> bool {
        let release = Release::parse(&framer.format().server_version, "");
        let in_transaction = release.is_some_and(|release| release.is_mysql_from(5, 7, 0));
        self.transactions.is_alone() || in_transaction && !query.lists_databases
    }

    /// The tables that a statement empties, database and name.
    ///
    /// # Errors
    /// Exit 4 when it changes rows in another way that the log does not hold.
    fn emptied(
        &self,
        statement: &Statement,
        query: &Query<'_>,
        framer: &Framer,
    ) -> Result<Vec<(String, String)>> {
        let place = framer.place();
        let full = |name: &Name| self.full(name, query, place);
        let is_wanted = |database: &str, table: &str| self.layouts.selection().selects(database, table);
        let data = |verb: &str, table: Option<(String, String)>| {
            let name = table.map(|(database, table)| format!("{database}.{table}"));
            data_statement(verb, &name.unwrap_or_default(), place)
        };
        match statement {
            Statement::Empties(names) => names.iter().map(full).collect(),
            Statement::DropDatabase(Some(database)) => {
                self.tables_of(&self.layouts.selection().kept(database.clone()), place)
            }
            Statement::DropDatabase(None) => Err(self.illegible("database", place)),
            Statement::Renames(names) => {
                names.iter().map(|(from, to)| self.renamed(full(from)?, full(to)?, place)).collect()
            }
            Statement::DeleteAll(name) if self.is_made_up(query, framer) => Ok(vec![full(name)?]),
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
                let selection = self.layouts.selection();
                if table.as_ref().is_some_and(|(database, table)| !selection.selects(database, table)) {
                    return Ok(Vec::new());
                }
                let (database, table) = table.unwrap_or_default();
                Err(unreadable(format!(
                    "at {} ALTER TABLE {database}.{table} … {what} changes rows that the log does not hold: \
                     load again",
                    place
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
    fn tables_of(&self, database: &str, place: &Place) -> Result<Vec<(String, String)>> {
        if let Some(named) = self.layouts.selection().named(database) {
            return Ok(named);
        }
        if self.cursor.is_resumed() {
            return Err(unreadable(format!(
                "at {} database {database} was dropped, and which of its tables are not yet told is not known any \
                 more: name the tables (with --allow-missing), or load again",
                place
            )));
        }
        Ok(self.layouts.tables_of(database))
    }
}

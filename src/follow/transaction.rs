//! Groups of events: where a transaction begins, what it holds, and how it ends.

use std::sync::Arc;

use anyhow::Result;

use crate::binlog::event::{Event, EventType, FLAG_ARTIFICIAL, FLAG_IGNORABLE, FLAG_RELAY_LOG, RowsKind};
use crate::binlog::gtid::{self, Gtid};
use crate::binlog::query::Query;
use crate::binlog::xa;
use crate::exit::{unavailable, unreadable};
use crate::source::framing::Log;
use crate::sql::effect::{self, Statement};
use crate::sql::tokens::Session;
use crate::value::Charset;
use crate::version::Release;

/// The first event of logs before MySQL 5.0, and its length where headers had 13 bytes.
const START_V3: u8 = 1;
const START_OF_VERSION_1_BYTES: u32 = 69;
/// Types of rows events that were given up before MySQL 5.1 was released.
const PRE_GA_WRITE_ROWS: u8 = 20;
const PRE_GA_DELETE_ROWS: u8 = 22;

/// A group under way: a transaction, or a statement on its own.
#[derive(Debug, Clone)]
pub struct Group {
    pub file: Arc<str>,
    /// Where it begins: the place to resume from while it is under way.
    pub start: u64,
    pub gtid: Option<String>,
    /// When it was committed, in microseconds since 1970, where the log has that.
    pub committed_micros: Option<u64>,
    /// When it was committed, in seconds: known at its beginning where a GTID event begins it.
    pub committed_seconds: Option<u32>,
    /// Time of its last event so far, in seconds: the next best.
    pub seen_seconds: u32,
    /// See [`Gtid::only_committed`].
    pub only_committed: bool,
    /// See [`Gtid::is_no_ddl`].
    is_no_ddl: bool,
    begun: bool,
    /// Its rows are committed, if at all, by a later group.
    xa: bool,
    standalone: bool,
    /// A row event outside of BEGIN, in the logs of early 5.1: it ends with its statement.
    implicit: bool,
}

impl Group {
    /// A group that begins at the last event, or whatever it is packed into.
    fn at(event: &Event<'_>, log: &Log) -> Group {
        Group {
            file: log.file.clone(),
            start: log.start,
            gtid: None,
            committed_micros: None,
            committed_seconds: None,
            seen_seconds: event.header.timestamp,
            only_committed: false,
            is_no_ddl: false,
            begun: false,
            xa: false,
            standalone: false,
            implicit: false,
        }
    }
}

/// What an event means for whoever prints rows.
#[derive(Debug)]
pub enum Step<'a> {
    Nothing,
    /// A group begins here. Its rows follow, or a statement.
    Begin,
    TableMap,
    Rows(RowsKind),
    /// Inflate it, and step through the events inside.
    Payload,
    /// Inflate its statement, and step again.
    CompressedQuery,
    Statement(Statement, Query<'a>),
    Savepoint(String),
    RollbackTo(String),
    /// The group is committed.
    Commit(Group),
    /// The group left nothing behind.
    Rollback,
    /// The rows that were prepared under this xid are committed by this group.
    XaCommit(String, Group),
    /// Likewise, they are given up.
    XaRollback(String, Group),
    /// A file begins; nothing of the table maps before it holds.
    NewFile,
}

/// Follows groups through the log.
#[derive(Debug, Default)]
pub struct Tracker {
    group: Option<Group>,
    /// Reading a prepared group again, to print its rows.
    replay: bool,
    /// Where it began was somebody's guess, and no whole group has come yet that would prove it right.
    begun_at_a_guess: bool,
    pub prepared: xa::Prepared,
}

impl Tracker {
    pub fn new() -> Tracker {
        Tracker::default()
    }

    /// For reading on from a position that was given, which may be no group's beginning.
    pub fn at_given_position() -> Tracker {
        Tracker { begun_at_a_guess: true, ..Tracker::default() }
    }

    /// For reading a prepared group again: its rows are steps, and its end is a commit.
    pub fn replaying() -> Tracker {
        Tracker { replay: true, ..Tracker::default() }
    }

    /// The group under way.
    pub fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    /// Moves on by an event that `log` has just read, or that was packed into it.
    pub fn step<'a>(&mut self, event: &Event<'a>, log: &Log) -> Result<Step<'a>> {
        let kind = EventType::of(event.header.kind);
        if let Some(group) = &mut self.group {
            group.seen_seconds = event.header.timestamp;
        }
        match kind {
            EventType::Gtid => self.named(gtid::mysql(event.body, false), event, log),
            EventType::AnonymousGtid => self.named(gtid::mysql(event.body, true), event, log),
            EventType::GtidTagged => self.named(gtid::tagged(event.body), event, log),
            EventType::MariaGtid => self.named(gtid::mariadb(&event.header, event.body), event, log),
            EventType::Query | EventType::QueryCompressed => self.query(event, log, kind),
            EventType::TableMap => {
                self.rows_begin(event, log)?;
                Ok(if self.hides_rows() { Step::Nothing } else { Step::TableMap })
            }
            EventType::Rows(rows) => self.rows(rows, event, log),
            EventType::TransactionPayload => Ok(Step::Payload),
            EventType::Xid => self.commit(event, log),
            EventType::XaPrepare => self.prepare(event, log),
            EventType::FormatDescription => Ok(self.new_file(event, log)),
            EventType::Rotate => Ok(Step::NewFile),
            EventType::Harmless | EventType::Heartbeat => Ok(Step::Nothing),
            EventType::Incident => Err(unreadable(format!(
                "at {} the server reports an incident: changes are missing from its log. Load again",
                log.place()
            ))),
            EventType::LoadStatement(what) => Err(statement_format(what, log)),
            // A server decrypts what it sends.
            EventType::StartEncryption if !log.is_of_files() => Ok(Step::Nothing),
            EventType::StartEncryption => Err(unreadable(format!(
                "{} is encrypted from {} on: let the server decrypt it, by reading from it",
                log.file, log.start
            ))),
            EventType::Unknown(_) if event.header.flags & FLAG_IGNORABLE != 0 => Ok(Step::Nothing),
            EventType::Unknown(kind) => Err(unknown(kind, event, log)),
        }
    }

    /// A server that died in the middle of a transaction begins a new file. A relay log's file may end in
    /// the middle of one that goes on in the next.
    fn new_file<'a>(&mut self, event: &Event<'a>, log: &Log) -> Step<'a> {
        let own = event.header.flags & (FLAG_ARTIFICIAL | FLAG_RELAY_LOG) == 0 && event.header.log_pos != 0;
        let abandoned = own && log.format.after_start && self.group.take().is_some_and(|group| group.begun);
        if abandoned { Step::Rollback } else { Step::NewFile }
    }

    /// Whether the statement at hand stands outside of BEGIN and COMMIT.
    pub fn is_alone(&self) -> bool {
        self.group.as_ref().is_none_or(|group| !group.begun)
    }

    fn hides_rows(&self) -> bool {
        !self.replay && self.group.as_ref().is_some_and(|group| group.xa)
    }

    fn named<'a>(
        &mut self,
        gtid: Result<Gtid, crate::bytes::Malformed>,
        event: &Event<'a>,
        log: &Log,
    ) -> Result<Step<'a>> {
        let gtid = gtid.map_err(|error| malformed(error.0, log))?;
        let abandoned = self.group.as_ref().is_some_and(|group| group.begun);
        self.group = Some(Group {
            file: log.file.clone(),
            start: log.start,
            gtid: gtid.gtid,
            committed_micros: gtid.committed_micros,
            committed_seconds: Some(event.header.timestamp),
            seen_seconds: event.header.timestamp,
            only_committed: gtid.only_committed,
            is_no_ddl: gtid.is_no_ddl,
            begun: gtid.begins,
            xa: gtid.prepares_xa,
            standalone: gtid.standalone,
            implicit: false,
        });
        Ok(if abandoned { Step::Rollback } else { Step::Begin })
    }

    fn query<'a>(&mut self, event: &Event<'a>, log: &Log, kind: EventType) -> Result<Step<'a>> {
        if kind == EventType::QueryCompressed {
            return Ok(Step::CompressedQuery);
        }
        let query = Query::parse(&log.format, event.body).map_err(|e| malformed(e.0, log))?;
        self.statement(query, event, log)
    }

    /// A statement: control, a definition, or data in statement format.
    pub fn statement<'a>(&mut self, query: Query<'a>, event: &Event<'_>, log: &Log) -> Result<Step<'a>> {
        let mut statement = effect::read(query.text, self.session(&query, log));
        if self.group.as_ref().is_some_and(|group| group.is_no_ddl) {
            statement = Statement::Nothing;
        }
        match statement {
            Statement::Begin => {
                let abandoned = self.group.as_ref().is_some_and(|group| group.begun && !group.standalone);
                self.begin(event, log);
                Ok(if abandoned { Step::Rollback } else { Step::Begin })
            }
            Statement::XaStart => {
                let group = self.begin(event, log);
                group.xa = true;
                Ok(Step::Begin)
            }
            Statement::XaEnd => Ok(Step::Nothing),
            Statement::Commit => self.commit(event, log),
            Statement::Rollback => {
                self.group = None;
                Ok(Step::Rollback)
            }
            Statement::Savepoint(name) => Ok(Step::Savepoint(name)),
            Statement::RollbackTo(name) => Ok(Step::RollbackTo(name)),
            Statement::XaCommit(xid) => Ok(Step::XaCommit(xid, self.end(event, log))),
            Statement::XaRollback(xid) => Ok(Step::XaRollback(xid, self.end(event, log))),
            Statement::Effects(_) | Statement::Nothing => {
                self.group.get_or_insert_with(|| Group::at(event, log));
                Ok(Step::Statement(statement, query))
            }
        }
    }

    /// How a statement is to be read: as the client meant it, unless the server made it up and took no heed of
    /// the client's character set, which the event names all the same.
    fn session(&self, query: &Query<'_>, log: &Log) -> Session {
        // MariaDB's text of CREATE OR REPLACE … SELECT. Sent by a client it would stand alone.
        let created = || !self.is_alone() && query.text.starts_with(b"CREATE OR REPLACE TABLE ");
        // MySQL's bug 21205695, mended in these releases (seen in 5.6.24, and no more in 5.7.22).
        let dropped = || {
            let release = Release::parse(&log.format.server_version, "");
            let mended = |release: Release| {
                release.is_mariadb()
                    || release.is_mysql_from(5, 7, 11)
                    || release.is_mysql_from(5, 6, 29) && !release.is_mysql_from(5, 7, 0)
            };
            query.text.ends_with(b"/* generated by server */") && release.is_some_and(|r| !mended(r))
        };
        let in_utf8 = || created() || dropped() && std::str::from_utf8(query.text).is_ok();
        match query.text.is_ascii() {
            false if in_utf8() => Session { charset: Some(Charset::Utf8mb4), ..query.session },
            _ => query.session,
        }
    }

    /// Ends the group if the statement that was just handled was all of it.
    pub fn after_statement(&mut self, event: &Event<'_>, log: &Log) -> Option<Group> {
        let alone = self.group.as_ref().is_some_and(|group| !group.begun);
        alone.then(|| self.end(event, log))
    }

    fn begin(&mut self, event: &Event<'_>, log: &Log) -> &mut Group {
        let group = self.group.get_or_insert_with(|| Group::at(event, log));
        group.begun = true;
        group
    }

    fn rows_begin(&mut self, event: &Event<'_>, log: &Log) -> Result<()> {
        let Some(group) = &self.group else {
            if log.format.server_version.starts_with("5.1.") {
                self.begin(event, log).implicit = true;
                return Ok(());
            }
            return Err(self.middle(log));
        };
        if !group.begun {
            return Err(malformed("rows outside of a transaction", log));
        }
        Ok(())
    }

    fn rows<'a>(&mut self, rows: RowsKind, event: &Event<'a>, log: &Log) -> Result<Step<'a>> {
        self.rows_begin(event, log)?;
        Ok(if self.hides_rows() { Step::Nothing } else { Step::Rows(rows) })
    }

    /// Ends an implicit group at the end of its statement.
    pub fn after_rows(&mut self, statement_end: bool, event: &Event<'_>, log: &Log) -> Option<Group> {
        let implicit = self.group.as_ref().is_some_and(|group| group.implicit);
        (implicit && statement_end).then(|| self.end(event, log))
    }

    fn commit<'a>(&mut self, event: &Event<'_>, log: &Log) -> Result<Step<'a>> {
        if self.group.as_ref().is_none_or(|group| !group.begun) {
            return Err(self.middle(log));
        }
        Ok(Step::Commit(self.end(event, log)))
    }

    fn prepare<'a>(&mut self, event: &Event<'_>, log: &Log) -> Result<Step<'a>> {
        let prepare = xa::Prepare::parse(event.body).map_err(|error| malformed(error.0, log))?;
        if self.group.as_ref().is_none_or(|group| !group.begun) {
            return Err(self.middle(log));
        }
        let group = self.end(event, log);
        if self.replay {
            return Ok(Step::Commit(group));
        }
        let place = xa::Place { file: group.file.to_string(), start: group.start };
        self.prepared.remember(prepare.xid.clone(), place);
        Ok(if prepare.one_phase { Step::XaCommit(prepare.xid, group) } else { Step::Commit(group) })
    }

    fn end(&mut self, event: &Event<'_>, log: &Log) -> Group {
        self.begun_at_a_guess = false;
        let mut group = self.group.take().unwrap_or_else(|| Group::at(event, log));
        group.committed_seconds.get_or_insert(event.header.timestamp);
        group
    }

    /// The error of an event that goes on with a transaction which has not begun: the position is wrong, or the log.
    fn middle(&self, log: &Log) -> anyhow::Error {
        if self.begun_at_a_guess {
            return unavailable(format!(
                "{} is in the middle of a transaction: resume from a position that dumpa printed or saved",
                log.place()
            ));
        }
        unreadable(format!(
            "the event at {} goes on with a transaction whose beginning is not in the log: events are missing \
             before it, or the log is damaged",
            log.place()
        ))
    }
}

/// The error of an event that is not known and may change rows.
fn unknown(kind: u8, event: &Event<'_>, log: &Log) -> anyhow::Error {
    let place = log.place();
    unreadable(match kind {
        START_V3 => match event.header.size {
            START_OF_VERSION_1_BYTES => old_log(&log.file, "version 1 (MySQL 3.23)"),
            _ => old_log(&log.file, "version 3 (MySQL 4.0 and 4.1)"),
        },
        PRE_GA_WRITE_ROWS..=PRE_GA_DELETE_ROWS => format!(
            "the event at {place} holds rows in the form of MySQL 5.1.0 to 5.1.15, which no release uses: dumpa reads \
             rows of MySQL 5.1.16 and later"
        ),
        kind => format!(
            "the event at {place} is of type {kind}, which dumpa {} does not know; it may change rows",
            env!("CARGO_PKG_VERSION")
        ),
    })
}

fn old_log(file: &str, what: &str) -> String {
    format!(
        "{file} is a binary log of {what}: dumpa reads those of MySQL 5.0 and later (version 4), and rows stand in \
         them since MySQL 5.1"
    )
}

/// An error about bytes of the last event.
pub fn malformed(why: &str, log: &Log) -> anyhow::Error {
    unreadable(format!("the event at {} cannot be read: {why}", log.place()))
}

fn statement_format(what: &str, log: &Log) -> anyhow::Error {
    unreadable(format!(
        "at {} the server logged a statement instead of its rows ({what}): set binlog_format=ROW on the \
         server, also for sessions under way, and load again",
        log.place()
    ))
}

/// The error for data in statement format.
pub fn data_statement(verb: &str, table: &str, log: &Log) -> anyhow::Error {
    statement_format(&format!("{verb}{}{table}", if table.is_empty() { "" } else { " of " }), log)
}

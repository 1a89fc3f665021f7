//! Decides what each event means: where a transaction begins, what it holds, and how it ends.

use std::sync::Arc;

use anyhow::Result;

use crate::binlog::event::{Event, EventType, FLAG_ARTIFICIAL, FLAG_IGNORABLE, FLAG_RELAY_LOG, RowsKind};
use crate::binlog::gtid::{self, Gtid};
use crate::binlog::query::Query;
use crate::binlog::rows::{FLAG_STATEMENT_END, flags};
use crate::binlog::xa;
use crate::bytes::Malformed;
use crate::exit::{unavailable, unreadable};
use crate::source::Offsets;
use crate::source::framing::{Framer, Place};
use crate::sql::effect::Effects;
use crate::sql::statement::{self, Statement};
use crate::sql::tokens::Session;
use crate::value::Charset;
use crate::version::Release;

/// The first event of logs before MySQL 5.0, and its length where headers had 13 bytes.
const START_V3: u8 = 1;
const START_OF_VERSION_1_BYTES: u32 = 69;
/// Types of rows events before MySQL 5.1's release, never used since.
const PRE_GA_WRITE_ROWS: u8 = 20;
const PRE_GA_DELETE_ROWS: u8 = 22;

/// The current transaction, or a statement outside of one.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// Where it begins: its own place, which no server may be able to begin at; see [`super::cursor`].
    pub file: Arc<str>,
    pub start: u64,
    pub gtid: Option<String>,
    /// Commit time in microseconds since 1970, if the log has it.
    pub committed_micros: Option<u64>,
    /// Commit time in seconds: known from the beginning if a GTID event begins it.
    pub committed_seconds: Option<u32>,
    /// Time of its last event so far, in seconds since 1970: used if there is no commit time.
    pub seen_seconds: u32,
    /// See [`Gtid::only_committed`].
    pub only_committed: bool,
    /// See [`Gtid::is_no_ddl`].
    is_no_ddl: bool,
    begun: bool,
    /// A later transaction commits its rows, or rolls them back.
    is_xa: bool,
    standalone: bool,
    /// Rows without BEGIN, in logs of early 5.1: it ends with its statement.
    is_implicit: bool,
}

impl Transaction {
    fn at(event: &Event<'_>, place: &Place) -> Transaction {
        Transaction {
            file: place.file.clone(),
            start: place.start,
            gtid: None,
            committed_micros: None,
            committed_seconds: None,
            seen_seconds: event.header.timestamp,
            only_committed: false,
            is_no_ddl: false,
            begun: false,
            is_xa: false,
            standalone: false,
            is_implicit: false,
        }
    }
}

/// What an event means for printing. If it ends the transaction, that stays open until [`Transactions::close`].
#[derive(Debug)]
pub enum Meaning<'a> {
    Nothing,
    /// A transaction begins. With `abandons`, the one before ended without a commit.
    Begin {
        abandons: bool,
    },
    TableMap,
    /// Of rows that count only if a later transaction commits them.
    HiddenTableMap,
    Rows {
        kind: RowsKind,
        /// The transaction ends with them.
        ends: bool,
    },
    /// A statement other than transaction control.
    Statement {
        effects: Effects,
        query: Query<'a>,
        /// It is a transaction by itself.
        alone: bool,
    },
    Savepoint(String),
    RollbackTo(String),
    Commit,
    Rollback,
    /// The transaction is prepared under this xid. With `one_phase` it is committed at once.
    XaPrepare {
        xid: String,
        one_phase: bool,
    },
    /// The transaction prepared under this xid is committed.
    XaCommit(String),
    XaRollback(String),
    /// A file begins. With `abandons`, the transaction before ended without a commit.
    NewFile {
        abandons: bool,
    },
}

/// Follows transactions through the log.
#[derive(Debug, Default)]
pub struct Transactions {
    open: Option<Transaction>,
    /// A prepared transaction is read again, to print its rows.
    is_replay: bool,
    /// The user chose the start, and no transaction has ended yet, which would prove that it was between two.
    start_is_unproven: bool,
    /// The last event belongs inside a transaction whose beginning was not read.
    is_inside: bool,
}

impl Transactions {
    /// Starts at a place that is between transactions.
    pub fn new() -> Transactions {
        Transactions::default()
    }

    /// Starts at a position from the user, which may be inside a transaction.
    pub fn at_given_position() -> Transactions {
        Transactions { start_is_unproven: true, ..Transactions::default() }
    }

    /// Reads a prepared transaction again: its rows count.
    pub fn replaying() -> Transactions {
        Transactions { is_replay: true, ..Transactions::default() }
    }

    /// The current transaction.
    pub fn open(&self) -> Option<&Transaction> {
        self.open.as_ref()
    }

    /// Whether the end of the last event is between transactions.
    pub fn is_between(&self) -> bool {
        self.open.is_none() && !self.is_inside
    }

    /// Closes the current transaction, once everything about its end is done.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// The meaning of the event that `framer` framed last, or of one packed into that.
    pub fn meaning<'a>(&mut self, event: &Event<'a>, framer: &Framer) -> Result<Meaning<'a>> {
        let place = framer.place();
        if let Some(open) = &mut self.open {
            open.seen_seconds = event.header.timestamp;
        }
        match EventType::of(event.header.type_byte) {
            EventType::Gtid => self.named(gtid::mysql(event.body, false), event, place),
            EventType::AnonymousGtid => self.named(gtid::mysql(event.body, true), event, place),
            EventType::GtidTagged => self.named(gtid::tagged(event.body), event, place),
            EventType::MariaGtid => self.named(gtid::mariadb(&event.header, event.body), event, place),
            EventType::Query => self.query(event, framer),
            EventType::TableMap => {
                self.expect_rows(event, framer)?;
                Ok(if self.hides_rows() { Meaning::HiddenTableMap } else { Meaning::TableMap })
            }
            EventType::Rows(kind) => self.rows(kind, event, framer),
            EventType::Xid => self.end(event, place).map(|()| Meaning::Commit),
            EventType::XaPrepare => self.prepare(event, place),
            EventType::FormatDescription => Ok(self.new_file(event, framer)),
            EventType::Rotate => Ok(Meaning::NewFile { abandons: false }),
            EventType::Between | EventType::Heartbeat => Ok(Meaning::Nothing),
            EventType::Inside => {
                self.is_inside = self.open.is_none();
                Ok(Meaning::Nothing)
            }
            EventType::Incident => Err(unreadable(format!(
                "at {place} the server reports an incident: its log lacks some changes. Load again"
            ))),
            EventType::LoadStatement(what) => Err(statement_format(what, place)),
            // A server sends its log decrypted.
            EventType::StartEncryption if framer.offsets() == Offsets::OfServer => Ok(Meaning::Nothing),
            EventType::StartEncryption => Err(unreadable(format!(
                "{} is encrypted from {} on: read it from the server, which decrypts it",
                place.file, place.start
            ))),
            // Unpacked before this: see `Steps::unpack`.
            EventType::QueryCompressed | EventType::TransactionPayload => {
                Err(malformed("a compressed event inside of a compressed one", place))
            }
            EventType::Unknown(_) if event.header.flags & FLAG_IGNORABLE != 0 => Ok(Meaning::Nothing),
            EventType::Unknown(kind) => Err(unknown(kind, event, place)),
        }
    }

    /// A restarted server begins a new file; a transaction that was open then is lost. But a relay log may continue a
    /// transaction in its next file.
    fn new_file<'a>(&mut self, event: &Event<'a>, framer: &Framer) -> Meaning<'a> {
        let own = event.header.flags & (FLAG_ARTIFICIAL | FLAG_RELAY_LOG) == 0 && event.header.log_pos != 0;
        let ends = own && framer.format().after_start;
        let abandons = ends && self.open.take().is_some_and(|open| open.begun);
        Meaning::NewFile { abandons }
    }

    /// Whether the current statement is outside of BEGIN and COMMIT.
    pub fn is_alone(&self) -> bool {
        self.open.as_ref().is_none_or(|open| !open.begun)
    }

    fn hides_rows(&self) -> bool {
        !self.is_replay && self.open.as_ref().is_some_and(|open| open.is_xa)
    }

    fn named<'a>(
        &mut self,
        gtid: Result<Gtid, Malformed>,
        event: &Event<'a>,
        place: &Place,
    ) -> Result<Meaning<'a>> {
        let gtid = gtid.map_err(|error| malformed(error.0, place))?;
        let abandons = self.open.as_ref().is_some_and(|open| open.begun);
        self.open = Some(Transaction {
            gtid: gtid.gtid,
            committed_micros: gtid.committed_micros,
            committed_seconds: Some(event.header.timestamp),
            only_committed: gtid.only_committed,
            is_no_ddl: gtid.is_no_ddl,
            begun: gtid.begins,
            is_xa: gtid.prepares_xa,
            standalone: gtid.standalone,
            ..Transaction::at(event, place)
        });
        Ok(Meaning::Begin { abandons })
    }

    /// A statement: control, a definition, or data in statement format.
    fn query<'a>(&mut self, event: &Event<'a>, framer: &Framer) -> Result<Meaning<'a>> {
        let place = framer.place();
        let query = Query::parse(framer.format(), event.body).map_err(|why| malformed(why.0, place))?;
        let mut statement = statement::read(query.text, self.session(&query, framer));
        if self.open.as_ref().is_some_and(|open| open.is_no_ddl) {
            statement = Statement::Nothing;
        }
        match statement {
            Statement::Begin => {
                let abandons = self.open.as_ref().is_some_and(|open| open.begun && !open.standalone);
                if abandons {
                    self.open = None;
                }
                self.begin(event, place);
                Ok(Meaning::Begin { abandons })
            }
            Statement::XaStart => {
                self.begin(event, place).is_xa = true;
                Ok(Meaning::Begin { abandons: false })
            }
            Statement::XaEnd => self.expect_open(place).map(|()| Meaning::Nothing),
            Statement::Commit => self.end(event, place).map(|()| Meaning::Commit),
            Statement::Rollback => Ok(Meaning::Rollback),
            Statement::Savepoint(_) | Statement::RollbackTo(_) => {
                self.expect_open(place)?;
                Ok(match statement {
                    _ if self.hides_rows() => Meaning::Nothing,
                    Statement::Savepoint(name) => Meaning::Savepoint(name),
                    Statement::RollbackTo(name) => Meaning::RollbackTo(name),
                    _ => Meaning::Nothing,
                })
            }
            Statement::XaCommit(xid) => {
                self.end_alone(event, place);
                Ok(Meaning::XaCommit(xid))
            }
            Statement::XaRollback(xid) => {
                self.end_alone(event, place);
                Ok(Meaning::XaRollback(xid))
            }
            // Effects on temporary tables take place at once. Others are judged at the commit.
            Statement::Effects(mut effects) if self.open.as_ref().is_some_and(|open| open.is_xa) => {
                effects.retain(|effect| effect.is_of_temporary() != self.is_replay);
                Ok(Meaning::Statement { effects, query, alone: false })
            }
            Statement::Effects(effects) => {
                let alone = self.is_alone();
                if alone {
                    self.end_alone(event, place);
                }
                Ok(Meaning::Statement { effects, query, alone })
            }
            Statement::Nothing => {
                let alone = self.is_alone();
                if alone {
                    self.end_alone(event, place);
                }
                Ok(Meaning::Statement { effects: Effects::default(), query, alone })
            }
        }
    }

    /// The session settings to read a statement with: the client's, except for some statements that the server writes in
    /// UTF-8 although the event names the client's character set.
    fn session(&self, query: &Query<'_>, framer: &Framer) -> Session {
        // MariaDB's rewritten CREATE OR REPLACE … SELECT. A client's would not be inside a transaction.
        let created = || !self.is_alone() && query.text.starts_with(b"CREATE OR REPLACE TABLE ");
        // MySQL's bug 21205695, fixed in these releases (seen in 5.6.24, not in 5.7.22).
        let dropped = || {
            let release = framer.format().writer;
            let is_fixed = |release: Release| {
                release.is_mariadb()
                    || release.is_mysql_from(5, 7, 11)
                    || release.is_mysql_from(5, 6, 29) && !release.is_mysql_from(5, 7, 0)
            };
            query.text.ends_with(b"/* generated by server */") && release.is_some_and(|r| !is_fixed(r))
        };
        let in_utf8 = || created() || dropped() && std::str::from_utf8(query.text).is_ok();
        match query.text.is_ascii() {
            false if in_utf8() => Session { charset: Some(Charset::Utf8mb4), ..query.session },
            _ => query.session,
        }
    }

    fn begin(&mut self, event: &Event<'_>, place: &Place) -> &mut Transaction {
        let open = self.open.get_or_insert_with(|| Transaction::at(event, place));
        open.begun = true;
        open
    }

    fn expect_open(&self, place: &Place) -> Result<()> {
        match self.open.as_ref().is_some_and(|open| open.begun) {
            true => Ok(()),
            false => Err(self.middle(place)),
        }
    }

    fn expect_rows(&mut self, event: &Event<'_>, framer: &Framer) -> Result<()> {
        match &self.open {
            Some(open) if open.begun => Ok(()),
            Some(_) => Err(malformed("it has rows outside of a transaction", framer.place())),
            None if framer.format().server_version.starts_with("5.1.") => {
                self.begin(event, framer.place()).is_implicit = true;
                Ok(())
            }
            None => Err(self.middle(framer.place())),
        }
    }

    fn rows<'a>(&mut self, kind: RowsKind, event: &Event<'a>, framer: &Framer) -> Result<Meaning<'a>> {
        self.expect_rows(event, framer)?;
        if self.hides_rows() {
            return Ok(Meaning::Nothing);
        }
        let is_implicit = self.open.as_ref().is_some_and(|open| open.is_implicit);
        let ends = is_implicit && {
            let flags = flags(framer.format(), event.header.type_byte, event.body);
            flags.map_err(|why| malformed(why.0, framer.place()))? & FLAG_STATEMENT_END != 0
        };
        if ends {
            self.end_alone(event, framer.place());
        }
        Ok(Meaning::Rows { kind, ends })
    }

    fn prepare<'a>(&mut self, event: &Event<'_>, place: &Place) -> Result<Meaning<'a>> {
        let prepare = xa::Prepare::parse(event.body).map_err(|error| malformed(error.0, place))?;
        self.end(event, place)?;
        Ok(Meaning::XaPrepare { xid: prepare.xid, one_phase: prepare.one_phase })
    }

    /// Ends the current transaction, which must have begun, with this event.
    fn end(&mut self, event: &Event<'_>, place: &Place) -> Result<()> {
        self.expect_open(place)?;
        self.end_alone(event, place);
        Ok(())
    }

    /// Ends the current transaction, or one that consists of this event alone.
    fn end_alone(&mut self, event: &Event<'_>, place: &Place) {
        (self.start_is_unproven, self.is_inside) = (false, false);
        let open = self.open.get_or_insert_with(|| Transaction::at(event, place));
        open.committed_seconds.get_or_insert(event.header.timestamp);
    }

    /// The error of an event inside a transaction whose beginning was not read: the position is wrong, or the log.
    fn middle(&self, place: &Place) -> anyhow::Error {
        if self.start_is_unproven {
            return unavailable(format!(
                "{place} is inside a transaction: resume from a position that dumpa printed or saved"
            ));
        }
        unreadable(format!(
            "the event at {place} continues a transaction whose beginning is not in the log: events before it are \
             missing, or the log is damaged"
        ))
    }
}

/// The error of an unknown event, which may change rows.
fn unknown(kind: u8, event: &Event<'_>, place: &Place) -> anyhow::Error {
    unreadable(match kind {
        START_V3 => match event.header.size {
            START_OF_VERSION_1_BYTES => old_log(&place.file, "version 1 (MySQL 3.23)"),
            _ => old_log(&place.file, "version 3 (MySQL 4.0 and 4.1)"),
        },
        PRE_GA_WRITE_ROWS..=PRE_GA_DELETE_ROWS => format!(
            "the event at {place} holds rows in a format of MySQL 5.1 before its release (5.1.0 to 5.1.15): dumpa reads \
             rows of MySQL 5.1.16 and later"
        ),
        kind => format!(
            "the event at {place} has type {kind}, which dumpa {} does not know; it may change rows",
            env!("CARGO_PKG_VERSION")
        ),
    })
}

fn old_log(file: &str, what: &str) -> String {
    format!(
        "{file} is a binary log of {what}: dumpa reads those of MySQL 5.0 and later (version 4), which hold rows \
         since MySQL 5.1"
    )
}

/// The error of an event with malformed bytes.
pub fn malformed(why: &str, place: &Place) -> anyhow::Error {
    unreadable(format!("the event at {place} cannot be read: {why}"))
}

fn statement_format(what: &str, place: &Place) -> anyhow::Error {
    unreadable(format!(
        "at {place} the server logged a statement instead of its rows ({what}): set binlog_format=ROW on the \
         server, also for sessions under way, and load again"
    ))
}

/// The error for data in statement format.
pub fn data_statement(verb: &str, table: &str, place: &Place) -> anyhow::Error {
    statement_format(&format!("{verb}{}{table}", if table.is_empty() { "" } else { " of " }), place)
}

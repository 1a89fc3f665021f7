//! Prepared XA transactions: where each begins, and whether it was committed or rolled back.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;

use super::transaction::{Transactions, malformed};
use crate::binlog::event::{Event, EventType};
use crate::binlog::payload::Payload;
use crate::binlog::query::{Query, inflate};
use crate::binlog::xa::Prepare;
use crate::bytes::Malformed;
use crate::source::framing::Framer;
use crate::sql::statement::{self, Statement};

/// Where a group of events begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStart {
    pub file: Arc<str>,
    pub offset: u64,
}

/// The last thing that the log says about an xid, up to some place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Prepared in this group, and neither committed nor rolled back since.
    Prepared(GroupStart),
    Committed,
    RolledBack,
}

/// Where each transaction begins that was prepared in this run, and neither committed nor rolled back since.
#[derive(Debug, Default)]
pub struct Prepared(HashMap<String, GroupStart>);

impl Prepared {
    pub fn remember(&mut self, xid: String, file: &Arc<str>, offset: u64) {
        self.0.insert(xid, GroupStart { file: file.clone(), offset });
    }

    pub fn forget(&mut self, xid: &str) {
        self.take(xid);
    }

    /// Removes the transaction, and returns where it begins.
    pub fn take(&mut self, xid: &str) -> Option<GroupStart> {
        self.0.remove(xid)
    }
}

/// A prepared transaction that is being read again.
pub struct Replay {
    /// The state of the main reading, inside the transaction that commits this one.
    pub outer: Transactions,
    /// The xid of the transaction to read.
    pub xid: String,
    pub state: ReplayState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayState {
    GoesOn,
    /// All of it was read.
    IsPrepared,
    /// The log holds something else at that place.
    IsAnother,
}

/// Searches the log for one xid, and ignores everything else: incidents, statements, rows.
pub struct Scan<'a> {
    xid: &'a str,
    /// Where the current group begins, if inside one.
    group: Option<GroupStart>,
    pub last: Option<Fate>,
}

impl<'a> Scan<'a> {
    pub fn new(xid: &'a str) -> Scan<'a> {
        Scan { xid, group: None, last: None }
    }

    pub fn outer_event(&mut self, event: &Event<'_>, framer: &Framer) -> Result<()> {
        let bad = |why: Malformed| malformed(why.0, framer.place());
        match EventType::of(event.header.type_byte) {
            EventType::TransactionPayload => {
                let mut payload = Payload::open(event.body).map_err(bad)?;
                while let Some(inner) = payload.next_event().map_err(bad)? {
                    self.event(&inner, framer).map_err(bad)?;
                }
                Ok(())
            }
            EventType::QueryCompressed => {
                let body = inflate(framer.format(), event.body).map_err(bad)?;
                self.statement(&body, framer).map_err(bad)
            }
            _ => self.event(event, framer).map_err(bad),
        }
    }

    fn event(&mut self, event: &Event<'_>, framer: &Framer) -> Result<(), Malformed> {
        match EventType::of(event.header.type_byte) {
            EventType::Gtid | EventType::AnonymousGtid | EventType::GtidTagged | EventType::MariaGtid => {
                self.group = Some(start_at(framer));
            }
            EventType::Query => self.statement(event.body, framer)?,
            EventType::Xid => self.group = None,
            EventType::XaPrepare => {
                let start = self.group.take().unwrap_or_else(|| start_at(framer));
                let prepare = Prepare::parse(event.body)?;
                if prepare.xid == self.xid {
                    self.last = Some(if prepare.one_phase { Fate::Committed } else { Fate::Prepared(start) });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn statement(&mut self, body: &[u8], framer: &Framer) -> Result<(), Malformed> {
        let query = Query::parse(framer.format(), body)?;
        match statement::read(query.text, query.session) {
            // Without a GTID event, XA START begins the group.
            Statement::XaStart => _ = self.group.get_or_insert_with(|| start_at(framer)),
            Statement::XaCommit(xid) => self.decided(&xid, Fate::Committed),
            Statement::XaRollback(xid) => self.decided(&xid, Fate::RolledBack),
            Statement::Commit | Statement::Rollback => self.group = None,
            _ => {}
        }
        Ok(())
    }

    fn decided(&mut self, xid: &str, fate: Fate) {
        self.group = None;
        if xid == self.xid {
            self.last = Some(fate);
        }
    }
}

fn start_at(framer: &Framer) -> GroupStart {
    let place = framer.place();
    GroupStart { file: place.file.clone(), offset: place.start }
}

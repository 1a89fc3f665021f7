//! Prepared XA transactions: where each begins, and whether it was committed or rolled back.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;

use super::full_effect::FullEffect;
use super::hidden_tables::HiddenTables;
use super::transaction::{Transactions, malformed};
use crate::binlog::event::{Event, EventType};
use crate::binlog::gtid;
use crate::binlog::payload::Payload;
use crate::binlog::query::{Query, inflate};
use crate::binlog::table_map::TableMap;
use crate::binlog::xa::Prepare;
use crate::bytes::Malformed;
use crate::schema::known::FullName;
use crate::source::framing::{Framer, Place};
use crate::sql::effect::Effects;
use crate::sql::statement::{self, Statement};

/// Where a group of events begins.
#[derive(Debug, Clone)]
pub struct GroupStart {
    pub file: Arc<str>,
    pub offset: u64,
}

/// A prepared transaction.
#[derive(Debug)]
pub struct Group {
    pub start: GroupStart,
    pub tables: HiddenTables,
}

/// A group of events, as far as a search has read it.
#[derive(Debug, Default)]
pub struct Part {
    /// `None` if it begins in an earlier file.
    pub start: Option<GroupStart>,
    pub tables: HiddenTables,
    is_xa: bool,
}

/// The last thing that the log says about an xid, up to some place.
#[derive(Debug)]
pub enum Fate {
    /// Prepared in this group, and neither committed nor rolled back since.
    Prepared(Group),
    /// The same, with a group that begins in an earlier file. These are its tables in the later ones.
    BeginsEarlier(HiddenTables),
    Committed,
    RolledBack,
}

impl Fate {
    /// The tables of a prepared transaction.
    pub fn tables(&mut self) -> Option<&mut HiddenTables> {
        match self {
            Fate::Prepared(group) => Some(&mut group.tables),
            Fate::BeginsEarlier(tables) => Some(tables),
            Fate::Committed | Fate::RolledBack => None,
        }
    }
}

/// The transactions that were prepared in this run, and neither committed nor rolled back since.
#[derive(Debug, Default)]
pub struct Prepared {
    groups: HashMap<String, Group>,
    /// Tables of the transaction that is being read, if it will be prepared.
    tables: HiddenTables,
    unrepeatable: Unrepeatable,
}

/// What a search must know of the part of the log that this run has read and that cannot be read again.
#[derive(Debug, Default)]
struct Unrepeatable {
    /// The transactions committed (true) or rolled back there.
    decided: HashMap<String, bool>,
    /// Of each statement.
    effects: Vec<(Vec<FullEffect>, Place)>,
    /// There were more than are remembered.
    has_more: bool,
}

/// At most this many decisions, and effects, are remembered.
const MOST: usize = 10_000;

impl Prepared {
    /// An xid was committed or rolled back in a part of the log that cannot be read again.
    pub fn decided_for_good(&mut self, xid: &str, committed: bool) {
        let Unrepeatable { decided, has_more, .. } = &mut self.unrepeatable;
        match decided.len() < MOST {
            true => _ = decided.insert(xid.to_string(), committed),
            false => *has_more = true,
        }
    }

    /// A statement stands in a part of the log that cannot be read again.
    pub fn happened_for_good(&mut self, effects: &[FullEffect], place: &Place) {
        let Unrepeatable { effects: all, has_more, .. } = &mut self.unrepeatable;
        match all.len() < MOST {
            true => all.push((effects.to_vec(), place.clone())),
            false => *has_more = true,
        }
    }

    /// What happened to an xid in the part of the log that cannot be read again.
    pub fn fate_for_good(&self, xid: &str) -> Option<Fate> {
        let committed = self.unrepeatable.decided.get(xid)?;
        Some(if *committed { Fate::Committed } else { Fate::RolledBack })
    }

    /// Whether too much stood there to remember.
    pub fn forgot(&self) -> bool {
        self.unrepeatable.has_more
    }

    /// Notes what happened there to a transaction's tables.
    pub fn take_in_for_good(&self, tables: &mut HiddenTables, is_wanted: &dyn Fn(&FullName) -> bool) {
        for (effects, place) in &self.unrepeatable.effects {
            tables.take_in(effects, is_wanted, place);
        }
    }
    /// A transaction begins.
    pub fn begin(&mut self) {
        self.tables = HiddenTables::default();
    }

    /// Tables of the transaction that is being read.
    pub fn tables(&mut self) -> &mut HiddenTables {
        &mut self.tables
    }

    /// The transaction that is being read is prepared.
    pub fn remember(&mut self, xid: String, file: &Arc<str>, offset: u64) {
        let start = GroupStart { file: file.clone(), offset };
        self.groups.insert(xid, Group { start, tables: std::mem::take(&mut self.tables) });
    }

    pub fn forget(&mut self, xid: &str) {
        self.take(xid);
    }

    /// Removes the transaction.
    pub fn take(&mut self, xid: &str) -> Option<Group> {
        self.groups.remove(xid)
    }

    /// Notes what a statement did to tables of prepared transactions.
    pub fn take_in(&mut self, effects: &[FullEffect], is_wanted: &dyn Fn(&FullName) -> bool, place: &Place) {
        self.groups.values_mut().for_each(|group| group.tables.take_in(effects, is_wanted, place));
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

/// What [`Scan`] must be told about names.
pub trait Names {
    /// The effects that a statement has on tables that are not temporary.
    fn real_effects(
        &mut self,
        effects: Effects,
        query: &Query<'_>,
        event: &Event<'_>,
        place: &Place,
    ) -> Vec<FullEffect>;
    /// A table's name, as in [`FullEffect`].
    fn full(&self, map: &TableMap<'_>) -> Result<FullName, Malformed>;
    fn is_wanted(&self, table: &FullName) -> bool;
}

/// Searches the log for one xid, and ignores everything else but what happens to the tables of its transaction:
/// incidents, statements in statement format, rows.
pub struct Scan<'a, N> {
    xid: &'a str,
    names: N,
    /// The current group, if inside one.
    pub group: Option<Part>,
    pub last: Option<Fate>,
}

impl<'a, N: Names> Scan<'a, N> {
    /// Begins with a file, which may continue a group of the file before. `last` is known from the files before.
    pub fn new(xid: &'a str, last: Option<Fate>, names: N) -> Scan<'a, N> {
        let group = Some(Part { is_xa: true, ..Part::default() });
        Scan { xid, names, group, last }
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
                self.statement(event, &body, framer).map_err(bad)
            }
            _ => self.event(event, framer).map_err(bad),
        }
    }

    fn event(&mut self, event: &Event<'_>, framer: &Framer) -> Result<(), Malformed> {
        match EventType::of(event.header.type_byte) {
            EventType::Gtid | EventType::AnonymousGtid | EventType::GtidTagged => {
                self.group = Some(Part::at(framer, false));
            }
            EventType::MariaGtid => {
                let gtid = gtid::mariadb(&event.header, event.body)?;
                self.group = Some(Part::at(framer, gtid.prepares_xa));
            }
            EventType::TableMap => self.table_map(event, framer)?,
            EventType::Query => self.statement(event, event.body, framer)?,
            EventType::Xid => self.group = None,
            EventType::XaPrepare => {
                let Part { start, tables, .. } = self.group.take().unwrap_or_else(|| Part::at(framer, true));
                let prepare = Prepare::parse(event.body)?;
                if prepare.xid == self.xid {
                    self.last = Some(match start {
                        _ if prepare.one_phase => Fate::Committed,
                        Some(start) => Fate::Prepared(Group { start, tables }),
                        None => match self.last.take() {
                            // The first group of this file: it was looked for before.
                            Some(Fate::Prepared(group)) => Fate::Prepared(group),
                            _ => Fate::BeginsEarlier(tables),
                        },
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn table_map(&mut self, event: &Event<'_>, framer: &Framer) -> Result<(), Malformed> {
        let Some(part) = self.group.as_mut().filter(|part| part.is_xa) else { return Ok(()) };
        let map = TableMap::parse(framer.format(), event.header.type_byte, event.body)?;
        part.tables.add(self.names.full(&map)?);
        Ok(())
    }

    fn statement(&mut self, event: &Event<'_>, body: &[u8], framer: &Framer) -> Result<(), Malformed> {
        let query = Query::parse(framer.format(), body)?;
        match statement::read(query.text, query.session) {
            // Without a GTID event, XA START begins the group.
            Statement::XaStart => match self.group.as_mut().filter(|part| part.start.is_some()) {
                Some(part) => part.is_xa = true,
                None => self.group = Some(Part::at(framer, true)),
            },
            Statement::XaCommit(xid) => self.decided(&xid, Fate::Committed),
            Statement::XaRollback(xid) => self.decided(&xid, Fate::RolledBack),
            Statement::Commit | Statement::Rollback => self.group = None,
            Statement::Effects(effects) if !effects.is_empty() => {
                let place = framer.place();
                let effects = self.names.real_effects(effects, &query, event, place);
                if let Some(tables) = self.last.as_mut().and_then(Fate::tables) {
                    tables.take_in(&effects, &|table| self.names.is_wanted(table), place);
                }
            }
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

impl Part {
    /// A group that begins with the current event.
    fn at(framer: &Framer, is_xa: bool) -> Part {
        let place = framer.place();
        let start = GroupStart { file: place.file.clone(), offset: place.start };
        Part { start: Some(start), tables: HiddenTables::default(), is_xa }
    }
}

//! Temporary tables. Each hides the real table of its name from its session: a TRUNCATE there empties the temporary table.
//! Row format does not log them; in MIXED format MariaDB and MySQL before 8.0 do.

use std::collections::{HashMap, HashSet};

use super::statement::FullEffect;
use crate::binlog::event::{Event, FLAG_THREAD_SPECIFIC};
use crate::binlog::query::Query;
use crate::schema::known::FullName;
use crate::sql::effect::{Effect, TableChange};

/// At most so many are remembered. Statements on further ones count as changes of the real tables, which they nearly
/// always are.
const MOST: usize = 10_000;

/// A session: threads of two servers, which write to the log of a third, may have the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct SessionId {
    server_id: u32,
    thread_id: u32,
}

/// Who executed a statement, and what the event says of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct By {
    session: SessionId,
    /// The flag of the event, which TRUNCATE and ALTER of a temporary table always have. Those of a real one have it only
    /// inside of a procedure that used a temporary table before.
    flagged: bool,
    is_mariadb: bool,
}

impl By {
    pub fn of(event: &Event<'_>, query: &Query<'_>, is_mariadb: bool) -> By {
        let session = SessionId { server_id: event.header.server_id, thread_id: query.thread_id };
        By { session, flagged: event.header.flags & FLAG_THREAD_SPECIFIC != 0, is_mariadb }
    }
}

/// Temporary tables by session, until the session drops them; the server does so for it when it ends.
#[derive(Debug, Default)]
pub(super) struct Temporary {
    sessions: HashMap<SessionId, HashSet<FullName>>,
    len: usize,
    /// All that was logged since the server's start is taken in.
    is_complete: bool,
}

impl Temporary {
    /// Of a server that was just started: no session goes on.
    pub fn of_started_server() -> Temporary {
        Temporary { is_complete: true, ..Temporary::default() }
    }

    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The tables of a statement that may be temporary ones, as its event is flagged, and are not known to be.
    pub fn undecided<'a>(&self, by: By, effects: &'a [FullEffect]) -> Vec<&'a FullName> {
        let undecided = |effect: &'a FullEffect| match effect {
            Effect::Table(table, TableChange::Emptied | TableChange::Altered(_)) if by.flagged => {
                (!self.hides(by.session, table)).then_some(table)
            }
            _ => None,
        };
        effects.iter().filter_map(undecided).collect()
    }

    /// Takes in what a session's statement did to temporary tables, and leaves only what it did to real ones.
    pub fn take_out(&mut self, by: By, effects: &mut Vec<FullEffect>) {
        // RENAME TABLE of MySQL takes the real table even where a temporary one hides it; ALTER TABLE does not.
        let alters = effects.iter().any(|effect| matches!(effect, Effect::Table(_, TableChange::Altered(_))));
        effects.retain(|effect| match effect {
            Effect::Table(_, TableChange::RenamedTo(_)) if !alters && !by.is_mariadb => true,
            Effect::Table(table, change) => self.is_real(by, table, change),
            Effect::Database(..) | Effect::Data { .. } => true,
        });
    }

    fn is_real(&mut self, by: By, table: &FullName, change: &TableChange<FullName>) -> bool {
        match change {
            TableChange::TemporaryCreated => {
                if self.len < MOST && self.sessions.entry(by.session).or_default().insert(table.clone()) {
                    self.len += 1;
                }
                false
            }
            TableChange::TemporaryGone => {
                self.forget(by.session, table);
                false
            }
            // The server logs a DROP of a temporary table as DROP TEMPORARY TABLE.
            TableChange::Gone | TableChange::Created { .. } | TableChange::Data { .. } => true,
            // The session dropped it while it did not log.
            TableChange::Emptied | TableChange::Altered(_) if !by.flagged => {
                self.forget(by.session, table);
                true
            }
            TableChange::Emptied | TableChange::Altered(_) | TableChange::Unlogged(_) => {
                !self.hides(by.session, table)
            }
            // RENAME TABLE is never flagged.
            TableChange::RenamedTo(to) if self.hides(by.session, table) => {
                self.forget(by.session, table);
                self.is_real(by, to, &TableChange::TemporaryCreated)
            }
            TableChange::RenamedTo(_) => true,
        }
    }

    fn hides(&self, session: SessionId, table: &FullName) -> bool {
        self.sessions.get(&session).is_some_and(|tables| tables.contains(table))
    }

    fn forget(&mut self, session: SessionId, table: &FullName) {
        if let Some(tables) = self.sessions.get_mut(&session) {
            self.len -= usize::from(tables.remove(table));
            if tables.is_empty() {
                self.sessions.remove(&session);
            }
        }
    }
}

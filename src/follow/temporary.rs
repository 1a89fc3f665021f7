//! Temporary tables. In its session, each hides the real table of the same name: a TRUNCATE empties the temporary
//! table. ROW format does not log them; MIXED format does, on MariaDB and on MySQL before 8.0.

use std::collections::{HashMap, HashSet};

use super::full_effect::FullEffect;
use crate::binlog::event::{Event, FLAG_THREAD_SPECIFIC};
use crate::binlog::query::Query;
use crate::schema::known::FullName;
use crate::sql::effect::{Effect, TableChange};

/// At most this many temporary tables are remembered. A statement on a name that is not remembered counts as one on the
/// real table, which it nearly always is.
const MOST: usize = 10_000;

/// A session. The thread id alone is not unique: a replica's log may hold statements of two other servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct SessionId {
    server_id: u32,
    thread_id: u32,
}

/// The session that executed a statement, and what its event says about temporary tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct By {
    session: SessionId,
    /// The event has [`FLAG_THREAD_SPECIFIC`]. TRUNCATE and ALTER of a temporary table always have it; of a real table
    /// only in a procedure that used a temporary table before.
    flagged: bool,
    is_mariadb: bool,
}

impl By {
    pub fn of(event: &Event<'_>, query: &Query<'_>, is_mariadb: bool) -> By {
        let session = SessionId { server_id: event.header.server_id, thread_id: query.thread_id };
        By { session, flagged: event.header.flags & FLAG_THREAD_SPECIFIC != 0, is_mariadb }
    }

    pub fn is_flagged(&self) -> bool {
        self.flagged
    }
}

/// Temporary tables by session, until the session drops them. When a session ends, the server drops its tables.
#[derive(Debug, Clone, Default)]
pub(super) struct Temporary {
    sessions: HashMap<SessionId, HashSet<FullName>>,
    len: usize,
    /// Everything that was logged since the server's start has been read, so no temporary table is missing.
    is_complete: bool,
}

impl Temporary {
    /// Those of a server that has just started: none, since no session survives a restart.
    pub fn of_started_server() -> Temporary {
        Temporary { is_complete: true, ..Temporary::default() }
    }

    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Tables that a flagged statement empties or alters, and that may be temporary tables not known yet.
    pub fn undecided<'a>(&self, by: By, effects: &'a [FullEffect]) -> Vec<&'a FullName> {
        let undecided = |effect: &'a FullEffect| match effect {
            Effect::Table(table, TableChange::Emptied | TableChange::Altered(_)) if by.flagged => {
                (!self.hides(by.session, table)).then_some(table)
            }
            _ => None,
        };
        effects.iter().filter_map(undecided).collect()
    }

    /// Records a statement's effects on temporary tables, and leaves only its effects on real tables.
    pub fn take_out(&mut self, by: By, effects: &mut Vec<FullEffect>) {
        // On MySQL, RENAME TABLE renames the real table even if a temporary one hides it. ALTER TABLE … RENAME does
        // not.
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
            TableChange::Gone
            | TableChange::Created { .. }
            | TableChange::SequenceCreated { .. }
            | TableChange::SequenceGone
            | TableChange::Data { .. } => true,
            // A temporary table has no foreign keys.
            TableChange::Merges(_)
            | TableChange::VersioningAdded
            | TableChange::VersioningDropped
            | TableChange::ForeignKeysAdded(_)
            | TableChange::ForeignKeyDropped { .. } => !self.hides(by.session, table),
            // Without the flag this is a real table: the session dropped its temporary one while it did not log.
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

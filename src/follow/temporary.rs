//! Temporary tables of sessions. One hides the real table of its name from its own session, so that a TRUNCATE there
//! is of the temporary one. In row format they are not logged; in MIXED format MariaDB and MySQL before 8.0 do it.

use std::collections::{HashMap, HashSet};

use crate::schema::known::FullName;
use crate::sql::effect::{Effect, TableChange};

/// How many are remembered at most. Of more, statements count as those of the real tables, which is what they are
/// nearly always.
const MOST: usize = 10_000;

/// Temporary tables by session, until the session drops them; the server does so for it when it ends.
#[derive(Debug, Default)]
pub(super) struct Temporary {
    sessions: HashMap<u32, HashSet<FullName>>,
    len: usize,
}

impl Temporary {
    /// The server was started anew: no session goes on.
    pub fn clear(&mut self) {
        *self = Temporary::default();
    }

    /// Takes in what a session's statement did to temporary tables, and leaves only what it did to real ones.
    pub fn take_out(
        &mut self,
        thread_id: u32,
        effects: &mut Vec<Effect<FullName, String>>,
        is_mariadb: bool,
    ) {
        // RENAME TABLE of MySQL takes the real table even where a temporary one hides it; ALTER TABLE does not.
        let alters = effects.iter().any(|effect| matches!(effect, Effect::Table(_, TableChange::Altered(_))));
        effects.retain(|effect| match effect {
            Effect::Table(_, TableChange::RenamedTo(_)) if !alters && !is_mariadb => true,
            Effect::Table(table, change) => self.is_real(thread_id, table, change),
            Effect::Database(..) | Effect::Data { .. } => true,
        });
    }

    fn is_real(&mut self, thread_id: u32, table: &FullName, change: &TableChange<FullName>) -> bool {
        match change {
            TableChange::TemporaryCreated => {
                if self.len < MOST && self.sessions.entry(thread_id).or_default().insert(table.clone()) {
                    self.len += 1;
                }
                false
            }
            TableChange::TemporaryGone => {
                self.forget(thread_id, table);
                false
            }
            // The server logs a DROP of a temporary table as DROP TEMPORARY TABLE.
            TableChange::Gone | TableChange::Created { .. } | TableChange::Data { .. } => true,
            TableChange::Emptied | TableChange::Altered(_) | TableChange::Unlogged(_) => {
                !self.hides(thread_id, table)
            }
            TableChange::RenamedTo(to) if self.hides(thread_id, table) => {
                self.forget(thread_id, table);
                self.is_real(thread_id, to, &TableChange::TemporaryCreated)
            }
            TableChange::RenamedTo(_) => true,
        }
    }

    fn hides(&self, thread_id: u32, table: &FullName) -> bool {
        self.sessions.get(&thread_id).is_some_and(|tables| tables.contains(table))
    }

    fn forget(&mut self, thread_id: u32, table: &FullName) {
        if let Some(tables) = self.sessions.get_mut(&thread_id) {
            self.len -= usize::from(tables.remove(table));
            if tables.is_empty() {
                self.sessions.remove(&thread_id);
            }
        }
    }
}

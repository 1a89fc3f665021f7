//! Temporary tables. Each hides the real table of its name from its session: a TRUNCATE there empties the temporary table.
//! Row format does not log them; in MIXED format MariaDB and MySQL before 8.0 do.

use std::collections::{HashMap, HashSet};

use crate::schema::known::FullName;
use crate::sql::effect::{Effect, TableChange};

/// At most so many are remembered. Statements on further ones count as changes of the real tables, which they nearly
/// always are.
const MOST: usize = 10_000;

/// Temporary tables by session, until the session drops them, or ends: then the server logs a drop.
#[derive(Debug, Default)]
pub(super) struct Temporary {
    sessions: HashMap<u32, HashSet<FullName>>,
    len: usize,
}

impl Temporary {
    /// The server restarted: all sessions are gone.
    pub fn clear(&mut self) {
        *self = Temporary::default();
    }

    /// Removes the effects on temporary tables, and remembers them; those on real tables stay.
    pub fn take_out(
        &mut self,
        thread_id: u32,
        effects: &mut Vec<Effect<FullName, String>>,
        is_mariadb: bool,
    ) {
        // MySQL's RENAME TABLE renames the real table even if a temporary one hides it; ALTER TABLE … RENAME does not.
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
            // The server logs the drop of a temporary table as DROP TEMPORARY TABLE.
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

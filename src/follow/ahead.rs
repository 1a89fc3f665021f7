//! A statement that was found ahead in the log, and what it may change.

use super::full_effect::FullEffect;
use super::in_the_way::{may_matter, same};
use crate::binlog::query::Query;
use crate::schema::known::FullName;
use crate::source::framing::Place;
use crate::sql::ddl::{self, Ddl, Understood};
use crate::sql::effect::{Effect, TableChange};
use crate::sql::tokens::Session;

/// How many characters of a statement are shown in messages.
const SHOWN_CHARS: usize = 100;

/// A statement that changes definitions.
#[derive(Debug, Clone)]
pub struct Ahead {
    pub(super) place: Place,
    pub(super) effects: Vec<FullEffect>,
    pub(super) text: Vec<u8>,
    /// The default database.
    pub(super) database: Vec<u8>,
    pub session: Session,
    pub(super) has_failed: bool,
    /// It may be about a temporary table from before the question's place.
    pub may_be_temporary: bool,
}

impl Ahead {
    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn effects(&self) -> &[FullEffect] {
        &self.effects
    }

    /// As it stands in the log, but for who ran it.
    pub fn query(&self) -> Query<'_> {
        Query {
            thread_id: 0,
            database: &self.database,
            text: &self.text,
            session: self.session,
            lists_databases: false,
            has_failed: self.has_failed,
        }
    }

    /// What it says of a definition.
    pub fn ddl(&self) -> Understood<Ddl> {
        ddl::read(&self.text, self.session)
    }

    /// Its beginning, in one line, for messages.
    pub fn shown(&self) -> String {
        let text = String::from_utf8_lossy(self.text.get(..SHOWN_CHARS * 4).unwrap_or(&self.text));
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match words.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
            None => words,
        }
    }
}

/// Whether a statement changes tables that existed before it, and does not only create one.
pub fn changes_existing(effects: &[FullEffect]) -> bool {
    use TableChange::{Created, Data};
    effects.iter().any(|effect| {
        may_matter(effect)
            && !matches!(effect, Effect::Table(_, Created { replaces: false, .. } | Data { .. }))
    })
}

/// Whether an effect may change some definition in some way.
pub(super) fn may_define(effect: &FullEffect) -> bool {
    use TableChange::{Altered, VersioningAdded, VersioningDropped};
    may_matter(effect)
        || matches!(effect, Effect::Database(..))
        || matches!(effect, Effect::Table(_, Altered(_) | VersioningAdded | VersioningDropped))
}

/// Whether an effect may concern a table of one of these names.
pub(super) fn concerns(effect: &FullEffect, names: &[&FullName]) -> bool {
    let is_one = |name: &FullName| names.iter().any(|known| is_same(known, name));
    match effect {
        Effect::Table(name, TableChange::RenamedTo(to)) => is_one(name) || is_one(to),
        Effect::Table(name, _) => is_one(name),
        Effect::Database(name, _) => names.iter().any(|known| same(&known.0, name)),
        Effect::Data { .. } => true,
    }
}

/// Names that differ only in case count as the same: see [`super::full_effect::is_changed`].
pub(super) fn is_same(one: &FullName, other: &FullName) -> bool {
    same(&one.1, &other.1) && same(&one.0, &other.0)
}

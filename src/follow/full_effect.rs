//! The effects of a statement with full names.

use crate::schema::known::FullName;
use crate::sql::effect::{Effect, TableChange};

/// An effect with full names: a table's with its database, and folded to lower case if the server compares names so. If
/// a name is not valid text, and no table of its database is selected, it is empty.
pub type FullEffect = Effect<FullName, String>;

/// Whether a statement may have changed a table's definition. Names that differ only in case count as the same, because a log
/// does not always say how its server compares them.
pub fn is_changed(effects: &[FullEffect], database: &str, table: &str) -> bool {
    let same =
        |a: &str, b: &str| a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase));
    let is_it = |name: &FullName| same(&name.1, table) && same(&name.0, database);
    effects.iter().any(|effect| match effect {
        Effect::Table(name, TableChange::RenamedTo(to)) => is_it(name) || is_it(to),
        Effect::Table(name, _) => is_it(name),
        Effect::Database(name, _) => same(name, database),
        Effect::Data { .. } => true,
    })
}

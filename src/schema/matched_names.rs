//! Which names on the command line matched something in the log.

use super::rules::IdRule;
use super::selection::{Pattern, Selection};

/// The names on the command line, and whether each has matched.
#[derive(Debug)]
pub struct MatchedNames {
    /// Each name as given, its pattern, and whether it has matched.
    names: Vec<(String, Pattern, bool)>,
    /// The database, where no TABLE was given.
    database: Option<(String, bool)>,
}

impl MatchedNames {
    pub fn new(selection: &Selection, rules: &[IdRule]) -> MatchedNames {
        let tables =
            selection.patterns().iter().map(|pattern| (pattern.given.clone(), pattern.clone(), false));
        let rules =
            rules.iter().map(|rule| (format!("--id {}=…", rule.pattern.given), rule.pattern.clone(), false));
        let database = selection.database().filter(|_| selection.patterns().is_empty());
        MatchedNames {
            names: tables.chain(rules).collect(),
            database: database.map(|name| (name.to_string(), false)),
        }
    }

    /// Notes a table of the log.
    pub fn see(&mut self, database: &str, table: &str) {
        for (_, pattern, seen) in &mut self.names {
            *seen = *seen || pattern.matches(database, table);
        }
        if let Some((name, seen)) = &mut self.database {
            *seen = *seen || name == database;
        }
    }

    pub fn unmatched(&self) -> impl Iterator<Item = String> {
        let database = self.database.iter().filter(|(_, seen)| !seen);
        let names = self.names.iter().filter(|(.., seen)| !seen);
        database.map(|(name, _)| format!("database {name}")).chain(names.map(|(given, ..)| given.clone()))
    }
}

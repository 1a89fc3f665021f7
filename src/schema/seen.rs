//! Whether anything in the log was of the names that the command line gives.

use super::rules::IdRule;
use super::selection::{Pattern, Selection};

/// Which of the names on the command line something in the log was of.
#[derive(Debug)]
pub struct Seen {
    /// As each was given, and what it stands for.
    names: Vec<(String, Pattern, bool)>,
    /// With no TABLE, all of a database.
    database: Option<(String, bool)>,
}

impl Seen {
    pub fn new(selection: &Selection, rules: &[IdRule]) -> Seen {
        let tables =
            selection.patterns().iter().map(|pattern| (pattern.given.clone(), pattern.clone(), false));
        let rules =
            rules.iter().map(|rule| (format!("--id {}=…", rule.pattern.given), rule.pattern.clone(), false));
        let database = selection.database().filter(|_| selection.patterns().is_empty());
        Seen {
            names: tables.chain(rules).collect(),
            database: database.map(|name| (name.to_string(), false)),
        }
    }

    pub fn table(&mut self, database: &str, table: &str) {
        for (_, pattern, seen) in &mut self.names {
            *seen = *seen || pattern.matches(database, table);
        }
        if let Some((name, seen)) = &mut self.database {
            *seen = *seen || name == database;
        }
    }

    pub fn unseen(&self) -> impl Iterator<Item = String> {
        let database = self.database.iter().filter(|(_, seen)| !seen);
        let names = self.names.iter().filter(|(.., seen)| !seen);
        database.map(|(name, _)| format!("database {name}")).chain(names.map(|(given, ..)| given.clone()))
    }
}

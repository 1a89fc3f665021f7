//! Rules from the command line for the shape of lines.

use anyhow::Result;

use super::selection::Pattern;
use super::{Id, Table};
use crate::exit::usage;

/// `--id TABLE=COL[,COL]`.
#[derive(Debug, Clone)]
pub struct IdRule {
    pub pattern: Pattern,
    pub columns: Vec<String>,
}

impl IdRule {
    /// # Errors
    /// Exit 2 when it is not of that form.
    pub fn parse(given: &str, database: Option<&str>) -> Result<IdRule> {
        let bad = || usage(format!("--id {given:?}: give TABLE=COLUMN[,COLUMN]"));
        let parts = given.rsplit_once('=').filter(|(table, _)| !table.is_empty());
        let (table, columns) = parts.ok_or_else(bad)?;
        let columns: Vec<String> = columns.split(',').map(|c| c.trim().to_string()).collect();
        let twice = |(n, name): (usize, &String)| columns[..n].contains(name);
        if columns.iter().any(String::is_empty) || columns.iter().enumerate().any(twice) {
            return Err(bad());
        }
        Ok(IdRule { pattern: Pattern::parse(table, database)?, columns })
    }

    /// Sets the table's id by the first rule for it, if any.
    ///
    /// # Errors
    /// Exit 2 when a rule names a column that the table does not have.
    pub fn apply(rules: &[IdRule], table: &mut Table) -> Result<()> {
        let rule = rules.iter().find(|rule| rule.pattern.matches(&table.database, &table.name));
        let Some(rule) = rule else { return Ok(()) };
        let numbers = rule.columns.iter().map(|name| {
            table.column_number(name).ok_or_else(|| {
                usage(format!("--id: {}.{} has no column `{name}`", table.database, table.name))
            })
        });
        table.id = Id::Columns(numbers.collect::<Result<_>>()?);
        Ok(())
    }
}

/// The rules of the command line, which `load` and `tail` apply alike.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub ids: Vec<IdRule>,
    /// `--generated omit`.
    pub omit_generated: bool,
}

impl Rules {
    /// # Errors
    /// Exit 2 when a rule names a column that the table does not have.
    pub fn apply(&self, table: &mut Table) -> Result<()> {
        IdRule::apply(&self.ids, table)?;
        if self.omit_generated {
            table.omit_generated();
        }
        Ok(())
    }
}

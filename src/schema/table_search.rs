//! Finds the selected tables on the server. A name that matches nothing is an error in every command, before anything is
//! printed; all such errors come from here.

use std::collections::HashSet;

use anyhow::{Result, anyhow};

use super::catalog::Catalog;
use super::rules::IdRule;
use super::selection::{Pattern, Selection};

/// How to look for tables.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// Also ask for the server's estimate of the rows.
    pub estimates: bool,
    pub missing: Missing,
}

/// What to do about a name that matches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    IsFine,
    /// The message ends with the advice, if any.
    IsAnError {
        advice: &'static str,
    },
}

/// A base table of the server.
#[derive(Debug)]
pub struct Found {
    pub database: String,
    pub table: String,
    /// Estimated rows, if asked for and known.
    pub estimate: Option<u64>,
}

/// The selected base tables, in the order given, those of a glob by name, each once.
///
/// # Errors
/// When a TABLE matches no table that the account may see, or the database does not exist.
pub fn wanted(catalog: &mut Catalog, selection: &Selection, search: Search) -> Result<Vec<Found>> {
    let mut all: Vec<Found> = Vec::new();
    let mut added = HashSet::new();
    let mut add = |found: Found| {
        if added.insert((found.database.clone(), found.table.clone())) {
            all.push(found);
        }
    };
    if let Some(database) = selection.database().filter(|_| selection.patterns().is_empty()) {
        let tables = catalog.tables(database, None, search.estimates)?;
        if tables.is_empty()
            && let Missing::IsAnError { advice } = search.missing
        {
            check_database(catalog, selection, database, advice)?;
        }
        for (table, estimate) in tables {
            add(Found { database: database.to_string(), table, estimate });
        }
    }
    for pattern in selection.patterns() {
        let found = matching(catalog, pattern, search.estimates)?;
        if found.is_empty() {
            refuse(catalog, pattern, "", search.missing)?;
        }
        found.into_iter().for_each(&mut add);
    }
    Ok(all)
}

/// # Errors
/// When the account sees no such database.
fn check_database(catalog: &mut Catalog, selection: &Selection, database: &str, advice: &str) -> Result<()> {
    let all = catalog.databases()?;
    if all.iter().any(|other| selection.folded(other.clone()) == database) {
        return Ok(());
    }
    let near = closest(database, all.iter().map(String::as_str));
    let hint = near.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
    Err(error(format!("there is no database {database} that this account may see{hint}"), advice))
}

/// # Errors
/// When the TABLE of an `--id` matches no table that the account may see.
pub fn check_rules(catalog: &mut Catalog, rules: &[IdRule], search: Search) -> Result<()> {
    for rule in rules {
        if search.missing != Missing::IsFine && matching(catalog, &rule.pattern, false)?.is_empty() {
            refuse(catalog, &rule.pattern, "--id: ", search.missing)?;
        }
    }
    Ok(())
}

/// # Errors
/// Exit 2 when an `--id` names a column that its table does not have.
pub fn check_rules_columns(catalog: &mut Catalog, rules: &[IdRule], found: &[Found]) -> Result<()> {
    for Found { database, table, .. } in found {
        if rules.iter().any(|rule| rule.pattern.matches(database, table))
            && let Some(mut table) = catalog.table(database, table)?
        {
            IdRule::apply(rules, &mut table)?;
        }
    }
    Ok(())
}

/// The base tables that match a pattern.
fn matching(catalog: &mut Catalog, pattern: &Pattern, estimates: bool) -> Result<Vec<Found>> {
    let databases = match pattern.has_database_glob() {
        true => catalog.databases()?,
        false => vec![pattern.database.clone()],
    };
    let name = (!pattern.is_glob()).then_some(&*pattern.table);
    let mut all = Vec::new();
    for database in databases.into_iter().filter(|database| pattern.matches_database(database)) {
        for (table, estimate) in catalog.tables(&database, name, estimates)? {
            if pattern.matches(&database, &table) {
                all.push(Found { database: database.clone(), table, estimate });
            }
        }
    }
    Ok(all)
}

/// Returns the error for a pattern that matches nothing, unless that is fine.
fn refuse(catalog: &mut Catalog, pattern: &Pattern, whose: &str, missing: Missing) -> Result<()> {
    let Missing::IsAnError { advice } = missing else { return Ok(()) };
    let given = &pattern.given;
    if pattern.is_glob() {
        return Err(error(format!("{whose}no table that this account may see matches {given}"), advice));
    }
    if let Some(kind) = catalog.other_type(&pattern.database, &pattern.table)? {
        let kind = kind.to_lowercase();
        return Err(anyhow!("{whose}{given} is a {kind}: only base tables can be printed"));
    }
    let hint = similar(catalog, pattern)?.map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
    let of = match given.contains('.') {
        true => String::new(),
        false => format!(" in database {}", pattern.database),
    };
    Err(error(format!("{whose}there is no base table {given}{of} that this account may see{hint}"), advice))
}

fn error(what: String, advice: &str) -> anyhow::Error {
    match advice {
        "" => anyhow!("{what}"),
        advice if what.ends_with('?') => anyhow!("{what} {advice}"),
        advice => anyhow!("{what}. {advice}"),
    }
}

/// The most similar table name, with its database if one was given.
fn similar(catalog: &mut Catalog, pattern: &Pattern) -> Result<Option<String>> {
    let databases = catalog.databases()?;
    let database = match databases.contains(&pattern.database) {
        true => Some(&*pattern.database),
        false => closest(&pattern.database, databases.iter().map(String::as_str)),
    };
    let Some(database) = database else { return Ok(None) };
    let tables = catalog.tables(database, None, false)?;
    let table = closest(&pattern.table, tables.iter().map(|(name, _)| name.as_str()));
    let is_bare = !pattern.given.contains('.');
    Ok(table.map(|table| if is_bare { table.to_string() } else { format!("{database}.{table}") }))
}

/// The name most similar to what was typed, if at most one letter in three differs.
fn closest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let most = (typed.chars().count() / 3).max(1);
    let distance = |name: &str| strsim::osa_distance(&typed, &name.to_lowercase());
    let near = names.map(|name| (distance(name), name)).filter(|(distance, _)| *distance <= most);
    near.min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn what_may_have_been_meant() {
        let names = ["customer", "costumes", "order_line", "Log", "t1"];
        for (typed, meant) in [
            ("custmer", Some("customer")),
            ("CUSTOMER", Some("customer")),
            ("costumer", Some("costumes")),
            ("orderline", Some("order_line")),
            ("log", Some("Log")),
            ("t2", Some("t1")),
            ("people", None),
            ("x", None),
        ] {
            assert_eq!(closest(typed, names.into_iter()), meant, "{typed}");
        }
    }
}

//! Which tables are selected, and the name that each prints under.

use std::borrow::Cow;

use anyhow::Result;

use super::fold::lower;
use crate::exit::usage;
use crate::position::Patterns;

/// The server's own databases, which globs do not match: they must be named.
const SYSTEM: [&str; 4] = ["mysql", "information_schema", "performance_schema", "sys"];

/// A TABLE on the command line: `people`, `other_db.people`, or a glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pub database: String,
    pub table: String,
    /// As given, for messages.
    pub given: String,
    /// The names are folded to lower case, as the server compares them.
    is_lower: bool,
}

impl Pattern {
    /// Parses a TABLE. A name with a dot must be quoted: `` `a.b` ``.
    ///
    /// # Errors
    /// Exit 2 when it is invalid, or names no database and there is no default.
    pub fn parse(given: &str, default_database: Option<&str>) -> Result<Pattern> {
        let bad = |why: &str| usage(format!("{given:?} is not a table: {why}"));
        let (first, rest) = part(given).ok_or_else(|| bad("a quote is not closed"))?;
        let (database, table) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (second, rest) = part(rest).ok_or_else(|| bad("a quote is not closed"))?;
                if !rest.is_empty() {
                    return Err(bad("it has more than two parts; quote a name with a dot by `"));
                }
                (Some(first), second)
            }
            None if rest.is_empty() => (None, first),
            None => return Err(bad("there is text after a closing quote")),
        };
        if table.is_empty() || database.as_deref() == Some("") {
            return Err(bad("a name is empty"));
        }
        let Some(database) = database.or_else(|| default_database.map(str::to_string)) else {
            return Err(usage(format!(
                "{given:?} needs a database: give it with -D, or as DATABASE.{given}"
            )));
        };
        Ok(Pattern { database, table, given: given.to_string(), is_lower: false })
    }

    /// Folds the names, for a server that compares them in lower case.
    pub fn lower_case(&mut self) {
        self.is_lower = true;
        self.database = lower(&self.database);
        self.table = lower(&self.table);
    }

    pub fn is_glob(&self) -> bool {
        [&self.database, &self.table].iter().any(|name| name.contains(['*', '?']))
    }

    pub fn has_database_glob(&self) -> bool {
        self.database.contains(['*', '?'])
    }

    pub fn matches_database(&self, database: &str) -> bool {
        let database = &*compared(database, self.is_lower);
        glob(&self.database, database) && !(self.has_database_glob() && SYSTEM.contains(&database))
    }

    pub fn matches(&self, database: &str, table: &str) -> bool {
        self.matches_database(database) && glob(&self.table, &compared(table, self.is_lower))
    }
}

/// One part of a name and what follows it.
fn part(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('`') else {
        let end = text.find('.').unwrap_or(text.len());
        return Some((text[..end].to_string(), &text[end..]));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (inside, after) = rest.split_once('`')?;
        name.push_str(inside);
        match after.strip_prefix('`') {
            Some(after) => {
                name.push('`');
                rest = after;
            }
            None => return Some((name, after)),
        }
    }
}

/// A name as the server compares it. Statements have names as typed; with `lower_case_table_names=2` the catalog and
/// the log may have them as typed, too.
fn compared(name: &str, is_lower: bool) -> Cow<'_, str> {
    if is_lower { lower(name).into() } else { name.into() }
}

/// `*` stands for any characters, `?` for one.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to continue if what follows the last star does not match.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t + 1));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, next)) => {
                    (p, t) = (star + 1, next);
                    retry = Some((star, next + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The selected tables.
#[derive(Debug, Clone)]
pub struct Selection {
    database: Option<String>,
    patterns: Vec<Pattern>,
    /// The server compares names in lower case (`lower_case_table_names` 1 and 2).
    is_lower: bool,
}

impl Selection {
    /// Selects the given tables; without any, all of the database.
    ///
    /// # Errors
    /// Exit 2 when a TABLE is invalid, and with neither tables nor a database.
    pub fn new(tables: &[String], database: Option<&str>) -> Result<Selection> {
        if tables.is_empty() && database.is_none() {
            return Err(usage(
                "no database: give one with -D, or name tables as DATABASE.TABLE; '*.*' means every table of every \
                 database but the server's own",
            ));
        }
        let patterns = tables.iter().map(|table| Pattern::parse(table, database));
        let patterns = patterns.collect::<Result<_>>()?;
        Ok(Selection { database: database.map(str::to_string), patterns, is_lower: false })
    }

    /// Folds the names, for a server that compares them in lower case.
    pub fn lower_case(mut self) -> Selection {
        self.is_lower = true;
        self.database = self.database.map(|name| lower(&name));
        for pattern in &mut self.patterns {
            pattern.lower_case();
        }
        self
    }

    /// A name as the server compares it.
    pub fn folded(&self, name: String) -> String {
        compared(&name, self.is_lower).into_owned()
    }

    /// Whether tables can be selected that the command line does not name.
    pub fn has_globs(&self) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(Pattern::is_glob)
    }

    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The selection as patterns, to be saved with a position. Two runs with the same TABLEs have the same patterns.
    pub fn saved(&self) -> Patterns {
        let whole = self.database.iter().filter(|_| self.patterns.is_empty()).map(|database| {
            // -D takes no glob. If the name of its database looks like one, the table pattern is empty to tell it from
            // a glob.
            let all = if database.contains(['*', '?']) { "" } else { "*" };
            (database.clone(), all.to_string())
        });
        let given = self.patterns.iter().map(|pattern| (pattern.database.clone(), pattern.table.clone()));
        let mut saved: Patterns = whole.chain(given).collect();
        saved.sort();
        saved.dedup();
        saved
    }

    /// Whether every table that this run selects was selected, too, by the run that saved these patterns.
    pub fn is_within(&self, saved: &Patterns) -> bool {
        is_within(&self.saved(), saved)
    }

    pub fn selects(&self, database: &str, table: &str) -> bool {
        match self.patterns.is_empty() {
            true => self.selects_some_of(database),
            false => self.patterns.iter().any(|pattern| pattern.matches(database, table)),
        }
    }

    /// Whether some table of a database may be selected.
    pub fn selects_some_of(&self, database: &str) -> bool {
        match self.patterns.is_empty() {
            true => self.is_default(database),
            false => self.patterns.iter().any(|pattern| pattern.matches_database(database)),
        }
    }

    /// The selected tables of a database, if the command line names each of them.
    pub fn named(&self, database: &str) -> Option<Vec<(String, String)>> {
        let of: Vec<_> = self.patterns.iter().filter(|pattern| pattern.matches_database(database)).collect();
        let named = !of.is_empty() && !of.iter().any(|pattern| pattern.is_glob());
        named.then(|| of.iter().map(|pattern| (database.to_string(), pattern.table.clone())).collect())
    }

    /// Whether it is the database given with `-D`.
    fn is_default(&self, database: &str) -> bool {
        self.database.as_deref() == Some(&*compared(database, self.is_lower))
    }

    /// The name that a table prints under.
    pub fn printed(&self, database: &str, table: &str) -> String {
        let name = compared(table, self.is_lower);
        match self.is_default(database) {
            true => name.into_owned(),
            false => format!("{}.{name}", compared(database, self.is_lower)),
        }
    }
}

/// Whether every table that `own` selects is selected by `saved`, too. Both come from [`Selection::saved`].
pub fn is_within(own: &Patterns, saved: &Patterns) -> bool {
    own.iter().all(|(database, table)| {
        saved.iter().any(|saved| saved.0 == *database && (saved.1 == *table || saved.1 == "*"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text) in [("*", ""), ("log_*", "log_"), ("a*b*c", "aXbYbc"), ("?", "ß")] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("?", ""), ("log_*", "blog_1"), ("a*b", "abc"), ("A", "a")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_database_without_a_wanted_table_is_known_by_its_name() {
        let selection = |tables: &[&str], database| {
            let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
            Selection::new(&tables, database).unwrap()
        };
        for (selection, some, none) in [
            (selection(&[], Some("shop")), "shop", "mysql"),
            (selection(&["*.*"], None), "shop", "mysql"),
            (selection(&["sy?.*"], Some("shop")), "syn", "sys"),
            (selection(&["sys.*"], Some("shop")), "sys", "shop"),
            (selection(&["people"], Some("shop")), "shop", "shop_2"),
            (selection(&["mysql.user", "a*.b"], Some("shop")), "mysql", "shop"),
            (selection(&["mysql.user", "a*.b"], None), "ab", "b"),
        ] {
            assert!(selection.selects_some_of(some), "{selection:?}");
            assert!(!selection.selects_some_of(none) && !selection.selects(none, "people"), "{selection:?}");
        }
        assert!(selection(&["mysql.user"], None).selects("mysql", "user"));
        assert!(!selection(&["mysql.user"], None).selects("mysql", "db"));
        assert!(Selection::new(&[], None).is_err());
    }

    /// With `lower_case_table_names=2` the catalog and the log may have names as they were typed.
    #[test]
    fn names_in_another_case_are_the_same_where_the_server_compares_them_so() {
        let tables = ["People".to_string(), "Äp*".to_string(), "Other.T".to_string()];
        let folded = Selection::new(&tables, Some("Shop")).unwrap().lower_case();
        for (database, table) in [("SHOP", "PEOPLE"), ("shop", "people"), ("Shop", "ÄPFEL"), ("oTHER", "t")]
        {
            assert!(folded.selects(database, table), "{database}.{table}");
        }
        assert_eq!(folded.printed("SHOP", "PEOPLE"), "people");
        assert_eq!(folded.printed("OTHER", "T"), "other.t");
        assert!(folded.named("OTHER").is_some() && !folded.selects_some_of("Shops"));
        let typed = Selection::new(&tables, Some("Shop")).unwrap();
        assert!(typed.selects("Shop", "People") && !typed.selects("shop", "People"));
    }

    #[test]
    fn a_run_that_wants_more_tables_is_not_within_what_was_saved() {
        let selection = |tables: &[&str], database| {
            let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
            Selection::new(&tables, database).unwrap()
        };
        for (own, saved, is_within) in [
            (selection(&[], Some("d")), selection(&["d.*"], None), true),
            (selection(&["b*", "a*"], Some("d")), selection(&["d.a*", "d.b*"], None), true),
            (selection(&["a*"], Some("d")), selection(&[], Some("d")), true),
            (selection(&[], Some("d")), selection(&["a*"], Some("d")), false),
            (selection(&["a*", "x.t"], Some("d")), selection(&["a*"], Some("d")), false),
            (selection(&["d*.t"], None), selection(&[], Some("d*")), false),
            (selection(&["d*.*"], None), selection(&[], Some("d*")), false),
        ] {
            assert_eq!(own.is_within(&saved.saved()), is_within, "{own:?} {saved:?}");
        }
    }

    #[test]
    fn names_in_parts_and_quotes() {
        let parsed = |text: &str| {
            let pattern = Pattern::parse(text, Some("shop")).ok()?;
            Some(format!("{}|{}", pattern.database, pattern.table))
        };
        assert_eq!(parsed("people").as_deref(), Some("shop|people"));
        assert_eq!(parsed("other.people").as_deref(), Some("other|people"));
        assert_eq!(parsed("`a.b`.`c``d`").as_deref(), Some("a.b|c`d"));
        for bad in ["", "a.", ".a", "a.b.c", "`a", "`a`b"] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
        assert!(Pattern::parse("people", None).is_err());
    }
}

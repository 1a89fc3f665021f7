//! What a logged statement means for the rows of tables: as much SQL as that takes, and no more.
//!
//! A statement is cut into words, comments are passed over (but for those that the server runs),
//! and the first words decide. Nothing here can fail on SQL that it does not know: what is neither
//! control nor known to leave rows alone is [`Statement::Data`], which ends the run.

use super::tokens::{Session, Word, words};

/// A name in a statement; `None` where its bytes are no text: see [`Session::name`].
pub type Text = Option<String>;

/// A table as a statement names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// `None` for the default database.
    pub database: Option<Text>,
    pub table: Text,
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    Begin,
    Commit,
    Rollback,
    Savepoint(String),
    RollbackTo(String),
    XaStart,
    XaEnd,
    /// With the xid as it is written.
    XaCommit(String),
    XaRollback(String),
    /// Tables that are emptied or cease to exist.
    Empties(Vec<Name>),
    DropDatabase(Text),
    /// Tables and the names that they go by from now on.
    Renames(Vec<(Name, Name)>),
    /// DELETE FROM a table and no more: data in statement format, or what a server before 9.7 makes up for a MEMORY
    /// table which its restart emptied.
    DeleteAll(Name),
    /// Changes definitions, perhaps, but no row.
    Definition,
    /// Changes rows in a way that no event tells.
    Unlogged {
        what: &'static str,
        table: Option<Name>,
    },
    /// Data in statement format, or a statement that is not known.
    Data {
        verb: String,
        table: Option<Name>,
        /// It changes no table but this.
        alone: bool,
    },
    /// Nothing that touches rows or definitions: comments, rights, temporary tables.
    Nothing,
}

/// First words of statements that change neither rows nor definitions of tables.
const HARMLESS: &[&str] = &[
    "cache",
    "change",
    "check",
    "checksum",
    "clone",
    "flush",
    "grant",
    "install",
    "kill",
    "load index",
    "lock",
    "optimize",
    "repair",
    "reset",
    "revoke",
    "set",
    "show",
    "shutdown",
    "start",
    "stop",
    "uninstall",
    "unlock",
    "use",
    "explain",
    "describe",
    "desc",
    "help",
    "purge",
    "binlog",
    "restart",
    "signal",
    "resignal",
];

/// First words of statements that change rows.
const DML: &[&str] = &["insert", "replace", "update", "delete"];

/// Reads a statement.
pub fn read(text: &[u8], session: Session) -> Statement {
    match text {
        b"BEGIN" => return Statement::Begin,
        b"COMMIT" => return Statement::Commit,
        _ => {}
    }
    let words = words(text, session);
    let mut at = At { words: &words, i: 0, session };
    let Some(first) = at.keyword() else {
        return if words.is_empty() {
            Statement::Nothing
        } else {
            let verb = String::from_utf8_lossy(text).chars().take(40).collect();
            Statement::Data { verb, table: None, alone: false }
        };
    };
    meaning(&first, &mut at, text)
}

/// What a statement of this first word does.
fn meaning(first: &str, at: &mut At<'_>, text: &[u8]) -> Statement {
    match first {
        "begin" => Statement::Begin,
        "start" if at.accept("transaction") => Statement::Begin,
        "commit" => Statement::Commit,
        "rollback" => rollback(at),
        "savepoint" => Statement::Savepoint(at.savepoint()),
        "release" => Statement::Nothing,
        "xa" => xa(at, text),
        "truncate" => {
            at.accept("table");
            at.table().map_or_else(|| data("truncate", None), |name| Statement::Empties(vec![name]))
        }
        "drop" => drop_statement(at),
        "create" => create(at),
        "alter" => alter(at),
        "call" | "do" | "select" | "with" | "values" | "handler" => data(first, None),
        "insert" | "replace" | "update" | "delete" | "load" => dml(first, at),
        // MariaDB logs a statement with the settings that were given for it alone.
        "set" if at.accept("statement") => {
            while at.i < at.words.len() && !at.accept("for") {
                at.i += 1;
            }
            at.keyword().map_or_else(|| data("set statement", None), |verb| meaning(&verb, at, text))
        }
        "analyze" => analyze(at),
        "rename" => rename(at),
        verb if HARMLESS.contains(&verb) => Statement::Nothing,
        verb => data(verb, None),
    }
}

fn data(verb: &str, table: Option<Name>) -> Statement {
    Statement::Data { verb: verb.to_uppercase(), table, alone: false }
}

fn rollback(at: &mut At<'_>) -> Statement {
    at.accept("work");
    if at.accept("to") {
        at.accept("savepoint");
        return Statement::RollbackTo(at.savepoint());
    }
    Statement::Rollback
}

fn xa(at: &mut At<'_>, text: &[u8]) -> Statement {
    let verb = at.keyword().unwrap_or_default();
    // The xid as the server writes it: everything after the verb, in one form.
    let lower = String::from_utf8_lossy(text).to_ascii_lowercase();
    let xid = lower.split_once(&verb).map_or("", |(_, xid)| xid);
    let xid = xid.trim().trim_end_matches("one phase").trim().to_string();
    match verb.as_str() {
        "start" | "begin" => Statement::XaStart,
        "end" | "prepare" => Statement::XaEnd,
        "commit" => Statement::XaCommit(xid),
        "rollback" => Statement::XaRollback(xid),
        _ => data("xa", None),
    }
}

fn drop_statement(at: &mut At<'_>) -> Statement {
    // A temporary table hides the real one of the same name, which stays.
    if at.accept("temporary") {
        return Statement::Nothing;
    }
    if at.accept("database") || at.accept("schema") {
        at.accept_all(&["if", "exists"]);
        return at.name().map_or(Statement::Definition, Statement::DropDatabase);
    }
    if !(at.accept("table") || at.accept("tables")) {
        return Statement::Definition;
    }
    at.accept_all(&["if", "exists"]);
    let mut names = Vec::new();
    loop {
        // One that cannot be read may be any.
        let Some(name) = at.table() else { return data("drop table", None) };
        names.push(name);
        if !at.accept_symbol(b',') {
            return Statement::Empties(names);
        }
    }
}

fn create(at: &mut At<'_>) -> Statement {
    let replaces = at.accept_all(&["or", "replace"]);
    let temporary = at.accept("temporary");
    if !at.accept("table") {
        return Statement::Definition;
    }
    at.accept_all(&["if", "not", "exists"]);
    let name = at.table();
    // In row format the rows of CREATE … SELECT have events of their own, and the statement is
    // logged without its SELECT.
    if !temporary && at.makes_rows() {
        return data("create … select", name);
    }
    match name {
        _ if temporary => Statement::Nothing,
        Some(name) if replaces => Statement::Empties(vec![name]),
        _ => Statement::Definition,
    }
}

/// RENAME TABLE a TO b, c TO d; what else can be renamed (USER) holds no rows.
fn rename(at: &mut At<'_>) -> Statement {
    if !(at.accept("table") || at.accept("tables")) {
        return Statement::Nothing;
    }
    at.accept_all(&["if", "exists"]);
    let mut names = Vec::new();
    loop {
        let from = at.table();
        // MariaDB's WAIT and NOWAIT.
        while !at.accept("to") && at.i < at.words.len() {
            at.i += 1;
        }
        let Some(both) = from.zip(at.table()) else { return data("rename table", None) };
        names.push(both);
        if !at.accept_symbol(b',') {
            return Statement::Renames(names);
        }
    }
}

/// Statistics of tables; or, without TABLE, MariaDB's ANALYZE of another statement, which is run.
fn analyze(at: &mut At<'_>) -> Statement {
    at.accept("no_write_to_binlog");
    at.accept("local");
    let of_tables = at.accept("table") || at.accept("tables");
    let runs = !of_tables && at.words.iter().any(|word| DML.iter().any(|verb| word.is_keyword(verb)));
    if runs { data("analyze", None) } else { Statement::Nothing }
}

/// Partitions and tablespaces that go or come with their rows: no event tells of these.
fn alter(at: &mut At<'_>) -> Statement {
    at.accept("online");
    at.accept("ignore");
    if !at.accept("table") {
        return Statement::Definition;
    }
    at.accept_all(&["if", "exists"]);
    let table = at.table();
    let what = |what| Statement::Unlogged { what, table: table.clone() };
    let mut rest = At { words: at.words, i: at.i, session: at.session };
    while let Some(word) = rest.words.get(rest.i) {
        rest.i += 1;
        let Word::Bare(word) = word else { continue };
        match word.to_ascii_lowercase().as_slice() {
            b"drop" if rest.accept("partition") => return what("DROP PARTITION"),
            b"truncate" if rest.accept("partition") => return what("TRUNCATE PARTITION"),
            b"exchange" if rest.accept("partition") => return what("EXCHANGE PARTITION"),
            // Neither word is reserved: a column may be called so.
            b"discard" if rest.accept("tablespace") || rest.accept("partition") => {
                return what("DISCARD TABLESPACE");
            }
            b"import" if rest.accept("tablespace") || rest.accept("partition") => {
                return what("IMPORT TABLESPACE");
            }
            b"rename" => {
                let of_a_part = ["column", "index", "key"].iter().any(|part| rest.accept(part));
                let to = if of_a_part { None } else { rest.new_name() };
                if let Some(names) = table.clone().zip(to) {
                    return Statement::Renames(vec![names]);
                }
            }
            b"convert" if rest.accept("partition") || rest.accept("table") => {
                return what("CONVERT PARTITION");
            }
            _ => {}
        }
    }
    Statement::Definition
}

fn dml(verb: &str, at: &mut At<'_>) -> Statement {
    if verb == "load" && at.accept("index") {
        return Statement::Definition;
    }
    for word in ["low_priority", "delayed", "high_priority", "quick", "ignore", "into", "from"] {
        at.accept(word);
    }
    let table = if verb == "load" { None } else { at.table() };
    if let Some(table) = table.as_ref().filter(|_| verb == "delete" && at.i == at.words.len()) {
        return Statement::DeleteAll(table.clone());
    }
    // Others may stand behind the first, of which nothing but the verb is said.
    let next =
        |words: &[&str]| words.iter().any(|word| at.words.get(at.i).is_some_and(|w| w.is_keyword(word)));
    let alone = match verb {
        "insert" | "replace" => true,
        "update" => next(&["set"]),
        "delete" => at.i == at.words.len() || next(&["where", "order", "limit"]),
        _ => false,
    };
    Statement::Data { verb: verb.to_uppercase(), table, alone }
}

/// A place in a statement's words.
struct At<'a> {
    words: &'a [Word<'a>],
    i: usize,
    session: Session,
}

impl At<'_> {
    fn keyword(&mut self) -> Option<String> {
        match self.words.get(self.i) {
            Some(Word::Bare(word)) => {
                self.i += 1;
                Some(String::from_utf8_lossy(word).to_ascii_lowercase())
            }
            _ => None,
        }
    }

    fn accept(&mut self, keyword: &str) -> bool {
        let found = self.words.get(self.i).is_some_and(|word| word.is_keyword(keyword));
        self.i += usize::from(found);
        found
    }

    fn accept_all(&mut self, keywords: &[&str]) -> bool {
        let start = self.i;
        let all = keywords.iter().all(|keyword| self.accept(keyword));
        if !all {
            self.i = start;
        }
        all
    }

    /// Whether the rest of a CREATE TABLE takes rows from somewhere: SELECT, and of MySQL 8.0 TABLE and VALUES
    /// (which a list of partitions has too, with other words behind it).
    fn makes_rows(&self) -> bool {
        let rest = self.words.get(self.i..).unwrap_or_default();
        rest.iter().enumerate().any(|(i, word)| {
            let bounds =
                || ["less", "in"].iter().any(|next| rest.get(i + 1).is_some_and(|w| w.is_keyword(next)));
            word.is_keyword("select") || word.is_keyword("table") || word.is_keyword("values") && !bounds()
        })
    }

    /// What a table is renamed to.
    fn new_name(&mut self) -> Option<Name> {
        if !(self.accept("to") || self.accept("as")) {
            self.accept_symbol(b'=');
        }
        self.table()
    }

    fn accept_symbol(&mut self, symbol: u8) -> bool {
        let found = self.words.get(self.i) == Some(&Word::Symbol(symbol));
        self.i += usize::from(found);
        found
    }

    /// An identifier, quoted or not.
    fn identifier(&mut self) -> Option<&[u8]> {
        let name: &[u8] = match self.words.get(self.i)? {
            Word::Bare(name) => name,
            Word::Quoted(name) => name,
            Word::Symbol(_) | Word::Literal => return None,
        };
        self.i += 1;
        Some(name)
    }

    /// The same as text.
    fn name(&mut self) -> Option<Text> {
        let session = self.session;
        self.identifier().map(|name| session.name(name))
    }

    /// The name of a savepoint, of which no more is asked than whether it is the same.
    fn savepoint(&mut self) -> String {
        let session = self.session;
        let name = self.identifier().unwrap_or_default();
        session.name(name).unwrap_or_else(|| name.escape_ascii().to_string()).to_lowercase()
    }

    /// `table` or `database.table`.
    fn table(&mut self) -> Option<Name> {
        // A point before it means the default database.
        let is_bare = self.accept_symbol(b'.');
        let first = self.name()?;
        if !is_bare && self.accept_symbol(b'.') {
            let table = self.name()?;
            return Some(Name { database: Some(first), table });
        }
        Some(Name { database: None, table: first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renames(text: &str) -> Option<String> {
        match read(text.as_bytes(), Session::default()) {
            Statement::Renames(names) => {
                let show = |name: &Name| {
                    let parts = [name.database.clone().flatten(), name.table.clone()];
                    parts.into_iter().flatten().collect::<Vec<_>>().join(".")
                };
                let all = names.iter().map(|(from, to)| format!("{}>{}", show(from), show(to)));
                Some(all.collect::<Vec<_>>().join(" "))
            }
            _ => None,
        }
    }

    #[test]
    fn tables_that_are_renamed() {
        for (text, wanted) in [
            ("RENAME TABLE a TO b, `c d` TO x.a", "a>b c d>x.a"),
            ("rename table if exists a wait 5 to b", "a>b"),
            ("ALTER TABLE s.a RENAME TO b", "s.a>b"),
            ("/* osc */ alter table a add column c int, rename as `rename`", "a>rename"),
            ("alter table a rename = b", "a>b"),
            ("alter table a rename b", "a>b"),
        ] {
            assert_eq!(renames(text).as_deref(), Some(wanted), "{text}");
        }
        for text in [
            "rename user a to b",
            "alter table a rename column b to c",
            "alter table a rename index b to c, rename key d to e",
            "alter table a comment 'rename to b'",
            "alter table a add column `rename` int",
        ] {
            assert_eq!(renames(text), None, "{text}");
        }
    }
}

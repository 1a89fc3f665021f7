//! What a logged statement does: every table that it touches, each with what happened to it.
//!
//! The first keywords of a statement decide, and this reads no more SQL than that takes. Nothing here fails on SQL that
//! it does not know: a statement that is neither control nor known to leave rows alone is [`Effect::Data`], which ends
//! the run.

use super::reader::Reader;
use super::table_statements;
use super::tokens::{Session, tokens};

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
    /// It touches neither rows nor definitions: comments, rights, statistics.
    Nothing,
    /// Everything else. A definition that is of no table (a view, a trigger, an event) has no effects.
    Effects(Effects),
}

/// All effects of a statement, in the order in which they happen.
pub type Effects = Vec<Effect>;

/// What a statement does to one table or database. `T` and `D` are how tables and databases are named: as the statement
/// does, or in full, as the server keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect<T = Name, D = Text> {
    Table(T, Change<T>),
    Database(D, DatabaseChange),
    /// Data in statement format, or a statement that is not known: it may change any table.
    Data {
        verb: String,
    },
}

impl<T, D> Effect<T, D> {
    /// Whether it creates or drops a temporary table, which takes place at once, and no rollback takes it back.
    pub fn is_of_temporary(&self) -> bool {
        matches!(self, Effect::Table(_, Change::TemporaryCreated | Change::TemporaryGone))
    }
}

/// What happened to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T = Name> {
    /// It has no rows any more.
    Emptied,
    /// It does not exist any more.
    Gone,
    Created {
        /// OR REPLACE: a table of this name is gone.
        replaces: bool,
        /// It may have been there before, and is left as it was then.
        if_not_exists: bool,
        /// The table whose definition it takes.
        like: Option<T>,
    },
    /// It goes by this name from now on.
    RenamedTo(T),
    Altered(Vec<Clause>),
    /// Its rows changed, and no row event tells how: the statement's words for it.
    Unlogged(&'static str),
    /// Data in statement format.
    Data {
        verb: String,
        /// The statement changes no table but this.
        alone: bool,
        /// DELETE of all rows, and no more: what a server before 9.7 writes for a MEMORY table that its restart emptied.
        deletes_all: bool,
    },
    /// A temporary table of this name was created or dropped; the real one stays.
    TemporaryCreated,
    TemporaryGone,
}

impl<T> Change<T> {
    /// The same with the names of other tables made full.
    pub fn with_names<U, E>(self, mut full: impl FnMut(T) -> Result<U, E>) -> Result<Change<U>, E> {
        Ok(match self {
            Change::Created { replaces, if_not_exists, like } => {
                Change::Created { replaces, if_not_exists, like: like.map(full).transpose()? }
            }
            Change::RenamedTo(to) => Change::RenamedTo(full(to)?),
            Change::Emptied => Change::Emptied,
            Change::Gone => Change::Gone,
            Change::Altered(clauses) => Change::Altered(clauses),
            Change::Unlogged(what) => Change::Unlogged(what),
            Change::Data { verb, alone, deletes_all } => Change::Data { verb, alone, deletes_all },
            Change::TemporaryCreated => Change::TemporaryCreated,
            Change::TemporaryGone => Change::TemporaryGone,
        })
    }
}

/// What happened to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseChange {
    Dropped,
    Created {
        /// It may have been there before, and is left as it was then.
        if_not_exists: bool,
    },
    Altered,
}

/// A clause of ALTER TABLE that may change values, names or keys. Others (non-unique indexes, comments, defaults of
/// columns that exist, partitions that are rearranged) are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    AddColumn {
        name: Text,
    },
    DropColumn {
        name: Text,
    },
    /// MODIFY, or CHANGE where `to` may be another name.
    ChangeColumn {
        from: Text,
        to: Text,
        /// The first word of its type, in lower case.
        type_word: String,
    },
    RenameColumn {
        from: Text,
        to: Text,
    },
    /// CONVERT TO CHARACTER SET.
    ConvertCharset,
    AddPrimaryKey,
    DropPrimaryKey,
    AddUniqueKey,
    /// An index, which may have been a unique key.
    DropIndex {
        name: Text,
    },
}

/// First words of statements that change neither rows nor definitions of tables.
const HARMLESS: &[&str] = &[
    "binlog",
    "cache",
    "change",
    "check",
    "checksum",
    "clone",
    "desc",
    "describe",
    "explain",
    "flush",
    "grant",
    "help",
    "install",
    "kill",
    "lock",
    "optimize",
    "purge",
    "release",
    "repair",
    "reset",
    "resignal",
    "restart",
    "revoke",
    "set",
    "show",
    "shutdown",
    "signal",
    "start",
    "stop",
    "uninstall",
    "unlock",
    "use",
];

/// First words of statements that change rows.
const DML: &[&str] = &["insert", "replace", "update", "delete"];

/// Characters of a statement that is not known which a message repeats.
const SHOWN_CHARS: usize = 40;

/// Reads a statement.
pub fn read(text: &[u8], session: Session) -> Statement {
    match text {
        b"BEGIN" => return Statement::Begin,
        b"COMMIT" => return Statement::Commit,
        _ => {}
    }
    let tokens = tokens(text, session);
    if tokens.is_empty() {
        return Statement::Nothing;
    }
    let mut reader = Reader { rest: &tokens, session };
    match reader.keyword() {
        Some(first) => statement(&first, reader, text),
        None => {
            let verb = String::from_utf8_lossy(text).chars().take(SHOWN_CHARS).collect();
            Statement::Effects(vec![Effect::Data { verb }])
        }
    }
}

/// What a statement of this first word does.
fn statement(first: &str, mut reader: Reader<'_>, text: &[u8]) -> Statement {
    let effects = match first {
        "begin" => return Statement::Begin,
        "start" if reader.accept("transaction") => return Statement::Begin,
        "commit" => return Statement::Commit,
        "rollback" => return rollback(reader),
        "savepoint" => return Statement::Savepoint(reader.savepoint()),
        "xa" => return xa(reader, text),
        "truncate" => table_statements::truncate(reader),
        "drop" => table_statements::drop(reader),
        "create" => table_statements::create(reader),
        "alter" => table_statements::alter(reader),
        "rename" if reader.accept_any(&["table", "tables"]) => table_statements::rename(reader),
        // Users, who hold no rows.
        "rename" => return Statement::Nothing,
        "load" if reader.accept("index") => return Statement::Nothing,
        "insert" | "replace" | "update" | "delete" | "load" => dml(first, reader),
        // MariaDB logs a statement with the settings that were given for it alone.
        "set" if reader.accept("statement") => {
            reader.skip_past("for");
            return match reader.keyword() {
                Some(verb) => statement(&verb, reader, text),
                None => Statement::Effects(data("set statement")),
            };
        }
        "analyze" if !executes_dml(reader) => return Statement::Nothing,
        verb if HARMLESS.contains(&verb) => return Statement::Nothing,
        verb => data(verb),
    };
    Statement::Effects(effects)
}

/// Data whose table is not known.
pub(super) fn data(verb: &str) -> Effects {
    vec![Effect::Data { verb: verb.to_uppercase() }]
}

fn rollback(mut reader: Reader<'_>) -> Statement {
    reader.accept("work");
    if reader.accept("to") {
        reader.accept("savepoint");
        return Statement::RollbackTo(reader.savepoint());
    }
    Statement::Rollback
}

fn xa(mut reader: Reader<'_>, text: &[u8]) -> Statement {
    let verb = reader.keyword().unwrap_or_default();
    // The xid as the server writes it, always in one form: everything after the verb.
    let lower = String::from_utf8_lossy(text).to_ascii_lowercase();
    let xid = lower.split_once(&verb).map_or("", |(_, xid)| xid);
    let xid = xid.trim().trim_end_matches("one phase").trim().to_string();
    match verb.as_str() {
        "start" | "begin" => Statement::XaStart,
        "end" | "prepare" => Statement::XaEnd,
        "commit" => Statement::XaCommit(xid),
        "rollback" => Statement::XaRollback(xid),
        _ => Statement::Effects(data("xa")),
    }
}

/// Whether ANALYZE stands before another statement, as MariaDB has it, which is then executed: it does so where there
/// is no TABLE.
fn executes_dml(mut reader: Reader<'_>) -> bool {
    reader.accept_any(&["no_write_to_binlog", "local"]);
    !reader.is_next(&["table", "tables"]) && DML.iter().any(|verb| reader.holds(verb))
}

fn dml(verb: &str, mut reader: Reader<'_>) -> Effects {
    for word in ["low_priority", "delayed", "high_priority", "quick", "ignore", "into", "from"] {
        reader.accept(word);
    }
    let table = if verb == "load" { None } else { reader.table() };
    let Some(table) = table else { return data(verb) };
    // Where others may be named behind the first, only the verb is known.
    let alone = match verb {
        "insert" | "replace" => true,
        "update" => reader.is_next(&["set"]),
        "delete" => reader.is_at_end() || reader.is_next(&["where", "order", "limit"]),
        _ => false,
    };
    let deletes_all = verb == "delete" && reader.is_at_end();
    vec![Effect::Table(table, Change::Data { verb: verb.to_uppercase(), alone, deletes_all })]
}

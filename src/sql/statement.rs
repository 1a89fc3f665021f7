//! Reads a logged statement: transaction control, or the effects that it has on tables.
//!
//! The first keywords decide; the rest is parsed only as far as needed. Unknown SQL is never an error here: a statement
//! that is neither control nor known to leave rows alone has the effect [`Effect::Data`], which ends the run.

use super::effect::{Effect, Effects, TableChange, data};
use super::reader::Reader;
use super::table_statements;
use super::tokens::{Session, Token, tokens_with};

/// What a statement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    Begin,
    Commit,
    Rollback,
    Savepoint(String),
    RollbackTo(String),
    XaStart,
    XaEnd,
    /// With the xid as written.
    XaCommit(String),
    XaRollback(String),
    /// It changes neither rows nor definitions: grants, settings, statistics.
    Nothing,
    /// Everything else. DDL of other objects (views, triggers, events) has no effects.
    Effects(Effects),
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

/// How many characters of an unknown statement a message quotes.
const SHOWN_CHARS: usize = 40;

/// Reads a statement.
pub fn read(text: &[u8], session: Session) -> Statement {
    match text {
        b"BEGIN" => return Statement::Begin,
        b"COMMIT" => return Statement::Commit,
        _ => {}
    }
    let tokens = whole_statement(text, session);
    if tokens.is_empty() {
        return Statement::Nothing;
    }
    let mut reader = Reader { rest: &tokens, session };
    let mut first = reader.keyword();
    // MariaDB logs a statement with the settings that were given for it alone.
    while first.as_deref() == Some("set") && reader.accept("statement") {
        reader.skip_past("for");
        first = reader.keyword();
        if first.is_none() {
            return Statement::Effects(data("set statement"));
        }
    }
    match first {
        Some(first) => statement(&first, reader, text),
        None => {
            let verb = String::from_utf8_lossy(text).chars().take(SHOWN_CHARS).collect();
            Statement::Effects(vec![Effect::Data { verb }])
        }
    }
}

/// First words of statements that are read to their end.
const READ_WHOLE: &[&str] = &["alter", "analyze", "create", "drop", "rename"];
/// Of other statements, at most this many tokens are read, from the first word on.
const MAX_TOKENS: usize = 32;

/// The tokens of a statement, in full if it may define a table.
pub(super) fn whole_statement(text: &[u8], session: Session) -> Vec<Token<'_>> {
    let tokens = tokens_to_read(text, session, true);
    if !tokens.is_empty() {
        return tokens;
    }
    // No server logs an empty statement: a client's comment looks like one for a later version, with others inside.
    tokens_to_read(text, session, false)
}

/// The tokens that matter. An INSERT may have millions, and each takes more memory than its text.
fn tokens_to_read(text: &[u8], session: Session, nested: bool) -> Vec<Token<'_>> {
    let mut read: Vec<Token<'_>> = Vec::new();
    // Where the statement begins, after MariaDB's SET STATEMENT … FOR.
    let mut first = 0;
    for token in tokens_with(text, session, nested) {
        let ends_settings = token.is_keyword("for");
        read.push(token);
        let is = |i: usize, keyword: &str| read.get(i).is_some_and(|token| token.is_keyword(keyword));
        if is(first, "set") && is(first + 1, "statement") {
            if ends_settings {
                first = read.len();
            }
        } else if read.len() - first >= MAX_TOKENS && !READ_WHOLE.iter().any(|verb| is(first, verb)) {
            break;
        }
    }
    read
}

/// Reads a statement that begins with `first`.
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
        // RENAME USER.
        "rename" => return Statement::Nothing,
        "load" if reader.accept("index") => return Statement::Nothing,
        "insert" | "replace" | "update" | "delete" | "load" => dml(first, reader),
        "analyze" if !executes_dml(reader) => return Statement::Nothing,
        verb if HARMLESS.contains(&verb) => return Statement::Nothing,
        verb => data(verb),
    };
    Statement::Effects(effects)
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
    // The server writes xids in one form: everything after the verb.
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

/// Whether this is MariaDB's ANALYZE of another statement, which executes it: an ANALYZE without TABLE.
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
    // Other tables may follow the first one, unless the statement's form excludes that.
    let alone = match verb {
        "insert" | "replace" => true,
        "update" => reader.is_next(&["set"]),
        "delete" => reader.is_at_end() || reader.is_next(&["where", "order", "limit"]),
        _ => false,
    };
    let deletes_all = verb == "delete" && reader.is_at_end();
    vec![Effect::Table(table, TableChange::Data { verb: verb.to_uppercase(), alone, deletes_all })]
}

//! What a whole statement says of a definition.

use super::alter::{dropped_index, index, steps};
use super::column::table_charset;
use super::create::body;
use super::{CharsetSpec, KeySort, NotUnderstood, Step, TableBody, Understood};
use crate::sql::reader::Reader;
use crate::sql::statement::whole_statement;
use crate::sql::tokens::{Session, Token};
use crate::value::Charset;

/// What a statement says of one table's definition, or a database's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ddl {
    /// CREATE TABLE.
    Create(TableBody),
    /// CREATE TABLE … LIKE: an effect names the other table.
    Like,
    /// ALTER TABLE, CREATE INDEX, DROP INDEX.
    Alter(Vec<Step>),
    /// CREATE and ALTER DATABASE: its character set, if one is given.
    Database(Option<CharsetSpec>),
}

impl Ddl {
    /// Whether the database's character set decides.
    pub fn needs_database_charset(&self) -> bool {
        let of_database = |charset: &CharsetSpec| *charset == CharsetSpec::OfDatabase;
        match self {
            Ddl::Create(body) => !matches!(body.options.charset, Some(CharsetSpec::Named(_))),
            Ddl::Alter(steps) => steps.iter().any(|step| match step {
                Step::AddColumn { column, .. } | Step::ChangeColumn { column, .. } => {
                    of_database(&column.kind.charset)
                }
                Step::ConvertTo(to) => to.is_none(),
                Step::Options(options) => options.charset.as_ref().is_some_and(of_database),
                _ => false,
            }),
            Ddl::Like | Ddl::Database(_) => false,
        }
    }
}

/// Reads a statement that creates or alters a table or a database. Which one it is, its effects say.
///
/// # Errors
/// When some of it is not understood.
pub fn read(text: &[u8], session: Session) -> Understood<Ddl> {
    let tokens = whole_statement(text, session);
    let mut reader = Reader { rest: &tokens, session };
    let mut first = reader.keyword();
    while first.as_deref() == Some("set") && reader.accept("statement") {
        reader.skip_past("for");
        first = reader.keyword();
    }
    match first.as_deref() {
        Some("create") => create(reader, is_as_written(text)),
        Some("alter") => alter(reader),
        Some("drop") => {
            while reader.accept_any(&["online", "offline"]) {}
            if !reader.accept("index") {
                return Err(NotUnderstood("DROP".into()));
            }
            let if_exists = reader.accept_all(&["if", "exists"]);
            dropped_index(reader.name().flatten(), if_exists).map(Ddl::Alter)
        }
        _ => Err(NotUnderstood("the statement".into())),
    }
}

/// Whether it looks like a CREATE TABLE that a server wrote: MariaDB quotes names as the session does.
fn is_as_written(text: &[u8]) -> bool {
    text.windows(5).any(|window| window == b"(\n  `" || window == b"(\n  \"")
}

fn create(mut reader: Reader<'_>, is_as_written: bool) -> Understood<Ddl> {
    let replaces = reader.accept_all(&["or", "replace"]);
    if reader.accept_any(&["database", "schema"]) {
        reader.accept_all(&["if", "not", "exists"]);
        reader.name();
        return database(reader);
    }
    while reader.accept_any(&["temporary", "external", "online", "offline"]) {}
    if reader.accept("table") {
        reader.accept_all(&["if", "not", "exists"]);
        reader.table();
        let mut inside = reader;
        let is_like = reader.is_next(&["like"])
            || inside.parenthesized().is_some_and(|inside| inside.is_next(&["like"]));
        return match is_like {
            true => Ok(Ddl::Like),
            false if is_as_written && may_be_misread(reader) => {
                Err(NotUnderstood("labels in such a session".into()))
            }
            false => body(reader).map(Ddl::Create),
        };
    }
    let kind = match reader.keyword().as_deref() {
        Some("index") => KeySort::Plain,
        Some("unique") if reader.accept("index") => KeySort::Unique,
        Some("fulltext") if reader.accept("index") => KeySort::Fulltext,
        Some("spatial") if reader.accept("index") => KeySort::Spatial,
        Some("vector") if reader.accept("index") => KeySort::Vector,
        _ => return Err(NotUnderstood("CREATE".into())),
    };
    let if_not_exists = reader.accept_all(&["if", "not", "exists"]);
    let name = reader.name().flatten();
    reader.skip_past("on");
    reader.table();
    index(kind, name, if_not_exists, replaces, reader).map(Ddl::Alter)
}

/// Whether strings of a CREATE TABLE with ENUM or SET may mean something else: a server writes CREATE TABLE … SELECT anew,
/// whatever the session's settings are, and nothing tells that it did.
fn may_be_misread(reader: Reader<'_>) -> bool {
    let session = reader.session;
    let is_utf8 = matches!(session.charset, Some(Charset::Utf8mb3 | Charset::Utf8mb4));
    let is_odd = |token: &Token<'_>| match token {
        Token::Literal(text) => {
            session.no_backslash_escapes && text.contains(&b'\\')
                || session.charset != session.connection_charset() && !text.is_ascii()
                // It wrote this for a character that the client's character set does not have.
                || !is_utf8 && text.contains(&b'?')
        }
        _ => false,
    };
    (reader.holds("enum") || reader.holds("set")) && reader.rest.iter().any(is_odd)
}

fn alter(mut reader: Reader<'_>) -> Understood<Ddl> {
    if reader.accept_any(&["database", "schema"]) {
        // Without a name it is the default database.
        let mut ahead = reader;
        if !matches!(table_charset(&mut ahead), Ok(Some(_))) {
            reader.name();
        }
        return database(reader);
    }
    while reader.accept_any(&["online", "offline", "ignore"]) {}
    if !reader.accept("table") {
        return Err(NotUnderstood("ALTER".into()));
    }
    reader.accept_all(&["if", "exists"]);
    reader.table();
    steps(reader).map(Ddl::Alter)
}

fn database(mut reader: Reader<'_>) -> Understood<Ddl> {
    let mut charset = None;
    while !reader.is_at_end() {
        match table_charset(&mut reader)? {
            Some(CharsetSpec::Inherited) => {}
            Some(given) => charset = Some(given),
            None => _ = reader.next(),
        }
    }
    Ok(Ddl::Database(charset))
}

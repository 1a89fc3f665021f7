//! Statements: cut into tokens, and what they do.
//!
//! The input is a byte of choices, the id of the client's collation, and the statement; or, by a choice, the body of a
//! query event.

use std::borrow::Cow;

use super::bodies;
use dumpa::binlog::query::Query;
use dumpa::schema::definition::Definition;
use dumpa::schema::evolve::{self, Setting};
use dumpa::sql::ddl::{self, Ddl};
use dumpa::sql::statement::{self, Statement};
use dumpa::sql::tokens::{Session, Token, tokens};
use dumpa::value::Charset;
use dumpa::version::Release;

pub fn run(data: &[u8]) {
    let [choices, charset, text @ ..] = data else { return };
    if choices & 1 != 0 {
        let format = bodies::format("5.7.44", choices & 2 != 0);
        if let Ok(query) = Query::parse(&format, text) {
            statement(query.text, query.session);
        }
        return;
    }
    let session = Session {
        charset: Charset::by_collation_id((*charset).into()),
        ansi_quotes: choices & 2 != 0,
        no_backslash_escapes: choices & 4 != 0,
        real_as_float: choices & 16 != 0,
        oracle_mode: choices & 32 != 0,
        writer: Release::parse(if choices & 8 != 0 { "11.8.3-MariaDB" } else { "5.7.44" }, ""),
        ..Session::default()
    };
    statement(text, session);
}

fn statement(text: &[u8], session: Session) {
    let within = |piece: &[u8]| {
        let (text, piece) = (text.as_ptr_range(), piece.as_ptr_range());
        text.start <= piece.start && piece.end <= text.end
    };
    let mut bytes = 0;
    for token in tokens(text, session) {
        match &token {
            Token::Bare(word) => {
                assert!(within(word) && !word.is_empty(), "a word that is not of the statement");
                bytes += word.len();
            }
            Token::Quoted(piece) | Token::Literal(piece) => {
                if let Cow::Borrowed(piece) = piece {
                    assert!(within(piece), "a piece that is not of the statement");
                }
                bytes += piece.len() + 1;
            }
            Token::Symbol(_) => bytes += 1,
        }
    }
    assert!(bytes <= text.len(), "tokens of {bytes} bytes, of a statement of {}", text.len());
    if let Statement::Effects(effects) = statement::read(text, session) {
        assert!(effects.len() <= 4 + text.len(), "{} effects", effects.len());
    }
    definition(text, session);
}

/// A definition that statements made can be written and read back. Clauses are tried on a table that
/// has the columns `a` and `b`.
fn definition(text: &[u8], session: Session) {
    let setting = Setting { session: &session, database_charset: Some("latin1") };
    let made = match ddl::read(text, session) {
        Ok(Ddl::Create(body)) => evolve::created(&body, &setting),
        Ok(Ddl::Alter(steps)) => {
            let create = b"create table t (a int primary key, b varchar(10) unique)";
            let Ok(Ddl::Create(body)) = ddl::read(create, Session::default()) else {
                panic!("it is a table")
            };
            let before = evolve::created(&body, &setting).expect("it is followed");
            evolve::altered(&before, &steps, &setting)
        }
        _ => return,
    };
    let Ok(made) = made else { return };
    assert_eq!(Definition::from_json(&made.to_json()).as_ref(), Some(&made), "it is read back");
}

//! `dumpa validate-pos`: can `tail` go on from there?

use std::ops::ControlFlow;

use anyhow::Result;
use mysql::Conn;
use serde_json::{Map, Value, json};

use super::{history, log_in};
use crate::binlog::event::EventType;
use crate::cli::ValidateArgs;
use crate::exit;
use crate::follow::cursor::{Base, Cursor};
use crate::follow::look_ahead::{Answer, Here, LookAhead, Reach, changes_existing};
use crate::follow::transaction::{Meaning, Transactions};
use crate::output::Output;
use crate::position::{FileOrder, Position, Where};
use crate::progress::{Progress, When};
use crate::schema::followed::ReadAt;
use crate::schema::history::History;
use crate::schema::selection::Selection;
use crate::server::{Options, Server, binary_log, queries};
use crate::signal::Signal;
use crate::source::framing::{Framer, Place};
use crate::source::network::Network;
use crate::source::scan::scan;
use crate::source::{Events, Mode, Offsets, Source};

pub fn run(args: &ValidateArgs, signal: &Signal) -> Result<u8> {
    let at = Where::parse(&args.position)?;
    let (options, mut conn, server) = log_in(&args.connection)?;
    let position = match at {
        Where::Now => binary_log::end(&mut conn, &server),
        Where::Earliest => binary_log::earliest(&mut conn, &server),
        Where::At(position) => Ok(position),
    };
    let checked = position.and_then(|position| {
        check(&position, &mut conn, &server, &options)
            .map_err(|error| error.context(Checked(position.clone())))?;
        Ok(position)
    });
    let (position, reason) = match checked {
        Ok(position) => (Some(position), None),
        // If the server cannot be reached, or refuses the account, there is no verdict, and no reason to load again.
        Err(error) if ![exit::UNAVAILABLE, exit::UNREADABLE].contains(&exit::code(&error)) => {
            return Err(error);
        }
        Err(error) => {
            let position = error.downcast_ref::<Checked>().map(|checked| checked.0.clone());
            // The outermost context is the position, if known. The verdict has its members already.
            let reason = exit::chain_message(error.chain().skip(usize::from(position.is_some())));
            (position, Some(reason))
        }
    };
    let valid = reason.is_none();
    let resumes_at = position.as_ref().filter(|_| valid);
    let history = history::beside_position(Some(&args.position), None)?;
    let history = match &args.schema {
        Some(path) => Some(History::read(path)?),
        None => history,
    };
    let schema =
        resumes_at.map(|position| schema(position, history.as_ref(), &mut conn, &server, &options, signal));
    if signal.is_set() {
        return Ok(exit::DONE);
    }
    let mut verdict = verdict(valid, reason, position.as_ref(), &server);
    if let (Value::Object(verdict), Some(schema)) = (&mut verdict, schema) {
        let (schema, reason) = match schema {
            Ok(told) => told,
            Err(error) => ("unknown", Some(exit::message(&error))),
        };
        verdict.insert("schema".into(), json!(schema));
        verdict.extend(reason.map(|reason| ("schema_reason".into(), json!(reason))));
    }
    let mut output = Output::stdout();
    output.buffer.extend_from_slice(verdict.to_string().as_bytes());
    output.buffer.push(b'\n');
    output.flush()?;
    Ok(if valid { exit::DONE } else { exit::UNAVAILABLE })
}

/// What a tail from a valid position would read rows by, and why that may fail: the names in the `log`, the schema `history`,
/// the `catalog`, or `unknown` if a statement in between changed a definition.
///
/// # Errors
/// When the log cannot be read from there to its end.
fn schema(
    position: &Position,
    history: Option<&History>,
    conn: &mut Conn,
    server: &Server,
    options: &Options,
    signal: &Signal,
) -> Result<(&'static str, Option<String>)> {
    let metadata = queries::variable(conn, "binlog_row_metadata")?;
    if metadata.is_some_and(|is| is.eq_ignore_ascii_case("FULL")) {
        return Ok(("log", None));
    }
    let log_end = binary_log::end(conn, server).ok();
    let tables = match options.database {
        Some(_) => &[][..],
        None => &["*.*".to_string()],
    };
    let mut selection = Selection::new(tables, options.database.as_deref())?;
    if server.lower_case_names {
        selection = selection.lower_case();
    }
    let order = binary_log::files(conn, server).map(FileOrder::new).unwrap_or_default();
    if let Some(history) = history {
        history.check(position)?;
        if history.reaches(position, &order) {
            return Ok(("history", None));
        }
    }
    let progress = Progress::new(When::Auto, false);
    let mut look_ahead = LookAhead::new(Reach::Log, selection, progress);
    let place = Place { file: (&*position.file).into(), start: position.position, end: position.position };
    let base = Base { file: place.file.clone(), offset: place.start, log: None };
    let here = Here::new(&place, &base, &order);
    let mut source = Network { options: options.clone(), server: server.clone(), server_id: 0 };
    let read_at = ReadAt { log_end, number: 1 };
    let answer = look_ahead.first(&here, &read_at, &changes_existing, &mut source, signal)?;
    Ok(match answer {
        Answer::Nothing | Answer::Interrupted => ("catalog", None),
        Answer::Statement(ahead) => {
            let why = format!("the statement at {} may change columns: {}", ahead.place(), ahead.shown());
            ("unknown", Some(why))
        }
    })
}

/// The position that an error concerns, as context.
#[derive(Debug)]
struct Checked(Position);

impl std::fmt::Display for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::error::Error for Checked {}

fn verdict(valid: bool, reason: Option<String>, position: Option<&Position>, server: &Server) -> Value {
    let mut verdict = Map::new();
    verdict.insert("valid".into(), json!(valid));
    let fine = "the server can resume there";
    verdict.insert("reason".into(), json!(reason.unwrap_or(fine.to_string())));
    if let Some(Value::Object(fields)) = position.map(Position::to_json) {
        verdict.extend(fields.into_iter().filter(|(key, _)| key != "server_uuid"));
    }
    verdict.insert("server".into(), json!(server.to_string()));
    if let Some(uuid) = &server.uuid {
        verdict.insert("server_uuid".into(), json!(uuid));
    }
    Value::Object(verdict)
}

/// # Errors
/// Why `tail` could not go on from there.
fn check(position: &Position, conn: &mut Conn, server: &Server, options: &Options) -> Result<()> {
    super::tail::check_server(position, server)?;
    let wanted = [("log_bin", "ON"), ("binlog_format", "ROW"), ("binlog_row_image", "FULL")];
    for (name, value) in wanted {
        match queries::variable(conn, name)? {
            Some(is) if !is.eq_ignore_ascii_case(value) => {
                return Err(exit::unavailable(format!(
                    "the server has {name}={is}, but tail needs {name}={value}"
                )));
            }
            // MySQL before 5.6.2 and MariaDB before 10.1 lack binlog_row_image, and log full rows.
            _ => {}
        }
    }
    // Reads the position's own members as `tail` does.
    Cursor::new(position.clone(), None, FileOrder::default(), Offsets::OfServer)?;
    if position.position < 4 {
        return Err(exit::unavailable("the first event of a log file is at offset 4"));
    }
    let mut source = Network { options: options.clone(), server: server.clone(), server_id: 0 };
    let events = source.begin(&position.file, position.position, Mode::UntilEnd)?;
    begins_a_transaction(events, position).map_err(|error| match exit::code(&error) {
        exit::UNREADABLE => error.context("the log cannot be read from there"),
        _ => error,
    })
}

/// Reads events from the position on, until one shows that a transaction begins there, or the log ends.
///
/// # Errors
/// Those of `tail` when it begins there.
fn begins_a_transaction(mut events: Box<dyn Events>, position: &Position) -> Result<()> {
    let mut framer = Framer::at(&position.file, position.position, Offsets::OfServer);
    let mut transactions = Transactions::at_given_position();
    scan(events.as_mut(), &mut framer, |event, framer| {
        let Some(event) = event else { return Ok(ControlFlow::Continue(())) };
        // Each of these holds a whole statement or transaction.
        if matches!(
            EventType::of(event.header.type_byte),
            EventType::QueryCompressed | EventType::TransactionPayload
        ) {
            return Ok(ControlFlow::Break(()));
        }
        match transactions.meaning(event, framer)? {
            Meaning::Nothing => {}
            Meaning::NewFile { .. } => check_log(position, framer)?,
            _ => return Ok(ControlFlow::Break(())),
        }
        Ok(ControlFlow::Continue(()))
    })
    .map(|_| ())
}

/// # Errors
/// Exit 3 when the position belongs to another log of the same name.
fn check_log(position: &Position, framer: &Framer) -> Result<()> {
    match framer.log().filter(|_| *framer.place().file == *position.file) {
        Some(log) => position.check_log(log),
        None => Ok(()),
    }
}

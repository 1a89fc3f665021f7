//! `dumpa tail`: events from the source; rows to the printer; at a commit flush, then save.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use mysql::Conn;
use mysql::prelude::Queryable;

use super::history;
use super::{identify, progress, wanted, without_database};
use crate::cli::{Swaps, TailArgs};
use crate::exit::{self, ReaderGone, unavailable, usage};
use crate::follow::cursor::Flow;
use crate::follow::look_ahead::{LookAhead, Reach};
use crate::follow::recorder::Recorder;
use crate::follow::{Follower, OnSwap, Plan};
use crate::output::Output;
use crate::position::{FileOrder, LogId, Position, SaveFile, Where};
use crate::progress::Progress;
use crate::row::layouts::{Layouts, Lookup};
use crate::schema::catalog::Catalog;
use crate::schema::definition::Definition;
use crate::schema::followed::ReadAt;
use crate::schema::history::History;
use crate::schema::known::Survey;
use crate::schema::table_search::{self, Found, Missing, Search};
use crate::server::{Given, Options, Server, binary_log, connect};
use crate::signal::Signal;
use crate::source::event_queue::{Batch, Taken};
use crate::source::files::LogFiles;
use crate::source::framing::{FIRST_OFFSET, Place};
use crate::source::network::Network;
use crate::source::reading_thread::spawn;
use crate::source::{Events, Source};

/// How long to wait for events before checking for signals.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long to wait for the rest of a burst before a flush.
const LINGER: Duration = Duration::from_micros(100);
/// What to do about a name that matches nothing.
const ADVICE: &str = "Give --allow-missing if it was dropped, or is yet to be created";
/// How often a position is saved, at most.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// How often the schema history is told how far it goes, at most. What a killed run did not tell is followed again.
const NOTE_EVERY: Duration = Duration::from_secs(60);

pub fn run(args: &TailArgs, signal: &Signal) -> Result<u8> {
    let save = args.save.as_deref().map(SaveFile::new).transpose()?;
    save.iter().try_for_each(|save| save.differs_from(&args.binlog))?;
    let kept = args.save.as_deref().zip(save.as_ref());
    let mut history = history::open(args.schema.as_deref(), kept)?;
    let other = history::beside_position(args.from.as_deref(), history.as_ref())?;
    let from = Where::parse(args.from.as_deref().unwrap_or("earliest"))?;
    let given = matches!(from, Where::At(_));
    let until = args.until.as_deref().map(Where::parse).transpose()?;
    let options = Options::resolve(&Given::from(args.connection.clone()))?;
    // Finds errors in these arguments before connecting.
    wanted(&args.tables, &args.shape, &options, false)?;
    let mut progress = progress(&args.messages);
    let beside = progress.beside();
    let mut start = match args.binlog.is_empty() {
        true => from_server(args, options, from, until, history.as_mut())?,
        false => from_files(args, options, &from, until.as_ref())?,
    };
    let selection = start.layouts.selection().clone();
    let look_ahead = LookAhead::new(start.reach, selection, beside);
    let plan = Plan {
        source: &mut *start.source,
        from: start.from,
        from_was_given: given,
        until: start.until,
        order: start.order,
        layouts: start.layouts,
        with_old: args.old,
        with_schemas: args.schemas,
        recorder: Recorder::new(history, other, start.uuid.clone()),
        on_swap: match args.swaps {
            Swaps::ReadAgain => OnSwap::ReadAgain,
            Swaps::Continue => OnSwap::Continue,
        },
        strict: args.strict,
        look_ahead,
        signal,
    };
    let mut follower = Follower::new(plan, Output::stdout())?;
    if follower.begin_history()? == Flow::Stop {
        return Ok(exit::DONE);
    }
    let events = follower.begin()?;
    let now = Instant::now();
    let tail = Tail { follower, save, reached: None, saved: None, at: now, noted: now, uuid: start.uuid };
    tail.run(events, signal, &mut progress)
}

/// What a tail starts with.
struct Start {
    source: Box<dyn Source>,
    layouts: Layouts,
    from: Position,
    until: Option<Position>,
    order: FileOrder,
    /// What can be looked at ahead.
    reach: Reach,
    /// The server's, for the saved position.
    uuid: Option<String>,
}

/// Follows a server's log.
fn from_server(
    args: &TailArgs,
    given: Options,
    from: Where,
    until: Option<Where>,
    history: Option<&mut History>,
) -> Result<Start> {
    let options = without_database(&given);
    let mut conn = connect(&options)?;
    let server = identify(&mut conn)?;
    let is_earliest = from == Where::Earliest;
    let from = resolve(from, &mut conn, &server)?;
    let until = until.map(|until| resolve(until, &mut conn, &server)).transpose()?;
    let order = file_order(&from, until.as_ref(), &mut conn, &server);
    // That of another log is refused later.
    if let Some(history) = history.filter(|history| history.check(&from).is_ok()) {
        history::compact(history, &mut conn, &server)?;
    }
    let lookup = lookup(options.clone(), server.clone(), !args.trust_catalog);
    let mut layouts = layouts(args, &given, Some(lookup), server.lower_case_names)?;
    let missing = match args.allow_missing {
        true => Missing::IsFine,
        false => Missing::IsAnError { advice: ADVICE },
    };
    begin_with(&mut layouts, &from, is_earliest);
    survey(conn, &server, &mut layouts, Search { estimates: false, missing })?;
    let uuid = server.uuid.clone();
    let source = Network { options, server, server_id: args.server_id.unwrap_or(0) };
    let reach = if args.trust_catalog { Reach::Nothing } else { Reach::Log };
    Ok(Start { source: Box::new(source), layouts, from, until, order, reach, uuid })
}

/// Reads log files. A server, if one was given, is asked only for definitions that the files lack.
fn from_files(args: &TailArgs, options: Options, from: &Where, until: Option<&Where>) -> Result<Start> {
    let files = LogFiles::new(args.binlog.clone())?;
    let names = files.names();
    let first = || Position::new(names.first().map(String::as_str).unwrap_or_default(), FIRST_OFFSET);
    let is_earliest = *from == Where::Earliest;
    let from = match from {
        Where::Now => {
            return Err(usage(
                "--from now needs a server's log: with --binlog, leave it out or give a position",
            ));
        }
        Where::Earliest => first(),
        Where::At(position) => position.clone(),
    };
    let until = until.and_then(|until| match until {
        Where::Now => None,
        Where::Earliest => Some(first()),
        Where::At(position) => Some(position.clone()),
    });
    // The log does not say how its server compares names, so ask.
    let own = without_database(&options);
    let mut asked = match args.connection.names_a_server() {
        true => {
            let mut conn = connect(&own)?;
            let server = identify(&mut conn)?;
            Some((conn, server))
        }
        false => None,
    };
    let lower_case = asked.as_ref().is_some_and(|(_, server)| server.lower_case_names);
    let reach = match &asked {
        Some((_, server)) if !args.trust_catalog => {
            let network = Network { options: own.clone(), server: server.clone(), server_id: 0 };
            Reach::Files(Box::new(move |place, log| reaches_end(network.clone(), place, log)))
        }
        _ => Reach::Nothing,
    };
    let lookup = asked.as_ref().map(|(_, server)| lookup(own, server.clone(), false));
    if lookup.is_none() && args.shape.omits_generated() {
        return Err(usage(
            "--generated omit: log files do not say which columns are generated. Name a server to ask with --host",
        ));
    }
    let mut layouts = layouts(args, &options, lookup, lower_case)?;
    begin_with(&mut layouts, &from, is_earliest);
    layouts.warnings.extend(files.gaps());
    if let Some((conn, server)) = asked.take() {
        let mut catalog = Catalog::new(conn, &server)?;
        let search = Search { estimates: false, missing: Missing::IsFine };
        let found = table_search::wanted(&mut catalog, layouts.selection(), search)?;
        note_other_writers(&mut catalog, &found, &mut layouts)?;
        let native = catalog.native_foreign_keys(&server)?;
        layouts.foreign_keys.surveyed(None, native);
    }
    let order = FileOrder::new(names);
    Ok(Start { source: Box::new(files), layouts, from, until, order, reach, uuid: None })
}

/// Whether the server's log ends at a place in a file of it. `log` identifies the file's log.
fn reaches_end(mut network: Network, place: &Place, log: Option<LogId>) -> bool {
    let end = connect(&network.options).and_then(|mut conn| binary_log::end(&mut conn, &network.server));
    let Ok(end) = end else { return false };
    let is_there = *end.file == *place.file && end.position <= place.end;
    is_there && log.is_some() && network.identify(Position::new(end.file, FIRST_OFFSET)).log == log
}

fn layouts(
    args: &TailArgs,
    options: &Options,
    lookup: Option<Box<dyn Lookup>>,
    lower_case: bool,
) -> Result<Layouts> {
    let (selection, rules) = wanted(&args.tables, &args.shape, options, lower_case)?;
    Ok(Layouts::new(selection, rules, args.shape.style(), lookup))
}

/// The position that a WHERE means on this server.
///
/// # Errors
/// Exit 3 when it belongs to another server.
fn resolve(at: Where, conn: &mut Conn, server: &Server) -> Result<Position> {
    match at {
        Where::Now => binary_log::end(conn, server),
        Where::Earliest => binary_log::earliest(conn, server),
        Where::At(position) => {
            check_server(&position, server)?;
            Ok(position)
        }
    }
}

/// Whether a file is the first of its log, judged by the number in its name. Before a later file there were others,
/// whose rows may have been printed.
fn is_first_of_log(file: &str) -> bool {
    let number = file.rsplit_once('.').and_then(|(_, number)| number.parse::<u64>().ok());
    number.is_some_and(|number| number <= 1)
}

/// Sets what is known of the tables at the start of the run.
fn begin_with(layouts: &mut Layouts, from: &Position, is_earliest: bool) {
    let selection = layouts.selection().clone();
    layouts.tables_known.begin_with(from, &selection);
    if is_earliest && is_first_of_log(&from.file) {
        layouts.tables_known.begin_with_none();
    }
}

/// A log file of the same name and length may belong to another server.
///
/// # Errors
/// Exit 3 when the position does.
pub fn check_server(position: &Position, server: &Server) -> Result<()> {
    match (&position.server_uuid, &server.uuid) {
        (Some(saved), Some(now)) if saved != now => Err(unavailable(format!(
            "{position} belongs to the log of server {saved}, but this is server {now}. Load again"
        ))),
        _ => Ok(()),
    }
}

/// The order of the log's files, where it decides which of two positions comes first. If the account may not list the
/// files, their numbers decide.
fn file_order(from: &Position, until: Option<&Position>, conn: &mut Conn, server: &Server) -> FileOrder {
    if until.is_none_or(|until| until.file == from.file) {
        return FileOrder::default();
    }
    binary_log::files(conn, server).map(FileOrder::new).unwrap_or_default()
}

/// Looks definitions up on a connection that is opened when first needed, and again when it was lost.
struct ServerLookup {
    options: Options,
    server: Server,
    catalog: Option<Catalog>,
    asks_for_log_end: bool,
    read_at: Rc<ReadAt>,
    /// When the tables of a database were last read at once.
    read_ahead: HashMap<String, Rc<ReadAt>>,
    bulk_questions: u64,
    next_number: u64,
}

impl ServerLookup {
    fn ask<T>(&mut self, question: impl Fn(&mut Catalog) -> Result<T>) -> Result<T> {
        if let Some(open) = &mut self.catalog
            && let Ok(answer) = question(open)
        {
            return Ok(answer);
        }
        let conn = connect(&self.options)?;
        question(self.catalog.insert(Catalog::new(conn, &self.server)?))
    }
}

impl Lookup for ServerLookup {
    fn definition(&mut self, database: &str, table: &str) -> Result<Option<Definition>> {
        let asks_for_end = self.asks_for_log_end;
        let (definition, log_end, bulk_questions) = self.ask(|catalog| {
            let before = catalog.questions();
            let definition = catalog.definition(database, table)?;
            let is_new = catalog.questions() != before;
            let log_end = is_new.then(|| if asks_for_end { catalog.log_end() } else { None });
            Ok((definition, log_end, catalog.bulk_questions()))
        })?;
        match log_end {
            Some(log_end) => {
                self.asks_for_log_end = log_end.is_some();
                self.next_number += 1;
                self.read_at = Rc::new(ReadAt { log_end, number: self.next_number });
                if self.bulk_questions != bulk_questions {
                    self.bulk_questions = bulk_questions;
                    self.read_ahead.insert(database.to_string(), Rc::clone(&self.read_at));
                }
            }
            // It was read ahead, with others of the database.
            None => self.read_at = self.read_ahead.get(database).cloned().unwrap_or_default(),
        }
        Ok(definition)
    }

    fn read_at(&self) -> Rc<ReadAt> {
        self.read_at.clone()
    }

    fn is_sequence(&mut self, database: &str, table: &str) -> Result<Option<bool>> {
        let kind = self.ask(|catalog| catalog.other_type(database, table))?;
        Ok(kind.map(|kind| kind == "SEQUENCE"))
    }

    fn database_charset(&mut self, database: &str) -> Result<Option<String>> {
        let asks_for_end = self.asks_for_log_end;
        let (charset, log_end) = self.ask(|catalog| {
            let charset = catalog.database_charset(database)?;
            Ok((charset, if asks_for_end { catalog.log_end() } else { None }))
        })?;
        self.asks_for_log_end = log_end.is_some();
        self.next_number += 1;
        self.read_at = Rc::new(ReadAt { log_end, number: self.next_number });
        Ok(charset)
    }

    fn forget(&mut self, changed: &dyn Fn(&str, &str) -> bool) {
        if let Some(open) = &mut self.catalog {
            open.forget(changed);
        }
    }
}

fn lookup(options: Options, server: Server, asks_for_log_end: bool) -> Box<dyn Lookup> {
    Box::new(ServerLookup {
        options,
        server,
        catalog: None,
        asks_for_log_end,
        read_at: Rc::default(),
        read_ahead: HashMap::new(),
        bulk_questions: 0,
        next_number: 0,
    })
}

/// Checks the names on the command line against the catalog, notes the tables that exist (a DROP DATABASE does not name
/// them), foreign keys, and MERGE tables.
fn survey(mut conn: Conn, server: &Server, layouts: &mut Layouts, search: Search) -> Result<()> {
    let seconds = conn.query_first("SELECT UNIX_TIMESTAMP()").context("cannot ask for the server's time")?;
    let mut catalog = Catalog::new(conn, server)?;
    table_search::check_rules(&mut catalog, layouts.id_rules(), search)?;
    let found = table_search::wanted(&mut catalog, layouts.selection(), search)?;
    if search.missing != Missing::IsFine {
        table_search::check_rules_columns(&mut catalog, layouts.id_rules(), &found)?;
    }
    note_other_writers(&mut catalog, &found, layouts)?;
    let native = catalog.native_foreign_keys(server)?;
    let tables = found.into_iter().map(|found| (found.database, found.table));
    // If the account may not ask for the end, it stays unknown.
    let end = binary_log::end(&mut catalog.into_conn(), server).ok();
    layouts.foreign_keys.surveyed(end.clone(), native);
    layouts.tables_known.surveyed(tables, Survey { end, seconds: seconds.unwrap_or(u64::MAX) });
    Ok(())
}

/// Notes foreign keys of the selected tables, and MERGE tables in their databases: the log may not hold the changes that
/// are made through these.
fn note_other_writers(catalog: &mut Catalog, found: &[Found], layouts: &mut Layouts) -> Result<()> {
    let databases: BTreeSet<&str> = found.iter().map(|found| &*found.database).collect();
    for database in databases {
        for of_one in catalog.cascades(database)?.chunk_by(|a, b| a.0 == b.0) {
            let Some((table, _)) = of_one.first() else { continue };
            if layouts.selection().selects(database, table) {
                let keys = of_one.iter().map(|(_, key)| key.clone()).collect();
                layouts.foreign_keys.in_catalog((database.to_string(), table.clone()), keys);
            }
        }
        for (table, union) in catalog.merge_tables(database)? {
            layouts.merge_table(table, union);
        }
    }
    Ok(())
}

/// A tail under way.
struct Tail<'a> {
    follower: Follower<'a>,
    save: Option<SaveFile>,
    /// stdout holds everything up to here.
    reached: Option<Position>,
    saved: Option<Position>,
    at: Instant,
    /// When the schema history was last told how far it goes.
    noted: Instant,
    uuid: Option<String>,
}

impl Tail<'_> {
    fn run(mut self, events: Box<dyn Events>, signal: &Signal, progress: &mut Progress) -> Result<u8> {
        let start = self.follower.position();
        self.reached = Some(start.clone());
        let outcome = self.follow(events, signal, progress);
        progress.clear();
        self.warn(progress);
        // Whatever happened, print and save what is good, unless stdout's reader is gone.
        let gone = outcome.as_ref().is_err_and(|error| error.chain().any(|cause| cause.is::<ReaderGone>()));
        let finished = if gone { Ok(()) } else { self.finish() };
        // If the server refused the start, keep the position that was saved before.
        let refused = outcome.is_err() && self.reached.as_ref() == Some(&start);
        let saved = if refused { Ok(()) } else { self.save_reached() };
        outcome.and(finished).and(saved)?;
        Ok(exit::DONE)
    }

    fn follow(&mut self, events: Box<dyn Events>, signal: &Signal, progress: &mut Progress) -> Result<()> {
        let consumer = spawn(events);
        let mut batch = Batch::default();
        loop {
            let mut taken = consumer.take(&mut batch, Duration::ZERO);
            if matches!(taken, Taken::Nothing) {
                // Sleep instead of waiting: a wake-up for each event of a burst would cost more than the event.
                std::thread::sleep(LINGER);
                taken = consumer.take(&mut batch, Duration::ZERO);
            }
            if matches!(taken, Taken::Nothing) {
                self.flush()?;
                taken = consumer.take(&mut batch, PATIENCE);
            }
            match taken {
                Taken::Batch => {
                    for entry in batch.entries() {
                        if self.follower.take(entry)? == Flow::Stop {
                            return Ok(());
                        }
                    }
                }
                Taken::Nothing => self.follower.check_reader()?,
                Taken::End(end) => return end.and_then(|()| self.follower.end_of_log()),
            }
            if signal.is_set() {
                return Ok(());
            }
            self.warn(progress);
            if self.noted.elapsed() >= NOTE_EVERY {
                self.follower.note_followed()?;
                self.noted = Instant::now();
            }
            if self.save.is_some() && self.at.elapsed() >= SAVE_EVERY {
                self.flush()?;
                self.save_reached()?;
            }
            if progress.is_due() {
                self.follower.settle()?;
                let (rows, seen_seconds) = self.follower.progress();
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                let behind = |seen: u32| now.ok()?.as_secs().checked_sub(seen.into());
                let lag = seen_seconds.filter(|_| matches!(taken, Taken::Batch)).and_then(behind);
                progress.tail(&self.follower.position().file, rows, lag);
            }
        }
    }

    fn warn(&mut self, progress: &Progress) {
        let warnings = self.follower.take_warnings();
        if warnings.is_empty() {
            return;
        }
        // An error of stdout returns with the next write.
        let _ = self.follower.settle();
        warnings.iter().for_each(|warning| progress.warn(warning));
    }

    fn flush(&mut self) -> Result<()> {
        self.follower.flush()?;
        self.reached = Some(self.follower.position());
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.follower.finish()?;
        self.reached = Some(self.follower.position());
        Ok(())
    }

    fn save_reached(&mut self) -> Result<()> {
        self.at = Instant::now();
        let (Some(save), Some(reached)) = (&self.save, &self.reached) else { return Ok(()) };
        if self.saved.as_ref() == Some(reached) {
            return Ok(());
        }
        let position = Position { server_uuid: self.uuid.clone(), ..reached.clone() };
        save.save(&position)?;
        self.saved = self.reached.clone();
        Ok(())
    }
}

//! `dumpa tail`: events from the source; rows to the printer; at a commit flush, then save.

use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use mysql::Conn;

use super::{id_rules, log_in, progress};
use crate::binlog::gtid_set::GtidSet;
use crate::binlog::handoff::{Batch, Taken};
use crate::binlog::log::Log;
use crate::binlog::network::Network;
use crate::binlog::source::{Mode, Source, spawn};
use crate::cli::TailArgs;
use crate::exit::{self, ReaderGone, unavailable, usage};
use crate::follow::Follower;
use crate::output::Output;
use crate::position::{Position, SaveFile, Where};
use crate::printer::{Flow, Printer};
use crate::progress::Progress;
use crate::schema::catalog::Catalog;
use crate::schema::layouts::{Layouts, Lookup};
use crate::schema::selection::Selection;
use crate::server::{Options, Server, connect, log};
use crate::signal::Signal;

/// How long an idle reader is waited for before signals are looked at.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long to wait for the rest of a burst before a flush.
const LINGER: Duration = Duration::from_micros(300);
/// How often a position is saved, at most.
const SAVE_EVERY: Duration = Duration::from_secs(1);

pub fn run(args: &TailArgs, signal: &Signal) -> Result<u8> {
    let save = args.save.as_deref().map(SaveFile::new).transpose()?;
    let from = Where::parse(args.from.as_deref().unwrap_or_default())?;
    let until = args.until.as_deref().map(Where::parse).transpose()?;
    let (options, mut conn, server) = log_in(&args.connection)?;
    let mut progress = progress(&args.messages, &options);
    let database = options.database.as_deref();
    let selection = Selection::new(&args.tables, database)?;
    let rules = id_rules(&args.shape.id, database)?;
    let from = resolve(from, &mut conn, &server)?;
    let until = until.map(|until| resolve(until, &mut conn, &server)).transpose()?;
    check_range(&from, until.as_ref())?;
    drop(conn);

    let lookup = lookup(options.clone(), server.clone());
    let mut layouts = Layouts::new(selection, rules, args.shape.style(), Some(lookup));
    layouts.exist(existing(&options, &server, layouts.selection())?);
    let done = from
        .gtid_set
        .as_deref()
        .map(|set| GtidSet::parse(set).ok_or_else(|| usage(format!("{set:?} is not a GTID set"))));
    let mut source = Network { options, server: server.clone(), server_id: args.server_id.unwrap_or(0) };
    let start = Log::at(&from.file, from.position, false);
    let events = source.begin(&from.file, from.position, Mode::Follow)?;
    progress.begin(&from.file);
    let printer = Printer::new(Output::stdout(), layouts, from);
    let follower = Follower::new(printer, start, &mut source, until, done.transpose()?);
    let tail = Tail { follower, save, reached: None, saved: None, at: Instant::now(), uuid: server.uuid };
    tail.run(events, signal, &mut progress)
}

/// The position that a WHERE stands for on this server.
///
/// # Errors
/// Exit 3 when it is another server's.
fn resolve(at: Where, conn: &mut Conn, server: &Server) -> Result<Position> {
    match at {
        Where::Now => log::end(conn, server),
        Where::Earliest => log::earliest(conn, server),
        Where::At(position) => {
            check_server(&position, server)?;
            Ok(position)
        }
    }
}

/// A log of the same name and length may be another server's.
pub fn check_server(position: &Position, server: &Server) -> Result<()> {
    match (&position.server_uuid, &server.uuid) {
        (Some(saved), Some(now)) if saved != now => Err(unavailable(format!(
            "{position} is of the server {saved}, and this one is {now}: its log is another. Load again"
        ))),
        _ => Ok(()),
    }
}

fn check_range(from: &Position, until: Option<&Position>) -> Result<()> {
    match until {
        Some(until) if !until.is_at_or_after(from) => {
            Err(unavailable(format!("{from} is behind {until}, where it is to end")))
        }
        _ => Ok(()),
    }
}

/// Asks for definitions on a connection that is made when it is first needed, and anew when it was
/// lost meanwhile.
fn lookup(options: Options, server: Server) -> Lookup {
    let mut catalog: Option<Catalog> = None;
    Box::new(move |database, table| {
        if let Some(open) = &mut catalog
            && let Ok(found) = open.table(database, table)
        {
            return Ok(found);
        }
        let fresh = catalog.insert(Catalog::new(connect(&options)?, &server)?);
        fresh.table(database, table)
    })
}

/// The tables that are there now, of the databases that may be wanted.
fn existing(options: &Options, server: &Server, selection: &Selection) -> Result<Vec<(String, String)>> {
    let mut catalog = Catalog::new(connect(options)?, server)?;
    let mut all = Vec::new();
    for database in catalog.databases()? {
        let tables = catalog.tables(&database)?.into_iter().map(|(table, _)| (database.clone(), table));
        all.extend(tables.filter(|(database, table)| selection.selects(database, table)));
    }
    Ok(all)
}

/// A tail under way.
struct Tail<'a> {
    follower: Follower<'a>,
    save: Option<SaveFile>,
    /// All of stdout reaches up to here.
    reached: Option<Position>,
    saved: Option<Position>,
    at: Instant,
    uuid: Option<String>,
}

impl Tail<'_> {
    fn run(
        mut self,
        events: Box<dyn crate::binlog::source::Events>,
        signal: &Signal,
        progress: &mut Progress,
    ) -> Result<u8> {
        self.reached = Some(self.follower.position());
        let outcome = self.follow(events, signal, progress);
        progress.clear();
        // What is good is printed and saved whatever happened, unless nobody reads it.
        let gone = outcome.as_ref().is_err_and(|error| error.chain().any(|cause| cause.is::<ReaderGone>()));
        let finished = if gone { Ok(()) } else { self.finish() };
        let saved = self.save_reached();
        outcome.and(finished).and(saved)?;
        Ok(exit::DONE)
    }

    fn follow(
        &mut self,
        events: Box<dyn crate::binlog::source::Events>,
        signal: &Signal,
        progress: &mut Progress,
    ) -> Result<()> {
        if self.follower.is_done() {
            return Ok(());
        }
        let taker = spawn(events);
        let mut batch = Batch::default();
        loop {
            let taken = match taker.take(&mut batch, Duration::ZERO) {
                Taken::Nothing => match taker.take(&mut batch, LINGER) {
                    Taken::Nothing => {
                        self.flush()?;
                        taker.take(&mut batch, PATIENCE)
                    }
                    taken => taken,
                },
                taken => taken,
            };
            match taken {
                Taken::Batch => {
                    for raw in batch.events() {
                        if signal.is_set() || self.follower.raw(raw)? == Flow::Stop {
                            return Ok(());
                        }
                    }
                }
                Taken::Nothing => self.follower.printer.output.check_reader()?,
                Taken::End(end) => return end,
            }
            if signal.is_set() {
                return Ok(());
            }
            for warning in self.follower.printer.layouts.warnings.drain(..) {
                progress.warn(&warning);
            }
            if self.save.is_some() && self.at.elapsed() >= SAVE_EVERY {
                self.flush()?;
                self.save_reached()?;
            }
            if progress.is_due() {
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                let lag =
                    now.ok().and_then(|now| now.as_secs().checked_sub(self.follower.seen_seconds.into()));
                let lag = lag.filter(|_| self.follower.seen_seconds > 0 && matches!(taken, Taken::Batch));
                progress.tail(self.follower.printer.rows, lag);
            }
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.follower.printer.flush()?;
        self.reached = Some(self.follower.position());
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.follower.printer.finish()?;
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

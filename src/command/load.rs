//! `dumpa load`: the rows that tables hold, in one snapshot, and its position.

use std::collections::HashSet;

use anyhow::{Context, Result, anyhow};
use mysql::Conn;
use mysql::prelude::Queryable;

use super::{log_in, progress, wanted};
use crate::cli::LoadArgs;
use crate::exit;
use crate::output::Output;
use crate::position::SaveFile;
use crate::progress::Progress;
use crate::schema::catalog::Catalog;
use crate::schema::rules::Rules;
use crate::schema::selection::Selection;
use crate::schema::table_search::{self, Found, Missing, Search};
use crate::schema::{Id, Table};
use crate::server::{Server, connect, log};
use crate::signal::Signal;
use crate::snapshot::read::{self, Print};
use crate::snapshot::{self, Method, Wish};
use crate::value::Dialect;

const LOAD: Search = Search { estimates: true, missing: Missing::IsAnError { advice: "" } };
/// How often a snapshot is begun anew because a table was created meanwhile.
const TRIES: u32 = 10;

/// A table to load.
struct Job {
    table: Table,
    printed: String,
    estimate: Option<u64>,
}

pub fn run(args: &LoadArgs, signal: &Signal) -> Result<u8> {
    let save = args.save.as_deref().map(SaveFile::new).transpose()?;
    let (options, mut conn, server) = log_in(&args.connection)?;
    let mut progress = progress(&args.messages);
    let (selection, rules) = wanted(&args.tables, &args.shape, &options, server.lower_case_names)?;
    let mut catalog = Catalog::new(connect(&options)?, &server)?;
    table_search::check_rules(&mut catalog, &rules.ids, LOAD)?;
    let ((method, position), names) = settled(&mut catalog, &selection, |tables| {
        let wish = Wish { position: save.is_some(), no_lock: args.no_lock, tables };
        snapshot::begin(&mut conn, &server, &options, wish)
    })?;
    let jobs = jobs(&mut catalog, names, &selection, &rules, &progress)?;
    match method {
        Method::None => {}
        Method::Lossy => progress.warn(method.describe()),
        _ => progress.note(&format!("{server}: {}", method.describe())),
    }
    // Only now: names and messages before this are UTF-8, values are to be as the columns hold them.
    conn.query_drop("SET character_set_results = NULL").context("cannot set the character set")?;

    let mut output = Output::stdout();
    let dialect = Dialect::of_server(&server.version_text);
    let mut all_rows = 0;
    for job in &jobs {
        progress.begin(&job.printed);
        let print = Print { printed: &job.printed, style: args.shape.style(), dialect };
        let mut each = |rows, output: &mut Output| {
            if progress.is_due() {
                output.settle()?;
                progress.load(rows, job.estimate);
            }
            Ok(!signal.is_set())
        };
        let rows = read::table(&mut conn, &job.table, print, &mut output, &mut each);
        // The rows before one that cannot be read are good.
        output.flush()?;
        let rows = rows?;
        progress.loaded(rows);
        all_rows += rows;
        if signal.is_set() {
            progress.clear();
            return Ok(exit::DONE);
        }
    }
    progress.all_loaded(jobs.len(), all_rows);
    if let (Some(save), Some(position)) = (save, position) {
        check_still_there(&mut conn, &server, &position.file, &progress)?;
        save.save(&position)?;
    }
    Ok(exit::DONE)
}

/// A load can take longer than the log is kept: better found out now than by the tail.
fn check_still_there(conn: &mut Conn, server: &Server, file: &str, progress: &Progress) -> Result<()> {
    conn.query_drop("SET character_set_results = utf8mb4").context("cannot set the character set")?;
    match log::files(conn, server) {
        Ok(files) if files.iter().any(|other| other == file) => Ok(()),
        Ok(_) => Err(exit::unavailable(format!(
            "while the rows were loaded the server purged {file}, where tail would have to begin: nothing was \
             saved. Keep its binary logs for longer"
        ))),
        Err(error) => {
            progress.note(&format!("could not check that {file} is still there: {error:#}"));
            Ok(())
        }
    }
}

/// Begins a snapshot that holds no table but those that were known before: the rows of one that came in between
/// would be missing from it, and stand before its position.
fn settled<T>(
    catalog: &mut Catalog,
    selection: &Selection,
    mut begin: impl FnMut(&[(String, String)]) -> Result<T>,
) -> Result<(T, Vec<Found>)> {
    let mut known = table_search::wanted(catalog, selection, LOAD)?;
    for _ in 0..TRIES {
        let tables: Vec<_> = known.into_iter().map(|name| (name.database, name.table)).collect();
        let begun = begin(&tables)?;
        known = table_search::wanted(catalog, selection, LOAD)?;
        let tables: HashSet<_> = tables.iter().map(|(database, table)| (&**database, &**table)).collect();
        if known.iter().all(|name| tables.contains(&(&*name.database, &*name.table))) {
            return Ok((begun, known));
        }
    }
    Err(anyhow!("tables are created all the time, so that no snapshot holds them all: try again later"))
}

/// How each table is to be read: its definition as it is once the snapshot has begun.
fn jobs(
    catalog: &mut Catalog,
    found: Vec<Found>,
    selection: &Selection,
    rules: &Rules,
    progress: &Progress,
) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for Found { database, table: name, estimate } in found {
        let table = catalog.table(&database, &name)?;
        let mut table = table.ok_or_else(|| anyhow!("{database}.{name} was dropped while the load began"))?;
        rules.apply(&mut table)?;
        let printed = selection.printed(&database, &name);
        if table.id == Id::None {
            progress.warn(&crate::row::layouts::no_key(&printed));
        }
        jobs.push(Job { table, printed, estimate });
    }
    Ok(jobs)
}

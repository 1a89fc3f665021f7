//! `dumpa load`: prints the rows of tables from one snapshot, and saves its position.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use mysql::Conn;
use mysql::prelude::Queryable;

use super::{history, identify, progress, resolve, wanted, without_database};
use crate::cli::LoadArgs;
use crate::exit;
use crate::output::{Output, WRITE_BYTES};
use crate::position::{Position, SaveFile};
use crate::progress::Progress;
use crate::schema::catalog::{Catalog, is_gone};
use crate::schema::definition::Definition;
use crate::schema::known;
use crate::schema::rules::Rules;
use crate::schema::selection::Selection;
use crate::schema::table_search::{self, Found, Missing, Search};
use crate::schema::{Id, Table};
use crate::server::{Server, binary_log, connect};
use crate::signal::Signal;
use crate::snapshot::read::{self, Print};
use crate::snapshot::{self, Method, Request};
use crate::source::network::Network;
use crate::tuple::{self, LinePrefixes, NO_METADATA, Op};
use crate::value::{Dialect, Style};

const LOAD: Search = Search { estimates: true, missing: Missing::IsAnError { advice: "" } };
/// How often to begin a snapshot again because tables were created or dropped meanwhile.
const TRIES: u32 = 10;

/// A table to load.
struct Job {
    table: Table,
    /// In JSON, with `--schemas`.
    definition: Option<Vec<u8>>,
    /// For the schema history.
    defined: Definition,
    printed: String,
    estimate: Option<u64>,
}

pub fn run(args: &LoadArgs, signal: &Signal) -> Result<u8> {
    let save = args.save.as_deref().map(SaveFile::new).transpose()?;
    let mut kept = history::open(args.schema.as_deref(), args.save.as_deref().zip(save.as_ref()))?;
    let given = resolve(&args.connection)?;
    let options = without_database(&given);
    let mut conn = connect(&options)?;
    let server = identify(&mut conn)?;
    let mut progress = progress(&args.messages);
    let (selection, rules) = wanted(&args.tables, &args.shape, &given, server.lower_case_names)?;
    let mut catalog = Catalog::new(connect(&options)?, &server)?;
    table_search::check_rules(&mut catalog, &rules.ids, LOAD)?;
    let ((method, position), jobs) =
        consistent_snapshot(&mut catalog, &selection, (&rules, args.schemas), &progress, |tables| {
            let request = Request { position: save.is_some(), no_lock: args.no_lock, tables };
            snapshot::begin(&mut conn, &server, &options, request)
        })?;
    // Before the rows are read: the log may be reset meanwhile.
    let mut network = Network { options, server: server.clone(), server_id: 0 };
    let position = position.map(|position| with_tables(network.identify(position), &jobs, &selection));
    report_method(method, &server, &progress);
    if let (Some(kept), Some(position)) = (&mut kept, &position) {
        // If a table is altered before its rows are read, the load fails.
        let name = |job: &Job| (job.table.database.clone(), job.table.name.clone());
        let tables: Vec<_> = jobs.iter().map(|job| (name(job), job.defined.clone())).collect();
        history::begin(kept, &mut conn, &server, position, &selection, &tables)?;
    }
    // Not earlier: names and messages had to be UTF-8. Values must arrive as the columns store them.
    conn.query_drop("SET character_set_results = NULL").context("cannot set the character set")?;

    let mut output = Output::stdout();
    let (style, dialect) = (args.shape.style(), Dialect::of_server(&server.version_text));
    let mut all_rows = 0;
    for job in &jobs {
        if let Some(definition) = &job.definition {
            tuple::schema(LinePrefixes::new(&job.printed).of(Op::Schema), definition, &mut output.buffer);
            output.buffer.extend_from_slice(NO_METADATA);
        }
        if !args.no_rows {
            all_rows += rows_of(job, &mut conn, (style, dialect), &mut output, &mut progress, signal)?;
        } else if output.buffer.len() >= WRITE_BYTES {
            output.flush()?;
        }
        if signal.is_set() {
            output.flush()?;
            progress.clear();
            return Ok(exit::DONE);
        }
    }
    output.flush()?;
    if !args.no_rows {
        progress.all_loaded(jobs.len(), all_rows);
    }
    if let (Some(save), Some(position)) = (save, position) {
        check_still_there(&mut conn, &server, &position.file, &progress)?;
        save.save(&position)?;
    }
    Ok(exit::DONE)
}

/// Prints a table's rows, and returns their number.
fn rows_of(
    job: &Job,
    conn: &mut Conn,
    (style, dialect): (Style, Dialect),
    output: &mut Output,
    progress: &mut Progress,
    signal: &Signal,
) -> Result<u64> {
    progress.begin(&job.printed);
    let print = Print { printed: &job.printed, style, dialect };
    let mut each = |rows, output: &mut Output| {
        if progress.is_due() {
            output.settle()?;
            progress.load(rows, job.estimate);
        }
        Ok(!signal.is_set())
    };
    let rows = read::table(conn, &job.table, print, output, &mut each);
    // Rows before an unreadable one are good.
    output.flush()?;
    let rows = match rows {
        Err(error) if is_gone(&error) => {
            return Err(error.context(format!(
                "{} was dropped, emptied or altered after the snapshot began, so its rows can no longer be read: \
                 load again",
                job.printed
            )));
        }
        rows => rows?,
    };
    progress.loaded(rows);
    Ok(rows)
}

/// Adds to a position what a tail from there must know of the tables.
fn with_tables(position: Position, jobs: &[Job], selection: &Selection) -> Position {
    let ids = Some(Arc::new(known::ids_of(jobs.iter().map(|job| &job.table))));
    if !selection.has_globs() {
        return Position { ids, ..position };
    }
    // A later DROP DATABASE will not name its tables.
    let names = jobs.iter().map(|job| (job.table.database.clone(), job.table.name.clone()));
    let tables = Some(Arc::new(known::names(names)));
    Position { ids, tables, selection: Some(Arc::new(selection.saved())), ..position }
}

/// Says how the position was found.
fn report_method(method: Method, server: &Server, progress: &Progress) {
    match method {
        Method::None => {}
        Method::Lossy => progress.warn(method.describe()),
        _ => progress.note(&format!("{server}: {}", method.describe())),
    }
}

/// Checks that the server still has the log file: a load can take longer than the server keeps its log. Better to fail
/// now than in the tail.
fn check_still_there(conn: &mut Conn, server: &Server, file: &str, progress: &Progress) -> Result<()> {
    conn.query_drop("SET character_set_results = utf8mb4").context("cannot set the character set")?;
    match binary_log::files(conn, server) {
        Ok(files) if files.iter().any(|other| other == file) => Ok(()),
        Ok(_) => Err(exit::unavailable(format!(
            "the server purged {file}, where tail would have to begin, while the rows were loaded: nothing was \
             saved. Make the server keep its binary logs longer"
        ))),
        Err(error) => {
            progress.note(&format!("could not check that {file} is still there: {error:#}"));
            Ok(())
        }
    }
}

/// Begins a snapshot that holds exactly the tables that are loaded, and reads their definitions once it has begun.
///
/// If tables were created or dropped meanwhile, it begins again. A created table's rows would be missing from the
/// snapshot although they come before its position; a dropped table may be part of it, but can no longer be read.
fn consistent_snapshot<T>(
    catalog: &mut Catalog,
    selection: &Selection,
    (rules, schemas): (&Rules, bool),
    progress: &Progress,
    mut begin: impl FnMut(&[(String, String)]) -> Result<T>,
) -> Result<(T, Vec<Job>)> {
    let names = |found: &[Found]| -> Vec<_> {
        found.iter().map(|found| (found.database.clone(), found.table.clone())).collect()
    };
    let names_only = Search { estimates: false, ..LOAD };
    let mut known = table_search::wanted(catalog, selection, names_only)?;
    for _ in 0..TRIES {
        let before = names(&known);
        let begun = begin(&before);
        known = table_search::wanted(catalog, selection, LOAD)?;
        let mut after: HashSet<_> = names(&known).into_iter().collect();
        if before.iter().cloned().collect::<HashSet<_>>() == after {
            let begun = begun?;
            match jobs(catalog, &known, selection, rules, schemas)? {
                Ok(jobs) => {
                    for job in jobs.iter().filter(|job| job.table.id == Id::None) {
                        progress.warn(&crate::row::layouts::no_key(&job.printed));
                    }
                    return Ok((begun, jobs));
                }
                Err(gone) => {
                    known = table_search::wanted(catalog, selection, names_only)?;
                    after = names(&known).into_iter().collect();
                    if after.contains(&gone) {
                        return Err(anyhow!(
                            "this account may not see the columns of {}.{}: GRANT SELECT",
                            gone.0,
                            gone.1
                        ));
                    }
                }
            }
        }
        for (database, table) in before.iter().filter(|name| !after.contains(name)) {
            progress.warn(&format!(
                "{database}.{table} was dropped or renamed while the load began, and is left out"
            ));
        }
    }
    Err(anyhow!("tables were created or dropped each time a snapshot began ({TRIES} times): try again later"))
}

/// The definition of each table; or the name of the first that was dropped meanwhile.
fn jobs(
    catalog: &mut Catalog,
    found: &[Found],
    selection: &Selection,
    rules: &Rules,
    schemas: bool,
) -> Result<Result<Vec<Job>, (String, String)>> {
    let mut jobs = Vec::new();
    for Found { database, table: name, estimate } in found {
        let Some(defined) = catalog.definition(database, name)? else {
            return Ok(Err((database.clone(), name.clone())));
        };
        let mut table = defined.table(database, name)?;
        rules.apply(&mut table)?;
        let definition = schemas.then(|| defined.line_content(rules.omit_generated, None));
        let printed = selection.printed(database, name);
        jobs.push(Job { table, definition, defined, printed, estimate: *estimate });
    }
    Ok(Ok(jobs))
}

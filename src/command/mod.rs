//! The four subcommands: wiring only.

mod history;
pub mod load;
pub mod position;
pub mod tail;
pub mod validate_pos;

use anyhow::Result;
use mysql::Conn;

use crate::cli::{ConnectionArgs, MessageArgs, ProgressWhen, ShapeArgs};
use crate::progress::{Progress, When};
use crate::schema::rules::{IdRule, Rules};
use crate::schema::selection::Selection;
use crate::server::{Given, Options, Server, connect};

/// Logs in, and identifies the server.
fn log_in(args: &ConnectionArgs) -> Result<(Options, Conn, Server)> {
    let options = resolve(args)?;
    let mut conn = connect(&options)?;
    let server = identify(&mut conn)?;
    Ok((options, conn, server))
}

/// The options without a default database: the search for tables reports a missing one better than a failed login.
fn without_database(options: &Options) -> Options {
    Options { database: None, ..options.clone() }
}

/// The options from the command line and option files.
fn resolve(args: &ConnectionArgs) -> Result<Options> {
    let options = Options::resolve(&Given::from(args.clone()))?;
    // Before connecting: a bad option file may be why that fails.
    let messages = Progress::new(When::Never, false);
    options.warnings.iter().for_each(|warning| messages.warn(warning));
    Ok(options)
}

/// Identifies the server, and warns of one that is older than dumpa supports.
fn identify(conn: &mut Conn) -> Result<Server> {
    let server = Server::identify(conn)?;
    if let Some(oldest) = server.release.older_than_supported() {
        Progress::new(When::Never, false).warn(&format!(
            "{server} is older than the oldest release that dumpa supports ({oldest}): differences in its log may \
             go unnoticed"
        ));
    }
    Ok(server)
}

fn progress(args: &MessageArgs) -> Progress {
    let when = match args.progress {
        ProgressWhen::Auto => When::Auto,
        ProgressWhen::Always => When::Always,
        ProgressWhen::Never => When::Never,
    };
    Progress::new(when, args.quiet)
}

/// The selected tables and the shape of their lines; with `lower_case`, names are folded as the server does.
fn wanted(
    tables: &[String],
    shape: &ShapeArgs,
    options: &Options,
    lower_case: bool,
) -> Result<(Selection, Rules)> {
    let database = options.database.as_deref();
    let mut selection = Selection::new(tables, database)?;
    let ids = shape.id.iter().map(|rule| IdRule::parse(rule, database)).collect::<Result<Vec<_>>>()?;
    let mut rules = Rules { ids, omit_generated: shape.omits_generated() };
    if lower_case {
        selection = selection.lower_case();
        rules.ids.iter_mut().for_each(|rule| rule.pattern.lower_case());
    }
    Ok((selection, rules))
}

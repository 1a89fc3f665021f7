//! The four subcommands: wiring only.

pub mod load;
pub mod position;
pub mod tail;
pub mod validate_pos;

use anyhow::Result;
use mysql::Conn;

use crate::cli::{ConnectionArgs, MessageArgs, ProgressWhen};
use crate::progress::{Progress, When};
use crate::schema::layouts::IdRule;
use crate::schema::selection::Selection;
use crate::server::{Given, Options, Server, connect};

/// Logs in, and asks who answered.
fn log_in(args: &ConnectionArgs) -> Result<(Options, Conn, Server)> {
    let options = Options::resolve(&Given::from(args.clone()))?;
    // Before connecting: what is wrong with an option file may be why that fails.
    let messages = Progress::new(When::Never, false);
    options.warnings.iter().for_each(|warning| messages.warn(warning));
    let mut conn = connect(&options)?;
    let server = Server::identify(&mut conn)?;
    Ok((options, conn, server))
}

fn progress(args: &MessageArgs) -> Progress {
    let when = match args.progress {
        ProgressWhen::Auto => When::Auto,
        ProgressWhen::Always => When::Always,
        ProgressWhen::Never => When::Never,
    };
    Progress::new(when, args.quiet)
}

/// The tables that are wanted and what identifies their rows, in the case that the server keeps names in.
fn wanted(
    tables: &[String],
    ids: &[String],
    options: &Options,
    lower_case: bool,
) -> Result<(Selection, Vec<IdRule>)> {
    let database = options.database.as_deref();
    let mut selection = Selection::new(tables, database)?;
    let mut rules = ids.iter().map(|rule| IdRule::parse(rule, database)).collect::<Result<Vec<_>>>()?;
    if lower_case {
        selection = selection.lower_case();
        rules.iter_mut().for_each(|rule| rule.pattern.lower_case());
    }
    Ok((selection, rules))
}

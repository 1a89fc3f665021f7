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

fn id_rules(given: &[String], database: Option<&str>) -> Result<Vec<IdRule>> {
    given.iter().map(|rule| IdRule::parse(rule, database)).collect()
}

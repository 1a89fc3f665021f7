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
    let mut conn = connect(&options)?;
    let server = Server::identify(&mut conn)?;
    Ok((options, conn, server))
}

fn progress(args: &MessageArgs, options: &Options) -> Progress {
    let when = match args.progress {
        ProgressWhen::Auto => When::Auto,
        ProgressWhen::Always => When::Always,
        ProgressWhen::Never => When::Never,
    };
    let progress = Progress::new(when, args.quiet);
    for warning in &options.warnings {
        progress.warn(warning);
    }
    progress
}

fn id_rules(given: &[String], database: Option<&str>) -> Result<Vec<IdRule>> {
    given.iter().map(|rule| IdRule::parse(rule, database)).collect()
}

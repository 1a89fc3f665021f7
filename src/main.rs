//! Parse, run, report, exit.

#![allow(clippy::print_stderr)]

use std::process::ExitCode;

use clap::Parser;
use dumpa::cli::{Cli, Command};
use dumpa::signal::Signal;
use dumpa::{command, exit};

fn main() -> ExitCode {
    quiet_panics();
    let cli = Cli::parse();
    let outcome = Signal::listen().and_then(|signal| {
        let outcome = match cli.command {
            Command::Load(args) => command::load::run(&args, &signal),
            Command::Tail(args) => command::tail::run(&args, &signal),
            Command::Position(args) => command::position::run(&args),
            Command::ValidatePos(args) => command::validate_pos::run(&args),
        };
        if signal.is_set() && outcome.is_ok() {
            signal.end_by_it();
        }
        outcome
    });
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let code = exit::code(&error);
            if code != exit::DONE {
                eprintln!("dumpa: {}", exit::in_words(&error));
            }
            ExitCode::from(code)
        }
    }
}

/// The `mysql` crate panics on some bytes. That is caught where it is called, and reported there.
fn quiet_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let in_crate = info.location().is_some_and(|at| at.file().contains("mysql"));
        if !in_crate {
            default(info);
        }
    }));
}

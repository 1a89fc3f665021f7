//! Parse, run, report, exit.

#![deny(clippy::print_stdout, clippy::print_stderr, unsafe_code)]

mod driver_panic;
mod stdout_at_start;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Parser;
use dumpa::cli::{Cli, Command};
use dumpa::exit::{self, ReaderGone};
use dumpa::signal::Signal;
use dumpa::{command, stderr};

fn main() -> ExitCode {
    driver_panic::install_hook();
    let outcome = match Cli::try_parse() {
        Ok(cli) => check_stdout().and_then(|()| driver_panic::caught(|| run(&cli.command))),
        Err(error) if error.use_stderr() => {
            called_wrongly(&error);
            Ok(exit::USAGE)
        }
        Err(help) => check_stdout().and_then(|()| print_help(&help)),
    };
    outcome.unwrap_or_else(|error| report(&error)).into()
}

fn run(command: &Command) -> Result<u8> {
    let signal = Signal::listen()?;
    let outcome = match command {
        Command::Load(args) => command::load::run(args, &signal),
        Command::Tail(args) => command::tail::run(args, &signal),
        Command::Position(args) => command::position::run(args),
        Command::ValidatePos(args) => command::validate_pos::run(args, &signal),
    };
    if signal.is_set() && outcome.is_ok() {
        signal.end_by_it();
    }
    outcome
}

/// Prints why the command failed, and returns the exit code.
fn report(error: &anyhow::Error) -> u8 {
    let code = exit::code(error);
    if code != exit::DONE {
        stderr::message(&exit::message(error));
    }
    code
}

/// The runtime replaces a closed stdout by /dev/null: rows would vanish, and yet their position would be saved.
fn check_stdout() -> Result<()> {
    match stdout_at_start::is_writable() {
        true => Ok(()),
        false => Err(anyhow!("stdout is closed, or not open for writing")),
    }
}

/// Prints --help or --version. clap's own exit would ignore a failed write.
fn print_help(help: &clap::Error) -> Result<u8> {
    match help.print().and_then(|()| std::io::stdout().flush()) {
        Ok(()) => Ok(exit::DONE),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        Err(error) => Err(anyhow::Error::new(error).context("cannot write to stdout")),
    }
}

/// Prints clap's message about the command line, which quotes it.
fn called_wrongly(error: &clap::Error) {
    let is_plain = |arg: OsString| matches!(stderr::printable(&arg.to_string_lossy()), Cow::Borrowed(_));
    if std::io::stderr().is_terminal() && std::env::args_os().all(is_plain) {
        // clap prints in colour. If that fails, there is nowhere left to report it.
        let _ = error.print();
    } else {
        stderr::lines(&error.render().to_string());
    }
}

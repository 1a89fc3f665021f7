//! The command line and its help. The man pages and completions are generated from it.

pub mod connection;
mod help;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::value::Style;
pub use connection::ConnectionArgs;

/// Print the rows and the changes of a MySQL or MariaDB server as lines of JSON
///
/// `dumpa load` prints the rows that tables hold, `dumpa tail` follows the binary log and prints every
/// committed change. Both print one line a row: [op, table, id, content, metadata].
#[derive(Parser, Debug)]
#[command(name = "dumpa", version, max_term_width = 100, args_override_self = true)]
#[command(propagate_version = true, disable_help_subcommand = true, after_long_help = help::DUMPA)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Print the rows that tables hold now
    ///
    /// All tables are read in one consistent snapshot, and --save keeps the place in the binary log that
    /// `dumpa tail` goes on from.
    #[command(args_override_self = true, after_long_help = help::LOAD)]
    Load(LoadArgs),
    /// Print every change that is committed after a position
    ///
    /// A transaction is printed once its commit has been read. Each line names the place to resume from:
    /// the last line that arrived is always a valid --from.
    #[command(args_override_self = true, after_long_help = help::TAIL)]
    Tail(TailArgs),
    /// Print where the server's binary log ends now
    #[command(args_override_self = true, after_long_help = help::SCHEMA_HISTORY)]
    Position(PositionArgs),
    /// Tell whether `dumpa tail` can go on from a position
    ///
    /// Prints a verdict as JSON and answers by exit code: 0 if it can, 3 if not. Any other code is no verdict: the
    /// server could not be asked.
    #[command(args_override_self = true, after_long_help = help::VALIDATE_POS)]
    ValidatePos(ValidateArgs),
}

#[derive(Args, Debug)]
pub struct LoadArgs {
    /// Tables: NAME, DATABASE.NAME or a glob such as 'log_*' [default: all of the database of -D]
    ///
    /// '*.*' is every table of every database but the server's own (mysql, sys, ...): those are only meant when
    /// they are named without a glob, as in mysql.user or 'mysql.*'.
    #[arg(value_name = "TABLE")]
    pub tables: Vec<String>,

    /// Save the snapshot's position in the binary log to FILE, once all rows are out
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,

    /// Keep the schema history in FILE [default: the file of --save with .schema added]
    ///
    /// The history tells which definition each table had from which place in the log on: `dumpa tail` needs it for
    /// columns that were altered since.
    #[arg(long, value_name = "FILE", requires = "save")]
    pub schema: Option<PathBuf>,

    /// Take no lock, even if changes may then be lost between the position and the snapshot
    #[arg(long)]
    pub no_lock: bool,

    /// Print each table's definition before its rows: ["schema", table, null, {"columns": [...], ...}, null]
    ///
    /// Columns have name, type, nullable, and where they apply charset, labels, generated, invisible, and key (primary or
    /// unique); then come primary_key, keys, charset and engine, and sql, which is null.
    #[arg(long)]
    pub schemas: bool,

    /// Print only the definitions
    #[arg(long, requires = "schemas")]
    pub no_rows: bool,

    #[command(flatten)]
    pub shape: ShapeArgs,
    #[command(flatten)]
    pub messages: MessageArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Args, Debug)]
pub struct TailArgs {
    /// Tables: NAME, DATABASE.NAME or a glob such as 'log_*' [default: all of the database of -D]
    ///
    /// '*.*' is every table of every database but the server's own (mysql, sys, ...): those are only meant when
    /// they are named without a glob, as in mysql.user or 'mysql.*'.
    #[arg(value_name = "TABLE")]
    pub tables: Vec<String>,

    /// Where to begin: a file holding a position or a line of `dumpa tail`, LOGFILE:OFFSET, now or earliest
    #[arg(long, value_name = "WHERE", required_unless_present = "binlog")]
    pub from: Option<String>,

    /// Where to end: now (what is committed when the run starts), or as for --from
    #[arg(long, value_name = "WHERE")]
    pub until: Option<String>,

    /// Save the position reached to FILE, at most once a second and at the end
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,

    /// Accept tables (and --id) that match nothing: they may be created later, or were dropped
    #[arg(long)]
    pub allow_missing: bool,

    /// Announce this replica id to the server, 1 or more [default: a random one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub server_id: Option<u32>,

    /// Add to the metadata of an update, as "old", what the changed columns held before
    ///
    /// An object of those columns alone, in table order; {} when none changed. An update that changes the id has it in
    /// the line of the upsert.
    #[arg(long)]
    pub old: bool,

    /// Keep the schema history in FILE [default: the file of --save with .schema added]
    ///
    /// The history tells which definition each table had from which place in the log on. With it, a run that is resumed
    /// reads each row under the columns that it was written with. Give it where you resume from the last line of output.
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,

    /// Print a line with the definition of each table before its first rows, and after each statement that changed it
    ///
    /// ["schema", TABLE, null, DEFINITION, METADATA]: columns, keys, and the statement as "sql". "columns" is null where the
    /// definition is not known until rows come. Such lines may come again in a resumed run.
    #[arg(long)]
    pub schemas: bool,

    /// What to do where another table takes a table's name by RENAME, as gh-ost and pt-online-schema-change do
    ///
    /// With read-again, print `truncate` and then all of its rows, which must stand in the log from its CREATE TABLE on.
    /// With continue, go on without that: rows printed before keep their old columns and values. Right where all rows
    /// were copied, and these columns do not matter.
    #[arg(long, value_name = "HOW", default_value = "read-again")]
    pub swaps: Swaps,
    /// End the run (exit code 4) at an ALTER that changes rows which the log does not repeat
    ///
    /// Without it, each such statement gives a warning, and rows printed before keep their old columns and values.
    #[arg(long)]
    pub strict: bool,

    /// Believe that tables had the columns they have now
    ///
    /// Where the log lacks column names, rows are read by the server's present definitions. First, the log from there
    /// to its end is searched for statements that changed them, and rows before such a statement end the run. With this
    /// option there is no search.
    #[arg(long)]
    pub trust_catalog: bool,

    /// Read log files from disk instead of a server's log (- is standard input); put TABLEs before it
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub binlog: Vec<PathBuf>,

    #[command(flatten)]
    pub shape: ShapeArgs,
    #[command(flatten)]
    pub messages: MessageArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Args, Debug)]
pub struct PositionArgs {
    /// Tables to keep the schema history of, as for `dumpa tail` [default: all of the database of -D]
    ///
    /// With neither, the position alone is printed and saved.
    #[arg(value_name = "TABLE")]
    pub tables: Vec<String>,

    /// Save the position to FILE as well
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,

    /// Keep the schema history in FILE [default: the file of --save with .schema added]
    ///
    /// The history tells which definition each table had from which place in the log on: `dumpa tail` needs it for
    /// columns that were altered since.
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,

    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[derive(Args, Debug)]
pub struct ValidateArgs {
    /// A file holding a position or a line of `dumpa tail`, LOGFILE:OFFSET, now or earliest
    #[arg(value_name = "WHERE")]
    pub position: String,

    /// The schema history that the tail will be given [default: the file of WHERE with .schema added]
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,

    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// What identifies a row, and how values are printed.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub struct ShapeArgs {
    /// Take these columns for the id of a table's rows, instead of its primary key
    #[arg(long, value_name = "TABLE=COL[,COL]")]
    pub id: Vec<String>,

    /// Whether content has generated columns, virtual and stored ones
    ///
    /// Some servers leave them out of the log, or log other values than they have: MariaDB 11.8 on updates and
    /// deletes, and MariaDB before 10.5. With omit, give it to load and tail alike. An id that is made of generated
    /// columns stays as it is.
    #[arg(long, value_name = "WHAT", default_value = "keep")]
    pub generated: GeneratedColumns,

    /// How to print DECIMAL
    #[arg(long, value_name = "FORM", default_value = "string")]
    pub decimal: NumberForm,

    /// How to print integers beyond 2^53, which many readers of JSON round
    #[arg(long, value_name = "FORM", default_value = "number")]
    pub big_int: NumberForm,

    /// How to print zero dates (0000-00-00)
    #[arg(long, value_name = "FORM", default_value = "null")]
    pub zero_date: ZeroDateForm,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swaps {
    ReadAgain,
    Continue,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratedColumns {
    Keep,
    Omit,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberForm {
    String,
    Number,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZeroDateForm {
    Null,
    String,
}

impl ShapeArgs {
    pub fn omits_generated(&self) -> bool {
        self.generated == GeneratedColumns::Omit
    }

    pub fn style(&self) -> Style {
        Style {
            decimal_as_number: self.decimal == NumberForm::Number,
            big_int_as_string: self.big_int == NumberForm::String,
            zero_date_as_string: self.zero_date == ZeroDateForm::String,
        }
    }
}

/// What is said on stderr.
#[derive(Args, Debug)]
#[command(next_help_heading = "Messages")]
pub struct MessageArgs {
    /// Whether to show progress on stderr
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub progress: ProgressWhen,

    /// Say nothing on stderr but warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressWhen {
    /// If stderr is a terminal and stdout is not
    Auto,
    /// Line by line where it cannot be drawn
    Always,
    Never,
}

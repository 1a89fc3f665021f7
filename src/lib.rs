//! dumpa prints the rows that a MySQL-family server holds, and every change it commits, as lines of
//! JSON.
//!
//! Data flows one way. `tail`: a `source` yields events, `follow` says what each one means, a `row` layout turns row
//! images into `value`s, `tuple` makes a line of them, `output` writes it, and only then is a `position` saved. `load`:
//! a `snapshot` joins the same road at the values. Imports point the same way; only `command` sees both ends:
//!
//! | folder | what it knows | imports of these |
//! |---|---|---|
//! | `command` | the four subcommands: wiring | all |
//! | `follow` | what an event means: transactions, rows, statements, XA; where one can resume | `source`, `row`, `schema`, `sql`, `binlog`, `tuple`, `output`, `position` |
//! | `snapshot` | rows and a position that fit together | `schema`, `server`, `tuple`, `output`, `position` |
//! | `source` | where events come from: network, files, a queue between two threads | `binlog`, `server` |
//! | `row` | a definition and a table map joined: how to read row images | `schema`, `binlog`, `tuple`, `value` |
//! | `schema` | definitions of tables, from the log and the catalog; which tables are wanted and known | `binlog`, `server`, `position`, `value` |
//! | `server` | options, connections, what a server says of itself | `position` |
//! | `binlog` | events and their fields | `sql`, `value` |
//! | `sql` | a statement's tokens, and what it does to tables | `value` |
//! | `tuple`, `output`, `position`, `value` | lines; stdout; places in a log; values as JSON | |
//!
//! Messages go through `stderr`, which makes them safe to show; `exit` has the one table from errors to exit codes.

#![deny(clippy::print_stdout, clippy::print_stderr, unsafe_code)]

pub mod binlog;
pub mod bytes;
pub mod cli;
pub mod command;
pub mod exit;
pub mod follow;
pub mod output;
pub mod position;
pub mod progress;
pub mod push_fixed;
pub mod row;
pub mod schema;
pub mod server;
pub mod signal;
pub mod snapshot;
pub mod source;
pub mod sql;
pub mod stderr;
pub mod tuple;
pub mod value;
pub mod version;

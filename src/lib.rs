//! dumpa prints the rows of a MySQL or MariaDB server, and every change it commits, as lines of JSON.
//!
//! Data flows one way. `tail`: a `source` yields events; `follow` decides what each one means; a `row` layout turns row
//! images into `value`s; `tuple` makes a line of them; `output` writes it; and only then is a `position` saved. `load`:
//! a `snapshot` yields values, and goes on in the same way. Only `command` sees both ends.
//!
//! Each folder imports only folders below it, as listed:
//!
//! | folder | what it knows | imports of these |
//! |---|---|---|
//! | `command` | the four subcommands: wiring | all but `sql` and `tuple` |
//! | `follow` | the meaning of events: transactions, rows, statements, XA; where the run can resume | `row`, `source`, `schema`, `tuple`, `binlog`, `sql`, `position`, `output`, `value` |
//! | `snapshot` | a consistent snapshot and its position | `schema`, `tuple`, `server`, `position`, `output`, `value` |
//! | `row` | layouts, made from a definition and a table map; reading row images | `schema`, `tuple`, `binlog`, `value` |
//! | `source` | where events come from: network, files; the queue between two threads | `server`, `binlog`, `position` |
//! | `schema` | table definitions, from the log and the catalog, and what statements make of them; which tables are selected and known | `tuple`, `server`, `binlog`, `sql`, `position`, `value` |
//! | `cli` | the command line | `server`, `value` |
//! | `tuple` | lines | `value` |
//! | `server` | options, connections, what a server says about itself | `position` |
//! | `binlog` | events and their fields | `sql`, `value` |
//! | `sql` | statements: their tokens, their effects on tables, and what they say of definitions | `value` |
//! | `position`, `output`, `value` | places in a log; stdout; values as JSON | |
//!
//! Any folder may use the files beside it: `bytes` and `push_fixed` read and append bytes, `exit` maps errors to exit
//! codes, `stderr` makes messages safe to show, `progress` prints them, `signal` listens for signals, `version` compares
//! releases of servers.

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

//! dumpa prints the rows that a MySQL-family server holds, and every change it commits, as lines of
//! JSON.
//!
//! Data flows one way: a `binlog` source hands over events, the transaction tracker groups them,
//! the schema turns a table map into a layout, the layout decodes a row image into `value`s, the
//! tuple writer makes a line of them, `output` writes it, and only then is a position saved. A
//! `snapshot` joins the same road at the values. Imports point the same way; only `command` sees
//! both ends.

#![deny(clippy::print_stdout, clippy::print_stderr, unsafe_code)]

pub mod append;
pub mod binlog;
pub mod bytes;
pub mod cli;
pub mod command;
pub mod exit;
pub mod follow;
pub mod output;
pub mod position;
pub mod printer;
pub mod progress;
pub mod schema;
pub mod server;
pub mod signal;
pub mod snapshot;
pub mod tuple;
pub mod value;
pub mod version;

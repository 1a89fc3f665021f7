//! The tests that run the program, most of them against real servers: `tests/run` starts those.
//!
//! One crate, so that it links once; one module for each topic.

mod common;

mod altered;
mod cascades;
mod charset;
mod charset_columns;
mod column_grants;
mod connect;
mod delivery;
mod effects;
mod ending;
mod endless_files;
mod expressions;
mod fixtures;
mod forms;
mod fuzzed;
mod generated;
mod generated_columns;
mod geometry;
mod gone;
mod harness;
mod hostile_server;
mod identity;
mod instructions;
mod json;
mod merge_tables;
mod model;
mod names;
mod positions;
mod progress;
mod property;
mod read_ahead;
mod readme;
mod refusals;
mod relay_logs;
mod resume;
mod row_formats;
mod save_file;
mod servers;
mod signedness;
mod snapshot;
mod spliced;
mod statement_bytes;
mod statement_edges;
mod statements;
mod streams;
mod system_versioning;
mod table_maps;
mod tables;
mod temporary_tables;
mod types;
mod validate_pos;
mod xa;

//! SQL statements in the log: their tokens, and the effects they have on tables.

pub mod alter;
pub mod ddl;
pub mod effect;
mod foreign_keys;
mod other_objects;
mod reader;
pub mod statement;
#[cfg(test)]
mod statement_tests;
mod table_options;
mod table_statements;
pub mod tokens;

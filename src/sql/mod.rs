//! Statements of the log: cut into tokens, and what each does to tables.

pub mod alter;
pub mod effect;
#[cfg(test)]
mod effect_tests;
mod other_objects;
mod reader;
mod table_statements;
pub mod tokens;

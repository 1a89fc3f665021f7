//! Statements of the log: cut into tokens, and what each does to tables.

pub mod effect;
pub mod tokens;

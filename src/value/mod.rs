//! One value of one column, as it stands in the server's bytes, and its JSON.
//!
//! Both halves of dumpa meet here: the binary log's row images and a query's result rows are each
//! decoded into [`Value`], and [`write`] is the only place that prints one. A type prints the same
//! from `load` and `tail` because there is nothing else that prints it.

pub mod charset;
pub mod geometry;
pub mod json;
pub mod text;

/// Bytes that do not hold what their type promises. Whoever knows the column, the table and the
/// place adds them: a decoder knows none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

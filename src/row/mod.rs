//! Rows: a table map and a definition make a layout, which reads row images.

mod check;
pub mod column_reader;
pub mod from_catalog;
mod image;
pub mod layout;
pub mod layouts;
mod old_temporal;
mod partial;
pub mod skip;
mod type_names;

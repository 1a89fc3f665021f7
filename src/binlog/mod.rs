//! The binary log: where its events come from, how they are framed, grouped and packed.

pub mod cell;
pub mod compressed;
pub mod event;
pub mod file;
pub mod gtid;
pub mod gtid_set;
pub mod handoff;
pub mod log;
pub mod network;
pub mod old_time;
pub mod payload;
pub mod query;
pub mod rows;
pub mod source;
pub mod statement;
pub mod table_map;
pub mod transaction;
pub mod wire;
pub mod words;
pub mod xa;

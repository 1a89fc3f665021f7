//! Parses the events of the binary log. Independent of where events come from and what is done with them, so it runs
//! without a server: in unit tests, on fixtures and under a fuzzer.

pub mod column_format;
pub mod compressed;
pub mod event;
pub mod gtid;
pub mod gtid_set;
pub mod payload;
pub mod query;
pub mod rows;
pub mod table_map;
pub mod xa;

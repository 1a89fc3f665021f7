//! Events of the binary log and their fields: what stands in the bytes. Nothing here knows where an event comes from,
//! or what is done with it; it runs without a server, in unit tests, on fixtures and under a fuzzer.

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

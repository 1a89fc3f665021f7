//! What the topics share: real servers, databases of one's own, and the program under test.
//! A topic begins with `use crate::common::*;`.

// Each helper is for whichever topic comes to need it.
#![allow(dead_code, unused_imports)]

mod db;
mod dumpa;
mod fold;
mod halves;
mod live;
mod macros;
mod server;
mod tuple;
mod wait;

pub use db::Db;
pub use dumpa::{Dumpa, Run};
pub use fold::Fold;
pub use halves::{Rows, halves_agree, halves_agree_with};
pub use live::Live;
pub use macros::ALL_SERVERS;
pub(crate) use macros::{on_each_server, on_servers};
pub use mysql::prelude::Queryable;
pub use server::{Server, place, run_script};
pub use tuple::Tuple;
pub use wait::{PATIENCE, eventually};

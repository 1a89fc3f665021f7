//! XA transactions: prepared in one group of events, committed or rolled back by a later one.
//!
//! Rows of a prepared transaction are not held: that could be any amount, for any time, and a
//! restart would lose them. They stay where they are, in the log, and are read again when their
//! commit is seen.

use std::collections::HashMap;

use crate::bytes::Bytes;
use crate::bytes::Malformed;

/// Where a group begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub start: u64,
}

/// An XA_PREPARE event.
#[derive(Debug, PartialEq, Eq)]
pub struct Prepare {
    /// Committed at once (XA COMMIT … ONE PHASE).
    pub one_phase: bool,
    /// As statements write it, in lower case: `x'7831',x'',1`.
    pub xid: String,
}

impl Prepare {
    /// Source: `XA_prepare_event` in MySQL's `control_events.h`.
    pub fn parse(body: &[u8]) -> Result<Prepare, Malformed> {
        let mut bytes = Bytes(body);
        let one_phase = bytes.u8()? != 0;
        let format = bytes.u32()?;
        let (global, branch) = (bytes.u32()?, bytes.u32()?);
        let global = hex(bytes.take(global as usize)?);
        let branch = hex(bytes.take(branch as usize)?);
        Ok(Prepare { one_phase, xid: format!("x'{global}',x'{branch}',{}", format as i32) })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the log says last of an xid, up to some place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Prepared here, and not decided since.
    Prepared(Place),
    Committed,
    RolledBack,
}

/// Where the prepared transactions that are not yet decided begin, as far as they were seen.
#[derive(Debug, Default)]
pub struct Prepared(HashMap<String, Place>);

impl Prepared {
    pub fn remember(&mut self, xid: String, place: Place) {
        self.0.insert(xid, place);
    }

    pub fn forget(&mut self, xid: &str) -> Option<Place> {
        self.0.remove(xid)
    }
}

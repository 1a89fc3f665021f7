//! XA_PREPARE events.

use crate::bytes::{Bytes, Malformed};

/// An XA_PREPARE event.
#[derive(Debug, PartialEq, Eq)]
pub struct Prepare {
    /// The transaction is committed at once (XA COMMIT … ONE PHASE).
    pub one_phase: bool,
    /// In lower case, as in statements: `x'7831',x'',1`.
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

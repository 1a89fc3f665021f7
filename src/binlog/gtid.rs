//! GTID events, which begin a transaction and name it.
//!
//! Source: MySQL's `control_events.h`, class `Gtid_event`, and the pages on its serialization
//! library for the tagged kind; MariaDB's `sql/log_event.cc`, `Gtid_log_event`.

use super::event::Header;
use crate::bytes::{Bytes, Malformed};
use crate::value::{digits, text};

const MARIA_STANDALONE: u8 = 1;
const MARIA_GROUP_COMMIT: u8 = 2;
const MARIA_PREPARED_XA: u8 = 64;
const MARIA_COMPLETED_XA: u8 = 128;
/// Flags of the second byte, since 10.8.
const MARIA_START_ALTER: u8 = 2;
const MARIA_ROLLBACK_ALTER: u8 = 8;
/// MySQL's flag: the transaction may hold statements.
const MYSQL_STATEMENTS: u8 = 1;

/// What a GTID event says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gtid {
    /// `None` for an anonymous transaction.
    pub gtid: Option<String>,
    /// Commit time in microseconds since 1970; `None` if only the header has it, in seconds.
    pub committed_micros: Option<u64>,
    /// The transaction holds only committed rows. True of transactions without statements on MySQL 8.0 and later, which has
    /// the microseconds. Older servers and MariaDB may log rows and then roll them back, if a temporary or
    /// non-transactional table was changed between them; MariaDB sets `FL_TRANSACTIONAL` even then.
    pub only_committed: bool,
    /// The group is one statement (MariaDB).
    pub standalone: bool,
    /// This begins the transaction: no BEGIN follows (MariaDB).
    pub begins: bool,
    /// The group ends in XA PREPARE (MariaDB; MySQL's begins with XA START).
    pub prepares_xa: bool,
    /// The group's ALTER has no effect: with `binlog_alter_two_phase`, MariaDB logs an ALTER when it starts, and again when
    /// it is done or rolled back.
    pub is_no_ddl: bool,
}

/// MySQL's GTID and anonymous GTID events.
pub fn mysql(body: &[u8], anonymous: bool) -> Result<Gtid, Malformed> {
    let mut bytes = Bytes(body);
    let flags = bytes.u8()?;
    let uuid = bytes.array()?;
    let number = bytes.u64()?;
    let mut gtid = Gtid::default();
    if !anonymous {
        gtid.gtid = Some(gtid_text(uuid, "", number));
    }
    // Since 5.7 a logical clock; since 8.0.1 the commit time on this server, and, if it differs, on the original one.
    if bytes.rest().first() == Some(&2) {
        bytes.take(17)?;
        if bytes.rest().len() >= 7 {
            let here = bytes.u56()?;
            let elsewhere = here & (1 << 55) != 0;
            let micros = if elsewhere { bytes.u56()? } else { here };
            gtid.committed_micros = known(micros & !(1 << 55));
            gtid.only_committed = gtid.committed_micros.is_some() && flags & MYSQL_STATEMENTS == 0;
        }
    }
    Ok(gtid)
}

/// MySQL's tagged GTID event (since 8.3): numbered fields of variable length.
pub fn tagged(body: &[u8]) -> Result<Gtid, Malformed> {
    let mut bytes = Bytes(body);
    let (_version, _size, _last) = (varlen(&mut bytes)?, varlen(&mut bytes)?, varlen(&mut bytes)?);
    let (mut uuid, mut tag, mut number) = ([0u8; 16], "", 0);
    let (mut here, mut first, mut only_committed) = (0, None, false);
    while !bytes.is_empty() {
        match varlen(&mut bytes)? {
            0 => only_committed = varlen(&mut bytes)? & u64::from(MYSQL_STATEMENTS) == 0,
            1 => {
                for byte in &mut uuid {
                    *byte = varlen(&mut bytes)? as u8;
                }
            }
            // The lowest bit is the sign.
            2 => number = varlen(&mut bytes)? >> 1,
            3 => {
                let len = varlen(&mut bytes)? as usize;
                let text = std::str::from_utf8(bytes.take(len)?).ok();
                let is_tag = |text: &&str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                tag = text.filter(is_tag).ok_or(Malformed("a GTID's tag has invalid characters"))?;
            }
            6 => here = varlen(&mut bytes)?,
            7 => first = Some(varlen(&mut bytes)?),
            4 | 5 | 8..=11 => {
                varlen(&mut bytes)?;
            }
            // Fields are in order, so unknown ones come after all that are needed.
            _ => break,
        }
    }
    Ok(Gtid {
        gtid: Some(gtid_text(uuid, tag, number)),
        committed_micros: known(first.unwrap_or(here)),
        only_committed,
        ..Gtid::default()
    })
}

/// MariaDB's GTID event. The GTID's server id is in the header.
pub fn mariadb(header: &Header, body: &[u8]) -> Result<Gtid, Malformed> {
    let mut bytes = Bytes(body);
    let sequence = bytes.u64()?;
    let domain = bytes.u32()?;
    let flags = bytes.u8()?;
    if flags & MARIA_GROUP_COMMIT != 0 {
        bytes.u64()?;
    }
    if flags & (MARIA_PREPARED_XA | MARIA_COMPLETED_XA) != 0 {
        bytes.u32()?;
        let (global, branch) = (bytes.u8()?, bytes.u8()?);
        bytes.take(usize::from(global) + usize::from(branch))?;
    }
    // The event is padded with zeros to 19 bytes.
    let extra = if bytes.is_empty() { 0 } else { bytes.u8()? };
    let standalone = flags & MARIA_STANDALONE != 0;
    Ok(Gtid {
        gtid: Some(format!("{domain}-{}-{sequence}", header.server_id)),
        committed_micros: None,
        only_committed: false,
        standalone,
        begins: !standalone,
        prepares_xa: flags & MARIA_PREPARED_XA != 0,
        is_no_ddl: extra & (MARIA_START_ALTER | MARIA_ROLLBACK_ALTER) != 0,
    })
}

fn known(micros: u64) -> Option<u64> {
    (micros > 0).then_some(micros)
}

/// `uuid:number`, or `uuid:tag:number`.
fn gtid_text(uuid: [u8; 16], tag: &str, number: u64) -> String {
    let mut out = Vec::with_capacity(text::UUID_BYTES + 1 + tag.len() + 1 + digits::ROOM_BYTES);
    text::uuid(uuid, &mut out);
    if !tag.is_empty() {
        out.push(b':');
        out.extend_from_slice(tag.as_bytes());
    }
    out.push(b':');
    digits::unsigned(number, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// A number of 1 to 9 bytes: the first byte has as many trailing ones as bytes follow it.
fn varlen(bytes: &mut Bytes<'_>) -> Result<u64, Malformed> {
    let first = bytes.rest().first().copied().ok_or(crate::bytes::ENDS_EARLY)?;
    let len = first.trailing_ones() as usize + 1;
    if len == 9 {
        bytes.u8()?;
        return bytes.u64();
    }
    Ok(bytes.uint(len)? >> len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_variable_length() {
        // 0, 127, 128 and the largest, as MySQL's page on the serialization library gives them.
        assert_eq!(varlen(&mut Bytes(&[0])), Ok(0));
        assert_eq!(varlen(&mut Bytes(&[0xfe])), Ok(127));
        assert_eq!(varlen(&mut Bytes(&[0x01, 0x02])), Ok(128));
        assert_eq!(varlen(&mut Bytes(&[0xff; 9])), Ok(u64::MAX));
        assert!(varlen(&mut Bytes(&[0x01])).is_err());
    }
}

//! An event's header and type, and the format description.
//!
//! Source: MySQL's `libs/mysql/binlog/event/binlog_event.h`, MariaDB's `sql/log_event.h`.

use crate::bytes::{Bytes, Malformed};
use crate::version::Release;

/// Type byte of a statement.
pub const QUERY: u8 = 2;
/// Type byte of a format description.
pub const FORMAT_DESCRIPTION: u8 = 15;
/// Length of the common header, in bytes, since binary log version 4 (MySQL 5.0).
pub const HEADER_LEN: usize = 19;
/// Length of a CRC-32 at the end of an event, in bytes.
pub const CHECKSUM_LEN: usize = 4;
/// Header flag: the file is still open, or was not closed properly.
pub const FLAG_IN_USE: u16 = 0x1;
/// Header flag: the statement used a temporary table of its session, or one before it in the same procedure did.
pub const FLAG_THREAD_SPECIFIC: u16 = 0x4;
/// Header flag: made by the dump thread; not part of any file.
pub const FLAG_ARTIFICIAL: u16 = 0x20;
/// Header flag: written by the replica itself, in its relay log.
pub const FLAG_RELAY_LOG: u16 = 0x40;
/// Header flag: a reader that does not know the type may skip it.
pub const FLAG_IGNORABLE: u16 = 0x80;

/// The common header.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// Seconds since 1970 by the server's clock; 0 in artificial events.
    pub timestamp: u32,
    /// See [`EventType::of`].
    pub type_byte: u8,
    pub server_id: u32,
    /// Length of the whole event in bytes, with header and checksum.
    pub size: u32,
    /// Low 32 bits of the offset after the event, or 0 if not set.
    pub log_pos: u32,
    pub flags: u16,
}

impl Header {
    /// Reads the first 19 bytes of an event.
    pub fn parse(bytes: &[u8]) -> Result<Header, Malformed> {
        let mut bytes = Bytes(bytes);
        Ok(Header {
            timestamp: bytes.u32()?,
            type_byte: bytes.u8()?,
            server_id: bytes.u32()?,
            size: bytes.u32()?,
            log_pos: bytes.u32()?,
            flags: bytes.u16()?,
        })
    }

    /// Whether the dump thread made the event, so that it is in no file.
    pub fn is_artificial(&self) -> bool {
        self.flags & FLAG_ARTIFICIAL != 0
    }
}

/// An event: its header, and its body without header and checksum.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    pub header: Header,
    pub body: &'a [u8],
}

/// The event types that dumpa tells apart; see [`EventType::of`] for their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    Query,
    Rotate,
    FormatDescription,
    Xid,
    TableMap,
    Rows(RowsKind),
    Incident,
    Heartbeat,
    Gtid,
    AnonymousGtid,
    GtidTagged,
    XaPrepare,
    TransactionPayload,
    MariaGtid,
    StartEncryption,
    QueryCompressed,
    /// LOAD DATA in statement format.
    LoadStatement(&'static str),
    /// Inside a transaction, without effect by itself: an annotation, or the inputs of a statement.
    Inside,
    /// Between transactions, without effect.
    Between,
    Unknown(u8),
}

/// The change that a rows event holds, and its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsKind {
    pub change: RowChange,
    /// Version 2 (since MySQL 5.6): a length-prefixed block of extra data after the flags.
    pub extra_data: bool,
    /// MariaDB's `log_bin_compress`: everything after the bitmaps is deflated.
    pub compressed: bool,
    /// The after image may hold JSON diffs (since MySQL 8.0).
    pub partial_json: bool,
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowChange {
    Insert,
    Update,
    Delete,
}

impl EventType {
    /// The type that a type byte means.
    pub fn of(type_byte: u8) -> EventType {
        use RowChange::{Delete, Insert, Update};
        let rows = |change, extra_data, compressed| {
            EventType::Rows(RowsKind { change, extra_data, compressed, partial_json: false })
        };
        match type_byte {
            QUERY => EventType::Query,
            4 => EventType::Rotate,
            FORMAT_DESCRIPTION => EventType::FormatDescription,
            16 => EventType::Xid,
            19 => EventType::TableMap,
            23 => rows(Insert, false, false),
            24 => rows(Update, false, false),
            25 => rows(Delete, false, false),
            26 => EventType::Incident,
            27 | 41 => EventType::Heartbeat,
            30 => rows(Insert, true, false),
            31 => rows(Update, true, false),
            32 => rows(Delete, true, false),
            33 => EventType::Gtid,
            34 => EventType::AnonymousGtid,
            38 => EventType::XaPrepare,
            39 => EventType::Rows(RowsKind {
                change: Update,
                extra_data: true,
                compressed: false,
                partial_json: true,
            }),
            40 => EventType::TransactionPayload,
            42 => EventType::GtidTagged,
            162 => EventType::MariaGtid,
            164 => EventType::StartEncryption,
            165 => EventType::QueryCompressed,
            166 => rows(Insert, false, true),
            167 => rows(Update, false, true),
            168 => rows(Delete, false, true),
            169 => rows(Insert, true, true),
            170 => rows(Update, true, true),
            171 => rows(Delete, true, true),
            6 | 8 | 10 | 12 => EventType::LoadStatement("LOAD DATA"),
            18 => EventType::LoadStatement("LOAD DATA"),
            // Intvar, Rand, User_var; blocks of a loaded file; Rows_query, MariaDB's Annotate_rows.
            5 | 9 | 11 | 13 | 14 | 17 | 29 | 160 => EventType::Inside,
            // Stop, Ignorable, Previous_gtids, Transaction_context, View_change; MariaDB's Binlog_checkpoint, Gtid_list.
            3 | 28 | 35 | 36 | 37 | 161 | 163 => EventType::Between,
            other => EventType::Unknown(other),
        }
    }
}

/// A format description: it describes the events after it.
#[derive(Debug, Clone)]
pub struct FormatDescription {
    /// The server's version, such as `5.6.24-log`.
    pub server_version: String,
    /// The same, parsed; `None` if it is no version of MySQL or MariaDB.
    pub writer: Option<Release>,
    /// Whether events end in a CRC-32.
    pub checksum: bool,
    /// This is the first file after a server start: a transaction still open was never committed.
    pub after_start: bool,
    /// Length of the fixed part of each event type, from type 1 on.
    post_header: Vec<u8>,
}

impl FormatDescription {
    /// Parses the body of a format description, with its checksum, if any, still at the end: the byte that names the
    /// algorithm precedes it.
    ///
    /// Source: `Format_description_event` in `control_events.h`.
    pub fn parse(body: &[u8]) -> Result<FormatDescription, Malformed> {
        let mut bytes = Bytes(body);
        let version = bytes.u16()?;
        if version != 4 {
            return Err(Malformed("its binary log version is not 4 (MySQL 5.0 and later)"));
        }
        let name = bytes.take(50)?;
        let name = name.split(|&b| b == 0).next().unwrap_or_default();
        let server_version = String::from_utf8_lossy(name).into_owned();
        let after_start = bytes.u32()? != 0;
        if usize::from(bytes.u8()?) != HEADER_LEN {
            return Err(Malformed("its event headers are not 19 bytes long"));
        }
        let mut post_header = bytes.rest().to_vec();
        let mut checksum = false;
        if has_checksum_byte(&server_version) {
            let tail = post_header.len().checked_sub(CHECKSUM_LEN + 1);
            let tail = tail.ok_or(Malformed("it ends before its checksum"))?;
            checksum = match post_header.get(tail) {
                Some(0) => false,
                Some(1) => true,
                _ => return Err(Malformed("it names an unknown checksum")),
            };
            post_header.truncate(tail);
        }
        let writer = Release::parse(&server_version, "");
        Ok(FormatDescription { server_version, writer, checksum, after_start, post_header })
    }

    /// Length of the fixed part of events of a type, or 0 if not given.
    pub fn post_header_len(&self, type_byte: u8) -> u8 {
        usize::from(type_byte).checked_sub(1).and_then(|i| self.post_header.get(i)).copied().unwrap_or(0)
    }

    /// Reads a table id: four bytes in logs of early 5.1, six since.
    pub fn table_id(&self, type_byte: u8, body: &mut Bytes<'_>) -> Result<u64, Malformed> {
        match self.post_header_len(type_byte) {
            6 => body.u32().map(u64::from),
            _ => body.u48(),
        }
    }
}

impl Default for FormatDescription {
    /// Before the first format description: no checksums.
    fn default() -> FormatDescription {
        FormatDescription {
            server_version: String::new(),
            writer: None,
            checksum: false,
            after_start: false,
            post_header: Vec::new(),
        }
    }
}

/// Whether a server of this version writes the checksum algorithm into its format description: MySQL since 5.6.1, MariaDB
/// since 5.3.
fn has_checksum_byte(version: &str) -> bool {
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
    let number: [u32; 3] = std::array::from_fn(|_| parts.next().unwrap_or(0));
    let since = if version.contains("MariaDB") { [5, 3, 0] } else { [5, 6, 1] };
    number >= since
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_byte_is_there_since_the_version_that_brought_it() {
        for version in ["5.6.1", "5.6.24-log", "8.0.36", "10.11.6-MariaDB", "5.5.5-10.4.1-MariaDB"] {
            assert!(has_checksum_byte(version), "{version}");
        }
        for version in ["5.1.73-log", "5.5.62", "5.6.0", "5.2.14-MariaDB", "5.0.96"] {
            assert!(!has_checksum_byte(version), "{version}");
        }
    }
}

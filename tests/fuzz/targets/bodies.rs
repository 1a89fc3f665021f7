//! Server versions whose events are read, and bodies of events.

use dumpa::binlog::event::{Event, EventType, FormatDescription};
use dumpa::binlog::table_map::TableMap;
use dumpa::binlog::{gtid, payload, query, rows, xa};

/// Versions whose logs differ in something that the targets read.
pub const VERSIONS: [&str; 10] = [
    "9.7.0",
    "8.0.36",
    "8.0.19",
    "8.0.17",
    "8.0.15",
    "5.7.44-log",
    "5.6.24-log",
    "5.5.5-10.2.11-MariaDB-log",
    "10.11.14-MariaDB",
    "11.8.3-MariaDB",
];

/// A version that a byte of the input chooses.
pub fn version(choice: u8) -> &'static str {
    VERSIONS.get(usize::from(choice) % VERSIONS.len()).copied().unwrap_or_default()
}

/// The format description of a server of this version. With `old` lengths, table ids are four bytes long, and
/// statements have no variables before them.
pub fn format(version: &str, old: bool) -> FormatDescription {
    let mut body = 4u16.to_le_bytes().to_vec();
    body.extend(version.bytes());
    body.resize(52, 0);
    body.extend([0; 4]);
    body.push(19);
    body.extend((1..=171).map(|kind| match kind {
        2 if old => 11,
        19 | 23..=25 | 30..=32 if old => 6,
        2 => 13,
        _ => 8,
    }));
    // No checksums.
    body.extend([0; 5]);
    FormatDescription::parse(&body).expect("a format description")
}

/// Reads all fields of an event.
pub fn read(event: &Event<'_>, format: &FormatDescription) {
    let kind = event.header.type_byte;
    match EventType::of(kind) {
        EventType::Query => drop(query::Query::parse(format, event.body)),
        EventType::QueryCompressed => drop(query::inflate(format, event.body)),
        EventType::TableMap => {
            if let Ok(map) = TableMap::parse(format, kind, event.body) {
                let _ = (map.formats(), map.metadata());
            }
        }
        EventType::Rows(rows) => {
            let _ = rows::flags(format, kind, event.body);
            let _ = rows::Rows::parse(format, rows, kind, event.body, &mut Vec::new());
        }
        EventType::Gtid => drop(gtid::mysql(event.body, false)),
        EventType::AnonymousGtid => drop(gtid::mysql(event.body, true)),
        EventType::GtidTagged => drop(gtid::tagged(event.body)),
        EventType::MariaGtid => drop(gtid::mariadb(&event.header, event.body)),
        EventType::XaPrepare => drop(xa::Prepare::parse(event.body)),
        EventType::TransactionPayload => drop(payload::Payload::open(event.body)),
        EventType::Rotate
        | EventType::FormatDescription
        | EventType::Xid
        | EventType::Incident
        | EventType::Heartbeat
        | EventType::StartEncryption
        | EventType::LoadStatement(_)
        | EventType::Inside
        | EventType::Between
        | EventType::Unknown(_) => {}
    }
}

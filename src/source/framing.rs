//! Frames events: checks their checksums, follows format descriptions, and keeps track of file and offset.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::Offsets;
use super::entry::Entry;
use crate::binlog::event::{
    CHECKSUM_LEN, Event, EventType, FLAG_IN_USE, FORMAT_DESCRIPTION, FormatDescription, HEADER_LEN, Header,
};
use crate::bytes::Bytes;
use crate::exit::unreadable;
use crate::position::LogId;

/// Offset of a file's first event: after the four magic bytes.
pub const FIRST_OFFSET: u64 = 4;

/// The place of an event. Displayed as `file:start`.
#[derive(Debug, Clone)]
pub struct Place {
    pub file: Arc<str>,
    /// Offset of its first byte.
    pub start: u64,
    /// Offset after it, in 64 bits. (The header's has 32, and may be 0.)
    pub end: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.start)
    }
}

/// Frames what a source yields.
#[derive(Debug)]
pub struct Framer {
    place: Place,
    format: FormatDescription,
    offsets: Offsets,
    /// The log that the current file belongs to, once its format description was read.
    log: Option<LogId>,
    seen_format: bool,
}

impl Framer {
    /// Frames what a source yields from this place on.
    pub fn at(file: &str, offset: u64, offsets: Offsets) -> Framer {
        Framer {
            place: Place { file: file.into(), start: offset, end: offset },
            format: FormatDescription::default(),
            offsets,
            log: None,
            seen_format: false,
        }
    }

    /// The place of the last framed event.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The current format description.
    pub fn format(&self) -> &FormatDescription {
        &self.format
    }

    /// Whether a format description was read. It is the first event of a log file, and of what a server sends.
    pub fn has_format(&self) -> bool {
        self.seen_format
    }

    pub fn offsets(&self) -> Offsets {
        self.offsets
    }

    /// The log that the current file belongs to, once known.
    pub fn log(&self) -> Option<LogId> {
        self.log
    }

    /// Checks the next event and moves past it; `None` where another file begins.
    ///
    /// # Errors
    /// Exit 4 when its checksum is wrong, or it is no valid event.
    pub fn frame<'a>(&mut self, entry: Entry<'a>) -> Result<Option<Event<'a>>> {
        match entry {
            Entry::Event(raw) => self.event(raw).map(Some),
            Entry::Preamble(raw) => {
                let end = self.place.end;
                let event = self.event(raw)?;
                (self.place.start, self.place.end) = (end, end);
                Ok(Some(event))
            }
            Entry::File(name) => {
                self.enter(name, FIRST_OFFSET);
                Ok(None)
            }
        }
    }

    fn event<'a>(&mut self, raw: &'a [u8]) -> Result<Event<'a>> {
        let header = Header::parse(raw).map_err(|error| self.broken(error.0))?;
        if header.size as usize != raw.len() {
            return Err(self.broken("its length is not what its header says"));
        }
        let kind = EventType::of(header.type_byte);
        let body = raw.get(HEADER_LEN..).unwrap_or_default();
        if kind == EventType::FormatDescription {
            return self.format_description(header, raw, body);
        }
        // Before the first format description comes only the dump thread's own rotate event.
        let body = if self.format.checksum { self.checked(header, raw)? } else { body };
        let event = Event { header, body };
        if kind == EventType::Rotate {
            self.rotate(&event).map_err(|error| self.broken(&error.to_string()))?;
        } else {
            self.advance(&header, kind);
        }
        Ok(event)
    }

    /// An error about the next event.
    fn broken(&self, why: &str) -> anyhow::Error {
        unreadable(format!(
            "the event at {}:{} cannot be read: {why}. The log is damaged, or was damaged in transfer",
            self.place.file, self.place.end
        ))
    }

    fn format_description<'a>(&mut self, header: Header, raw: &'a [u8], body: &'a [u8]) -> Result<Event<'a>> {
        let format = FormatDescription::parse(body).map_err(|error| self.broken(error.0))?;
        let event = Event { header, body };
        if format.checksum {
            self.checked(header, raw)?;
        }
        self.format = format;
        // A relay log's second one describes the source's events; the first identifies the file.
        self.log.get_or_insert(LogId { created: header.timestamp, server_id: header.server_id });
        self.place.start = self.place.end;
        // A dump that begins further on sends it again; then it has no place in the file there.
        let is_own = self.place.end == FIRST_OFFSET && !header.is_artificial();
        if self.offsets == Offsets::OfFiles || is_own {
            self.place.end += u64::from(header.size);
        }
        self.seen_format = true;
        Ok(event)
    }

    /// The body without its checksum, which must be right.
    fn checked<'a>(&self, header: Header, raw: &'a [u8]) -> Result<&'a [u8]> {
        let split = raw.len().checked_sub(CHECKSUM_LEN).filter(|at| *at >= HEADER_LEN);
        let Some((event, given)) = split.and_then(|at| raw.split_at_checked(at)) else {
            return Err(self.broken("it is too short for its checksum"));
        };
        let mut hasher = crc32fast::Hasher::new();
        // The checksum does not cover the flag of a file in use, which is cleared later.
        let mut head = [0u8; HEADER_LEN];
        head.copy_from_slice(&event[..HEADER_LEN]);
        if header.type_byte == FORMAT_DESCRIPTION {
            head[17..19].copy_from_slice(&(header.flags & !FLAG_IN_USE).to_le_bytes());
        }
        hasher.update(&head);
        hasher.update(&event[HEADER_LEN..]);
        if hasher.finalize().to_le_bytes() != given {
            return Err(self.broken("its checksum is wrong"));
        }
        Ok(&event[HEADER_LEN..])
    }

    fn advance(&mut self, header: &Header, kind: EventType) {
        let of_server = self.offsets == Offsets::OfServer;
        self.place.start = self.place.end;
        if of_server && (header.is_artificial() || kind == EventType::Heartbeat) {
            return;
        }
        self.place.end += u64::from(header.size);
        if of_server && header.log_pos != 0 {
            // The server skips some events, whose bytes still count. The header's offset has 32 bits, so extend it from
            // the last offset.
            let ahead = header.log_pos.wrapping_sub(self.place.end as u32);
            if ahead < 1 << 31 {
                self.place.end += u64::from(ahead);
            }
        }
    }

    fn enter(&mut self, file: &str, offset: u64) {
        self.place = Place { file: file.into(), start: offset, end: offset };
        self.log = None;
    }

    /// A rotate event names the next file. The dump thread also makes one at its start, and after a file that a crash
    /// left without one.
    fn rotate(&mut self, event: &Event<'_>) -> Result<()> {
        let mut bytes = Bytes(event.body);
        let offset = bytes.u64().context("it ends early")?;
        self.place.start = self.place.end;
        if self.offsets == Offsets::OfFiles {
            // The next file is the next one given. (In a relay log the name may be another server's.)
            self.place.end += u64::from(event.header.size);
            return Ok(());
        }
        if !self.seen_format {
            // The first one names the requested file, on some servers with a checksum of four bytes after it.
            return Ok(());
        }
        let file = std::str::from_utf8(bytes.rest()).context("a file's name is not UTF-8")?;
        if event.header.is_artificial() && *file == *self.place.file {
            return Ok(());
        }
        self.enter(file, offset);
        Ok(())
    }
}

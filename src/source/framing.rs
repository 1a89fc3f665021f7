//! A log read event by event: checksums, format descriptions, and where in which file it stands.

use std::sync::Arc;

use anyhow::{Context, Result};

use crate::binlog::event::{
    CHECKSUM_LEN, Event, EventType, FLAG_IN_USE, FormatDescription, HEADER_LEN, Header,
};
use crate::bytes::Bytes;
use crate::exit::unreadable;

/// First offset of an event in a file: after the four magic bytes.
pub const FIRST_OFFSET: u64 = 4;

/// Type byte of a mark that a reader of files puts between events; no event of a server has it.
const MARKER: u8 = 0;

/// A mark between events: what follows stands at this offset of this file.
pub fn marker(file: &str, offset: u64) -> Vec<u8> {
    let mut mark = vec![0; HEADER_LEN];
    mark[4] = MARKER;
    mark.extend_from_slice(&offset.to_le_bytes());
    mark.extend_from_slice(file.as_bytes());
    mark
}

/// Where the reading stands.
#[derive(Debug, Clone)]
pub struct Log {
    /// The file that the next event comes from.
    pub file: Arc<str>,
    /// Where the last event began.
    pub start: u64,
    /// Offset after the last event, in 64 bits: the header's field has 32, and is 0 in places.
    pub offset: u64,
    pub format: FormatDescription,
    /// The offsets come from a file: what the events say of them may be another file's.
    of_files: bool,
    seen_format: bool,
}

impl Log {
    /// A log about to be read from an offset of a file. `of_files` for a reader of files, whose
    /// relay logs hold another server's offsets.
    pub fn at(file: &str, offset: u64, of_files: bool) -> Log {
        Log {
            file: file.into(),
            start: offset,
            offset,
            format: FormatDescription::default(),
            of_files,
            seen_format: false,
        }
    }

    /// Checks the next event and moves past it; `None` for a mark of [`marker`].
    ///
    /// # Errors
    /// Exit 4 when its checksum does not fit, or it is not an event.
    pub fn read<'a>(&mut self, raw: &'a [u8]) -> Result<Option<Event<'a>>> {
        let header = Header::parse(raw).map_err(|error| self.broken(error.0))?;
        if header.kind == MARKER {
            return self.marked(raw.get(HEADER_LEN..).unwrap_or_default()).map(|()| None);
        }
        if header.size as usize != raw.len() {
            return Err(self.broken("its length is not what its header says"));
        }
        let kind = EventType::of(header.kind);
        let body = raw.get(HEADER_LEN..).unwrap_or_default();
        if kind == EventType::FormatDescription {
            return self.format_description(header, raw, body).map(Some);
        }
        // What comes before the first format description is the dump thread's own rotate.
        let body = if self.format.checksum { self.checked(header, raw)? } else { body };
        let event = Event { header, body };
        if kind == EventType::Rotate {
            self.rotate(&event).map_err(|error| self.broken(&error.to_string()))?;
        } else {
            self.advance(&header, kind);
        }
        Ok(Some(event))
    }

    /// Whether it is read from files, whose own offsets count.
    pub fn is_of_files(&self) -> bool {
        self.of_files
    }

    /// `file:position` of the last event, for messages.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.start)
    }

    /// An error about the event that comes next.
    fn broken(&self, why: &str) -> anyhow::Error {
        unreadable(format!(
            "the event at {}:{} cannot be read: {why}. The log is damaged, or was damaged on its way",
            self.file, self.offset
        ))
    }

    fn format_description<'a>(&mut self, header: Header, raw: &'a [u8], body: &'a [u8]) -> Result<Event<'a>> {
        let format = FormatDescription::parse(body).map_err(|error| self.broken(error.0))?;
        let event = Event { header, body };
        if format.checksum {
            self.checked(header, raw)?;
        }
        self.format = format;
        self.start = self.offset;
        // Sent again for a dump that starts further on, it has no place there.
        if self.of_files || self.offset == FIRST_OFFSET && !header.is_artificial() {
            self.offset += u64::from(header.size);
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
        // The flag of a file still being written is left out: it is cleared later.
        let mut head = [0u8; HEADER_LEN];
        head.copy_from_slice(&event[..HEADER_LEN]);
        if header.kind == 15 {
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
        self.start = self.offset;
        if !self.of_files && (header.is_artificial() || kind == EventType::Heartbeat) {
            return;
        }
        self.offset += u64::from(header.size);
        if !self.of_files && header.log_pos != 0 {
            // The server leaves out events that are none of a reader's business: their bytes still
            // count. The field has 32 bits, so it counts on from the last offset.
            let ahead = header.log_pos.wrapping_sub(self.offset as u32);
            if ahead < 1 << 31 {
                self.offset += u64::from(ahead);
            }
        }
    }

    fn marked(&mut self, mark: &[u8]) -> Result<()> {
        let mut bytes = Bytes(mark);
        self.offset = bytes.u64().context("a mark ends early")?;
        self.start = self.offset;
        self.file = String::from_utf8_lossy(bytes.rest()).into();
        Ok(())
    }

    /// A file ends where the next one is named. The dump thread names one at its start as well,
    /// and where a server went down without a word.
    fn rotate(&mut self, event: &Event<'_>) -> Result<()> {
        let mut bytes = Bytes(event.body);
        let position = bytes.u64().context("it ends early")?;
        self.start = self.offset;
        if self.of_files {
            // The next file is the next that was given; in a relay log it names another server's.
            self.offset += u64::from(event.header.size);
            return Ok(());
        }
        if !self.seen_format {
            // The first one names the file that was asked for, with four bytes of a checksum
            // after the name on some servers.
            return Ok(());
        }
        let file = std::str::from_utf8(bytes.rest()).context("a file's name is not text")?;
        if event.header.is_artificial() && *file == *self.file {
            return Ok(());
        }
        self.file = file.into();
        self.offset = position;
        self.start = position;
        Ok(())
    }
}

//! Log files by their events: where a run can be stopped, and where groups begin.

use std::fs;
use std::path::{Path, PathBuf};

const HEADER_BYTES: usize = 19;
const QUERY: u8 = 2;
const XID: u8 = 16;
const XA_PREPARE: u8 = 38;
const TRANSACTION_PAYLOAD: u8 = 40;
const COMPRESSED_QUERY: u8 = 165;
/// GTID events begin a group: MySQL's three, and MariaDB's.
const GTIDS: [u8; 4] = [33, 34, 42, 162];

/// A place in the log: the number of a file, and an offset in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    pub file: usize,
    pub offset: u64,
}

#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub at: At,
    pub end: u64,
    pub kind: u8,
}

/// Log files that follow each other.
#[derive(Debug, Clone)]
pub struct Log {
    /// The names that positions call them by.
    pub names: Vec<String>,
    pub paths: Vec<PathBuf>,
    pub events: Vec<Event>,
    /// Where groups begin and end.
    pub groups: Vec<(At, At)>,
}

impl Log {
    /// Reads the files; of the last, what stands before an offset.
    pub fn read(folder: &Path, names: &[String], end: u64) -> Log {
        let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
        let mut log = Log { names: names.to_vec(), paths, events: Vec::new(), groups: Vec::new() };
        let mut begun = None;
        for file in 0..names.len() {
            let bytes = fs::read(&log.paths[file]).expect("a log file");
            let mut offset = 4;
            while offset + HEADER_BYTES <= bytes.len() && (file + 1 < names.len() || (offset as u64) < end) {
                let len = u32::from_le_bytes(bytes[offset + 9..offset + 13].try_into().unwrap()) as usize;
                let at = At { file, offset: offset as u64 };
                let event = Event { at, end: (offset + len) as u64, kind: bytes[offset + 4] };
                log.grouped(event, &bytes[offset + HEADER_BYTES..offset + len], &mut begun);
                log.events.push(event);
                offset += len;
            }
        }
        log
    }

    /// Follows groups. The ones without GTID, in MySQL 5.6, begin with BEGIN or are a statement.
    fn grouped(&mut self, event: Event, body: &[u8], begun: &mut Option<(At, bool)>) {
        let ends = |text: &[u8]| body.windows(text.len()).any(|part| part == text);
        let end = At { file: event.at.file, offset: event.end };
        if GTIDS.contains(&event.kind) {
            // MariaDB's says with a flag that a BEGIN belongs to it; it is not followed by one.
            let has_begun = event.kind == 162 && body[12] & 1 == 0;
            *begun = Some((event.at, has_begun));
            return;
        }
        let is_query = event.kind == QUERY || event.kind == COMPRESSED_QUERY;
        let inside = begun.is_some_and(|(_, inside)| inside);
        let over = match event.kind {
            QUERY if !inside && (ends(b"\0BEGIN") || ends(b"\0XA START")) => {
                *begun = Some((begun.map_or(event.at, |(start, _)| start), true));
                false
            }
            QUERY | COMPRESSED_QUERY if inside => {
                let decides =
                    [&b"\0COMMIT"[..], b"\0XA COMMIT", b"\0XA ROLLBACK"].iter().any(|text| ends(text));
                decides || ends(b"\0ROLLBACK") && !ends(b"ROLLBACK TO")
            }
            XID | XA_PREPARE | TRANSACTION_PAYLOAD => true,
            _ => is_query && !inside,
        };
        if over {
            self.groups.push((begun.map_or(event.at, |(start, _)| start), end));
            *begun = None;
        }
    }

    pub fn text(&self, at: At) -> String {
        format!("{}:{}", self.names[at.file], at.offset)
    }

    pub fn place(&self, file: &str, offset: u64) -> At {
        let number = self.names.iter().position(|name| name == file);
        At { file: number.unwrap_or_else(|| panic!("no file {file} in {:?}", self.names)), offset }
    }

    /// Every place where an event begins or ends.
    pub fn places(&self) -> Vec<At> {
        let mut places: Vec<At> = Vec::new();
        for event in &self.events {
            places.push(event.at);
            places.push(At { file: event.at.file, offset: event.end });
        }
        places.sort();
        places.dedup();
        places
    }

    /// Whether a group begins or ends there, or it is outside of all.
    pub fn is_outside(&self, at: At) -> bool {
        self.groups.iter().all(|(start, end)| at <= *start || at >= *end)
    }

    /// The same files under other names, in a folder.
    pub fn renamed(&self, folder: &Path, names: &[String]) -> Log {
        let mut paths = Vec::new();
        for (path, name) in self.paths.iter().zip(names) {
            let to = folder.join(name);
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::copy(path, &to).expect("a copy");
            paths.push(to);
        }
        let base = |name: &String| name.rsplit('/').next().unwrap_or(name).to_string();
        Log { names: names.iter().map(base).collect(), paths, ..self.clone() }
    }
}

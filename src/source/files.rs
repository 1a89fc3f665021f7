//! Events from log files on disk, or from standard input: no server is asked.
//!
//! The offsets of a relay log's events are another server's, and a replica's own events stand between
//! them: here the file's own offsets count.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::event_queue::KEEP_BYTES;
use super::framing::{FIRST_OFFSET, marker};
use super::{Events, Mode, Source};
use crate::binlog::event::{EventType, HEADER_LEN, Header};
use crate::exit::{io_error, unavailable, unreadable};

/// What a log file begins with, and what an encrypted one of MySQL 8.0 does.
const MAGIC: [u8; 4] = [0xfe, b'b', b'i', b'n'];
const MAGIC_ENCRYPTED: [u8; 4] = [0xfd, b'b', b'i', b'n'];
/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// No event is larger than the largest packet.
const MAX_EVENT_BYTES: u32 = 1 << 30;

/// Log files, in the order to read them.
#[derive(Debug)]
pub struct Files {
    paths: Vec<PathBuf>,
}

/// The name that a log file goes by in positions: its last part; `-` is standard input.
pub fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

impl Files {
    pub fn new(paths: Vec<PathBuf>) -> Files {
        Files { paths }
    }

    /// The first file's name.
    pub fn first(&self) -> String {
        self.paths.first().map(|path| name_of(path)).unwrap_or_default()
    }
}

impl Source for Files {
    fn begin(&mut self, file: &str, offset: u64, _mode: Mode) -> Result<Box<dyn Events>> {
        let at = self.paths.iter().position(|path| name_of(path) == file).ok_or_else(|| {
            unavailable(format!(
                "the position is of {file}, which is not among the files given with --binlog"
            ))
        })?;
        if offset > FIRST_OFFSET && is_stdin(&self.paths[at]) {
            return Err(unavailable("standard input cannot be read from the middle, or twice: give files"));
        }
        let events = FileEvents {
            waiting: self.paths[at..].iter().rev().cloned().collect(),
            open: None,
            begin_at: offset.max(FIRST_OFFSET),
            event: Vec::new(),
        };
        Ok(Box::new(events))
    }

    fn files_up_to(&mut self, file: &str) -> Result<Vec<String>> {
        let mut names: Vec<String> = self.paths.iter().map(|path| name_of(path)).collect();
        if let Some(at) = names.iter().position(|other| other == file) {
            names.truncate(at + 1);
        }
        Ok(names)
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The files, read one after the other.
struct FileEvents {
    /// Last one first.
    waiting: Vec<PathBuf>,
    open: Option<Open>,
    /// Where to begin in the first file.
    begin_at: u64,
    event: Vec<u8>,
}

/// The file being read.
struct Open {
    name: String,
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    offset: u64,
}

impl Events for FileEvents {
    fn next(&mut self, take: &mut dyn FnMut(&[&[u8]]) -> bool) -> Result<bool> {
        let Some(open) = &mut self.open else {
            let Some(path) = self.waiting.pop() else { return Ok(false) };
            let begin_at = std::mem::replace(&mut self.begin_at, FIRST_OFFSET);
            self.open = Some(Open::begin(path, begin_at, take)?);
            return Ok(true);
        };
        if !open.read(&mut self.event)? {
            self.open = None;
            return Ok(true);
        }
        take(&[&self.event]);
        if self.event.capacity() > KEEP_BYTES {
            self.event = Vec::new();
        }
        Ok(true)
    }
}

impl Open {
    /// Opens a file and hands over a mark that names it. If it is to be read from further on, the format
    /// descriptions before that are handed over too.
    fn begin(path: PathBuf, offset: u64, take: &mut dyn FnMut(&[&[u8]]) -> bool) -> Result<Open> {
        let name = name_of(&path);
        let mut open = match is_stdin(&path) {
            true => Open {
                name,
                path,
                reader: Box::new(BufReader::with_capacity(BUFFER_BYTES, std::io::stdin())),
                offset: 0,
            },
            false => {
                let file = File::open(&path).map_err(|error| io_error("open", &path, error))?;
                Open { name, path, reader: Box::new(BufReader::with_capacity(BUFFER_BYTES, file)), offset: 0 }
            }
        };
        open.check_magic()?;
        take(&[&marker(&open.name, FIRST_OFFSET)]);
        if offset == FIRST_OFFSET {
            return Ok(open);
        }
        let mut event = Vec::new();
        while open.offset < offset && open.read(&mut event)? {
            let kind = Header::parse(&event).map(|header| EventType::of(header.kind));
            if kind == Ok(EventType::FormatDescription) {
                take(&[&event]);
            }
        }
        if open.offset != offset {
            return Err(unavailable(format!("{}:{offset} is not where an event begins", open.name)));
        }
        take(&[&marker(&open.name, offset)]);
        Ok(open)
    }

    fn check_magic(&mut self) -> Result<()> {
        let mut magic = [0; 4];
        let read = self.fill(&mut magic)?;
        self.offset = FIRST_OFFSET;
        match magic {
            MAGIC if read == 4 => Ok(()),
            MAGIC_ENCRYPTED if read == 4 => Err(unreadable(format!(
                "{} is encrypted (binlog_encryption): let the server decrypt it, by reading from it",
                self.path.display()
            ))),
            _ => Err(unreadable(format!("{} is not a binary log", self.path.display()))),
        }
    }

    /// Reads the next event; false at the end of the file.
    fn read(&mut self, event: &mut Vec<u8>) -> Result<bool> {
        let mut head = [0; HEADER_LEN];
        match self.fill(&mut head)? {
            0 => return Ok(false),
            HEADER_LEN => {}
            _ => return Err(self.cut()),
        }
        let header = Header::parse(&head).map_err(|why| unreadable(why.0))?;
        if header.kind == 0 || (header.size as usize) < HEADER_LEN || header.size > MAX_EVENT_BYTES {
            return Err(unreadable(format!(
                "{}:{} is not an event: the file is damaged, or encrypted",
                self.name, self.offset
            )));
        }
        let len = header.size as usize - HEADER_LEN;
        event.clear();
        event.extend_from_slice(&head);
        let read = (&mut self.reader).take(len as u64).read_to_end(event);
        let read = read.map_err(|error| io_error("read", &self.path, error))?;
        if read < len {
            return Err(self.cut());
        }
        self.offset += u64::from(header.size);
        Ok(true)
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < into.len() {
            match self.reader.read(&mut into[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(io_error("read", &self.path, error)),
            }
        }
        Ok(filled)
    }

    fn cut(&self) -> anyhow::Error {
        unreadable(format!(
            "{} is cut short: it ends in the middle of the event at {}. What stands before is printed",
            self.path.display(),
            self.offset
        ))
    }
}

//! Reads events from log files on disk, or from standard input.
//!
//! In a relay log, headers have another server's offsets, and some events are the replica's own. So offsets are counted
//! in the file's bytes.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

use super::entry::Sink;
use super::event_queue::MAX_KEPT_BYTES;
use super::framing::FIRST_OFFSET;
use super::{Events, Mode, Offsets, Source};
use crate::binlog::event::{EventType, HEADER_LEN, Header};
use crate::exit::{io_error, unavailable, unreadable, usage};

/// The first bytes of a log file, and of one encrypted by MySQL 8.0.
const MAGIC: [u8; 4] = [0xfe, b'b', b'i', b'n'];
const MAGIC_ENCRYPTED: [u8; 4] = [0xfd, b'b', b'i', b'n'];
/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// No event is larger than the largest packet.
const MAX_EVENT_BYTES: u32 = 1 << 30;

/// Log files, in reading order.
#[derive(Debug)]
pub struct LogFiles {
    paths: Vec<PathBuf>,
    indexes: Indexes,
    opened: Opened,
    /// The number of the first pipe that the main reading takes from its beginning. It cannot be read again.
    first_pipe: Option<usize>,
}

/// The pipes that were opened: each only once, since a second reader would take bytes from the first. The reading threads
/// share it.
type Opened = Arc<Mutex<HashSet<PathBuf>>>;

/// Indexes of the files, which the reading threads share.
type Indexes = Arc<Mutex<HashMap<PathBuf, Index>>>;

/// A log file's name in positions: the last part of its path; `-` is standard input.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A name as a server gives it: a base, and the file's number.
fn numbered(name: &str) -> Option<(&str, u64)> {
    let (base, number) = name.rsplit_once('.')?;
    Some((base, number.parse().ok()?))
}

impl LogFiles {
    /// # Errors
    /// Exit 2 when two files have the same name: a position would be ambiguous.
    pub fn new(paths: Vec<PathBuf>) -> Result<LogFiles> {
        let files =
            LogFiles { paths, indexes: Indexes::default(), opened: Opened::default(), first_pipe: None };
        let names = files.names();
        for (i, name) in names.iter().enumerate() {
            if let Some(first) = names[..i].iter().position(|other| other == name) {
                let [first, second] = [&files.paths[first], &files.paths[i]].map(|path| path.display());
                return Err(usage(format!(
                    "--binlog: {first} and {second} are both called {name}, so positions would be ambiguous: rename \
                     one, or read them in two runs"
                )));
            }
        }
        Ok(files)
    }

    /// Warnings about files that a server did not write one after the other.
    pub fn gaps(&self) -> Vec<String> {
        let names = self.names();
        let pairs = names.iter().zip(names.iter().skip(1));
        let gaps = pairs.filter(|(one, next)| match (numbered(one), numbered(next)) {
            (Some((base, number)), Some((other, after))) => {
                base == other && number.checked_add(1) != Some(after)
            }
            _ => false,
        });
        gaps.map(|(one, next)| {
            format!(
                "--binlog: {next} does not follow {one} in the server's log: changes of files that are left out are not \
                 printed, and those of files in another order are printed in that order"
            )
        })
        .collect()
    }

    /// Their names, in order.
    pub fn names(&self) -> Vec<String> {
        self.paths.iter().map(|path| name_of(path)).collect()
    }
}

impl Source for LogFiles {
    fn begin(&mut self, file: &str, offset: u64, mode: Mode) -> Result<Box<dyn Events>> {
        let at = self.paths.iter().position(|path| name_of(path) == file).ok_or_else(|| {
            unavailable(format!(
                "the position is in {file}, which is not among the files given with --binlog"
            ))
        })?;
        if offset < FIRST_OFFSET {
            return Err(unavailable(format!(
                "{file}:{offset} is before the first event of a log file, which is at 4"
            )));
        }
        if offset > FIRST_OFFSET && is_stdin(&self.paths[at]) {
            return Err(read_already(&self.paths[at]));
        }
        if mode == Mode::Follow {
            let whole = at + usize::from(offset > FIRST_OFFSET);
            self.first_pipe = (whole..self.paths.len()).find(|i| is_pipe(&self.paths[*i]));
        }
        let events = FileEvents {
            waiting: self.paths[at..].iter().rev().cloned().collect(),
            next: None,
            open: None,
            begin_at: Some(offset),
            indexes: self.indexes.clone(),
            opened: self.opened.clone(),
            event: Vec::new(),
        };
        Ok(Box::new(events))
    }

    fn files_up_to(&mut self, file: &str) -> Result<Vec<String>> {
        let mut names = self.names();
        names.truncate(self.first_pipe.unwrap_or(names.len()));
        if let Some(at) = names.iter().position(|other| other == file) {
            names.truncate(at + 1);
        }
        Ok(names)
    }

    fn can_read_again(&self, file: &str) -> bool {
        self.first_pipe.is_none_or(|first| self.paths.iter().take(first).any(|path| name_of(path) == file))
    }

    fn can_read_ahead(&self) -> bool {
        !self.paths.iter().any(|path| is_pipe(path))
    }

    fn offsets(&self) -> Offsets {
        Offsets::OfFiles
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether a file is read while it is written, as standard input or `<(…)` is. Of a path that cannot be opened, that says
/// so.
fn is_pipe(path: &Path) -> bool {
    is_stdin(path) || std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

fn read_already(path: &Path) -> anyhow::Error {
    let what = match is_stdin(path) {
        true => "standard input".to_string(),
        false => path.display().to_string(),
    };
    unavailable(format!("{what} cannot be read from the middle, or twice: give files"))
}

/// The files, read one after the other.
struct FileEvents {
    /// The files to come, last one first.
    waiting: Vec<PathBuf>,
    /// The next file, whose name was handed over. It is opened only if events of it are asked for.
    next: Option<PathBuf>,
    open: Option<Open>,
    /// The offset to begin at in the first file, until it is opened.
    begin_at: Option<u64>,
    indexes: Indexes,
    opened: Opened,
    event: Vec<u8>,
}

/// Where events of a file begin, as far as the file was read. It speeds up reading from the middle, for prepared
/// transactions, of which there may be many.
#[derive(Debug, Default)]
struct Index {
    /// Some of these offsets, in order.
    offsets: Vec<u64>,
    /// Format descriptions, and where each begins.
    formats: Vec<(u64, Vec<u8>)>,
}

/// Bytes between two offsets of an index.
const INDEX_STEP_BYTES: u64 = 1 << 20;

impl Index {
    /// The last known offset at or before this one.
    fn last_before(&self, offset: u64) -> u64 {
        let at = self.offsets.partition_point(|known| *known <= offset);
        at.checked_sub(1).and_then(|at| self.offsets.get(at)).copied().unwrap_or(FIRST_OFFSET)
    }

    /// An event begins here.
    fn add(&mut self, offset: u64) {
        if offset >= self.offsets.last().copied().unwrap_or(FIRST_OFFSET) + INDEX_STEP_BYTES {
            self.offsets.push(offset);
        }
    }

    /// This format description ends at an offset.
    fn add_format(&mut self, end: u64, event: &[u8]) {
        let start = end - event.len() as u64;
        if self.formats.last().is_none_or(|(last, _)| *last < start) {
            self.formats.push((start, event.to_vec()));
        }
    }
}

/// The file being read.
struct Open {
    name: String,
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    offset: u64,
}

impl Events for FileEvents {
    fn next(&mut self, sink: &mut dyn Sink) -> Result<bool> {
        let Some(open) = &mut self.open else {
            if let Some(path) = self.next.take() {
                self.open = Some(Open::new(path, &self.opened)?);
                return Ok(true);
            }
            let Some(path) = self.waiting.pop() else { return Ok(false) };
            match self.begin_at.take() {
                Some(offset) => {
                    let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
                    let index = indexes.entry(path.clone()).or_default();
                    self.open = Some(Open::in_middle(path, offset, index, &self.opened, sink)?);
                }
                None => {
                    sink.file(&name_of(&path));
                    self.next = Some(path);
                }
            }
            return Ok(true);
        };
        if !open.read(&mut self.event)? {
            self.open = None;
            return Ok(true);
        }
        sink.event(&[&self.event]);
        if self.event.capacity() > MAX_KEPT_BYTES {
            self.event = Vec::new();
        }
        Ok(true)
    }
}

impl Open {
    /// Opens a file at its first event.
    ///
    /// # Errors
    /// Exit 3 when it is a pipe that was opened before.
    fn new(path: PathBuf, opened: &Opened) -> Result<Open> {
        let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
        if is_pipe(&path) && !opened.insert(path.clone()) {
            return Err(read_already(&path));
        }
        drop(opened);
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
        Ok(open)
    }

    /// Opens a file in the middle. The format descriptions before the offset go to `sink`.
    fn in_middle(
        path: PathBuf,
        offset: u64,
        index: &mut Index,
        opened: &Opened,
        sink: &mut dyn Sink,
    ) -> Result<Open> {
        let mut open = Open::new(path, opened)?;
        let from = index.last_before(offset);
        if from > FIRST_OFFSET {
            open.go_to(from)?;
        }
        index.formats.iter().filter(|(at, _)| *at < from).for_each(|(_, event)| sink.preamble(event));
        let mut event = Vec::new();
        while open.offset < offset && open.read(&mut event)? {
            let kind = Header::parse(&event).map(|header| EventType::of(header.type_byte));
            if kind == Ok(EventType::FormatDescription) {
                sink.preamble(&event);
                index.add_format(open.offset, &event);
            }
            index.add(open.offset);
        }
        if open.offset != offset {
            return Err(unavailable(format!("{}:{offset} is not where an event begins", open.name)));
        }
        Ok(open)
    }

    fn go_to(&mut self, offset: u64) -> Result<()> {
        let failed = |error| io_error("read", &self.path, error);
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        self.reader = Box::new(BufReader::with_capacity(BUFFER_BYTES, file));
        self.offset = offset;
        Ok(())
    }

    fn check_magic(&mut self) -> Result<()> {
        let mut magic = [0; 4];
        let read = self.fill(&mut magic)?;
        self.offset = FIRST_OFFSET;
        match magic {
            MAGIC if read == 4 => Ok(()),
            MAGIC_ENCRYPTED if read == 4 => Err(unreadable(format!(
                "{} is encrypted (binlog_encryption): read it from the server, which decrypts it",
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
        if (header.size as usize) < HEADER_LEN || header.size > MAX_EVENT_BYTES {
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
            "{} is cut short: it ends inside the event at {}. Everything before is printed",
            self.path.display(),
            self.offset
        ))
    }
}

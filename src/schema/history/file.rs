//! The file of a schema history: opened and locked, appended to, made durable.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use anyhow::{Result, anyhow};

use super::line;
use crate::exit::{io_error, usage};
use crate::position::SaveFile;

/// How often to open the file again when a compaction replaced it meanwhile.
const TRIES: u32 = 10;

#[derive(Debug)]
pub struct HistoryFile {
    /// `None` as long as there is none: it is made with its first lines.
    file: Option<File>,
    /// `None` for a reader.
    target: Option<SaveFile>,
    /// The path, for messages.
    path: std::path::PathBuf,
    /// Bytes in the file.
    length: u64,
    /// Lines to be appended.
    buffer: Vec<u8>,
}

impl HistoryFile {
    /// Opens a file to append to, which need not exist, and locks it.
    ///
    /// # Errors
    /// Exit 2 when it cannot be written, or is no regular file; exit 1 when another process appends to it.
    pub fn for_appending(flag: &str, path: &Path) -> Result<HistoryFile> {
        let target = SaveFile::of_flag(flag, path)?;
        let file = open_locked(&target, false)?;
        Ok(HistoryFile {
            file,
            path: path.to_path_buf(),
            target: Some(target),
            length: 0,
            buffer: Vec::new(),
        })
    }

    /// Opens a file to be read only; another process may append to it.
    ///
    /// # Errors
    /// Exit 2 when it cannot be read.
    pub fn for_reading(path: &Path) -> Result<HistoryFile> {
        let bad = |why: String| usage(format!("cannot read the schema history {}: {why}", path.display()));
        // Opening a pipe would wait.
        match fs::metadata(path) {
            Ok(meta) if meta.is_file() => {}
            Ok(_) => return Err(bad("it is not a regular file".into())),
            Err(error) => return Err(bad(error.to_string())),
        }
        let file = File::open(path).map_err(|error| bad(error.to_string()))?;
        let path = path.to_path_buf();
        Ok(HistoryFile { file: Some(file), target: None, path, length: 0, buffer: Vec::new() })
    }

    /// Calls `each` with the number, the offset and the bytes of each line but the first, and cuts off what a crash left
    /// of a last one.
    ///
    /// # Errors
    /// Exit 2 when it is no schema history, or `each` does not accept a line.
    pub fn scan(&mut self, mut each: impl FnMut(u64, u64, &[u8]) -> bool) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let failed = |error| io_error("read", &self.path, error);
        let bad = |why: String| usage(format!("{}: {why}", self.path.display()));
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let (mut line, mut number, mut offset) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line).map_err(failed)? as u64;
            if line.last() != Some(&b'\n') {
                break;
            }
            number += 1;
            if number == 1 {
                line::check_header(&line).map_err(bad)?;
            } else if !each(number, offset, &line) {
                return Err(damaged(&self.path, number));
            }
            offset += length;
        }
        if number == 0 && !line::is_torn_header(&line) {
            return Err(bad("it is not a schema history of dumpa".into()));
        }
        if !line.is_empty() && self.target.is_some() {
            file.set_len(offset)
                .map_err(|error| io_error("cut off the torn last line of", &self.path, error))?;
        }
        self.length = offset;
        Ok(())
    }

    /// Adds a line, which [`HistoryFile::sync`] writes. Returns its offset.
    pub fn append(&mut self, line: &str) -> u64 {
        if self.length == 0 && self.buffer.is_empty() {
            self.buffer.extend_from_slice(line::header().as_bytes());
        }
        let offset = self.length + self.buffer.len() as u64;
        self.buffer.extend_from_slice(line.as_bytes());
        offset
    }

    /// Makes the lines durable.
    pub fn sync(&mut self) -> Result<()> {
        let Some(target) = self.target.as_ref().filter(|_| !self.buffer.is_empty()) else { return Ok(()) };
        let failed = |error| io_error("write the schema history", &self.path, error);
        if self.file.is_none() {
            let file = open_locked(target, true)?.ok_or_else(|| failed(ErrorKind::NotFound.into()))?;
            if file.metadata().map_err(failed)?.len() > 0 {
                // Another run made it, and has ended since.
                return Err(in_use(&self.path));
            }
            target.sync_name()?;
            self.file = Some(file);
        }
        let Some(file) = &self.file else { return Ok(()) };
        let written = file.write_all_at(&self.buffer, self.length).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // A torn line would be cut off, too, when it is opened next.
            let _ = file.set_len(self.length);
            return Err(failed(error));
        }
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// The bytes of a line.
    pub fn line(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut line = vec![0; length];
        if let Some(start) = offset.checked_sub(self.length) {
            let buffered = self.buffer.get(start as usize..).and_then(|rest| rest.get(..length));
            return buffered.map(<[u8]>::to_vec).ok_or(ErrorKind::UnexpectedEof.into());
        }
        let file = self.file.as_ref().ok_or(ErrorKind::NotFound)?;
        file.read_exact_at(&mut line, offset)?;
        Ok(line)
    }

    /// Replaces the file by these lines. Whoever opens it meanwhile finds it locked.
    pub fn replace(&mut self, lines: &[u8]) -> Result<()> {
        let Some(target) = &self.target else { return Ok(()) };
        let file = target.replace("the schema history", |file| {
            file.try_lock()?;
            file.write_all_at(lines, 0)
        })?;
        self.file = Some(file);
        Ok(())
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    /// Where it is, behind symbolic links; `None` for a reader.
    pub fn target(&self) -> Option<&Path> {
        self.target.as_ref().map(SaveFile::path)
    }

    /// As given.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The error of a line that cannot be read.
pub fn damaged(path: &Path, number: u64) -> anyhow::Error {
    usage(format!(
        "{}: line {number} is damaged: it is no line of a schema history. Restore the file, or remove it and load again",
        path.display()
    ))
}

fn in_use(path: &Path) -> anyhow::Error {
    anyhow!("{}: another process keeps this schema history: give each its own with --schema", path.display())
}

/// `None` if there is no such file and it is not to be made.
fn open_locked(target: &SaveFile, create: bool) -> Result<Option<File>> {
    let path = target.path();
    for _ in 0..TRIES {
        let mut options = OpenOptions::new();
        let file = match options.read(true).write(true).create(create).truncate(false).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound && !create => return Ok(None),
            Err(error) => {
                return Err(usage(format!("cannot open the schema history {}: {error}", path.display())));
            }
            Ok(file) => file,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(path)),
            Err(TryLockError::Error(error)) => return Err(io_error("lock", path, error)),
        }
        let own = file.metadata().map_err(|error| io_error("read", path, error))?;
        // Between opening and locking, a compaction may have replaced it.
        if fs::metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == (own.dev(), own.ino())) {
            return Ok(Some(file));
        }
    }
    Err(in_use(path))
}

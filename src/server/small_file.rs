//! Reads files that should be small: passwords, options, certificates. A wrong file could be endless (`/dev/zero`), so there
//! are limits.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// More than any certificate bundle.
const MAX_BYTES: u64 = 16 << 20;
/// More than any server's longest password.
const MAX_LINE_BYTES: u64 = 64 << 10;

/// Reads a file.
///
/// # Errors
/// Also when it is too large.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Reads the first line, without its end, and does not wait for more.
///
/// # Errors
/// Also when it is too long.
pub fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(File::open(path)?).take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut line)?;
    if line.len() as u64 > MAX_LINE_BYTES {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "its first line is longer than 64 KiB"));
    }
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    Ok(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

/// Checks that a file is regular and small, so that it can be read whole several times.
///
/// # Errors
/// Why not.
pub fn check(path: &Path) -> io::Result<()> {
    File::open(path)?;
    let meta = fs::metadata(path)?;
    if !meta.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    if meta.len() > MAX_BYTES { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> io::Error {
    io::Error::new(ErrorKind::FileTooLarge, "it is larger than 16 MiB")
}

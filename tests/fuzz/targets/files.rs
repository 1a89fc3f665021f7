//! Files that hold an input: one for each thread, reused, on a file system in memory if there is one.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = TempDir::with_prefix_in("dumpa-fuzz-", "/dev/shm")
        .or_else(|_| TempDir::with_prefix("dumpa-fuzz-"))
        .expect("a temporary folder");
}

/// The path of a file of this name, which may not be there.
pub fn path(name: &str) -> PathBuf {
    FOLDER.with(|folder| folder.path().join(name))
}

/// Writes a file of this name.
pub fn write(name: &str, parts: &[&[u8]]) -> PathBuf {
    let path = path(name);
    let mut file = File::create(&path).expect("a temporary file");
    for part in parts {
        file.write_all(part).expect("a temporary file is written");
    }
    path
}

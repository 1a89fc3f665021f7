//! Files that are replaced at once, such as the one of `--save`: at any moment, even after a crash, it holds either the old
//! position or the new one.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::stat::fstat;
use tempfile::NamedTempFile;

use super::Position;
use crate::exit::{io_error, usage};

/// Linux follows as many symbolic links.
const MAX_LINKS: usize = 40;
/// A new file's permissions before the umask.
const NEW_MODE: u32 = 0o666;

/// A file that the run will write, checked before it begins.
#[derive(Debug)]
pub struct SaveFile {
    path: PathBuf,
    /// The flag and the path as given, for messages.
    given: String,
}

impl SaveFile {
    /// The file of `--save`.
    ///
    /// # Errors
    /// Exit 2 when nothing can be saved there.
    pub fn new(path: &Path) -> Result<SaveFile> {
        Self::of_flag("--save", path)
    }

    /// # Errors
    /// As [`SaveFile::new`].
    pub fn of_flag(flag: &str, path: &Path) -> Result<SaveFile> {
        let given = format!("{flag} {}", path.display());
        let bad = |why: &str| usage(format!("{given}: {why}"));
        let path = follow_links(path).map_err(|error| bad(&error.to_string()))?;
        let save = SaveFile { path, given: given.clone() };
        let existing = fs::metadata(&save.path).ok();
        if existing.as_ref().is_some_and(|existing| !existing.is_file()) {
            return Err(bad("it is not a regular file"));
        }
        if save.path.file_name().is_none() {
            return Err(bad("it names no file"));
        }
        if let Some(stream) = existing.as_ref().and_then(stream_of) {
            return Err(bad(&format!("{stream} goes to the same file, which would be replaced")));
        }
        // Better to fail now than after an hour. The temporary file is removed at once.
        save.temporary(existing.as_ref()).map_err(|error| bad(&format!("cannot write there: {error}")))?;
        save.sync_folder().map_err(|error| {
            let folder = save.folder().display();
            bad(&format!(
                "cannot write the folder {folder} to disk, which needs permission to read it: {error}"
            ))
        })?;
        Ok(save)
    }

    /// # Errors
    /// Exit 2 when one of these files, which the run reads, is the one that would be replaced.
    pub fn differs_from(&self, read: &[PathBuf]) -> Result<()> {
        let Ok(own) = fs::metadata(&self.path) else { return Ok(()) };
        let is_own = |path: &&PathBuf| {
            let path = if path.as_os_str() == "-" { Path::new("/dev/stdin") } else { path };
            fs::metadata(path).is_ok_and(|file| (file.dev(), file.ino()) == (own.dev(), own.ino()))
        };
        match read.iter().find(is_own) {
            None => Ok(()),
            Some(path) => Err(usage(format!(
                "{}: it would replace {}, which is read with --binlog",
                self.given,
                path.display()
            ))),
        }
    }

    /// Replaces the file by this position.
    pub fn save(&self, position: &Position) -> Result<()> {
        let mut line = position.to_json().to_string();
        line.push('\n');
        self.replace("the position", |file| file.write_all(line.as_bytes())).map(drop)
    }

    /// Replaces the file by what is written, called `what` in messages.
    pub fn replace(&self, what: &str, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<File> {
        let fail = |doing: String| move |error| io_error(&doing, &self.path, error);
        let existing = fs::metadata(&self.path).ok();
        let mut file = self.temporary(existing.as_ref()).map_err(fail(format!("save {what} to")))?;
        write(file.as_file_mut()).map_err(fail(format!("write {what} to")))?;
        file.as_file().sync_all().map_err(fail(format!("write {what} to disk for")))?;
        let file = file.persist(&self.path).map_err(|error| fail("replace".into())(error.error))?;
        // The new name is part of the folder, which needs a sync of its own.
        self.sync_name()?;
        Ok(file)
    }

    /// Makes a new file's name durable: it is part of the folder.
    pub fn sync_name(&self) -> Result<()> {
        self.sync_folder()
            .with_context(|| format!("cannot write the folder {} to disk", self.folder().display()))
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(self.folder())?.sync_all()
    }

    /// Where the file is, or will be, behind symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A temporary file with the permissions of the file it will replace, and its owner if allowed. Removed when dropped.
    fn temporary(&self, existing: Option<&Metadata>) -> io::Result<NamedTempFile> {
        let mode = existing.map_or(NEW_MODE, |existing| existing.mode() & 0o7777);
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let file = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".tmp")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(self.folder())?;
        if let Some(existing) = existing {
            let (uid, gid) = (existing.uid(), existing.gid());
            if fchown(&file, Some(uid), Some(gid)).is_err() {
                // Only root may change a file's owner. Other users may change the group to one of their own.
                let _ = fchown(&file, None, Some(gid));
            }
            // The umask may have removed some bits.
            file.as_file().set_permissions(Permissions::from_mode(mode))?;
        }
        Ok(file)
    }

    fn folder(&self) -> &Path {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new("."))
    }
}

/// The final target of symbolic links, existing or not: the target is replaced, not the link.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match fs::canonicalize(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found,
        }
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(io::Error::other("too many links"))
}

/// The standard stream that goes to this file, if one does.
fn stream_of(file: &Metadata) -> Option<&'static str> {
    let is_same = |stream: &dyn AsFd| {
        fstat(stream.as_fd()).is_ok_and(|stat| (stat.st_dev, stat.st_ino) == (file.dev(), file.ino()))
    };
    if is_same(&io::stdout()) {
        return Some("stdout");
    }
    is_same(&io::stderr()).then_some("stderr")
}

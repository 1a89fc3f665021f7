//! The option files of the MySQL family: `/etc/my.cnf`, `~/.my.cnf` and what they include.
//!
//! Other programs share them, so unknown options in `[client]` are ignored; in `[dumpa]` they are an error.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::settings::{Layer, Password, Protocol, TlsMode, parse_timeout};
use super::small_file;
use crate::exit;

/// As deep as `mysql` follows `!include`.
const MAX_DEPTH: usize = 10;
/// Limit of files in total: files that include each other could multiply without end.
const MAX_FILES: usize = 1000;

/// The option files to read, in this order: later settings replace earlier ones.
#[derive(Debug, Clone, Default)]
pub struct OptionFiles {
    /// Read if they exist.
    pub before: Vec<PathBuf>,
    /// Named on the command line, so it must exist.
    pub required: Option<PathBuf>,
    /// Read if they exist.
    pub after: Vec<PathBuf>,
}

/// All settings of these files.
///
/// # Errors
/// A usage error (exit 2) naming file and line.
pub fn read(files: &OptionFiles, warnings: &mut Vec<String>) -> Result<Layer> {
    let mut reader = Reader { layer: Layer::default(), warnings, files_read: 0 };
    for path in &files.before {
        reader.file(path, false, 0)?;
    }
    if let Some(path) = &files.required {
        reader.file(path, true, 0)?;
    }
    for path in &files.after {
        reader.file(path, false, 0)?;
    }
    Ok(reader.layer)
}

struct Reader<'a> {
    layer: Layer,
    warnings: &'a mut Vec<String>,
    files_read: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// Before any group, where an option is an error.
    None,
    /// Another program's.
    Foreign,
    Client,
    Dumpa,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, required: bool, depth: usize) -> Result<()> {
        let text = match read_text(path) {
            Ok(Some(text)) => text,
            Ok(None) if !required => return Ok(()),
            Ok(None) => {
                return Err(exit::usage(format!("the option file {} does not exist", path.display())));
            }
            Err(why) if required => {
                return Err(exit::usage(format!("the option file {} {why}", path.display())));
            }
            Err(why) => {
                self.warnings.push(format!("the option file {} is ignored: it {why}", path.display()));
                return Ok(());
            }
        };
        self.files_read += 1;
        if self.files_read > MAX_FILES {
            let message = format!("{} is one of more than {MAX_FILES} option files", path.display());
            return Err(exit::usage(message));
        }
        let mut group = Group::None;
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}", path.display(), number + 1);
            self.line(line, &place, &mut group, depth)?;
        }
        Ok(())
    }

    fn line(&mut self, line: &str, place: &str, group: &mut Group, depth: usize) -> Result<()> {
        match parse(line).map_err(|why| exit::usage(format!("{place}: {why}")))? {
            Line::Blank => {}
            Line::Group("client" | "client-server" | "client-mariadb") => *group = Group::Client,
            Line::Group("dumpa") => *group = Group::Dumpa,
            Line::Group(_) => *group = Group::Foreign,
            Line::Include(_) | Line::IncludeDir(_) if depth >= MAX_DEPTH => {
                return Err(exit::usage(format!(
                    "{place}: includes are nested deeper than {MAX_DEPTH} files"
                )));
            }
            Line::Include(path) => {
                let path = Path::new(path);
                if !path.exists() {
                    self.warnings.push(format!("{place}: the option file {} does not exist", path.display()));
                }
                self.file(path, false, depth + 1)?;
            }
            Line::IncludeDir(dir) => {
                for path in self.folder(dir, place) {
                    self.file(&path, false, depth + 1)?;
                }
            }
            Line::Setting(key, value) => match group {
                Group::None => {
                    return Err(exit::usage(format!("{place}: the option {key} comes before any [group]")));
                }
                Group::Foreign => {}
                Group::Client | Group::Dumpa => self.setting(&key, value, place, *group == Group::Dumpa)?,
            },
        }
        Ok(())
    }

    /// The option files of a folder, sorted by name.
    fn folder(&mut self, dir: &str, place: &str) -> Vec<PathBuf> {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) => {
                self.warnings.push(format!("{place}: cannot read the folder {dir}: {error}"));
                return Vec::new();
            }
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "cnf"))
            .collect();
        paths.sort();
        paths
    }

    fn setting(&mut self, key: &str, value: Option<String>, place: &str, own: bool) -> Result<()> {
        let (key, loose) = match key.strip_prefix("loose-") {
            Some(key) => (key, true),
            None => (key, false),
        };
        match apply(&mut self.layer, key, value, own) {
            Ok(Applied::Yes) => Ok(()),
            Ok(Applied::Prompt) => {
                self.warnings.push(format!(
                    "{place}: `password` without a value asks to be prompted for it, which dumpa never does"
                ));
                Ok(())
            }
            Ok(Applied::No) if own && !loose => Err(exit::usage(format!(
                "{place}: [dumpa] has no option {key}; there are {}",
                KEYS.join(", ")
            ))),
            Ok(Applied::No) => Ok(()),
            Err(why) => Err(exit::usage(format!("{place}: {key}: {why}"))),
        }
    }
}

/// A file's text; `None` if there is no such file.
///
/// # Errors
/// Why it must not be used, as the end of a sentence about the file.
fn read_text(path: &Path) -> Result<Option<String>, String> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    // Anybody could have put another server there, which would get the password. `mysql` ignores such files, too.
    if meta.is_file() && meta.permissions().mode() & 0o002 != 0 {
        return Err("can be written by anybody (fix it with `chmod o-w`)".into());
    }
    let bytes = small_file::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    // Other programs' groups and comments may be in any character set. `apply` refuses invalid values.
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The known options.
const KEYS: [&str; 14] = [
    "host",
    "port",
    "socket",
    "protocol",
    "user",
    "password",
    "database",
    "ssl-mode",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl",
    "ssl-verify-server-cert",
    "connect-timeout",
];

enum Applied {
    Yes,
    No,
    /// A password without a value.
    Prompt,
}

/// Sets an option in the layer; `own` if it is in `[dumpa]`.
fn apply(layer: &mut Layer, key: &str, value: Option<String>, own: bool) -> Result<Applied, String> {
    if let Some((on, key)) = switch(key, value.as_deref())? {
        let mode = layer.ssl_mode;
        layer.ssl_mode = match (key, on) {
            ("ssl", true) => mode.max(Some(TlsMode::Required)),
            ("ssl", false) => Some(TlsMode::Disabled),
            (_, true) if mode == Some(TlsMode::Disabled) => mode,
            (_, true) => Some(TlsMode::VerifyIdentity),
            (_, false) if mode == Some(TlsMode::VerifyIdentity) => Some(TlsMode::Required),
            (_, false) => mode,
        };
        return Ok(Applied::Yes);
    }
    // `database` in [client] is for other programs; `mysql` does not know it there.
    if !KEYS.contains(&key) || (key == "database" && !own) {
        return Ok(Applied::No);
    }
    let Some(value) = value else {
        return if key == "password" { Ok(Applied::Prompt) } else { Err("has no value".into()) };
    };
    if value.contains(char::REPLACEMENT_CHARACTER) {
        return Err("is not UTF-8".into());
    }
    match key {
        "host" => layer.host = Some(value),
        "port" => layer.port = Some(value.parse().map_err(|_| format!("{value:?} is not a port"))?),
        "socket" => layer.socket = Some(value.into()),
        "protocol" => layer.protocol = Some(protocol(&value)?),
        "user" => layer.user = Some(value),
        "password" => layer.password = Some(Password::new(value)),
        "database" => layer.database = Some(value),
        "ssl-mode" => layer.ssl_mode = Some(value.parse().map_err(|why| format!("{value:?} is {why}"))?),
        "ssl-ca" => layer.ssl_ca = Some(value.into()),
        "ssl-cert" => layer.ssl_cert = Some(value.into()),
        "ssl-key" => layer.ssl_key = Some(value.into()),
        "connect-timeout" => layer.connect_timeout = Some(parse_timeout(&value)?),
        _ => return Ok(Applied::No),
    }
    Ok(Applied::Yes)
}

fn protocol(value: &str) -> Result<Protocol, String> {
    match value.to_ascii_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "socket" => Ok(Protocol::Socket),
        _ => Err(format!("{value:?} is neither tcp nor socket")),
    }
}

/// Parses the two switches in all their spellings: `ssl`, `ssl=0`, `skip-ssl`, `disable-ssl=1`.
fn switch(key: &str, value: Option<&str>) -> Result<Option<(bool, &'static str)>, String> {
    let (name, negated) = match key.strip_prefix("skip-").or_else(|| key.strip_prefix("disable-")) {
        Some(name) => (name, true),
        None => (key.strip_prefix("enable-").unwrap_or(key), false),
    };
    let Some(known) = ["ssl", "ssl-verify-server-cert"].into_iter().find(|known| *known == name) else {
        return Ok(None);
    };
    let on = match value.map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "1" | "on" | "true" | "yes") => true,
        Some("0" | "off" | "false" | "no") => false,
        Some(other) => return Err(format!("{other:?} is neither on nor off")),
    };
    Ok(Some((on != negated, known)))
}

#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    Blank,
    Group(&'a str),
    Include(&'a str),
    IncludeDir(&'a str),
    /// The key with `-` for `_`.
    Setting(String, Option<String>),
}

fn parse(line: &str) -> Result<Line<'_>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Ok(Line::Blank);
    }
    if let Some(directive) = line.strip_prefix('!') {
        return match directive.split_once(char::is_whitespace) {
            Some(("include", path)) => Ok(Line::Include(path.trim())),
            Some(("includedir", dir)) => Ok(Line::IncludeDir(dir.trim())),
            _ => Err("neither `!include FILE` nor `!includedir DIR`"),
        };
    }
    if let Some(rest) = line.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((name, _)) => Ok(Line::Group(name.trim())),
            None => Err("a [group] without its `]`"),
        };
    }
    let line = without_comment(line);
    let (key, value) = match line.split_once('=') {
        Some((key, value)) => (key, Some(unescape(unquote(value.trim())))),
        None => (line, None),
    };
    Ok(Line::Setting(key.trim().replace('_', "-"), value))
}

/// The line up to a `#` that is not inside quotes.
fn without_comment(line: &str) -> &str {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return &line[..at],
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c && !escaped => quote = None,
            _ => {}
        }
        escaped = quote.is_some() && c == '\\' && !escaped;
    }
    line
}

fn unquote(value: &str) -> &str {
    ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value)
}

fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('s') => out.push(' '),
            Some(same @ ('\\' | '"' | '\'')) => out.push(same),
            // Unknown escapes stay as they are: `C:\mysql`.
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
#[path = "option_file_tests.rs"]
mod tests;

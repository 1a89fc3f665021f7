//! One way to read a log, from its server or from files, and what all of it is: runs are compared with that.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use serde_json::Value;

use super::log::{At, Log};
use crate::common::*;

/// Where a line stands in the log.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Of its transaction.
    pub start: At,
    pub end: At,
}

/// What ends a run early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    None,
    /// So much fits into the file that stdout is.
    Bytes(u64),
    /// Its reader goes away after so many lines.
    Lines(usize),
}

/// One run of `tail`.
#[derive(Debug, Clone)]
pub struct Case {
    pub from: String,
    pub until: Option<String>,
    pub limit: Limit,
    /// Instead of all files.
    pub files: Option<Vec<PathBuf>>,
}

/// What came of it.
#[derive(Debug)]
pub struct Out {
    pub code: Option<i32>,
    /// Whole lines.
    pub lines: Vec<String>,
    pub bytes: usize,
    pub stderr: String,
    /// The file that the position was saved to.
    pub saved: PathBuf,
    /// The command as a shell takes it.
    pub command: String,
}

pub struct World<'a> {
    /// Tells which it is, in messages.
    pub name: String,
    pub server: &'a Server,
    pub db: &'a Db<'a>,
    pub log: Log,
    pub start: At,
    pub end: At,
    pub is_files: bool,
    /// Definitions are the server's to tell.
    pub asks: bool,
    /// Options and tables.
    pub args: Vec<String>,
    pub home: &'a Dumpa,
    /// What a run from the start to the end prints.
    pub reference: Vec<String>,
    pub lines: Vec<Line>,
    /// What it saves.
    pub saved_end: Value,
    pub failures: &'a Mutex<Vec<String>>,
}

impl World<'_> {
    pub fn case(&self, from: impl Into<String>) -> Case {
        Case { from: from.into(), until: None, limit: Limit::None, files: None }
    }

    /// To the end of the log.
    pub fn to_end(&self, from: impl Into<String>) -> Case {
        Case { until: Some(self.log.text(self.end)), ..self.case(from) }
    }

    /// Runs from the start to the end, for all that follows; whether it can be compared with.
    pub fn read(&mut self) -> bool {
        let out = self.run(&self.to_end(self.log.text(self.start)));
        self.reference = out.lines.clone();
        self.saved_end = saved(&out.saved).unwrap_or(Value::Null);
        if out.code != Some(0) {
            self.fail("reference", &out, "the run from the start to the end fails", &[]);
            return false;
        }
        for line in &self.reference {
            let metadata = &Tuple::parse(line).metadata;
            let offset = metadata["next_position"].as_u64().expect("a position");
            let at = self.log.place(metadata["next_file"].as_str().expect("a file"), offset);
            let is_last = metadata["next_row"].is_null() && metadata["next_line"].is_null();
            let group = self.log.groups.iter().find(|(start, end)| at == if is_last { *end } else { *start });
            let Some(&(start, end)) = group else {
                self.fail(
                    "reference",
                    &out,
                    &format!("no transaction begins or ends at the place of {line}"),
                    &[],
                );
                return false;
            };
            self.lines.push(Line { start, end });
        }
        true
    }

    /// A file that holds a line, for `--from` and `--until`.
    pub fn line_file(&self, i: usize) -> String {
        let name = format!("{}-line{i}.json", self.name);
        let path = self.home.file(&name);
        if !path.exists() {
            let own = self.home.file(&format!("{name}.{}", self.count()));
            fs::write(&own, format!("{}\n", self.reference[i])).expect("a file");
            fs::rename(own, path).expect("a file");
        }
        name
    }

    pub fn count(&self) -> u32 {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        COUNT.fetch_add(1, Ordering::Relaxed)
    }

    fn command(&self, case: &Case, save: &Path) -> Command {
        let dumpa = match self.asks || !self.is_files {
            true => Dumpa::new(self.server, self.db).args(["tail"]),
            false => Dumpa::bare().args(["tail", "-D", &self.db.name]),
        };
        let mut args: Vec<OsString> = self.args.iter().map(OsString::from).collect();
        args.extend(["--from".into(), OsString::from(&case.from), "--save".into(), save.into()]);
        // Tables are dropped, and created as they were: nothing but the catalog tells the columns of the older ones.
        args.push("--trust-catalog".into());
        if let Some(until) = &case.until {
            args.extend(["--until".into(), until.into()]);
        }
        if self.is_files {
            args.push("--binlog".into());
            args.extend(case.files.as_ref().unwrap_or(&self.log.paths).iter().map(OsString::from));
        }
        dumpa.args(args).in_the_folder_of(self.home).command()
    }

    pub fn run(&self, case: &Case) -> Out {
        let saved = self.home.file(&format!("saved{}.json", self.count()));
        let mut command = self.command(case, &saved);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let text = shown(&command);
        let limit = match case.limit {
            Limit::Bytes(bytes) => Some((bytes, self.home.file(&format!("out{}", self.count())))),
            _ => None,
        };
        if let Some((bytes, path)) = &limit {
            // The other files that it writes are smaller.
            let mut file = File::create(path).expect("a file");
            file.write_all(&[0; BEFORE]).expect("it is written");
            command.stdout(file);
            limit_file_size(&mut command, BEFORE as u64 + *bytes);
        }
        let mut child = command.spawn().expect("dumpa starts");
        drop(command);
        let mut stderr = child.stderr.take().expect("piped");
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            stderr.read_to_end(&mut said).expect("stderr");
            String::from_utf8_lossy(&said).into_owned()
        });
        let mut stdout = Vec::new();
        match (case.limit, child.stdout.take()) {
            (Limit::Lines(count), Some(pipe)) => {
                let mut pipe = BufReader::with_capacity(100, pipe);
                for _ in 0..count {
                    pipe.read_until(b'\n', &mut stdout).expect("a line");
                }
            }
            (_, Some(mut pipe)) => {
                pipe.read_to_end(&mut stdout).expect("stdout");
            }
            _ => {}
        }
        let code = ended(&mut child, &text);
        if let Some((_, path)) = &limit {
            stdout = fs::read(path).expect("its output").split_off(BEFORE);
            let _ = fs::remove_file(path);
        }
        let whole = stdout.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let lines = std::str::from_utf8(&stdout[..whole]).expect("UTF-8");
        let lines = lines.split_terminator('\n').map(String::from).collect();
        let stderr = said.join().expect("stderr is read");
        Out { code, lines, bytes: stdout.len(), stderr, saved, command: text }
    }

    /// Notes a failure, with where two outputs part.
    pub fn fail(&self, check: &str, out: &Out, what: &str, wanted: &[String]) {
        let same = wanted.iter().zip(&out.lines).take_while(|(a, b)| a == b).count();
        let next = |lines: &[String]| {
            lines.get(same).map_or("nothing".into(), |line| line.chars().take(300).collect::<String>())
        };
        let saved = saved(&out.saved).map_or("nothing".into(), |saved| saved.to_string());
        let text = format!(
            "[{} {check}] {what}\n    {}\n    exit {:?}, {} lines of {} wanted, {same} the same; then wanted\n      {}\n    \
             but got\n      {}\n    saved: {saved}\n    stderr: {}",
            self.name,
            out.command,
            out.code,
            out.lines.len(),
            wanted.len(),
            next(wanted),
            next(&out.lines),
            out.stderr.trim_end()
        );
        self.failures.lock().expect("a list").push(text);
    }
}

/// The position that was saved, if one was.
pub fn saved(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("a position is JSON"))
}

/// How many bytes a file of limited size has before those of the output.
const BEFORE: usize = 1 << 20;

/// As if the disk were full after so many bytes.
fn limit_file_size(command: &mut Command, bytes: u64) {
    // SAFETY: only system calls that a forked child may make, and no memory is taken.
    unsafe {
        command.pre_exec(move || {
            // The signal's default would be to end the program.
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            match libc::setrlimit(libc::RLIMIT_FSIZE, &limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
}

fn ended(child: &mut Child, command: &str) -> Option<i32> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            return status.code();
        }
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("it still runs after {PATIENCE:?}: {command}");
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

fn shown(command: &Command) -> String {
    let part = |part: &std::ffi::OsStr| {
        let text = part.to_string_lossy();
        if text.contains([' ', '*', '\'']) { format!("'{text}'") } else { text.into_owned() }
    };
    let args: Vec<String> = command.get_args().map(part).collect();
    format!("dumpa {}", args.join(" "))
}

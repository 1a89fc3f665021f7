//! Log files, from their bytes to lines: all that `tail --binlog` does.
//!
//! The input is a byte of choices and a log file without its magic bytes, whose checksums are made right first.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};

use super::framing::{MAGIC, mend_checksums};
use super::{files, valid_json};
use dumpa::exit;
use dumpa::follow::cursor::Flow;
use dumpa::follow::look_ahead::{LookAhead, Reach};
use dumpa::follow::{Follower, OnSwap, Plan};
use dumpa::output::Output;
use dumpa::position::{FileOrder, Position};
use dumpa::progress::{Progress, When};
use dumpa::row::layouts::Layouts;
use dumpa::schema::rules::Rules;
use dumpa::schema::selection::Selection;
use dumpa::signal::Signal;
use dumpa::source::event_queue::Batch;
use dumpa::source::files::LogFiles;
use dumpa::source::framing::FIRST_OFFSET;
use dumpa::value::Style;

thread_local! {
    static STDOUT: RefCell<File> = RefCell::new(tempfile::tempfile().expect("a temporary file"));
}

pub fn run(data: &[u8]) {
    let Some((choices, log)) = data.split_first() else { return };
    let mut log = log.to_vec();
    mend_checksums(&mut log);
    let path = files::write("bin.000001", &[MAGIC, &log]);
    let outcome = tail(LogFiles::new(vec![path]).expect("one file"), *choices);
    if let Err(error) = outcome {
        let code = exit::code(&error);
        let words = exit::message(&error);
        assert!(matches!(code, exit::UNAVAILABLE | exit::UNREADABLE), "{code}: {words}");
        assert!(words.contains("bin.000001"), "no place: {words}");
    }
    let lines = printed();
    valid_json::check_lines(&lines);
}

fn tail(mut source: LogFiles, choices: u8) -> anyhow::Result<()> {
    let tables = if choices & 1 == 0 { vec!["*.*".to_string()] } else { vec!["fixture.p*".to_string()] };
    let style = Style {
        decimal_as_number: choices & 2 != 0,
        big_int_as_string: choices & 4 != 0,
        zero_date_as_string: choices & 8 != 0,
    };
    let signal = Signal::default();
    let selection = Selection::new(&tables, None)?;
    let progress = Progress::new(When::Never, true);
    let plan = Plan {
        on_swap: OnSwap::ReadAgain,
        source: &mut source,
        from: Position::new("bin.000001", FIRST_OFFSET),
        from_was_given: choices & 16 != 0,
        until: None,
        order: FileOrder::new(vec!["bin.000001".into()]),
        layouts: Layouts::new(selection.clone(), Rules::default(), style, None),
        with_old: choices & 32 != 0,
        with_schemas: choices & 64 != 0,
        recorder: None,
        strict: false,
        look_ahead: LookAhead::new(Reach::Nothing, selection.clone(), progress),
        signal: &signal,
    };
    let mut follower = Follower::new(plan, Output::to(stdout()))?;
    let outcome = follow(&mut follower);
    follower.finish().expect("lines are written");
    outcome
}

fn follow(follower: &mut Follower<'_>) -> anyhow::Result<()> {
    let mut events = follower.begin()?;
    let mut batch = Batch::default();
    loop {
        let more = events.next(&mut batch);
        for entry in batch.entries() {
            if follower.take(entry)? == Flow::Stop {
                return Ok(());
            }
        }
        batch.clear();
        if !more? {
            return follower.end_of_log();
        }
    }
}

/// A file instead of stdout.
fn stdout() -> ManuallyDrop<File> {
    STDOUT.with_borrow_mut(|file| {
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).expect("an empty file");
        // SAFETY: the descriptor stays open as long as the thread does, and this file is never closed.
        #[allow(unsafe_code)]
        ManuallyDrop::new(unsafe { File::from_raw_fd(file.as_raw_fd()) })
    })
}

fn printed() -> Vec<u8> {
    STDOUT.with_borrow_mut(|file| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes)).expect("a file is read");
        bytes
    })
}

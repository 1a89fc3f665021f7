//! What goes to stderr: messages, and progress.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::stderr;

/// How often progress is drawn.
const PACE: Duration = Duration::from_millis(200);
/// How often a progress line is printed where none can be drawn.
const LINE_PACE: Duration = Duration::from_secs(5);

/// Whether progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Auto,
    Always,
    Never,
}

/// `tail` shows the rate of the last one or two windows.
const WINDOW: Duration = Duration::from_secs(2);

/// Prints messages, and progress if it is shown.
#[derive(Debug)]
pub struct Progress {
    quiet: bool,
    shown: bool,
    /// A line that is redrawn in place; without it, each report is a line.
    bar: Option<ProgressBar>,
    last: Option<Instant>,
    began: Instant,
    /// When the current table was begun, and its name.
    begun: Instant,
    what: String,
    /// Time and row count at the start of the previous window and of this one.
    marks: [(Instant, u64); 2],
}

impl Progress {
    pub fn new(when: When, quiet: bool) -> Progress {
        // Rows that go to the terminal show the progress themselves, and a redrawn line would garble them.
        let drawn = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal();
        let shown = match when {
            When::Auto => drawn && !quiet,
            When::Always => true,
            When::Never => false,
        };
        let bar = (shown && drawn).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
            let one_line = ProgressStyle::with_template("{wide_msg}");
            bar.set_style(one_line.unwrap_or(ProgressStyle::default_spinner()));
            bar
        });
        let now = Instant::now();
        let marks = [(now, 0); 2];
        Progress { quiet, shown, bar, last: None, began: now, begun: now, what: String::new(), marks }
    }

    /// Prints a note, unless `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Prints a warning.
    pub fn warn(&self, text: &str) {
        self.say(&format!("warning: {text}"));
    }

    fn say(&self, text: &str) {
        let line = || stderr::message(text);
        match &self.bar {
            Some(bar) => bar.suspend(line),
            None => line(),
        }
    }

    /// Begins a table.
    pub fn begin(&mut self, what: &str) {
        self.what = what.to_string();
        self.begun = Instant::now();
        self.last = None;
    }

    /// Whether the next report is due. Cheap enough to ask often.
    pub fn is_due(&self) -> bool {
        let pace = if self.bar.is_some() { PACE } else { LINE_PACE };
        self.shown && self.last.unwrap_or(self.begun).elapsed() >= pace
    }

    /// Reports the rows of the table so far, and the server's estimate of all.
    pub fn load(&mut self, rows: u64, estimate: Option<u64>) {
        if !self.is_due() {
            return;
        }
        let of = estimate.filter(|all| *all > 0).map_or(String::new(), |all| {
            let percent = (rows * 100 / all).min(99);
            format!(" of about {} ({percent}%)", HumanCount(all.max(rows)))
        });
        let rate = HumanCount(rate(rows, self.begun.elapsed()));
        self.show(format!("{}: {}{of}, {rate} rows/s", self.what, counted(rows, "row")));
    }

    /// A table is done. Where each report is a line, this prints one more.
    pub fn loaded(&mut self, rows: u64) {
        if self.shown && self.bar.is_none() {
            let rate = HumanCount(rate(rows, self.begun.elapsed()));
            self.show(format!("{}: {}, {rate} rows/s", self.what, counted(rows, "row")));
        }
    }

    /// All tables are done.
    pub fn all_loaded(&self, tables: usize, rows: u64) {
        self.clear();
        if self.shown {
            let seconds = self.began.elapsed().as_secs_f64();
            let (rows, tables) = (counted(rows, "row"), counted(tables as u64, "table"));
            self.say(&format!("{rows} of {tables} in {seconds:.1} s"));
        }
    }

    /// Reports the log file being read, the rows so far, and how many seconds the last one is old.
    pub fn tail(&mut self, file: &str, rows: u64, lag: Option<u64>) {
        if !self.is_due() {
            return;
        }
        let lag = lag.map_or(String::new(), |lag| {
            format!(", {} behind", humantime::format_duration(Duration::from_secs(lag)))
        });
        let rate = HumanCount(self.recent_rate(rows));
        self.show(format!("{file}: {}, {rate} rows/s{lag}", counted(rows, "row")));
    }

    /// Reports the place that a look ahead has reached.
    pub fn look_ahead(&mut self, file: &str, offset: u64) {
        self.show(format!("looking ahead for changed definitions: {file}:{offset}"));
    }

    /// Another one, which draws on the same line.
    pub fn beside(&self) -> Progress {
        let (now, what) = (Instant::now(), String::new());
        let marks = [(now, 0); 2];
        let (quiet, shown, bar) = (self.quiet, self.shown, self.bar.clone());
        Progress { quiet, shown, bar, last: None, began: now, begun: now, what, marks }
    }

    /// The rate of the last seconds: an average since the start says little after a quiet night.
    fn recent_rate(&mut self, rows: u64) -> u64 {
        if self.marks[1].0.elapsed() >= WINDOW {
            self.marks = [self.marks[1], (Instant::now(), rows)];
        }
        let (since, before) = self.marks[0];
        rate(rows.saturating_sub(before), since.elapsed())
    }

    fn show(&mut self, text: String) {
        self.last = Some(Instant::now());
        match &self.bar {
            Some(bar) => bar.set_message(stderr::printable(&text).into_owned()),
            None => stderr::message(&text),
        }
    }

    /// Removes the drawn line.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Per second.
fn rate(rows: u64, time: Duration) -> u64 {
    let millis = time.as_millis().max(1) as u64;
    rows.saturating_mul(1000) / millis
}

/// `1 row`, `2,000 rows`.
fn counted(n: u64, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {what}{plural}", HumanCount(n))
}

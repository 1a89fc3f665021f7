//! stderr: messages, and on a terminal how far it is.

#![allow(clippy::print_stderr)]

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often progress is drawn.
const PACE: Duration = Duration::from_millis(200);
/// How often it is said where it cannot be drawn.
const LINE_PACE: Duration = Duration::from_secs(5);

/// Whether progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Auto,
    Always,
    Never,
}

/// What goes to stderr.
#[derive(Debug)]
pub struct Progress {
    quiet: bool,
    shown: bool,
    bar: Option<ProgressBar>,
    last: Option<Instant>,
    begun: Instant,
    what: String,
}

impl Progress {
    pub fn new(when: When, quiet: bool) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let shown = match when {
            When::Auto => terminal && !quiet,
            When::Always => true,
            When::Never => false,
        };
        let bar = (shown && terminal).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
            bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or(ProgressStyle::default_spinner()));
            bar
        });
        Progress { quiet, shown, bar, last: None, begun: Instant::now(), what: String::new() }
    }

    /// Something worth knowing, unless `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Something that is not as it should be.
    pub fn warn(&self, text: &str) {
        self.say(&format!("warning: {text}"));
    }

    fn say(&self, text: &str) {
        let line = || eprintln!("dumpa: {text}");
        match &self.bar {
            Some(bar) => bar.suspend(line),
            None => line(),
        }
    }

    /// Begins a piece of work: a table, or the log.
    pub fn begin(&mut self, what: &str) {
        self.what = what.to_string();
        self.begun = Instant::now();
        self.last = None;
    }

    /// Whether it is time to show something: cheap enough to ask often.
    pub fn is_due(&self) -> bool {
        let pace = if self.bar.is_some() { PACE } else { LINE_PACE };
        self.shown && self.last.unwrap_or(self.begun).elapsed() >= pace
    }

    /// Rows so far, of about so many.
    pub fn load(&mut self, rows: u64, estimate: Option<u64>) {
        if !self.is_due() {
            return;
        }
        let of = estimate.filter(|all| *all > 0).map_or(String::new(), |all| {
            let percent = (rows * 100 / all).min(99);
            format!(" of about {} ({percent}%)", HumanCount(all.max(rows)))
        });
        let rate = HumanCount(self.rate(rows));
        self.show(format!("{}: {} rows{of}, {rate} rows/s", self.what, HumanCount(rows)));
    }

    /// Rows so far, and how many seconds the last one is old.
    pub fn tail(&mut self, rows: u64, lag: Option<u64>) {
        if !self.is_due() {
            return;
        }
        let lag = lag.map_or(String::new(), |lag| {
            format!(", {} behind", humantime::format_duration(Duration::from_secs(lag)))
        });
        let rate = HumanCount(self.rate(rows));
        self.show(format!("{}: {} rows, {rate} rows/s{lag}", self.what, HumanCount(rows)));
    }

    fn rate(&self, rows: u64) -> u64 {
        let millis = self.begun.elapsed().as_millis().max(1) as u64;
        rows.saturating_mul(1000) / millis
    }

    fn show(&mut self, text: String) {
        self.last = Some(Instant::now());
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None => eprintln!("dumpa: {text}"),
        }
    }

    /// Takes away what was drawn.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

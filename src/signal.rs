//! SIGINT, SIGTERM and SIGHUP: the first ends the run cleanly, the second at once. Either way the process dies by that
//! same signal, so that its sender sees why. A signal that was ignored when dumpa started, as by `nohup`, stays ignored.
//!
//! ctrlc handles signals on a thread, where sleeping and exiting are allowed, but does not tell which one came. So
//! signal-hook stores the number, and later re-raises it: restoring the default handler takes unsafe code otherwise, with
//! nix too.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal as Number};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How long the work may take to end after a signal: a reader of stdout that has stopped reading could block it
/// forever.
const GRACE: Duration = Duration::from_millis(900);

/// The signal that asked dumpa to end, if one did.
#[derive(Debug, Clone, Default)]
pub struct Signal(Arc<AtomicUsize>);

impl Signal {
    /// Begins to listen.
    pub fn listen() -> Result<Signal> {
        let signal = Signal::default();
        let seen = signal.clone();
        let mut count = 0;
        // Signals stay pending until both handlers are installed.
        let handled = [SIGINT, SIGTERM, SIGHUP].into_iter().filter_map(|n| Number::try_from(n).ok());
        let waiting: SigSet = handled.clone().collect();
        // Those that were ignored stay pending: ctrlc handles all three, but `nohup` or a shell may ignore some for dumpa.
        let ignored = ignored();
        let heard: SigSet = handled.filter(|number| ignored & (1 << (*number as i32 - 1)) == 0).collect();
        waiting.thread_block().context("cannot block signals")?;
        ctrlc::set_handler(move || {
            count += 1;
            if count == 1 {
                let seen = seen.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(GRACE);
                    seen.end_by_it();
                });
            } else {
                seen.end_by_it();
            }
        })
        .context("cannot listen for signals")?;
        // signal-hook's handler first calls ctrlc's, which wakes the thread, then stores the number.
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register_usize(number, signal.0.clone(), number as usize)
                .context("cannot listen for signals")?;
        }
        heard.thread_unblock().context("cannot unblock signals")?;
        Ok(signal)
    }

    /// Whether to end.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Ends the process by the signal that came.
    pub fn end_by_it(&self) {
        let number = match self.0.load(Ordering::Relaxed) {
            0 => SIGTERM,
            number => number as i32,
        };
        // For these signals it does not return.
        let _ = signal_hook::low_level::emulate_default_handler(number);
    }
}

/// The signals that the process was started to ignore, a bit each: signal 1 is the lowest. None where the kernel does not
/// tell (`SigIgn` in Linux's `/proc/self/status`); asking by sigaction takes unsafe code.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

//! SIGINT, SIGTERM and SIGHUP: the first ends cleanly, the second at once, and either way dumpa ends by
//! that same signal, so that whoever sent it sees that it worked.
//!
//! ctrlc hears them, on a thread of its own, where sleeping and ending are allowed. It does not say which signal came,
//! so signal-hook stores the number, and ends by it: to set a signal's default handler again and raise it takes unsafe
//! code, with nix too. signal-hook is the one way to do that which is safe.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal as Number};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How long the work may take to end after a signal: a reader of stdout that does not read can hold
/// it up for ever.
const GRACE: Duration = Duration::from_millis(900);

/// Whether, and by which signal, dumpa was asked to end.
#[derive(Debug, Clone, Default)]
pub struct Signal(Arc<AtomicUsize>);

impl Signal {
    /// Begins to listen.
    pub fn listen() -> Result<Signal> {
        let signal = Signal::default();
        let seen = signal.clone();
        let mut count = 0;
        // A signal that comes before both handlers are installed stays pending until then.
        let waiting: SigSet =
            [SIGINT, SIGTERM, SIGHUP].into_iter().filter_map(|n| Number::try_from(n).ok()).collect();
        waiting.thread_block().context("cannot hold signals back")?;
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
        // The handler of signal-hook calls ctrlc's, which wakes the thread, and then stores the number.
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register_usize(number, signal.0.clone(), number as usize)
                .context("cannot listen for signals")?;
        }
        waiting.thread_unblock().context("cannot let signals in")?;
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
        // It does not return for these signals.
        let _ = signal_hook::low_level::emulate_default_handler(number);
    }
}

//! Waiting for what happens elsewhere, without guessing how long it takes.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before the test gives up: far more than it should, on a slow machine too.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer. Panics with `what` when patience ends.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

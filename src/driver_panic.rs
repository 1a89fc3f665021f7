//! Turns panics of the `mysql` crate, which a broken or hostile server can cause, into errors like any other.
//!
//! Unwinding skips everything that prints or saves, so no unfinished output gets out.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use anyhow::{Result, anyhow};

const DRIVER_CRATES: [&str; 3] = ["mysql", "mysql_common", "bytes"];

thread_local! {
    /// Whether this thread's last panic came from the crate.
    static IN_DRIVER: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics of the crate off stderr. Others are reported as usual.
pub fn install_hook() {
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let in_driver = is_in_driver(info);
        IN_DRIVER.set(in_driver);
        if !in_driver {
            default(info);
        }
    }));
}

/// Runs a command; a panic of the crate ends it with an error.
pub fn caught(work: impl FnOnce() -> Result<u8>) -> Result<u8> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        if !IN_DRIVER.get() {
            panic::resume_unwind(panic);
        }
        Err(anyhow!("the server answered with something that is not the MySQL protocol"))
    })
}

/// Whether the crate, or one that it parses packets with, panicked: judged by the folder of its source, such as
/// `mysql-28.0.4`. A "capacity overflow" is located in the standard library instead. It is the crate's too, which
/// reserves room for as many columns as the server claims; dumpa never reserves memory for an unchecked count.
fn is_in_driver(info: &PanicHookInfo<'_>) -> bool {
    let Some(at) = info.location() else { return false };
    let is_crate = |folder: &str| {
        let (name, version) = folder.rsplit_once('-').unwrap_or((folder, ""));
        DRIVER_CRATES.contains(&name) && version.starts_with(|c: char| c.is_ascii_digit())
    };
    at.file().split(['/', '\\']).any(is_crate) || info.payload_as_str() == Some("capacity overflow")
}

//! Panics of the `mysql` crate, which some answers of a broken or hostile server make: errors like any other.
//!
//! Unwinding skips everything that prints or saves, so nothing that was not settled before gets out.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use anyhow::{Result, anyhow};

const DRIVER_CRATES: [&str; 3] = ["mysql", "mysql_common", "bytes"];

thread_local! {
    /// Whether this thread's last panic was the crate's.
    static IN_DRIVER: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics of the crate off stderr. The others are reported as always.
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

/// Whether the crate, or one that it reads packets with, panicked: by the folder that cargo keeps its source in, such as
/// `mysql-28.0.4`. Of a `Vec` that is to hold more than memory can (the crate reserves room for as many columns as
/// the server says), only the standard library's place is known; dumpa itself reserves nothing on a server's word.
fn is_in_driver(info: &PanicHookInfo<'_>) -> bool {
    let Some(at) = info.location() else { return false };
    let is_crate = |folder: &str| {
        let (name, version) = folder.rsplit_once('-').unwrap_or((folder, ""));
        DRIVER_CRATES.contains(&name) && version.starts_with(|c: char| c.is_ascii_digit())
    };
    at.file().split(['/', '\\']).any(is_crate) || info.payload_as_str() == Some("capacity overflow")
}

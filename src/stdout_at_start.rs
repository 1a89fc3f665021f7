//! Whether stdout was open when the process began.
//!
//! Before `main`, the runtime opens /dev/null in place of a closed stdout (`dumpa load >&-`). Afterwards that looks like
//! a /dev/null given on purpose: daemons and Python's `DEVNULL` open it for reading and writing, too. So a C initializer
//! checks the descriptor before the runtime starts.

use std::sync::atomic::{AtomicBool, Ordering};

use nix::libc;

static IS_WRITABLE: AtomicBool = AtomicBool::new(false);

/// Whether stdout was open for writing.
pub fn is_writable() -> bool {
    IS_WRITABLE.load(Ordering::Relaxed)
}

// SAFETY: `.init_array` holds function pointers, which the C library calls one by one before `main`.
#[allow(unsafe_code)]
#[used]
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = check;

/// Uses no part of the standard library that needs its runtime.
extern "C" fn check() {
    // SAFETY: a system call without pointers, which reports a closed descriptor as an error.
    #[allow(unsafe_code)]
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFL) };
    let is_writable = flags >= 0 && matches!(flags & libc::O_ACCMODE, libc::O_WRONLY | libc::O_RDWR);
    IS_WRITABLE.store(is_writable, Ordering::Relaxed);
}

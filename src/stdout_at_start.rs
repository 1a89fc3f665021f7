//! Whether stdout was open when the process began.
//!
//! The runtime opens /dev/null in the place of a closed stdout (`dumpa load >&-`) before `main`. Afterwards that looks
//! the same as /dev/null that was given on purpose: daemons and Python's `DEVNULL` open it for reading and writing,
//! as the runtime does. So it is looked at before the runtime starts, by the C library's list of initializers.

use std::sync::atomic::{AtomicBool, Ordering};

use nix::libc;

static IS_WRITABLE: AtomicBool = AtomicBool::new(false);

/// Whether stdout was open for writing.
pub fn is_writable() -> bool {
    IS_WRITABLE.load(Ordering::Relaxed)
}

// SAFETY: the list holds pointers to functions, which the C library calls one by one before `main`.
#[allow(unsafe_code)]
#[used]
#[unsafe(link_section = ".init_array")]
static AT_START: extern "C" fn() = look;

/// Uses nothing of the standard library's that would need its runtime.
extern "C" fn look() {
    // SAFETY: a system call without pointers; of a closed descriptor it says so.
    #[allow(unsafe_code)]
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFL) };
    let is_writable = flags >= 0 && matches!(flags & libc::O_ACCMODE, libc::O_WRONLY | libc::O_RDWR);
    IS_WRITABLE.store(is_writable, Ordering::Relaxed);
}

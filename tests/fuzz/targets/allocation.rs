//! An allocator that counts: a target's memory must not depend on lengths that its input only claims.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts the bytes that each thread holds.
pub struct Counting;

thread_local! {
    /// Bytes held now, and the most at a time. (What another thread frees is not taken off.)
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn add(bytes: isize) {
    // This fails while the thread ends, when the count is no longer used.
    let _ = HELD.try_with(|held| {
        let now = held.get().0.wrapping_add(bytes);
        held.set((now, held.get().1.max(now)));
    });
}

// SAFETY: every call goes to the system's allocator.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        add(-(layout.size() as isize));
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old and the new block may exist at the same time.
        add(size as isize);
        add(-(layout.size() as isize));
        unsafe { System.realloc(place, layout, size) }
    }
}

/// The most bytes that this thread held at a time while `work` ran, beyond those that it held before.
pub fn most_held(work: impl FnOnce()) -> usize {
    let before = HELD.get().0;
    HELD.set((before, before));
    work();
    HELD.get().1.saturating_sub(before) as usize
}

#![no_main]

use targets::allocation::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::run("geometry", data));

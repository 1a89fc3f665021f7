//! What the fuzz targets do with an input: each has a function that takes any bytes, and breaks a promise by a panic.
//! The fuzzers (`tests/fuzz/bin`) call it with what they make up, the suite (`tests/suite/fuzzed.rs`) with the kept corpus.

// Each fuzzer runs one of them.
#![allow(dead_code)]

pub mod allocation;
mod bodies;
mod files;
mod framing;
mod geometry;
mod json;
mod log;
mod option_file;
mod payload;
mod position;
mod rows;
mod statement;
mod table_map;
mod valid_json;

/// What runs an input.
type Target = fn(&[u8]);

/// All targets, by the names of their folders in `tests/fuzz/corpus`.
pub const TARGETS: [(&str, Target); 10] = [
    ("framing", framing::run),
    ("log", log::run),
    ("table_map", table_map::run),
    ("rows", rows::run),
    ("json", json::run),
    ("geometry", geometry::run),
    ("payload", payload::run),
    ("statement", statement::run),
    ("position", position::run),
    ("option_file", option_file::run),
];

/// Larger inputs are not run: they are slow, and what they show, smaller ones do.
const MAX_INPUT_BYTES: usize = 64 << 10;
/// What a target may hold at a time, whatever lengths its input claims.
const MAX_HELD_BYTES: usize = 64 << 20;

/// Runs an input through the target of this name.
///
/// # Panics
/// When a promise is broken.
pub fn run(name: &str, data: &[u8]) {
    let Some((_, target)) = TARGETS.iter().find(|(target, _)| *target == name) else {
        panic!("there is no target {name}");
    };
    if data.len() > MAX_INPUT_BYTES {
        return;
    }
    let held = allocation::most_held(|| target(data));
    let most = MAX_HELD_BYTES + 4 * data.len();
    assert!(held <= most, "{held} bytes were held at a time, for an input of {}", data.len());
}

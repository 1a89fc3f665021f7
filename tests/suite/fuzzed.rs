//! The kept inputs of the fuzzers (`tests/fuzz/corpus`), and many that differ from them in a byte, run through the same
//! functions as the fuzzers do: without a nightly compiler, and each time.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use dumpa::sql::effect::{Effect, TableChange};
use dumpa::sql::statement::{self, Statement};
use dumpa::sql::tokens::Session;

use targets::TARGETS;
use targets::allocation::Counting;

#[path = "../fuzz/targets/mod.rs"]
mod targets;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Inputs near the kept ones, of each target.
const NEAR_INPUTS: usize = 12_000;
/// The same of targets that read whole log files.
const NEAR_LOGS: usize = 2_500;
/// An input that takes longer never ends.
const PATIENCE: Duration = Duration::from_secs(20);
const MAX_CORPUS_BYTES: u64 = 1 << 20;
const MAX_FILE_BYTES: u64 = 64 << 10;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target)
}

/// The kept inputs of a target, with their names.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder(target)).unwrap_or_else(|error| panic!("{target}: {error}"));
    let mut inputs: Vec<_> = files
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{target} has no inputs");
    inputs
}

/// The `n`-th change of an input: cut off at a byte, or that byte made 0, 255, or its opposite.
fn changed(input: &[u8], n: usize) -> Vec<u8> {
    let at = n / 4;
    if n.is_multiple_of(4) {
        return input[..at].to_vec();
    }
    let mut changed = input.to_vec();
    changed[at] = [0, 0xff, !input[at]][n % 4 - 1];
    changed
}

/// Runs inputs one after the other, and names the one that breaks a promise.
fn run(target: &'static str, inputs: impl Iterator<Item = (String, Vec<u8>)> + Send + 'static) -> usize {
    let at = Arc::new(Mutex::new(String::new()));
    let done = Arc::new(AtomicUsize::new(0));
    let (alive, ended) = channel::<()>();
    let runner = thread::spawn({
        let (at, done) = (at.clone(), done.clone());
        move || {
            let _alive = alive;
            for (name, input) in inputs {
                *at.lock().unwrap() = name;
                targets::run(target, &input);
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let mut before = usize::MAX;
    while ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        let now = done.load(Ordering::Relaxed);
        assert_ne!(now, before, "{target}: {} does not end", at.lock().unwrap());
        before = now;
    }
    assert!(runner.join().is_ok(), "{target}: {}", at.lock().unwrap());
    done.load(Ordering::Relaxed)
}

#[test]
fn kept_inputs_break_no_promise() {
    for (target, _) in TARGETS {
        let inputs = kept(target);
        assert_eq!(run(target, inputs.clone().into_iter()), inputs.len());
    }
}

#[test]
fn nor_do_inputs_that_differ_from_them_in_a_byte() {
    for (target, _) in TARGETS {
        let inputs = kept(target);
        let all: usize = inputs.iter().map(|(_, input)| input.len() * 4).sum();
        let most = if matches!(target, "log" | "framing") { NEAR_LOGS } else { NEAR_INPUTS };
        // A prime step, so that in the end it is not always the same change of the four.
        let step = [1, 3, 7, 13, 31, 61, 127, 251, 509].into_iter().find(|step| all / step <= most);
        let step = step.unwrap_or(1021);
        let near = inputs.into_iter().flat_map(move |(name, input)| {
            (0..input.len() * 4)
                .step_by(step)
                .map(move |n| (format!("change {n} of {name}"), changed(&input, n)))
        });
        assert!(run(target, near) > 100, "{target} has few inputs");
    }
}

#[test]
fn the_kept_inputs_are_small() {
    let mut all = 0;
    for (target, _) in TARGETS {
        for entry in fs::read_dir(folder(target)).unwrap() {
            let len = entry.unwrap().metadata().unwrap().len();
            assert!(len <= MAX_FILE_BYTES, "{target} has a file of {len} bytes");
            all += len;
        }
    }
    assert!(all <= MAX_CORPUS_BYTES, "{all} bytes");
}

/// MariaDB's hidden columns were looked for before the first column.
#[test]
fn a_table_of_no_columns_has_no_hidden_ones() {
    targets::run("table_map", &fs::read(folder("table_map").join("no-columns")).unwrap());
}

/// Statements were cut into tokens to their end, which took some forty times their size.
#[test]
fn an_insert_as_large_as_a_packet_takes_no_memory() {
    let insert = "INSERT INTO t VALUES (1)".to_string() + &",(1)".repeat(1 << 20);
    for text in [insert.clone(), format!("SET STATEMENT sql_mode='' FOR {insert}")] {
        let mut effects = None;
        let held = targets::allocation::most_held(|| {
            effects = Some(statement::read(text.as_bytes(), Session::default()));
        });
        assert!(held < 1 << 16, "{held} bytes for a statement of {}", text.len());
        let Some(Statement::Effects(effects)) = effects else { panic!("{effects:?}") };
        assert!(
            matches!(effects[..], [Effect::Table(_, TableChange::Data { alone: true, .. })]),
            "{effects:?}"
        );
    }
}

/// Each fuzzer of `tests/fuzz/bin` is a target here, and the other way round.
#[test]
fn each_target_has_a_fuzzer() {
    let bin = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/bin");
    let fuzzers = fs::read_dir(bin).unwrap().map(|entry| entry.unwrap().path());
    let mut fuzzers: Vec<String> =
        fuzzers.map(|path| path.file_stem().unwrap().to_str().unwrap().to_string()).collect();
    let mut names = TARGETS.map(|(target, _)| target.to_string());
    fuzzers.sort();
    names.sort();
    assert_eq!(fuzzers, names);
}

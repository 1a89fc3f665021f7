//! Positions: what a file holds, and what is given on the command line. The input is a byte of choices and the text.

use std::path::Path;

use super::{files, valid_json};
use dumpa::binlog::gtid_set::GtidSet;
use dumpa::exit;
use dumpa::position::{Position, Where};

pub fn run(data: &[u8]) {
    let Some((choices, text)) = data.split_first() else { return };
    match choices % 4 {
        0 | 1 => {
            let path = files::write("position", &[text]);
            checked(&path.display().to_string());
        }
        2 => {
            let Ok(text) = std::str::from_utf8(text) else { return };
            if !Path::new(text).exists() {
                checked(text);
            }
        }
        _ => {
            let Ok(text) = std::str::from_utf8(text) else { return };
            if let Some(set) = GtidSet::parse(text) {
                set.contains(text);
            }
        }
    }
}

fn checked(given: &str) {
    match Where::parse(given) {
        Ok(Where::At(position)) => same_again(&position),
        Ok(Where::Now | Where::Earliest) => {}
        Err(error) => assert_eq!(exit::code(&error), exit::USAGE, "{}", exit::message(&error)),
    }
}

/// What was read prints, and reads as the same again.
fn same_again(position: &Position) {
    let json = position.to_json().to_string();
    valid_json::check(json.as_bytes());
    let path = files::write("again", &[json.as_bytes()]);
    match Where::parse(&path.display().to_string()) {
        Ok(Where::At(again)) => assert_eq!(again, *position, "{json}"),
        other => panic!("{other:?} of {json}"),
    }
}

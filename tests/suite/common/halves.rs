//! `load` against `tail`.

use std::collections::BTreeMap;

use super::{Db, Dumpa, Tuple};
use crate::json::Start;

/// Rows by table and id, as printed.
pub type Rows = BTreeMap<(String, String), String>;

/// The rows that are left after all lines are applied in order. A delete must print the row as it last was.
#[track_caller]
fn fold(lines: &[Tuple]) -> Rows {
    let mut rows = Rows::new();
    for line in lines {
        let key = (line.table.clone(), line.id_text.clone());
        match line.op.as_str() {
            "upsert" => {
                rows.insert(key, line.content_text.clone());
            }
            "delete" => {
                let there = rows.remove(&key);
                assert_eq!(
                    there.as_ref(),
                    Some(&line.content_text),
                    "a delete of what is not there: {}",
                    line.raw
                );
            }
            _ => rows.retain(|(table, _), _| *table != line.table),
        }
    }
    rows
}

/// Loads all tables of the database and tails them from `start`, when they were empty: both must give the same rows,
/// byte for byte. Returns the rows, and the lines of the tail.
#[track_caller]
pub fn halves_agree(db: &Db, start: &Start) -> (Rows, Vec<Tuple>) {
    halves_agree_with(db, start, &[])
}

/// Both with these arguments.
#[track_caller]
pub fn halves_agree_with(db: &Db, start: &Start, args: &[&str]) -> (Rows, Vec<Tuple>) {
    let loaded = Dumpa::new(db.server, db).args(["load"]).args(args).run().expect_code(0).lines();
    let rows = fold(&loaded);
    assert_eq!(rows.len(), loaded.len(), "ids repeat");
    let lines = start.tail_with(db, "*", args).expect_code(0).lines();
    let tailed = fold(&lines);
    for (key, content) in &rows {
        assert_eq!(Some(content), tailed.get(key), "{key:?}: load is left, tail right");
    }
    let more: Vec<_> = tailed.keys().filter(|key| !rows.contains_key(*key)).collect();
    assert!(more.is_empty(), "rows that only tail has: {more:?}");
    (rows, lines)
}

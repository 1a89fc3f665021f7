//! Tuples folded by id into tables, as a consumer of dumpa would.

use std::collections::BTreeMap;

use super::Tuple;

/// Rows by table and id, both as they were printed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Fold(pub BTreeMap<(String, String), String>);

impl Fold {
    /// The tables after these changes.
    pub fn of(tuples: impl IntoIterator<Item = Tuple>) -> Fold {
        Fold::default().then(tuples)
    }

    /// The tables after these further changes.
    #[track_caller]
    pub fn then(mut self, tuples: impl IntoIterator<Item = Tuple>) -> Fold {
        for tuple in tuples {
            let key = (tuple.table.clone(), tuple.id_text.clone());
            match tuple.op.as_str() {
                "upsert" => {
                    assert!(!tuple.id.is_null(), "a row without an id cannot be folded: {}", tuple.raw);
                    self.0.insert(key, tuple.content_text);
                }
                "delete" => {
                    self.0.remove(&key);
                }
                _ => self.0.retain(|(table, _), _| *table != tuple.table),
            }
        }
        self
    }

    /// Panics, and says in a few lines where they differ.
    #[track_caller]
    pub fn assert_is(&self, other: &Fold, what: &str) {
        let missing = other.0.iter().filter(|(key, row)| self.0.get(*key) != Some(*row)).take(5);
        let surplus = self.0.iter().filter(|(key, _)| !other.0.contains_key(*key)).take(5);
        let (missing, surplus): (Vec<_>, Vec<_>) = (missing.collect(), surplus.collect());
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{what}: {} rows folded, {} in the server; lost or stale: {missing:#?}; too many: {surplus:#?}",
            self.0.len(),
            other.0.len()
        );
    }
}

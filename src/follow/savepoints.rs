//! The savepoints of the current transaction: the state of its lines at each.

use std::collections::HashMap;

use super::last_line::LastLine;

/// At most this many savepoints are remembered. Each takes 100 bytes and its name.
const MOST: usize = 200_000;

/// The state of the transaction's lines at a savepoint.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    /// Length of the buffer.
    pub buffer_len: usize,
    /// Bytes of the transaction's lines so far.
    pub len: usize,
    pub last: Option<LastLine>,
    /// Number of lines whose time must be patched.
    pub times: usize,
}

impl Mark {
    /// Adjusts the offsets after the first `len` bytes were removed from the buffer.
    pub fn taken_out(&mut self, len: usize) {
        self.buffer_len = self.buffer_len.saturating_sub(len);
        if let Some(last) = &mut self.last {
            last.taken_out(len);
        }
    }
}

/// The savepoints of a transaction, in the order in which they were set.
#[derive(Debug, Default)]
pub struct Savepoints {
    marks: Vec<(String, Mark)>,
    /// Index of the latest mark of each name in `marks`. The older mark stays until the list is cleaned.
    by_name: HashMap<String, usize>,
    /// More were set than are remembered.
    are_some_forgotten: bool,
}

impl Savepoints {
    /// Sets a savepoint, or sets it again.
    pub fn set(&mut self, name: String, mark: Mark) {
        if self.by_name.len() >= MOST && !self.by_name.contains_key(&name) {
            self.are_some_forgotten = true;
            return;
        }
        if self.marks.len() >= 2 * MOST {
            self.drop_old_marks();
        }
        self.by_name.insert(name.clone(), self.marks.len());
        self.marks.push((name, mark));
    }

    /// Goes back to a savepoint, and forgets the later ones; `None` if it is unknown.
    pub fn go_back(&mut self, name: &str) -> Option<Mark> {
        let at = *self.by_name.get(name)?;
        for (i, (name, _)) in self.marks.iter().enumerate().skip(at + 1) {
            if self.by_name.get(name) == Some(&i) {
                self.by_name.remove(name);
            }
        }
        self.marks.truncate(at + 1);
        self.marks.get(at).map(|(_, mark)| *mark)
    }

    /// Whether an unknown name may be a forgotten savepoint.
    pub fn are_some_forgotten(&self) -> bool {
        self.are_some_forgotten
    }

    /// Adjusts the offsets after the first `len` bytes were removed from the buffer.
    pub fn taken_out(&mut self, len: usize) {
        for (_, mark) in &mut self.marks {
            mark.taken_out(len);
        }
    }

    pub fn clear(&mut self) {
        if self.are_some_forgotten || !self.marks.is_empty() {
            *self = Savepoints::default();
        }
    }

    /// Removes the older marks of savepoints that were set again.
    fn drop_old_marks(&mut self) {
        let mut i = 0;
        self.marks.retain(|(name, _)| {
            i += 1;
            self.by_name.get(name) == Some(&(i - 1))
        });
        for (i, (name, _)) in self.marks.iter().enumerate() {
            if let Some(at) = self.by_name.get_mut(name) {
                *at = i;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(buffer_len: usize) -> Mark {
        Mark { buffer_len, len: 0, last: None, times: 0 }
    }

    fn back(savepoints: &mut Savepoints, name: &str) -> Option<usize> {
        savepoints.go_back(name).map(|mark| mark.buffer_len)
    }

    #[test]
    fn a_savepoint_set_again_is_the_later_one() {
        let mut savepoints = Savepoints::default();
        for (name, len) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            savepoints.set(name.to_string(), mark(len));
        }
        // Set again, `a` is after `b`.
        assert_eq!(back(&mut savepoints, "a"), Some(3));
        assert_eq!(back(&mut savepoints, "c"), None);
        assert_eq!(back(&mut savepoints, "b"), Some(2));
        assert_eq!(
            back(&mut savepoints, "a"),
            None,
            "the one that stood before `b` is gone since it was set again"
        );
    }

    #[test]
    fn one_name_that_is_set_over_and_over_takes_no_room_and_no_more_time() {
        let mut savepoints = Savepoints::default();
        savepoints.set("first".to_string(), mark(7));
        for i in 0..3 * MOST {
            savepoints.set("again".to_string(), mark(i));
        }
        assert!(savepoints.marks.len() <= 2 * MOST && !savepoints.are_some_forgotten());
        assert_eq!(back(&mut savepoints, "again"), Some(3 * MOST - 1));
        assert_eq!(back(&mut savepoints, "first"), Some(7));
        for i in 0..=MOST {
            savepoints.set(format!("{i}"), mark(0));
        }
        assert!(savepoints.are_some_forgotten() && savepoints.by_name.len() == MOST);
    }
}

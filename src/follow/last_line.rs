//! The last line of the current transaction. Its metadata is rewritten at the commit, to name the end.

use super::cursor::Done;

/// The last line of the current transaction, as offsets into the buffer.
#[derive(Debug, Clone, Copy)]
pub struct LastLine {
    pub start: usize,
    pub metadata: usize,
    /// Length of its `"old"`, which is at its end.
    pub old_len: usize,
    /// What was done before this line.
    pub before: Done,
}

impl LastLine {
    /// Adjusts the offsets after the first `len` bytes were removed from the buffer.
    pub fn taken_out(&mut self, len: usize) {
        self.start = self.start.saturating_sub(len);
        self.metadata = self.metadata.saturating_sub(len);
    }
}

//! The last line of the transaction under way. Its metadata changes at the commit: then it names the end.

use super::cursor::Done;

/// The last line of the transaction under way.
#[derive(Debug, Clone, Copy)]
pub struct LastLine {
    pub start: usize,
    pub metadata: usize,
    /// Bytes of its `"old"`, which stand at its end.
    pub old_len: usize,
    /// What was done before it.
    pub before: Done,
}

impl LastLine {
    /// Bytes were taken from the buffer's beginning.
    pub fn taken_out(&mut self, len: usize) {
        self.start = self.start.saturating_sub(len);
        self.metadata = self.metadata.saturating_sub(len);
    }
}

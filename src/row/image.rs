//! The columns that a row image holds.

use crate::bytes::{Bytes, Malformed, bit};

pub(super) const NOT_LOGGED: Malformed = Malformed("it is not logged");

/// A column that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowError {
    pub column: usize,
    pub why: Malformed,
}

/// Iterates over the columns of a table: does the image hold the column, and is it NULL? NULL bits exist only for columns
/// that the image holds.
#[derive(Debug)]
pub(super) struct Present<'a, 'b> {
    columns: &'a [u8],
    nulls: &'b [u8],
    seen: usize,
}

impl<'a, 'b> Present<'a, 'b> {
    pub(super) fn begin(
        image: &mut Bytes<'b>,
        columns: &'a [u8],
        count: usize,
    ) -> Result<Present<'a, 'b>, RowError> {
        let there = (0..count).filter(|i| bit(columns, *i)).count();
        let nulls = image.take(there.div_ceil(8)).map_err(|why| RowError { column: 0, why })?;
        Ok(Present { columns, nulls, seen: 0 })
    }

    /// Whether the next column, number `i`, is NULL; `None` if the image does not hold it.
    pub(super) fn next(&mut self, i: usize) -> Option<bool> {
        bit(self.columns, i).then(|| {
            self.seen += 1;
            bit(self.nulls, self.seen - 1)
        })
    }
}

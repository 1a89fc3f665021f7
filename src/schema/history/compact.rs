//! Compaction: lines that no position can need any more go.

use std::collections::BTreeSet;

use anyhow::Result;

use super::index::Index;
use super::line::{self, Kind};
use super::{History, is_within};
use crate::exit::io_error;
use crate::position::{FileOrder, Patterns, Position};

/// Smaller files are left alone.
const MIN_BYTES: u64 = 1 << 20;

impl History {
    /// Leaves out what no run can need again. A run can resume no further back than `earliest`, the beginning of the oldest
    /// log file that the server has. If the file is larger than 1 MiB and most of its lines are older than that, then of
    /// these only the last of each table stays, unless the table is gone. Returns whether it did.
    pub fn compact(&mut self, earliest: &Position, order: &FileOrder) -> Result<bool> {
        self.compact_from(MIN_BYTES, earliest, order)
    }

    pub(super) fn compact_from(
        &mut self,
        min_bytes: u64,
        earliest: &Position,
        order: &FileOrder,
    ) -> Result<bool> {
        self.check(earliest)?;
        self.sync()?;
        if self.file.length() <= min_bytes {
            return Ok(false);
        }
        let ordered = self.index.ordered(earliest, order);
        let older = self.index.entries.iter().filter(|entry| ordered.is_reached(entry.place)).count()
            + self.index.complete.iter().filter(|line| ordered.is_reached(line.to)).count();
        if older * 2 <= self.index.entries.len() + self.index.complete.len() {
            return Ok(false);
        }
        let kept = self.kept(earliest, order)?;
        self.file.replace(&kept)?;
        self.rescan()?;
        Ok(true)
    }

    /// The lines of the new file.
    fn kept(&self, earliest: &Position, order: &FileOrder) -> Result<Vec<u8>> {
        let Index { entries, complete, .. } = &self.index;
        let ordered = self.index.ordered(earliest, order);
        let held = ordered.held().into_iter().filter(|entry| entry.kind != Kind::Gone);
        let newer = entries.iter().filter(|entry| !ordered.is_reached(entry.place)).copied();
        let tables = held.chain(newer).map(|entry| (entry.offset, entry.length));
        let completed = complete.iter().filter(|line| !ordered.is_reached(line.to));
        let mut spans: Vec<(u64, usize)> =
            tables.chain(completed.map(|line| (line.offset, line.length))).collect();
        spans.sort_unstable();
        let mut kept = line::header().into_bytes();
        // What was known of all tables there, is.
        let distinct: BTreeSet<&Patterns> = complete.iter().map(|line| &line.patterns).collect();
        let place = Position { server_uuid: self.index.position(ordered.at).server_uuid, ..earliest.clone() };
        for patterns in distinct {
            let reach = ordered.complete_up_to(|other| is_within(patterns, other));
            if reach.is_some_and(|reach| ordered.compare(reach, ordered.at).is_ge()) {
                kept.extend_from_slice(line::complete(&place, None, patterns).as_bytes());
            }
        }
        for (offset, length) in spans {
            let line = self.file.line(offset, length);
            let line = line.map_err(|error| io_error("read the schema history", self.file.path(), error))?;
            kept.extend_from_slice(&line);
        }
        Ok(kept)
    }

    fn rescan(&mut self) -> Result<()> {
        (self.index, self.lines) = Self::scan(&mut self.file)?;
        Ok(())
    }
}

//! Two ways to know that all before the end of MySQL's log is in the engine. No lock is held, so the log may grow while
//! the snapshot begins.
//!
//! A transaction's bytes stand in the log before the engine shows its rows, for as long as the disk, a group of
//! commits or a semi-synchronous replica takes. A position that was merely read first may lie behind rows that the
//! snapshot does not hold.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use mysql::prelude::Queryable;
use mysql::{Conn, Row};

use super::start::start;
use crate::position::Position;
use crate::server::{Server, binary_log, queries};
use crate::version::Release;

/// The first releases of each series whose `log_status` is known to wait for transactions that are in the log and not
/// yet in the engine. It came with 8.0.11; that of 8.0.15 does not wait, and that of 9.7.4 does (both seen).
///
/// Source: `Log_resource_gtid_state_wrapper::lock` in MySQL's `log_resource.cc` waits for prepared transactions in 8.0.44,
/// 8.4.5 and 9.3.0, and did not in 8.0.39, 8.4.4 and 9.1.0 (MySQL's bug 112331). Those between were not seen.
const LOG_STATUS_WAITS_FROM: [(u16, u16, u16); 3] = [(8, 0, 44), (8, 4, 5), (9, 3, 0)];

/// How often, and for how long, the log may grow while a snapshot begins until another method is tried.
const TRIES: u32 = 50;
const TRIES_END: Duration = Duration::from_secs(2);

/// How long the transactions in the log may take to get into the engine: the wait for a semi-synchronous
/// replica is 10 seconds by default.
const COMMITS_END: Duration = Duration::from_secs(20);
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(32)];

/// How to know that all before a place in the log is in the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockFree {
    /// `performance_schema.log_status`, which holds commits back for the moment in which it lock_free.
    LogStatus,
    /// A transaction owns its GTID from before its first byte is in the log until after the engine has it. So
    /// when none of those that were owned at the log's end is owned any more, the engine has all before it.
    GtidOwned,
}

impl LockFree {
    pub fn name(self) -> &'static str {
        match self {
            LockFree::LogStatus => "log_status",
            LockFree::GtidOwned => "gtid_owned",
        }
    }
}

/// Whether `log_status` waits for commits under way on this server.
pub fn log_status_waits(server: &Server) -> bool {
    waits(server.release)
}

fn waits(release: Release) -> bool {
    let [old, lts, new] = LOG_STATUS_WAITS_FROM;
    let from = |(major, minor, patch)| release.is_mysql_from(major, minor, patch);
    let in_series = |(major, minor, patch): (u16, u16, u16)| {
        from((major, minor, patch)) && !release.is_mysql_from(major, minor + 1, 0)
    };
    in_series(old) || in_series(lts) || from(new)
}

/// Begins the snapshot so that it holds just what stands before the position; `None` if the log grew each time.
/// Whatever is committed after the second way gets into the log after it.
pub fn exact(way: LockFree, conn: &mut Conn, server: &Server) -> Result<Option<Position>> {
    let deadline = Instant::now() + TRIES_END;
    for _ in 0..TRIES {
        let Some(first) = settled_end(way, conn, server, deadline)? else {
            return Ok(None);
        };
        start(conn, server)?;
        let again = match way {
            LockFree::LogStatus => log_status(conn, server)?,
            LockFree::GtidOwned => binary_log::end(conn, server)?,
        };
        if again == first {
            return Ok(Some(first));
        }
        conn.query_drop("ROLLBACK")?;
        if Instant::now() >= deadline {
            break;
        }
    }
    Ok(None)
}

/// Begins the snapshot so that it holds all that stands before the position, and perhaps more.
pub fn before(way: LockFree, conn: &mut Conn, server: &Server) -> Result<Position> {
    let position = settled_end(way, conn, server, Instant::now() + COMMITS_END)?;
    let position = position.ok_or_else(|| {
        let time = COMMITS_END.as_secs();
        anyhow!("transactions that began before are still not committed after {time} seconds")
    })?;
    start(conn, server)?;
    Ok(position)
}

/// An end of the log, once all before it is in the engine; `None` if that does not come in time.
fn settled_end(
    way: LockFree,
    conn: &mut Conn,
    server: &Server,
    deadline: Instant,
) -> Result<Option<Position>> {
    match way {
        LockFree::LogStatus if !log_status_waits(server) => {
            let known = LOG_STATUS_WAITS_FROM.map(|(major, minor, patch)| format!("{major}.{minor}.{patch}"));
            Err(anyhow!("it waits for commits under way only from MySQL {} on", known.join(", ")))
        }
        LockFree::LogStatus => log_status(conn, server).map(Some),
        LockFree::GtidOwned => {
            let end = binary_log::end(conn, server)?;
            Ok(all_released(conn, deadline)?.then_some(end))
        }
    }
}

/// Waits until none of the GTIDs that are owned now is owned any more.
fn all_released(conn: &mut Conn, deadline: Instant) -> Result<bool> {
    let mut gtids = owned(conn)?;
    let [mut pause, longest] = PAUSES;
    while !gtids.is_empty() {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        thread::sleep(pause);
        pause = longest.min(pause * 2);
        let now = owned(conn)?;
        gtids.retain(|gtid| now.contains(gtid));
    }
    Ok(true)
}

/// The GTIDs of the transactions under way.
fn owned(conn: &mut Conn) -> Result<HashSet<String>> {
    let row: Option<Row> = conn.query_first("SELECT @@global.gtid_mode, @@global.gtid_owned")?;
    let row = row.ok_or_else(|| anyhow!("the server did not say"))?;
    let (Some(mode), Some(owned)) = (queries::text(&row, 0), queries::text(&row, 1)) else {
        return Err(anyhow!("the server did not say"));
    };
    // In the modes between OFF and ON there may be transactions without a GTID.
    match mode.eq_ignore_ascii_case("ON") {
        true => Ok(gtids(&owned)),
        false => Err(anyhow!("gtid_mode is {mode}")),
    }
}

/// From `uuid:1#10:2#11,uuid:tag:7#12`, each GTID followed by the threads that own it.
fn gtids(owned: &str) -> HashSet<String> {
    let mut gtids = HashSet::new();
    for source in owned.split(',') {
        let mut source_and_tag = String::new();
        for part in source.trim().split(':') {
            match part.split_once('#') {
                Some((number, _)) => _ = gtids.insert(format!("{source_and_tag}{number}")),
                // A tag after numbers begins anew behind the source.
                None => {
                    let from = source_and_tag.find(':').map_or(0, |at| at + 1);
                    source_and_tag.truncate(from);
                    source_and_tag.push_str(part);
                    source_and_tag.push(':');
                }
            }
        }
    }
    gtids.remove("");
    gtids
}

fn log_status(conn: &mut Conn, server: &Server) -> Result<Position> {
    let query = "SELECT LOCAL->>'$.binary_log_file', LOCAL->>'$.binary_log_position' \
         FROM performance_schema.log_status";
    let row: Option<Row> = conn.query_first(query)?;
    let row = row.ok_or_else(|| anyhow!("it is empty"))?;
    let position = queries::text(&row, 1).and_then(|text| text.parse().ok());
    match (queries::text(&row, 0), position) {
        (Some(file), Some(position)) if !file.is_empty() => {
            Ok(Position { server_uuid: server.uuid.clone(), ..Position::new(file, position) })
        }
        _ => Err(crate::exit::unavailable("this server keeps no binary log: start it with log_bin")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(owned: &str) -> Vec<String> {
        let mut gtids: Vec<_> = gtids(owned).into_iter().collect();
        gtids.sort();
        gtids
    }

    #[test]
    fn releases_whose_log_status_waits() {
        let waits = |text| waits(Release::parse(text, "").unwrap());
        for text in ["8.0.44", "8.0.45-36.1", "8.4.5", "8.4.7", "9.3.0", "9.7.4"] {
            assert!(waits(text), "{text}");
        }
        for text in
            ["8.0.15", "8.0.43", "8.1.0", "8.3.0", "8.4.4", "9.0.0", "9.2.0", "11.8.3-MariaDB", "5.7.44"]
        {
            assert!(!waits(text), "{text}");
        }
    }

    #[test]
    fn gtids_of_any_source_and_tag_are_told_apart() {
        assert_eq!(sorted(""), Vec::<String>::new());
        assert_eq!(sorted("a-1:3#9"), ["a-1:3"]);
        assert_eq!(sorted("a-1:3#9#12:4#10,\nb-2:3#11"), ["a-1:3", "a-1:4", "b-2:3"]);
        assert_eq!(
            sorted("a-1:3#9:tag:3#10:4#11:other:3#1"),
            ["a-1:3", "a-1:other:3", "a-1:tag:3", "a-1:tag:4"]
        );
    }
}

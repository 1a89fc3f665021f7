//! Finds the position without a lock, on MySQL. The log may grow while the snapshot begins.
//!
//! A transaction is in the log before its rows are visible in the engine, for as long as the disk, a group commit or a
//! semi-synchronous replica takes. So a position read just before the snapshot may be after transactions that the snapshot
//! lacks. Both ways here make sure that everything before the end of the log is in the engine.

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

/// The first release of each series whose `log_status` is known to wait for transactions that are in the log but not yet in
/// the engine. It exists since 8.0.11; seen: that of 8.0.15 does not wait, that of 9.7.4 does.
///
/// Source: `Log_resource_gtid_state_wrapper::lock` in MySQL's `log_resource.cc` waits for prepared transactions in 8.0.44,
/// 8.4.5 and 9.3.0, and did not in 8.0.39, 8.4.4 and 9.1.0 (MySQL's bug 112331). Those between are unknown.
const LOG_STATUS_WAITS_FROM: [(u16, u16, u16); 3] = [(8, 0, 44), (8, 4, 5), (9, 3, 0)];

/// How often, and for how long, to retry while the log grows, before another method is tried.
const TRIES: u32 = 50;
const TRIES_END: Duration = Duration::from_secs(2);

/// How long the transactions in the log may take to reach the engine: the wait for a semi-synchronous replica is 10 seconds
/// by default.
const COMMITS_END: Duration = Duration::from_secs(20);
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(32)];

/// How to make sure that everything before a place in the log is in the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockFree {
    /// `performance_schema.log_status`, which blocks commits while it is read.
    LogStatus,
    /// `gtid_owned`: a transaction owns its GTID from before it is in the log until after the engine has it. Once all GTIDs
    /// that were owned when the log's end was read are released, the engine has everything before it.
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

/// Whether `log_status` waits for running commits on this server.
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

/// Begins a snapshot that holds exactly what comes before the position; `None` if the log grew each time. A transaction
/// that commits after the end was read again comes after it in the log.
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

/// Begins a snapshot that holds everything before the position, and perhaps more.
pub fn before(way: LockFree, conn: &mut Conn, server: &Server) -> Result<Position> {
    let position = settled_end(way, conn, server, Instant::now() + COMMITS_END)?;
    let position = position.ok_or_else(|| {
        let time = COMMITS_END.as_secs();
        anyhow!("earlier transactions are still not committed after {time} seconds")
    })?;
    start(conn, server)?;
    Ok(position)
}

/// The end of the log, once everything before it is in the engine; `None` if that takes too long.
fn settled_end(
    way: LockFree,
    conn: &mut Conn,
    server: &Server,
    deadline: Instant,
) -> Result<Option<Position>> {
    match way {
        LockFree::LogStatus if !log_status_waits(server) => {
            let known = LOG_STATUS_WAITS_FROM.map(|(major, minor, patch)| format!("{major}.{minor}.{patch}"));
            Err(anyhow!("it waits for running commits only since MySQL {}", known.join(", ")))
        }
        LockFree::LogStatus => log_status(conn, server).map(Some),
        LockFree::GtidOwned => {
            let end = binary_log::end(conn, server)?;
            Ok(all_released(conn, deadline)?.then_some(end))
        }
    }
}

/// Waits until all GTIDs that are owned now are released.
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

/// The GTIDs of running transactions.
fn owned(conn: &mut Conn) -> Result<HashSet<String>> {
    let row: Option<Row> = conn.query_first("SELECT @@global.gtid_mode, @@global.gtid_owned")?;
    let row = row.ok_or_else(|| anyhow!("the server returned nothing"))?;
    let (Some(mode), Some(owned)) = (queries::text(&row, 0), queries::text(&row, 1)) else {
        return Err(anyhow!("the server returned nothing"));
    };
    // In modes other than ON there may be transactions without a GTID.
    match mode.eq_ignore_ascii_case("ON") {
        true => Ok(gtids(&owned)),
        false => Err(anyhow!("gtid_mode is {mode}")),
    }
}

/// Parses `uuid:1#10:2#11,uuid:tag:7#12`: each GTID is followed by the threads that own it.
fn gtids(owned: &str) -> HashSet<String> {
    let mut gtids = HashSet::new();
    for source in owned.split(',') {
        let mut source_and_tag = String::new();
        for part in source.trim().split(':') {
            match part.split_once('#') {
                Some((number, _)) => _ = gtids.insert(format!("{source_and_tag}{number}")),
                // A tag replaces an earlier one.
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
        _ => Err(binary_log::no_log()),
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

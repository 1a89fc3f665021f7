//! A consistent snapshot of many tables, and its exact position in the log.

mod advice;
mod lock_free;
mod locks;
pub mod read;
mod start;

use anyhow::{Context, Result};
use mysql::prelude::Queryable;
use mysql::{Conn, Row};

use crate::exit::message;
use crate::position::Position;
use crate::server::{Options, Server, binary_log, queries};
use lock_free::LockFree;
use start::{prepare, start};

/// How a snapshot's position was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// No position was asked for.
    None,
    /// MariaDB's `binlog_snapshot_%` status, which is part of the snapshot.
    SnapshotStatus,
    /// MySQL: the log did not grow while the snapshot began, and everything before its end was in the engine.
    Exact(LockFree),
    GlobalLock,
    TableLocks,
    /// MySQL: the log grew each time; the snapshot may hold a little more than the position says.
    Before(LockFree),
    /// The position was read before the snapshot, without blocking commits.
    Lossy,
}

impl Method {
    /// For stderr.
    pub fn describe(self) -> &'static str {
        match self {
            Method::None => "one consistent snapshot; no position asked for",
            Method::SnapshotStatus => "one consistent snapshot and its exact position, without a lock",
            Method::Exact(LockFree::LogStatus) => {
                "one consistent snapshot and its exact position, without a lock (performance_schema.log_status)"
            }
            Method::Exact(LockFree::GtidOwned) => {
                "one consistent snapshot and its exact position, without a lock (gtid_owned)"
            }
            Method::GlobalLock => {
                "one consistent snapshot and its exact position, under FLUSH TABLES WITH READ LOCK, now released"
            }
            Method::TableLocks => {
                "one consistent snapshot and its exact position, under LOCK TABLES … READ, now released"
            }
            Method::Before(LockFree::LogStatus) => {
                "one consistent snapshot and a position just before it, without a lock \
                 (performance_schema.log_status): tail will repeat changes made in between"
            }
            Method::Before(LockFree::GtidOwned) => {
                "one consistent snapshot and a position just before it, without a lock (gtid_owned): tail will repeat \
                 changes made in between"
            }
            Method::Lossy => {
                "--no-lock: the position was read before the snapshot without blocking commits; changes made in between \
                 may be LOST"
            }
        }
    }
}

/// What a snapshot is needed for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub position: bool,
    pub no_lock: bool,
    /// Database and name of each table.
    pub tables: &'a [(String, String)],
}

/// Begins the snapshot on `conn`.
///
/// # Errors
/// When only a lossy method is possible, and `no_lock` was not given.
pub fn begin(
    conn: &mut Conn,
    server: &Server,
    options: &Options,
    request: Request<'_>,
) -> Result<(Method, Option<Position>)> {
    prepare(conn)?;
    if !request.position {
        start(conn, server)?;
        return Ok((Method::None, None));
    }
    let found = |method, position: Position| Ok((method, Some(position)));
    if server.is_mariadb() {
        start(conn, server)?;
        return found(Method::SnapshotStatus, snapshot_status(conn)?);
    }
    // Without a log no method can find a position.
    if queries::variable(conn, "log_bin")?.is_some_and(|is| is.eq_ignore_ascii_case("OFF")) {
        return Err(binary_log::no_log());
    }
    let mut refusals = Vec::new();
    let mut busy = None;
    for way in [LockFree::LogStatus, LockFree::GtidOwned] {
        match lock_free::exact(way, conn, server) {
            Ok(Some(position)) => return found(Method::Exact(way), position),
            // The log would grow with the other way, too.
            Ok(None) => {
                busy = Some(way);
                break;
            }
            Err(error) => refusals.push(format!("{}: {}", way.name(), message(&error))),
        }
    }
    if !request.no_lock {
        match locks::global(conn, server, options) {
            Ok(position) => return found(Method::GlobalLock, position),
            Err(error) => refusals.push(format!("FLUSH TABLES WITH READ LOCK: {}", message(&error))),
        }
        match locks::tables(conn, server, options, request.tables) {
            Ok(position) => return found(Method::TableLocks, position),
            Err(error) => refusals.push(format!("LOCK TABLES: {}", message(&error))),
        }
    }
    if let Some(way) = busy {
        match lock_free::before(way, conn, server) {
            Ok(position) => return found(Method::Before(way), position),
            Err(error) => refusals.push(format!("{}: {}", way.name(), message(&error))),
        }
    }
    if !request.no_lock {
        return Err(advice::refusal(conn, server, request.tables, busy, &refusals));
    }
    let position = binary_log::end(conn, server)?;
    start(conn, server)?;
    found(Method::Lossy, position)
}

fn snapshot_status(conn: &mut Conn) -> Result<Position> {
    let rows: Vec<Row> = conn
        .query("SHOW STATUS LIKE 'binlog_snapshot_%'")
        .context("cannot ask for the snapshot's position")?;
    let value = |name: &str| {
        let row =
            rows.iter().find(|row| queries::text(row, 0).is_some_and(|key| key.eq_ignore_ascii_case(name)));
        row.and_then(|row| queries::text(row, 1)).unwrap_or_default()
    };
    let file = value("binlog_snapshot_file");
    let position = value("binlog_snapshot_position").parse();
    match position {
        Ok(position) if !file.is_empty() => Ok(Position::new(file, position)),
        _ => Err(crate::exit::unavailable(
            "this server keeps no binary log, so there is no position to save: start it with log_bin, or load without --save",
        )),
    }
}

//! A consistent snapshot of many tables, and the position in the log that is exact for it.

pub mod read;

use anyhow::{Context, Result, anyhow};
use mysql::prelude::Queryable;
use mysql::{Conn, Row};

use crate::exit::in_words;
use crate::position::Position;
use crate::schema::catalog::quoted;
use crate::server::{Options, Server, connect, log};

/// The transaction that all tables are read in.
const BEGIN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
const BEGIN_PLAIN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT";
/// How often two looks at a busy log may differ before another method is tried.
const LOOKS: u32 = 50;
/// How long a lock is waited for, in seconds: everything else queues behind the wait.
const LOCK_WAIT_S: u32 = 5;

/// How a snapshot's position was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// No position was asked for.
    None,
    /// MariaDB's `binlog_snapshot_%`: part of the snapshot.
    SnapshotStatus,
    /// MySQL's `performance_schema.log_status`, the same before and after the snapshot began.
    LogStatus,
    GlobalLock,
    TableLocks,
    /// The start of the current file, with the set of transactions that the snapshot surely holds.
    GtidSet,
    /// `log_status` moved each time: the snapshot may hold a little more than the position says.
    LogStatusBefore,
    /// Position first, snapshot afterwards, and nothing to hold commits back.
    Lossy,
}

impl Method {
    /// For stderr.
    pub fn describe(self) -> &'static str {
        match self {
            Method::None => "one consistent snapshot; no position asked for",
            Method::SnapshotStatus => "one consistent snapshot and its exact position, without a lock",
            Method::LogStatus => {
                "one consistent snapshot and its exact position, without a lock (performance_schema.log_status)"
            }
            Method::GlobalLock => {
                "one consistent snapshot and its exact position, under FLUSH TABLES WITH READ LOCK, now released"
            }
            Method::TableLocks => {
                "one consistent snapshot and its exact position, under LOCK TABLES … READ, now released"
            }
            Method::GtidSet => {
                "one consistent snapshot and its GTID set, without a lock: changes made while it began may be repeated by tail"
            }
            Method::LogStatusBefore => {
                "one consistent snapshot and a position just before it, without a lock: changes made in between will be repeated by tail"
            }
            Method::Lossy => {
                "--no-lock: the position was read before the snapshot with nothing to hold commits back; changes made in between may be LOST"
            }
        }
    }
}

/// What is asked of a snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    pub position: bool,
    pub no_lock: bool,
    /// Database and name of each table.
    pub tables: &'a [(String, String)],
}

/// Begins the snapshot on `conn`.
///
/// # Errors
/// When only a lossy order would be possible and `no_lock` was not given.
pub fn begin(
    conn: &mut Conn,
    server: &Server,
    options: &Options,
    wish: Wish<'_>,
) -> Result<(Method, Option<Position>)> {
    prepare(conn)?;
    if !wish.position {
        start(conn, server)?;
        return Ok((Method::None, None));
    }
    let found = |method, position: Position| Ok((method, Some(position)));
    if server.is_mariadb() {
        start(conn, server)?;
        return found(Method::SnapshotStatus, snapshot_status(conn)?);
    }
    // Exit 3 without a log: no other method would find one.
    if log::variable(conn, "log_bin")?.is_some_and(|is| is.eq_ignore_ascii_case("OFF")) {
        return Err(log::no_log());
    }
    let mut refusals = Vec::new();
    let mut before = None;
    match log_status(conn, server) {
        Ok(Some((method, position))) => return found(method, position),
        Ok(None) => before = Some(()),
        Err(error) => refusals.push(format!("log_status: {}", in_words(&error))),
    }
    if !wish.no_lock {
        match global_lock(conn, server, options) {
            Ok(position) => return found(Method::GlobalLock, position),
            Err(error) => refusals.push(format!("FLUSH TABLES WITH READ LOCK: {}", in_words(&error))),
        }
        match table_locks(conn, server, options, wish.tables) {
            Ok(position) => return found(Method::TableLocks, position),
            Err(error) => refusals.push(format!("LOCK TABLES: {}", in_words(&error))),
        }
    }
    if before.is_some() {
        let (_, position) = log_status_before(conn, server)?;
        return found(Method::LogStatusBefore, position);
    }
    match gtid_set(conn, server) {
        Ok(position) => return found(Method::GtidSet, position),
        Err(error) => refusals.push(format!("GTIDs: {}", in_words(&error))),
    }
    if !wish.no_lock {
        return Err(anyhow!(
            "this account can get no position that is exact for a snapshot: GRANT it BACKUP_ADMIN ON *.* and \
             SELECT ON performance_schema.log_status (MySQL 8.0 and later), or else REPLICATION CLIENT and \
             RELOAD ON *.*, or REPLICATION CLIENT ON *.* and LOCK TABLES on the databases; or give --no-lock and \
             accept that changes may be lost ({})",
            refusals.join("; ")
        ));
    }
    let position = log::end(conn, server)?;
    start(conn, server)?;
    found(Method::Lossy, position)
}

fn prepare(conn: &mut Conn) -> Result<()> {
    // SQL_MODE: quotes and zero dates mean the same everywhere. The rest keeps a long load alive.
    let settings = "SET NAMES utf8mb4, @@session.sql_mode = '', @@session.time_zone = '+00:00', \
         @@session.net_write_timeout = 86400, @@session.wait_timeout = 86400";
    conn.query_drop(settings).context("cannot set up the session")?;
    conn.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .context("cannot set the isolation level")
}

fn start(conn: &mut Conn, server: &Server) -> Result<()> {
    let begin = if server.is_mariadb() { BEGIN_PLAIN } else { BEGIN };
    conn.query_drop(begin).context("cannot begin a snapshot")
}

fn snapshot_status(conn: &mut Conn) -> Result<Position> {
    let rows: Vec<Row> = conn
        .query("SHOW STATUS LIKE 'binlog_snapshot_%'")
        .context("cannot ask for the snapshot's position")?;
    let value = |name: &str| {
        let row = rows.iter().find(|row| log::text(row, 0).is_some_and(|key| key.eq_ignore_ascii_case(name)));
        row.and_then(|row| log::text(row, 1)).unwrap_or_default()
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

/// A look at the log takes a moment's lock on commits inside the server, so all that it counts is in the
/// engine. If a second look after the snapshot began sees the same, the snapshot holds just that.
fn log_status(conn: &mut Conn, server: &Server) -> Result<Option<(Method, Position)>> {
    if !server.is_mysql_from(8, 0, 0) {
        return Err(anyhow!("it came with MySQL 8.0"));
    }
    for _ in 0..LOOKS {
        let first = look(conn, server)?;
        start(conn, server)?;
        if look(conn, server)? == first {
            return Ok(Some((Method::LogStatus, first)));
        }
        conn.query_drop("ROLLBACK")?;
    }
    Ok(None)
}

fn log_status_before(conn: &mut Conn, server: &Server) -> Result<(Method, Position)> {
    let first = look(conn, server)?;
    start(conn, server)?;
    Ok((Method::LogStatusBefore, first))
}

fn look(conn: &mut Conn, server: &Server) -> Result<Position> {
    let query = "SELECT LOCAL->>'$.binary_log_file', LOCAL->>'$.binary_log_position' \
         FROM performance_schema.log_status";
    let row: Option<Row> = conn.query_first(query)?;
    let row = row.ok_or_else(|| anyhow!("it is empty"))?;
    let position = log::text(&row, 1).and_then(|text| text.parse().ok());
    match (log::text(&row, 0), position) {
        (Some(file), Some(position)) if !file.is_empty() => {
            Ok(Position { server_uuid: server.uuid.clone(), ..Position::new(file, position) })
        }
        _ => Err(crate::exit::unavailable("this server keeps no binary log: start it with log_bin")),
    }
}

/// Locks on a connection of their own: beginning a transaction would release the session's table locks.
fn locked(conn: &mut Conn, server: &Server, options: &Options, lock: &str) -> Result<Position> {
    let mut locker = connect(options)?;
    // Both names, for whichever the server has: a lock that waits blocks everybody behind it.
    locker.query_drop(format!("SET NAMES utf8mb4, @@session.lock_wait_timeout = {LOCK_WAIT_S}"))?;
    locker.query_drop(lock)?;
    let position = log::end(&mut locker, server)?;
    start(conn, server)?;
    locker.query_drop("UNLOCK TABLES")?;
    Ok(position)
}

fn global_lock(conn: &mut Conn, server: &Server, options: &Options) -> Result<Position> {
    locked(conn, server, options, "FLUSH TABLES WITH READ LOCK")
}

fn table_locks(
    conn: &mut Conn,
    server: &Server,
    options: &Options,
    tables: &[(String, String)],
) -> Result<Position> {
    let locks = tables.iter().map(|(database, table)| format!("{} READ", quoted(database, table)));
    let locks = locks.collect::<Vec<_>>().join(", ");
    locked(conn, server, options, &format!("LOCK TABLES {locks}"))
}

/// What `gtid_executed` names is in the engine, and so is all that stands in files before the current
/// one. So the start of that file, less that set, misses nothing.
fn gtid_set(conn: &mut Conn, server: &Server) -> Result<Position> {
    let row: Option<(String, String)> =
        conn.query_first("SELECT @@global.gtid_mode, @@global.gtid_executed")?;
    let (mode, _) = row.ok_or_else(|| anyhow!("the server did not say"))?;
    if !mode.eq_ignore_ascii_case("ON") {
        return Err(anyhow!("gtid_mode is {mode}"));
    }
    let end = log::end(conn, server)?;
    let set: Option<String> = conn.query_first("SELECT @@global.gtid_executed")?;
    let set = set.unwrap_or_default().replace(['\n', ' '], "");
    start(conn, server)?;
    Ok(Position { position: 4, gtid_set: Some(set), ..end })
}

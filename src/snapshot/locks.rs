//! Finds the position under a lock that blocks commits while the snapshot begins.

use anyhow::Result;
use mysql::Conn;
use mysql::prelude::Queryable;

use super::start::start;
use crate::position::Position;
use crate::schema::quoting::quoted;
use crate::server::{Options, Server, binary_log, connect};

/// How long to wait for a lock, in seconds: other clients queue behind it.
const WAIT_S: u32 = 5;
/// When the server releases the lock of a vanished client, in seconds.
const ABANDONED_S: u32 = 30;

/// A global lock. It waits for running commits, which hold the commit lock until the engine is done.
pub fn global(conn: &mut Conn, server: &Server, options: &Options) -> Result<Position> {
    locked(conn, server, options, "FLUSH TABLES WITH READ LOCK")
}

/// Table locks. They wait for transactions that have written to one of the tables.
pub fn tables(
    conn: &mut Conn,
    server: &Server,
    options: &Options,
    tables: &[(String, String)],
) -> Result<Position> {
    let locks = tables.iter().map(|(database, table)| format!("{} READ", quoted(database, table)));
    let locks = locks.collect::<Vec<_>>().join(", ");
    locked(conn, server, options, &format!("LOCK TABLES {locks}"))
}

/// Takes the lock on another connection, since beginning a transaction would release the session's table locks. While it is
/// held, no statement is sent that could wait for it.
fn locked(conn: &mut Conn, server: &Server, options: &Options, lock: &str) -> Result<Position> {
    let mut locker = connect(options)?;
    locker.query_drop(format!(
        "SET NAMES utf8mb4, @@session.lock_wait_timeout = {WAIT_S}, @@session.wait_timeout = {ABANDONED_S}"
    ))?;
    if !server.is_mysql_from(5, 7, 5) {
        // LOCK TABLES READ does not wait for a COMMIT, which uses no table, of a transaction that wrote before. The engine's
        // own table lock does; it is only taken with autocommit off.
        locker.query_drop(format!(
            "SET @@session.autocommit = 0, @@session.innodb_table_locks = 1, \
             @@session.innodb_lock_wait_timeout = {WAIT_S}"
        ))?;
    }
    locker.query_drop(lock)?;
    let position = binary_log::end(&mut locker, server)?;
    start(conn, server)?;
    locker.query_drop("UNLOCK TABLES")?;
    Ok(position)
}

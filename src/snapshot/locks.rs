//! Locks that hold commits back while the snapshot begins.

use anyhow::Result;
use mysql::Conn;
use mysql::prelude::Queryable;

use super::start::start;
use crate::position::Position;
use crate::schema::quoting::quoted;
use crate::server::{Options, Server, binary_log, connect};

/// How long a lock is waited for, in seconds: everything else queues behind the wait.
const WAIT_S: u32 = 5;
/// When the server lets go of a lock whose owner has vanished, in seconds.
const ABANDONED_S: u32 = 30;

/// The lock waits for commits under way, since each holds the commit lock until the engine has it.
pub fn global(conn: &mut Conn, server: &Server, options: &Options) -> Result<Position> {
    locked(conn, server, options, "FLUSH TABLES WITH READ LOCK")
}

/// The lock waits for transactions that have written to one of the tables.
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

/// Locks on a connection of their own: beginning a transaction would release the session's table locks.
/// While the lock is held, no statement is sent that may itself wait for it.
fn locked(conn: &mut Conn, server: &Server, options: &Options, lock: &str) -> Result<Position> {
    let mut locker = connect(options)?;
    locker.query_drop(format!(
        "SET NAMES utf8mb4, @@session.lock_wait_timeout = {WAIT_S}, @@session.wait_timeout = {ABANDONED_S}"
    ))?;
    if !server.is_mysql_from(5, 7, 5) {
        // LOCK TABLES READ does not wait for a transaction that wrote before and commits now, as its COMMIT uses no
        // table. The engine's own table lock does; it is only taken with autocommit off.
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

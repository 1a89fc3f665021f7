//! The transaction that a snapshot is read in.

use anyhow::{Context, Result};
use mysql::Conn;
use mysql::prelude::Queryable;

use crate::server::Server;

const BEGIN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
const BEGIN_PLAIN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT";

/// Sets up the session: settings that affect values, and timeouts for a long load.
pub fn prepare(conn: &mut Conn) -> Result<()> {
    // An empty sql_mode gives quotes and zero dates the same meaning everywhere.
    let settings = "SET NAMES utf8mb4, @@session.sql_mode = '', @@session.time_zone = '+00:00', \
         @@session.net_write_timeout = 86400, @@session.wait_timeout = 86400";
    conn.query_drop(settings).context("cannot set up the session")?;
    conn.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .context("cannot set the isolation level")
}

/// Starts the transaction: its rows are those committed now.
pub fn start(conn: &mut Conn, server: &Server) -> Result<()> {
    let begin = if server.is_mariadb() { BEGIN_PLAIN } else { BEGIN };
    conn.query_drop(begin).context("cannot begin a snapshot")
}

//! The error when no method can find a position.

use anyhow::anyhow;
use mysql::Conn;
use mysql::prelude::Queryable;

use super::lock_free::{LockFree, log_status_waits};
use crate::server::{Server, queries};

/// Says why there is no position, and which grants would give one, starting with those that disturb other clients least.
pub fn refusal(
    conn: &mut Conn,
    server: &Server,
    tables: &[(String, String)],
    busy: Option<LockFree>,
    refusals: &[String],
) -> anyhow::Error {
    let account = account(conn);
    let mut ways = Vec::new();
    let gtids = queries::variable(conn, "gtid_mode").ok().flatten().is_some_and(|mode| mode == "ON");
    if gtids && busy.is_none() {
        ways.push(format!("GRANT REPLICATION CLIENT ON *.* TO {account}"));
    }
    if log_status_waits(server) && busy.is_none() {
        ways.push(format!(
            "GRANT BACKUP_ADMIN, REPLICATION CLIENT ON *.* TO {account} and \
             GRANT SELECT ON performance_schema.log_status TO {account}"
        ));
    }
    let flush = if server.is_mysql_from(8, 0, 23) { "FLUSH_TABLES" } else { "RELOAD" };
    ways.push(format!("GRANT {flush}, REPLICATION CLIENT ON *.* TO {account}"));
    if let Some((database, _)) = tables.first() {
        let one = tables.iter().all(|(other, _)| other == database);
        let place = if one { format!("`{}`.*", database.replace('`', "``")) } else { "*.*".into() };
        ways.push(format!(
            "GRANT LOCK TABLES ON {place} TO {account} with GRANT REPLICATION CLIENT ON *.* TO {account}"
        ));
    }
    let what = match busy {
        Some(_) => {
            "the server is too busy for a position without a lock: try again later, or let this account take one"
        }
        None => "this account has no way to find the exact position of a snapshot: give it one",
    };
    anyhow!(
        "{what} ({}); or give --no-lock and accept that changes may be lost. Tried: {}",
        ways.join("; or "),
        refusals.join("; ")
    )
}

/// The current account, in the syntax of GRANT.
fn account(conn: &mut Conn) -> String {
    let account: Option<Option<String>> = conn.query_first("SELECT CURRENT_USER()").ok();
    let account = account.flatten().unwrap_or_default();
    match account.rsplit_once('@') {
        Some((user, host)) => format!("'{}'@'{host}'", user.replace('\'', "''")),
        None => "this account".into(),
    }
}

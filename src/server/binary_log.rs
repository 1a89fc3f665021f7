//! What the server says about its binary log: where it ends, and which files there are.

use anyhow::{Result, anyhow};
use mysql::prelude::Queryable;
use mysql::{Conn, Row};

use super::queries::text;
use super::{Privilege, Server, is_access_denied};
use crate::exit::unavailable;
use crate::position::Position;

const ER_PARSE: u16 = 1064;

/// Where the log ends now.
///
/// # Errors
/// Exit 3 when the server keeps no log; exit 1 when the account may not ask.
pub fn end(conn: &mut Conn, server: &Server) -> Result<Position> {
    // MySQL 8.2 introduced the new syntax, 8.4 removed the old one.
    let new_syntax = server.is_mysql_from(8, 2, 0);
    let ask = |conn: &mut Conn, new: bool| {
        conn.query_first::<Row, _>(if new { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" })
    };
    let row = match ask(conn, new_syntax) {
        Err(mysql::Error::MySqlError(e)) if e.code == ER_PARSE => ask(conn, !new_syntax),
        other => other,
    };
    let row = row.map_err(|error| refused(error, "say where its binary log ends", server))?;
    let row = row.ok_or_else(no_log)?;
    let (file, position) = (text(&row, 0), row.get_opt::<u64, _>(1).and_then(Result::ok));
    let (Some(file), Some(position)) = (file, position) else {
        return Err(anyhow!("the server did not say where its binary log ends"));
    };
    Ok(Position { server_uuid: server.uuid.clone(), ..Position::new(file, position) })
}

/// The oldest file's first event.
pub fn earliest(conn: &mut Conn, server: &Server) -> Result<Position> {
    let file = files(conn, server)?.into_iter().next().ok_or_else(no_log)?;
    Ok(Position { server_uuid: server.uuid.clone(), ..Position::new(file, 4) })
}

/// The names of the log's files, oldest first.
pub fn files(conn: &mut Conn, server: &Server) -> Result<Vec<String>> {
    let rows: Vec<Row> = conn.query("SHOW BINARY LOGS").map_err(|error| match &error {
        // "You are not using binary logging"
        mysql::Error::MySqlError(e) if e.code == 1381 => no_log(),
        _ => refused(error, "list its binary logs", server),
    })?;
    Ok(rows.iter().filter_map(|row| text(row, 0)).collect())
}

/// The error of a server without a log.
pub fn no_log() -> anyhow::Error {
    unavailable("this server keeps no binary log: start it with log_bin")
}

/// The error of a failed request, with the GRANT that the account may lack.
fn refused(error: mysql::Error, what: &str, server: &Server) -> anyhow::Error {
    match &error {
        mysql::Error::MySqlError(e) if is_access_denied(e.code) => {
            anyhow!("the server refused to {what} ({}): {}", e.message, server.grant(Privilege::AskAboutLog))
        }
        _ => anyhow::Error::new(error).context(format!("the server failed to {what}")),
    }
}

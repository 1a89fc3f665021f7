//! The server: where it is and how to log in ([`Options`]), the connection ([`connect()`]), and which
//! server answered ([`Server`]).

mod connect;
mod failure;
pub mod log;
pub mod option_file;
pub mod options;
pub mod settings;
mod small_file;
mod tls_roots;

use std::fmt;

use anyhow::{Context, Result, bail};
use mysql::prelude::Queryable;
use mysql::{Conn, Row};

pub use connect::{connect, socket_of};
pub use failure::CannotConnect;
pub use options::{Given, Options};

use crate::version::Release;

/// "Unknown system variable".
const ER_UNKNOWN_SYSTEM_VARIABLE: u16 = 1193;

/// Which server this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub release: Release,
    /// As the server writes it: `10.11.14-MariaDB-0+deb12u2-log`.
    pub version_text: String,
    /// Tells this server's log from any other's. `None` on MariaDB: its `server_uid` is made of a
    /// network card and a port, so it stays when the data are another's and changes when they are not.
    pub uuid: Option<String>,
    pub server_id: u32,
    /// Names of databases and tables are kept in lower case, whatever case they are given in.
    pub lower_case_names: bool,
    /// The account that the login was taken for, as GRANT takes it: `'dumpa'@'%'`.
    pub account: String,
}

/// What an account needs for a server's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// To be sent the log, as a replica is.
    ReadLog,
    /// To ask where it begins and ends.
    AskAboutLog,
}

/// Whether an error is of an account that may not do what it asked for: access denied, to the server, a database, a
/// table, a column, or for want of a privilege.
pub fn is_access_denied(code: u16) -> bool {
    matches!(code, 1044 | 1045 | 1142 | 1143 | 1227 | 1370 | 1698)
}

impl Server {
    /// Asks the server who it is, in one round trip.
    ///
    /// # Errors
    /// When the connection fails, or the answer is not a server's.
    pub fn identify(conn: &mut Conn) -> Result<Server> {
        // Which variables there are depends on the flavor, and one unknown fails the whole SELECT.
        // What the greeting said decides; MariaDB says 10 and up, or before version 11, 5.5.5.
        let greeted = conn.server_version();
        let maybe_mariadb = greeted.0 >= 10 || greeted == (5, 5, 5);
        let row = match ask(conn, !maybe_mariadb) {
            Err(mysql::Error::MySqlError(error)) if error.code == ER_UNKNOWN_SYSTEM_VARIABLE => {
                ask(conn, maybe_mariadb)
            }
            other => other,
        };
        let row = row.context("cannot ask the server for its version")?;
        let Some(Ok((version_text, comment, server_id, lower, account, uuid))) =
            row.map(mysql::from_row_opt::<(String, String, u32, u8, String, Option<String>)>)
        else {
            bail!("the server did not say its version");
        };
        let release = Release::parse(&version_text, &comment).with_context(|| {
            format!("the server's version is {version_text:?}, which is not a version of MySQL or MariaDB")
        })?;
        let (user, host) = account.rsplit_once('@').unwrap_or((&account, "%"));
        let quoted = |part: &str| format!("'{}'", part.replace('\\', "\\\\").replace('\'', "''"));
        let account = format!("{}@{}", quoted(user), quoted(host));
        Ok(Server { release, version_text, uuid, server_id, lower_case_names: lower != 0, account })
    }

    /// The statement that gives the account a privilege that it lacks.
    pub fn grant(&self, privilege: Privilege) -> String {
        let privilege = match privilege {
            Privilege::ReadLog => "REPLICATION SLAVE",
            Privilege::AskAboutLog if self.release.is_mariadb_from(10, 5, 2) => "BINLOG MONITOR",
            Privilege::AskAboutLog => "REPLICATION CLIENT",
        };
        format!("GRANT {privilege} ON *.* TO {}", self.account)
    }

    pub fn is_mariadb(&self) -> bool {
        self.release.is_mariadb()
    }

    /// Is it MySQL, of this version or later?
    pub fn is_mysql_from(&self, major: u16, minor: u16, patch: u16) -> bool {
        self.release.is_mysql_from(major, minor, patch)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.release.fmt(f)
    }
}

fn ask(conn: &mut Conn, with_uuid: bool) -> mysql::Result<Option<Row>> {
    let uuid = if with_uuid { "@@server_uuid" } else { "NULL" };
    // As utf8mb4, because the session's character set for results may be any.
    conn.query_first(format!(
        "SELECT CONVERT(VERSION() USING utf8mb4), CONVERT(@@version_comment USING utf8mb4), @@global.server_id, @@lower_case_table_names, \
         CONVERT(CURRENT_USER() USING utf8mb4), {uuid}"
    ))
}

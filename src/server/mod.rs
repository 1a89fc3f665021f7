//! The server: how to reach it and log in ([`Options`]), the connection ([`connect()`]), and which server it is
//! ([`Server`]).

pub mod binary_log;
mod connect;
mod failure;
pub mod option_file;
pub mod options;
pub mod queries;
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
    /// The version string: `10.11.14-MariaDB-0+deb12u2-log`.
    pub version_text: String,
    /// Identifies the server's log. `None` on MariaDB, whose `server_uid` derives from network card and port: it stays when
    /// the data are replaced, and changes when they are moved.
    pub uuid: Option<String>,
    pub server_id: u32,
    /// The server compares names in lower case (`lower_case_table_names` 1 and 2).
    pub lower_case_names: bool,
    /// The account of the login, in the syntax of GRANT: `'dumpa'@'%'`.
    pub account: String,
}

/// A privilege for the binary log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// To receive the log, as a replica does.
    ReadLog,
    /// To ask where it begins and ends.
    AskAboutLog,
}

/// Whether an error code means access denied: to the server, a database, a table or a column, or for lack of a privilege.
pub fn is_access_denied(code: u16) -> bool {
    matches!(code, 1044 | 1045 | 1142 | 1143 | 1227 | 1370 | 1698)
}

impl Server {
    /// Identifies the server, in one round trip.
    ///
    /// # Errors
    /// When the connection fails, or the answer makes no sense.
    pub fn identify(conn: &mut Conn) -> Result<Server> {
        // Flavors have different variables, and an unknown one fails the whole SELECT. So guess the flavor by the greeting's
        // version: MariaDB's is 10 or higher, or before version 11, 5.5.5.
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
            bail!("the server did not return its version");
        };
        let release = Release::parse(&version_text, &comment).with_context(|| {
            format!("the server's version is {version_text:?}, which is not a version of MySQL or MariaDB")
        })?;
        let (user, host) = account.rsplit_once('@').unwrap_or((&account, "%"));
        let quoted = |part: &str| format!("'{}'", part.replace('\\', "\\\\").replace('\'', "''"));
        let account = format!("{}@{}", quoted(user), quoted(host));
        Ok(Server { release, version_text, uuid, server_id, lower_case_names: lower != 0, account })
    }

    /// The statement that grants the account a privilege.
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
    // Converted to utf8mb4, whatever the session's `character_set_results` is.
    conn.query_first(format!(
        "SELECT CONVERT(VERSION() USING utf8mb4), CONVERT(@@version_comment USING utf8mb4), @@global.server_id, @@lower_case_table_names, \
         CONVERT(CURRENT_USER() USING utf8mb4), {uuid}"
    ))
}

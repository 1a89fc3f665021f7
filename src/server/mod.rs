//! The server: where it is and how to log in ([`Options`]), the connection ([`connect()`]), and which
//! server answered ([`Server`]).

mod connect;
mod failure;
pub mod log;
mod option_file;
pub mod options;
mod trust;

use std::fmt;

use anyhow::{Context, Result, bail};
use mysql::prelude::Queryable;
use mysql::{Conn, Row};

pub use connect::{connect, socket_of};
pub use failure::CannotConnect;
pub use options::{Given, Options};

/// "Unknown system variable".
const ER_UNKNOWN_SYSTEM_VARIABLE: u16 = 1193;

/// Which family a server's version number counts in: MariaDB 10.11 and MySQL 8.0 are of one age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    MySql,
    MariaDb,
}

/// A version of one flavor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u16,
    pub minor: u16,
    pub patch: u16,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Which server this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub flavor: Flavor,
    pub version: Version,
    /// As the server writes it: `10.11.14-MariaDB-0+deb12u2-log`.
    pub version_text: String,
    /// Tells this server's log from any other's. `None` on MariaDB: its `server_uid` is made of a
    /// network card and a port, so it stays when the data are another's and changes when they are not.
    pub uuid: Option<String>,
    pub server_id: u32,
    /// Names of databases and tables are kept in lower case, whatever case they are given in.
    pub lower_case_names: bool,
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
        let Some(Ok((version_text, comment, server_id, lower, uuid))) =
            row.map(mysql::from_row_opt::<(String, String, u32, u8, Option<String>)>)
        else {
            bail!("the server did not say its version");
        };
        let (flavor, version) = parse_version(&version_text, &comment).with_context(|| {
            format!("the server's version is {version_text:?}, which is not a version of MySQL or MariaDB")
        })?;
        Ok(Server { flavor, version, version_text, uuid, server_id, lower_case_names: lower != 0 })
    }

    pub fn is_mariadb(&self) -> bool {
        self.flavor == Flavor::MariaDb
    }

    /// Is it MySQL, of this version or later?
    pub fn is_mysql_from(&self, major: u16, minor: u16, patch: u16) -> bool {
        self.flavor == Flavor::MySql && self.version >= Version { major, minor, patch }
    }

    /// Is it MariaDB, of this version or later?
    pub fn is_mariadb_from(&self, major: u16, minor: u16, patch: u16) -> bool {
        self.flavor == Flavor::MariaDb && self.version >= Version { major, minor, patch }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.flavor {
            Flavor::MySql => "MySQL",
            Flavor::MariaDb => "MariaDB",
        };
        write!(f, "{name} {}", self.version)
    }
}

fn ask(conn: &mut Conn, with_uuid: bool) -> mysql::Result<Option<Row>> {
    let uuid = if with_uuid { "@@server_uuid" } else { "NULL" };
    // As utf8mb4, because the session's character set for results may be any.
    conn.query_first(format!(
        "SELECT CONVERT(VERSION() USING utf8mb4), CONVERT(@@version_comment USING utf8mb4), @@global.server_id, @@lower_case_table_names, {uuid}"
    ))
}

fn parse_version(text: &str, comment: &str) -> Option<(Flavor, Version)> {
    let mariadb = [text, comment].iter().any(|text| text.to_ascii_lowercase().contains("mariadb"));
    let flavor = if mariadb { Flavor::MariaDb } else { Flavor::MySql };
    // Before 11, MariaDB put this in front, for replicas that took no version above 9.
    let numbers = if mariadb { text.strip_prefix("5.5.5-").unwrap_or(text) } else { text };
    let mut numbers = numbers.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u16>);
    let mut next = || numbers.next()?.ok();
    let version = Version { major: next()?, minor: next()?, patch: next()? };
    Some((flavor, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str, comment: &str) -> Option<(Flavor, String)> {
        parse_version(text, comment).map(|(flavor, version)| (flavor, version.to_string()))
    }

    #[test]
    fn versions_of_both_flavors() {
        let mysql = |v: &str| Some((Flavor::MySql, v.to_owned()));
        let mariadb = |v: &str| Some((Flavor::MariaDb, v.to_owned()));
        assert_eq!(version("5.6.24-log", "Homebrew"), mysql("5.6.24"));
        assert_eq!(version("9.7.0", "MySQL Community Server - GPL"), mysql("9.7.0"));
        assert_eq!(version("8.0.39-30.1", "Percona Server (GPL)"), mysql("8.0.39"));
        assert_eq!(version("10.11.14-MariaDB-0+deb12u2-log", "Debian 12"), mariadb("10.11.14"));
        assert_eq!(version("5.5.5-10.3.39-MariaDB", ""), mariadb("10.3.39"));
        assert_eq!(version("11.8.3", "mariadb.org binary distribution"), mariadb("11.8.3"));
        assert_eq!(version("Microsoft SQL Server", ""), None);
        assert_eq!(version("8.0", ""), None);
    }

    #[test]
    fn a_version_counts_only_in_its_own_flavor() {
        let server = |text: &str| {
            let (flavor, version) = parse_version(text, "").unwrap();
            Server {
                flavor,
                version,
                version_text: text.into(),
                uuid: None,
                server_id: 1,
                lower_case_names: false,
            }
        };
        let mariadb = server("10.11.14-MariaDB");
        assert!(
            mariadb.is_mariadb() && mariadb.is_mariadb_from(10, 11, 0) && !mariadb.is_mariadb_from(11, 0, 0)
        );
        assert!(!mariadb.is_mysql_from(8, 0, 0));
        assert!(server("8.0.26").is_mysql_from(8, 0, 22));
        assert!(!server("5.7.44").is_mysql_from(8, 0, 0));
    }
}

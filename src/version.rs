//! A server's flavor and version.

use std::fmt;

/// The family of servers that a version number belongs to. (MariaDB 10.11 and MySQL 8.0 are of the same age.)
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

impl Version {
    /// The number that comments in statements compare with (`/*!80015 … */`).
    pub fn id(&self) -> u32 {
        u32::from(self.major) * 10_000 + u32::from(self.minor) * 100 + u32::from(self.patch)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// A release of a server: the one that answers, or the one that wrote a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    pub flavor: Flavor,
    pub version: Version,
}

impl Release {
    /// Parses `@@version` (which a log's format description repeats) and `@@version_comment`; `None` if that is no version
    /// of MySQL or MariaDB.
    pub fn parse(text: &str, comment: &str) -> Option<Release> {
        let mariadb = [text, comment].iter().any(|text| text.to_ascii_lowercase().contains("mariadb"));
        let flavor = if mariadb { Flavor::MariaDb } else { Flavor::MySql };
        // MariaDB before 11 has this prefix, for replicas that refused versions above 9.
        let numbers = if mariadb { text.strip_prefix("5.5.5-").unwrap_or(text) } else { text };
        let mut numbers = numbers.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u16>);
        let mut next = || numbers.next()?.ok();
        let version = Version { major: next()?, minor: next()?, patch: next()? };
        Some(Release { flavor, version })
    }

    pub fn is_mariadb(&self) -> bool {
        self.flavor == Flavor::MariaDb
    }

    /// Is it MySQL, of this version or later?
    pub fn is_mysql_from(&self, major: u16, minor: u16, patch: u16) -> bool {
        self.flavor == Flavor::MySql && self.version >= Version { major, minor, patch }
    }

    /// The oldest version of its flavor that dumpa supports, if this one is older.
    pub fn older_than_supported(&self) -> Option<&'static str> {
        let version = |major, minor| Version { major, minor, patch: 0 };
        let (oldest, text) = match self.flavor {
            Flavor::MySql => (version(5, 6), "5.6"),
            Flavor::MariaDb => (version(10, 5), "10.5"),
        };
        (self.version < oldest).then_some(text)
    }

    /// Does it honor REFERENCES in a column's definition?
    pub fn honors_inline_keys(&self) -> bool {
        self.is_mariadb_from(10, 5, 0) || self.is_mysql_from(9, 0, 0)
    }

    /// Does its log hold the values of virtual columns? MariaDB 10.2.11 logs NULL for those without an index; the versions
    /// up to 10.5 are untested.
    pub fn logs_virtual_columns(&self) -> bool {
        !self.is_mariadb_before(10, 5, 0)
    }

    /// Does it have `binlog_row_metadata`, which makes it log column names?
    pub fn can_log_names(&self) -> bool {
        self.is_mysql_from(8, 0, 1) || self.is_mariadb_from(10, 5, 0)
    }

    /// Do its table maps count the hidden columns of functional indexes? Seen on 8.0.15; by the source 8.0.18 does, and
    /// 8.0.20 does not (`Replicated_columns_view` in `rpl_record.cc`). 8.0.19 is unknown: a wrong answer shows in the
    /// number of columns, and in the columns that images hold.
    pub fn counts_hidden_columns(&self) -> bool {
        self.flavor == Flavor::MySql && !self.is_mysql_from(8, 0, 20)
    }

    /// Is it MariaDB, of this version or later?
    pub fn is_mariadb_from(&self, major: u16, minor: u16, patch: u16) -> bool {
        self.flavor == Flavor::MariaDb && self.version >= Version { major, minor, patch }
    }

    /// Is it MariaDB, of a version before this one?
    fn is_mariadb_before(&self, major: u16, minor: u16, patch: u16) -> bool {
        self.flavor == Flavor::MariaDb && self.version < Version { major, minor, patch }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.flavor {
            Flavor::MySql => "MySQL",
            Flavor::MariaDb => "MariaDB",
        };
        write!(f, "{name} {}", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_both_flavors() {
        let shown =
            |text: &str, comment: &str| Release::parse(text, comment).map(|release| release.to_string());
        for (text, comment, wanted) in [
            ("5.6.24-log", "Homebrew", "MySQL 5.6.24"),
            ("9.7.0", "MySQL Community Server - GPL", "MySQL 9.7.0"),
            ("8.0.39-30.1", "Percona Server (GPL)", "MySQL 8.0.39"),
            ("10.11.14-MariaDB-0+deb12u2-log", "Debian 12", "MariaDB 10.11.14"),
            ("5.5.5-10.3.39-MariaDB", "", "MariaDB 10.3.39"),
            ("11.8.3", "mariadb.org binary distribution", "MariaDB 11.8.3"),
        ] {
            assert_eq!(shown(text, comment).as_deref(), Some(wanted));
        }
        assert_eq!(shown("Microsoft SQL Server", ""), None);
        assert_eq!(shown("8.0", ""), None);
    }

    #[test]
    fn a_version_counts_only_in_its_own_flavor() {
        let release = |text: &str| Release::parse(text, "").unwrap();
        let mariadb = release("10.11.14-MariaDB");
        assert!(
            mariadb.is_mariadb() && mariadb.is_mariadb_from(10, 11, 0) && !mariadb.is_mariadb_from(11, 0, 0)
        );
        assert!(mariadb.is_mariadb_before(11, 0, 0) && !mariadb.is_mariadb_before(10, 11, 14));
        assert!(!mariadb.is_mysql_from(8, 0, 0));
        assert!(release("8.0.26").is_mysql_from(8, 0, 22) && !release("8.0.26").is_mariadb_before(10, 5, 0));
        assert!(!release("5.7.44").is_mysql_from(8, 0, 0));
        for (text, oldest) in [
            ("10.2.11-MariaDB", Some("10.5")),
            ("5.5.5-10.4.34-MariaDB", Some("10.5")),
            ("10.5.0-MariaDB", None),
            ("11.8.3-MariaDB", None),
            ("5.5.62", Some("5.6")),
            ("5.6.10", None),
            ("9.7.0", None),
        ] {
            assert_eq!(release(text).older_than_supported(), oldest, "{text}");
        }
    }
}

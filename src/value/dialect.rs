//! What servers of different versions print differently of the same bytes.

use super::geometry::Axes;
use crate::version::Release;

/// How the server that wrote a log, or that answers, prints values that each version prints in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    pub axes: Axes,
    pub whole_doubles: WholeDoubles,
}

/// How a double of integral value prints within a JSON document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WholeDoubles {
    /// `1.0`: MySQL 8.0 and later.
    #[default]
    WithPoint,
    /// `1`: MySQL 5.7.
    Bare,
}

impl Dialect {
    /// Of a server of this version, as it writes it itself.
    pub fn of_server(version: &str) -> Dialect {
        let old = Release::parse(version, "").is_some_and(|release| !release.is_mysql_from(8, 0, 0));
        let whole_doubles = if old { WholeDoubles::Bare } else { WholeDoubles::WithPoint };
        Dialect { axes: Axes::of_server(version), whole_doubles }
    }
}

//! What servers of different versions print differently of the same bytes.

use super::geometry::axis::Axes;
use crate::version::Release;

/// How the server that wrote a log, or that answers, prints values that each version prints in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    pub axes: Axes,
    pub documents: Documents,
}

/// How a JSON document prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Documents {
    pub whole_doubles: WholeDoubles,
    pub byte_strings: ByteStrings,
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

/// How an opaque value of type VAR_STRING prints, which MySQL 5.7 makes of `CAST(… AS BINARY)`, and no later release;
/// tables that were upgraded keep it. Seen with the same bytes on 5.7.22, 8.0.15 and 9.7.4.
///
/// Source: `wrapper_to_string` in `json_dom.cc`, where 8.0.20 treats it as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ByteStrings {
    /// `"base64:type253:eA=="`: MySQL 5.7, and 8.0.15.
    Base64,
    /// `"x"`: MySQL 8.0.20 and later.
    #[default]
    Plain,
    /// One or the other: which of the releases between changed it is not known.
    Either,
}

impl Dialect {
    /// Of a server of this version, as it writes it itself.
    pub fn of_server(version: &str) -> Dialect {
        let release = Release::parse(version, "");
        let is_before =
            |major, minor, patch| release.is_some_and(|release| !release.is_mysql_from(major, minor, patch));
        let documents = Documents {
            whole_doubles: if is_before(8, 0, 0) { WholeDoubles::Bare } else { WholeDoubles::WithPoint },
            byte_strings: if is_before(8, 0, 16) {
                ByteStrings::Base64
            } else if is_before(8, 0, 20) {
                ByteStrings::Either
            } else {
                ByteStrings::Plain
            },
        };
        Dialect { axes: Axes::of_server(version), documents }
    }
}

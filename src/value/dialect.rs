//! Values that servers of different versions print differently.

use super::geometry::axis::Axes;
use crate::version::Release;

/// How a server prints values whose text depends on its version.
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

/// How a JSON document prints a double without fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WholeDoubles {
    /// `1.0`: MySQL 8.0 and later.
    #[default]
    WithPoint,
    /// `1`: MySQL 5.7.
    Bare,
}

/// How an opaque value of type VAR_STRING prints. Only MySQL 5.7 makes such values, from `CAST(… AS BINARY)`; upgraded
/// tables keep them. Seen with the same bytes on 5.7.22, 8.0.15 and 9.7.4.
///
/// Source: `wrapper_to_string` in `json_dom.cc`, where 8.0.20 treats it as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ByteStrings {
    /// `"base64:type253:eA=="`: MySQL 5.7, and 8.0.15.
    Base64,
    /// `"x"`: MySQL 8.0.20 and later.
    #[default]
    Plain,
    /// One or the other: the release between them that changed it is not known.
    Either,
}

impl Dialect {
    /// The dialect of a server by its version string.
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

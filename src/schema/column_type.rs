//! `information_schema.columns.COLUMN_TYPE`, read: the server's own words for a column's type.

use std::sync::Arc;

use crate::value::{Charset, Kind, Label, Labels, decimal};

/// Why the labels of an ENUM may be lost: old servers describe tables in three-byte UTF-8.
const LOST: &str = "the server describes this member of an ENUM or SET with a `?`, which stands for \
                    a character that its catalog cannot hold";

/// The kind that a COLUMN_TYPE describes, `None` for one that dumpa does not know. `charset` is the
/// column's CHARACTER_SET_NAME; `catalog_is_lossy` says that `?` in a label may stand for another
/// character.
pub fn parse(column_type: &str, charset: Option<&str>, catalog_is_lossy: bool) -> Option<Kind> {
    let text = column_type.trim();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let unsigned = rest.contains("unsigned");
    let argument = arguments(rest);
    let first: Option<u8> = argument.first().and_then(|n| n.parse().ok());
    let decimals = || (first.unwrap_or(0) <= 6).then_some(first.unwrap_or(0));
    let text_or_bytes = || match charset {
        None | Some("binary") => Some(Kind::Bytes { padded: false }),
        Some(name) => Charset::by_name(name).map(|charset| Kind::Text { charset }),
    };
    Some(match word.to_ascii_lowercase().as_str() {
        "tinyint" => Kind::Int { bytes: 1, unsigned },
        "smallint" => Kind::Int { bytes: 2, unsigned },
        "mediumint" => Kind::Int { bytes: 3, unsigned },
        "int" => Kind::Int { bytes: 4, unsigned },
        "bigint" => Kind::Int { bytes: 8, unsigned },
        "decimal" => {
            let scale = argument.get(1).and_then(|n| n.parse().ok()).unwrap_or(0);
            Kind::Decimal(decimal::Format::new(first?, scale)?)
        }
        "float" => Kind::Float,
        "double" => Kind::Double,
        "bit" => Kind::Bit { bits: first? },
        "year" => Kind::Year,
        "date" => Kind::Date,
        "time" => Kind::Time { decimals: decimals()? },
        "datetime" => Kind::DateTime { decimals: decimals()? },
        "timestamp" => Kind::Timestamp { decimals: decimals()? },
        "char" if charset == Some("binary") => Kind::Bytes { padded: true },
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => text_or_bytes()?,
        "binary" => Kind::Bytes { padded: true },
        "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Kind::Bytes { padded: false },
        "enum" => Kind::Enum(labels(rest, charset, catalog_is_lossy)?),
        "set" => Kind::Set(labels(rest, charset, catalog_is_lossy)?),
        "json" => Kind::Json,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geometrycollection" | "geomcollection" => Kind::Geometry,
        "vector" => Kind::Vector,
        "uuid" => Kind::Uuid,
        "inet4" => Kind::Inet4,
        "inet6" => Kind::Inet6,
        _ => return None,
    })
}

/// What stands in the parentheses right behind the word, cut at commas.
fn arguments(rest: &str) -> Vec<&str> {
    let inside = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    inside.map(|(inside, _)| inside.split(',').map(str::trim).collect()).unwrap_or_default()
}

/// Members in single quotes, a quote in one doubled. The catalog has them in UTF-8.
fn labels(rest: &str, charset: Option<&str>, lossy: bool) -> Option<Arc<Labels>> {
    let wide = matches!(charset, Some("utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030"));
    let mut members = Vec::new();
    let mut rest = rest.strip_prefix('(')?;
    loop {
        rest = rest.strip_prefix('\'')?;
        let mut member = String::new();
        loop {
            let (text, after) = rest.split_once('\'')?;
            member.push_str(text);
            rest = after;
            match rest.strip_prefix('\'') {
                Some(after) => {
                    member.push('\'');
                    rest = after;
                }
                None => break,
            }
        }
        members.push(if lossy && wide && member.contains('?') {
            Label::unknown(LOST)
        } else {
            Label::new(member.as_bytes(), Charset::by_name("utf8mb4")?)
        });
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => break,
        }
    }
    rest.starts_with(')').then(|| Arc::new(Labels::new(members)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_every_server() {
        let kind = |text| parse(text, None, false);
        assert_eq!(kind("int(10) unsigned zerofill"), Some(Kind::Int { bytes: 4, unsigned: true }));
        assert_eq!(kind("tinyint(1)"), Some(Kind::Int { bytes: 1, unsigned: false }));
        assert_eq!(kind("datetime /* mariadb-5.3 */"), Some(Kind::DateTime { decimals: 0 }));
        assert_eq!(kind("timestamp(3) /* mariadb-5.3 */"), Some(Kind::Timestamp { decimals: 3 }));
        assert_eq!(kind("time /* 5.5 binary format */"), Some(Kind::Time { decimals: 0 }));
        assert_eq!(kind("varbinary(20) /*M!100301 COMPRESSED*/"), Some(Kind::Bytes { padded: false }));
        assert_eq!(kind("year(4)"), Some(Kind::Year));
        assert_eq!(kind("vector(3)"), Some(Kind::Vector));
        assert_eq!(kind("xmltype"), None);
        let format = decimal::Format::new(65, 30).unwrap();
        assert_eq!(kind("decimal(65,30) unsigned"), Some(Kind::Decimal(format)));
    }

    #[test]
    fn labels_with_quotes_commas_and_parentheses() {
        let Some(Kind::Enum(labels)) = parse("enum('it''s','a,b','',')','\\')", Some("latin1"), false) else {
            panic!("it is an ENUM");
        };
        let shown: Vec<&[u8]> = (1..=5).map(|i| labels.of_index(i).unwrap().json().unwrap()).collect();
        let wanted: [&[u8]; 5] = [br#""it's""#, br#""a,b""#, br#""""#, br#"")""#, br#""\\""#];
        assert_eq!(shown, wanted);
        assert!(labels.of_index(6).is_err());
    }
}

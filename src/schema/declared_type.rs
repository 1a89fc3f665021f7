//! Parses `information_schema.COLUMNS.COLUMN_TYPE`.

use std::sync::Arc;

use crate::value::{Charset, ColumnType, Label, Labels, decimal};

/// Why a label may be unknown: every server's catalog is in three-byte UTF-8.
const UNKNOWN_LABEL: &str = "the server's catalog has a `?` for a character of this ENUM or SET member that it cannot \
     store, and no row with the member was found; with binlog_row_metadata=FULL (MySQL 8.0, MariaDB 10.5) the log has it";

/// A COLUMN_TYPE in lower case, without the labels of an ENUM or SET; and these labels: `None` for one that the catalog does
/// not tell. `charset` is the column's CHARACTER_SET_NAME.
pub fn split(column_type: &str, charset: Option<&str>) -> (String, Vec<Option<String>>) {
    let (word, rest) = word(column_type);
    let labels = if ["enum", "set"].contains(&&*word) { labels(rest, charset) } else { None };
    match labels {
        Some(labels) => (word, labels),
        None => (column_type.trim().to_ascii_lowercase(), Vec::new()),
    }
}

/// The type that a COLUMN_TYPE describes, whose labels [`split`] took out; `None` if dumpa does not know it. `charset` is
/// the column's CHARACTER_SET_NAME.
pub fn parse(column_type: &str, charset: Option<&str>, labels: &[Option<String>]) -> Option<ColumnType> {
    let (word, rest) = word(column_type);
    let unsigned = rest.contains("unsigned");
    let argument = arguments(rest);
    let first: Option<u8> = argument.first().and_then(|n| n.parse().ok());
    let decimals = || (first.unwrap_or(0) <= 6).then_some(first.unwrap_or(0));
    let text_or_bytes = || match charset {
        None | Some("binary") => Some(ColumnType::Bytes { padded: false }),
        Some(name) => Charset::by_name(name).map(|charset| ColumnType::Text { charset }),
    };
    Some(match word.as_str() {
        "tinyint" => ColumnType::Int { bytes: 1, unsigned },
        "smallint" => ColumnType::Int { bytes: 2, unsigned },
        "mediumint" => ColumnType::Int { bytes: 3, unsigned },
        "int" => ColumnType::Int { bytes: 4, unsigned },
        "bigint" => ColumnType::Int { bytes: 8, unsigned },
        "decimal" => {
            let scale = argument.get(1).and_then(|n| n.parse().ok()).unwrap_or(0);
            ColumnType::Decimal(decimal::Precision::new(first?, scale)?)
        }
        "float" => ColumnType::Float,
        "double" => ColumnType::Double,
        "bit" => ColumnType::Bit { bits: first? },
        "year" => ColumnType::Year { two_digits: first == Some(2) },
        "date" => ColumnType::Date,
        "time" => ColumnType::Time { decimals: decimals()? },
        "datetime" => ColumnType::DateTime { decimals: decimals()? },
        "timestamp" => ColumnType::Timestamp { decimals: decimals()? },
        "char" if charset == Some("binary") => ColumnType::Bytes { padded: true },
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => text_or_bytes()?,
        "binary" => ColumnType::Bytes { padded: true },
        "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => ColumnType::Bytes { padded: false },
        "enum" if !labels.is_empty() => ColumnType::Enum(members(labels)),
        "set" if !labels.is_empty() => ColumnType::Set(members(labels)),
        "json" => ColumnType::Json,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geometrycollection" | "geomcollection" => ColumnType::Geometry,
        "vector" => ColumnType::Vector,
        "uuid" => ColumnType::Uuid,
        "inet4" => ColumnType::Inet4,
        "inet6" => ColumnType::Inet6,
        _ => return None,
    })
}

/// The longest value of a type of limited length in bytes.
pub fn octets(column_type: &str, charset: Option<&str>) -> Option<u64> {
    let (word, rest) = word(column_type);
    let length: Option<u64> = arguments(rest).first().and_then(|n| n.parse().ok());
    let character_bytes = charset.map_or(Some(1), |name| Charset::by_name(name).map(Charset::max_bytes));
    match word.as_str() {
        "char" | "varchar" => length?.checked_mul(character_bytes?),
        "binary" | "varbinary" => length,
        _ => None,
    }
}

/// The word that a type begins with, in lower case, and what follows it.
fn word(column_type: &str) -> (String, &str) {
    let text = column_type.trim();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word.to_ascii_lowercase(), rest)
}

/// Geometry types by their code in table maps; the first means any.
const GEOMETRY_TYPES: [&str; 8] = [
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
];

/// The code of a geometry type.
pub fn geometry_type(column_type: &str) -> Option<u64> {
    let word = column_type.trim().to_ascii_lowercase();
    let word = if word == "geomcollection" { "geometrycollection" } else { &*word };
    GEOMETRY_TYPES.iter().position(|name| *name == word).map(|code| code as u64)
}

/// The geometry type of a code.
pub fn geometry_name(code: u64) -> Option<&'static str> {
    usize::try_from(code).ok().and_then(|code| GEOMETRY_TYPES.get(code)).copied()
}

/// The dimensions of a VECTOR.
pub fn dimensions(column_type: &str) -> Option<u64> {
    let rest = column_type.trim().to_ascii_lowercase();
    arguments(rest.strip_prefix("vector")?).first()?.parse().ok()
}

/// The arguments in parentheses after the type's name.
fn arguments(rest: &str) -> Vec<&str> {
    let inside = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    inside.map(|(inside, _)| inside.split(',').map(str::trim).collect()).unwrap_or_default()
}

/// The members of an ENUM or SET.
fn members(labels: &[Option<String>]) -> Arc<Labels> {
    let member = |label: &Option<String>| match label {
        Some(text) => Label::new(text.as_bytes(), Charset::Utf8mb4),
        None => Label::unknown(UNKNOWN_LABEL),
    };
    Arc::new(Labels::new(labels.iter().map(member).collect()))
}

/// Parses members in single quotes, in UTF-8, escaped whatever the SQL mode is (the servers' `append_unescaped`).
fn labels(rest: &str, charset: Option<&str>) -> Option<Vec<Option<String>>> {
    let wide = matches!(charset, Some("utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030"));
    let mut members = Vec::new();
    let mut rest = rest.strip_prefix('(')?;
    loop {
        let (member, after) = member(rest.strip_prefix('\'')?)?;
        // The catalog has a `?` for a character that it cannot store.
        members.push((!wide || !member.contains('?')).then_some(member));
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return after.starts_with(')').then_some(members),
        }
    }
}

/// A member up to its closing quote, and what follows that.
fn member(text: &str) -> Option<(String, &str)> {
    let mut member = String::new();
    let mut rest = text.chars();
    loop {
        member.push(match rest.next()? {
            '\'' => match rest.as_str().strip_prefix('\'') {
                Some(after) => {
                    rest = after.chars();
                    '\''
                }
                None => return Some((member, rest.as_str())),
            },
            '\\' => match rest.next()? {
                '0' => '\0',
                'n' => '\n',
                'r' => '\r',
                other => other,
            },
            other => other,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_labels(text: &str, charset: &str) -> Option<ColumnType> {
        let (kind, labels) = split(text, Some(charset));
        parse(&kind, Some(charset), &labels)
    }

    #[test]
    fn the_words_of_every_server() {
        let kind = |text| parse(text, None, &[]);
        assert_eq!(kind("int(10) unsigned zerofill"), Some(ColumnType::Int { bytes: 4, unsigned: true }));
        assert_eq!(kind("tinyint(1)"), Some(ColumnType::Int { bytes: 1, unsigned: false }));
        assert_eq!(kind("datetime /* mariadb-5.3 */"), Some(ColumnType::DateTime { decimals: 0 }));
        assert_eq!(kind("timestamp(3) /* mariadb-5.3 */"), Some(ColumnType::Timestamp { decimals: 3 }));
        assert_eq!(kind("time /* 5.5 binary format */"), Some(ColumnType::Time { decimals: 0 }));
        assert_eq!(kind("varbinary(20) /*M!100301 COMPRESSED*/"), Some(ColumnType::Bytes { padded: false }));
        assert_eq!(kind("year(4)"), Some(ColumnType::Year { two_digits: false }));
        assert_eq!(kind("year(2)"), Some(ColumnType::Year { two_digits: true }));
        assert_eq!(kind("vector(3)"), Some(ColumnType::Vector));
        assert_eq!(kind("xmltype"), None);
        let precision = decimal::Precision::new(65, 30).unwrap();
        assert_eq!(kind("decimal(65,30) unsigned"), Some(ColumnType::Decimal(precision)));
    }

    #[test]
    fn labels_with_quotes_commas_parentheses_and_escapes() {
        let text = r"enum('it''s','a,b','',')','\\','\n\r\0\\n')";
        let Some(ColumnType::Enum(labels)) = with_labels(text, "latin1") else {
            panic!("it is an ENUM");
        };
        let shown: Vec<&[u8]> =
            (1..=6).map(|i| labels.of_index(i).unwrap().json().unwrap().bytes()).collect();
        let wanted: [&[u8]; 6] =
            [br#""it's""#, br#""a,b""#, br#""""#, br#"")""#, br#""\\""#, br#""\n\r\u0000\\n""#];
        assert_eq!(shown, wanted);
        assert!(labels.of_index(7).is_err());
    }

    #[test]
    fn a_type_of_labels_is_split_only_if_all_of_it_is_understood() {
        assert_eq!(split("ENUM('A')", None), ("enum".to_string(), vec![Some("A".to_string())]));
        assert_eq!(split("enum('a", None), ("enum('a".to_string(), Vec::new()));
        assert_eq!(with_labels("enum('a", "latin1"), None);
        assert_eq!(split("INT(10)", None), ("int(10)".to_string(), Vec::new()));
    }

    #[test]
    fn the_length_in_bytes() {
        assert_eq!(octets("varchar(20)", Some("utf8mb4")), Some(80));
        assert_eq!(octets("char(3)", Some("latin1")), Some(3));
        assert_eq!(octets("varbinary(7)", None), Some(7));
        assert_eq!(octets("text", Some("utf8mb4")), None);
    }

    #[test]
    fn a_question_mark_is_not_believed_where_it_may_stand_for_another_character() {
        for (charset, known) in [("utf8mb4", false), ("utf16", false), ("utf8mb3", true), ("latin1", true)] {
            let Some(ColumnType::Set(labels)) = with_labels("set('a','?')", charset) else {
                panic!("it is a SET");
            };
            assert_eq!(labels.write_set(2, &mut Vec::new()).is_ok(), known, "{charset}");
            assert!(labels.write_set(1, &mut Vec::new()).is_ok());
        }
    }
}

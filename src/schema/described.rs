//! Rows of information_schema and SHOW INDEX as parts of a definition.

use super::definition::{DefinedColumn, DefinedKey, Definition, HiddenParts, KeyKind};
use super::{Generated, declared_type};
use crate::value::Charset;

/// The fields of a [`ColumnRow`] in `information_schema.COLUMNS`.
pub const COLUMN_FIELDS: &str = "COLUMN_NAME, CAST(COLUMN_TYPE AS CHAR), CHARACTER_SET_NAME, \
     IS_NULLABLE = 'YES', CAST(EXTRA AS CHAR)";

/// A column: see [`COLUMN_FIELDS`].
pub type ColumnRow = (String, String, Option<String>, bool, String);

/// The fields of a [`TableRow`] in `information_schema.TABLES`.
pub const TABLE_FIELDS: [&str; 2] = ["ENGINE", "TABLE_COLLATION"];

/// What `information_schema.TABLES` says of a table: see [`TABLE_FIELDS`].
pub type TableRow = (Option<String>, Option<String>);

/// What the catalog says of a table.
#[derive(Debug)]
pub struct Described {
    /// Without hidden parts.
    pub definition: Definition,
    /// The keys are in the server's order, not by name.
    pub keys_in_order: bool,
    /// It has system versioning, or may have it (MariaDB).
    pub may_have_versions: bool,
}

impl Default for Described {
    fn default() -> Described {
        let definition = Definition {
            columns: Vec::new(),
            keys: Vec::new(),
            charset: String::new(),
            engine: String::new(),
            hidden: HiddenParts::default(),
        };
        Described { definition, keys_in_order: true, may_have_versions: false }
    }
}

/// A part of a key.
#[derive(Debug)]
pub struct KeyPart {
    pub key: String,
    pub is_unique: bool,
    /// `None` for an expression.
    pub column: Option<String>,
    pub is_prefix: bool,
    /// BTREE, HASH, FULLTEXT, …
    pub index_type: String,
}

pub fn column((name, column_type, charset, nullable, extra): ColumnRow) -> DefinedColumn {
    let (kind, labels) = declared_type::split(&column_type, charset.as_deref());
    // The catalog of MySQL 5.6 and 5.7 calls utf8mb3 utf8.
    let charset = charset.map(|name| Charset::by_name(&name).map_or(name, |known| known.name().to_string()));
    DefinedColumn {
        name,
        kind: canonical(&kind),
        labels,
        charset: charset.filter(|name| name != Charset::Binary.name()),
        nullable,
        generated: generated(&extra),
        invisible: words(&extra).any(|word| word.eq_ignore_ascii_case("INVISIBLE")),
    }
}

/// A type in the words that all servers share. Some tell the display width of integers and of YEAR, which changes no value.
fn canonical(kind: &str) -> String {
    match kind.split_once('(').map(|(name, rest)| (name, rest.split_once(')').unwrap_or((rest, "")))) {
        Some((name @ ("tinyint" | "smallint" | "mediumint" | "int" | "bigint"), (_, rest))) => {
            format!("{name}{rest}")
        }
        Some(("year", ("4", _))) => "year".to_string(),
        _ if kind == "geomcollection" => "geometrycollection".to_string(),
        _ => kind.to_string(),
    }
}

/// Sets what `information_schema.TABLES` tells. An engine that cannot be opened tells nothing.
pub fn set_table(definition: &mut Definition, (engine, collation): TableRow) {
    definition.engine = engine.unwrap_or_default().to_ascii_lowercase();
    let charset = collation.as_deref().and_then(|name| name.split('_').next()).unwrap_or_default();
    definition.charset =
        Charset::by_name(charset).map_or_else(|| charset.to_string(), |known| known.name().to_string());
}

/// Adds a part of a key, whose parts come together, in its order.
pub fn add_part(keys: &mut Vec<DefinedKey>, part: KeyPart, is_mariadb: bool) {
    let kind = match part.index_type.as_str() {
        "FULLTEXT" => KeyKind::Fulltext,
        "SPATIAL" | "RTREE" => KeyKind::Spatial,
        "VECTOR" => KeyKind::Vector,
        // Keys of a MEMORY table are hashes, too, but without a hidden column. Only MariaDB hashes other tables' keys.
        "HASH" if is_mariadb && part.is_unique => KeyKind::Hash,
        _ => KeyKind::Tree,
    };
    // The servers say that a spatial key has a prefix of 32 bytes, which are its rectangle.
    let is_prefix = part.is_prefix && kind != KeyKind::Spatial;
    match keys.last_mut().filter(|last| last.name == part.key) {
        Some(last) => {
            last.columns.push(part.column);
            last.has_prefix |= is_prefix;
        }
        None => keys.push(DefinedKey {
            name: part.key,
            is_unique: part.is_unique,
            columns: vec![part.column],
            has_prefix: is_prefix,
            is_generated: false,
            kind,
        }),
    }
}

/// Puts keys that stand by name into the server's order, as far as it can be told: the primary key, unique keys that are
/// all NOT NULL, other unique keys, other keys, fulltext keys.
pub fn sort_keys(definition: &mut Definition) {
    let Definition { columns, keys, .. } = definition;
    let is_nullable = |name: &Option<String>| {
        columns.iter().any(|column| name.as_ref() == Some(&column.name) && column.nullable)
    };
    keys.sort_by_cached_key(|key| {
        let is_nullable = key.is_unique && key.columns.iter().any(is_nullable);
        (key.name != "PRIMARY", !key.is_unique, is_nullable, key.kind == KeyKind::Fulltext)
    });
}

fn words(extra: &str) -> impl Iterator<Item = &str> {
    extra.split([' ', ','])
}

/// Parses a column's EXTRA. (MariaDB before 10.2 writes VIRTUAL and PERSISTENT.)
fn generated(extra: &str) -> Option<Generated> {
    // DEFAULT_GENERATED means an expression as default.
    match words(extra).next().map(str::to_ascii_uppercase).as_deref() {
        Some("VIRTUAL") => Some(Generated::Virtual),
        Some("STORED" | "PERSISTENT") => Some(Generated::Stored),
        _ => None,
    }
}

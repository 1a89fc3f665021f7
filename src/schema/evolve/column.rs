//! A column of a definition, from what a statement says of it.

use super::{Setting, of_database, refused};
use crate::schema::Generated;
use crate::schema::definition::DefinedColumn;
use crate::sql::ddl::{Base, CharsetSpec, ColumnSpec, IsStored, TextSize, Understood};
use crate::value::Charset;

/// A VARCHAR of more bytes is a TEXT, without a strict sql_mode.
const MAX_VARCHAR_BYTES: u64 = 65_535;

/// What MariaDB writes behind a type, in lower case.
const COMPRESSED: &str = " /*m!100301 compressed*/";

/// Servers compare the names of columns without case.
pub(super) fn is_same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase()
}

/// A column as the server defines it. `charset` is the table's, empty if that is not known.
pub(super) fn defined(spec: &ColumnSpec, charset: &str, setting: &Setting<'_>) -> Understood<DefinedColumn> {
    if spec.has_versioning {
        return refused("system versioning");
    }
    let charset = match (&spec.kind.charset, spec.kind.has_charset()) {
        (_, false) => None,
        (CharsetSpec::Named(name), true) => Some(name.clone()),
        (CharsetSpec::OfDatabase, true) => Some(of_database(setting)?),
        (CharsetSpec::Inherited, true) if charset.is_empty() => of_database(setting).map(Some)?,
        (CharsetSpec::Inherited, true) => Some(charset.to_string()),
    };
    let labels = labels(&spec.kind.labels, charset.as_deref())?;
    let (mut kind, charset) = typed(&spec.kind.base, charset)?;
    if spec.is_compressed {
        kind.push_str(COMPRESSED);
    }
    let is_timestamp = kind.starts_with("timestamp");
    Ok(DefinedColumn {
        name: spec.name.clone(),
        kind,
        labels,
        charset,
        nullable: spec.nullable.unwrap_or(!is_timestamp || setting.explicit_timestamps()),
        generated: spec.generated.map(|IsStored(stored)| match stored {
            true => Generated::Stored,
            false => Generated::Virtual,
        }),
        invisible: spec.invisible,
    })
}

/// Labels in a column's character set. Servers remove trailing spaces, but not from labels of bytes.
fn labels(given: &[String], charset: Option<&str>) -> Understood<Vec<Option<String>>> {
    let charset = charset.and_then(in_charset);
    let trimmed = |label: &String| match charset.is_some_and(Charset::is_binary) {
        true => label.clone(),
        false => label.trim_end_matches(' ').to_string(),
    };
    let converted = |label: String| match charset {
        _ if label.is_ascii() => Some(label),
        Some(charset) => charset.converted(&label),
        None => None,
    };
    let labels: Option<Vec<Option<String>>> =
        given.iter().map(|label| converted(trimmed(label)).map(Some)).collect();
    labels.map_or_else(|| refused("labels in a character set that may not have all characters"), Ok)
}

/// A type with its character set, as information_schema writes it.
fn typed(base: &Base, charset: Option<String>) -> Understood<(String, Option<String>)> {
    let Some(charset) = charset else {
        return match base {
            Base::Plain(kind) => Ok((kind.clone(), None)),
            _ => refused("a character set"),
        };
    };
    let Some(known) = in_charset(&charset) else { return refused(format!("character set {charset}")) };
    let bytes = |chars: u64| chars.saturating_mul(known.max_bytes());
    let is_binary = known.is_binary();
    let kind = match base {
        Base::Plain(kind) => return Ok((kind.clone(), None)),
        Base::Char(length) => format!("{}({length})", if is_binary { "binary" } else { "char" }),
        Base::Varchar(length) if bytes(*length) <= MAX_VARCHAR_BYTES => {
            format!("{}({length})", if is_binary { "varbinary" } else { "varchar" })
        }
        Base::Varchar(length) | Base::TextOf(length) => sized(TextSize::for_bytes(bytes(*length)), is_binary),
        Base::Text(size) => sized(*size, is_binary),
        Base::Enum => "enum".to_string(),
        Base::Set => "set".to_string(),
    };
    Ok((kind, (!is_binary).then(|| known.name().to_string())))
}

fn sized(size: TextSize, is_binary: bool) -> String {
    format!("{}{}", size.prefix(), if is_binary { "blob" } else { "text" })
}

/// A column after CONVERT TO CHARACTER SET. A TEXT grows so that it holds as many characters as before.
pub(super) fn converted(column: &DefinedColumn, charset: &str) -> Understood<DefinedColumn> {
    let (Some(old), Some(new)) = (column.charset.as_deref().and_then(in_charset), in_charset(charset)) else {
        return refused(format!("character set {charset}"));
    };
    let mut labels = Vec::with_capacity(column.labels.len());
    for label in &column.labels {
        labels.push(Some(label_of(label.as_deref(), old, new)?));
    }
    let (kind, compressed) = match column.kind.strip_suffix(COMPRESSED) {
        Some(kind) => (kind, COMPRESSED),
        None => (&*column.kind, ""),
    };
    let base = match kind.split_once('(') {
        None => match kind {
            "enum" => Base::Enum,
            "set" => Base::Set,
            text => {
                let sizes = [TextSize::Tiny, TextSize::Normal, TextSize::Medium, TextSize::Long];
                let size = sizes.into_iter().find(|size| sized(*size, false) == text);
                let Some(size) = size else { return refused(format!("type {text}")) };
                match new.max_bytes() > old.max_bytes() {
                    true => {
                        let characters = size.bytes().div_ceil(old.max_bytes());
                        Base::Text(TextSize::for_bytes(characters * new.max_bytes()))
                    }
                    false => Base::Text(size),
                }
            }
        },
        Some((word, rest)) => {
            let length = rest.split(')').next().and_then(|length| length.parse().ok());
            match (word, length) {
                ("char", Some(length)) => Base::Char(length),
                ("varchar", Some(length)) => Base::Varchar(length),
                _ => return refused(format!("type {}", column.kind)),
            }
        }
    };
    let (kind, charset) = typed(&base, Some(charset.to_string()))?;
    Ok(DefinedColumn { kind: kind + compressed, labels, charset, ..column.clone() })
}

/// A label after CONVERT TO CHARACTER SET. Servers take its bytes for such of the new character set (seen on all).
fn label_of(label: Option<&str>, old: Charset, new: Charset) -> Understood<String> {
    let Some(label) = label else { return refused("CONVERT TO of a label that is not known") };
    // Some character sets have others in the place of these.
    let is_plain = label.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        && !label.contains(['\\', '~', '^', '`', '[', ']', '{', '|', '}', '@', '$']);
    let is_wide = |charset: Charset| {
        matches!(
            charset,
            Charset::Ucs2 | Charset::Utf16 | Charset::Utf16le | Charset::Utf32 | Charset::Binary
        )
    };
    let is_any_wide = is_wide(old) || is_wide(new);
    if old == new || is_plain && (!is_any_wide || new == Charset::Binary) || label.is_empty() {
        return Ok(label.to_string());
    }
    let is_utf8 = |charset: Charset| matches!(charset, Charset::Utf8mb3 | Charset::Utf8mb4);
    match is_utf8(old) && !is_any_wide {
        true => new.decode(label.as_bytes()).or_else(|_| refused("labels in CONVERT TO")),
        false => refused("labels in CONVERT TO"),
    }
}

/// A character set by its name.
pub(super) fn in_charset(name: &str) -> Option<Charset> {
    Charset::by_name(name)
}

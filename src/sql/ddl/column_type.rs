//! The type in a column's definition, in every spelling.
//!
//! Source: the rule `type` of MySQL's `sql_yacc.yy` and `field_type` of MariaDB's.

use super::{Base, CharsetSpec, NotUnderstood, TextSize, TypeSpec, Understood};
use crate::sql::reader::Reader;
use crate::sql::tokens::Token;

/// A type, and whether it is SERIAL.
pub(super) fn column_type(reader: &mut Reader<'_>) -> Understood<(TypeSpec, bool)> {
    let word = reader.keyword().ok_or_else(|| NotUnderstood("a column without a type".into()))?;
    let oracle = reader.session.oracle_mode;
    let plain = |text: &str| Ok((TypeSpec::plain(text), false));
    match &*word {
        "serial" => return Ok((TypeSpec::plain("bigint unsigned"), true)),
        "bool" | "boolean" => return plain("tinyint"),
        "date" if !oracle => return plain("date"),
        "json" if reader.session.is_mariadb() => {
            return Ok((TypeSpec::text(TextSize::Long, "utf8mb4"), false));
        }
        "json" | "uuid" | "inet4" | "inet6" => return plain(&word),
        "year" => return Ok((TypeSpec::plain(year(reader)), false)),
        "tinyblob" | "mediumblob" | "longblob" => return plain(&word),
        _ if oracle => return Err(NotUnderstood(format!("type {word} in sql_mode ORACLE"))),
        _ => {}
    }
    let integer = match &*word {
        "tinyint" | "int1" => Some("tinyint"),
        "smallint" | "int2" => Some("smallint"),
        "mediumint" | "int3" | "middleint" => Some("mediumint"),
        "int" | "integer" | "int4" => Some("int"),
        "bigint" | "int8" => Some("bigint"),
        _ => None,
    };
    if let Some(integer) = integer {
        numbers(reader)?;
        return Ok((TypeSpec::plain(&format!("{integer}{}", sign(reader))), false));
    }
    let kind = match &*word {
        "decimal" | "numeric" | "dec" | "fixed" => decimal(reader)?,
        "float" | "float4" | "float8" | "double" | "real" => float(&word, reader)?,
        "bit" => TypeSpec::plain(&format!("bit({})", one(reader)?.unwrap_or(1))),
        "time" | "datetime" | "timestamp" => TypeSpec::plain(&temporal(&word, reader)?),
        "binary" => TypeSpec::plain(&format!("binary({})", one(reader)?.unwrap_or(1))),
        "varbinary" => varbinary(one(reader)?)?,
        "blob" => blob(one(reader)?),
        "vector" => TypeSpec::plain(&format!("vector({})", one(reader)?.unwrap_or(2048))),
        "enum" | "set" => labelled(&word, reader)?,
        "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometry" | "geometrycollection" | "geomcollection" => geometry(&word, reader)?,
        _ => text(&word, reader)?,
    };
    Ok((kind, false))
}

impl TypeSpec {
    pub(super) fn plain(kind: &str) -> TypeSpec {
        TypeSpec { base: Base::Plain(kind.into()), charset: CharsetSpec::Inherited, labels: Vec::new() }
    }

    fn of(base: Base, charset: CharsetSpec) -> TypeSpec {
        TypeSpec { base, charset, labels: Vec::new() }
    }

    fn text(size: TextSize, charset: &str) -> TypeSpec {
        TypeSpec::of(Base::Text(size), CharsetSpec::Named(charset.into()))
    }

    /// Whether it has a character set.
    pub fn has_charset(&self) -> bool {
        !matches!(self.base, Base::Plain(_))
    }
}

/// Numbers in parentheses, if there are any.
fn numbers(reader: &mut Reader<'_>) -> Understood<Vec<u64>> {
    let Some(mut list) = reader.parenthesized() else { return Ok(Vec::new()) };
    let mut numbers = Vec::new();
    while !list.is_at_end() {
        let number = list.clause().number();
        numbers.push(number.ok_or_else(|| NotUnderstood("the length of a type".into()))?);
    }
    Ok(numbers)
}

fn one(reader: &mut Reader<'_>) -> Understood<Option<u64>> {
    Ok(numbers(reader)?.first().copied())
}

/// UNSIGNED, SIGNED and ZEROFILL, in any order.
fn sign(reader: &mut Reader<'_>) -> &'static str {
    let (mut unsigned, mut zerofill) = (false, false);
    loop {
        if reader.accept("zerofill") {
            zerofill = true;
        } else if reader.accept("unsigned") {
            unsigned = true;
        } else if !reader.accept("signed") {
            break;
        }
    }
    match (unsigned, zerofill) {
        (_, true) => " unsigned zerofill",
        (true, false) => " unsigned",
        (false, false) => "",
    }
}

fn decimal(reader: &mut Reader<'_>) -> Understood<TypeSpec> {
    let given = numbers(reader)?;
    // DECIMAL(0) is DECIMAL(10).
    let precision = given.first().copied().filter(|n| *n > 0 || given.len() > 1).unwrap_or(10);
    let scale = given.get(1).copied().unwrap_or(0);
    Ok(TypeSpec::plain(&format!("decimal({precision},{scale}){}", sign(reader))))
}

/// FLOAT(p) is a DOUBLE for more than 24 bits.
fn float(word: &str, reader: &mut Reader<'_>) -> Understood<TypeSpec> {
    let mut is_double = match word {
        "double" | "float8" => true,
        "real" => !reader.session.real_as_float,
        _ => false,
    };
    if word == "double" {
        reader.accept("precision");
    }
    let digits = match *numbers(reader)?.as_slice() {
        [length, decimals] => format!("({length},{decimals})"),
        [bits] if word == "float" => {
            is_double = bits > 24;
            String::new()
        }
        _ => String::new(),
    };
    let word = if is_double { "double" } else { "float" };
    Ok(TypeSpec::plain(&format!("{word}{digits}{}", sign(reader))))
}

fn temporal(word: &str, reader: &mut Reader<'_>) -> Understood<String> {
    Ok(match one(reader)? {
        Some(decimals @ 1..) => format!("{word}({decimals})"),
        _ => word.to_string(),
    })
}

fn year(reader: &mut Reader<'_>) -> &'static str {
    let two = numbers(reader).ok().and_then(|numbers| numbers.first().copied()) == Some(2);
    sign(reader);
    if two { "year(2)" } else { "year" }
}

fn geometry(word: &str, reader: &mut Reader<'_>) -> Understood<TypeSpec> {
    // MariaDB's REF_SYSTEM_ID.
    if reader.accept("ref_system_id") {
        reader.accept_symbol(b'=');
        reader.next();
    }
    Ok(TypeSpec::plain(if word == "geomcollection" { "geometrycollection" } else { word }))
}

fn varbinary(length: Option<u64>) -> Understood<TypeSpec> {
    let length = length.ok_or_else(|| NotUnderstood("VARBINARY without a length".into()))?;
    Ok(match length {
        0..=65535 => TypeSpec::plain(&format!("varbinary({length})")),
        // Without a strict sql_mode.
        _ => blob(Some(length)),
    })
}

fn blob(length: Option<u64>) -> TypeSpec {
    let size = length.filter(|length| *length > 0).map_or(TextSize::Normal, TextSize::for_bytes);
    TypeSpec::plain(&format!("{}blob", size.prefix()))
}

/// CHAR, VARCHAR, TEXT and their synonyms of several words.
fn text(word: &str, reader: &mut Reader<'_>) -> Understood<TypeSpec> {
    let mut charset = CharsetSpec::Inherited;
    let mut word = word.to_string();
    if word == "national" || word == "nchar" || word == "nvarchar" {
        charset = CharsetSpec::Named("utf8mb3".into());
        if word == "national" {
            word = reader.keyword().unwrap_or_default();
        }
    }
    let is_long = word == "long";
    if is_long {
        if reader.accept("varbinary") {
            return Ok(TypeSpec::plain("mediumblob"));
        }
        let mut ahead = *reader;
        if accept_charset(&mut ahead) {
            // LONG CHARACTER SET x
        } else if reader.accept_any(&["char", "character"]) {
            reader.accept("varying");
        } else {
            reader.accept_any(&["varchar", "varcharacter"]);
        }
    }
    let base = match &*word {
        "long" | "mediumtext" => Base::Text(TextSize::Medium),
        "tinytext" => Base::Text(TextSize::Tiny),
        "longtext" => Base::Text(TextSize::Long),
        "text" => match one(reader)? {
            Some(length @ 1..) => Base::TextOf(length),
            _ => Base::Text(TextSize::Normal),
        },
        "char" | "character" | "nchar" if !reader.accept_any(&["varying", "varchar", "varcharacter"]) => {
            Base::Char(one(reader)?.unwrap_or(1))
        }
        "char" | "character" | "nchar" | "varchar" | "varcharacter" | "nvarchar" => {
            let length = one(reader)?.ok_or_else(|| NotUnderstood("VARCHAR without a length".into()))?;
            Base::Varchar(length)
        }
        _ => return Err(NotUnderstood(format!("type {word}"))),
    };
    let given = attributes(reader)?;
    Ok(TypeSpec::of(base, if given == CharsetSpec::Inherited { charset } else { given }))
}

/// The character set that a type's attributes give: ASCII, UNICODE, BYTE, BINARY, CHARACTER SET. COLLATE may stand further
/// on, too.
pub(super) fn attributes(reader: &mut Reader<'_>) -> Understood<CharsetSpec> {
    let mut charset = CharsetSpec::Inherited;
    loop {
        if reader.accept("ascii") {
            charset = CharsetSpec::Named("latin1".into());
        } else if reader.accept("unicode") {
            charset = CharsetSpec::Named("ucs2".into());
        } else if reader.accept("byte") {
            charset = CharsetSpec::Named("binary".into());
        } else if reader.accept("binary") {
            // A collation of the same character set.
        } else if accept_charset(reader) {
            charset = named(reader)?;
        } else {
            return Ok(charset);
        }
    }
}

/// CHARACTER SET, in every spelling.
pub(super) fn accept_charset(reader: &mut Reader<'_>) -> bool {
    reader.accept_all(&["character", "set"])
        || reader.accept_all(&["char", "set"])
        || reader.accept("charset")
}

/// `[=] name`, after CHARACTER SET.
pub(super) fn named(reader: &mut Reader<'_>) -> Understood<CharsetSpec> {
    reader.accept_symbol(b'=');
    if reader.accept("default") {
        return Ok(CharsetSpec::OfDatabase);
    }
    let name = reader.word_or_string();
    let name = name.ok_or_else(|| NotUnderstood("a character set".into()))?;
    Ok(CharsetSpec::Named(if name == "utf8" { "utf8mb3".into() } else { name }))
}

/// `[=] name`, after COLLATE: the character set of the collation, if its name tells.
pub(super) fn of_collation(reader: &mut Reader<'_>) -> Understood<CharsetSpec> {
    reader.accept_symbol(b'=');
    if reader.accept("default") {
        return Ok(CharsetSpec::Inherited);
    }
    let name = reader.word_or_string();
    let name = name.ok_or_else(|| NotUnderstood("a collation".into()))?;
    Ok(match name.split_once('_').map_or(&*name, |(charset, _)| charset) {
        "utf8" => CharsetSpec::Named("utf8mb3".into()),
        // MariaDB's collations for several character sets.
        "uca1400" => CharsetSpec::Inherited,
        charset => CharsetSpec::Named(charset.to_string()),
    })
}

/// ENUM and SET.
fn labelled(word: &str, reader: &mut Reader<'_>) -> Understood<TypeSpec> {
    let session = reader.session;
    let mut list = reader.parenthesized().ok_or_else(|| NotUnderstood(format!("{word} without labels")))?;
    let mut labels = Vec::new();
    while !list.is_at_end() {
        let mut label = list.clause();
        let bytes = match label.next() {
            Some(Token::Literal(text)) if label.is_at_end() => session.unescaped(text),
            _ => return Err(NotUnderstood(format!("a label of {word} that is no plain string"))),
        };
        // The server converts it to the connection's character set before that of the column.
        let text = session.name(&bytes).and_then(|text| match text.is_ascii() {
            true => Some(text),
            false if session.charset == session.connection_charset() => Some(text),
            false => session.connection_charset()?.converted(&text),
        });
        let text = text.ok_or_else(|| NotUnderstood(format!("a label of {word}")))?;
        labels.push(text);
    }
    let charset = attributes(reader)?;
    let base = if word == "enum" { Base::Enum } else { Base::Set };
    Ok(TypeSpec { base, charset, labels })
}

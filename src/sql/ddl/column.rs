//! A column's definition.

use super::column_type::{accept_charset, attributes, column_type, named, of_collation};
use super::{CharsetSpec, ColumnPlace, ColumnSpec, IsStored, NotUnderstood, References, Understood};
use crate::sql::reader::Reader;
use crate::version::Release;

/// A column, and where ALTER TABLE puts it. `reader` is at its name, and ends with the definition.
pub(super) fn column(reader: &mut Reader<'_>) -> Understood<(ColumnSpec, Option<ColumnPlace>)> {
    let name = name(reader, "a column")?;
    let (kind, is_serial) = column_type(reader)?;
    let mut column = ColumnSpec {
        name,
        kind,
        nullable: is_serial.then_some(false),
        generated: None,
        invisible: false,
        is_primary: false,
        is_unique: is_serial,
        references: None,
        is_compressed: false,
        has_versioning: false,
    };
    let mut place = None;
    while !reader.is_at_end() {
        if reader.accept("first") {
            place = Some(ColumnPlace::First);
        } else if reader.accept("after") {
            place = Some(ColumnPlace::After(self::name(reader, "the column of AFTER")?));
        } else {
            attribute(&mut column, reader)?;
        }
    }
    Ok((column, place))
}

/// A name that has to be there.
pub(super) fn name(reader: &mut Reader<'_>, what: &str) -> Understood<String> {
    reader.name().flatten().ok_or_else(|| NotUnderstood(format!("the name of {what}")))
}

fn attribute(column: &mut ColumnSpec, reader: &mut Reader<'_>) -> Understood<()> {
    let before = *reader;
    let word = reader.keyword().unwrap_or_default();
    match &*word {
        "null" => column.nullable = Some(true),
        "not" if reader.accept("null") => column.nullable = Some(false),
        "not" if reader.accept("secondary") => {}
        // `NOT INVISIBLE` is no syntax of any server.
        // DEFAULT NULL does not let a TIMESTAMP be NULL: MySQL refuses it, MariaDB takes no notice.
        "default" => value(reader),
        "on" => {
            // ON UPDATE CURRENT_TIMESTAMP
            reader.next();
            value(reader);
        }
        "auto_increment" => column.nullable = Some(false),
        "serial" if reader.accept_all(&["default", "value"]) => {
            column.nullable = Some(false);
            column.is_unique = true;
        }
        "primary" => {
            reader.accept("key");
            column.is_primary = true;
            column.nullable = Some(false);
        }
        "unique" => {
            reader.accept("key");
            column.is_unique = true;
        }
        "key" => {
            column.is_primary = true;
            column.nullable = Some(false);
        }
        "comment" | "column_format" | "storage" | "engine_attribute" | "secondary_engine_attribute" => {
            reader.accept_symbol(b'=');
            reader.next();
        }
        "collate" => {
            let charset = of_collation(reader)?;
            if column.kind.has_charset() && column.kind.charset == CharsetSpec::Inherited {
                column.kind.charset = charset;
            }
        }
        "character" | "char" | "charset" | "ascii" | "unicode" | "byte" | "binary" => {
            let mut again = before;
            let charset = attributes(&mut again)?;
            if again.rest.len() == before.rest.len() {
                return Err(NotUnderstood(format!("{} of column `{}`", shown(&word), column.name)));
            }
            *reader = again;
            if charset != CharsetSpec::Inherited {
                column.kind.charset = charset;
            }
        }
        "generated" => {
            reader.accept("always");
            reader.accept("as");
            generated(column, reader)?;
        }
        "as" => generated(column, reader)?,
        "virtual" => column.generated = Some(IsStored(false)),
        "stored" | "persistent" => column.generated = Some(IsStored(true)),
        "visible" => column.invisible = false,
        "invisible" => column.invisible = true,
        "srid" | "ref_system_id" => {
            reader.accept_symbol(b'=');
            reader.next();
        }
        "constraint" => {
            let given = if reader.is_next(&["check"]) { None } else { reader.name().flatten() };
            if reader.accept("references") {
                references(reader);
                add_references(column, given, reader);
            }
        }
        "check" => {
            reader.parenthesized();
            reader.accept("not");
            reader.accept("enforced");
        }
        "references" => {
            references(reader);
            add_references(column, None, reader);
        }
        "with" if reader.accept_all(&["system", "versioning"]) => column.has_versioning = true,
        // It says something only of a table with versions, which is not followed.
        "without" if reader.accept_all(&["system", "versioning"]) => {}
        "compressed" => {
            column.is_compressed = true;
            reader.accept_symbol(b'=');
            if reader.is_next(&["zlib"]) {
                reader.next();
            }
        }
        // MariaDB's ENCRYPTED and key options of engines.
        _ if reader.accept_symbol(b'=') => _ = reader.next(),
        _ => return Err(NotUnderstood(format!("{} of column `{}`", shown(&word), column.name))),
    }
    Ok(())
}

fn shown(word: &str) -> String {
    if word.is_empty() { "something".into() } else { word.to_uppercase() }
}

/// `AS (expression)` or MariaDB's `AS ROW START`.
fn generated(column: &mut ColumnSpec, reader: &mut Reader<'_>) -> Understood<()> {
    if reader.accept("row") {
        reader.next();
        column.has_versioning = true;
        return Ok(());
    }
    match reader.parenthesized() {
        Some(_) => {
            column.generated.get_or_insert(IsStored(false));
            Ok(())
        }
        None => Err(NotUnderstood(format!("how column `{}` is generated", column.name))),
    }
}

/// Skips a value: a literal with its sign and introducer, a function's call, or an expression in parentheses.
fn value(reader: &mut Reader<'_>) {
    use crate::sql::tokens::Token;
    if reader.parenthesized().is_some() {
        return;
    }
    while reader.accept_symbol(b'-') || reader.accept_symbol(b'+') {}
    if reader.accept("next") {
        // NEXT VALUE FOR s
        reader.accept("value");
        reader.accept("for");
        reader.table();
        return;
    }
    let is_word = matches!(reader.next(), Some(Token::Bare(_)));
    // `0.5` and `1.5e-3` are words with a dot between, an introducer or a type stands before a string.
    while reader.accept_symbol(b'.') {
        reader.next();
    }
    if is_word {
        if let Some(Token::Literal(_)) = reader.rest.first() {
            reader.next();
        }
        while reader.parenthesized().is_some() {}
    }
    while let Some(Token::Literal(_)) = reader.rest.first() {
        reader.next();
    }
}

/// Servers that take no notice of a foreign key in a column's definition make no index for it.
fn add_references(column: &mut ColumnSpec, constraint: Option<String>, reader: &Reader<'_>) {
    let is_noticed = |writer: Release| writer.is_mariadb_from(10, 5, 0) || writer.is_mysql_from(9, 0, 0);
    if reader.session.writer.is_some_and(is_noticed) {
        column.references = Some(References { constraint });
    }
}

/// `REFERENCES t (c) MATCH FULL ON DELETE SET NULL …`
pub(super) fn references(reader: &mut Reader<'_>) {
    reader.table();
    reader.parenthesized();
    loop {
        if reader.accept("match") {
            reader.next();
        } else if reader.accept("on") {
            reader.next();
            reader.accept_any(&["set", "no"]);
            reader.next();
        } else {
            return;
        }
    }
}

/// A character set among table options: `[DEFAULT] CHARACTER SET [=] x`, `[DEFAULT] COLLATE [=] x`. COLLATE does not change a
/// character set that is given.
pub(super) fn table_charset(reader: &mut Reader<'_>) -> Understood<Option<CharsetSpec>> {
    let mut ahead = *reader;
    ahead.accept("default");
    let charset = if accept_charset(&mut ahead) {
        named(&mut ahead)?
    } else if ahead.accept("collate") {
        of_collation(&mut ahead)?
    } else {
        return Ok(None);
    };
    *reader = ahead;
    Ok(Some(charset))
}

//! An index in a statement.

use super::column::{name, references};
use super::{KeyPart, KeySort, KeySpec, NotUnderstood, Understood};
use crate::sql::reader::Reader;
use crate::sql::tokens::Token;

/// An index or a constraint: a list item of CREATE TABLE, or what ADD adds. `Ok(None)` for a column; `Ok(Some(None))` for
/// what is no index, such as CHECK.
pub(super) fn key(reader: &mut Reader<'_>) -> Understood<Option<Option<KeySpec>>> {
    let is_constraint = reader.accept("constraint");
    let mut constraint = None;
    if is_constraint {
        reader.accept_all(&["if", "not", "exists"]);
        if !reader.is_next(&["primary", "unique", "foreign", "check"]) {
            constraint = Some(name(reader, "a constraint")?);
        }
    }
    let kind = if reader.accept_all(&["primary", "key"]) {
        KeySort::Primary
    } else if reader.accept("unique") {
        reader.accept_any(&["index", "key"]);
        KeySort::Unique
    } else if reader.accept_all(&["foreign", "key"]) {
        KeySort::Foreign
    } else if reader.accept("check") {
        return Ok(Some(None));
    } else if is_constraint {
        return Err(NotUnderstood("a constraint".into()));
    } else if reader.accept_any(&["index", "key"]) {
        KeySort::Plain
    } else if reader.accept("fulltext") {
        reader.accept_any(&["index", "key"]);
        KeySort::Fulltext
    } else if reader.accept("spatial") {
        reader.accept_any(&["index", "key"]);
        KeySort::Spatial
    } else if reader.accept_all(&["vector", "index"]) || reader.accept_all(&["vector", "key"]) {
        KeySort::Vector
    } else {
        return Ok(None);
    };
    reader.accept_all(&["if", "not", "exists"]);
    let mut given = index_name(reader)?;
    // The name of a constraint is that of its index.
    if kind == KeySort::Foreign {
        given = constraint.or(given);
    } else {
        given = given.or(constraint);
    }
    let columns = parts(reader)?;
    if kind == KeySort::Foreign && reader.accept("references") {
        references(reader);
    }
    Ok(Some(Some(KeySpec { name: given.filter(|_| kind != KeySort::Primary), kind, columns })))
}

/// The index's name, if it has one, and USING.
fn index_name(reader: &mut Reader<'_>) -> Understood<Option<String>> {
    let mut given = None;
    if reader.rest.first() != Some(&Token::Symbol(b'(')) && !reader.is_next(&["using", "type"]) {
        given = Some(name(reader, "an index")?);
    }
    if reader.accept_any(&["using", "type"]) {
        reader.next();
    }
    Ok(given)
}

/// `(a, b(10) DESC, (expression))`
pub(super) fn parts(reader: &mut Reader<'_>) -> Understood<Vec<KeyPart>> {
    let mut list = reader.parenthesized().ok_or_else(|| NotUnderstood("the columns of an index".into()))?;
    let mut parts = Vec::new();
    while !list.is_at_end() {
        let mut part = list.clause();
        if part.parenthesized().is_some() {
            parts.push(KeyPart { column: None, prefix: None });
            continue;
        }
        let column = name(&mut part, "an index's column")?;
        if part.accept_all(&["without", "overlaps"]) {
            return Err(NotUnderstood("WITHOUT OVERLAPS".into()));
        }
        let prefix = match part.parenthesized() {
            Some(mut length) => {
                Some(length.number().ok_or_else(|| NotUnderstood("an index's length".into()))?)
            }
            None => None,
        };
        parts.push(KeyPart { column: Some(column), prefix });
    }
    Ok(parts)
}

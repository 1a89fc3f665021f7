//! The indexes of a definition under the clauses of a statement.

use super::column::{in_charset, is_same_name};
use super::{Setting, refused};
use crate::schema::definition::{DefinedColumn, DefinedKey, KeyKind};
use crate::sql::ddl::{KeySort, KeySpec, Step, Understood};

const PRIMARY: &str = "PRIMARY";

/// Unique keys of more bytes are hashes on MariaDB. Older row formats have shorter ones.
const MAX_TREE_BYTES: u64 = 3072;

/// The indexes while a statement is applied: in the order of the definition, then of the statement. One that the server
/// names has no name up to the end.
#[derive(Debug)]
pub(super) struct Keys {
    keys: Vec<DefinedKey>,
    /// Names of indexes before the statement.
    before: Vec<String>,
}

impl Keys {
    pub fn of(keys: Vec<DefinedKey>) -> Keys {
        let before = keys.iter().map(|key| key.name.clone()).collect();
        Keys { keys, before }
    }

    /// Columns were dropped and renamed: keys follow. A key without columns goes.
    pub fn columns_changed(&mut self, dropped: &[&str], renames: &[(&str, &str)]) {
        for key in &mut self.keys {
            key.columns.retain(|name| {
                name.as_deref().is_none_or(|name| !dropped.iter().any(|other| is_same_name(other, name)))
            });
            for name in key.columns.iter_mut().flatten() {
                let to = renames.iter().find(|(from, _)| is_same_name(from, name));
                if let Some((_, to)) = to {
                    *name = to.to_string();
                }
            }
        }
        self.keys.retain(|key| !key.columns.is_empty());
    }

    /// Applies a clause, if it is about an index.
    pub fn step(&mut self, step: &Step, columns: &[DefinedColumn], setting: &Setting<'_>) -> Understood<()> {
        match step {
            Step::DropKey { .. } | Step::RenameKey { .. } => {}
            Step::AddKey { key, if_not_exists, replaces } => {
                if *if_not_exists && self.exists(key) {
                    return Ok(());
                }
                if *replaces && let Some(name) = &key.name {
                    self.keys.retain(|known| !is_same_name(&known.name, name));
                }
                self.add(key, columns, setting)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether ADD INDEX IF NOT EXISTS does nothing. An index without a name goes by its first column there.
    ///
    /// Source: `handle_if_exists_options` in MariaDB's `sql_table.cc`.
    fn exists(&self, key: &KeySpec) -> bool {
        let first = key.columns.first().and_then(|part| part.column.as_deref());
        let name = match key.kind {
            KeySort::Primary => Some(PRIMARY),
            _ => key.name.as_deref().or(first),
        };
        let added = self.keys.iter().map(|key| &key.name);
        name.is_some_and(|name| self.before.iter().chain(added).any(|known| is_same_name(known, name)))
    }

    /// Applies the clauses that drop and rename indexes: they come before those that add, wherever they stand.
    pub fn drop_and_rename(&mut self, steps: &[Step]) -> Understood<()> {
        let mut renamed: Vec<(usize, String)> = Vec::new();
        let mut dropped = Vec::new();
        for step in steps {
            match step {
                Step::DropKey { name, if_exists, may_be_other } => {
                    let found = self.keys.iter().position(|key| is_same_name(&key.name, name));
                    match found {
                        Some(i) if !may_be_other || self.keys[i].is_unique => dropped.push(i),
                        None if !if_exists && !may_be_other => {
                            return refused(format!("index `{name}`, which is not known"));
                        }
                        _ => {}
                    }
                }
                Step::RenameKey { from, to } => {
                    match self.keys.iter().position(|key| is_same_name(&key.name, from)) {
                        Some(i) => renamed.push((i, to.clone())),
                        None => return refused(format!("index `{from}`, which is not known")),
                    }
                }
                _ => {}
            }
        }
        for (i, to) in renamed {
            if let Some(key) = self.keys.get_mut(i) {
                key.name = to;
            }
        }
        let mut i = 0;
        self.keys.retain(|_| {
            i += 1;
            !dropped.contains(&(i - 1))
        });
        Ok(())
    }

    /// Adds an index.
    pub fn add(
        &mut self,
        spec: &KeySpec,
        columns: &[DefinedColumn],
        setting: &Setting<'_>,
    ) -> Understood<()> {
        let mut names = Vec::with_capacity(spec.columns.len());
        let mut has_prefix = false;
        for part in &spec.columns {
            let Some(name) = &part.column else { return refused("an index on an expression") };
            let column = columns.iter().find(|column| is_same_name(&column.name, name));
            let Some(column) = column else {
                return refused(format!("an index on `{name}`, which is not known"));
            };
            has_prefix |= part.prefix.is_some_and(|prefix| is_shorter(prefix, column));
            names.push(Some(column.name.clone()));
        }
        let is_unique = matches!(spec.kind, KeySort::Primary | KeySort::Unique);
        let is_foreign = spec.kind == KeySort::Foreign;
        let name = match spec.kind {
            KeySort::Primary => PRIMARY.to_string(),
            _ => spec.name.clone().unwrap_or_default(),
        };
        let kind = match spec.kind {
            KeySort::Fulltext => KeyKind::Fulltext,
            KeySort::Spatial => KeyKind::Spatial,
            KeySort::Vector => KeyKind::Vector,
            KeySort::Unique if setting.is_mariadb() && is_long(spec, columns) => KeyKind::Hash,
            _ => KeyKind::Tree,
        };
        self.keys.push(DefinedKey { name, is_unique, columns: names, has_prefix, is_generated: is_foreign, kind });
        Ok(())
    }

    /// The indexes as the server makes them, in its order: see `sort_keys` in `sql_table.cc`. The primary key makes its
    /// columns NOT NULL.
    pub fn finished(self, columns: &mut [DefinedColumn]) -> Understood<Vec<DefinedKey>> {
        let mut keys = named(without_needless(self.keys)?)?;
        for name in keys.iter().filter(|key| key.name == PRIMARY).flat_map(|key| key.columns.iter().flatten())
        {
            if let Some(column) = columns.iter_mut().find(|column| is_same_name(&column.name, name)) {
                column.nullable = false;
            }
        }
        let is_nullable = |name: &Option<String>| {
            let name = name.as_deref().unwrap_or_default();
            columns.iter().any(|column| is_same_name(&column.name, name) && column.nullable)
        };
        keys.sort_by_key(|key| match key {
            DefinedKey { name, .. } if name == PRIMARY => 0,
            DefinedKey { is_unique: true, .. } => match key.columns.iter().any(is_nullable) || key.has_prefix
            {
                false => 1,
                true => 2,
            },
            DefinedKey { kind: KeyKind::Fulltext, .. } => 4,
            _ => 3,
        });
        Ok(keys)
    }
}

/// Without the indexes that only foreign keys needed and that another one serves, too. Of two such of the same columns
/// the later stays.
///
/// Source: `foreign_key_prefix` in `sql_table.cc`, and where it is called.
fn without_needless(keys: Vec<DefinedKey>) -> Understood<Vec<DefinedKey>> {
    let mut kept: Vec<DefinedKey> = Vec::with_capacity(keys.len());
    for key in keys {
        let mut other = None;
        for (i, known) in kept.iter().enumerate() {
            if is_needless_beside(&key, known)? {
                other = Some((i, known.is_generated, known.columns.len()));
                break;
            }
        }
        match other {
            None => kept.push(key),
            Some((_, false, _)) => {}
            Some((_, true, length)) if key.is_generated && key.columns.len() < length => {}
            Some((i, ..)) => {
                kept.remove(i);
                kept.push(key);
            }
        }
    }
    Ok(kept)
}

/// Whether one of two indexes was made for a foreign key, and the other serves that.
fn is_needless_beside(a: &DefinedKey, b: &DefinedKey) -> Understood<bool> {
    let (generated, other) = match (a.is_generated, b.is_generated) {
        (false, false) => return Ok(false),
        (true, true) if a.columns.len() > b.columns.len() => (b, a),
        (true, _) => (a, b),
        (false, true) => (b, a),
    };
    let is_same = |pair: (&Option<String>, &Option<String>)| match pair {
        (Some(a), Some(b)) => is_same_name(a, b),
        _ => false,
    };
    let begins = other.columns.len() >= generated.columns.len()
        && other.columns.iter().zip(&generated.columns).all(is_same);
    if begins && other.has_prefix {
        return refused(format!("index `{}` of prefixes, which may serve a foreign key or not", other.name));
    }
    Ok(begins)
}

/// Names the indexes that have no name: by their first column, with a number if the name is taken by an index before.
///
/// Source: `make_unique_key_name` in `sql_table.cc`.
fn named(keys: Vec<DefinedKey>) -> Understood<Vec<DefinedKey>> {
    let mut named: Vec<DefinedKey> = Vec::with_capacity(keys.len());
    for mut key in keys {
        if key.name.is_empty() {
            let column = key.columns.first().cloned().flatten().unwrap_or_default();
            let is_free = |name: &String| {
                !name.eq_ignore_ascii_case(PRIMARY) && !named.iter().any(|key| is_same_name(&key.name, name))
            };
            let numbered = (2..100).map(|n| format!("{column}_{n}"));
            let name = std::iter::once(column.clone()).chain(numbered).find(is_free);
            key.name = name.map_or_else(|| refused("the name of an index"), Ok)?;
        }
        named.push(key);
    }
    Ok(named)
}

/// The number in parentheses of a type.
fn length(kind: &str) -> Option<u64> {
    kind.split_once('(')?.1.split([')', ',']).next()?.parse().ok()
}

/// Whether a prefix is shorter than its column. One of the whole length is none.
fn is_shorter(prefix: u64, column: &DefinedColumn) -> bool {
    let is_text = ["char", "varchar", "binary", "varbinary"].iter().any(|word| column.kind.starts_with(word));
    !is_text || length(&column.kind).is_none_or(|length| prefix < length)
}

/// Whether a unique key is too long for a tree.
fn is_long(spec: &KeySpec, columns: &[DefinedColumn]) -> bool {
    let mut bytes = 0;
    for part in &spec.columns {
        let column = columns
            .iter()
            .find(|column| part.column.as_ref().is_some_and(|name| is_same_name(name, &column.name)));
        let Some(column) = column else { continue };
        if column.kind.ends_with("text") || column.kind.ends_with("blob") {
            match part.prefix {
                None => return true,
                Some(prefix) => bytes += prefix,
            }
            continue;
        }
        let unit = column.charset.as_deref().and_then(in_charset).map_or(1, |charset| charset.max_bytes());
        let is_text = column.charset.is_some() || column.kind.contains("binary");
        if is_text {
            bytes += part.prefix.or_else(|| length(&column.kind)).unwrap_or(8) * unit;
        }
    }
    bytes > MAX_TREE_BYTES
}

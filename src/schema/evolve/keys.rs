//! The indexes of a definition under the clauses of a statement.

use super::column::{in_charset, is_same_name};
use super::{Setting, refused};
use crate::schema::Generated;
use crate::schema::definition::{DefinedColumn, DefinedKey, Definition, KeyKind};
use crate::sql::ddl::{KeyPart, KeySort, KeySpec, Step, Understood};

pub(super) const PRIMARY: &str = "PRIMARY";

/// Unique keys of more bytes are hashes on MariaDB. InnoDB's older row formats have shorter ones.
fn max_bytes(engine: &str) -> u64 {
    match engine {
        "myisam" => 1000,
        "aria" => 2300,
        // No hidden column.
        "memory" => u64::MAX,
        _ => 3072,
    }
}

/// The indexes while a statement is applied: in the order of the definition, then of the statement. One that the server
/// names has no name up to the end.
#[derive(Debug)]
pub(super) struct Keys {
    keys: Vec<DefinedKey>,
    /// Names of indexes before the statement.
    before: Vec<String>,
    /// Of those, the unique ones that may hold NULL.
    nullable: Vec<String>,
    /// The statement adds an index.
    has_new: bool,
    /// A unique key has lost a column.
    has_lost: bool,
}

impl Keys {
    /// Those before the statement, with the columns then.
    pub fn of(keys: Vec<DefinedKey>, columns: &[DefinedColumn]) -> Keys {
        let before = keys.iter().map(|key| key.name.clone()).collect();
        let nullable = keys.iter().filter(|key| key.is_unique && has_nullable(key, columns));
        let nullable = nullable.map(|key| key.name.clone()).collect();
        Keys { keys, before, nullable, has_new: false, has_lost: false }
    }

    /// The server sorts them anew.
    pub fn sorted_anew(mut self) -> Keys {
        self.has_new = true;
        self
    }

    /// Columns have other types: a unique key may hold whole columns now instead of prefixes. How long its prefixes are is
    /// not known.
    pub fn types_changed(
        &mut self,
        before: &Definition,
        columns: &[DefinedColumn],
        steps: &[Step],
    ) -> Understood<()> {
        for step in steps {
            let Step::ChangeColumn { from, column, .. } = step else { continue };
            let old = before.columns.iter().find(|known| is_same_name(&known.name, from));
            let new = columns.iter().find(|known| is_same_name(&known.name, &column.name));
            let (Some(old), Some(new)) = (old, new) else { continue };
            if !may_have_prefix(old) || old.kind == new.kind {
                continue;
            }
            let is_it =
                |name: &Option<String>| name.as_ref().is_some_and(|name| is_same_name(name, &new.name));
            for key in self.keys.iter_mut().filter(|key| key.has_prefix && key.columns.iter().any(is_it)) {
                if !columns_of(key, columns).iter().any(|column| may_have_prefix(column)) {
                    key.has_prefix = false;
                } else if key.is_unique {
                    return refused(format!("the prefixes of index `{}` after MODIFY or CHANGE", key.name));
                }
            }
        }
        Ok(())
    }

    /// Columns were dropped and renamed: keys follow. A key without columns goes.
    pub fn columns_changed(
        &mut self,
        before: &[DefinedColumn],
        dropped: &[&str],
        renames: &[(&str, &str)],
    ) -> Understood<()> {
        for key in &mut self.keys {
            let count = key.columns.len();
            key.columns.retain(|name| {
                name.as_deref().is_none_or(|name| !dropped.iter().any(|other| is_same_name(other, name)))
            });
            let has_lost = key.columns.len() < count;
            self.has_lost |= key.is_unique && has_lost;
            // The column that is gone may have been the one with the prefix.
            if has_lost && key.has_prefix && !key.columns.is_empty() {
                let of_key = columns_of(key, before);
                if !of_key.iter().any(|column| may_have_prefix(column)) {
                    key.has_prefix = false;
                } else if !of_key.iter().any(|column| always_has_prefix(column)) && key.is_unique {
                    return refused(format!("the prefixes of index `{}` after DROP COLUMN", key.name));
                }
            }
            for name in key.columns.iter_mut().flatten() {
                let to = renames.iter().find(|(from, _)| is_same_name(from, name));
                if let Some((_, to)) = to {
                    *name = to.to_string();
                }
            }
        }
        self.keys.retain(|key| !key.columns.is_empty());
        Ok(())
    }

    /// Applies a clause, if it is about an index.
    pub fn step(
        &mut self,
        step: &Step,
        columns: &[DefinedColumn],
        engine: &str,
        setting: &Setting<'_>,
    ) -> Understood<()> {
        match step {
            Step::DropKey { .. } | Step::RenameKey { .. } => {}
            Step::AddKey { key, if_not_exists, replaces } => {
                if *if_not_exists && self.exists(key) {
                    return Ok(());
                }
                if *replaces && let Some(name) = &key.name {
                    self.keys.retain(|known| !is_same_name(&known.name, name));
                }
                self.add(key, columns, engine, setting)?;
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
                if let Some(nullable) = self.nullable.iter_mut().find(|name| **name == key.name) {
                    nullable.clone_from(&to);
                }
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
        engine: &str,
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
            KeySort::Unique if setting.is_mariadb() && is_long(spec, columns, max_bytes(engine)) => {
                KeyKind::Hash
            }
            _ => KeyKind::Tree,
        };
        self.has_new = true;
        self.keys.push(DefinedKey {
            name,
            is_unique,
            columns: names,
            has_prefix,
            is_generated: is_foreign,
            kind,
        });
        Ok(())
    }

    /// The indexes as the server makes them, in its order: see `sort_keys` in `sql_table.cc`. The primary key makes its
    /// columns NOT NULL.
    pub fn finished(
        self,
        columns: &mut [DefinedColumn],
        engine: &str,
        setting: &Setting<'_>,
    ) -> Understood<Vec<DefinedKey>> {
        let keeps_order = setting.is_mariadb() && !self.has_new && !self.before.is_empty();
        let mut keys = named(without_needless(self.keys)?)?;
        if setting.is_mariadb() {
            hash_long(&mut keys, columns, engine)?;
        }
        // A key before the primary key counts as one that may hold NULL, although the primary key excludes it.
        let before_primary = keys.iter().take_while(|key| key.name != PRIMARY);
        let before_primary = before_primary.filter(|key| has_nullable(key, columns));
        let seen_nullable: Vec<String> = before_primary.map(|key| key.name.clone()).collect();
        for name in keys.iter().filter(|key| key.name == PRIMARY).flat_map(|key| key.columns.iter().flatten())
        {
            if let Some(column) = columns.iter_mut().find(|column| is_same_name(&column.name, name)) {
                column.nullable = false;
            }
        }
        let is_null = |key: &DefinedKey| seen_nullable.contains(&key.name) || has_nullable(key, columns);
        // Seen on MariaDB: an ALTER that adds no index leaves the order, although some column may be NOT NULL now. It sorts
        // anew if a unique key has lost a column, or if one that stands for the missing primary
        // key, the first, may hold NULL now.
        let loses = |key: &DefinedKey| key.is_unique && !self.nullable.contains(&key.name) && is_null(key);
        let is_virtual = |key: &DefinedKey| {
            columns_of(key, columns).iter().any(|column| column.generated == Some(Generated::Virtual))
        };
        let had_primary = self.before.iter().any(|name| name == PRIMARY);
        // By another name it is the first still.
        let was_first =
            |key: &&DefinedKey| self.before.first() == Some(&key.name) || !self.before.contains(&key.name);
        let loses_first = !had_primary && keys.first().filter(was_first).is_some_and(loses);
        if keeps_order && !self.has_lost && !loses_first {
            return Ok(keys);
        }
        keys.sort_by_key(|key| match key {
            DefinedKey { name, .. } if name == PRIMARY => (0, false, false),
            DefinedKey { is_unique: true, kind: KeyKind::Hash, .. } => (2, false, false),
            DefinedKey { is_unique: true, .. } => (1, is_null(key), key.has_prefix),
            DefinedKey { kind: KeyKind::Fulltext, .. } => (4, false, false),
            // Seen on MySQL 9.7: keys of virtual columns come last.
            _ => (3, !setting.is_mariadb() && is_virtual(key), false),
        });
        Ok(keys)
    }
}

/// The columns of a key, in the table's order.
fn columns_of<'a>(key: &DefinedKey, columns: &'a [DefinedColumn]) -> Vec<&'a DefinedColumn> {
    let is_its =
        |column: &&DefinedColumn| key.columns.iter().flatten().any(|name| is_same_name(name, &column.name));
    columns.iter().filter(is_its).collect()
}

fn may_have_prefix(column: &DefinedColumn) -> bool {
    let word = column.kind.split(['(', ' ']).next().unwrap_or_default();
    ["char", "binary", "text", "blob"].iter().any(|end| word.ends_with(end))
}

/// Indexes hold whole TEXT and BLOB columns nowhere, but for hashes.
fn always_has_prefix(column: &DefinedColumn) -> bool {
    may_have_prefix(column) && !column.kind.contains('(')
}

fn has_nullable(key: &DefinedKey, columns: &[DefinedColumn]) -> bool {
    let is_nullable = |name: &Option<String>| {
        let name = name.as_deref().unwrap_or_default();
        columns.iter().any(|column| is_same_name(&column.name, name) && column.nullable)
    };
    key.columns.iter().any(is_nullable)
}

/// A key that was there may be too long for a tree now.
fn hash_long(keys: &mut [DefinedKey], columns: &[DefinedColumn], engine: &str) -> Understood<()> {
    for key in keys.iter_mut().filter(|key| key.is_unique && key.name != PRIMARY && !key.has_prefix) {
        let part = |column: &Option<String>| KeyPart { column: column.clone(), prefix: None };
        let columns_of = key.columns.iter().map(part).collect();
        let spec = KeySpec { name: None, kind: KeySort::Unique, columns: columns_of };
        match (is_long(&spec, columns, max_bytes(engine)), key.kind) {
            (true, KeyKind::Tree) => key.kind = KeyKind::Hash,
            (false, KeyKind::Hash) => return refused(format!("index `{}`, which was a hash", key.name)),
            _ => {}
        }
    }
    Ok(())
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
fn is_long(spec: &KeySpec, columns: &[DefinedColumn], max: u64) -> bool {
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
    bytes > max
}

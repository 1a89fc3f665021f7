//! The indexes of a definition under the clauses of a statement.

use super::column::{in_charset, is_same_name};
use super::{Setting, refused};
use crate::schema::definition::{DefinedColumn, DefinedKey, KeyKind};
use crate::sql::ddl::{KeySort, KeySpec, Step, Understood};

pub(super) const PRIMARY: &str = "PRIMARY";

/// Unique keys of more bytes are hashes on MariaDB. Older row formats have shorter ones.
const MAX_TREE_BYTES: u64 = 3072;

/// The indexes while a statement is applied: in the order of the definition, then of the statement.
#[derive(Debug)]
pub(super) struct Keys(Vec<DefinedKey>);

impl Keys {
    pub fn of(keys: Vec<DefinedKey>) -> Keys {
        Keys(keys)
    }

    /// Columns were dropped and renamed: keys follow. A key without columns goes.
    pub fn columns_changed(&mut self, dropped: &[&str], renames: &[(&str, &str)]) {
        for key in &mut self.0 {
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
        self.0.retain(|key| !key.columns.is_empty());
    }

    /// Applies a clause, if it is about an index.
    pub fn step(&mut self, step: &Step, columns: &[DefinedColumn], setting: &Setting<'_>) -> Understood<()> {
        match step {
            Step::DropKey { .. } | Step::RenameKey { .. } => {}
            Step::AddKey { key, if_not_exists, replaces } => {
                let exists = key.name.as_ref().is_some_and(|name| self.has(name));
                if exists && *if_not_exists {
                    return Ok(());
                }
                if *if_not_exists && key.name.is_none() {
                    return refused("ADD INDEX IF NOT EXISTS without a name");
                }
                if *replaces && let Some(name) = &key.name {
                    self.0.retain(|known| !is_same_name(&known.name, name));
                }
                self.add(key, columns, setting)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|key| is_same_name(&key.name, name))
    }

    /// Applies the clauses that drop and rename indexes: they come before those that add, wherever they stand.
    pub fn drop_and_rename(&mut self, steps: &[Step]) -> Understood<()> {
        let mut renamed: Vec<(usize, String)> = Vec::new();
        let mut dropped = Vec::new();
        for step in steps {
            match step {
                Step::DropKey { name, if_exists, may_be_other } => {
                    let found = self.0.iter().position(|key| is_same_name(&key.name, name));
                    match found {
                        Some(i) if !may_be_other || self.0[i].is_unique => dropped.push(i),
                        None if !if_exists && !may_be_other => {
                            return refused(format!("index `{name}`, which is not known"));
                        }
                        _ => {}
                    }
                }
                Step::RenameKey { from, to } => {
                    match self.0.iter().position(|key| is_same_name(&key.name, from)) {
                        Some(i) => renamed.push((i, to.clone())),
                        None => return refused(format!("index `{from}`, which is not known")),
                    }
                }
                _ => {}
            }
        }
        for (i, to) in renamed {
            if let Some(key) = self.0.get_mut(i) {
                key.name = to;
            }
        }
        let mut i = 0;
        self.0.retain(|_| {
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
        if is_foreign && self.0.iter().any(|key| begins_with(key, &names)) {
            return Ok(());
        }
        let name = match (spec.kind, &spec.name) {
            (KeySort::Primary, _) => PRIMARY.to_string(),
            (_, Some(name)) => name.clone(),
            (_, None) => self.free_name(names.first().cloned().flatten().unwrap_or_default())?,
        };
        let kind = match spec.kind {
            KeySort::Fulltext => KeyKind::Fulltext,
            KeySort::Spatial => KeyKind::Spatial,
            KeySort::Vector => KeyKind::Vector,
            KeySort::Unique if setting.is_mariadb() && is_long(spec, columns) => KeyKind::Hash,
            _ => KeyKind::Tree,
        };
        let key = DefinedKey { name, is_unique, columns: names, has_prefix, is_generated: is_foreign, kind };
        // An index that only a foreign key needed gives way to one that serves it, too.
        self.0.retain(|known| !(known.is_generated && begins_with(&key, &known.columns)));
        self.0.push(key);
        Ok(())
    }

    /// The name that a server gives to an index.
    ///
    /// Source: `make_unique_key_name` in `sql_table.cc`.
    fn free_name(&self, column: String) -> Understood<String> {
        if !self.has(&column) && !column.eq_ignore_ascii_case(PRIMARY) {
            return Ok(column);
        }
        let numbered = (2..100).map(|n| format!("{column}_{n}")).find(|name| !self.has(name));
        numbered.map_or_else(|| refused("the name of an index"), Ok)
    }

    /// The indexes in the server's order: see `sort_keys` in `sql_table.cc`. The primary key makes its columns NOT NULL.
    pub fn sorted(self, columns: &mut [DefinedColumn]) -> Vec<DefinedKey> {
        let mut keys = self.0;
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
        keys
    }
}

/// Whether an index's first columns are these, in any case.
fn begins_with(key: &DefinedKey, columns: &[Option<String>]) -> bool {
    key.columns.len() >= columns.len()
        && key.columns.iter().zip(columns).all(|pair| match pair {
            (Some(a), Some(b)) => is_same_name(a, b),
            _ => false,
        })
        && matches!(key.kind, KeyKind::Tree | KeyKind::Hash)
        && !key.has_prefix
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

//! From a definition to the table that rows are read with.

use anyhow::Result;

use super::definition::{DefinedColumn, DefinedKey, Definition, KeyKind};
use super::system_versioning::remove_row_end_from_id;
use super::{Column, ExpressionColumn, HiddenColumns, Id, Table, declared_type, number_of};
use crate::exit::unreadable;

impl Definition {
    /// The number of a column: see [`Table::column_number`].
    pub fn column_number(&self, name: &str) -> Option<usize> {
        number_of(self.columns.iter().map(|column| &*column.name), name)
    }

    /// The table of this definition.
    ///
    /// # Errors
    /// Exit 4 when a column has a type that dumpa does not know.
    pub fn table(&self, database: &str, name: &str) -> Result<Table> {
        let column = |column: &DefinedColumn| {
            column.for_rows().ok_or_else(|| {
                unreadable(format!(
                    "column `{}` of {database}.{name} has type {}, which dumpa does not know",
                    column.name, column.kind
                ))
            })
        };
        let mut table = Table {
            database: database.to_string(),
            name: name.to_string(),
            columns: self.columns.iter().map(column).collect::<Result<_>>()?,
            id: Id::None,
            has_primary_key: false,
            unique_keys: Vec::new(),
            hidden: HiddenColumns::default(),
            has_history_partitions: false,
        };
        self.set_keys(&mut table);
        self.set_hidden(&mut table);
        Ok(table)
    }

    /// The id is the primary key, else the first unique key whose columns are all NOT NULL.
    fn set_keys(&self, table: &mut Table) {
        // Expressions and hidden columns are not columns of the table.
        let numbers = |key: &DefinedKey| -> Option<Vec<usize>> {
            key.columns.iter().map(|name| table.column_number(name.as_ref()?)).collect()
        };
        let unique: Vec<&DefinedKey> = self.keys.iter().filter(|key| key.is_unique).collect();
        let columns: Vec<Option<Vec<usize>>> = unique.iter().map(|key| numbers(key)).collect();
        let primary = unique.iter().position(|key| key.name == "PRIMARY");
        let is_set = |columns: &&Vec<usize>| {
            columns.iter().all(|i| table.columns.get(*i).is_some_and(|column| !column.nullable))
        };
        let of_primary = primary.and_then(|i| columns.get(i)).and_then(Option::as_ref).filter(is_set);
        let id = of_primary.or_else(|| columns.iter().flatten().find(is_set));
        table.id = id.cloned().map_or(Id::None, Id::Columns);
        table.has_primary_key = primary.is_some();
        table.unique_keys = columns.into_iter().flatten().collect();
        table.hidden.hashes = unique.iter().filter(|key| key.kind == KeyKind::Hash).count();
    }

    /// Row end is removed from the id, since only current rows are printed.
    fn set_hidden(&self, table: &mut Table) {
        let expression = |(column, kind): &(usize, Option<String>)| {
            // The character set is not known, and does not matter: only the column format does.
            let is_text = |kind: &str| ["char", "varchar"].iter().any(|word| kind.starts_with(word));
            let kind = kind.as_deref().and_then(|kind| {
                let charset = is_text(kind).then_some("utf8mb4");
                declared_type::parse(kind, charset, &[])
            });
            ExpressionColumn { column: *column, kind }
        };
        table.hidden.expressions = self.hidden.expressions.iter().map(expression).collect();
        if let Some(versioning) = &self.hidden.versioning {
            table.hidden.row_times = versioning.row_end.is_none();
            table.hidden.row_end = match &versioning.row_end {
                Some(name) => table.column_number(name),
                None => Some(table.columns.len() + 1),
            };
            remove_row_end_from_id(table);
            table.has_history_partitions = versioning.has_history_partitions;
        }
    }
}

impl DefinedColumn {
    /// `None` for a type that dumpa does not know.
    fn for_rows(&self) -> Option<Column> {
        Some(Column {
            name: self.name.clone(),
            kind: declared_type::parse(&self.kind, self.charset.as_deref(), &self.labels)?,
            declared: self.kind.clone(),
            octets: declared_type::octets(&self.kind, self.charset.as_deref()),
            is_char: self.kind.starts_with("char"),
            nullable: self.nullable,
            generated: self.generated,
            omitted: false,
        })
    }
}

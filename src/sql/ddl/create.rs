//! The definitions of CREATE TABLE.

use super::column::{column, table_charset};
use super::key::key;
use super::{CharsetSpec, ColumnSpec, KeySpec, NotUnderstood, Understood};
use crate::sql::reader::Reader;
use crate::sql::table_options;

/// What CREATE TABLE says between and after its parentheses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableBody {
    pub columns: Vec<ColumnSpec>,
    /// In the order of the statement, also those in columns.
    pub keys: Vec<KeySpec>,
    pub options: TableOptions,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableOptions {
    pub charset: Option<CharsetSpec>,
    /// In lower case.
    pub engine: Option<String>,
    pub has_versioning: bool,
    pub has_history_partitions: bool,
}

/// Reads a CREATE TABLE. `reader` is after the table's name.
///
/// # Errors
/// When some of it is not understood.
pub(super) fn body(mut reader: Reader<'_>) -> Understood<TableBody> {
    let mut list = reader.parenthesized().ok_or_else(|| NotUnderstood("no list of columns".into()))?;
    let mut body = TableBody::default();
    while !list.is_at_end() {
        let mut item = list.clause();
        if item.accept_all(&["period", "for"]) {
            body.options.has_versioning = true;
            continue;
        }
        match key(&mut item)? {
            Some(key) => body.keys.extend(key),
            None => {
                let (column, _) = column(&mut item)?;
                body.keys.extend(column.keys());
                body.columns.push(column);
            }
        }
    }
    body.options.read(&mut reader)?;
    Ok(body)
}

impl TableOptions {
    /// Reads options up to the end; those that do not matter here are skipped.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>) -> Understood<()> {
        while !reader.is_at_end() {
            if let Some(charset) = table_charset(reader)? {
                // COLLATE after CHARACTER SET names one of the same.
                match charset {
                    CharsetSpec::Inherited => {}
                    charset => self.charset = Some(charset),
                }
            } else if reader.accept("engine") {
                self.engine = table_options::engine(reader);
            } else if reader.accept_all(&["with", "system", "versioning"]) {
                self.has_versioning = true;
            } else if reader.is_next(&["partition"]) {
                self.has_history_partitions = reader.holds("system_time");
                return Ok(());
            } else if reader.is_next(&["select", "as", "ignore", "replace", "with"]) {
                return Err(NotUnderstood("CREATE … SELECT".into()));
            } else {
                reader.next();
            }
        }
        Ok(())
    }
}

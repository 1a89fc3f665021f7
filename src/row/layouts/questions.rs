//! Whether a definition fits a table map, and what must be known before one from the catalog is used.

use std::rc::Rc;

use super::{Layouts, check};
use crate::binlog::column_format::ColumnFormat;
use crate::binlog::table_map::TableMap;
use crate::row::check::Mismatch;
use crate::row::from_catalog::FromCatalog;
use crate::row::layout::Layout;
use crate::schema::definitions::Definition;
use crate::schema::followed::KnownBy;
use crate::schema::from_log::Logged;
use crate::schema::{HiddenColumns, Id, Table};

impl Layouts {
    /// The layout that a definition gives for a table map. `key` is the id by its own keys.
    pub(super) fn checked(
        &self,
        table: &Table,
        key: &Id,
        is_from_catalog: bool,
        formats: &[ColumnFormat],
        logged: &Logged,
    ) -> Result<Layout, Mismatch> {
        let printed = self.selection.printed(&table.database, &table.name);
        let layout = Layout::join(table, formats, &logged.columns, &printed, self.dialect, self.style)?;
        match is_from_catalog {
            true => check::definition(table, key, formats, logged).map(|()| layout),
            false => Ok(layout),
        }
    }

    /// Whether a definition fits a table map.
    pub(super) fn fits(
        &self,
        definition: &Definition,
        formats: &[ColumnFormat],
        logged: &Logged,
    ) -> Result<(), Mismatch> {
        let mut table = definition.table.clone();
        let key = table.id.clone();
        match self.rules.apply(&mut table) {
            Ok(()) => self.checked(&table, &key, definition.is_from_catalog, formats, logged).map(drop),
            // An id of columns that the table does not have is another error.
            Err(_) => Ok(()),
        }
    }

    /// What must be found out of a table that the catalog does not have.
    pub(super) fn missing(
        &self,
        map: &TableMap<'_>,
        (formats, logged): (&[ColumnFormat], &Logged),
        place: &str,
    ) -> FromCatalog {
        let [database, name] =
            [map.database, map.table].map(|name| String::from_utf8_lossy(name).into_owned());
        let misfit = Some(self.definitions.gone(&database, &name, place));
        FromCatalog {
            definition: None,
            read_at: self.definitions.read_at().unwrap_or_default(),
            only_id: false,
            id_is_given: self.has_id_rule(&(database.clone(), name.clone())),
            formats: formats.to_vec(),
            logged: if logged.alternative.is_none() { logged.columns.clone() } else { Vec::new() },
            is_mariadb: self.is_mariadb(),
            table: Table {
                database,
                name,
                columns: Vec::new(),
                id: Id::Unknown,
                has_primary_key: false,
                unique_keys: Vec::new(),
                hidden: HiddenColumns::default(),
                has_history_partitions: false,
            },
            misfit,
        }
    }

    /// What must be found out before the catalog's definition of a table can be used at this table map.
    pub(super) fn claim(
        &self,
        definition: &Definition,
        formats: &[ColumnFormat],
        logged: &Logged,
        accepted: Option<u64>,
    ) -> Option<FromCatalog> {
        let table = &definition.table;
        let name = (table.database.clone(), table.name.clone());
        let known = self.definitions.known(&name)?;
        let KnownBy::Catalog(read_at) = &known.by else { return None };
        let is_used = definition.is_from_catalog || definition.has_present_id;
        (is_used && accepted.is_none_or(|accepted| accepted < read_at.number)).then(|| FromCatalog {
            definition: Some(Rc::clone(&known.definition)),
            table: table.clone(),
            misfit: None,
            read_at: Rc::clone(read_at),
            only_id: !definition.is_from_catalog,
            id_is_given: self.has_id_rule(&name),
            formats: formats.to_vec(),
            logged: if logged.alternative.is_none() { logged.columns.clone() } else { Vec::new() },
            is_mariadb: self.is_mariadb(),
        })
    }
}

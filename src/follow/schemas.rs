//! `--schemas`: lines that tell the definition of a table, where it begins and where a statement changed it.

use std::collections::HashMap;
use std::rc::Rc;

use anyhow::Result;
use serde_json::json;

use super::Steps;
use super::full_effect::FullEffect;
use super::lines::{Counts, Line, LineContent};
use super::settle::Judgement;
use crate::binlog::query::Query;
use crate::row::layouts::Mapping;
use crate::schema::definition::Definition;
use crate::schema::known::FullName;
use crate::source::framing::Place;
use crate::sql::effect::{Effect, TableChange};
use crate::tuple::{LinePrefixes, Op};

/// The definitions that lines of this run told.
#[derive(Debug, Default)]
pub struct Schemas {
    /// `None`: it was told that the definition is not known.
    shown: HashMap<FullName, Option<Rc<Definition>>>,
}

impl Steps<'_> {
    /// Lines were rolled back, perhaps such ones.
    pub(super) fn forget_schemas(&mut self) {
        if let Some(schemas) = &mut self.schemas {
            schemas.shown.clear();
        }
    }

    /// Tells the definition under which the rows of a table map are printed, unless a line of this run told it.
    pub(super) fn show_schema_of_map(&mut self, table_id: u64, place: &Place) -> Result<()> {
        if self.schemas.is_none() {
            return Ok(());
        }
        let Some(mapping) = self.layouts.get(table_id) else { return Ok(()) };
        let Mapping::Wanted(layout) = &*mapping else { return Ok(()) };
        let table = (layout.database.clone(), layout.table.clone());
        let mut known = self.layouts.definition(&table)?;
        // The log has the names, so nobody asked yet whether the catalog's definition holds.
        if let Some(claim) = known.as_ref().and_then(|known| self.claim_of(&table, known)) {
            if self.schemas.as_ref().is_some_and(|schemas| schemas.shown.get(&table) == Some(&None)) {
                return Ok(());
            }
            known = match self.settle(&claim, place)? {
                Judgement::Known | Judgement::ForThem => self.layouts.known_definition(&table).cloned(),
                Judgement::InTheWay(_) => return self.show_schema(&table, None, None),
                Judgement::Interrupted => return Ok(()),
            };
        }
        let definition = known.map(|known| known.definition);
        let shown = self.schemas.as_ref().and_then(|schemas| schemas.shown.get(&table));
        // Row images may have hidden columns behind the table's own.
        let names =
            definition.iter().flat_map(|definition| definition.columns.iter().map(|column| &*column.name));
        let agrees = names.eq(layout.column_names());
        if !agrees || shown.is_some_and(|shown| *shown == definition) {
            return Ok(());
        }
        self.show_schema(&table, definition, None)
    }

    /// Tells the definitions that a statement made or changed. Of those that were not followed there is nothing to tell
    /// until rows come.
    pub(super) fn show_changed_schemas(&mut self, effects: &[FullEffect], query: &Query<'_>) -> Result<()> {
        if self.schemas.is_none() {
            return Ok(());
        }
        let sql = query.session.name(query.text);
        let sql = sql.unwrap_or_else(|| String::from_utf8_lossy(query.text).into_owned());
        // Under the names that they have after the statement.
        let mut tables: Vec<&FullName> = Vec::new();
        for effect in effects {
            let Effect::Table(table, change) = effect else { continue };
            let table = match change {
                TableChange::RenamedTo(to) => {
                    tables.retain(|known| *known != table);
                    to
                }
                TableChange::Created { .. } if query.has_failed => continue,
                TableChange::Created { .. } | TableChange::Altered(_) => table,
                TableChange::VersioningAdded | TableChange::VersioningDropped => table,
                _ => continue,
            };
            if self.is_wanted(table) && !tables.contains(&table) {
                tables.push(table);
            }
        }
        for table in tables {
            let known = self.layouts.known_definition(table).cloned();
            match known {
                Some(known) if known.is_sure() => {
                    self.show_schema(table, Some(known.definition), Some(&sql))?;
                }
                _ => {
                    self.show_schema(table, None, Some(&sql))?;
                    // The catalog may know it when rows come.
                    self.schemas.iter_mut().for_each(|schemas| drop(schemas.shown.remove(table)));
                }
            }
        }
        Ok(())
    }

    fn show_schema(
        &mut self,
        table: &FullName,
        definition: Option<Rc<Definition>>,
        sql: Option<&str>,
    ) -> Result<()> {
        let transactions = self.replay.as_ref().map_or(&self.transactions, |replay| &replay.outer);
        let Some(transaction) = transactions.open() else { return Ok(()) };
        if self.cursor.was_printed(self.cursor.done()) {
            return Ok(());
        }
        let json = match &definition {
            Some(definition) => definition.line_content(self.layouts.omits_generated(), sql),
            None => json!({ "columns": null, "sql": sql }).to_string().into_bytes(),
        };
        let printed = self.layouts.selection().printed(&table.0, &table.1);
        let prefixes = LinePrefixes::new(&printed);
        let (prefix, content) = (prefixes.of(Op::Schema), LineContent::Definition(&json));
        let line = Line { prefix, content, old: &[], counts: Counts::Nothing };
        self.lines.push(line, &mut self.cursor, transaction)?;
        let Some(schemas) = &mut self.schemas else { return Ok(()) };
        schemas.shown.insert(table.clone(), definition);
        Ok(())
    }
}

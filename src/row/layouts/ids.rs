//! What identifies the rows of a table, and whether that is what it was before.

use anyhow::Result;

use super::Layouts;
use crate::exit::unreadable;
use crate::position::IdColumn;
use crate::schema::known::FullName;
use crate::schema::known::{class, id_of};
use crate::schema::{Id, Table};
use crate::sql::ddl::{Ddl, Understood};
use crate::sql::tokens::Session;

/// A table's id columns by `--id`, or else by its present keys.
pub struct IdNow {
    pub columns: Vec<String>,
    /// By `--id`: keys do not matter.
    pub is_given: bool,
    /// The table at present; `None` without a server, or if it is gone.
    pub table: Option<Table>,
}

impl IdNow {
    /// Whether the id is the primary key.
    pub fn is_primary_key(&self) -> bool {
        !self.is_given && self.table.as_ref().is_some_and(|table| table.has_primary_key)
    }

    /// Whether another unique key may have been the id before a MODIFY of a column to NULL or NOT NULL.
    pub fn may_have_moved(&self, column: &str, not_null: bool) -> bool {
        let Some(table) = self.table.as_ref().filter(|table| !self.is_given && !table.has_primary_key) else {
            return false;
        };
        let Some(column) = table.column_number(column) else { return !table.unique_keys.is_empty() };
        let is_of_id = table.id.columns().contains(&column);
        let nullable = |i: &usize| table.columns.get(*i).is_none_or(|column| column.nullable);
        table.unique_keys.iter().any(|key| match not_null {
            // Without the column's NOT NULL, the id was another key.
            true => is_of_id && !key.contains(&column) && !key.iter().any(nullable),
            // With NOT NULL, the id was this key.
            false => key.contains(&column) && !key.iter().any(|i| *i != column && nullable(i)),
        })
    }

    /// Whether the table has no such column: it was renamed or dropped since.
    pub fn lacks(&self, column: &str) -> bool {
        self.table.as_ref().is_some_and(|table| table.column_number(column).is_none())
    }
}

/// The warning about a table whose rows nothing identifies.
pub fn no_key(printed: &str) -> String {
    format!(
        "{printed} has neither a primary key nor a unique key of NOT NULL columns: its id is null. \
         --id {printed}=COLUMN names one"
    )
}

impl Layouts {
    /// # Errors
    /// Exit 4 when the id columns differ from those of rows printed before, or print differently: no later
    /// line would update or delete these rows.
    pub(super) fn check_id(&mut self, table: &Table, printed: &str, place: &str) -> Result<()> {
        let names = |names: &[IdColumn]| match names {
            [] => "null".to_string(),
            names => names.iter().map(|column| format!("`{}`", column.name)).collect::<Vec<_>>().join(", "),
        };
        if table.id == Id::Unknown {
            let name = (table.database.clone(), table.name.clone());
            return match self.tables_known.id(&name) {
                Some(before) if !before.is_empty() => Err(unreadable(format!(
                    "at {place} cannot tell which columns make up the id of {}.{}: the log does not name them, and \
                     there is no server to ask (--host), or the table has other columns there now. Rows printed before \
                     have the id {}. Give --id {printed}=COLUMN, or load again",
                    table.database,
                    table.name,
                    names(before)
                ))),
                _ => Ok(()),
            };
        }
        let Some(before) = self.tables_known.id_is(table) else { return Ok(()) };
        let (was, is) = (names(&before), names(&id_of(table)));
        let what = match was == is {
            true => format!("{was} with another type than before"),
            false => format!("{is}, but was {was} before"),
        };
        if before.is_empty() {
            self.warnings.push(format!(
                "{printed}: from {place} on the id is {what}: rows printed before have a null id. Load again"
            ));
            return Ok(());
        }
        Err(unreadable(format!(
            "from {place} on the id of {}.{} is {what}: rows printed before keep their old id. Load again",
            table.database, table.name
        )))
    }

    /// Notes what a table will be after the statement that is being judged.
    ///
    /// # Errors
    /// When the catalog cannot be asked.
    pub fn will_be(&mut self, table: &FullName, ddl: &Understood<Ddl>, session: &Session) -> Result<()> {
        let after = self.definitions.after(table, ddl, session)?;
        self.after.insert(table.clone(), after);
        Ok(())
    }

    /// The statement was judged.
    pub fn was_judged(&mut self) {
        self.after.clear();
    }

    fn table_after(&mut self, table: &FullName) -> Result<Option<Table>> {
        match self.after.get(table) {
            Some(after) => Ok(after.clone()),
            None => self.definitions.in_catalog(&table.0, &table.1),
        }
    }

    /// The id columns of a table by its definition here; `None` if that is not known.
    pub fn id_by_definition(&self, table: &FullName) -> Option<Vec<IdColumn>> {
        let known = self.definitions.known(table).filter(|known| known.is_sure())?;
        let mut made = known.definition.table(&table.0, &table.1).ok()?;
        self.rules.apply(&mut made).ok()?;
        Some(id_of(&made))
    }

    /// A table's id columns by `--id`, or else by its keys after the statement that is being judged; `None` if nothing tells.
    pub fn id_now(&mut self, table: &(String, String)) -> Result<Option<IdNow>> {
        let rule = self.rules.ids.iter().find(|rule| rule.pattern.matches(&table.0, &table.1));
        if let Some(rule) = rule {
            let columns = rule.columns.clone();
            let table = self.table_after(table)?;
            return Ok(Some(IdNow { columns, is_given: true, table }));
        }
        let Some(now) = self.table_after(table)? else { return Ok(None) };
        let names = now.id.columns().iter().filter_map(|i| Some(now.columns.get(*i)?.name.clone()));
        let columns = names.collect();
        Ok(Some(IdNow { columns, is_given: false, table: Some(now) }))
    }

    /// How a table's column prints after the statement that is being judged, empty if there is no such column; `None` if
    /// nothing tells.
    pub fn class_now(&mut self, table: &(String, String), column: &str) -> Result<Option<String>> {
        let Some(now) = self.table_after(table)? else { return Ok(None) };
        Ok(Some(now.column_number(column).and_then(|i| now.columns.get(i)).map(class).unwrap_or_default()))
    }

    /// Whether the command line names the columns of a table's id.
    pub fn has_id_rule(&self, table: &(String, String)) -> bool {
        self.rules.ids.iter().any(|rule| rule.pattern.matches(&table.0, &table.1))
    }
}

//! What is known of the definitions of tables, for who follows the log.

use std::rc::Rc;

use anyhow::Result;

use super::Layouts;
use crate::schema::definition::Definition;
use crate::schema::followed::{Change, Known, ReadAt};
use crate::schema::known::FullName;
use crate::sql::ddl::{Ddl, Understood};
use crate::sql::tokens::Session;

impl Layouts {
    /// The definitions of some tables may have changed. Those of others stay as they are known, and so do those that are
    /// `followed`.
    pub fn definitions_changed(
        &mut self,
        changed: &dyn Fn(&str, &str) -> bool,
        followed: &dyn Fn(&FullName) -> bool,
    ) {
        self.maps.retain(|_, known| !changed(&known.table.0, &known.table.1));
        self.count_columns();
        self.definitions.changed(changed, followed);
    }

    /// The definition of a table at the current place: as it is known, or else as the catalog tells it.
    pub fn definition(&mut self, table: &FullName) -> Result<Option<Known>> {
        self.definitions.in_catalog(&table.0, &table.1)?;
        Ok(self.definitions.known(table).cloned())
    }

    /// The definition of a table at the current place, if it is known without asking.
    pub fn known_definition(&self, table: &FullName) -> Option<&Known> {
        self.definitions.known(table)
    }

    /// See [`Definitions::ask`].
    pub fn ask_catalog(&mut self, table: &FullName) -> Result<Option<(Definition, Rc<ReadAt>)>> {
        self.definitions.ask(table)
    }

    /// See [`Definitions::settle`].
    pub fn settle(&mut self, table: &FullName, with_all: bool) {
        self.definitions.settle(table, with_all);
    }

    /// See [`Definitions::assumed_charset`].
    pub fn assumed_charset(&self, table: &FullName) -> Option<Rc<ReadAt>> {
        self.definitions.assumed_charset(table)
    }

    /// See [`Definitions::charset_settled`].
    pub fn charset_settled(&mut self, database: &str, holds: bool) {
        self.definitions.charset_settled(database, holds);
    }

    /// See [`Definitions::was`].
    pub fn definition_was(&mut self, table: &FullName, definition: Definition, with_all: bool) {
        self.definitions.was(table, definition, with_all);
    }

    /// The tables whose definitions are known.
    pub fn known_tables(&self) -> Vec<FullName> {
        self.definitions.known_tables()
    }

    /// The tables of a database whose definitions are known.
    pub fn known_tables_of(&self, database: &str) -> Vec<FullName> {
        self.definitions.known_tables_of(database)
    }

    /// Nothing is known of any definition.
    pub fn forget_definitions(&mut self) {
        self.forget_maps();
        self.definitions.changed(&|_, _| true, &|_| false);
    }

    /// See [`Definitions::put`].
    pub fn put_definition(&mut self, table: &FullName, known: Option<Known>) {
        self.definitions.put(table, known);
    }

    /// See [`Definitions::follow`].
    pub fn follow_definition(
        &mut self,
        change: &Change<'_>,
        ddl: &Understood<Ddl>,
        session: &Session,
        place: &dyn std::fmt::Display,
    ) -> Result<()> {
        let followed = self.definitions.follow(change, ddl, session)?;
        if let Change::Created { table, .. } | Change::Copied { table, .. } | Change::Altered { table } =
            *change
        {
            match followed {
                Ok(()) => _ = self.not_followed.remove(table),
                Err(why) => _ = self.not_followed.insert(table.clone(), format!("at {place}: {}", why.0)),
            }
        }
        Ok(())
    }

    /// The last statement that made or altered a table, if it was not followed: where it is, and why.
    pub fn not_followed(&self, table: &FullName) -> Option<&str> {
        self.not_followed.get(table).map(String::as_str)
    }
}

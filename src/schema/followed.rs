//! Definitions that are kept, and follow the statements of the log: so each row is read under the definition that it was
//! written with, however the table was altered since.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::definition::Definition;
use super::evolve::{self, Setting};
use super::known::FullName;
use crate::position::Position;
use crate::sql::ddl::{CharsetSpec, Ddl, NotUnderstood, Understood};
use crate::sql::tokens::Session;

/// What a statement does to the definition of one table or database.
#[derive(Debug)]
pub enum Change<'a> {
    Created {
        table: &'a FullName,
        if_not_exists: bool,
    },
    Copied {
        table: &'a FullName,
        like: &'a FullName,
        if_not_exists: bool,
    },
    Altered {
        table: &'a FullName,
    },
    Renamed {
        from: &'a FullName,
        to: &'a FullName,
    },
    Gone {
        table: &'a FullName,
    },
    /// It may have any definition now.
    Unknown {
        table: &'a FullName,
    },
    DatabaseCreated {
        database: &'a str,
        if_not_exists: bool,
    },
    DatabaseAltered {
        database: &'a str,
    },
    DatabaseGone {
        database: &'a str,
    },
}

/// A definition that is known at the current place.
#[derive(Debug, Clone)]
pub struct Known {
    pub definition: Rc<Definition>,
    pub by: KnownBy,
    /// It was made with the character set that its database has now, which may have been another one then.
    pub assumes_charset: bool,
}

/// How a definition is known, and so what a statement makes of it.
#[derive(Debug, Clone)]
pub enum KnownBy {
    /// It holds here: statements of the log made it, or it is known to have been so at an earlier place.
    Log,
    /// The catalog told it. All that matters for reading rows holds here; other parts, such as keys, may be later ones.
    Columns,
    /// The catalog told it, when it was asked. It may be a later one.
    Catalog(Rc<ReadAt>),
}

impl Known {
    pub fn new(definition: Rc<Definition>, by: KnownBy) -> Known {
        Known { definition, by, assumes_charset: false }
    }

    /// All of it holds here.
    pub fn is_sure(&self) -> bool {
        matches!(self.by, KnownBy::Log)
    }
}

/// When a definition was read from the catalog.
#[derive(Debug, Default)]
pub struct ReadAt {
    /// The end of the server's log, asked for after the definition was read; `None` if it is not known.
    pub log_end: Option<Position>,
    /// Counts the readings.
    pub number: u64,
}

/// The definitions that are known at the current place, by table.
#[derive(Debug, Default)]
pub struct Followed {
    tables: HashMap<FullName, Known>,
    /// Character sets of databases.
    charsets: HashMap<String, String>,
    /// Those of them that are the present ones, and when they were read.
    asked: HashMap<String, Rc<ReadAt>>,
    /// Databases that were dropped.
    gone: HashSet<String>,
}

impl Followed {
    pub fn get(&self, table: &FullName) -> Option<&Known> {
        self.tables.get(table)
    }

    pub fn set(&mut self, table: FullName, known: Known) {
        self.tables.insert(table, known);
    }

    /// The catalog's definition of a table holds here, with all its parts or with those that rows need.
    pub fn holds(&mut self, table: &FullName, with_all: bool) {
        if let Some(known) = self.tables.get_mut(table)
            && matches!(known.by, KnownBy::Catalog(_))
        {
            known.by = if with_all { KnownBy::Log } else { KnownBy::Columns };
        }
    }

    pub fn tables(&self) -> impl Iterator<Item = &FullName> {
        self.tables.keys()
    }

    pub fn forget(&mut self, table: &FullName) {
        self.tables.remove(table);
    }

    /// Sets what is known of a table.
    pub fn put(&mut self, table: &FullName, known: Option<Known>) {
        match known {
            Some(known) => self.set(table.clone(), known),
            None => self.forget(table),
        }
    }

    pub fn retain(&mut self, stays: &dyn Fn(&FullName) -> bool) {
        self.tables.retain(|table, _| stays(table));
    }

    pub fn charset_is_known(&self, database: &str) -> bool {
        self.charsets.contains_key(database)
    }

    /// The catalog told the character set of a database, when it was asked.
    pub fn charset_told(&mut self, database: &str, charset: String, read_at: Rc<ReadAt>) {
        self.charsets.insert(database.to_string(), charset);
        self.asked.insert(database.to_string(), read_at);
    }

    /// When the character set was read that the catalog told of a database, unless it is known to hold.
    pub fn charset_asked(&self, database: &str) -> Option<Rc<ReadAt>> {
        self.asked.get(database).cloned()
    }

    /// Whether the character set that the catalog told of a database holds here. If not, the definitions that were made with it
    /// are not known any more.
    pub fn charset_settled(&mut self, database: &str, holds: bool) {
        self.asked.remove(database);
        if !holds {
            self.charsets.remove(database);
            self.tables.retain(|table, known| table.0 != database || !known.assumes_charset);
        }
        let of_database = self.tables.iter_mut().filter(|(table, _)| table.0 == database);
        of_database.for_each(|(_, known)| known.assumes_charset = false);
    }

    /// Applies a change. `ddl` is what its statement says. If it is not followed, the definition is not known any more.
    ///
    /// # Errors
    /// Why it is not followed.
    pub fn apply(
        &mut self,
        change: &Change<'_>,
        ddl: &Understood<Ddl>,
        session: &Session,
    ) -> Result<(), NotUnderstood> {
        match *change {
            Change::Created { table, if_not_exists } => {
                let Ok(Ddl::Create(body)) = ddl else { return self.unknown(table, ddl) };
                let setting = self.setting(&table.0, session);
                let created = evolve::created(body, &setting);
                self.made(table, if_not_exists, created, self.assumes(table, ddl), session)
            }
            Change::Copied { table, like, if_not_exists } => {
                let setting = self.setting(&table.0, session);
                let (copied, assumes) = match self.tables.get(like).filter(|known| known.is_sure()) {
                    Some(known) if known.assumes_charset && like.0 != table.0 => {
                        (Err(NotUnderstood("LIKE of a table of another character set".into())), false)
                    }
                    Some(known) => (evolve::copied(&known.definition, &setting), known.assumes_charset),
                    None => (Err(NotUnderstood("LIKE of a table that is not known".into())), false),
                };
                self.made(table, if_not_exists, copied, assumes, session)
            }
            Change::Altered { table } => {
                let Some(known) = self.tables.get(table) else { return Ok(()) };
                if !known.is_sure() {
                    // It may have been told with this change.
                    self.forget(table);
                    return Ok(());
                }
                let Ok(Ddl::Alter(_)) = ddl else { return self.unknown(table, ddl) };
                match self.altered(&known.definition, &table.0, ddl, session) {
                    Ok(definition) => {
                        let assumes = known.assumes_charset || self.assumes(table, ddl);
                        self.made_by_log(table, definition, assumes);
                        Ok(())
                    }
                    Err(why) => {
                        self.forget(table);
                        Err(why)
                    }
                }
            }
            Change::Renamed { from, to } => {
                let moved = self.tables.remove(from).filter(Known::is_sure);
                match moved.filter(|known| !known.assumes_charset || from.0 == to.0) {
                    Some(known) => _ = self.tables.insert(to.clone(), known),
                    None => self.forget(to),
                }
                Ok(())
            }
            Change::Gone { table } => {
                self.forget(table);
                Ok(())
            }
            Change::Unknown { table } => {
                self.forget(table);
                Ok(())
            }
            Change::DatabaseGone { database } => {
                self.tables.retain(|table, _| table.0 != database);
                self.charsets.remove(database);
                self.asked.remove(database);
                self.gone.insert(database.to_string());
                Ok(())
            }
            // It may have existed: the character set that is known stays, and else it is not known.
            Change::DatabaseCreated { if_not_exists: true, database } if !self.gone.contains(database) => {
                Ok(())
            }
            Change::DatabaseCreated { database, .. } | Change::DatabaseAltered { database } => {
                let is_new = matches!(change, Change::DatabaseCreated { .. });
                self.gone.remove(database);
                if self.asked.contains_key(database) && !matches!(ddl, Ok(Ddl::Database(None))) {
                    self.charset_settled(database, false);
                }
                self.database(database, ddl, is_new, session);
                Ok(())
            }
        }
    }

    /// A definition of a database after an ALTER TABLE.
    ///
    /// # Errors
    /// When not all of the statement is followed.
    pub fn altered(
        &self,
        before: &Definition,
        database: &str,
        ddl: &Understood<Ddl>,
        session: &Session,
    ) -> Understood<Definition> {
        match ddl {
            Ok(Ddl::Alter(steps)) => evolve::altered(before, steps, &self.setting(database, session)),
            Ok(_) => Err(NotUnderstood("the statement".into())),
            Err(why) => Err(why.clone()),
        }
    }

    /// Whether a statement's outcome rests on the character set that the table's database has now.
    fn assumes(&self, table: &FullName, ddl: &Understood<Ddl>) -> bool {
        self.asked.contains_key(&table.0) && ddl.as_ref().is_ok_and(Ddl::needs_database_charset)
    }

    fn setting<'a>(&'a self, database: &str, session: &'a Session) -> Setting<'a> {
        Setting { session, database_charset: self.charsets.get(database).map(String::as_str) }
    }

    fn made_by_log(&mut self, table: &FullName, definition: Definition, assumes_charset: bool) {
        let definition = Rc::new(definition);
        self.set(table.clone(), Known { definition, by: KnownBy::Log, assumes_charset });
    }

    fn unknown(&mut self, table: &FullName, ddl: &Understood<Ddl>) -> Result<(), NotUnderstood> {
        self.forget(table);
        match ddl {
            Err(why) => Err(why.clone()),
            Ok(_) => Err(NotUnderstood("the statement".into())),
        }
    }

    /// A CREATE TABLE made this definition, unless the table existed.
    fn made(
        &mut self,
        table: &FullName,
        if_not_exists: bool,
        definition: Understood<Definition>,
        assumes_charset: bool,
        session: &Session,
    ) -> Result<(), NotUnderstood> {
        if if_not_exists {
            // MySQL logs it also where the table existed, MariaDB does not. A definition that is known stays.
            if self.tables.get(table).is_some_and(Known::is_sure) {
                return Ok(());
            }
            if !session.is_mariadb() {
                return Err(NotUnderstood("IF NOT EXISTS of a table that may have existed".into()));
            }
        }
        match definition {
            Ok(definition) => {
                self.made_by_log(table, definition, assumes_charset);
                Ok(())
            }
            Err(why) => {
                self.forget(table);
                Err(why)
            }
        }
    }

    fn database(&mut self, database: &str, ddl: &Understood<Ddl>, is_new: bool, session: &Session) {
        let charset = match ddl {
            Ok(Ddl::Database(Some(CharsetSpec::Named(name)))) => Some(name.clone()),
            // ALTER DATABASE without a character set leaves it.
            Ok(Ddl::Database(None)) if !is_new => return,
            Ok(Ddl::Database(_)) => session.server_charset().map(|charset| charset.name().to_string()),
            _ => None,
        };
        match charset {
            Some(charset) => _ = self.charsets.insert(database.to_string(), charset),
            None => _ = self.charsets.remove(database),
        }
    }
}

//! The effects of a statement: the tables and databases that it changes, and how.

/// A name in a statement; `None` where its bytes are no text: see [`Session::name`].
pub type Identifier = Option<String>;

/// A table as a statement names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// `None` for the default database.
    pub database: Option<Identifier>,
    pub table: Identifier,
}

/// All effects of a statement, in the order in which they happen.
pub type Effects = Vec<Effect>;

/// What a statement does to one table or database. `T` and `D` are how tables and databases are named: as the statement
/// does, or in full, as the server keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect<T = TableName, D = Identifier> {
    Table(T, TableChange<T>),
    Database(D, DatabaseChange),
    /// Data in statement format, or a statement that is not known: it may change any table.
    Data {
        verb: String,
    },
}

/// What happened to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableChange<T = TableName> {
    /// It has no rows any more.
    Emptied,
    /// It does not exist any more.
    Gone,
    Created {
        /// OR REPLACE: a table of this name is gone.
        replaces: bool,
        /// It may have been there before, and is left as it was then.
        if_not_exists: bool,
        /// The table whose definition it takes.
        like: Option<T>,
    },
    /// It goes by this name from now on.
    RenamedTo(T),
    Altered(Vec<Clause>),
    /// Its rows changed, and no row event tells how: the statement's words for it.
    Unlogged(&'static str),
    /// Data in statement format.
    Data {
        verb: String,
        /// The statement changes no table but this.
        alone: bool,
        /// DELETE of all rows, and no more: what a server before 9.7 writes for a MEMORY table that its restart emptied.
        deletes_all: bool,
    },
    /// A temporary table of this name was created or dropped; the real one stays.
    TemporaryCreated,
    TemporaryGone,
}

impl<T> TableChange<T> {
    /// The same with the names of other tables made full.
    pub fn with_names<U, E>(self, mut full: impl FnMut(T) -> Result<U, E>) -> Result<TableChange<U>, E> {
        Ok(match self {
            TableChange::Created { replaces, if_not_exists, like } => {
                TableChange::Created { replaces, if_not_exists, like: like.map(full).transpose()? }
            }
            TableChange::RenamedTo(to) => TableChange::RenamedTo(full(to)?),
            TableChange::Emptied => TableChange::Emptied,
            TableChange::Gone => TableChange::Gone,
            TableChange::Altered(clauses) => TableChange::Altered(clauses),
            TableChange::Unlogged(what) => TableChange::Unlogged(what),
            TableChange::Data { verb, alone, deletes_all } => TableChange::Data { verb, alone, deletes_all },
            TableChange::TemporaryCreated => TableChange::TemporaryCreated,
            TableChange::TemporaryGone => TableChange::TemporaryGone,
        })
    }
}

/// What happened to a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseChange {
    Dropped,
    Created {
        /// It may have been there before, and is left as it was then.
        if_not_exists: bool,
    },
    Altered,
}

/// A clause of ALTER TABLE that may change values, names or keys. Others (non-unique indexes, comments, defaults of
/// columns that exist, partitions that are rearranged) are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    AddColumn {
        name: Identifier,
    },
    DropColumn {
        name: Identifier,
    },
    /// MODIFY, or CHANGE where `to` may be another name.
    ChangeColumn {
        from: Identifier,
        to: Identifier,
        /// The first word of its type, in lower case.
        type_word: String,
    },
    RenameColumn {
        from: Identifier,
        to: Identifier,
    },
    /// CONVERT TO CHARACTER SET.
    ConvertCharset,
    AddPrimaryKey,
    DropPrimaryKey,
    AddUniqueKey,
    /// An index, which may have been a unique key.
    DropIndex {
        name: Identifier,
    },
}

/// Data whose table is not known.
pub(super) fn data(verb: &str) -> Effects {
    vec![Effect::Data { verb: verb.to_uppercase() }]
}

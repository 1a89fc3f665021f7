//! The effects of a statement: the tables and databases that it changes, and how.

/// A name in a statement; `None` if its bytes are invalid: see [`Session::name`](super::tokens::Session::name).
pub type Identifier = Option<String>;

/// A table as a statement names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// `None` for the default database.
    pub database: Option<Identifier>,
    pub table: Identifier,
}

/// All effects of a statement, in order.
pub type Effects = Vec<Effect>;

/// What a statement does to one table or database. `T` and `D` are the types of their names: as in the statement, or in
/// full, as the server compares them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect<T = TableName, D = Identifier> {
    Table(T, TableChange<T>),
    Database(D, DatabaseChange),
    /// Data in statement format, or an unknown statement: it may change any table.
    Data {
        verb: String,
    },
}

impl<T, D> Effect<T, D> {
    /// Whether it creates or drops a temporary table. That takes place at once, and a rollback does not undo it.
    pub fn is_of_temporary(&self) -> bool {
        matches!(self, Effect::Table(_, TableChange::TemporaryCreated | TableChange::TemporaryGone))
    }
}

/// What happened to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableChange<T = TableName> {
    /// It lost all rows.
    Emptied,
    /// It was dropped.
    Gone,
    Created {
        /// OR REPLACE: an existing table was dropped.
        replaces: bool,
        /// If it existed, nothing happened.
        if_not_exists: bool,
        /// The table of its LIKE.
        like: Option<T>,
    },
    /// It was renamed to this name.
    RenamedTo(T),
    Altered(Vec<Clause>),
    /// It is a MERGE table now, with the rows of these tables.
    Merges(Vec<T>),
    /// It got system versioning (MariaDB).
    VersioningAdded,
    VersioningDropped,
    /// It got these foreign keys.
    ForeignKeysAdded(Vec<ForeignKey>),
    /// It lost the foreign key of this name.
    ForeignKeyDropped {
        name: Identifier,
        /// DROP CONSTRAINT: it may have been another constraint.
        may_be_other: bool,
    },
    /// Its rows changed without row events, by this clause.
    Unlogged(&'static str),
    /// Data in statement format.
    Data {
        verb: String,
        /// The statement changes only this table.
        alone: bool,
        /// A DELETE without conditions, as a server before 9.7 writes for a MEMORY table that its restart emptied.
        deletes_all: bool,
    },
    /// A sequence of this name was created (MariaDB).
    SequenceCreated {
        /// OR REPLACE: an existing table was dropped.
        replaces: bool,
        /// If it existed, or a table did, nothing happened.
        if_not_exists: bool,
    },
    /// A sequence of this name was dropped. A table of it stays.
    SequenceGone,
    /// A temporary table of this name was created; the real one stays.
    TemporaryCreated,
    /// A temporary table of this name was dropped.
    TemporaryGone,
}

impl<T> TableChange<T> {
    /// Converts the names of other tables in it.
    pub fn with_names<U, E>(self, mut full: impl FnMut(T) -> Result<U, E>) -> Result<TableChange<U>, E> {
        Ok(match self {
            TableChange::Created { replaces, if_not_exists, like } => {
                TableChange::Created { replaces, if_not_exists, like: like.map(full).transpose()? }
            }
            TableChange::RenamedTo(to) => TableChange::RenamedTo(full(to)?),
            TableChange::Emptied => TableChange::Emptied,
            TableChange::Gone => TableChange::Gone,
            TableChange::Altered(clauses) => TableChange::Altered(clauses),
            TableChange::Merges(union) => {
                TableChange::Merges(union.into_iter().map(full).collect::<Result<_, E>>()?)
            }
            TableChange::VersioningAdded => TableChange::VersioningAdded,
            TableChange::VersioningDropped => TableChange::VersioningDropped,
            TableChange::ForeignKeysAdded(keys) => TableChange::ForeignKeysAdded(keys),
            TableChange::ForeignKeyDropped { name, may_be_other } => {
                TableChange::ForeignKeyDropped { name, may_be_other }
            }
            TableChange::Unlogged(what) => TableChange::Unlogged(what),
            TableChange::Data { verb, alone, deletes_all } => TableChange::Data { verb, alone, deletes_all },
            TableChange::SequenceCreated { replaces, if_not_exists } => {
                TableChange::SequenceCreated { replaces, if_not_exists }
            }
            TableChange::SequenceGone => TableChange::SequenceGone,
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
        /// If it existed, nothing happened.
        if_not_exists: bool,
    },
    Altered,
}

/// A clause of ALTER TABLE that may change values, names or keys. Others are left out: non-unique indexes, comments, new
/// defaults, partitions rearranged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    AddColumn {
        name: Identifier,
    },
    DropColumn {
        name: Identifier,
    },
    /// MODIFY, or CHANGE with a new name `to`.
    ChangeColumn {
        from: Identifier,
        to: Identifier,
        /// The first word of its type, in lower case.
        type_word: String,
        /// NOT NULL is given, or implied.
        not_null: bool,
        /// FIRST or AFTER is given.
        moves: bool,
    },
    RenameColumn {
        from: Identifier,
        to: Identifier,
    },
    /// CONVERT TO CHARACTER SET.
    ConvertCharset,
    AddPrimaryKey {
        columns: Vec<Identifier>,
    },
    DropPrimaryKey,
    AddUniqueKey {
        columns: Vec<Identifier>,
    },
    /// An index, perhaps a unique key.
    DropIndex {
        name: Identifier,
    },
}

/// A foreign key in a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// `None` if the server names it.
    pub name: Option<Identifier>,
    pub parent: TableName,
    pub on_delete: &'static str,
    pub on_update: &'static str,
    /// In a column's definition, where MySQL before 9.0 ignores it.
    pub is_inline: bool,
}

/// Data in statement format, of an unknown table.
pub(super) fn data(verb: &str) -> Effects {
    vec![Effect::Data { verb: verb.to_uppercase() }]
}

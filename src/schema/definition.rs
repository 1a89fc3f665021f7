//! A table's definition by names: what the catalog tells, what the schema history keeps, and what statements change.
//! [`Table`](super::Table) is made of it, for reading rows.

use super::Generated;

/// A table's definition, as the server holds it after a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// In table order.
    pub columns: Vec<DefinedColumn>,
    /// All indexes, in the server's order: the primary key is the first, and unique keys whose columns are all NOT NULL
    /// come before other unique keys.
    pub keys: Vec<DefinedKey>,
    /// The character set of new columns that name none: a name of `information_schema.CHARACTER_SETS`, `utf8mb3` instead of
    /// `utf8`.
    pub charset: String,
    /// In lower case; empty if the server does not tell.
    pub engine: String,
    pub hidden: HiddenParts,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinedColumn {
    pub name: String,
    /// The type as information_schema writes it, in lower case, without labels: `int(10) unsigned`, `varchar(20)`, `enum`.
    pub kind: String,
    /// The labels of an ENUM or SET, in UTF-8; `None` for one that the catalog does not tell.
    pub labels: Vec<Option<String>>,
    /// Of text, ENUM and SET; `binary` is none.
    pub charset: Option<String>,
    pub nullable: bool,
    pub generated: Option<Generated>,
    pub invisible: bool,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinedKey {
    /// `PRIMARY` for the primary key.
    pub name: String,
    pub is_unique: bool,
    /// In key order; `None` for an expression.
    pub columns: Vec<Option<String>>,
    /// It holds only a prefix of some column.
    pub has_prefix: bool,
    /// An index that only a foreign key needed: another one may replace it.
    pub is_generated: bool,
    pub kind: KeyKind,
}

/// How an index is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    Tree,
    /// MariaDB: a unique key that is too long for a tree. It has a hidden column.
    Hash,
    Fulltext,
    Spatial,
    Vector,
}

/// What a table's rows have in the log beside its columns. Statements on tables with hidden parts are not followed: only the
/// catalog tells what they did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HiddenParts {
    /// MariaDB: it has system versioning. The columns of the period's start and end, if the table declares them.
    pub versioning: Option<Versioning>,
    /// MySQL: the columns of functional indexes: their number in a table map, and their type as information_schema would write
    /// it, if known.
    pub expressions: Vec<(usize, Option<String>)>,
}

/// System versioning of a table (MariaDB).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Versioning {
    /// The declared column of the row's end; `None` if the server adds hidden ones.
    pub row_end: Option<String>,
    /// It is partitioned by SYSTEM_TIME.
    pub has_history_partitions: bool,
}

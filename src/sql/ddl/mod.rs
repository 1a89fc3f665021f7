//! What CREATE TABLE and ALTER TABLE say of a table's definition, as far as rows depend on it: names, types, keys, character
//! sets. What a server makes of it is decided in `schema::evolve`.
//!
//! Unlike effects, which are read from any statement, this is read in full: what is not understood is said, and then the
//! definition is not known.

mod alter;
mod column;
mod column_type;
mod create;
mod key;
mod statement;

pub use alter::Step;
pub use create::{TableBody, TableOptions};
pub use statement::{Ddl, read};

/// Why a statement cannot be followed, for messages: the words that were not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood(pub String);

pub type Understood<T> = Result<T, NotUnderstood>;

/// A column in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSpec {
    pub name: String,
    pub kind: TypeSpec,
    /// NULL or NOT NULL, as given or implied.
    pub nullable: Option<bool>,
    pub generated: Option<IsStored>,
    pub invisible: bool,
    /// The keys in it: [`ColumnSpec::keys`].
    pub is_primary: bool,
    pub is_unique: bool,
    pub references: Option<References>,
    /// MariaDB.
    pub is_compressed: bool,
    /// MariaDB: GENERATED ALWAYS AS ROW START or END, WITHOUT SYSTEM VERSIONING and the like.
    pub has_versioning: bool,
}

impl ColumnSpec {
    /// The keys in its definition.
    pub fn keys(&self) -> impl Iterator<Item = KeySpec> + '_ {
        let constraint = self.references.as_ref().and_then(|references| references.constraint.clone());
        let sorts = [
            (self.is_primary, KeySort::Primary, None),
            (self.is_unique, KeySort::Unique, None),
            (self.references.is_some(), KeySort::Foreign, constraint),
        ];
        sorts.into_iter().filter(|(has, ..)| *has).map(|(_, kind, name)| {
            let part = KeyPart { column: Some(self.name.clone()), prefix: None };
            KeySpec { name, kind, columns: vec![part] }
        })
    }
}

/// A foreign key in a column's definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct References {
    pub constraint: Option<String>,
}

/// Whether a generated column is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IsStored(pub bool);

/// A type in a statement, in the words of information_schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeSpec {
    /// Without a length that depends on the character set.
    pub base: Base,
    /// As given: CHARACTER SET, or that of COLLATE, or implied by the type.
    pub charset: CharsetSpec,
    /// Of an ENUM or SET, with trailing spaces.
    pub labels: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A type without a character set, as information_schema writes it.
    Plain(String),
    Char(u64),
    Varchar(u64),
    /// TINYTEXT to LONGTEXT.
    Text(TextSize),
    /// TEXT(n), of a size for so many characters.
    TextOf(u64),
    Enum,
    Set,
}

/// The sizes of TEXT and BLOB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextSize {
    Tiny,
    Normal,
    Medium,
    Long,
}

impl TextSize {
    pub fn prefix(self) -> &'static str {
        match self {
            TextSize::Tiny => "tiny",
            TextSize::Normal => "",
            TextSize::Medium => "medium",
            TextSize::Long => "long",
        }
    }

    /// The smallest that holds so many bytes.
    pub fn for_bytes(bytes: u64) -> TextSize {
        match bytes {
            0..=0xff => TextSize::Tiny,
            0x100..=0xffff => TextSize::Normal,
            0x1_0000..=0xff_ffff => TextSize::Medium,
            _ => TextSize::Long,
        }
    }

    /// How many bytes it holds.
    pub fn bytes(self) -> u64 {
        match self {
            TextSize::Tiny => 0xff,
            TextSize::Normal => 0xffff,
            TextSize::Medium => 0xff_ffff,
            TextSize::Long => 0xffff_ffff,
        }
    }
}

/// The character set that a statement gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CharsetSpec {
    /// None is given.
    Inherited,
    /// CHARACTER SET DEFAULT: the database's.
    OfDatabase,
    /// In the words of information_schema.
    Named(String),
}

/// An index in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySpec {
    /// `None` if the server names it.
    pub name: Option<String>,
    pub kind: KeySort,
    pub columns: Vec<KeyPart>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySort {
    Primary,
    Unique,
    Plain,
    Fulltext,
    Spatial,
    Vector,
    /// A foreign key needs an index of its columns.
    Foreign,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    /// `None` for an expression.
    pub column: Option<String>,
    pub prefix: Option<u64>,
}

/// Where ALTER TABLE puts a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnPlace {
    First,
    After(String),
}

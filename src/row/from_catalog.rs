//! A definition from the catalog that is used for rows of the log. Whether it is the one that they were written under must
//! be found out from the statements between the rows and the catalog.

use std::rc::Rc;

use crate::binlog::column_format::ColumnFormat;
use crate::schema::Table;
use crate::schema::definition::Definition;
use crate::schema::followed::ReadAt;
use crate::schema::from_log::LoggedColumn;
use crate::schema::known::FullName;
use crate::value::ColumnType;

/// What must be known before a table map can be read.
#[derive(Debug)]
pub enum Question {
    /// Whether the table was as the catalog has it now.
    Definition(Box<FromCatalog>),
    /// Whether the table's database had the character set that it has now. When that was read.
    Charset(FullName, Rc<ReadAt>),
}

/// A table's definition, as far as it is the catalog's.
#[derive(Debug)]
pub struct FromCatalog {
    /// `None` if the catalog has no table of this name now.
    pub definition: Option<Rc<Definition>>,
    /// What is made of it, or only the names.
    pub table: Table,
    /// Why the rows cannot be read if the definition is this one.
    pub misfit: Option<String>,
    pub read_at: Rc<ReadAt>,
    /// Only the choice of the id is the catalog's: the log has names and types.
    pub only_id: bool,
    /// `--id` names the columns of the id: keys do not matter.
    pub id_is_given: bool,
    pub formats: Vec<ColumnFormat>,
    /// Empty if the log may be read in two ways.
    pub logged: Vec<LoggedColumn>,
    pub is_mariadb: bool,
}

impl FromCatalog {
    /// Whether the table map alone proves that a column's values mean what the definition says: with another type, it would
    /// not have fitted.
    pub fn is_proved(&self, column: &str) -> bool {
        let expressions = &self.table.hidden.expressions;
        let is_own = |i: &usize| !expressions.iter().any(|hidden| hidden.column == *i);
        let Some(number) = self.table.column_number(column) else { return false };
        let Some(at) = (0..self.formats.len()).filter(is_own).nth(number) else { return false };
        match (self.table.columns.get(number), self.formats.get(at), self.logged.get(at)) {
            (Some(column), Some(format), Some(logged)) if column.generated.is_none() => {
                self.type_is_proved(&column.kind, *format, logged)
            }
            _ => false,
        }
    }

    fn type_is_proved(&self, kind: &ColumnType, format: ColumnFormat, logged: &LoggedColumn) -> bool {
        match kind {
            ColumnType::Int { .. } => logged.unsigned.is_some(),
            ColumnType::Text { .. } => logged.charset.is_some(),
            // MariaDB logs UUID and the like in the same way.
            ColumnType::Bytes { .. } => logged.charset.is_some() && !self.is_mariadb,
            ColumnType::Enum(_) | ColumnType::Set(_) => logged.labels.is_some(),
            // The decimals of old formats are the catalog's.
            ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } | ColumnType::Time { .. } => {
                !matches!(
                    format,
                    ColumnFormat::OldTime | ColumnFormat::OldDateTime | ColumnFormat::OldTimestamp
                )
            }
            ColumnType::Float
            | ColumnType::Double
            | ColumnType::Decimal(_)
            | ColumnType::Bit { .. }
            | ColumnType::Date
            | ColumnType::Json
            | ColumnType::Geometry => true,
            ColumnType::Year { .. }
            | ColumnType::Uuid
            | ColumnType::Inet4
            | ColumnType::Inet6
            | ColumnType::Vector => false,
        }
    }

    /// Whether a CONVERT TO CHARACTER SET leaves the meaning of all columns as it was.
    pub fn is_proved_but_for_charset(&self) -> bool {
        self.table.columns.iter().all(|column| match &column.kind {
            ColumnType::Text { .. } => self.is_proved(&column.name),
            // Characters that the new set lacks become question marks, so without one all are as before.
            ColumnType::Enum(labels) | ColumnType::Set(labels) => (1..=labels.len() as u64).all(|number| {
                let label = labels.of_index(number).ok().and_then(|label| label.json().ok());
                label.is_some_and(|label| !label.bytes().contains(&b'?'))
            }),
            _ => true,
        })
    }
}

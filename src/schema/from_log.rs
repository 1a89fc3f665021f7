//! Definitions from table maps. Besides column formats, MySQL 8 always logs signedness and character sets, and with
//! `binlog_row_metadata=FULL` (MySQL 8.0, MariaDB 10.5) a table map has everything that a definition needs. MySQL 5 logs
//! only formats.

use std::sync::Arc;

use super::{Column, HiddenColumns, Id, Table};
use crate::binlog::column_format::ColumnFormat;
use crate::binlog::table_map::{Collations, Metadata, TableMap};
use crate::bytes::Malformed;
use crate::value::{Charset, ColumnType, Label, Labels};
use crate::version::Release;

const TOO_SHORT: Malformed = Malformed("its metadata does not cover all columns");

/// The metadata of a table map, by column.
#[derive(Debug)]
pub struct Logged {
    pub columns: Vec<LoggedColumn>,
    /// A second reading of `columns`, if the metadata is ambiguous: see `year_has_bit`.
    pub alternative: Option<Vec<LoggedColumn>>,
    /// Column numbers, in key order.
    pub primary_key: Option<Vec<usize>>,
}

/// The metadata of one column; `None` for what is not logged, or does not apply to its type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoggedColumn {
    pub name: Option<String>,
    pub nullable: bool,
    pub unsigned: Option<bool>,
    /// Of CHAR, VARCHAR, TEXT, and their binary counterparts.
    pub charset: Option<Charset>,
    /// Of an ENUM or SET.
    pub labels: Option<Arc<Labels>>,
    /// See [`super::declared_type::geometry_type`].
    pub geometry_type: Option<u64>,
    pub dimensions: Option<u64>,
}

/// The definition in the log, if there is one.
#[derive(Debug)]
pub enum LoggedTable {
    /// Names or types are missing.
    Incomplete,
    Complete(Table),
    /// Two readings that differ in which columns are UNSIGNED, depending on the release that wrote the log.
    EitherSign(Table, Table),
}

impl Logged {
    /// Reads a table map's metadata; `writer` is the server that wrote the log.
    ///
    /// # Errors
    /// When the metadata contradicts itself.
    pub fn read(
        map: &TableMap<'_>,
        formats: &[ColumnFormat],
        writer: Option<Release>,
    ) -> Result<Logged, Malformed> {
        let metadata = map.metadata()?;
        let mariadb = writer.is_some_and(|writer| writer.is_mariadb());
        let read = |year_has_bit| columns(map, formats, &metadata, mariadb, year_has_bit);
        let has_year = formats.contains(&ColumnFormat::Year) && metadata.unsigned.is_some();
        let (columns, alternative) = match year_has_bit(writer) {
            Some(known) => (read(known)?, None),
            None if !has_year => (read(true)?, None),
            None => match (read(true), read(false)) {
                (Ok(with), Ok(without)) if with != without => (with, Some(without)),
                // With bits for years, there are too few bits.
                (Err(_), without) => (without?, None),
                (with, _) => (with?, None),
            },
        };
        let primary_key = metadata.primary_key;
        if primary_key.as_ref().is_some_and(|key| !is_key(key, formats.len())) {
            return Err(Malformed("its primary key has invalid columns"));
        }
        Ok(Logged { columns, alternative, primary_key })
    }

    /// The definition, if it is complete.
    ///
    /// # Errors
    /// When a name is not UTF-8.
    pub fn table(&self, map: &TableMap<'_>, formats: &[ColumnFormat]) -> Result<LoggedTable, Malformed> {
        let id = self.primary_key.clone().map_or(Id::Unknown, Id::Columns);
        let (database, name) = (utf8(map.database)?, utf8(map.table)?);
        let table = |logged: &[LoggedColumn]| {
            let columns = formats.iter().zip(logged).map(|(format, logged)| logged.column(*format));
            Some(Table {
                database: database.clone(),
                name: name.clone(),
                columns: columns.collect::<Option<_>>()?,
                id: id.clone(),
                has_primary_key: self.primary_key.is_some(),
                unique_keys: Vec::new(),
                hidden: HiddenColumns::default(),
                has_history_partitions: false,
            })
        };
        let alternative = self.alternative.as_deref().map(table);
        Ok(match (table(&self.columns), alternative) {
            (None, _) | (_, Some(None)) => LoggedTable::Incomplete,
            (Some(one), Some(Some(other))) => LoggedTable::EitherSign(one, other),
            (Some(table), None) => LoggedTable::Complete(table),
        })
    }
}

impl LoggedColumn {
    /// The column's definition, if the log has all of it.
    fn column(&self, format: ColumnFormat) -> Option<Column> {
        let kind = self.kind(format)?;
        let octets = match (&kind, format) {
            (ColumnType::Bytes { .. }, ColumnFormat::String { max }) => Some(max.into()),
            _ => None,
        };
        let is_char = matches!((&kind, format), (ColumnType::Text { .. }, ColumnFormat::String { .. }));
        Some(Column {
            name: self.name.clone()?,
            kind,
            declared: String::new(),
            octets,
            is_char,
            nullable: self.nullable,
            generated: None,
            omitted: false,
        })
    }

    fn kind(&self, format: ColumnFormat) -> Option<ColumnType> {
        Some(match format {
            ColumnFormat::Int { bytes } => ColumnType::Int { bytes, unsigned: self.unsigned? },
            ColumnFormat::Float => ColumnType::Float,
            ColumnFormat::Double => ColumnType::Double,
            ColumnFormat::Decimal(precision) => ColumnType::Decimal(precision),
            ColumnFormat::Year => ColumnType::Year { two_digits: false },
            ColumnFormat::Bit { bits } => ColumnType::Bit { bits },
            ColumnFormat::Date => ColumnType::Date,
            ColumnFormat::Time { decimals } => ColumnType::Time { decimals },
            ColumnFormat::DateTime { decimals } => ColumnType::DateTime { decimals },
            ColumnFormat::Timestamp { decimals } => ColumnType::Timestamp { decimals },
            // MariaDB's may have decimals that the log does not tell.
            ColumnFormat::OldTime | ColumnFormat::OldDateTime | ColumnFormat::OldTimestamp => return None,
            ColumnFormat::String { .. } | ColumnFormat::Varchar { .. } | ColumnFormat::Blob { .. } => {
                let charset = self.charset?;
                if charset.is_binary() {
                    ColumnType::Bytes { padded: matches!(format, ColumnFormat::String { .. }) }
                } else {
                    ColumnType::Text { charset }
                }
            }
            ColumnFormat::Enum { .. } => ColumnType::Enum(self.labels.clone()?),
            ColumnFormat::Set { .. } => ColumnType::Set(self.labels.clone()?),
            ColumnFormat::Json { .. } => ColumnType::Json,
            ColumnFormat::Geometry { .. } => ColumnType::Geometry,
            ColumnFormat::Vector { .. } => ColumnType::Vector,
        })
    }
}

/// Whether YEAR columns have a bit in the signedness bitmap; `None` if the releases that may have written the log differ.
///
/// Source: `has_signedess_information_type` in MySQL's `field_common_properties.h`, which lists YEAR; the function of
/// that name in 8.0.15's `log_event.cc` does not.
fn year_has_bit(writer: Option<Release>) -> Option<bool> {
    let writer = writer?;
    if writer.is_mariadb() || writer.is_mysql_from(8, 0, 29) {
        return Some(true);
    }
    if writer.is_mysql_from(8, 0, 16) { None } else { Some(false) }
}

/// Whether the key's column numbers are valid and distinct.
fn is_key(key: &[usize], columns: usize) -> bool {
    key.iter().enumerate().all(|(n, i)| *i < columns && !key[..n].contains(i))
}

/// A name in UTF-8.
pub fn utf8(name: &[u8]) -> Result<String, Malformed> {
    let name = std::str::from_utf8(name).map_err(|_| Malformed("a name is not UTF-8"))?;
    Ok(name.to_string())
}

fn columns(
    map: &TableMap<'_>,
    formats: &[ColumnFormat],
    metadata: &Metadata<'_>,
    mariadb: bool,
    year_has_bit: bool,
) -> Result<Vec<LoggedColumn>, Malformed> {
    if metadata.names.as_ref().is_some_and(|names| names.len() != formats.len()) {
        return Err(TOO_SHORT);
    }
    let mut ordinals = Ordinals { mariadb, year_has_bit, ..Ordinals::default() };
    let all = formats.iter().enumerate().map(|(i, format)| {
        let name = metadata.names.as_ref().and_then(|names| names.get(i));
        let name = name.map(|name| utf8(name)).transpose()?;
        let nullable = map.is_nullable(i);
        Ok(LoggedColumn { name, nullable, ..ordinals.next(*format, metadata)? })
    });
    all.collect()
}

/// Counts columns by sort, since each list of the metadata has only the columns of one sort.
#[derive(Debug, Default)]
struct Ordinals {
    mariadb: bool,
    year_has_bit: bool,
    numeric: usize,
    text: usize,
    labelled: usize,
    enums: usize,
    sets: usize,
    geometries: usize,
    vectors: usize,
}

fn next(ordinal: &mut usize) -> usize {
    *ordinal += 1;
    *ordinal - 1
}

impl Ordinals {
    /// The metadata of the next column, except its name.
    fn next(&mut self, format: ColumnFormat, metadata: &Metadata<'_>) -> Result<LoggedColumn, Malformed> {
        let mut logged = LoggedColumn::default();
        match format {
            ColumnFormat::Int { .. }
            | ColumnFormat::Float
            | ColumnFormat::Double
            | ColumnFormat::Decimal(_) => {
                logged.unsigned = self.unsigned(metadata)?;
            }
            ColumnFormat::Year if self.year_has_bit => {
                self.unsigned(metadata)?;
            }
            ColumnFormat::String { .. } | ColumnFormat::Varchar { .. } | ColumnFormat::Blob { .. } => {
                logged.charset = charset(metadata.text_collations.as_ref(), next(&mut self.text))?;
            }
            ColumnFormat::Enum { .. } => {
                let lists = metadata.enum_labels.as_deref();
                logged.labels = self.labels(metadata, lists.map(|lists| lists.get(self.enums)))?;
                self.enums += 1;
            }
            ColumnFormat::Set { .. } => {
                let lists = metadata.set_labels.as_deref();
                logged.labels = self.labels(metadata, lists.map(|lists| lists.get(self.sets)))?;
                self.sets += 1;
            }
            // MariaDB counts geometries as columns with a character set, MySQL vectors.
            ColumnFormat::Geometry { .. } => {
                self.text += usize::from(self.mariadb);
                let types = metadata.geometry_types.as_ref();
                logged.geometry_type = types.and_then(|all| all.get(self.geometries).copied());
                self.geometries += 1;
            }
            ColumnFormat::Vector { .. } => {
                self.text += usize::from(!self.mariadb);
                let all = metadata.vector_dimensions.as_ref();
                logged.dimensions = all.and_then(|all| all.get(self.vectors).copied());
                self.vectors += 1;
            }
            ColumnFormat::Year
            | ColumnFormat::Bit { .. }
            | ColumnFormat::Date
            | ColumnFormat::Time { .. }
            | ColumnFormat::DateTime { .. }
            | ColumnFormat::Timestamp { .. }
            | ColumnFormat::OldTime
            | ColumnFormat::OldDateTime
            | ColumnFormat::OldTimestamp
            | ColumnFormat::Json { .. } => {}
        }
        Ok(logged)
    }

    fn unsigned(&mut self, metadata: &Metadata<'_>) -> Result<Option<bool>, Malformed> {
        let ordinal = next(&mut self.numeric);
        match metadata.unsigned {
            Some(_) => metadata.is_unsigned(ordinal).map(Some).ok_or(TOO_SHORT),
            None => Ok(None),
        }
    }

    /// The labels of the next ENUM or SET. `list` is `None` if there are no lists, and `Some(None)` if there are too few.
    fn labels(
        &mut self,
        metadata: &Metadata<'_>,
        list: Option<Option<&Vec<&[u8]>>>,
    ) -> Result<Option<Arc<Labels>>, Malformed> {
        let charset = charset(metadata.label_collations.as_ref(), next(&mut self.labelled))?;
        let Some(list) = list else { return Ok(None) };
        let list = list.ok_or(TOO_SHORT)?;
        let Some(charset) = charset else { return Ok(None) };
        let members = list.iter().map(|label| Label::new(label, charset)).collect();
        Ok(Some(Arc::new(Labels::new(members))))
    }
}

/// The character set of the `ordinal`-th column of its sort.
fn charset(collations: Option<&Collations>, ordinal: usize) -> Result<Option<Charset>, Malformed> {
    let Some(collations) = collations else { return Ok(None) };
    let collation = collations.of(ordinal).ok_or(TOO_SHORT)?;
    // Unknown collations are not compared: the catalog has the character set's name.
    Ok(u32::try_from(collation).ok().and_then(Charset::by_collation_id))
}

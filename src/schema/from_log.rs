//! A table as the log itself describes it: `binlog_row_metadata=FULL` on MySQL 8 and MariaDB 10.5.

use std::sync::Arc;

use super::hidden::Hidden;
use super::{Column, Id, Table};
use crate::binlog::column_format::ColumnFormat;
use crate::binlog::table_map::{Metadata, TableMap};
use crate::bytes::Malformed;
use crate::value::{Charset, Kind, Label, Labels};
use crate::version::Release;

const UNTOLD: Malformed = Malformed("its metadata does not tell the names and types of all columns");

/// What the log tells of a table.
#[derive(Debug)]
pub enum Told {
    /// Not its columns' names, or not all of their types.
    Nothing,
    Table(Table),
    /// Its columns are signed as in the one or as in the other, by the release that wrote the log.
    Either(Table, Table),
}

/// Reads what the log tells of a table; `writer` is the server that wrote it.
///
/// # Errors
/// When the metadata contradicts itself.
pub fn table(map: &TableMap<'_>, wires: &[ColumnFormat], writer: Option<Release>) -> Result<Told, Malformed> {
    let metadata = map.metadata()?;
    if metadata.names.is_none() {
        return Ok(Told::Nothing);
    }
    let mariadb = writer.is_some_and(|writer| writer.is_mariadb());
    let has_year = wires.contains(&ColumnFormat::Year);
    let read = |year_has_bit| {
        let ordinals = Ordinals { mariadb, year_has_bit, ..Ordinals::default() };
        columns(map, wires, &metadata, ordinals)
    };
    let told = match year_has_bit(writer).filter(|_| has_year) {
        None if has_year => match (read(true), read(false)) {
            (Ok(with), Ok(without)) if with == without => Ok(with),
            (Ok(Some(with)), Ok(Some(without))) => {
                return Ok(Told::Either(whole(map, &metadata, with)?, whole(map, &metadata, without)?));
            }
            // One bit is too few for the other reading.
            (Err(_), without) => without,
            (with, _) => with,
        },
        known => read(known.unwrap_or(true)),
    };
    Ok(match told? {
        Some(columns) => Told::Table(whole(map, &metadata, columns)?),
        None => Told::Nothing,
    })
}

/// Whether a YEAR has a bit among those that tell which numeric columns are UNSIGNED; `None` where the releases that
/// may have written the log differ.
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

fn columns(
    map: &TableMap<'_>,
    wires: &[ColumnFormat],
    metadata: &Metadata<'_>,
    mut ordinals: Ordinals,
) -> Result<Option<Vec<Column>>, Malformed> {
    let names = metadata.names.as_deref().unwrap_or_default();
    if names.len() != wires.len() {
        return Err(UNTOLD);
    }
    let mut columns = Vec::with_capacity(wires.len());
    for (i, (wire, name)) in wires.iter().zip(names).enumerate() {
        let Some(kind) = ordinals.kind(*wire, metadata)? else {
            return Ok(None);
        };
        let (name, nullable) = (utf8(name)?, map.is_nullable(i));
        columns.push(Column { name, kind, octets: None, nullable, generated: None, omitted: false });
    }
    Ok(Some(columns))
}

fn whole(map: &TableMap<'_>, metadata: &Metadata<'_>, columns: Vec<Column>) -> Result<Table, Malformed> {
    let id = match &metadata.primary_key {
        Some(key) if is_key(key, columns.len()) => Id::Columns(key.clone()),
        Some(_) => return Err(Malformed("its primary key is not made of its columns")),
        None => Id::Unknown,
    };
    let (database, name) = (utf8(map.database)?, utf8(map.table)?);
    Ok(Table { database, name, columns, id, hidden: Hidden::default() })
}

/// Whether they are numbers of columns, none twice.
fn is_key(key: &[usize], columns: usize) -> bool {
    key.iter().enumerate().all(|(n, i)| *i < columns && !key[..n].contains(i))
}

/// A name in UTF-8.
pub fn utf8(name: &[u8]) -> Result<String, Malformed> {
    let name = std::str::from_utf8(name).map_err(|_| Malformed("a name is not UTF-8"))?;
    Ok(name.to_string())
}

/// Lists in the metadata go by the ordinal among the columns of a sort.
#[derive(Debug, Default)]
struct Ordinals {
    mariadb: bool,
    year_has_bit: bool,
    numeric: usize,
    text: usize,
    labelled: usize,
    enums: usize,
    sets: usize,
}

fn next(ordinal: &mut usize) -> usize {
    *ordinal += 1;
    *ordinal - 1
}

impl Ordinals {
    /// The kind of the next column; `None` where only the catalog can tell it.
    fn kind(&mut self, wire: ColumnFormat, metadata: &Metadata<'_>) -> Result<Option<Kind>, Malformed> {
        let mut unsigned = || {
            let ordinal = next(&mut self.numeric);
            metadata.is_unsigned(ordinal).ok_or(UNTOLD)
        };
        Ok(Some(match wire {
            ColumnFormat::Int { bytes } => Kind::Int { bytes, unsigned: unsigned()? },
            ColumnFormat::Float => unsigned().map(|_| Kind::Float)?,
            ColumnFormat::Double => unsigned().map(|_| Kind::Double)?,
            ColumnFormat::Decimal(format) => unsigned().map(|_| Kind::Decimal(format))?,
            ColumnFormat::Year => {
                if self.year_has_bit {
                    unsigned()?;
                }
                Kind::Year { two_digits: false }
            }
            ColumnFormat::Bit { bits } => Kind::Bit { bits },
            ColumnFormat::Date => Kind::Date,
            ColumnFormat::Time { decimals } => Kind::Time { decimals },
            ColumnFormat::DateTime { decimals } => Kind::DateTime { decimals },
            ColumnFormat::Timestamp { decimals } => Kind::Timestamp { decimals },
            // MariaDB's have decimals that the log does not tell.
            ColumnFormat::OldTime | ColumnFormat::OldDateTime | ColumnFormat::OldTimestamp => {
                return Ok(None);
            }
            ColumnFormat::String { .. } | ColumnFormat::Varchar { .. } | ColumnFormat::Blob { .. } => {
                let collation = metadata.text_collations.as_ref();
                let collation = collation.and_then(|all| all.of(next(&mut self.text)));
                let charset = charset(collation.ok_or(UNTOLD)?)?;
                if charset.is_binary() {
                    Kind::Bytes { padded: matches!(wire, ColumnFormat::String { .. }) }
                } else {
                    Kind::Text { charset }
                }
            }
            ColumnFormat::Enum { .. } => {
                let charset = self.label_charset(metadata)?;
                let lists = metadata.enum_labels.as_ref();
                Kind::Enum(labels(lists.and_then(|l| l.get(next(&mut self.enums))), charset)?)
            }
            ColumnFormat::Set { .. } => {
                let charset = self.label_charset(metadata)?;
                let lists = metadata.set_labels.as_ref();
                Kind::Set(labels(lists.and_then(|l| l.get(next(&mut self.sets))), charset)?)
            }
            ColumnFormat::Json { .. } => Kind::Json,
            // Of these each server has one among its columns with a character set.
            ColumnFormat::Geometry { .. } => {
                self.text += usize::from(self.mariadb);
                Kind::Geometry
            }
            ColumnFormat::Vector { .. } => {
                self.text += usize::from(!self.mariadb);
                Kind::Vector
            }
        }))
    }

    fn label_charset(&mut self, metadata: &Metadata<'_>) -> Result<Charset, Malformed> {
        let ordinal = next(&mut self.labelled);
        let collation = metadata.label_collations.as_ref().and_then(|all| all.of(ordinal));
        charset(collation.ok_or(UNTOLD)?)
    }
}

fn charset(collation: u64) -> Result<Charset, Malformed> {
    let id = u32::try_from(collation).ok();
    let charset = id.and_then(Charset::by_collation_id);
    charset.ok_or(Malformed("a column is of a collation that dumpa does not know"))
}

fn labels(list: Option<&Vec<&[u8]>>, charset: Charset) -> Result<Arc<Labels>, Malformed> {
    let members = list.ok_or(UNTOLD)?.iter().map(|label| Label::new(label, charset));
    Ok(Arc::new(Labels::new(members.collect())))
}

//! What the log holds of a row besides the columns that anybody sees. MariaDB: the versions of a table WITH SYSTEM
//! VERSIONING, and numbers that stand for the values of a unique key on long columns. MySQL before 8.0.20: what its
//! indexes on expressions are made of.

use anyhow::{Context, Result, anyhow};
use mysql::prelude::Queryable;
use mysql::{Conn, Row, params};

use super::catalog::quoted;
use super::{Id, Table, column_type};
use crate::binlog::column_format::ColumnFormat;
use crate::bytes::Bytes;
use crate::bytes::Malformed;
use crate::server::log::text;
use crate::value::Kind;

/// MariaDB's stand behind the table's own columns.
#[derive(Debug, Clone, Default)]
pub struct Hidden {
    /// From when and until when a version of the row holds, in a table that does not name these columns itself.
    pub times: bool,
    /// There may be so many numbers.
    pub numbers: usize,
    /// The column, among all of the row's, that says until when a version holds.
    pub until: Option<usize>,
    /// MySQL's stand anywhere among the table's own: where each one stood last when its index was made.
    pub expressions: Vec<Expression>,
}

/// A generated column that MySQL makes for an index on an expression. Before 8.0.20 the log's table maps count it,
/// and no row image holds it.
#[derive(Debug, Clone)]
pub struct Expression {
    /// Its number among all of the row's.
    pub column: usize,
    /// `None` for one that dumpa does not know.
    pub kind: Option<Kind>,
}

impl Hidden {
    /// Whether these can be the columns behind the table's own.
    pub fn fits(&self, wires: &[ColumnFormat]) -> bool {
        let numbers = match wires {
            [TIME, TIME, rest @ ..] if self.times => rest,
            _ if self.times => return false,
            rest => rest,
        };
        // A MEMORY table's keys are hashed too, without a column.
        (numbers.is_empty() || numbers.len() == self.numbers) && numbers.iter().all(|wire| *wire == NUMBER)
    }
}

const NUMBER: ColumnFormat = ColumnFormat::Int { bytes: 8 };

/// (Where versions are counted by transaction, MariaDB does not log rows at all.)
const TIME: ColumnFormat = ColumnFormat::Timestamp { decimals: 6 };

/// Whether a version holds until further notice, from the bytes of that column.
pub fn is_of_now(wire: ColumnFormat, bytes: &mut Bytes<'_>) -> Result<bool, Malformed> {
    if wire != TIME {
        return Err(Malformed("the end of a version is not a TIMESTAMP(6)"));
    }
    // The end of all time is another since MariaDB 11.5.
    let bytes = bytes.take(7)?;
    Ok(bytes == [0x7f, 0xff, 0xff, 0xff, 0x0f, 0x42, 0x3f]
        || bytes == [0xff, 0xff, 0xff, 0xff, 0x0f, 0x42, 0x3f])
}

/// Asks for a table's versions. The column that ends them is no part of the id: only rows of now are printed.
/// Though MariaDB says so, the two that tell when a version holds are not generated: nothing else tells their values.
pub fn ask_versions(conn: &mut Conn, table: &mut Table) -> Result<()> {
    let named = |expression: &str| {
        format!(
            "(SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = :database \
             AND TABLE_NAME = :table AND GENERATION_EXPRESSION = '{expression}')"
        )
    };
    let query = format!(
        "SELECT {}, {} FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = :database AND TABLE_NAME = :table AND TABLE_TYPE = 'SYSTEM VERSIONED'",
        named("ROW START"),
        named("ROW END")
    );
    let given = params! { "database" => table.database.as_str(), "table" => table.name.as_str() };
    let named: Option<(Option<String>, Option<String>)> = match conn.exec_first(query, given) {
        // Before 10.3 there are no versions to ask for.
        Err(mysql::Error::MySqlError(_)) => None,
        answer => answer
            .with_context(|| format!("cannot ask for the versions of {}.{}", table.database, table.name))?,
    };
    if let Some((start, end)) = named {
        for name in [&start, &end].into_iter().flatten() {
            if let Some(column) = table.column_number(name).and_then(|i| table.columns.get_mut(i)) {
                column.generated = None;
            }
        }
        table.hidden.times = end.is_none();
        table.hidden.until = match end {
            Some(name) => table.column_number(&name),
            None => Some(table.columns.len() + 1),
        };
        forget_until_in_id(table);
    }
    Ok(())
}

/// Asks where MySQL's hidden columns stand among a table's own.
pub fn ask_expressions(conn: &mut Conn, table: &mut Table) -> Result<()> {
    let query = format!("SHOW EXTENDED COLUMNS FROM {}", quoted(&table.database, &table.name));
    let rows: Vec<Row> = conn
        .query(query)
        .with_context(|| format!("cannot ask for the hidden columns of {}.{}", table.database, table.name))?;
    let mut own = table.columns.iter().map(|column| column.name.as_str()).peekable();
    for (i, row) in rows.iter().enumerate() {
        let (name, column_type) = (text(row, 0).unwrap_or_default(), text(row, 1).unwrap_or_default());
        if own.peek() == Some(&name.as_str()) {
            own.next();
        } else if !column_type.is_empty() {
            // Its character set is not told. What matters is how it is packed.
            let is_text = ["char", "varchar"].iter().any(|word| column_type.starts_with(word));
            let kind = column_type::parse(&column_type, is_text.then_some("utf8mb4"));
            table.hidden.expressions.push(Expression { column: i, kind });
        }
        // The engine's own have no type, come last, and are never logged.
    }
    match own.next() {
        None => Ok(()),
        Some(name) => Err(anyhow!(
            "{}.{} was altered while it was asked for its columns (`{name}`): try again",
            table.database,
            table.name
        )),
    }
}

/// Takes the hidden columns of indexes on expressions off a table that MySQL's log names all columns of. Their names
/// are an MD5 sum; or, from a later release on, say what they are.
///
/// What `known`, the same table in the catalog, has as a column of its own is none of theirs.
pub fn take_expressions_off(told: &mut Table, known: Option<&Table>) {
    let is_own = |name: &str| known.is_some_and(|known| known.columns.iter().any(|own| own.name == name));
    let is_hidden = |name: &str| is_expression_name(name) && !is_own(name);
    let hidden: Vec<usize> = (0..told.columns.len()).filter(|i| is_hidden(&told.columns[*i].name)).collect();
    let mut i = 0;
    let expressions = &mut told.hidden.expressions;
    told.columns.retain(|column| {
        let is_hidden = hidden.contains(&i);
        if is_hidden {
            expressions.push(Expression { column: i, kind: Some(column.kind.clone()) });
        }
        i += 1;
        !is_hidden
    });
    if let Id::Columns(columns) = &mut told.id {
        columns.retain(|i| !hidden.contains(i));
        for column in columns {
            *column -= hidden.iter().filter(|i| *i < column).count();
        }
    }
}

/// Whether a column is called as one of theirs.
pub fn may_have_expressions(told: &Table) -> bool {
    told.columns.iter().any(|column| is_expression_name(&column.name))
}

fn is_expression_name(name: &str) -> bool {
    let is_sum = name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_sum || name.starts_with("!hidden!")
}

/// Takes the hidden columns off a table that MariaDB's log names all columns of; `known` is the same table in the
/// catalog, which tells what is hidden.
pub fn take_off(told: &mut Table, wires: &[ColumnFormat], known: Option<&Table>) {
    let name = |i: usize| told.columns.get(i).map(|column| column.name.as_str());
    let mut own = told.columns.len();
    // What had versions when it was logged may be another table by now, without any.
    let had_versions =
        told.columns.iter().zip(wires).any(|(column, wire)| column.name == "row_end" && *wire == TIME);
    let has_versions = |known: &&Table| {
        known.hidden.times || known.hidden.until.is_some() || known.column_number("row_end").is_some()
    };
    if let Some(known) = known.filter(|known| !had_versions || has_versions(known)) {
        while own > known.columns.len() && name(own - 1).is_some_and(is_number_name) {
            own -= 1;
        }
        let times = own >= 2 && name(own - 2) == Some("row_start") && name(own - 1) == Some("row_end");
        let until_name = known.hidden.until.and_then(|i| known.columns.get(i)).map(|c| c.name.as_str());
        told.hidden.until = match until_name {
            Some(until) => (0..own).find(|i| name(*i) == Some(until)),
            None => (times && known.hidden.times).then_some(own - 1),
        };
        told.hidden.times = times && known.hidden.times;
    } else {
        while own > 0 && name(own - 1).is_some_and(is_number_name) && wires.get(own - 1) == Some(&NUMBER) {
            own -= 1;
        }
        // The default names; in a table with a key they are a part of it.
        let is_time = |i: usize| wires.get(i) == Some(&TIME);
        told.hidden.times = own > 2
            && name(own - 2) == Some("row_start")
            && name(own - 1) == Some("row_end")
            && is_time(own - 2)
            && is_time(own - 1);
        told.hidden.until = told.hidden.times.then_some(own - 1);
    }
    told.hidden.numbers = told.columns.len() - own;
    told.columns.truncate(if told.hidden.times { own - 2 } else { own });
    forget_until_in_id(told);
}

fn is_number_name(name: &str) -> bool {
    name.strip_prefix("DB_ROW_HASH_").is_some_and(|number| number.parse::<u32>().is_ok())
}

fn forget_until_in_id(table: &mut Table) {
    if let Id::Columns(columns) = &mut table.id {
        columns.retain(|i| Some(*i) != table.hidden.until);
        if columns.is_empty() {
            table.id = Id::None;
        }
    }
}

/// Columns of a sequence, which is a table of one row to the log.
const SEQUENCE: [&str; 8] = [
    "next_not_cached_value",
    "minimum_value",
    "maximum_value",
    "start_value",
    "increment",
    "cache_size",
    "cycle_option",
    "cycle_count",
];

/// Whether MariaDB's log means a sequence by this table.
pub fn is_sequence(table: &Table) -> bool {
    table.columns.iter().map(|column| column.name.as_str()).eq(SEQUENCE)
}

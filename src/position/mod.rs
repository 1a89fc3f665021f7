//! Positions: places in a binary log to resume from.

mod ids;
mod log_id;
mod order;
mod read;
mod reading;
mod save_file;
mod where_argument;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use anyhow::Result;

use serde_json::{Map, Value, json};

use crate::exit::unavailable;
pub use ids::{IdColumn, Ids};
pub use log_id::LogId;
pub use order::{FileOrder, compare_ranked};
pub use reading::Reading;
pub use save_file::SaveFile;
pub use where_argument::Where;

/// Names or globs of databases and of their tables, in order.
pub type Patterns = Vec<(String, String)>;

/// A place in the log to resume from, between two lines of output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    pub file: String,
    /// Offset in bytes, between two transactions.
    pub position: u64,
    /// How many rows of the transaction that begins there are done, before any table filter.
    pub row: u64,
    /// How many lines of the next row are done: an update of the id prints two.
    pub line: u64,
    /// Transactions after this place that are already done.
    pub gtid_set: Option<String>,
    pub server_uuid: Option<String>,
    /// The log that `file` belongs to.
    pub log: Option<LogId>,
    /// The selected tables that exist here, by database, for a later DROP DATABASE, which does not name its tables.
    /// `None` if not all are known, or if the command line names every selected table.
    pub tables: Option<Arc<BTreeMap<String, BTreeSet<String>>>>,
    /// The selection that `tables` belongs to: patterns of databases and tables.
    pub selection: Option<Arc<Patterns>>,
    /// In seconds since 1970: a statement that began earlier may have dropped tables before `tables` was read from the
    /// catalog.
    pub tables_since: Option<u64>,
    /// Each table's id columns when its rows were last printed, as far as known.
    pub ids: Option<Arc<Ids>>,
    /// The second readings that the rows after this place are part of.
    pub readings: Vec<Reading>,
}

impl Position {
    pub fn new(file: impl Into<String>, position: u64) -> Position {
        Position { file: file.into(), position, ..Position::default() }
    }

    /// # Errors
    /// Exit 3 when its file belongs to another log than the present file of that name.
    pub fn check_log(&self, log: LogId) -> Result<()> {
        match self.log {
            Some(own) if own != log => Err(unavailable(format!(
                "{self} belongs to another log than the present {}: the log was reset since (RESET MASTER or RESET \
                 BINARY LOGS AND GTIDS), or this is another server. Load again",
                self.file
            ))),
            _ => Ok(()),
        }
    }

    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("file".into(), json!(self.file));
        object.insert("position".into(), json!(self.position));
        if self.row > 0 || self.line > 0 {
            object.insert("row".into(), json!(self.row));
        }
        if self.line > 0 {
            object.insert("line".into(), json!(self.line));
        }
        if let Some(set) = &self.gtid_set {
            object.insert("gtid_set".into(), json!(set));
        }
        if let Some(log) = self.log {
            object.insert("log".into(), json!(log.to_string()));
        }
        if let Some(uuid) = &self.server_uuid {
            object.insert("server_uuid".into(), json!(uuid));
        }
        if let Some(tables) = &self.tables {
            object.insert("tables".into(), json!(**tables));
        }
        if let Some(selection) = &self.selection {
            object.insert("selection".into(), json!(**selection));
        }
        if let Some(since) = self.tables_since {
            object.insert("tables_since".into(), json!(since));
        }
        if let Some(ids) = &self.ids {
            object.insert("ids".into(), json!(**ids));
        }
        if !self.readings.is_empty() {
            object.insert("reread".into(), Reading::list(&self.readings));
        }
        Value::Object(object)
    }

    /// Reads a position, a line that `tail` printed, or such a line's metadata.
    pub fn from_json(value: &Value) -> Result<Position, String> {
        let object = match value {
            Value::Array(tuple) => match tuple.get(4) {
                Some(Value::Object(metadata)) if tuple.len() == 5 => metadata,
                Some(Value::Null) if tuple.len() == 5 => {
                    return Err(
                        "it is a line of `load`, which has no position: use the file of its --save".into()
                    );
                }
                _ => return Err("it is not a line that dumpa printed".into()),
            },
            Value::Object(object) => object,
            _ => return Err("it is neither a position nor a line of dumpa".into()),
        };
        let (file, position, row, line) = if object.contains_key("next_file") {
            ("next_file", "next_position", "next_row", "next_line")
        } else {
            ("file", "position", "row", "line")
        };
        let text = |key: &str| match object.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("its {key:?} is not a string")),
        };
        let number = |key: &str| match object.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(n) => n.as_u64().map(Some).ok_or(format!("its {key:?} is not a whole number")),
        };
        let name = text(file)?.ok_or(format!("it has no {file:?}"))?;
        if name.is_empty() {
            return Err(format!("its {file:?} is empty"));
        }
        Ok(Position {
            file: name,
            position: number(position)?.ok_or(format!("it has no {position:?}"))?,
            row: number(row)?.unwrap_or(0),
            line: number(line)?.unwrap_or(0),
            gtid_set: text("gtid_set")?,
            server_uuid: text("server_uuid")?,
            log: match text("log")? {
                Some(log) => {
                    Some(log.parse().map_err(|()| format!("its \"log\" is not CREATED-SERVER: {log:?}"))?)
                }
                None => None,
            },
            tables: match object.get("tables") {
                None | Some(Value::Null) => None,
                Some(tables) => Some(Arc::new(
                    serde_json::from_value(tables.clone())
                        .map_err(|_| "its \"tables\" is not an object of lists of names".to_string())?,
                )),
            },
            selection: match object.get("selection") {
                None | Some(Value::Null) => None,
                Some(selection) => {
                    Some(Arc::new(serde_json::from_value(selection.clone()).map_err(|_| {
                        "its \"selection\" is not a list of databases and tables".to_string()
                    })?))
                }
            },
            tables_since: number("tables_since")?,
            ids: match object.get("ids") {
                None | Some(Value::Null) => None,
                Some(ids) => Some(Arc::new(serde_json::from_value(ids.clone()).map_err(|_| {
                    "its \"ids\" is not an object of databases, tables and columns".to_string()
                })?)),
            },
            readings: match object.get("reread") {
                None | Some(Value::Null) => Vec::new(),
                Some(list) => {
                    let readings = list.as_array().map(|list| list.iter().map(Reading::from_json).collect());
                    readings.flatten().ok_or("its \"reread\" is not a list of tables and places")?
                }
            },
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.position)?;
        if self.row > 0 {
            write!(f, " (row {})", self.row)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Position, String> {
        Position::from_json(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_position_reads_back_from_every_form_that_dumpa_prints() {
        let position = Position {
            row: 3,
            line: 1,
            server_uuid: Some("u".into()),
            log: Some(LogId { created: 1_764_038_614, server_id: 7 }),
            tables: Some(Arc::new([("d".to_string(), ["t".to_string()].into())].into())),
            selection: Some(Arc::new(vec![("d".into(), "*".into())])),
            tables_since: Some(1_764_038_614),
            ids: Some(Arc::new(
                [(
                    "d".into(),
                    [("t".into(), vec![IdColumn { name: "a".into(), class: "text".into() }])].into(),
                )]
                .into(),
            )),
            readings: vec![Reading {
                table: ("d".into(), "t".into()),
                was: ("d".into(), "_t_gho".into()),
                file: "bin.000006".into(),
                position: 4,
                created: 199,
                renamed: 1 << 33,
            }],
            ..Position::new("bin.000007", 1 << 33)
        };
        assert_eq!(parsed(&position.to_json().to_string()).unwrap(), position);
        let metadata = r#"{"ts":"x","next_file":"bin.000002","next_position":120,"next_row":4}"#;
        let wanted = Position { row: 4, ..Position::new("bin.000002", 120) };
        assert_eq!(parsed(metadata).unwrap(), wanted);
        assert_eq!(parsed(&format!(r#"["upsert","t",1,{{}},{metadata}]"#)).unwrap(), wanted);
    }

    #[test]
    fn what_holds_no_position_is_refused() {
        for text in [
            r#"["upsert","t",1,{},null]"#,
            r#"{"file":"","position":4}"#,
            r#"{"file":"a.1","position":-4}"#,
            r#"{"file":"a.1","position":4.5}"#,
            r#"{"file":"a.1"}"#,
            r#"{"file":"a.1","position":4,"log":"yesterday"}"#,
            r#"{"file":"a.1","position":4,"tables":["t"]}"#,
            r#"{"file":"a.1","position":4,"ids":{"d":{"t":["a"]}}}"#,
            r#"{"file":"a.1","position":4,"reread":[{"table":["d","t"]}]}"#,
            r#"[1,2]"#,
            "7",
        ] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }
}

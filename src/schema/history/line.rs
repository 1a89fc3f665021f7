//! The lines of a schema history.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::{Deserializer, Map, Value, json};

use crate::position::{LogId, Patterns, Position};
use crate::schema::definition::Definition;

/// The version of the format. Readers ignore members that they do not know; what they would get wrong needs a new version.
const VERSION: u64 = 1;
const FORMAT: &str = "dumpa schema history";

/// What the history holds of a table from some place on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Known(Definition),
    /// There is no such table: dropped, or renamed.
    Gone,
    /// A statement was not understood.
    Unknown {
        why: String,
    },
}

/// A table's state from a place on.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Only its file, its position and the identity of its log are kept.
    pub place: &'a Position,
    /// Of the statement's transaction, if known.
    pub gtid: Option<&'a str>,
    pub database: &'a str,
    pub table: &'a str,
    /// The statement; `None` if the state comes from the catalog.
    pub sql: Option<&'a str>,
    pub state: &'a State,
    pub born: Option<&'a Born>,
}

/// Where in the log a table was last empty: all of its rows stand in the log from there on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Born {
    pub file: String,
    /// A place in that file to begin reading at, not after `created`.
    pub position: u64,
    /// Offset of the statement that created or emptied it.
    pub created: u64,
    /// The name that it had there.
    pub database: String,
    pub table: String,
}

impl Born {
    fn to_json(&self) -> Value {
        json!({
            "file": self.file,
            "position": self.position,
            "created": self.created,
            "database": self.database,
            "table": self.table,
        })
    }

    fn from_json(json: &Value) -> Option<Born> {
        let text = |name: &str| json.get(name)?.as_str().map(str::to_string);
        let number = |name: &str| json.get(name)?.as_u64();
        Some(Born {
            file: text("file")?,
            position: number("position")?,
            created: number("created")?,
            database: text("database")?,
            table: text("table")?,
        })
    }
}

/// The first line of the file, with its end.
pub fn header() -> String {
    format!("{}\n", json!({ "format": FORMAT, "version": VERSION }))
}

/// Whether a torn line is the beginning of a header.
pub fn is_torn_header(bytes: &[u8]) -> bool {
    let header = header();
    bytes.is_empty() || header.as_bytes().starts_with(bytes)
}

/// # Errors
/// Why this first line is none that this version reads.
pub fn check_header(line: &[u8]) -> Result<(), String> {
    let header: Option<Map<String, Value>> = serde_json::from_slice(line).ok();
    let header = header.filter(|header| header.get("format").and_then(Value::as_str) == Some(FORMAT));
    let Some(header) = header else {
        return Err("it is not a schema history of dumpa".into());
    };
    match header.get("version").and_then(Value::as_u64) {
        Some(VERSION) => Ok(()),
        Some(version) => Err(format!(
            "it was written by a later release of dumpa: its format has version {version}, and this release reads \
             {VERSION}. Use the later release, or name another file with --schema"
        )),
        None => Err("its first line names no version".into()),
    }
}

fn place_json(place: &Position, gtid: Option<&str>) -> Map<String, Value> {
    let mut json = Map::new();
    json.insert("file".into(), json!(place.file));
    json.insert("position".into(), json!(place.position));
    json.extend(gtid.map(|gtid| ("gtid".to_string(), json!(gtid))));
    json.extend(place.log.map(|log| ("log".to_string(), json!(log.to_string()))));
    json.extend(place.server_uuid.as_ref().map(|uuid| ("server_uuid".to_string(), json!(uuid))));
    json
}

impl Line<'_> {
    /// The line, with its end.
    pub fn written(&self) -> String {
        let mut json = place_json(self.place, self.gtid);
        json.insert("database".into(), json!(self.database));
        json.insert("table".into(), json!(self.table));
        json.insert("sql".into(), json!(self.sql));
        json.extend(self.born.map(|born| ("born".to_string(), born.to_json())));
        match self.state {
            State::Known(definition) => json.extend(definition.to_json()),
            State::Gone => drop(json.insert("columns".into(), Value::Null)),
            State::Unknown { why } => drop(json.insert("unknown".into(), json!(why))),
        }
        format!("{}\n", Value::Object(json))
    }
}

/// The line that tells up to where the history is complete, with its end.
pub fn complete(place: &Position, from: Option<&Position>, patterns: &Patterns) -> String {
    let mut json = place_json(place, None);
    json.insert("complete".into(), json!(patterns));
    if let Some(from) = from {
        json.insert("from".into(), json!({ "file": from.file, "position": from.position }));
    }
    format!("{}\n", Value::Object(json))
}

/// What a line says, without the definition, which takes most of the time to read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outline {
    pub file: String,
    pub position: u64,
    pub log: Option<LogId>,
    pub server_uuid: Option<String>,
    pub subject: Subject,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub enum Subject {
    Table {
        database: String,
        table: String,
        kind: Kind,
        is_statement: bool,
    },
    /// All tables of the patterns are known: at this place, or at each place since `from`.
    Complete {
        patterns: Patterns,
        from: Option<(String, u64)>,
    },
    #[default]
    None,
}

/// Which [`State`] it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Unknown,
    Gone,
    Known,
}

/// `None` if it is no line of a schema history.
pub fn outline(line: &[u8]) -> Option<Outline> {
    let mut json = Deserializer::from_slice(line);
    let outline = json.deserialize_map(OutlineVisitor).ok()?;
    json.end().ok()?;
    (outline.subject != Subject::None).then_some(outline)
}

struct OutlineVisitor;

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of a schema history")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let (mut file, mut position, mut log, mut server_uuid) = (None, None, None, None);
        let (mut database, mut table, mut sql, mut kind) = (None, None, None, None);
        let (mut patterns, mut from) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match &*key {
                "file" => file = Some(map.next_value::<String>()?),
                "position" => position = Some(map.next_value::<u64>()?),
                "log" => {
                    let text = map.next_value::<String>()?;
                    log = Some(text.parse().map_err(|()| A::Error::custom("log"))?);
                }
                "server_uuid" => server_uuid = Some(map.next_value::<String>()?),
                "database" => database = Some(map.next_value::<String>()?),
                "table" => table = Some(map.next_value::<String>()?),
                "sql" => sql = Some(map.next_value::<Option<IgnoredAny>>()?.is_some()),
                "columns" => {
                    let is_gone = map.next_value::<Option<IgnoredAny>>()?.is_none();
                    kind = Some(if is_gone { Kind::Gone } else { Kind::Known });
                }
                "unknown" => {
                    map.next_value::<IgnoredAny>()?;
                    kind = Some(Kind::Unknown);
                }
                "complete" => patterns = Some(map.next_value::<Patterns>()?),
                "from" => {
                    let place: Map<String, Value> = map.next_value()?;
                    let file = place.get("file").and_then(Value::as_str).map(str::to_string);
                    let position = place.get("position").and_then(Value::as_u64);
                    from = Some(file.zip(position).ok_or_else(|| A::Error::custom("from"))?);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let subject = match (database, table, sql, kind, patterns) {
            (Some(database), Some(table), Some(is_statement), Some(kind), None) => {
                Subject::Table { database, table, kind, is_statement }
            }
            (None, None, None, None, Some(patterns)) => Subject::Complete { patterns, from },
            _ => Subject::None,
        };
        let (Some(file), Some(position)) = (file, position) else {
            return Err(A::Error::custom("no place"));
        };
        Ok(Outline { file, position, log, server_uuid, subject })
    }
}

/// Where the table of a line was last empty, if the line tells.
pub fn born(line: &[u8]) -> Option<Born> {
    let json: Map<String, Value> = serde_json::from_slice(line).ok()?;
    Born::from_json(json.get("born")?)
}

/// The statement and the state of a line about a table; `None` if it is none.
pub fn state(line: &[u8]) -> Option<(Option<String>, State)> {
    let json: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let sql = match json.get("sql")? {
        Value::Null => None,
        sql => Some(sql.as_str()?.to_string()),
    };
    let state = match (json.get("unknown"), json.get("columns")) {
        (Some(why), None) => State::Unknown { why: why.as_str()?.to_string() },
        (None, Some(Value::Null)) => State::Gone,
        (None, Some(_)) => State::Known(Definition::from_json(&json)?),
        _ => return None,
    };
    Some((sql, state))
}

//! Second readings: a table that took a selected name by RENAME has its rows read again from where it was empty. A line
//! inside of that transaction says where from, for a run that resumes there and did not read that part of the log.

use serde_json::{Value, json};

/// The second reading of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Database and name that the table has since the RENAME.
    pub table: (String, String),
    /// Those it had where it was empty.
    pub was: (String, String),
    /// The file to begin in.
    pub file: String,
    /// The offset to begin at.
    pub position: u64,
    /// Offset of the statement that left the table empty, at or after `position`.
    pub created: u64,
    /// Offset of the RENAME, in the file of the position that this belongs to.
    pub renamed: u64,
}

impl Reading {
    pub fn to_json(&self) -> Value {
        json!({
            "table": [self.table.0, self.table.1],
            "was": [self.was.0, self.was.1],
            "file": self.file,
            "position": self.position,
            "created": self.created,
            "renamed": self.renamed,
        })
    }

    pub fn from_json(value: &Value) -> Option<Reading> {
        let name = |key: &str| serde_json::from_value(value.get(key)?.clone()).ok();
        let number = |key: &str| value.get(key)?.as_u64();
        Some(Reading {
            table: name("table")?,
            was: name("was")?,
            file: value.get("file")?.as_str()?.to_string(),
            position: number("position")?,
            created: number("created")?,
            renamed: number("renamed")?,
        })
    }

    /// A list of them.
    pub fn list(readings: &[Reading]) -> Value {
        readings.iter().map(Reading::to_json).collect()
    }
}

//! The id columns of tables. They are saved with a position, so that a later run notices a change.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An id column. Written as `[name, class]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdColumn {
    pub name: String,
    /// How its values print: two columns print the same value as the same JSON if their classes are equal.
    pub class: String,
}

/// The id columns of tables, in key order, by database and table. An empty list: nothing identifies the table's rows.
pub type Ids = BTreeMap<String, BTreeMap<String, Vec<IdColumn>>>;

impl Serialize for IdColumn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.name, &self.class).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for IdColumn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<IdColumn, D::Error> {
        let (name, class) = Deserialize::deserialize(deserializer)?;
        Ok(IdColumn { name, class })
    }
}

//! What the ids of rows are made of: kept with a position, so that a later run notices when that changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A column that an id is made of. It is written as `[name, class]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdColumn {
    pub name: String,
    /// How its values print: two columns print the same value as the same JSON if their classes are equal.
    pub class: String,
}

/// The columns of each table's id, in key order, by database and table. None of them: nothing identifies its rows.
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

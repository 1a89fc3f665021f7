//! The id columns of tables. They are saved with a position, so that a later run notices a change.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const AUTO_INCREMENT: &str = "auto_increment";

/// An id column. Written as `[name, class]`, or `[name, class, "auto_increment"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdColumn {
    pub name: String,
    /// How its values print: two columns print the same value as the same JSON if their classes are equal.
    pub class: String,
    /// It is known to have AUTO_INCREMENT.
    pub auto_increment: bool,
}

/// The id columns of tables, in key order, by database and table. An empty list: nothing identifies the table's rows.
pub type Ids = BTreeMap<String, BTreeMap<String, Vec<IdColumn>>>;

impl Serialize for IdColumn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let third = self.auto_increment.then_some(AUTO_INCREMENT);
        [&*self.name, &*self.class].into_iter().chain(third).collect::<Vec<_>>().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for IdColumn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<IdColumn, D::Error> {
        let all: Vec<String> = Deserialize::deserialize(deserializer)?;
        let auto_increment = all.iter().skip(2).any(|word| word == AUTO_INCREMENT);
        let mut all = all.into_iter();
        match (all.next(), all.next()) {
            (Some(name), Some(class)) => Ok(IdColumn { name, class, auto_increment }),
            _ => Err(D::Error::custom("an id column lacks its name or class")),
        }
    }
}

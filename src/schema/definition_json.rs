//! A definition as JSON: in a line of `--schemas`, and in the schema history. Both are read by people, too.

use serde_json::{Map, Value, json};

use super::Generated;
use super::definition::{DefinedColumn, DefinedKey, Definition, HiddenParts, KeyKind, Versioning};

const PRIMARY: &str = "PRIMARY";

impl Definition {
    /// Members of a JSON object. [`Definition::from_json`] reads them back.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut json = Map::new();
        json.insert("columns".into(), self.columns.iter().map(|column| self.column_json(column)).collect());
        let primary = self.keys.iter().find(|key| key.name == PRIMARY);
        json.insert("primary_key".into(), primary.map_or(json!([]), |key| json!(key.columns)));
        let others = self.keys.iter().filter(|key| key.name != PRIMARY);
        json.insert("keys".into(), others.map(key_json).collect());
        json.insert("charset".into(), json!(self.charset));
        json.insert("engine".into(), json!(self.engine));
        if let Some(versioning) = &self.hidden.versioning {
            let mut object = Map::new();
            if let Some(row_end) = &versioning.row_end {
                object.insert("row_end".into(), json!(row_end));
            }
            if versioning.has_history_partitions {
                object.insert("history_partitions".into(), json!(true));
            }
            json.insert("versioning".into(), object.into());
        }
        if !self.hidden.expressions.is_empty() {
            json.insert("expressions".into(), json!(self.hidden.expressions));
        }
        json
    }

    /// The content of a line of `--schemas`. `sql` is the statement that made the definition.
    ///
    /// With `omit_generated`, generated columns are left out, and so are keys of theirs. The primary key stays as it is, as
    /// the id does.
    pub fn line_content(&self, omit_generated: bool, sql: Option<&str>) -> Vec<u8> {
        let mut shown = self.clone();
        if omit_generated {
            shown.columns.retain(|column| column.generated.is_none());
            let is_shown = |name: &Option<String>| {
                name.as_ref().is_none_or(|name| shown.columns.iter().any(|column| column.name == *name))
            };
            shown.keys.retain(|key| key.name == PRIMARY || key.columns.iter().all(is_shown));
        }
        let mut json = shown.to_json();
        json.insert("sql".into(), json!(sql));
        Value::from(json).to_string().into_bytes()
    }

    fn column_json(&self, column: &DefinedColumn) -> Value {
        let mut json = Map::new();
        json.insert("name".into(), json!(column.name));
        json.insert("type".into(), json!(column.kind));
        json.insert("nullable".into(), json!(column.nullable));
        if let Some(charset) = &column.charset {
            json.insert("charset".into(), json!(charset));
        }
        if !column.labels.is_empty() {
            json.insert("labels".into(), json!(column.labels));
        }
        if let Some(generated) = column.generated {
            let how = match generated {
                Generated::Virtual => "virtual",
                Generated::Stored => "stored",
            };
            json.insert("generated".into(), json!(how));
        }
        if column.invisible {
            json.insert("invisible".into(), json!(true));
        }
        let is_in = |key: &&DefinedKey| key.columns.iter().flatten().any(|name| *name == column.name);
        let mut keys = self.keys.iter().filter(|key| key.is_unique).filter(is_in);
        let key = keys.next().map(|key| if key.name == PRIMARY { "primary" } else { "unique" });
        json.extend(key.map(|key| ("key".to_string(), json!(key))));
        json.into()
    }

    /// `None` if it is not such an object. Members that are not known are ignored.
    pub fn from_json(json: &Map<String, Value>) -> Option<Definition> {
        let columns = json.get("columns")?.as_array()?.iter().map(column_of).collect::<Option<_>>()?;
        let primary = names(json.get("primary_key")?)?;
        let primary = (!primary.is_empty()).then(|| DefinedKey {
            name: PRIMARY.to_string(),
            is_unique: true,
            columns: primary,
            has_prefix: false,
            is_generated: false,
            kind: KeyKind::Tree,
        });
        let mut keys: Vec<DefinedKey> = primary.into_iter().collect();
        for key in json.get("keys")?.as_array()? {
            keys.push(key_of(key)?);
        }
        let versioning = match json.get("versioning") {
            Some(versioning) => {
                let versioning = versioning.as_object()?;
                let row_end = versioning.get("row_end").and_then(Value::as_str).map(str::to_string);
                Some(Versioning { row_end, has_history_partitions: flag(versioning, "history_partitions")? })
            }
            None => None,
        };
        let expressions = match json.get("expressions") {
            Some(expressions) => serde_json::from_value(expressions.clone()).ok()?,
            None => Vec::new(),
        };
        Some(Definition {
            columns,
            keys,
            charset: json.get("charset")?.as_str()?.to_string(),
            engine: json.get("engine")?.as_str()?.to_string(),
            hidden: HiddenParts { versioning, expressions },
        })
    }
}

fn key_json(key: &DefinedKey) -> Value {
    let mut json = Map::new();
    json.insert("name".into(), json!(key.name));
    json.insert("unique".into(), json!(key.is_unique));
    json.insert("columns".into(), json!(key.columns));
    if key.has_prefix {
        json.insert("prefix".into(), json!(true));
    }
    if key.is_generated {
        json.insert("for_foreign_key".into(), json!(true));
    }
    if key.kind != KeyKind::Tree {
        json.insert("kind".into(), json!(key.kind.name()));
    }
    json.into()
}

fn key_of(json: &Value) -> Option<DefinedKey> {
    let json = json.as_object()?;
    let kind = match json.get("kind") {
        Some(kind) => KeyKind::by_name(kind.as_str()?)?,
        None => KeyKind::Tree,
    };
    Some(DefinedKey {
        name: json.get("name")?.as_str()?.to_string(),
        is_unique: json.get("unique")?.as_bool()?,
        columns: names(json.get("columns")?)?,
        has_prefix: flag(json, "prefix")?,
        is_generated: flag(json, "for_foreign_key")?,
        kind,
    })
}

fn column_of(json: &Value) -> Option<DefinedColumn> {
    let json = json.as_object()?;
    let text = |name: &str| json.get(name).map_or(Some(None), |value| value.as_str().map(Some));
    Some(DefinedColumn {
        name: text("name")??.to_string(),
        kind: text("type")??.to_string(),
        labels: json.get("labels").map_or(Some(Vec::new()), names)?,
        charset: text("charset")?.map(str::to_string),
        nullable: json.get("nullable")?.as_bool()?,
        generated: match text("generated")? {
            None => None,
            Some("virtual") => Some(Generated::Virtual),
            Some("stored") => Some(Generated::Stored),
            Some(_) => return None,
        },
        invisible: flag(json, "invisible")?,
    })
}

/// A member that is false if it is not there.
fn flag(json: &Map<String, Value>, name: &str) -> Option<bool> {
    json.get(name).map_or(Some(false), Value::as_bool)
}

/// An array of names, or null for those that are not known.
fn names(json: &Value) -> Option<Vec<Option<String>>> {
    serde_json::from_value(json.clone()).ok()
}

impl KeyKind {
    const ALL: [(KeyKind, &'static str); 5] = [
        (KeyKind::Tree, "tree"),
        (KeyKind::Hash, "hash"),
        (KeyKind::Fulltext, "fulltext"),
        (KeyKind::Spatial, "spatial"),
        (KeyKind::Vector, "vector"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("tree", |(_, name)| name)
    }

    pub fn by_name(name: &str) -> Option<KeyKind> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, is_unique: bool, columns: &[Option<&str>], kind: KeyKind) -> DefinedKey {
        let columns = columns.iter().map(|name| name.map(str::to_string)).collect();
        DefinedKey { name: name.into(), is_unique, columns, has_prefix: false, is_generated: false, kind }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let column = |name: &str, kind: &str| DefinedColumn {
            name: name.into(),
            kind: kind.into(),
            labels: Vec::new(),
            charset: None,
            nullable: false,
            generated: None,
            invisible: false,
        };
        let columns = vec![
            column("id", "int unsigned"),
            DefinedColumn {
                labels: vec![Some("a".into()), None],
                charset: Some("latin1".into()),
                nullable: true,
                ..column("e", "enum")
            },
            DefinedColumn { generated: Some(Generated::Stored), invisible: true, ..column("g", "int") },
        ];
        let keys = vec![
            key("PRIMARY", true, &[Some("id")], KeyKind::Tree),
            DefinedKey { has_prefix: true, ..key("u", true, &[Some("e"), None], KeyKind::Hash) },
            DefinedKey { is_generated: true, ..key("k", false, &[Some("g")], KeyKind::Fulltext) },
        ];
        let versioning = Versioning { row_end: Some("e".into()), has_history_partitions: true };
        let hidden = HiddenParts {
            versioning: Some(versioning),
            expressions: vec![(2, Some("int".into())), (3, None)],
        };
        let definition =
            Definition { columns, keys, charset: "latin1".into(), engine: "innodb".into(), hidden };
        assert_eq!(Definition::from_json(&definition.to_json()), Some(definition.clone()));
        let json = definition.to_json();
        let keys: Vec<_> =
            json["columns"].as_array().unwrap().iter().map(|column| column["key"].as_str()).collect();
        assert_eq!(keys, [Some("primary"), Some("unique"), None]);
        let mut broken = json.clone();
        broken["columns"][0].as_object_mut().unwrap().remove("type");
        assert_eq!(Definition::from_json(&broken), None);
    }
}

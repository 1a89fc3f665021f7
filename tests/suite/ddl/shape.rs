//! A table's definition in the form that is compared: as the server tells it, and as a `schema` line of dumpa's has it.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shape {
    pub columns: Vec<Column>,
    /// In SHOW INDEX's order; the primary key is the first.
    pub keys: Vec<Key>,
    pub charset: String,
    pub engine: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Column {
    pub name: String,
    pub kind: String,
    pub labels: Vec<String>,
    pub charset: Option<String>,
    pub nullable: bool,
    pub generated: Option<String>,
    pub invisible: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub name: String,
    pub unique: bool,
    pub columns: Vec<Option<String>>,
}

pub const PRIMARY: &str = "PRIMARY";

impl Shape {
    /// From the content of a `schema` line.
    pub fn from_line(content: &Value) -> Option<Shape> {
        let columns = content["columns"].as_array()?.iter().map(column_of).collect::<Option<_>>()?;
        let primary = names(&content["primary_key"])?;
        let primary =
            (!primary.is_empty()).then(|| Key { name: PRIMARY.into(), unique: true, columns: primary });
        let mut keys: Vec<Key> = primary.into_iter().collect();
        for key in content["keys"].as_array()? {
            let name = key["name"].as_str()?.to_string();
            keys.push(Key { name, unique: key["unique"].as_bool()?, columns: names(&key["columns"])? });
        }
        let charset = charset(content["charset"].as_str()?).unwrap_or_default();
        Some(Shape { columns, keys, charset, engine: content["engine"].as_str()?.to_string() })
    }

    pub fn primary(&self) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == PRIMARY)
    }

    /// What differs, a line each; empty if nothing does.
    pub fn differences(&self, server: &Shape) -> String {
        let mut text = String::new();
        let mut say = |what: &str, dumpa: String, server: String| {
            if dumpa != server {
                text += &format!("    {what}\n      dumpa:  {dumpa}\n      server: {server}\n");
            }
        };
        let order = |shape: &Shape| {
            shape.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        say("columns", order(self), order(server));
        for column in &server.columns {
            if let Some(ours) = self.columns.iter().find(|ours| ours.name == column.name) {
                say("column", ours.text(), column.text());
            }
        }
        let keys = |shape: &Shape| shape.keys.iter().map(Key::text).collect::<Vec<_>>().join(", ");
        say("keys", keys(self), keys(server));
        say("charset", self.charset.clone(), server.charset.clone());
        // The log does not tell the server's default.
        if !self.engine.is_empty() {
            say("engine", self.engine.clone(), server.engine.clone());
        }
        text
    }
}

impl Column {
    fn text(&self) -> String {
        let mut text = format!("{:?} {}", self.name, self.kind);
        if !self.labels.is_empty() {
            text += &format!(" {:?}", self.labels);
        }
        if let Some(charset) = &self.charset {
            text += &format!(" charset {charset}");
        }
        if let Some(generated) = &self.generated {
            text += &format!(" {generated}");
        }
        text += if self.nullable { " null" } else { " not null" };
        text + if self.invisible { " invisible" } else { "" }
    }
}

impl Key {
    fn text(&self) -> String {
        let columns: Vec<_> =
            self.columns.iter().map(|name| name.as_deref().unwrap_or("(expression)")).collect();
        format!("{}{:?}({})", if self.unique { "unique " } else { "" }, self.name, columns.join(","))
    }
}

fn column_of(json: &Value) -> Option<Column> {
    let labels = match json.get("labels") {
        Some(labels) => {
            let label = |label: &Value| label.as_str().unwrap_or("(not known)").to_string();
            labels.as_array()?.iter().map(label).collect()
        }
        None => Vec::new(),
    };
    Some(Column {
        name: json["name"].as_str()?.to_string(),
        kind: kind(json["type"].as_str()?),
        labels,
        charset: json["charset"].as_str().and_then(charset),
        nullable: json["nullable"].as_bool()?,
        generated: json["generated"].as_str().map(str::to_string),
        invisible: json["invisible"].as_bool().unwrap_or(false),
    })
}

fn names(json: &Value) -> Option<Vec<Option<String>>> {
    Some(json.as_array()?.iter().map(|name| name.as_str().map(str::to_string)).collect())
}

/// A type without what does not count:
/// - the display width of an integer and of a YEAR: 8.0.19 and later do not show it, but of `tinyint(1)` and ZEROFILL; it
///   changes no value;
/// - `geometrycollection` has a second name on MySQL 8.0 and later.
pub fn kind(text: &str) -> String {
    let text = text.to_lowercase().replace("geometrycollection", "geomcollection");
    let Some((name, rest)) = text.split_once('(') else {
        return text;
    };
    match (name, rest.split_once(')')) {
        ("tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year", Some((_, rest))) => {
            format!("{name}{rest}")
        }
        _ => text,
    }
}

/// One name for `utf8`, which servers call differently; `None` for `binary`: some tell it of ENUM and SET, others do not.
pub fn charset(name: &str) -> Option<String> {
    match name {
        "binary" | "" => None,
        "utf8" => Some("utf8mb3".into()),
        other => Some(other.into()),
    }
}

/// `enum('a','it''s')`: the type without labels, and those. A backslash stands for itself only if it is doubled.
pub fn labels(column_type: &str) -> (String, Vec<String>) {
    let name = ["enum", "set"].into_iter().find(|name| column_type.starts_with(&format!("{name}(")));
    let Some(name) = name else {
        return (column_type.to_string(), Vec::new());
    };
    let (mut labels, mut label, mut inside) = (Vec::new(), String::new(), false);
    let mut rest = column_type.chars().skip(name.len()).peekable();
    while let Some(c) = rest.next() {
        match (c, inside) {
            ('\'', true) if rest.peek() == Some(&'\'') => label.extend(rest.next()),
            ('\'', true) => {
                labels.push(std::mem::take(&mut label));
                inside = false;
            }
            ('\'', false) => inside = true,
            ('\\', true) => label.extend(rest.next().map(|c| match c {
                'n' => '\n',
                'r' => '\r',
                '0' => '\0',
                c => c,
            })),
            (c, true) => label.push(c),
            _ => {}
        }
    }
    (name.to_string(), labels)
}

#[test]
fn labels_are_read() {
    assert_eq!(labels("int"), ("int".into(), vec![]));
    let (kind, labels) = labels(r"enum('a','it''s, \\','\n','')");
    assert_eq!(
        (kind.as_str(), labels),
        ("enum", vec!["a".into(), r"it's, \".into(), "\n".into(), String::new()])
    );
}

#[test]
fn only_widths_of_integers_do_not_count() {
    for (text, same) in [
        ("int(10) unsigned", "int unsigned"),
        ("tinyint(1)", "tinyint"),
        ("year(4)", "year"),
        ("bit(4)", "bit(4)"),
        ("decimal(5,2)", "decimal(5,2)"),
        ("VARCHAR(3)", "varchar(3)"),
        ("geometrycollection", "geomcollection"),
    ] {
        assert_eq!(kind(text), same);
    }
}

//! The comparison itself: lines that say what the server says make no difference, and a line that says anything else is
//! told.

use serde_json::{Value, json};

use super::compare::{Step, compare};
use super::shape::{PRIMARY, Shape};

const MARKS: &str = "marks.marks";

/// Makes the lines of a perfect run from the steps, and then spoils some.
#[track_caller]
pub fn each_is_told(steps: &[Step]) {
    let mut lines: Vec<Value> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        for ((db, table), shape) in &step.changes {
            let name = format!("{db}.{table}");
            lines.push(match shape {
                Some(shape) => json!(["schema", name, null, content(shape), null]),
                None => json!(["truncate", name, null, null, null]),
            });
        }
        lines.push(json!(["upsert", MARKS, number, { "n": number }, null]));
    }
    let differences = differences(&lines, steps);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let schemas: Vec<usize> = (0..lines.len()).filter(|&at| lines[at][0] == "schema").collect();
    // Each way, on a line somewhere.
    for (n, spoil) in SPOILS.iter().enumerate() {
        let at = schemas[(n * 7 + 3) % schemas.len()];
        let mut spoiled = lines.clone();
        spoil(&mut spoiled[at][3]);
        if spoiled[at] != lines[at] {
            assert!(!self::differences(&spoiled, steps).is_empty(), "not told: {}", spoiled[at]);
        }
        // A line that is not there.
        spoiled.remove(at);
        assert!(!self::differences(&spoiled, steps).is_empty(), "it is not missed: {}", lines[at]);
    }
}

type Spoil = fn(&mut Value);

const SPOILS: [Spoil; 8] = [
    |content| content["columns"][0]["name"] = json!("other"),
    |content| content["columns"][0]["type"] = json!("other"),
    |content| content["columns"][0]["nullable"] = json!(content["columns"][0]["nullable"] == false),
    |content| content["columns"][0]["charset"] = json!("cp850"),
    |content| content["columns"][0]["invisible"] = json!(content["columns"][0]["invisible"] == false),
    |content| content["primary_key"] = json!(["other"]),
    |content| {
        content["keys"]
            .as_array_mut()
            .expect("keys")
            .push(json!({"name": "x", "unique": true, "columns": ["x"]}))
    },
    |content| content["columns"].as_array_mut().expect("columns").reverse(),
];

fn differences(lines: &[Value], steps: &[Step]) -> Vec<String> {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    compare(lines.iter().map(String::as_str), steps, MARKS).differences
}

/// As dumpa writes it.
fn content(shape: &Shape) -> Value {
    let column = |column: &super::shape::Column| {
        json!({
            "name": column.name, "type": column.kind, "nullable": column.nullable, "charset": column.charset,
            "labels": column.labels, "generated": column.generated, "invisible": column.invisible,
        })
    };
    let keys = shape.keys.iter().filter(|key| key.name != PRIMARY);
    let key =
        |key: &super::shape::Key| json!({"name": key.name, "unique": key.unique, "columns": key.columns});
    json!({
        "columns": shape.columns.iter().map(column).collect::<Vec<_>>(),
        "primary_key": shape.primary().map_or(&[][..], |key| &key.columns),
        "keys": keys.map(key).collect::<Vec<_>>(),
        "charset": shape.charset, "engine": shape.engine,
    })
}

//! One line of output, read strictly.

use serde_json::Value;
use serde_json::value::RawValue;

/// `[op, table, id, content, metadata]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuple {
    pub op: String,
    pub table: String,
    pub id: Value,
    /// For a look at single members; a [`Value`] keeps neither their order nor a number's digits.
    pub content: Value,
    pub metadata: Value,
    /// The id and the content as they were printed.
    pub id_text: String,
    pub content_text: String,
    /// The whole line, without its end.
    pub raw: String,
}

impl Tuple {
    /// Panics unless the line is exactly what the contract says, in the most compact JSON.
    #[track_caller]
    pub fn parse(line: &str) -> Tuple {
        match Self::read(line) {
            Ok(tuple) => tuple,
            Err(why) => panic!("not a tuple, {why}: {line}"),
        }
    }

    /// `[op, table, id, content]` as printed: what `load` and `tail` have in common.
    pub fn without_metadata(&self) -> String {
        format!("[{},{},{},{}]", json(&self.op), json(&self.table), self.id_text, self.content_text)
    }

    fn read(line: &str) -> Result<Tuple, String> {
        // A tuple of Rust's takes exactly as many elements as it has.
        type Five<'a> = (&'a RawValue, &'a RawValue, &'a RawValue, &'a RawValue, &'a RawValue);
        let (op, table, id, content, metadata): Five =
            serde_json::from_str(line).map_err(|why| why.to_string())?;
        if has_space(line) {
            return Err("there is white space between its parts".into());
        }
        let value = |raw: &RawValue| serde_json::from_str::<Value>(raw.get()).map_err(|why| why.to_string());
        let tuple = Tuple {
            op: serde_json::from_str(op.get()).map_err(|why| format!("op: {why}"))?,
            table: serde_json::from_str(table.get()).map_err(|why| format!("table: {why}"))?,
            id: value(id)?,
            content: value(content)?,
            metadata: value(metadata)?,
            id_text: id.get().to_owned(),
            content_text: content.get().to_owned(),
            raw: line.to_owned(),
        };
        let content_fits = match tuple.op.as_str() {
            "upsert" | "delete" => tuple.content.is_object(),
            "truncate" => tuple.content.is_null() && tuple.id.is_null(),
            "schema" => tuple.content.is_object() && tuple.id.is_null(),
            _ => return Err("there is no such op".into()),
        };
        if !content_fits {
            return Err("the content does not fit the op".into());
        }
        if !(tuple.metadata.is_null() || tuple.metadata.is_object()) {
            return Err("the metadata is neither null nor an object".into());
        }
        Ok(tuple)
    }
}

fn json(text: &str) -> String {
    Value::from(text).to_string()
}

/// Whether valid JSON has white space outside of its strings.
fn has_space(json: &str) -> bool {
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b' ' | b'\t' | b'\r' | b'\n' if !in_string => return true,
            _ => {}
        }
    }
    false
}

#[test]
fn only_a_strict_tuple_is_taken() {
    let tuple = Tuple::parse(r#"["upsert","t",[1,"\" x"],{"b":1.0,"a":18446744073709551615},null]"#);
    assert_eq!(tuple.content_text, r#"{"b":1.0,"a":18446744073709551615}"#);
    assert_eq!(tuple.without_metadata(), r#"["upsert","t",[1,"\" x"],{"b":1.0,"a":18446744073709551615}]"#);
    assert!(Tuple::read(r#"["truncate","t",null,null,{}]"#).is_ok());
    for wrong in [
        "",
        r#"["upsert","t",1,{}]"#,
        r#"["upsert","t",1,{},null,null]"#,
        r#"["upsert","t",1,{}, null]"#,
        r#"["upsert","t",1,{},null] "#,
        r#"["upsert","t",1,null,null]"#,
        r#"["truncate","t",1,null,null]"#,
        r#"["schema","t",1,{},null]"#,
        r#"["update","t",1,{},null]"#,
        r#"["delete","t",1,{},7]"#,
    ] {
        assert!(Tuple::read(wrong).is_err(), "{wrong}");
    }
}

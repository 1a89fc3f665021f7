//! Reads the position that a file holds.
//!
//! The file may hold a whole line of `tail`, with a row of a gigabyte. So it is read as a stream that keeps only the
//! members of a position. Anything else is refused early, even if the file never ends.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Result;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Deserializer, Map, Value};

use super::Position;
use crate::exit::usage;

/// Limit of what is kept of a position, and blanks around it: GTID sets may be long.
const MAX_POSITION_BYTES: u64 = 1 << 20;
/// Limit of a position's tables and id columns: there may be tens of thousands of tables.
const MAX_TABLES_BYTES: u64 = 64 << 20;
/// Limit of what is skipped in a line: a row and its old values, of a gigabyte each, mostly escapes.
const MAX_ROW_BYTES: u64 = 16 << 30;

/// Documents nest up to 100 levels. (serde_json limits the nesting of kept values, not of ignored ones.)
const MAX_DEPTH: u32 = 128;

const TOO_LONG: &str = "it is too long for a position or a line of dumpa";
const NOT_A_LINE: &str = "it is not a line that dumpa printed";
const NEITHER: &str = "it is neither a position nor a line of dumpa (not JSON that begins with { or [)";

/// # Errors
/// Exit 2 when it cannot be read, or holds no position.
pub fn file(path: &Path) -> Result<Position> {
    let file = File::open(path)
        .map_err(|error| usage(format!("cannot open position file {}: {error}", path.display())))?;
    let bad = |why: String| usage(format!("{} does not hold a position: {why}", path.display()));
    let failed = |error: io::Error| usage(format!("cannot read position file {}: {error}", path.display()));
    let mut reader = BufReader::new(file);
    match first_byte(&mut reader).map_err(failed)? {
        First::Byte(b'{' | b'[') => {}
        First::Byte(_) => return Err(bad(NEITHER.into())),
        First::End => return Err(bad("it is empty".into())),
        First::OnlyBlanks => return Err(bad(TOO_LONG.into())),
    }
    let budget = Budget {
        kept: Cell::new(MAX_POSITION_BYTES),
        tables: Cell::new(MAX_TABLES_BYTES),
        row: Cell::new(MAX_ROW_BYTES),
        part: Cell::new(Part::Position),
    };
    let metered = Metered { inner: reader, budget: &budget, nesting: Nesting::default() };
    let mut json = Deserializer::from_reader(metered);
    let value = TopLevel(&budget).deserialize(&mut json).map_err(|error| match error.classify() {
        Category::Io if budget.is_used_up() => bad(TOO_LONG.into()),
        Category::Io => failed(error.into()),
        Category::Eof => bad("it ends in the middle; was it cut short?".into()),
        Category::Data => bad(NOT_A_LINE.into()),
        Category::Syntax => bad(format!("it is not JSON ({error})")),
    })?;
    json.end().map_err(|error| match error.classify() {
        Category::Io if budget.is_used_up() => bad(TOO_LONG.into()),
        Category::Io => failed(error.into()),
        _ => bad(format!("it is not one JSON value ({error}); of many lines, give the last: tail -n 1")),
    })?;
    Position::from_json(&value).map_err(bad)
}

enum First {
    Byte(u8),
    End,
    OnlyBlanks,
}

/// The first byte that is not blank; it is not consumed.
fn first_byte(reader: &mut impl BufRead) -> io::Result<First> {
    let mut blanks = 0;
    while blanks < MAX_POSITION_BYTES {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(First::End);
        }
        let first = bytes.iter().enumerate().find(|(_, byte)| !byte.is_ascii_whitespace());
        let (skipped, byte) = first.map_or((bytes.len(), None), |(at, byte)| (at, Some(*byte)));
        reader.consume(skipped);
        if let Some(byte) = byte {
            return Ok(First::Byte(byte));
        }
        blanks += skipped as u64;
    }
    Ok(First::OnlyBlanks)
}

/// How many bytes may still be read, of kept and of skipped values.
struct Budget {
    kept: Cell<u64>,
    tables: Cell<u64>,
    row: Cell<u64>,
    part: Cell<Part>,
}

/// What is being read.
#[derive(Clone, Copy)]
enum Part {
    Position,
    Tables,
    /// It is skipped.
    Row,
}

impl Budget {
    fn current(&self) -> &Cell<u64> {
        match self.part.get() {
            Part::Position => &self.kept,
            Part::Tables => &self.tables,
            Part::Row => &self.row,
        }
    }

    fn is_used_up(&self) -> bool {
        [&self.kept, &self.tables, &self.row].iter().any(|left| left.get() == 0)
    }

    /// Runs `read` on the budget for skipped values.
    fn skip<T>(&self, read: impl FnOnce() -> T) -> T {
        self.spend(Part::Row, read)
    }

    fn spend<T>(&self, part: Part, read: impl FnOnce() -> T) -> T {
        let before = self.part.replace(part);
        let result = read();
        self.part.set(before);
        result
    }
}

/// How deep the next byte is nested in arrays and objects.
#[derive(Default)]
struct Nesting {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    fn add(&mut self, byte: u8) {
        match (self.in_string, byte) {
            (true, _) if self.escaped => self.escaped = false,
            (true, b'\\') => self.escaped = true,
            (_, b'"') => self.in_string = !self.in_string,
            (false, b'[' | b'{') => self.depth += 1,
            (false, b']' | b'}') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// A reader that fails when its budget is used up, or JSON nests too deep.
struct Metered<'a, R> {
    inner: R,
    budget: &'a Budget,
    nesting: Nesting,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.current();
        let most = usize::try_from(left.get()).unwrap_or(usize::MAX).min(into.len());
        if most == 0 {
            return Err(io::Error::other(TOO_LONG));
        }
        let read = self.inner.read(into.get_mut(..most).unwrap_or_default())?;
        left.set(left.get() - read as u64);
        into.iter().take(read).for_each(|byte| self.nesting.add(*byte));
        if self.nesting.depth > MAX_DEPTH {
            left.set(0);
            return Err(io::Error::other(TOO_LONG));
        }
        Ok(read)
    }
}

/// A position, metadata, or a line. The values of a line but its metadata are skipped, and read as null.
struct TopLevel<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for TopLevel<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TopLevel<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a position or a line")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        Metadata(self.0).visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tuple: A) -> Result<Value, A::Error> {
        let op: Option<String> = tuple.next_element()?;
        let table: Option<String> = tuple.next_element()?;
        let is_line = op.is_some_and(|op| ["upsert", "delete", "truncate", "schema"].contains(&&*op))
            && table.is_some();
        for _ in ["id", "content"] {
            let element = self.0.skip(|| tuple.next_element::<IgnoredAny>())?;
            if !is_line || element.is_none() {
                return Err(A::Error::custom(NOT_A_LINE));
            }
        }
        let metadata = tuple.next_element_seed(Metadata(self.0))?;
        let (Some(metadata), None) = (metadata, tuple.next_element::<Value>()?) else {
            return Err(A::Error::custom(NOT_A_LINE));
        };
        Ok([Value::Null, Value::Null, Value::Null, Value::Null, metadata].into())
    }
}

/// The members of a position or metadata. Arrays and objects, such as `old`, are skipped and read as null, except a
/// position's tables, selection, id columns and second readings.
struct Metadata<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for Metadata<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metadata")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = match key.as_str() {
                "tables" | "selection" | "ids" | "reread" => {
                    self.0.spend(Part::Tables, || map.next_value())?
                }
                _ => map.next_value_seed(Member(self.0))?,
            };
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// A member's value.
struct Member<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        self.0.skip(|| IgnoredAny.visit_map(map))?;
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Value, A::Error> {
        self.0.skip(|| IgnoredAny.visit_seq(list))?;
        Ok(Value::Null)
    }
}

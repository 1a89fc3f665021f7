//! One tuple, one line: `[op, table, id, content, metadata]`. It knows no MySQL.

use crate::value::temporal::rfc3339;
use crate::value::{Malformed, Style, Value, text};

/// What a line says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Upsert,
    Delete,
    Truncate,
}

/// The beginnings of a table's lines: `["upsert","people",` and so on.
#[derive(Debug, Clone)]
pub struct Heads {
    upsert: Vec<u8>,
    delete: Vec<u8>,
    truncate: Vec<u8>,
}

impl Heads {
    pub fn new(table: &str) -> Heads {
        let head = |op: &str| {
            let mut head = format!("[\"{op}\",").into_bytes();
            text::string(table, &mut head);
            head.push(b',');
            head
        };
        Heads { upsert: head("upsert"), delete: head("delete"), truncate: head("truncate") }
    }

    pub fn of(&self, op: Op) -> &[u8] {
        match op {
            Op::Upsert => &self.upsert,
            Op::Delete => &self.delete,
            Op::Truncate => &self.truncate,
        }
    }
}

/// A column's key: `"name":`, with a comma before it for all but the first column.
///
/// Pieces of a known length are appended without a call: so whole ones are, and what is too much is taken
/// off.
#[derive(Debug, Clone)]
pub struct Key {
    pieces: Vec<[u8; 16]>,
    len: usize,
}

impl Key {
    pub fn new(name: &str, column: usize) -> Key {
        let mut key = Vec::new();
        if column > 0 {
            key.push(b',');
        }
        text::string(name, &mut key);
        key.push(b':');
        let len = key.len();
        key.resize(len.next_multiple_of(16), 0);
        Key { pieces: key.as_chunks().0.to_vec(), len }
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.len;
        for piece in &self.pieces {
            out.extend_from_slice(piece);
        }
        out.truncate(end);
    }
}

/// A row's JSON, column by column, and where in it the values of its id stand.
#[derive(Debug, Default)]
pub struct Content {
    json: Vec<u8>,
    /// By the value's place in the id.
    id: Vec<(usize, usize)>,
    /// Where each value stands, if that is asked for.
    values: Option<Vec<(usize, usize)>>,
}

impl Content {
    /// One that can tell single values.
    pub fn of_values() -> Content {
        Content { values: Some(Vec::new()), ..Content::default() }
    }

    /// The JSON of the column of this number.
    pub fn value(&self, i: usize) -> &[u8] {
        let place = self.values.as_ref().and_then(|values| values.get(i));
        place.map_or(&[], |(start, end)| &self.json[*start..*end])
    }

    /// Begins a row whose id has so many values.
    #[inline]
    pub fn begin(&mut self, id_values: usize) {
        self.json.clear();
        self.json.push(b'{');
        self.id.clear();
        self.id.resize(id_values, (0, 0));
        if let Some(values) = &mut self.values {
            values.clear();
        }
    }

    /// Appends a column.
    #[inline(always)]
    pub fn column(
        &mut self,
        key: &Key,
        id_place: Option<usize>,
        value: &Value<'_>,
        style: Style,
    ) -> Result<(), Malformed> {
        key.write(&mut self.json);
        let start = self.json.len();
        value.write(style, &mut self.json)?;
        if let Some(range) = id_place.and_then(|place| self.id.get_mut(place)) {
            *range = (start, self.json.len());
        }
        if let Some(values) = &mut self.values {
            values.push((start, self.json.len()));
        }
        Ok(())
    }

    #[inline]
    pub fn end(&mut self) {
        self.json.push(b'}');
    }

    /// Whether both rows have the same id.
    pub fn same_id(&self, other: &Content) -> bool {
        self.id.len() == other.id.len() && self.ids().eq(other.ids())
    }

    fn ids(&self) -> impl Iterator<Item = &[u8]> {
        self.id.iter().map(|(start, end)| &self.json[*start..*end])
    }

    /// Appends the id: its value, an array of several, or null without any.
    pub fn write_id(&self, out: &mut Vec<u8>) {
        if let [(start, end)] = self.id[..] {
            return out.extend_from_slice(&self.json[start..end]);
        }
        if self.id.is_empty() {
            return out.extend_from_slice(b"null");
        }
        out.push(b'[');
        for (i, id) in self.ids().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(id);
        }
        out.push(b']');
    }
}

/// Appends a line up to its metadata, which the caller adds with the rest of the line.
#[inline]
pub fn row(head: &[u8], content: &Content, out: &mut Vec<u8>) {
    out.extend_from_slice(head);
    content.write_id(out);
    out.push(b',');
    out.extend_from_slice(&content.json);
    out.push(b',');
}

/// Likewise a line without id and content.
pub fn no_row(head: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(head);
    out.extend_from_slice(b"null,null,");
}

/// The end of a line of `load`.
pub const NO_METADATA: &[u8] = b"null]\n";

/// The end of a line of `tail`, behind its `"old"`.
pub const METADATA_END: &[u8] = b"}]\n";

/// When a transaction was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitTime {
    pub seconds: u64,
    pub micros: Option<u32>,
}

/// The metadata of a transaction's lines: what they have in common is written once.
#[derive(Debug, Default)]
pub struct Metadata {
    /// `{"ts":"…","next_file":`
    time: Vec<u8>,
    /// `"…","next_position":…`, of the transaction's beginning.
    start: Vec<u8>,
    /// `,"gtid":"…"`
    gtid: Vec<u8>,
}

impl Metadata {
    /// Begins the lines of another transaction.
    pub fn begin(&mut self, time: CommitTime, file: &str, position: u64, gtid: Option<&str>) {
        self.time.clear();
        self.time.extend_from_slice(b"{\"ts\":\"");
        rfc3339(time.seconds, time.micros, &mut self.time);
        self.time.extend_from_slice(b"\",\"next_file\":");
        self.start.clear();
        place(file, position, &mut self.start);
        self.gtid.clear();
        if let Some(gtid) = gtid {
            self.gtid.extend_from_slice(b",\"gtid\":\"");
            self.gtid.extend_from_slice(gtid.as_bytes());
            self.gtid.push(b'"');
        }
    }

    /// Appends that of a line, `"old":{…}` perhaps, and the end of the line. So many rows, and lines of
    /// the row after them, are done in the transaction: resume from its beginning.
    pub fn inside(&self, row: u64, line: u64, old: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.time);
        out.extend_from_slice(&self.start);
        if row > 0 || line > 0 {
            out.extend_from_slice(b",\"next_row\":");
            out.extend_from_slice(itoa::Buffer::new().format(row).as_bytes());
        }
        if line > 0 {
            out.extend_from_slice(b",\"next_line\":");
            out.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
        }
        self.end_line(old, out);
    }

    /// Likewise for the last line: resume from the transaction's end.
    pub fn at_end(&self, file: &str, position: u64, old: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.time);
        place(file, position, out);
        self.end_line(old, out);
    }

    fn end_line(&self, old: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.gtid);
        if !old.is_empty() {
            out.extend_from_slice(b",\"old\":");
            out.extend_from_slice(old);
        }
        out.extend_from_slice(METADATA_END);
    }
}

fn place(file: &str, position: u64, out: &mut Vec<u8>) {
    text::string(file, out);
    out.extend_from_slice(b",\"next_position\":");
    out.extend_from_slice(itoa::Buffer::new().format(position).as_bytes());
}

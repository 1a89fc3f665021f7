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

/// A row's JSON, column by column, and where in it the values of its id stand.
#[derive(Debug, Default)]
pub struct Content {
    json: Vec<u8>,
    /// By the value's place in the id.
    id: Vec<(usize, usize)>,
}

impl Content {
    /// Begins a row whose id has so many values.
    #[inline]
    pub fn begin(&mut self, id_values: usize) {
        self.json.clear();
        self.json.push(b'{');
        self.id.clear();
        self.id.resize(id_values, (0, 0));
    }

    /// Appends a column. `key` is `"name":`, with a comma before it for all but the first.
    #[inline]
    pub fn column(
        &mut self,
        key: &[u8],
        id_place: Option<usize>,
        value: &Value<'_>,
        style: Style,
    ) -> Result<(), Malformed> {
        self.json.extend_from_slice(key);
        let start = self.json.len();
        value.write(style, &mut self.json)?;
        if let Some(range) = id_place.and_then(|place| self.id.get_mut(place)) {
            *range = (start, self.json.len());
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

/// When a transaction was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitTime {
    pub seconds: u64,
    pub micros: Option<u32>,
}

/// The place that a line names to resume from.
#[derive(Debug, Clone, Copy)]
pub struct Next<'a> {
    pub file: &'a str,
    pub position: u64,
    /// Rows, and lines of the row after them, that are done in the transaction that begins there.
    pub row: u64,
    pub line: u64,
}

/// Appends the metadata of a line of `tail`, `"old":{…}` perhaps, and the end of the line.
pub fn metadata(time: CommitTime, next: Next<'_>, gtid: Option<&str>, old: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"ts\":\"");
    rfc3339(time.seconds, time.micros, out);
    out.extend_from_slice(b"\",\"next_file\":");
    text::string(next.file, out);
    out.extend_from_slice(b",\"next_position\":");
    out.extend_from_slice(itoa::Buffer::new().format(next.position).as_bytes());
    if next.row > 0 || next.line > 0 {
        out.extend_from_slice(b",\"next_row\":");
        out.extend_from_slice(itoa::Buffer::new().format(next.row).as_bytes());
    }
    if next.line > 0 {
        out.extend_from_slice(b",\"next_line\":");
        out.extend_from_slice(itoa::Buffer::new().format(next.line).as_bytes());
    }
    if let Some(gtid) = gtid {
        out.extend_from_slice(b",\"gtid\":\"");
        out.extend_from_slice(gtid.as_bytes());
        out.push(b'"');
    }
    if !old.is_empty() {
        out.extend_from_slice(b",\"old\":");
        out.extend_from_slice(old);
    }
    out.extend_from_slice(b"}]\n");
}

//! Writes tuples, one line each: `[op, table, id, content, metadata]`. Knows nothing of MySQL.

use crate::push_fixed::Piece;
use crate::value::temporal::rfc3339;
use crate::value::{digits, text};

/// What a line says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Upsert,
    Delete,
    Truncate,
    /// The table's definition from here on.
    Schema,
}

/// How a table's lines begin, by operation: `["upsert","people",`.
#[derive(Debug, Clone)]
pub struct LinePrefixes {
    upsert: Vec<u8>,
    delete: Vec<u8>,
    truncate: Vec<u8>,
    schema: Vec<u8>,
}

impl LinePrefixes {
    pub fn new(table: &str) -> LinePrefixes {
        let head = |op: &str| {
            let mut head = format!("[\"{op}\",").into_bytes();
            text::string(table, &mut head);
            head.push(b',');
            head
        };
        LinePrefixes {
            upsert: head("upsert"),
            delete: head("delete"),
            truncate: head("truncate"),
            schema: head("schema"),
        }
    }

    pub fn of(&self, op: Op) -> &[u8] {
        match op {
            Op::Upsert => &self.upsert,
            Op::Delete => &self.delete,
            Op::Truncate => &self.truncate,
            Op::Schema => &self.schema,
        }
    }
}

/// A column's key: `"name":`, with a comma before it for all but the first column.
pub fn key(name: &str, column: usize) -> Piece {
    let mut key = Vec::new();
    if column > 0 {
        key.push(b',');
    }
    text::string(name, &mut key);
    key.push(b':');
    Piece::new(key)
}

/// Which value of the id a column is, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdPlace {
    None,
    /// Also printed in the content.
    Shared(usize),
    /// Not printed in the content.
    Alone(usize),
}

/// A row's buffers are freed after the row if they have grown beyond this.
const MAX_CAPACITY_BYTES: usize = 1 << 20;

/// A row's JSON, built column by column, and where in it the values of its id are.
#[derive(Debug, Default)]
pub struct Content {
    /// The object of all columns and a comma. After the row's end, the values of `aside` follow.
    json: Vec<u8>,
    /// Start and end in `json` of each value of the id, in the id's order.
    id: Vec<(usize, usize)>,
    /// Values of the id that are not in the object. At the row's end they move to the end of `json`.
    aside: Vec<u8>,
    /// For each value in `aside`: its place in the id, its start and its end.
    alone: Vec<(usize, usize, usize)>,
    /// Where the object and its comma end.
    object_len: usize,
    /// Start and end of each column's value, if `with_values`.
    values: Vec<(usize, usize)>,
    with_values: bool,
}

impl Content {
    /// One that records where each column's value is.
    pub fn with_values() -> Content {
        Content { with_values: true, ..Content::default() }
    }

    /// The JSON of column `i`.
    pub fn value(&self, i: usize) -> &[u8] {
        self.values.get(i).map_or(&[], |(start, end)| &self.json[*start..*end])
    }

    /// Begins a row whose id has `id_values` values.
    #[inline]
    pub fn begin(&mut self, id_values: usize) {
        self.json.clear();
        self.json.push(b'{');
        self.id.clear();
        self.id.resize(id_values, (0, 0));
        self.values.clear();
        self.alone.clear();
        self.aside.clear();
    }

    /// Begins a column. Append its value to the buffer, then call [`Content::end_column`] with the start.
    #[inline(always)]
    pub fn column(&mut self, key: &Piece) -> (usize, &mut Vec<u8>) {
        key.append(&mut self.json);
        (self.json.len(), &mut self.json)
    }

    /// Ends the column whose value began at `start`.
    #[inline(always)]
    pub fn end_column(&mut self, start: usize, id_place: IdPlace) {
        match id_place {
            IdPlace::None => {}
            IdPlace::Shared(place) => {
                if let Some(range) = self.id.get_mut(place) {
                    *range = (start, self.json.len());
                }
            }
            IdPlace::Alone(place) => self.set_aside(start, place),
        }
        if self.with_values {
            self.values.push((start, self.json.len()));
        }
    }

    #[cold]
    fn set_aside(&mut self, start: usize, place: usize) {
        let begin = self.aside.len();
        self.aside.extend(self.json.drain(start..));
        self.alone.push((place, begin, self.aside.len()));
    }

    /// Ends a row of which only the id is used.
    #[inline]
    pub fn end_id(&mut self) {
        if !self.alone.is_empty() {
            self.append_aside();
        }
    }

    #[inline]
    pub fn end(&mut self) {
        self.json.extend_from_slice(b"},");
        self.object_len = self.json.len();
        self.end_id();
    }

    #[cold]
    fn append_aside(&mut self) {
        let offset = self.json.len();
        self.json.append(&mut self.aside);
        for (place, begin, end) in self.alone.drain(..) {
            if let Some(range) = self.id.get_mut(place) {
                *range = (offset + begin, offset + end);
            }
        }
    }

    /// Frees the memory of a huge row.
    #[inline]
    pub fn free_if_huge(&mut self) {
        if self.json.capacity() > MAX_CAPACITY_BYTES {
            *self = Content { with_values: self.with_values, ..Content::default() };
        }
    }

    /// Inserts what `out` holds and the line's beginning before the object, and makes that buffer `out`: copying a huge row
    /// would take its memory twice.
    #[cold]
    fn become_line(&mut self, prefix: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(prefix);
        self.write_id(out);
        out.push(b',');
        self.json.truncate(self.object_len);
        self.json.splice(..0, out.iter().copied());
        *out = std::mem::take(self).json;
    }

    /// Whether both rows have the same id.
    pub fn same_id(&self, other: &Content) -> bool {
        self.id.len() == other.id.len() && self.ids().eq(other.ids())
    }

    fn ids(&self) -> impl Iterator<Item = &[u8]> {
        self.id.iter().map(|(start, end)| &self.json[*start..*end])
    }

    /// Appends the id: its value, an array of several, or null without any.
    fn write_id(&self, out: &mut Vec<u8>) {
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

/// Appends a line up to its metadata. The content is consumed: a huge row's buffer becomes `out`.
#[inline]
pub fn row(prefix: &[u8], content: &mut Content, out: &mut Vec<u8>) {
    if content.object_len > MAX_CAPACITY_BYTES && out.len() < MAX_CAPACITY_BYTES && !content.with_values {
        return content.become_line(prefix, out);
    }
    out.extend_from_slice(prefix);
    content.write_id(out);
    out.push(b',');
    out.extend_from_slice(&content.json[..content.object_len]);
}

/// [`row`] for a line without id and content.
pub fn no_row(prefix: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(prefix);
    out.extend_from_slice(b"null,null,");
}

/// [`row`] for a line without id whose content is a definition, in JSON.
pub fn schema(prefix: &[u8], definition: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(prefix);
    out.extend_from_slice(b"null,");
    out.extend_from_slice(definition);
    out.push(b',');
}

/// The end of a line of `load`.
pub const NO_METADATA: &[u8] = b"null]\n";

/// The end of a line of `tail`, after its `"old"`.
pub const METADATA_END: &[u8] = b"}]\n";

/// When a transaction was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitTime {
    pub seconds: u64,
    pub micros: Option<u32>,
}

/// The metadata of a transaction's lines. The common parts are written once.
#[derive(Debug, Default)]
pub struct Metadata {
    /// `{"ts":"…","next_file":"…","next_position":…,"next_row":`, with the place where the transaction begins.
    start: Vec<u8>,
    /// Length of `start` up to and including `"next_file":`.
    time_len: usize,
    /// Length of `start` up to and including the position.
    place_len: usize,
    /// `,"gtid":"…"` and the end of the line.
    end: Vec<u8>,
    /// Length of `,"reread":[…]` in `end`, before the end of the line.
    reread_len: usize,
}

impl Metadata {
    /// Begins the lines of a transaction that begins at `start`. `gtid_set` are transactions after that place that are
    /// already done. `reread` is a list of second readings, or empty.
    pub fn begin(
        &mut self,
        time: CommitTime,
        start: LogPlace<'_>,
        gtid: Option<&str>,
        gtid_set: Option<&str>,
        reread: &str,
    ) {
        self.start.clear();
        self.start.extend_from_slice(b"{\"ts\":\"");
        rfc3339(time.seconds, time.micros, &mut self.start);
        self.start.extend_from_slice(b"\",\"next_file\":");
        self.time_len = self.start.len();
        place(start, &mut self.start);
        self.place_len = self.start.len();
        self.start.extend_from_slice(b",\"next_row\":");
        self.end.clear();
        if let Some(gtid) = gtid {
            self.end.extend_from_slice(b",\"gtid\":\"");
            self.end.extend_from_slice(gtid.as_bytes());
            self.end.push(b'"');
        }
        if let Some(set) = gtid_set {
            self.end.extend_from_slice(b",\"gtid_set\":");
            text::string(set, &mut self.end);
        }
        self.reread_len = 0;
        if !reread.is_empty() {
            let len = self.end.len();
            self.end.extend_from_slice(b",\"reread\":");
            self.end.extend_from_slice(reread.as_bytes());
            self.reread_len = self.end.len() - len;
        }
        self.end.extend_from_slice(METADATA_END);
    }

    /// Appends the metadata of a line inside the transaction, `"old"` if it is not empty, and the line's end. Resuming
    /// starts at the transaction's beginning, and skips `row` rows and `line` lines of the row after them.
    pub fn inside(&self, row: u64, line: u64, old: &[u8], out: &mut Vec<u8>) {
        if row > 0 || line > 0 {
            out.extend_from_slice(&self.start);
            digits::unsigned(row, out);
        } else {
            out.extend_from_slice(&self.start[..self.place_len]);
        }
        if line > 0 {
            out.extend_from_slice(b",\"next_line\":");
            digits::unsigned(line, out);
        }
        self.end_line(old, out);
    }

    /// [`Metadata::inside`] for the last line: resuming starts at the transaction's end.
    pub fn at_end(&mut self, end: LogPlace<'_>, old: &[u8], out: &mut Vec<u8>) {
        if self.reread_len > 0 {
            let at = self.end.len() - METADATA_END.len();
            self.end.drain(at - self.reread_len..at);
            self.reread_len = 0;
        }
        out.extend_from_slice(&self.start[..self.time_len]);
        place(end, out);
        self.end_line(old, out);
    }

    #[inline]
    fn end_line(&self, old: &[u8], out: &mut Vec<u8>) {
        if old.is_empty() {
            return out.extend_from_slice(&self.end);
        }
        out.extend_from_slice(&self.end[..self.end.len() - METADATA_END.len()]);
        out.extend_from_slice(b",\"old\":");
        out.extend_from_slice(old);
        out.extend_from_slice(METADATA_END);
    }
}

/// A place in a log: file, offset, and the log's identity, which may be empty.
pub type LogPlace<'a> = (&'a str, u64, &'a str);

fn place((file, offset, log): LogPlace<'_>, out: &mut Vec<u8>) {
    text::string(file, out);
    out.extend_from_slice(b",\"next_position\":");
    digits::unsigned(offset, out);
    if !log.is_empty() {
        out.extend_from_slice(b",\"log\":\"");
        out.extend_from_slice(log.as_bytes());
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(len: usize, id_place: IdPlace, before: &[u8]) -> Vec<u8> {
        let mut content = Content::default();
        content.begin(1);
        for (i, value) in ["7".to_string(), format!("\"{}\"", "x".repeat(len))].iter().enumerate() {
            let (start, out) = content.column(&key("c", i));
            out.extend_from_slice(value.as_bytes());
            content.end_column(start, if i == 0 { id_place } else { IdPlace::None });
        }
        content.end();
        let mut out = before.to_vec();
        row(LinePrefixes::new("t").of(Op::Upsert), &mut content, &mut out);
        out
    }

    #[test]
    fn a_huge_row_makes_the_same_line_as_a_small_one() {
        for (id_place, object) in
            [(IdPlace::Shared(0), "{\"c\":7,\"c\":\"X\"}"), (IdPlace::Alone(0), "{\"c\":,\"c\":\"X\"}")]
        {
            for before in [&b""[..], b"an earlier line\n"] {
                for len in [1, MAX_CAPACITY_BYTES - 20, MAX_CAPACITY_BYTES, 3 * MAX_CAPACITY_BYTES] {
                    let line = String::from_utf8(line(len, id_place, before)).unwrap();
                    let start = String::from_utf8_lossy(before);
                    let object = object.replace('X', &"x".repeat(len));
                    assert!(line == format!("{start}[\"upsert\",\"t\",7,{object},"), "{len} {id_place:?}");
                }
            }
        }
    }
}

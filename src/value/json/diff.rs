//! JSON diffs: with `binlog_row_value_options=PARTIAL_JSON` the log holds the new document as diffs to the old one.
//!
//! A diff is an operation (one byte), a path (length, text) and, except for a removal, a value (length, binary JSON). See
//! `Json_diff_vector::read_binary` in the server's `json_diff.cc`.

use std::borrow::Cow;

use super::super::Documents;
use super::binary::{Raw, Writer};
use super::text::{Escaped, unescape};
use super::{MAX_DEPTH, TOO_DEEP};
use crate::bytes::{Bytes, Malformed};

const REPLACE: u8 = 0;
const INSERT: u8 = 1;
const REMOVE: u8 = 2;

const PATH: Malformed = Malformed("a partial JSON update has a path that cannot be read");
const REJECTED: Malformed = Malformed("a partial JSON update does not fit the document before it");

/// Appends the document `before` with `diffs` applied.
pub fn apply(before: &[u8], diffs: &[u8], documents: Documents, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut writer = Writer::new(before.len().saturating_add(diffs.len()), documents, out);
    let mut root = Node::Raw(Raw::document(before));
    let mut rest = Bytes(diffs);
    while !rest.is_empty() {
        let operation = rest.u8()?;
        let legs = legs(rest.lenenc_bytes()?)?;
        let (last, legs) = legs.split_last().ok_or(REJECTED)?;
        let mut parent = &mut root;
        for leg in legs {
            parent = parent.open(&mut writer)?.get(leg)?;
        }
        let parent = parent.open(&mut writer)?;
        match operation {
            REPLACE => *parent.get(last)? = value(&mut rest)?,
            INSERT => parent.insert(last, value(&mut rest)?)?,
            REMOVE => parent.remove(last)?,
            _ => return Err(Malformed("a partial JSON update has an unknown operation")),
        }
    }
    root.write(&mut writer, 0)
}

fn value<'a>(diffs: &mut Bytes<'a>) -> Result<Node<'a>, Malformed> {
    Ok(Node::Raw(Raw::document(diffs.lenenc_bytes()?)))
}

/// A document, parsed only along the changed paths.
enum Node<'a> {
    Raw(Raw<'a>),
    Array(Vec<Node<'a>>),
    /// Sorted by length of key, then by its bytes, as on the server.
    Object(Vec<(Cow<'a, [u8]>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// Parses one level of a container.
    fn open(&mut self, writer: &mut Writer) -> Result<&mut Node<'a>, Malformed> {
        if let Node::Raw(raw) = self {
            let container = raw.container()?.ok_or(REJECTED)?;
            writer.spend(container.header)?;
            let values = (0..container.count).map(|at| Ok(Node::Raw(container.value(at)?)));
            *self = if container.is_object {
                let keys = (0..container.count).map(|at| Ok(Cow::Borrowed(container.key(at)?)));
                let members = keys.zip(values).map(|(key, value)| Ok((key?, value?)));
                Node::Object(members.collect::<Result<_, _>>()?)
            } else {
                Node::Array(values.collect::<Result<_, _>>()?)
            };
        }
        Ok(self)
    }

    fn get(&mut self, leg: &Leg) -> Result<&mut Node<'a>, Malformed> {
        match (self, leg) {
            (Node::Object(members), Leg::Key(key)) => {
                let at = find(members, key).map_err(|_| REJECTED)?;
                members.get_mut(at).map(|(_, node)| node).ok_or(REJECTED)
            }
            (Node::Array(nodes), Leg::Cell(cell)) => {
                let at = cell.within(nodes.len()).ok_or(REJECTED)?;
                nodes.get_mut(at).ok_or(REJECTED)
            }
            _ => Err(REJECTED),
        }
    }

    fn insert(&mut self, leg: &Leg, value: Node<'a>) -> Result<(), Malformed> {
        match (self, leg) {
            (Node::Object(members), Leg::Key(key)) => match find(members, key) {
                Ok(_) => return Err(REJECTED),
                Err(at) => members.insert(at, (Cow::Owned(key.clone()), value)),
            },
            (Node::Array(nodes), Leg::Cell(cell)) => {
                let at = cell.within(nodes.len());
                // An index beyond an end means that end.
                let outside = if cell.from_end { 0 } else { nodes.len() };
                nodes.insert(at.unwrap_or(outside), value);
            }
            _ => return Err(REJECTED),
        }
        Ok(())
    }

    fn remove(&mut self, leg: &Leg) -> Result<(), Malformed> {
        match (self, leg) {
            (Node::Object(members), Leg::Key(key)) => {
                members.remove(find(members, key).map_err(|_| REJECTED)?);
            }
            (Node::Array(nodes), Leg::Cell(cell)) => {
                nodes.remove(cell.within(nodes.len()).ok_or(REJECTED)?);
            }
            _ => return Err(REJECTED),
        }
        Ok(())
    }

    fn write(&self, writer: &mut Writer, depth: usize) -> Result<(), Malformed> {
        if depth >= MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        match self {
            Node::Raw(raw) => return writer.value(*raw, depth),
            Node::Array(nodes) => {
                writer.out.push(b'[');
                for (at, node) in nodes.iter().enumerate() {
                    comma(at, writer);
                    node.write(writer, depth + 1)?;
                }
                writer.out.push(b']');
            }
            Node::Object(members) => {
                writer.out.push(b'{');
                for (at, (key, node)) in members.iter().enumerate() {
                    comma(at, writer);
                    writer.string(key)?;
                    writer.out.push(b':');
                    node.write(writer, depth + 1)?;
                }
                writer.out.push(b'}');
            }
        }
        Ok(())
    }
}

fn comma(at: usize, writer: &mut Writer) {
    if at > 0 {
        writer.out.push(b',');
    }
}

/// Where the member `key` is, or belongs.
fn find(members: &[(Cow<[u8]>, Node)], key: &[u8]) -> Result<usize, usize> {
    members.binary_search_by(|(other, _)| other.len().cmp(&key.len()).then_with(|| other.as_ref().cmp(key)))
}

enum Leg {
    Key(Vec<u8>),
    Cell(Cell),
}

/// An array cell: `[n]`, or `[last-n]`.
struct Cell {
    index: usize,
    from_end: bool,
}

impl Cell {
    /// The index in an array of `len` elements, if it is within.
    fn within(&self, len: usize) -> Option<usize> {
        let last = len.checked_sub(1)?.checked_sub(self.index)?;
        Some(if self.from_end { last } else { self.index })
    }
}

/// A path as the server writes it: `$`, then `.key`, `."a key"`, `[0]`, `[last]` or `[last-1]`.
fn legs(path: &[u8]) -> Result<Vec<Leg>, Malformed> {
    let mut rest = path.strip_prefix(b"$").ok_or(PATH)?;
    let mut legs = Vec::new();
    while let Some((&first, after)) = rest.split_first() {
        if legs.len() >= MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        let leg;
        (leg, rest) = match (first, after.strip_prefix(b"\"")) {
            (b'.', Some(quoted)) => quoted_key(quoted)?,
            (b'.', None) => plain_key(after)?,
            (b'[', _) => cell(after)?,
            _ => return Err(PATH),
        };
        legs.push(leg);
    }
    Ok(legs)
}

fn plain_key(path: &[u8]) -> Result<(Leg, &[u8]), Malformed> {
    let end = path.iter().position(|b| matches!(b, b'.' | b'[')).unwrap_or(path.len());
    let (key, rest) = path.split_at_checked(end).ok_or(PATH)?;
    // The server quotes keys that are not plain names.
    if key.is_empty() || key.iter().any(|b| b.is_ascii_whitespace() || b"*\\\"".contains(b)) {
        return Err(PATH);
    }
    Ok((Leg::Key(key.to_vec()), rest))
}

fn quoted_key(path: &[u8]) -> Result<(Leg, &[u8]), Malformed> {
    let mut key = Vec::new();
    let mut rest = path;
    loop {
        match rest.split_first() {
            Some((b'"', after)) => return Ok((Leg::Key(key), after)),
            Some((b'\\', after)) => {
                let (Escaped::Char(char), after) = unescape(after)? else {
                    return Err(PATH);
                };
                key.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                rest = after;
            }
            Some((&byte, after)) => {
                key.push(byte);
                rest = after;
            }
            None => return Err(PATH),
        }
    }
}

fn cell(path: &[u8]) -> Result<(Leg, &[u8]), Malformed> {
    let end = path.iter().position(|&b| b == b']').ok_or(PATH)?;
    let (text, rest) = path.split_at_checked(end).ok_or(PATH)?;
    let rest = rest.strip_prefix(b"]").ok_or(PATH)?;
    let (digits, from_end) = match text.strip_prefix(b"last") {
        Some(b"") => (&b"0"[..], true),
        Some(after) => (after.strip_prefix(b"-").ok_or(PATH)?, true),
        None => (text, false),
    };
    let digits = std::str::from_utf8(digits).map_err(|_| PATH)?;
    let index = digits.parse::<u32>().map_err(|_| PATH)? as usize;
    Ok((Leg::Cell(Cell { index, from_end }), rest))
}

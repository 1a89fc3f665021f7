//! JSON documents: MySQL's binary form from the log, and the server's text from a query, both as
//! the same compact text.
//!
//! The server's own printing is the reference: what [`write_text`] gets from it is only compacted,
//! so [`write_binary`] has to print every scalar as the server does.

mod binary;
mod diff;
pub(in crate::value) mod number;
mod opaque;
mod text;

use super::Documents;
use crate::bytes::Malformed;

/// How deep containers may nest. The server stops at 100; more is damage, and recursion must end.
const MAX_DEPTH: usize = 200;
const TOO_DEEP: Malformed = Malformed("a JSON document is nested too deep");

/// Appends MySQL's binary JSON, as a row image holds it (the first byte is the type), as compact
/// JSON text. On an error `out` is as it was.
pub fn write_binary(doc: &[u8], documents: Documents, out: &mut Vec<u8>) -> Result<(), Malformed> {
    whole(out, |out| binary::Writer::new(doc.len(), documents, out).document(doc))
}

/// Appends the server's JSON text, in utf8mb4, compacted: the bytes that [`write_binary`] gives for
/// the same document. MariaDB's JSON, which is text as its author wrote it, keeps its numbers as they
/// stand; its string escapes become the canonical ones. On an error `out` is as it was.
pub fn write_text(text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    whole(out, |out| text::compact(text, out))
}

/// Appends the document that `before` becomes when the diffs of a partial update are applied to it.
/// `diffs` is the column's vector in a PARTIAL_UPDATE_ROWS event, without its four bytes of length.
/// On an error `out` is as it was.
pub fn write_with_diffs(
    before: &[u8],
    diffs: &[u8],
    documents: Documents,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    whole(out, |out| diff::apply(before, diffs, documents, out))
}

/// Runs `write` and takes back the half of a value that it leaves when it fails.
fn whole(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let start = out.len();
    let result = write(out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

#[cfg(test)]
mod tests;

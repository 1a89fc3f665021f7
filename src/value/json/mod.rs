//! JSON documents: MySQL's binary JSON from the log, and the server's text from a query, both printed as the same compact
//! text.
//!
//! The server's text is the reference: [`write_text`] only removes whitespace, so [`write_binary`] must print every scalar
//! as the server does.

mod binary;
mod diff;
pub(in crate::value) mod number;
mod opaque;
mod text;

use super::Documents;
use crate::bytes::Malformed;

/// How deep containers may nest. The server allows 100; recursion needs a limit.
const MAX_DEPTH: usize = 200;
const TOO_DEEP: Malformed = Malformed("a JSON document is nested too deep");

/// Appends a document in binary JSON, as in a row image (the first byte is the type), as compact text. On an error `out` is
/// unchanged.
pub fn write_binary(doc: &[u8], documents: Documents, out: &mut Vec<u8>) -> Result<(), Malformed> {
    whole(out, |out| binary::Writer::new(doc.len(), documents, out).document(doc))
}

/// Appends the server's JSON text, in utf8mb4, compacted: as [`write_binary`] prints the same document. MariaDB's JSON is
/// text as its author wrote it: numbers stay as they are, string escapes become canonical. On an error `out` is unchanged.
pub fn write_text(text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    whole(out, |out| text::compact(text, out))
}

/// Appends the document `before` with the diffs of a partial update applied. `diffs` is the column's value in a
/// PARTIAL_UPDATE_ROWS event, without its four bytes of length. On an error `out` is unchanged.
pub fn write_with_diffs(
    before: &[u8],
    diffs: &[u8],
    documents: Documents,
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    whole(out, |out| diff::apply(before, diffs, documents, out))
}

/// Runs `write`, and removes what it wrote if it fails.
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

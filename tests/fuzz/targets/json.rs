//! JSON documents: binary ones, differences, and text.
//!
//! The input is a byte of choices and the document's bytes. For differences: two bytes with the length of the old
//! document, the document, and the differences.

use super::valid_json;
use dumpa::bytes::{Bytes, Malformed};
use dumpa::value::{ByteStrings, Documents, WholeDoubles, json};

pub fn run(data: &[u8]) {
    let Some((choices, data)) = data.split_first() else { return };
    let documents = Documents {
        whole_doubles: if choices & 4 == 0 { WholeDoubles::WithPoint } else { WholeDoubles::Bare },
        byte_strings: match choices >> 3 & 3 {
            0 => ByteStrings::Base64,
            1 => ByteStrings::Either,
            _ => ByteStrings::Plain,
        },
    };
    match choices & 3 {
        0 | 1 => written(data, |out| json::write_binary(data, documents, out)),
        2 => {
            let mut bytes = Bytes(data);
            let Ok(before) = bytes.u16().and_then(|len| bytes.take(len.into())) else { return };
            written(data, |out| json::write_with_diffs(before, bytes.rest(), documents, out));
        }
        _ => written(data, |out| json::write_text(data, out)),
    }
}

fn written(data: &[u8], write: impl FnOnce(&mut Vec<u8>) -> Result<(), Malformed>) {
    let mut out = b"before".to_vec();
    let outcome = write(&mut out);
    let json = out.strip_prefix(b"before").expect("what was there before stays");
    if outcome.is_err() {
        assert!(json.is_empty(), "half a value is left: {}", String::from_utf8_lossy(json));
        return;
    }
    valid_json::check(json);
    // A byte may become an escape of six, and a short entry a number of some twenty digits.
    assert!(json.len() <= 64 + 40 * data.len(), "{} bytes of {}", json.len(), data.len());
    let mut again = Vec::new();
    json::write_text(json, &mut again).expect("a document that was written is one");
    assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(json), "it is not compact");
}

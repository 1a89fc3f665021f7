//! MariaDB's two uses of zlib: whole events (`log_bin_compress`) and single columns (COMPRESSED).

use flate2::{Decompress, FlushDecompress, Status};

use crate::bytes::Malformed;

const BROKEN: Malformed = Malformed("its compressed bytes cannot be inflated");

/// Inflates the body of a compressed event into `out`, which is emptied first.
///
/// The first byte has its highest bit set, the algorithm (0, zlib) in the next three, and the
/// length of the length in the last three; the length follows, big-endian, then the data.
///
/// Source: MariaDB's `sql/log_event.cc`, `binlog_buf_uncompress`.
pub fn event(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (&head, rest) = bytes.split_first().ok_or(BROKEN)?;
    if head & 0xf0 != 0x80 {
        return Err(Malformed("it is compressed in a way that is not known"));
    }
    inflate(rest, head & 7, true, out)
}

/// The value of a compressed column: stored as it is behind a zero byte, or inflated into `out`.
///
/// Source: MariaDB's `sql/field_comp.cc`.
pub fn column<'a>(bytes: &'a [u8], out: &'a mut Vec<u8>) -> Result<&'a [u8], Malformed> {
    let Some((&head, rest)) = bytes.split_first() else {
        return Ok(bytes);
    };
    match head >> 4 {
        0 => Ok(rest),
        8 => {
            inflate(rest, head & 7, head & 8 == 0, out)?;
            Ok(out)
        }
        _ => Err(Malformed("a column is compressed in a way that is not known")),
    }
}

/// Inflates what follows a length of `length_bytes` bytes, which must be the length that comes out.
fn inflate(bytes: &[u8], length_bytes: u8, zlib: bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (length, data) = bytes.split_at_checked(length_bytes.into()).ok_or(BROKEN)?;
    let length = length.iter().fold(0usize, |n, byte| n << 8 | usize::from(*byte));
    out.clear();
    // A length that a broken file made up is not worth its memory: zlib packs at most 1032 to 1.
    if length > data.len().saturating_mul(1033) {
        return Err(BROKEN);
    }
    out.reserve_exact(length);
    let status = Decompress::new(zlib).decompress_vec(data, out, FlushDecompress::Finish);
    match status {
        Ok(Status::StreamEnd | Status::Ok | Status::BufError) if out.len() == length => Ok(()),
        _ => Err(BROKEN),
    }
}

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

/// No packet of the protocol is larger, so that no server makes a larger event.
const MAX_BYTES: usize = 1 << 30;
/// Room that is made at a time: a length that a broken file claims is not worth its memory before the bytes come.
const STEP_BYTES: usize = 256 << 10;

/// Inflates what follows a length of `length_bytes` bytes, which must be the length that comes out.
fn inflate(bytes: &[u8], length_bytes: u8, zlib: bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (length, mut data) = bytes.split_at_checked(length_bytes.into()).ok_or(BROKEN)?;
    let length = length.iter().fold(0usize, |n, byte| n << 8 | usize::from(*byte));
    out.clear();
    if length > MAX_BYTES {
        return Err(Malformed("it claims to inflate to more than 1 GiB"));
    }
    let mut inflater = Decompress::new(zlib);
    loop {
        // One byte more than it should be is enough to tell that it is too long.
        let room = (length - out.len() + 1).min(STEP_BYTES.max(out.len()));
        out.reserve(room);
        let (read, written) = (inflater.total_in(), inflater.total_out());
        let status = inflater.decompress_vec(data, out, FlushDecompress::None).map_err(|_| BROKEN)?;
        data = data.get((inflater.total_in() - read) as usize..).ok_or(BROKEN)?;
        let is_stuck = inflater.total_in() == read && inflater.total_out() == written;
        match status {
            _ if out.len() > length => return Err(BROKEN),
            Status::StreamEnd if out.len() == length => return Ok(()),
            Status::StreamEnd => return Err(BROKEN),
            // Without its last bytes: the length is what counts.
            Status::Ok | Status::BufError if is_stuck && out.len() == length => return Ok(()),
            Status::Ok | Status::BufError if is_stuck => return Err(BROKEN),
            Status::Ok | Status::BufError => {}
        }
    }
}

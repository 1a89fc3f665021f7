//! MariaDB's two uses of zlib: compressed events (`log_bin_compress`) and COMPRESSED columns.

use flate2::{Decompress, FlushDecompress, Status};

use crate::bytes::Malformed;

const BROKEN: Malformed = Malformed("its compressed bytes cannot be inflated");

/// Inflates the body of a compressed event into `out`, replacing its content.
///
/// The first byte has the highest bit set, then three bits for the algorithm (0 is zlib), and in its last three bits the
/// size of the length; then come the length, big-endian, and the data.
///
/// Source: MariaDB's `sql/log_event.cc`, `binlog_buf_uncompress`.
pub fn event(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (&head, rest) = bytes.split_first().ok_or(BROKEN)?;
    if head & 0xf0 != 0x80 {
        return Err(Malformed("it has an unknown compression"));
    }
    inflate(rest, head & 7, true, out)
}

/// The value of a compressed column: stored plain after a zero byte, or inflated into `out`.
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
        _ => Err(Malformed("a column has an unknown compression")),
    }
}

/// The protocol's largest packet, so no server makes a larger event.
const MAX_BYTES: usize = 1 << 30;
/// The buffer grows in such steps, as bytes arrive: a damaged file could claim any length.
const STEP_BYTES: usize = 256 << 10;

/// Inflates what follows a length of `length_bytes` bytes; the result must have that length.
fn inflate(bytes: &[u8], length_bytes: u8, zlib: bool, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (length, mut data) = bytes.split_at_checked(length_bytes.into()).ok_or(BROKEN)?;
    let length = length.iter().fold(0usize, |n, byte| n << 8 | usize::from(*byte));
    out.clear();
    if length > MAX_BYTES {
        return Err(Malformed("it claims to be larger than 1 GiB when inflated"));
    }
    let mut inflater = Decompress::new(zlib);
    loop {
        // One byte too many is enough to notice that it is too long.
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
            // The stream's last bytes are missing, but all data is there.
            Status::Ok | Status::BufError if is_stuck && out.len() == length => return Ok(()),
            Status::Ok | Status::BufError if is_stuck => return Err(BROKEN),
            Status::Ok | Status::BufError => {}
        }
    }
}

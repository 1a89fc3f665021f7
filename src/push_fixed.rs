//! Fast append of short slices: copies a block of fixed size, then truncates to the real length. Saves a call of memcpy
//! for each field; most fields are a few bytes long.

/// Appends a block of `N` bytes for `write` to fill, then truncates to the length that it returns.
#[inline(always)]
pub fn push_fixed<const N: usize>(out: &mut Vec<u8>, write: impl FnOnce(&mut [u8; N]) -> usize) {
    let start = out.len();
    out.extend_from_slice(&[0; N]);
    let len = out.last_chunk_mut().map_or(0, write);
    out.truncate(start + len);
}

/// A text that is appended many times, such as a column's key.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The text padded with zeros, if it fits.
    block: [u8; BLOCK_BYTES],
    /// The text, if it does not fit.
    long: Vec<u8>,
    len: usize,
}

/// Longer texts are appended by memcpy.
const BLOCK_BYTES: usize = 32;

impl Piece {
    pub fn new(text: Vec<u8>) -> Piece {
        let mut block = [0; BLOCK_BYTES];
        let len = text.len();
        match block.get_mut(..len) {
            Some(place) => {
                place.copy_from_slice(&text);
                Piece { block, long: Vec::new(), len }
            }
            None => Piece { block, long: text, len },
        }
    }

    pub fn bytes(&self) -> &[u8] {
        self.block.get(..self.len).unwrap_or(&self.long)
    }

    #[inline(always)]
    pub fn append(&self, out: &mut Vec<u8>) {
        if self.len > BLOCK_BYTES {
            return out.extend_from_slice(&self.long);
        }
        let end = out.len() + self.len;
        out.extend_from_slice(&self.block);
        out.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_stays() {
        let mut out = b"before ".to_vec();
        push_fixed(&mut out, |room: &mut [u8; 8]| {
            room[..3].copy_from_slice(b"now");
            3
        });
        assert_eq!(out, b"before now");
        for len in [0, 1, 31, 32, 33, 70] {
            let text = vec![b'x'; len];
            let piece = Piece::new(text.clone());
            let mut out = b"before ".to_vec();
            piece.append(&mut out);
            assert_eq!(out, [b"before ", &text[..]].concat());
            assert_eq!(piece.bytes(), text);
        }
    }
}

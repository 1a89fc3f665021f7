//! Appending short pieces without a call for each: whole pieces of a fixed length are appended, and what is too much
//! of them is taken off again. Most of what dumpa writes is a few bytes long.

/// Appends room for `N` bytes; `write` writes to it, and tells how many of them stay.
#[inline(always)]
pub fn push_fixed<const N: usize>(out: &mut Vec<u8>, write: impl FnOnce(&mut [u8; N]) -> usize) {
    let start = out.len();
    out.extend_from_slice(&[0; N]);
    let len = out.last_chunk_mut().map_or(0, write);
    out.truncate(start + len);
}

/// A text that is appended over and over.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// All of it, where it is short.
    short: [u8; SHORT],
    long: Vec<u8>,
    len: usize,
}

/// Longer pieces are appended with a call.
const SHORT: usize = 32;

impl Piece {
    pub fn new(text: Vec<u8>) -> Piece {
        let mut short = [0; SHORT];
        let len = text.len();
        match short.get_mut(..len) {
            Some(place) => {
                place.copy_from_slice(&text);
                Piece { short, long: Vec::new(), len }
            }
            None => Piece { short, long: text, len },
        }
    }

    pub fn bytes(&self) -> &[u8] {
        self.short.get(..self.len).unwrap_or(&self.long)
    }

    #[inline(always)]
    pub fn append(&self, out: &mut Vec<u8>) {
        if self.len > SHORT {
            return out.extend_from_slice(&self.long);
        }
        let end = out.len() + self.len;
        out.extend_from_slice(&self.short);
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

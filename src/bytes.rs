//! Reads little-endian fields from untrusted bytes. Nothing here panics: a missing field is [`Malformed`].

/// Bytes that do not hold what their type promises. The caller adds column, table and place to the message: a decoder
/// knows none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

/// The error of a read beyond the end.
pub const ENDS_EARLY: Malformed = Malformed("it ends in the middle of a field");

/// A cursor over borrowed bytes.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `n` bytes.
    #[inline]
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(ENDS_EARLY)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(ENDS_EARLY)?;
        self.0 = tail;
        Ok(*head)
    }

    #[inline]
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[b]| b)
    }

    #[inline]
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline]
    pub fn u24(&mut self) -> Result<u32, Malformed> {
        self.array::<3>().map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    #[inline]
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// Six bytes: a table id.
    #[inline]
    pub fn u48(&mut self) -> Result<u64, Malformed> {
        self.array::<6>().map(|[a, b, c, d, e, f]| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    /// Seven bytes: the commit timestamps of a GTID event.
    #[inline]
    pub fn u56(&mut self) -> Result<u64, Malformed> {
        self.array::<7>().map(|[a, b, c, d, e, f, g]| u64::from_le_bytes([a, b, c, d, e, f, g, 0]))
    }

    #[inline]
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// An unsigned little-endian number of 1 to 8 bytes.
    #[inline]
    pub fn uint(&mut self, len: usize) -> Result<u64, Malformed> {
        match len {
            1 => self.u8().map(u64::from),
            2 => self.u16().map(u64::from),
            3 => self.u24().map(u64::from),
            4 => self.u32().map(u64::from),
            _ => {
                let mut wide = [0u8; 8];
                let head = self.take(len)?;
                wide.get_mut(..len).ok_or(ENDS_EARLY)?.copy_from_slice(head);
                Ok(u64::from_le_bytes(wide))
            }
        }
    }

    /// A length-encoded integer (protocol: "Protocol::LengthEncodedInteger").
    pub fn lenenc(&mut self) -> Result<u64, Malformed> {
        match self.u8()? {
            n @ 0..=0xfa => Ok(n.into()),
            0xfc => self.u16().map(u64::from),
            0xfd => self.u24().map(u64::from),
            0xfe => self.u64(),
            _ => Err(Malformed("a length has an invalid first byte")),
        }
    }

    /// A length-encoded integer that counts bytes or items in this buffer.
    pub fn length(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.lenenc()?).map_err(|_| ENDS_EARLY)
    }

    /// Bytes after their length-encoded length.
    pub fn lenenc_bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.length()?;
        self.take(len)
    }

    /// The unread bytes.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An unsigned big-endian number of up to 8 bytes.
#[inline]
pub fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

/// Whether bit `i` is set in a column bitmap: lowest bit first.
#[inline]
pub fn bit(bitmap: &[u8], i: usize) -> bool {
    bitmap.get(i / 8).is_some_and(|byte| byte & (1 << (i % 8)) != 0)
}

/// Whether any of the first `count` bits is set. Some servers also set the unused bits after them.
#[inline]
pub fn any_bit(bitmap: &[u8], count: usize) -> bool {
    let (whole, rest) = (count / 8, count % 8);
    let mask = (1u8 << rest) - 1;
    bitmap.iter().take(whole).any(|byte| *byte != 0) || bitmap.get(whole).is_some_and(|byte| byte & mask != 0)
}

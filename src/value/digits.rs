//! Prints integers: eight digits at a time, without a branch per digit.
//!
//! Compared with `itoa`, appending to a `Vec` on x86-64: 7 digits take 5.1 ns (itoa 7.1 ns), 1 to 8 digits 5.1 ns (5.8 ns),
//! 1 or 2 digits 5.2 ns (4.2 ns), 1 to 19 digits 7.5 ns (7.2 ns). Rows hold mostly ids and dates.

use crate::push_fixed::push_fixed;

/// One more than the largest number of eight digits.
const EIGHT_DIGITS: u64 = 100_000_000;

/// The room that [`unsigned`] takes for a moment: more than the digits of any number.
pub const ROOM_BYTES: usize = 24;

/// Appends an unsigned number.
#[inline]
pub fn unsigned(n: u64, out: &mut Vec<u8>) {
    push_fixed(out, |room: &mut [u8; ROOM_BYTES]| digits(n, room));
}

/// Appends a signed number.
#[inline]
pub fn signed(n: i64, out: &mut Vec<u8>) {
    push_fixed(out, |room: &mut [u8; 32]| {
        room[0] = b'-';
        let sign = usize::from(n < 0);
        sign + digits(n.unsigned_abs(), &mut room[sign..])
    });
}

/// Appends the last `len` digits, at most eight, of a number that has no more than eight.
#[inline]
pub fn padded(n: u32, len: usize, out: &mut Vec<u8>) {
    push_fixed(out, |room: &mut [u8; 8]| {
        let unused = 8usize.saturating_sub(len);
        *room = (text(eight(n)) >> (8 * unused).min(63)).to_le_bytes();
        8 - unused
    });
}

/// Writes a number's digits and returns how many, at most 20. `room` has room for all.
#[inline(always)]
fn digits(n: u64, room: &mut [u8]) -> usize {
    if n < EIGHT_DIGITS {
        return first(n as u32, room);
    }
    many(n, room)
}

/// [`digits`] for more than eight digits.
fn many(n: u64, room: &mut [u8]) -> usize {
    let (high, low) = (n / EIGHT_DIGITS, (n % EIGHT_DIGITS) as u32);
    let at = if high < EIGHT_DIGITS {
        first(high as u32, room)
    } else {
        let at = first((high / EIGHT_DIGITS) as u32, room);
        put(room, at, text(eight((high % EIGHT_DIGITS) as u32)));
        at + 8
    };
    put(room, at, text(eight(low)));
    at + 8
}

/// Writes up to eight digits without leading zeros, and returns how many.
#[inline(always)]
fn first(n: u32, room: &mut [u8]) -> usize {
    let digits = eight(n);
    // The last digit stays, even if it is 0.
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    put(room, 0, text(digits) >> (8 * zeros));
    8 - zeros as usize
}

#[inline]
fn put(room: &mut [u8], at: usize, text: u64) {
    if let Some(place) = room.get_mut(at..).and_then(|room| room.first_chunk_mut()) {
        *place = text.to_le_bytes();
    }
}

fn text(digits: u64) -> u64 {
    digits | 0x3030_3030_3030_3030
}

/// The eight digits of a number, the first in the lowest byte: split into two halves, into four, and into eight, each
/// time in all parts at once. Division by 100 and by 10 is multiplication, exact in the range of a part.
#[inline]
fn eight(n: u32) -> u64 {
    let n = u64::from(n);
    let high = n / 10_000;
    let halves = high | (n - high * 10_000) << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x7f_0000_007f;
    let pairs = hundreds | (halves - hundreds * 100) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (pairs - tens * 10) << 8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_of_every_length_read_as_the_standard_library_has_them() {
        let mut n: u64 = 0x9e37_79b9_7f4a_7c15;
        let edges = (0..20).flat_map(|i| [10u64.pow(i) - 1, 10u64.pow(i), 10u64.pow(i) + 1]);
        let random = (0..200_000).map(|i| {
            n ^= n << 13;
            n ^= n >> 7;
            n ^= n << 17;
            n >> (i % 64)
        });
        for n in edges.chain(random).chain([u64::MAX, i64::MAX as u64, 1 << 63]) {
            assert_eq!(shown(|out| unsigned(n, out)), n.to_string());
            assert_eq!(shown(|out| signed(n as i64, out)), (n as i64).to_string());
            assert_eq!(
                shown(|out| signed((n as i64).wrapping_neg(), out)),
                (n as i64).wrapping_neg().to_string()
            );
        }
    }

    #[test]
    fn all_numbers_of_four_digits_are_split_exactly() {
        for n in 0..10_000u32 {
            for other in [0, 1, 99, 9_999] {
                let text = format!("{n:04}{other:04}");
                assert_eq!(shown(|out| padded(n * 10_000 + other, 8, out)), text);
                assert_eq!(shown(|out| padded(other * 10_000 + n, 4, out)), format!("{n:04}"));
            }
        }
        assert_eq!(shown(|out| padded(7, 0, out)), "");
    }
}

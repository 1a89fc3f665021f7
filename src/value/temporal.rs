//! Dates and times: their parts and digits. Only a TIMESTAMP's seconds need a calendar.

use crate::bytes::{Bytes, Malformed};
use crate::push_fixed::push_fixed;

/// A DATE; parts may be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

/// A DATETIME or a TIMESTAMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    pub date: Date,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub micros: u32,
    /// Digits printed behind the seconds, 0 to 6.
    pub decimals: u8,
    /// A TIMESTAMP: printed with `Z`.
    pub utc: bool,
}

/// A TIME: up to 838 hours, positive or negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    pub negative: bool,
    pub hours: u16,
    pub minutes: u8,
    pub seconds: u8,
    pub micros: u32,
    /// Digits printed behind the seconds, 0 to 6.
    pub decimals: u8,
}

impl Date {
    pub fn is_zero(self) -> bool {
        self == Date { year: 0, month: 0, day: 0 }
    }

    /// Appends `"2015-08-03"`; the zero date is null, or text if `zero_as_string`.
    pub fn write(self, zero_as_string: bool, out: &mut Vec<u8>) {
        if self.is_zero() && !zero_as_string {
            return out.extend_from_slice(b"null");
        }
        let [a, b, c, d, e, f, g, h, i, j] = self.digits();
        out.extend_from_slice(&[b'"', a, b, c, d, e, f, g, h, i, j, b'"']);
    }

    /// `2015-08-03`
    fn digits(self) -> [u8; 10] {
        let ([a, b], [c, d]) = (two((self.year / 100 % 100) as u8), two((self.year % 100) as u8));
        let ([e, f], [g, h]) = (two(self.month), two(self.day));
        [a, b, c, d, b'-', e, f, b'-', g, h]
    }
}

impl DateTime {
    /// A TIMESTAMP from seconds since 1970 in UTC; second 0 is the zero TIMESTAMP.
    pub fn from_unix(seconds: u32, micros: u32, decimals: u8) -> DateTime {
        let mut moment = DateTime::moment(seconds.into(), micros, decimals);
        // Second 0 with a fraction is a moment, though.
        if seconds == 0 && micros == 0 {
            moment.date = Date { year: 0, month: 0, day: 0 };
        }
        moment
    }

    fn moment(seconds: u64, micros: u32, decimals: u8) -> DateTime {
        let in_day = (seconds % 86_400) as u32;
        DateTime {
            date: civil((seconds / 86_400) as u32),
            hour: (in_day / 3600) as u8,
            minute: (in_day / 60 % 60) as u8,
            second: (in_day % 60) as u8,
            micros,
            decimals,
            utc: true,
        }
    }

    fn is_zero(self) -> bool {
        self.date.is_zero() && self.hour == 0 && self.minute == 0 && self.second == 0 && self.micros == 0
    }

    /// Appends `"2015-08-03T10:32:53"`, its decimals, and `Z` for a TIMESTAMP.
    pub fn write(self, zero_as_string: bool, out: &mut Vec<u8>) {
        if self.is_zero() && !zero_as_string {
            return out.extend_from_slice(b"null");
        }
        push_fixed(out, |room| self.text(room));
    }

    /// Writes `"2015-08-03T10:32:53"`, with decimals and `Z` if it has them; returns the length.
    #[inline]
    fn text(self, room: &mut [u8; 32]) -> usize {
        *room = *b"\"0000-00-00T00:00:00.000000Z\"\0\0\0";
        room[1..11].copy_from_slice(&self.date.digits());
        [room[12], room[13]] = two(self.hour);
        let mut len = 14;
        if let Some(clock_room) = room[14..].first_chunk_mut() {
            len += clock(self.minute, self.second, self.micros, self.decimals, clock_room);
        }
        if self.utc {
            room[len] = b'Z';
            len += 1;
        }
        room[len] = b'"';
        len + 1
    }
}

impl Time {
    /// Appends `"-838:59:59.000"`.
    pub fn write(self, out: &mut Vec<u8>) {
        out.push(b'"');
        if self.negative {
            out.push(b'-');
        }
        if self.hours >= 100 {
            out.push(b'0' + (self.hours / 100 % 10) as u8);
        }
        out.extend_from_slice(&two((self.hours % 100) as u8));
        push_fixed(out, |room| clock(self.minutes, self.seconds, self.micros, self.decimals, room));
        out.push(b'"');
    }
}

/// Writes `:32:53` and the decimals; returns the length.
#[inline]
fn clock(minute: u8, second: u8, micros: u32, decimals: u8, room: &mut [u8; 13]) -> usize {
    *room = *b":00:00.000000";
    [room[1], room[2]] = two(minute);
    [room[4], room[5]] = two(second);
    if decimals == 0 {
        return 6;
    }
    [room[7], room[8]] = two((micros / 10_000 % 100) as u8);
    [room[9], room[10]] = two((micros / 100 % 100) as u8);
    [room[11], room[12]] = two((micros % 100) as u8);
    7 + usize::from(decimals.min(6))
}

/// The last two digits of a number of up to seven bits.
#[inline]
fn two(n: u8) -> [u8; 2] {
    const PAIRS: [[u8; 2]; 128] = {
        let mut pairs = [[0; 2]; 128];
        let mut n = 0;
        while n < 128 {
            pairs[n] = [b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8];
            n += 1;
        }
        pairs
    };
    PAIRS[usize::from(n & 127)]
}

/// The date `days` after 1970-01-01, in the proleptic Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last day.
fn civil(days: u32) -> Date {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month + 2) / 5 + 1) as u8;
    let month = if month < 10 { month + 3 } else { month - 9 } as u8;
    let year = (year_of_era + era * 400) as u16 + u16::from(month <= 2);
    Date { year, month, day }
}

/// Appends a time as RFC 3339 in UTC, with six decimals if `micros` is given.
pub fn rfc3339(seconds: u64, micros: Option<u32>, out: &mut Vec<u8>) {
    let decimals = if micros.is_some() { 6 } else { 0 };
    let mut room = [0; 32];
    let len = DateTime::moment(seconds, micros.unwrap_or(0), decimals).text(&mut room);
    out.extend_from_slice(&room[1..len - 1]);
}

/// Length of the fraction of a TIME, DATETIME or TIMESTAMP in a row image.
pub fn fraction_len(decimals: u8) -> usize {
    usize::from(decimals).div_ceil(2)
}

/// Reads a fraction in a row image as microseconds: big-endian, with two digits per byte.
#[inline(always)]
pub fn fraction(bytes: &mut Bytes<'_>, decimals: u8) -> Result<u32, Malformed> {
    Ok(match decimals {
        0 => 0,
        1 | 2 => u32::from(bytes.u8()?) * 10_000,
        3 | 4 => u32::from(u16::from_be_bytes(bytes.array()?)) * 100,
        5 | 6 => bytes.array().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))?,
        _ => return Err(Malformed("a fraction of a second is longer than three bytes")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_the_dates_that_the_calendar_has() {
        let shown = |seconds| {
            let mut out = Vec::new();
            DateTime::from_unix(seconds, 0, 0).write(false, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(0), "null");
        assert_eq!(shown(1), "\"1970-01-01T00:00:01Z\"");
        assert_eq!(shown(951_782_400), "\"2000-02-29T00:00:00Z\"");
        assert_eq!(shown(2_147_483_647), "\"2038-01-19T03:14:07Z\"");
        assert_eq!(shown(u32::MAX), "\"2106-02-07T06:28:15Z\"");
    }

    #[test]
    fn decimals_are_exactly_as_many_as_asked() {
        for (decimals, wanted) in [(0, "12"), (1, "12.3"), (3, "12.345"), (6, "12.345678")] {
            let mut out = Vec::new();
            let time = Time { negative: true, hours: 1, minutes: 2, seconds: 12, micros: 345_678, decimals };
            time.write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("\"-01:02:{wanted}\""));
        }
    }
}

//! TIME, DATETIME and TIMESTAMP in the formats of before MySQL 5.6.4. MariaDB still writes them, with decimals, if
//! `mysql56_temporal_format=OFF`.
//!
//! Source: MySQL's `sql/field.cc` (`Field_time`, `Field_datetime`), MariaDB's `Field_time_hires`
//! and its kin in the same file.

use crate::binlog::column_format::{old_datetime_len, old_time_len};
use crate::bytes::{Bytes, Malformed, big_endian};
use crate::value::temporal::fraction_len;
use crate::value::{Date, DateTime, Time};

/// The largest TIME in seconds. MariaDB adds this plus one, so that no stored time is negative.
const TIME_MAX_SECONDS: i64 = 838 * 3600 + 59 * 60 + 59;

/// How many units of the last decimal a second has.
fn units(decimals: u8) -> u64 {
    10u64.pow(decimals.min(6).into())
}

fn micros(fraction: u64, decimals: u8) -> u32 {
    (fraction * 10u64.pow((6 - decimals.min(6)).into())) as u32
}

/// Without decimals a signed HHMMSS; with decimals the units above the smallest time.
pub fn time(bytes: &mut Bytes<'_>, decimals: u8) -> Result<Time, Malformed> {
    if decimals == 0 {
        let packed = ((bytes.u24()? << 8) as i32) >> 8;
        let n = packed.unsigned_abs();
        return Ok(Time {
            negative: packed < 0,
            hours: (n / 10_000) as u16,
            minutes: (n / 100 % 100) as u8,
            seconds: (n % 100) as u8,
            micros: 0,
            decimals,
        });
    }
    let units = units(decimals);
    let raw = big_endian(bytes.take(old_time_len(decimals))?) as i64;
    let signed = raw - (TIME_MAX_SECONDS + 1) * units as i64;
    let n = signed.unsigned_abs();
    let seconds = n / units;
    Ok(Time {
        negative: signed < 0,
        hours: (seconds / 3600) as u16,
        minutes: (seconds / 60 % 60) as u8,
        seconds: (seconds % 60) as u8,
        micros: micros(n % units, decimals),
        decimals,
    })
}

/// Without decimals the number YYYYMMDDHHMMSS; with decimals a number of mixed radix.
pub fn datetime(bytes: &mut Bytes<'_>, decimals: u8) -> Result<DateTime, Malformed> {
    if decimals == 0 {
        let n = bytes.u64()?;
        let part = |divisor: u64| (n / divisor % 100) as u8;
        return Ok(DateTime {
            date: Date {
                year: (n / 10_000_000_000 % 10_000) as u16,
                month: part(100_000_000),
                day: part(1_000_000),
            },
            hour: part(10_000),
            minute: part(100),
            second: part(1),
            micros: 0,
            decimals,
            utc: false,
        });
    }
    let units = units(decimals);
    let n = big_endian(bytes.take(old_datetime_len(decimals))?);
    let fraction = n % units;
    let n = n / units;
    let (second, n) = (n % 60, n / 60);
    let (minute, n) = (n % 60, n / 60);
    let (hour, n) = (n % 24, n / 24);
    let (day, n) = (n % 32, n / 32);
    Ok(DateTime {
        date: Date { year: (n / 13) as u16, month: (n % 13) as u8, day: day as u8 },
        hour: hour as u8,
        minute: minute as u8,
        second: second as u8,
        micros: micros(fraction, decimals),
        decimals,
        utc: false,
    })
}

/// Without decimals little-endian seconds; with decimals big-endian seconds, then units.
pub fn timestamp(bytes: &mut Bytes<'_>, decimals: u8) -> Result<DateTime, Malformed> {
    if decimals == 0 {
        return Ok(DateTime::from_unix(bytes.u32()?, 0, 0));
    }
    let seconds = big_endian(bytes.take(4)?) as u32;
    let fraction = big_endian(bytes.take(fraction_len(decimals))?);
    Ok(DateTime::from_unix(seconds, micros(fraction, decimals), decimals))
}

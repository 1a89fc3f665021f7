//! Kinds of columns: their definitions, random values of them in SQL, and the witness: the server's own text of a value,
//! and the JSON that must come of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::random::{Random, hex};
use crate::common::Server;
use crate::json::compact;

#[derive(Debug, Clone)]
pub enum Kind {
    Int { bits: u32, unsigned: bool },
    Bit(u64),
    Year,
    Decimal { whole: u64, scale: u64 },
    Float,
    Double,
    Date,
    DateTime,
    Timestamp,
    Time,
    Text { chars: u64 },
    Bytes { len: u64 },
    Enum { members: u64 },
    Set { members: u64 },
    Json,
    Point,
    Vector { mysql: bool },
    Uuid,
    Inet4,
    Inet6,
}

const CHARSETS: [&str; 25] = [
    "latin1", "utf8", "utf8mb4", "utf8mb4", "ucs2", "utf16", "utf16le", "utf32", "cp1251", "koi8r", "gbk",
    "sjis", "big5", "ujis", "euckr", "gb2312", "tis620", "ascii", "hebrew", "greek", "cp932", "eucjpms",
    "latin2", "cp850", "macroman",
];

/// A column's type and kind; `small` where the table has many columns.
pub fn choose(random: &mut Random, server: &Server, small: bool) -> (String, Kind) {
    let decimals = random.below(7);
    let fraction = if decimals == 0 { String::new() } else { format!("({decimals})") };
    let is_new = server.version() != (5, 6);
    match random.below(if small { 12 } else { 23 }) {
        0..=2 => {
            let (name, bits) = random.pick(&[
                ("tinyint", 8),
                ("smallint", 16),
                ("mediumint", 24),
                ("int", 32),
                ("bigint", 64),
            ]);
            let unsigned = random.one_in(2);
            (format!("{name}{}", if unsigned { " unsigned" } else { "" }), Kind::Int { bits, unsigned })
        }
        3 => {
            let bits = random.between(1, 64);
            (format!("bit({bits})"), Kind::Bit(bits))
        }
        4 => ("year".into(), Kind::Year),
        5 => {
            let precision = random.between(1, 65);
            let scale = random.below(precision.min(30) + 1);
            (format!("decimal({precision},{scale})"), Kind::Decimal { whole: precision - scale, scale })
        }
        6 => ("float".into(), Kind::Float),
        7 => ("double".into(), Kind::Double),
        8 => ("date".into(), Kind::Date),
        9 => (format!("datetime{fraction}"), Kind::DateTime),
        10 => (format!("timestamp{fraction} null"), Kind::Timestamp),
        11 => (format!("time{fraction}"), Kind::Time),
        12..=14 => text(random, server),
        15 | 16 => bytes(random, server),
        17 => {
            let members = random.pick(&[1, 2, 3, 255, 256, 300]);
            (
                format!("enum({}) character set {}", labels(members), random.pick(&CHARSETS)),
                Kind::Enum { members },
            )
        }
        18 => {
            let members = random.pick(&[1, 2, 8, 9, 16, 24, 32, 33, 63, 64]);
            (
                format!("set({}) character set {}", labels(members), random.pick(&CHARSETS)),
                Kind::Set { members },
            )
        }
        19 => ("point".into(), Kind::Point),
        20 if server.version() == (9, 7) => ("json".into(), Kind::Json),
        21 if server.version() == (9, 7) => ("vector(5)".into(), Kind::Vector { mysql: true }),
        21 if server.version() == (11, 8) => ("vector(3)".into(), Kind::Vector { mysql: false }),
        20 if server.is_mariadb() => ("uuid".into(), Kind::Uuid),
        22 if server.is_mariadb() => {
            random.pick(&[("inet4".into(), Kind::Inet4), ("inet6".into(), Kind::Inet6)])
        }
        _ if is_new => (format!("datetime{fraction}"), Kind::DateTime),
        _ => text(random, server),
    }
}

fn text(random: &mut Random, server: &Server) -> (String, Kind) {
    let charset = random.pick(&CHARSETS);
    let collation = if random.one_in(3) { format!(" collate {charset}_bin") } else { String::new() };
    let compressed = if server.is_mariadb() && random.one_in(4) { " compressed" } else { "" };
    let (name, chars, compressed) = match random.below(6) {
        0 => ("tinytext".to_owned(), 60, compressed),
        1 => ("text".to_owned(), 300, compressed),
        2 => ("longtext".to_owned(), 5000, compressed),
        3 => {
            let n = random.pick(&[0, 1, 10, 63, 64, 127, 255]);
            (format!("char({n})"), n, "")
        }
        _ => {
            let n = random.pick(&[1, 10, 63, 64, 85, 86, 127, 128, 255, 256, 300]);
            (format!("varchar({n})"), n, compressed)
        }
    };
    (format!("{name}{compressed} character set {charset}{collation}"), Kind::Text { chars })
}

fn bytes(random: &mut Random, server: &Server) -> (String, Kind) {
    let compressed = if server.is_mariadb() && random.one_in(4) { " compressed" } else { "" };
    match random.below(5) {
        0 => ("tinyblob".into(), Kind::Bytes { len: 255 }),
        1 => (format!("blob{compressed}"), Kind::Bytes { len: 400 }),
        2 => (format!("mediumblob{compressed}"), Kind::Bytes { len: 70_000 }),
        3 => {
            let len = random.pick(&[0, 1, 4, 16, 254, 255]);
            (format!("binary({len})"), Kind::Bytes { len })
        }
        _ => {
            let len = random.pick(&[1, 16, 255, 256, 300]);
            (format!("varbinary({len}){compressed}"), Kind::Bytes { len })
        }
    }
}

fn labels(members: u64) -> String {
    (1..=members).map(|n| format!("'m{n}'")).collect::<Vec<_>>().join(",")
}

impl Kind {
    /// A value in SQL; the server may clip it.
    pub fn value(&self, random: &mut Random) -> String {
        match *self {
            Kind::Int { bits, unsigned } => int(random, bits, unsigned),
            Kind::Bit(bits) => format!("b'{:b}'", random.next() >> (64 - bits) | random.below(2)),
            Kind::Year => random.pick(&["'0000'", "1901", "2155", "1999", "2026", "'70'"]).to_owned(),
            Kind::Decimal { whole, scale } => decimal(random, whole, scale),
            Kind::Float => {
                float(random, &["0", "0.1", "-3.4e38", "1e-45", "1.17549435e-38", "16777216", "-1"])
            }
            Kind::Double => {
                float(random, &["0", "0.1", "1.7976931348623157e308", "5e-324", "-1", "1e22", "1e15"])
            }
            Kind::Date => format!("'{}'", date(random, false)),
            Kind::DateTime => format!("'{} {}'", date(random, false), clock(random, 24)),
            Kind::Timestamp => match random.one_in(8) {
                true => "'0000-00-00 00:00:00'".to_owned(),
                false => format!("'{} {}'", date(random, true), clock(random, 24)),
            },
            Kind::Time => format!("'{}{}'", if random.one_in(2) { "-" } else { "" }, clock(random, 839)),
            Kind::Text { chars } => {
                let len = random.length(chars);
                format!("_utf8mb4 x'{}'", hex(random.text(len).as_bytes()))
            }
            Kind::Bytes { len } => {
                let len = random.length(len);
                format!("x'{}'", hex(&random.bytes(len)))
            }
            Kind::Enum { members } => {
                random.pick(&[1, members, members + 1, random_between(members)]).to_string()
            }
            Kind::Set { members } => (random.next() >> (64 - members)).to_string(),
            Kind::Json => document(random, 0, true),
            Kind::Point => {
                format!("st_geomfromtext('POINT({} {})')", random.below(180) as i64 - 90, random.below(90))
            }
            Kind::Vector { mysql } => {
                let mut all = (0..if mysql { 5 } else { 3 }).map(|_| {
                    format!("{}{}.{}", random.pick(&["", "-"]), random.below(1000), random.below(1000))
                });
                let all = [all.next(), all.next(), all.next()].map(Option::unwrap_or_default).join(",");
                format!("{}('[{all}]')", if mysql { "string_to_vector" } else { "vec_fromtext" })
            }
            Kind::Uuid => {
                let mut text = hex(&random.bytes(16));
                for at in [8, 13, 18, 23] {
                    text.insert(at, '-');
                }
                format!("'{text}'")
            }
            Kind::Inet4 => {
                let bytes = random.bytes(4);
                format!("'{}.{}.{}.{}'", bytes[0], bytes[1], bytes[2], bytes[3])
            }
            Kind::Inet6 => {
                let group = |random: &mut Random| match random.below(3) {
                    0 => "0".to_owned(),
                    1 => "ffff".to_owned(),
                    _ => format!("{:x}", random.below(0x1_0000)),
                };
                let groups: Vec<_> = (0..8).map(|_| group(random)).collect();
                format!("'{}'", groups.join(":"))
            }
        }
    }

    /// What the server is asked for.
    pub fn witness(&self, column: &str) -> String {
        match self {
            Kind::Int { .. } | Kind::Bit(_) | Kind::Year => format!("cast({column} + 0 as char)"),
            Kind::Float | Kind::Double => format!("cast({column} + 0e0 as char)"),
            Kind::Text { .. } | Kind::Enum { .. } | Kind::Set { .. } => {
                format!("hex(convert({column} using utf8mb4))")
            }
            Kind::Bytes { .. } | Kind::Vector { .. } => format!("hex({column})"),
            Kind::Point => format!("concat(st_srid({column}), ' ', st_astext({column}))"),
            _ => format!("cast({column} as char)"),
        }
    }

    /// The JSON for the server's answer.
    pub fn json(&self, told: &str) -> String {
        match self {
            Kind::Int { .. } | Kind::Bit(_) | Kind::Year => told.to_owned(),
            // The sum is a double, and so exact.
            Kind::Float => {
                serde_json::to_string(&(told.parse::<f64>().unwrap() as f32)).unwrap().replace("e+", "e")
            }
            Kind::Double => serde_json::to_string(&told.parse::<f64>().unwrap()).unwrap().replace("e+", "e"),
            Kind::Decimal { .. } | Kind::Time | Kind::Uuid | Kind::Inet4 | Kind::Inet6 => {
                format!("\"{told}\"")
            }
            Kind::Date | Kind::DateTime | Kind::Timestamp => {
                let zero = told.bytes().all(|byte| !byte.is_ascii_digit() || byte == b'0');
                let zone = if matches!(self, Kind::Timestamp) { "Z" } else { "" };
                if zero { "null".to_owned() } else { format!("\"{}{zone}\"", told.replace(' ', "T")) }
            }
            Kind::Text { .. } | Kind::Enum { .. } => serde_json::to_string(&unhexed(told)).unwrap(),
            Kind::Set { .. } => {
                let all = unhexed(told);
                let all: Vec<&str> = all.split(',').filter(|label| !label.is_empty()).collect();
                serde_json::to_string(&all).unwrap()
            }
            Kind::Bytes { .. } => format!("\"{}\"", STANDARD.encode(bytes_of(told))),
            Kind::Json => compact(told),
            Kind::Point => {
                let (srid, wkt) = told.split_once(' ').unwrap();
                format!("{{\"srid\":{srid},\"wkt\":\"{wkt}\"}}")
            }
            Kind::Vector { .. } => {
                let bytes = bytes_of(told);
                let all = bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap()));
                serde_json::to_string(&all.collect::<Vec<f32>>()).unwrap().replace("e+", "e")
            }
        }
    }
}

fn random_between(members: u64) -> u64 {
    members / 2 + 1
}

fn int(random: &mut Random, bits: u32, unsigned: bool) -> String {
    let shift = 64 - bits;
    let any = random.next();
    if unsigned {
        let max = u64::MAX >> shift;
        random.pick(&[0, 1, max, max / 2 + 1, any >> shift]).to_string()
    } else {
        let (min, max) = (i64::MIN >> shift, i64::MAX >> shift);
        random.pick(&[0, -1, min, max, any as i64 >> shift]).to_string()
    }
}

fn decimal(random: &mut Random, whole: u64, scale: u64) -> String {
    let digits = |random: &mut Random, count: u64| -> String {
        match random.below(4) {
            0 => "9".repeat(count as usize),
            1 => "0".repeat(count as usize),
            2 => format!("{}1", "0".repeat((count as usize).saturating_sub(1))),
            _ => (0..count).map(|_| char::from(b'0' + random.below(10) as u8)).collect(),
        }
    };
    let sign = random.pick(&["", "-"]);
    let (whole, fraction) = (digits(random, whole), digits(random, scale));
    if scale == 0 { format!("{sign}0{whole}") } else { format!("{sign}0{whole}.{fraction}") }
}

fn float(random: &mut Random, edges: &[&str]) -> String {
    match random.below(3) {
        0 => random.pick(edges).to_owned(),
        1 => format!("{}.{}", random.next() as i16, random.below(1000)),
        _ => format!("{}e{}", random.next() as i32, random.below(40) as i64 - 20),
    }
}

fn date(random: &mut Random, timestamp: bool) -> String {
    if timestamp {
        return format!(
            "{:04}-{:02}-{:02}",
            random.between(1971, 2037),
            random.between(1, 12),
            random.between(1, 28)
        );
    }
    match random.below(8) {
        0 => "0000-00-00".into(),
        1 => "9999-12-31".into(),
        2 => "1000-01-01".into(),
        3 => format!("{:04}-{:02}-00", random.between(1, 9999), random.below(13)),
        _ => format!(
            "{:04}-{:02}-{:02}",
            random.between(1, 9999),
            random.between(1, 12),
            random.between(1, 31)
        ),
    }
}

fn clock(random: &mut Random, hours: u64) -> String {
    let micros = random.pick(&[0, 1, 999_999, 500_000, random_micros(hours)]);
    match random.below(4) {
        0 => format!("00:00:00.{micros:06}"),
        1 => format!("{}:59:59", hours - 1),
        _ => format!("{}:{}:{}.{micros:06}", random.below(hours), random.below(60), random.below(60)),
    }
}

fn random_micros(seed: u64) -> u64 {
    seed * 104_729 % 1_000_000
}

fn document(random: &mut Random, depth: u64, outermost: bool) -> String {
    let inner = |random: &mut Random| document(random, depth + 1, false);
    let text = match random.below(if depth > 3 { 6 } else { 8 }) {
        0 => random
            .pick(&["null", "true", "false", "1.0", "-0.0", "1e22", "5e-324", "18446744073709551615"])
            .to_owned(),
        1 => (random.next() as i64).to_string(),
        2 => (random.next() as i16).to_string(),
        3 => format!("{}.{}", random.next() as i16, random.below(100)),
        4 | 5 => {
            let len = random.length(200);
            serde_json::Value::from(random.text(len)).to_string()
        }
        6 => {
            let all: Vec<_> = (0..random.below(5)).map(|_| inner(random)).collect();
            format!("[{}]", all.join(","))
        }
        _ => {
            let all: Vec<_> = (0..random.below(5))
                .map(|_| format!("{}:{}", serde_json::Value::from(random.text(4)), inner(random)))
                .collect();
            format!("{{{}}}", all.join(","))
        }
    };
    // As a string of SQL, without escapes to think of.
    if outermost { format!("_utf8mb4 x'{}'", hex(text.as_bytes())) } else { text }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("hex") as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn unhexed(hex: &str) -> String {
    String::from_utf8(bytes_of(hex)).expect("the server's UTF-8")
}

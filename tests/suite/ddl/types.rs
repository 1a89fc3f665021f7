//! Types in all their spellings.

use crate::property::random::Random;

/// What the choice of a type says of what may follow it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Class {
    Number,
    Text,
    /// TEXT and BLOB: no default, and a key only of a prefix.
    Long,
    Label,
    Time,
    Stamp,
    /// No default and no key.
    Document,
    Geometry,
    Other,
    /// SERIAL: it says all by itself.
    Whole,
}

/// Which server, by what it has.
#[derive(Debug, Clone, Copy)]
pub struct Has {
    pub mariadb: bool,
    pub version: (u32, u32),
}

impl Has {
    pub fn mysql(self, major: u32, minor: u32) -> bool {
        !self.mariadb && self.version >= (major, minor)
    }

    pub fn mariadb(self, major: u32, minor: u32) -> bool {
        self.mariadb && self.version >= (major, minor)
    }
}

const INTEGERS: [&str; 15] = [
    "tinyint",
    "smallint",
    "mediumint",
    "int",
    "integer",
    "bigint",
    "int1",
    "int2",
    "int3",
    "int4",
    "int8",
    "middleint",
    "tinyint(1)",
    "int(11)",
    "bigint(5)",
];
const NUMBERS: [&str; 24] = [
    "bool",
    "boolean",
    "dec",
    "dec(7)",
    "decimal(10,3)",
    "numeric",
    "numeric(12,4)",
    "fixed",
    "fixed(6,2)",
    "decimal(65,30)",
    "float",
    "float(20)",
    "float(24)",
    "float(25)",
    "float(53)",
    "float(7,3)",
    "double",
    "double(10,2)",
    "double precision",
    "double precision(9,1)",
    "real",
    "real(8,2)",
    "float4",
    "float8",
];
const TEXTS: [&str; 22] = [
    "char",
    "char(10)",
    "character(3)",
    "character varying(10)",
    "char varying(9)",
    "varchar(20)",
    "varchar(255)",
    "varcharacter(7)",
    "national char(4)",
    "national character(5)",
    "nchar",
    "nchar(3)",
    "national varchar(6)",
    "nvarchar(8)",
    "national character varying(7)",
    "nchar varchar(3)",
    "nchar varying(2)",
    "national char varying(4)",
    "varchar(0)",
    "char(0)",
    "varchar(766)",
    "varchar(300)",
];
const LONGS: [&str; 15] = [
    "text",
    "tinytext",
    "mediumtext",
    "longtext",
    "text(10)",
    "text(300)",
    "text(70000)",
    "long",
    "long varchar",
    "text(63)",
    "text(64)",
    "text(16000)",
    "long char varying",
    "text(255)",
    "text(65535)",
];
const BYTES: [&str; 16] = [
    "binary",
    "binary(9)",
    "varbinary(20)",
    "varbinary(255)",
    "char(4) byte",
    "char byte",
    "varchar(12) byte",
    "bit",
    "bit(1)",
    "bit(17)",
    "bit(64)",
    "binary(0)",
    "varchar(9) charset binary",
    "char(3) character set binary",
    "binary(255)",
    "varbinary(1000)",
];
const BLOBS: [&str; 10] = [
    "blob",
    "tinyblob",
    "mediumblob",
    "longblob",
    "blob(10)",
    "blob(300)",
    "blob(70000)",
    "long varbinary",
    "text charset binary",
    "blob(20000000)",
];
const TIMES: [&str; 10] = [
    "date",
    "time",
    "time(3)",
    "datetime",
    "datetime(6)",
    "year",
    "year(4)",
    "datetime(0)",
    "time(0)",
    "date",
];
const GEOMETRIES: [&str; 9] = [
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geometry",
];
const LABELS: [&str; 20] = [
    "'a'",
    "'b'",
    "'x y'",
    "'it''s'",
    "'c,d'",
    "'é'",
    "'ß ü'",
    "'e '",
    "'f  '",
    "''",
    "'A1'",
    r"'q\\r'",
    "'\"'",
    "'long label with words'",
    "'0'",
    "'1'",
    "'(x)'",
    "'`'",
    "'日本'",
    "'Жя'",
];
pub const CHARSETS: [&str; 15] = [
    "latin1", "utf8", "utf8mb4", "utf8mb4", "ucs2", "utf16", "cp1251", "koi8r", "gbk", "sjis", "ascii",
    "latin2", "utf32", "utf8mb3", "binary",
];
pub const COLLATIONS: [&str; 9] = [
    "latin1_bin",
    "latin1_general_ci",
    "utf8_bin",
    "utf8mb4_bin",
    "utf8mb4_unicode_ci",
    "latin2_general_ci",
    "utf8mb4_general_ci",
    "ascii_bin",
    "binary",
];

/// A type, with the attributes that belong to it.
pub fn choose(random: &mut Random, has: Has) -> (String, Class) {
    match random.below(32) {
        0..=6 => (integer(random, has), Class::Number),
        7..=9 => {
            let text = random_of(random, &NUMBERS, has);
            (sign(random, text), Class::Number)
        }
        10..=14 => {
            let text = random.pick(&TEXTS);
            (text_type(random, text), Class::Text)
        }
        15 => (long_for_lax(random), Class::Other),
        16..=17 => {
            let text = random.pick(&LONGS);
            (text_type(random, text), Class::Long)
        }
        18 => (random.pick(&BYTES).to_string(), Class::Other),
        19 => (random.pick(&BLOBS).to_string(), Class::Long),
        20..=22 => (label_type(random), Class::Label),
        23..=24 => (random.pick(&TIMES).to_string(), Class::Time),
        25..=26 => {
            let digits = random.below(7);
            let kind = random.pick(&["timestamp", "timestamp", "datetime"]);
            (if digits == 0 { kind.into() } else { format!("{kind}({digits})") }, Class::Stamp)
        }
        27 if has.mariadb || has.version >= (5, 7) => ("json".into(), Class::Document),
        28 => (geometry(random, has), Class::Geometry),
        29 => (of_the_family(random, has), Class::Document),
        30 => ("serial".into(), Class::Whole),
        _ => ("int".into(), Class::Number),
    }
}

fn random_of(random: &mut Random, all: &[&str], has: Has) -> String {
    let mut text = random.pick(all).to_string();
    // FIXED(m,d) and such are everywhere; 5.6 knows them all, too.
    if has.mariadb && text == "float8" {
        text = "double".into();
    }
    text
}

fn integer(random: &mut Random, has: Has) -> String {
    let text = random_of(random, &INTEGERS, has);
    sign(random, text)
}

fn sign(random: &mut Random, text: String) -> String {
    if text.starts_with("bool") {
        return text;
    }
    let attribute = match random.below(10) {
        0..=1 => " unsigned",
        2 => " zerofill",
        3 => " unsigned zerofill",
        4 => " signed",
        _ => "",
    };
    text + attribute
}

/// A length that a lax mode turns into another type.
fn long_for_lax(random: &mut Random) -> String {
    random
        .pick(&[
            "varchar(70000)",
            "varbinary(70000)",
            "varchar(22000) character set utf8",
            "varchar(20000000)",
            "varchar(16384) character set utf8mb4",
        ])
        .to_string()
}

/// Text, and what may name its character set.
fn text_type(random: &mut Random, text: &str) -> String {
    if text.starts_with('n') {
        return format!("{text}{}", random.pick(&["", "", "", " binary"]));
    }
    let set = random.pick(&CHARSETS);
    let attribute = match random.below(14) {
        0..=1 => format!(" character set {set}"),
        2 => format!(" charset {set}"),
        3 => format!(" char set {set}"),
        4 => format!(" collate {}", random.pick(&COLLATIONS)),
        5 => " binary".into(),
        6 => " ascii".into(),
        7 => " unicode".into(),
        8 => format!(" character set '{set}' binary"),
        9 => random.pick(&[" ascii binary", " unicode binary", " binary ascii"]).into(),
        10 => {
            let (set, collation) =
                random.pick(&[("latin1", "latin1_bin"), ("utf8mb4", "utf8mb4_unicode_ci")]);
            format!(" character set {set} collate {collation}")
        }
        _ => String::new(),
    };
    format!("{text}{attribute}")
}

fn label_type(random: &mut Random) -> String {
    let mut labels: Vec<&str> = Vec::new();
    for _ in 0..random.between(1, 5) {
        let label = random.pick(&LABELS);
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    // A comma would part a SET's value.
    let name = random.pick(&["enum", "enum", "set"]);
    if name == "set" {
        labels.retain(|label| !label.contains(','));
        labels.push("'s'");
    }
    let text = labels.join(random.pick(&[",", ", ", " , "]));
    let ascii = text.is_ascii();
    let set =
        random.pick(if ascii { &["latin1", "utf8mb4", "ucs2", "gbk"][..] } else { &["utf8mb4", "utf8"] });
    let set = match random.below(4) {
        0..=1 if !ascii => " character set utf8mb4".to_string(),
        0 => format!(" character set {set}"),
        1 => " collate utf8mb4_bin".into(),
        2 if ascii => random.pick(&[" binary", " ascii", " unicode", " charset binary"]).into(),
        _ if !ascii => " charset utf8mb4".into(),
        _ => String::new(),
    };
    format!("{name}({text}){set}")
}

fn geometry(random: &mut Random, has: Has) -> String {
    let kind = random.pick(&GEOMETRIES);
    match random.below(3) {
        0 if has.mysql(8, 0) => format!("{kind} srid 4326"),
        0 if has.mariadb => format!("{kind} ref_system_id=101"),
        _ => kind.to_string(),
    }
}

/// Types that only one family has, or only its newer versions.
fn of_the_family(random: &mut Random, has: Has) -> String {
    let vector = has.mysql(9, 0) || has.mariadb(11, 7);
    match random.below(4) {
        0 if vector => format!("vector({})", random.between(1, 40)),
        1 if has.mysql(9, 0) => "vector".into(),
        0..=1 if has.mariadb => random.pick(&["uuid", "inet4", "inet6"]).into(),
        2 if has.mariadb => {
            random.pick(&["varchar(30) compressed", "blob compressed", "text compressed"]).into()
        }
        3 if has.mariadb => {
            random.pick(&["int(3) unsigned", "raw(5)", "number(5,2)", "varchar2(7)", "clob"]).into()
        }
        _ => "bigint".into(),
    }
}

//! How a case is written.

use super::{binary, numbers, strings, structures, times};

/// A part of the page on types.
pub struct Section {
    pub title: &'static str,
    /// Below the title on the page.
    pub text: &'static str,
    pub columns: &'static [Column],
}

/// A column's definition, and values of it.
pub struct Column {
    pub definition: &'static str,
    pub on: On,
    /// What is inserted, in SQL, and the JSON. NULL goes without saying.
    pub rows: &'static [(&'static str, &'static str)],
}

/// A set of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct On(u8);

const SERVERS: [(&str, On); 7] = [
    ("mysql-5.6", On(1)),
    ("mysql-5.7", On::MYSQL_5_7),
    ("mysql-8.0", On(4)),
    ("mysql-9.7", On::MYSQL_9_7),
    ("mariadb-10.11", On(16)),
    ("mariadb-11.4", On(32)),
    ("mariadb-11.8", On::MARIADB_11_8),
];

/// Sets that people have a word for, larger ones first.
const WORDS: [(On, &str); 7] = [
    (On::ALL, "all"),
    (On::MARIADB, "MariaDB"),
    (On::MYSQL_FROM_5_7, "MySQL from 5.7 on"),
    (On::MYSQL_FROM_8_0, "MySQL from 8.0 on"),
    (On::MYSQL_5_7, "MySQL 5.7"),
    (On::MYSQL_9_7, "MySQL 9.7"),
    (On::MARIADB_11_8, "MariaDB 11.8"),
];

impl On {
    pub const MYSQL_5_7: On = On(2);
    pub const MYSQL_9_7: On = On(8);
    pub const MYSQL_FROM_5_7: On = On(2 + 4 + 8);
    pub const MYSQL_FROM_8_0: On = On(4 + 8);
    pub const MARIADB_11_8: On = On(64);
    pub const MARIADB: On = On(16 + 32 + 64);
    pub const ALL: On = On(127);
    /// All but MySQL 5.6 and 5.7.
    pub const NOT_BEFORE_8_0: On = On(4 + 8 + 16 + 32 + 64);

    pub fn has(self, server: &str) -> bool {
        SERVERS.iter().any(|(name, on)| *name == server && self.0 & on.0 != 0)
    }

    /// For people.
    pub fn words(self) -> String {
        let mut left = self.0;
        let mut words = vec![];
        for (set, word) in WORDS {
            if left & set.0 == set.0 {
                words.push(word);
                left &= !set.0;
            }
        }
        assert_eq!(left, 0, "no word for {self:?}");
        words.join(", ")
    }
}

pub const fn column(definition: &'static str, rows: &'static [(&'static str, &'static str)]) -> Column {
    Column { definition, on: On::ALL, rows }
}

pub const fn column_on(
    on: On,
    definition: &'static str,
    rows: &'static [(&'static str, &'static str)],
) -> Column {
    Column { definition, on, rows }
}

pub fn sections() -> &'static [Section] {
    const {
        &[
            numbers::INTEGERS,
            numbers::DECIMALS,
            numbers::FLOATS,
            strings::TEXTS,
            strings::LABELS,
            binary::BYTES,
            times::DATES,
            times::TIMES,
            structures::JSON,
            structures::GEOMETRIES,
            structures::VECTORS,
            structures::MARIADB,
        ]
    }
}

/// Writes out each `«part×count»`: the part so many times; with `@`, which stands for 1, 2 and so on, as a list.
pub fn expanded(text: &str) -> String {
    let Some((head, rest)) = text.split_once('«') else { return text.to_owned() };
    let (inside, tail) = rest.split_once('»').expect("it is closed");
    let (part, count) = inside.split_once('×').expect("a count");
    let count: usize = count.parse().expect("a number");
    let all = match part.contains('@') {
        true => (1..=count).map(|n| part.replace('@', &n.to_string())).collect::<Vec<_>>().join(","),
        false => part.repeat(count),
    };
    format!("{head}{all}{}", expanded(tail))
}

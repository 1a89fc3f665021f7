//! The session that runs the statements: what its settings make of them, and how it spells them.

use super::types::Has;
use crate::property::random::Random;

pub struct Session {
    /// Its default database.
    pub db: String,
    pub ansi_quotes: bool,
    /// Its client's character set is the one that the statements are written in.
    pub utf8: bool,
}

impl Session {
    /// A statement that changes the session's settings, now and then. They are part of the sequence.
    pub fn change(&mut self, random: &mut Random, has: Has, dbs: &[String]) -> Option<String> {
        if !self.utf8 && random.one_in(3) {
            self.utf8 = true;
            return Some("set names utf8mb4".into());
        }
        if !random.one_in(6) {
            return None;
        }
        Some(match random.below(8) {
            0..=1 => {
                self.db = random.pick(dbs);
                format!("use `{}`", self.db)
            }
            2..=4 => self.sql_mode(random),
            5 => {
                let set = random.pick(&["latin1", "koi8r", "gbk", "binary", "utf8", "cp1251", "utf8mb4"]);
                self.utf8 = set.starts_with("utf8");
                format!("set names {set}")
            }
            6 if has.version != (5, 6) => {
                format!("set explicit_defaults_for_timestamp = {}", random.below(2))
            }
            7 if has.mysql(9, 0) => match random.below(2) {
                0 => format!("set sql_generate_invisible_primary_key = {}", random.below(2)),
                _ => format!(
                    "set default_collation_for_utf8mb4 = {}",
                    random.pick(&["utf8mb4_general_ci", "utf8mb4_0900_ai_ci"])
                ),
            },
            _ => format!(
                "set collation_connection = {}, collation_server = {}",
                random.pick(&["utf8mb4_bin", "latin1_bin"]),
                random.pick(&["utf8mb4_general_ci", "latin1_swedish_ci", "latin2_general_ci"])
            ),
        })
    }

    fn sql_mode(&mut self, random: &mut Random) -> String {
        let mut modes: Vec<&str> = Vec::new();
        let all = [
            "STRICT_TRANS_TABLES",
            "STRICT_TRANS_TABLES",
            "REAL_AS_FLOAT",
            "ANSI_QUOTES",
            "NO_BACKSLASH_ESCAPES",
            "PAD_CHAR_TO_FULL_LENGTH",
            "IGNORE_SPACE",
            "PIPES_AS_CONCAT",
        ];
        for mode in all {
            if random.one_in(4) && !modes.contains(&mode) {
                modes.push(mode);
            }
        }
        self.ansi_quotes = modes.contains(&"ANSI_QUOTES");
        // What is refused in a strict mode is not counted against the generator.
        if random.one_in(2) && !modes.contains(&"STRICT_TRANS_TABLES") {
            modes.push("STRICT_TRANS_TABLES");
        }
        format!("set sql_mode = '{}'", modes.join(","))
    }

    /// A column's or key's name, quoted or not.
    pub fn name(&self, random: &mut Random, name: &str) -> String {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_plain = name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit());
        let is_word = ["key", "order", "index", "add", "check", "first", "primary"].contains(&name);
        match random.below(4) {
            0..=1 if is_plain && !is_word => name.to_string(),
            2 if self.ansi_quotes => format!("\"{}\"", name.replace('"', "\"\"")),
            _ => format!("`{}`", name.replace('`', "``")),
        }
    }

    /// A table's name, with its database where that is not the session's.
    pub fn table(&self, random: &mut Random, db: &str, table: &str) -> String {
        let name = match random.below(3) {
            0 if self.ansi_quotes => format!("\"{table}\""),
            1 if table.is_ascii() && !table.contains(' ') => table.to_string(),
            _ => format!("`{table}`"),
        };
        if db == self.db && random.one_in(2) {
            return name;
        }
        let db = if random.one_in(2) { format!("`{db}`") } else { db.to_string() };
        format!("{db}{}{name}", random.pick(&[".", ".", ".", " . ", ". "]))
    }
}

/// The same statement in another dress: comments, versioned comments, blanks.
pub fn disguise(random: &mut Random, sql: &str) -> String {
    let sql = match random.below(6) {
        0 => blanks(random, sql),
        _ => sql.to_string(),
    };
    match random.below(24) {
        0 => format!("/* drop table t; */ {sql}"),
        1 => format!("-- alter table t add x int\n{sql}"),
        2 => format!("# it's\n{sql}"),
        3 if !sql.contains("/*") && !sql.contains("--") && !sql.contains('#') => format!("/*!50100 {sql} */"),
        4 if !sql.contains("/*") && !sql.contains("--") && !sql.contains('#') => format!("/*! {sql} */"),
        5 => format!("{sql} /* it's the end */"),
        6 => format!("{sql} -- the end"),
        7 => format!(" \t\n{sql}\n"),
        8 => format!("{sql};"),
        _ => sql,
    }
}

/// Some blanks outside of quotes are others, or comments.
fn blanks(random: &mut Random, sql: &str) -> String {
    let (mut text, mut quote) = (String::new(), None);
    for c in sql.chars() {
        match (c, quote) {
            (' ', None) => {
                text +=
                    random.pick(&[" ", " ", " ", "  ", "\n", "\t", "/**/", " /* ' */ ", " # \"\n", " -- `\n"])
            }
            ('\'' | '"' | '`', None) => {
                quote = Some(c);
                text.push(c);
            }
            _ => {
                if quote == Some(c) {
                    quote = None;
                }
                text.push(c);
            }
        }
    }
    text
}

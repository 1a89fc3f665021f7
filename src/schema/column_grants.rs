//! Columns that an account may not read. The catalog leaves them out, and what it shows of the others looks like a whole
//! table: rows would be printed in part, under an id that may lack its key.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use mysql::prelude::Queryable;
use mysql::{Conn, Row};

use super::Table;
use super::quoting::quoted;
use crate::exit::unreadable;
use crate::server::Server;
use crate::server::log::text;

/// "Command denied" for a table, and for a column.
const DENIED: [u16; 2] = [1142, 1143];
/// No such database, no such table.
const GONE: [u16; 2] = [1049, 1146];

/// Columns that InnoDB adds to every table.
const OF_INNODB: [&str; 3] = ["DB_TRX_ID", "DB_ROLL_PTR", "DB_ROW_ID"];

/// # Errors
/// Exit 4 when the account may not read every column of a table that the catalog shows.
pub fn check(conn: &mut Conn, server: &Server, table: &Table) -> Result<()> {
    let name = quoted(&table.database, &table.name);
    // This does not wait for a lock on the table, as reading it would. Any privilege on the whole table suffices for it.
    let created = query(conn, &format!("SHOW CREATE TABLE {name}"), table)?;
    let hidden = match created {
        Answer::Rows(rows) => {
            let text = rows.first().and_then(|row| text(row, 1)).unwrap_or_default();
            let hidden = hidden(table, text.lines().filter_map(declared_name));
            if hidden.is_empty() { return Ok(()) } else { hidden }
        }
        // It has grants on columns only. These may be all of the table's.
        Answer::Denied(_) => {
            let (names, has_expressions) = names_of_hidden(conn, server, table)?;
            if names.is_empty() && !tells_all(server, has_expressions) {
                return Err(cannot_tell(server, table));
            }
            if names.is_empty() && may_read_all(conn, table)? {
                return Ok(());
            }
            names
        }
        // A table that was dropped meanwhile is missed by whoever reads it.
        Answer::Gone => return Ok(()),
    };
    let which = match hidden.is_empty() {
        false => hidden.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        true => {
            let seen: Vec<String> = table.columns.iter().map(|column| format!("`{}`", column.name)).collect();
            format!("some beside {}", seen.join(", "))
        }
    };
    Err(unreadable(format!(
        "this account may not read all columns of {}.{}: not {which}. Its rows would be printed in part: GRANT SELECT ON {name} \
         TO {}",
        table.database, table.name, server.account
    )))
}

/// Whether there are no columns that the server neither names nor counts in `*`. MySQL has invisible ones since 8.0.23,
/// and no index shows them where they are virtual or the engine is not InnoDB. It denies `*` to an account that may read
/// all columns where there is an index on an expression.
fn tells_all(server: &Server, has_expressions: bool) -> bool {
    server.is_mariadb() || !has_expressions && !server.is_mysql_from(8, 0, 23)
}

fn cannot_tell(server: &Server, table: &Table) -> anyhow::Error {
    unreadable(format!(
        "this account has SELECT on single columns of {}.{} only, and MySQL does not tell whether these are all: GRANT SELECT \
         ON {} TO {}",
        table.database,
        table.name,
        quoted(&table.database, &table.name),
        server.account
    ))
}

/// What a server answers to a question about a table.
enum Answer {
    Rows(Vec<Row>),
    /// With what it says.
    Denied(String),
    /// There is no such table.
    Gone,
}

fn query(conn: &mut Conn, query: &str, table: &Table) -> Result<Answer> {
    match conn.query(query) {
        Ok(rows) => Ok(Answer::Rows(rows)),
        Err(mysql::Error::MySqlError(error)) if DENIED.contains(&error.code) => {
            Ok(Answer::Denied(error.message))
        }
        Err(mysql::Error::MySqlError(error)) if GONE.contains(&error.code) => Ok(Answer::Gone),
        Err(error) => Err(error)
            .with_context(|| format!("cannot ask for the columns of {}.{}", table.database, table.name)),
    }
}

/// Whether the account may read `*`: see [`tells_all`].
fn may_read_all(conn: &mut Conn, table: &Table) -> Result<bool> {
    let name = quoted(&table.database, &table.name);
    let answer = query(conn, &format!("SELECT * FROM {name} LIMIT 0"), table)?;
    Ok(!matches!(answer, Answer::Denied(_)))
}

/// The names that the server can be made to tell, and whether there are indexes on expressions. Indexes are shown with all
/// of their columns; MySQL 8 shows those that InnoDB adds to them, too, which are all of the table's but virtual ones;
/// MariaDB names a column in its refusal.
fn names_of_hidden(conn: &mut Conn, server: &Server, table: &Table) -> Result<(BTreeSet<String>, bool)> {
    let name = quoted(&table.database, &table.name);
    let extended = if server.is_mysql_from(8, 0, 0) { "EXTENDED " } else { "" };
    let indexes = query(conn, &format!("SHOW {extended}INDEX FROM {name}"), table)?;
    let rows = if let Answer::Rows(rows) = indexes { rows } else { Vec::new() };
    let mut names = hidden(table, rows.iter().filter_map(|row| text(row, 4)));
    let has_expressions = rows.iter().any(|row| text(row, 4).is_none());
    if server.is_mariadb() {
        let declare = format!("BEGIN NOT ATOMIC DECLARE v ROW TYPE OF {name}; END");
        if let Answer::Denied(message) = query(conn, &declare, table)? {
            let column = message.split("for column '").nth(1).and_then(|rest| rest.split_once('\''));
            names.extend(column.map(|(column, _)| column.to_string()));
        }
    }
    // Those that it may change but not read.
    let unreadable = "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? \
         AND FIND_IN_SET('select', REPLACE(LOWER(PRIVILEGES), ' ', '')) = 0";
    let shown: Vec<String> = conn
        .exec(unreadable, (&table.database, &table.name))
        .with_context(|| format!("cannot ask for the privileges on {}.{}", table.database, table.name))?;
    names.extend(shown);
    Ok((names, has_expressions))
}

/// Those names that the catalog does not show.
fn hidden(table: &Table, names: impl Iterator<Item = String>) -> BTreeSet<String> {
    let is_hidden = |name: &String| {
        !name.starts_with("!hidden!")
            && !OF_INNODB.contains(&name.as_str())
            && table.column_number(name).is_none()
    };
    names.filter(is_hidden).collect()
}

/// The column's name in a line of a CREATE TABLE that declares one.
fn declared_name(line: &str) -> Option<String> {
    let (mut name, mut rest) = (String::new(), line.strip_prefix("  `")?);
    loop {
        let (part, after) = rest.split_once('`')?;
        name.push_str(part);
        match after.strip_prefix('`') {
            Some(after) => {
                name.push('`');
                rest = after;
            }
            None => return Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::declared_name;

    #[test]
    fn names_in_the_lines_of_a_create_table() {
        assert_eq!(declared_name("  `id` int NOT NULL,").as_deref(), Some("id"));
        assert_eq!(declared_name("  `a``b` int").as_deref(), Some("a`b"));
        for other in ["  PRIMARY KEY (`id`)", "CREATE TABLE `t` (", ") ENGINE=InnoDB", "  `never ends"] {
            assert_eq!(declared_name(other), None, "{other}");
        }
    }
}

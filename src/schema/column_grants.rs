//! Finds columns that the account may not read. The catalog leaves them out, so the rest looks like a whole table: rows
//! would lack columns, and an id might lack part of its key.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use mysql::prelude::Queryable;
use mysql::{Conn, Row, params};

use super::definition::Definition;
use super::quoting::{quoted, quoted_name};
use crate::exit::unreadable;
use crate::server::Server;
use crate::server::queries::{text, variable};

/// "Command denied" to a table, and to a column.
const DENIED: [u16; 2] = [1142, 1143];
/// No such database, no such table.
const GONE: [u16; 2] = [1049, 1146];

/// Columns that InnoDB adds to every table.
const INNODB_COLUMNS: [&str; 3] = ["DB_TRX_ID", "DB_ROLL_PTR", "DB_ROW_ID"];

/// The account as `information_schema` writes it: `'user'@'host'`. A user's name may have an `@` in it, a host's may not.
const GRANTEE: &str = "CONCAT('''', LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) \
     - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1), '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')";

/// Whether the account certainly may read every column of every table of a database, so that no table needs a check of
/// its own: it has SELECT on the whole database, not through a role, and the server does not have `partial_revokes`.
pub fn may_read_database(conn: &mut Conn, database: &str) -> bool {
    let revokes = variable(conn, "partial_revokes");
    if !matches!(revokes, Ok(None)) && !matches!(&revokes, Ok(Some(is)) if is.eq_ignore_ascii_case("OFF")) {
        return false;
    }
    // `information_schema` ignores case, and often accents. The server compares the bytes of a database's name with those
    // of a pattern (`_` is one byte), and takes users of other case for others. Where lower_case_table_names folds
    // names, grants have them folded, and a database whose name is not gets no shortcut.
    let bytes = |text: &str| format!("CAST(CONVERT({text} USING utf8mb4) AS BINARY)");
    let (schema, database_name) = (bytes("TABLE_SCHEMA"), bytes(":database"));
    let is_own = format!("{} = {}", bytes("GRANTEE"), bytes(GRANTEE));
    let query = format!(
        "SELECT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES \
         WHERE PRIVILEGE_TYPE = 'SELECT' AND {is_own}) \
         OR (SELECT COUNT(DISTINCT {schema}) > 0 \
         AND COUNT(DISTINCT {schema}) = COUNT(DISTINCT IF(PRIVILEGE_TYPE = 'SELECT', {schema}, NULL)) \
         FROM information_schema.SCHEMA_PRIVILEGES WHERE {is_own} AND {database_name} LIKE {schema})"
    );
    // If the patterns of several grants match the database, the server applies only the most specific one. So all of
    // them must have SELECT.
    let answer: mysql::Result<Option<u8>> = conn.exec_first(query, params! { database });
    matches!(answer, Ok(Some(1)))
}

/// A table as the catalog shows it to the account.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub database: &'a str,
    pub table: &'a str,
    pub definition: &'a Definition,
}

/// # Errors
/// Exit 4 when the account may not read every column of a table that the catalog shows.
pub fn check(conn: &mut Conn, server: &Server, table: Seen<'_>) -> Result<()> {
    let name = quoted(table.database, table.table);
    // Unlike a SELECT, this does not wait for a lock on the table. It needs some privilege on the whole table.
    let created = query(conn, &format!("SHOW CREATE TABLE {name}"), table)?;
    let denied = match created {
        Answer::Rows(rows) => {
            let text = rows.first().and_then(|row| text(row, 1)).unwrap_or_default();
            let denied = not_in_catalog(table, text.lines().filter_map(declared_name));
            if denied.is_empty() { return Ok(()) } else { denied }
        }
        // The account has only column grants, perhaps on all columns.
        Answer::Denied(_) => {
            let (names, has_expressions) = denied_names(conn, server, table)?;
            if names.is_empty() && !tells_all(server, has_expressions) {
                return Err(cannot_tell(server, table));
            }
            if names.is_empty() && may_read_all(conn, table)? {
                return Ok(());
            }
            names
        }
        // The table was dropped meanwhile. The code that reads it reports that.
        Answer::Gone => return Ok(()),
    };
    let which = match denied.is_empty() {
        false => {
            let names: Vec<String> = denied.iter().map(|name| format!("`{name}`")).collect();
            format!("not {}", names.join(", "))
        }
        true => {
            let seen: Vec<String> =
                table.definition.columns.iter().map(|column| format!("`{}`", column.name)).collect();
            format!("only {}", seen.join(", "))
        }
    };
    Err(unreadable(format!(
        "this account may not read all columns of {}.{} ({which}), so rows would be incomplete: GRANT SELECT ON \
         {name} TO {}",
        table.database, table.table, server.account
    )))
}

/// Whether the server reveals every denied column, by its name or by denying `*`. MySQL 8.0.23 and later may have
/// invisible columns, which `*` leaves out; if they are virtual, or the engine is not InnoDB, no index lists them
/// either. And with an index on an expression, MySQL denies `*` even to an account that may read all columns.
fn tells_all(server: &Server, has_expressions: bool) -> bool {
    server.is_mariadb() || !has_expressions && !server.is_mysql_from(8, 0, 23)
}

fn cannot_tell(server: &Server, table: Seen<'_>) -> anyhow::Error {
    unreadable(format!(
        "this account has SELECT on single columns of {}.{} only, and MySQL does not tell whether the table has others: \
         GRANT SELECT ON {} TO {}",
        table.database,
        table.table,
        quoted(table.database, table.table),
        server.account
    ))
}

/// What a server answers to a question about a table.
enum Answer {
    Rows(Vec<Row>),
    /// With the server's message.
    Denied(String),
    /// There is no such table.
    Gone,
}

fn query(conn: &mut Conn, query: &str, table: Seen<'_>) -> Result<Answer> {
    match conn.query(query) {
        Ok(rows) => Ok(Answer::Rows(rows)),
        Err(mysql::Error::MySqlError(error)) if DENIED.contains(&error.code) => {
            Ok(Answer::Denied(error.message))
        }
        Err(mysql::Error::MySqlError(error)) if GONE.contains(&error.code) => Ok(Answer::Gone),
        Err(error) => Err(error)
            .with_context(|| format!("cannot ask for the columns of {}.{}", table.database, table.table)),
    }
}

/// Whether the account may read `*`: see [`tells_all`].
fn may_read_all(conn: &mut Conn, table: Seen<'_>) -> Result<bool> {
    let name = quoted(table.database, table.table);
    let answer = query(conn, &format!("SELECT * FROM {name} LIMIT 0"), table)?;
    Ok(!matches!(answer, Answer::Denied(_)))
}

/// The denied columns that the server reveals, and whether there are functional indexes. SHOW INDEX lists the columns
/// of indexes; EXTENDED also those that InnoDB adds, which makes all columns but virtual ones. MariaDB names a denied
/// column in its error message.
fn denied_names(conn: &mut Conn, server: &Server, table: Seen<'_>) -> Result<(BTreeSet<String>, bool)> {
    let name = quoted(table.database, table.table);
    let extended = if server.is_mysql_from(8, 0, 0) { "EXTENDED " } else { "" };
    let indexes = query(conn, &format!("SHOW {extended}INDEX FROM {name}"), table)?;
    let rows = if let Answer::Rows(rows) = indexes { rows } else { Vec::new() };
    let mut names = not_in_catalog(table, rows.iter().filter_map(|row| text(row, 4)));
    let has_expressions = rows.iter().any(|row| text(row, 4).is_none());
    if server.is_mariadb() {
        let declare = format!("BEGIN NOT ATOMIC DECLARE v ROW TYPE OF {name}; END");
        if let Answer::Denied(message) = query(conn, &declare, table)? {
            let column = message.split("for column '").nth(1).and_then(|rest| rest.split_once('\''));
            names.extend(column.map(|(column, _)| column.to_string()));
        }
    }
    // Columns that the account may change but not read.
    let unreadable = "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? \
         AND FIND_IN_SET('select', REPLACE(LOWER(PRIVILEGES), ' ', '')) = 0";
    let shown: Vec<String> = conn
        .exec(unreadable, (table.database, table.table))
        .with_context(|| format!("cannot ask for the privileges on {}.{}", table.database, table.table))?;
    names.extend(shown);
    Ok((names, has_expressions))
}

/// The names that the catalog does not show, except the server's hidden columns.
fn not_in_catalog(table: Seen<'_>, names: impl Iterator<Item = String>) -> BTreeSet<String> {
    let is_denied = |name: &String| {
        !name.starts_with("!hidden!")
            && !INNODB_COLUMNS.contains(&name.as_str())
            && table.definition.column_number(name).is_none()
    };
    names.filter(is_denied).collect()
}

/// The name of the column that a line of CREATE TABLE declares, if it does.
fn declared_name(line: &str) -> Option<String> {
    quoted_name(line.strip_prefix("  ")?).map(|(name, _)| name)
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

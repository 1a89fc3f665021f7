//! Names quoted for SQL.

/// `` `database`.`table` ``.
pub fn quoted(database: &str, table: &str) -> String {
    format!("{}.{}", quote(database), quote(table))
}

/// One name, in backticks.
pub fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

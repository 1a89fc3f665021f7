//! Names quoted for SQL.

/// `` `database`.`table` ``.
pub fn quoted(database: &str, table: &str) -> String {
    format!("{}.{}", quote(database), quote(table))
}

/// One name, in backticks.
pub fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A name in backticks, and what follows it.
pub fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('`')?;
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('`')?;
        name.push_str(part);
        match after.strip_prefix('`') {
            Some(after) => {
                name.push('`');
                rest = after;
            }
            None => return Some((name, after)),
        }
    }
}

//! Names with the prefix `#mysql50#`: MySQL before 8.0, and MariaDB (not 11.8), take the rest for the name of a table's
//! or database's file. The log has such a name in statements and in table maps, as the client wrote it.

use crate::version::Release;

const PREFIX: &str = "#mysql50#";

/// A name, as the server that wrote the log understands it. From MySQL 8.0 on the prefix is a part of it.
///
/// # Errors
/// With a message, when it is the name of a file, in which other characters than letters and digits are encoded.
pub fn understood(name: &str, writer: Option<Release>) -> Result<&str, String> {
    let Some(file) = name.strip_prefix(PREFIX) else { return Ok(name) };
    if writer.is_some_and(|writer| writer.is_mysql_from(8, 0, 0)) {
        return Ok(name);
    }
    match file.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        true => Ok(file),
        false => Err(format!(
            "`{name}` is the name of a file: cannot tell which table or database it is. Load again"
        )),
    }
}

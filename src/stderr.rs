//! Writes messages to stderr, one line each.
//!
//! A message may quote a server's error text, names and paths, which may hold anything. Control characters could redraw
//! the terminal or forge another line, so they are escaped. A stderr that cannot be written (a full disk, a closed pipe)
//! does not end the run: `eprintln!` would panic.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write as _;

/// Writes `dumpa: text` as one line, in one write.
pub fn message(text: &str) {
    write(&format!("dumpa: {}\n", printable(text)));
}

/// Writes text of several lines.
pub fn lines(text: &str) {
    let lines: Vec<_> = text.lines().map(printable).collect();
    write(&(lines.join("\n") + "\n"));
}

fn write(text: &str) {
    // If this fails, there is nowhere left to report it.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// The text with its control characters as escapes: `\x1b`, `\n`, `\u202e`.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // Writing to a string does not fail.
        let _ = match c {
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            c if !is_unsafe(c) => out.write_char(c),
            c if (c as u32) < 0x100 => write!(out, "\\x{:02x}", c as u32),
            c => write!(out, "\\u{:04x}", c as u32),
        };
    }
    Cow::Owned(out)
}

/// Whether a character controls the terminal, ends a line, or reorders the text around it.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn control_characters_are_written_as_escapes_and_all_else_stays() {
        assert_eq!(printable("people: ok, é ß 日本 \\ \""), "people: ok, é ß 日本 \\ \"");
        assert_eq!(
            printable("\x1b[2J\r\n\ta\0\x7f\u{9b}b\u{202e}c"),
            "\\x1b[2J\\r\\n\\ta\\x00\\x7f\\x9bb\\u202ec"
        );
    }
}

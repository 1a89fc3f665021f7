//! Whether what dumpa wrote is JSON.

use serde::de::IgnoredAny;

/// # Panics
/// When it is not JSON in UTF-8.
pub fn check(json: &[u8]) {
    let text = std::str::from_utf8(json);
    let text = text.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(json)));
    // Values that are passed over may nest deeper than those that are kept.
    let read = serde_json::from_str::<IgnoredAny>(text);
    read.unwrap_or_else(|error| panic!("{error}: {text}"));
}

/// # Panics
/// When it is not whole lines, each a tuple.
pub fn check_lines(lines: &[u8]) -> usize {
    let Some(all) = lines.strip_suffix(b"\n") else {
        assert!(lines.is_empty(), "a line without an end: {}", String::from_utf8_lossy(lines));
        return 0;
    };
    let mut count = 0;
    for line in all.split(|byte| *byte == b'\n') {
        check(line);
        let tuple: Result<Vec<IgnoredAny>, _> = serde_json::from_slice(line);
        assert!(tuple.is_ok_and(|tuple| tuple.len() == 5), "{}", String::from_utf8_lossy(line));
        count += 1;
    }
    count
}

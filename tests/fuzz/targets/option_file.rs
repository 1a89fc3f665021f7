//! Option files. The input is a byte of choices and the text. It can include only itself: other files must not be read.

use super::files;
use dumpa::exit;
use dumpa::server::option_file::{OptionFiles, read};

pub fn run(data: &[u8]) {
    let Some((choices, text)) = data.split_first() else { return };
    let path = files::path("my.cnf");
    let included = path.display().to_string();
    let mut lines = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let directive = line.trim_ascii_start();
        match directive.first() {
            // Blanks, such as `\u{85}`, may come before it.
            _ if !directive.contains(&b'!') => lines.extend(line),
            Some(b'!') if directive.starts_with(b"!include ") => {
                lines.extend(format!("!include {included}\n").bytes());
            }
            Some(b'!') if directive.starts_with(b"!includedir") => lines.extend(b"!includedir /no/such\n"),
            _ => lines.extend(line.iter().map(|byte| if *byte == b'!' { b'?' } else { *byte })),
        }
    }
    let path = files::write("my.cnf", &[&lines]);
    let files = match choices & 1 {
        0 => OptionFiles { required: Some(path), ..OptionFiles::default() },
        _ => OptionFiles { before: vec![path.clone()], after: vec![path], ..OptionFiles::default() },
    };
    let mut warnings = Vec::new();
    if let Err(error) = read(&files, &mut warnings) {
        assert_eq!(exit::code(&error), exit::USAGE);
        assert!(exit::message(&error).contains("my.cnf"), "{}", exit::message(&error));
    }
}

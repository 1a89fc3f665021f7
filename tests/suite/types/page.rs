//! `docs/types.md`, made of the cases.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::cases::{Section, sections};

/// Set to write the page instead of comparing it.
const WRITE: &str = "DUMPA_WRITE_DOCS";
const COMMAND: &str = "DUMPA_WRITE_DOCS=1 cargo test --test suite page_on_types";

const HEAD: &str = "\
# How each type prints

<!-- Made from the cases of tests/suite/types, which run on real servers. To renew it:
     DUMPA_WRITE_DOCS=1 cargo test --test suite page_on_types -->

Each line is a test: the value is inserted into a column of that type, and both `dumpa load` and `dumpa tail` print
it as this JSON. NULL is null in every type. `«x×255»` stands for `x` 255 times; with `@` for a list, in which `@`
is 1, 2 and so on.
";

fn page() -> String {
    let mut page = String::from(HEAD);
    for Section { title, text, columns } in sections() {
        write!(page, "\n## {title}\n\n{text}\n\n| column | inserted | JSON | servers |\n|---|---|---|---|\n")
            .unwrap();
        for column in *columns {
            for (i, (literal, json)) in column.rows.iter().enumerate() {
                let (definition, on) = match i {
                    0 => (code(column.definition), column.on.words()),
                    _ => Default::default(),
                };
                writeln!(page, "| {definition} | {} | {} | {on} |", code(literal), code(json)).unwrap();
            }
        }
    }
    page
}

/// As code in a cell of a table. A backquote does not occur, and control characters are shown.
fn code(text: &str) -> String {
    assert!(!text.contains('`'), "{text}");
    let shown: String = text
        .chars()
        .map(|char| match char {
            '|' => "\\|".to_owned(),
            '\u{7f}'..='\u{9f}' | '\u{2028}' => format!("<U+{:04X}>", u32::from(char)),
            char => char.to_string(),
        })
        .collect();
    format!("`{shown}`")
}

#[test]
fn the_page_on_types_is_made_of_the_cases() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/types.md");
    if std::env::var_os(WRITE).is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("docs/ can be made");
        fs::write(&path, page()).expect("docs/types.md can be written");
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == page(), "docs/types.md is not what the cases say. To renew it:\n{COMMAND}");
}

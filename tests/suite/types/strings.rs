//! Texts, and the labels of ENUM and SET.

use super::cases::{Column, On, Section, column, column_on};

pub const TEXTS: Section = Section {
    title: "CHAR, VARCHAR and TEXT",
    text: "A string, converted from the column's character set to UTF-8. CHAR comes without its trailing spaces, as the server gives it.",
    columns: TEXT_COLUMNS,
};

const TEXT_COLUMNS: &[Column] = &[
    column(
        "CHAR(5) CHARACTER SET latin1",
        &[
            ("''", r#""""#),
            ("'ab'", r#""ab""#),
            ("'ab   '", r#""ab""#),
            ("' a b'", r#"" a b""#),
            ("'é€'", r#""é€""#),
            ("'Ab\\0\\t'", r#""Ab\u0000\t""#),
        ],
    ),
    column("CHAR(0)", &[("''", r#""""#)]),
    column("CHAR(255) CHARACTER SET latin1", &[("REPEAT('x', 255)", "\"«x×255»\"")]),
    column("CHAR(255) CHARACTER SET utf8", &[("REPEAT('€', 255)", "\"«€×255»\""), ("'a'", r#""a""#)]),
    column("CHAR(255) CHARACTER SET utf8mb4", &[("REPEAT('😀', 255)", "\"«😀×255»\""), ("'a'", r#""a""#)]),
    column("CHAR(64) CHARACTER SET utf8mb4", &[("REPEAT('😀', 64)", "\"«😀×64»\"")]),
    column("CHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", &[("'Ä'", r#""Ä""#)]),
    column("CHAR(4) CHARACTER SET ucs2", &[("'a  '", r#""a""#), ("'Ж'", r#""Ж""#)]),
    column("NATIONAL CHAR(3)", &[("'žluť'", r#""žlu""#)]),
    column("NATIONAL VARCHAR(3)", &[("'žlu'", r#""žlu""#)]),
    column(
        "VARCHAR(10) CHARACTER SET utf8mb4",
        &[
            ("''", r#""""#),
            ("'ab  '", r#""ab  ""#),
            ("'\\'\"\\\\/'", r#""'\"\\/""#),
            ("'\\b\\t\\n\\r\\Z\\0'", r#""\b\t\n\r\u001a\u0000""#),
            ("0x1f7fc285e280a8", "\"\\u001f\u{7f}\u{85}\u{2028}\""),
            ("'😀é日'", r#""😀é日""#),
        ],
    ),
    column("VARCHAR(0)", &[("''", r#""""#)]),
    column("VARCHAR(255) CHARACTER SET latin1", &[("REPEAT('x', 255)", "\"«x×255»\"")]),
    column("VARCHAR(256) CHARACTER SET latin1", &[("REPEAT('x', 256)", "\"«x×256»\""), ("'x'", r#""x""#)]),
    column("VARCHAR(63) CHARACTER SET utf8mb4", &[("REPEAT('😀', 63)", "\"«😀×63»\"")]),
    column("VARCHAR(64) CHARACTER SET utf8mb4", &[("REPEAT('😀', 64)", "\"«😀×64»\"")]),
    column("VARCHAR(5000) CHARACTER SET utf16", &[("REPEAT('Ω', 5000)", "\"«Ω×5000»\"")]),
    column("VARCHAR(20) CHARACTER SET gbk", &[("'中文'", r#""中文""#)]),
    column("VARCHAR(20) CHARACTER SET sjis", &[("'ソ能'", r#""ソ能""#)]),
    column("VARCHAR(20) CHARACTER SET koi8r", &[("'Привет'", r#""Привет""#)]),
    column("TINYTEXT CHARACTER SET utf8mb4", &[("''", r#""""#), ("REPEAT('x', 255)", "\"«x×255»\"")]),
    column("TEXT CHARACTER SET utf8mb4", &[("'a\\n'", r#""a\n""#), ("REPEAT('é', 30000)", "\"«é×30000»\"")]),
    column("MEDIUMTEXT CHARACTER SET latin1", &[("'ÿ'", r#""ÿ""#), ("REPEAT('x', 70000)", "\"«x×70000»\"")]),
    column("LONGTEXT CHARACTER SET utf32", &[("'😀'", r#""😀""#)]),
];

pub const LABELS: Section = Section {
    title: "ENUM and SET",
    text: "An ENUM is its label; the value that an invalid insert leaves, of index 0, is `\"\"`. A SET is an array of labels, in the order of its definition.",
    columns: LABEL_COLUMNS,
};

const LABEL_COLUMNS: &[Column] = &[
    column("ENUM('small','large')", &[("'small'", r#""small""#), ("2", r#""large""#), ("'huge'", r#""""#)]),
    column(
        "ENUM('it''s','a,b','\"q\"',')','') CHARACTER SET utf8mb4",
        &[("1", r#""it's""#), ("2", r#""a,b""#), ("3", r#""\"q\"""#), ("4", r#"")""#), ("5", r#""""#)],
    ),
    column(
        "ENUM('back\\\\slash','two\\nlines','100\\\\%','?') CHARACTER SET utf8",
        &[("1", r#""back\\slash""#), ("2", r#""two\nlines""#), ("3", r#""100\\%""#), ("4", r#""?""#)],
    ),
    // The catalog shows these as `?`; see charset_columns.rs for MySQL.
    column_on(On::MARIADB, "ENUM('?','😀') CHARACTER SET utf8mb4", &[("1", r#""?""#), ("2", r#""😀""#)]),
    column_on(On::MARIADB, "SET('?','a','😀') CHARACTER SET utf16", &[("5", r#"["?","😀"]"#)]),
    column("ENUM('é','日本') CHARACTER SET utf8mb4", &[("1", r#""é""#), ("2", r#""日本""#)]),
    column("ENUM('x','ÿ') CHARACTER SET latin1 NOT NULL", &[("2", r#""ÿ""#), ("99", r#""""#)]),
    column("ENUM(«'m@'×255»)", &[("255", r#""m255""#)]),
    column(
        "ENUM(«'m@'×300»)",
        &[
            ("1", r#""m1""#),
            ("255", r#""m255""#),
            ("256", r#""m256""#),
            ("300", r#""m300""#),
            ("''", r#""""#),
        ],
    ),
    column(
        "SET('a','b','c')",
        &[("''", "[]"), ("'a'", r#"["a"]"#), ("'c,a'", r#"["a","c"]"#), ("7", r#"["a","b","c"]"#)],
    ),
    column("SET('it''s','q\"') NOT NULL", &[("3", r#"["it's","q\""]"#)]),
    column("SET(«'s@'×8»)", &[("128", r#"["s8"]"#), ("255", "[«\"s@\"×8»]")]),
    column("SET(«'s@'×9»)", &[("256", r#"["s9"]"#)]),
    column("SET(«'s@'×17»)", &[("65536", r#"["s17"]"#)]),
    column("SET(«'s@'×33»)", &[("4294967297", r#"["s1","s33"]"#)]),
    column(
        "SET(«'s@'×64»)",
        &[("18446744073709551615", "[«\"s@\"×64»]"), ("9223372036854775808", r#"["s64"]"#), ("0", "[]")],
    ),
];

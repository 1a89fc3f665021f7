//! Bytes.

use super::cases::{Column, Section, column};

pub const BYTES: Section = Section {
    title: "BINARY, VARBINARY and BLOB",
    text: "Base64. BINARY(n) has all of its n bytes, with the zeros that fill it up.",
    columns: BYTE_COLUMNS,
};

const BYTE_COLUMNS: &[Column] = &[
    column(
        "BINARY(4)",
        &[
            ("'ab'", r#""YWIAAA==""#),
            ("''", r#""AAAAAA==""#),
            ("0x61620020", r#""YWIAIA==""#),
            ("0xffffffff", r#""/////w==""#),
        ],
    ),
    column("BINARY", &[("0x00", r#""AA==""#), ("'+'", r#""Kw==""#)]),
    column("BINARY(0)", &[("''", r#""""#)]),
    column("BINARY(255)", &[("''", "\"«A×340»\""), ("REPEAT(0xff, 255)", "\"«/×340»\"")]),
    column("CHAR(3) CHARACTER SET binary", &[("'a'", r#""YQAA""#)]),
    column("VARBINARY(10)", &[("''", r#""""#), ("0x00ff00", r#""AP8A""#), ("'ab  '", r#""YWIgIA==""#)]),
    column("VARBINARY(255)", &[("REPEAT(0x00, 255)", "\"«A×340»\"")]),
    column("VARBINARY(256)", &[("REPEAT(0x00, 255)", "\"«A×340»\"")]),
    column("VARCHAR(5) CHARACTER SET binary", &[("0xfbff", r#""+/8=""#)]),
    column("TINYBLOB", &[("''", r#""""#), ("0x80", r#""gA==""#)]),
    column("BLOB", &[("0x00", r#""AA==""#), ("REPEAT(0x00, 65535)", "\"«A×87380»\"")]),
    column("MEDIUMBLOB", &[("REPEAT(0x00, 65538)", "\"«A×87384»\"")]),
    column("LONGBLOB", &[("0x0d0a", r#""DQo=""#)]),
    column("TEXT CHARACTER SET binary", &[("0xff", r#""/w==""#)]),
];

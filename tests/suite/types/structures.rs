//! JSON documents, geometries, vectors, and what MariaDB alone has.

use super::cases::{Column, On, Section, column, column_on};

pub const JSON: Section = Section {
    title: "JSON",
    text: "MySQL's type is the document itself, compact, its members in the server's order (by length, then bytes) and \
           its numbers as the server prints them. MariaDB's JSON is another name for LONGTEXT, and so a string.",
    columns: JSON_COLUMNS,
};

const JSON_COLUMNS: &[Column] = &[
    column_on(
        On::MYSQL_FROM_5_7,
        "JSON",
        &[
            ("'null'", "null"),
            ("'true'", "true"),
            ("'false'", "false"),
            ("'\"\"'", r#""""#),
            ("'[]'", "[]"),
            ("'{}'", "{}"),
            ("'0'", "0"),
            ("'-32769'", "-32769"),
            ("'-9223372036854775808'", "-9223372036854775808"),
            ("'9007199254740993'", "9007199254740993"),
            ("'18446744073709551615'", "18446744073709551615"),
            ("'0.1'", "0.1"),
            ("'1e22'", "1e22"),
            ("'1e308'", "1e308"),
            ("'5e-324'", "5e-324"),
            ("CAST(12.50 AS JSON)", "12.50"),
            ("CAST(DATE'2015-08-03' AS JSON)", r#""2015-08-03""#),
            ("CAST(TIME'-01:02:03' AS JSON)", r#""-01:02:03.000000""#),
            ("CAST(TIMESTAMP'2015-08-03 10:32:53' AS JSON)", r#""2015-08-03 10:32:53.000000""#),
            ("'{\"bb\": 1, \"a\": 2, \"\": 3, \"c\": {\"d\": []}}'", r#"{"":3,"a":2,"c":{"d":[]},"bb":1}"#),
            (
                "'\"\\\\u00e9 \\\\ud83d\\\\ude00 \\\\\" \\\\\\\\ / \\\\u0001 \\\\n\"'",
                r#""é 😀 \" \\ / \u0001 \n""#,
            ),
            ("'[[[[[[[[[[1]]]]]]]]]]'", "[[[[[[[[[[1]]]]]]]]]]"),
            ("JSON_ARRAY(REPEAT('x', 70000))", "[\"«x×70000»\"]"),
        ],
    ),
    column_on(
        On::MYSQL_5_7,
        "JSON",
        &[
            ("'1.0'", "1"),
            ("'-0.0'", "-0"),
            ("'100.0'", "100"),
            ("'-1e14'", "-100000000000000"),
            ("JSON_ARRAY(0x00ff)", r#"["base64:type16:AP8="]"#),
            ("'{\"a\": 1, \"a\": 2}'", r#"{"a":1}"#),
        ],
    ),
    column_on(
        On::MYSQL_FROM_8_0,
        "JSON",
        &[
            ("'1.0'", "1.0"),
            ("'-0.0'", "-0.0"),
            ("'100.0'", "100.0"),
            ("'-1e14'", "-100000000000000.0"),
            ("JSON_ARRAY(0x00ff)", r#"["base64:type15:AP8="]"#),
            ("JSON_ARRAY(b'101')", r#"["base64:type15:BQ=="]"#),
            ("'{\"a\": 1, \"a\": 2}'", r#"{"a":2}"#),
        ],
    ),
    column_on(
        On::MARIADB,
        "JSON",
        &[("'{\"b\": 1.50, \"a\": [null]}'", r#""{\"b\": 1.50, \"a\": [null]}""#), ("'null'", r#""null""#)],
    ),
];

pub const GEOMETRIES: Section = Section {
    title: "GEOMETRY and its kin",
    text: "The number of the spatial reference system, and the well-known text as MySQL 8 prints it.",
    columns: GEOMETRY_COLUMNS,
};

const GEOMETRY_COLUMNS: &[Column] = &[
    column(
        "GEOMETRY",
        &[
            ("ST_GeomFromText('POINT(1 2)')", r#"{"srid":0,"wkt":"POINT(1 2)"}"#),
            ("ST_GeomFromText('POINT(10 20)', 4326)", r#"{"srid":4326,"wkt":"POINT(10 20)"}"#),
            ("ST_GeomFromText('LINESTRING(0 0,1 1)')", r#"{"srid":0,"wkt":"LINESTRING(0 0,1 1)"}"#),
        ],
    ),
    column("POINT", &[("ST_GeomFromText('POINT(-1.5 1e-3)')", r#"{"srid":0,"wkt":"POINT(-1.5 0.001)"}"#)]),
    column(
        "LINESTRING",
        &[("ST_GeomFromText('LINESTRING(0 0,1 1,2 0)')", r#"{"srid":0,"wkt":"LINESTRING(0 0,1 1,2 0)"}"#)],
    ),
    column(
        "POLYGON",
        &[(
            "ST_GeomFromText('POLYGON((0 0,4 0,4 4,0 0),(1 0.5,2 0.5,2 1,1 0.5))')",
            r#"{"srid":0,"wkt":"POLYGON((0 0,4 0,4 4,0 0),(1 0.5,2 0.5,2 1,1 0.5))"}"#,
        )],
    ),
    column(
        "MULTIPOINT",
        &[("ST_GeomFromText('MULTIPOINT(1 1,2 2)')", r#"{"srid":0,"wkt":"MULTIPOINT((1 1),(2 2))"}"#)],
    ),
    column(
        "MULTILINESTRING",
        &[(
            "ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))')",
            r#"{"srid":0,"wkt":"MULTILINESTRING((0 0,1 1),(2 2,3 3))"}"#,
        )],
    ),
    column(
        "MULTIPOLYGON",
        &[(
            "ST_GeomFromText('MULTIPOLYGON(((0 0,4 0,4 4,0 0)))')",
            r#"{"srid":0,"wkt":"MULTIPOLYGON(((0 0,4 0,4 4,0 0)))"}"#,
        )],
    ),
    column(
        "GEOMETRYCOLLECTION",
        &[(
            "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))')",
            r#"{"srid":0,"wkt":"GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))"}"#,
        )],
    ),
    column_on(
        On::NOT_BEFORE_8_0,
        "GEOMETRYCOLLECTION NULL",
        &[("ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')", r#"{"srid":0,"wkt":"GEOMETRYCOLLECTION EMPTY"}"#)],
    ),
    column_on(
        On::MYSQL_FROM_8_0,
        "POINT SRID 4326",
        &[("ST_GeomFromText('POINT(51.5 -0.25)', 4326)", r#"{"srid":4326,"wkt":"POINT(51.5 -0.25)"}"#)],
    ),
];

pub const VECTORS: Section =
    Section { title: "VECTOR", text: "An array of 32-bit floats.", columns: VECTOR_COLUMNS };

const VECTOR_COLUMNS: &[Column] = &[
    column_on(
        On::MYSQL_9_7,
        "VECTOR(3)",
        &[("STRING_TO_VECTOR('[1,-2.5,3e38]')", "[1.0,-2.5,3e38]"), ("STRING_TO_VECTOR('[0.1]')", "[0.1]")],
    ),
    column_on(On::MARIADB_11_8, "VECTOR(3)", &[("VEC_FromText('[1,-2.5,0.1]')", "[1.0,-2.5,0.1]")]),
    column_on(On::MARIADB_11_8, "VECTOR(100) NOT NULL", &[("VEC_FromText('[«@×100»]')", "[«@.0×100»]")]),
];

pub const MARIADB: Section = Section {
    title: "What MariaDB alone has",
    text: "UUID and internet addresses are their usual text. A compressed column prints as an uncompressed one.",
    columns: MARIADB_COLUMNS,
};

const MARIADB_COLUMNS: &[Column] = &[
    column_on(
        On::MARIADB,
        "UUID",
        &[
            ("'00000000-0000-0000-0000-000000000000'", r#""00000000-0000-0000-0000-000000000000""#),
            ("'ffffffff-ffff-ffff-ffff-ffffffffffff'", r#""ffffffff-ffff-ffff-ffff-ffffffffffff""#),
            ("'6CCD780C-BABA-1026-9564-5B8C656024DB'", r#""6ccd780c-baba-1026-9564-5b8c656024db""#),
            ("'f81d4fae-7dec-41d0-a765-00a0c91e6bf6'", r#""f81d4fae-7dec-41d0-a765-00a0c91e6bf6""#),
            ("'017f22e2-79b0-7cc3-98c4-dc0c0c07398f'", r#""017f22e2-79b0-7cc3-98c4-dc0c0c07398f""#),
            ("'6ccd780c-baba-1026-9564-000000000000'", r#""6ccd780c-baba-1026-9564-000000000000""#),
            ("'12345678-0000-4000-8000-000000000000'", r#""12345678-0000-4000-8000-000000000000""#),
        ],
    ),
    column_on(
        On::MARIADB,
        "INET4",
        &[
            ("'0.0.0.0'", r#""0.0.0.0""#),
            ("'192.168.0.1'", r#""192.168.0.1""#),
            ("'10.0.0.0'", r#""10.0.0.0""#),
            ("'255.255.255.255'", r#""255.255.255.255""#),
        ],
    ),
    column_on(
        On::MARIADB,
        "INET6",
        &[
            ("'::'", r#""::""#),
            ("'::1'", r#""::1""#),
            ("'2001:db8::ff00:42:8329'", r#""2001:db8::ff00:42:8329""#),
            ("'2001:DB8::'", r#""2001:db8::""#),
            ("'::ffff:192.0.2.128'", r#""::ffff:192.0.2.128""#),
            ("'::192.0.2.128'", r#""::192.0.2.128""#),
            ("'::ffff:0:1'", r#""::ffff:0.0.0.1""#),
            ("'0:0:1:0:0:1:0:0'", r#""::1:0:0:1:0:0""#),
            ("'1:0:0:2:0:0:0:3'", r#""1:0:0:2::3""#),
            ("'1:0:2:3:4:5:6:7'", r#""1::2:3:4:5:6:7""#),
            ("'fe80::'", r#""fe80::""#),
        ],
    ),
    column_on(
        On::MARIADB,
        "VARCHAR(200) COMPRESSED CHARACTER SET utf8mb4",
        &[("''", r#""""#), ("'é'", r#""é""#), ("REPEAT('😀', 200)", "\"«😀×200»\"")],
    ),
    column_on(
        On::MARIADB,
        "VARCHAR(255) COMPRESSED CHARACTER SET latin1",
        &[("REPEAT('ü', 255)", "\"«ü×255»\"")],
    ),
    column_on(
        On::MARIADB,
        "VARBINARY(1000) COMPRESSED",
        &[("''", r#""""#), ("REPEAT(0x00, 999)", "\"«A×1332»\"")],
    ),
    column_on(
        On::MARIADB,
        "TEXT COMPRESSED CHARACTER SET latin1",
        &[("''", r#""""#), ("REPEAT('ü', 1000)", "\"«ü×1000»\"")],
    ),
    column_on(
        On::MARIADB,
        "LONGBLOB COMPRESSED",
        &[("0x00", r#""AA==""#), ("REPEAT(0x00, 100002)", "\"«A×133336»\"")],
    ),
];

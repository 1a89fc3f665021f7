//! Every character set, compared with the server's own conversion for every sequence that it can hold.

use std::fmt::Write;

use dumpa::value::charset::Charset;
use mysql::Conn;

use crate::common::*;

on_each_server! {
    fn every_character_is_the_servers_own(server) {
        let db = server.fresh_db("charset");
        let mut conn = db.conn();
        fill(&mut conn);
        let names: Vec<String> = conn.query_map("show character set", |row: mysql::Row| row.get(0).unwrap()).unwrap();
        assert!(names.len() >= 40);
        for name in names.iter().filter(|&name| name != "binary") {
            for source in sources(name) {
                compare(&mut conn, name, source);
            }
        }
    }

    fn every_collation_id_leads_to_its_character_set(server) {
        // MariaDB lists there which ids a collation has in which character set.
        let table = if server.is_mariadb() { "collation_character_set_applicability" } else { "collations" };
        let query = format!("select id, character_set_name from information_schema.{table} where id is not null");
        let ids: Vec<(u32, String)> = server.conn().query(query).unwrap();
        assert!(ids.len() > 200);
        for (id, name) in ids {
            let charset = Charset::by_name(&name).unwrap_or_else(|| panic!("no {name}"));
            assert_eq!(Charset::by_collation_id(id), Some(charset), "{id} is {name}");
        }
    }
}

/// Tables of byte sequences: `one` and `two` have all of one and two bytes, the others have what their names say.
fn fill(conn: &mut Conn) {
    // Keep this out of the binary log. A refused row must not end the statement.
    conn.query_drop("set sql_log_bin = 0, sql_mode = '', max_error_count = 0").unwrap();
    insert(conn, "one", (0..=u8::MAX).map(|byte| vec![byte]));
    conn.query_drop("create table two engine = MyISAM select concat(a.x, b.x) x from one a, one b").unwrap();
    conn.query_drop("create table three engine = MyISAM select concat(0x8f, x) x from two").unwrap();
    // Every 97th of GB 18030's four bytes: a prime, so that each of the four takes all its values.
    let four = (0..126 * 10 * 126 * 10).step_by(97).map(|n: u32| {
        let digit = |n: u32, base: u32| u8::try_from(base + n).unwrap();
        vec![
            digit(n / 12600, 0x81),
            digit(n / 1260 % 10, 0x30),
            digit(n / 10 % 126, 0x81),
            digit(n % 10, 0x30),
        ]
    });
    insert(conn, "four", four);
    let not_utf8 =
        [&b"\xe0\x9f\xbf"[..], b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80"];
    let utf8 = code_points().map(|c| c.to_string().into_bytes());
    insert(conn, "utf8", utf8.chain(not_utf8.map(<[u8]>::to_vec)));
    insert(conn, "utf32", code_points().map(|c| u32::from(c).to_be_bytes().to_vec()));
    let units = |c: char| c.encode_utf16(&mut [0; 2]).to_vec();
    insert(conn, "utf16", code_points().map(|c| units(c).into_iter().flat_map(u16::to_be_bytes).collect()));
    insert(conn, "utf16le", code_points().map(|c| units(c).into_iter().flat_map(u16::to_le_bytes).collect()));
}

/// A sample of all.
fn code_points() -> impl Iterator<Item = char> {
    (0..0x11_0000)
        .step_by(37)
        .chain([0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x1_0000, 0x10_ffff])
        .filter_map(char::from_u32)
}

fn insert(conn: &mut Conn, table: &str, sequences: impl Iterator<Item = Vec<u8>>) {
    conn.query_drop(format!("create table {table} (x varbinary(8)) engine = MyISAM")).unwrap();
    let mut statement = format!("insert into {table} values ");
    for sequence in sequences {
        write!(statement, "(x'{}'),", hex(&sequence)).unwrap();
    }
    statement.pop();
    conn.query_drop(statement).unwrap();
}

/// Which tables go through a character set.
fn sources(charset: &str) -> &'static [&'static str] {
    match charset {
        "big5" | "cp932" | "euckr" | "gb2312" | "gbk" | "sjis" | "ucs2" => &["one", "two"],
        "eucjpms" | "ujis" => &["one", "two", "three"],
        "gb18030" => &["one", "two", "four"],
        "utf16" => &["one", "two", "utf16"],
        "utf16le" => &["one", "two", "utf16le"],
        "utf32" => &["one", "two", "utf32"],
        "utf8" | "utf8mb3" | "utf8mb4" => &["one", "two", "utf8"],
        _ => &["one"],
    }
}

/// A sequence counts as the character set's own if a column of it takes the sequence as it is.
fn compare(conn: &mut Conn, name: &str, source: &str) {
    let charset = Charset::by_name(name).unwrap_or_else(|| panic!("no {name}"));
    let create =
        format!("create table t (x varbinary(8), c varchar(8) character set {name}) engine = MyISAM");
    conn.query_drop(create).unwrap();
    conn.query_drop(format!("insert ignore into t select x, x from {source}")).unwrap();
    let query = "select x, cast(c as binary) = x, cast(convert(c using utf8mb4) as binary) from t";
    let rows: Vec<(Vec<u8>, bool, Vec<u8>)> = conn.query(query).unwrap();
    conn.query_drop("drop table t").unwrap();
    let mut taken = 0;
    for (sequence, takes, servers) in rows {
        taken += u32::from(takes);
        let mut json = vec![b'"'];
        let ours = charset.escape(&sequence, &mut json).map(|()| {
            json.push(b'"');
            serde_json::from_slice::<String>(&json).expect("a JSON string")
        });
        match ours {
            Ok(ours) if takes => assert_eq!(ours.as_bytes(), servers, "{name} {}", hex(&sequence)),
            Ok(_) => assert!(is_read_anyway(charset, &sequence), "{name} {} is not refused", hex(&sequence)),
            Err(_) if takes => {
                assert!(is_no_text(charset, &sequence), "{name} {} is refused", hex(&sequence))
            }
            Err(_) => {}
        }
    }
    // Not every character set has characters of one, two and three bytes.
    let whole_space = matches!(source, "one" | "two" | "three");
    assert!(taken > 0 || whole_space, "{name} takes nothing of {source}");
}

/// What a column takes and dumpa refuses.
fn is_no_text(charset: Charset, sequence: &[u8]) -> bool {
    match charset {
        // MySQL takes the cell before the first katakana.
        Charset::Ujis | Charset::Eucjpms => sequence.starts_with(b"\x8e\xa0"),
        // Surrogates.
        Charset::Ucs2 => matches!(sequence, [0xd8..=0xdf, _]),
        Charset::Utf8mb3 | Charset::Utf8mb4 => matches!(sequence, [0xed, 0xa0..=0xbf, _]),
        _ => false,
    }
}

/// What a column refuses and dumpa reads.
fn is_read_anyway(charset: Charset, sequence: &[u8]) -> bool {
    match charset {
        // Other servers take it, and print a question mark.
        Charset::Ascii => !sequence.is_ascii(),
        // Four bytes of utf8mb4.
        Charset::Utf8mb3 => matches!(sequence, [0xf0..=0xf4, _, _, _]),
        _ => false,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

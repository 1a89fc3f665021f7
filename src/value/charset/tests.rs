use super::*;

/// As it stands in the JSON string.
fn escaped(charset: Charset, bytes: &[u8]) -> Result<String, Malformed> {
    let mut out = Vec::new();
    charset.escape(bytes, &mut out)?;
    Ok(String::from_utf8(out).expect("JSON is UTF-8"))
}

#[track_caller]
fn reads(charset: Charset, bytes: &[u8], expected: &str) {
    assert_eq!(escaped(charset, bytes).as_deref(), Ok(expected), "{} {bytes:02x?}", charset.name());
}

#[track_caller]
fn is_malformed(charset: Charset, bytes: &[u8]) {
    let malformed = escaped(charset, bytes).expect_err("bytes that are no text");
    assert_eq!(malformed.0, format!("a string is not valid {}", charset.name()));
}

#[test]
fn ascii_is_ascii_in_every_character_set_that_has_it_as_its_first_half() {
    let ascii: Vec<u8> = (0..0x80).collect();
    let mut expected = Vec::new();
    text::escape(&ascii, &mut expected);
    let expected = String::from_utf8(expected).unwrap();
    let others = [Charset::Swe7, Charset::Ucs2, Charset::Utf16, Charset::Utf16le, Charset::Utf32];
    for &charset in ALL.iter().filter(|charset| !others.contains(charset)) {
        reads(charset, &ascii, &expected);
        reads(charset, b"", "");
    }
    reads(Charset::Swe7, b"@[\\]^`{|}~\x7f\n\"", "ÉÄÖÅÜéäöåü?\\n\\\"");
}

#[test]
fn the_same_word_in_many_character_sets() {
    reads(Charset::Latin1, b"caf\xe9 \x80 \x81 \"", "café € \u{81} \\\"");
    reads(Charset::Koi8r, b"\xed\xc9\xd2", "Мир");
    reads(Charset::Cp1251, b"\xcc\xe8\xf0", "Мир");
    reads(Charset::Cp1250, b"\x81\x8a", "?Š");
    reads(Charset::Ascii, b"a\xe9", "a?");
    reads(Charset::Big5, b"\xa4\xa4x\xa4\xe5", "中x文");
    reads(Charset::Gbk, b"\xd6\xd0x\xce\xc4", "中x文");
    reads(Charset::Gb2312, b"\xd6\xd0\xa1\xa4", "中・");
    reads(Charset::Gb18030, b"\xd6\xd0\x94\x39\xda\x33\n", "中💩\\n");
    reads(Charset::Euckr, b"\xc7\xd1", "한");
    reads(Charset::Sjis, b"\x93\xfa\xb1A", "日ｱA");
    reads(Charset::Cp932, b"\x93\xfa\xb1\x87\x40", "日ｱ①");
    reads(Charset::Ujis, b"\xc6\xfc\x8e\xb1\x8f\xb0\xa1\xf5\xa1", "日ｱ丂\u{e000}");
    reads(Charset::Eucjpms, b"\xc6\xfc\x8f\xf3\xf3\xad\xa1", "日ⅰ①");
    reads(Charset::Ucs2, b"\x04\x1c\x00\"", "М\\\"");
    reads(Charset::Utf16, b"\xd8\x3d\xde\x00\x00a", "😀a");
    reads(Charset::Utf16le, b"\x3d\xd8\x00\xdea\x00", "😀a");
    reads(Charset::Utf32, b"\x00\x01\xf6\x00\x00\x00\x00\\", "😀\\\\");
    reads(Charset::Utf8mb3, "é\"".as_bytes(), "é\\\"");
    reads(Charset::Utf8mb4, "😀\u{1}".as_bytes(), "😀\\u0001");
}

#[test]
fn a_backslash_that_is_no_ascii_byte_is_escaped() {
    reads(Charset::Sjis, b"\x81\x5f", "\\\\");
    reads(Charset::Ujis, b"\xa1\xc0", "\\\\");
    // The second byte is a backslash in these, and means none.
    reads(Charset::Cp932, b"\x83\x5c", "ソ");
    reads(Charset::Big5, b"\xa5\x5c", "功");
}

#[test]
fn half_a_character_is_malformed() {
    use Charset::*;
    for charset in [Big5, Cp932, Eucjpms, Euckr, Gb18030, Gb2312, Gbk, Sjis, Ujis] {
        is_malformed(charset, b"ab\xe6");
        is_malformed(charset, b"\xff\xff");
    }
    is_malformed(Ujis, b"\x8f\xb0");
    is_malformed(Ujis, b"\x8e\xa0");
    is_malformed(Gb18030, b"\x94\x39\xda");
    is_malformed(Gb18030, b"\x94\x39");
    is_malformed(Utf8mb3, b"\xc3");
    is_malformed(Utf8mb4, b"\xf0\x9f\x98");
    is_malformed(Binary, b"\xff");
    is_malformed(Ucs2, b"\0a\0");
    is_malformed(Utf16, b"\0a\0");
    is_malformed(Utf16le, b"a\0a");
    is_malformed(Utf32, b"\0\0\0");
}

#[test]
fn a_surrogate_is_no_character() {
    is_malformed(Charset::Ucs2, b"\xd8\x3d");
    is_malformed(Charset::Ucs2, b"\xd8\x3d\xde\x00");
    is_malformed(Charset::Utf16, b"\xd8\x3d\0a");
    is_malformed(Charset::Utf16le, b"\x00\xde");
    is_malformed(Charset::Utf32, b"\0\0\xd8\x3d");
    is_malformed(Charset::Utf32, b"\0\x11\0\0");
    is_malformed(Charset::Utf8mb3, b"\xed\xa0\xbd");
    is_malformed(Charset::Utf8mb4, b"\xed\xa0\xbd\xed\xb8\x80");
}

#[test]
fn no_bytes_whatever_cause_a_panic_or_spoil_the_string() {
    let mut state: u32 = 1;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let mut out = Vec::new();
    for &charset in ALL {
        for round in 0..2000 {
            let length = random() % 12;
            // Half of them with a good chance of being well-formed.
            let floor = if round % 2 == 0 { 0 } else { 0xa1 };
            let bytes: Vec<u8> = (0..length).map(|_| random() | floor).collect();
            out.clear();
            out.push(b'"');
            if charset.escape(&bytes, &mut out).is_ok() {
                out.push(b'"');
                serde_json::from_slice::<String>(&out)
                    .unwrap_or_else(|why| panic!("{} {bytes:02x?}: {why}", charset.name()));
            }
        }
    }
}

#[test]
fn names_and_ids() {
    for &charset in ALL {
        assert_eq!(Charset::by_name(charset.name()), Some(charset));
        assert_eq!(charset.is_binary(), charset.name() == "binary");
        assert!((1..1024).any(|id| Charset::by_collation_id(id) == Some(charset)), "{}", charset.name());
    }
    assert_eq!(Charset::by_name("utf8"), Some(Charset::Utf8mb3));
    assert_eq!(Charset::by_name("UTF8MB4"), Some(Charset::Utf8mb4));
    assert_eq!(Charset::by_name("utf"), None);
    assert_eq!(Charset::by_collation_id(255), Some(Charset::Utf8mb4));
    assert_eq!(Charset::by_collation_id(1024 + 8), Some(Charset::Latin1));
    assert_eq!(Charset::by_collation_id(2304), Some(Charset::Utf8mb4));
    for unknown in [0, 17, 100, 1024, 3328, u32::MAX] {
        assert_eq!(Charset::by_collation_id(unknown), None);
    }
}

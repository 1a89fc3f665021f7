use super::super::{ByteStrings, Documents};
use super::*;

/// Documents that MySQL 9.7 logged, and its text of them.
const LOGGED: [(&str, &str); 3] = [
    (
        "0004006800200000002000010021000100220002000224000501000028000239006162626200000400010011\
         000b0002000c0d00c3a90371220a07002f000501000b19000400000401000c21000723000a27000000000000\
         000040017890eefeffffffffffffffffff",
        r#"{"": [], "a": 1, "b": {"é": "q\"\n"}, "bb": [1, 2.0, null, true, "x", -70000, 18446744073709551615]}"#,
    ),
    (
        "02070051000f19000f22000f2c000f36000f40000f44000f4700f6070b027ffffff3cd0a0800000000001e95\
         190b08ffffff0591cbffff0c08c0d40119761f95190f02cafe0f01050c083f420ffb7efff37e",
        r#"[-12.50, "2015-01-15", "-838:59:58.000001", "2015-01-15 23:24:25.120000", "base64:type15:yv4=", "base64:type15:BQ==", "9999-12-31 23:59:59.999999"]"#,
    ),
    ("0202001b00050100020a0002001100050200020a0001000700050300", "[1, [2, [3]]]"),
];

fn hex(digits: &str) -> Vec<u8> {
    let value = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(value).collect()
}

fn binary(doc: &[u8]) -> Result<String, Malformed> {
    let mut out = Vec::new();
    let result = write_binary(doc, Documents::default(), &mut out);
    assert!(result.is_ok() || out.is_empty(), "half a value is left");
    result.map(|()| String::from_utf8(out).unwrap())
}

fn text(json: &str) -> Result<String, Malformed> {
    let mut out = Vec::new();
    let result = write_text(json.as_bytes(), &mut out);
    assert!(result.is_ok() || out.is_empty(), "half a value is left");
    result.map(|()| String::from_utf8(out).unwrap())
}

fn with_diffs(before: &[u8], diffs: &[u8]) -> Result<String, Malformed> {
    let mut out = Vec::new();
    write_with_diffs(before, diffs, Documents::default(), &mut out).map(|()| String::from_utf8(out).unwrap())
}

/// An array in the small or the large form, of values that are not inlined: a type and its bytes each.
fn array(large: bool, values: &[(u8, &[u8])]) -> Vec<u8> {
    let word = |n: usize| n.to_le_bytes()[..if large { 4 } else { 2 }].to_vec();
    let header = word(0).len() * 2 + values.len() * (word(0).len() + 1);
    let (mut entries, mut data) = (Vec::new(), Vec::new());
    for (kind, bytes) in values {
        entries.push(*kind);
        entries.extend(word(header + data.len()));
        data.extend(*bytes);
    }
    [vec![2 + u8::from(large)], word(values.len()), word(header + data.len()), entries, data].concat()
}

#[test]
fn both_forms_of_a_logged_document_give_the_same_bytes() {
    for (doc, shown) in LOGGED {
        assert_eq!(binary(&hex(doc)), text(shown));
    }
    assert_eq!(text("[1, [2, [3]]]").unwrap(), "[1,[2,[3]]]");
    assert_eq!(binary(b"").unwrap(), "null");
    assert_eq!(text("").unwrap(), "null");
}

#[test]
fn a_document_cut_short_anywhere_is_malformed() {
    for (doc, shown) in LOGGED {
        let doc = hex(doc);
        for len in 1..doc.len() {
            assert!(binary(&doc[..len]).is_err(), "{shown} cut to {len} bytes");
        }
        for (len, _) in shown.char_indices().skip(1) {
            assert!(text(&shown[..len]).is_err(), "{}", &shown[..len]);
        }
    }
}

#[test]
fn a_damaged_document_neither_panics_nor_grows() {
    for (doc, _) in LOGGED {
        let doc = hex(doc);
        for at in 0..doc.len() {
            for byte in 0..=255 {
                let mut damaged = doc.clone();
                damaged[at] = byte;
                let shown = binary(&damaged).unwrap_or_default();
                assert!(shown.len() < 30 * doc.len(), "{shown}");
                assert!(shown.is_empty() || text(&shown).unwrap() == shown, "{shown}");
                let _ = with_diffs(&doc, &damaged);
                let _ = with_diffs(&damaged, b"\x00\x06$.bb[0\x02\x04\x01");
            }
        }
    }
}

#[test]
fn every_number_is_printed_at_its_own_width() {
    for (kind, bytes, shown) in [
        (5, &b"\x00\x80"[..], "-32768"),
        (6, b"\xff\xff", "65535"),
        (7, b"\x00\x00\x00\x80", "-2147483648"),
        (8, b"\xff\xff\xff\xff", "4294967295"),
        (9, b"\x00\x00\x00\x00\x00\x00\x00\x80", "-9223372036854775808"),
        (10, b"\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
    ] {
        assert_eq!(binary(&[&[kind], bytes].concat()).unwrap(), shown);
    }
    // The large form inlines four bytes, the small one two.
    let large = [&b"\x03\x02\0\0\0\x12\0\0\0"[..], b"\x07\x70\x11\x01\0", b"\x08\xff\xff\xff\xff"];
    assert_eq!(binary(&large.concat()).unwrap(), "[70000,4294967295]");
    assert!(binary(&[&b"\x0b"[..], &f64::NAN.to_le_bytes()].concat()).is_err());
}

#[test]
fn doubles_are_printed_as_the_server_prints_them() {
    for (value, shown) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (-2.5, "-2.5"),
        (0.1, "0.1"),
        (1e14, "100000000000000.0"),
        (1e15, "1e15"),
        (1e16, "1e16"),
        (123456789012345.0, "123456789012345.0"),
        (1234567890123456.0, "1.234567890123456e15"),
        (1234567890123456.7, "1234567890123456.8"),
        (12345678901234568.0, "1.2345678901234568e16"),
        (1e22, "1e22"),
        (1e-15, "0.000000000000001"),
        (1e-16, "1e-16"),
        (-1.2345678901234568e-15, "-0.0000000000000012345678901234568"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e308"),
    ] {
        assert_eq!(binary(&[&b"\x0b"[..], &value.to_le_bytes()].concat()).unwrap(), shown);
    }
}

#[test]
fn strings_of_every_length_of_length() {
    for len in [0, 1, 127, 128, 16_383, 16_384, 70_000] {
        let mut size = Vec::new();
        let mut rest = len;
        while rest > 127 {
            size.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        size.push(rest as u8);
        let string = "s".repeat(len);
        let doc = array(true, &[(12, &[&size[..], string.as_bytes()].concat())]);
        assert_eq!(binary(&doc).unwrap(), format!("[\"{string}\"]"));
    }
    assert!(binary(b"\x0c\xff\xff\xff\xff\xff\x00").is_err());
    assert!(binary(b"\x0c\x01\xff").is_err(), "not UTF-8");
}

#[test]
fn base64_is_broken_into_lines_as_the_server_does() {
    let doc = [&b"\x0f\xfc\x3a"[..], &[b'x'; 58]].concat();
    let line = "eHh4".repeat(19);
    assert_eq!(binary(&doc).unwrap(), format!("\"base64:type252:{line}\\neA==\""));
    assert_eq!(binary(b"\x0f\x10\x00").unwrap(), "\"base64:type16:\"");
    for (byte_strings, wanted) in [
        (ByteStrings::Plain, Some("\"é\"")),
        (ByteStrings::Base64, Some("\"base64:type253:w6k=\"")),
        (ByteStrings::Either, None),
    ] {
        let mut out = Vec::new();
        let documents = Documents { byte_strings, ..Documents::default() };
        let written = write_binary(b"\x0f\xfd\x02\xc3\xa9", documents, &mut out);
        assert_eq!(written.ok().map(|()| String::from_utf8(out).unwrap()).as_deref(), wanted);
    }
}

#[test]
fn opaque_values_that_cannot_be_are_malformed() {
    // The scale is beyond the precision; a group holds too much; a byte is missing; a month of 99.
    for doc in [
        &b"\x0f\xf6\x03\x01\x02\x80"[..],
        b"\x0f\xf6\x03\x01\x00\xff",
        b"\x0f\xf6\x03\x05\x00\x80",
        b"\x0f\x0a\x07\0\0\0\0\0\0\0",
        b"\x0f\x0c\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
    ] {
        assert!(binary(doc).is_err(), "{doc:?}");
    }
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth| {
        let mut doc = b"\x02\x00\x00\x04\x00".to_vec();
        for _ in 1..depth {
            doc = array(false, &[(2, &doc[1..])]);
        }
        doc
    };
    let brackets = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(binary(&nested(100)).unwrap(), brackets(100));
    assert_eq!(binary(&nested(MAX_DEPTH)).unwrap(), brackets(MAX_DEPTH));
    assert_eq!(binary(&nested(MAX_DEPTH + 1)), Err(TOO_DEEP));
    assert!(text(&brackets(MAX_DEPTH)).is_ok());
    assert_eq!(text(&brackets(MAX_DEPTH + 1)), Err(TOO_DEEP));
    assert!(text(&"[".repeat(1 << 20)).is_err());
}

/// Twenty arrays, each holding the next twice, would print a million.
#[test]
fn values_that_overlap_are_malformed() {
    let mut doc = b"\x02\x00\x00\x04\x00".to_vec();
    for _ in 0..20 {
        let size = (10 + doc.len() - 1) as u16;
        let header = [&b"\x02\x02\0"[..], &size.to_le_bytes(), b"\x02\x0a\0\x02\x0a\0"].concat();
        doc = [&header, &doc[1..]].concat();
    }
    assert!(binary(&doc).is_err());
    assert!(binary(b"\x02\x01\x00\x07\x00\x02\x00\x00").is_err(), "an array within itself");
}

#[test]
fn text_is_compacted_and_escaped_in_one_way() {
    for (given, wanted) in [
        (" { \"a b\" : [ 1 , true ] ,\n\t\"c\": { } } ", r#"{"a b":[1,true],"c":{}}"#),
        (r#""\u0041\/\u00e9\ud83d\ude00\u2028\"\\""#, "\"A/é😀\u{2028}\\\"\\\\\""),
        (r#""\b\f\n\r\t\u0008\u000A\u0001\u001F""#, r#""\b\f\n\r\t\b\n\u0001\u001f""#),
        ("\"tab\there\"", r#""tab\there""#),
        (r#""\uD83D \ude00 \ud83d\u0041""#, r#""\ud83d \ude00 \ud83dA""#),
        ("[1E5,-0.50,0,10e+2,1.0e-7]", "[1E5,-0.50,0,10e+2,1.0e-7]"),
        ("null", "null"),
        ("false", "false"),
    ] {
        assert_eq!(text(given).unwrap(), wanted);
    }
}

#[test]
fn what_is_not_json_is_malformed() {
    for given in [
        " ",
        "nul",
        "nulll",
        "1 2",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "[1,]",
        "[,]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{1:2}",
        "[1 2]",
        "[1}",
        "\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud83d\\u1\"",
        "'a'",
        "NaN",
    ] {
        assert!(text(given).is_err(), "{given}");
    }
    assert!(write_text(b"\"\xff\"", &mut Vec::new()).is_err());
}

fn diff(operation: u8, path: &str, value: Option<&[u8]>) -> Vec<u8> {
    let mut diff = vec![operation, path.len() as u8];
    diff.extend(path.bytes());
    if let Some(value) = value {
        diff.push(value.len() as u8);
        diff.extend(value);
    }
    diff
}

#[test]
fn diffs_change_what_their_paths_name() {
    let before = hex(LOGGED[0].0);
    let (one, string) = (&b"\x05\x01\x00"[..], &b"\x0c\x03new"[..]);
    let replace = |path, value| diff(0, path, Some(value));
    let insert = |path, value| diff(1, path, Some(value));
    let remove = |path| diff(2, path, None);
    let cut = remove("$.bb");
    for (diffs, wanted) in [
        (vec![], r#"{"":[],"a":1,"b":{"é":"q\"\n"},"bb":[1,2.0,null,true,"x",-70000,18446744073709551615]}"#),
        ([&cut[..], &replace("$.b", string)].concat(), r#"{"":[],"a":1,"b":"new"}"#),
        ([&cut[..], &replace("$.b.é", one)].concat(), r#"{"":[],"a":1,"b":{"é":1}}"#),
        ([&cut[..], &insert("$.\"\"[0]", one)].concat(), r#"{"":[1],"a":1,"b":{"é":"q\"\n"}}"#),
        (
            [&cut[..], &remove("$.b"), &insert("$.\"x\\\" \\u0041\"", one), &insert("$.B", one)].concat(),
            r#"{"":[],"B":1,"a":1,"x\" A":1}"#,
        ),
        (
            [
                remove("$.bb[last-5]"),
                remove("$.bb[4]"),
                insert("$.bb[99]", string),
                insert("$.bb[last-9]", one),
            ]
            .concat(),
            r#"{"":[],"a":1,"b":{"é":"q\"\n"},"bb":[1,1,null,true,"x",18446744073709551615,"new"]}"#,
        ),
    ] {
        assert_eq!(with_diffs(&before, &diffs).unwrap(), wanted);
    }
}

#[test]
fn diffs_that_do_not_fit_are_malformed() {
    let before = hex(LOGGED[0].0);
    let one = &b"\x05\x01\x00"[..];
    for diffs in [
        diff(0, "$.nope", Some(one)),
        diff(0, "$.bb[7]", Some(one)),
        diff(0, "$.a.b", Some(one)),
        diff(0, "$", Some(one)),
        diff(1, "$.a", Some(one)),
        diff(1, "$[0]", Some(one)),
        diff(2, "$.bb[last-7]", None),
        diff(2, "$.bb.a", None),
        diff(3, "$.a", None),
        diff(2, "a", None),
        diff(2, "$.", None),
        diff(2, "$.*", None),
        diff(2, "$.bb[*]", None),
        diff(2, "$.bb[1", None),
        diff(2, "$.bb[-1]", None),
        diff(2, "$.\"a", None),
    ] {
        assert!(with_diffs(&before, &diffs).is_err(), "{:?}", String::from_utf8_lossy(&diffs));
    }
    let whole = diff(0, "$.a", Some(one));
    for len in 1..whole.len() {
        assert!(with_diffs(&before, &whole[..len]).is_err(), "cut to {len} bytes");
    }
}

/// Each diff puts an object into the one before: no path is long, yet the document gets deep.
#[test]
fn diffs_cannot_nest_without_end() {
    let object = &b"\x00\x00\x00\x04\x00"[..];
    let mut diffs = Vec::new();
    for depth in 1..=MAX_DEPTH + 50 {
        let path = format!("${}", ".a".repeat(depth));
        diffs.extend([1, 252]);
        diffs.extend((path.len() as u16).to_le_bytes());
        diffs.extend(path.bytes());
        diffs.push(object.len() as u8);
        diffs.extend(object);
    }
    assert_eq!(with_diffs(object, &diffs), Err(TOO_DEEP));
}

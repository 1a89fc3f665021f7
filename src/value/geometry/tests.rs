use super::*;

fn shown(bytes: &[u8], axes: Axes) -> Result<String, Malformed> {
    let mut out = Vec::new();
    let result = write(bytes, axes, &mut out);
    assert!(result.is_ok() || out.is_empty(), "half a value is left");
    result.map(|()| String::from_utf8(out).unwrap())
}

fn wkt(wkb: &[u8]) -> Result<String, Malformed> {
    let shown = shown(&[&[0; 4], wkb].concat(), Axes::AsStored)?;
    let inner = shown.strip_prefix(r#"{"srid":0,"wkt":""#).and_then(|rest| rest.strip_suffix(r#""}"#));
    Ok(inner.unwrap().to_owned())
}

fn head(kind: u8) -> Vec<u8> {
    vec![1, kind, 0, 0, 0]
}

fn count(count: usize, parts: &[Vec<u8>]) -> Vec<u8> {
    [(count as u32).to_le_bytes().to_vec(), parts.concat()].concat()
}

/// A geometry of a kind, of parts that are counted.
fn of(kind: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    [head(kind), count(parts.len(), parts)].concat()
}

fn at(x: f64, y: f64) -> Vec<u8> {
    [x.to_le_bytes(), y.to_le_bytes()].concat()
}

fn point(x: f64, y: f64) -> Vec<u8> {
    [head(1), at(x, y)].concat()
}

fn ring() -> Vec<u8> {
    count(4, &[at(0., 0.), at(4., 0.), at(4., 4.), at(0., 0.)])
}

fn samples() -> Vec<(Vec<u8>, &'static str)> {
    let line = of(2, &[at(0., 0.), at(1.5, -2.)]);
    vec![
        (point(1., 2.), "POINT(1 2)"),
        (line.clone(), "LINESTRING(0 0,1.5 -2)"),
        (of(3, &[ring(), ring()]), "POLYGON((0 0,4 0,4 4,0 0),(0 0,4 0,4 4,0 0))"),
        (of(4, &[point(1., 1.), point(2., 2.)]), "MULTIPOINT((1 1),(2 2))"),
        (of(5, &[line.clone(), line.clone()]), "MULTILINESTRING((0 0,1.5 -2),(0 0,1.5 -2))"),
        (of(6, &[of(3, &[ring()])]), "MULTIPOLYGON(((0 0,4 0,4 4,0 0)))"),
        (of(7, &[]), "GEOMETRYCOLLECTION EMPTY"),
        (
            of(7, &[point(1., 2.), of(7, &[]), of(7, &[of(4, &[point(3., 4.)]), line])]),
            "GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION EMPTY,\
             GEOMETRYCOLLECTION(MULTIPOINT((3 4)),LINESTRING(0 0,1.5 -2)))",
        ),
        // MariaDB stores these; its own text of them is not WKT.
        (of(2, &[]), "LINESTRING EMPTY"),
        (of(3, &[count(0, &[])]), "POLYGON(EMPTY)"),
        (of(4, &[]), "MULTIPOINT EMPTY"),
    ]
}

#[test]
fn every_kind_prints_as_st_as_text_does() {
    for (wkb, text) in samples() {
        assert_eq!(wkt(&wkb).unwrap(), text);
    }
}

#[test]
fn coordinates_are_as_short_as_the_server_makes_them() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1e14, "100000000000000"),
        (1e15, "1e15"),
        (1.2345678901234568e17, "1.2345678901234568e17"),
        (0.0001, "0.0001"),
        (1e-15, "0.000000000000001"),
        (1e-16, "1e-16"),
        (0.00000047683715820312495, "0.00000047683715820312495"),
        (1.0050361790930034e-8, "1.0050361790930034e-8"),
        (-1.0042713184635678e-7, "-1.0042713184635678e-7"),
        (-0.0000075168580366001896, "-0.0000075168580366001896"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        assert_eq!(wkt(&point(value, 1.)).unwrap(), format!("POINT({text} 1)"));
    }
}

/// What MySQL 9.7 stores for POINT(1 2) with these SRIDs, and prints.
#[test]
fn mysql_8_prints_the_latitude_first_where_the_system_says_so() {
    for (srid, x, y) in [(0u32, 1., 2.), (3857, 1., 2.), (4326, 2., 1.), (4312, 2., 1.), (7035, 1., 2.)] {
        let bytes = [&srid.to_le_bytes()[..], &point(x, y)].concat();
        let wanted = format!(r#"{{"srid":{srid},"wkt":"POINT(1 2)"}}"#);
        assert_eq!(shown(&bytes, Axes::BySrid).unwrap(), wanted);
        let wanted = format!(r#"{{"srid":{srid},"wkt":"POINT({x} {y})"}}"#);
        assert_eq!(shown(&bytes, Axes::AsStored).unwrap(), wanted);
    }
    let swapped: Vec<u32> = (0..10_000).filter(|&srid| Axes::BySrid.swaps(srid)).collect();
    assert_eq!((swapped.first(), swapped.last()), (Some(&3819), Some(&9140)));
    assert!(!Axes::BySrid.swaps(u32::MAX));
}

#[test]
fn a_geometry_cut_short_anywhere_is_malformed() {
    for (wkb, text) in samples() {
        for len in 0..wkb.len() {
            assert!(wkt(&wkb[..len]).is_err(), "{text} cut to {len} bytes");
        }
    }
    for len in 1..4 {
        assert!(shown(&[0; 4][..len], Axes::AsStored).is_err());
    }
    assert_eq!(shown(b"", Axes::AsStored).unwrap(), "null");
}

#[test]
fn a_damaged_geometry_does_not_panic() {
    for (wkb, _) in samples() {
        for at in 0..wkb.len() {
            for byte in 0..=255 {
                let mut damaged = wkb.clone();
                damaged[at] = byte;
                let _ = wkt(&damaged);
            }
        }
    }
    assert!(wkt(&of(4, &[of(2, &[at(0., 0.)])])).is_err(), "a line in a MULTIPOINT");
    assert!(wkt(&[0, 0, 0, 0, 1]).is_err(), "big-endian");
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth| {
        let mut wkb = of(7, &[]);
        for _ in 1..depth {
            wkb = of(7, &[wkb]);
        }
        wkb
    };
    assert!(wkt(&nested(MAX_DEPTH)).unwrap().starts_with("GEOMETRYCOLLECTION(GEOMETRYCOLLECTION("));
    assert!(wkt(&nested(MAX_DEPTH + 1)).is_err());
}

/// 5.6 and MariaDB store what comes after a geometry, and print as if it were not there.
#[test]
fn bytes_after_the_end_are_ignored() {
    assert_eq!(wkt(&[point(1., 2.), vec![255]].concat()).unwrap(), "POINT(1 2)");
}

//! Geometries: from the server's internal format to SRID and WKT.
//!
//! The internal format is four bytes of SRID, then WKB, all little-endian; row images and query results hold the same. The
//! text is that of MySQL 8's `ST_AsText` for every server: older ones and MariaDB omit the parentheses around the points of
//! a MULTIPOINT, and use exponents for other numbers.

pub mod axis;

use super::digits;
use super::json::number;
use crate::bytes::Malformed;

pub use axis::Axes;

/// How deep collections may nest: recursion must end.
const MAX_DEPTH: usize = 500;

/// The server's maximum width of a coordinate without exponent (measured).
const NUMBER_WIDTH: usize = 25;

const CUT: Malformed = Malformed("a geometry is cut short");

/// Appends `{"srid":4326,"wkt":"POINT(1 2)"}`. On an error `out` is as it was.
pub fn write(bytes: &[u8], axes: Axes, out: &mut Vec<u8>) -> Result<(), Malformed> {
    if bytes.is_empty() {
        // A NOT NULL column after INSERT IGNORE of NULL; ST_AsText gives NULL for it.
        out.extend_from_slice(b"null");
        return Ok(());
    }
    let start = out.len();
    let result = object(bytes, axes, out);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn object(bytes: &[u8], axes: Axes, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let (srid, wkb) = bytes.split_first_chunk().ok_or(CUT)?;
    let srid = u32::from_le_bytes(*srid);
    out.extend_from_slice(b"{\"srid\":");
    digits::unsigned(srid.into(), out);
    out.extend_from_slice(b",\"wkt\":\"");
    let mut reader = Reader { rest: wkb, swap: axes.swaps(srid), out };
    let kind = reader.header()?;
    // MySQL 5.6 and MariaDB store bytes after the geometry's end, and do not print them.
    reader.tagged(kind, 0)?;
    out.extend_from_slice(b"\"}");
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Point,
    LineString,
    Polygon,
    MultiPoint,
    MultiLineString,
    MultiPolygon,
    Collection,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Shape::Point => "POINT",
            Shape::LineString => "LINESTRING",
            Shape::Polygon => "POLYGON",
            Shape::MultiPoint => "MULTIPOINT",
            Shape::MultiLineString => "MULTILINESTRING",
            Shape::MultiPolygon => "MULTIPOLYGON",
            Shape::Collection => "GEOMETRYCOLLECTION",
        }
    }
}

struct Reader<'a, 'o> {
    rest: &'a [u8],
    /// The second coordinate is printed first.
    swap: bool,
    out: &'o mut Vec<u8>,
}

impl Reader<'_, '_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(CUT)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn number(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn header(&mut self) -> Result<Shape, Malformed> {
        if self.take()? != [1] {
            return Err(Malformed("a geometry is not little-endian"));
        }
        Ok(match self.number()? {
            1 => Shape::Point,
            2 => Shape::LineString,
            3 => Shape::Polygon,
            4 => Shape::MultiPoint,
            5 => Shape::MultiLineString,
            6 => Shape::MultiPolygon,
            7 => Shape::Collection,
            _ => return Err(Malformed("a geometry is of an unknown kind")),
        })
    }

    /// Prints the name of a shape and its parts. The header is read already.
    fn tagged(&mut self, kind: Shape, depth: usize) -> Result<(), Malformed> {
        self.out.extend_from_slice(kind.name().as_bytes());
        if kind != Shape::Point && self.rest.starts_with(&[0; 4]) {
            // EMPTY after a name has a space before it; elsewhere it has none.
            self.out.push(b' ');
        }
        self.body(kind, depth)
    }

    fn body(&mut self, kind: Shape, depth: usize) -> Result<(), Malformed> {
        match kind {
            Shape::Point => {
                self.out.push(b'(');
                self.point()?;
                self.out.push(b')');
                Ok(())
            }
            Shape::LineString => self.list(Self::point),
            Shape::Polygon => self.list(|reader| reader.list(Self::point)),
            Shape::MultiPoint => self.list(|reader| reader.member(Shape::Point, depth)),
            Shape::MultiLineString => self.list(|reader| reader.member(Shape::LineString, depth)),
            Shape::MultiPolygon => self.list(|reader| reader.member(Shape::Polygon, depth)),
            Shape::Collection if depth >= MAX_DEPTH => Err(Malformed("a geometry is nested too deep")),
            Shape::Collection => self.list(|reader| {
                let kind = reader.header()?;
                reader.tagged(kind, depth + 1)
            }),
        }
    }

    /// Prints a part of a multi-geometry. Its own header repeats the shape.
    fn member(&mut self, kind: Shape, depth: usize) -> Result<(), Malformed> {
        if self.header()? != kind {
            return Err(Malformed("a geometry has a part of another kind"));
        }
        self.body(kind, depth)
    }

    /// Reads a count, and so many items.
    fn list(&mut self, item: impl Fn(&mut Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        let count = self.number()?;
        if count == 0 {
            self.out.extend_from_slice(b"EMPTY");
            return Ok(());
        }
        for at in 0..count {
            self.out.push(if at == 0 { b'(' } else { b',' });
            item(self)?;
        }
        self.out.push(b')');
        Ok(())
    }

    fn point(&mut self) -> Result<(), Malformed> {
        let first = f64::from_le_bytes(self.take()?);
        let second = f64::from_le_bytes(self.take()?);
        let (first, second) = if self.swap { (second, first) } else { (first, second) };
        self.coordinate(first);
        self.out.push(b' ');
        self.coordinate(second);
        Ok(())
    }

    fn coordinate(&mut self, value: f64) {
        // Every server stores these from WKB. Printing them, 5.6 and MariaDB give 0, and 9.7 gives NULL.
        let word: &[u8] = if value.is_nan() {
            b"NaN"
        } else if value == f64::INFINITY {
            b"Infinity"
        } else if value == f64::NEG_INFINITY {
            b"-Infinity"
        } else {
            return number::write(value, NUMBER_WIDTH, self.out);
        };
        self.out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests;

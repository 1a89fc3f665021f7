//! Geometries: the server's internal bytes as a spatial reference system's number and WKT.
//!
//! The internal form is four bytes of SRID, then WKB, little-endian throughout; a row image and a
//! query's result hold the same. The text is what MySQL 8's `ST_AsText` prints, on every server:
//! older ones and MariaDB leave out the parentheses around a MULTIPOINT's points, and differ in when
//! a number gets an exponent.

pub mod axis;

use super::digits;
use super::json::number;
use crate::bytes::Malformed;

pub use axis::Axes;

/// How deep collections may nest: recursion must end.
const MAX_DEPTH: usize = 500;

/// The characters that the server gives a coordinate (measured: a longer one has an exponent).
const NUMBER_WIDTH: usize = 25;

const CUT: Malformed = Malformed("a geometry is cut short");

/// Appends `{"srid":4326,"wkt":"POINT(1 2)"}`. On an error `out` is as it was.
pub fn write(bytes: &[u8], axes: Axes, out: &mut Vec<u8>) -> Result<(), Malformed> {
    if bytes.is_empty() {
        // What a NOT NULL column holds after INSERT IGNORE of NULL; ST_AsText gives NULL for it.
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
    // MySQL 5.6 and MariaDB keep what a client sent after the geometry's end, and do not print it.
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

    /// The name of the kind and then its parts, after the header.
    fn tagged(&mut self, kind: Shape, depth: usize) -> Result<(), Malformed> {
        self.out.extend_from_slice(kind.name().as_bytes());
        if kind != Shape::Point && self.rest.starts_with(&[0; 4]) {
            // Between the name and the word stands a blank, which no other part has before it.
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

    /// A part of a multi-geometry: it has a header of its own, which says what the whole said.
    fn member(&mut self, kind: Shape, depth: usize) -> Result<(), Malformed> {
        if self.header()? != kind {
            return Err(Malformed("a geometry has a part of another kind"));
        }
        self.body(kind, depth)
    }

    /// A count, and so many of what `item` reads.
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
        // Every server stores these when WKB says so; printing them, 5.6 and MariaDB say 0 and 9.7 NULL.
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

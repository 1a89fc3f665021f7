//! Skipper over row images that nobody wants: their rows are counted, and nothing of them is decoded.

use crate::binlog::column_format::{ColumnFormat, Size};
use crate::bytes::Malformed;
use crate::bytes::{Bytes, any_bit, bit};

/// How to pass over the row images of some columns.
#[derive(Debug)]
pub struct Skipper {
    /// The columns, and the decimals of those that are old temporal ones.
    wires: Vec<(ColumnFormat, u8)>,
    /// The way past an image without a NULL: bytes, and how long the length is of a value behind them.
    steps: Vec<(usize, u8)>,
    /// Bytes behind the last such value.
    rest: usize,
}

impl Skipper {
    pub fn new(wires: Vec<(ColumnFormat, u8)>) -> Skipper {
        let (mut steps, mut rest) = (Vec::new(), 0);
        for (wire, old_decimals) in &wires {
            match wire.size(*old_decimals) {
                Size::Fixed(len) => rest += len,
                Size::Told { length_bytes } => steps.push((std::mem::take(&mut rest), length_bytes)),
            }
        }
        Skipper { wires, steps, rest }
    }

    pub fn column_count(&self) -> usize {
        self.wires.len()
    }

    /// Columns of JSON documents.
    pub fn documents(&self) -> usize {
        self.wires.iter().filter(|(wire, _)| wire.is_json()).count()
    }

    /// Only the columns of `present`.
    pub fn of_present(&self, present: &[u8]) -> Skipper {
        let all = self.wires.iter().enumerate();
        Skipper::new(all.filter(|(i, _)| bit(present, *i)).map(|(_, wire)| *wire).collect())
    }

    /// Moves past one image.
    #[inline]
    pub fn pass(&self, image: &mut Bytes<'_>) -> Result<(), Malformed> {
        let nulls = image.take(self.wires.len().div_ceil(8))?;
        if any_bit(nulls, self.wires.len()) {
            return self.pass_with_nulls(nulls, image);
        }
        for (len, length_bytes) in &self.steps {
            image.take(*len)?;
            let told = image.uint((*length_bytes).into())?;
            image.take(told as usize)?;
        }
        image.take(self.rest).map(|_| ())
    }

    fn pass_with_nulls(&self, nulls: &[u8], image: &mut Bytes<'_>) -> Result<(), Malformed> {
        for (i, (wire, old_decimals)) in self.wires.iter().enumerate() {
            if !bit(nulls, i) {
                wire.skip(image, *old_decimals)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_past_an_image_end_at_its_end() {
        let wires = [
            ColumnFormat::Int { bytes: 4 },
            ColumnFormat::Varchar { max: 300, compressed: false },
            ColumnFormat::String { max: 10 },
            ColumnFormat::Date,
            ColumnFormat::OldTime,
        ];
        let passing = Skipper::new(wires.iter().map(|wire| (*wire, 6)).collect());
        let values: [&[u8]; 5] = [&[1, 0, 0, 0], &[2, 0, b'a', b'b'], &[1, b'c'], &[1, 2, 3], &[0; 6]];
        // With the bits behind the last column's clear, and set.
        for nulls in 0..=u8::MAX {
            let mut image = vec![nulls];
            let there = values.iter().enumerate().filter(|(i, _)| nulls & 1 << i == 0);
            image.extend(there.flat_map(|(_, value)| *value));
            for cut in 1..=image.len() {
                let short = passing.pass(&mut Bytes(&image[..image.len() - cut]));
                assert!(short.is_err(), "{nulls:b} without {cut} bytes");
            }
            image.extend([7; 3]);
            let mut bytes = Bytes(&image);
            passing.pass(&mut bytes).unwrap();
            assert_eq!(bytes.rest(), [7; 3], "{nulls:b}");
        }
    }
}

//! Skips row images of tables that are not selected: rows are counted, and nothing is decoded.

use crate::binlog::column_format::{ColumnFormat, Size};
use crate::bytes::{Bytes, Malformed, any_bit, bit};

/// Skips row images of the same columns.
#[derive(Debug)]
pub struct Skipper {
    /// The columns, each with the decimals of an old temporal one.
    formats: Vec<(ColumnFormat, u8)>,
    /// How to skip an image without NULLs: skip so many bytes, then a value whose length has so many bytes.
    steps: Vec<(usize, u8)>,
    /// Bytes to skip after the last such value.
    rest: usize,
}

impl Skipper {
    pub fn new(formats: Vec<(ColumnFormat, u8)>) -> Skipper {
        let (mut steps, mut rest) = (Vec::new(), 0);
        for (format, old_decimals) in &formats {
            match format.size(*old_decimals) {
                Size::Fixed(len) => rest += len,
                Size::Prefixed { length_bytes } => steps.push((std::mem::take(&mut rest), length_bytes)),
            }
        }
        Skipper { formats, steps, rest }
    }

    pub fn column_count(&self) -> usize {
        self.formats.len()
    }

    /// The number of JSON columns.
    pub fn documents(&self) -> usize {
        self.formats.iter().filter(|(format, _)| format.is_json()).count()
    }

    /// A skipper for images of the columns `present`.
    pub fn of_present(&self, present: &[u8]) -> Skipper {
        let all = self.formats.iter().enumerate();
        Skipper::new(all.filter(|(i, _)| bit(present, *i)).map(|(_, format)| *format).collect())
    }

    /// Skips one image.
    #[inline]
    pub fn skip(&self, image: &mut Bytes<'_>) -> Result<(), Malformed> {
        let nulls = image.take(self.formats.len().div_ceil(8))?;
        if any_bit(nulls, self.formats.len()) {
            return self.skip_with_nulls(nulls, image);
        }
        for (len, length_bytes) in &self.steps {
            image.take(*len)?;
            let len = image.uint((*length_bytes).into())?;
            image.take(len as usize)?;
        }
        image.take(self.rest).map(|_| ())
    }

    fn skip_with_nulls(&self, nulls: &[u8], image: &mut Bytes<'_>) -> Result<(), Malformed> {
        for (i, (format, old_decimals)) in self.formats.iter().enumerate() {
            if !bit(nulls, i) {
                format.skip(image, *old_decimals)?;
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
        let formats = [
            ColumnFormat::Int { bytes: 4 },
            ColumnFormat::Varchar { max: 300, compressed: false },
            ColumnFormat::String { max: 10 },
            ColumnFormat::Date,
            ColumnFormat::OldTime,
        ];
        let skipper = Skipper::new(formats.iter().map(|format| (*format, 6)).collect());
        let values: [&[u8]; 5] = [&[1, 0, 0, 0], &[2, 0, b'a', b'b'], &[1, b'c'], &[1, 2, 3], &[0; 6]];
        // With the bits behind the last column's clear, and set.
        for nulls in 0..=u8::MAX {
            let mut image = vec![nulls];
            let there = values.iter().enumerate().filter(|(i, _)| nulls & 1 << i == 0);
            image.extend(there.flat_map(|(_, value)| *value));
            for cut in 1..=image.len() {
                let short = skipper.skip(&mut Bytes(&image[..image.len() - cut]));
                assert!(short.is_err(), "{nulls:b} without {cut} bytes");
            }
            image.extend([7; 3]);
            let mut bytes = Bytes(&image);
            skipper.skip(&mut bytes).unwrap();
            assert_eq!(bytes.rest(), [7; 3], "{nulls:b}");
        }
    }
}

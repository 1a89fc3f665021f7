//! Rows events: images read to lines, and skipped.
//!
//! The input is a byte for the server's version, one of choices (see `table_map`), the length of the body of a table map
//! in two bytes, that body, the type byte of a rows event, and its body.

use super::table_map::{Joined, TABLE_MAP, join};
use super::{bodies, valid_json};
use dumpa::binlog::event::{EventType, RowChange};
use dumpa::binlog::rows::{Rows, is_full};
use dumpa::binlog::table_map::TableMap;
use dumpa::bytes::{Bytes, Malformed};
use dumpa::row::layout::{Layout, RowError};
use dumpa::row::skip::Skipper;
use dumpa::tuple::{Content, NO_METADATA, Op, row};

/// How many images of an input are read: more would show nothing new.
const MAX_ROWS: usize = 2000;

pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (Ok(version), Ok(choices), Ok(len)) = (bytes.u8(), bytes.u8(), bytes.u16()) else { return };
    let version = bodies::version(version);
    let format = bodies::format(version, choices & 1 != 0);
    let Ok(map) = bytes.take(len.into()).and_then(|body| TableMap::parse(&format, TABLE_MAP, body)) else {
        return;
    };
    let (Ok(kind), Some(joined)) = (bytes.u8(), join(&map, version, choices)) else { return };
    let EventType::Rows(rows_kind) = EventType::of(kind) else { return };
    let mut inflated = Vec::new();
    let Ok(rows) = Rows::parse(&format, rows_kind, kind, bytes.rest(), &mut inflated) else { return };
    if rows.columns == joined.layout.column_count() && rows.columns > 0 {
        read(&rows, &joined);
    }
}

fn read(rows: &Rows<'_>, joined: &Joined) {
    let layout = &joined.layout;
    let whole = is_full(rows.before, rows.columns) && is_full(rows.after, rows.columns);
    let skippers = [rows.before, rows.after].map(|present| joined.skipper.of_present(present));
    let reader = Reader { rows, layout, whole, skippers, documents: joined.skipper.documents() };
    let mut image = Bytes(rows.data);
    for _ in 0..MAX_ROWS {
        if image.is_empty() {
            break;
        }
        let left = image.rest().len();
        let mut skipped = image;
        let skips = reader.skip(&mut skipped);
        match reader.row(&mut image) {
            Ok(()) => {
                assert_eq!(skips, Ok(()), "a row that can be read cannot be skipped");
                assert_eq!(skipped.rest().len(), image.rest().len(), "skipping and reading end apart");
            }
            Err(_) => break,
        }
        if image.rest().len() == left {
            break;
        }
    }
}

struct Reader<'a> {
    rows: &'a Rows<'a>,
    layout: &'a Layout,
    whole: bool,
    skippers: [Skipper; 2],
    documents: usize,
}

impl Reader<'_> {
    fn row(&self, image: &mut Bytes<'_>) -> Result<(), RowError> {
        let (mut content, mut before) = (Content::with_values(), Content::with_values());
        let (rows, inflated) = (self.rows, &mut Vec::new());
        let start = *image;
        match self.rows.kind.change {
            RowChange::Insert | RowChange::Delete => {
                let present = if rows.kind.change == RowChange::Insert { rows.after } else { rows.before };
                if self.whole {
                    self.layout.read(image, &mut content, inflated)?;
                    self.same_in_part(start, *image, &content)?;
                } else {
                    self.layout.read_present(image, present, None, &mut content, inflated)?;
                }
            }
            RowChange::Update => {
                if self.whole {
                    self.layout.read(image, &mut before, inflated)?;
                } else {
                    self.layout.read_present(image, rows.before, None, &mut before, inflated)?;
                }
                if rows.kind.partial_json {
                    self.layout.read_partial(start, image, rows, &mut content, inflated)?;
                } else if self.whole {
                    self.layout.read(image, &mut content, inflated)?;
                } else {
                    let rest = Some((start, rows.before));
                    self.layout.read_present(image, rows.after, rest, &mut content, inflated)?;
                }
                let mut changed = Vec::new();
                self.layout.write_changed(&before, &content, &mut changed);
                valid_json::check(&changed);
                self.line(&mut before);
            }
        }
        self.line(&mut content);
        Ok(())
    }

    /// A full image reads the same by the code for partial images, and its id by the code for ids.
    fn same_in_part(&self, start: Bytes<'_>, end: Bytes<'_>, content: &Content) -> Result<(), RowError> {
        let (mut image, mut part) = (start, Content::with_values());
        self.layout.read_present(&mut image, self.rows.after, None, &mut part, &mut Vec::new())?;
        assert_eq!(image.rest().len(), end.rest().len(), "an image ends where it is read in part");
        for i in 0..self.layout.column_count() {
            assert_eq!(part.value(i), content.value(i), "column {i}");
        }
        let (mut image, mut id) = (start, Content::default());
        self.layout.read_id(&mut image, &mut id, &mut Vec::new())?;
        assert_eq!(image.rest().len(), end.rest().len(), "an image ends where its id is read");
        assert!(id.same_id(content), "the id alone is another");
        Ok(())
    }

    fn line(&self, content: &mut Content) {
        let mut line = Vec::new();
        row(self.layout.prefixes.of(Op::Upsert), content, &mut line);
        line.extend_from_slice(NO_METADATA);
        assert_eq!(valid_json::check_lines(&line), 1);
    }

    fn skip(&self, image: &mut Bytes<'_>) -> Result<(), Malformed> {
        let [before, after] = &self.skippers;
        match self.rows.kind.change {
            RowChange::Insert => after.skip(image),
            RowChange::Delete => before.skip(image),
            RowChange::Update => {
                before.skip(image)?;
                if self.rows.kind.partial_json && image.lenenc()? & 1 != 0 {
                    image.take(self.documents.div_ceil(8))?;
                }
                after.skip(image)
            }
        }
    }
}

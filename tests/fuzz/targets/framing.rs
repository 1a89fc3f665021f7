//! Log files, cut into events.
//!
//! The input is a byte of choices and a log file without its magic bytes. Its lowest bit asks to correct the checksums
//! first, which no fuzzer finds; the other bits choose an event to begin at.

use anyhow::Result;

use super::{bodies, files};
use dumpa::binlog::event::{FLAG_IN_USE, FORMAT_DESCRIPTION, FormatDescription, HEADER_LEN};
use dumpa::source::entry::Entry;
use dumpa::source::event_queue::Batch;
use dumpa::source::files::LogFiles;
use dumpa::source::framing::{FIRST_OFFSET, Framer};
use dumpa::source::{Mode, Offsets, Source};

pub const MAGIC: &[u8] = b"\xfebin";

pub fn run(data: &[u8]) {
    let Some((choices, log)) = data.split_first() else { return };
    let mut log = log.to_vec();
    if choices & 1 == 0 {
        mend_checksums(&mut log);
    }
    let path = files::write("bin.000001", &[MAGIC, &log]);
    let mut source = LogFiles::new(vec![path]).expect("one file");
    let all = read(&mut source, FIRST_OFFSET).expect("the beginning of a file");
    let framed = frame(&all.0, FIRST_OFFSET, Offsets::OfFiles);
    if all.1 && framed.len() == all.0.len() {
        let end = framed.last().map_or(FIRST_OFFSET, |(_, end)| *end);
        assert_eq!(end, (MAGIC.len() + log.len()) as u64, "events do not add up to their file");
    }
    frame(&all.0, FIRST_OFFSET, Offsets::OfServer);
    let choice = framed.get(usize::from(choices >> 1) % framed.len().max(1));
    if let Some((_, start)) = choice {
        let rest = read(&mut source, *start).expect("an event begins there");
        let of_rest = frame(&rest.0, *start, Offsets::OfFiles);
        let places = |framed: &[(bool, u64)]| {
            framed
                .iter()
                .filter(|(early, end)| !early && end > start)
                .map(|(_, end)| *end)
                .collect::<Vec<_>>()
        };
        let (whole, rest) = (places(&framed), places(&of_rest));
        assert!(whole.starts_with(&rest) || rest.starts_with(&whole), "{whole:?} {rest:?} from {start}");
    }
}

/// The entries that a file yields from an offset on, and whether it ended without an error.
fn read(source: &mut LogFiles, offset: u64) -> Result<(Vec<Vec<u8>>, bool)> {
    let mut events = source.begin("bin.000001", offset, Mode::UntilEnd)?;
    let mut all = Vec::new();
    loop {
        let mut batch = Batch::default();
        let outcome = events.next(&mut batch);
        all.extend(batch.entries().map(|entry| match entry {
            Entry::Event(event) => [&[0], event].concat(),
            Entry::Preamble(event) => [&[1], event].concat(),
            Entry::File(name) => panic!("the file {name}, of one alone"),
        }));
        match outcome {
            Ok(true) => {}
            Ok(false) => return Ok((all, true)),
            Err(_) => return Ok((all, false)),
        }
    }
}

/// Frames events up to the first that is refused: for each, whether it comes from before the start, and its end.
fn frame(events: &[Vec<u8>], offset: u64, offsets: Offsets) -> Vec<(bool, u64)> {
    let mut framer = Framer::at("bin.000001", offset, offsets);
    let mut framed = Vec::new();
    for event in events {
        let Some((early, raw)) = event.split_first() else { continue };
        let before = framer.place().end;
        let entry = if *early == 1 { Entry::Preamble(raw) } else { Entry::Event(raw) };
        let Ok(Some(event)) = framer.frame(entry) else { break };
        let format = framer.format().clone();
        if format.checksum {
            assert!(is_sound(raw), "an event of a wrong checksum was accepted");
        }
        if offsets == Offsets::OfFiles {
            let place = framer.place();
            assert_eq!(place.start, before, "an event does not begin where the last one ended");
            let len = if *early == 1 { 0 } else { raw.len() as u64 };
            assert_eq!(place.end, before + len, "an event does not end behind its bytes");
        }
        bodies::read(&event, &format);
        framed.push((*early == 1, framer.place().end));
    }
    framed
}

/// The checksum of an event: of all bytes but its own, without the flag of a file in use.
fn checksum(raw: &[u8]) -> Option<[u8; 4]> {
    let (event, _) = raw.split_at_checked(raw.len().checked_sub(4).filter(|at| *at >= HEADER_LEN)?)?;
    let mut event = event.to_vec();
    if event.get(4) == Some(&FORMAT_DESCRIPTION) {
        *event.get_mut(17)? &= !(FLAG_IN_USE as u8);
    }
    Some(crc32fast::hash(&event).to_le_bytes())
}

fn is_sound(raw: &[u8]) -> bool {
    checksum(raw).is_some_and(|right| raw.ends_with(&right))
}

/// Makes the checksums of a log right, as far as its events are told apart.
pub fn mend_checksums(log: &mut [u8]) {
    let mut rest = log;
    let mut has_checksums = false;
    while let Some(len) = rest.get(9..13).and_then(|len| <[u8; 4]>::try_from(len).ok()) {
        let len = u32::from_le_bytes(len) as usize;
        if len < HEADER_LEN || len > rest.len() {
            return;
        }
        let (event, behind) = rest.split_at_mut(len);
        if event.get(4) == Some(&FORMAT_DESCRIPTION) {
            let format = FormatDescription::parse(event.get(HEADER_LEN..).unwrap_or_default());
            has_checksums = format.is_ok_and(|format| format.checksum);
        }
        if has_checksums
            && let Some(right) = checksum(event)
            && let Some(place) = event.last_chunk_mut()
        {
            *place = right;
        }
        rest = behind;
    }
}

//! Compressed transactions, events and columns. The input is a byte that says which, and its bytes.

use std::io::{Read, Write};

use flate2::read::{DeflateDecoder, ZlibDecoder};
use flate2::write::ZlibEncoder;

use super::bodies;
use dumpa::binlog::event::HEADER_LEN;
use dumpa::binlog::payload::Payload;
use dumpa::binlog::{compressed, query};

/// Inputs that inflate to more are not run: they really take that memory.
const MAX_INFLATED_BYTES: u64 = 4 << 20;

pub fn run(data: &[u8]) {
    let Some((choices, data)) = data.split_first() else { return };
    match choices % 8 {
        0 => opened(data, inflates_to_much(data)),
        // No compression; then zstd, made here so that the fuzzer need not.
        1 => opened(&[&[2, 1, 255, 0], data].concat(), false),
        2 => opened(&[&[2, 1, 0, 0][..], &zstd::encode_all(data, 1).expect("zstd")].concat(), false),
        3 => inflated(data),
        4 => deflated(data),
        5 if !deflates_to_much(data) => column(data),
        6 if !deflates_to_much(data) => {
            let _ = query::inflate(&bodies::format("10.11.14-MariaDB", false), data);
        }
        _ => {}
    }
}

fn opened(body: &[u8], too_much: bool) {
    if too_much {
        return;
    }
    let Ok(mut payload) = Payload::open(body) else { return };
    let mut events = 0;
    while let Ok(Some(event)) = payload.next_event() {
        assert_eq!(event.body.len() + HEADER_LEN, event.header.size as usize);
        events += 1;
        assert!(events <= MAX_INFLATED_BYTES, "more events than bytes");
    }
}

/// A compressed event.
fn inflated(data: &[u8]) {
    if !deflates_to_much(data) {
        let mut out = b"before".to_vec();
        let _ = compressed::event(data, &mut out);
    }
}

/// Inflating gives back what was compressed.
fn deflated(data: &[u8]) {
    let mut deflated = vec![0x84];
    deflated.extend((data.len() as u32).to_be_bytes());
    let mut encoder = ZlibEncoder::new(deflated, flate2::Compression::fast());
    encoder.write_all(data).expect("zlib");
    let deflated = encoder.finish().expect("zlib");
    let mut out = Vec::new();
    assert_eq!(compressed::event(&deflated, &mut out), Ok(()));
    assert_eq!(out, data);
    let mut out = Vec::new();
    assert_eq!(compressed::column(&deflated, &mut out), Ok(data));
}

fn column(data: &[u8]) {
    let mut out = Vec::new();
    let _ = compressed::column(data, &mut out);
}

fn is_more(inside: impl Read) -> bool {
    let mut bytes = 0;
    let mut inside = inside.take(MAX_INFLATED_BYTES + 1);
    let mut room = [0; 4096];
    while let Ok(read @ 1..) = inside.read(&mut room) {
        bytes += read as u64;
    }
    bytes > MAX_INFLATED_BYTES
}

/// At every place where its data may begin.
fn deflates_to_much(data: &[u8]) -> bool {
    (0..data.len().min(64)).any(|at| {
        let data = data.get(at..).unwrap_or_default();
        is_more(ZlibDecoder::new(data)) || is_more(DeflateDecoder::new(data))
    })
}

fn inflates_to_much(data: &[u8]) -> bool {
    let magic = [0x28, 0xb5, 0x2f, 0xfd];
    data.windows(4).enumerate().filter(|(_, bytes)| *bytes == magic).any(|(at, _)| {
        let data = data.get(at..).unwrap_or_default();
        zstd::stream::read::Decoder::with_buffer(data).is_ok_and(is_more)
    })
}

//! Compressed transactions (`binlog_transaction_compression`): an event that contains others.
//!
//! Source: MySQL's `control_events.h`, class `Transaction_payload_event`.

use std::io::{BufReader, Read};

use super::event::{Event, HEADER_LEN, Header};
use crate::bytes::{Bytes, Malformed};

const ZSTD: u64 = 0;
const NONE: u64 = 255;
/// The protocol's largest packet, so no server makes a larger event.
const MAX_EVENT_BYTES: usize = 1 << 30;
const BROKEN: Malformed = Malformed("its compressed events cannot be inflated");

/// The contained events, inflated one at a time.
pub struct Payload<'a> {
    inside: Box<dyn Read + 'a>,
    event: Vec<u8>,
}

impl<'a> Payload<'a> {
    pub fn open(body: &'a [u8]) -> Result<Payload<'a>, Malformed> {
        let mut bytes = Bytes(body);
        let mut compression = NONE;
        loop {
            match bytes.lenenc()? {
                0 => break,
                2 => compression = Bytes(bytes.lenenc_bytes()?).lenenc()?,
                _ => {
                    bytes.lenenc_bytes()?;
                }
            }
        }
        let inside: Box<dyn Read + 'a> = match compression {
            ZSTD => {
                let decoder = zstd::stream::read::Decoder::with_buffer(bytes.rest());
                Box::new(BufReader::new(decoder.map_err(|_| BROKEN)?))
            }
            NONE => Box::new(bytes.rest()),
            _ => return Err(Malformed("it has an unknown compression")),
        };
        Ok(Payload { inside, event: Vec::new() })
    }

    /// The next event. Contained events have no checksums.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, Malformed> {
        let mut head = [0u8; HEADER_LEN];
        let first = self.inside.read(&mut head[..1]).map_err(|_| BROKEN)?;
        if first == 0 {
            return Ok(None);
        }
        self.inside.read_exact(&mut head[1..]).map_err(|_| BROKEN)?;
        let header = Header::parse(&head)?;
        let len = (header.size as usize).checked_sub(HEADER_LEN).filter(|len| *len < MAX_EVENT_BYTES);
        let len = len.ok_or(Malformed("an event inside it has an impossible length"))?;
        self.event.clear();
        let read = (&mut self.inside).take(len as u64).read_to_end(&mut self.event);
        if read.ok() != Some(len) {
            return Err(BROKEN);
        }
        Ok(Some(Event { header, body: &self.event }))
    }
}

//! Goes through a part of the log beside the main reading: to look for something, or to read a transaction again.

use std::ops::ControlFlow;

use anyhow::Result;

use super::Events;
use super::event_queue::Batch;
use super::framing::Framer;
use crate::binlog::event::Event;

/// Frames the events and hands each to `each`, until that breaks or there are no more: then the result is `None`. `each` is
/// also asked before events are waited for, without one.
pub fn scan<T>(
    events: &mut dyn Events,
    framer: &mut Framer,
    mut each: impl FnMut(Option<&Event<'_>>, &Framer) -> Result<ControlFlow<T>>,
) -> Result<Option<T>> {
    let mut batch = Batch::default();
    loop {
        if let ControlFlow::Break(found) = each(None, framer)? {
            return Ok(Some(found));
        }
        batch.clear();
        let more = events.next(&mut batch)?;
        for entry in batch.entries() {
            let Some(event) = framer.frame(entry)? else { continue };
            if let ControlFlow::Break(found) = each(Some(&event), framer)? {
                return Ok(Some(found));
            }
        }
        if !more {
            return Ok(None);
        }
    }
}

/// Breaks if `stop`.
pub fn stop_if(stop: bool) -> ControlFlow<()> {
    if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

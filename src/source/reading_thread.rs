//! The thread that reads events while another works on them.

use std::thread;

use anyhow::Result;

use super::Events;
use super::event_queue::{Consumer, Next, Producer, event_queue};

/// Reads on another thread.
pub fn spawn(mut events: Box<dyn Events>) -> Consumer {
    let (mut producer, consumer) = event_queue();
    // Not joined: at the end of the run it may be blocked in a read. It ends with the process.
    thread::spawn(move || {
        let end = read_all(events.as_mut(), &mut producer);
        producer.finish(end);
    });
    consumer
}

fn read_all(events: &mut dyn Events, producer: &mut Producer) -> Result<()> {
    while events.next(producer)? {
        let wanted = match producer.when_next() {
            Next::Now => true,
            Next::Later => producer.wait(),
            Next::Never => false,
        };
        if !wanted {
            break;
        }
    }
    Ok(())
}

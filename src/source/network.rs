//! Reads events from a server, as a replica does.
//!
//! The `mysql` crate requests the dump and unpacks the packets. Events are passed on byte for byte as in the file, with
//! their checksums.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use mysql::prelude::Queryable;
use mysql::{BinlogDumpFlags, BinlogRequest, BinlogStream, Conn};

use super::entry::Sink;
use super::framing::Framer;
use super::scan::scan;
use super::{Events, Mode, Offsets, Source};
use crate::binlog::event::{CHECKSUM_LEN, HEADER_LEN};
use crate::exit::{unavailable, unreadable};
use crate::position::{LogId, Position};
use crate::server::{Options, Privilege, Server, binary_log, connect, is_access_denied, socket_of};

/// How often the server sends a heartbeat while it has nothing else to send.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// After this much silence the connection counts as dead.
const SILENCE: Duration = Duration::from_secs(30);
/// How long the server waits for dumpa when stdout's reader is slow, in seconds: a day.
const WRITE_TIMEOUT_S: u32 = 86_400;
/// Asks MariaDB for its own GTID events (`MARIA_SLAVE_CAPABILITY_GTID`).
const MARIA_CAPABILITY: u32 = 4;

/// A server's binary log.
#[derive(Debug, Clone)]
pub struct Network {
    pub options: Options,
    pub server: Server,
    /// The replica id to announce; 0 for a random one.
    pub server_id: u32,
}

impl Source for Network {
    fn begin(&mut self, file: &str, offset: u64, mode: Mode) -> Result<Box<dyn Events>> {
        let position = u32::try_from(offset).map_err(|_| {
            unavailable(format!("{file}:{offset} is beyond 4 GiB, where a server cannot resume: load again"))
        })?;
        let mut conn = connect(&self.options)?;
        prepare(&mut conn, &self.server).context("cannot set up the session for the binary log")?;
        let socket = socket_of(&conn).context("cannot reach the connection's socket")?;
        socket.set_read_timeout(Some(SILENCE)).context("cannot set the read timeout")?;
        let flags = match mode {
            Mode::Follow => BinlogDumpFlags::empty(),
            Mode::UntilEnd => BinlogDumpFlags::BINLOG_DUMP_NON_BLOCK,
        };
        let request = BinlogRequest::new(self.server_id(mode))
            .with_filename(file.as_bytes())
            .with_pos(position)
            .with_flags(flags);
        let stream = conn.get_binlog_stream(request);
        let place = format!("{file}:{offset}");
        let grant = self.server.grant(Privilege::ReadLog);
        let stream = stream.map_err(|error| failed(error, &place, &grant))?;
        Ok(Box::new(Stream { stream, mode, place, grant }))
    }

    fn files_up_to(&mut self, file: &str) -> Result<Vec<String>> {
        let mut files = binary_log::files(&mut connect(&self.options)?, &self.server)?;
        if let Some(at) = files.iter().position(|other| other == file) {
            files.truncate(at + 1);
        }
        Ok(files)
    }

    fn offsets(&self) -> Offsets {
        Offsets::OfServer
    }
}

impl Network {
    /// Adds the log's identity to a position, if this account may read the log. Errors are ignored: the position is good
    /// without it.
    pub fn identify(&mut self, position: Position) -> Position {
        let log = self.log_of(&position).ok().flatten();
        Position { log, ..position }
    }

    fn log_of(&mut self, position: &Position) -> Result<Option<LogId>> {
        let mut events = self.begin(&position.file, position.position, Mode::UntilEnd)?;
        let mut framer = Framer::at(&position.file, position.position, self.offsets());
        scan(events.as_mut(), &mut framer, |_, framer| {
            Ok(framer.log().map_or(ControlFlow::Continue(()), ControlFlow::Break))
        })
    }

    /// The id to announce: the given one, else a random high one that hardly anybody uses. The server ends an older dump
    /// of the same id, so a second dump must not use the first one's.
    fn server_id(&self, mode: Mode) -> u32 {
        if self.server_id != 0 && mode == Mode::Follow {
            return self.server_id;
        }
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0u8);
        0x8000_0000 | random as u32
    }
}

fn prepare(conn: &mut Conn, server: &Server) -> mysql::Result<()> {
    let heartbeat = HEARTBEAT.as_nanos();
    let mut settings = format!(
        "SET @master_heartbeat_period={heartbeat}, @source_heartbeat_period={heartbeat}, \
         @@session.net_write_timeout={WRITE_TIMEOUT_S}"
    );
    if server.is_mariadb() {
        settings += &format!(", @mariadb_slave_capability={MARIA_CAPABILITY}");
    }
    conn.query_drop(settings)
}

struct Stream {
    stream: BinlogStream,
    mode: Mode,
    /// Where the dump began, for messages.
    place: String,
    /// The GRANT that the account lacks if the dump is refused.
    grant: String,
}

impl Events for Stream {
    fn next(&mut self, sink: &mut dyn Sink) -> Result<bool> {
        // The crate panics on some damaged bytes.
        let next = catch_unwind(AssertUnwindSafe(|| self.stream.next()));
        let next = next.map_err(|_| unreadable("the server sent an event that is damaged"))?;
        let event = match next {
            Some(Ok(event)) => event,
            Some(Err(error)) => return Err(failed(error, &self.place, &self.grant)),
            None if self.mode == Mode::UntilEnd => return Ok(false),
            None => return Err(anyhow!("the server ended the stream of its binary log")),
        };
        let header = event.header();
        let mut head = [0u8; HEADER_LEN];
        head[0..4].copy_from_slice(&header.timestamp().to_le_bytes());
        head[4] = header.event_type_raw();
        head[5..9].copy_from_slice(&header.server_id().to_le_bytes());
        head[9..13].copy_from_slice(&header.event_size().to_le_bytes());
        head[13..17].copy_from_slice(&header.log_pos().to_le_bytes());
        head[17..19].copy_from_slice(&header.flags_raw().to_le_bytes());
        // The crate cuts off the checksum, and in a format description also the byte before it, the algorithm.
        let algorithm = event.footer().get_checksum_alg();
        let algorithm = algorithm.map_err(|_| unreadable("the server uses an unknown checksum"))?;
        let (algorithm, sum) = match (algorithm, event.checksum()) {
            (Some(algorithm), Some(sum)) => ([algorithm as u8], sum),
            _ => ([0], [0; CHECKSUM_LEN]),
        };
        let left_out = (header.event_size() as usize).saturating_sub(HEADER_LEN + event.data().len());
        let parts: &[&[u8]] = match left_out {
            0 => &[&head, event.data()],
            CHECKSUM_LEN => &[&head, event.data(), &sum],
            _ => &[&head, event.data(), &algorithm, &sum],
        };
        sink.event(parts);
        Ok(true)
    }
}

/// The message and exit code for an error of the dump.
fn failed(error: mysql::Error, place: &str, grant: &str) -> anyhow::Error {
    match &error {
        mysql::Error::MySqlError(e) => dump_error(e.code, &e.message, place, grant),
        mysql::Error::IoError(e) if is_timeout(e) => anyhow!(
            "the server has been silent for {} s, though it should send a heartbeat every {} s: the \
             connection is dead",
            SILENCE.as_secs(),
            HEARTBEAT.as_secs()
        ),
        _ => anyhow::Error::new(error).context("the connection to the server was lost"),
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error.kind(), TimedOut | WouldBlock)
}

/// Error 1236 means many things; its text decides.
fn dump_error(code: u16, message: &str, place: &str, grant: &str) -> anyhow::Error {
    let lower = message.to_lowercase();
    let says = |text: &str| lower.contains(text);
    let same_id = says("same server_uuid/server_id") || says("same server_id") || code == 4052;
    if same_id {
        return anyhow!(
            "another replica has the same server id, and the server ended this one: choose another \
             with --server-id ({message})"
        );
    }
    match code {
        code if is_access_denied(code) || code == 1236 && says("access denied") => {
            anyhow!("this account may not read the binary log ({message}): {grant}")
        }
        // A temporary or session problem; the position is still good.
        1236 if says("memory") || says("server_id was not set") || says("can not handle") => {
            anyhow!("the server refused to send its binary log from {place}: {message}")
        }
        1236 if says("binary log is not open") || says("not enabled") => {
            unavailable(format!("this server keeps no binary log: start it with log_bin ({message})"))
        }
        1236 if says("could not find first log file") || says("purged") || says("could not open log") => {
            unavailable(format!(
                "the server does not have {place} (any more): it was purged, or belongs to another server. Load again \
                 ({message})"
            ))
        }
        1236 if says("larger file size")
            || says("file size")
            || says("impossible position")
            || says("exceeds") =>
        {
            unavailable(format!(
                "{place} is beyond the end of that file: the log was cut by a crash or reset, or belongs to another \
                 server. Load again ({message})"
            ))
        }
        1236 => unavailable(format!(
            "the server cannot send its log from {place}: no event begins there, or the log is damaged ({message})"
        )),
        _ => anyhow!("the server refused to send its binary log from {place}: {message} ({code})"),
    }
}

//! Opens a connection within the timeout, or fails with a message of one line.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Once;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mysql::{ClientIdentity, Conn, DriverError, Error, OptsBuilder, SslOpts};

use super::failure::{self, CannotConnect};
use super::options::Options;
use super::settings::TlsMode;
use super::tls_roots;
use crate::progress::{Progress, When};

/// The protocol's limit. The crate's default is the server's `max_allowed_packet`, but events can be larger.
const MAX_PACKET_BYTES: usize = 1 << 30;

/// dumpa uses only a few prepared statements.
const STATEMENTS_CACHED: usize = 16;

/// A vanished peer is noticed after these 60 + 6 × 10 seconds.
const KEEPALIVE_AFTER_MS: u32 = 60_000;
const KEEPALIVE_EVERY_S: u32 = 10;
const KEEPALIVE_TRIES: u32 = 6;

/// Extra time for the attempt's own timeouts, which have better messages.
const GRACE: Duration = Duration::from_millis(200);

/// A new connection, logged in, with no timeouts set.
///
/// # Errors
/// [`CannotConnect`] with one line to show, or a usage error about `--ssl-ca`. It takes no longer than `options.connect_timeout`.
pub fn connect(options: &Options) -> Result<Conn> {
    tls_roots::apply(&options.tls)?;
    // The login runs on another thread: a name lookup has no timeout, a socket's read timeout restarts with every byte, and
    // the crate panics on some answers that are not MySQL.
    let (sender, receiver) = mpsc::sync_channel(1);
    let attempted = options.clone();
    thread::Builder::new()
        .name("connect".into())
        .spawn(move || {
            let outcome = attempt(&attempted);
            // If nobody waits any more, dropping the connection closes it.
            let _ = sender.send(outcome);
        })
        .context("cannot start a thread")?;
    let (conn, plain) = match receiver.recv_timeout(options.connect_timeout.saturating_add(GRACE)) {
        Ok(Ok(made)) => made,
        Ok(Err(error)) => return Err(failure::describe(&error, options).into()),
        Err(RecvTimeoutError::Timeout) => return Err(CannotConnect::timed_out(options).into()),
        Err(RecvTimeoutError::Disconnected) => return Err(CannotConnect::not_mysql(options).into()),
    };
    if let Some(why) = plain {
        warn_once(&failure::not_encrypted(&why, options));
    }
    // The timeouts were for the login; queries and waiting for events may take long.
    let socket = socket_of(&conn).context("cannot reach the connection's socket")?;
    socket.set_read_timeout(None).context("cannot lift the read timeout")?;
    socket.set_write_timeout(None).context("cannot lift the write timeout")?;
    Ok(conn)
}

/// A second handle on the connection's socket, to set its timeouts. It may be a unix socket, despite the type; that works
/// alike.
///
/// # Errors
/// When there is no free file descriptor.
pub fn socket_of(conn: &Conn) -> io::Result<TcpStream> {
    // SAFETY: `conn` owns the descriptor, and is borrowed until it has been duplicated.
    #[allow(unsafe_code)]
    let socket = unsafe { BorrowedFd::borrow_raw(conn.as_raw_fd()) };
    Ok(socket.try_clone_to_owned()?.into())
}

/// A connection, and why it is not encrypted although the server offered to.
type Made = (Conn, Option<Error>);

fn attempt(options: &Options) -> mysql::Result<Made> {
    let deadline = Instant::now() + options.connect_timeout;
    let plain = |why| Ok((open(options, None, deadline)?, why));
    match options.tls.mode {
        TlsMode::Disabled => plain(None),
        TlsMode::Preferred => match open(options, Some(ssl(options)), deadline) {
            // As the `mysql` client does. MySQL 5.6 has only obsolete versions of TLS.
            Err(error) if failure::offers_no_tls(&error) => plain(None),
            Err(error) if failure::no_common_tls(&error) => plain(Some(error)),
            other => Ok((other?, None)),
        },
        TlsMode::Required | TlsMode::VerifyCa | TlsMode::VerifyIdentity => {
            Ok((open(options, Some(ssl(options)), deadline)?, None))
        }
    }
}

/// Warns once, since a run makes several connections.
fn warn_once(text: &str) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| Progress::new(When::Never, false).warn(text));
}

fn ssl(options: &Options) -> SslOpts {
    let tls = &options.tls;
    let identity = tls.cert.clone().zip(tls.key.clone()).map(|(cert, key)| ClientIdentity::new(cert, key));
    SslOpts::default()
        .with_client_identity(identity)
        .with_root_cert_path(tls.ca.clone().filter(|_| tls.mode.verifies()))
        .with_danger_accept_invalid_certs(!tls.mode.verifies())
        .with_danger_skip_domain_validation(tls.mode != TlsMode::VerifyIdentity)
}

fn open(options: &Options, ssl: Option<SslOpts>, deadline: Instant) -> mysql::Result<Conn> {
    let common = builder(options).ssl_opts(ssl);
    if let Some(socket) = &options.socket {
        let socket = socket.to_string_lossy().into_owned();
        return Conn::new(within(common.socket(Some(socket)), deadline));
    }
    let mut outcome = Err(Error::DriverError(DriverError::CouldNotConnect(None)));
    for route in routes(options)? {
        let builder = common.clone().ip_or_hostname(Some(route.host)).bind_address(route.bind);
        outcome = Conn::new(within(builder, deadline));
        // Any other error is an answer of the server, which the next address would repeat.
        let unreached = matches!(
            outcome,
            Err(Error::DriverError(DriverError::CouldNotConnect(_) | DriverError::ConnectTimeout))
        );
        if !unreached || Instant::now() >= deadline {
            break;
        }
    }
    outcome
}

fn builder(options: &Options) -> OptsBuilder {
    let builder = OptsBuilder::new()
        .tcp_port(options.port)
        .user(Some(options.user.as_str()))
        .pass(options.password.as_ref().map(|password| password.reveal()))
        .db_name(options.database.as_deref())
        // With true, the crate would switch to the server's unix socket, bypassing a proxy at 127.0.0.1.
        .prefer_socket(false)
        .max_allowed_packet(Some(MAX_PACKET_BYTES))
        .stmt_cache_size(STATEMENTS_CACHED)
        .tcp_nodelay(true)
        .tcp_keepalive_time_ms(Some(KEEPALIVE_AFTER_MS))
        .connect_attrs(Some(HashMap::from([
            ("program_name", env!("CARGO_PKG_NAME")),
            ("program_version", env!("CARGO_PKG_VERSION")),
        ])));
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    let builder = builder
        .tcp_keepalive_probe_interval_secs(Some(KEEPALIVE_EVERY_S))
        .tcp_keepalive_probe_count(Some(KEEPALIVE_TRIES));
    builder
}

/// Sets the remaining time as the timeouts.
fn within(builder: OptsBuilder, deadline: Instant) -> OptsBuilder {
    // Zero would mean no timeout.
    let left = Some(deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1)));
    builder.tcp_connect_timeout(left).read_timeout(left).write_timeout(left)
}

/// An address to try. (If a name has several, the crate tries only the first.)
struct Route {
    host: String,
    bind: Option<SocketAddr>,
}

fn routes(options: &Options) -> mysql::Result<Vec<Route>> {
    let direct = |address: IpAddr| Route { host: literal(address), bind: None };
    if let Ok(address) = options.host.parse::<IpAddr>() {
        return Ok(vec![direct(address)]);
    }
    let addresses: Vec<IpAddr> = (options.host.as_str(), options.port)
        .to_socket_addrs()
        .map_err(|error| {
            let what = (options.host.clone(), error.to_string(), io::ErrorKind::NotFound);
            Error::DriverError(DriverError::CouldNotConnect(Some(what)))
        })?
        .map(|address| address.ip())
        .collect();
    if options.tls.mode != TlsMode::VerifyIdentity {
        return Ok(addresses.into_iter().map(direct).collect());
    }
    // The certificate is checked against the name, so the crate must get the name. Bound to a local address, it tries all
    // of the name's addresses of that family.
    let mut routes: Vec<Route> = Vec::new();
    for address in addresses {
        let any = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let bind = Some(SocketAddr::new(any, 0));
        if routes.iter().all(|route| route.bind != bind) {
            routes.push(Route { host: options.host.clone(), bind });
        }
    }
    Ok(routes)
}

/// An address as the crate expects it.
fn literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

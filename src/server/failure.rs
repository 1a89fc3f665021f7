//! Error messages for failed connections: one line, with what to do about it.

use std::error::Error as _;
use std::io;

use mysql::{DriverError, Error, MySqlError};

use super::options::Options;
use super::settings::TlsMode;

/// Connecting failed; the message says why.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CannotConnect {
    message: String,
    /// Trying again later may help: the options may be right.
    pub is_transient: bool,
}

impl CannotConnect {
    fn transient(message: String) -> Self {
        Self { message, is_transient: true }
    }

    fn permanent(message: String) -> Self {
        Self { message, is_transient: false }
    }

    pub(super) fn timed_out(options: &Options) -> Self {
        Self::transient(format!("cannot reach {} within {}: no answer", options.address(), time(options)))
    }

    pub(super) fn not_mysql(options: &Options) -> Self {
        Self::permanent(format!("{} answered, but not as a MySQL server", options.address()))
    }
}

pub(super) fn describe(error: &Error, options: &Options) -> CannotConnect {
    let address = options.address();
    if let Some(cause) = io_error(error) {
        // The crate's parser returns its errors bare; TLS errors come wrapped by the stream.
        let parser = matches!(error, Error::IoError(_));
        return io_failure(cause, parser, options);
    }
    match error {
        Error::MySqlError(error) => refusal(error, options),
        Error::TlsError(error) => tls_failure(&error.to_string(), options),
        Error::DriverError(error) => driver_failure(error, options),
        Error::CodecError(_) => CannotConnect::not_mysql(options),
        Error::IoError(_) | Error::UrlError(_) | Error::FromValueError(_) | Error::FromRowError(_) => {
            CannotConnect::permanent(format!("cannot connect to {address}: {error}"))
        }
    }
}

/// Does the server have no TLS at all?
pub(super) fn offers_no_tls(error: &Error) -> bool {
    matches!(error, Error::DriverError(DriverError::TlsNotSupported))
}

/// Did the TLS handshake fail, so that a connection without TLS may work? (`Error::TlsError` is different: the crate returns
/// it for a bad client certificate or key, before it connects.)
pub(super) fn no_common_tls(error: &Error) -> bool {
    io_error(error).is_some_and(|error| !is_timeout(error))
}

/// The warning for a connection that could not be encrypted although TLS was preferred.
pub(super) fn not_encrypted(why: &Error, options: &Options) -> String {
    let why = io_error(why).map_or_else(|| why.to_string(), |error| error.to_string());
    format!(
        "the connection to {} is NOT encrypted: the server offers TLS, but {}. Give --ssl-mode required to insist on \
         TLS, or --ssl-mode disabled to do without it and this warning",
        options.address(),
        tls_reason(&why)
    )
}

/// The server refused the login.
fn refusal(error: &MySqlError, options: &Options) -> CannotConnect {
    let (address, user) = (options.address(), &options.user);
    let said = error.message.trim();
    match error.code {
        1045 | 1698 if options.password.is_none() => CannotConnect::permanent(format!(
            "the server at {address} refused user '{user}': {said}; give the password by an option file, --password-file or DUMPA_PASSWORD"
        )),
        1045 | 1698 => CannotConnect::permanent(format!(
            "the server at {address} refused user '{user}': {said}; check the user and the password"
        )),
        1049 => CannotConnect::permanent(format!("the server at {address}: {said}; check --database")),
        1040 | 1203 | 1226 => CannotConnect::transient(format!(
            "the server at {address} has too many connections: {said}; try again later, or raise its limit"
        )),
        1129 => CannotConnect::permanent(format!("the server at {address} blocks this host: {said}")),
        3159 => {
            CannotConnect::permanent(format!("the server at {address} requires TLS; use --ssl-mode required"))
        }
        // Shutting down, or still starting.
        1053 | 1927 => {
            CannotConnect::transient(format!("the server at {address} does not accept connections: {said}"))
        }
        code => CannotConnect::permanent(format!(
            "the server at {address} refused the connection: {said} (error {code})"
        )),
    }
}

fn driver_failure(error: &DriverError, options: &Options) -> CannotConnect {
    let (address, user) = (options.address(), &options.user);
    match error {
        DriverError::ConnectTimeout => CannotConnect::timed_out(options),
        DriverError::CouldNotConnect(Some((_, why, io::ErrorKind::NotFound))) if options.socket.is_none() => {
            CannotConnect::transient(format!("cannot find the host {}: {why}", options.host))
        }
        DriverError::CouldNotConnect(Some((_, why, kind))) => unreached(why, *kind, options),
        DriverError::CouldNotConnect(None) => {
            CannotConnect::transient(format!("the host {} has no address", options.host))
        }
        DriverError::TlsNotSupported => CannotConnect::permanent(format!(
            "the server at {address} has no TLS, and --ssl-mode {} insists on it",
            options.tls.mode.name()
        )),
        DriverError::UnknownAuthPlugin(plugin) => CannotConnect::permanent(format!(
            "the server at {address} requires the login plugin {plugin} for user '{user}', which dumpa does not have; \
             use an account with caching_sha2_password or mysql_native_password"
        )),
        DriverError::CleartextPluginDisabled => CannotConnect::permanent(format!(
            "the server at {address} requires the password of user '{user}' in plain text (mysql_clear_password), which dumpa \
             does not send"
        )),
        DriverError::OldMysqlPasswordDisabled => CannotConnect::permanent(format!(
            "the server at {address} stores the password of user '{user}' in the unsafe format from before 4.1: set it anew"
        )),
        DriverError::UnsupportedProtocol(_)
        | DriverError::Protocol41NotSet
        | DriverError::PacketOutOfSync
        | DriverError::PacketTooLarge
        | DriverError::UnexpectedPacket => CannotConnect::not_mysql(options),
        other => CannotConnect::permanent(format!("cannot connect to {address}: {other}")),
    }
}

fn unreached(why: &str, kind: io::ErrorKind, options: &Options) -> CannotConnect {
    let address = options.address();
    let advice = match (&options.socket, kind) {
        (Some(_), io::ErrorKind::NotFound) => {
            "there is no such socket; is the server running, and is --socket right?"
        }
        (Some(_), io::ErrorKind::ConnectionRefused) => "no server listens on this socket; is it running?",
        (None, io::ErrorKind::ConnectionRefused) => {
            "connection refused; is the server running, and are --host and --port right?"
        }
        // A socket bound to one address family (see `routes`) cannot connect to the other, which the crate tries last.
        (None, io::ErrorKind::InvalidInput) => "none of its addresses takes a connection",
        _ => without_number(why),
    };
    CannotConnect::transient(format!("cannot reach {address}: {advice}"))
}

fn io_failure(error: &io::Error, parser: bool, options: &Options) -> CannotConnect {
    let address = options.address();
    match error.kind() {
        _ if is_timeout(error) => CannotConnect::transient(format!(
            "{address} answered, but did not complete the login within {}: the server is overloaded, or not a MySQL \
             server",
            time(options)
        )),
        io::ErrorKind::InvalidData if !parser && options.tls.mode != TlsMode::Disabled => {
            tls_failure(&error.to_string(), options)
        }
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => CannotConnect::not_mysql(options),
        io::ErrorKind::UnexpectedEof if parser => CannotConnect::not_mysql(options),
        _ => CannotConnect::transient(format!(
            "{address} closed the connection before the login was complete: {}",
            without_number(&error.to_string())
        )),
    }
}

fn tls_failure(why: &str, options: &Options) -> CannotConnect {
    let advice = if why.contains("UnknownIssuer") || why.contains("BadSignature") {
        "; give the certificate authority that signed the server's certificate with --ssl-ca"
    } else if why.contains("not valid for name") || why.contains("NotValidForName") {
        "; use a host name that is in the certificate, or --ssl-mode verify_ca"
    } else {
        ""
    };
    let (address, why) = (options.address(), tls_reason(why));
    CannotConnect::permanent(format!("cannot open a TLS connection to {address}: {why}{advice}"))
}

/// The reason of a TLS failure, in terms of the server's settings.
fn tls_reason(why: &str) -> String {
    let has = |names: &[&str]| names.iter().any(|name| why.contains(name));
    // MySQL 5.6 and 5.7, with different TLS libraries, answer TLS 1.2 differently.
    if has(&["ServerDoesNotSupportTls12Or13", "ProtocolVersion"]) {
        format!("no version of TLS that dumpa supports (1.2 and 1.3; {why})")
    } else if has(&["HandshakeFailure", "NoCipherSuitesInCommon"]) {
        format!(
            "no cipher suite that dumpa supports (ECDHE with AES-GCM or ChaCha20-Poly1305, of TLS 1.2 or 1.3; {why})"
        )
    } else {
        why.to_string()
    }
}

/// The I/O error inside an error of the crate, which has two ways to wrap it.
fn io_error(error: &Error) -> Option<&io::Error> {
    match error {
        Error::IoError(error) => Some(error),
        Error::CodecError(error) => error.source()?.downcast_ref(),
        _ => None,
    }
}

/// Whether an error is a timeout. (A read timeout gives `EAGAIN`.)
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn time(options: &Options) -> humantime::FormattedDuration {
    humantime::format_duration(options.connect_timeout)
}

/// Removes ` (os error 111)`.
fn without_number(why: &str) -> &str {
    why.split_once(" (os error").map_or(why, |(why, _)| why)
}

//! Settings, and a [`Layer`] of them from one source: the flags, the option files, or the environment.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A password. `Debug` does not show it, so no message can.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password itself. Only for the login.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How much TLS to insist on, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsMode {
    /// No TLS, even if the server offers it.
    Disabled,
    /// TLS if the server offers it. No protection against an active attacker.
    Preferred,
    /// TLS, with any certificate.
    Required,
    /// The certificate must come from the authority of `--ssl-ca`.
    VerifyCa,
    /// Also, the certificate must have the host's name.
    VerifyIdentity,
}

impl TlsMode {
    pub const ALL: [Self; 5] =
        [Self::Disabled, Self::Preferred, Self::Required, Self::VerifyCa, Self::VerifyIdentity];

    /// As in the `mysql` client, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Preferred => "preferred",
            Self::Required => "required",
            Self::VerifyCa => "verify_ca",
            Self::VerifyIdentity => "verify_identity",
        }
    }

    /// Is the server's certificate verified?
    pub fn verifies(self) -> bool {
        self >= Self::VerifyCa
    }
}

impl FromStr for TlsMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(text));
        known.ok_or_else(|| format!("not an SSL mode; there are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// The `protocol` of an option file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Tcp,
    Socket,
}

/// The settings of one source: the flags, all option files, or the environment.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub socket: Option<PathBuf>,
    pub protocol: Option<Protocol>,
    pub user: Option<String>,
    pub password: Option<Password>,
    pub database: Option<String>,
    pub ssl_mode: Option<TlsMode>,
    pub ssl_ca: Option<PathBuf>,
    pub ssl_cert: Option<PathBuf>,
    pub ssl_key: Option<PathBuf>,
    pub connect_timeout: Option<Duration>,
}

impl Layer {
    /// The settings of this layer, and where it has none, of the one below.
    pub fn over(self, below: Layer) -> Layer {
        Layer {
            host: self.host.or(below.host),
            port: self.port.or(below.port),
            socket: self.socket.or(below.socket),
            protocol: self.protocol.or(below.protocol),
            user: self.user.or(below.user),
            password: self.password.or(below.password),
            database: self.database.or(below.database),
            ssl_mode: self.ssl_mode.or(below.ssl_mode),
            ssl_ca: self.ssl_ca.or(below.ssl_ca),
            ssl_cert: self.ssl_cert.or(below.ssl_cert),
            ssl_key: self.ssl_key.or(below.ssl_key),
            connect_timeout: self.connect_timeout.or(below.connect_timeout),
        }
    }
}

/// `10s`, `1m 30s`, or a plain number of seconds.
pub fn parse_timeout(text: &str) -> Result<Duration, String> {
    let timeout = match text.parse::<u32>() {
        Ok(seconds) => Duration::from_secs(seconds.into()),
        Err(_) => humantime::parse_duration(text).map_err(|error| error.to_string())?,
    };
    if timeout.is_zero() { Err("must be more than zero".into()) } else { Ok(timeout) }
}

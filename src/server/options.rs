//! Where the server is and how to log in: settled before anything connects.
//!
//! Each place that a setting can come from fills a [`Layer`]; the layers then lie on each other in the
//! order of the `mysql` client: flags, then `DUMPA_PASSWORD`, the option files, the `MYSQL_*` variables
//! (which the client lets every option file overrule), and last the defaults.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;

use super::option_file::{self, Files};
use crate::exit;

const DEFAULT_PORT: u16 = 3306;
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const NO_PASSWORD_BY_FLAG: &str = "a password is never given as a flag, where other users of the machine can read it: \
     use --password-file FILE, the variable DUMPA_PASSWORD, or `password = …` under [client] in an option file";

/// A password. Its `Debug` shows none of it, so that no message can.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password itself, for the login and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How much TLS, from none to all. The order is that of what is demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsMode {
    /// Plain, even if the server could.
    Disabled,
    /// TLS if the server can, else plain. Keeps nobody out who stands in between.
    Preferred,
    /// TLS or nothing; whose certificate it is does not matter.
    Required,
    /// The certificate must come from the authority of `--ssl-ca`.
    VerifyCa,
    /// And be made out to the host's name.
    VerifyIdentity,
}

impl TlsMode {
    pub const ALL: [Self; 5] =
        [Self::Disabled, Self::Preferred, Self::Required, Self::VerifyCa, Self::VerifyIdentity];

    /// As the `mysql` client writes it, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Preferred => "preferred",
            Self::Required => "required",
            Self::VerifyCa => "verify_ca",
            Self::VerifyIdentity => "verify_identity",
        }
    }

    /// Is the server's certificate checked at all?
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

/// The TLS part of [`Options`].
#[derive(Debug, Clone)]
pub struct Tls {
    pub mode: TlsMode,
    pub ca: Option<PathBuf>,
    /// The client's own certificate; never without `key`.
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// What an option file's `protocol` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Tcp,
    Socket,
}

/// The settings of one place: the flags, all option files, or the environment.
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
    /// This layer, and where it says nothing, the one below.
    fn over(self, below: Layer) -> Layer {
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

/// What the command line says.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Its settings. `password` stays empty: it comes from `password_file`.
    pub flags: Layer,
    pub password_file: Option<PathBuf>,
    /// Someone wrote `-p` or `--password`: refused, with advice.
    pub password_by_flag: bool,
    /// Read this option file alone.
    pub defaults_file: Option<PathBuf>,
    /// Read this one too, after the global ones and before the user's own.
    pub defaults_extra_file: Option<PathBuf>,
    /// Read no option file.
    pub no_defaults: bool,
}

/// All that [`super::connect::connect`] has to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// A name or an address, without brackets. Of no meaning when there is a `socket`.
    pub host: String,
    pub port: u16,
    /// The unix socket to connect by, instead of host and port.
    pub socket: Option<PathBuf>,
    pub user: String,
    pub password: Option<Password>,
    pub database: Option<String>,
    pub tls: Tls,
    /// From the start until the login is done.
    pub connect_timeout: Duration,
    /// What the user ought to know about the option files, a line each.
    pub warnings: Vec<String>,
}

/// All of the world that settings are taken from, so that a test can bring its own.
pub(super) struct World<'a> {
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Option files for all users.
    pub global_files: Vec<PathBuf>,
    /// The user's own option file.
    pub user_file: Option<PathBuf>,
    /// Where servers usually put their socket.
    pub sockets: Vec<PathBuf>,
    /// Who runs dumpa.
    pub login: Option<String>,
}

impl Options {
    /// The options that the command line, the environment and the option files add up to.
    ///
    /// # Errors
    /// Usage errors (exit 2), naming the flag, the variable, or the option file and line.
    pub fn resolve(given: &Given) -> Result<Options> {
        let env = |name: &str| std::env::var(name).ok();
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        Self::resolve_in(
            given,
            &World {
                env: &env,
                global_files: paths(&["/etc/my.cnf", "/etc/mysql/my.cnf"]),
                user_file: std::env::home_dir().map(|home| home.join(".my.cnf")),
                sockets: paths(&[
                    "/var/run/mysqld/mysqld.sock",
                    "/run/mysqld/mysqld.sock",
                    "/tmp/mysql.sock",
                ]),
                login: login_name(&env),
            },
        )
    }

    pub(super) fn resolve_in(given: &Given, world: &World<'_>) -> Result<Options> {
        if given.password_by_flag {
            return Err(exit::usage(NO_PASSWORD_BY_FLAG));
        }
        let mut warnings = Vec::new();
        let mut flags = given.flags.clone();
        if let Some(file) = &given.password_file {
            flags.password = Some(read_password(file)?);
        }
        let own = Layer { password: (world.env)("DUMPA_PASSWORD").map(Password::new), ..Layer::default() };
        let files = option_file::read(&files(given, world), &mut warnings)?;
        let environment = environment(world)?;
        let port_by_flag = flags.port.is_some();
        let socket_by_flag = flags.socket.clone();
        if socket_by_flag.is_some() && flags.host.as_deref().is_some_and(|host| !is_localhost(host)) {
            return Err(exit::usage(
                "--socket is for this machine's own server: give it or --host, not both",
            ));
        }

        let all = flags.over(own).over(files).over(environment);
        let socket = match socket_by_flag {
            Some(socket) => Some(socket),
            None if port_by_flag => None,
            None => implied_socket(&all, world),
        };
        let tls = tls(&all, socket.is_some())?;
        Ok(Options {
            host: all.host.filter(|host| !host.is_empty()).map_or_else(|| "127.0.0.1".into(), bare_host),
            port: all.port.filter(|port| *port != 0).unwrap_or(DEFAULT_PORT),
            socket,
            user: all
                .user
                .filter(|user| !user.is_empty())
                .or_else(|| world.login.clone())
                .unwrap_or_else(|| "UNKNOWN_USER".into()),
            password: all.password,
            database: all.database.filter(|database| !database.is_empty()),
            tls,
            connect_timeout: all.connect_timeout.unwrap_or(DEFAULT_CONNECT_TIMEOUT),
            warnings,
        })
    }

    /// The server's place as messages name it: `127.0.0.1:3306`, or the socket's path.
    pub fn address(&self) -> String {
        match &self.socket {
            Some(socket) => socket.display().to_string(),
            None if self.host.contains(':') => format!("[{}]:{}", self.host, self.port),
            None => format!("{}:{}", self.host, self.port),
        }
    }
}

fn files(given: &Given, world: &World<'_>) -> Files {
    if given.no_defaults {
        return Files::default();
    }
    if let Some(only) = &given.defaults_file {
        return Files { required: Some(only.clone()), ..Files::default() };
    }
    Files {
        before: world.global_files.clone(),
        required: given.defaults_extra_file.clone(),
        after: world.user_file.clone().into_iter().collect(),
    }
}

fn environment(world: &World<'_>) -> Result<Layer> {
    let set = |name: &str| (world.env)(name).filter(|value| !value.is_empty());
    let port = match set("MYSQL_TCP_PORT") {
        Some(text) => {
            Some(text.parse().map_err(|_| exit::usage(format!("MYSQL_TCP_PORT is {text:?}, not a port")))?)
        }
        None => None,
    };
    Ok(Layer {
        host: set("MYSQL_HOST"),
        port,
        socket: set("MYSQL_UNIX_PORT").map(PathBuf::from),
        password: set("MYSQL_PWD").map(Password::new),
        ..Layer::default()
    })
}

/// The socket that is meant though no flag names it: for this machine's own server, the one that is
/// configured or else a usual one that is there.
fn implied_socket(all: &Layer, world: &World<'_>) -> Option<PathBuf> {
    let local = all.host.as_deref().is_none_or(|host| host.is_empty() || is_localhost(host));
    if !local || all.protocol == Some(Protocol::Tcp) {
        return None;
    }
    // A configured socket that is missing is an error when connecting, as with `mysql`. To go on by TCP
    // instead could end at another server.
    all.socket
        .clone()
        .filter(|socket| !socket.as_os_str().is_empty())
        .or_else(|| world.sockets.iter().find(|socket| socket.exists()).cloned())
        .or_else(|| world.sockets.first().filter(|_| all.protocol == Some(Protocol::Socket)).cloned())
}

fn tls(all: &Layer, by_socket: bool) -> Result<Tls> {
    let path = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
    let (ca, cert, key) = (path(&all.ssl_ca), path(&all.ssl_cert), path(&all.ssl_key));
    // Who names an authority wants it to be asked: so does the mysql client.
    let implied = if ca.is_some() { TlsMode::VerifyCa } else { TlsMode::Preferred };
    let mode = all.ssl_mode.unwrap_or(implied);
    if by_socket || mode == TlsMode::Disabled {
        return Ok(Tls { mode: TlsMode::Disabled, ca, cert, key });
    }
    if mode == TlsMode::VerifyCa && ca.is_none() {
        return Err(exit::usage("--ssl-mode verify_ca needs --ssl-ca FILE, the authority to verify with"));
    }
    if cert.is_some() != key.is_some() {
        return Err(exit::usage("--ssl-cert and --ssl-key belong together: give both or neither"));
    }
    for (flag, file) in [("--ssl-ca", &ca), ("--ssl-cert", &cert), ("--ssl-key", &key)] {
        if let Some(file) = file {
            fs::File::open(file).map_err(|error| unreadable(flag, file, &error))?;
        }
    }
    Ok(Tls { mode, ca, cert, key })
}

/// The first line of a password file.
fn read_password(file: &Path) -> Result<Password> {
    if file == Path::new("-") {
        return Err(exit::usage("--password-file takes a file, not `-`"));
    }
    let bytes = fs::read(file).map_err(|error| unreadable("--password-file", file, &error))?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok(password) => Ok(Password::new(password)),
        Err(_) => Err(exit::usage(format!("--password-file {}: not UTF-8", file.display()))),
    }
}

fn unreadable(flag: &str, file: &Path, error: &std::io::Error) -> anyhow::Error {
    exit::usage(format!("{flag}: cannot read {}: {error}", file.display()))
}

fn is_localhost(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
}

/// `[::1]` is a common way to write `::1`.
fn bare_host(host: String) -> String {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.to_owned(),
        None => host,
    }
}

/// `10s`, `1m 30s`, or a plain number of seconds.
pub fn parse_timeout(text: &str) -> Result<Duration, String> {
    let timeout = match text.parse::<u32>() {
        Ok(seconds) => Duration::from_secs(seconds.into()),
        Err(_) => humantime::parse_duration(text).map_err(|error| error.to_string())?,
    };
    if timeout.is_zero() { Err("must be more than nothing".into()) } else { Ok(timeout) }
}

/// The user that `mysql` would log in as: `root` for root, else the account's name.
fn login_name(env: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    // The owner of one's own process is the effective user; where there is no /proc, $USER has to do.
    let uid = fs::metadata("/proc/self").ok().map(|own| own.uid());
    if uid == Some(0) {
        return Some("root".into());
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    uid.and_then(|uid| account_of(&accounts, uid)).or_else(|| env("USER")).or_else(|| env("LOGNAME"))
}

fn account_of(accounts: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(uid.as_str())).then(|| name.to_owned())
    })
}

#[cfg(test)]
#[path = "options_tests.rs"]
pub(super) mod tests;

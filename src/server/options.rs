//! How to reach the server and log in, resolved before anything connects.
//!
//! Each source of settings fills a [`Layer`]. Their precedence is that of the `mysql` client: flags, then `DUMPA_PASSWORD`,
//! option files, `MYSQL_*` variables, and defaults.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::option_file::{self, OptionFiles};
use super::settings::{Layer, Password, Protocol, TlsMode};
use super::small_file;
use crate::exit;

const DEFAULT_PORT: u16 = 3306;
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const NO_PASSWORD_BY_FLAG: &str = "a password is never given as a flag, where other users of the machine can read it: \
     use --password-file FILE, the variable DUMPA_PASSWORD, or `password = …` under [client] in an option file";

/// The TLS part of [`Options`].
#[derive(Debug, Clone)]
pub struct Tls {
    pub mode: TlsMode,
    pub ca: Option<PathBuf>,
    /// The client's own certificate; never without `key`.
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// The settings of the command line.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Its settings. `password` stays empty: it comes from `password_file`.
    pub flags: Layer,
    pub password_file: Option<PathBuf>,
    /// `-p` or `--password` was given: refused, with advice.
    pub password_by_flag: bool,
    /// Read only this option file.
    pub defaults_file: Option<PathBuf>,
    /// Also read this one, after the global ones and before the user's own.
    pub defaults_extra_file: Option<PathBuf>,
    /// Read no option file.
    pub no_defaults: bool,
}

/// Everything that [`super::connect::connect`] needs.
#[derive(Debug, Clone)]
pub struct Options {
    /// A name or an address, without brackets. Unused if there is a `socket`.
    pub host: String,
    pub port: u16,
    /// The unix socket to connect by, instead of host and port.
    pub socket: Option<PathBuf>,
    pub user: String,
    pub password: Option<Password>,
    pub database: Option<String>,
    pub tls: Tls,
    /// The time from the start until the login is complete.
    pub connect_timeout: Duration,
    /// Warnings about option files.
    pub warnings: Vec<String>,
}

/// The environment that settings come from; tests bring their own.
pub(super) struct Environment<'a> {
    pub variable: &'a dyn Fn(&str) -> Option<String>,
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
    /// Resolves the options from command line, environment and option files.
    ///
    /// # Errors
    /// Usage errors (exit 2), naming the flag, the variable, or the option file and line.
    pub fn resolve(given: &Given) -> Result<Options> {
        let env = |name: &str| std::env::var(name).ok();
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        Self::resolve_in(
            given,
            &Environment {
                variable: &env,
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

    pub(super) fn resolve_in(given: &Given, env: &Environment<'_>) -> Result<Options> {
        if given.password_by_flag {
            return Err(exit::usage(NO_PASSWORD_BY_FLAG));
        }
        let mut warnings = Vec::new();
        let mut flags = given.flags.clone();
        if let Some(file) = &given.password_file {
            flags.password = Some(read_password(file)?);
        }
        let own = Layer { password: (env.variable)("DUMPA_PASSWORD").map(Password::new), ..Layer::default() };
        let files = option_file::read(&option_files(given, env), &mut warnings)?;
        let environment = environment(env)?;
        let port_by_flag = flags.port.is_some();
        let socket_by_flag = flags.socket.clone();
        if socket_by_flag.is_some() && flags.host.as_deref().is_some_and(|host| !is_localhost(host)) {
            return Err(exit::usage("--socket is for a server on this machine: give it or --host, not both"));
        }

        let all = flags.over(own).over(files).over(environment);
        let socket = match socket_by_flag {
            Some(socket) => Some(socket),
            None if port_by_flag => None,
            None => implied_socket(&all, env),
        };
        let tls = tls(&all, socket.is_some())?;
        Ok(Options {
            host: all.host.filter(|host| !host.is_empty()).map_or_else(|| "127.0.0.1".into(), bare_host),
            port: all.port.filter(|port| *port != 0).unwrap_or(DEFAULT_PORT),
            socket,
            user: all
                .user
                .filter(|user| !user.is_empty())
                .or_else(|| env.login.clone())
                .unwrap_or_else(|| "UNKNOWN_USER".into()),
            password: all.password,
            database: all.database.filter(|database| !database.is_empty()),
            tls,
            connect_timeout: all.connect_timeout.unwrap_or(DEFAULT_CONNECT_TIMEOUT),
            warnings,
        })
    }

    /// The server's address for messages: `127.0.0.1:3306`, or the socket's path.
    pub fn address(&self) -> String {
        match &self.socket {
            Some(socket) => socket.display().to_string(),
            None if self.host.contains(':') => format!("[{}]:{}", self.host, self.port),
            None => format!("{}:{}", self.host, self.port),
        }
    }
}

fn option_files(given: &Given, env: &Environment<'_>) -> OptionFiles {
    if given.no_defaults {
        return OptionFiles::default();
    }
    if let Some(only) = &given.defaults_file {
        return OptionFiles { required: Some(only.clone()), ..OptionFiles::default() };
    }
    OptionFiles {
        before: env.global_files.clone(),
        required: given.defaults_extra_file.clone(),
        after: env.user_file.clone().into_iter().collect(),
    }
}

fn environment(env: &Environment<'_>) -> Result<Layer> {
    let set = |name: &str| (env.variable)(name).filter(|value| !value.is_empty());
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

/// The socket to use although no flag names it. For a server on this machine that is the configured one, or else one that
/// exists in a usual place.
fn implied_socket(all: &Layer, env: &Environment<'_>) -> Option<PathBuf> {
    let local = all.host.as_deref().is_none_or(|host| host.is_empty() || is_localhost(host));
    if !local || all.protocol == Some(Protocol::Tcp) {
        return None;
    }
    // If a configured socket does not exist, connecting fails, as with `mysql`. TCP instead could reach another server.
    all.socket
        .clone()
        .filter(|socket| !socket.as_os_str().is_empty())
        .or_else(|| env.sockets.iter().find(|socket| socket.exists()).cloned())
        .or_else(|| env.sockets.first().filter(|_| all.protocol == Some(Protocol::Socket)).cloned())
}

fn tls(all: &Layer, by_socket: bool) -> Result<Tls> {
    let path = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
    let (ca, cert, key) = (path(&all.ssl_ca), path(&all.ssl_cert), path(&all.ssl_key));
    // --ssl-ca implies verification, as in the mysql client.
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
            // The crate reads the file for each connection, without a limit.
            small_file::check(file).map_err(|error| unreadable(flag, file, &error))?;
        }
    }
    Ok(Tls { mode, ca, cert, key })
}

/// The first line of a password file.
fn read_password(file: &Path) -> Result<Password> {
    if file == Path::new("-") {
        return Err(exit::usage("--password-file takes a file, not `-`"));
    }
    let line = small_file::first_line(file).map_err(|error| unreadable("--password-file", file, &error))?;
    match String::from_utf8(line) {
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

/// Removes the brackets of `[::1]`.
fn bare_host(host: String) -> String {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.to_owned(),
        None => host,
    }
}

/// The user that `mysql` would log in as: the name of the effective user.
fn login_name(env: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    // The effective user owns /proc/self; without /proc, use $USER.
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

//! The flags that say where the server is and how to log in, as those of the `mysql` client.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::server::Given;
use crate::server::settings::{Layer, TlsMode, parse_timeout};

// No flag has a default here: without a flag, the option files decide. (A doc comment would become the help of every
// command that flattens this.)
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// The server's name or address [default: localhost]
    #[arg(short = 'H', long, value_name = "HOST")]
    pub host: Option<String>,

    /// The server's TCP port [default: 3306]
    #[arg(short = 'P', long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,

    /// The unix socket of a server on this machine
    #[arg(short = 'S', long, value_name = "FILE")]
    pub socket: Option<PathBuf>,

    /// The user to log in as [default: your own name]
    #[arg(short = 'u', long, value_name = "USER")]
    pub user: Option<String>,

    /// The database of tables that are given without one
    #[arg(short = 'D', long, value_name = "NAME")]
    pub database: Option<String>,

    /// Read the password from the first line of FILE
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    // Accepted only so that the error can say what to do instead. The value is dropped at once.
    #[arg(short = 'p', long, hide = true, num_args = 0..=1, default_missing_value = "", value_parser = drop_value)]
    password: Option<Dropped>,

    /// How much TLS to insist on [default: preferred; with --ssl-ca, verify_ca]
    #[arg(long, value_name = "MODE", ignore_case = true, hide_possible_values = false, value_parser = ssl_mode())]
    pub ssl_mode: Option<TlsMode>,

    /// The authority that the server's certificate must come from (PEM)
    #[arg(long, value_name = "FILE")]
    pub ssl_ca: Option<PathBuf>,

    /// Our own certificate, for a server that asks for one (PEM)
    #[arg(long, value_name = "FILE")]
    pub ssl_cert: Option<PathBuf>,

    /// The private key of --ssl-cert (PEM)
    #[arg(long, value_name = "FILE")]
    pub ssl_key: Option<PathBuf>,

    /// Read FILE, and no other option file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["defaults_extra_file", "no_defaults"])]
    pub defaults_file: Option<PathBuf>,

    /// Read FILE too, before ~/.my.cnf
    #[arg(long, value_name = "FILE", conflicts_with = "no_defaults")]
    pub defaults_extra_file: Option<PathBuf>,

    /// Read no option file
    #[arg(long)]
    pub no_defaults: bool,

    /// How long connecting may take, as 10s or in seconds [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = parse_timeout)]
    pub connect_timeout: Option<Duration>,
}

/// What is left of a password that was given as a flag.
#[derive(Debug, Clone, Copy)]
struct Dropped;

fn drop_value(_: &str) -> Result<Dropped, Infallible> {
    Ok(Dropped)
}

fn ssl_mode() -> impl TypedValueParser<Value = TlsMode> {
    PossibleValuesParser::new(TlsMode::ALL.map(TlsMode::name)).try_map(|name| name.parse::<TlsMode>())
}

impl ConnectionArgs {
    /// Whether a flag names a server. Without one, log files are read without asking any server.
    pub fn names_a_server(&self) -> bool {
        let files = self.defaults_file.is_some() || self.defaults_extra_file.is_some();
        self.host.is_some() || self.port.is_some() || self.socket.is_some() || files
    }
}

impl From<ConnectionArgs> for Given {
    fn from(args: ConnectionArgs) -> Given {
        Given {
            flags: Layer {
                host: args.host,
                port: args.port,
                socket: args.socket,
                protocol: None,
                user: args.user,
                password: None,
                database: args.database,
                ssl_mode: args.ssl_mode,
                ssl_ca: args.ssl_ca,
                ssl_cert: args.ssl_cert,
                ssl_key: args.ssl_key,
                connect_timeout: args.connect_timeout,
            },
            password_file: args.password_file,
            password_by_flag: args.password.is_some(),
            defaults_file: args.defaults_file,
            defaults_extra_file: args.defaults_extra_file,
            no_defaults: args.no_defaults,
        }
    }
}

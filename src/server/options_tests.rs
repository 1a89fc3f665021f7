//! Where each option comes from, and who wins.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::server::settings::parse_timeout;

/// A folder of files that goes when the test does.
pub(in crate::server) struct Folder(PathBuf);

impl Folder {
    pub(in crate::server) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("dumpa-options-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(in crate::server) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(in crate::server) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An environment with these files and variables, and nothing else.
#[derive(Default)]
struct Setup {
    env: Vec<(&'static str, &'static str)>,
    global_files: Vec<PathBuf>,
    user_file: Option<PathBuf>,
    sockets: Vec<PathBuf>,
}

impl Setup {
    fn resolve(&self, given: &Given) -> Result<Options> {
        let env =
            |name: &str| self.env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let env = Environment {
            variable: &env,
            global_files: self.global_files.clone(),
            user_file: self.user_file.clone(),
            sockets: self.sockets.clone(),
            login: Some("me".into()),
        };
        Options::resolve_in(given, &env)
    }
}

fn given(flags: Layer) -> Given {
    Given { flags, ..Given::default() }
}

fn host(name: &str) -> Layer {
    Layer { host: Some(name.into()), ..Layer::default() }
}

fn password(options: &Options) -> &str {
    options.password.as_ref().map_or("(none)", Password::reveal)
}

#[test]
fn defaults() {
    let options = Setup::default().resolve(&Given::default()).unwrap();
    assert_eq!((options.host.as_str(), options.port, options.user.as_str()), ("127.0.0.1", 3306, "me"));
    assert_eq!((options.socket, options.database, options.password), (None, None, None));
    assert_eq!(options.tls.mode, TlsMode::Preferred);
    assert_eq!(options.connect_timeout, Duration::from_secs(10));
}

#[test]
fn flags_then_files_then_the_variables_of_mysql() {
    let folder = Folder::new();
    let file = folder.file("my.cnf", "[client]\nhost=file\nport=2\nuser=file\npassword=file\n");
    let env = vec![("MYSQL_HOST", "env"), ("MYSQL_TCP_PORT", "3"), ("MYSQL_PWD", "env")];
    let options = Setup { env: env.clone(), ..Setup::default() }.resolve(&Given::default()).unwrap();
    assert_eq!((options.host.as_str(), options.port, password(&options)), ("env", 3, "env"));

    let setup = Setup { env, global_files: vec![file], ..Setup::default() };
    let options = setup.resolve(&Given::default()).unwrap();
    assert_eq!((options.host.as_str(), options.port, password(&options)), ("file", 2, "file"));

    let flags = Layer { port: Some(1), user: Some("flag".into()), ..host("flag") };
    let options = setup.resolve(&given(flags)).unwrap();
    assert_eq!((options.host.as_str(), options.port, options.user.as_str()), ("flag", 1, "flag"));
}

#[test]
fn a_password_for_dumpa_alone_overrules_the_files() {
    let folder = Folder::new();
    let file = folder.file("my.cnf", "[client]\npassword=file\n");
    let setup = Setup {
        env: vec![("DUMPA_PASSWORD", "own"), ("MYSQL_PWD", "env")],
        global_files: vec![file],
        ..Setup::default()
    };
    assert_eq!(password(&setup.resolve(&Given::default()).unwrap()), "own");

    for (text, wanted) in [("flag\nrest\n", "flag"), ("flag\r\n", "flag"), (" spaces ", " spaces "), ("", "")]
    {
        let given = Given { password_file: Some(folder.file("password", text)), ..Given::default() };
        assert_eq!(password(&setup.resolve(&given).unwrap()), wanted);
    }
}

#[test]
fn no_password_is_taken_from_a_flag_or_stdin_and_none_is_shown() {
    let setup = Setup { env: vec![("DUMPA_PASSWORD", "secret")], ..Setup::default() };
    for given in [
        Given { password_by_flag: true, ..Given::default() },
        Given { password_file: Some("-".into()), ..Given::default() },
        Given { password_file: Some("/no/such/file".into()), ..Given::default() },
    ] {
        let error = setup.resolve(&given).unwrap_err();
        assert_eq!(exit::code(&error), exit::USAGE);
        assert!(error.to_string().contains("--password-file"), "{error}");
    }
    assert!(!format!("{:?}", setup.resolve(&Given::default()).unwrap()).contains("secret"));
}

#[test]
fn the_users_file_wins_and_an_extra_file_comes_before_it() {
    let folder = Folder::new();
    let global = folder.file("global.cnf", "[client]\nhost=global\nuser=global\nport=1\ndatabase=x\n");
    let extra = folder.file("extra.cnf", "[client]\nhost=extra\nuser=extra\n");
    let own = folder.file("own.cnf", "[client]\nhost=own\n");
    let setup = Setup { global_files: vec![global], user_file: Some(own), ..Setup::default() };
    let with_extra = Given { defaults_extra_file: Some(extra.clone()), ..Given::default() };
    let options = setup.resolve(&with_extra).unwrap();
    assert_eq!((options.host.as_str(), options.user.as_str(), options.port), ("own", "extra", 1));

    let alone = Given { defaults_file: Some(extra), ..Given::default() };
    let options = setup.resolve(&alone).unwrap();
    assert_eq!((options.host.as_str(), options.port), ("extra", 3306));

    let none = Given { no_defaults: true, ..Given::default() };
    assert_eq!(setup.resolve(&none).unwrap().host, "127.0.0.1");

    let missing = Given { defaults_file: Some("/no/such.cnf".into()), ..Given::default() };
    let error = setup.resolve(&missing).unwrap_err();
    assert_eq!(error.to_string(), "the option file /no/such.cnf does not exist");
    assert_eq!(exit::code(&error), exit::USAGE);
}

#[test]
fn socket_or_tcp() {
    let folder = Folder::new();
    let usual = folder.file("usual.sock", "");
    let file = folder.file("my.cnf", "[client]\nsocket=/file.sock\nport=3307\n");
    let tcp = folder.file("tcp.cnf", "[client]\nprotocol=tcp\n");
    let sockets = vec![folder.path("not-there.sock"), usual.clone()];
    let plain = Setup { sockets: sockets.clone(), ..Setup::default() };
    let socket = |setup: &Setup, flags: Layer| setup.resolve(&given(flags)).unwrap().socket;
    let port = || Layer { port: Some(3307), ..Layer::default() };

    assert_eq!(socket(&plain, Layer::default()), Some(usual.clone()));
    assert_eq!(socket(&plain, host("LocalHost")), Some(usual));
    assert_eq!(socket(&plain, host("127.0.0.1")), None);
    assert_eq!(socket(&plain, host("db.example")), None);
    assert_eq!(socket(&plain, port()), None);
    assert_eq!(
        socket(&plain, Layer { socket: Some("/flag.sock".into()), ..port() }),
        Some("/flag.sock".into())
    );

    let configured = Setup { sockets: sockets.clone(), global_files: vec![file], ..Setup::default() };
    assert_eq!(socket(&configured, Layer::default()), Some("/file.sock".into()));
    assert_eq!(socket(&configured, host("db.example")), None);
    assert_eq!(socket(&configured, port()), None);

    let env =
        Setup { env: vec![("MYSQL_UNIX_PORT", "/env.sock")], sockets: sockets.clone(), ..Setup::default() };
    assert_eq!(socket(&env, Layer::default()), Some("/env.sock".into()));
    assert_eq!(
        socket(&Setup { global_files: vec![tcp], sockets, ..Setup::default() }, Layer::default()),
        None
    );

    let both = Layer { socket: Some("/s".into()), ..host("db.example") };
    assert_eq!(exit::code(&plain.resolve(&given(both)).unwrap_err()), exit::USAGE);
    // The flag means more than a host from elsewhere.
    let env = Setup { env: vec![("MYSQL_HOST", "db.example")], ..Setup::default() };
    assert_eq!(socket(&env, Layer { socket: Some("/s".into()), ..Layer::default() }), Some("/s".into()));
}

#[test]
fn addresses_as_messages_name_them() {
    let address = |flags: Layer| Setup::default().resolve(&given(flags)).unwrap().address();
    assert_eq!(address(Layer::default()), "127.0.0.1:3306");
    assert_eq!(address(host("[::1]")), "[::1]:3306");
    assert_eq!(address(host("::1")), "[::1]:3306");
    assert_eq!(address(Layer { socket: Some("/s".into()), ..Layer::default() }), "/s");
}

#[test]
fn tls_modes() {
    let folder = Folder::new();
    let file = folder.file("ca.pem", "");
    let resolve = |flags: Layer| Setup::default().resolve(&given(flags)).map(|options| options.tls.mode);
    let ca = || Layer { ssl_ca: Some(file.clone()), ..Layer::default() };
    assert_eq!(resolve(ca()).unwrap(), TlsMode::VerifyCa);
    assert_eq!(resolve(Layer { ssl_mode: Some(TlsMode::Required), ..ca() }).unwrap(), TlsMode::Required);
    assert_eq!(resolve(Layer { socket: Some("/s".into()), ..ca() }).unwrap(), TlsMode::Disabled);
    let identity = Layer { ssl_mode: Some(TlsMode::VerifyIdentity), ..Layer::default() };
    assert_eq!(resolve(identity).unwrap(), TlsMode::VerifyIdentity);
    for wrong in [
        Layer { ssl_mode: Some(TlsMode::VerifyCa), ..Layer::default() },
        Layer { ssl_cert: Some(file.clone()), ..Layer::default() },
        Layer { ssl_ca: Some("/no/such.pem".into()), ..Layer::default() },
    ] {
        assert_eq!(exit::code(&resolve(wrong).unwrap_err()), exit::USAGE);
    }
}

#[test]
fn timeouts() {
    assert_eq!(parse_timeout("10s"), Ok(Duration::from_secs(10)));
    assert_eq!(parse_timeout("3"), Ok(Duration::from_secs(3)));
    assert_eq!(parse_timeout("1m 30s"), Ok(Duration::from_secs(90)));
    assert!(parse_timeout("0").is_err() && parse_timeout("soon").is_err());
}

#[test]
fn account_names() {
    let accounts = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n";
    assert_eq!(account_of(accounts, 1000).as_deref(), Some("ada"));
    assert_eq!(account_of(accounts, 1001), None);
}

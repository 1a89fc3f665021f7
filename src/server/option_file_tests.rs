//! What an option file says, and how it says it.

use super::*;
use crate::server::options::tests::Folder;
use std::time::Duration;

/// The settings of one file with this text.
fn layer(text: &str) -> Result<(Layer, Vec<String>)> {
    let folder = Folder::new();
    let mut warnings = Vec::new();
    let files = OptionFiles { required: Some(folder.file("my.cnf", text)), ..OptionFiles::default() };
    read(&files, &mut warnings).map(|layer| (layer, warnings))
}

fn setting(line: &str) -> (String, Option<String>) {
    match parse(line) {
        Ok(Line::Setting(key, value)) => (key, value),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn values_are_trimmed_unquoted_and_unescaped() {
    for (line, value) in [
        ("key=value", "value"),
        ("key = two words  ", "two words"),
        ("key=value # comment", "value"),
        ("key='a # b' # comment", "a # b"),
        (r#"key="a \" # b""#, "a \" # b"),
        ("key=", ""),
        ("key=''", ""),
        ("key='", "'"),
        ("key=a=b", "a=b"),
        (r"key=a\sb\tc\nd\\e", "a b\tc\nd\\e"),
        (r"key=C:\dir\", "C:\\dir\\"),
        ("key='\u{e4}'", "\u{e4}"),
    ] {
        assert_eq!(setting(line), ("key".into(), Some(value.into())), "{line}");
    }
    assert_eq!(setting("skip_ssl # no value"), ("skip-ssl".into(), None));
    assert_eq!(setting("ssl_verify-server_cert=1").0, "ssl-verify-server-cert");
}

#[test]
fn lines_that_are_no_settings() {
    for line in ["", "   ", "# comment", "  ; comment"] {
        assert_eq!(parse(line), Ok(Line::Blank));
    }
    assert_eq!(parse(" [client] # mine"), Ok(Line::Group("client")));
    assert_eq!(parse("!include  /a b.cnf "), Ok(Line::Include("/a b.cnf")));
    assert_eq!(parse("!includedir\t/conf.d/"), Ok(Line::IncludeDir("/conf.d/")));
    assert!(parse("!inclde /a").is_err());
    assert!(parse("[client").is_err());
}

#[test]
fn groups_that_count_and_groups_that_do_not() {
    let text = "[mysqld]\nport=1\nhost\n[client]\nport=2\ndefault-character-set=utf8\ndatabase=no\nuser=a\n\
                [mysql]\nuser=b\n[dumpa]\ndatabase=shop\nport=3\n[client-server]\nsocket=/s\n";
    let (layer, warnings) = layer(text).unwrap();
    assert_eq!(layer.port, Some(3));
    assert_eq!(layer.user.as_deref(), Some("a"));
    assert_eq!(layer.database.as_deref(), Some("shop"));
    assert_eq!(layer.socket, Some("/s".into()));
    assert!(warnings.is_empty());
}

#[test]
fn what_is_wrong_names_its_line() {
    for (text, wanted) in [
        ("[dumpa]\n\nhots=a\n", "my.cnf:3: [dumpa] has no option hots; there are host, port"),
        ("[client]\nport=many\n", "my.cnf:2: port: \"many\" is not a port"),
        ("[client]\nssl-mode=some\n", "my.cnf:2: ssl-mode: \"some\" is not an SSL mode; there are disabled"),
        ("[client]\nssl=perhaps\n", "my.cnf:2: ssl: \"perhaps\" is neither on nor off"),
        ("[client]\nuser\n", "my.cnf:2: user: has no value"),
        ("user=a\n", "my.cnf:1: the option user comes before any [group]"),
        ("[client\n", "my.cnf:1: a [group] without its `]`"),
    ] {
        let error = layer(text).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
        assert_eq!(exit::code(&error), exit::USAGE);
    }
}

#[test]
fn a_loose_option_may_be_unknown() {
    let (layer, _) = layer("[dumpa]\nloose-hots=a\nloose_user=b\n").unwrap();
    assert_eq!(layer.user.as_deref(), Some("b"));
}

#[test]
fn tls_switches() {
    let mode = |lines: &str| layer(&format!("[client]\n{lines}")).unwrap().0.ssl_mode;
    assert_eq!(mode("ssl"), Some(TlsMode::Required));
    assert_eq!(mode("ssl=0"), Some(TlsMode::Disabled));
    assert_eq!(mode("skip-ssl"), Some(TlsMode::Disabled));
    assert_eq!(mode("ssl_mode=Verify_CA\nssl"), Some(TlsMode::VerifyCa));
    assert_eq!(mode("ssl-verify-server-cert\nssl"), Some(TlsMode::VerifyIdentity));
    assert_eq!(mode("ssl-verify-server-cert=on\ndisable-ssl-verify-server-cert"), Some(TlsMode::Required));
    assert_eq!(mode("skip-ssl-verify-server-cert"), None);
}

#[test]
fn the_other_options() {
    let (layer, warnings) =
        layer("[client]\npassword='a#b'\nconnect_timeout=3\nprotocol=TCP\nssl-ca=/ca\npassword\n").unwrap();
    assert_eq!(layer.password, Some(Password::new("a#b")));
    assert_eq!(layer.connect_timeout, Some(Duration::from_secs(3)));
    assert_eq!(layer.protocol, Some(Protocol::Tcp));
    assert_eq!(layer.ssl_ca, Some("/ca".into()));
    assert!(warnings[0].contains("my.cnf:6"), "{warnings:?}");
}

#[test]
fn includes_are_read_where_they_stand_and_folders_by_name() {
    let folder = Folder::new();
    folder.file("d/2.cnf", "[client]\nhost=two\n");
    folder.file("d/1.cnf", "[client]\nhost=one\nport=1\n");
    folder.file("d/3.cnf~", "[client]\nhost=three\n");
    let other = folder.file("other.cnf", "[client]\nuser=other\nsocket=/other\n");
    let main = format!(
        "[client]\nuser=main\n!includedir {}\n!include {}\nsocket=/main\n!include /no/such.cnf\n",
        folder.path("d").display(),
        other.display()
    );
    let files = OptionFiles { required: Some(folder.file("my.cnf", &main)), ..OptionFiles::default() };
    let mut warnings = Vec::new();
    let layer = read(&files, &mut warnings).unwrap();
    assert_eq!((layer.host.as_deref(), layer.port), (Some("two"), Some(1)));
    assert_eq!(layer.user.as_deref(), Some("other"));
    assert_eq!(layer.socket, Some("/main".into()));
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].ends_with("my.cnf:6: the option file /no/such.cnf does not exist"), "{warnings:?}");
}

#[test]
fn a_file_that_includes_itself_ends() {
    let folder = Folder::new();
    let path = folder.path("my.cnf");
    folder.file("my.cnf", &format!("!include {}\n", path.display()));
    let files = OptionFiles { required: Some(path), ..OptionFiles::default() };
    assert!(read(&files, &mut Vec::new()).unwrap_err().to_string().contains("deeper than 10"));
}

#[test]
fn a_file_that_anybody_can_write_is_not_trusted() {
    let folder = Folder::new();
    let path = folder.file("my.cnf", "[client]\nhost=evil\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let mut warnings = Vec::new();
    let files = OptionFiles { before: vec![path.clone()], ..OptionFiles::default() };
    assert_eq!(read(&files, &mut warnings).unwrap().host, None);
    assert!(warnings[0].contains("can be written by anybody"), "{warnings:?}");

    let files = OptionFiles { required: Some(path), ..OptionFiles::default() };
    assert_eq!(exit::code(&read(&files, &mut warnings).unwrap_err()), exit::USAGE);
}

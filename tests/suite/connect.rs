//! How dumpa reaches a server, and what it says when it cannot. `position` stands for every command.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::*;

/// No line of any output may hold it.
const PASSWORD: &str = "Gehe1m#'is";
const WRONG: &str = "Fa1sch#\"er";

/// An account for one test.
struct Account<'a> {
    server: &'a Server,
    name: String,
}

impl<'a> Account<'a> {
    /// `plugin` as in `identified with …`; empty is the server's default.
    fn new(server: &'a Server, hint: &str, plugin: &str, options: &str) -> Account<'a> {
        let name = format!("{hint}_{}", std::process::id());
        let password = PASSWORD.replace('\'', "''");
        server.sql(&format!("create user {name}@'%' identified {plugin} by '{password}'"));
        // Before 5.7, the demand for TLS is GRANT's.
        let may = if server.is_mysql() { "replication client" } else { "binlog monitor" };
        if server.version() < (5, 7) {
            server.sql(&format!("grant {may} on *.* to {name}@'%' {options}"));
        } else {
            server.sql(&format!("alter user {name}@'%' {options};\ngrant {may} on *.* to {name}@'%'"));
        }
        Account { server, name }
    }

    /// The command, over TCP, with this account.
    fn position(&self) -> Dumpa {
        let port = self.server.port.to_string();
        Dumpa::bare().args(["position", "-H", "127.0.0.1", "-P", &port, "-u", &self.name])
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        self.server.sql(&format!("drop user {}@'%'", self.name));
    }
}

#[track_caller]
fn connects(dumpa: &Dumpa) {
    let run = dumpa.run().expect_code(0);
    assert!(run.text().contains(r#""file":""#), "{}", run.text());
}

/// The one line that it fails with; it never holds a password.
#[track_caller]
fn fails(dumpa: &Dumpa, code: i32) -> String {
    let run = dumpa.run().expect_code(code);
    assert_eq!(run.text(), "");
    assert!(!run.stderr.contains(PASSWORD) && !run.stderr.contains(WRONG), "{}", run.stderr);
    assert_eq!(run.stderr.trim_end().lines().count(), 1, "{}", run.stderr);
    run.stderr
}

/// Takes connections on a port of its own, and gives each to `talk`.
fn listener(talk: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || talk(stream.expect("a connection")));
        }
    });
    port.to_string()
}

fn position_of(port: &str) -> Dumpa {
    Dumpa::bare().args(["position", "-H", "127.0.0.1", "-P", port, "-u", "root", "--connect-timeout", "1"])
}

on_each_server! {
    fn by_tcp_by_socket_and_by_option_file(server) {
        connects(&Dumpa::without_db(server).args(["position"]));
        let socket = server.socket.to_str().expect("UTF-8");
        connects(&Dumpa::bare().args(["position", "-u", "root", "-S", socket]));

        let dumpa = Dumpa::bare().args(["position"]);
        fs::write(dumpa.file(".my.cnf"), format!("[client]\nuser=root\nsocket={socket}\nno-auto-rehash\n")).unwrap();
        connects(&dumpa);
        let tcp = format!("[client]\nuser=nobody\nhost=127.0.0.1\n[dumpa]\nport={}\nuser=root\n", server.port);
        fs::write(dumpa.file(".my.cnf"), tcp).unwrap();
        connects(&dumpa);
    }

    fn a_password_from_each_place(server) {
        let account = Account::new(server, "places", "", "");
        connects(&account.position().env("DUMPA_PASSWORD", PASSWORD).env("MYSQL_PWD", WRONG));
        connects(&account.position().env("MYSQL_PWD", PASSWORD));

        let dumpa = account.position().args(["--password-file", "password"]).env("DUMPA_PASSWORD", WRONG);
        fs::write(dumpa.file("password"), format!("{PASSWORD}\nmore\n")).unwrap();
        connects(&dumpa);

        let dumpa = account.position();
        fs::write(dumpa.file(".my.cnf"), format!("[client]\npassword = \"{PASSWORD}\"\n")).unwrap();
        connects(&dumpa);
    }

    fn a_wrong_password_is_told_with_advice_and_not_shown(server) {
        let account = Account::new(server, "wrong", "", "");
        let said = fails(&account.position().env("DUMPA_PASSWORD", WRONG), 1);
        assert!(said.contains(&format!("refused user '{}'", account.name)), "{said}");
        let said = fails(&account.position(), 1);
        assert!(said.contains("DUMPA_PASSWORD") && said.contains("--password-file"), "{said}");
    }

    fn a_database_that_is_not_there(server) {
        let said = fails(&Dumpa::without_db(server).args(["position", "-D", "no_such_db"]), 1);
        assert!(said.contains("no_such_db"), "{said}");
    }
}

on_servers!([mysql_9_7, mariadb_11_8] fn tls_where_the_server_has_it(server) {
    let account = Account::new(server, "tls", "", "require ssl");
    let with = |args: &[&str]| account.position().env("DUMPA_PASSWORD", PASSWORD).args(args);
    connects(&with(&[]));
    connects(&with(&["--ssl-mode", "REQUIRED"]));
    fails(&with(&["--ssl-mode", "disabled"]), 1);
});

on_servers!([mysql_5_6, mysql_5_7, mysql_8_0, mariadb_10_11, mariadb_11_4] fn no_tls_where_the_server_has_none(server) {
    let preferred = Dumpa::without_db(server).args(["position", "--ssl-mode", "preferred"]).run().expect_code(0);
    assert_eq!(preferred.stderr, "", "as the mysql client does");
    let said = fails(&Dumpa::without_db(server).args(["position", "--ssl-mode", "required"]), 1);
    assert!(said.contains("has no TLS"), "{said}");
});

/// The server offers TLS, and dumpa speaks none of it.
#[track_caller]
fn falls_back_aloud(server: &Server, ca: &Path, why: &str) {
    let db = server.fresh_db("tls");
    db.sql("create table t (id int primary key);\ninsert into t values (1)");
    // Three connections, one warning, which --quiet does not take away.
    let run = Dumpa::new(server, &db).args(["load", "--quiet", "--save", "pos.json"]).run().expect_code(0);
    let said = run.stderr.trim_end();
    assert!(said.contains("is NOT encrypted") && said.contains(why) && said.lines().count() == 1, "{said}");
    let run = Dumpa::new(server, &db).args(["load", "--ssl-mode", "disabled"]).run().expect_code(0);
    assert!(!run.stderr.contains("encrypted"), "{}", run.stderr);
    for mode in ["required", "verify_ca"] {
        let dumpa = Dumpa::new(server, &db).args(["position", "--ssl-mode", mode, "--ssl-ca"]).args([ca]);
        let said = fails(&dumpa, 1);
        assert!(said.contains("TLS") && said.contains(why), "{said}");
    }
}

on_servers!([mysql_8_0] fn a_fallback_to_no_tls_is_said_once(shared) {
    let server = Server::private(&shared.name, &["--ssl"]);
    let authority = server.dir.join("data/ca.pem");
    // Its suites that dumpa has not: those of a plain Diffie-Hellman.
    falls_back_aloud(&server, &authority, "no cipher suite that dumpa supports");
    // It has made itself a certificate, which the others take as well.
    let [ca, cert, key] = ["ca", "server-cert", "server-key"].map(|name| {
        format!("--ssl-{}={}", name.trim_start_matches("server-"), server.dir.join(format!("data/{name}.pem")).display())
    });
    for older in ["mysql-5.6", "mysql-5.7"] {
        let older = Server::private(older, &["--ssl", &ca, &cert, &key]);
        falls_back_aloud(&older, &authority, "no version of TLS that dumpa supports");
    }
    for newer in ["mariadb-10.11", "mariadb-11.4"] {
        let newer = Server::private(newer, &["--ssl", &ca, &cert, &key]);
        let run = Dumpa::without_db(&newer).args(["position", "--ssl-mode", "required"]).run().expect_code(0);
        assert_eq!(run.stderr, "");
    }
});

on_servers!([mysql_9_7] fn the_certificate_is_verified(server) {
    let ca = server.dir.join("data/ca.pem");
    let ca = ca.to_str().expect("UTF-8");
    let with = |args: &[&str]| Dumpa::without_db(server).args(["position"]).args(args);
    // An authority that is named is asked, though no mode is given.
    connects(&with(&["--ssl-ca", ca]));
    connects(&with(&["--ssl-mode", "verify_ca", "--ssl-ca", ca]));

    // The server's own certificate names no host.
    let said = fails(&with(&["--ssl-mode", "verify_identity", "--ssl-ca", ca]), 1);
    assert!(said.contains("not valid for name"), "{said}");

    let other = with(&["--ssl-ca", "other.pem"]);
    fs::write(other.file("other.pem"), ANOTHER_AUTHORITY).unwrap();
    assert!(fails(&other, 1).contains("TLS"));

    let said = fails(&with(&["--ssl-mode", "verify_ca"]), 2);
    assert!(said.contains("--ssl-ca"), "{said}");
});

on_servers!([mysql_9_7] fn caching_sha2_password_by_its_public_key(server) {
    // A new account is in no cache, so the password itself has to go over, and there is no TLS to hide it.
    let account = Account::new(server, "sha2", "with caching_sha2_password", "");
    let plain = account.position().args(["--ssl-mode", "disabled"]);
    connects(&plain.env("DUMPA_PASSWORD", PASSWORD));
});

on_servers!([mysql_9_7] fn an_unknown_login_plugin_is_named(server) {
    let account = Account::new(server, "sha256", "with sha256_password", "");
    let said = fails(&account.position().env("DUMPA_PASSWORD", PASSWORD), 1);
    assert!(said.contains("sha256_password"), "{said}");
});

#[test]
fn a_password_flag_is_refused_with_advice() {
    for flag in [["-p", WRONG].concat(), ["--password=", WRONG].concat(), "-p".into()] {
        let said = fails(&Dumpa::bare().args(["position", &flag]), 2);
        assert!(said.contains("--password-file") && said.contains("DUMPA_PASSWORD"), "{said}");
    }
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("its address").port().to_string();
    drop(free);
    let said = fails(&position_of(&port), 1);
    assert!(said.contains(&format!("cannot reach 127.0.0.1:{port}: connection refused")), "{said}");

    let said = fails(&Dumpa::bare().args(["position", "-S", "no/such.sock"]), 1);
    assert!(said.contains("cannot reach no/such.sock"), "{said}");
}

#[test]
fn a_host_that_takes_the_call_and_says_nothing_or_too_little() {
    let silent = listener(|_stream| thread::sleep(Duration::from_secs(60)));
    // Each byte would be in time.
    let slow = listener(|mut stream| {
        let greeting = [&[0x00, 0x10, 0x00, 0x00], [b'x'; 600].as_slice()].concat();
        for byte in greeting {
            if stream.write_all(&[byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
    });
    for port in [silent, slow] {
        let started = Instant::now();
        let said = fails(&position_of(&port), 1);
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        assert!(said.contains(&port) && said.contains("within 1s"), "{said}");
    }
}

#[test]
fn a_host_that_is_no_mysql_server() {
    let ssh = listener(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n");
        thread::sleep(Duration::from_secs(60));
    });
    let said = fails(&position_of(&ssh), 1);
    assert!(said.contains("answered, but not as a MySQL server"), "{said}");
}

#[test]
fn a_server_that_has_no_connection_to_spare() {
    let full = listener(|mut stream| {
        let _ = stream.write_all(b"\x17\0\0\0\xff\x10\x04Too many connections");
    });
    let said = fails(&position_of(&full), 1);
    assert!(said.contains("Too many connections; try again later"), "{said}");
}

#[test]
fn option_files_that_are_wrong() {
    let dumpa = Dumpa::bare().args(["position"]);
    fs::write(dumpa.file(".my.cnf"), "[dumpa]\nhots=a\n").unwrap();
    let said = fails(&dumpa, 2);
    assert!(said.contains(".my.cnf:2:") && said.contains("hots"), "{said}");

    let missing = Dumpa::bare().args(["position", "--defaults-file", "no/such.cnf"]);
    assert!(fails(&missing, 2).contains("no/such.cnf"));

    let stdin = Dumpa::bare().args(["position", "--password-file", "-"]);
    assert!(fails(&stdin, 2).contains("--password-file"));
}

#[test]
fn an_option_file_that_anybody_can_write_is_ignored_aloud() {
    let dumpa = Dumpa::bare().args(["position", "-S", "no/such.sock"]);
    let file = dumpa.file(".my.cnf");
    fs::write(&file, "[dumpa]\nhots=a\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let run = dumpa.run().expect_code(1);
    assert!(run.stderr.contains("can be written by anybody"), "{}", run.stderr);
}

/// Of nothing, for nobody; it never ends, and its key is lost.
const ANOTHER_AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUN1se8bk2wNRTRVb1u7I/LgQgJQIwCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWQW4gYXV0aG9yaXR5IG9mIG5vYm9keTAgFw0yNjExMjIxMjQw
NDFaGA8yMTI2MTAyOTEyNDA0MVowITEfMB0GA1UEAwwWQW4gYXV0aG9yaXR5IG9m
IG5vYm9keTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHmSJYNgo7kn06UjqoR9
g8gLyXIKm3U8//eqg4aC7xDPRsWV8ng50HZ7YhgkQBHk9LdGG2+HdGxr6VMveLo6
ZOGjUzBRMB0GA1UdDgQWBBTFN+eqXj7qqBYm2jqqdWpfZJt4QDAfBgNVHSMEGDAW
gBTFN+eqXj7qqBYm2jqqdWpfZJt4QDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
BAMCA0gAMEUCIQCnm+lyAHLS0E+OEo4OyUd6xCy5sCmP6A8diL0y9hKh+QIgMa9O
e1HQ00P1Kko2nwj5L87k2tA2weNIrHUmdlFyvMs=
-----END CERTIFICATE-----
";

//! A server that answers with bytes that are no MySQL protocol, or with text that is made for a terminal.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::common::*;

const COM_QUERY: u8 = 3;
/// A result set of 2^64 - 1 columns.
const TOO_MANY_COLUMNS: &[u8] = &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
/// An error that clears the screen, sets the window's title, and begins another line.
const ERROR_WITH_ESCAPES: &[u8] =
    b"\xff\x51\x04#42000no \x1b[2J\x1b]0;owned\x07 such \xc2\x9b1m thing\r\ndumpa: warning: all is well\x7f";

/// Stands in front of a real server, and answers one of the queries itself: the `at`th of all, from 1.
fn proxy(server: &Server, at: usize, answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (port, target) = (listener.local_addr().expect("its address").port(), server.port);
    let queries = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.expect("a connection");
            let server = TcpStream::connect(("127.0.0.1", target)).expect("the real server");
            let (mut from, mut to) = both(&server, &client);
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            let queries = queries.clone();
            thread::spawn(move || pass_on(client, server, &queries, at, answer));
        }
    });
    port
}

fn both(a: &TcpStream, b: &TcpStream) -> (TcpStream, TcpStream) {
    (a.try_clone().expect("a handle"), b.try_clone().expect("a handle"))
}

/// Passes the client's packets on, each with its header of three bytes of length and a sequence number.
fn pass_on(
    mut client: TcpStream,
    mut server: TcpStream,
    queries: &AtomicUsize,
    at: usize,
    answer: &[u8],
) -> Option<()> {
    loop {
        let mut packet = vec![0; 4];
        client.read_exact(&mut packet).ok()?;
        let len = usize::from(packet[0]) | usize::from(packet[1]) << 8 | usize::from(packet[2]) << 16;
        packet.resize(4 + len, 0);
        client.read_exact(&mut packet[4..]).ok()?;
        let is_query = packet[3] == 0 && packet.get(4) == Some(&COM_QUERY);
        if is_query && queries.fetch_add(1, Ordering::SeqCst) + 1 == at {
            let mut reply = vec![answer.len() as u8, 0, 0, 1];
            reply.extend_from_slice(answer);
            client.write_all(&reply).ok()?;
        } else {
            server.write_all(&packet).ok()?;
        }
    }
}

/// Runs the command once for each of its queries, with that one answered by the proxy, until one run has fewer.
#[track_caller]
fn at_each_query(
    server: &Server,
    db: &Db,
    args: &[&str],
    answer: &'static [u8],
    check: impl Fn(usize, &Run),
) {
    for at in 1.. {
        let port = proxy(server, at, answer).to_string();
        let connection =
            ["-H", "127.0.0.1", "-P", &port, "-u", "root", "--ssl-mode", "disabled", "-D", &db.name];
        let dumpa = Dumpa::bare().args(args).args(connection);
        let run = dumpa.run();
        if run.code == Some(0) && !run.stderr.contains("could not") {
            assert!(at > 2, "it asked for more than {} things", at - 1);
            return;
        }
        check(at, &run);
        let saved = std::fs::exists(dumpa.file("pos.json")).expect("it can be told");
        // A tail saves what it has printed, once a second. A query of a load after its rows are printed may fail
        // without failing the run.
        assert!(!saved || run.code == Some(0) || args[0] == "tail", "{args:?}, query {at}: {}", run.stderr);
    }
}

on_servers!([mysql_8_0, mariadb_11_4] fn more_columns_than_can_be(server) {
    let db = server.fresh_db("hostile");
    let position = Dumpa::new(server, &db).args(["position", "--save", "pos.json"]);
    position.run().expect_code(0);
    let place = position.file("pos.json").display().to_string();
    db.sql("create table t (id int primary key) engine=innodb;\ninsert into t values (1)");
    for args in [
        vec!["position", "--save", "pos.json"],
        vec!["validate-pos", "now"],
        vec!["load", "--quiet", "--save", "pos.json"],
        vec!["tail", "--from", &place, "--until", "now", "--quiet", "--save", "pos.json"],
    ] {
        at_each_query(server, &db, &args, TOO_MANY_COLUMNS, |at, run| {
            assert_eq!(run.code, Some(1), "{args:?}, query {at}: {}", run.stderr);
            assert!(run.stderr.contains("not the MySQL protocol"), "{args:?}, query {at}: {}", run.stderr);
            assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
            run.lines();
        });
    }
});

on_servers!([mysql_8_0, mariadb_11_4] fn an_error_text_made_for_a_terminal(server) {
    let db = server.fresh_db("hostile");
    db.sql("create table t (id int primary key) engine=innodb;\ninsert into t values (1)");
    for args in [
        vec!["position"],
        vec!["load", "--save", "pos.json"],
        vec!["tail", "--from", "now", "--until", "now"],
    ] {
        at_each_query(server, &db, &args, ERROR_WITH_ESCAPES, |at, run| {
            let raw = run.stderr.chars().any(|c| c.is_control() && c != '\n');
            assert!(!raw && !run.stderr.contains("\ndumpa: warning: all"), "{args:?}, query {at}: {:?}", run.stderr);
        });
    }
});

#[test]
fn an_error_text_made_for_a_terminal_instead_of_a_greeting() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port().to_string();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut packet = vec![ERROR_WITH_ESCAPES.len() as u8 - 6, 0, 0, 0];
            packet.extend_from_slice(&ERROR_WITH_ESCAPES[..3]);
            // Before the login there is no SQL state.
            packet.extend_from_slice(&ERROR_WITH_ESCAPES[9..]);
            let _ = client.expect("a connection").write_all(&packet);
        }
    });
    let run = Dumpa::bare().args(["position", "-H", "127.0.0.1", "-P", &port]).run().expect_code(1);
    assert!(run.stderr.contains(r"no \x1b[2J\x1b]0;owned\x07 such \x9b1m thing"), "{:?}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{:?}", run.stderr);
}

#[test]
fn an_argument_made_for_a_terminal() {
    for args in [&["--\x1b[2J\x07"][..], &["load", "--id", "\x1b[2J\n"]] {
        let run = Dumpa::bare().args(args).run();
        let raw = run.stderr.chars().any(|c| c.is_control() && c != '\n');
        assert!(run.code != Some(0) && !raw, "{:?}", run.stderr);
    }
    let socket = ["load", "-D", "d", "--no-defaults", "-S", "/nowhere/\x1b[2J\n/s"];
    let run = Dumpa::bare().args(socket).run().expect_code(1);
    assert!(run.stderr.contains(r"/nowhere/\x1b[2J") && run.stderr.lines().count() == 1, "{:?}", run.stderr);
}

//! Relay logs: another server's events between a replica's own, with offsets that are another file's.

use std::path::{Path, PathBuf};

use crate::common::*;

/// How each server is told whose replica to be, and to fetch the log without applying it.
fn follow(source: &Server, replica: &Server) {
    let port = source.port;
    // MySQL has other words for it since 8.0.23.
    let (change, start) = match source.is_mysql() && source.version() > (8, 0) {
        true => (
            format!(
                "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, SOURCE_USER='root',
                 SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1"
            ),
            "START REPLICA IO_THREAD",
        ),
        false => {
            let tls = if source.is_mariadb() && source.version() >= (11, 0) {
                ", MASTER_SSL_VERIFY_SERVER_CERT=0"
            } else {
                ""
            };
            (
                format!(
                    "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='root',
                     MASTER_LOG_FILE='bin.000001', MASTER_LOG_POS=4{tls}"
                ),
                "START SLAVE IO_THREAD",
            )
        }
    };
    replica.sql(&format!("{change};\n{start}"));
}

/// Log files of a server by the beginning of their name, in order.
fn files(server: &Server, begin: &str) -> Vec<PathBuf> {
    let is_log = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let number = name.strip_prefix(begin).and_then(|rest| rest.strip_prefix('.'));
        number.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
    };
    let folder = Path::new(&server.dir).join("data");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_log).collect();
    files.sort();
    files
}

/// What the files say, but for the places.
fn lines(files: &[PathBuf]) -> Vec<String> {
    let run = Dumpa::bare().args(["tail", "-D", "d", "--binlog"]).args(files).run().expect_code(0);
    let short = |tuple: &Tuple| {
        let metadata = &tuple.metadata;
        format!("{} {} {}", tuple.without_metadata(), metadata["ts"], metadata["gtid"])
    };
    run.lines().iter().map(short).collect()
}

on_servers!([mysql_8_0, mysql_9_7, mariadb_10_11, mariadb_11_4, mariadb_11_8]
 fn a_relay_log_holds_the_lines_of_the_log(shared) {
    let source = Server::private(&shared.name, &["--server-id=11", "--binlog-row-metadata=FULL"]);
    let replica = Server::private(&shared.name, &["--server-id=22", "--relay-log=relay"]);
    follow(&source, &replica);
    source.sql("CREATE DATABASE d;
                CREATE TABLE d.t (id INT PRIMARY KEY, n INT UNSIGNED) ENGINE=InnoDB;
                INSERT INTO d.t VALUES (1, 1), (2, 4294967295);
                XA START 'x';
                INSERT INTO d.t VALUES (3, 3);
                XA END 'x';
                XA PREPARE 'x';
                XA COMMIT 'x';
                FLUSH LOGS;
                UPDATE d.t SET n = n - 1;
                DELETE FROM d.t WHERE id = 2");
    let wanted = lines(&files(&source, "bin"));
    assert_eq!(wanted.len(), 7);
    let whole = || {
        let relayed = files(&replica, "relay");
        // The last event may be on its way still, or in the middle of being written.
        let run = Dumpa::bare().args(["tail", "-D", "d", "--binlog"]).args(&relayed).run();
        (run.code == Some(0) && run.lines().len() == wanted.len()).then_some(relayed)
    };
    let relayed = eventually("the replica has all of the log", whole);
    assert_eq!(lines(&relayed), wanted);
});

on_servers!([mariadb_11_4] fn a_prepared_transaction_may_span_relay_log_files(shared) {
    let source = Server::private(&shared.name, &["--server-id=11", "--binlog-row-metadata=FULL"]);
    let replica = Server::private(&shared.name, &["--server-id=22", "--relay-log=relay", "--max-relay-log-size=4096"]);
    follow(&source, &replica);
    source.sql("CREATE DATABASE d;\nCREATE TABLE d.t (id INT PRIMARY KEY, n VARCHAR(100)) ENGINE=InnoDB");
    let mut conn = source.conn();
    for round in 0..4 {
        let first = round * 60;
        let insert = |i| format!("INSERT INTO d.t VALUES ({i}, REPEAT('x', 40))");
        let rows = (first..first + 60).map(insert);
        let around = |verb: &str| format!("XA {verb} 'x{round}'");
        let before = [around("START")].into_iter().chain(rows);
        for sql in before.chain(["END", "PREPARE", "COMMIT"].map(around)) {
            conn.query_drop(&sql).unwrap_or_else(|why| panic!("{sql}: {why}"));
        }
    }
    let tail = |files: &[PathBuf]| Dumpa::bare().args(["tail", "-D", "d", "--binlog"]).args(files);
    let whole = || {
        let relayed = files(&replica, "relay");
        let run = tail(&relayed).run();
        (run.code == Some(0) && run.lines().len() == 240).then_some(relayed)
    };
    let relayed = eventually("the replica has all of the log", whole);
    let lines: Vec<String> = tail(&relayed).run().lines().into_iter().map(|line| line.raw).collect();
    let home = Dumpa::bare();
    // From the last line before each transaction, and from lines inside.
    for i in [0, 30, 58, 59, 60, 90, 119, 150, 179, 200] {
        std::fs::write(home.file("line.json"), &lines[i]).expect("a file");
        let run = tail(&relayed).args(["--from", "line.json"]).in_the_folder_of(&home).run().expect_code(0);
        let rest: Vec<String> = run.lines().into_iter().map(|line| line.raw).collect();
        assert_eq!(rest, lines[i + 1..], "from line {i}");
    }
});

//! What the README shows is what happens: its console blocks are run, its lines compared, its GRANTs tried.

use std::path::Path;
use std::process::Command;

use crate::common::*;

const README: &str = include_str!("../../README.md");

/// The shop of the README, before its first command.
const SHOP: &str = "
create table customer (id int unsigned auto_increment primary key, name varchar(60) not null, born date);
create table product (sku char(5) primary key, title varchar(60), price decimal(8,2),
    labels set('new','fragile','vegan'), attributes json);
create table order_line (order_id int unsigned, line_no tinyint unsigned, sku char(5), quantity int unsigned,
    primary key (order_id, line_no));
insert into customer values (1, 'Ada', '1815-12-10'), (2, 'Zoë', null);
insert into product values ('CUP-2', 'Cup, blue', 8.00, 'new,fragile', null),
    ('TEA-1', 'Green tea', 12.50, 'vegan', '{\"origin\": \"Uji\", \"grams\": 100}')";

/// The insides of the README's blocks of one language.
fn blocks(language: &str) -> Vec<&'static str> {
    let begin = format!("\n```{language}\n");
    README.split(begin.as_str()).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

#[test]
fn lines_of_the_readme_are_tuples() {
    let lines =
        blocks("console").into_iter().flat_map(str::lines).filter(|line| line.starts_with("[\"upsert"));
    assert!(lines.map(Tuple::parse).count() >= 6);
}

on_servers!([mysql_9_7] fn the_readme_s_console_is_what_happens(shared) {
    let server = Server::private(&shared.name, &[]);
    server.sql("create database shop");
    let opts = server.opts().db_name(Some("shop"));
    let sql = |script: &str| {
        let mut conn = mysql::Conn::new(opts.clone()).expect("a connection");
        for statement in script.split(";\n").map(|statement| statement.trim_end_matches(';')) {
            conn.query_drop(statement).unwrap_or_else(|why| panic!("{why}: {statement}"));
        }
    };
    sql(SHOP);
    let home = Dumpa::bare();
    let options = format!("[client]\nhost=127.0.0.1\nport={}\nuser=root\n", server.port);
    std::fs::write(home.file(".my.cnf"), options).unwrap();

    for block in blocks("console") {
        let mut lines = block.lines().peekable();
        while let Some(line) = lines.next() {
            let mut expected = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ") && !line.starts_with("mysql> ")) {
                expected.push(line);
            }
            if let Some(statement) = line.strip_prefix("mysql> ") {
                sql(statement);
                continue;
            }
            let command = line.strip_prefix("$ ").expect("a block begins with a command");
            let printed = bash(command, home.dir());
            if !expected.is_empty() {
                let printed: Vec<_> = printed.lines().map(without_places).collect();
                let expected: Vec<_> = expected.into_iter().map(without_places).collect();
                assert_eq!(printed, expected, "{command}");
            }
        }
    }
});

/// Runs one of the README's commands as its reader would.
#[track_caller]
fn bash(command: &str, home: &Path) -> String {
    let dumpa = Path::new(env!("CARGO_BIN_EXE_dumpa")).parent().unwrap();
    let path = format!("{}:{}", dumpa.display(), std::env::var("PATH").unwrap_or_default());
    let run = Command::new("bash")
        .args(["-o", "pipefail", "-c", command])
        .env("PATH", path)
        .env("HOME", home)
        .current_dir(home)
        .output()
        .expect("bash runs");
    // Such as a missing `jq`.
    assert!(run.status.success(), "{command}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("stdout is UTF-8")
}

/// A line without what is another at each run: when it was, and the places in the log.
fn without_places(line: &str) -> String {
    if !line.starts_with("[\"upsert\"") && !line.starts_with("[\"delete\"") {
        return line.to_owned();
    }
    let tuple = Tuple::parse(line);
    let metadata: Vec<_> = tuple.metadata.as_object().into_iter().flat_map(|object| object.keys()).collect();
    format!("{} {metadata:?} {}", tuple.without_metadata(), tuple.metadata["next_row"])
}

on_each_server! {
    fn the_grants_of_the_readme_suffice(shared) {
        if shared.is_mariadb() {
            return grants_suffice(&Server::private(&shared.name, &[]), "-- MariaDB\n");
        }
        let [on, off] = ["ON", "OFF"].map(|mode| {
            let modes = [format!("--gtid-mode={mode}"), format!("--enforce-gtid-consistency={mode}")];
            Server::private(&shared.name, &[&modes[0], &modes[1], "--log-slave-updates=ON"])
        });
        grants_suffice(&on, "-- MySQL with gtid_mode=ON\n");
        grants_suffice(&off, "-- MySQL without GTIDs\n");
    }
}

/// Runs what the README asks for on such a server, and each command with that account.
#[track_caller]
fn grants_suffice(server: &Server, title: &str) {
    server.sql(
        "create database shop;\ncreate table shop.t (id int primary key);\ninsert into shop.t values (1)",
    );
    let grants = blocks("sql").into_iter().find_map(|block| block.strip_prefix(title)).expect("the block");
    server.sql(grants);

    let port = server.port.to_string();
    let connection = ["-H", "127.0.0.1", "-P", &port, "-u", "dumpa", "-D", "shop"];
    let home = Dumpa::bare();
    let dumpa = |args: &[&str]| {
        let (command, args) = args.split_first().unwrap();
        let dumpa = Dumpa::bare().in_the_folder_of(&home).args([command]).args(connection).args(args);
        dumpa.env("DUMPA_PASSWORD", "secret").run().expect_code(0)
    };
    let load = dumpa(&["load", "--save", "pos.json"]);
    assert_eq!(load.lines().len(), 1);
    assert!(load.stderr.contains("exact position") && load.stderr.lines().count() == 1, "{}", load.stderr);
    server.sql("insert into shop.t values (2)");
    dumpa(&["validate-pos", "pos.json"]);
    assert_eq!(dumpa(&["tail", "--from", "pos.json", "--until", "now"]).lines().len(), 1);
    dumpa(&["validate-pos", "earliest"]);
    dumpa(&["position"]);
}

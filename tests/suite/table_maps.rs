//! Table maps: a server gives a table a new id each time that it opens the table.

use crate::common::*;

const TIMES: usize = 2000;

/// A database `d` with a table of many columns, which was opened so many times.
fn reopened(name: &str) -> Server {
    let server = Server::private(name, &["--binlog-row-metadata=FULL"]);
    let columns: Vec<String> = (0..250).map(|i| format!("column_of_a_long_name_{i} int")).collect();
    server.sql(&format!(
        "create database d;\ncreate table d.t (id int primary key, {});\ninsert into d.t (id) values (0)",
        columns.join(", ")
    ));
    let mut conn = server.conn();
    for i in 0..TIMES {
        conn.query_drop("flush tables d.t").expect("it flushes");
        conn.query_drop(format!("insert into d.t (id) values ({})", i + 1)).expect("a row");
    }
    server
}

/// The most memory that a process has had so far, in MiB.
fn peak_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}

on_servers!([mariadb_10_11, mysql_9_7] fn a_table_that_is_opened_again_and_again_takes_no_memory(shared) {
    let server = reopened(&shared.name);
    let mut tail = Dumpa::without_db(&server).args(["tail", "-D", "d", "--from", "earliest"]).spawn();
    tail.take(TIMES + 1);
    let mib = peak_mib(tail.pid());
    assert!(mib < 70, "{mib} MiB");
});

on_servers!([mysql_8_0, mariadb_11_4] fn a_definition_is_kept_when_another_table_changes(server) {
    let db = server.fresh_db("maps");
    db.sql("create table t (id int primary key, v varchar(9)) engine=innodb");
    let mut live = Dumpa::new(server, &db).args(["tail", "--from", &place(server)]).spawn();
    db.sql("insert into t values (1, 'a')");
    live.next();
    // The table is altered before its next row is read.
    live.signal(libc::SIGSTOP);
    db.sql(
        "create table u (id int primary key);
         insert into t values (2, 'b');
         alter table t add column n int;
         insert into t values (3, 'c', 7)",
    );
    live.signal(libc::SIGCONT);
    let rows: Vec<String> = live.take(2).iter().map(|line| line.content_text.clone()).collect();
    assert_eq!(rows, [r#"{"id":2,"v":"b"}"#, r#"{"id":3,"v":"c","n":7}"#]);
});

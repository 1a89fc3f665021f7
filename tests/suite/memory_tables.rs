//! Tables of the MEMORY engine lose their rows when the server goes down, and the log says so in its own way.

use crate::common::*;

on_each_server! {
    fn a_memory_table_that_a_restart_emptied_is_truncated(shared) {
        let mut server = Server::private(&shared.name, &[]);
        server.sql("CREATE DATABASE shop;
                    CREATE TABLE shop.m (id INT PRIMARY KEY) ENGINE=MEMORY;
                    INSERT INTO shop.m VALUES (1), (2)");
        server.stop();
        server.start(&[]);
        // The first use writes it into the log.
        server.sql("SELECT * FROM shop.m");
        let tail = ["tail", "-D", "shop", "--from", "earliest", "--until", "now"];
        let run = Dumpa::without_db(&server).args(tail).run().expect_code(0);
        let ops: Vec<String> = run.lines().iter().map(|tuple| format!("{} {}", tuple.op, tuple.table)).collect();
        assert_eq!(ops, ["upsert m", "upsert m", "truncate m"]);
    }
}

on_servers!([mysql_5_6, mariadb_10_11] fn the_same_words_in_statement_format_are_refused(server) {
    let db = server.fresh_db("memory");
    db.sql("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB;
            INSERT INTO t VALUES (1)");
    let dumpa = Dumpa::new(server, &db);
    let position = dumpa.file("pos.json");
    Dumpa::new(server, &db).args(["position", "--save", position.to_str().unwrap()]).run().expect_code(0);
    db.sql("SET SESSION binlog_format = STATEMENT;
            DELETE FROM t");
    let tail = ["tail", "--from", position.to_str().unwrap(), "--until", "now"];
    let run = Dumpa::new(server, &db).args(tail).run().expect_code(4);
    assert!(run.stdout.is_empty());
    assert!(run.stderr.contains("DELETE of"), "{}", run.stderr);
});

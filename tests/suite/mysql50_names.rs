//! `#mysql50#`: older servers take what follows for the name of a table's file, and log the name as the client wrote it.

use crate::common::*;

fn tail(server: &Server, from: &str, args: &[&str]) -> Run {
    Dumpa::without_db(server).args(["tail", "--from", from, "--until", "now"]).args(args).run()
}

fn in_short(run: Run) -> Vec<String> {
    run.expect_code(0).lines().iter().map(|t| format!("{} {} {}", t.op, t.table, t.id_text)).collect()
}

// Private servers: after such statements, dropping the database can wait for ever.
on_servers!(
    [mysql_5_6, mysql_5_7] fn a_table_by_the_name_of_its_file(shared) {
        let server = Server::private(&shared.name, &[]);
        server.sql("create database d;
            create database e;
            create table d.t (id int primary key) engine=innodb;
            create table d.`a b` (id int primary key) engine=innodb;
            create table e.o (id int primary key) engine=innodb;
            insert into d.t values (1);
            insert into d.`a b` values (1)");
        let start = place(&server);
        server.sql("insert into d.`#mysql50#t` values (2);
            truncate table d.`#mysql50#t`;
            insert into `#mysql50#d`.t values (3);
            truncate table `#mysql50#d`.`t`;
            use `#mysql50#d`;
            create table `#mysql50#x` (id int primary key) engine=innodb;
            insert into x values (1)");
        let args = ["-D", "d", "t", "x"];
        let expected = ["upsert t 2", "truncate t null", "upsert t 3", "truncate t null", "upsert x 1"];
        assert_eq!(in_short(tail(&server, &start, &args)), expected);
        for script in ["truncate table d.`#mysql50#a@0020b`", "insert into d.`#mysql50#a@0020b` values (2)"] {
            let start = place(&server);
            server.sql(script);
            let run = tail(&server, &start, &args).expect_code(4);
            assert!(run.stderr.contains("`#mysql50#a@0020b` is the name of a file"), "{}", run.stderr);
            assert!(in_short(tail(&server, &start, &["-D", "e"])).is_empty(), "it is of another database");
        }
    }

    // It is a name like any other there.
    [mysql_8_0, mysql_9_7] fn a_name_that_begins_so(server) {
        let db = server.fresh_db("mysql50");
        let start = place(server);
        db.sql("create table t (id int primary key);
            create table `#mysql50#t` (id int primary key);
            insert into `#mysql50#t` values (1);
            truncate table `#mysql50#t`");
        let lines = in_short(tail(server, &start, &["-D", &db.name, "*"]));
        assert_eq!(lines, ["upsert #mysql50#t 1", "truncate #mysql50#t null"]);
    }
);

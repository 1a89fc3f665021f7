//! MariaDB's sequences: the log holds their rows like a table's, and they are no tables.

use crate::common::*;
use crate::json::Start;

const COLUMNS: &str = "next_not_cached_value bigint not null, minimum_value bigint not null, \
    maximum_value bigint not null, start_value bigint not null, increment bigint not null, \
    cache_size bigint unsigned not null, cycle_option tinyint unsigned not null, cycle_count bigint not null";

fn in_short(run: Run) -> Vec<String> {
    run.expect_code(0).lines().iter().map(|t| format!("{} {} {}", t.op, t.table, t.id_text)).collect()
}

on_servers!(
    [mariadb_10_11, mariadb_11_4, mariadb_11_8] fn a_table_may_have_a_sequence_s_columns(server) {
        let db = server.fresh_db("seq");
        db.sql(&format!("create table c ({COLUMNS}) engine=innodb;\ncreate sequence q;\ncreate table tt (id int primary key);
            insert into tt values (1)"));
        let start = Start::here(&db);
        db.sql(&format!("insert into c values (1, 2, 3, 4, 5, 6, 7, 8);
            create table d ({COLUMNS}) engine=innodb;
            insert into d values (1, 2, 3, 4, 5, 6, 7, 8);
            create table e select * from q;
            drop sequence if exists c;
            update c set cycle_count = 9"));
        let load = Dumpa::new(server, &db).args(["load", "c"]).run().expect_code(0).lines();
        let tail = start.tail(&db, "c");
        assert_eq!(tail.last().expect("a row").content_text, load[0].content_text);
        let lines = in_short(start.tail_with(&db, "*", &[]));
        assert_eq!(lines, ["upsert c null", "upsert d null", "upsert e null", "upsert c null"]);
        db.sql("create or replace sequence tt;\ndo nextval(tt)");
        let lines = in_short(start.tail_with(&db, "tt", &["--allow-missing"]));
        assert_eq!(lines, ["truncate tt null"]);
        // What it held, the log does not repeat.
        let before = Start::here(&db);
        db.sql("alter table q sequence=0");
        let run = before.tail_with(&db, "*", &[]).expect_code(4);
        assert!(run.stderr.contains("SEQUENCE changed rows"), "{}", run.stderr);
    }

    [mariadb_10_11, mariadb_11_4, mariadb_11_8] fn a_used_sequence_may_be_gone(server) {
        let db = server.fresh_db("seq");
        db.sql("create sequence old;\ncreate table t (id int primary key)");
        let load = Dumpa::new(server, &db).args(["load", "--save", "pos.json"]);
        load.run().expect_code(0);
        let bare = Start::here(&db);
        db.sql("do nextval(old);\ndrop sequence old");
        let start = Start::here(&db);
        db.sql("create sequence s;
            do nextval(s);
            drop sequence s;
            create sequence if not exists a;
            do nextval(a);
            rename table a to b;
            do nextval(b);
            alter table b rename to c;
            create table d like c;
            do nextval(d);
            insert into t values (1);
            drop table c;
            drop sequence d");
        if server.version() >= (11, 8) {
            db.sql("create sequence n as smallint unsigned;\ndo nextval(n);\ndrop sequence n");
        }
        db.sql("insert into t values (2)");
        let upserts = |run: Run| -> Vec<String> {
            in_short(run).into_iter().filter(|line| line.starts_with("upsert")).collect()
        };
        assert_eq!(upserts(start.tail_with(&db, "*", &[])), ["upsert t 1", "upsert t 2"]);
        let tail = ["tail", "--from", "pos.json", "--until", "now"];
        let resumed = Dumpa::new(server, &db).in_the_folder_of(&load).args(tail).run();
        assert_eq!(upserts(resumed), ["upsert t 1", "upsert t 2"]);
        // Here nothing tells that it was no table.
        let run = bare.tail_with(&db, "*", &[]).expect_code(4);
        assert!(run.stderr.contains(".old at "), "{}", run.stderr);
    }

    [mariadb_11_4] fn a_sequence_that_only_its_columns_tell(shared) {
        let server = Server::private(&shared.name, &["--binlog-row-metadata=FULL"]);
        let db = server.fresh_db("seq");
        db.sql("create sequence s;\ncreate table t (id int primary key)");
        server.sql("flush binary logs");
        db.sql("do nextval(s);\ndo nextval(s);\ninsert into t values (1)");
        let file = place(&server).split(':').next().expect("a file").to_owned();
        let file = server.dir.join("data").join(file);
        let args = ["tail", "-D", &db.name, "--binlog", file.to_str().expect("a path")];
        let run = Dumpa::bare().args(args).run();
        assert_eq!(run.stderr.matches("s is taken for a sequence").count(), 1, "{}", run.stderr);
        assert_eq!(in_short(run), ["upsert t 1"]);
    }
);

//! What a server logs as a statement: definitions leave rows alone or empty a table; changes of rows that the log
//! does not hold end the run.

use crate::common::*;

/// Runs a script between a position and now, and tails it.
fn tail_of(server: &Server, db: &Db, script: &str) -> Run {
    let start = place(server);
    db.sql(script);
    Dumpa::new(server, db).args(["tail", "--from", &start, "--until", "now"]).run()
}

/// The lines in short: op, table, id.
#[track_caller]
fn short(run: Run) -> Vec<String> {
    let run = run.expect_code(0);
    run.lines().iter().map(|t| format!("{} {} {}", t.op, t.table, t.id_text)).collect()
}

const TABLES: &str = "
    create table t (id int primary key, n int) engine=innodb;
    create table u (id int primary key, n int) engine=innodb;
    create table m (id int primary key, n int) engine=myisam;
    insert into t values (1, 1);
    insert into u values (1, 1)";

on_each_server! {
    fn definitions_change_no_row(server) {
        let db = server.fresh_db("ddl");
        db.sql(TABLES);
        let name = &db.name;
        let lines = short(tail_of(server, &db, &format!("
            create view v as select * from t;
            create procedure p() begin insert into t values (2, 2); update u set n = 3; end;
            create trigger g after insert on u for each row insert into t values (new.id + 100, 0);
            create function f() returns int deterministic return 1;
            create event e on schedule every 1 year starts '2037-01-01' do delete from t;
            create table `with ``quote` (id int primary key);
            insert into u values (5, 5);
            call p();
            /* a comment */ truncate /* another */ table `u`;
            drop trigger g;
            -- a line
            alter table t add column note varchar(10);
            alter table t drop column note;
            create temporary table u (id int primary key);
            insert into u values (77);
            truncate table u;
            drop table u;
            create temporary table t2 (id int) select 1 as id;
            drop temporary table t2;
            insert into `{name}`.u values (6, 6);
            drop table if exists {name}.`with ``quote`, `not there`;
            analyze table t;
            optimize table t;
            set password = '';
            drop event e;
            drop function f;
            drop procedure p;
            drop view v;
            truncate table t")));
        let expected = [
            "upsert u 5", "upsert t 105", "upsert t 2", "upsert u 1", "upsert u 5", "truncate u null",
            "upsert u 6", "truncate with `quote null", "truncate t null",
        ];
        let lines: Vec<_> = lines.into_iter().filter(|line| line != "truncate not there null").collect();
        assert_eq!(lines, expected);
    }

    fn rows_of_a_created_table_come(server) {
        let db = server.fresh_db("ctas");
        db.sql(TABLES);
        let lines = short(tail_of(server, &db, "
            create table c (primary key (id)) engine=innodb select * from t;
            create table d (id int primary key) select id from u;
            create table e like t;
            insert into e select * from t;
            replace into e values (1, 2), (3, 3);
            insert into e values (1, 9) on duplicate key update n = 9;
            insert ignore into e values (1, 9), (4, 4)"));
        let expected =
            ["upsert c 1", "upsert d 1", "upsert e 1", "upsert e 1", "upsert e 3", "upsert e 1", "upsert e 4"];
        assert_eq!(lines, expected);
    }

    fn changes_logged_as_statements_end_the_run(shared) {
        // Others' runs would end at what this one logs.
        let own = Server::private(&shared.name, &[]);
        let server = &own;
        let db = server.fresh_db("stmt");
        db.sql(TABLES);
        let mut scripts = vec![
            "insert into t values (50, 1)", "update t set n = 2", "delete from t where id = 1",
            "replace into t values (1, 5)", "create table s (primary key (id)) engine=innodb select * from t",
            "/* hidden */ insert into t values (60, 1)", "/*!50000 insert into */ t values (61, 1)",
            "begin;\ninsert into u values (2, 2);\nupdate t set n = 3;\ncommit",
        ];
        if server.is_mariadb() {
            scripts.extend([
                "set statement max_statement_time = 100 for insert into t values (51, 1)",
                "analyze update t set n = 99",
                "analyze format=json update t set n = 98",
            ]);
        }
        if server.version() == (9, 7) {
            scripts.extend(["create table s1 table t", "create table s2 values row(1, 2)",
                "with w as (select 1 as id) delete from t where id in (select id from w)"]);
        }
        for script in scripts {
            let run = tail_of(server, &db, &format!("set session binlog_format = 'statement';\n{script}"));
            assert_eq!(run.code, Some(4), "{script}: {}", run.stderr);
            assert!(run.stderr.contains("binlog_format=ROW") && run.stderr.contains("bin.0"), "{}", run.stderr);
            assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
            assert!(run.lines().is_empty(), "nothing is printed of {script}");
        }
        // A transaction that changes nothing at all.
        let start = "set session binlog_format = 'statement';\nbegin;\nupdate t set n = 1 where id = -1;\nrollback";
        assert!(short(tail_of(server, &db, start)).is_empty());
    }

    fn partitions_that_go_with_their_rows_end_the_run(server) {
        let db = server.fresh_db("parts");
        for (i, change) in ["drop partition a", "truncate partition a", "exchange partition a with table x"].iter().enumerate() {
            db.sql(&format!("create table p{i} (id int primary key) engine=innodb partition by range (id)
                (partition a values less than (10), partition b values less than (20));
                insert into p{i} values (1), (11);
                drop table if exists x;
                create table x (id int primary key) engine=innodb"));
            let run = tail_of(server, &db, &format!("insert into p{i} values (2);\nalter table p{i} {change}")).expect_code(4);
            assert_eq!(run.lines().len(), 1, "what came before is printed");
            assert!(run.stderr.contains(&format!("{}.p{i}", db.name)) && run.stderr.contains("PARTITION"), "{}", run.stderr);
        }
        // Neither moves a row out of the table.
        let lines = short(tail_of(server, &db, "
            alter table p1 add partition (partition c values less than (30));
            alter table p1 reorganize partition c into (partition c values less than (40))"));
        assert!(lines.is_empty());
    }

    fn tables_without_transactions(server) {
        let db = server.fresh_db("myisam");
        db.sql(TABLES);
        // What a rollback cannot undo is committed, in a group of its own.
        let mixed = "
            begin;
            insert into t values (2, 2);
            insert into m values (1, 1);
            savepoint s;
            insert into m values (2, 2);
            insert into t values (3, 3);
            rollback to savepoint s;
            rollback;
            begin;
            insert into m values (3, 3);
            insert into t values (4, 4);
            commit";
        let plain = "insert into m values (1, 1), (2, 2);\nupdate m set n = 7 where id = 2;\ndelete from m where id = 1";
        if server.version() != (9, 7) {
            let run = tail_of(server, &db, mixed);
            let ids: Vec<_> = short(run);
            assert_eq!(ids, ["upsert m 1", "upsert m 2", "upsert m 3", "upsert t 4"]);
            db.sql("truncate table m");
            // Rolled-back rows in the log: more bytes than dumpa holds back if it expects none, and after as many.
            let large = "
                begin;
                insert into large select id, repeat('x', 30000) from a_hundred;
                savepoint s;
                insert into large select id + 100, repeat('x', 30000) from a_hundred;
                insert into m values (8, 8);
                rollback to savepoint s;
                insert into t values (6, 6);
                commit";
            db.sql("create table large (id int primary key, x mediumtext) engine=innodb;
                create table a_hundred (id int auto_increment primary key) engine=innodb");
            db.sql(&format!("insert into a_hundred values {}", vec!["(0)"; 100].join(", ")));
            let ids: Vec<_> = short(tail_of(server, &db, large));
            let mut all = vec!["upsert m 8".to_string()];
            all.extend((1..=100).map(|id| format!("upsert large {id}")));
            all.push("upsert t 6".to_string());
            assert_eq!(ids, all);
            db.sql("truncate table m");
        }
        let ids = short(tail_of(server, &db, plain));
        assert_eq!(ids, ["upsert m 1", "upsert m 2", "upsert m 2", "delete m 1"]);
    }

    fn rows_around_temporary_tables_are_undone(server) {
        let db = server.fresh_db("temporary");
        db.sql("create table t (id int primary key) engine=innodb;
            create table large (id int primary key, x mediumtext) engine=innodb;
            create table forty (id int auto_increment primary key) engine=innodb");
        db.sql(&format!("insert into forty values {}", vec!["(0)"; 40].join(", ")));
        // Some servers then log rolled-back rows: more bytes than dumpa holds back if it expects none.
        let lines = short(tail_of(server, &db, "
            begin;
            insert into large select id, repeat('x', 40000) from forty;
            savepoint s;
            insert into large select id + 100, repeat('x', 40000) from forty;
            create temporary table temporary_1 (a int);
            rollback to savepoint s;
            insert into t values (1);
            commit;
            begin;
            insert into large select id + 200, repeat('x', 40000) from forty;
            create temporary table temporary_2 (a int);
            rollback;
            insert into t values (2)"));
        let mut all: Vec<_> = (1..=40).map(|id| format!("upsert large {id}")).collect();
        all.extend(["upsert t 1", "upsert t 2"].map(String::from));
        assert_eq!(lines, all);
    }

    fn a_loaded_file_is_rows(server) {
        let db = server.fresh_db("files");
        db.sql(TABLES);
        let file = tempfile::NamedTempFile::new_in(&server.dir).expect("a file");
        std::fs::write(file.path(), "10\t1\n11\t2\n").expect("it is written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(file.path(), mode).expect("the server may read it");
        let script = format!("load data infile '{}' into table t", file.path().display());
        assert_eq!(short(tail_of(server, &db, &script)), ["upsert t 10", "upsert t 11"]);
    }

    fn a_database_that_is_dropped_takes_its_tables(server) {
        let (db, other) = (server.fresh_db("stays"), server.fresh_db("goes"));
        // MySQL 9.7 drops a table of MyISAM on its own, before the others.
        other.sql(&TABLES.replace("engine=myisam", "engine=innodb"));
        let start = place(server);
        let glob = format!("{}.*", other.name);
        let home = Dumpa::bare();
        let mut live = Dumpa::new(server, &db).args(["tail", "--from", &start, &glob]).spawn();
        other.sql("insert into t values (9, 9)");
        live.next();
        let before = place(server);
        server.sql(&format!("drop database {};\ncreate database {}", other.name, other.name));
        let dropped = live.take(3);
        let lines: Vec<_> = dropped.iter().map(|t| format!("{} {}", t.op, t.table)).collect();
        assert_eq!(lines, ["m", "t", "u"].map(|table| format!("truncate {}.{table}", other.name)));
        // The server no longer knows which tables these were.
        std::fs::write(home.file("line.json"), &dropped[0].raw).expect("a file");
        let tail = Dumpa::new(server, &db).args(["tail", "--from", "line.json", "--until", "now", "--allow-missing"]);
        let run = tail.args([&glob]).in_the_folder_of(&home).run().expect_code(4);
        assert!(run.stdout.is_empty() && run.stderr.contains(&other.name), "{}", run.stderr);
        // Unless the command line names them.
        let named = ["m", "u", "t"].map(|table| format!("{}.{table}", other.name));
        // A run that begins later reads this from the backlog: the command line names the tables, or the run ends.
        let tail = ["tail", "--from", &before, "--until", "now", "--allow-missing", &glob];
        let run = Dumpa::new(server, &db).args(tail).run();
        let lines = run.lines();
        let truncates = lines.iter().filter(|line| line.op == "truncate").count();
        assert!(run.code == Some(4) || truncates == 3, "{:?}: {lines:#?}", run.code);
        let tail = Dumpa::new(server, &db).args(["tail", "--from", "line.json", "--until", "now", "--allow-missing"]);
        let rest = tail.args(&named).in_the_folder_of(&home).run().expect_code(0);
        assert_eq!(short(rest), [&named[1], &named[2]].map(|table| format!("truncate {table} null")));
    }
}

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn settings_for_one_statement_do_not_hide_it(server) {
    let db = server.fresh_db("setting");
    db.sql(TABLES);
    let start = place(server);
    // The rows before the last statement are of a table that is gone.
    let trusting = ["tail", "--trust-catalog", "--until", "now", "--from", &start];
    db.sql("
        set statement lock_wait_timeout = 9 for insert into t values (2, 2);
        set statement lock_wait_timeout = 9, sql_mode = 'ansi_quotes' for truncate table t;
        set statement lock_wait_timeout = 9 for create or replace table u (id int primary key, n int);
        create or replace table t (id int primary key, n int) select * from m");
    let lines = short(Dumpa::new(server, &db).args(trusting).run());
    assert_eq!(lines, ["upsert t 2", "truncate t null", "truncate u null", "truncate t null"]);
});

// Its rows are gone when the server comes back, and it says so in the log.
on_each_server! {
    fn a_memory_table_is_empty_after_a_restart(shared) {
        let mut server = Server::private(&shared.name, &[]);
        server.sql("create database d;\ncreate table d.mem (id int primary key) engine=memory;\ninsert into d.mem values (1)");
        server.restart(&[]);
        server.sql("select * from d.mem;\ninsert into d.mem values (2)");
        let run = Dumpa::without_db(&server).args(["tail", "--from", "earliest", "--until", "now", "d.mem"]).run();
        assert_eq!(short(run), ["upsert d.mem 1", "truncate d.mem null", "upsert d.mem 2"]);
    }
}

on_each_server! {
    fn a_table_that_is_renamed_goes_away_or_ends_the_run(server) {
        let db = server.fresh_db("renames");
        db.sql("create table t (id int primary key) engine=innodb");
        let script = "create table other (id int primary key) engine=innodb;
            rename table t to gone;
            insert into other values (2)";
        let start = place(server);
        db.sql(script);
        let tail = |tables: &[&str]| {
            Dumpa::new(server, &db).args(["tail", "--from", &start, "--until", "now"]).args(tables).run()
        };
        assert_eq!(short(tail(&["other"])), ["upsert other 2"]);
        let all = tail(&[]).expect_code(4);
        assert!(all.stderr.contains(".t was renamed"), "{}", all.stderr);
        assert!(all.stderr.contains("Load again"), "{}", all.stderr);

        db.sql("create table u (id int primary key) engine=innodb");
        let start = place(server);
        db.sql("insert into u values (1);
                alter table u rename to u_before;
                create table u (id int primary key) engine=innodb;
                insert into u values (2)");
        let tail = ["tail", "u", "--from", &start, "--until", "now"];
        let lines = short(Dumpa::new(server, &db).args(tail).run());
        assert_eq!(lines, ["upsert u 1", "truncate u null", "upsert u 2"]);
    }
}

on_each_server! { fn a_delete_of_all_rows_in_statement_format_is_refused(shared) {
    // Others' runs would end at what this one logs.
    let own = Server::private(&shared.name, &[]);
    let server = &own;
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
} }

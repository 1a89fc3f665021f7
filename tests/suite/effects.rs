//! What a statement does to every table that it touches, and to rows that were printed before it.

use crate::common::*;
use crate::json::Start;

/// The lines in short: op, table, id.
fn in_short(run: &Run) -> Vec<String> {
    run.lines().iter().map(|t| format!("{} {} {}", t.op, t.table, t.id_text)).collect()
}

/// What a tail of these tables prints, in short. The other arguments come after the first.
#[track_caller]
fn printed(db: &Db, start: &Start, args: &[&str]) -> Vec<String> {
    let (table, args) = args.split_first().expect("a table");
    in_short(&start.tail_with(db, table, args).expect_code(0))
}

/// A tail that ends with exit 4, and says this on stderr.
#[track_caller]
fn refused(db: &Db, start: &Start, args: &[&str], says: &[&str]) -> Vec<String> {
    let (table, args) = args.split_first().expect("a table");
    let run = start.tail_with(db, table, args).expect_code(4);
    for says in says {
        assert!(run.stderr.contains(says), "no {says:?}: {}", run.stderr);
    }
    in_short(&run)
}

const PARTITIONED: &str = "create table p (id int primary key) engine=innodb partition by range (id)
        (partition a values less than (10), partition b values less than (20));
    create table x (id int primary key) engine=innodb;
    create table z (id int primary key) engine=innodb;
    insert into p values (1), (11);
    insert into x values (2)";

on_each_server! {
    fn an_exchanged_partition_counts_for_both_tables(server) {
        let db = server.fresh_db("effects");
        db.sql(PARTITIONED);
        let start = Start::here(&db);
        db.sql("insert into x values (3);
            alter table p exchange partition a with table x;
            insert into z values (1)");
        for (tables, of) in [(&["x"][..], "x"), (&["p"], "p"), (&["z", "x"], "x"), (&["*"], "p")] {
            let of = format!("{}.{of}", db.name);
            let lines = refused(&db, &start, tables, &["EXCHANGE PARTITION", &of, "bin.0"]);
            assert_eq!(lines.len(), usize::from(tables[0] != "p" && !lines.is_empty()), "what came before is printed");
        }
        assert_eq!(printed(&db, &start, &["z"]), ["upsert z 1"]);
    }

    fn a_table_whose_partitions_are_all_truncated_is_empty(server) {
        let db = server.fresh_db("effects");
        db.sql(PARTITIONED);
        let start = Start::here(&db);
        db.sql("alter table p truncate partition all;\ninsert into p values (5)");
        assert_eq!(printed(&db, &start, &["p"]), ["truncate p null", "upsert p 5"]);
    }

    fn every_effect_of_an_alter_counts(server) {
        let db = server.fresh_db("effects");
        db.sql(PARTITIONED);
        let start = Start::here(&db);
        db.sql("alter table x add column a int, rename to y, comment 'x'");
        assert_eq!(printed(&db, &start, &["x", "--allow-missing"]), ["truncate x null"]);
        refused(&db, &start, &["y"], &["renamed"]);
    }
}

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn a_table_may_become_a_partition_and_a_partition_a_table(server) {
    let db = server.fresh_db("effects");
    db.sql(PARTITIONED);
    let start = Start::here(&db);
    db.sql("alter table p convert partition a to table y");
    refused(&db, &start, &["y"], &["CONVERT PARTITION", ".y "]);
    refused(&db, &start, &["p"], &["CONVERT PARTITION", ".p "]);
    assert!(printed(&db, &start, &["x"]).is_empty());
    let start = Start::here(&db);
    db.sql("create table w (id int primary key) engine=innodb;
        alter table p convert table w to partition c values less than (30)");
    assert_eq!(printed(&db, &start, &["w", "--allow-missing"]), ["truncate w null"]);
    refused(&db, &start, &["p"], &["CONVERT TABLE", ".p "]);
});

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_5_6] fn alter_ignore_that_deletes_duplicates_ends_the_run(server) {
    let db = server.fresh_db("effects");
    db.sql("create table t (id int primary key, a int, b int) engine=innodb;
        create table z (id int primary key) engine=innodb;
        insert into t values (1, 1, 1), (2, 1, 2)");
    let start = Start::here(&db);
    db.sql("alter ignore table t add index (a), comment 'x'");
    assert!(printed(&db, &start, &["t"]).is_empty(), "it deletes no row");
    db.sql("alter ignore table t add unique key (a);\ninsert into z values (1)");
    assert_eq!(db.ask::<u32>("select count(*) from t"), 1, "a duplicate was deleted");
    refused(&db, &start, &["t"], &["ALTER IGNORE TABLE", ".t "]);
    assert_eq!(printed(&db, &start, &["z"]), ["upsert z 1"]);
});

on_servers!([mysql_5_6, mysql_5_7, mysql_8_0, mysql_9_7] fn a_table_that_is_made_a_blackhole_ends_the_run(server) {
    let db = server.fresh_db("effects");
    db.sql("create table t (id int primary key) engine=innodb;\ninsert into t values (1)");
    let start = Start::here(&db);
    db.sql("alter table t comment 'x', engine = 'BlackHole'");
    refused(&db, &start, &["t"], &["BLACKHOLE", ".t "]);
});

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn create_or_replace_database_drops_its_tables(server) {
    let (db, other) = (server.fresh_db("effects"), server.fresh_db("replaced"));
    other.sql("create table a (id int primary key);\ncreate table b (id int primary key)");
    let home = Dumpa::bare();
    let glob = format!("{}.*", other.name);
    let load = Dumpa::new(server, &db).args(["load", &glob, "--save", "pos.json"]).in_the_folder_of(&home);
    load.run().expect_code(0);
    db.sql(&format!("create or replace database {}", other.name));
    let tail = ["tail", &glob, "--from", "pos.json", "--until", "now", "--allow-missing"];
    let run = Dumpa::new(server, &db).args(tail).in_the_folder_of(&home).run().expect_code(0);
    assert_eq!(in_short(&run), ["a", "b"].map(|table| format!("truncate {}.{table} null", other.name)));
});

on_each_server! {
    /// Neither the server nor the log can name the tables any more.
    fn tables_of_a_database_that_was_dropped_in_the_backlog(server) {
        let (db, other) = (server.fresh_db("effects"), server.fresh_db("dropped"));
        other.sql("create table m (id int primary key) engine=innodb;
            create table t (id int primary key) engine=innodb;
            insert into m values (1)");
        let (name, home) = (&other.name, Dumpa::bare());
        let glob = format!("{name}.*");
        let dumpa = |args: &[&str]| Dumpa::new(server, &db).args(args).in_the_folder_of(&home);
        let load = dumpa(&["load", &glob, "--save", "load.json"]).run().expect_code(0);
        assert_eq!(load.lines().len(), 1);
        dumpa(&["position", "--save", "bare.json"]).run().expect_code(0);
        other.sql("create table later (id int primary key) engine=innodb;\ndrop table m");
        let tail = |from: &str, tables: &[&str]| {
            let dumpa = dumpa(&["tail", "--from", from, "--until", "now", "--allow-missing"]);
            dumpa.args(tables)
        };
        // A position saved on the way lists the tables that exist there.
        let on_the_way = tail("load.json", &[&glob]).args(["--save", "tail.json"]).run().expect_code(0);
        assert_eq!(in_short(&on_the_way), [format!("truncate {name}.m null")]);
        let saved = std::fs::read_to_string(home.file("tail.json")).expect("it was saved");
        assert!(saved.contains(&format!("\"tables\":{{\"{name}\":[\"later\",\"t\"]}}")), "{saved}");
        std::fs::write(home.file("line.json"), &on_the_way.lines()[0].raw).expect("a file");

        server.sql(&format!("drop database {name};\ncreate database {name}"));
        let all = ["m", "later", "t"].map(|table| format!("truncate {name}.{table} null"));
        assert_eq!(in_short(&tail("load.json", &[&glob]).run().expect_code(0)), all);
        assert_eq!(in_short(&tail("tail.json", &[&glob]).run().expect_code(0)), all[1..]);
        // If the tables are not known, the message says so, and what to do.
        for from in ["bare.json", "line.json"] {
            let run = tail(from, &[&glob]).run().expect_code(4);
            for says in ["DROP DATABASE", name, "bin.0", "--allow-missing", "load again"] {
                assert!(run.stderr.contains(says), "no {says:?}: {}", run.stderr);
            }
        }
        // They need not be known if none can be selected, or if the command line names them.
        assert!(in_short(&tail("bare.json", &[]).run().expect_code(0)).is_empty());
        let named = tail("line.json", &[&format!("{name}.t")]).run().expect_code(0);
        assert_eq!(in_short(&named), [format!("truncate {name}.t null")]);
    }

    fn a_database_that_was_created_in_the_stream_is_known(server) {
        let db = server.fresh_db("effects");
        let name = format!("{}_new", db.name);
        let start = Start::here(&db);
        server.sql(&format!("create database {name};
            create table {name}.t (id int primary key) engine=innodb;
            create table {name}.u like {name}.t;
            drop database {name};
            drop database if exists {name}"));
        let glob = format!("{name}.*");
        let lines = printed(&db, &start, &[&glob, "--allow-missing"]);
        let expected = ["truncate X.t null", "truncate X.u null"];
        assert_eq!(lines, expected.map(|line| line.replace('X', &name)));
    }
}

on_servers!([mariadb_10_11, mariadb_11_4, mysql_5_6, mysql_5_7] fn each_statement_s_names_are_folded(shared) {
    let full = if shared.is_mariadb() { "--binlog-row-metadata=FULL" } else { "--lower-case-table-names=1" };
    let server = Server::private(&shared.name, &["--lower-case-table-names=1", full]);
    let home = Dumpa::without_db(&server);
    let parts = "(id int primary key) partition by hash (id) partitions 2";
    server.sql(&format!("create database Shop;
        use Shop;
        create table Parts {parts};
        create table Äpfel (id int primary key);
        create table Old (id int primary key);
        create table Went (id int primary key)"));
    home.args(["load", "-D", "sHop", "--save", "pos.json"]).run().expect_code(0);
    let home = Dumpa::without_db(&server);
    let position = home.file("pos.json");
    Dumpa::without_db(&server)
        .args(["load", "-D", "sHop", "--save", position.to_str().unwrap()])
        .run()
        .expect_code(0);
    let replace = if server.is_mariadb() { "create or replace table OLD" } else { "truncate sHOP.OLD" };
    let added = if server.is_mariadb() { " (id int primary key)" } else { "" };
    server.sql(&format!("use SHOP;
        alter table PARTS truncate partition all;
        truncate ÄPFEL;
        {replace}{added};
        rename table WENT to Gone_now;
        drop table GONE_now"));
    let tail = |tables: &[&str]| {
        let tail = ["tail", "-D", "shOP", "--allow-missing", "--from", position.to_str().unwrap(), "--until", "now"];
        Dumpa::without_db(&server).args(tail).args(tables).run()
    };
    let named = ["pARTS", "äPFEL", "oLD", "wENT"];
    let expected = ["parts", "äpfel", "old", "went"].map(|table| format!("truncate {table} null"));
    assert_eq!(in_short(&tail(&named).expect_code(0)), expected);
    // Files do not say how names are compared, but the given server does.
    let file = format!("{}.000001", server.ask::<String>("select @@log_bin_basename"));
    let from = std::fs::read_to_string(&position).unwrap();
    let from: serde_json::Value = serde_json::from_str(&from).unwrap();
    let from = format!("bin.000001:{}", from["position"]);
    let port = server.port.to_string();
    let tail_file = ["tail", "-D", "shOP", "--from", &from, "-H", "127.0.0.1", "-P", &port, "-u", "root", "--binlog", &file];
    let run = Dumpa::bare().args(tail_file).args(["--"]).args(named).run().expect_code(0);
    assert_eq!(in_short(&run), expected);
    tail(&[]).expect_code(4);
    server.sql("drop database SHOP;\ncreate database SHOP");
    let run = tail(&[&named[..], &["gone_NOW*"]].concat()).expect_code(4);
    assert!(run.stderr.contains("renamed"), "{}", run.stderr);
    let all = [&expected[..], &["parts", "äpfel", "old", "went"].map(|table| format!("truncate {table} null"))].concat();
    assert_eq!(in_short(&tail(&named).expect_code(0)), all);
});

on_each_server! {
    fn letters_fold_as_the_server_folds_them(server) {
        let db = server.fresh_db("effects");
        let all: Vec<char> = (0x80..0x1_0000).filter_map(char::from_u32).collect();
        for some in all.chunks(4000) {
            let text: String = some.iter().collect();
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            let lower: Vec<u8> =
                db.ask(&format!("select cast(lower(_utf8 x'{hex}' collate utf8_general_ci) as binary)"));
            let lower = String::from_utf8(lower).expect("it is UTF-8");
            for ((char, servers), ours) in some.iter().zip(lower.chars()).zip(dumpa::schema::fold::lower(&text).chars()) {
                assert_eq!(servers, ours, "{:04x}", u32::from(*char));
            }
        }
    }

    fn an_alter_that_changes_values_warns_once(server) {
        let db = server.fresh_db("effects");
        let rename = if server.is_mariadb() || server.version().0 >= 8 { "rename column c to d" } else { "change c d int" };
        for (i, (clauses, says)) in [
            ("add column e int not null default 7", &["ADD COLUMN `e`"][..]),
            ("drop column c", &["DROP COLUMN `c`"]),
            ("modify c bigint, add e int, drop column v", &["MODIFY `c`", "ADD COLUMN `e`", "DROP COLUMN `v`"]),
            ("change v w varchar(50)", &["CHANGE `v` `w`"]),
            (rename, &["`c`", "`d`"]),
            ("convert to character set utf8", &["CONVERT TO CHARACTER SET"]),
            ("modify id bigint unsigned", &["MODIFY `id`"]),
        ].iter().enumerate() {
            let table = format!("t{i}");
            db.sql(&format!("create table {table} (id int primary key, c int, v varchar(9)) engine=innodb;
                insert into {table} values (1, 1, 'a')"));
            let start = Start::here(&db);
            db.sql(&format!("alter table {table} {clauses};\ninsert into {table} (id) values (2)"));
            let run = start.tail_with(&db, &table, &[]).expect_code(0);
            assert_eq!(in_short(&run), [format!("upsert {table} 2")]);
            assert_eq!(run.stderr.lines().count(), 1, "{clauses}: {}", run.stderr);
            for says in says.iter().chain(&[&*table, "bin.0", "oad again"]) {
                assert!(run.stderr.contains(says), "{clauses}: no {says:?}: {}", run.stderr);
            }
            let others = start.tail_with(&db, "nobody", &["--allow-missing"]).expect_code(0);
            assert!(others.stderr.is_empty(), "{}", others.stderr);
        }
    }

    fn an_alter_that_changes_no_value_is_silent(server) {
        let db = server.fresh_db("effects");
        db.sql("create table t (id int primary key, c int) engine=innodb;
            create table p (id int primary key) engine=innodb partition by hash (id) partitions 2;
            insert into t values (1, 1)");
        let start = Start::here(&db);
        db.sql("alter table t add index i (c), comment 'add column e int';
            alter table t alter column c set default 5, auto_increment = 100;
            alter table t drop index i;
            create index j on t (c);
            drop index j on t;
            alter table t force;
            alter table p coalesce partition 1;
            alter table p add partition partitions 2;
            create table fresh (a int) engine=innodb;
            alter table fresh add column id int, add primary key (id);
            alter table fresh modify id varchar(9);
            insert into fresh values (1, 'x')");
        let run = start.tail_with(&db, "*", &[]).expect_code(0);
        assert_eq!(in_short(&run), ["upsert fresh \"x\""]);
        assert!(run.stderr.is_empty(), "{}", run.stderr);
    }

    fn an_id_of_another_type_ends_the_run(server) {
        let db = server.fresh_db("effects");
        db.sql("create table t (id int primary key, a int not null) engine=innodb;
            create table u (id int primary key, a int not null) engine=innodb;
            create table k (id int primary key, a int not null) engine=innodb;
            create table c (id int primary key, a int not null) engine=innodb;
            insert into t values (1, 1);\ninsert into u values (1, 1);\ninsert into c values (1, 1)");
        // Seen in this run, and not seen.
        let mut live = Dumpa::new(server, &db).args(["tail", "t", "--from", "now"]).spawn();
        let mut keys = Dumpa::new(server, &db).args(["tail", "k", "--from", "now"]).spawn();
        let mut names = Dumpa::new(server, &db).args(["tail", "c", "--from", "now"]).spawn();
        let start = Start::here(&db);
        wait_for_tails(server, 3);
        db.sql("insert into t values (2, 2);\ninsert into k values (2, 2);\ninsert into c values (2, 2)");
        for tail in [&mut live, &mut keys, &mut names] {
            tail.next();
        }
        db.sql("alter table t modify id varchar(20)");
        let run = live.wait(PATIENCE).expect_code(4);
        assert!(run.stderr.contains("MODIFY `id`") && run.stderr.contains(".t "), "{}", run.stderr);
        db.sql("alter table k drop primary key, add primary key (a);\ninsert into k values (3, 3)");
        let run = keys.wait(PATIENCE).expect_code(4);
        assert!(run.stderr.contains("ADD PRIMARY KEY (`a`) changed"), "{}", run.stderr);
        db.sql("alter table c change id ident bigint;\ninsert into c values (3, 3)");
        assert_eq!(names.next().id_text, "3", "its value prints as before");
        db.sql("alter table u modify id varchar(20)");
        refused(&db, &start, &["u"], &["MODIFY `id`", ".u "]);
        // If the command line names other columns, these are the id.
        assert!(printed(&db, &start, &["u", "--id", "u=a"]).is_empty());
    }
}

/// Waits until so many clients read the server's log.
#[track_caller]
fn wait_for_tails(server: &Server, count: usize) {
    let mut conn = server.conn();
    eventually("the tails read", || {
        let all: Vec<mysql::Row> = conn.query("show processlist").expect("a list");
        let dumps = all.iter().filter(|row| {
            row.get::<Option<String>, _>("Command")
                .flatten()
                .is_some_and(|command| command.starts_with("Binlog Dump"))
        });
        (dumps.count() >= count).then_some(())
    });
}

// In MIXED format these servers log statements on temporary tables, as those of a table of any other kind.
on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_5_6, mysql_5_7]
fn a_temporary_table_is_not_the_real_one_of_its_name(server) {
    let db = server.fresh_db("effects");
    db.sql("create table t (id int primary key) engine=innodb;
        create table u (id int primary key) engine=innodb");
    let start = Start::here(&db);
    let rename = if server.is_mariadb() { "rename table other to t;\nrename table t to other;" } else { "rename table u to w;" };
    db.sql("insert into t values (1)");
    db.sql(&format!("set session binlog_format = mixed;
        create temporary table t (a int);
        truncate table t;
        alter table t add column b int;
        alter table t rename to other;
        truncate table t;
        create temporary table u (a int);
        {rename}
        truncate table other"));
    // Other sessions do not see the table.
    db.sql("insert into t values (2);\ntruncate table t");
    let run = start.tail_with(&db, "t", &[]).expect_code(0);
    assert_eq!(in_short(&run), ["upsert t 1", "truncate t null", "upsert t 2", "truncate t null"]);
    assert!(run.stderr.is_empty(), "{}", run.stderr);
    let renamed = printed(&db, &start, &["u", "--allow-missing"]);
    assert_eq!(renamed.len(), usize::from(server.is_mysql()), "RENAME TABLE of MySQL takes the real one");
});

/// A load of these tables, whose position is in the file `pos.json` of the folder.
#[track_caller]
fn loaded(db: &Db, tables: &[&str]) -> Dumpa {
    let load = Dumpa::new(db.server, db).args(["load", "--save", "pos.json"]).args(tables);
    load.run().expect_code(0);
    load
}

/// A tail from there.
fn resumed(db: &Db, home: &Dumpa, args: &[&str]) -> Run {
    let tail = Dumpa::new(db.server, db).in_the_folder_of(home);
    tail.args(["tail", "--from", "pos.json", "--until", "now", "--allow-missing"]).args(args).run()
}

/// Columns and values of a loaded table; an ALTER; and the message if it ends the run.
const ID_CHANGES: &[(&str, &str, &str, Option<&str>)] = &[
    (
        "a int not null unique, b int not null",
        "1, 2",
        "add primary key (b)",
        Some("ADD PRIMARY KEY (`b`) changed"),
    ),
    (
        "a int not null, b int not null, unique ka (a), unique kb (b)",
        "1, 2",
        "drop index ka",
        Some("DROP INDEX `ka` may have changed"),
    ),
    ("a varchar(10) primary key, b int", "'1', 2", "modify a int not null", Some("MODIFY `a`")),
    ("a int primary key, b int not null unique", "1, 2", "drop column a", Some("DROP COLUMN `a`")),
    (
        "a int not null unique, b int",
        "1, 2",
        "add column id int auto_increment primary key first",
        Some("ADD PRIMARY KEY (`id`) changed"),
    ),
    ("a varbinary(8) primary key, b int", "'1', 2", "modify a binary(8)", Some("`a`")),
    ("a binary(8) primary key, b int", "'1', 2", "modify a binary(9)", Some("MODIFY `a` may have changed")),
    (
        "a decimal(9,2) primary key, b int",
        "1, 2",
        "modify a decimal(9,3)",
        Some("MODIFY `a` may have changed"),
    ),
    ("a varchar(10) primary key, b int", "'1', 2", "modify a varchar(20) not null", None),
    ("a varchar(10) primary key, b int", "'1', 2", "modify a varchar(10) not null comment 'x'", None),
    ("a binary(8) primary key, b int", "'1', 2", "modify a binary(8) comment 'x'", None),
    ("a datetime(3) primary key, b int", "'2020-01-01', 2", "modify a datetime(3) not null", None),
    ("a int primary key, b int", "1, 2", "modify a bigint", None),
    ("a int primary key, b int not null, unique kb (b)", "1, 2", "drop index kb, add unique k2 (b)", None),
    ("a int primary key, b int", "1, 2", "drop primary key, add primary key (a)", None),
];

#[track_caller]
fn ids_are_known_from_the_position(server: &Server) {
    let db = server.fresh_db("effects");
    for (columns, values, alter, ends) in ID_CHANGES {
        db.sql(&format!(
            "drop table if exists t;\ncreate table t ({columns}) engine=innodb;
            insert into t values ({values})"
        ));
        let home = loaded(&db, &["t"]);
        db.sql(&format!("alter table t {alter}"));
        // The ALTER may be the end of one run, and the next row in another run.
        let altered = resumed(&db, &home, &["t", "--save", "pos.json"]);
        db.sql("set sql_mode = '';\ninsert into t (b) values (3)");
        let run = if altered.code == Some(4) {
            altered
        } else {
            altered.expect_code(0);
            resumed(&db, &home, &["t", "--save", "pos.json"])
        };
        let Some(says) = ends else {
            assert_eq!(run.expect_code(0).lines().len(), 1, "{columns}: {alter}");
            continue;
        };
        let run = run.expect_code(4);
        assert!(run.stderr.contains(says) && run.stdout.is_empty(), "{columns}: {alter}: {}", run.stderr);
        // The saved position does not let the next run go on either.
        resumed(&db, &home, &["t"]).expect_code(4);
    }
}

on_servers!(
    [mariadb_11_4, mysql_5_7, mysql_8_0] fn a_position_knows_what_ids_are_made_of(server) {
        ids_are_known_from_the_position(server);
    }

    [mysql_9_7] fn a_position_knows_what_ids_are_made_of_where_the_log_names_columns(shared) {
        ids_are_known_from_the_position(&Server::private(&shared.name, &["--binlog-row-metadata=FULL"]));
    }

    [mariadb_11_4, mysql_8_0] fn columns_of_an_id_that_change_names_with_one_another(server) {
        let db = server.fresh_db("effects");
        db.sql("create table t (a int primary key, b int not null) engine=innodb;\ninsert into t values (1, 2)");
        let home = loaded(&db, &["*"]);
        db.sql("alter table t rename column a to b, rename column b to a;\ninsert into t values (3, 4)");
        assert_eq!(in_short(&resumed(&db, &home, &["*"]).expect_code(0)), ["upsert t 3"]);
    }

    [mariadb_11_4, mysql_5_7, mysql_8_0] fn keys_that_change_where_ids_are_not_known(server) {
        let db = server.fresh_db("effects");
        for (columns, alter, ends) in [
            ("a int not null unique, b int not null", "add primary key (b)", true),
            ("a int not null unique, b int not null", "modify b int primary key", true),
            ("a int not null unique, b int", "add column id int auto_increment primary key first", true),
            ("a int not null, b int not null, unique ka (a), unique kb (b)", "drop index ka", true),
            ("a int not null, b int not null, unique ka (a), unique kb (b)", "drop column a", true),
            ("a int primary key, b int not null, unique kb (b)", "drop index kb", false),
            ("a int primary key, b int not null, c int, unique kb (b)", "drop column c", false),
        ] {
            db.sql(&format!("drop table if exists t;\ncreate table t ({columns}) engine=innodb;
                insert into t (a, b) values (1, 2)"));
            let start = Start::here(&db);
            db.sql(&format!("alter table t {alter}"));
            match ends {
                true => _ = refused(&db, &start, &["t"], &["ALTER TABLE", ".t ", "may have changed the ids"]),
                false => assert!(printed(&db, &start, &["t"]).is_empty(), "{alter}"),
            }
            // If the command line names the id columns, keys do not matter.
            assert!(printed(&db, &start, &["t", "--id", "t=b"]).is_empty(), "{alter}");
        }
    }
);

on_servers!(
    [mariadb_11_4, mysql_5_7, mysql_8_0] fn names_that_a_narrower_run_saved_are_not_all(server) {
        let (db, other) = (server.fresh_db("effects"), server.fresh_db("narrow"));
        other.sql("create table a1 (id int primary key) engine=innodb;
            create table b1 (id int primary key) engine=innodb");
        let (name, some) = (&other.name, format!("{}.a*", other.name));
        let all = format!("{name}.*");
        let home = loaded(&db, &[&some]);
        let saved = std::fs::read_to_string(home.file("pos.json")).expect("it was saved");
        assert!(saved.contains(&format!("\"selection\":[[\"{name}\",\"a*\"]]")), "{saved}");
        server.sql(&format!("drop database {name};\ncreate database {name}"));
        let run = resumed(&db, &home, &[&all]).expect_code(4);
        assert!(run.stderr.contains("DROP DATABASE") && run.stdout.is_empty(), "{}", run.text());
        assert_eq!(in_short(&resumed(&db, &home, &[&some]).expect_code(0)), [format!("truncate {name}.a1 null")]);
    }

    // A DROP DATABASE that ran while the catalog was read had dropped some of its tables already.
    [mariadb_11_4, mysql_5_7, mysql_8_0] fn a_database_whose_drop_began_before_its_names_were_known(server) {
        let (db, other) = (server.fresh_db("effects"), server.fresh_db("early"));
        other.sql("create table t (id int primary key) engine=innodb");
        let (name, all) = (&other.name, format!("{}.*", other.name));
        let home = Dumpa::new(server, &db).args(["tail", "--from", "now", "--until", "now", "--save", "pos.json", &all]);
        home.run().expect_code(0);
        server.sql(&format!("drop database {name};\ncreate database {name}"));
        let dropped = [format!("truncate {name}.t null")];
        assert_eq!(in_short(&resumed(&db, &home, &[&all]).expect_code(0)), dropped);
        let saved = std::fs::read_to_string(home.file("pos.json")).expect("it was saved");
        let mut saved: serde_json::Value = serde_json::from_str(&saved).expect("JSON");
        let since = saved["tables_since"].as_u64().expect("when they were asked for");
        saved["tables_since"] = (since + 1000).into();
        std::fs::write(home.file("pos.json"), saved.to_string()).expect("a file");
        resumed(&db, &home, &[&all, "--save", "pos.json"]).expect_code(4);
        resumed(&db, &home, &[&all]).expect_code(4);
    }

    [mysql_9_7] fn a_table_that_was_emptied_by_what_is_done_may_have_rows(server) {
        let db = server.fresh_db("effects");
        db.sql("create table t (id int primary key) engine=innodb");
        let home = Dumpa::new(server, &db).args(["position", "--save", "pos.json"]);
        home.run().expect_code(0);
        db.sql("truncate table t;\ninsert into t values (1)");
        let mut from: serde_json::Value =
            serde_json::from_slice(&std::fs::read(home.file("pos.json")).expect("it was saved")).expect("JSON");
        from["gtid_set"] = server.ask::<String>("select @@global.gtid_executed").replace('\n', "").into();
        std::fs::write(home.file("pos.json"), from.to_string()).expect("a file");
        db.sql("alter table t modify id varchar(20)");
        let run = resumed(&db, &home, &["t"]).expect_code(4);
        assert!(run.stderr.contains("MODIFY `id`"), "{}", run.stderr);
    }

    [mariadb_11_4, mysql_5_7, mysql_8_0] fn a_view_may_take_a_wanted_name(server) {
        let db = server.fresh_db("effects");
        db.sql("create table t (id int primary key) engine=innodb;
            create view v as select * from t;
            insert into t values (1)");
        if server.is_mariadb() {
            db.sql("create sequence s");
        }
        let bare = Start::here(&db);
        let home = loaded(&db, &["*"]);
        let sequence = if server.is_mariadb() { "rename table s to s2;" } else { "" };
        db.sql(&format!("{sequence}
            rename table v to w;
            insert into t values (2)"));
        let run = resumed(&db, &home, &["*", "--save", "pos.json"]).expect_code(0);
        assert_eq!(in_short(&run).last().map(String::as_str), Some("upsert t 2"));
        let saved = std::fs::read_to_string(home.file("pos.json")).expect("it was saved");
        assert!(saved.contains(&format!("\"tables\":{{\"{}\":[\"t\"]}}", db.name)), "{saved}");
        // The tables from before are not known there.
        refused(&db, &bare, &["*"], &["was renamed"]);
        db.sql("rename table t to u");
        let run = resumed(&db, &home, &["*"]).expect_code(4);
        assert!(run.stderr.contains(".t was renamed"), "{}", run.stderr);
    }

    [mariadb_11_4, mysql_5_7, mysql_8_0] fn a_table_without_rows_may_take_a_wanted_name(server) {
        let db = server.fresh_db("effects");
        db.sql("create table l (id int primary key) engine=innodb;
            create table x (id int primary key) engine=innodb;
            insert into l values (1);\ninsert into x values (1)");
        let start = Start::here(&db);
        db.sql("create table l_new like l;
            rename table l to l_old, l_new to l;
            alter table l modify id bigint;
            insert into l values (2)");
        assert_eq!(printed(&db, &start, &["l"]), ["truncate l null", "upsert l 2"]);
        assert_eq!(printed(&db, &start, &["l", "l_new", "--allow-missing"]), ["truncate l null", "truncate l_new null", "upsert l 2"]);
        refused(&db, &start, &["*"], &[".l was renamed"]);
        // Tables with rows that get the names of empty tables.
        let start = Start::here(&db);
        db.sql("create table e like l;
            insert into e values (1);
            rename table e to e2");
        assert_eq!(printed(&db, &start, &["e2"]), ["truncate e2 null", "upsert e2 1"]);
        let start = Start::here(&db);
        db.sql("create table f like l;
            rename table f to f2, x to f, f to f3");
        refused(&db, &start, &["f3"], &[".x was renamed"]);
    }
);

//! RENAME gives a selected name to another table, as online schema changes do at their end: its rows are read again from the
//! log, wherever a run begins inside of that.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use crate::common::*;

/// A tail of this test's database.
fn tail(server: &Server, db: &Db, args: &[&str], home: &Dumpa) -> Dumpa {
    Dumpa::new(server, db).args(["tail"]).args(args).in_the_folder_of(home)
}

fn load(server: &Server, db: &Db, tables: &[&str]) -> Fold {
    let run = Dumpa::new(server, db).args(["load"]).args(tables).run().expect_code(0);
    Fold::of(run.lines())
}

/// What a run of `tail` prints until a place, and the place in each line.
#[track_caller]
fn lines(server: &Server, db: &Db, args: &[&str], home: &Dumpa) -> Vec<Tuple> {
    tail(server, db, args, home).run().expect_code(0).lines()
}

fn raw(lines: &[Tuple]) -> Vec<&str> {
    lines.iter().map(|line| line.raw.as_str()).collect()
}

const TABLE: &str = "
    create table t (id int primary key, n int not null, v varchar(20), body varchar(40)) engine=innodb;
    create table other (id int primary key) engine=innodb;
    insert into t values (1, 7, 'a', 'one'), (2, 14, 'b', 'two'), (3, 21, 'c', 'three'), (4, 28, 'd', 'four'),
        (5, 35, 'e', 'five'), (6, 42, 'f', 'six')";

/// The new table, as gh-ost makes it.
const SHADOW: &str = "
    create table _t_gho like t;
    alter table _t_gho add column extra int not null default 7, drop column v, modify n bigint unsigned";

/// Copies rows to it, and applies what happened to them meanwhile, as gh-ost does: with rows that come twice, are deleted, get
/// another key, are rolled back in part or as a whole.
const COPY: &str = "
    insert ignore into _t_gho (id, n, body) (select id, n, body from t where id <= 3);
    insert into t values (7, 49, 'g', 'seven');
    update t set n = n + 1 where id in (2, 5);
    replace into _t_gho (id, n, body) values (7, 49, 'seven'), (2, 15, 'two');
    insert into other values (1);
    begin;
    insert into other values (2);
    update _t_gho set n = 36, body = 'later' where id = 5;
    insert ignore into _t_gho (id, n, body) (select id, n, body from t where id > 3);
    commit;
    begin;
    delete from _t_gho where id = 1;
    savepoint s;
    delete from _t_gho where id = 2;
    insert into _t_gho (id, n) values (99, 1);
    rollback to s;
    insert into other values (3);
    commit;
    begin;
    insert into _t_gho (id, n) values (98, 1);
    rollback;
    delete from t where id = 1;
    update t set id = 30 where id = 3;
    update _t_gho set id = 30 where id = 3";

const SWAP: &str = "rename /* gh-ost */ table t to _t_del, _t_gho to t";

on_each_server! {
    fn a_cutover_folds_and_resumes_at_each_line(server) {
        let db = server.fresh_db("swap");
        db.sql(TABLE);
        let home = Dumpa::bare();
        let start = place(server);
        let before = load(server, &db, &["t"]);
        let mut live = tail(server, &db, &["--from", &start, "t"], &home).spawn();
        // Without names in the log, the definition is that of the catalog at the first row.
        db.sql("insert into t values (8, 56, 'h', 'eight')");
        let mut all = live.take(1);
        db.sql(SHADOW);
        db.sql(COPY);
        db.sql("flush logs");
        db.sql("replace into _t_gho (id, n, body) values (8, 56, 'eight')");
        let cut = place(server);
        db.sql(SWAP);
        let behind = place(server);
        db.sql("drop table _t_del;\nupdate t set extra = 8 where id = 30;\ninsert into t values (1000, 1, 'end', 9)");
        let end = place(server);
        while all.last().is_none_or(|line| line.id_text != "1000") {
            all.push(live.next());
        }
        assert_eq!(live.stderr(), "");
        let wanted = load(server, &db, &["t"]);
        before.then(all.clone()).assert_is(&wanted, "after the cutover");
        let at = all.iter().position(|line| line.op == "truncate").expect("a truncate line");
        assert_eq!(all.iter().filter(|line| line.op == "truncate").count(), 1);
        let again: Vec<&Tuple> =
            all[at + 1..].iter().filter(|line| line.id_text != "1000" && line.content["extra"] != 8).collect();
        assert!(again.len() > 10 && again.iter().all(|line| line.table == "t" && line.content.get("v").is_none()));
        assert!(!raw(&all).iter().any(|line| line.contains("\"id\":98")), "a transaction that was rolled back");
        // Each line of the second reading, the truncate before it, and the one after it, is a place to go on from.
        for i in at..all.len() - 1 {
            fs::write(home.file("line.json"), &all[i].raw).expect("a file");
            let rest = lines(server, &db, &["--from", "line.json", "--until", &end, "t"], &home);
            assert_eq!(raw(&rest), raw(&all[i + 1..]), "resumed from line {i}");
        }
        // A run may end at each.
        let from_cut = ["--from", &cut, "t", "--until"];
        let refused = tail(server, &db, &[&from_cut[..], &[&behind]].concat(), &home).run().expect_code(4);
        assert!(refused.stdout.is_empty(), "{}", refused.text());
        for i in (at..at + again.len()).step_by(3) {
            fs::write(home.file("line.json"), &all[i].raw).expect("a file");
            fs::write(home.file("end.json"), &all[i + 1].raw).expect("a file");
            let args = ["--from", "line.json", "--until", "end.json", "--save", "pos.json", "t"];
            assert_eq!(raw(&lines(server, &db, &args, &home)), raw(&all[i + 1..i + 2]), "until line {}", i + 1);
            let rest = lines(server, &db, &["--from", "pos.json", "--until", &end, "t"], &home);
            assert_eq!(raw(&rest), raw(&all[i + 2..]), "resumed from the position saved after line {}", i + 1);
        }
        // With other tables selected, the rows count as they did.
        fs::write(home.file("line.json"), &all[at + 5].raw).expect("a file");
        db.sql("insert into other values (77)");
        let end = place(server);
        let rest = lines(server, &db, &["--from", "line.json", "--until", &end, "other"], &home);
        assert_eq!(rest.iter().map(|line| line.id_text.as_str()).collect::<Vec<_>>(), ["77"]);
    }

    fn the_shadow_prints_its_own_rows_if_it_is_selected(server) {
        let db = server.fresh_db("swap");
        db.sql(TABLE);
        let home = Dumpa::bare();
        let tables = ["t", "_t_g*"];
        let start = place(server);
        let before = load(server, &db, &["t"]);
        let args = [&["--allow-missing", "--from", &start][..], &tables].concat();
        let mut live = tail(server, &db, &args, &home).spawn();
        db.sql("insert into t values (8, 56, 'h', 'eight')");
        let mut all = live.take(1);
        db.sql(SHADOW);
        db.sql(COPY);
        // The definition of the shadow is read with its first row, before it has another name.
        while all.last().is_none_or(|line| line.table != "_t_gho" || line.id_text != "30") {
            all.push(live.next());
        }
        db.sql(SWAP);
        db.sql("insert into t values (1000, 1, 'end', 9)");
        while all.last().is_none_or(|line| line.id_text != "1000") {
            all.push(live.next());
        }
        let wanted = load(server, &db, &["t"]);
        before.then(all.clone()).assert_is(&wanted, "after the cutover");
        let emptied: Vec<_> = all.iter().filter(|line| line.op == "truncate").map(|line| &line.table).collect();
        assert_eq!(emptied, ["t", "_t_gho"]);
    }

    fn a_table_is_followed_through_several_names(server) {
        let db = server.fresh_db("swap");
        db.sql("create table a (id int primary key, n int) engine=innodb;
            create table b (id int primary key, n int) engine=innodb;
            insert into a values (1, 1);
            insert into b values (2, 2)");
        let home = Dumpa::bare();
        let start = place(server);
        let before = load(server, &db, &["a", "b"]);
        let mut live = tail(server, &db, &["--from", &start, "a", "b"], &home).spawn();
        db.sql("create table x (id int primary key, n int) engine=innodb;
            create table y (id int primary key, n int) engine=innodb;
            insert into x values (3, 3);
            rename table x to x2;
            insert into y values (4, 4), (5, 5);
            insert into x2 values (6, 6);
            rename table x2 to tmp, y to x2, tmp to y;
            insert into y values (7, 7);
            insert into x2 values (8, 8);
            rename table a to a_old, y to a, b to b_old, x2 to b;
            insert into a values (9, 9);
            insert into b values (9, 10)");
        let mut all = Vec::new();
        while all.last().is_none_or(|line: &Tuple| line.table != "b" || line.id_text != "9") {
            all.push(live.next());
        }
        let wanted = load(server, &db, &["a", "b"]);
        before.clone().then(all.clone()).assert_is(&wanted, "after two swaps at once");
        // Emptied since, it need not have been created in this run; and the two change places.
        db.sql("truncate a;
            insert into a values (11, 11);
            rename table a to tmp, b to a, tmp to b;
            insert into b values (12, 12)");
        // Without names in the log, the catalog must have the name when its rows are read.
        while all.last().is_none_or(|line| line.id_text != "12") {
            all.push(live.next());
        }
        db.sql("rename table a to c;
            rename table c to a;
            insert into a values (13, 13)");
        while all.last().is_none_or(|line| line.id_text != "13") {
            all.push(live.next());
        }
        let end = place(server);
        let wanted = load(server, &db, &["a", "b"]);
        before.then(all.clone()).assert_is(&wanted, "after they changed places");
        for (i, line) in all.iter().enumerate() {
            if line.metadata.get("reread").is_none() {
                continue;
            }
            fs::write(home.file("line.json"), &line.raw).expect("a file");
            // An old run knew where the later one's rows begin; one that begins here, of this statement's only.
            let run = tail(server, &db, &["--from", "line.json", "--until", &end, "a", "b"], &home).run();
            let rest = run.lines();
            let len = all[i + 1..].iter().take_while(|line| line.metadata.get("reread").is_some()).count() + 1;
            assert_eq!(raw(&rest)[..len], raw(&all[i + 1..])[..len], "resumed from line {i}: {}", run.stderr);
        }
    }

    fn swaps_continue_goes_on_without_the_rows(server) {
        let db = server.fresh_db("swap");
        db.sql(TABLE);
        let home = Dumpa::bare();
        let start = place(server);
        let args = ["--swaps", "continue", "--from", &start, "--allow-missing", "t", "_t_*"];
        let mut live = tail(server, &db, &args, &home).spawn();
        db.sql("insert into t values (8, 56, 'h', 'eight')");
        assert_eq!(live.next().id_text, "8");
        db.sql("create table _t_new like t;\ninsert into _t_new select * from t;\nalter table t comment 'x'");
        let copied = live.take(7);
        assert!(copied.iter().all(|line| line.table == "_t_new"));
        db.sql("rename table t to _t_old, _t_new to t;\ndrop table _t_old;\ndelete from t where id = 1");
        let rest: Vec<_> = live.take(3).into_iter().map(|line| line.without_metadata()).collect();
        assert_eq!(rest[..2], [r#"["truncate","_t_new",null,null]"#, r#"["truncate","_t_old",null,null]"#]);
        assert!(rest[2].starts_with(r#"["delete","t",1,"#), "{rest:?}");
        live.wait_for_stderr("--swaps continue): those printed before keep their old columns");
        live.wait_for_stderr("its rows are not printed under it");
        // Another id would make the rows printed before unreachable.
        db.sql("create table _t_new (id int, n int primary key) engine=innodb;\ninsert into _t_new values (5, 6)");
        assert_eq!(live.next().id_text, "6");
        db.sql("rename table t to _t_old, _t_new to t;
            insert into t values (1, 2)");
        let run = live.wait(PATIENCE).expect_code(4);
        assert!(run.stderr.contains("rows printed before keep their old id"), "{}", run.stderr);
    }

    fn after_the_second_reading_the_id_may_be_another(server) {
        let db = server.fresh_db("swap");
        db.sql(TABLE);
        let start = place(server);
        let before = load(server, &db, &["t"]);
        let home = Dumpa::bare();
        let mut live = tail(server, &db, &["--from", &start, "t"], &home).spawn();
        db.sql("insert into t values (8, 56, 'h', 'eight')");
        let mut all = live.take(1);
        db.sql("create table _t_new (n int, id varchar(10) primary key) engine=innodb;
            insert into _t_new values (1, 'x'), (2, 'y');
            rename table t to _t_old;
            rename table _t_new to t;
            delete from t where id = 'y'");
        all.extend(live.take(5));
        let ids: Vec<_> = all.iter().map(|line| line.id_text.as_str()).collect();
        assert_eq!(ids, ["8", "null", "null", r#""x""#, r#""y""#, r#""y""#]);
        before.then(all).assert_is(&load(server, &db, &["t"]), "with another id");
    }
}

// Shadow rows that were prepared, by clients that are there until the commit.
on_servers!([mysql_5_7, mysql_9_7, mariadb_10_11, mariadb_11_8] fn xa_transactions_are_read_again_where_they_were_committed(server) {
    let db = server.fresh_db("swap");
    db.sql("create table t (id int primary key) engine=innodb;\ninsert into t values (1)");
    let start = place(server);
    let home = Dumpa::bare();
    let before = load(server, &db, &["t"]);
    db.sql("create table s (id int primary key) engine=innodb;\ninsert into s values (1), (2)");
    let xid = |name: &str| format!("'{name}_{}'", db.name);
    let mut conn = db.conn();
    let mut run = |script: String| {
        for statement in script.split(';') {
            mysql::prelude::Queryable::query_drop(&mut conn, statement).unwrap_or_else(|why| panic!("{statement}: {why}"));
        }
    };
    for (name, id, end) in [("one", 10, "commit"), ("two", 20, "rollback")] {
        let xid = xid(name);
        run(format!("xa start {xid};insert into s values ({id}), ({id} + 1);xa end {xid};xa prepare {xid}"));
        db.sql(&format!("insert into s values ({id} + 5)"));
        run(format!("xa {end} {xid}"));
    }
    db.sql("rename table t to t_old, s to t;\ninsert into t values (100)");
    let end = place(server);
    let all = lines(server, &db, &["--from", &start, "--until", &end, "t"], &home);
    let ids: Vec<_> = all.iter().map(|line| line.id_text.as_str()).collect();
    assert_eq!(ids, ["null", "1", "2", "15", "10", "11", "25", "100"]);
    before.then(all.clone()).assert_is(&load(server, &db, &["t"]), "with XA transactions");
    for i in 0..all.len() {
        fs::write(home.file("line.json"), &all[i].raw).expect("a file");
        let rest = lines(server, &db, &["--from", "line.json", "--until", &end, "t"], &home);
        assert_eq!(raw(&rest), raw(&all[i + 1..]), "resumed from line {i}");
    }
});

on_servers!([mysql_9_7, mariadb_11_8] fn a_signal_inside_of_a_large_second_reading_loses_nothing(server) {
    let db = server.fresh_db("swap");
    db.sql("create table t (id int primary key, b longtext) engine=innodb;\ninsert into t values (1, 'x')");
    let start = place(server);
    let home = Dumpa::bare();
    db.sql("create table s (id int primary key, b longtext) engine=innodb");
    let mut conn = db.conn();
    for id in 0..40 {
        // Rolled back in the middle of others that are printed already.
        let script = format!("begin;insert into s values ({id}, repeat('x', 400000));savepoint a;\
            insert into s values ({id} + 1000, repeat('y', 400000));rollback to a;commit");
        for statement in script.split(';') {
            mysql::prelude::Queryable::query_drop(&mut conn, statement).expect("the statement runs");
        }
    }
    db.sql("rename table t to t_old, s to t;\ninsert into t values (100, 'z')");
    let end = place(server);
    let args = ["--from", &start, "--until", &end, "--save", "pos.json", "t"];
    let all = lines(server, &db, &args, &home);
    assert_eq!(all.len(), 42);
    let mut child = tail(server, &db, &args, &home).command();
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("dumpa starts");
    let mut stdout = child.stdout.take().expect("it is piped");
    let mut begun = vec![0; 1 << 20];
    stdout.read_exact(&mut begun).expect("it prints");
    // SAFETY: a system call without pointers; the child was not waited for.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGTERM) };
    stdout.read_to_end(&mut begun).expect("it ends");
    child.wait().expect("it ended");
    let text = String::from_utf8(begun).expect("text");
    let begun: Vec<Tuple> = text.lines().map(Tuple::parse).collect();
    assert!(begun.len() > 2 && begun.len() < 41, "{} lines", begun.len());
    assert_eq!(raw(&begun), raw(&all[..begun.len()]));
    let rest = lines(server, &db, &["--from", "pos.json", "--until", &end, "t"], &home);
    assert_eq!(raw(&rest), raw(&all[begun.len()..]));
});

on_servers!([mysql_5_7, mariadb_11_8] fn rows_that_are_not_in_the_log_end_the_run(server) {
    let home = Dumpa::bare();
    let cases = [
        // Created before the run.
        ("", "rename table t to old, s to t", "not created (without IF NOT EXISTS) or emptied between"),
        ("", "alter table s rename to u", "resume from a position before its CREATE TABLE"),
        (
            "drop table s;\ncreate table if not exists s (id int primary key)",
            "rename table t to old, s to t",
            "not created (without IF NOT EXISTS)",
        ),
        (
            "drop table s;\ncreate table s (id int primary key) engine=innodb;\ninsert into s values (2);
             drop table s;\ncreate table if not exists s (id int primary key)",
            "rename table t to old, s to t",
            "not created (without IF NOT EXISTS)",
        ),
        (
            "drop table s;\ncreate table s (id int primary key) engine=innodb partition by range (id)
                (partition a values less than (2), partition b values less than (9));
             insert into s values (1);\nalter table s truncate partition a",
            "rename table t to old, s to t",
            "TRUNCATE PARTITION at",
        ),
        (
            "drop table s;\ncreate table s (id int primary key) engine=innodb;
             create table p (id int primary key) engine=innodb partition by range (id) (partition a values less than (9));
             insert into p values (5);\nalter table p exchange partition a with table s",
            "rename table t to old, s to t",
            "EXCHANGE PARTITION at",
        ),
        (
            "drop database if exists {db}_2;\ncreate database {db}_2;\ncreate table {db}_2.s (id int primary key);
             insert into {db}_2.s values (2);\ndrop database {db}_2;\ncreate database {db}_2;
             create table if not exists {db}_2.s (id int primary key);\ninsert into {db}_2.s values (3)",
            "rename table t to old, {db}_2.s to t",
            "not created (without IF NOT EXISTS)",
        ),
        (
            "drop table s;\ncreate table s (id int primary key) engine=myisam;
             create table m (id int primary key) engine=merge union=(s) insert_method=last",
            "rename table t to old, s to t",
            "because a MERGE table",
        ),
        (
            "drop table s;\ncreate table k (id int primary key) engine=myisam;
             create table s (id int primary key) engine=merge union=(k) insert_method=last",
            "rename table t to old, s to t",
            "MERGE",
        ),
    ];
    let versioned = [
        (
            "drop table s;\ncreate table s (id int primary key) engine=innodb;\ninsert into s values (1);
             alter table s add system versioning",
            "rename table t to old, s to t",
            "ADD SYSTEM VERSIONING at",
        ),
        (
            "drop table s;\ncreate table s (id int primary key) engine=innodb with system versioning;
             insert into s values (1);\nalter table s drop system versioning",
            "rename table t to old, s to t",
            "DROP SYSTEM VERSIONING at",
        ),
    ];
    for (setup, rename, why) in cases.into_iter().chain(versioned.into_iter().filter(|_| server.is_mariadb())) {
        let db = server.fresh_db("swap");
        db.sql("create table t (id int primary key) engine=innodb;
            create table s (id int primary key) engine=innodb;\ninsert into s values (1)");
        let start = place(server);
        let (setup, rename) = (setup.replace("{db}", &db.name), rename.replace("{db}", &db.name));
        db.sql(&setup);
        db.sql("insert ignore into s values (3)");
        db.sql(&rename);
        let args = ["--from", &start, "--until", "now", "--allow-missing", "t", "u"];
        let run = tail(server, &db, &args, &home).run().expect_code(4);
        assert!(run.stdout.is_empty() && run.stderr.contains(why), "{rename}: {}{}", run.text(), run.stderr);
        let is_swap = rename.contains("old");
        assert_eq!(run.stderr.contains("--swaps continue"), is_swap, "{}", run.stderr);
    }
});

on_servers!([mysql_9_7, mariadb_11_8] fn what_an_alter_did_to_the_shadow_is_judged(server) {
    let home = Dumpa::bare();
    let full: &[&str] = &["--binlog-row-metadata=FULL"];
    let server = &Server::private(&server.name, full);
    for (alter, code) in [("add column n int", 0), ("drop column v", 0), ("modify id varchar(9)", 4)] {
        let db = server.fresh_db("swap");
        db.sql("create table t (id int primary key, v int) engine=innodb;\ninsert into t values (1, 1)");
        let start = place(server);
        let before = load(server, &db, &["t"]);
        db.sql(&format!("create table s like t;\nalter table s add unique key (v);\ninsert into s values (1, 2);
            alter table s {alter};\nrename table t to old, s to t"));
        let run = tail(server, &db, &["--from", &start, "--until", "now", "t"], &home).run().expect_code(code);
        if code == 0 {
            assert!(run.stderr.contains("t: altered at"), "{}", run.stderr);
            assert_eq!(before.then(run.lines()).0.len(), 1);
        } else {
            assert!(run.stderr.contains("the ids of its rows"), "{}", run.stderr);
        }
    }
});

on_servers!([mysql_8_0, mariadb_10_11] fn a_purged_log_and_a_pipe_cannot_be_read_again(server) {
    let server = &Server::private(&server.name, &["--binlog-row-metadata=FULL"]);
    let db = server.fresh_db("swap");
    db.sql("create table t (id int primary key) engine=innodb");
    let home = Dumpa::bare();
    let start = place(server);
    let mut live = tail(server, &db, &["--from", &start, "t"], &home).spawn();
    db.sql("create table s (id int primary key) engine=innodb;\ninsert into s values (1);\ninsert into t values (5)");
    assert_eq!(live.next().id_text, "5");
    db.sql("flush logs;\ninsert into t values (6)");
    assert_eq!(live.next().id_text, "6");
    let (file, _) = place(server).split_once(':').map(|(a, b)| (a.to_string(), b.to_string())).expect("a place");
    let copy = |home: &Dumpa| {
        for entry in fs::read_dir(server.dir.join("data")).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if name.starts_with("bin.0") {
                fs::copy(&path, home.file(&name)).expect("a copy");
            }
        }
    };
    copy(&home);
    // MariaDB keeps a file until its engines need it for recovery no more.
    let begun = std::time::Instant::now();
    while server.dir.join("data/bin.000001").exists() && begun.elapsed() < PATIENCE {
        db.sql(&format!("purge binary logs to '{file}'"));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    db.sql("rename table t to old, s to t");
    let run = live.wait(PATIENCE).expect_code(4);
    assert!(run.stderr.contains("was renamed to") && run.stderr.contains("cannot be read again from bin."), "{}", run.stderr);
    assert_eq!(run.lines().last().map(|line| line.id_text.clone()).as_deref(), Some("6"));
    // All in files; and the last of them through a pipe.
    copy(&home);
    let mut names: Vec<String> = fs::read_dir(home.dir())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("bin.0"))
        .collect();
    names.sort();
    let table = format!("{}.t", db.name);
    let files: Vec<&str> = ["tail", &table, "--binlog"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let run = Dumpa::bare().args(&files).in_the_folder_of(&home).run().expect_code(0);
    assert_eq!(run.lines().iter().map(|line| line.id_text.clone()).collect::<Vec<_>>(), ["5", "6", "null", "1"]);
    let last = names.last().expect("a file");
    let mut piped = Dumpa::bare().args(files.iter().map(|name| if name == last { "-" } else { name })).in_the_folder_of(&home).command();
    let input = fs::File::open(home.file(last)).expect("a file");
    let mut cat = std::process::Command::new("cat").stdin(input).stdout(Stdio::piped()).spawn().expect("cat runs");
    let output = piped.stdin(cat.stdout.take().expect("it is piped")).output().expect("dumpa runs");
    cat.wait().expect("cat ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(4) && stderr.contains("a pipe cannot be read twice"), "{stderr}");
});

on_servers!([mysql_5_7, mysql_8_0, mariadb_11_8] fn tables_that_were_made_in_other_ways_are_read_again(server) {
    let home = Dumpa::bare();
    for made in [
        // It may be logged as one transaction with its rows.
        "create table s (primary key (id)) engine=innodb select id, n from t",
        // Partitions of an empty table hold no rows.
        "create table s (id int primary key, n int) engine=innodb partition by range (id)
            (partition a values less than (2), partition b values less than (9));
         alter table s truncate partition a",
        // Another database's table of the same name is another table.
        "create table s (id int primary key, n int) engine=innodb;
         drop database if exists {db}_2;\ncreate database {db}_2;
         create table {db}_2.s (id int primary key, n int) engine=innodb;
         insert into {db}_2.s values (7, 7);\nalter table {db}_2.s modify n int not null;\ndrop database {db}_2",
    ] {
        let db = server.fresh_db("swap");
        db.sql("create table t (id int primary key, n int) engine=innodb;\ninsert into t values (1, 1), (2, 2)");
        let start = place(server);
        let before = load(server, &db, &["t"]);
        db.sql(&made.replace("{db}", &db.name));
        db.sql("replace into s values (3, 3);\nrename table t to old, s to t;\nreplace into t values (4, 4)");
        let all = lines(server, &db, &["--from", &start, "--until", "now", "t"], &home);
        assert_eq!(all[0].op, "truncate", "{made}");
        before.then(all.clone()).assert_is(&load(server, &db, &["t"]), made);
        for i in 0..all.len() {
            fs::write(home.file("line.json"), &all[i].raw).expect("a file");
            let rest = lines(server, &db, &["--from", "line.json", "--until", "now", "t"], &home);
            assert_eq!(raw(&rest), raw(&all[i + 1..]), "{made}: resumed from line {i}");
        }
    }
    let db = server.fresh_db("swap");
    db.sql("create table t (id int primary key) engine=innodb");
    let start = place(server);
    db.sql("create table s (id int primary key) engine=innodb;\nrename table s to hollow;
        create table s (id int primary key) engine=innodb;\ninsert into s values (1);\nrename table s to filled");
    // Nothing went from one table to another: --swaps continue leaves no row out.
    let args = ["--from", &start, "--until", "now", "--swaps", "continue", "--allow-missing", "hollow", "filled"];
    let all = lines(server, &db, &args, &home);
    let told: Vec<_> = all.iter().map(|line| (line.op.as_str(), line.table.as_str())).collect();
    assert_eq!(told, [("truncate", "filled"), ("upsert", "filled")]);
});

on_servers!([mysql_5_7, mysql_8_0, mariadb_11_8] fn rows_from_before_an_alter_have_the_columns_of_the_time(server) {
    let home = Dumpa::bare();
    let rows = "insert into s values (1, 2, 3);\nalter table s modify b int after id;\ninsert into s values (2, 4, 5)";
    for (make, rename, is_known_behind) in [
        ("create table s (id int primary key, a int, b int) engine=innodb", "rename table t to old, s to t", true),
        ("create table s like model", "rename table t to old, s to t", false),
        (
            "create table s (id int primary key, a int, b int) engine=innodb;\nalter table s modify a int after b;
             insert into s values (9, 9, 9);\ntruncate table s;\nalter table s modify a int after id",
            "rename table t to old, s to t",
            false,
        ),
        ("create table s (id int primary key, a int, b int) engine=innodb", "drop table t;\nalter table s modify a int after id, rename to t", true),
    ] {
        let db = server.fresh_db("swap");
        db.sql("create table t (id int primary key, a int, b int) engine=innodb");
        let start = place(server);
        db.sql("create table model like t;\ndrop table model;\ncreate table model (id int primary key, a int, b int) engine=innodb");
        db.sql(&format!("{make};\n{rows};\n{rename};\ninsert into t values (3, 6, 7)"));
        let all = lines(server, &db, &["--from", &start, "--until", "now", "t"], &home);
        let contents: Vec<&str> = all.iter().rev().take(3).map(|line| line.content_text.as_str()).collect();
        let last = if rename.contains("modify") { r#"{"id":3,"a":6,"b":7}"# } else { r#"{"id":3,"b":6,"a":7}"# };
        assert_eq!(contents, [last, r#"{"id":2,"b":4,"a":5}"#, r#"{"id":1,"a":2,"b":3}"#], "{make}; {rename}");
        let at = all.len() - 4;
        assert_eq!(all[at].op, "truncate");
        for i in at..all.len() {
            fs::write(home.file("line.json"), &all[i].raw).expect("a file");
            let rest = tail(server, &db, &["--from", "line.json", "--until", "now", "t"], &home).run();
            if is_known_behind || i > at + 1 {
                assert_eq!(raw(&rest.expect_code(0).lines()), raw(&all[i + 1..]), "{make}: resumed from line {i}");
            } else {
                let rest = rest.expect_code(4);
                assert!(rest.stderr.contains("may be wrong"), "{make}: resumed from line {i}: {}", rest.stderr);
            }
        }
    }
});

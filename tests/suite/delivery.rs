//! Nothing is lost and nothing is twice: a shop that changes all the time is loaded and tailed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use mysql::Conn;

use crate::common::*;

/// Ends a tail's reading: the last row that a test writes.
const SENTINEL: &str = "the end";

const SHOP: &str = "
    create table people (id int auto_increment primary key, name varchar(40), seen int not null default 0)
        engine=innodb;
    create table items (line int not null, pad char(3), orders int not null, n int, primary key (orders, line))
        engine=innodb;
    create table codes (note text, code varchar(20) not null, unique key (code)) engine=innodb;
    create table emptied (id int auto_increment primary key, n int) engine=innodb;
    create table notes (id int auto_increment primary key, text varchar(40)) engine=myisam;
    create table ends (id int primary key, what varchar(20)) engine=innodb;
    insert into people (name) values ('Ada'), ('Bob'), ('Cyd'), ('Dan');
    insert into people (name) select concat(a.name, b.name, c.name, d.name) from people a, people b, people c, people d;
    insert into people (name) select concat(a.name, b.name) from people a, people b where b.id < 20;
    insert into items (line, orders, n) select id % 7, id div 7, id from people;
    insert into codes select name, concat('c', id) from people where id < 500";

/// A small generator: tests are repeatable without another crate.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// One transaction of a busy shop. Writers are in each other's way now and then, and then try something else.
fn change(conn: &mut Conn, dice: &mut Dice) {
    let id = dice.roll(3000) + 1;
    let other = dice.roll(1 << 30) + 10_000;
    let script = match dice.roll(12) {
        0 | 1 => format!("insert into people (name) values ('new {other}'), ('newer {other}')"),
        2 => format!("update people set seen = seen + 1 where id between {id} and {id} + 5"),
        3 => format!("delete from people where id = {id}"),
        4 => format!("update people set id = {other} where id = {id}"),
        5 => format!(
            "begin;\nupdate people set seen = {other} where id = {id};\n\
             update items set n = {other}, orders = {other} where orders = {id} div 7;\n\
             insert into codes values (null, 'c{other}');\ncommit"
        ),
        6 => format!("begin;\ndelete from people where id between {id} and {id} + 50;\nrollback"),
        7 => format!(
            "begin;\nupdate people set name = 'kept' where id = {id};\nsavepoint a;\n\
             insert into people (name) values ('undone');\nupdate people set name = 'undone' where id = {id};\n\
             rollback to savepoint a;\ninsert into emptied (n) values ({other});\ncommit"
        ),
        8 => format!("update codes set code = 'd{other}' where code = 'c{id}'"),
        9 => format!("insert into emptied (n) values ({other}), ({other})"),
        10 => format!("insert into notes (text) values ('{other}')"),
        _ if id < 50 => "truncate table emptied".to_string(),
        _ => format!("replace into codes values ('{other}', 'c{id}')"),
    };
    for statement in script.split(";\n") {
        if conn.query_drop(statement).is_err() {
            let _ = conn.query_drop("rollback");
            return;
        }
    }
}

/// Ends the writers when the work ends, also when it fails: they would be waited for.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` while writers change the shop, and leaves the sentinel when they have ended.
fn while_it_changes<T>(db: &Db, writers: u64, work: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in 1..=writers {
            let (stop, mut conn) = (&stop, db.conn());
            conn.query_drop("set lock_wait_timeout = 10, innodb_lock_wait_timeout = 1").expect("settings");
            scope.spawn(move || {
                let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                while !stop.load(Ordering::Relaxed) {
                    change(&mut conn, &mut dice);
                }
            });
        }
        let _end = StopAtEnd(&stop);
        work()
    })
}

/// A load that saves `pos.json` in the folder of `home`. One that met a TRUNCATE says so and is done again.
fn load(server: &Server, db: &Db, home: &Dumpa) -> Fold {
    eventually("a load gets through", || {
        let run = Dumpa::new(server, db).args(["load", "--save", "pos.json"]).in_the_folder_of(home).run();
        if run.code == Some(1) && run.stderr.contains("definition has changed") {
            return None;
        }
        Some(Fold::of(run.expect_code(0).lines()))
    })
}

on_each_server! {
    fn a_shop_that_changes_is_loaded_and_tailed(server) {
        let db = server.fresh_db("shop");
        db.sql(SHOP);
        let home = Dumpa::bare();
        let (mut live, loaded) = while_it_changes(&db, 4, || {
            let loaded = load(server, &db, &home);
            let tail = Dumpa::new(server, &db).args(["tail", "--from", "pos.json"]).in_the_folder_of(&home);
            let mut live = tail.spawn();
            // While it reads what there was, and while it waits for more.
            live.take(300);
            (live, loaded)
        });
        db.sql(&format!("insert into ends values (1, '{SENTINEL}')"));
        let mut followed = Vec::new();
        while followed.last().is_none_or(|tuple: &Tuple| tuple.table != "ends") {
            followed.push(live.next());
        }
        let truth = Fold::of(Dumpa::new(server, &db).args(["load"]).run().expect_code(0).lines());
        let again = Dumpa::new(server, &db).args(["tail", "--from", "pos.json", "--until", "now"]);
        let again = again.in_the_folder_of(&home).run().expect_code(0);
        let text = |tuples: &[Tuple]| tuples.iter().map(|tuple| tuple.raw.clone()).collect::<Vec<_>>();
        assert_eq!(text(&again.lines()[300..]), text(&followed), "live and later, the same lines");
        loaded.then(again.lines()).assert_is(&truth, "load and tail");
    }
}

/// Rows that are only ever inserted: each must come exactly once, by load or by tail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Exactness {
    Once,
    AtLeastOnce,
}

/// Loads again and again while rows are committed, and tails from each load's position.
#[track_caller]
fn loads_are_exact(server: &Server, db: &Db, user: &str, loads: usize, exactness: Exactness, says: &str) {
    db.sql("create table if not exists ledger (id bigint auto_increment primary key, n int) engine=innodb");
    let home = Dumpa::bare();
    let stop = AtomicBool::new(false);
    let loaded: Vec<Vec<Tuple>> = thread::scope(|scope| {
        for _ in 0..6 {
            let (stop, mut conn) = (&stop, db.conn());
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    conn.query_drop("insert into ledger (n) values (1)").expect("an insert");
                }
            });
        }
        let _end = StopAtEnd(&stop);
        let load = |i: usize| {
            let save = format!("pos{i}.json");
            let run = Dumpa::new(server, db).args(["load", "ledger", "--save", &save, "-u", user]);
            let run = run.env("DUMPA_PASSWORD", password(user)).in_the_folder_of(&home).run();
            let run = run.expect_code(0);
            assert!(run.stderr.contains(says), "another method than {says:?}: {}", run.stderr);
            run.lines()
        };
        (0..loads).map(load).collect()
    });
    let all: u64 = db.ask("select count(*) from ledger");
    for (i, rows) in loaded.iter().enumerate() {
        let pos = format!("pos{i}.json");
        let tail =
            Dumpa::new(server, db).args(["tail", "ledger", "--from", &pos, "--until", "now", "-u", user]);
        let tail =
            tail.env("DUMPA_PASSWORD", password(user)).in_the_folder_of(&home).run().expect_code(0).lines();
        let mut times: HashMap<&str, u32> = HashMap::new();
        rows.iter().chain(&tail).for_each(|tuple| *times.entry(&tuple.id_text).or_default() += 1);
        assert_eq!(times.len() as u64, all, "load {i} and its tail lost rows");
        let twice = times.values().filter(|times| **times > 1).count();
        assert!(
            exactness == Exactness::AtLeastOnce || twice == 0,
            "load {i} and its tail have {twice} rows twice"
        );
    }
}

fn password(user: &str) -> &'static str {
    if user == "root" { "" } else { "secret" }
}

/// Makes an account with these privileges.
fn account(server: &Server, name: &str, grants: &[&str]) {
    server.sql(&format!("create user {name}@'%' identified by 'secret'"));
    for grant in grants {
        server.sql(&format!("grant {grant} to {name}@'%'"));
    }
}

on_each_server! {
    fn each_row_comes_by_load_or_by_tail_and_never_by_both(server) {
        let db = server.fresh_db("ledger");
        let says = match server.is_mariadb() {
            true => "without a lock",
            // By log_status, or by a lock where the log never stood still for long enough.
            false if server.version() >= (8, 0) => "its exact position",
            false => "FLUSH TABLES WITH READ LOCK",
        };
        loads_are_exact(server, &db, "root", 4, Exactness::Once, says);
    }
}

/// The commit stands in the log for 20 ms before the engine shows it: a position read at the wrong time loses it.
const DELAY: &str = "--binlog-group-commit-sync-delay=20000";

on_servers!([mysql_9_7] fn each_way_to_a_position_is_exact(shared) {
    let server = Server::private(&shared.name, &[DELAY]);
    let db = server.fresh_db("ledger");
    let basic = ["select, replication slave, replication client on *.*"];
    let log_status = ["backup_admin on *.*"];
    let ways: [(&str, &[&str], Exactness, &str); 4] = [
        ("watcher", &log_status, Exactness::Once, "position"),
        ("reloader", &["reload on *.*"], Exactness::Once, "FLUSH TABLES WITH READ LOCK"),
        ("locker", &["lock tables on *.*"], Exactness::Once, "LOCK TABLES"),
        ("reader", &[], Exactness::AtLeastOnce, "GTID set"),
    ];
    for (name, grants, exactness, says) in ways {
        let grants: Vec<&str> = basic.iter().chain(grants).copied().collect();
        account(&server, name, &grants);
        loads_are_exact(&server, &db, name, 5, exactness, says);
    }
});

on_servers!([mysql_9_7] fn without_a_way_to_a_position_it_refuses(shared) {
    let server = Server::private(&shared.name, &["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"]);
    let db = server.fresh_db("ledger");
    db.sql("create table t (id int primary key);\ninsert into t values (1)");
    account(&server, "reader", &["select, replication slave, replication client on *.*"]);
    let load = |more: &[&str]| {
        let load = Dumpa::new(&server, &db).args(["load", "--save", "pos.json", "-u", "reader"]);
        let load = load.args(more).env("DUMPA_PASSWORD", "secret");
        (load.run(), load.file("pos.json").exists())
    };
    let (run, saved) = load(&[]);
    let run = run.expect_code(1);
    assert!(run.stdout.is_empty() && !saved);
    assert!(run.stderr.contains("--no-lock") && run.stderr.contains("BACKUP_ADMIN"), "{}", run.stderr);
    let (run, saved) = load(&["--no-lock"]);
    let run = run.expect_code(0);
    assert!(run.stderr.contains("warning") && run.stderr.contains("LOST"), "{}", run.stderr);
    assert_eq!((run.lines().len(), saved), (1, true));
});

on_servers!([mysql_9_7, mysql_5_6] fn a_table_that_is_created_while_the_snapshot_begins_is_in_it(shared) {
    let server = Server::private(&shared.name, &[]);
    let db = server.fresh_db("late");
    db.sql("create table t (id int primary key);\ninsert into t values (1)");
    account(&server, "locker", &["select, replication slave, replication client, lock tables on *.*"]);
    let mut holder = db.conn();
    holder.query_drop("lock tables t write").expect("a lock");
    let home = Dumpa::bare();
    let load = Dumpa::new(&server, &db).args(["load", "-u", "locker", "--save", "pos.json"]);
    let load = load.env("DUMPA_PASSWORD", "secret").in_the_folder_of(&home).spawn();
    let waits = "select count(*) from information_schema.processlist where user = 'locker' and info like 'lock tables%'";
    eventually("it waits for the lock", || (server.ask::<u32>(waits) > 0).then_some(()));
    db.sql("create table late (id int primary key);\ninsert into late values (2)");
    holder.query_drop("unlock tables").expect("no lock");
    let loaded = load.wait(PATIENCE).expect_code(0);
    assert!(loaded.stderr.contains("LOCK TABLES"), "{}", loaded.stderr);
    let tail = Dumpa::new(&server, &db).args(["tail", "--from", "pos.json", "--until", "now"]);
    let tail = tail.in_the_folder_of(&home).run().expect_code(0);
    let truth = Fold::of(Dumpa::new(&server, &db).args(["load"]).run().expect_code(0).lines());
    Fold::of(loaded.lines()).then(tail.lines()).assert_is(&truth, "load and tail");
});

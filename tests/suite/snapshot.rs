//! The position of a load belongs to its snapshot: every row comes by `load` or by the `tail` from there, and where the
//! position is called exact, by one of them only.
//!
//! A commit stands in the log for a while before the engine shows it, by a delayed group commit or a slow disk: a
//! position that is read at the wrong time loses it. `DUMPA_SNAPSHOT_LOADS=200` asks for so many loads by each method,
//! with a while of a whole second.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mysql::Conn;

use crate::common::*;

/// Loads by each account at each pace, and how many of them run at a time.
const LOADS: usize = 6;
const AT_A_TIME: usize = 16;

/// Rounds of loads, until one of them uses the method that is tried.
const ROUNDS: usize = 20;

/// How many loads were asked for.
fn asked() -> Option<usize> {
    std::env::var("DUMPA_SNAPSHOT_LOADS").ok().map(|count| count.parse().expect("a number of loads"))
}

/// How long a commit takes from the log to the engine.
fn delay() -> Duration {
    Duration::from_millis(if asked().is_some() { 1000 } else { 250 })
}

/// What an account of every server has.
const BASIC: &str = "select, replication slave, replication client on *.*";

/// How the rows are written that a load may miss.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// So many at once, without a pause.
    Busy(usize),
    /// So many at about the same time, and then none for a while: the log stands still now and then, and a lock on a
    /// table, which goes behind all writers, gets its turn.
    Bursts(usize),
}

/// An account, by its privileges beside the basic ones, the pace of the writers, and what its loads say.
struct Way {
    name: &'static str,
    grants: &'static [&'static str],
    pace: Pace,
    says: &'static str,
}

fn way(name: &'static str, grants: &'static [&'static str], pace: Pace, says: &'static str) -> Way {
    Way { name, grants, pace, says }
}

/// A server that takes so long from the log to the engine.
fn slow(shared: &Server, gtids: bool, delay: Duration) -> Server {
    // The server notices late that a tail has ended.
    let connections = "--max-connections=2000";
    let group = format!("--binlog-group-commit-sync-delay={}", delay.as_micros());
    // MySQL 5.6 keeps the log to itself while it syncs each commit, so there every second one is synced.
    let mut flags = match (shared.is_mariadb(), shared.version()) {
        (true, _) => vec![connections, "--sync-binlog=1"],
        (false, (5, 6)) => vec![connections, "--sync-binlog=2"],
        (false, _) => vec![connections, &*group],
    };
    if shared.is_mysql() {
        flags.extend(match gtids {
            true => ["--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--log-slave-updates=ON"],
            false => ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF", "--log-slave-updates=ON"],
        });
    }
    match shared.is_mariadb() || shared.version() == (5, 6) {
        true => Server::private_with_slow_log(&shared.name, &flags, delay),
        false => Server::private(&shared.name, &flags),
    }
}

/// Makes an account with these privileges; past the log, where each statement would be slow.
fn account(server: &Server, name: &str, grants: &[&str]) {
    let mut script = format!("set sql_log_bin = 0;\ncreate user {name}@'%' identified by 'secret'");
    for grant in [&[BASIC], grants].concat() {
        script += &format!(";\ngrant {grant} to {name}@'%'");
    }
    server.sql(&script);
}

/// One transaction of one row or two, by a statement of its own or by a COMMIT.
fn write(conn: &mut Conn, own: bool) {
    let insert = "insert into ledger (n) values (1)";
    match own {
        true => conn.query_drop(insert).expect("an insert"),
        false => ["begin", insert, insert, "commit"]
            .into_iter()
            .for_each(|sql| conn.query_drop(sql).unwrap_or_else(|why| panic!("{sql}: {why}"))),
    }
}

/// A moment of less than `below`, from a small generator.
fn moment(state: &AtomicU64, below: Duration) -> Duration {
    let n = state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let n = (n ^ (n >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40;
    below.mul_f64(n as f64 / (1 << 24) as f64)
}

/// Runs `work` while rows are written, and until all of them are committed.
fn while_written<T>(db: &Db, pace: Pace, work: impl FnOnce() -> T) -> T {
    let (stop, dice, begun) = (&AtomicBool::new(false), &AtomicU64::new(1), Instant::now());
    let (Pace::Busy(writers) | Pace::Bursts(writers)) = pace;
    thread::scope(|scope| {
        for i in 0..writers {
            let mut conn = db.conn();
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    if let Pace::Bursts(_) = pace {
                        // A group may just have begun when the next comes: two delays at most.
                        let burst = delay() * 3;
                        let next = burst.mul_f64(begun.elapsed().div_duration_f64(burst).ceil());
                        thread::sleep(next.saturating_sub(begun.elapsed()) + moment(dice, burst / 6));
                    }
                    write(&mut conn, i % 2 == 0);
                }
            });
        }
        let _end = StopAtEnd(stop);
        work()
    })
}

/// Ends the writers when the work ends, also when it fails: they would be waited for.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does this for each of `0..count`, several at a time.
fn several<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let mut done = Vec::new();
    for begin in (0..count).step_by(AT_A_TIME) {
        done.extend(thread::scope(|scope| {
            let each = (begin..count.min(begin + AT_A_TIME)).map(|i| {
                scope.spawn({
                    let work = &work;
                    move || work(i)
                })
            });
            each.collect::<Vec<_>>()
                .into_iter()
                .map(|one| one.join().expect("it went well"))
                .collect::<Vec<_>>()
        }));
    }
    done
}

/// Loads at any moment while rows are written, and tails from each load's position: again until one of the loads said
/// `says`. Each round is checked; which method a load finds is the machine's luck, since writers that get no time of the
/// processor let the log stand still.
#[track_caller]
fn loads_are_exact(db: &Db, user: &str, pace: Pace, says: &str) {
    db.sql("create table if not exists ledger (id bigint auto_increment primary key, n int) engine=innodb");
    let mut seen = BTreeSet::new();
    for _ in 0..ROUNDS {
        seen.extend(a_round_is_exact(db, user, pace));
        if seen.iter().any(|method| method.contains(says)) {
            return;
        }
    }
    panic!("none of {ROUNDS} rounds said {says:?}: {seen:?}");
}

/// What the loads of one round said of their methods.
#[track_caller]
fn a_round_is_exact(db: &Db, user: &str, pace: Pace) -> Vec<String> {
    let loads = asked().unwrap_or(LOADS);
    let home = Dumpa::bare();
    let dumpa = |args: &[&str]| {
        let dumpa = Dumpa::new(db.server, db).args(args).args(["-u", user]).in_the_folder_of(&home);
        let secret = if user == "root" { "" } else { "secret" };
        dumpa.env("DUMPA_PASSWORD", secret).run().expect_code(0)
    };
    let dice = AtomicU64::new(7);
    let loaded = while_written(db, pace, || {
        several(loads, |i| {
            thread::sleep(moment(&dice, delay() * 3));
            dumpa(&["load", "ledger", "--save", &format!("pos{i}.json")])
        })
    });
    let all: u64 = db.ask("select count(*) from ledger");
    let checked = several(loads, |i| {
        let tail = dumpa(&["tail", "ledger", "--from", &format!("pos{i}.json"), "--until", "now"]);
        let mut times: HashMap<String, u32> = HashMap::new();
        for tuple in loaded[i].lines().into_iter().chain(tail.lines()) {
            *times.entry(tuple.id_text).or_default() += 1;
        }
        (all - times.len() as u64, times.values().filter(|times| **times > 1).count())
    });
    // By what each load said of its method: loads, those that lost rows, those that repeated some.
    let mut methods: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for (run, (lost, twice)) in loaded.iter().zip(checked) {
        let counts = methods.entry(run.stderr.trim_end().to_string()).or_default();
        let one = [true, lost > 0, twice > 0].map(usize::from);
        (0..3).for_each(|i| counts[i] += one[i]);
    }
    for (method, [loads, lost, repeated]) in &methods {
        println!("{} {pace:?}: {loads} loads, {lost} lost, {repeated} repeated: {method}", db.server.name);
    }
    for (method, [loads, lost, repeated]) in &methods {
        assert_eq!(*lost, 0, "of {loads} loads lost rows: {method}");
        assert!(
            *repeated == 0 || !method.contains("exact"),
            "{repeated} of {loads} loads repeated rows: {method}"
        );
    }
    methods.into_keys().collect()
}

#[track_caller]
fn all_are_exact(server: &Server, ways: &[Way]) {
    let db = server.fresh_db("ledger");
    let mut names = Vec::new();
    for Way { name, grants, pace, says } in ways {
        if !names.contains(name) {
            account(server, name, grants);
            names.push(name);
        }
        loads_are_exact(&db, name, *pace, says);
    }
}

const GLOBAL_LOCK: &str = "its exact position, under FLUSH TABLES WITH READ LOCK";
const TABLE_LOCKS: &str = "its exact position, under LOCK TABLES";

on_each_server! {
    fn commits_on_their_way_are_in_load_or_tail(shared) {
        let server = slow(shared, false, delay());
        let (busy, bursts) = (Pace::Busy(24), Pace::Bursts(24));
        if server.is_mariadb() {
            let exact = "its exact position, without a lock";
            return all_are_exact(&server, &[way("reader", &[], busy, exact), way("reader", &[], bursts, exact)]);
        }
        let mut ways = vec![
            way("reloader", &["reload on *.*"], busy, GLOBAL_LOCK),
            way("locker", &["lock tables on *.*"], bursts, TABLE_LOCKS),
        ];
        if server.version() >= (8, 4) {
            ways.push(way("flusher", &["flush_tables on *.*"], busy, GLOBAL_LOCK));
        }
        if server.version() >= (9, 3) {
            let log_status = &["backup_admin on *.*"];
            ways.push(way("watcher", log_status, busy, "just before it, without a lock (performance_schema.log_status)"));
            ways.push(way("watcher", log_status, bursts, "exact position, without a lock (performance_schema"));
        }
        all_are_exact(&server, &ways);
    }
}

on_servers! {
    [mysql_5_6, mysql_5_7, mysql_8_0, mysql_9_7] fn with_gtids_no_lock_is_needed(shared) {
        let server = slow(shared, true, delay());
        all_are_exact(&server, &[
            way("reader", &[], Pace::Busy(24), "just before it, without a lock (gtid_owned)"),
            way("reader", &[], Pace::Bursts(24), "exact position, without a lock (gtid_owned)"),
        ]);
    }
}

on_each_server! {
    fn each_row_comes_by_load_or_by_tail_and_never_by_both(server) {
        let db = server.fresh_db("ledger");
        loads_are_exact(&db, "root", Pace::Busy(6), "its exact position");
    }
}

on_servers!([mysql_5_6, mysql_5_7, mysql_8_0, mysql_9_7] fn a_commit_on_its_way_is_not_lost(shared) {
    let server = slow(shared, false, Duration::from_secs(1));
    let db = server.fresh_db("ledger");
    db.sql("create table ledger (id int auto_increment primary key, n int)");
    let mut grants = vec!["reload on *.*"];
    // What the README once asked for on MySQL 8.0, where `log_status` did not see such a commit.
    if server.version() >= (8, 0) {
        grants.extend(["backup_admin on *.*", "select on performance_schema.log_status"]);
    }
    account(&server, "dumpa", &grants);
    // On MySQL 5.6 a COMMIT uses no table that a lock could be on.
    account(&server, "locker", &["lock tables on *.*"]);
    for (user, own) in [("dumpa", true), ("locker", false)] {
        // The disk of 5.6 is slow every second time.
        for _ in 0..2 {
            let dumpa = |args: &[&str]| {
                Dumpa::new(&server, &db).args(args).args(["-u", user]).env("DUMPA_PASSWORD", "secret")
            };
            let load = dumpa(&["load", "--save", "pos.json"]);
            let loaded = thread::scope(|scope| {
                scope.spawn(|| write(&mut db.conn(), own));
                thread::sleep(Duration::from_millis(300));
                load.run().expect_code(0)
            });
            let tail = dumpa(&["tail", "--from", "pos.json", "--until", "now"]).in_the_folder_of(&load);
            let rows = loaded.lines().len() + tail.run().expect_code(0).lines().len();
            assert_eq!(rows, db.ask::<usize>("select count(*) from ledger"), "{}", loaded.stderr);
        }
    }
});

on_servers!([mysql_9_7] fn without_a_way_to_a_position_it_refuses(shared) {
    let server = Server::private(&shared.name, &["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"]);
    let db = server.fresh_db("ledger");
    db.sql("create table t (id int primary key);\ninsert into t values (1)");
    account(&server, "reader", &[]);
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
    let server = Server::private(&shared.name, &["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"]);
    let db = server.fresh_db("late");
    db.sql("create table t (id int primary key);\ninsert into t values (1)");
    account(&server, "locker", &["lock tables on *.*"]);
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

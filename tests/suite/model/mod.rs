//! Random transactions, and runs of `tail` that are stopped anywhere and resumed: together they print what one run
//! prints, byte for byte; from the server and from its log files.
//!
//! A round is one database, one script of transactions, and some hundred places to stop at. `DUMPA_MODEL_ROUNDS` asks
//! for more rounds a server, `DUMPA_MODEL_SEED` repeats a run; `DUMPA_MODEL_EACH` asks for more stops a round. A failure
//! prints the seed of its round, the transactions, and the commands that differ (`DUMPA_MODEL_SHOWN` says how many).

mod checks;
mod directed;
mod log;
mod script;
mod tables;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use mysql::{Conn, Row};

use crate::common::*;
use crate::property::random::Random;
use checks::Check;
use log::{At, Log};
use script::{Maker, Script, Step};
use tables::{Facts, TABLES};
use world::World;

const ROUNDS: u64 = 2;
/// Stops of each kind, for each way to read.
const EACH: u64 = 8;
const ACTIONS: u64 = 22;
const THREADS: usize = 2;
/// Failures that are printed of a round.
const SHOWN: u64 = 6;
const FLAGS: [&str; 2] = ["--max-connections=500", "--log-bin-compress-min-len=10"];

/// A server of one's own, whose settings and log are the test's.
pub fn server(shared: &Server) -> Server {
    let flags = if shared.is_mariadb() { &FLAGS[..] } else { &FLAGS[..1] };
    Server::private(&shared.name, flags)
}

/// Where the server's log ends.
fn log_end(conn: &mut Conn) -> (String, u64) {
    let row: Option<Row> = match conn.query_first("show binary log status") {
        Ok(row) => row,
        Err(_) => conn.query_first("show master status").expect("the log's end"),
    };
    let row = row.expect("a log");
    (row.get(0).expect("a file"), row.get(1).expect("an offset"))
}

/// Sets what changes the log's form, and returns what the round has to know of it.
fn settle(server: &Server, conn: &mut Conn, random: &mut Random) -> (Facts, bool) {
    let version = server.version();
    let mut set = |statement: String| {
        conn.query_drop(&statement).unwrap_or_else(|why| panic!("{statement}: {why}"));
    };
    let has_metadata = server.is_mariadb() || version >= (8, 0);
    let full = has_metadata && random.one_in(2);
    if has_metadata {
        let not_full = if server.is_mariadb() { "no_log" } else { "minimal" };
        set(format!("set global binlog_row_metadata = {}", if full { "full" } else { not_full }));
    }
    set(format!("set global binlog_checksum = {}", random.pick(&["crc32", "crc32", "none"])));
    let mut gtids = server.is_mariadb();
    if server.is_mysql() && version >= (5, 7) {
        gtids = random.one_in(2);
        let on: u8 = conn.query_first("select @@global.gtid_mode = 'ON'").expect("a mode").expect("a row");
        let steps: &[&str] = match (on == 1, gtids) {
            (true, false) => &[
                "gtid_mode = on_permissive",
                "gtid_mode = off_permissive",
                "gtid_mode = off",
                "enforce_gtid_consistency = off",
            ],
            (false, true) => &[
                "enforce_gtid_consistency = on",
                "gtid_mode = off_permissive",
                "gtid_mode = on_permissive",
                "gtid_mode = on",
            ],
            _ => &[],
        };
        for step in steps {
            conn.query_drop(format!("set global {step}")).unwrap_or_else(|why| panic!("{step}: {why}"));
        }
    }
    (Facts { is_mariadb: server.is_mariadb(), version, gtids }, full)
}

/// Connections of the script, made when they are first used.
struct Conns<'a> {
    db: &'a Db<'a>,
    facts: Facts,
    open: BTreeMap<usize, Conn>,
}

impl Conns<'_> {
    fn run(&mut self, step: &Step) -> Result<(), String> {
        let db = self.db;
        let conn = self.open.entry(step.conn).or_insert_with(|| {
            let mut conn = db.conn();
            let begin = "set session transaction isolation level read committed;
                set innodb_lock_wait_timeout = 3, lock_wait_timeout = 3, sql_mode = ''";
            begin.split(";\n").for_each(|sql| conn.query_drop(sql).expect("settings"));
            conn
        });
        match conn.query_drop(&step.sql) {
            Ok(()) => Ok(()),
            // An XA transaction that changed nothing is over when it is prepared, on some servers.
            Err(mysql::Error::MySqlError(why)) if why.code == 1397 && self.facts.is_mariadb => Ok(()),
            Err(why) => Err(format!("conn {}: {}: {why}", step.conn, step.sql)),
        }
    }
}

/// A load between two steps.
struct Load {
    step: usize,
    position: String,
    rows: Fold,
}

/// A round's database and script, and all that is told when it fails.
pub struct Round<'a> {
    pub server: &'a Server,
    pub db: &'a Db<'a>,
    pub facts: Facts,
    /// The log tells all that there is to know of a table.
    pub is_full: bool,
    pub script: Script,
    pub tables: Vec<String>,
    /// What each run of dumpa is given beside places, and each `tail`.
    pub args: Vec<String>,
    pub tail_args: Vec<String>,
    /// Of a random script.
    pub seed: Option<u64>,
    home: Dumpa,
    failures: Mutex<Vec<String>>,
}

impl<'a> Round<'a> {
    pub fn new(server: &'a Server, db: &'a Db<'a>, facts: Facts, is_full: bool, script: Script) -> Round<'a> {
        Round {
            server,
            db,
            facts,
            is_full,
            script,
            tables: tables::create(facts),
            args: TABLES.iter().map(|table| table.to_string()).collect(),
            tail_args: Vec::new(),
            seed: None,
            home: Dumpa::bare_in_memory(),
            failures: Mutex::new(Vec::new()),
        }
    }

    /// Runs the script, then everything that is to be checked.
    pub fn run(&self, random: &mut Random, each: usize) {
        self.tables.iter().for_each(|table| self.db.sql(table));
        let mut conn = self.server.conn();
        conn.query_drop("flush logs").expect("a new file");
        let (first, start) = log_end(&mut conn);
        let loads = self.execute();
        let (last, end) = log_end(&mut conn);
        let names: Vec<Row> = conn.query("show binary logs").expect("files");
        let names: Vec<String> = names.iter().map(|row| row.get(0).expect("a name")).collect();
        let names: Vec<String> = names.into_iter().filter(|name| (&first..=&last).contains(&name)).collect();
        let log = Log::read(&Path::new(&self.server.dir).join("data"), &names, end);
        let start = At { file: 0, offset: start };
        let end = At { file: names.len() - 1, offset: end };
        if self.failures.lock().expect("a list").is_empty() {
            self.check(random, each, &log, start, end, &loads);
        }
        self.end_dumps(&mut conn);
        self.report();
    }

    /// The script, with loads in between.
    fn execute(&self) -> Vec<Load> {
        let mut conns = Conns { db: self.db, facts: self.facts, open: BTreeMap::new() };
        let mut loads = Vec::new();
        for (n, step) in self.script.steps.iter().enumerate() {
            if let Some((_, r_is_there)) = self.script.loads.iter().find(|(at, _)| *at == n) {
                loads.extend(self.load(n, *r_is_there));
            }
            if let Err(why) = conns.run(step) {
                self.fail(format!("[script] step {n} cannot be run: {why}"));
                break;
            }
        }
        loads
    }

    fn load(&self, step: usize, r_is_there: bool) -> Option<Load> {
        let position = format!("load{step}.json");
        let tables = self.args.iter().filter(|arg| *arg != "r" || r_is_there);
        let args = ["load", "--quiet", "--save", &position];
        let run = Dumpa::new(self.server, self.db).args(args).args(tables).in_the_folder_of(&self.home).run();
        if run.code != Some(0) {
            self.fail(format!("[load] before step {step}: exit {:?}: {}", run.code, run.stderr));
            return None;
        }
        Some(Load { step, position, rows: fold(run.text().lines()) })
    }

    fn fail(&self, text: String) {
        self.failures.lock().expect("a list").push(text);
    }

    fn world(&self, name: &str, log: Log, is_files: bool, start: At, end: At) -> World<'_> {
        World {
            name: name.into(),
            server: self.server,
            db: self.db,
            log,
            start,
            end,
            is_files,
            asks: !self.is_full,
            args: self.args.iter().chain(&self.tail_args).cloned().collect(),
            home: &self.home,
            reference: Vec::new(),
            lines: Vec::new(),
            saved_end: serde_json::Value::Null,
            failures: &self.failures,
        }
    }

    fn check(&self, random: &mut Random, each: usize, log: &Log, start: At, end: At, loads: &[Load]) {
        let mut worlds = vec![
            self.world("server", log.clone(), false, start, end),
            self.world("files", log.clone(), true, start, end),
            self.world("renamed", self.renamed(random, log), true, start, end),
        ];
        let mut checks: Vec<(usize, Check)> = Vec::new();
        for (n, world) in worlds.iter_mut().enumerate() {
            if !world.read() {
                continue;
            }
            // A run that asks the server is slower, and a wait.
            let each = if world.is_files { each } else { each.div_ceil(2) };
            checks.extend(world.choose(random, each).into_iter().map(|check| (n, check)));
        }
        self.compare_references(&worlds, log);
        self.check_loads(&worlds[0], loads);
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while let Some((world, check)) = checks.get(next.fetch_add(1, Ordering::Relaxed)) {
                        worlds[*world].check(check);
                    }
                });
            }
        });
    }

    /// Copies of the files whose names say nothing of their order.
    fn renamed(&self, random: &mut Random, log: &Log) -> Log {
        let count = log.names.len();
        let names: Vec<String> = match random.below(3) {
            0 => (0..count).map(|n| format!("{}.log", (b'z' - n as u8) as char)).collect(),
            1 => (0..count).map(|n| format!("bin.{:06}", 999_999 + n - count / 2)).collect(),
            _ => (0..count).map(|n| format!("part{n}/{}.{:06}", ["b", "a"][n % 2], count - n)).collect(),
        };
        log.renamed(&self.home.file("copies"), &names)
    }

    /// All ways to read print the same, but for the names of files.
    fn compare_references(&self, worlds: &[World], log: &Log) {
        for world in &worlds[1..] {
            let mut wanted = worlds[0].reference.clone();
            for line in &mut wanted {
                for (from, to) in log.names.iter().zip(&world.log.names) {
                    let name = |name: &str| format!("\"next_file\":\"{name}\"");
                    if line.contains(&name(from)) {
                        *line = line.replace(&name(from), &name(to));
                        break;
                    }
                }
            }
            if wanted != world.reference {
                let at = wanted.iter().zip(&world.reference).take_while(|(a, b)| a == b).count();
                self.fail(format!(
                    "[reference] {} prints {} lines, the server {}; they differ at {at}: {:?} and {:?}",
                    world.name,
                    world.reference.len(),
                    wanted.len(),
                    world.reference.get(at),
                    wanted.get(at)
                ));
            }
        }
    }

    /// A load, and what came after it, are the tables as they are in the end.
    fn check_loads(&self, world: &World, loads: &[Load]) {
        let run = Dumpa::new(self.server, self.db).args(["load", "--quiet"]).args(&self.args).run();
        let truth = fold(run.expect_code(0).text().lines());
        let all = Load { step: 0, position: world.log.text(world.start), rows: Fold::default() };
        for load in loads.iter().chain([&all]) {
            let out = world.run(&world.to_end(load.position.as_str()));
            let rest = &world.reference[world.reference.len().saturating_sub(out.lines.len())..];
            if out.code != Some(0) || out.lines != rest {
                world.fail("load", &out, &format!("resumed from the load before step {}", load.step), rest);
            } else if load.rows.clone().then(foldable(out.lines.iter().map(String::as_str))) != truth {
                let what =
                    format!("the load before step {} and this are not what the tables hold", load.step);
                world.fail("load", &out, &what, &[]);
            }
        }
    }

    /// A server's thread that sends the log outlives its client.
    fn end_dumps(&self, conn: &mut Conn) {
        let all: Vec<Row> = conn.query("show processlist").expect("its threads");
        for row in all {
            let (id, command): (u64, String) = (row.get("Id").unwrap(), row.get("Command").unwrap());
            if command.starts_with("Binlog Dump") {
                let _ = conn.query_drop(format!("kill {id}"));
            }
        }
    }

    #[track_caller]
    fn report(&self) {
        let failures = self.failures.lock().expect("a list");
        if failures.is_empty() {
            return;
        }
        let mut text = String::new();
        let shown = number("DUMPA_MODEL_SHOWN").unwrap_or(SHOWN);
        for failure in failures.iter().take(shown as usize) {
            writeln!(text, "\n{failure}").expect("memory");
        }
        panic!(
            "{}, {}: {} failures, of which\n{text}\nmetadata full: {}, GTIDs: {}; \
             tables\n    {}\ntransactions\n{}",
            self.server.name,
            self.seed.map_or("a script of its own".into(), |seed| format!(
                "DUMPA_MODEL_SEED={seed} DUMPA_MODEL_ROUNDS=1"
            )),
            failures.len(),
            self.is_full,
            self.facts.gtids,
            self.tables.join(";\n    "),
            self.script
        );
    }
}

/// What can be folded: rows of tables that have an id.
fn foldable<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<Tuple> {
    lines.map(Tuple::parse).filter(|tuple| tuple.op == "truncate" || !tuple.id.is_null()).collect()
}

fn fold<'l>(lines: impl Iterator<Item = &'l str>) -> Fold {
    Fold::of(foldable(lines))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn each() -> usize {
    number("DUMPA_MODEL_EACH").unwrap_or(EACH) as usize
}

/// Rounds of random transactions.
#[track_caller]
fn rounds(server: &Server) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let first = number("DUMPA_MODEL_SEED").unwrap_or(now.as_nanos() as u64);
    let mut failed = Vec::new();
    for n in 0..number("DUMPA_MODEL_ROUNDS").unwrap_or(ROUNDS) {
        let seed = first.wrapping_add(n);
        println!("{}: DUMPA_MODEL_SEED={seed}", server.name);
        let round = std::panic::catch_unwind(|| round(server, seed));
        if round.is_err() {
            failed.push(seed);
        }
    }
    assert!(failed.is_empty(), "{}: rounds of these seeds failed, see above: {failed:?}", server.name);
}

fn round(server: &Server, seed: u64) {
    let mut random = Random::new(seed);
    let (facts, is_full) = settle(server, &mut server.conn(), &mut random);
    let db = server.fresh_db("model");
    let script = Maker::new(&mut random, facts, &db.name).make(ACTIONS);
    let mut round = Round::new(server, &db, facts, is_full, script);
    round.seed = Some(seed);
    if random.one_in(3) {
        let other = random.pick(&TABLES);
        round.args.retain(|table| table != other);
    }
    if random.one_in(2) && round.args.iter().any(|table| table == "k") {
        round.args.extend(["--id".into(), "k=u".into()]);
    }
    if random.one_in(4) {
        round.tail_args.push("--old".into());
    }
    round.run(&mut random, each());
}

on_each_server! {
    fn stopped_anywhere_and_resumed_it_is_the_same(shared) {
        rounds(&server(shared));
    }
}

//! Random sequences of DDL statements, and the manuals' examples: after each statement that the server takes, its
//! information_schema says what the tables are.
//!
//! The server is the judge of what is a statement: those that it refuses are left out. `DUMPA_DDL_STATEMENTS` asks for
//! more statements a server, `DUMPA_DDL_SEED` repeats a run, `DUMPA_DDL_REFUSALS=1` prints what the server refused.

mod alter;
mod compare;
mod create;
mod maker;
mod manual;
mod mutations;
mod others;
mod session;
pub mod shape;
mod snapshot;
mod types;

use std::collections::BTreeMap;

use mysql::Conn;

use crate::common::*;
use crate::property::random::Random;
use compare::{Outcome, Step, compare};
use maker::Maker;
use session::{Session, disguise};
use shape::Shape;
use snapshot::{Catalog, Name};
use types::{CHARSETS, Has};

const STATEMENTS: u64 = 150;
/// Tables are many after a while, and odd: each round begins with none.
const STATEMENTS_A_ROUND: u64 = 100;
/// Differences that are printed.
fn shown() -> usize {
    if manual::shows() { usize::MAX } else { 10 }
}

fn asked() -> u64 {
    let count = std::env::var("DUMPA_DDL_STATEMENTS").ok();
    count.map_or(STATEMENTS, |count| count.parse().expect("a number of statements"))
}

fn seed() -> u64 {
    let seed = std::env::var("DUMPA_DDL_SEED").ok();
    seed.map_or(1, |seed| seed.parse().expect("a number"))
}

/// Two databases, whose tables the statements change, and the marker table in a third: a row after each statement tells
/// in the log where it has ended.
struct Stage<'a> {
    server: &'a Server,
    dbs: [Db<'a>; 2],
    keep: Db<'a>,
    start: String,
    marks: Conn,
    catalog: Catalog,
    steps: Vec<Step>,
}

impl<'a> Stage<'a> {
    fn new(server: &'a Server) -> Stage<'a> {
        // With the databases' creation in the log, all that is in them is known.
        let start = place(server);
        let dbs = [server.fresh_db("ddl"), server.fresh_db("ddl")];
        let keep = server.fresh_db("ddl_marks");
        keep.sql("create table marks (n int primary key)");
        let names: Vec<String> = dbs.iter().map(|db| db.name.clone()).collect();
        let (marks, catalog) = (keep.conn(), Catalog::new(server, &names));
        Stage { server, dbs, keep, start, marks, catalog, steps: Vec::new() }
    }

    fn names(&self) -> Vec<String> {
        self.dbs.iter().map(|db| db.name.clone()).collect()
    }

    /// What the statement changed, which the server has taken; `plain` is the same without comments. False if the server has lost a table by it.
    fn took(&mut self, sql: &str, plain: &str) -> bool {
        self.ran(sql, plain, true)
    }

    /// Likewise of one that ended in an error: DROP TABLE and RENAME may have done a part of it, and that is logged.
    fn refused(&mut self, sql: &str) -> bool {
        self.ran(sql, sql, false)
    }

    fn ran(&mut self, sql: &str, plain: &str, is_taken: bool) -> bool {
        let changes = self.catalog.changes();
        if let Some(lost) = &self.catalog.lost {
            println!("{}: the server's fault: {lost}, after {sql}", self.server.name);
            return false;
        }
        if changes.is_empty() && !is_taken {
            return true;
        }
        if is_taken && plain.to_lowercase().contains("table if not exists") {
            self.empty(&changes);
        }
        let number = self.steps.len();
        self.marks.query_drop(format!("insert into marks values ({number})")).expect("a marker");
        self.steps.push(Step { sql: sql.to_string(), changes });
        true
    }

    /// Rows of a table that CREATE TABLE IF NOT EXISTS may have found cannot be followed through a later rename. That is
    /// not the matter here: each is emptied.
    fn empty(&mut self, changes: &BTreeMap<Name, Option<Shape>>) {
        for ((db, table), shape) in changes {
            if shape.is_some() {
                let sql = format!("truncate table {}.{}", snapshot::quote(db), snapshot::quote(table));
                self.marks.query_drop(&sql).expect(&sql);
            }
        }
    }

    /// dumpa's definitions of all that was run are the server's; those that it does not tell are counted.
    fn agree(&self, count: &mut Count) {
        let outcome = self.compare();
        count.same += outcome.same;
        count.not_followed.extend(outcome.not_followed);
        count.differences.extend(outcome.differences);
    }

    #[track_caller]
    fn compare(&self) -> Outcome {
        let marks = format!("{}.marks", self.keep.name);
        let tables = self.names().into_iter().map(|name| format!("{name}.*")).chain([marks.clone()]);
        let run = Dumpa::without_db(self.server)
            .args(["tail", "--schemas", "--allow-missing", "--from", &self.start, "--until", "now"])
            .args(tables)
            .run();
        let outcome = compare(run.text().lines(), &self.steps, &marks);
        if run.code != Some(0) {
            let next = self.steps.get(outcome.steps).map_or("", |step| &step.sql);
            panic!("{}; before or at step {}: {next}\n{}", run.status, outcome.steps, run.stderr);
        }
        assert_eq!(outcome.steps, self.steps.len(), "all markers are seen");
        outcome
    }
}

#[derive(Default)]
struct Count {
    tried: u64,
    taken: u64,
    refusals: BTreeMap<u16, (u64, String)>,
    /// Definitions that were the same after a statement that changed them.
    same: u64,
    not_followed: Vec<String>,
    differences: Vec<String>,
}

impl Count {
    #[track_caller]
    fn check(&self, server: &Server) {
        let (same, lost) = (self.same, self.not_followed.len());
        println!("{}: {same} definitions are the same; {lost} statements were not followed", server.name);
        for sql in self.not_followed.iter().take(shown()) {
            println!("  not followed: {sql:?}");
        }
        let count = self.differences.len();
        let shown: Vec<&str> = self.differences.iter().take(shown()).map(String::as_str).collect();
        assert!(count == 0, "{count} differences (see DUMPA_DDL_SEED above):\n{}", shown.join("\n"));
    }
}

/// Runs a sequence of so many statements that the server takes.
fn sequence(stage: &mut Stage, count: &mut Count, statements: u64, seed: u64) {
    let server = stage.server;
    let has = Has { mariadb: server.is_mariadb(), version: server.version() };
    let mut random = Random::new(seed);
    let dbs = stage.names();
    let mut session = Session { db: dbs[0].clone(), ansi_quotes: false, utf8: true };
    let mut conn = stage.dbs[0].conn();
    conn.query_drop("set names utf8mb4").expect("SET NAMES");
    let (first, mut dropped) = (stage.steps.len() as u64, None::<String>);
    while (stage.steps.len() as u64) < first + statements {
        if let Some(sql) = session.change(&mut random, has, &dbs) {
            // A USE of a database that is gone is refused, and the session stays where it is.
            let before = session.db.clone();
            if conn.query_drop(&sql).is_err() {
                session.db = before;
            }
        }
        let tables: BTreeMap<Name, Shape> = stage.catalog.tables.clone();
        let mut maker = Maker { random: &mut random, has, session: &session, tables: &tables, dbs: &dbs };
        let made = match &dropped {
            Some(db) => {
                Some(format!("create database `{db}` character set {}", maker.random.pick(&CHARSETS)))
            }
            None => maker.statement(),
        };
        let Some(plain) = made else { continue };
        let sql = disguise(&mut random, &plain);
        count.tried += 1;
        match conn.query_drop(&sql) {
            Ok(()) => {
                count.taken += 1;
                if !stage.took(&sql, &plain) {
                    return;
                }
                dropped =
                    dbs.iter().find(|db| plain.starts_with("drop database") && plain.contains(*db)).cloned();
                if dropped.as_ref() == Some(&session.db) {
                    conn.query_drop(format!("use `{}`", stage.keep.name)).expect("USE");
                    session.db = stage.keep.name.clone();
                }
            }
            Err(mysql::Error::MySqlError(why)) => {
                let entry =
                    count.refusals.entry(why.code).or_insert((0, format!("{} FOR {sql}", why.message)));
                entry.0 += 1;
                if !stage.refused(&sql) {
                    return;
                }
            }
            Err(why) => panic!("{why}, for the statement\n{sql}"),
        }
    }
}

#[track_caller]
fn run(server: &Server, statements: u64, seed: u64) {
    let mut count = Count::default();
    let mut done = 0;
    while done < statements {
        let mut stage = Stage::new(server);
        let seed = seed.wrapping_add(done);
        println!("DUMPA_DDL_SEED={seed}");
        let now = STATEMENTS_A_ROUND.min(statements - done);
        sequence(&mut stage, &mut count, now, seed);
        stage.agree(&mut count);
        mutations::each_is_told(&stage.steps);
        done += now;
    }
    let share = count.taken * 100 / count.tried;
    println!("{}: {} statements taken, {share} % of {}", server.name, count.taken, count.tried);
    if manual::shows() {
        for (code, (times, example)) in &count.refusals {
            println!("  {code} {times}x {example}");
        }
    }
    count.check(server);
    let (lost, taken) = (count.not_followed.len() as u64, count.taken);
    assert!(lost * 50 <= taken + 50, "too many statements are not followed: {lost} of {taken}");
    assert!(share >= 70, "the server refuses too many statements: {share} % are taken");
}

on_each_server! {
    fn random_statements_are_followed(server) {
        run(server, asked(), seed());
    }

    fn examples_are_followed(server) {
        let mut stage = Stage::new(server);
        let (taken, all) = manual::examples(&mut stage);
        println!("{}: {taken} of {all} examples are taken", server.name);
        assert!(taken * 2 > all, "{taken} of {all} are taken");
        let mut count = Count::default();
        stage.agree(&mut count);
        count.check(server);
        // Indexes on expressions, periods, and a table that never was.
        let rare = ["((", "period for", "no_such"];
        let is_rare = |sql: &String| rare.iter().any(|part| sql.to_lowercase().contains(part));
        let lost: Vec<_> = count.not_followed.iter().filter(|sql| !is_rare(sql)).collect();
        assert!(lost.is_empty(), "not followed: {lost:?}");
        mutations::each_is_told(&stage.steps);
    }
}

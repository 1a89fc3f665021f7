//! Random transactions: a script for several connections, which no other transaction makes wait or fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::tables::{CREATE_R, Facts};
use crate::property::random::Random;

/// Connections that run a statement alone, and those that run transactions; XA transactions have their own after these.
const ALONE: usize = 0;
const DEFINITIONS: usize = 1;
const IN_PART: usize = 2;
const TRANSACTIONS: [usize; 3] = [3, 4, 5];
const FIRST_XA: usize = 10;
/// Added to an id to change it into one that no other row has.
const OTHER_ID: u64 = 1_000_000;

/// A statement, and the connection that runs it.
#[derive(Debug, Clone)]
pub struct Step {
    pub conn: usize,
    pub sql: String,
}

/// The transactions of a round.
#[derive(Debug, Clone)]
pub struct Script {
    pub steps: Vec<Step>,
    /// Before these steps all connections but the prepared XA transactions' are at rest or in a transaction: a load may
    /// come in between. With whether `r` is there.
    pub loads: Vec<(usize, bool)>,
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.steps.iter().enumerate() {
            writeln!(f, "    {n:3} conn {}: {};", step.conn, step.sql)?;
        }
        Ok(())
    }
}

/// A transaction under way.
#[derive(Debug)]
struct Open {
    conn: usize,
    xid: Option<String>,
    is_prepared: bool,
    savepoints: Vec<String>,
}

/// Writes a script.
pub struct Maker<'a> {
    random: &'a mut Random,
    facts: Facts,
    /// Begins the names of XA transactions, which are the server's.
    name: String,
    script: Script,
    open: Vec<Open>,
    /// Ids that rows have, or had.
    ids: BTreeMap<&'static str, Vec<u64>>,
    /// Rows that a transaction has changed, by its connection.
    locks: BTreeMap<(&'static str, u64), usize>,
    /// Tables that a transaction has used.
    uses: BTreeSet<(usize, &'static str)>,
    count: u64,
    conns: usize,
    r_is_there: bool,
}

impl<'a> Maker<'a> {
    pub fn new(random: &'a mut Random, facts: Facts, name: &str) -> Maker<'a> {
        Maker {
            random,
            facts,
            name: name.into(),
            script: Script { steps: Vec::new(), loads: Vec::new() },
            open: Vec::new(),
            ids: BTreeMap::new(),
            locks: BTreeMap::new(),
            uses: BTreeSet::new(),
            count: 0,
            conns: FIRST_XA,
            r_is_there: true,
        }
    }

    /// So many actions, and the end of whatever they began.
    pub fn make(mut self, actions: u64) -> Script {
        for action in 0..actions {
            if action > 0 && self.random.one_in(6) {
                self.script.loads.push((self.script.steps.len(), self.r_is_there));
            }
            match self.random.below(20) {
                0..=2 => self.alone(),
                3 | 4 => self.begin(),
                5 | 6 => self.begin_xa(),
                7..=14 => self.go_on(),
                15..=17 => self.definition(),
                18 => self.in_part(),
                _ => self.step(DEFINITIONS, "flush logs"),
            }
        }
        while !self.open.is_empty() {
            self.end(0);
        }
        if !self.r_is_there {
            self.step(DEFINITIONS, CREATE_R);
        }
        self.alone();
        self.script
    }

    fn step(&mut self, conn: usize, sql: impl Into<String>) {
        self.script.steps.push(Step { conn, sql: sql.into() });
    }

    /// A statement that is a transaction by itself.
    fn alone(&mut self) {
        self.settings(ALONE);
        let statement = self.statement(ALONE, true);
        self.step(ALONE, statement);
        self.release(ALONE);
    }

    /// What a session may set between two transactions.
    fn settings(&mut self, conn: usize) {
        if self.facts.is_mysql_from((9, 0)) && self.random.one_in(3) {
            let on = self.random.below(2);
            self.step(conn, format!("set binlog_transaction_compression = {on}"));
        }
        if self.facts.is_mysql_from((5, 6)) && self.random.one_in(4) {
            let on = self.random.below(2);
            self.step(conn, format!("set binlog_rows_query_log_events = {on}"));
        }
        if self.facts.is_mariadb && self.random.one_in(6) {
            let on = self.random.below(2);
            self.step(conn, format!("set global log_bin_compress = {on}"));
        }
        if self.facts.is_mysql_from((8, 0)) && self.random.one_in(4) {
            let options = self.random.pick(&["", "partial_json"]);
            self.step(conn, format!("set binlog_row_value_options = '{options}'"));
        }
        if !self.facts.times_are_known() {
            self.count += 1;
            let time = 1_700_000_000 + self.count;
            self.step(conn, format!("set timestamp = {time}"));
        }
    }

    fn begin(&mut self) {
        let free = TRANSACTIONS.into_iter().find(|conn| self.open.iter().all(|open| open.conn != *conn));
        let Some(conn) = free else { return self.go_on() };
        self.settings(conn);
        self.step(conn, "begin");
        self.open.push(Open { conn, xid: None, is_prepared: false, savepoints: Vec::new() });
        self.go_on_with(self.open.len() - 1);
    }

    fn begin_xa(&mut self) {
        if self.open.len() > 5 {
            return self.go_on();
        }
        self.conns += 1;
        let (conn, name) = (self.conns, &self.name);
        let form = self.random.pick(&["'N'", "'N','branch'", "'N','b',7", "'N',x'ff00',1"]);
        let xid = form.replace('N', &format!("{name}_{conn}"));
        self.settings(conn);
        self.step(conn, format!("xa start {xid}"));
        self.open.push(Open { conn, xid: Some(xid), is_prepared: false, savepoints: Vec::new() });
        self.go_on_with(self.open.len() - 1);
    }

    /// The next step of some transaction.
    fn go_on(&mut self) {
        match self.open.len() {
            0 => self.begin(),
            count => {
                let at = self.random.below(count as u64) as usize;
                self.go_on_with(at);
            }
        }
    }

    fn go_on_with(&mut self, at: usize) {
        let (conn, is_prepared) = (self.open[at].conn, self.open[at].is_prepared);
        if is_prepared {
            return self.end(at);
        }
        match self.random.below(12) {
            0..=6 => {
                let statement = self.statement(conn, self.facts.mixes_engines());
                self.step(conn, statement);
            }
            7 => {
                let name = self.random.pick(&["s", "`S p`", "t"]).to_string();
                self.step(conn, format!("savepoint {name}"));
                let savepoints = &mut self.open[at].savepoints;
                savepoints.retain(|other| *other != name);
                savepoints.push(name);
                let statement = self.statement(conn, false);
                self.step(conn, statement);
            }
            8 if !self.open[at].savepoints.is_empty() => {
                let savepoints = self.open[at].savepoints.clone();
                let to = self.random.below(savepoints.len() as u64) as usize;
                self.step(conn, format!("rollback to savepoint {}", savepoints[to]));
                self.open[at].savepoints.truncate(to + 1);
            }
            _ => self.end(at),
        }
    }

    /// Commits, rolls back or prepares.
    fn end(&mut self, at: usize) {
        let conn = self.open[at].conn;
        let Some(xid) = self.open[at].xid.clone() else {
            let verb = self.random.pick(&["commit", "commit", "commit", "rollback"]);
            self.step(conn, verb);
            return self.close(at);
        };
        if self.open[at].is_prepared {
            let verb = self.random.pick(&["commit", "commit", "commit", "rollback"]);
            self.step(conn, format!("xa {verb} {xid}"));
            return self.close(at);
        }
        self.step(conn, format!("xa end {xid}"));
        match self.random.below(6) {
            0 => {
                self.step(conn, format!("xa commit {xid} one phase"));
                self.close(at);
            }
            1 => {
                self.step(conn, format!("xa rollback {xid}"));
                self.close(at);
            }
            _ => {
                self.step(conn, format!("xa prepare {xid}"));
                self.open[at].is_prepared = true;
            }
        }
    }

    fn close(&mut self, at: usize) {
        let conn = self.open.swap_remove(at).conn;
        self.release(conn);
    }

    fn release(&mut self, conn: usize) {
        self.locks.retain(|_, owner| *owner != conn);
        self.uses.retain(|(owner, _)| *owner != conn);
    }

    fn fresh(&mut self, table: &'static str, conn: usize) -> u64 {
        self.count += 1;
        let id = self.count;
        self.ids.entry(table).or_default().push(id);
        self.locks.insert((table, id), conn);
        id
    }

    /// Some rows that no other transaction has changed.
    fn some(&mut self, table: &'static str, conn: usize) -> Vec<u64> {
        let all = self.ids.get(table).cloned().unwrap_or_default();
        let locks = &self.locks;
        let mut free: Vec<u64> = all
            .into_iter()
            .filter(|id| locks.get(&(table, *id)).is_none_or(|owner| *owner == conn))
            .collect();
        let count = self.random.between(1, 3);
        let mut some = Vec::new();
        while !free.is_empty() && (some.len() as u64) < count {
            let at = self.random.below(free.len() as u64) as usize;
            some.push(free.swap_remove(at));
        }
        for id in &some {
            self.locks.insert((table, *id), conn);
        }
        some
    }

    /// A change of rows.
    fn statement(&mut self, conn: usize, any_engine: bool) -> String {
        let mut from = vec!["a", "a", "b", "k", "x"];
        from.extend(any_engine.then_some("m"));
        from.extend(self.r_is_there.then_some("r"));
        let table = self.random.pick(&from);
        self.uses.insert((conn, table));
        match table {
            "b" => self.change_b(conn),
            "k" => self.change_k(conn),
            _ => self.change(table, conn),
        }
    }

    fn text(&mut self) -> String {
        // The longer ones are compressed in MariaDB's log.
        match self.random.below(6) {
            0 => "null".into(),
            1 => "repeat('y', 40)".into(),
            2 => "'ß\\n\"'".into(),
            _ => format!("'t{}'", self.random.below(100)),
        }
    }

    fn change(&mut self, table: &'static str, conn: usize) -> String {
        let some = self.some(table, conn);
        if some.is_empty() || self.random.one_in(3) {
            let rows: Vec<String> = (0..self.random.between(1, 4))
                .map(|n| format!("({}, {n}, {})", self.fresh(table, conn), self.text()))
                .collect();
            return format!("insert into {table} values {}", rows.join(", "));
        }
        let list = list(&some);
        match self.random.below(8) {
            0 | 1 => {
                self.renumber(table, &some, conn);
                format!("update {table} set id = id + {OTHER_ID} where id in ({list}) order by id desc")
            }
            2 => format!("delete from {table} where id in ({list})"),
            3 => format!("replace into {table} values ({}, 7, {})", some[0], self.text()),
            4 => {
                let new = self.fresh(table, conn);
                format!(
                    "insert into {table} values ({}, 1, 'x'), ({new}, 2, 'y') on duplicate key update n = n + 10",
                    some[0]
                )
            }
            5 => format!("update {table} set n = n where id in ({list})"),
            _ => format!("update {table} set n = n + 1, t = {} where id in ({list})", self.text()),
        }
    }

    fn renumber(&mut self, table: &'static str, some: &[u64], conn: usize) {
        for id in some {
            self.ids.entry(table).or_default().push(id + OTHER_ID);
            self.locks.insert((table, id + OTHER_ID), conn);
        }
    }

    fn change_b(&mut self, conn: usize) -> String {
        let json = self.facts.is_mysql_from((8, 0));
        let some = self.some("b", conn);
        if some.is_empty() || self.random.one_in(3) {
            let document = if json { ", '{\"a\": [1, 2], \"b\": \"some longer text\"}'" } else { "" };
            let rows: Vec<String> = (0..self.random.between(1, 3))
                .map(|n| format!("({}, {n}, 'y', {}{document})", self.fresh("b", conn), self.text()))
                .collect();
            return format!("insert into b values {}", rows.join(", "));
        }
        // The whole key each time: a search by a part of it would wait for the rows of others.
        let one = some[0];
        match self.random.below(6) {
            0 => {
                self.renumber("b", &some[..1], conn);
                format!("update b set x = x + {OTHER_ID} where y = 'y' and x = {one}")
            }
            1 => format!("delete from b where y = 'y' and x = {one}"),
            2 => {
                let other = self.some("a", conn);
                let Some(other) = other.first() else { return "do 0".into() };
                self.uses.insert((conn, "a"));
                format!("update a, b set a.n = 5, b.n = 6 where a.id = {other} and b.y = 'y' and b.x = {one}")
            }
            3 if json => {
                format!("update b set j = json_set(j, '$.a[0]', 7), n = n + 1 where y = 'y' and x = {one}")
            }
            _ => format!("update b set n = n + 1 where y = 'y' and x = {one}"),
        }
    }

    fn change_k(&mut self, conn: usize) -> String {
        let some = self.some("k", conn);
        if some.is_empty() || self.random.one_in(3) {
            let n = self.fresh("k", conn);
            let rows: Vec<String> = (0..self.random.between(1, 3))
                .map(|_| {
                    self.count += 1;
                    let u = self.count;
                    format!("({n}, {u}, {})", self.text())
                })
                .collect();
            return format!("insert into k values {}", rows.join(", "));
        }
        let one = some[0];
        match self.random.below(4) {
            0 => {
                self.renumber("k", &some[..1], conn);
                format!("update k force index (n) set n = n + {OTHER_ID} where n = {one}")
            }
            1 => format!("delete from k using k force index (n) where n = {one}"),
            _ => format!("update k force index (n) set t = {} where n = {one}", self.text()),
        }
    }

    /// Row images that hold a row in part, but all that is needed to print it.
    fn in_part(&mut self) {
        if !self.facts.times_are_known() {
            return self.alone();
        }
        // MariaDB's newest form leaves out of the after image what has not changed, of any table.
        let any = self.facts.is_mariadb && self.facts.version >= (11, 4);
        self.step(IN_PART, format!("set binlog_row_image = {}", if any { "full_nodup" } else { "minimal" }));
        self.step(IN_PART, "begin");
        for _ in 0..self.random.between(1, 3) {
            let statement = if any {
                self.statement(IN_PART, true)
            } else {
                self.uses.insert((IN_PART, "k"));
                self.change_k(IN_PART)
            };
            self.step(IN_PART, statement);
        }
        let end = self.random.pick(&["commit", "rollback"]);
        self.step(IN_PART, end);
        self.release(IN_PART);
    }

    /// A definition that changes, of a table that nobody uses.
    fn definition(&mut self) {
        self.settings(DEFINITIONS);
        let used = |table: &str| self.uses.iter().any(|(_, other)| *other == table);
        let free: Vec<&'static str> =
            ["a", "b", "k", "m", "x"].into_iter().filter(|table| !used(table)).collect();
        let r_is_free = !used("r");
        match self.random.below(7) {
            0 if !free.is_empty() => {
                let table = self.random.pick(&free);
                self.step(DEFINITIONS, format!("truncate table {table}"));
            }
            1 | 2 if self.r_is_there && r_is_free => self.r_goes(),
            1..=3 if !self.r_is_there => {
                self.step(DEFINITIONS, CREATE_R);
                self.r_is_there = true;
            }
            3 if self.r_is_there && r_is_free => self.step(DEFINITIONS, "truncate r"),
            4 if free.contains(&"x") => self.step(DEFINITIONS, "alter table x comment 'other'"),
            5 if self.r_is_there && r_is_free && self.facts.is_mariadb => {
                self.step(DEFINITIONS, CREATE_R.replace("create", "create or replace"));
            }
            _ => {
                self.count += 1;
                let n = self.count;
                self.step(DEFINITIONS, format!("create table gone_{n} (id int primary key) engine=innodb"));
                self.step(DEFINITIONS, format!("insert into gone_{n} values (1), (2)"));
                self.step(DEFINITIONS, format!("drop table gone_{n}"));
            }
        }
    }

    fn r_goes(&mut self) {
        self.r_is_there = false;
        self.count += 1;
        let gone = format!("gone_{}", self.count);
        match self.random.below(4) {
            0 => self.step(DEFINITIONS, "drop table r"),
            1 => {
                self.step(DEFINITIONS, format!("create table {gone} (id int primary key) engine=innodb"));
                self.step(DEFINITIONS, format!("drop table {gone}, r"));
            }
            2 => self.step(DEFINITIONS, format!("rename table r to {gone}")),
            _ => self.step(DEFINITIONS, format!("alter table r rename to {gone}")),
        }
    }
}

fn list(ids: &[u64]) -> String {
    ids.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

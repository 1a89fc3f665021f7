//! Nothing is lost and nothing is twice: a shop that changes all the time is loaded and tailed.

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

//! ALTER TABLE that changes the ids of rows that were printed before: the run ends at the statement itself, since a later
//! run that goes on from a line no longer knows the ids.

use crate::common::*;
use crate::json::Start;

/// A table `t` with rows: its columns, a row, and an ALTER.
struct Altered<'a> {
    db: &'a Db<'a>,
    /// A load's position, saved before the ALTER.
    saved: Dumpa,
    /// The same place without what the load knew.
    raw: Start,
    alter: String,
}

impl<'a> Altered<'a> {
    #[track_caller]
    fn new(db: &'a Db<'a>, columns: &str, row: &str, alter: &str) -> Altered<'a> {
        db.sql(&format!(
            "drop table if exists t;
            create table t ({columns}) engine=innodb;
            set sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
            insert into t values ({row})"
        ));
        let saved = Dumpa::new(db.server, db).args(["load", "--save", "pos.json", "t"]);
        saved.run().expect_code(0);
        let raw = Start::here(db);
        let alter = format!("alter table t {alter}");
        db.sql(&format!("set sql_mode = '';\n{alter}"));
        Altered { db, saved, raw, alter: format!("{columns}: {alter}") }
    }

    fn tail_saved(&self, args: &[&str]) -> Run {
        let tail = Dumpa::new(self.db.server, self.db).in_the_folder_of(&self.saved);
        tail.args(["tail", "--from", "pos.json", "--until", "now", "t"]).args(args).run()
    }

    fn tail_raw(&self, args: &[&str]) -> Run {
        self.raw.tail_with(self.db, "t", args)
    }

    /// The run ends, and names this.
    #[track_caller]
    fn ends(&self, run: &Run, says: &str) {
        assert_eq!(run.code, Some(4), "{}: {}{}", self.alter, run.text(), run.stderr);
        assert!(
            run.stdout.is_empty() && run.stderr.contains(says),
            "{}: no {says:?}: {}",
            self.alter,
            run.stderr
        );
    }

    #[track_caller]
    fn goes_on(&self, run: &Run) {
        assert_eq!(run.code, Some(0), "{}: {}", self.alter, run.stderr);
    }
}

on_each_server! {
    fn a_primary_key_that_changes_ends_the_run_at_once(server) {
        let db = server.fresh_db("altered_ids");
        db.sql("create table u (id int primary key) engine=innodb");
        for (columns, alter, says) in [
            ("id int primary key, a int not null", "drop primary key, add primary key (a)", "ADD PRIMARY KEY (`a`)"),
            ("id int primary key, a int not null", "drop primary key", "DROP PRIMARY KEY"),
            ("id int primary key, a int not null", "drop primary key, add unique (a)", "DROP PRIMARY KEY"),
            ("id int not null unique, a int not null", "add primary key (id, a)", "ADD PRIMARY KEY (`id`, `a`)"),
            ("id int not null, a int not null, unique u (id), unique v (a)", "drop index u", "DROP INDEX `u`"),
            ("id int not null, a int not null, unique u (id), unique v (a)", "modify id int", "MODIFY `id`"),
            ("id varchar(9) not null, a int, unique u (id(5)), unique v (a)", "modify a int not null", "MODIFY `a`"),
            ("id decimal(5,2) primary key, a int", "modify id decimal(5,1)", "MODIFY `id`"),
        ] {
            // MySQL puts keys of whole columns first; MariaDB keeps their order.
            if server.is_mariadb() && columns.contains("id(5)") {
                continue;
            }
            let altered = Altered::new(&db, columns, "1, 10", alter);
            // No row of the table follows: nothing else tells.
            db.sql("insert into u values (1);\ntruncate table u");
            altered.ends(&altered.tail_saved(&["u"]), says);
            if says.contains("PRIMARY KEY") {
                altered.ends(&altered.tail_raw(&["u"]), "PRIMARY KEY");
            }
        }
    }

    fn a_key_that_leaves_the_id_alone_does_not_end_the_run(server) {
        let db = server.fresh_db("altered_ids");
        for (columns, alter, args) in [
            ("id int primary key, a int not null", "drop primary key, add primary key (a)", &["--id", "t=id"][..]),
            ("id int not null, a int not null, unique u (id), unique v (a)", "drop index u", &["--id", "t=id"]),
            ("id int primary key, a int not null", "drop primary key, add primary key (id)", &[]),
            ("id int primary key, a int not null", "drop primary key, change id k int not null, add primary key (k)", &[]),
            ("id int primary key, a int not null", "drop primary key, add unique (id)", &[]),
            ("id int not null unique, a int not null", "add primary key (id)", &[]),
            ("id int not null, a int, unique u (a), unique v (id)", "modify a int not null", &[]),
            ("id int primary key, a int", "add unique (a), modify a int not null, modify id bigint", &[]),
            ("id int primary key, a int not null, unique v (a)", "drop index v", &[]),
            ("id int not null, a int not null, unique u (id), unique v (a)", "drop index v, modify id bigint not null", &[]),
        ] {
            let altered = Altered::new(&db, columns, "1, 10", alter);
            altered.goes_on(&altered.tail_saved(args));
        }
        let start = Start::here(&db);
        db.sql("truncate table t;
            alter table t add primary key (a)");
        assert_eq!(start.tail(&db, "t").len(), 1, "an empty table has no ids");
    }

    /// Columns of a primary key are NOT NULL. Without a strict sql_mode, NULL becomes 0.
    fn a_primary_key_that_may_rewrite_null_is_a_warning(server) {
        let db = server.fresh_db("altered_ids");
        let alter = "add primary key (a), algorithm=copy";
        let altered = Altered::new(&db, "id int not null, a int, b int, unique (id)", "1, null, 1", alter);
        assert_eq!(db.ask::<i32>("select a from t"), 0);
        for run in [altered.tail_saved(&["--id", "t=id"]), altered.tail_raw(&["--id", "t=id"])] {
            altered.goes_on(&run);
            for says in ["t: altered at ", "ADD PRIMARY KEY (`a`)", "Load again"] {
                assert!(run.stderr.contains(says), "no {says:?}: {}", run.stderr);
            }
        }
        let altered = Altered::new(&db, "id int not null unique, a int", "1, 1", "add primary key (id)");
        assert_eq!(altered.tail_saved(&[]).expect_code(0).stderr, "", "its values stay");
    }
}

/// An ALTER of a loaded table, and a row after it: the ids print as before, or the run ends.
#[track_caller]
fn text_ids(db: &Db, cases: &[(&str, &str, &str, bool)]) {
    for (columns, row, alter, stays) in cases {
        let altered = Altered::new(db, columns, row, alter);
        if *stays {
            db.sql("update t set a = 2");
            let run = altered.tail_saved(&[]);
            altered.goes_on(&run);
            let id = format!("\"{}\"", row.split('\'').nth(1).expect("an id"));
            assert_eq!(run.lines()[0].id_text, id, "{}", altered.alter);
        } else {
            altered.ends(&altered.tail_saved(&[]), "MODIFY `id`");
        }
        altered.ends(&altered.tail_raw(&[]), "MODIFY `id`");
    }
}

const UUID: &str = "'123e4567-e89b-12d3-a456-426655440000', 1";

on_each_server! {
    fn text_that_becomes_char_or_enum_may_be_another_id(server) {
        let db = server.fresh_db("altered_ids");
        text_ids(&db, &[
            ("id varchar(9) primary key, a int", "'x ', 1", "modify id char(5)", false),
            ("id varchar(9) primary key, a int", "'X', 1", "modify id enum('x') character set latin1 not null", false),
            ("id varchar(9) primary key, a int", "'X ', 1", "modify id character varying(99) not null", true),
            ("id varchar(9) primary key, a int", "'x', 1", "modify id varchar(9) character set binary", false),
            ("id char(5) primary key, a int", "'x', 1", "modify id char(9)", true),
            ("id char(5) primary key, a int", "'x', 1", "modify id varchar(9)", true),
            ("id enum('x') primary key, a int", "'x', 1", "modify id char(9)", true),
        ]);
    }
}

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8] fn text_that_becomes_uuid_or_inet_may_be_another_id(server) {
    let db = server.fresh_db("altered_ids");
    text_ids(&db, &[
        ("id varchar(36) primary key, a int", "'123E4567-E89B-12D3-A456-426655440000', 1", "modify id uuid", false),
        ("id char(36) primary key, a int", UUID, "modify id uuid", false),
        ("id varchar(40) primary key, a int", "'0:0:0:0:0:0:0:1', 1", "modify id inet6", false),
        ("id inet4 primary key, a int", "'1.2.3.4', 1", "modify id inet6", false),
        ("id uuid primary key, a int", UUID, "modify id char(36)", true),
        ("id inet6 primary key, a int", "'::1', 1", "modify id varchar(40)", true),
        ("id uuid primary key, a int", UUID, "modify id uuid not null", true),
    ]);
});

on_servers!([mariadb_10_11, mariadb_11_4, mariadb_11_8, mysql_8_0, mysql_9_7]
fn an_id_of_another_type_that_was_renamed_later_ends_the_run(server) {
    let db = server.fresh_db("altered_ids");
    let altered = Altered::new(&db, "id int primary key, a int", "1, 10", "modify id varchar(9)");
    db.sql("alter table t rename column id to k;\nupdate t set a = 11");
    for args in [&[][..], &["--id", "t=k"]] {
        altered.ends(&altered.tail_raw(args), "MODIFY `id`");
    }
    let altered = Altered::new(&db, "id int primary key, a int", "1, 10", "modify a varchar(9)");
    db.sql("alter table t rename column id to k;\nupdate t set a = 11");
    altered.goes_on(&altered.tail_raw(&[]));
});

on_each_server! {
    fn a_unique_key_that_gains_or_loses_null_ends_a_run_that_did_not_know_the_id(server) {
        let db = server.fresh_db("altered_ids");
        let two = "id int not null, a int not null, b int, unique u (id), unique v (a)";
        for (columns, alter, ends) in [
            (two, "modify id int null", true),
            (two, "change a c int", true),
            (two, "modify b bigint", false),
            ("id int, a int, b int not null, unique u (id, a), unique v (b)", "modify id int not null", false),
            ("id int, a int not null, b int not null, unique u (id), unique v (b)", "modify b int not null", false),
            ("id int, a int not null, b int not null, unique u (b), unique v (id)", "modify b int null", true),
            ("id int not null, a int, b int, unique u (id)", "modify a bigint, modify b bigint not null", false),
            ("id int primary key, a int not null, b int, unique v (a)", "modify a int, modify id bigint", false),
        ] {
            let altered = Altered::new(&db, columns, "1, 10, 100", alter);
            db.sql("delete from t");
            match ends {
                true => altered.ends(&altered.tail_raw(&[]), "MODIFY"),
                false => altered.goes_on(&altered.tail_raw(&[])),
            }
            altered.goes_on(&altered.tail_raw(&["--id", "t=b"]));
        }
        // On MySQL a key of whole columns that becomes NOT NULL comes before one of prefixes.
        let prefix = "id varchar(9) not null, a int, unique u (id(5)), unique v (a)";
        let altered = Altered::new(&db, prefix, "1, 10", "modify a int not null");
        match server.is_mysql() {
            true => altered.ends(&altered.tail_raw(&[]), "MODIFY `a`"),
            false => altered.goes_on(&altered.tail_raw(&[])),
        }
    }
}

//! Accounts that may not read all columns of a table: a row is never printed in part.

use mysql::Conn;

use crate::common::*;
use crate::json::Start;

/// An account of this name without a password, with these grants.
fn account(db: &Db, name: &str, grants: &[&str]) {
    db.sql(&format!("create user {name}@'%' identified by ''"));
    for grant in grants {
        db.sql(&format!("grant {grant} to {name}@'%'"));
    }
}

/// A run of dumpa by it.
fn by(db: &Db, name: &str, args: &[&str]) -> Dumpa {
    let dumpa = Dumpa::without_db(db.server).args(args);
    dumpa.args(["-u", name, "-D", &db.name])
}

struct User<'a>(&'a Db<'a>, String);

impl Drop for User<'_> {
    fn drop(&mut self) {
        if let Ok(mut conn) = Conn::new(self.0.server.opts()) {
            let _ = conn.query_drop(format!("drop user {}@'%'", self.1));
        }
    }
}

on_each_server! {
    fn hidden_columns_are_named(server) {
        let db = server.fresh_db("grants");
        db.sql("create table t (id int primary key, x int, secret int);
                create table k (x int, id int primary key);
                create table w (id int primary key, x int, secret int);
                create table d (id int primary key, x int, secret int)");
        let start = Start::here(&db);
        db.sql("insert into t values (1, 2, 3);\ninsert into k values (2, 1);\ninsert into w values (1, 2, 3);\ninsert into d values (1, 2, 3)");
        let name = db.name.replace("grants_", "g");
        let _user = User(&db, name.clone());
        account(&db, &name, &[
            "replication slave, replication client on *.*", "select (id, x) on t", "select (x) on k",
            "select (id, x), insert (secret) on w", "select (id, x), delete on d",
        ]);
        let from = start.file().to_str().expect("a path");
        let tail = ["tail", "--from", from, "--until", "now"];
        for (table, column) in [("t", "secret"), ("k", "id"), ("w", "secret"), ("d", "secret")] {
            for command in [&["load"][..], &tail] {
                let run = by(&db, &name, &[command, &[table]].concat()).run().expect_code(4);
                assert!(run.stdout.is_empty(), "{table}: {}", run.text());
                let says = format!("columns of {}.{table} (", db.name);
                let grant = format!("GRANT SELECT ON `{}`.`{table}` TO '{name}'@'%'", db.name);
                assert!(run.stderr.contains(&says) && run.stderr.contains(&grant), "{table}: {}", run.stderr);
                // Before 8.0, MySQL has no way to ask for the names of columns that are in no index.
                let old = server.is_mysql() && server.version() < (8, 0) && table == "t";
                let named = if old { "only `id`, `x`".to_owned() } else { format!("not `{column}`") };
                assert!(run.stderr.contains(&named), "{table}: {}", run.stderr);
            }
        }
    }

    /// Names of databases and users that differ in case or accents only.
    fn a_grant_on_another_database_or_to_another_user_is_none(server) {
        let db = server.fresh_db("grants");
        let name = db.name.replace("grants_", "g");
        let (own, upper, accented) = (format!("{name}e"), format!("{name}E"), format!("{name}é"));
        let _users = [User(&db, name.clone()), User(&db, name.to_uppercase())];
        account(&db, &name, &["select on mysql.*"]);
        account(&db, &name.to_uppercase(), &["select on *.*"]);
        for database in [&own, &upper, &accented] {
            db.sql(&format!("create database `{database}`;
                create table `{database}`.t (id int primary key, x int, secret int);
                insert into `{database}`.t values (1, 2, 3);
                grant select (id, x) on `{database}`.t to {name}@'%'"));
        }
        let load = |database: &str| {
            Dumpa::without_db(server).args(["load", "-u", &name, "-D", database, "t"]).run()
        };
        let mut refused = vec![load(&own)];
        let exact = |database: &str| database.replace('_', "\\_");
        db.sql(&format!("grant select on `{}`.* to {name}@'%'", exact(&own)));
        refused.extend([load(&upper), load(&accented)]);
        let own_rows = load(&own);
        // Two wildcards, for the two bytes of the accented letter.
        db.sql(&format!("grant select on `{}__`.* to {name}@'%'", exact(&name)));
        let of_bytes = load(&accented);
        for database in [&own, &upper, &accented] {
            db.sql(&format!("drop database `{database}`"));
        }
        for run in refused {
            let run = run.expect_code(4);
            assert!(run.stdout.is_empty(), "{}", run.text());
        }
        assert_eq!(own_rows.expect_code(0).lines().len(), 1);
        assert_eq!(of_bytes.expect_code(0).lines()[0].content_text, r#"{"id":1,"x":2,"secret":3}"#);
    }

    // Since MySQL has invisible columns, it does not tell whether there are other columns.
    fn all_columns_one_by_one_are_a_whole_table(server) {
        if server.is_mysql() && server.version() > (8, 0) {
            return;
        }
        let db = server.fresh_db("grants");
        db.sql("create table t (id int primary key, x int)");
        let start = Start::here(&db);
        db.sql("insert into t values (1, 2)");
        let name = db.name.replace("grants_", "g");
        let _user = User(&db, name.clone());
        account(&db, &name, &["replication slave, replication client on *.*", "select (id, x) on t"]);
        let from = start.file().to_str().expect("a path");
        for args in [&["load", "t"][..], &["tail", "t", "--from", from, "--until", "now"]] {
            let lines = by(&db, &name, args).run().expect_code(0).lines();
            assert_eq!(lines[0].content_text, r#"{"id":1,"x":2}"#);
        }
    }
}

/// A load by an account that may read `id` and `x`.
fn load_of_id_and_x(db: &Db) -> Run {
    let name = db.name.replace("grants_", "g");
    let _user = User(db, name.clone());
    account(db, &name, &["select (id, x) on t"]);
    by(db, &name, &["load", "t"]).run()
}

on_servers!(
    // MySQL denies `SELECT *` there even to an account that may read all columns, so dumpa cannot tell the two accounts
    // apart.
    [mysql_8_0, mysql_9_7] fn columns_that_the_server_cannot_be_made_to_tell(server) {
        let invisible = "create table t (id int primary key, x int, v int as (x + 1) virtual invisible)";
        let in_myisam = "create table t (id int primary key, x int, v int invisible) engine=myisam";
        let expression = "create table t (id int primary key, x int, v int as (x * 3) virtual, key ((x + 1)))";
        let whole = "create table t (id int primary key, x int)";
        let all = [expression, invisible, in_myisam, whole];
        for table in &all[..if server.version() > (8, 0) { 4 } else { 1 }] {
            let db = server.fresh_db("grants");
            db.sql(&format!("{table};\ninsert into t (id, x) values (1, 2)"));
            let run = load_of_id_and_x(&db).expect_code(4);
            assert!(run.stdout.is_empty(), "{table}: {}", run.text());
            let grant = format!("GRANT SELECT ON `{}`.`t` TO", db.name);
            assert!(run.stderr.contains(&grant), "{table}: {}", run.stderr);
        }
    }

    [mariadb_11_4, mysql_5_7, mysql_9_7] fn names_without_quotes_hide_no_column(shared) {
        let server = Server::private(&shared.name, &[]);
        server.sql("set global sql_quote_show_create = 0");
        let db = server.fresh_db("grants");
        db.sql("create table t (id int primary key, x int, secret int);\ninsert into t values (1, 2, 3)");
        let name = db.name.replace("grants_", "g");
        account(&db, &name, &["select (id, x), delete on t"]);
        let run = by(&db, &name, &["load", "t"]).run().expect_code(4);
        assert!(run.stdout.is_empty() && run.stderr.contains("not `secret`"), "{}", run.stderr);
    }

    [mariadb_10_11, mysql_9_7] fn an_invisible_column_too(server) {
        let db = server.fresh_db("grants");
        db.sql("create table t (id int primary key, x int, secret int invisible);\ninsert into t values (1, 2)");
        let name = db.name.replace("grants_", "g");
        let _user = User(&db, name.clone());
        account(&db, &name, &["select (id, x) on t"]);
        let run = by(&db, &name, &["load", "t"]).run().expect_code(4);
        assert!(run.stdout.is_empty() && run.stderr.contains("not `secret`"), "{}", run.stderr);
    }

    [mysql_9_7] fn a_generated_primary_key_that_the_server_is_set_to_hide(shared) {
        let flags = ["--sql-generate-invisible-primary-key=ON", "--show-gipk-in-create-table-and-information-schema=OFF"];
        let server = Server::private(&shared.name, &flags);
        let db = server.fresh_db("grants");
        let start = Start::here(&db);
        db.sql("create table t (x int);\ninsert into t values (7)");
        let load = Dumpa::new(&server, &db).args(["load"]).run().expect_code(0).lines();
        assert_eq!(load[0].without_metadata(), r#"["upsert","t",1,{"my_row_id":1,"x":7}]"#);
        assert_eq!(start.tail(&db, "t")[0].without_metadata(), load[0].without_metadata());
    }
);

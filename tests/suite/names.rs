//! Names of tables and columns as servers keep them.

use crate::common::*;

on_servers!([mariadb_10_11, mariadb_11_4, mysql_5_6, mysql_5_7] fn a_server_that_keeps_names_in_lower_case(shared) {
    let server = Server::private(&shared.name, &["--lower-case-table-names=1"]);
    server.sql("CREATE DATABASE Shop;
                CREATE TABLE Shop.People (id INT PRIMARY KEY, n INT);
                INSERT INTO shop.people VALUES (1, 2)");
    let load = Dumpa::without_db(&server).args(["load", "-D", "SHOP", "--id", "PEOPLE=n", "People"]).run();
    let load = load.expect_code(0);
    assert_eq!(load.text(), "[\"upsert\",\"people\",2,{\"id\":1,\"n\":2},null]\n");
    let tail_all = ["tail", "-D", "SHOP", "--id", "PEOPLE=n", "People", "--from", "earliest", "--until", "now"];
    let tail = Dumpa::without_db(&server).args(tail_all).run().expect_code(0);
    assert_eq!(tail.lines()[0].without_metadata(), load.lines()[0].without_metadata());
    // Statements keep the names that were typed.
    server.sql("TRUNCATE TABLE SHOP.PEOPLE;
                INSERT INTO Shop.PEOPLE VALUES (3, 4);
                USE sHOP;
                RENAME TABLE PEOPLE TO PERSONS;
                CREATE TABLE people (id INT PRIMARY KEY, n INT)");
    let tail = Dumpa::without_db(&server).args(tail_all).run().expect_code(0);
    let short: Vec<_> = tail.lines().iter().map(|t| format!("{} {} {}", t.op, t.table, t.id_text)).collect();
    assert_eq!(short, ["upsert people 2", "truncate people null", "upsert people 4", "truncate people null"]);
});

on_each_server! {
    fn tables_that_differ_in_case_and_accents_only(server) {
        let db = server.fresh_db("names");
        db.sql("CREATE TABLE t (id INT PRIMARY KEY, a INT);
                CREATE TABLE T (id INT PRIMARY KEY, b INT);
                CREATE TABLE `ä` (id INT PRIMARY KEY, `a.b``c` INT, `q\"\\x` INT);
                CREATE TABLE a (id INT, d INT);
                CREATE TABLE `d.t` (z INT PRIMARY KEY)");
        let dumpa = Dumpa::new(server, &db);
        let position = dumpa.file("pos.json");
        Dumpa::new(server, &db).args(["position", "--save", position.to_str().unwrap()]).run().expect_code(0);
        db.sql("INSERT INTO t VALUES (1, 1);
                INSERT INTO T VALUES (2, 2);
                INSERT INTO `ä` VALUES (3, 4, 5);
                INSERT INTO a VALUES (6, 7);
                INSERT INTO `d.t` VALUES (8)");
        let load = Dumpa::new(server, &db).args(["load"]).run().expect_code(0);
        let names: Vec<String> = load.lines().iter().map(|tuple| tuple.table.clone()).collect();
        assert_eq!(names, ["T", "a", "d.t", "t", "ä"], "in one order on every server");
        let tail = ["tail", "--from", position.to_str().unwrap(), "--until", "now"];
        let tail = Dumpa::new(server, &db).args(tail).run().expect_code(0);
        let sorted = |run: &Run| {
            let mut lines: Vec<_> = run.lines().iter().map(Tuple::without_metadata).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&load), sorted(&tail));
        let one = Dumpa::new(server, &db).args(["load", "T", "`d.t`"]).run().expect_code(0);
        let names: Vec<String> = one.lines().iter().map(|tuple| tuple.table.clone()).collect();
        assert_eq!(names, ["T", "d.t"], "in the order given");
        // Statements name them, too.
        db.sql("TRUNCATE TABLE T;
                TRUNCATE `ä`;
                TRUNCATE `d.t`;
                RENAME TABLE a TO gone;
                CREATE TABLE a (id INT, d INT)");
        let tail = ["tail", "t", "T", "a", "ä", "`d.t`", "--from", position.to_str().unwrap(), "--until", "now"];
        let tail = Dumpa::new(server, &db).args(tail).run().expect_code(0);
        let gone: Vec<String> = tail.lines()[5..].iter().map(|tuple| format!("{} {}", tuple.op, tuple.table)).collect();
        assert_eq!(gone, ["truncate T", "truncate ä", "truncate d.t", "truncate a"]);
    }
}

/// Runs that are refused before they print anything, with this exit code.
#[track_caller]
fn refused(dumpa: Dumpa, code: i32) -> String {
    let run = dumpa.run().expect_code(code);
    assert!(run.stdout.is_empty(), "{}", run.text());
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    run.stderr
}

on_each_server! {
    fn a_name_that_matches_nothing_is_refused(server) {
        let db = server.fresh_db("names");
        db.sql("CREATE TABLE customer (id INT PRIMARY KEY, n INT);
                CREATE TABLE order_line (id INT PRIMARY KEY);
                CREATE VIEW best AS SELECT * FROM customer;
                INSERT INTO customer VALUES (1, 2)");
        let name = &db.name;
        let other = format!("{name}.custmer");
        let typo = format!("{name}x.customer");
        let meant = format!("did you mean `{name}.customer`?");
        for (args, code, says) in [
            (vec!["customer", "custmer"], 1, vec!["base table custmer", "did you mean `customer`?"]),
            (vec!["CUSTOMER"], 1, vec!["did you mean `customer`?"]),
            (vec!["orderline"], 1, vec!["did you mean `order_line`?"]),
            (vec![&other], 1, vec![&meant]),
            (vec![&typo], 1, vec![&meant]),
            (vec!["log_*"], 1, vec!["matches log_*"]),
            (vec!["no_such_db_*.*"], 1, vec!["matches no_such_db_*.*"]),
            (vec!["best"], 1, vec!["best is a view"]),
            (vec!["customer", "--id", "custmer=id"], 1, vec!["--id", "custmer", "did you mean `customer`?"]),
            (vec!["--id", "log_*=id"], 1, vec!["--id", "log_*"]),
            (vec!["customer", "--id", "customer=idd"], 2, vec!["--id", "no column `idd`"]),
        ] {
            for command in [vec!["load"], vec!["tail", "--from", "now"]] {
                let told = refused(Dumpa::new(server, &db).args(&command).args(&args), code);
                for says in &says {
                    assert!(told.contains(says), "{command:?} {args:?}: {told}");
                }
                let advice = command[0] == "tail" && code == 1 && !says[0].contains("view");
                assert_eq!(told.contains("--allow-missing"), advice, "{command:?} {args:?}: {told}");
            }
        }
        // No name is similar, so none is suggested.
        let told = refused(Dumpa::new(server, &db).args(["load", "people"]), 1);
        assert!(!told.contains("did you mean"), "{told}");
    }

    fn tables_that_are_to_come_are_allowed(server) {
        let db = server.fresh_db("names");
        let tail = Dumpa::new(server, &db).args(["tail", "--from", "earliest", "--id", "later=n", "later", "log_*"]);
        refused(tail, 1);
        let start = Dumpa::new(server, &db);
        Dumpa::new(server, &db).args(["position", "--save", "pos.json"]).in_the_folder_of(&start).run().expect_code(0);
        let tail = ["tail", "--from", "pos.json", "--allow-missing", "--id", "later=n", "later", "log_*"];
        let mut live = Dumpa::new(server, &db).args(tail).in_the_folder_of(&start).spawn();
        db.sql("CREATE TABLE later (id INT PRIMARY KEY, n INT NOT NULL);
                CREATE TABLE log_1 (id INT PRIMARY KEY);
                INSERT INTO later VALUES (1, 20);
                INSERT INTO log_1 VALUES (3)");
        let ids: Vec<_> = live.take(2).iter().map(|t| format!("{} {}", t.table, t.id_text)).collect();
        assert_eq!(ids, ["later 20", "log_1 3"]);
    }

    fn all_databases_are_all_but_the_server_s_own(shared) {
        let server = Server::private(&shared.name, &[]);
        server.sql("CREATE DATABASE a;\nCREATE DATABASE b;
                    CREATE TABLE a.t (id INT PRIMARY KEY);
                    CREATE TABLE b.t (id INT PRIMARY KEY);
                    CREATE TABLE mysql.own (id INT PRIMARY KEY);
                    INSERT INTO a.t VALUES (1);
                    INSERT INTO b.t VALUES (2);
                    INSERT INTO mysql.own VALUES (3)");
        let tables = |args: &[&str]| {
            let run = Dumpa::without_db(&server).args(args).run().expect_code(0);
            let mut tables: Vec<String> = run.lines().iter().map(|tuple| tuple.table.clone()).collect();
            tables.dedup();
            tables
        };
        for command in [&["load"][..], &["tail", "--from", "earliest", "--until", "now"]] {
            assert_eq!(tables(&[command, &["*.*"]].concat()), ["a.t", "b.t"]);
            assert_eq!(tables(&[command, &["mysql.own"]].concat()), ["mysql.own"]);
            assert_eq!(tables(&[command, &["mysql.ow*", "?.t"]].concat()).len(), 3);
            assert_eq!(tables(&[command, &["*.*", "-D", "a"]].concat()), ["t", "b.t"]);
            refused(Dumpa::without_db(&server).args(command).args(["mysq?.own"]), 1);
            let told = refused(Dumpa::without_db(&server).args(command), 2);
            assert!(told.contains("no database: give one with -D") && told.contains("'*.*'"), "{told}");
        }
    }
}

#[test]
fn a_log_file_without_the_names_that_were_asked_for() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/mysql-9.7/shop.bin");
    let told = |args: &[&str]| {
        let run = Dumpa::bare().args(["tail"]).args(args).args(["--binlog", file]).run().expect_code(0);
        let of_names = |line: &&str| line.contains("these files hold no change");
        (
            run.lines().len(),
            run.stderr.lines().filter(of_names).map(|line| format!("{line}\n")).collect::<String>(),
        )
    };
    let (lines, stderr) = told(&["-D", "fixture"]);
    assert!(lines > 0 && stderr.is_empty(), "{stderr}");
    let (some, stderr) =
        told(&["fixture.people", "fixture.lo*", "fixture.custmer", "shop.*", "--id", "fixture.custmer=id"]);
    assert_eq!(some, lines);
    for name in ["fixture.custmer", "shop.*", "--id fixture.custmer=…"] {
        assert!(stderr.contains(&format!("these files hold no change of {name}\n")), "{stderr}");
    }
    assert_eq!(stderr.lines().count(), 3, "{stderr}");
    let (none, stderr) = told(&["-D", "fixtur"]);
    assert!(none == 0 && stderr.contains("these files hold no change of database fixtur"), "{stderr}");
    let told = refused(Dumpa::bare().args(["tail", "--binlog", file]), 2);
    assert!(told.contains("no database: give one with -D"), "{told}");
}

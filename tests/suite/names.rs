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
    let tail = ["tail", "-D", "SHOP", "--id", "PEOPLE=n", "People", "--from", "earliest", "--until", "now"];
    let tail = Dumpa::without_db(&server).args(tail).run().expect_code(0);
    assert_eq!(tail.lines()[0].without_metadata(), load.lines()[0].without_metadata());
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
    }
}

//! Changes by foreign keys that are not logged give one warning; if they are logged, they are printed.

use crate::common::*;

on_each_server! {
    fn cascades_are_printed_or_warned_about(server) {
        let db = server.fresh_db("cascade");
        db.sql("CREATE TABLE parent (id INT PRIMARY KEY) ENGINE=InnoDB;
                CREATE TABLE child (id INT PRIMARY KEY, up INT, also INT,
                    CONSTRAINT goes FOREIGN KEY (up) REFERENCES parent (id) ON DELETE CASCADE,
                    CONSTRAINT loses FOREIGN KEY (also) REFERENCES parent (id) ON DELETE SET NULL) ENGINE=InnoDB;
                CREATE TABLE lone (id INT PRIMARY KEY, up INT,
                    CONSTRAINT one FOREIGN KEY (up) REFERENCES parent (id) ON UPDATE CASCADE) ENGINE=InnoDB;
                CREATE TABLE stays (id INT PRIMARY KEY, up INT,
                    CONSTRAINT holds FOREIGN KEY (up) REFERENCES parent (id)) ENGINE=InnoDB;
                INSERT INTO parent VALUES (1), (2);
                INSERT INTO child VALUES (10, 1, 2)");
        let dumpa = Dumpa::new(server, &db);
        let position = dumpa.file("pos.json");
        Dumpa::new(server, &db).args(["position", "--save", position.to_str().unwrap()]).run().expect_code(0);
        db.sql("DELETE FROM parent WHERE id = 1");
        let tail = ["tail", "--from", position.to_str().unwrap(), "--until", "now"];
        let run = Dumpa::new(server, &db).args(tail).run().expect_code(0);
        let deleted: Vec<String> =
            run.lines().iter().filter(|t| t.op == "delete").map(|t| t.table.clone()).collect();
        let warnings = run.stderr.matches("foreign key").count();
        if server.name == "mysql-9.7" {
            assert_eq!(deleted, ["child", "parent"]);
            assert_eq!(warnings, 0, "{}", run.stderr);
        } else {
            assert_eq!(deleted, ["parent"]);
            assert_eq!(warnings, 2, "one for each table: {}", run.stderr);
            let goes = "`goes` (to parent, ON DELETE CASCADE, ON UPDATE ";
            let loses = "`loses` (to parent, ON DELETE SET NULL, ON UPDATE ";
            for says in ["child: foreign keys `goes`", goes, loses] {
                assert!(run.stderr.contains(says), "{}", run.stderr);
            }
            assert!(run.stderr.contains("lone: foreign key `one` (to parent, "), "{}", run.stderr);
        }
        let other = Dumpa::new(server, &db).args(tail).args(["stays"]).run().expect_code(0);
        assert!(!other.stderr.contains("foreign key"), "of another table: {}", other.stderr);
    }
}

/// What `tail` says on stderr about the statements that `script` runs, until now.
fn said_of(server: &Server, db: &Db, script: &str) -> String {
    let from = place(server);
    db.sql(script);
    let tail = ["tail", "--from", &from, "--until", "now", "--allow-missing", "c"];
    Dumpa::new(server, db).args(tail).run().expect_code(0).stderr
}

/// Whether the server's log holds changes by foreign keys.
fn logs_cascades(server: &Server) -> bool {
    server.is_mysql() && server.version() >= (9, 6)
}

on_each_server! {
    fn a_key_that_a_statement_adds_gives_one_warning(server) {
        let db = server.fresh_db("cascade");
        db.sql("CREATE TABLE p (id INT PRIMARY KEY, also INT, UNIQUE KEY (also)) ENGINE=InnoDB;
                INSERT INTO p VALUES (1, 1), (2, 2);
                CREATE TABLE c (id INT PRIMARY KEY, up INT, KEY (up)) ENGINE=InnoDB");
        // The catalog does not list it when the statements are read.
        let said = said_of(server, &db, "ALTER TABLE c ADD CONSTRAINT f FOREIGN KEY (up) REFERENCES p (id)
                    ON UPDATE CASCADE ON DELETE SET NULL;
                INSERT INTO c VALUES (10, 1);
                DELETE FROM p WHERE id = 1;
                ALTER TABLE c DROP FOREIGN KEY f;
                ALTER TABLE c ADD CONSTRAINT f FOREIGN KEY (up) REFERENCES p (id)
                    ON UPDATE CASCADE ON DELETE SET NULL;
                ALTER TABLE c DROP FOREIGN KEY f");
        let warned = said.matches("foreign key").count();
        if logs_cascades(server) {
            assert_eq!(said, "");
        } else {
            assert_eq!(warned, 1, "{said}");
            let says = "c: foreign key `f` (to p, ON DELETE SET NULL, ON UPDATE CASCADE) changes its rows";
            assert!(said.contains(says), "{said}");
        }
        let said = said_of(server, &db, "DROP TABLE c;
                CREATE TABLE c (id INT PRIMARY KEY, up INT, CONSTRAINT g FOREIGN KEY (up) REFERENCES p (id)
                    ON DELETE CASCADE, FOREIGN KEY (id) REFERENCES p (also)) ENGINE=InnoDB;
                INSERT INTO c VALUES (2, 2);
                DELETE FROM p WHERE id = 2;
                ALTER TABLE c DROP FOREIGN KEY g, DROP FOREIGN KEY c_ibfk_1;
                CREATE TABLE d LIKE c");
        if logs_cascades(server) {
            assert_eq!(said, "");
        } else {
            assert_eq!(said.matches("foreign key").count(), 1, "{said}");
            assert!(said.contains("c: foreign key `g` (to p, ON DELETE CASCADE, ON UPDATE NO ACTION)"), "{said}");
        }
    }

    fn a_key_of_a_columns_definition_is_one_where_the_server_honors_it(server) {
        let db = server.fresh_db("cascade");
        db.sql("CREATE TABLE p (id INT PRIMARY KEY) ENGINE=InnoDB");
        let said = said_of(server, &db, "CREATE TABLE c (id INT PRIMARY KEY,
                    up INT REFERENCES p (id) ON DELETE CASCADE) ENGINE=InnoDB;
                ALTER TABLE c ADD COLUMN also INT REFERENCES p (id) ON DELETE SET NULL;
                INSERT INTO p VALUES (1);
                INSERT INTO c VALUES (1, 1, 1);
                DELETE FROM p WHERE id = 1");
        let left: u32 = db.ask("SELECT COUNT(*) FROM c");
        assert_eq!(left == 0, server.is_mariadb() || logs_cascades(server), "the test's idea of the server");
        db.sql("DROP TABLE c");
        let warned = said.matches("foreign key (to p, ON DELETE").count();
        assert_eq!(warned, if server.is_mariadb() { 2 } else { 0 }, "{said}");
    }

    fn a_key_that_was_dropped_may_have_changed_rows(server) {
        let db = server.fresh_db("cascade");
        db.sql("CREATE TABLE p (id INT PRIMARY KEY) ENGINE=InnoDB;
                CREATE TABLE c (id INT PRIMARY KEY, up INT, KEY (up), CONSTRAINT f FOREIGN KEY (up)
                    REFERENCES p (id) ON DELETE CASCADE, CONSTRAINT g FOREIGN KEY (id) REFERENCES p (id)) ENGINE=InnoDB;
                INSERT INTO p VALUES (1), (2);
                INSERT INTO c VALUES (2, 1)");
        let said = said_of(server, &db, "DELETE FROM p WHERE id = 1;
                ALTER TABLE c DROP FOREIGN KEY f");
        let says = "c: foreign key `f` was dropped at ";
        assert_eq!(said.contains(says), !logs_cascades(server), "{said}");
        assert_eq!(said.matches("foreign key").count(), usize::from(!logs_cascades(server)), "{said}");
        if server.is_mariadb() || server.version() >= (9, 0) {
            let said = said_of(server, &db, "ALTER TABLE c DROP CONSTRAINT g");
            let says = "c: constraint `g` was dropped at ";
            assert_eq!(said.contains(says), !logs_cascades(server), "{said}");
        }
    }

    fn a_key_that_is_added_while_tail_runs_gives_one_warning(server) {
        let db = server.fresh_db("cascade");
        db.sql("CREATE TABLE p (id INT PRIMARY KEY) ENGINE=InnoDB;
                CREATE TABLE old (id INT PRIMARY KEY, up INT,
                    CONSTRAINT holds FOREIGN KEY (up) REFERENCES p (id)) ENGINE=InnoDB");
        let mut tail = Dumpa::new(server, &db).args(["tail", "--from", "now", "p", "c", "old", "--allow-missing"]).spawn();
        let mut inserted = 0;
        let _: Tuple = eventually("tail follows", || {
            inserted += 1;
            db.sql(&format!("INSERT INTO p VALUES ({inserted})"));
            tail.next_line(std::time::Duration::from_millis(100)).map(|line| Tuple::parse(&line))
        });
        db.sql("CREATE TABLE c (id INT PRIMARY KEY, up INT, KEY (up), CONSTRAINT f FOREIGN KEY (up) REFERENCES p (id)
                    ON DELETE CASCADE) ENGINE=InnoDB;
                ALTER TABLE old DROP FOREIGN KEY holds;
                INSERT INTO c VALUES (10, 1)");
        while tail.next().table != "c" {}
        let said = tail.stderr();
        let says = "c: foreign key `f` (to p, ON DELETE CASCADE, ON UPDATE NO ACTION) changes its rows";
        assert_eq!(said.contains(says), !logs_cascades(server), "{said}");
        assert!(!said.contains("holds"), "the catalog had told that it changes no rows: {said}");
    }

    fn log_files_alone_tell_of_keys_too(server) {
        let db = server.fresh_db("cascade");
        db.sql("CREATE TABLE p (id INT PRIMARY KEY) ENGINE=InnoDB;
                CREATE TABLE c (id INT PRIMARY KEY, up INT, KEY (up), CONSTRAINT f FOREIGN KEY (up)
                    REFERENCES p (id) ON DELETE CASCADE) ENGINE=InnoDB");
        let from = place(server);
        db.sql("ALTER TABLE c ADD CONSTRAINT g FOREIGN KEY (id) REFERENCES p (id) ON UPDATE CASCADE;
                ALTER TABLE c DROP FOREIGN KEY g");
        let until = place(server);
        let (name, _) = from.split_once(':').expect("a file and an offset");
        let file = server.dir.join("data").join(name);
        let tail = ["tail", "--from", &from, "--until", &until, "c", "--binlog", file.to_str().expect("UTF-8")];
        let connected = Dumpa::new(server, &db).args(tail).run().expect_code(0).stderr;
        let alone = Dumpa::bare().args(tail).args(["-D", &db.name]).run().expect_code(0).stderr;
        let logs = logs_cascades(server);
        assert_eq!(connected.contains("c: foreign key `f` (to p, ON DELETE CASCADE"), !logs, "{connected}");
        for said in [connected, alone] {
            assert_eq!(said.contains("c: foreign key `g` (to p, ON DELETE NO ACTION, ON UPDATE CASCADE)"), !logs, "{said}");
        }
    }
}

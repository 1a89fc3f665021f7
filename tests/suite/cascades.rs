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

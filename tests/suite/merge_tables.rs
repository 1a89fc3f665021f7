//! MERGE tables: what is changed through one is logged for that one only.

use crate::common::*;

const TABLES: &str = "CREATE TABLE a (id INT, x INT, KEY (id)) ENGINE=MyISAM;
    CREATE TABLE b (id INT, x INT, KEY (id)) ENGINE=MyISAM;
    INSERT INTO a VALUES (1, 1)";
const MERGE: &str = "CREATE TABLE m (id INT, x INT, KEY (id)) ENGINE=MERGE UNION=(a,b) INSERT_METHOD=LAST";

/// Follows the tables `names` through `script`, which begins with the tables a and b.
fn tail(server: &Server, before: &str, script: &str, names: &[&str]) -> Run {
    let db = server.fresh_db("merge");
    db.sql(TABLES);
    if !before.is_empty() {
        db.sql(before);
    }
    let from = place(server);
    db.sql(script);
    let ids = names.iter().flat_map(|name| ["--id".to_string(), format!("{name}=id")]);
    let tail = Dumpa::new(server, &db).args(["tail", "--from", &from, "--until", "now", "--allow-missing"]);
    tail.args(names).args(ids).run()
}

on_each_server! {
    fn changes_through_a_merge_table_end_tail(server) {
        // With the table in the catalog, and from its statement alone.
        for (before, script) in [(MERGE, ""), ("", MERGE)] {
            for change in ["INSERT INTO m VALUES (2, 2)", "UPDATE m SET x = 5", "DELETE FROM m WHERE id = 1"] {
                let script = format!("{script};\nINSERT INTO a VALUES (3, 3);\n{change};\nDROP TABLE m");
                // In the catalog it is still there.
                let script = if before.is_empty() { script } else { script.replace(";\nDROP TABLE m", "") };
                let run = tail(server, before, &script, &["a", "b"]).expect_code(4);
                assert_eq!(run.lines().len(), 1, "{}", run.text());
                assert!(run.stderr.contains("m is a MERGE table"), "{}", run.stderr);
                assert!(run.stderr.contains("of which a, b are selected"), "{}", run.stderr);
            }
        }
    }

    fn truncate_of_a_merge_table_ends_tail(server) {
        for like in ["m", "n"] {
            let script = format!("{MERGE};\nCREATE TABLE n LIKE m;\nTRUNCATE {like}");
            let run = tail(server, "", &script, &["a"]).expect_code(4);
            assert!(run.stderr.contains("emptied the tables of its UNION"), "{}", run.stderr);
        }
        // It empties nothing that is selected, or is dropped without them.
        let run = tail(server, MERGE, "TRUNCATE m;\nDROP TABLE m", &["m"]).expect_code(0);
        assert_eq!(run.lines().iter().map(|line| line.op.clone()).collect::<Vec<_>>(), ["truncate"; 2]);
        let run = tail(server, MERGE, "DROP TABLE m;\nINSERT INTO a VALUES (2, 2)", &["a"]).expect_code(0);
        assert_eq!(run.lines().len(), 1, "{}", run.text());
    }

    fn a_selected_merge_table_gives_one_warning(server) {
        for (before, script) in [(MERGE, "INSERT INTO a VALUES (2, 2)"), ("", MERGE)] {
            let run = tail(server, before, script, &["m"]).expect_code(0);
            assert_eq!(run.stderr.matches("m is a MERGE table").count(), 1, "{}", run.stderr);
        }
        let run = tail(server, MERGE, "INSERT INTO a VALUES (2, 2)", &["b"]).expect_code(0);
        assert_eq!(run.stderr.matches("m is a MERGE table").count(), 1, "{}", run.stderr);
        let run = tail(server, &MERGE.replace("a,b", "b"), "INSERT INTO a VALUES (2, 2)", &["a"]).expect_code(0);
        assert!(!run.stderr.contains("MERGE"), "{}", run.stderr);
    }

    fn a_merge_table_is_never_known_to_be_empty(server) {
        let create = "CREATE TABLE n (id INT, x INT, KEY (id)) ENGINE=MERGE UNION=(a)";
        for change in ["", ";\nTRUNCATE n;\nINSERT INTO a VALUES (4, 4)", ";\nCREATE TABLE k LIKE n;\nDROP TABLE n;\nRENAME TABLE k TO n"] {
            let script = format!("CREATE TABLE t LIKE a;\nRENAME TABLE t TO o;\n{create}{change};\nRENAME TABLE n TO t");
            let run = tail(server, "", &script, &["t"]).expect_code(4);
            assert!(run.stderr.contains("was renamed to"), "{}", run.stderr);
        }
        // Rows of a table in its UNION may be written or emptied through it.
        for script in ["", "TRUNCATE u;\n"] {
            let script = format!("CREATE TABLE t LIKE a;\nRENAME TABLE t TO o;\nCREATE TABLE u LIKE a;\nINSERT INTO u VALUES (9, 9);
                CREATE TABLE n (id INT, x INT, KEY (id)) ENGINE=MERGE UNION=(u) INSERT_METHOD=LAST;\n{script}INSERT INTO n VALUES (8, 8);
                RENAME TABLE u TO t");
            let run = tail(server, "", &script, &["t"]).expect_code(4);
            assert!(run.stderr.contains("a MERGE table"), "{}", run.stderr);
        }
        // The rows that it had are gone.
        let run = tail(server, "", "ALTER TABLE a ENGINE=MERGE", &["a"]).expect_code(4);
        assert!(run.stderr.contains("ENGINE=MERGE"), "{}", run.stderr);
    }
}

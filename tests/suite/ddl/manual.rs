//! The example statements of the manuals' pages of CREATE TABLE, ALTER TABLE, CREATE INDEX and RENAME TABLE, each with
//! what it needs: examples.sql. Those of the other family, or of newer versions, the server refuses.

use super::Stage;
use crate::common::*;

/// Runs all blocks, and tells how many statements the server took.
pub fn examples(stage: &mut Stage) -> (usize, usize) {
    let script = include_str!("examples.sql");
    let (mut all, mut taken) = (0, 0);
    for block in script.split("-- ").filter(|block| !block.is_empty()) {
        let (_title, block) = block.split_once('\n').expect("a title and statements");
        let mut conn = stage.dbs[0].conn();
        conn.query_drop("set names utf8mb4, foreign_key_checks = 0").expect("SET");
        for statement in block.lines() {
            let statement = statement.strip_suffix(';').unwrap_or_else(|| panic!("no end: {statement}"));
            all += 1;
            match conn.query_drop(statement) {
                Ok(()) => {
                    taken += 1;
                    assert!(stage.took(statement, statement), "a table is lost");
                }
                Err(mysql::Error::MySqlError(why)) => {
                    if shows() {
                        println!("  {} FOR {statement}", why.message);
                    }
                    assert!(stage.refused(statement), "a table is lost");
                }
                Err(why) => panic!("{why}, for the statement\n{statement}"),
            }
        }
        let tables: Vec<String> =
            stage.catalog.tables.keys().map(|(_, table)| format!("`{table}`")).collect();
        if !tables.is_empty() {
            let drop = format!("drop table {}", tables.join(", "));
            conn.query_drop(&drop).expect(&drop);
            assert!(stage.took(&drop, &drop), "a table is lost");
        }
    }
    (taken, all)
}

/// Whether the server's refusals are printed.
pub fn shows() -> bool {
    std::env::var_os("DUMPA_DDL_REFUSALS").is_some()
}

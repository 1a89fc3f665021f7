//! Every form of the manuals' pages on ALTER TABLE, CREATE, DROP, RENAME and TRUNCATE, and what each does: MySQL 5.6
//! to 9.7, MariaDB 10.5 to 11.8.

use super::effect::{Clause, DatabaseChange, Effect, ForeignKey, Identifier, TableChange, TableName};
use super::statement::{Statement, read};
use super::tokens::Session;

fn name(name: &TableName) -> String {
    let text = |text: &Identifier| text.clone().unwrap_or("?".into());
    match &name.database {
        Some(database) => format!("{}.{}", text(database), text(&name.table)),
        None => text(&name.table),
    }
}

fn clause(clause: &Clause) -> String {
    let text = |text: &Identifier| text.clone().unwrap_or("?".into());
    let all = |names: &[Identifier]| names.iter().map(text).collect::<Vec<_>>().join(",");
    match clause {
        Clause::AddColumn { name } => format!("+{}", text(name)),
        Clause::DropColumn { name } => format!("-{}", text(name)),
        Clause::ChangeColumn { from, to, type_word, .. } if from == to => {
            format!("{}:{type_word}", text(from))
        }
        Clause::ChangeColumn { from, to, type_word, .. } => {
            format!("{}>{}:{type_word}", text(from), text(to))
        }
        Clause::RenameColumn { from, to } => format!("{}>{}", text(from), text(to)),
        Clause::ConvertCharset => "charset".into(),
        Clause::AddPrimaryKey { columns } => format!("+pk({})", all(columns)),
        Clause::DropPrimaryKey => "-pk".into(),
        Clause::AddUniqueKey { columns } => format!("+uk({})", all(columns)),
        Clause::DropIndex { name } => format!("-key({})", text(name)),
    }
}

fn foreign_key(key: &ForeignKey) -> String {
    let own = key.name.clone().flatten().unwrap_or_default();
    let kind = if key.is_inline { "inline" } else { "fk" };
    format!("{kind} {own}({}, {}, {})", name(&key.parent), key.on_delete, key.on_update)
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Data { verb } => format!("data({verb})"),
        Effect::Database(name, change) => {
            let change = match change {
                DatabaseChange::Dropped => "dropped",
                DatabaseChange::Created { if_not_exists: false } => "created",
                DatabaseChange::Created { if_not_exists: true } => "created?",
                DatabaseChange::Altered => "altered",
            };
            format!("db {} {change}", name.as_deref().unwrap_or("?"))
        }
        Effect::Table(table, change) => {
            let change = match change {
                TableChange::Emptied => "emptied".into(),
                TableChange::Gone => "gone".into(),
                TableChange::Created { replaces, if_not_exists, like } => format!(
                    "{}{}{}",
                    if *replaces { "replaced" } else { "created" },
                    if *if_not_exists { "?" } else { "" },
                    like.as_ref().map(|like| format!(" like {}", name(like))).unwrap_or_default()
                ),
                TableChange::RenamedTo(to) => format!("> {}", name(to)),
                TableChange::Altered(clauses) if clauses.is_empty() => "altered".into(),
                TableChange::Altered(clauses) => {
                    format!("altered {}", clauses.iter().map(clause).collect::<Vec<_>>().join(" "))
                }
                TableChange::Unlogged(what) => {
                    format!("unlogged {}", what.trim_start_matches("ALTER TABLE … "))
                }
                TableChange::Data { verb, alone, deletes_all } => format!(
                    "{verb}{}{}",
                    if *alone { "" } else { "+" },
                    if *deletes_all { " all" } else { "" }
                ),
                TableChange::SequenceCreated { replaces, if_not_exists } => format!(
                    "sequence {}{}",
                    if *replaces { "replaced" } else { "created" },
                    if *if_not_exists { "?" } else { "" }
                ),
                TableChange::SequenceGone => "sequence gone".into(),
                TableChange::VersioningAdded => "+ versioning".into(),
                TableChange::VersioningDropped => "- versioning".into(),
                TableChange::Merges(union) => {
                    format!("merges {}", union.iter().map(name).collect::<Vec<_>>().join(", "))
                }
                TableChange::ForeignKeysAdded(keys) => {
                    format!("+ {}", keys.iter().map(foreign_key).collect::<Vec<_>>().join(", "))
                }
                TableChange::ForeignKeyDropped { name, may_be_other } => {
                    format!("- fk {}{}", name.as_deref().unwrap_or("?"), if *may_be_other { "?" } else { "" })
                }
                TableChange::TemporaryCreated => "temporary".into(),
                TableChange::TemporaryGone => "temporary gone".into(),
            };
            format!("{} {change}", name(table))
        }
    }
}

fn shown(text: &str) -> String {
    match read(text.as_bytes(), Session::default()) {
        Statement::Effects(effects) => effects.iter().map(effect).collect::<Vec<_>>().join("; "),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(all: &[(&str, &str)]) {
    for (text, expected) in all {
        assert_eq!(shown(text), *expected, "{text}");
    }
}

/// What the clauses of an ALTER TABLE t do.
#[track_caller]
fn check_clauses(all: &[(&str, &str)]) {
    for (text, expected) in all {
        let space = if expected.is_empty() || expected.starts_with(';') { "" } else { " " };
        let expected = format!("t altered{space}{expected}");
        assert_eq!(shown(&format!("ALTER TABLE t {text}")), expected, "{text}");
    }
}

#[test]
fn control_and_statements_without_effect() {
    check(&[
        ("BEGIN", "Begin"),
        ("START TRANSACTION", "Begin"),
        ("COMMIT", "Commit"),
        ("ROLLBACK", "Rollback"),
        ("ROLLBACK TO SAVEPOINT `A`", "RollbackTo(\"a\")"),
        ("rollback work to b", "RollbackTo(\"b\")"),
        ("SAVEPOINT s", "Savepoint(\"s\")"),
        ("RELEASE SAVEPOINT s", "Nothing"),
        ("XA START X'61',X'',1", "XaStart"),
        ("XA END X'61',X'',1", "XaEnd"),
        ("XA COMMIT X'61',X'',1", "XaCommit(\"x'61',x'',1\")"),
        ("XA ROLLBACK X'61',X'',1", "XaRollback(\"x'61',x'',1\")"),
        ("", "Nothing"),
        ("/* a comment */", "Nothing"),
        ("# dummy event", "Nothing"),
        ("SET PASSWORD = ''", "Nothing"),
        ("GRANT SELECT ON *.* TO a", "Nothing"),
        ("FLUSH TABLES", "Nothing"),
        ("OPTIMIZE TABLE t", "Nothing"),
        ("ANALYZE TABLE t UPDATE HISTOGRAM ON a WITH 4 BUCKETS", "Nothing"),
        ("ANALYZE NO_WRITE_TO_BINLOG TABLE t", "Nothing"),
        ("LOAD INDEX INTO CACHE t", "Nothing"),
        ("RENAME USER a TO b", "Nothing"),
        ("CREATE VIEW v AS SELECT 1", ""),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", ""),
        ("CREATE DEFINER=`a`@`b` TRIGGER g AFTER INSERT ON t FOR EACH ROW DELETE FROM u", ""),
        ("CREATE PROCEDURE p() TRUNCATE t", ""),
        ("CREATE USER a", ""),
        ("ALTER EVENT e RENAME TO f", ""),
        ("ALTER VIEW v AS SELECT 1", ""),
        ("ALTER SEQUENCE s RESTART", ""),
        ("ALTER USER a ACCOUNT LOCK", ""),
        ("DROP VIEW v", ""),
        ("DROP TRIGGER g", ""),
    ]);
}

#[test]
fn sequences() {
    check(&[
        ("CREATE SEQUENCE s", "s sequence created"),
        ("CREATE OR REPLACE SEQUENCE d.s START 5", "d.s sequence replaced"),
        ("CREATE SEQUENCE IF NOT EXISTS s", "s sequence created?"),
        ("CREATE TEMPORARY SEQUENCE s", "s temporary"),
        ("CREATE TABLE s (a bigint(21) NOT NULL) ENGINE=InnoDB SEQUENCE=1 COMMENT='x'", "s sequence created"),
        ("CREATE TABLE s (sequence int) SEQUENCE 1", "s sequence created"),
        ("CREATE TABLE t (sequence int) PARTITION BY HASH (sequence)", "t created"),
        (
            "DROP SEQUENCE IF EXISTS `s`,`d`.`r` /* generated by server */",
            "s sequence gone; d.r sequence gone",
        ),
        ("DROP TEMPORARY SEQUENCE s", "s temporary gone"),
        ("ALTER TABLE s SEQUENCE=0", "s altered; s unlogged SEQUENCE"),
        ("ALTER TABLE s COMMENT='x', SEQUENCE 1", "s altered; s unlogged SEQUENCE"),
        ("ALTER TABLE s ALTER sequence SET DEFAULT 1", "s altered"),
    ]);
}

/// Every object of the manuals, with what may stand before its name.
#[test]
fn definitions_of_objects_without_rows() {
    let all = [
        "EVENT e",
        "FUNCTION f",
        "PROCEDURE p",
        "TRIGGER g",
        "VIEW v",
        "USER a",
        "ROLE r",
        "SERVER s",
        "LOGFILE GROUP g",
        "TABLESPACE s",
        "UNDO TABLESPACE s",
        "RESOURCE GROUP g",
        "SPATIAL REFERENCE SYSTEM 1",
        "PACKAGE p",
        "PACKAGE BODY p",
        "LIBRARY l",
        "MATERIALIZED VIEW v",
        "JSON DUALITY VIEW v",
        "JSON RELATIONAL DUALITY VIEW v",
        "AGGREGATE FUNCTION f",
        "CATALOG c",
        "INSTANCE ROTATE INNODB MASTER KEY",
        "PREPARE p",
        "DEFINER=`a`@`b` EVENT e",
        "DEFINER = a@b PROCEDURE p",
        "DEFINER='a'@b.c-d TRIGGER g",
        "DEFINER=a@'%' FUNCTION f",
        "DEFINER=CURRENT_USER() FUNCTION f",
        "DEFINER=CURRENT_USER EVENT e",
        "DEFINER=r PROCEDURE p",
        "DEFINER=`a`@`b` AGGREGATE FUNCTION f",
        "DEFINER=``@`` VIEW v",
        "ALGORITHM=MERGE DEFINER=`a`@`b` SQL SECURITY DEFINER VIEW v AS SELECT 1",
        "ALGORITHM = UNDEFINED VIEW v AS SELECT 1",
        "SQL SECURITY INVOKER VIEW v AS SELECT 1",
        "/*!50001 ALGORITHM=TEMPTABLE */ /*!50013 DEFINER=`a`@`b` SQL SECURITY INVOKER */ /*!50001 VIEW v */",
        "/*!50106 EVENT */ e",
        "/*!50020 DEFINER=`a`@`b`*/ /*!50003 TRIGGER g */",
    ];
    for object in all {
        for verb in
            ["CREATE", "CREATE OR REPLACE", "create or replace temporary", "ALTER", "DROP", "DROP TEMPORARY"]
        {
            assert_eq!(shown(&format!("{verb} {object}")), "", "{verb} {object}");
        }
    }
    // An unknown object may hold rows.
    check(&[
        ("CREATE CUBE c", "data(CREATE CUBE)"),
        ("CREATE OR REPLACE DEFINER=a@b CUBE VIEW", "data(CREATE CUBE)"),
        ("ALTER CUBE c", "data(ALTER CUBE)"),
        ("ALTER ONLINE IGNORE CUBE c", "data(ALTER CUBE)"),
        ("DROP CUBE c", "data(DROP CUBE)"),
        ("DROP `table` t", "data(DROP)"),
        ("CREATE", "data(CREATE)"),
    ]);
}

#[test]
fn data_by_statement() {
    check(&[
        ("INSERT INTO t VALUES (1)", "t INSERT"),
        ("insert low_priority ignore d.t set a = 1", "d.t INSERT"),
        ("REPLACE t VALUES (1)", "t REPLACE"),
        ("UPDATE t SET a = 1", "t UPDATE"),
        ("UPDATE t AS x, u SET a = 1", "t UPDATE+"),
        ("UPDATE mysql.x JOIN shop.t SET a = 1", "mysql.x UPDATE+"),
        ("DELETE FROM t", "t DELETE all"),
        ("DELETE FROM `d`.`t`", "d.t DELETE all"),
        ("DELETE FROM t WHERE a", "t DELETE"),
        ("DELETE t, u FROM t JOIN u", "t DELETE+"),
        ("LOAD DATA INFILE 'x' INTO TABLE t", "data(LOAD)"),
        ("CALL p()", "data(CALL)"),
        ("WITH x AS (SELECT 1) DELETE FROM t", "data(WITH)"),
        ("IMPORT TABLE FROM 'x'", "data(IMPORT)"),
        ("CREATE TABLE t SELECT 1", "t CREATE … SELECT"),
        ("CREATE TABLE t (a INT) AS TABLE u", "t CREATE … SELECT"),
        ("CREATE TABLE t VALUES ROW(1)", "t CREATE … SELECT"),
        ("ANALYZE FORMAT=JSON UPDATE t SET a = 1", "data(ANALYZE)"),
        ("SET STATEMENT max_statement_time=1 FOR DELETE FROM t", "t DELETE all"),
        ("SET STATEMENT sql_mode='for' FOR TRUNCATE t", "t emptied"),
        ("TRUNCATE", "data(TRUNCATE)"),
        ("(SELECT 1)", "data((SELECT 1))"),
    ]);
}

#[test]
fn tables_created_dropped_emptied_and_renamed() {
    check(&[
        ("TRUNCATE t", "t emptied"),
        ("TRUNCATE TABLE d . t WAIT 5", "d.t emptied"),
        ("truncate /*!50000 table */ .t", "t emptied"),
        ("DROP TABLE t", "t gone"),
        ("DROP TABLES IF EXISTS a, `b``c`, d.e RESTRICT", "a gone; b`c gone; d.e gone"),
        ("DROP TABLE `a`,`b` /* generated by server */", "a gone; b gone"),
        ("DROP TEMPORARY TABLE IF EXISTS a, b", "a temporary gone; b temporary gone"),
        ("DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `a`", "a temporary gone"),
        ("CREATE TABLE t (a INT)", "t created"),
        ("CREATE TABLE IF NOT EXISTS d.t (a INT)", "d.t created?"),
        ("CREATE TABLE t LIKE d.u", "t created like d.u"),
        ("CREATE TABLE t (LIKE u)", "t created like u"),
        ("CREATE OR REPLACE TABLE t (a INT)", "t replaced"),
        ("CREATE TEMPORARY TABLE t (a INT) SELECT 1", "t temporary"),
        ("CREATE TABLE t (a INT) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (9))", "t created"),
        ("CREATE TABLE t (a INT) PARTITION BY LIST (a) (PARTITION p VALUES IN (9))", "t created"),
        ("RENAME TABLE a TO b, `c d` TO x.a", "a > b; c d > x.a"),
        ("rename tables if exists a wait 5 to b", "a > b"),
        ("RENAME TABLE a NOWAIT TO b", "a > b"),
        ("CREATE INDEX i ON t (a)", "t altered"),
        ("CREATE UNIQUE INDEX i USING BTREE ON d.t (a)", "d.t altered +uk(a)"),
        ("CREATE OR REPLACE UNIQUE INDEX IF NOT EXISTS i ON t (a)", "t altered -key(i) +uk(a)"),
        ("CREATE FULLTEXT INDEX i ON t (a)", "t altered"),
        ("DROP INDEX i ON t ALGORITHM=INPLACE", "t altered -key(i)"),
        ("DROP INDEX IF EXISTS `PRIMARY` ON d.t", "d.t altered -pk"),
    ]);
}

#[test]
fn databases() {
    check(&[
        ("DROP DATABASE d", "db d dropped"),
        ("drop schema if exists `d e`", "db d e dropped"),
        ("CREATE DATABASE d DEFAULT CHARACTER SET utf8", "db d created"),
        ("CREATE SCHEMA IF NOT EXISTS d", "db d created?"),
        ("CREATE OR REPLACE DATABASE d", "db d dropped; db d created"),
        ("ALTER DATABASE d COLLATE utf8_bin", "db d altered"),
    ]);
}

#[test]
fn alterations_that_change_values_or_keys() {
    check_clauses(&[
        ("ADD COLUMN a INT NOT NULL DEFAULT 7 FIRST", "+a"),
        ("ADD a INT AFTER b, ADD COLUMN IF NOT EXISTS c INT", "+a +c"),
        ("ADD (a INT, b DECIMAL(5, 2), KEY (a), UNIQUE (b))", "+a +b +uk(b)"),
        ("ADD COLUMN id INT AUTO_INCREMENT PRIMARY KEY", "+id +pk(id)"),
        ("ADD id INT KEY", "+id +pk(id)"),
        ("ADD id SERIAL", "+id +uk(id)"),
        ("ADD period INT, ADD vector INT, ADD system INT", "+period +vector +system"),
        ("ADD `index` INT", "+index"),
        ("ADD COLUMN import INT, ADD discard INT", "+import +discard"),
        ("ADD COLUMN `rename` INT COMMENT 'rename to b'", "+rename"),
        ("DROP COLUMN a", "-a"),
        ("DROP a CASCADE, DROP COLUMN IF EXISTS b", "-a -b"),
        ("MODIFY a BIGINT UNSIGNED FIRST", "a:bigint"),
        ("MODIFY COLUMN IF EXISTS `a` varchar(5) AFTER b", "a:varchar"),
        ("CHANGE a b INT, CHANGE COLUMN c c TEXT", "a>b:int c:text"),
        ("CHANGE COLUMN IF EXISTS a b INT", "a>b:int"),
        ("MODIFY import BIGINT, MODIFY discard BIGINT", "import:bigint discard:bigint"),
        ("RENAME COLUMN a TO b", "a>b"),
        ("RENAME COLUMN IF EXISTS a TO b", "a>b"),
        ("CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "charset"),
        (
            "MODIFY a NATIONAL CHARACTER VARYING(9), MODIFY b NCHAR(9), MODIFY c CHARACTER(9)",
            "a:varchar b:nchar c:character",
        ),
        (
            "MODIFY a CHAR VARYING(9), MODIFY b VARCHAR(9) CHARSET binary",
            "a:varchar b:varchar character set binary",
        ),
        ("ADD PRIMARY KEY (a, b)", "+pk(a,b)"),
        ("DROP PRIMARY KEY, ADD CONSTRAINT PRIMARY KEY USING BTREE (a)", "-pk +pk(a)"),
        ("ADD CONSTRAINT c UNIQUE KEY u (a(3) DESC, (lower(b)))", "+uk(a,?)"),
        ("ADD UNIQUE (a)", "+uk(a)"),
        ("DROP INDEX i, DROP KEY IF EXISTS k, DROP CONSTRAINT c", "-key(i) -key(k) -key(c); t - fk c?"),
        ("ENGINE=MyISAM, ADD a INT", "+a"),
        ("WAIT 5 ADD a INT", "+a"),
        ("NOWAIT DROP a", "-a"),
    ]);
}

#[test]
fn alterations_that_change_neither_value_nor_key() {
    check_clauses(&[
        ("ADD INDEX i (a)", ""),
        ("ADD KEY (a) USING HASH, ADD FULLTEXT KEY f (b), ADD SPATIAL INDEX (c)", ""),
        ("ADD VECTOR INDEX (v) DISTANCE=cosine", ""),
        ("ADD FOREIGN KEY (a) REFERENCES u (a) ON DELETE CASCADE", "; t + fk (u, CASCADE, NO ACTION)"),
        ("ADD FOREIGN KEY i (a) REFERENCES u (a) ON DELETE CASCADE", "; t + fk (u, CASCADE, NO ACTION)"),
        (
            "ADD CONSTRAINT f FOREIGN KEY IF NOT EXISTS (a) REFERENCES u (a)",
            "; t + fk f(u, NO ACTION, NO ACTION)",
        ),
        ("ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED", ""),
        ("ADD CHECK (a > 0)", ""),
        ("DROP CHECK c", ""),
        ("DROP FOREIGN KEY f, DROP FOREIGN KEY IF EXISTS g", "; t - fk f; t - fk g"),
        ("ALTER CHECK c ENFORCED", ""),
        ("ALTER COLUMN a SET DEFAULT 5, ALTER b DROP DEFAULT", ""),
        ("ALTER COLUMN engine SET DEFAULT 'blackhole'", ""),
        ("ALTER COLUMN a SET INVISIBLE", ""),
        ("ALTER INDEX i INVISIBLE", ""),
        ("ALTER KEY i IGNORED", ""),
        ("RENAME INDEX a TO b, RENAME KEY c TO d", ""),
        ("COMMENT='add column a int, engine=blackhole'", ""),
        ("AUTO_INCREMENT = 100", ""),
        ("ENGINE = InnoDB ROW_FORMAT=DYNAMIC COMMENT 'x'", ""),
        ("DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin", ""),
        ("CHARSET utf8", ""),
        ("DISABLE KEYS", ""),
        ("ENABLE KEYS", ""),
        ("FORCE, ALGORITHM=INPLACE, LOCK=NONE", ""),
        ("ORDER BY a, b DESC", ""),
        ("WITHOUT VALIDATION", ""),
        ("SECONDARY_LOAD", ""),
        ("STATS_PERSISTENT=1, PAGE_COMPRESSED=1, ENCRYPTION='Y'", ""),
        ("ADD SYSTEM VERSIONING", "; t + versioning"),
        ("DROP SYSTEM VERSIONING", "; t - versioning"),
        ("ADD PERIOD FOR SYSTEM_TIME (a, b)", ""),
        ("DROP PERIOD FOR SYSTEM_TIME", ""),
        ("ADD PARTITION (PARTITION p VALUES LESS THAN (9) ENGINE = InnoDB)", ""),
        ("ADD PARTITION PARTITIONS 3", ""),
        ("COALESCE PARTITION 2", ""),
        (
            "REORGANIZE PARTITION a, b INTO (PARTITION c VALUES LESS THAN (9), PARTITION d VALUES LESS THAN (10))",
            "",
        ),
        ("REBUILD PARTITION a, b", ""),
        ("ANALYZE PARTITION ALL", ""),
        ("CHECK PARTITION a", ""),
        ("OPTIMIZE PARTITION a", ""),
        ("REPAIR PARTITION a", ""),
        ("REMOVE PARTITIONING", ""),
        ("PARTITION BY HASH (a) PARTITIONS 4", ""),
        ("UPGRADE PARTITIONING", ""),
    ]);
}

#[test]
fn rows_that_no_event_tells_of() {
    check(&[
        ("ALTER TABLE t DROP PARTITION a, b", "t altered; t unlogged DROP PARTITION"),
        ("ALTER TABLE t DROP PARTITION IF EXISTS a", "t altered; t unlogged DROP PARTITION"),
        ("ALTER TABLE t TRUNCATE PARTITION a", "t altered; t unlogged TRUNCATE PARTITION"),
        ("ALTER TABLE t TRUNCATE PARTITION ALL", "t altered; t emptied"),
        (
            "ALTER TABLE d.t EXCHANGE PARTITION a WITH TABLE `x` WITHOUT VALIDATION",
            "d.t altered; d.t unlogged EXCHANGE PARTITION; x unlogged EXCHANGE PARTITION",
        ),
        (
            "ALTER TABLE t CONVERT TABLE d.x TO PARTITION p VALUES LESS THAN (9)",
            "t altered; t unlogged CONVERT TABLE … TO PARTITION; d.x gone",
        ),
        (
            "ALTER TABLE t CONVERT PARTITION p TO TABLE x",
            "t altered; t unlogged CONVERT PARTITION … TO TABLE; x unlogged CONVERT PARTITION … TO TABLE",
        ),
        ("ALTER TABLE t DISCARD TABLESPACE", "t altered; t unlogged DISCARD TABLESPACE"),
        ("ALTER TABLE t IMPORT TABLESPACE", "t altered; t unlogged IMPORT TABLESPACE"),
        ("ALTER TABLE t DISCARD PARTITION a TABLESPACE", "t altered; t unlogged DISCARD TABLESPACE"),
        ("ALTER TABLE t IMPORT PARTITION ALL TABLESPACE", "t altered; t unlogged IMPORT TABLESPACE"),
        ("ALTER TABLE t ENGINE=BLACKHOLE", "t altered; t unlogged ENGINE=BLACKHOLE"),
        ("ALTER TABLE t COMMENT 'x' ENGINE 'blackhole'", "t altered; t unlogged ENGINE=BLACKHOLE"),
        ("ALTER TABLE t ADD a INT, ENGINE `BlackHole`", "t altered +a; t unlogged ENGINE=BLACKHOLE"),
        ("ALTER TABLE t UNION=(a, `d`.b)", "t altered; t unlogged UNION; t merges a, d.b"),
        ("ALTER TABLE t ENGINE = MERGE", "t altered; t unlogged ENGINE=MERGE; t merges "),
        (
            "CREATE TABLE t (a INT) ENGINE=MRG_MyISAM INSERT_METHOD=LAST UNION (a, d.b)",
            "t created; t merges a, d.b",
        ),
        ("CREATE TABLE t (a INT) UNION=(a) ENGINE='merge'", "t created; t merges a"),
        ("CREATE TABLE t (a INT) UNION=(a) ENGINE=InnoDB", "t created"),
    ]);
}

#[test]
fn foreign_keys() {
    check(&[
        (
            "CREATE TABLE t (id INT PRIMARY KEY, a INT REFERENCES u (id) ON DELETE SET NULL, b INT CHECK (b > 0), \
             CONSTRAINT `f g` FOREIGN KEY i (a, b) REFERENCES d.u (x, y) MATCH FULL ON UPDATE CASCADE ON DELETE RESTRICT, \
             CONSTRAINT FOREIGN KEY (b) REFERENCES v (x) ON DELETE SET DEFAULT, KEY (b)) ENGINE=InnoDB",
            "t created; t + inline (u, SET NULL, NO ACTION), fk f g(d.u, NO ACTION, CASCADE), \
             fk (v, NO ACTION, NO ACTION)",
        ),
        ("CREATE TABLE t (a INT REFERENCES u ON DELETE CASCADE) ENGINE = MyISAM", "t created"),
        ("CREATE TABLE t (a TIMESTAMP ON UPDATE CURRENT_TIMESTAMP COMMENT 'references u')", "t created"),
        (
            "ALTER TABLE t ADD (a INT REFERENCES u (id), CONSTRAINT f FOREIGN KEY (a) REFERENCES v (id) ON DELETE CASCADE)",
            "t altered +a; t + inline (u, NO ACTION, NO ACTION), fk f(v, CASCADE, NO ACTION)",
        ),
        (
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT REFERENCES u (id) ON UPDATE SET NULL, DROP FOREIGN KEY f",
            "t altered +a; t - fk f; t + inline (u, NO ACTION, SET NULL)",
        ),
    ]);
}

#[test]
fn ignore_deletes_rows() {
    for clause in [
        "ADD UNIQUE (a)",
        "ADD PRIMARY KEY (a)",
        "MODIFY a INT",
        "CHANGE a b CHAR(1)",
        "CONVERT TO CHARACTER SET utf8",
        "ADD CONSTRAINT c CHECK (a > 0)",
        "ADD b INT UNIQUE",
        "DROP COLUMN a",
        "PARTITION BY HASH (a)",
        "ADD b INT PARTITION BY LIST (a) (PARTITION p VALUES IN (1))",
    ] {
        let text = shown(&format!("ALTER IGNORE TABLE t {clause}"));
        assert!(text.ends_with("t unlogged ALTER IGNORE TABLE"), "{clause}: {text}");
        let text = shown(&format!("ALTER TABLE t {clause}"));
        assert!(!text.contains("unlogged"), "{clause}: {text}");
    }
    check(&[
        ("ALTER IGNORE TABLE t ADD INDEX (a)", "t altered"),
        ("ALTER ONLINE IGNORE TABLE t ADD a INT", "t altered +a"),
        ("ALTER OFFLINE TABLE IF EXISTS t COMMENT 'x'", "t altered"),
        ("alter online online table t truncate partition all", "t altered; t emptied"),
        ("alter ignore ignore table t rename to u", "t altered; t > u"),
        ("alter ignore online ignore table t drop a", "t altered -a; t unlogged ALTER IGNORE TABLE"),
    ]);
}

#[test]
fn several_clauses_have_all_of_their_effects() {
    check(&[
        ("ALTER TABLE s.a RENAME TO b", "s.a altered; s.a > b"),
        ("/* osc */ alter table a add column c int, rename as `rename`", "a altered +c; a > rename"),
        ("alter table a rename = b", "a altered; a > b"),
        ("alter table a rename b", "a altered; a > b"),
        (
            "alter table a rename d.b, drop c, engine=blackhole",
            "a altered -c; a unlogged ENGINE=BLACKHOLE; a > d.b",
        ),
        ("alter table a rename column b to c", "a altered b>c"),
        ("alter table a comment 'rename to b'", "a altered"),
        (
            "ALTER TABLE t DROP PRIMARY KEY, MODIFY a BIGINT, RENAME COLUMN b TO c",
            "t altered -pk a:bigint b>c",
        ),
    ]);
}

/// No server logs these, but a file may hold them. A call for each level would overflow the stack, and scanning the
/// rest at each level would take quadratic time.
#[test]
fn a_statement_within_a_statement_takes_neither_stack_nor_long() {
    let levels = 200_000;
    let nested = format!("alter table t add {}", "constraint c (".repeat(levels));
    let expected = Statement::Effects(vec![Effect::Table(
        TableName { database: None, table: Some("t".into()) },
        TableChange::Altered(Vec::new()),
    )]);
    assert_eq!(read(nested.as_bytes(), Session::default()), expected);
    let nested = "set statement a=1 for ".repeat(levels) + "truncate t";
    let expected = Statement::Effects(vec![Effect::Table(
        TableName { database: None, table: Some("t".into()) },
        TableChange::Emptied,
    )]);
    assert_eq!(read(nested.as_bytes(), Session::default()), expected);
}

//! XA transactions: rows come when they are committed, and not before; wherever a run began.

use std::fs;

use crate::common::*;

#[track_caller]
fn lines(server: &Server, db: &Db, args: &[&str], home: &Dumpa) -> Vec<String> {
    let run = Dumpa::new(server, db).args(["tail"]).args(args).in_the_folder_of(home).run().expect_code(0);
    run.lines().into_iter().map(|tuple| tuple.raw).collect()
}

fn ids(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| Tuple::parse(line).id_text).collect()
}

const ROWS: &str = "
    create table t (id int primary key, n varchar(20)) engine=innodb;
    create table u (id int primary key) engine=innodb";

/// Xids that differ in case, in bytes that are no text, and in their parts.
const CHANGES: &str = "
    xa start 'one';
    insert into t values (1, 'a'), (2, 'b');
    insert into u values (1);
    update t set id = id + 10 order by id desc;
    xa end 'one';
    xa prepare 'one'";

on_each_server! {
    fn rows_come_at_the_xa_commit(server) {
        let db = server.fresh_db("xa");
        db.sql(ROWS);
        let home = Dumpa::bare();
        let start = place(server);
        let xid = |name: &str| format!("{name}_{}", db.name);
        // Another connection commits what this one prepared, where the server can do that.
        let mut conn = db.conn();
        let run = |conn: &mut mysql::Conn, script: &str| {
            for statement in script.split(";\n") {
                conn.query_drop(statement).unwrap_or_else(|why| panic!("{statement}: {why}"));
            }
        };
        run(&mut conn, &CHANGES.replace("'one'", &format!("'{}'", xid("one"))));
        db.sql("insert into u values (5)");
        // Prepared only: before 5.7 it is not in the log at all.
        assert_eq!(ids(&lines(server, &db, &["--from", &start, "--until", "now"], &home)), ["5"]);
        let between = place(server);
        let mut live = Dumpa::new(server, &db).args(["tail", "--from", &start, "--server-id", "77001"]).spawn();
        assert_eq!(live.next().id_text, "5");
        run(&mut conn, &format!("xa commit '{}'", xid("one")));
        assert_eq!(ids(&live.take(7).into_iter().map(|t| t.raw).collect::<Vec<_>>()), ["1", "2", "1", "2", "12", "1", "11"]);
        let never = CHANGES.replace("'one'", &format!("'{}'", xid("two"))).replace("(1", "(101").replace("(2", "(102");
        run(&mut conn, &never.replace("values (1)", "values (101)"));
        run(&mut conn, &format!("xa rollback '{}'", xid("two")));
        run(&mut conn, "xa start 0xff00, 'B', 7;\ninsert into u values (7), (8);\nxa end 0xff00, 'B', 7;
            xa commit 0xff00, 'B', 7 one phase");
        db.sql("flush logs;\ninsert into u values (9)");
        assert_eq!(ids(&live.take(3).into_iter().map(|t| t.raw).collect::<Vec<_>>()), ["7", "8", "9"]);
        assert!(live.runs(), "reading the prepared rows ended the run: {}", live.stderr());
        // Not `now`: other tests write to the same log all the time.
        let end = place(server);
        let all = lines(server, &db, &["--from", &start, "--until", &end], &home);
        assert_eq!(ids(&all), ["5", "1", "2", "1", "2", "12", "1", "11", "7", "8", "9"]);
        // The XA PREPARE lies before where this one begins.
        assert_eq!(lines(server, &db, &["--from", &between, "--until", &end], &home), all[1..]);
        for i in 0..all.len() {
            fs::write(home.file("line.json"), &all[i]).expect("a file");
            let rest = lines(server, &db, &["--from", "line.json", "--until", &end], &home);
            assert_eq!(rest, all[i + 1..], "resumed from line {i}");
            let begun = lines(server, &db, &["--from", &start, "--until", "line.json"], &home);
            // Without the commit's time: 5.6 logs it only at the commit, which is not read here.
            assert_eq!(ids(&begun), ids(&all[..=i]), "until line {i}");
        }
    }
}

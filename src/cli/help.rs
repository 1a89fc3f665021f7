//! The text below the options in `--help`, which the man pages take over by section.
//!
//! An unindented line that ends in a colon begins a section; examples are indented by two.

pub const DUMPA: &str = "\
Output:
  One line of JSON a row: [op, table, id, content, metadata]
  op         upsert (inserted or updated), delete, or truncate (the whole table is empty or gone);
             with --schemas also schema (the table's definition)
  table      its name; with its database before it, unless that is the one of -D
  id         the value of the primary key, an array if it has several columns
  content    the row as it is now, or the row that went; null for truncate
  metadata   null from load; from tail ts, the time of the commit, and the place to resume from:
             next_file, next_position, log (identifies the log: another after a reset) and, within a
             transaction, next_row and next_line

Examples:
  dumpa load -D shop --save pos.json > rows.ndjson
  dumpa tail -D shop --from pos.json >> changes.ndjson
  tail -n 1 changes.ndjson > last.json && dumpa tail -D shop --from last.json >> changes.ndjson
  dumpa load -D shop people | jq -c '.[3]'

Environment:
  DUMPA_PASSWORD    the password, before that of an option file
  MYSQL_PWD, MYSQL_HOST, MYSQL_TCP_PORT, MYSQL_UNIX_PORT
                    as for the mysql client: used where neither flag nor option file says anything

Files:
  /etc/my.cnf, /etc/mysql/my.cnf, ~/.my.cnf
                    option files; the groups [client] and [dumpa] are read

Exit status:
  0   done: loaded, caught up to --until, valid, or the reader of standard output went away
  1   it failed: the server cannot be reached, an I/O error
  2   it was called wrongly: flags, option file, position file
  3   the position is not available on this server (any more): load again
  4   the data cannot be read truthfully; what is in doubt is not printed
  After SIGINT, SIGTERM or SIGHUP it finishes its line, saves, and ends by that same signal.";

pub const SCHEMA_HISTORY: &str = "\
Schema history:
  FILE.schema, or the file of --schema: one line of JSON a definition, with the place in the log from which it holds.
  The README tells its members. Lines are only added. When it is opened, is larger than 1 MiB, and most of its lines
  are of places before the oldest log file that the server still has, then of these lines only the last of each table
  is kept, unless that table is gone. One process at a time may keep it. Move it together with the position.";

pub const LOAD: &str = "\
Examples:
  dumpa load -D shop > shop.new && mv shop.new shop.ndjson
  dumpa load -D shop --save pos.json people 'log_*' other_db.places
  dumpa load -D shop --id logs=site,n logs | jq -c '[.[2], .[3].body]'
  dumpa load -D shop --schemas --no-rows | jq -c '[.[1], (.[3].columns[] | [.name, .type])]'";

pub const TAIL: &str = "\
Altered tables:
  A change without row events prints a truncate or a warning, or is exit 4.
  truncate   TRUNCATE, DROP, CREATE OR REPLACE, TRUNCATE PARTITION ALL, RENAME to a name that is not selected
  and rows   RENAME to a selected name: after truncate, all rows that the log holds since CREATE TABLE (--swaps)
  warning    ADD, DROP, MODIFY, CHANGE and RENAME COLUMN, CONVERT TO CHARACTER SET: existing rows may
             change, and those printed before keep their old columns and values; load again if that matters
  exit 4     EXCHANGE, DROP, TRUNCATE and CONVERT PARTITION, DISCARD and IMPORT TABLESPACE, ALTER IGNORE that
             may delete rows, ENGINE=BLACKHOLE or MERGE, rows and TRUNCATE through a MERGE table with selected
             tables, RENAME to a selected name if the log does not hold all rows since CREATE TABLE, an id of
             other columns or another type
  --strict makes each warning exit 4.
  Where the log lacks column names (binlog_row_metadata is not FULL), rows are read by the definition that the schema
  history has, or a statement in the log made; else by the table's present one. Then the log is first searched up
  to its end for statements that changed that since. What they added or renamed is undone; if one did anything
  else, it is exit 4. The search is as long as a bare reading of that part. --trust-catalog leaves it out.
  DROP DATABASE does not name its tables. They are known if the run began at a position that load or tail
  saved, at now or at earliest, or if the command line names them. Else it is exit 4.

Examples:
  dumpa tail -D shop --from now
  dumpa tail -D shop --from pos.json --save pos.json people >> changes.ndjson
  dumpa tail -D shop --from last.json --until now
  dumpa tail -D shop --from host-bin.000001:1259353
  dumpa tail -D shop --binlog host-bin.000001 host-bin.000002";

pub const VALIDATE_POS: &str = "\
The verdict's \"schema\" tells where a tail from a valid position has column names from:
  log        the log has them (binlog_row_metadata=FULL)
  history    the schema history beside the position, or of --schema, has them
  catalog    the tables are as they were there: nothing in the log changed a definition since
  unknown    a statement, which \"schema_reason\" names, may have changed one: rows of that table before it
             are exit 4, unless it can be undone. Tables are those of -D, or else of every database but the
             server's own

Examples:
  code=0; dumpa validate-pos pos.json || code=$?
  if [ $code = 3 ]; then    # gone for good; after any other code the earlier load is still good
    dumpa load -D shop --save new.json > shop.new && mv shop.new shop.ndjson &&
      mv new.json.schema pos.json.schema && mv new.json pos.json
  fi";

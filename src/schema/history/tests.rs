use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::exit;
use crate::schema::definition::{DefinedColumn, HiddenParts};

fn definition(columns: &[&str]) -> Definition {
    let column = |name: &&str| DefinedColumn {
        name: name.to_string(),
        kind: "int".into(),
        labels: Vec::new(),
        charset: None,
        nullable: true,
        generated: None,
        invisible: false,
    };
    Definition {
        columns: columns.iter().map(column).collect(),
        keys: Vec::new(),
        charset: "utf8mb4".into(),
        engine: "innodb".into(),
        hidden: HiddenParts::default(),
    }
}

fn known(columns: &[&str]) -> State {
    State::Known(definition(columns))
}

fn at(file: u32, position: u64) -> Position {
    Position { server_uuid: Some("u".into()), ..Position::new(format!("bin.{file:06}"), position) }
}

fn name(table: &str) -> FullName {
    ("d".into(), table.into())
}

fn selection(tables: &[&str]) -> Selection {
    let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
    Selection::new(&tables, Some("d")).unwrap()
}

fn order() -> FileOrder {
    FileOrder::default()
}

/// A history in a folder of its own.
struct World {
    folder: TempDir,
}

impl World {
    fn new() -> World {
        // In memory where there is such a place: these tests make thousands of lines durable.
        let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
        World { folder: folder.unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("pos.json.schema")
    }

    fn open(&self) -> History {
        History::open("--schema", &self.path()).unwrap()
    }

    fn refused(&self) -> String {
        let error = History::open("--schema", &self.path()).unwrap_err();
        assert_eq!(exit::code(&error), exit::USAGE, "{error:#}");
        exit::message(&error)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }
}

fn statement(history: &mut History, place: &Position, table: &str, sql: &str, state: &State) -> Result<()> {
    history.append(Line { place, gtid: Some("g:1"), database: "d", table, sql: Some(sql), state, born: None })
}

fn begin(history: &mut History, place: &Position, selected: &[&str], tables: &[(&str, &[&str])]) {
    let tables: Vec<_> = tables.iter().map(|(table, columns)| (name(table), definition(columns))).collect();
    let tables = tables.iter().map(|(name, definition)| (name, definition));
    history.begin(place, &order(), &selection(selected), tables).unwrap();
}

fn state(history: &History, place: &Position, table: &str) -> Option<State> {
    history.at(place, &order(), |_, _| true).unwrap().remove(&name(table))
}

/// `t` begins, is altered, misunderstood, understood again, and dropped.
fn story(world: &World) -> Vec<(Position, State)> {
    let mut history = world.open();
    begin(&mut history, &at(1, 100), &["t"], &[("t", &["a"])]);
    let mut told = vec![(at(1, 100), known(&["a"]))];
    for (place, state) in [
        (at(1, 900), known(&["a", "b"])),
        (at(2, 200), State::Unknown { why: "ALTER … FROB".into() }),
        (at(10, 150), known(&["x"])),
        (at(10, 400), State::Gone),
    ] {
        statement(&mut history, &place, "t", "ALTER TABLE t ü\n", &state).unwrap();
        told.push((place, state));
    }
    history.sync().unwrap();
    told
}

#[test]
fn what_held_at_each_place() {
    let world = World::new();
    let told = story(&world);
    let history = world.open();
    assert_eq!(state(&history, &at(1, 99), "t"), None);
    for (i, (place, wanted)) in told.iter().enumerate() {
        assert_eq!(state(&history, place, "t").as_ref(), Some(wanted), "{place}");
        let last = told.get(i.wrapping_sub(1)).map(|(_, state)| state.clone());
        let before = Position { position: place.position - 1, ..place.clone() };
        assert_eq!(state(&history, &before, "t"), last, "before {place}");
    }
    // In the middle of a transaction, its beginning counts.
    let inside = Position { row: 7, ..at(1, 899) };
    assert_eq!(state(&history, &inside, "t"), Some(known(&["a"])));
    assert_eq!(state(&history, &at(3, 4), "u"), None);
}

/// The server lists its files in the log's order, whatever their names.
#[test]
fn files_are_ordered_as_the_server_lists_them() {
    let world = World::new();
    let mut history = world.open();
    for (file, column) in [("z.bin", "a"), ("a.bin", "b"), ("new.000001", "c")] {
        statement(&mut history, &Position::new(file, 50), "t", column, &known(&[column])).unwrap();
    }
    let order = FileOrder::new(["z.bin", "a.bin", "new.000001"].map(String::from).into());
    for order in [order, FileOrder::default()] {
        for (file, position, column) in [("z.bin", 60, "a"), ("a.bin", 49, "a"), ("a.bin", 50, "b")] {
            let held = history.at(&Position::new(file, position), &order, |_, _| true).unwrap();
            assert_eq!(held.get(&name("t")), Some(&known(&[column])), "{file}:{position}");
        }
        let later = history.at(&Position::new("new.000002", 4), &order, |_, _| true).unwrap();
        assert_eq!(later.get(&name("t")), Some(&known(&["c"])));
    }
}

#[test]
fn a_crash_at_any_byte_leaves_whole_lines() {
    let world = World::new();
    story(&world);
    let whole = world.text();
    for end in 0..=whole.len() {
        fs::write(world.path(), &whole.as_bytes()[..end]).unwrap();
        // A reader leaves the torn line to the writer.
        assert!(History::read(&world.path()).is_ok(), "{end}");
        assert_eq!(fs::metadata(world.path()).unwrap().len(), end as u64);
        let kept = whole[..whole.floor_char_boundary(end)].rfind('\n').map_or(0, |last| last + 1);
        drop(world.open());
        assert_eq!(world.text(), whole[..kept], "{end}");
        // A run that resumes at the beginning writes the rest again, and nothing twice.
        story(&world);
        assert_eq!(world.text(), whole, "{end}");
    }
}

#[test]
fn a_damaged_line_is_refused_with_its_number() {
    let world = World::new();
    story(&world);
    let whole = world.text();
    let lines: Vec<&str> = whole.lines().collect();
    for number in 2..=lines.len() {
        for damage in ["", "{}", "\0\0\0", r#"{"file":"bin.000001","position":4}"#, &lines[number - 1][1..]] {
            let mut lines = lines.clone();
            lines[number - 1] = damage;
            fs::write(world.path(), lines.join("\n") + "\n").unwrap();
            let says = world.refused();
            assert!(says.contains(&format!("line {number} is damaged")), "{damage}: {says}");
        }
    }
    let broken = whole.replacen(r#""type":"int""#, r#""kind":"int""#, 1);
    fs::write(world.path(), broken).unwrap();
    let error = world.open().at(&at(1, 100), &order(), |_, _| true).unwrap_err();
    assert!(exit::message(&error).contains("line 2 is damaged"), "{error:#}");
}

#[test]
fn what_is_no_history_or_a_later_one_is_refused_and_left_alone() {
    let world = World::new();
    for (text, says) in [
        ("{\"format\":\"dumpa schema history\",\"version\":2}\n", "its format has version 2"),
        ("{\"format\":\"dumpa schema history\"}\n", "names no version"),
        ("{\"file\":\"bin.000001\",\"position\":4}\n", "not a schema history"),
        ("precious", "not a schema history"),
        ("\n", "not a schema history"),
    ] {
        fs::write(world.path(), text).unwrap();
        assert!(world.refused().contains(says), "{}", world.refused());
        assert_eq!(world.text(), text);
    }
    fs::remove_file(world.path()).unwrap();
    fs::create_dir(world.path()).unwrap();
    assert!(world.refused().contains("not a regular file"));
}

#[test]
fn one_place_has_one_truth() {
    let world = World::new();
    story(&world);
    let before = world.text();
    let mut history = world.open();
    for (place, sql, now) in [
        (at(1, 900), "ALTER TABLE t ü\n", known(&["a", "c"])),
        (at(1, 900), "ALTER TABLE t\n", known(&["a", "b"])),
        (at(10, 400), "ALTER TABLE t ü\n", known(&["a"])),
        (Position { server_uuid: Some("other".into()), ..at(10, 500) }, "x", State::Gone),
    ] {
        let error = statement(&mut history, &place, "t", sql, &now).unwrap_err();
        assert_eq!(exit::code(&error), exit::USAGE, "{error:#}");
    }
    history.sync().unwrap();
    assert_eq!(world.text(), before);
    // What was not understood may be now, and the other way round.
    statement(&mut history, &at(2, 200), "t", "ALTER TABLE t ü\n", &known(&["z"])).unwrap();
    statement(&mut history, &at(1, 900), "t", "ALTER TABLE t ü\n", &State::Unknown { why: "?".into() })
        .unwrap();
    history.sync().unwrap();
    assert_eq!(state(&history, &at(2, 300), "t"), Some(known(&["z"])));
    assert_eq!(state(&history, &at(1, 900), "t"), Some(known(&["a", "b"])));
    assert_eq!(world.text().lines().count(), before.lines().count() + 1);
}

#[test]
fn a_log_that_was_reset_is_another_one() {
    let world = World::new();
    let mut history = world.open();
    let log = |created| Some(crate::position::LogId { created, server_id: 1 });
    let place = Position { log: log(1), ..at(1, 100) };
    statement(&mut history, &place, "t", "x", &State::Gone).unwrap();
    history.sync().unwrap();
    drop(history);
    let history = world.open();
    for (log, is_ok) in [(log(1), true), (None, true), (log(2), false)] {
        assert_eq!(history.check(&Position { log, ..at(1, 900) }).is_ok(), is_ok);
        assert!(history.check(&Position { log, ..at(2, 900) }).is_ok());
    }
}

#[test]
fn what_was_looked_at_and_until_where() {
    let world = World::new();
    let mut history = world.open();
    let covers = |history: &History, place: &Position, tables: &[&str]| {
        history.coverage(place, &order(), &selection(tables))
    };
    assert_eq!(covers(&history, &at(1, 100), &["t"]), Coverage::None);
    begin(&mut history, &at(1, 100), &["t*"], &[("t1", &["a"]), ("t2", &["a"])]);
    assert_eq!(covers(&history, &at(1, 99), &["t*"]), Coverage::None);
    assert_eq!(covers(&history, &at(1, 100), &["t*"]), Coverage::Complete);
    assert_eq!(covers(&history, &at(1, 100), &["t*", "u"]), Coverage::None);
    assert_eq!(covers(&history, &at(1, 101), &["t*"]), Coverage::Until(at(1, 100)));
    let followed = |history: &mut History, from: Position, to: Position, tables: &[&str]| {
        history.followed(&from, &to, &order(), &selection(tables)).unwrap();
    };
    followed(&mut history, at(1, 100), at(2, 50), &["t*"]);
    followed(&mut history, at(2, 50), at(3, 50), &["t*"]);
    // Nobody followed from 3:50 to 3:60.
    followed(&mut history, at(3, 60), at(3, 90), &["t*"]);
    assert_eq!(covers(&history, &at(2, 900), &["t*"]), Coverage::Complete);
    assert_eq!(covers(&history, &at(3, 70), &["t*"]), Coverage::Until(at(3, 50)));
    // A new beginning. t1 is as it was, t2 went meanwhile, t3 is new.
    begin(&mut history, &at(3, 65), &["t*"], &[("t1", &["a"]), ("t3", &["b"])]);
    assert_eq!(covers(&history, &at(3, 90), &["t*"]), Coverage::Complete);
    assert_eq!(covers(&history, &at(3, 62), &["t*"]), Coverage::Until(at(3, 50)));
    history.sync().unwrap();
    let text = world.text();
    assert_eq!(text.matches(r#""table":"t1""#).count(), 1, "{text}");
    assert_eq!(state(&history, &at(3, 65), "t2"), Some(State::Gone));
    assert_eq!(state(&history, &at(3, 64), "t2"), Some(known(&["a"])));
    // The same again writes nothing, nor does a run that is resumed within what is known.
    begin(&mut history, &at(3, 65), &["t*"], &[("t1", &["a"]), ("t3", &["b"])]);
    followed(&mut history, at(2, 4), at(3, 20), &["t*"]);
    history.sync().unwrap();
    assert_eq!(world.text(), text);
}

/// Without the mark after them, the lines of a beginning are not all there are.
#[test]
fn a_torn_beginning_is_not_complete() {
    let world = World::new();
    let mut history = world.open();
    begin(&mut history, &at(1, 100), &["t*"], &[("t1", &["a"]), ("t2", &["a"])]);
    history.sync().unwrap();
    drop(history);
    let text = world.text();
    fs::write(world.path(), &text[..text.len() - 1]).unwrap();
    let history = world.open();
    assert_eq!(history.coverage(&at(1, 100), &order(), &selection(&["t*"])), Coverage::None);
    assert_eq!(state(&history, &at(1, 100), "t2"), Some(known(&["a"])));
}

#[test]
fn a_tables_statements_lead_back_to_its_creation() {
    let world = World::new();
    let mut history = world.open();
    for (position, sql, now) in [
        (10, "CREATE TABLE t (a INT)", known(&["a"])),
        (20, "DROP TABLE t", State::Gone),
        (30, "CREATE TABLE t (b INT)", known(&["b"])),
        (40, "ALTER TABLE t ADD c INT", known(&["b", "c"])),
    ] {
        statement(&mut history, &at(1, position), "t", sql, &now).unwrap();
    }
    let told = |place: Position| {
        let lines = history.statements(&name("t"), &place, &order()).unwrap();
        lines.into_iter().map(|(place, sql)| (place.position, sql.unwrap())).collect::<Vec<_>>()
    };
    let (created, altered) = ("CREATE TABLE t (b INT)".to_string(), "ALTER TABLE t ADD c INT".to_string());
    assert_eq!(told(at(1, 50)), [(40, altered), (30, created)]);
    assert_eq!(told(at(1, 25)), []);
    assert_eq!(told(at(1, 15)).len(), 1);
}

#[test]
fn nothing_is_written_before_it_is_made_durable_and_one_process_writes() {
    let world = World::new();
    let mut history = world.open();
    history.sync().unwrap();
    assert!(!world.path().exists());
    statement(&mut history, &at(1, 10), "t", "x", &known(&["a"])).unwrap();
    assert!(!world.path().exists());
    assert_eq!(state(&history, &at(1, 10), "t"), Some(known(&["a"])));
    // Another run begins before there is a file.
    let mut other = world.open();
    history.sync().unwrap();
    statement(&mut other, &at(1, 10), "t", "x", &known(&["a"])).unwrap();
    let late = other.sync().unwrap_err();
    let error = History::open("--schema", &world.path()).unwrap_err();
    for error in [late, error] {
        assert_eq!(exit::code(&error), exit::FAILED);
        assert!(exit::message(&error).contains("another process keeps this schema history"), "{error:#}");
    }
    assert!(History::read(&world.path()).is_ok());
    drop(history);
    // The lock alone does not tell that the lines are another run's.
    assert!(other.sync().is_err());
    assert_eq!(world.text().lines().count(), 2);
    world.open();
}

#[test]
fn compaction_keeps_what_a_position_can_need() {
    let world = World::new();
    story(&world);
    let mut history = world.open();
    begin(&mut history, &at(1, 100), &["*"], &[("t", &["a"]), ("u", &["a"])]);
    for (from, to) in [(at(1, 100), at(2, 4)), (at(2, 4), at(10, 140)), (at(10, 140), at(10, 500))] {
        history.followed(&from, &to, &order(), &selection(&["*"])).unwrap();
    }
    history.sync().unwrap();
    let places = [at(10, 4), at(10, 139), at(10, 150), at(10, 400), at(10, 450), at(10, 900), at(11, 4)];
    let all = |history: &History| {
        places.clone().map(|place| {
            let held = history.at(&place, &order(), |_, _| true).unwrap();
            (held, history.coverage(&place, &order(), &selection(&["*"])))
        })
    };
    let (before, length) = (all(&history), world.text().len());
    assert_eq!(before[5].1, Coverage::Until(at(10, 500)));
    // Too small, then too new.
    assert!(!history.compact(&at(10, 4), &order()).unwrap());
    assert!(!history.compact_from(0, &at(1, 4), &order()).unwrap());
    assert_eq!(world.text().len(), length);
    assert!(history.compact_from(0, &at(10, 4), &order()).unwrap());
    assert!(world.text().len() < length);
    assert_eq!(all(&history), before);
    // It is still locked, can be added to, and is read as it was left.
    assert!(History::open("--schema", &world.path()).is_err());
    statement(&mut history, &at(11, 40), "t", "CREATE", &known(&["n"])).unwrap();
    history.sync().unwrap();
    drop(history);
    let mut history = world.open();
    assert_eq!(all(&history), before);
    assert_eq!(state(&history, &at(11, 40), "t"), Some(known(&["n"])));
    // Of a table that is gone, nothing stays; and what nobody followed is not complete.
    assert!(history.compact_from(0, &at(11, 4), &order()).unwrap());
    assert_eq!(state(&history, &at(11, 4), "t"), None);
    assert_eq!(history.coverage(&at(11, 4), &order(), &selection(&["*"])), Coverage::None);
    assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 1);
}

#[test]
fn a_long_history_opens_at_once() {
    let world = World::new();
    let columns: Vec<String> = (0..12).map(|i| format!("column_{i}")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let state = known(&columns);
    let sql = Some("ALTER TABLE t ADD COLUMN x INT");
    let mut text = line::header();
    for i in 0..100_000u32 {
        let (place, table) = (at(1 + i / 100, u64::from(i % 100) * 1000), format!("t{}", i % 1000));
        text +=
            &Line { place: &place, gtid: None, database: "d", table: &table, sql, state: &state, born: None }
                .written();
    }
    fs::write(world.path(), &text).unwrap();
    let began = Instant::now();
    let history = world.open();
    let opened = began.elapsed();
    let order = FileOrder::new((1..=1000).map(|file| at(file, 4).file).collect());
    let held = history.at(&at(900, 5000), &order, |_, table| table.ends_with('7')).unwrap();
    assert_eq!(held.len(), 100);
    // A release build takes a fraction of a second. This one is slow, and so may be the machine.
    assert!(began.elapsed().as_secs() < 10, "{} MB opened in {opened:?}", text.len() >> 20);
}

//! ALTER TABLE: the effects of its clauses on the table's rows and definition, and on other tables.

use super::effect::{Clause, Effect, Effects, ForeignKey, Identifier, TableChange, TableName};
use super::foreign_keys;
use super::reader::Reader;
use super::table_options;

/// Words after ADD and DROP that mean neither a column nor a unique key.
const NOT_COLUMNS: [&str; 7] = ["index", "key", "fulltext", "spatial", "foreign", "check", "partition"];
/// Likewise, in two words. The first word alone may be a column's name.
const PAIRS_NOT_COLUMNS: [[&str; 2]; 4] =
    [["vector", "index"], ["vector", "key"], ["period", "for"], VERSIONING];
const VERSIONING: [&str; 2] = ["system", "versioning"];

const DROP_PARTITION: &str = "ALTER TABLE … DROP PARTITION";

const CONVERT_PARTITION: &str = "ALTER TABLE … CONVERT PARTITION … TO TABLE";
/// On a table that MariaDB partitions by SYSTEM_TIME, these drop no current row: the partition of the current rows is
/// refused. TRUNCATE PARTITION takes it.
pub const ONLY_HISTORY: [&str; 2] = [DROP_PARTITION, CONVERT_PARTITION];
const TRUNCATE_PARTITION: &str = "ALTER TABLE … TRUNCATE PARTITION";
const IGNORE: &str = "ALTER IGNORE TABLE";
/// Changes the rows of two tables, unless both are empty.
pub const EXCHANGE: &str = "ALTER TABLE … EXCHANGE PARTITION";
/// Clauses that only delete rows: an empty table stays empty.
pub const ONLY_DELETE: [&str; 3] = [DROP_PARTITION, TRUNCATE_PARTITION, IGNORE];

/// The effects of an ALTER TABLE's clauses read so far.
#[derive(Default)]
struct Altered {
    clauses: Vec<Clause>,
    /// A clause that changes rows without row events.
    unlogged: Option<&'static str>,
    is_emptied: bool,
    renamed: Option<TableName>,
    /// The UNION of a MERGE table.
    merged: Option<Vec<TableName>>,
    versioning: Option<TableChange>,
    keys_added: Vec<ForeignKey>,
    keys_dropped: Vec<TableChange>,
    /// Effects on other tables.
    others: Effects,
    /// A clause that deletes rows if IGNORE is given.
    deletes_with_ignore: bool,
}

/// The effects of an ALTER TABLE. `reader` is after the table's name.
pub(super) fn table(name: &TableName, ignore: bool, mut reader: Reader<'_>) -> Effects {
    // MariaDB's WAIT n and NOWAIT.
    if reader.accept("wait") {
        reader.next();
    }
    reader.accept("nowait");
    // With IGNORE, rows that fit no partition are dropped.
    let mut altered = Altered { deletes_with_ignore: reader.holds("partition"), ..Altered::default() };
    while !reader.is_at_end() {
        let clause = reader.clause();
        altered.clause(clause);
    }
    if ignore && altered.deletes_with_ignore {
        altered.unlogged.get_or_insert(IGNORE);
    }
    let mut effects = vec![Effect::Table(name.clone(), TableChange::Altered(altered.clauses))];
    if altered.is_emptied {
        effects.push(Effect::Table(name.clone(), TableChange::Emptied));
    }
    effects.extend(altered.unlogged.map(|what| Effect::Table(name.clone(), TableChange::Unlogged(what))));
    effects.extend(altered.merged.map(|union| Effect::Table(name.clone(), TableChange::Merges(union))));
    effects.extend(altered.versioning.map(|change| Effect::Table(name.clone(), change)));
    effects.extend(altered.keys_dropped.into_iter().map(|change| Effect::Table(name.clone(), change)));
    if !altered.keys_added.is_empty() {
        effects.push(Effect::Table(name.clone(), TableChange::ForeignKeysAdded(altered.keys_added)));
    }
    effects.extend(altered.others);
    effects.extend(altered.renamed.map(|to| Effect::Table(name.clone(), TableChange::RenamedTo(to))));
    effects
}

/// The clauses of a CREATE INDEX: the same as of ADD INDEX. `reader` is after the table's name.
pub(super) fn add_index(unique: bool, reader: Reader<'_>) -> Vec<Clause> {
    if unique { vec![Clause::AddUniqueKey { columns: key_columns(reader) }] } else { Vec::new() }
}

/// The columns of the key whose list comes next, after its name and type. An expression has no name.
fn key_columns(mut reader: Reader<'_>) -> Vec<Identifier> {
    let mut columns = Vec::new();
    while !reader.is_at_end() {
        let Some(mut list) = reader.parenthesized() else {
            reader.next();
            continue;
        };
        while !list.is_at_end() {
            columns.push(list.clause().name().flatten());
        }
        break;
    }
    columns
}

pub(super) fn drop_index(name: Identifier) -> Clause {
    match &name {
        Some(primary) if primary.eq_ignore_ascii_case("primary") => Clause::DropPrimaryKey,
        _ => Clause::DropIndex { name },
    }
}

impl Altered {
    fn clause(&mut self, mut reader: Reader<'_>) {
        let mut options = reader;
        match reader.keyword().as_deref() {
            Some("add") => {
                if { reader }.accept_all(&VERSIONING) {
                    self.versioning = Some(TableChange::VersioningAdded);
                }
                self.keys_added.extend(foreign_keys::added(reader));
                self.add(reader);
            }
            Some("drop") if { reader }.accept_all(&VERSIONING) => {
                self.versioning = Some(TableChange::VersioningDropped);
            }
            Some("drop") => self.drop(reader),
            Some("modify") => self.modify(reader, None),
            Some("change") => self.change(reader),
            Some("rename") => self.rename(reader),
            Some("convert") => self.convert(reader),
            Some("truncate") if reader.accept("partition") => match reader.is_next(&["all"]) {
                true => self.is_emptied = true,
                false => self.unlogged = Some(TRUNCATE_PARTITION),
            },
            Some("exchange") if reader.accept("partition") => self.exchange(reader),
            // DISCARD and IMPORT are not reserved: a column may have such a name.
            Some("discard") if reader.accept_any(&["tablespace", "partition"]) => {
                self.unlogged = Some("ALTER TABLE … DISCARD TABLESPACE");
            }
            Some("import") if reader.accept_any(&["tablespace", "partition"]) => {
                self.unlogged = Some("ALTER TABLE … IMPORT TABLESPACE");
            }
            _ => {}
        }
        self.options(&mut options);
    }

    /// Reads table options, which need no commas between them.
    fn options(&mut self, reader: &mut Reader<'_>) {
        if reader.accept_any(&["add", "drop", "modify", "change", "alter", "rename", "order"]) {
            return;
        }
        while !reader.is_at_end() {
            if reader.accept("engine") {
                match table_options::engine(reader).as_deref() {
                    Some("blackhole") => self.unlogged = Some("ALTER TABLE … ENGINE=BLACKHOLE"),
                    // The rows that it had are gone.
                    Some(engine) if table_options::is_merge(engine) => {
                        self.unlogged = Some("ALTER TABLE … ENGINE=MERGE");
                        self.merged.get_or_insert_default();
                    }
                    _ => {}
                }
            } else if reader.accept("union") {
                self.unlogged = Some("ALTER TABLE … UNION");
                self.merged = Some(table_options::union(reader));
            } else if reader.accept("sequence") {
                // A table becomes a sequence, or the reverse. A column may have such a name.
                reader.accept_symbol(b'=');
                if reader.accept_any(&["0", "1"]) {
                    self.unlogged = Some("ALTER TABLE … SEQUENCE");
                }
            } else if reader.is_next(&["partition"]) {
                return;
            } else {
                reader.next();
            }
        }
    }

    fn add(&mut self, mut reader: Reader<'_>) {
        let is_constraint = reader.accept("constraint");
        if is_constraint {
            reader.accept_all(&["if", "not", "exists"]);
            // The name is optional.
            if !reader.is_next(&["primary", "unique", "foreign", "check"]) {
                reader.next();
            }
        }
        if reader.accept_all(&["primary", "key"]) {
            self.clauses.push(Clause::AddPrimaryKey { columns: key_columns(reader) });
            self.deletes_with_ignore = true;
        } else if reader.accept("unique") {
            self.clauses.push(Clause::AddUniqueKey { columns: key_columns(reader) });
            self.deletes_with_ignore = true;
        } else if reader.accept("check") {
            self.deletes_with_ignore = true;
        } else if !is_constraint && !is_no_column(reader) {
            reader.accept("column");
            reader.accept_all(&["if", "not", "exists"]);
            match reader.parenthesized() {
                Some(mut list) => {
                    while !list.is_at_end() {
                        let definition = list.clause();
                        self.add_listed(definition);
                    }
                }
                None => self.add_column(reader),
            }
        }
    }

    /// One definition of ADD (…, …), of a column or a key.
    fn add_listed(&mut self, definition: Reader<'_>) {
        if definition.is_next(&["constraint", "primary", "unique"]) || is_no_column(definition) {
            self.add(definition);
        } else {
            self.add_column(definition);
        }
    }

    fn add_column(&mut self, mut definition: Reader<'_>) {
        let Some(name) = definition.name() else { return };
        self.clauses.push(Clause::AddColumn { name: name.clone() });
        self.keys_of(name, definition);
    }

    /// The keys in a column's definition.
    fn keys_of(&mut self, column: Identifier, definition: Reader<'_>) {
        let columns = vec![column];
        let is_unique = definition.holds("unique") || definition.holds("serial");
        if definition.holds("primary") || definition.holds("key") && !is_unique {
            self.clauses.push(Clause::AddPrimaryKey { columns });
            self.deletes_with_ignore = true;
        } else if is_unique {
            self.clauses.push(Clause::AddUniqueKey { columns });
            self.deletes_with_ignore = true;
        }
    }

    fn drop(&mut self, mut reader: Reader<'_>) {
        if reader.accept("partition") {
            self.unlogged = Some(DROP_PARTITION);
        } else if reader.accept_all(&["primary", "key"]) {
            self.clauses.push(Clause::DropPrimaryKey);
        } else if reader.accept_all(&["foreign", "key"]) {
            reader.accept_all(&["if", "exists"]);
            self.drop_foreign_key(reader.name(), false);
        } else if reader.is_next(&["index", "key", "constraint"]) {
            // A constraint may be a unique key, or a foreign key.
            let is_constraint = reader.accept("constraint") || !reader.accept_any(&["index", "key"]);
            reader.accept_all(&["if", "exists"]);
            let name = reader.name();
            if is_constraint {
                self.drop_foreign_key(name.clone(), true);
            }
            self.clauses.extend(name.map(drop_index));
        } else if !is_no_column(reader) {
            reader.accept("column");
            reader.accept_all(&["if", "exists"]);
            let Some(name) = reader.name() else { return };
            self.clauses.push(Clause::DropColumn { name });
            // A unique key without the column may have duplicates.
            self.deletes_with_ignore = true;
        }
    }

    fn drop_foreign_key(&mut self, name: Option<Identifier>, may_be_other: bool) {
        self.keys_dropped.extend(name.map(|name| TableChange::ForeignKeyDropped { name, may_be_other }));
    }

    /// `CHANGE [COLUMN] c d …`
    fn change(&mut self, mut reader: Reader<'_>) {
        reader.accept("column");
        reader.accept_all(&["if", "exists"]);
        let from = reader.name();
        self.modify(reader, from);
    }

    /// `MODIFY [COLUMN] c …`, or the rest of CHANGE after the old name.
    fn modify(&mut self, mut reader: Reader<'_>, old_name: Option<Identifier>) {
        if old_name.is_none() {
            reader.accept("column");
            reader.accept_all(&["if", "exists"]);
        }
        let Some(to) = reader.name() else { return };
        let definition = reader;
        let type_word = type_word(reader);
        let from = old_name.unwrap_or_else(|| to.clone());
        let not_null =
            type_word == "serial" || definition.holds_all(&["not", "null"]) || definition.holds("primary");
        let moves = definition.holds("first") || definition.holds("after");
        self.clauses.push(Clause::ChangeColumn { from, to: to.clone(), type_word, not_null, moves });
        self.keys_of(to, definition);
        self.deletes_with_ignore = true;
    }

    fn rename(&mut self, mut reader: Reader<'_>) {
        if reader.accept("column") {
            reader.accept_all(&["if", "exists"]);
            let from = reader.name();
            reader.accept("to");
            if let Some((from, to)) = from.zip(reader.name()) {
                self.clauses.push(Clause::RenameColumn { from, to });
            }
        } else if !reader.accept_any(&["index", "key"]) {
            if !reader.accept_any(&["to", "as"]) {
                reader.accept_symbol(b'=');
            }
            self.renamed = reader.table().or(self.renamed.take());
        }
    }

    /// CONVERT TO CHARACTER SET; CONVERT TABLE t TO PARTITION p …; CONVERT PARTITION p TO TABLE t
    fn convert(&mut self, mut reader: Reader<'_>) {
        if reader.accept("table") {
            self.unlogged = Some("ALTER TABLE … CONVERT TABLE … TO PARTITION");
            if let Some(other) = reader.table() {
                self.others.push(Effect::Table(other, TableChange::Gone));
            }
        } else if reader.accept("partition") {
            let what = CONVERT_PARTITION;
            self.unlogged = Some(what);
            reader.skip_past("to");
            reader.accept("table");
            if let Some(other) = reader.table() {
                self.others.push(Effect::Table(other, TableChange::Unlogged(what)));
            }
        } else if reader.accept("to") {
            self.clauses.push(Clause::ConvertCharset);
            self.deletes_with_ignore = true;
        }
    }

    /// EXCHANGE PARTITION p WITH TABLE t
    fn exchange(&mut self, mut reader: Reader<'_>) {
        let what = EXCHANGE;
        self.unlogged = Some(what);
        // The partition's name.
        reader.next();
        if reader.accept_all(&["with", "table"])
            && let Some(other) = reader.table()
        {
            self.others.push(Effect::Table(other, TableChange::Unlogged(what)));
        }
    }
}

/// The first word of a type, in lower case; `varchar` for its synonyms of several words.
fn type_word(mut definition: Reader<'_>) -> String {
    let first = definition.keyword().unwrap_or_default();
    if matches!(&*first, "national" | "nchar" | "char" | "character" | "long") {
        // NATIONAL CHARACTER VARYING, NCHAR VARCHAR, LONG VARCHAR and the like.
        definition.accept_any(&["char", "character"]);
        if definition.is_next(&["varying", "varchar", "varcharacter"]) {
            return "varchar".to_string();
        }
    }
    // That makes it BINARY, VARBINARY or BLOB.
    if definition.holds_all(&["character", "set", "binary"]) || definition.holds_all(&["charset", "binary"]) {
        return format!("{first} character set binary");
    }
    first
}

/// Whether ADD or DROP is not about a column.
fn is_no_column(reader: Reader<'_>) -> bool {
    reader.is_next(&NOT_COLUMNS) || PAIRS_NOT_COLUMNS.iter().any(|pair| { reader }.accept_all(pair))
}

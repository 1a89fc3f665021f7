//! The clauses of ALTER TABLE, as steps from one definition to the next.

use super::column::{column, name};
use super::create::TableOptions;
use super::key::{key, parts};
use super::{CharsetSpec, ColumnPlace, ColumnSpec, KeySort, KeySpec, NotUnderstood, Understood};
use crate::sql::reader::Reader;

/// A clause of ALTER TABLE, or another statement's part that does the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    AddColumn {
        column: ColumnSpec,
        place: Option<ColumnPlace>,
        if_not_exists: bool,
    },
    /// MODIFY, or CHANGE of a column called `from`.
    ChangeColumn {
        from: String,
        column: ColumnSpec,
        place: Option<ColumnPlace>,
        if_exists: bool,
    },
    DropColumn {
        name: String,
        if_exists: bool,
    },
    RenameColumn {
        from: String,
        to: String,
        if_exists: bool,
    },
    SetInvisible {
        column: String,
        invisible: bool,
    },
    AddKey {
        key: KeySpec,
        if_not_exists: bool,
        replaces: bool,
    },
    DropKey {
        name: String,
        if_exists: bool,
        /// DROP CONSTRAINT: it may be another constraint.
        may_be_other: bool,
    },
    RenameKey {
        from: String,
        to: String,
    },
    /// `None`: to the character set that the database has.
    ConvertTo(Option<String>),
    Options(TableOptions),
}

/// Reads the clauses of an ALTER TABLE. `reader` is after the table's name.
///
/// # Errors
/// When some of it is not understood.
pub(super) fn steps(mut reader: Reader<'_>) -> Understood<Vec<Step>> {
    if reader.accept("wait") {
        reader.next();
    }
    reader.accept("nowait");
    let mut steps = Vec::new();
    while !reader.is_at_end() {
        clause(reader.clause(), &mut steps)?;
    }
    Ok(steps)
}

/// CREATE INDEX. `reader` is after the table's name.
pub(super) fn index(
    kind: KeySort,
    name: Option<String>,
    if_not_exists: bool,
    replaces: bool,
    mut reader: Reader<'_>,
) -> Understood<Vec<Step>> {
    let key = KeySpec { name, kind, columns: parts(&mut reader)? };
    Ok(vec![Step::AddKey { key, if_not_exists, replaces }])
}

/// DROP INDEX.
pub(super) fn dropped_index(name: Option<String>, if_exists: bool) -> Understood<Vec<Step>> {
    let name = name.ok_or_else(|| NotUnderstood("the name of an index".into()))?;
    Ok(vec![Step::DropKey { name, if_exists, may_be_other: false }])
}

fn clause(mut reader: Reader<'_>, steps: &mut Vec<Step>) -> Understood<()> {
    let before = reader;
    match reader.keyword().as_deref() {
        Some("add") => return add(reader, steps),
        Some("drop") => return drop(reader, steps),
        Some("modify") => return change(reader, false, steps),
        Some("change") => return change(reader, true, steps),
        Some("rename") => return rename(reader, steps),
        Some("alter") => return alter(reader, steps),
        Some("convert") if reader.accept("to") => return convert(reader, steps),
        // CONVERT PARTITION and CONVERT TABLE leave the columns alone, as all about partitions and tablespaces does.
        Some(
            "convert" | "truncate" | "exchange" | "discard" | "import" | "reorganize" | "coalesce"
            | "rebuild" | "optimize" | "analyze" | "check" | "repair" | "order" | "force" | "enable"
            | "disable" | "algorithm" | "lock" | "validation" | "upgrade",
        ) => return Ok(()),
        Some("with" | "without") if reader.accept("validation") => return Ok(()),
        Some("remove") if reader.accept("partitioning") => return Ok(()),
        Some("secondary_load" | "secondary_unload") => return Ok(()),
        _ => {}
    }
    let mut options = TableOptions::default();
    let mut reader = before;
    options.read(&mut reader)?;
    steps.push(Step::Options(options));
    Ok(())
}

fn add(mut reader: Reader<'_>, steps: &mut Vec<Step>) -> Understood<()> {
    if reader.accept("partition") {
        return Ok(());
    }
    if { reader }.accept_all(&["system", "versioning"]) || { reader }.accept_all(&["period", "for"]) {
        return Err(NotUnderstood("ADD SYSTEM VERSIONING or PERIOD".into()));
    }
    let if_not_exists = is_conditional(reader);
    if let Some(key) = key(&mut reader)? {
        steps.extend(key.map(|key| Step::AddKey { key, if_not_exists, replaces: false }));
        return Ok(());
    }
    reader.accept("column");
    let if_not_exists = reader.accept_all(&["if", "not", "exists"]);
    let Some(mut list) = reader.parenthesized() else {
        return add_column(reader, if_not_exists, steps);
    };
    while !list.is_at_end() {
        let mut item = list.clause();
        if let Some(key) = key(&mut item)? {
            steps.extend(key.map(|key| Step::AddKey { key, if_not_exists, replaces: false }));
        } else {
            add_column(item, if_not_exists, steps)?;
        }
    }
    Ok(())
}

fn add_column(mut reader: Reader<'_>, if_not_exists: bool, steps: &mut Vec<Step>) -> Understood<()> {
    let (column, place) = column(&mut reader)?;
    // Whether the keys come with a column that exists is not known.
    if if_not_exists && column.keys().next().is_some() {
        return Err(NotUnderstood("a key in ADD COLUMN IF NOT EXISTS".into()));
    }
    let keys: Vec<KeySpec> = column.keys().collect();
    steps.push(Step::AddColumn { column, place, if_not_exists });
    steps.extend(keys.into_iter().map(|key| Step::AddKey { key, if_not_exists: false, replaces: false }));
    Ok(())
}

/// IF NOT EXISTS, behind the words that say what is added.
fn is_conditional(mut reader: Reader<'_>) -> bool {
    while reader.accept_any(&[
        "constraint",
        "unique",
        "foreign",
        "primary",
        "index",
        "key",
        "fulltext",
        "spatial",
    ]) {}
    reader.accept_all(&["if", "not", "exists"])
}

fn drop(mut reader: Reader<'_>, steps: &mut Vec<Step>) -> Understood<()> {
    if reader.accept("partition") || reader.accept_all(&["foreign", "key"]) || reader.accept("check") {
        return Ok(());
    }
    if { reader }.accept_all(&["system", "versioning"]) || { reader }.accept_all(&["period", "for"]) {
        return Err(NotUnderstood("DROP SYSTEM VERSIONING or PERIOD".into()));
    }
    if reader.accept_all(&["primary", "key"]) {
        steps.push(Step::DropKey { name: "PRIMARY".into(), if_exists: false, may_be_other: false });
        return Ok(());
    }
    if reader.is_next(&["index", "key", "constraint"]) {
        let may_be_other = reader.accept("constraint");
        reader.accept_any(&["index", "key"]);
        let if_exists = reader.accept_all(&["if", "exists"]);
        let name = name(&mut reader, "an index")?;
        steps.push(Step::DropKey { name, if_exists, may_be_other });
        return Ok(());
    }
    reader.accept("column");
    let if_exists = reader.accept_all(&["if", "exists"]);
    steps.push(Step::DropColumn { name: name(&mut reader, "a column")?, if_exists });
    Ok(())
}

fn change(mut reader: Reader<'_>, renames: bool, steps: &mut Vec<Step>) -> Understood<()> {
    reader.accept("column");
    let if_exists = reader.accept_all(&["if", "exists"]);
    let from = if renames { Some(name(&mut reader, "a column")?) } else { None };
    let (column, place) = column(&mut reader)?;
    if if_exists && column.keys().next().is_some() {
        return Err(NotUnderstood("a key in MODIFY COLUMN IF EXISTS".into()));
    }
    let from = from.unwrap_or_else(|| column.name.clone());
    let keys: Vec<KeySpec> = column.keys().collect();
    steps.push(Step::ChangeColumn { from, column, place, if_exists });
    steps.extend(keys.into_iter().map(|key| Step::AddKey { key, if_not_exists: false, replaces: false }));
    Ok(())
}

fn rename(mut reader: Reader<'_>, steps: &mut Vec<Step>) -> Understood<()> {
    if reader.accept("column") {
        let if_exists = reader.accept_all(&["if", "exists"]);
        let from = name(&mut reader, "a column")?;
        reader.accept("to");
        steps.push(Step::RenameColumn { from, to: name(&mut reader, "a column")?, if_exists });
    } else if reader.accept_any(&["index", "key"]) {
        reader.accept_all(&["if", "exists"]);
        let from = name(&mut reader, "an index")?;
        reader.accept("to");
        steps.push(Step::RenameKey { from, to: name(&mut reader, "an index")? });
    }
    // The table's new name is an effect.
    Ok(())
}

/// `ALTER [COLUMN] c SET DEFAULT …`, `ALTER INDEX i INVISIBLE` and the like.
fn alter(mut reader: Reader<'_>, steps: &mut Vec<Step>) -> Understood<()> {
    if reader.is_next(&["index", "key", "check", "constraint"]) {
        return Ok(());
    }
    reader.accept("column");
    reader.accept_all(&["if", "exists"]);
    let column = name(&mut reader, "a column")?;
    if reader.accept_all(&["set", "invisible"]) {
        steps.push(Step::SetInvisible { column, invisible: true });
    } else if reader.accept_all(&["set", "visible"]) {
        steps.push(Step::SetInvisible { column, invisible: false });
    }
    Ok(())
}

/// CONVERT TO CHARACTER SET x [COLLATE y]
fn convert(mut reader: Reader<'_>, steps: &mut Vec<Step>) -> Understood<()> {
    if !super::column_type::accept_charset(&mut reader) {
        return Err(NotUnderstood("CONVERT TO".into()));
    }
    let charset = match super::column_type::named(&mut reader)? {
        CharsetSpec::Named(name) => Some(name),
        CharsetSpec::OfDatabase | CharsetSpec::Inherited => None,
    };
    let charset = match (charset, reader.accept("collate")) {
        (None, true) => match super::column_type::of_collation(&mut reader)? {
            CharsetSpec::Named(name) => Some(name),
            _ => None,
        },
        (charset, _) => charset,
    };
    steps.push(Step::ConvertTo(charset));
    // Further options need no comma.
    let mut options = TableOptions::default();
    options.read(&mut reader)?;
    if options != TableOptions::default() {
        steps.push(Step::Options(options));
    }
    Ok(())
}

//! The schema history of a command: where it is, and its beginnings from the catalog.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use mysql::Conn;

use crate::exit::usage;
use crate::position::{FileOrder, Position, SaveFile};
use crate::schema::catalog::Catalog;
use crate::schema::definition::Definition;
use crate::schema::history::{History, beside};
use crate::schema::known::FullName;
use crate::schema::selection::Selection;
use crate::schema::table_search::{self, Missing, Search};
use crate::server::{Server, binary_log};

/// How often to ask again because tables were altered meanwhile.
const TRIES: u32 = 10;
/// A name that matches nothing is an error.
pub const SEARCH: Search = Search { estimates: false, missing: Missing::IsAnError { advice: "" } };

/// The history that `--schema` names, else the one beside the file of `--save`.
///
/// # Errors
/// Exit 2 when it cannot be kept there; exit 1 when another process keeps it.
pub fn open(schema: Option<&Path>, save: Option<(&Path, &SaveFile)>) -> Result<Option<History>> {
    let path: PathBuf = match (schema, save) {
        (Some(path), _) => path.to_path_buf(),
        (None, Some((path, _))) => beside(path),
        (None, None) => return Ok(None),
    };
    let history = History::open("--schema", &path)?;
    if save.is_some_and(|(_, save)| history.target() == Some(save.path())) {
        return Err(usage(format!("--schema {}: the file of --save is another", path.display())));
    }
    Ok(Some(history))
}

/// The history beside the file of a position, if there is one and it is not the one that is kept.
///
/// # Errors
/// Exit 2 when it is damaged or cannot be read.
pub fn beside_position(from: Option<&str>, kept: Option<&History>) -> Result<Option<History>> {
    let Some(from) = from.map(Path::new).filter(|from| from.is_file()) else { return Ok(None) };
    let path = beside(from);
    let Ok(target) = path.canonicalize() else { return Ok(None) };
    match kept.is_some_and(|kept| kept.target() == Some(&*target)) {
        true => Ok(None),
        false => History::read(&path).map(Some),
    }
}

/// Makes the definitions that the catalog has at a place durable.
pub fn begin(
    history: &mut History,
    conn: &mut Conn,
    server: &Server,
    place: &Position,
    selection: &Selection,
    tables: &[(FullName, Definition)],
) -> Result<()> {
    history.check(place)?;
    let order = compact(history, conn, server)?;
    history.begin(place, &order, selection, tables.iter().map(|(name, definition)| (name, definition)))?;
    history.sync()
}

/// Leaves out what no run can need again. Returns the order of the log's files. If the account may not list them, their numbers
/// decide, and nothing goes.
pub fn compact(history: &mut History, conn: &mut Conn, server: &Server) -> Result<FileOrder> {
    let files = binary_log::files(conn, server).unwrap_or_default();
    let earliest = files.first().map(|file| Position::new(file.clone(), 4));
    let order = FileOrder::new(files);
    if let Some(earliest) = earliest {
        history.compact(&earliest, &order)?;
    }
    Ok(order)
}

/// Where the log ends, and the definitions of the selected tables there.
pub fn position_with_definitions(
    conn: &mut Conn,
    server: &Server,
    catalog: &mut Catalog,
    selection: &Selection,
) -> Result<(Position, Vec<(FullName, Definition)>)> {
    let mut before = definitions(catalog, selection)?;
    for _ in 0..TRIES {
        // A statement that is under way is in the log and in the catalog, or in neither, when the table can be read again.
        let position = binary_log::end(conn, server)?;
        let after = definitions(catalog, selection)?;
        if before == after {
            return Ok((position, after));
        }
        before = after;
    }
    Err(anyhow!("tables were altered each time the position was asked for ({TRIES} times): try again later"))
}

fn definitions(catalog: &mut Catalog, selection: &Selection) -> Result<Vec<(FullName, Definition)>> {
    catalog.forget(&|_, _| true);
    let mut all = Vec::new();
    for found in table_search::wanted(catalog, selection, SEARCH)? {
        // One that went meanwhile is missing the next time, too.
        if let Some(definition) = catalog.definition(&found.database, &found.table)? {
            all.push(((found.database, found.table), definition));
        }
    }
    Ok(all)
}

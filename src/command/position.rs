//! `dumpa position`: where the log ends now.

use anyhow::Result;

use super::{history, identify, resolve, without_database};
use crate::cli::PositionArgs;
use crate::exit;
use crate::output::Output;
use crate::position::SaveFile;
use crate::schema::catalog::Catalog;
use crate::schema::selection::Selection;
use crate::schema::table_search;
use crate::server::{binary_log, connect};
use crate::source::network::Network;

pub fn run(args: &PositionArgs) -> Result<u8> {
    let save = args.save.as_deref().map(SaveFile::new).transpose()?;
    let given = resolve(&args.connection)?;
    let database = given.database.as_deref();
    // Without a selection there is no table to keep the history of.
    let selection = match args.tables.is_empty() && database.is_none() && args.schema.is_none() {
        true => None,
        false => Some(Selection::new(&args.tables, database)?),
    };
    let mut kept = match selection.is_some() {
        true => history::open(args.schema.as_deref(), args.save.as_deref().zip(save.as_ref()))?,
        false => None,
    };
    let options = without_database(&given);
    let mut conn = connect(&options)?;
    let server = identify(&mut conn)?;
    let selection = selection.map(|selection| match server.lower_case_names {
        true => selection.lower_case(),
        false => selection,
    });
    let (mut position, mut tables) = (None, Vec::new());
    if let Some(selection) = &selection {
        let mut catalog = Catalog::new(connect(&options)?, &server)?;
        if kept.is_some() {
            let (end, definitions) =
                history::position_with_definitions(&mut conn, &server, &mut catalog, selection)?;
            (position, tables) = (Some(end), definitions);
        } else {
            table_search::wanted(&mut catalog, selection, history::SEARCH)?;
        }
    }
    let position = position.map_or_else(|| binary_log::end(&mut conn, &server), Ok)?;
    let position = Network { options, server: server.clone(), server_id: 0 }.identify(position);
    if let (Some(kept), Some(selection)) = (&mut kept, &selection) {
        history::begin(kept, &mut conn, &server, &position, selection, &tables)?;
    }
    let mut output = Output::stdout();
    output.buffer.extend_from_slice(position.to_json().to_string().as_bytes());
    output.buffer.push(b'\n');
    output.flush()?;
    if let Some(save) = save {
        save.save(&position)?;
    }
    Ok(exit::DONE)
}

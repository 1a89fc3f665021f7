//! `dumpa position`: where the log ends now.

use anyhow::Result;

use super::log_in;
use crate::cli::PositionArgs;
use crate::exit;
use crate::output::Output;
use crate::position::SaveFile;
use crate::server::binary_log;
use crate::source::network::Network;

pub fn run(args: &PositionArgs) -> Result<u8> {
    let save = args.save.as_deref().map(SaveFile::new).transpose()?;
    let (options, mut conn, server) = log_in(&args.connection)?;
    let position = binary_log::end(&mut conn, &server)?;
    let position = Network { options, server, server_id: 0 }.identify(position);
    let mut output = Output::stdout();
    output.buffer.extend_from_slice(position.to_json().to_string().as_bytes());
    output.buffer.push(b'\n');
    output.flush()?;
    if let Some(save) = save {
        save.save(&position)?;
    }
    Ok(exit::DONE)
}

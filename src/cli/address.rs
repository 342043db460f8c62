//! `kkv address`: the key of the onion address, kept elsewhere, brought back, or exchanged for a new one.

pub(super) mod arguments;

use super::embedded::address;
use super::output::require_output;
use crate::tor::TorMode;
use arguments::AddressCommand;
use kkv_ui::error::CliError;

/// Runs one of the commands.
pub(super) async fn run(command: AddressCommand) -> Result<(), CliError> {
    let (AddressCommand::Backup { place, .. }
    | AddressCommand::Restore { place, .. }
    | AddressCommand::New { place, .. }) = &command;
    // The address is what these print. Before anything is asked or done.
    if !matches!(command, AddressCommand::Backup { .. }) {
        require_output("nothing was done")?;
    }
    match place.tor {
        TorMode::Embedded => address::run(command).await,
        TorMode::External => Err(address::kept_inside().unwrap_or_else(|| {
            CliError::usage("a system Tor (--tor external) keeps the key of the address itself").hint(
                "It is in that Tor's HiddenServiceDir (torrc.example: /var/lib/tor/kkv). Stop Tor and, as root, \
                 copy that directory (cp -a) to keep or move the address, or move it away for a new one.",
            )
        })),
        TorMode::Off => Err(CliError::usage("with --tor off there is no address")),
    }
}

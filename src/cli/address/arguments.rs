//! The arguments of `kkv address`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::super::build::mode;
use super::super::value_parsers::named_file;
use crate::tor::TorMode;

/// What is done with the address.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AddressCommand {
    /// Write the key of your address to a new file, encrypted with a passphrase
    Backup {
        /// The file, which must not exist yet
        #[arg(value_parser = named_file())]
        file: PathBuf,
        #[command(flatten)]
        place: KeyArgs,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Take the address from such a file, here or on another machine
    Restore {
        /// The file
        #[arg(value_parser = named_file())]
        file: PathBuf,
        /// Also if there is an address already, which is gone then unless it has a backup as well
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        place: KeyArgs,
        #[command(flatten)]
        passphrase: PassphraseArgs,
    },
    /// Make a new address. The old one is gone then unless it has a backup
    New {
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        place: KeyArgs,
    },
}

/// Where the key is.
#[derive(Debug, Args)]
#[group(skip)]
pub(in crate::cli) struct KeyArgs {
    /// Directory for Tor's files [default: $XDG_STATE_HOME/kkv, or ~/.local/state/kkv]
    #[arg(long, value_name = "DIR", value_parser = named_file())]
    pub(in crate::cli) state_dir: Option<PathBuf>,

    /// Settings for the Tor inside, as arti writes them (TOML)
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub(in crate::cli) tor_config: Option<PathBuf>,

    /// Whose onion service it is: 'embedded' (that of the Tor inside) or 'external' (a system Tor's, which keeps its
    /// key itself)
    #[arg(long, value_name = "WAY", default_value_t = crate::tor::DEFAULT_MODE, value_parser = mode)]
    pub(in crate::cli) tor: TorMode,
}

/// What the backup is opened with.
#[derive(Debug, Args)]
#[group(skip)]
pub(in crate::cli) struct PassphraseArgs {
    /// File with its passphrase in one line, of mode 0600 [default: ask for it]
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub(in crate::cli) passphrase_file: Option<PathBuf>,
}

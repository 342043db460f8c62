//! The options of the embedded Tor. They are apart from what is done with them because a build without it describes
//! them, too, where the manual is written (`man.rs`).

use std::path::PathBuf;

use clap::Args;

use crate::cli::value_parsers::named_file;
use crate::tor::AccessKey;

/// What both programs take.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct TorArgs {
    /// Directory for Tor's files [default: $XDG_STATE_HOME/kkv, or ~/.local/state/kkv]
    #[arg(long, value_name = "DIR", value_parser = named_file())]
    pub(in crate::cli) state_dir: Option<PathBuf>,

    /// Settings for the Tor inside, as arti writes them (TOML)
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub(in crate::cli) tor_config: Option<PathBuf>,
}

/// What `kkv` takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tor inside")]
pub(in crate::cli) struct RelayArgs {
    #[command(flatten)]
    pub(in crate::cli) files: TorArgs,

    /// Use an address that lives and dies with this run, and keep all of Tor's files in memory
    #[arg(long, conflicts_with = "state_dir")]
    pub(in crate::cli) ephemeral: bool,

    /// Let in only whom this key belongs to, made with `kkvc key`; may be given several times
    #[arg(long, value_name = "KEY")]
    pub(in crate::cli) allow: Vec<AccessKey>,
}

/// What `kkvc send` takes.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Tor inside")]
pub(in crate::cli) struct SenderArgs {
    #[command(flatten)]
    pub(in crate::cli) files: TorArgs,

    /// Key to a closed inbox, made with `kkvc key`
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub(in crate::cli) key: Option<PathBuf>,
}

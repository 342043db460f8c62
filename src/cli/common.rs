//! What every command of `kkvc` takes, and what follows from it.

use std::path::PathBuf;

use clap::Args;

use super::book::Contacts;
use super::build::way;
use super::value_parsers::{SOCKET_HELP, named_file};
use crate::tor::TorWay;
use kkv_client::owner::{Client, ClientError};
use kkv_terminal::stderr::{Verbosity, verbose};
use kkv_terminal::visible::OneLine;
use kkv_ui::error::CliError;

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "For every command")]
pub(super) struct Common {
    /// Print JSON, in ASCII, instead of text for people
    #[arg(long, global = true)]
    pub(super) json: bool,

    #[arg(long, global = true, value_name = "PATH", help = format!("Socket of your kkv {SOCKET_HELP}; if nothing is there, /run/kkv/kkv.sock of a service"), value_parser = named_file())]
    pub(super) socket: Option<PathBuf>,

    /// How to get onto Tor: 'embedded' (Tor inside), or the SOCKS port of one that runs, socks5://127.0.0.1:9050
    #[arg(long, global = true, value_name = "WAY", default_value_t = TorWay::DEFAULT, value_parser = way)]
    pub(super) tor: TorWay,

    /// File of your contacts, encrypted with a passphrase; made by the first `contact add`
    #[arg(long, global = true, value_name = "FILE", value_parser = named_file())]
    pub(super) contacts: Option<PathBuf>,

    /// File with that passphrase, in one line [default: it is asked for]
    #[arg(long, global = true, value_name = "FILE", value_parser = named_file())]
    pub(super) passphrase_file: Option<PathBuf>,

    /// Say nothing but what was asked for and what has gone wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,

    /// Say more of how it is done
    #[arg(short, long, global = true)]
    verbose: bool,

    /// Use no colours, as with NO_COLOR in the environment
    #[arg(long, global = true)]
    // Looked for before anything is parsed: see `arguments::init_colour`.
    no_color: bool,
}

impl Common {
    /// A client for one run of the relay: a number that was looked up, or asked about, is of that run.
    pub(super) fn client(&self) -> Result<Client, CliError> {
        Ok(self.open()?.of_one_run())
    }

    /// The same, for who goes by what is wrong.
    pub(super) fn open(&self) -> Result<Client, ClientError> {
        let client = match &self.socket {
            Some(socket) => Client::new(socket)?,
            None => Client::by_default()?,
        };
        verbose(format_args!(
            "Asking the kkv at {}.",
            OneLine(&client.socket().to_string_lossy())
        ));
        Ok(client)
    }

    /// Refuses what would do nothing. A variable may lie there for other commands.
    pub(super) fn must_fit_together(&self) -> Result<(), CliError> {
        if self.contacts.is_none() && is_typed("--passphrase-file") {
            return Err(CliError::usage(
                "--passphrase-file is for the file that --contacts names",
            ));
        }
        Ok(())
    }

    pub(super) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, false) => Verbosity::Normal,
            (false, true) => Verbosity::Verbose,
        }
    }

    pub(super) fn contacts(&self) -> Option<Contacts<'_>> {
        let path = self.contacts.as_deref()?;
        Some(Contacts {
            path,
            typed: is_typed("--contacts"),
            passphrase_file: self.passphrase_file.as_deref(),
        })
    }
}

/// Whether the command line itself has this option, and not a variable of the environment.
pub(super) fn is_typed(option: &str) -> bool {
    std::env::args_os().any(|word| word.to_string_lossy().split('=').next() == Some(option))
}

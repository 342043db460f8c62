//! Stands for the Tor inside in a build without it (without the feature `embedded-tor`): it takes no arguments, and
//! can't be started.

/// The options that there would be.
#[path = "arguments.rs"]
#[allow(dead_code, reason = "they are described, not taken")]
pub(super) mod arguments;

use std::path::Path;

use axum::Router;
use clap::Args;
use tokio::sync::watch;

use crate::tor::{TorMode, TorState};
use kkv_protocol::onion::OnionAddress;
use kkv_ui::error::CliError;
use kkv_ui::tor::{TorOptions, without_embedded_tor};

/// What there would be to keep.
pub(super) mod address {
    use super::super::address::arguments::AddressCommand;
    use kkv_ui::error::CliError;

    pub(in crate::cli) async fn run(_: AddressCommand) -> Result<(), CliError> {
        Err(
            CliError::usage("this kkv was built without Tor inside, so it keeps no address")
                .hint("A system Tor keeps it: kkv address new --tor external says where."),
        )
    }
}

/// There is nothing to start from.
pub(super) enum TorSetup {}

impl TorSetup {
    pub(super) fn state_dir(&self) -> &Path {
        match *self {}
    }

    pub(super) fn removed_from(&self) -> Option<&Path> {
        match *self {}
    }
}

/// `kkv` takes nothing more.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct RelayArgs {}

impl RelayArgs {
    pub(super) fn prepare(&self, tor: TorMode) -> Result<Option<TorSetup>, CliError> {
        match tor {
            TorMode::Embedded => Err(without_embedded_tor("kkv", "")),
            TorMode::External | TorMode::Off => Ok(None),
        }
    }
}

/// There is none.
pub(super) enum PublishedService {}

impl PublishedService {
    pub(super) async fn publish(setup: &TorSetup, _: &RelayArgs) -> Result<Self, CliError> {
        match *setup {}
    }

    pub(super) fn address(&self) -> OnionAddress {
        match *self {}
    }

    pub(super) fn state(&self) -> watch::Receiver<TorState> {
        match *self {}
    }

    pub(super) async fn serve(self, _: Router) -> kkv_net::http::AcceptStopped {
        match self {}
    }
}

/// `kkvc send` takes nothing more.
#[derive(Debug, Default, Args)]
#[group(skip)]
pub(super) struct SenderArgs {}

impl SenderArgs {
    /// This build takes no options.
    pub(super) fn options(&self) -> TorOptions {
        TorOptions::default()
    }

    pub(super) fn must_be_unused(&self, _: &str) -> Result<(), CliError> {
        Ok(())
    }
}

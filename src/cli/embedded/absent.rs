//! Stands for the Tor inside in a build without it (without the feature `embedded-tor`): it takes no arguments, and
//! can't be started.

/// The options that there would be.
#[path = "arguments.rs"]
#[allow(dead_code, reason = "they are described, not taken")]
pub(super) mod arguments;

use std::path::{Path, PathBuf};

use clap::Args;
use tokio::sync::watch;

use crate::tor::{TorMode, TorState};
use kkv_net::tor::own_address;
use kkv_protocol::onion::OnionAddress;
use kkv_terminal::stderr::warn;
use kkv_terminal::visible::quoted;
use kkv_ui::error::CliError;
use kkv_ui::tor::{TorOptions, without_embedded_tor};

/// The directory with the key of an address of one's own, which only a Tor inside would serve.
fn unserved() -> Option<PathBuf> {
    let named = std::env::var_os("KKV_STATE_DIR").filter(|named| !named.is_empty());
    let directory =
        named.map_or_else(own_address::default_state_dir, |named| Some(named.into()))?;
    own_address::has_address(&directory).then_some(directory)
}

/// What there would be to keep.
pub(super) mod address {
    use super::super::address::arguments::AddressCommand;
    use super::unserved;
    use kkv_terminal::visible::quoted;
    use kkv_ui::error::CliError;

    /// What is said where a system Tor is taken to keep the address, and this user has one of the Tor inside.
    pub(in crate::cli) fn kept_inside() -> Option<CliError> {
        let place = quoted(&unserved()?);
        let what = format!(
            "this kkv was built without Tor inside, and the key of your address is that Tor's, in {place}"
        );
        Some(CliError::usage(what).hint(
            "Use a kkv with Tor inside. (A system Tor has its own in its HiddenServiceDir; torrc.example: /var/lib/tor/kkv.)",
        ))
    }

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
    pub(super) fn lets_in(&self) -> Option<u32> {
        None
    }

    pub(super) fn prepare(&self, tor: TorMode) -> Result<Option<TorSetup>, CliError> {
        match tor {
            TorMode::Embedded => Err(without_embedded_tor("kkv", "")),
            TorMode::External | TorMode::Off => {
                if let Some(place) = unserved() {
                    warn(format_args!(
                        "kkv: this build has no Tor inside; your address is in {} and isn't served.",
                        quoted(&place)
                    ));
                }
                Ok(None)
            }
        }
    }
}

/// There is none.
pub(super) enum PublishedService {}

impl PublishedService {
    pub(super) async fn publish(
        setup: &TorSetup,
        _: &RelayArgs,
        _has_page: bool,
    ) -> Result<Self, CliError> {
        match *setup {}
    }

    pub(super) fn address(&self) -> OnionAddress {
        match *self {}
    }

    pub(super) fn state(&self) -> watch::Receiver<TorState> {
        match *self {}
    }

    pub(super) async fn serve(self, _: kkv_net::http::Site) -> kkv_net::http::AcceptStopped {
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

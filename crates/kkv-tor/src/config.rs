//! The configuration of arti: a user's settings, and where its files go.

use arti_client::TorClientConfig;
use arti_client::config::CfgPath;
use tor_config::ExplicitOrAuto;
use tor_keymgr::config::ArtiKeystoreKind;

use crate::error::StartError;
use crate::settings::Settings;
use crate::state_dir::{ARTI_STATE, CACHE, StateDir};

/// Where arti keeps keys: the service's, and those to closed inboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keystore {
    StateDir,
    Ephemeral,
}

pub(crate) fn build(
    state_dir: &StateDir,
    settings: &Settings,
    keystore: Keystore,
) -> Result<TorClientConfig, StartError> {
    let mut builder = settings.0.clone();
    let storage = builder.storage();
    storage
        .state_dir(CfgPath::new_literal(state_dir.path().join(ARTI_STATE)))
        .cache_dir(CfgPath::new_literal(state_dir.path().join(CACHE)));
    let kind = match keystore {
        Keystore::StateDir => ArtiKeystoreKind::Native,
        Keystore::Ephemeral => ArtiKeystoreKind::Ephemeral,
    };
    storage
        .keystore()
        .primary()
        .kind(ExplicitOrAuto::Explicit(kind));
    builder.build().map_err(StartError::new)
}

//! What arti is told: where its files go, and what an owner adds.

use std::path::{Path, PathBuf};

use arti_client::TorClientConfig;
use arti_client::config::{CfgPath, TorClientConfigBuilder};
use fs_mistrust::Mistrust;
use tor_config::ExplicitOrAuto;
use tor_keymgr::config::ArtiKeystoreKind;

use super::{Home, StartError};

/// Settings of arti that a user gives: its own configuration in TOML, such as another network or a proxy to reach it
/// through. What concerns files is overridden by [`Home`].
#[derive(Debug, Clone, Default)]
pub struct Settings(TorClientConfigBuilder);

/// Why a file of settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It can't be read.
    #[error("can't read {0}: {1}")]
    Io(PathBuf, std::io::Error),
    /// It is not what arti takes.
    #[error("{0} is no configuration of arti: {1}")]
    Toml(PathBuf, String),
}

impl Settings {
    /// Reads a file.
    ///
    /// # Errors
    /// It can't be read or used.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|fault| SettingsError::Io(path.to_owned(), fault))?;
        let bad = |why: String| SettingsError::Toml(path.to_owned(), in_one_line(&why));
        let builder: TorClientConfigBuilder = toml::from_str(&text).map_err(|fault| {
            let line = |at: std::ops::Range<usize>| 1 + text[..at.start].matches('\n').count();
            bad(match fault.span().map(line) {
                Some(line) => format!("line {line}: {}", fault.message()),
                None => fault.message().to_owned(),
            })
        })?;
        builder.build().map_err(|fault| bad(fault.to_string()))?;
        Ok(Self(builder))
    }

    /// Has arti look up who its user is, which it does once in a process. It may take a service of the system's, such
    /// as who runs as a user that systemd has made up has to ask; and a program that has confined itself can't ask it
    /// any more.
    pub fn look_up_user(&self) {
        let _ = self.0.build(); // what is wrong is told when they are used
    }
}

impl Settings {
    /// Whom arti trusts with files.
    pub(super) fn mistrust(&self) -> Mistrust {
        // They were checked when they were read.
        let config = self.0.build();
        config.map_or_else(
            |_| Mistrust::default(),
            |config| config.fs_mistrust().clone(),
        )
    }
}

fn in_one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The directory under ours for what arti keeps.
pub(super) const STATE: &str = "state";

/// Where the keys of onion services and of closed inboxes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    InHome,
    InMemory,
}

pub(super) fn build(
    home: &Home,
    settings: &Settings,
    keys: Keys,
) -> Result<TorClientConfig, StartError> {
    let mut builder = settings.0.clone();
    let storage = builder.storage();
    storage
        .state_dir(CfgPath::new_literal(home.path().join(STATE)))
        .cache_dir(CfgPath::new_literal(home.path().join("cache")));
    let kind = match keys {
        Keys::InHome => ArtiKeystoreKind::Native,
        Keys::InMemory => ArtiKeystoreKind::Ephemeral,
    };
    storage
        .keystore()
        .primary()
        .kind(ExplicitOrAuto::Explicit(kind));
    builder.build().map_err(StartError::new)
}

//! A user's settings of the embedded Tor.

use std::path::{Path, PathBuf};

use arti_client::config::TorClientConfigBuilder;
use fs_mistrust::Mistrust;

/// A user's configuration of arti in its own format (TOML): another network, say, or a proxy. Its storage settings are
/// overridden by [`StateDir`](crate::StateDir).
#[derive(Debug, Clone, Default)]
pub struct Settings(pub(crate) TorClientConfigBuilder);

/// Why a file of settings can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// It can't be read.
    #[error("can't read {0}: {1}")]
    Io(PathBuf, std::io::Error),
    /// It is no valid configuration of arti.
    #[error("{0} is no configuration of arti: {1}")]
    Toml(PathBuf, String),
}

impl Settings {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// It can't be read, or arti doesn't accept it.
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

    /// Has arti look up the current user, which it does once per process. Call it before entering the sandbox: for a
    /// user that systemd made up (`DynamicUser=`), the look-up asks a service by a socket.
    pub fn look_up_user(&self) {
        let _ = self.0.build(); // errors are reported when the settings are used
    }

    /// Which users arti trusts with files.
    pub(crate) fn mistrust(&self) -> Mistrust {
        // Valid: `load` has built it before.
        let config = self.0.build();
        config.map_or_else(
            |_| Mistrust::default(),
            |config| config.fs_mistrust().clone(),
        )
    }
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

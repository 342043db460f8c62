//! A user's settings of the embedded Tor.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use arti_client::config::TorClientConfigBuilder;
use fs_mistrust::Mistrust;
use kkv_base::limits::MAX_TOR_CONFIG_BYTES;

/// A user's configuration of arti in its own format (TOML): another network, say, or a proxy. Its storage settings are
/// overridden by [`StateDir`](crate::StateDir).
#[derive(Debug, Clone, Default)]
pub struct Settings(pub(crate) TorClientConfigBuilder);

/// Why a file of settings can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// It can't be read, or is longer than [`MAX_TOR_CONFIG_BYTES`].
    #[error("can't read {0}: {1}")]
    Io(PathBuf, io::Error),
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
        let text = read(path).map_err(|fault| SettingsError::Io(path.to_owned(), fault))?;
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

/// Reads a file that may have no end, as a device.
fn read(path: &Path) -> io::Result<String> {
    let most = MAX_TOR_CONFIG_BYTES;
    let mut bytes = Vec::new();
    let mut file = File::open(path)?.take(most as u64 + 1);
    file.read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let what = format!("it is longer than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it isn't UTF-8 text"))
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_far_as_its_longest_and_no_farther() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("arti.toml");
        let longest = u64::try_from(MAX_TOR_CONFIG_BYTES).unwrap();
        let blanks = vec![b'\n'; MAX_TOR_CONFIG_BYTES];
        std::fs::write(&path, &blanks).unwrap();
        assert!(Settings::load(&path).is_ok());
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(longest + 1).unwrap();
        for path in [path.as_path(), Path::new("/dev/zero")] {
            let refused = Settings::load(path).unwrap_err();
            let SettingsError::Io(_, fault) = &refused else {
                panic!("it was read whole: {refused}");
            };
            assert_eq!(fault.kind(), io::ErrorKind::FileTooLarge, "{refused}");
        }
    }
}

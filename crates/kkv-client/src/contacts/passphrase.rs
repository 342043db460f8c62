//! What a file of contacts is opened with.

use std::fmt;

use age::secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use kkv_base::limits::MAX_PASSPHRASE_BYTES;

/// A passphrase: one line, as somebody types it. Wiped on drop.
pub struct Passphrase(SecretString);

/// Why a text is no passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadPassphrase {
    /// There is none.
    #[error("the passphrase is empty")]
    Empty,
    /// It is a whole text.
    #[error("a passphrase is one line of at most {MAX_PASSPHRASE_BYTES} bytes")]
    Long,
}

impl Passphrase {
    /// Takes a line without its end.
    ///
    /// # Errors
    /// It is empty, too long, or more than one line.
    pub fn new(line: &Zeroizing<String>) -> Result<Self, BadPassphrase> {
        if line.is_empty() {
            return Err(BadPassphrase::Empty);
        }
        if line.len() > MAX_PASSPHRASE_BYTES || line.contains(['\n', '\r']) {
            return Err(BadPassphrase::Long);
        }
        Ok(Self(SecretString::from(line.as_str())))
    }

    /// For age, which wants one of its own and wipes it.
    pub(super) fn for_age(&self) -> SecretString {
        SecretString::from(self.0.expose_secret())
    }

    /// Whether both are the same: of two that the same person has just typed, so that no time tells anyone anything.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(line: &str) -> Result<Passphrase, BadPassphrase> {
        Passphrase::new(&Zeroizing::new(line.to_owned()))
    }

    #[test]
    fn one_line_is_a_passphrase() {
        let one = taken(" correct horse ").unwrap();
        assert!(one.is_same(&taken(" correct horse ").unwrap()));
        assert!(!one.is_same(&taken("correct horse").unwrap()));
        assert_eq!(format!("{one:?}"), "Passphrase(..)");
        assert!(taken(&"x".repeat(1024)).is_ok());
    }

    #[test]
    fn nothing_and_a_text_are_none() {
        assert_eq!(taken("").unwrap_err(), BadPassphrase::Empty);
        for text in ["a\nb", "a\r", &"x".repeat(1025)] {
            assert_eq!(taken(text).unwrap_err(), BadPassphrase::Long);
        }
    }
}

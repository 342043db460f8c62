//! The text of a message, as a sender wants it carried.

use std::fmt;

use zeroize::Zeroizing;

use super::suite::Suite;
use crate::blank::is_blank;
use crate::limits::{MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};

/// A text that kkv/2 can carry, and that is worth it: 1 to 3,500 bytes of UTF-8 with something to see. Wiped on drop.
///
/// ```
/// use kkv_protocol::suite::Suite;
/// use kkv_protocol::text::{BadText, Text};
///
/// let text = Text::new("a\0b".to_owned().into())?;
/// assert_eq!(text.as_str(), "a\0b");
/// assert_eq!(text.fits(Suite::V2), Ok(()));
/// assert_eq!(text.fits(Suite::V1), Err(BadText::NulInV1));
/// assert_eq!(Text::new(" ".to_owned().into()).unwrap_err(), BadText::Blank);
/// # Ok::<(), BadText>(())
/// ```
pub struct Text(Zeroizing<String>);

/// Why a text can't be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadText {
    /// There is nothing to carry.
    #[error("the message is empty")]
    Empty,
    /// There is nothing to see in it, and it would be paid for.
    #[error("the message has nothing but blanks in it")]
    Blank,
    /// It is longer than a message can be.
    #[error("the message has {0} bytes; {MAX_TEXT_BYTES} are the most that fit")]
    TooLong(usize),
    /// It is longer than kkv/1 can carry, and nothing better is spoken.
    #[error("the message has {0} bytes, and kkv/1 carries {MAX_TEXT_BYTES_V1}")]
    TooLongForV1(usize),
    /// It has a NUL character, which published kkv/1 relays take out before they check the signature, and then refuse
    /// the rest.
    #[error("the message has a NUL character, which a relay may not take in kkv/1")]
    NulInV1,
}

impl Text {
    /// Takes a text to be carried.
    ///
    /// # Errors
    /// Empty, more than 3,500 bytes, or nothing but blanks. (A relay takes those: what can be seen changes with
    /// Unicode.)
    pub fn new(text: Zeroizing<String>) -> Result<Self, BadText> {
        match text.len() {
            0 => Err(BadText::Empty),
            1..=MAX_TEXT_BYTES if is_blank(&text) => Err(BadText::Blank),
            1..=MAX_TEXT_BYTES => Ok(Self(text)),
            too_long => Err(BadText::TooLong(too_long)),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same in bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether `suite` can carry it.
    ///
    /// # Errors
    /// kkv/1 carries less, and no NUL.
    pub fn fits(&self, suite: Suite) -> Result<(), BadText> {
        if suite == Suite::V2 {
            Ok(())
        } else if self.0.len() > MAX_TEXT_BYTES_V1 {
            Err(BadText::TooLongForV1(self.0.len()))
        } else if self.as_bytes().contains(&0) {
            Err(BadText::NulInV1)
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Result<Text, BadText> {
        Text::new(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn each_suite_has_its_limits() {
        assert_eq!(text("").unwrap_err(), BadText::Empty);
        for blank in [
            " ",
            "\n\t\r\n",
            "\u{a0}\u{3000}",
            "\u{200b}\u{3164}\u{2800}",
        ] {
            assert_eq!(text(blank).unwrap_err(), BadText::Blank, "{blank:?}");
        }
        assert_eq!(text(&"é".repeat(1751)).unwrap_err(), BadText::TooLong(3502));
        let longest = text(&"é".repeat(1750)).unwrap();
        assert_eq!(longest.fits(Suite::V2), Ok(()));
        assert_eq!(longest.fits(Suite::V1), Err(BadText::TooLongForV1(3500)));
        assert_eq!(text(&"a".repeat(2920)).unwrap().fits(Suite::V1), Ok(()));
        let nul = text("a\0b").unwrap();
        assert_eq!(nul.fits(Suite::V2), Ok(()));
        assert_eq!(nul.fits(Suite::V1), Err(BadText::NulInV1));
    }
}

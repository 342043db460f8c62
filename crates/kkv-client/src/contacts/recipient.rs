//! Somebody to write to, as it is typed.

use std::str::FromStr;

use kkv_net::tor::ParseTargetError;

use super::{Link, Name, ParseLinkError};

/// Somebody to write to, as it is typed: an address, with an invitation or without, or a contact's name.
#[derive(Debug, Clone)]
pub enum Recipient {
    /// An address.
    Address(Link),
    /// A contact's name.
    Name(Name),
}

impl FromStr for Recipient {
    type Err = ParseLinkError;

    /// Whatever is neither is told as an address that isn't one.
    fn from_str(text: &str) -> Result<Self, ParseLinkError> {
        match text.parse() {
            Ok(link) => Ok(Self::Address(link)),
            Err(outside @ ParseLinkError::Address(ParseTargetError::OutsideTor)) => {
                text.parse().map(Self::Name).map_err(|_| outside)
            }
            Err(fault) => Err(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_can_be_no_name_is_told_as_the_address_that_it_is_not() {
        let read = |text: &str| text.parse::<Recipient>();
        assert!(matches!(read("127.0.0.1:7"), Ok(Recipient::Address(_))));
        assert!(matches!(read("bob"), Ok(Recipient::Name(_))));
        assert!(matches!(read("Dr. Who"), Ok(Recipient::Name(_))));
        for text in [
            "",
            "example.com",
            "8.8.8.8",
            "me@localhost",
            "a\u{202e}b",
            "-x",
        ] {
            assert!(
                matches!(
                    read(text),
                    Err(ParseLinkError::Address(ParseTargetError::OutsideTor))
                ),
                "{text}"
            );
        }
        assert!(matches!(
            read("short.onion"),
            Err(ParseLinkError::Address(ParseTargetError::Onion(_)))
        ));
        assert!(matches!(
            read("http://bob"),
            Err(ParseLinkError::Address(ParseTargetError::Scheme))
        ));
        assert!(matches!(read("Ann+Bob"), Ok(Recipient::Name(_))));
        assert!(matches!(
            read("127.0.0.1:7+abc"),
            Err(ParseLinkError::Invitation(_))
        ));
    }
}

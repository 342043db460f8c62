//! An address as it is handed out: with an invitation behind it, if there is one (PROTOCOL.md §15).

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use kkv_net::tor::{ParseTargetError, Target, without_wrapping};
use kkv_protocol::v2::invitation::{BadToken, LINK_SEPARATOR, Token};
use zeroize::Zeroizing;

/// An invitation that somebody was given. Its token is in memory once, however many hold it.
#[derive(Debug, Clone)]
pub struct Invitation(Arc<Token>);

/// An address, and the invitation that stood behind it.
///
/// ```
/// use kkv_client::contacts::{Link, ParseLinkError};
///
/// let link: Link = "127.0.0.1:7+aaaaaaaaaaaaaaaaaaaaaaaaadvanoxi".parse()?;
/// assert!(link.invitation.is_some());
/// assert!("127.0.0.1:7".parse::<Link>()?.invitation.is_none());
/// // A typing mistake in the invitation is told apart from one in the address.
/// let wrong = "127.0.0.1:7+aaaaaaaaaaaaaaaaaaaaaaaabdvanoxi".parse::<Link>();
/// assert!(matches!(wrong, Err(ParseLinkError::Invitation(_))));
/// # Ok::<(), ParseLinkError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Link {
    /// Where the inbox is.
    pub target: Target,
    /// By what a message there costs nothing.
    pub invitation: Option<Invitation>,
}

/// Why a text is neither an address nor one with an invitation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseLinkError {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] ParseTargetError),
    /// The address is one, and what stands behind it is no invitation.
    #[error(
        "the address is right, but the invitation behind its + is not: {0}; copy the link again"
    )]
    Invitation(#[from] BadToken),
}

impl FromStr for Link {
    type Err = ParseLinkError;

    fn from_str(text: &str) -> Result<Self, ParseLinkError> {
        let text = without_wrapping(text);
        let Some((address, token)) = text.split_once(LINK_SEPARATOR) else {
            let target = text.parse()?;
            let invitation = None;
            return Ok(Self { target, invitation });
        };
        let target = address.parse()?;
        let token = token.trim_end_matches(['/', '.']); // as behind an address
        Ok(Self {
            target,
            invitation: Some(token.parse()?),
        })
    }
}

impl FromStr for Invitation {
    type Err = BadToken;

    /// Reads what stands behind the `+` of a link.
    fn from_str(text: &str) -> Result<Self, BadToken> {
        text.parse().map(|token| Self(Arc::new(token)))
    }
}

impl Invitation {
    /// Its token.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.0
    }

    /// The link to the inbox at this address.
    #[must_use]
    pub fn link(&self, address: &str) -> Zeroizing<String> {
        link_text(address, &self.0.to_text())
    }
}

/// Two of one inbox are the same if their tokens are.
impl PartialEq for Invitation {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_text() == other.0.to_text()
    }
}

impl Eq for Invitation {}

/// An address with a token, as text, behind it. All of it is wiped once it is dropped.
#[must_use]
pub fn link_text(address: &str, token: &str) -> Zeroizing<String> {
    let length = address.len() + LINK_SEPARATOR.len_utf8() + token.len();
    let mut link = Zeroizing::new(String::with_capacity(length)); // it never moves
    link.push_str(address);
    link.push(LINK_SEPARATOR);
    link.push_str(token);
    link
}

/// What was typed, for a list of whom was written to: without the token, if it is a link.
#[must_use]
pub fn without_token(typed: &str) -> Cow<'_, str> {
    match typed.parse::<Link>() {
        Ok(link) if link.invitation.is_some() => {
            let address = typed.split(LINK_SEPARATOR).next().unwrap_or_default();
            format!("{address}{LINK_SEPARATOR}…").into()
        }
        _ => typed.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    fn token() -> Token {
        Token::generate(&mut rand::rng())
    }

    #[test]
    fn a_link_reads_however_it_was_copied() {
        let token = token();
        let text = token.to_text();
        let link = link_text(ONION, &text);
        for typed in [
            link.to_string(),
            link.to_uppercase(),
            format!(" <{}>\n", *link),
            format!("\"{}\"", *link),
            format!("http://{}/", *link),
            format!("{}.", *link),
            format!("{ONION}:45069+{}", *text),
        ] {
            let read: Link = typed.parse().unwrap();
            assert_eq!(read.target.to_string(), format!("{ONION}:45069"));
            let invitation = read.invitation.unwrap();
            assert_eq!(invitation.token().to_text(), text, "{typed}");
            assert_eq!(invitation.link(ONION), link);
        }
        let other: Link = format!("{ONION}:80+{}", *text).parse().unwrap();
        assert_eq!(other.target.to_string(), format!("{ONION}:80"));
    }

    #[test]
    fn a_mistake_in_the_address_and_one_in_the_invitation_are_told_apart() {
        let text = token().to_text();
        let wrong = |typed: String| typed.parse::<Link>().unwrap_err();
        let mistyped = ONION.replacen("2gz", "2hz", 1);
        assert!(matches!(
            wrong(format!("{mistyped}+{}", *text)),
            ParseLinkError::Address(ParseTargetError::Onion(_))
        ));
        assert_eq!(
            wrong(format!("example.com+{}", *text)),
            ParseLinkError::Address(ParseTargetError::OutsideTor)
        );
        let first = if text.starts_with('a') { "b" } else { "a" };
        for (behind, why) in [
            (format!("{first}{}", &text[1..]), BadToken::Checksum),
            (text[1..].to_owned(), BadToken::Length(31)),
            (String::new(), BadToken::Length(0)),
            (format!("{}+", *text), BadToken::Length(33)),
            (format!("0{}", &text[1..]), BadToken::Character),
        ] {
            let found = wrong(format!("{ONION}+{behind}"));
            assert_eq!(found, ParseLinkError::Invitation(why), "{behind}");
            let said = found.to_string();
            assert!(
                !said.contains(&text[8..24]),
                "a token is nobody else's: {said}"
            );
        }
    }

    #[test]
    fn a_list_of_whom_was_written_to_shows_no_token() {
        let link = link_text(ONION, &token().to_text());
        assert_eq!(without_token(&link), format!("{ONION}+…"));
        for typed in [ONION, "Ann+Bob", "", "127.0.0.1:7+abc"] {
            assert_eq!(without_token(typed), typed);
        }
    }

    #[test]
    fn a_stray_debug_shows_no_token() {
        let link: Link = link_text("127.0.0.1:7", &token().to_text())
            .parse()
            .unwrap();
        let shown = format!("{link:?}");
        assert!(shown.contains("Token(..)"), "{shown}");
        assert!(shown.len() < 90, "{shown}");
    }
}

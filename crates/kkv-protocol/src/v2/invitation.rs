//! Invitations (PROTOCOL.md §15): a token that its bearer proves to have and never sends, so that a message costs
//! nothing.
//!
//! ```
//! use kkv_protocol::crypto::{identity::SenderKey, random};
//! use kkv_protocol::v2::invitation::Token;
//!
//! // The relay makes a token, hands it out as text, and keeps its key.
//! let token = Token::generate(&mut random::kernel());
//! let (key, text) = (token.key(), token.to_text());
//!
//! // Its bearer proves it for the key of one message.
//! let token: Token = text.parse()?;
//! let sender = SenderKey::generate(&mut random::kernel()).public().id();
//! assert!(key.fits(&sender, &token.key().proof(&sender)));
//! # Ok::<(), kkv_protocol::v2::invitation::BadToken>(())
//! ```

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use kkv_pow::kernel::{InstructionSet, key_of};
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::labels;
use crate::ids::{InvitationProof, SenderId};

/// Bytes of a token.
const TOKEN_BYTES: usize = 16;
/// Bytes behind it, by which a typing mistake is noticed.
const CHECK_BYTES: usize = 4;
/// Characters of a token as text: base32 of both.
pub const TEXT_CHARACTERS: usize = (TOKEN_BYTES + CHECK_BYTES) * 8 / 5;

/// What stands between an address and a token in a link: no address has one.
pub const LINK_SEPARATOR: char = '+';

/// The number of an invitation: from 1 on, and never the same again in a run of a relay.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Zeroize,
)]
#[serde(transparent)]
pub struct InvitationNumber(pub u64);

/// What is handed out: whoever has it is invited. Wiped on drop.
pub struct Token(Zeroizing<[u8; TOKEN_BYTES]>);

/// What a relay keeps of a token, and what proves that one has it: D(`invitation`, token). Wiped on drop.
pub struct InvitationKey(Zeroizing<[u8; 32]>);

/// Why a text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadToken {
    /// It is too short or too long.
    #[error("it has {0} characters, and an invitation has 32 behind its +")]
    Length(usize),
    /// A character that base32 does not have.
    #[error("it has a character other than a-z and 2-7")]
    Character,
    /// The bytes at its end are not those of the token.
    #[error("its checksum doesn't fit, so a character is wrong")]
    Checksum,
}

impl Token {
    /// A new one from `rng` (16 bytes are drawn).
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut token = Zeroizing::new([0; TOKEN_BYTES]);
        rng.fill_bytes(token.as_mut_slice());
        Self(token)
    }

    /// D(`invitation`, token).
    #[must_use]
    pub fn key(&self) -> InvitationKey {
        InvitationKey(labels::INVITATION.derive(&[self.0.as_slice()]))
    }

    /// base32(token ‖ check) in lower case, 32 characters: as it stands in a link.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; TOKEN_BYTES + CHECK_BYTES]);
        bytes[..TOKEN_BYTES].copy_from_slice(self.0.as_slice());
        bytes[TOKEN_BYTES..].copy_from_slice(&self.check());
        let mut text = Zeroizing::new(BASE32_NOPAD.encode(bytes.as_slice()));
        text.make_ascii_lowercase();
        text
    }

    fn check(&self) -> [u8; CHECK_BYTES] {
        let digest = labels::INVITATION_CHECK.derive(&[self.0.as_slice()]);
        std::array::from_fn(|i| digest[i])
    }
}

impl FromStr for Token {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let characters = text.chars().count();
        if characters != TEXT_CHARACTERS {
            return Err(BadToken::Length(characters));
        }
        let upper = Zeroizing::new(text.to_ascii_uppercase());
        let decoded = BASE32_NOPAD.decode(upper.as_bytes());
        let decoded = Zeroizing::new(decoded.map_err(|_| BadToken::Character)?);
        let (token, check) = decoded
            .split_first_chunk::<TOKEN_BYTES>()
            .ok_or(BadToken::Length(characters))?;
        let token = Self(Zeroizing::new(*token));
        if token.check().as_slice() == check {
            Ok(token)
        } else {
            Err(BadToken::Checksum)
        }
    }
}

impl InvitationKey {
    /// BLAKE3 keyed_hash(self, sender's key): says of this sender alone that it is invited.
    #[must_use]
    pub fn proof(&self, sender: &SenderId) -> InvitationProof {
        InvitationProof(*blake3::keyed_hash(&self.0, &sender.0).as_bytes())
    }

    /// Which of `keys` this sender proves to have, if any. All are tried, and in constant time: a forger must not learn
    /// a proof byte by byte.
    ///
    /// ```
    /// use kkv_protocol::crypto::random;
    /// use kkv_protocol::ids::SenderId;
    /// use kkv_protocol::v2::invitation::{InvitationKey, Token};
    ///
    /// let [ann, bob] = [(); 2].map(|()| Token::generate(&mut random::kernel()).key());
    /// let (sender, keys) = (SenderId([7; 32]), [&ann, &bob]);
    /// assert_eq!(InvitationKey::which(&keys, &sender, &bob.proof(&sender)), Some(1));
    /// assert_eq!(InvitationKey::which(&keys[..1], &sender, &bob.proof(&sender)), None);
    /// ```
    #[must_use]
    pub fn which(keys: &[&Self], sender: &SenderId, proof: &InvitationProof) -> Option<usize> {
        let bytes: Vec<&[u8; 32]> = keys.iter().map(|key| &*key.0).collect();
        let which = key_of(InstructionSet::best(), &bytes, &sender.0, &proof.0)?;
        // The kernel only points at it.
        keys[which].fits(sender, proof).then_some(which)
    }

    /// Whether `proof` is this sender's, in constant time.
    #[must_use]
    pub fn fits(&self, sender: &SenderId, proof: &InvitationProof) -> bool {
        self.proof(sender).0.ct_eq(&proof.0).into()
    }
}

impl fmt::Display for InvitationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl fmt::Debug for InvitationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(byte: u8) -> Token {
        Token(Zeroizing::new([byte; TOKEN_BYTES]))
    }

    #[test]
    fn every_single_mistyped_character_is_caught() {
        let text = token(7).to_text();
        assert_eq!(text.len(), TEXT_CHARACTERS);
        for position in 0..TEXT_CHARACTERS {
            let mut wrong = text.as_bytes().to_vec();
            wrong[position] = if wrong[position] == b'a' { b'b' } else { b'a' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(
                wrong.parse::<Token>().err(),
                Some(BadToken::Checksum),
                "{wrong}"
            );
        }
    }

    #[test]
    fn each_fault_has_its_own_error() {
        let text = token(7).to_text();
        for (wrong, want) in [
            (text[1..].to_owned(), BadToken::Length(31)),
            (format!("{}a", *text), BadToken::Length(33)),
            (String::new(), BadToken::Length(0)),
            (format!("1{}", &text[1..]), BadToken::Character),
            (format!("é{}", &text[1..]), BadToken::Character),
            (text[..16].repeat(2), BadToken::Checksum),
        ] {
            assert_eq!(wrong.parse::<Token>().err(), Some(want), "{wrong}");
        }
    }

    #[test]
    fn a_proof_is_good_for_one_sender_and_one_invitation() {
        let (ann, bob) = (SenderId([1; 32]), SenderId([2; 32]));
        let (key, other) = (token(7).key(), token(8).key());
        let proof = key.proof(&ann);
        assert!(key.fits(&ann, &proof));
        assert!(!key.fits(&bob, &proof) && !other.fits(&ann, &proof));
        for position in 0..32 {
            let mut changed = proof;
            changed.0[position] ^= 1;
            assert!(!key.fits(&ann, &changed), "byte {position}");
        }
    }

    #[test]
    fn a_stray_debug_shows_nothing() {
        let shown = format!("{:?} {:?}", token(7), token(7).key());
        assert_eq!(shown, "Token(..) InvitationKey(..)");
    }

    proptest! {
        #[test]
        fn a_text_reads_as_the_token_that_it_is_of(bytes: [u8; TOKEN_BYTES], upper: bool) {
            let text = Token(Zeroizing::new(bytes)).to_text();
            let typed = if upper { text.to_ascii_uppercase() } else { text.to_string() };
            prop_assert_eq!(*typed.parse::<Token>().unwrap().0, bytes);
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Token>();
        }
    }
}

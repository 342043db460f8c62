//! The opened message (PROTOCOL.md §7): 3,568 bytes, whatever it says.
//!
//! ```text
//! signature 64 | kind u8 | zero u8 | length u16 LE | content 0..3500 | zeros
//! ```

use std::fmt;

use zeroize::Zeroizing;

use crate::crypto::identity::Signature;
use crate::crypto::labels;
use crate::crypto::seal::TAG_BYTES;
use crate::ids::{RelayId, SessionId, Statement};
use crate::kind::Kind;
use crate::limits::MAX_TEXT_BYTES;
use crate::refusal::Refusal;

/// Bytes before the content.
pub const HEAD_BYTES: usize = 68;
/// Bytes of an opened message.
pub const PLAIN_BYTES: usize = HEAD_BYTES + MAX_TEXT_BYTES;
/// Bytes of a sealed message: 7 × 512.
pub const SEALED_BYTES: usize = PLAIN_BYTES + TAG_BYTES;

/// What the sender signs: relay's key ‖ session ‖ kind ‖ content.
///
/// The relay's key is named so that a third party can see to whom it was said, and no relay can pass it on as said to
/// another.
#[must_use]
pub fn statement(relay: &RelayId, session: &SessionId, kind: u8, content: &[u8]) -> Statement {
    labels::MESSAGE.digest(&[&relay.0, &session.0, &[kind], content])
}

/// Lays out a message to be sealed. `content` has at most 3,500 bytes.
pub(super) fn encode(
    signature: &Signature,
    kind: Kind,
    content: &[u8],
) -> Zeroizing<[u8; PLAIN_BYTES]> {
    let mut plain = Zeroizing::new([0; PLAIN_BYTES]);
    let length = u16::try_from(content.len()).expect("a text has at most 3,500 bytes");
    plain[..64].copy_from_slice(&signature.0);
    plain[64] = kind as u8;
    plain[66..HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
    plain[HEAD_BYTES..HEAD_BYTES + content.len()].copy_from_slice(content);
    plain
}

/// The parts of an opened message. `Debug` prints how long the content is, and nothing of it.
pub struct Parts<'p> {
    /// The sender's signature of [`statement`].
    pub signature: Signature,
    /// Kind byte, known or not.
    pub kind: u8,
    /// The content.
    pub content: &'p [u8],
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("signature", &self.signature)
            .field("kind", &self.kind)
            .field("content", &format_args!("{} bytes", self.content.len()))
            .finish()
    }
}

/// Takes an opened message apart (PROTOCOL.md §7).
///
/// ```
/// use kkv_protocol::v2::message::{PLAIN_BYTES, decode};
///
/// let mut plain = [0; PLAIN_BYTES]; // signature 64 ‖ kind ‖ zero ‖ length ‖ content ‖ zeros
/// plain[66] = 5;
/// plain[68..73].copy_from_slice(b"hello");
/// assert_eq!(decode(&plain)?.content, b"hello");
/// plain[100] = 1; // padding that is not zero
/// assert!(decode(&plain).is_err());
/// # Ok::<(), kkv_protocol::refusal::Refusal>(())
/// ```
///
/// # Errors
/// Unproven: a length out of range or padding that is not zero. Both sides know the key, so only a broken sender gets
/// here.
pub fn decode(plain: &[u8; PLAIN_BYTES]) -> Result<Parts<'_>, Refusal> {
    let (signature, rest) = plain.split_first_chunk().ok_or(Refusal::Unproven)?;
    let ([kind, zero], rest) = rest.split_first_chunk().ok_or(Refusal::Unproven)?;
    let (length, rest) = rest.split_first_chunk().ok_or(Refusal::Unproven)?;
    let length = usize::from(u16::from_le_bytes(*length));
    let (content, padding) = rest.split_at_checked(length).ok_or(Refusal::Unproven)?;
    if *zero != 0 || padding.iter().any(|byte| *byte != 0) {
        return Err(Refusal::Unproven);
    }
    Ok(Parts {
        signature: Signature(*signature),
        kind: *kind,
        content,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_those_of_the_specification() {
        assert_eq!((PLAIN_BYTES, SEALED_BYTES), (3568, 3584));
    }

    #[test]
    fn a_stray_debug_shows_no_content() {
        let plain = encode(&Signature([7; 64]), Kind::Text, b"secret words");
        let shown = format!("{:?}", decode(&plain).unwrap());
        let expected = "Parts { signature: Signature(..), kind: 0, content: 12 bytes }";
        assert_eq!(shown, expected);
    }

    proptest! {
        #[test]
        fn decode_reverses_encode(content in proptest::collection::vec(any::<u8>(), 0..=3500)) {
            let plain = encode(&Signature([7; 64]), Kind::Text, &content);
            let parts = decode(&plain).unwrap();
            prop_assert_eq!(parts.content, &content[..]);
            prop_assert_eq!((parts.kind, parts.signature.0), (0, [7; 64]));
        }

        #[test]
        fn one_message_has_one_encoding(
            content in proptest::collection::vec(any::<u8>(), 0..40),
            position in 65..PLAIN_BYTES, change in 1..=255u8,
        ) {
            let mut plain = encode(&Signature([7; 64]), Kind::Text, &content);
            plain[position] ^= change;
            // A changed byte is refused or changes what is read; it never hides.
            if let Ok(parts) = decode(&plain) {
                prop_assert!(parts.content != &content[..]);
            }
        }
    }
}

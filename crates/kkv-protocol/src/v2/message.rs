//! The opened message (PROTOCOL.md §7). A small one has 3,652 bytes, whatever it says.
//!
//! ```text
//! signature 64 | kind u8 | answerable u8 | zero 2 | box part 80 | length u32 LE | content | zeros
//! ```

use std::fmt;

use zeroize::Zeroizing;

use super::answers::box_part::{BOX_PART_BYTES, BoxPart};
use crate::crypto::identity::Signature;
use crate::crypto::labels;
use crate::crypto::seal::TAG_BYTES;
use crate::ids::{BoxDigest, RelayId, SessionId, Statement};
use crate::limits::MAX_TEXT_BYTES;
use crate::refusal::Refusal;

/// Bytes before the content.
pub const HEAD_BYTES: usize = 152;
/// Bytes of a small opened message.
pub const PLAIN_BYTES: usize = HEAD_BYTES + MAX_TEXT_BYTES;
/// Bytes of a small sealed message.
pub const SEALED_BYTES: usize = PLAIN_BYTES + TAG_BYTES;

/// What the sender signs: relay's key ‖ session ‖ kind ‖ box digest ‖ content.
///
/// The relay's key is named so that a third party can see to whom it was said, and no relay can pass it on as said to
/// another.
#[must_use]
pub fn statement(
    relay: &RelayId,
    session: &SessionId,
    kind: u8,
    box_digest: &BoxDigest,
    content: &[u8],
) -> Statement {
    labels::MESSAGE.digest(&[&relay.0, &session.0, &[kind], &box_digest.0, content])
}

/// What stands before a content of `length` bytes, in a message of any size.
///
/// # Panics
/// The length is no u32.
#[must_use]
pub fn head(
    signature: &Signature,
    kind: u8,
    box_part: &BoxPart,
    length: usize,
) -> Zeroizing<[u8; HEAD_BYTES]> {
    let mut head = Zeroizing::new([0; HEAD_BYTES]);
    let length = u32::try_from(length).expect("a message has at most 1 MiB");
    head[..64].copy_from_slice(&signature.0);
    head[64] = kind;
    head[65] = box_part.answerable();
    head[68..148].copy_from_slice(box_part.to_bytes().as_slice());
    head[148..].copy_from_slice(&length.to_le_bytes());
    head
}

/// The parts of an opened message. `Debug` prints how long the content is, and nothing of it.
pub struct Parts<'p> {
    /// The sender's signature of [`statement`].
    pub signature: Signature,
    /// Kind byte, known or not.
    pub kind: u8,
    /// Whether it can be answered, and how.
    pub box_part: BoxPart,
    /// The content.
    pub content: &'p [u8],
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("signature", &self.signature)
            .field("kind", &self.kind)
            .field("box_part", &self.box_part)
            .field("content", &format_args!("{} bytes", self.content.len()))
            .finish()
    }
}

/// Takes an opened message of any size apart (PROTOCOL.md §7).
///
/// ```
/// use kkv_protocol::v2::message::{PLAIN_BYTES, decode};
///
/// // signature 64 ‖ kind ‖ answerable ‖ zero 2 ‖ box part 80 ‖ length ‖ content ‖ zeros
/// let mut plain = [0; PLAIN_BYTES];
/// plain[148] = 5;
/// plain[152..157].copy_from_slice(b"hello");
/// assert_eq!(decode(&plain)?.content, b"hello");
/// plain[200] = 1; // padding that is not zero
/// assert!(decode(&plain).is_err());
/// # Ok::<(), kkv_protocol::refusal::Refusal>(())
/// ```
///
/// # Errors
/// Unproven: a length out of range, or bytes that should be zero and are not. Both sides know the key, so only a broken
/// sender gets here.
pub fn decode(plain: &[u8]) -> Result<Parts<'_>, Refusal> {
    let (signature, rest) = plain.split_first_chunk().ok_or(Refusal::Unproven)?;
    let ([kind, answerable, zeros @ ..], rest) =
        rest.split_first_chunk::<4>().ok_or(Refusal::Unproven)?;
    let (box_part, rest) = rest
        .split_first_chunk::<BOX_PART_BYTES>()
        .ok_or(Refusal::Unproven)?;
    let (length, rest) = rest.split_first_chunk().ok_or(Refusal::Unproven)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Refusal::Unproven)?;
    let (content, padding) = rest.split_at_checked(length).ok_or(Refusal::Unproven)?;
    if zeros.iter().chain(padding).any(|byte| *byte != 0) {
        return Err(Refusal::Unproven);
    }
    Ok(Parts {
        signature: Signature(*signature),
        kind: *kind,
        box_part: BoxPart::parse(*answerable, box_part)?,
        content,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(kind: u8, box_part: &BoxPart, content: &[u8]) -> [u8; PLAIN_BYTES] {
        let mut plain = [0; PLAIN_BYTES];
        let head = head(&Signature([7; 64]), kind, box_part, content.len());
        plain[..HEAD_BYTES].copy_from_slice(head.as_slice());
        plain[HEAD_BYTES..HEAD_BYTES + content.len()].copy_from_slice(content);
        plain
    }

    #[test]
    fn sizes_are_those_of_the_specification() {
        assert_eq!((PLAIN_BYTES, SEALED_BYTES), (3652, 3668));
    }

    #[test]
    fn a_stray_debug_shows_no_content() {
        let plain = encode(0, &BoxPart::None, b"secret words");
        let shown = format!("{:?}", decode(&plain).unwrap());
        let expected =
            "Parts { signature: Signature(..), kind: 0, box_part: None, content: 12 bytes }";
        assert_eq!(shown, expected);
    }

    proptest! {
        #[test]
        fn decode_reverses_encode(
            content in proptest::collection::vec(any::<u8>(), 0..=3500),
            kind: u8, answerable in 0..3_u8, place in any::<[u8; 32]>(),
        ) {
            let mut bytes = [0; BOX_PART_BYTES];
            if answerable > 0 {
                bytes[20..52].copy_from_slice(&place);
            }
            let box_part = BoxPart::parse(answerable, &bytes).unwrap();
            let plain = encode(kind, &box_part, &content);
            let parts = decode(&plain).unwrap();
            prop_assert_eq!(parts.content, &content[..]);
            prop_assert_eq!((parts.kind, parts.signature.0), (kind, [7; 64]));
            prop_assert_eq!(parts.box_part.digest(), box_part.digest());
            prop_assert_eq!(&plain[68..148], &bytes[..]);
        }

        #[test]
        fn one_message_has_one_encoding(
            content in proptest::collection::vec(any::<u8>(), 0..40),
            position in 65..PLAIN_BYTES, change in 1..=255u8,
        ) {
            let mut plain = encode(0, &BoxPart::None, &content);
            plain[position] ^= change;
            // A changed byte is refused or changes what is read; it never hides.
            if let Ok(parts) = decode(&plain) {
                let same = parts.content == &content[..]
                    && parts.box_part.digest() == BoxPart::None.digest();
                prop_assert!(!same);
            }
        }
    }
}

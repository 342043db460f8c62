//! What a third party can check without a relay: files with exported messages and receipts (PROTOCOL.md §8, kkv/1's in
//! §10).

mod file;

use std::fmt;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::crypto::identity::{BadSignature, PublicKey, Relay, Sender, Side, Signature};
use crate::ids::{BoxDigest, MessageDigest, RelayId, SenderId, SessionId, Statement};
use crate::kind::Kind;
use crate::v1;
use crate::v2::message;
use crate::v2::receipt::{self, Receipt};
use crate::v2::sender::Receipted;
use crate::wire::Hex;

pub use file::NoProof;

/// Bytes of the largest file: a message of 3,500 bytes, each escaped as six.
pub const MAX_FILE_BYTES: usize = 64 * 1024;

/// A file that proves something. Every field is covered by its signature, and no other field is let in.
///
/// ```
/// use kkv_protocol::crypto::identity::{KeySeed, SenderKey};
/// use kkv_protocol::proof::Proof;
/// use kkv_protocol::wire::Hex;
///
/// let key = SenderKey::from_seed(&KeySeed::new([1; 32].into()));
/// let signature = Hex(key.sign(b"hello").0);
/// let file = format!(
///     "{{\"format\":\"kkv/1 message\",\"sender\":\"{}\",\"text\":\"hello\",\"signature\":\"{signature}\"}}",
///     key.public().id(),
/// );
/// let proof = Proof::parse(file.as_bytes()).expect("all its fields are there");
/// assert_eq!((proof.check(), proof.text()), (Ok(()), Some("hello")));
/// assert_eq!(proof.belongs_to(&proof), None); // a message, and no receipt beside it
///
/// let altered = Proof::parse(file.replace("hello", "hallo").as_bytes()).expect("it is read");
/// assert!(altered.check().is_err());
/// ```
#[derive(Debug, Serialize)]
#[serde(tag = "format")]
pub enum Proof {
    /// A message in kkv/1.
    #[serde(rename = "kkv/1 message")]
    MessageV1(MessageV1),
    /// A message in kkv/2.
    #[serde(rename = "kkv/2 message")]
    MessageV2(MessageV2),
    /// A receipt.
    #[serde(rename = "kkv/2 receipt")]
    Receipt(ReceiptV2),
}

/// What a sender signed in kkv/1: the text alone (PROTOCOL.md §10).
#[derive(Serialize)]
pub struct MessageV1 {
    /// Who signed it.
    pub sender: SenderId,
    /// The text.
    pub text: Zeroizing<String>,
    /// The sender's signature of the text.
    pub signature: Hex<64>,
}

/// What a sender signed in kkv/2 (PROTOCOL.md §7).
#[derive(Serialize)]
pub struct MessageV2 {
    /// The relay it was sent to.
    pub relay: RelayId,
    /// The session it was sent in.
    pub session: SessionId,
    /// Who signed it.
    pub sender: SenderId,
    /// What the content is.
    pub kind: Kind,
    /// Digest of what it says of its box.
    #[serde(rename = "box")]
    pub box_digest: BoxDigest,
    /// The content.
    pub text: Zeroizing<String>,
    /// The sender's signature of all of it.
    pub signature: Hex<64>,
}

/// What a relay signed (PROTOCOL.md §8).
#[derive(Debug, Serialize)]
pub struct ReceiptV2 {
    /// The relay that signed it.
    pub relay: RelayId,
    /// The session the message came in.
    pub session: SessionId,
    /// Who signed the message.
    pub sender: SenderId,
    /// Digest of the message: see [`receipt::digest`].
    pub digest: MessageDigest,
    /// The relay's signature.
    pub signature: Hex<64>,
}

impl fmt::Debug for MessageV1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageV1(..)")
    }
}

impl fmt::Debug for MessageV2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageV2(..)")
    }
}

impl From<&Receipted> for Proof {
    fn from(receipted: &Receipted) -> Self {
        Self::Receipt(ReceiptV2 {
            relay: receipted.relay.id(),
            session: receipted.receipt.session,
            sender: receipted.receipt.sender.id(),
            digest: receipted.receipt.digest,
            signature: Hex(receipted.signature.0),
        })
    }
}

impl Proof {
    /// Checks its keys and its signature.
    ///
    /// # Errors
    /// It doesn't fit, or is by or to a key that none can be by or to.
    pub fn check(&self) -> Result<(), BadSignature> {
        match self {
            Self::MessageV1(message) => {
                let signature = Signature(message.signature.0);
                let signed = v1::content_signed(message.text.as_bytes());
                key::<Sender>(&message.sender)?.verify(signed, &signature)
            }
            Self::MessageV2(message) => {
                key::<Relay>(&message.relay)?;
                key::<Sender>(&message.sender)?
                    .verify_statement(&message.statement(), &Signature(message.signature.0))
            }
            Self::Receipt(receipt) => Receipt {
                session: receipt.session,
                sender: key(&receipt.sender)?,
                digest: receipt.digest,
            }
            .verify(&key(&receipt.relay)?, &Signature(receipt.signature.0)),
        }
    }

    /// Whether one of the two is the receipt for the other; `None` if they are not a message and a receipt.
    #[must_use]
    pub fn belongs_to(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::MessageV2(message), Self::Receipt(receipt))
            | (Self::Receipt(receipt), Self::MessageV2(message)) => Some(receipt.confirms(message)),
            _ => None,
        }
    }

    /// The text of a message; none of a receipt, which has a digest of it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::MessageV1(message) => Some(&message.text),
            Self::MessageV2(message) => Some(&message.text),
            Self::Receipt(_) => None,
        }
    }
}

impl MessageV2 {
    fn statement(&self) -> Statement {
        let content = self.text.as_bytes();
        let kind = self.kind as u8;
        message::statement(&self.relay, &self.session, kind, &self.box_digest, content)
    }
}

impl ReceiptV2 {
    fn confirms(&self, message: &MessageV2) -> bool {
        let digest = receipt::digest(&message.statement(), &Signature(message.signature.0));
        self.digest == digest
            && self.session == message.session
            && self.sender == message.sender
            && self.relay == message.relay
    }
}

fn key<S: Side>(id: &S::Id) -> Result<PublicKey<S>, BadSignature> {
    PublicKey::from_id(id).map_err(|_| BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::identity::{KeySeed, SigningKey};
    use crate::limits::MAX_TEXT_BYTES;

    fn signer<S: Side>(seed: u8) -> SigningKey<S> {
        SigningKey::from_seed(&KeySeed::new([seed; 32].into()))
    }

    fn message_v1(text: &str) -> MessageV1 {
        let signer = signer::<Sender>(1);
        MessageV1 {
            sender: signer.public().id(),
            text: Zeroizing::new(text.to_owned()),
            signature: Hex(signer.sign(v1::content_signed(text.as_bytes())).0),
        }
    }

    /// A message in the session whose name is of these bytes, and the receipt for it.
    fn accepted(session: u8, text: &str) -> (MessageV2, ReceiptV2) {
        let (sender, relay) = (signer::<Sender>(1), signer::<Relay>(2));
        let mut message = MessageV2 {
            relay: relay.public().id(),
            session: SessionId([session; 32]),
            sender: sender.public().id(),
            kind: Kind::Text,
            box_digest: BoxDigest([6; 32]),
            text: Zeroizing::new(text.to_owned()),
            signature: Hex([0; 64]),
        };
        let signature = sender.sign_statement(&message.statement());
        message.signature = Hex(signature.0);
        let receipt = Receipt {
            session: message.session,
            sender: sender.public(),
            digest: receipt::digest(&message.statement(), &signature),
        };
        let receipt = ReceiptV2 {
            relay: message.relay,
            session: receipt.session,
            sender: message.sender,
            digest: receipt.digest,
            signature: Hex(receipt.sign(&relay).0),
        };
        (message, receipt)
    }

    #[test]
    fn a_proof_with_anything_changed_proves_nothing() {
        let wrong = |proof: Proof| proof.check().is_err();
        let (message, receipt) = accepted(3, "text");
        assert!(Proof::MessageV1(message_v1("text")).check().is_ok());
        assert!(Proof::MessageV2(message).check().is_ok());
        assert!(Proof::Receipt(receipt).check().is_ok());

        let other = |seed| {
            (
                signer::<Sender>(seed).public().id(),
                signer::<Relay>(seed).public().id(),
            )
        };
        let (sender, relay) = other(5);
        let text = Zeroizing::new("test".to_owned());
        assert!(wrong(Proof::MessageV1(MessageV1 {
            text: text.clone(),
            ..message_v1("text")
        })));
        assert!(wrong(Proof::MessageV1(MessageV1 {
            sender,
            ..message_v1("text")
        })));
        let changes: [fn(&mut MessageV2, &mut ReceiptV2); 2] = [
            |message, receipt| {
                (message.session, receipt.session) = (SessionId([4; 32]), SessionId([4; 32]));
            },
            |message, receipt| {
                (message.signature.0[0], receipt.signature.0[0]) =
                    (!message.signature.0[0], !receipt.signature.0[0]);
            },
        ];
        for change in changes {
            let (mut message, mut receipt) = accepted(3, "text");
            change(&mut message, &mut receipt);
            assert!(wrong(Proof::MessageV2(message)) && wrong(Proof::Receipt(receipt)));
        }
        for part in 0..4 {
            let (mut message, mut receipt) = accepted(3, "text");
            match part {
                0 => (message.sender, receipt.sender) = (sender, sender),
                1 => (message.relay, receipt.relay) = (relay, relay),
                2 => {
                    message.box_digest = BoxDigest([7; 32]);
                    receipt.digest = MessageDigest([1; 32]);
                }
                _ => (message.text, receipt.digest) = (text.clone(), MessageDigest([0; 32])),
            }
            assert!(
                wrong(Proof::MessageV2(message)) && wrong(Proof::Receipt(receipt)),
                "{part}"
            );
        }
    }

    #[test]
    fn a_receipt_belongs_to_its_message_alone() {
        let both = || {
            let (message, receipt) = accepted(3, "text");
            (Proof::MessageV2(message), Proof::Receipt(receipt))
        };
        let (message, receipt) = both();
        assert_eq!(message.belongs_to(&receipt), Some(true));
        assert_eq!(receipt.belongs_to(&message), Some(true));
        for (session, text) in [(3, "test"), (4, "text")] {
            let (other, _) = accepted(session, text);
            assert_eq!(receipt.belongs_to(&Proof::MessageV2(other)), Some(false));
        }
        let changes: [fn(&mut ReceiptV2); 3] = [
            |receipt| receipt.session = SessionId([4; 32]),
            |receipt| receipt.sender = signer::<Sender>(5).public().id(),
            |receipt| receipt.relay = signer::<Relay>(5).public().id(),
        ];
        for change in changes {
            let (_, mut other) = accepted(3, "text");
            change(&mut other);
            assert_eq!(message.belongs_to(&Proof::Receipt(other)), Some(false));
        }
        assert_eq!(message.belongs_to(&both().0), None);
        assert_eq!(receipt.belongs_to(&both().1), None);
        assert_eq!(
            receipt.belongs_to(&Proof::MessageV1(message_v1("text"))),
            None
        );
    }

    #[test]
    fn a_message_has_a_text_and_a_receipt_none() {
        let (message, receipt) = accepted(3, "a text");
        assert_eq!(Proof::MessageV2(message).text(), Some("a text"));
        assert_eq!(
            Proof::MessageV1(message_v1("another")).text(),
            Some("another")
        );
        assert_eq!(Proof::Receipt(receipt).text(), None);
    }

    #[test]
    fn the_largest_message_has_room_in_a_file() {
        let (message, _) = accepted(3, &"\u{1}".repeat(MAX_TEXT_BYTES));
        let file = serde_json::to_string(&Proof::MessageV2(message)).expect("it can be written");
        assert!(file.len() > 6 * MAX_TEXT_BYTES && file.len() < MAX_FILE_BYTES);
    }
}

//! The relay's side of a large message: pieces are opened in place, and the whole is checked with the last of them
//! (PROTOCOL.md §16).

mod assembly;

use std::ops::Range;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::{
    ACKNOWLEDGEMENT_BYTES, OPENED_ACKNOWLEDGEMENT_BYTES, PieceIndex, Pieces,
    acknowledgement_position, query_position,
};
use crate::crypto::chunks::{AskNumber, ChunkKey};
use crate::crypto::exchange::UploadKeys;
use crate::crypto::identity::{PublicKey, Sender, Signature};
use crate::crypto::seal::TAG_BYTES;
use crate::files::Files;
use crate::header::{MessageHeader, Via};
use crate::ids::{RelayId, SessionId};
use crate::kind::Kind;
use crate::refusal::Refusal;
use crate::relay_keys::RelayKeys;
use crate::v2::answers::box_part::BoxPart;
use crate::v2::invitation::InvitationNumber;
use crate::v2::message;
use crate::v2::purpose::LargeSize;
use crate::v2::receipt::{self, Receipt};
use kkv_pow::Cost;

pub use assembly::{Assembly, Ended, Reader};

/// A session that waits for the pieces of its message, in the two parts that end at different times.
#[derive(Debug)]
pub struct LargeSession {
    /// Ends with the last piece: whoever finds the memory of a relay later opens no recorded message.
    pub pieces: PieceOpener,
    /// Stays as long as the session is remembered.
    pub acknowledgements: Acknowledger,
}

/// Opens the pieces and checks the whole. Where they are kept, and which are here, is the caller's: see [`Assembly`].
#[derive(Debug)]
pub struct PieceOpener {
    sender: PublicKey<Sender>,
    relay: RelayId,
    cost: Cost,
    invitation: Option<InvitationNumber>,
    size: LargeSize,
    key: ChunkKey,
    id: SessionId,
}

/// Knows a query, and says what is here.
#[derive(Debug)]
pub struct Acknowledger {
    size: LargeSize,
    key: ChunkKey,
    /// The one seal that a query can have: the key of the pieces may be gone when it comes.
    query_tag: [u8; TAG_BYTES],
    id: SessionId,
}

/// A message that was checked, and that nobody has accepted yet.
#[derive(Debug)]
pub struct OpenedLarge {
    /// Where the content is in the opened message.
    pub content: Range<usize>,
    /// What is kept of it beside its content.
    pub header: MessageHeader,
    /// Whether it can be answered, and how. It stands nowhere else any more.
    pub box_part: BoxPart,
    /// The receipt, to be acknowledged with once the message is in the queue.
    pub receipt: Signature,
}

impl LargeSession {
    pub(in crate::v2) fn new(
        sender: PublicKey<Sender>,
        relay: RelayId,
        (cost, invitation): (Cost, Option<InvitationNumber>),
        size: LargeSize,
        keys: UploadKeys,
        id: SessionId,
    ) -> Self {
        let query_tag = keys.pieces.seal(query_position(), &id.0, &mut []);
        Self {
            pieces: PieceOpener {
                sender,
                relay,
                cost,
                invitation,
                size,
                key: keys.pieces,
                id,
            },
            acknowledgements: Acknowledger {
                size,
                key: keys.acknowledgements,
                query_tag,
                id,
            },
        }
    }
}

impl PieceOpener {
    /// Opens a piece's ciphertext in place.
    ///
    /// # Errors
    /// Unproven: its seal doesn't fit this place. `part` still holds the ciphertext then.
    pub fn open(
        &self,
        index: PieceIndex,
        part: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Refusal> {
        let position = index.position(self.size);
        self.key
            .open(position, &self.id.0, part, tag)
            .map_err(|_| Refusal::Unproven)
    }

    /// Checks the whole message, all pieces of which are in `opened`, and wipes what stands before its content there.
    ///
    /// # Errors
    /// Unproven, unknown kind or bad content; `opened` is zero then, and the session is over.
    ///
    /// # Panics
    /// `opened` has another length than the size says: the caller's bug.
    pub fn accept(&self, keys: &RelayKeys, opened: &mut [u8]) -> Result<OpenedLarge, Refusal> {
        assert_eq!(opened.len(), self.size.opened_bytes(), "all pieces");
        let accepted = self.check(keys, opened);
        match &accepted {
            Ok(accepted) => opened[..accepted.content.start].zeroize(),
            Err(_) => opened.zeroize(),
        }
        accepted
    }

    fn check(&self, keys: &RelayKeys, opened: &[u8]) -> Result<OpenedLarge, Refusal> {
        let parts = message::decode(opened)?;
        if parts.kind != Kind::Files as u8 {
            return Err(Refusal::UnknownKind);
        }
        let files = Files::decode(parts.content).map_err(|_| Refusal::BadContent)?;
        let (box_digest, signature) = (parts.box_part.digest(), parts.signature);
        let statement = message::statement(
            &self.relay,
            &self.id,
            parts.kind,
            &box_digest,
            &files.manifest(),
        );
        self.sender
            .verify_statement(&statement, &signature)
            .map_err(|_| Refusal::Unproven)?;
        let receipt = Receipt {
            session: self.id,
            sender: self.sender,
            digest: receipt::digest(&statement, &signature),
        };
        Ok(OpenedLarge {
            content: message::HEAD_BYTES..message::HEAD_BYTES + parts.content.len(),
            header: MessageHeader {
                via: Via::V2,
                kind: Kind::Files,
                cost: self.cost,
                invitation: self.invitation,
                sender: self.sender.id(),
                session: self.id,
                box_digest,
                signature,
            },
            box_part: parts.box_part,
            receipt: receipt.sign(&keys.signing),
        })
    }
}

impl Acknowledger {
    /// By what a piece names the session.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// How large its message is.
    #[must_use]
    pub fn size(&self) -> LargeSize {
        self.size
    }

    /// Checks the seal of a query.
    ///
    /// # Errors
    /// Unproven: it doesn't fit.
    pub fn check_query(&self, tag: &[u8; TAG_BYTES]) -> Result<(), Refusal> {
        if bool::from(self.query_tag.ct_eq(tag)) {
            Ok(())
        } else {
            Err(Refusal::Unproven)
        }
    }

    /// Seals what is here, and the receipt if the message is accepted. Each acknowledgement of a session needs another
    /// number.
    #[must_use]
    pub fn acknowledge(
        &self,
        number: AskNumber,
        here: Pieces,
        receipt: Option<&Signature>,
    ) -> [u8; ACKNOWLEDGEMENT_BYTES] {
        let mut body = [0; ACKNOWLEDGEMENT_BYTES];
        let (head, rest) = body.split_at_mut(8);
        let (plain, tag) = rest.split_at_mut(OPENED_ACKNOWLEDGEMENT_BYTES);
        head.copy_from_slice(&number.get().to_le_bytes());
        plain[..2].copy_from_slice(&here.0.to_le_bytes());
        if let Some(receipt) = receipt {
            plain[2] = 1;
            plain[8..].copy_from_slice(&receipt.0);
        }
        let position = acknowledgement_position(number);
        tag.copy_from_slice(&self.key.seal(position, &self.id.0, plain));
        body
    }
}

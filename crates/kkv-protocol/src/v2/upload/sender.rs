//! The sender's side of a large message: sealed once, sent piece by piece until all of it is acknowledged
//! (PROTOCOL.md §16).

use std::fmt;

use zeroize::Zeroizing;

use super::{
    ACKNOWLEDGEMENT_BYTES, HEAD_BYTES, OPENED_ACKNOWLEDGEMENT_BYTES, PieceIndex, Pieces,
    QUERY_BYTES, QUERY_INDEX, acknowledgement_position, query_position, write_head,
};
use crate::crypto::chunks::{AskNumber, ChunkKey};
use crate::crypto::exchange::UploadKeys;
use crate::crypto::identity::{PublicKey, Relay, SenderKey, Signature};
use crate::crypto::labels;
use crate::crypto::seal::TAG_BYTES;
use crate::error::ProtocolError;
use crate::files::Files;
use crate::ids::SessionId;
use crate::kind::Kind;
use crate::v2::answers::box_part::BoxPart;
use crate::v2::message;
use crate::v2::purpose::LargeSize;
use crate::v2::receipt::{self, Receipt};
use crate::v2::sender::Receipted;

/// Shares keys with the relay; seals one message with files.
#[derive(Debug)]
pub struct OpenLarge {
    key: SenderKey,
    relay: PublicKey<Relay>,
    session: SessionId,
    size: LargeSize,
    keys: UploadKeys,
}

/// Has a sealed message, whose pieces may be sent again as they are until all of them are acknowledged.
pub struct Upload {
    pub(super) relay: PublicKey<Relay>,
    pub(super) receipt: Receipt,
    pub(super) size: LargeSize,
    /// All pieces, one after the other.
    pub(super) sealed: Vec<u8>,
    pub(super) query: [u8; QUERY_BYTES],
    pub(super) acknowledgement_key: ChunkKey,
    /// [`content_digest`] of what is in it.
    pub(super) content: Zeroizing<[u8; 32]>,
    /// Those that the relay may have by now.
    pub(super) begun: Pieces,
    /// Those that it has acknowledged.
    pub(super) here: Pieces,
}

impl OpenLarge {
    pub(in crate::v2) fn new(
        key: SenderKey,
        relay: PublicKey<Relay>,
        session: SessionId,
        size: LargeSize,
        keys: UploadKeys,
    ) -> Self {
        Self {
            key,
            relay,
            session,
            size,
            keys,
        }
    }

    /// The session's name.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Signs, pads, cuts and seals the one message of this session. `box_part` says whether it can be answered; one
    /// that follows up has to be made for this session.
    ///
    /// # Panics
    /// The content doesn't fit into the session's size, which was asked for by it ([`LargeSize::for_content`]).
    #[must_use]
    pub fn seal(self, files: &Files<'_>, box_part: &BoxPart) -> Upload {
        let content = files.encode();
        assert!(content.len() <= self.size.content_room(), "it has to fit");
        let (session, size) = (self.session, self.size);
        let kind = Kind::Files as u8;
        let manifest = files.manifest();
        let statement = message::statement(
            &self.relay.id(),
            &session,
            kind,
            &box_part.digest(),
            &manifest,
        );
        let signature = self.key.sign_statement(&statement);
        let mut opened = Zeroizing::new(vec![0; size.opened_bytes()]);
        let head = message::head(&signature, kind, box_part, content.len());
        opened[..head.len()].copy_from_slice(head.as_slice());
        opened[head.len()..][..content.len()].copy_from_slice(&content);

        let mut sealed = Vec::with_capacity(size.bytes());
        for index in Pieces::all(size).iter() {
            let part = &mut opened[index.offset(size)..][..size.part_bytes()];
            let position = index.position(size);
            let tag = self.keys.pieces.seal(position, &session.0, part);
            sealed.extend_from_slice(&write_head(&session, index.get() as u64));
            sealed.extend_from_slice(part);
            sealed.extend_from_slice(&tag);
        }
        let mut query = [0; QUERY_BYTES];
        let tag = self.keys.pieces.seal(query_position(), &session.0, &mut []);
        query[..HEAD_BYTES].copy_from_slice(&write_head(&session, QUERY_INDEX));
        query[HEAD_BYTES..].copy_from_slice(&tag);
        Upload {
            relay: self.relay,
            receipt: Receipt {
                session,
                sender: self.key.public(),
                digest: receipt::digest(&statement, &signature),
            },
            size,
            sealed,
            query,
            acknowledgement_key: self.keys.acknowledgements,
            content: content_digest(&session, &manifest),
            begun: Pieces::NONE,
            here: Pieces::NONE,
        }
    }
}

/// By what an upload is known that has this `manifest`: [`labels::KEPT_CONTENT`] over the session and it.
fn content_digest(session: &SessionId, manifest: &[u8]) -> Zeroizing<[u8; 32]> {
    labels::KEPT_CONTENT.derive(&[&session.0, manifest])
}

impl Upload {
    /// Whether these files, with their text and names, are what was sealed.
    #[must_use]
    pub fn is_of(&self, files: &Files<'_>) -> bool {
        *self.content == *content_digest(&self.receipt.session, &files.manifest())
    }

    /// How large it is.
    #[must_use]
    pub fn size(&self) -> LargeSize {
        self.size
    }

    /// The relay that it is for.
    #[must_use]
    pub fn relay(&self) -> PublicKey<Relay> {
        self.relay
    }

    /// What its receipt is about.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        self.receipt
    }

    /// Body of `POST /msg` for this piece, which counts as begun from now on.
    pub fn begin(&mut self, index: PieceIndex) -> &[u8] {
        self.begun.insert(index);
        let bytes = self.size.piece_bytes();
        &self.sealed[index.get() * bytes..][..bytes]
    }

    /// Body of `POST /msg` that asks what is here.
    #[must_use]
    pub fn query(&self) -> &[u8; QUERY_BYTES] {
        &self.query
    }

    /// The pieces that are acknowledged.
    #[must_use]
    pub fn here(&self) -> Pieces {
        self.here
    }

    /// The pieces that are not.
    #[must_use]
    pub fn missing(&self) -> Pieces {
        Pieces::all(self.size).without(self.here)
    }

    /// Whether the relay may have some of it.
    #[must_use]
    pub fn may_be_begun(&self) -> bool {
        self.begun != Pieces::NONE
    }

    /// Whether the relay may have the whole message: every piece was begun.
    #[must_use]
    pub fn may_be_whole(&self) -> bool {
        self.begun == Pieces::all(self.size)
    }

    /// Takes an acknowledgement; a receipt if the message is accepted. They may come in any order.
    ///
    /// # Errors
    /// [`ProtocolError::BadSeal`] if it is of another length or was not sealed in this session,
    /// [`ProtocolError::Malformed`] if it says what can't be, and [`ProtocolError::BadReceipt`] if it says that the
    /// message is accepted, and the receipt is not the relay's word for it.
    pub fn acknowledged(&mut self, body: &[u8]) -> Result<Option<Receipted>, ProtocolError> {
        let (here, receipt) = self.open(body)?;
        let begun = here.without(self.begun) == Pieces::NONE;
        if !begun || receipt.is_some() && here != Pieces::all(self.size) {
            return Err(ProtocolError::Malformed);
        }
        let receipted = match receipt {
            Some(signature) => {
                self.receipt
                    .verify(&self.relay, &signature)
                    .map_err(|_| ProtocolError::BadReceipt)?;
                Some(Receipted {
                    relay: self.relay,
                    receipt: self.receipt,
                    signature,
                })
            }
            None => None,
        };
        self.here = self.here.union(here);
        Ok(receipted)
    }

    fn open(&self, body: &[u8]) -> Result<(Pieces, Option<Signature>), ProtocolError> {
        let body: &[u8; ACKNOWLEDGEMENT_BYTES] =
            body.try_into().map_err(|_| ProtocolError::BadSeal)?;
        let (number, sealed) = body.split_first_chunk().ok_or(ProtocolError::BadSeal)?;
        let number = AskNumber::new(u64::from_le_bytes(*number)).ok_or(ProtocolError::BadSeal)?;
        let mut plain = [0; OPENED_ACKNOWLEDGEMENT_BYTES];
        let (ciphertext, tag) = sealed
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(ProtocolError::BadSeal)?;
        plain.copy_from_slice(ciphertext);
        self.acknowledgement_key
            .open(
                acknowledgement_position(number),
                &self.receipt.session.0,
                &mut plain,
                tag,
            )
            .map_err(|_| ProtocolError::BadSeal)?;
        let [low, high, accepted, rest @ ..] = plain;
        let (zeros, receipt) = rest
            .split_first_chunk::<5>()
            .ok_or(ProtocolError::BadSeal)?;
        let receipt = receipt.first_chunk().ok_or(ProtocolError::BadSeal)?;
        let receipt = match accepted {
            0 if *receipt == [0; 64] => None,
            1 => Some(Signature(*receipt)),
            _ => return Err(ProtocolError::Malformed),
        };
        if *zeros != [0; 5] {
            return Err(ProtocolError::Malformed);
        }
        Ok((Pieces(u16::from_le_bytes([low, high])), receipt))
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (here, all) = (self.here.count(), self.size.pieces());
        write!(f, "Upload({here} of {all} pieces acknowledged)")
    }
}

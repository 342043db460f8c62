//! The sender's side of asks: seals requests and opens answers, whole (PROTOCOL.md §14).

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::{
    ANSWER_PREFIX_BYTES, AskOutcome, MAX_ANSWERS, Packing, REQUEST_HEAD_BYTES, Unpacking,
    answer_pieces, answer_room, prefix, request_pieces, request_room,
};
use crate::crypto::chunks::AskNumber;
use crate::crypto::exchange::AskKeys;
use crate::crypto::seal::TAG_BYTES;
use crate::error::ProtocolError;
use crate::ids::SessionId;
use crate::v2::purpose::BodySize;

/// Shares keys with the relay; asks up to 16 times.
#[derive(Debug)]
pub struct Asking {
    session: SessionId,
    size: BodySize,
    keys: AskKeys,
    /// `None` after the highest.
    next: Option<AskNumber>,
    left: u8,
}

/// A sealed request. It is sent once: if its answer is lost, another is made.
#[derive(Debug)]
pub struct AskRequest {
    session: SessionId,
    number: AskNumber,
    body: Vec<u8>,
}

/// What the relay has answered.
pub struct AskAnswer {
    /// What came of it.
    pub outcome: AskOutcome,
    /// When this relay started, by its own clock, in unix seconds.
    pub started: u64,
    /// What the kind of the request says.
    pub content: Zeroizing<Vec<u8>>,
}

/// Why a request can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadAsk {
    /// 16 requests were made, those that the relay has refused among them.
    #[error("{MAX_ANSWERS} requests were made in this session, and no more are")]
    UsedUp,
    /// The content, or the size itself, is larger than the session's.
    #[error("that is more than a request of this session carries")]
    TooLarge,
}

impl Asking {
    pub(in crate::v2) fn new(session: SessionId, size: BodySize, keys: AskKeys) -> Self {
        Self {
            session,
            size,
            keys,
            next: Some(AskNumber::FIRST),
            left: MAX_ANSWERS,
        }
    }

    /// The session's name.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The largest size of a request, and that of each answer.
    #[must_use]
    pub fn size(&self) -> BodySize {
        self.size
    }

    /// The number of the next request; `None` if there is none.
    #[must_use]
    pub fn next_number(&self) -> Option<AskNumber> {
        self.next.filter(|_| self.left > 0)
    }

    /// Leaves out the numbers below this one, if the next is lower.
    pub fn skip_to(&mut self, number: AskNumber) {
        self.next = self.next.map(|next| next.max(number));
    }

    /// Seals a request of this size under the next number. `kind` is that of the specification; another is sent all the
    /// same, for the relay to say that it doesn't know it.
    ///
    /// # Errors
    /// The session is used up, or it doesn't fit.
    pub fn request(
        &mut self,
        kind: u8,
        content: &[u8],
        size: BodySize,
    ) -> Result<AskRequest, BadAsk> {
        if size > self.size || content.len() > request_room(size) {
            return Err(BadAsk::TooLarge);
        }
        let left = self.left.checked_sub(1).ok_or(BadAsk::UsedUp)?;
        let number = self.next.ok_or(BadAsk::UsedUp)?;
        (self.left, self.next) = (left, number.next());
        Ok(self.seal(number, kind, content, size))
    }

    fn seal(&self, number: AskNumber, kind: u8, content: &[u8], size: BodySize) -> AskRequest {
        let content = Zeroizing::new(content.to_vec());
        let packing = Packing::new(prefix(kind, content.len()), content);
        let body = self.seal_packed(number, packing, size);
        AskRequest {
            session: self.session,
            number,
            body,
        }
    }

    fn seal_packed<const N: usize>(
        &self,
        number: AskNumber,
        mut packing: Packing<N>,
        size: BodySize,
    ) -> Vec<u8> {
        let mut body = vec![0; size.bytes()];
        body[..32].copy_from_slice(&self.session.0);
        body[32..REQUEST_HEAD_BYTES].copy_from_slice(&number.get().to_le_bytes());
        let mut rest = body.as_mut_slice();
        for piece in request_pieces(number, size) {
            let (bytes, after) = rest.split_at_mut(piece.bytes);
            let (plain, tag) = bytes[piece.head..].split_at_mut(piece.plain());
            packing.fill(plain);
            let sealed = self
                .keys
                .request
                .seal(piece.position, &self.session.0, plain);
            tag.copy_from_slice(&sealed);
            rest = after;
        }
        body
    }

    /// A body of 4 KiB with this plaintext, and zeros after it.
    #[cfg(test)]
    pub(super) fn seal_raw(&self, number: AskNumber, plain: &[u8]) -> Vec<u8> {
        let packing = Packing::new([], Zeroizing::new(plain.to_vec()));
        self.seal_packed(number, packing, BodySize::Kib4)
    }

    /// Opens the answer to a request.
    ///
    /// # Errors
    /// [`ProtocolError::BadSeal`] if it is of another length or was not sealed for this request, and
    /// [`ProtocolError::Malformed`] if what is inside is not laid out as it should be.
    pub fn answer(
        &self,
        request: &AskRequest,
        mut body: Vec<u8>,
    ) -> Result<AskAnswer, ProtocolError> {
        if body.len() != self.size.bytes() {
            return Err(ProtocolError::BadSeal);
        }
        let answer = self.open(request.number, &mut body);
        body.zeroize();
        answer
    }

    fn open(&self, number: AskNumber, body: &mut [u8]) -> Result<AskAnswer, ProtocolError> {
        let room = answer_room(self.size);
        let mut unpacking = Unpacking::<ANSWER_PREFIX_BYTES>::new(room);
        let mut rest = body;
        for piece in answer_pieces(number, self.size) {
            let (bytes, after) = rest.split_at_mut(piece.bytes);
            let (plain, tag) = bytes
                .split_last_chunk_mut::<TAG_BYTES>()
                .ok_or(ProtocolError::BadSeal)?;
            self.keys
                .response
                .open(piece.position, &self.session.0, plain, tag)
                .map_err(|_| ProtocolError::BadSeal)?;
            unpacking.take(plain, |_| room);
            rest = after;
        }
        let (prefix, content) = unpacking.end().map_err(|_| ProtocolError::Malformed)?;
        let outcome = AskOutcome::try_from(prefix[0]).map_err(|_| ProtocolError::Malformed)?;
        let content = content.ok_or(ProtocolError::Malformed)?;
        if outcome != AskOutcome::Done && !content.is_empty() {
            return Err(ProtocolError::Malformed);
        }
        let started = prefix.last_chunk().map_or(0, |s| u64::from_le_bytes(*s));
        Ok(AskAnswer {
            outcome,
            started,
            content,
        })
    }
}

impl fmt::Debug for AskAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AskAnswer({:?}, ..)", self.outcome)
    }
}

impl AskRequest {
    /// The session that it is of.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> AskNumber {
        self.number
    }

    /// Body of `POST /ask`.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

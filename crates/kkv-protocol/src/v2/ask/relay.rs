//! The relay's side of asks: opens requests and seals answers, a piece at a time (PROTOCOL.md §14).

use std::fmt;

use zeroize::Zeroizing;

use super::{
    ANSWER_PREFIX_BYTES, AskKind, AskOutcome, Asked, Packing, Piece, REQUEST_PREFIX_BYTES,
    Unpacking, answer_pieces, answer_room, prefix, request_room,
};
use crate::crypto::chunks::AskNumber;
use crate::crypto::exchange::AskKeys;
use crate::crypto::seal::TAG_BYTES;
use crate::ids::SessionId;
use crate::refusal::Refusal;
use crate::v2::answers::ask::RepliesRequest;
use crate::v2::purpose::BodySize;

/// The keys of a session for asks. What changes in it is a [`Window`]'s.
#[derive(Debug)]
pub struct AskSession {
    id: SessionId,
    size: BodySize,
    keys: AskKeys,
}

/// Which numbers of a session were taken: of the last 64 each, and all that are lower.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window {
    /// One above the highest number that was taken; 0 if none was.
    end: u64,
    /// Bit i: `end - 1 - i` was taken.
    taken: u64,
}

/// A request that is being read.
pub struct OpeningRequest(Unpacking<REQUEST_PREFIX_BYTES>);

/// An answer that is being sealed.
pub struct SealingAnswer {
    packing: Packing<ANSWER_PREFIX_BYTES>,
    pieces: Box<dyn ExactSizeIterator<Item = Piece> + Send>,
}

impl AskSession {
    pub(in crate::v2) fn new(id: SessionId, size: BodySize, keys: AskKeys) -> Self {
        Self { id, size, keys }
    }

    /// By what a request names it.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The size of each answer, and the largest of a request.
    #[must_use]
    pub fn size(&self) -> BodySize {
        self.size
    }

    /// Opens a piece of a request in place and returns its plaintext.
    ///
    /// # Errors
    /// Unproven: its seal doesn't fit this place, or it is shorter than a seal.
    pub fn open<'p>(&self, piece: &Piece, bytes: &'p mut [u8]) -> Result<&'p mut [u8], Refusal> {
        let chunk = bytes.get_mut(piece.head..).ok_or(Refusal::Unproven)?;
        let (plain, tag) = chunk
            .split_last_chunk_mut::<TAG_BYTES>()
            .ok_or(Refusal::Unproven)?;
        self.keys
            .request
            .open(piece.position, &self.id.0, plain, tag)
            .map_err(|_| Refusal::Unproven)?;
        Ok(plain)
    }
}

impl Window {
    /// Whether this number may still be taken.
    #[must_use]
    pub fn is_free(&self, number: AskNumber) -> bool {
        match self.end.checked_sub(number.get() + 1) {
            None => true,
            Some(back) => back < 64 && self.taken & (1 << back) == 0,
        }
    }

    /// Takes it. Returns whether it was free.
    pub fn take(&mut self, number: AskNumber) -> bool {
        if !self.is_free(number) {
            return false;
        }
        let end = number.get() + 1;
        if end > self.end {
            let forward = u32::try_from(end - self.end).unwrap_or(u32::MAX);
            self.taken = self.taken.checked_shl(forward).unwrap_or(0);
            self.end = end;
        }
        self.taken |= 1 << (self.end - end);
        true
    }
}

impl OpeningRequest {
    /// One of this size, of which nothing has come yet.
    #[must_use]
    pub fn new(size: BodySize) -> Self {
        Self(Unpacking::new(request_room(size)))
    }

    /// Takes the plaintext of the next piece.
    pub fn take(&mut self, plain: &[u8]) {
        let kept = |kind| AskKind::try_from(kind).map_or(0, AskKind::max_content);
        self.0.take(plain, kept);
    }

    /// What is asked, once all of it has come.
    ///
    /// # Errors
    /// The outcome to answer: it is malformed, or of an unknown kind. The layout is looked at first, then the kind,
    /// then its content.
    pub fn end(self) -> Result<Asked, AskOutcome> {
        let (prefix, content) = self.0.end().map_err(|_| AskOutcome::Malformed)?;
        let kind = AskKind::try_from(prefix[0]).map_err(|_| AskOutcome::UnknownKind)?;
        let content = content.ok_or(AskOutcome::Malformed)?;
        match kind {
            AskKind::Nothing => Ok(Asked::Nothing),
            AskKind::Replies => RepliesRequest::parse(&content)
                .map(Asked::Replies)
                .ok_or(AskOutcome::Malformed),
        }
    }
}

impl SealingAnswer {
    /// The answer to the request with this number, of a relay that started at `started` (unix seconds). `content` fits
    /// into the session's size ([`answer_room`]).
    ///
    /// A number is answered once: see [`Window::take`].
    ///
    /// # Panics
    /// The content doesn't fit: the caller's bug.
    #[must_use]
    pub fn new(
        session: &AskSession,
        number: AskNumber,
        outcome: AskOutcome,
        started: u64,
        content: Zeroizing<Vec<u8>>,
    ) -> Self {
        assert!(content.len() <= answer_room(session.size), "it has to fit");
        let mut head = [0; ANSWER_PREFIX_BYTES];
        head[..8].copy_from_slice(&prefix(outcome as u8, content.len()));
        head[8..].copy_from_slice(&started.to_le_bytes());
        Self {
            packing: Packing::new(head, content),
            pieces: Box::new(answer_pieces(number, session.size)),
        }
    }

    /// Seals the next piece; `None` after the last.
    pub fn next(&mut self, session: &AskSession) -> Option<Vec<u8>> {
        let piece = self.pieces.next()?;
        let mut bytes = vec![0; piece.bytes];
        let (plain, tag) = bytes.split_at_mut(piece.plain());
        self.packing.fill(plain);
        let sealed = session
            .keys
            .response
            .seal(piece.position, &session.id.0, plain);
        tag.copy_from_slice(&sealed);
        Some(bytes)
    }
}

impl fmt::Debug for OpeningRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpeningRequest(..)")
    }
}

impl fmt::Debug for SealingAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingAnswer(..)")
    }
}

//! Asks of kind 1, replies: what of a box is asked, and what a relay answers (PROTOCOL.md §17).
//!
//! ```text
//! request   proof 32 | 0 to 4 acknowledgements of 32
//! answer    sealed status record 576 | 4 × (salt 16 | index u16 | sealed answer 3,528)
//! ```

use std::fmt;

use zeroize::Zeroizing;

use super::MAX_WAITING;
use super::keys::{Acknowledged, Acknowledgement, BoxProof, Claim, Salt};
use super::sealed::{PLACE_BYTES, SealedAnswer};
use super::status;
use crate::crypto::chunks::AskNumber;
use crate::ids::SessionId;

/// Bytes of a proof and of an acknowledgement.
const PART_BYTES: usize = 32;
/// Bytes of a request's content at most.
pub const MAX_REQUEST_BYTES: usize = PART_BYTES * (1 + MAX_WAITING);
/// Bytes of an answer's content, whatever it says.
pub const ANSWER_BYTES: usize = status::SEALED_BYTES + MAX_WAITING * PLACE_BYTES;

/// What is asked: the relay's.
pub struct RepliesRequest {
    proof: BoxProof,
    /// Whole acknowledgements.
    acknowledgements: Zeroizing<Vec<u8>>,
}

impl RepliesRequest {
    /// Reads the content of a request; `None` if it is none.
    #[must_use]
    pub fn parse(content: &[u8]) -> Option<Self> {
        let (proof, rest) = content.split_first_chunk()?;
        if rest.len() % PART_BYTES != 0 || rest.len() > PART_BYTES * MAX_WAITING {
            return None;
        }
        Some(Self {
            proof: BoxProof(*proof),
            acknowledgements: Zeroizing::new(rest.to_vec()),
        })
    }

    /// By what it is proved that the box is the sender's.
    #[must_use]
    pub fn proof(&self) -> &BoxProof {
        &self.proof
    }

    /// What the proof is about.
    #[must_use]
    pub fn claim(&self, session: &SessionId, number: AskNumber) -> Claim {
        Claim::ask(session, number, &self.acknowledgements)
    }

    /// What the answers are known by that the sender has.
    pub fn acknowledged(&self) -> impl Iterator<Item = Acknowledged> + '_ {
        let (parts, _) = self.acknowledgements.as_chunks::<PART_BYTES>();
        parts
            .iter()
            .map(|part| Acknowledgement::new(Zeroizing::new(*part)).digest())
    }
}

/// Lays out the content of a request, but for its proof: see [`RepliesRequest`].
pub(super) fn request_tail(acknowledgements: &[&Acknowledgement]) -> Zeroizing<Vec<u8>> {
    let mut tail = Zeroizing::new(Vec::with_capacity(MAX_REQUEST_BYTES));
    for acknowledgement in acknowledgements {
        tail.extend_from_slice(acknowledgement.as_bytes());
    }
    tail
}

/// Lays out what a relay answers: zeros, into which what it has found is written.
#[derive(Debug)]
pub struct RepliesAnswer(Vec<u8>);

impl RepliesAnswer {
    /// With this record, which is zeros if there is no box, and these answers, oldest first.
    ///
    /// # Panics
    /// There are more than [`MAX_WAITING`]: the caller's bug.
    pub fn new<'a>(
        record: &[u8; status::SEALED_BYTES],
        answers: impl ExactSizeIterator<Item = &'a SealedAnswer>,
    ) -> Self {
        let mut content = vec![0; ANSWER_BYTES];
        let (first, rest) = content.split_at_mut(status::SEALED_BYTES);
        first.copy_from_slice(record);
        let (places, _) = rest.as_chunks_mut::<PLACE_BYTES>();
        assert!(answers.len() <= places.len(), "at most 4 wait");
        for (place, answer) in places.iter_mut().zip(answers) {
            *place = answer.to_bytes();
        }
        Self(content)
    }

    /// The content.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Takes an answer's content apart: the record and the four places, of which one that is zero is empty. `None` if it is
/// of another length.
pub(super) fn parts(
    content: &[u8],
) -> Option<(
    &[u8; status::SEALED_BYTES],
    impl Iterator<Item = Option<SealedAnswer>>,
)> {
    let (record, rest) = content.split_first_chunk()?;
    let (places, more) = rest.as_chunks::<PLACE_BYTES>();
    if places.len() != MAX_WAITING || !more.is_empty() {
        return None;
    }
    Some((record, places.iter().map(answer)))
}

fn answer(place: &[u8; PLACE_BYTES]) -> Option<SealedAnswer> {
    if place.iter().all(|byte| *byte == 0) {
        return None;
    }
    let (salt, rest) = place.split_first_chunk()?;
    let (index, sealed) = rest.split_first_chunk()?;
    Some(SealedAnswer {
        salt: Salt(*salt),
        index: u16::from_le_bytes(*index),
        sealed: Box::new(*sealed.first_chunk()?),
    })
}

impl fmt::Debug for RepliesRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RepliesRequest(..)")
    }
}

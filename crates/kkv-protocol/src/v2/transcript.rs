//! What both sides have said so far, as one digest that each signs (PROTOCOL.md §6).
//!
//! Both identities stand in the challenge, and the number of nonces follows from its cost, so every field has one
//! place.

use super::challenge::Challenge;
use crate::crypto::exchange::{HybridAnswer, HybridOffer};
use crate::crypto::identity::Signature;
use crate::crypto::labels;
use crate::error::BadSolutionLength;
use crate::ids::{SessionId, Statement};

/// The nonces that a solution says, as it is sent and signed: u64 little endian, one after the other (PROTOCOL.md §5).
///
/// # Errors
/// It has another length than the challenge's cost asks for.
pub fn nonces(solution: &[u8], challenge: &Challenge) -> Result<Vec<u64>, BadSolutionLength> {
    let wanted = 8 * challenge.terms().cost.nonces_v2();
    let found = solution.len();
    if found != wanted {
        return Err(BadSolutionLength { wanted, found });
    }
    let (nonces, _) = solution.as_chunks::<8>();
    Ok(nonces.iter().map(|n| u64::from_le_bytes(*n)).collect())
}

/// What the sender signs: challenge ‖ solution ‖ X25519 key ‖ ML-KEM key.
#[must_use]
pub fn request(challenge: &Challenge, solution: &[u8], offer: &HybridOffer) -> Statement {
    let fields: [&[u8]; 4] = [
        challenge.as_bytes(),
        solution,
        &offer.x25519.0,
        &offer.mlkem768,
    ];
    labels::REQUEST.digest(&fields)
}

/// What the relay signs: request ‖ its signature ‖ X25519 key ‖ ML-KEM ciphertext.
#[must_use]
pub fn session(request: &Statement, signature: &Signature, answer: &HybridAnswer) -> Statement {
    let fields: [&[u8]; 4] = [&request.0, &signature.0, &answer.x25519.0, &answer.mlkem768];
    labels::SESSION.digest(&fields)
}

/// The session's name: the statement that the relay has signed for it.
#[must_use]
pub fn session_id(session: &Statement) -> SessionId {
    SessionId(session.0)
}

//! What both sides have said so far, as one digest that each signs (PROTOCOL.md §6).
//!
//! Both identities stand in the challenge, and the number of nonces follows from its cost, so every field has one
//! place.

use super::challenge::Challenge;
use crate::crypto::exchange::{HybridAnswer, HybridOffer};
use crate::crypto::identity::{Signature, Statement};
use crate::crypto::labels;

/// The nonces that a solution says, as it is sent and signed: u64 little endian, one after the other. `None` if it has
/// another length than the challenge's cost asks for.
#[must_use]
pub fn nonces(solution: &[u8], challenge: &Challenge) -> Option<Vec<u64>> {
    let expected = challenge.terms().cost.nonces_v2();
    if solution.len() != expected * 8 {
        return None;
    }
    let (nonces, _) = solution.as_chunks::<8>();
    Some(nonces.iter().map(|n| u64::from_le_bytes(*n)).collect())
}

/// What the sender signs: challenge ‖ solution ‖ X25519 key ‖ ML-KEM key.
#[must_use]
pub fn request(challenge: &Challenge, solution: &[u8], offer: &HybridOffer) -> Statement {
    let fields: [&[u8]; 4] = [
        challenge.as_bytes(),
        solution,
        &offer.x25519,
        &offer.mlkem768,
    ];
    Statement::new(labels::REQUEST, &fields)
}

/// What the relay signs, and the session's name: request ‖ its signature ‖ X25519 key ‖ ML-KEM ciphertext.
#[must_use]
pub fn session(request: &Statement, signature: &Signature, answer: &HybridAnswer) -> Statement {
    let fields: [&[u8]; 4] = [
        request.as_bytes(),
        &signature.0,
        &answer.x25519,
        &answer.mlkem768,
    ];
    Statement::new(labels::SESSION, &fields)
}

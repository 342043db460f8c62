//! The bodies of kkv/2: JSON objects of hex strings (PROTOCOL.md §3). Unknown fields are ignored.

use serde::{Deserialize, Serialize};

use super::challenge::CHALLENGE_BYTES;
use super::message::SEALED_BYTES;
use crate::crypto::exchange::{ENCAPSULATION_KEY_BYTES, KEM_CIPHERTEXT_BYTES};
use crate::ids::{SenderId, SessionId, X25519PublicKey};
use crate::wire::{Hex, HexUpTo};
use kkv_pow::SUBPUZZLES;

/// `POST /pow`, request.
#[derive(Debug, Serialize, Deserialize)]
pub struct PowRequest {
    /// Always `kkv/2`; another one is refused, so that a later suite can use JSON as well.
    pub suite: String,
    /// The sender's Ed25519 public key.
    pub sender: SenderId,
    /// What the session is for, and its size (§4).
    pub purpose: Hex<2>,
}

/// `POST /pow`, answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct PowAnswer {
    /// The challenge (§4).
    pub challenge: Hex<CHALLENGE_BYTES>,
    /// The relay's signature of it.
    pub signature: Hex<64>,
}

/// `POST /exchange_keys`, request.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExchangeRequest {
    /// The challenge as received.
    pub challenge: Hex<CHALLENGE_BYTES>,
    /// 1 or 16 nonces, u64 little endian, increasing (§5).
    pub solution: HexUpTo<{ 8 * SUBPUZZLES }>,
    /// The sender's one-use X25519 public key.
    pub x25519: X25519PublicKey,
    /// The sender's one-use ML-KEM-768 encapsulation key.
    pub mlkem768: Hex<ENCAPSULATION_KEY_BYTES>,
    /// The sender's signature of all of it (§6).
    pub signature: Hex<64>,
}

/// `POST /exchange_keys`, answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExchangeAnswer {
    /// The relay's one-use X25519 public key.
    pub x25519: X25519PublicKey,
    /// The ML-KEM-768 ciphertext.
    pub mlkem768: Hex<KEM_CIPHERTEXT_BYTES>,
    /// The relay's signature of the whole exchange (§6).
    pub signature: Hex<64>,
}

/// `POST /msg`, request.
#[derive(Debug, Serialize, Deserialize)]
pub struct MessageRequest {
    /// The session's name (§6).
    pub session: SessionId,
    /// The sealed message (§7): always of the same length.
    pub sealed: Hex<SEALED_BYTES>,
}

/// `POST /msg`, answer: the message is in the queue.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct MessageAnswer {
    /// The relay's signature of the receipt (§8).
    pub receipt: Hex<64>,
}

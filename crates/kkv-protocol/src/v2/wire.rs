//! The bodies of kkv/2: JSON objects of hex strings (PROTOCOL.md §3). Unknown fields are ignored.

use serde::{Deserialize, Deserializer, Serialize};

use super::challenge::CHALLENGE_BYTES;
use super::message::SEALED_BYTES;
use crate::crypto::exchange::{ENCAPSULATION_KEY_BYTES, KEM_CIPHERTEXT_BYTES};
use crate::ids::{InvitationProof, SenderId, SessionId, X25519PublicKey};
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
    /// That the sender is invited, if it is (§15).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub invitation: Option<InvitationProof>,
}

/// A field that may be left out, and is never `null` (§2).
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{BadBody, object};

    #[test]
    fn an_invitation_may_be_left_out_and_is_never_null_or_there_twice() {
        let read = |more: &str| {
            let sender = "07".repeat(32);
            let json = format!(
                "{{\"suite\":\"kkv/2\",\"sender\":\"{sender}\",\"purpose\":\"0000\"{more}}}"
            );
            object::<PowRequest>(json.as_bytes()).map(|request| request.invitation)
        };
        let proof = "0a".repeat(32);
        assert_eq!(read(""), Ok(None));
        let shown = Ok(Some(InvitationProof([10; 32])));
        assert_eq!(read(&format!(",\"invitation\":\"{proof}\"")), shown);
        for wrong in [
            ",\"invitation\":null".to_owned(),
            ",\"invitation\":\"\"".to_owned(),
            format!(",\"invitation\":\"{proof}00\""),
            format!(",\"invitation\":\"{proof}\",\"invitation\":\"{proof}\""),
        ] {
            assert_eq!(read(&wrong), Err(BadBody::Fields), "{wrong}");
        }
    }
}

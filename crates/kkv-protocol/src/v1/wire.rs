//! The bodies of kkv/1. Requests are forms, answers JSON; field names are the published ones, spelled as they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::challenge::CHALLENGE_BYTES;
use crate::ids::{SenderId, X25519PublicKey};
use crate::limits::MAX_CIPHERTEXT_BYTES_V1;
use crate::refusal::Refusal;
use crate::wire::{Hex, HexUpTo, form, object};

/// `POST /pow`, request.
#[derive(Debug, Serialize, Deserialize)]
pub struct PowRequest {
    /// The sender's Ed25519 public key.
    pub bytes: SenderId,
}

/// `POST /pow`, answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct PowAnswer {
    /// The challenge.
    pub bytes: Hex<CHALLENGE_BYTES>,
    /// Ed25519(relay, challenge).
    pub signature: Hex<64>,
}

/// `POST /exchange_keys`, request.
#[derive(Debug, Serialize, Deserialize)]
pub struct Exchange {
    /// The sender's Ed25519 public key.
    pub ed25519_pubkey: SenderId,
    /// The solution.
    pub nonce: Hex<32>,
    /// The challenge as received.
    pub pow: Hex<CHALLENGE_BYTES>,
    /// Its signature as received.
    pub pow_sig: Hex<64>,
    /// One-use X25519 public key.
    pub diffie_hellman: X25519PublicKey,
    /// Ed25519(sender, X25519 key ‖ nonce).
    pub diffie_hellman_sig: Hex<64>,
}

/// `POST /exchange_keys`, answer. All six fields are there because a published sender can't parse it otherwise.
#[derive(Debug, Serialize)]
pub struct ExchangeAnswer {
    ed25519_pubkey: Hex<32>,
    nonce: Hex<32>,
    pow: Hex<32>,
    pow_sig: Hex<80>,
    diffie_hellman: X25519PublicKey,
    diffie_hellman_sig: Hex<64>,
}

impl ExchangeAnswer {
    /// The relay's key, Ed25519(relay, that key), and the filler of a published relay: 32, 32, 32 and 80 zero bytes.
    #[must_use]
    pub fn new(x25519: X25519PublicKey, signature: [u8; 64]) -> Self {
        Self {
            ed25519_pubkey: Hex([0; 32]),
            nonce: Hex([0; 32]),
            pow: Hex([0; 32]),
            pow_sig: Hex([0; 80]),
            diffie_hellman: x25519,
            diffie_hellman_sig: Hex(signature),
        }
    }
}

/// What a sender reads of an [`ExchangeAnswer`]; the rest is filler.
#[derive(Debug, Deserialize)]
pub struct ExchangeAnswerKeys {
    /// The relay's one-use X25519 public key.
    pub diffie_hellman: X25519PublicKey,
    /// Ed25519(relay, that key).
    pub diffie_hellman_sig: Hex<64>,
}

/// Whether an answer is how a published relay says no: to `/pow` 80 and 64 zero bytes, to `/exchange_keys` six empty
/// strings.
///
/// ```
/// use kkv_protocol::v1::wire::is_refusal;
///
/// let (challenge, signature) = ("00".repeat(80), "00".repeat(64));
/// let filler = format!("{{\"bytes\":\"{challenge}\",\"signature\":\"{signature}\"}}");
/// assert!(is_refusal(filler.as_bytes()));
/// assert!(!is_refusal(b"{}"));
/// ```
#[must_use]
pub fn is_refusal(body: &[u8]) -> bool {
    let Ok(fields) = object::<BTreeMap<String, String>>(body) else {
        return false;
    };
    let zeros = |name: &str, bytes: usize| fields.get(name) == Some(&"00".repeat(bytes));
    let pow = zeros("bytes", 80) && zeros("signature", 64);
    let exchange = fields.len() == 6 && fields.values().all(String::is_empty);
    pow || exchange
}

/// `POST /msg`, request. The answer to an accepted one is empty.
#[derive(Debug, Serialize, Deserialize)]
pub struct MessageRequest {
    /// The sender's Ed25519 public key, by which the relay finds the session.
    pub pubkey: SenderId,
    /// Sealed: signature 64 ‖ text, with a tag behind.
    pub chiphertext: HexUpTo<MAX_CIPHERTEXT_BYTES_V1>,
    /// Ed25519(sender, ciphertext).
    pub signature: Hex<64>,
}

impl MessageRequest {
    /// Parses the form (PROTOCOL.md §10).
    ///
    /// ```
    /// use kkv_protocol::refusal::Refusal;
    /// use kkv_protocol::v1::wire::MessageRequest;
    ///
    /// let form = |ciphertext: usize| {
    ///     let (key, sealed) = ("ab".repeat(32), "00".repeat(ciphertext));
    ///     format!("pubkey={key}&chiphertext={sealed}&signature={}", "cd".repeat(64))
    /// };
    /// assert!(MessageRequest::from_form(form(3000).as_bytes()).is_ok());
    /// let longer = MessageRequest::from_form(form(3001).as_bytes());
    /// assert_eq!(longer.map(|_| ()), Err(Refusal::TooLarge));
    /// ```
    ///
    /// # Errors
    /// Too large if the ciphertext is longer than 6,000 characters, else malformed.
    pub fn from_form(body: &[u8]) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct Length {
            chiphertext: String,
        }
        form(body).map_err(|_| match form::<Length>(body) {
            Ok(form) if form.chiphertext.chars().count() > 2 * MAX_CIPHERTEXT_BYTES_V1 => {
                Refusal::TooLarge
            }
            _ => Refusal::Malformed,
        })
    }
}

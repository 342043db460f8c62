//! The sender's steps in kkv/1.

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::challenge::Challenge;
use super::wire::{Exchange, ExchangeAnswerKeys, MessageRequest, PowAnswer, PowRequest};
use super::{MIN_CIPHERTEXT_BYTES, content_signed, exchange_signed};
use crate::crypto::exchange::X25519Secret;
use crate::crypto::identity::{PublicKey, Relay, SenderKey, Signature};
use crate::crypto::seal::MessageKey;
use crate::error::ProtocolError;
use crate::suite::Suite;
use crate::text::{BadText, Text};
use crate::wire::{Hex, HexUpTo};
use kkv_pow::{Nonce, Puzzle};

/// Asks for a challenge.
#[derive(Debug)]
pub struct Hello {
    key: SenderKey,
}

/// Has a challenge; asks for the key that must have signed it, and need not wait for it to start solving.
#[derive(Debug)]
pub struct Challenged {
    key: SenderKey,
    challenge: Challenge,
    signature: Hex<64>,
}

/// Has a challenge that this relay has signed; solves it.
#[derive(Debug)]
pub struct Vouched {
    key: SenderKey,
    relay: PublicKey<Relay>,
    challenge: Challenge,
    signature: Hex<64>,
}

/// Has paid and offered a key; waits for the relay's.
#[derive(Debug)]
pub struct Exchanging {
    key: SenderKey,
    relay: PublicKey<Relay>,
    secret: X25519Secret,
    request: Exchange,
}

/// Shares a key with the relay; seals one message.
#[derive(Debug)]
pub struct Open {
    key: SenderKey,
    message_key: MessageKey,
}

/// Has a sealed message, which may be sent again as it is until it is answered.
#[derive(Debug)]
pub struct Sent {
    /// Body of `POST /msg`.
    pub request: MessageRequest,
}

impl Hello {
    /// Starts with the key that will sign the message.
    #[must_use]
    pub fn new(key: SenderKey) -> Self {
        Self { key }
    }

    /// Body of `POST /pow`.
    #[must_use]
    pub fn request(&self) -> PowRequest {
        PowRequest {
            bytes: self.key.public().id(),
        }
    }

    /// Takes the relay's challenge. Nobody has vouched for it yet.
    ///
    /// # Errors
    /// Made for another sender, or a cost above 60.
    pub fn challenged(self, answer: &PowAnswer) -> Result<Challenged, ProtocolError> {
        let challenge =
            Challenge::from_bytes(&answer.bytes.0).map_err(|_| ProtocolError::WrongChallenge)?;
        if challenge.sender != self.key.public().id() {
            return Err(ProtocolError::WrongChallenge);
        }
        Ok(Challenged {
            key: self.key,
            challenge,
            signature: answer.signature,
        })
    }
}

impl Challenged {
    /// What has to be found.
    #[must_use]
    pub fn puzzle(&self) -> Puzzle {
        self.challenge.puzzle()
    }

    /// When the challenge ends, in unix seconds.
    #[must_use]
    pub fn expiry(&self) -> u64 {
        self.challenge.expiry
    }

    /// Takes the body of `GET /get_domain_pk`: 64 hex characters and nothing else.
    ///
    /// # Errors
    /// It is something else, a key that fits any text, or one that has not signed the challenge.
    pub fn vouched(self, domain_key: &[u8]) -> Result<Vouched, ProtocolError> {
        let text = std::str::from_utf8(domain_key).map_err(|_| ProtocolError::Malformed)?;
        let id = text.parse().map_err(|_| ProtocolError::Malformed)?;
        let relay = PublicKey::from_id(&id).map_err(|_| ProtocolError::BadSignature)?;
        let signed = self.challenge.to_bytes();
        relay
            .verify(&signed, &Signature(self.signature.0))
            .map_err(|_| ProtocolError::BadSignature)?;
        Ok(Vouched {
            key: self.key,
            relay,
            challenge: self.challenge,
            signature: self.signature,
        })
    }
}

impl Vouched {
    /// The relay's key.
    #[must_use]
    pub fn relay(&self) -> &PublicKey<Relay> {
        &self.relay
    }

    /// Offers a one-use key (32 bytes are drawn) with the nonce that was found.
    pub fn solved(self, nonce: Nonce, rng: &mut impl CryptoRng) -> Exchanging {
        let secret = X25519Secret::generate(rng);
        let public = secret.public();
        let signature = self.key.sign(&exchange_signed(&public, &nonce));
        let request = Exchange {
            ed25519_pubkey: self.key.public().id(),
            nonce: Hex(nonce.0),
            pow: Hex(self.challenge.to_bytes()),
            pow_sig: self.signature,
            diffie_hellman: public,
            diffie_hellman_sig: Hex(signature.0),
        };
        Exchanging {
            key: self.key,
            relay: self.relay,
            secret,
            request,
        }
    }
}

impl Exchanging {
    /// Begins again: what was paid is not enough any more.
    #[must_use]
    pub fn again(self) -> Hello {
        Hello { key: self.key }
    }

    /// Body of `POST /exchange_keys`.
    #[must_use]
    pub fn request(&self) -> &Exchange {
        &self.request
    }

    /// Takes the relay's key.
    ///
    /// # Errors
    /// Not signed by the relay, or of small order.
    pub fn answered(self, answer: &ExchangeAnswerKeys) -> Result<Open, ProtocolError> {
        let signature = Signature(answer.diffie_hellman_sig.0);
        self.relay
            .verify(&answer.diffie_hellman.0, &signature)
            .map_err(|_| ProtocolError::BadSignature)?;
        let shared = self
            .secret
            .agree(answer.diffie_hellman)
            .map_err(|_| ProtocolError::BadExchangeKey)?;
        Ok(Open {
            key: self.key,
            message_key: shared.message_key(),
        })
    }
}

impl Open {
    /// Signs and seals the one message of this session.
    ///
    /// # Errors
    /// kkv/1 can't carry this text.
    pub fn seal(self, text: &Text) -> Result<Sent, BadText> {
        text.fits(Suite::V1)?;
        let inner = self.key.sign(content_signed(text.as_bytes()));
        let mut plain = Zeroizing::new(Vec::with_capacity(
            MIN_CIPHERTEXT_BYTES + text.as_bytes().len(),
        ));
        plain.extend_from_slice(&inner.0);
        plain.extend_from_slice(text.as_bytes());
        let tag = self.message_key.seal(&[], &mut plain);
        let mut ciphertext = plain.to_vec(); // sealed by now
        ciphertext.extend_from_slice(&tag);
        let signature = self.key.sign(&ciphertext);
        Ok(Sent {
            request: MessageRequest {
                pubkey: self.key.public().id(),
                chiphertext: HexUpTo::new(ciphertext),
                signature: Hex(signature.0),
            },
        })
    }
}

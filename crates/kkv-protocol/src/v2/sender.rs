//! The sender's steps in kkv/2 (PROTOCOL.md §3).

use rand::CryptoRng;

use super::challenge::Challenge;
use super::receipt::{self, Receipt};
use super::wire::{
    ExchangeAnswer, ExchangeRequest, MessageAnswer, MessageRequest, PowAnswer, PowRequest,
};
use super::{message, transcript};
use crate::crypto::exchange::{HybridAnswer, HybridSecret};
use crate::crypto::identity::{PublicKey, Relay, SenderKey, Signature};
use crate::crypto::seal::MessageKey;
use crate::error::ProtocolError;
use crate::ids::{SessionId, Statement};
use crate::kind::Kind;
use crate::limits::MAX_EXPECTED_SECONDS;
use crate::suite::Suite;
use crate::terms::Terms;
use crate::text::Text;
use crate::wire::{Hex, HexUpTo};
use kkv_pow::Puzzle;

/// Asks for a challenge.
#[derive(Debug)]
pub struct Hello {
    key: SenderKey,
}

/// Has a challenge; solves it.
#[derive(Debug)]
pub struct Challenged {
    key: SenderKey,
    relay: PublicKey<Relay>,
    challenge: Challenge,
}

/// Has paid and offered its keys; waits for the relay's.
#[derive(Debug)]
pub struct Exchanging {
    key: SenderKey,
    relay: PublicKey<Relay>,
    secret: HybridSecret,
    statement: Statement,
    request: ExchangeRequest,
}

/// Shares a key with the relay; seals one message.
#[derive(Debug)]
pub struct Open {
    key: SenderKey,
    relay: PublicKey<Relay>,
    session: SessionId,
    message_key: MessageKey,
}

/// Has a sealed message, which may be sent again as it is until it is answered.
#[derive(Debug)]
pub struct Sent {
    relay: PublicKey<Relay>,
    receipt: Receipt,
    request: MessageRequest,
}

/// The relay's word for a message, checked.
#[derive(Debug, Clone, Copy)]
pub struct Receipted {
    /// Whose word it is.
    pub relay: PublicKey<Relay>,
    /// What it is about.
    pub receipt: Receipt,
    /// Its signature.
    pub signature: Signature,
}

impl Hello {
    /// Starts with the key that will sign the message.
    #[must_use]
    pub fn new(key: SenderKey) -> Self {
        Self { key }
    }

    /// The key again, for a relay that has no kkv/2.
    #[must_use]
    pub fn into_key(self) -> SenderKey {
        self.key
    }

    /// Body of `POST /pow`.
    #[must_use]
    pub fn request(&self) -> PowRequest {
        PowRequest {
            suite: Suite::V2.to_string(),
            sender: self.key.public().id(),
        }
    }

    /// Takes the relay's challenge. The relay's key is in it and signs it: who the relay is, the onion address has
    /// proved.
    ///
    /// # Errors
    /// Wrong signature, made for another sender, or on terms out of bounds (a cost above 60, more than a day to pay).
    pub fn challenged(self, answer: &PowAnswer) -> Result<Challenged, ProtocolError> {
        let challenge = Challenge::from_bytes(&answer.challenge.0)
            .map_err(|_| ProtocolError::WrongChallenge)?;
        let relay =
            PublicKey::from_id(&challenge.relay()).map_err(|_| ProtocolError::BadSignature)?;
        relay
            .verify_statement(&challenge.statement(), &Signature(answer.signature.0))
            .map_err(|_| ProtocolError::BadSignature)?;
        let in_bounds = (1..=MAX_EXPECTED_SECONDS).contains(&challenge.terms().lifetime);
        if challenge.sender() != self.key.public().id() || !in_bounds {
            return Err(ProtocolError::WrongChallenge);
        }
        Ok(Challenged {
            key: self.key,
            relay,
            challenge,
        })
    }
}

impl Challenged {
    /// The relay's key.
    #[must_use]
    pub fn relay(&self) -> &PublicKey<Relay> {
        &self.relay
    }

    /// On what terms a session is had.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        self.challenge.terms()
    }

    /// What has to be found.
    #[must_use]
    pub fn puzzle(&self) -> Puzzle {
        self.challenge.puzzle()
    }

    /// Offers one-use keys (96 bytes are drawn) with the nonces that were found.
    pub fn solved(self, nonces: &[u64], rng: &mut impl CryptoRng) -> Exchanging {
        let solution: Vec<u8> = nonces.iter().flat_map(|n| n.to_le_bytes()).collect();
        let secret = HybridSecret::generate(rng);
        let offer = secret.offer();
        let statement = transcript::request(&self.challenge, &solution, &offer);
        let signature = self.key.sign_statement(&statement);
        let request = ExchangeRequest {
            challenge: Hex(*self.challenge.as_bytes()),
            solution: HexUpTo::new(solution),
            x25519: offer.x25519,
            mlkem768: Hex(offer.mlkem768),
            signature: Hex(signature.0),
        };
        Exchanging {
            key: self.key,
            relay: self.relay,
            secret,
            statement,
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
    pub fn request(&self) -> &ExchangeRequest {
        &self.request
    }

    /// Takes the relay's keys.
    ///
    /// # Errors
    /// Not signed by the relay for exactly this exchange, or an X25519 key of small order.
    pub fn answered(self, answer: &ExchangeAnswer) -> Result<Open, ProtocolError> {
        let keys = HybridAnswer {
            x25519: answer.x25519,
            mlkem768: answer.mlkem768.0,
        };
        let own = Signature(self.request.signature.0);
        let signed = transcript::session(&self.statement, &own, &keys);
        self.relay
            .verify_statement(&signed, &Signature(answer.signature.0))
            .map_err(|_| ProtocolError::BadSignature)?;
        let shared = self
            .secret
            .agree(&keys)
            .map_err(|_| ProtocolError::BadExchangeKey)?;
        let session = transcript::session_id(&signed);
        Ok(Open {
            key: self.key,
            relay: self.relay,
            message_key: shared.message_key(&session),
            session,
        })
    }
}

impl Open {
    /// The session's name.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Signs, pads and seals the one message of this session.
    #[must_use]
    pub fn seal(self, text: &Text) -> Sent {
        let session = self.session;
        let (kind, content) = (Kind::Text, text.as_bytes());
        let statement = message::statement(&self.relay.id(), &session, kind as u8, content);
        let signature = self.key.sign_statement(&statement);
        let mut plain = message::encode(&signature, kind, content);
        let tag = self.message_key.seal(&session.0, plain.as_mut_slice());
        let mut sealed = [0; message::SEALED_BYTES];
        sealed[..message::PLAIN_BYTES].copy_from_slice(plain.as_slice()); // sealed by now
        sealed[message::PLAIN_BYTES..].copy_from_slice(&tag);
        Sent {
            relay: self.relay,
            receipt: Receipt {
                session,
                sender: self.key.public(),
                digest: receipt::digest(&statement, &signature),
            },
            request: MessageRequest {
                session,
                sealed: Hex(sealed),
            },
        }
    }
}

impl Sent {
    /// Body of `POST /msg`.
    #[must_use]
    pub fn request(&self) -> &MessageRequest {
        &self.request
    }

    /// Takes the relay's receipt.
    ///
    /// # Errors
    /// It is not the relay's word for this message.
    pub fn accepted(self, answer: &MessageAnswer) -> Result<Receipted, ProtocolError> {
        let signature = Signature(answer.receipt.0);
        self.receipt
            .verify(&self.relay, &signature)
            .map_err(|_| ProtocolError::BadReceipt)?;
        Ok(Receipted {
            relay: self.relay,
            receipt: self.receipt,
            signature,
        })
    }
}

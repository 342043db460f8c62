//! The sender's steps in kkv/1.

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::challenge::Challenge;
use super::wire::{Exchange, ExchangeAnswerKeys, MessageRequest, PowAnswer, PowRequest};
use super::{MIN_CIPHERTEXT_BYTES, content_signed, exchange_signed};
use crate::crypto::exchange::X25519Secret;
use crate::crypto::identity::{PublicKey, Relay, SenderKey, Signature};
use crate::crypto::seal::MessageKey;
use crate::pow::Puzzle;
use crate::protocol::fault::Fault;
use crate::protocol::suite::Suite;
use crate::protocol::text::Text;
use crate::protocol::wire::{Hex, HexUpTo};

/// Knows the relay's key (the answer of `GET /get_domain_pk`); asks for a challenge.
#[derive(Debug)]
pub struct Hello {
    key: SenderKey,
    relay: PublicKey<Relay>,
}

/// Has a challenge of this relay; solves it.
#[derive(Debug)]
pub struct Challenged {
    hello: Hello,
    challenge: Challenge,
    signature: Hex<64>,
}

/// Has paid and offered a key; waits for the relay's.
#[derive(Debug)]
pub struct Exchanging {
    hello: Hello,
    secret: X25519Secret,
    request: Exchange,
}

/// Shares a key with the relay; seals one message.
#[derive(Debug)]
pub struct Open {
    hello: Hello,
    message_key: MessageKey,
}

/// Has a sealed message, which may be sent again as it is until it is answered.
#[derive(Debug)]
pub struct Sent {
    /// Body of `POST /msg`.
    pub request: MessageRequest,
}

impl Hello {
    /// Starts from the body of `GET /get_domain_pk`: 64 hex characters and nothing else.
    ///
    /// # Errors
    /// It is something else, or a key that fits any text.
    pub fn new(key: SenderKey, domain_key: &[u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(domain_key).map_err(|_| Fault::Malformed)?;
        let bytes = Hex::<32>::parse(text).ok_or(Fault::Malformed)?;
        let relay = PublicKey::from_bytes(&bytes.0).map_err(|_| Fault::BadSignature)?;
        Ok(Self { key, relay })
    }

    /// The relay's key.
    #[must_use]
    pub fn relay(&self) -> &PublicKey<Relay> {
        &self.relay
    }

    /// Body of `POST /pow`.
    #[must_use]
    pub fn request(&self) -> PowRequest {
        PowRequest {
            bytes: Hex(*self.key.public().as_bytes()),
        }
    }

    /// Takes the relay's challenge.
    ///
    /// # Errors
    /// Wrong signature, made for another sender, or a cost above 60.
    pub fn challenged(self, answer: &PowAnswer) -> Result<Challenged, Fault> {
        self.relay
            .verify(&answer.bytes.0, &Signature(answer.signature.0))
            .map_err(|_| Fault::BadSignature)?;
        let challenge = Challenge::from_bytes(&answer.bytes.0).ok_or(Fault::WrongChallenge)?;
        if challenge.sender != *self.key.public().as_bytes() {
            return Err(Fault::WrongChallenge);
        }
        Ok(Challenged {
            hello: self,
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

    /// Offers a one-use key (32 bytes are drawn) with the nonce that was found.
    pub fn solved(self, nonce: [u8; 32], rng: &mut impl CryptoRng) -> Exchanging {
        let secret = X25519Secret::generate(rng);
        let public = secret.public();
        let signature = self.hello.key.sign(&exchange_signed(&public, &nonce));
        let request = Exchange {
            ed25519_pubkey: Hex(*self.hello.key.public().as_bytes()),
            nonce: Hex(nonce),
            pow: Hex(self.challenge.to_bytes()),
            pow_sig: self.signature,
            diffie_hellman: Hex(public),
            diffie_hellman_sig: Hex(signature.0),
        };
        Exchanging {
            hello: self.hello,
            secret,
            request,
        }
    }
}

impl Exchanging {
    /// Body of `POST /exchange_keys`.
    #[must_use]
    pub fn request(&self) -> &Exchange {
        &self.request
    }

    /// Takes the relay's key.
    ///
    /// # Errors
    /// Not signed by the relay, or of small order.
    pub fn answered(self, answer: &ExchangeAnswerKeys) -> Result<Open, Fault> {
        let signature = Signature(answer.diffie_hellman_sig.0);
        self.hello
            .relay
            .verify(&answer.diffie_hellman.0, &signature)
            .map_err(|_| Fault::BadSignature)?;
        let shared = self
            .secret
            .agree(answer.diffie_hellman.0)
            .map_err(|_| Fault::BadExchangeKey)?;
        Ok(Open {
            hello: self.hello,
            message_key: MessageKey::from_raw(&shared),
        })
    }
}

impl Open {
    /// Signs and seals the one message of this session.
    ///
    /// # Errors
    /// kkv/1 can't carry this text.
    pub fn seal(self, text: &Text) -> Result<Sent, Fault> {
        text.fits(Suite::V1)?;
        let inner = self.hello.key.sign(content_signed(text.as_bytes()));
        let mut plain = Zeroizing::new(Vec::with_capacity(
            MIN_CIPHERTEXT_BYTES + text.as_bytes().len(),
        ));
        plain.extend_from_slice(&inner.0);
        plain.extend_from_slice(text.as_bytes());
        let tag = self.message_key.seal(&[], &mut plain);
        let mut ciphertext = plain.to_vec(); // sealed by now
        ciphertext.extend_from_slice(&tag);
        let signature = self.hello.key.sign(&ciphertext);
        Ok(Sent {
            request: MessageRequest {
                pubkey: Hex(*self.hello.key.public().as_bytes()),
                chiphertext: HexUpTo::new(ciphertext),
                signature: Hex(signature.0),
            },
        })
    }
}

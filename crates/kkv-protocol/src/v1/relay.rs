//! The relay's steps in kkv/1. Checks go from the cheapest to the dearest (PROTOCOL.md §3).

use rand::CryptoRng;
use zeroize::Zeroize;

use super::challenge::Challenge;
use super::wire::{Exchange, ExchangeAnswer, MessageRequest, PowAnswer, PowRequest};
use super::{MIN_CIPHERTEXT_BYTES, SIGNATURE_BYTES, content_signed, exchange_signed, is_text};
use crate::crypto::exchange::X25519Secret;
use crate::crypto::identity::{PublicKey, Sender, Signature};
use crate::crypto::labels;
use crate::crypto::seal::MessageKey;
use crate::header::{MessageHeader, Via};
use crate::ids::{BoxDigest, RequestDigest, Seed, SenderId, SessionId};
use crate::kind::Kind;
use crate::limits::SLOT_BYTES;
use crate::refusal::Refusal;
use crate::relay_keys::RelayKeys;
use crate::terms::Terms;
use crate::wire::Hex;
use kkv_pow::{Cost, Nonce, Solution};

/// Answers `POST /pow`: a challenge of 76 bytes and Ed25519(relay, challenge) (PROTOCOL.md §10). 16 bytes are drawn.
pub fn issue(
    keys: &RelayKeys,
    request: &PowRequest,
    terms: &Terms,
    rng: &mut impl CryptoRng,
) -> PowAnswer {
    let challenge = Challenge::issue(request.bytes, terms, keys.tag_v1(), rng);
    let bytes = challenge.to_bytes();
    PowAnswer {
        bytes: Hex(bytes),
        signature: Hex(keys.signing.sign(&bytes).0),
    }
}

/// An exchange request that was paid for with a challenge of this relay.
#[derive(Debug)]
pub struct Admitted<'r> {
    request: &'r Exchange,
    challenge: Challenge,
}

/// Checks what costs next to nothing: deadline, ownership, solution (PROTOCOL.md §3, §10). `now` is in unix seconds.
///
/// `pow_sig` is not looked at: the tag in the seed says the same for a three-hundredth of the price.
///
/// # Errors
/// Malformed, expired or unpaid.
pub fn admit<'r>(
    keys: &RelayKeys,
    request: &'r Exchange,
    now: u64,
) -> Result<Admitted<'r>, Refusal> {
    let challenge = Challenge::from_bytes(&request.pow.0).map_err(|_| Refusal::Malformed)?;
    if challenge.expiry <= now {
        return Err(Refusal::Expired);
    }
    if challenge.sender != request.ed25519_pubkey || !challenge.is_own(keys.tag_v1()) {
        return Err(Refusal::Unpaid);
    }
    challenge
        .puzzle()
        .verify(&Solution::V1(Nonce(request.nonce.0)))
        .map_err(|_| Refusal::Unpaid)?;
    Ok(Admitted { request, challenge })
}

impl Admitted<'_> {
    /// The name by which a spent challenge is remembered.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.challenge.seed
    }

    /// What was paid.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.challenge.cost
    }

    /// When it need not be remembered any more.
    #[must_use]
    pub fn expiry(&self) -> u64 {
        self.challenge.expiry
    }

    /// Tells a repeated request from a second use of its challenge.
    #[must_use]
    pub fn repeat_digest(&self) -> RequestDigest {
        labels::REPEAT.digest(&[
            &self.challenge.to_bytes(),
            &self.request.nonce.0,
            &self.request.diffie_hellman.0,
            &self.request.diffie_hellman_sig.0,
        ])
    }

    /// Checks the sender's signature and makes the session (32 bytes are drawn).
    ///
    /// # Errors
    /// Unproven: key or signature no good, or an X25519 key of small order.
    pub fn open(
        self,
        keys: &RelayKeys,
        rng: &mut impl CryptoRng,
    ) -> Result<(Session, ExchangeAnswer), Refusal> {
        let theirs = self.request.diffie_hellman;
        let sender = PublicKey::from_id(&self.challenge.sender).map_err(|_| Refusal::Unproven)?;
        sender
            .verify(
                &exchange_signed(&theirs, &Nonce(self.request.nonce.0)),
                &Signature(self.request.diffie_hellman_sig.0),
            )
            .map_err(|_| Refusal::Unproven)?;
        let secret = X25519Secret::generate(rng);
        let public = secret.public();
        let shared = secret.agree(theirs).map_err(|_| Refusal::Unproven)?;
        let answer = ExchangeAnswer::new(public, keys.signing.sign(&public.0).0);
        let session = Session {
            sender,
            cost: self.challenge.cost,
            message_key: shared.message_key(),
        };
        Ok((session, answer))
    }
}

/// A message whose ciphertext its sender has signed.
///
/// What a stranger sends is checked this far before anything is looked up for it: the sender's lasting key names the
/// session, so whoever knows that key could else ask for what the relay has of it.
#[derive(Debug)]
pub struct Signed<'r> {
    request: &'r MessageRequest,
    sender: PublicKey<Sender>,
}

/// Checks what needs no session: the ciphertext's length, and its signature by the key beside it.
///
/// # Errors
/// Bad content or unproven.
pub fn signed(request: &MessageRequest) -> Result<Signed<'_>, Refusal> {
    let ciphertext = request.chiphertext.as_bytes();
    if ciphertext.len() < MIN_CIPHERTEXT_BYTES {
        return Err(Refusal::BadContent);
    }
    let sender = PublicKey::from_id(&request.pubkey).map_err(|_| Refusal::Unproven)?;
    sender
        .verify(ciphertext, &Signature(request.signature.0))
        .map_err(|_| Refusal::Unproven)?;
    Ok(Signed { request, sender })
}

impl Signed<'_> {
    /// Whose it is, by which its session is found.
    #[must_use]
    pub fn sender(&self) -> SenderId {
        self.sender.id()
    }

    /// By what it is known if it comes again.
    #[must_use]
    pub fn repeat_digest(&self) -> RequestDigest {
        labels::REPEAT.digest(&[
            &self.request.pubkey.0,
            &self.request.signature.0,
            self.request.chiphertext.as_bytes(),
        ])
    }
}

/// A session that waits for its message.
#[derive(Debug)]
pub struct Session {
    sender: PublicKey<Sender>,
    cost: Cost,
    message_key: MessageKey,
}

impl Session {
    /// By what a message names its session.
    #[must_use]
    pub fn sender(&self) -> SenderId {
        self.sender.id()
    }

    /// Opens the message into `slot`, whose first bytes are the text then and whose others are zero. Returns their
    /// number.
    ///
    /// # Errors
    /// Unproven or bad content; `slot` is zero then, and the session can still take the right message.
    pub fn open(
        &self,
        message: &Signed<'_>,
        slot: &mut [u8; SLOT_BYTES],
    ) -> Result<(usize, MessageHeader), Refusal> {
        let result = self.open_into(message, slot);
        let used = result.as_ref().map_or(0, |(length, _)| *length);
        slot[used..].zeroize();
        result
    }

    fn open_into(
        &self,
        message: &Signed<'_>,
        slot: &mut [u8; SLOT_BYTES],
    ) -> Result<(usize, MessageHeader), Refusal> {
        if message.sender() != self.sender() {
            return Err(Refusal::Unproven);
        }
        let ciphertext = message.request.chiphertext.as_bytes();
        let (sealed, tag) = ciphertext.split_last_chunk().ok_or(Refusal::BadContent)?;
        let plain = &mut slot[..sealed.len()];
        plain.copy_from_slice(sealed);
        self.message_key
            .open(&[], plain, tag)
            .map_err(|_| Refusal::Unproven)?;
        let (signature, text) = plain
            .split_first_chunk::<SIGNATURE_BYTES>()
            .ok_or(Refusal::BadContent)?;
        self.sender
            .verify(content_signed(text), &Signature(*signature))
            .map_err(|_| Refusal::Unproven)?;
        if !is_text(text) {
            return Err(Refusal::BadContent);
        }
        let header = MessageHeader {
            via: Via::V1,
            kind: Kind::Text,
            cost: self.cost,
            invitation: None,
            sender: self.sender.id(),
            session: SessionId([0; 32]),
            box_digest: BoxDigest([0; 32]),
            signature: Signature(*signature),
        };
        let length = text.len();
        plain.copy_within(SIGNATURE_BYTES.., 0);
        Ok((length, header))
    }
}

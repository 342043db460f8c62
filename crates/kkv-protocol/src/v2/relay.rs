//! The relay's steps in kkv/2. Checks go from the cheapest to the dearest (PROTOCOL.md §3).

use rand::CryptoRng;
use zeroize::Zeroize;

use super::answers::box_part::BoxPart;
use super::ask::relay::AskSession;
use super::challenge::Challenge;
use super::invitation::InvitationNumber;
use super::purpose::{BodySize, LargeSize, Purpose};
use super::receipt::{self, Receipt};
use super::upload::relay::LargeSession;
use super::wire::{
    ExchangeAnswer, ExchangeRequest, MessageAnswer, MessageRequest, PowAnswer, PowRequest,
};
use super::{message, transcript};
use crate::crypto::exchange::{HybridOffer, HybridShared};
use crate::crypto::identity::{PublicKey, Sender, Signature};
use crate::crypto::labels;
use crate::crypto::seal::{MessageKey, TAG_BYTES};
use crate::header::{MessageHeader, Via};
use crate::ids::{RelayId, RequestDigest, Seed, SessionId, Statement};
use crate::kind::Kind;
use crate::limits::SLOT_BYTES;
use crate::refusal::Refusal;
use crate::relay_keys::RelayKeys;
use crate::suite::Suite;
use crate::terms::Terms;
use crate::wire::Hex;
use kkv_pow::{Cost, Solution};

/// Answers `POST /pow`: a challenge of 128 bytes and Ed25519(relay, its statement) (PROTOCOL.md §4). 16 bytes are
/// drawn.
///
/// `purpose` is that of the request: see [`purpose`].
pub fn issue(
    keys: &RelayKeys,
    request: &PowRequest,
    purpose: Purpose,
    terms: &Terms,
    rng: &mut impl CryptoRng,
) -> PowAnswer {
    let challenge = Challenge::issue(keys, &request.sender, purpose, None, terms, rng);
    signed(keys, &challenge)
}

/// The same for a sender who is invited (PROTOCOL.md §15; 16 bytes are drawn). The terms are to cost nothing.
pub fn issue_invited(
    keys: &RelayKeys,
    request: &PowRequest,
    purpose: Purpose,
    invitation: InvitationNumber,
    terms: &Terms,
    rng: &mut impl CryptoRng,
) -> PowAnswer {
    let invitation = Some(invitation);
    let challenge = Challenge::issue(keys, &request.sender, purpose, invitation, terms, rng);
    signed(keys, &challenge)
}

fn signed(keys: &RelayKeys, challenge: &Challenge) -> PowAnswer {
    let signature = keys.signing.sign_statement(&challenge.statement());
    PowAnswer {
        challenge: Hex(*challenge.as_bytes()),
        signature: Hex(signature.0),
    }
}

/// What a session is asked for.
///
/// # Errors
/// Unsupported suite: the request is for another than kkv/2. Unknown purpose; also one that nobody is invited to.
pub fn purpose(request: &PowRequest) -> Result<Purpose, Refusal> {
    if request.suite != Suite::V2.to_string() {
        return Err(Refusal::UnsupportedSuite);
    }
    let purpose = Purpose::from_bytes(request.purpose.0).map_err(|_| Refusal::UnknownPurpose)?;
    match (purpose, request.invitation) {
        (Purpose::Ask(_), Some(_)) => Err(Refusal::UnknownPurpose),
        (Purpose::Message | Purpose::Large(_), _) | (Purpose::Ask(_), None) => Ok(purpose),
    }
}

/// An exchange request that was paid for with a challenge of this relay.
#[derive(Debug)]
pub struct Admitted<'r> {
    request: &'r ExchangeRequest,
    challenge: Challenge,
}

/// Checks what costs next to nothing: deadline, ownership, solution (PROTOCOL.md §3, §5). `now` is in the seconds of
/// the relay's own expiries.
///
/// # Errors
/// Malformed, expired or unpaid.
pub fn admit<'r>(
    keys: &RelayKeys,
    request: &'r ExchangeRequest,
    now: u64,
) -> Result<Admitted<'r>, Refusal> {
    let challenge = Challenge::from_bytes(&request.challenge.0).map_err(|_| Refusal::Malformed)?;
    if challenge.terms().expiry <= now {
        return Err(Refusal::Expired);
    }
    if !challenge.is_own(keys) {
        return Err(Refusal::Unpaid);
    }
    let nonces = transcript::nonces(request.solution.as_bytes(), &challenge)
        .map_err(|_| Refusal::Malformed)?;
    challenge
        .puzzle()
        .verify(&Solution::V2(nonces))
        .map_err(|_| Refusal::Unpaid)?;
    Ok(Admitted { request, challenge })
}

impl Admitted<'_> {
    /// The name by which a spent challenge is remembered.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.challenge.seed()
    }

    /// What was paid.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.challenge.terms().cost
    }

    /// When it need not be remembered any more.
    #[must_use]
    pub fn expiry(&self) -> u64 {
        self.challenge.terms().expiry
    }

    /// What was paid for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.challenge.purpose()
    }

    /// Which invitation its challenge names, if it names one. `keys` are those that it was admitted with.
    #[must_use]
    pub fn invitation(&self, keys: &RelayKeys) -> Option<InvitationNumber> {
        self.challenge.invitation(keys)
    }

    /// Tells a repeated request from a second use of its challenge.
    #[must_use]
    pub fn repeat_digest(&self) -> RequestDigest {
        let statement = self.statement();
        labels::REPEAT.digest(&[&statement.0, &self.request.signature.0])
    }

    fn statement(&self) -> Statement {
        let solution = self.request.solution.as_bytes();
        transcript::request(&self.challenge, solution, &self.offer())
    }

    fn offer(&self) -> HybridOffer {
        HybridOffer {
            x25519: self.request.x25519,
            mlkem768: self.request.mlkem768.0,
        }
    }

    /// Checks the sender's signature of the request and makes the session for its message (PROTOCOL.md §6). Draws 64
    /// bytes.
    ///
    /// # Errors
    /// Unproven: key or signature no good, or an exchange key that no honest sender makes.
    pub fn open(
        self,
        keys: &RelayKeys,
        rng: &mut impl CryptoRng,
    ) -> Result<(Session, ExchangeAnswer), Refusal> {
        let agreed = self.agree(keys, rng)?;
        let session = Session {
            sender: agreed.sender,
            relay: keys.public().id(),
            cost: self.challenge.terms().cost,
            invitation: self.challenge.invitation(keys),
            message_key: agreed.shared.message_key(&agreed.id),
            id: agreed.id,
        };
        Ok((session, agreed.answer))
    }

    /// The same for asks, with bodies of up to `size` (PROTOCOL.md §14; 64 bytes are drawn).
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_asks(
        self,
        keys: &RelayKeys,
        size: BodySize,
        rng: &mut impl CryptoRng,
    ) -> Result<(AskSession, ExchangeAnswer), Refusal> {
        let agreed = self.agree(keys, rng)?;
        let asks = agreed.shared.ask_keys(&agreed.id);
        Ok((AskSession::new(agreed.id, size, asks), agreed.answer))
    }

    /// The same for a message with files, of this size (PROTOCOL.md §16; 64 bytes are drawn).
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_large(
        self,
        keys: &RelayKeys,
        size: LargeSize,
        rng: &mut impl CryptoRng,
    ) -> Result<(LargeSession, ExchangeAnswer), Refusal> {
        let agreed = self.agree(keys, rng)?;
        let paid = (self.challenge.terms().cost, self.challenge.invitation(keys));
        let session = LargeSession::new(
            agreed.sender,
            keys.public().id(),
            paid,
            size,
            agreed.shared.upload_keys(&agreed.id),
            agreed.id,
        );
        Ok((session, agreed.answer))
    }

    fn agree(&self, keys: &RelayKeys, rng: &mut impl CryptoRng) -> Result<Agreed, Refusal> {
        let sender = PublicKey::from_id(&self.challenge.sender()).map_err(|_| Refusal::Unproven)?;
        let signature = Signature(self.request.signature.0);
        let statement = self.statement();
        sender
            .verify_statement(&statement, &signature)
            .map_err(|_| Refusal::Unproven)?;
        let (answer, shared) = self.offer().answer(rng).map_err(|_| Refusal::Unproven)?;
        let signed = transcript::session(&statement, &signature, &answer);
        Ok(Agreed {
            sender,
            id: transcript::session_id(&signed),
            shared,
            answer: ExchangeAnswer {
                x25519: answer.x25519,
                mlkem768: Hex(answer.mlkem768),
                signature: Hex(keys.signing.sign_statement(&signed).0),
            },
        })
    }
}

/// What an exchange ends with, whatever it is for.
struct Agreed {
    sender: PublicKey<Sender>,
    id: SessionId,
    shared: HybridShared,
    answer: ExchangeAnswer,
}

/// By what a message is known if it comes again: BLAKE3 derive_key over session ‖ sealed message.
#[must_use]
pub fn message_digest(request: &MessageRequest) -> RequestDigest {
    labels::REPEAT.digest(&[&request.session.0, &request.sealed.0])
}

/// A message that was opened and checked, and that nobody has accepted yet.
#[derive(Debug)]
pub struct Opened {
    /// Bytes of the content, which is at the beginning of the slot.
    pub length: usize,
    /// What is kept of it beside its content.
    pub header: MessageHeader,
    /// Whether it can be answered, and how. It stands nowhere else any more.
    pub box_part: BoxPart,
    /// The receipt, to send once the message is in the queue.
    pub answer: MessageAnswer,
}

/// A session that waits for its message.
#[derive(Debug)]
pub struct Session {
    sender: PublicKey<Sender>,
    relay: RelayId,
    cost: Cost,
    invitation: Option<InvitationNumber>,
    message_key: MessageKey,
    id: SessionId,
}

impl Session {
    /// By what a message names its session.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Opens the message into `slot`, whose first bytes are the content then and whose others are zero.
    ///
    /// # Errors
    /// Unproven, unknown kind or bad content; `slot` is zero then, and the session can still take the right message.
    pub fn open(
        &self,
        keys: &RelayKeys,
        request: &MessageRequest,
        slot: &mut [u8; SLOT_BYTES],
    ) -> Result<Opened, Refusal> {
        let result = self.open_into(keys, request, slot);
        let used = result.as_ref().map_or(0, |opened| opened.length);
        slot[used..].zeroize();
        result
    }

    fn open_into(
        &self,
        keys: &RelayKeys,
        request: &MessageRequest,
        slot: &mut [u8; SLOT_BYTES],
    ) -> Result<Opened, Refusal> {
        let (sealed, tag) = request
            .sealed
            .0
            .split_last_chunk::<TAG_BYTES>()
            .ok_or(Refusal::Malformed)?;
        let (plain, _) = slot
            .split_first_chunk_mut::<{ message::PLAIN_BYTES }>()
            .ok_or(Refusal::TooLarge)?;
        plain.copy_from_slice(sealed);
        self.message_key
            .open(&self.id.0, plain, tag)
            .map_err(|_| Refusal::Unproven)?;
        let parts = message::decode(plain)?;
        let (content, signature) = (parts.content, parts.signature);
        let box_digest = parts.box_part.digest();
        let statement = message::statement(&self.relay, &self.id, parts.kind, &box_digest, content);
        self.sender
            .verify_statement(&statement, &signature)
            .map_err(|_| Refusal::Unproven)?;
        let kind = Kind::try_from(parts.kind).map_err(|_| Refusal::UnknownKind)?;
        match kind {
            Kind::Text if content.is_empty() || std::str::from_utf8(content).is_err() => {
                return Err(Refusal::BadContent);
            }
            Kind::Text => {}
            Kind::Files => return Err(Refusal::UnknownKind), // in a large message only
        }
        let header = MessageHeader {
            via: Via::V2,
            kind,
            cost: self.cost,
            invitation: self.invitation,
            sender: self.sender.id(),
            session: self.id,
            box_digest,
            signature,
        };
        let receipt = Receipt {
            session: self.id,
            sender: self.sender,
            digest: receipt::digest(&statement, &signature),
        };
        let answer = MessageAnswer {
            receipt: Hex(receipt.sign(&keys.signing).0),
        };
        let (length, box_part) = (content.len(), parts.box_part);
        plain.copy_within(message::HEAD_BYTES..message::HEAD_BYTES + length, 0);
        Ok(Opened {
            length,
            header,
            box_part,
            answer,
        })
    }
}

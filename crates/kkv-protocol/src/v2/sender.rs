//! The sender's steps in kkv/2 (PROTOCOL.md §3).

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::answers::box_part::BoxPart;
use super::ask::sender::Asking;
use super::challenge::Challenge;
use super::invitation::Token;
use super::purpose::{BodySize, LargeSize, Purpose};
use super::receipt::{self, Receipt};
use super::upload::sender::OpenLarge;
use super::wire::{
    ExchangeAnswer, ExchangeRequest, MessageAnswer, MessageRequest, PowAnswer, PowRequest,
};
use super::{message, transcript};
use crate::crypto::exchange::{HybridAnswer, HybridSecret, HybridShared};
use crate::crypto::identity::{PublicKey, Relay, SenderKey, Signature};
use crate::crypto::seal::MessageKey;
use crate::error::ProtocolError;
use crate::ids::{InvitationProof, SessionId, Statement};
use crate::kind::Kind;
use crate::limits::MAX_EXPECTED_SECONDS;
use crate::suite::Suite;
use crate::terms::Terms;
use crate::text::Text;
use crate::wire::{Hex, HexUpTo};
use kkv_pow::{Cost, Puzzle};

/// What a session is for: [`ForMessage`], [`ForLarge`] or [`ForAsks`].
pub trait SessionKind: sealed::Kind {}

/// A session for one message.
#[derive(Debug, Clone, Copy)]
pub struct ForMessage {
    /// That the sender is invited, if it is (PROTOCOL.md §15).
    invitation: Option<InvitationProof>,
}

/// A session for one message with files, of this size.
#[derive(Debug, Clone, Copy)]
pub struct ForLarge {
    size: LargeSize,
    invitation: Option<InvitationProof>,
}

/// A session for asks, with bodies of up to this size.
#[derive(Debug, Clone, Copy)]
pub struct ForAsks(pub BodySize);

/// Asks for a challenge.
#[derive(Debug)]
pub struct Hello<K = ForMessage> {
    key: SenderKey,
    kind: K,
}

/// Has a challenge; solves it.
#[derive(Debug)]
pub struct Challenged<K = ForMessage> {
    key: SenderKey,
    kind: K,
    relay: PublicKey<Relay>,
    challenge: Challenge,
}

/// Has paid and offered its keys; waits for the relay's.
#[derive(Debug)]
pub struct Exchanging<K = ForMessage> {
    key: SenderKey,
    kind: K,
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

mod sealed {
    use super::{PublicKey, Relay, SenderKey};
    use crate::crypto::exchange::HybridShared;
    use crate::ids::{InvitationProof, SessionId};
    use crate::v2::purpose::Purpose;

    /// What differs between the kinds of sessions before the first of them is used.
    pub trait Kind: Copy {
        /// An open session.
        type Open;

        fn purpose(self) -> Purpose;

        fn invitation(self) -> Option<InvitationProof>;

        fn open(
            self,
            key: SenderKey,
            relay: PublicKey<Relay>,
            session: SessionId,
            shared: HybridShared,
        ) -> Self::Open;
    }
}

impl SessionKind for ForMessage {}

impl sealed::Kind for ForMessage {
    type Open = Open;

    fn purpose(self) -> Purpose {
        Purpose::Message
    }

    fn invitation(self) -> Option<InvitationProof> {
        self.invitation
    }

    fn open(
        self,
        key: SenderKey,
        relay: PublicKey<Relay>,
        session: SessionId,
        shared: HybridShared,
    ) -> Open {
        Open {
            key,
            relay,
            message_key: shared.message_key(&session),
            session,
        }
    }
}

impl SessionKind for ForLarge {}

impl sealed::Kind for ForLarge {
    type Open = OpenLarge;

    fn purpose(self) -> Purpose {
        Purpose::Large(self.size)
    }

    fn invitation(self) -> Option<InvitationProof> {
        self.invitation
    }

    fn open(
        self,
        key: SenderKey,
        relay: PublicKey<Relay>,
        session: SessionId,
        shared: HybridShared,
    ) -> OpenLarge {
        let keys = shared.upload_keys(&session);
        OpenLarge::new(key, relay, session, self.size, keys)
    }
}

impl SessionKind for ForAsks {}

impl sealed::Kind for ForAsks {
    type Open = Asking;

    fn purpose(self) -> Purpose {
        Purpose::Ask(self.0)
    }

    fn invitation(self) -> Option<InvitationProof> {
        None
    }

    fn open(
        self,
        _: SenderKey,
        _: PublicKey<Relay>,
        session: SessionId,
        shared: HybridShared,
    ) -> Asking {
        let keys = shared.ask_keys(&session);
        Asking::new(session, self.0, keys)
    }
}

impl Hello {
    /// Starts with the key that will sign the message.
    #[must_use]
    pub fn new(key: SenderKey) -> Self {
        let kind = ForMessage { invitation: None };
        Self { key, kind }
    }

    /// Starts with an invitation as well: the relay is to ask for no work (PROTOCOL.md §15).
    #[must_use]
    pub fn invited(key: SenderKey, token: &Token) -> Self {
        let invitation = Some(token.key().proof(&key.public().id()));
        let kind = ForMessage { invitation };
        Self { key, kind }
    }
}

impl Hello<ForLarge> {
    /// Starts for a message with files, with the key that will sign it, and an invitation if there is one.
    #[must_use]
    pub fn for_large(key: SenderKey, size: LargeSize, token: Option<&Token>) -> Self {
        let invitation = token.map(|token| token.key().proof(&key.public().id()));
        let kind = ForLarge { size, invitation };
        Self { key, kind }
    }
}

impl Hello<ForAsks> {
    /// Starts for asks, with bodies of up to `size`. The key signs the exchange and nothing else: a new one serves.
    #[must_use]
    pub fn for_asks(key: SenderKey, size: BodySize) -> Self {
        let kind = ForAsks(size);
        Self { key, kind }
    }
}

impl<K: SessionKind> Hello<K> {
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
            purpose: Hex(self.kind.purpose().to_bytes()),
            invitation: self.kind.invitation(),
        }
    }

    /// Takes the relay's challenge. The relay's key is in it and signs it: who the relay is, the onion address has
    /// proved.
    ///
    /// # Errors
    /// Wrong signature, made for another sender or purpose, for an invitation that wasn't shown, or on terms out of
    /// bounds (a cost above 60, more than a day to pay). [`NotFree`](ProtocolError::NotFree): an invitation was shown,
    /// and it costs something.
    pub fn challenged(self, answer: &PowAnswer) -> Result<Challenged<K>, ProtocolError> {
        let challenge = Challenge::from_bytes(&answer.challenge.0)
            .map_err(|_| ProtocolError::WrongChallenge)?;
        let relay =
            PublicKey::from_id(&challenge.relay()).map_err(|_| ProtocolError::BadSignature)?;
        relay
            .verify_statement(&challenge.statement(), &Signature(answer.signature.0))
            .map_err(|_| ProtocolError::BadSignature)?;
        let in_bounds = (1..=MAX_EXPECTED_SECONDS).contains(&challenge.terms().lifetime);
        let is_own = challenge.sender() == self.key.public().id()
            && challenge.purpose() == self.kind.purpose();
        let is_invited = self.kind.invitation().is_some();
        if !is_own || !in_bounds || challenge.is_invited() && !is_invited {
            return Err(ProtocolError::WrongChallenge);
        }
        if is_invited && challenge.terms().cost != Cost::FREE {
            return Err(ProtocolError::NotFree);
        }
        Ok(Challenged {
            key: self.key,
            kind: self.kind,
            relay,
            challenge,
        })
    }
}

impl<K: SessionKind> Challenged<K> {
    /// The relay's key.
    #[must_use]
    pub fn relay(&self) -> &PublicKey<Relay> {
        &self.relay
    }

    /// Whether an invitation was shown, so that it costs nothing.
    #[must_use]
    pub fn is_invited(&self) -> bool {
        self.kind.invitation().is_some()
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
    pub fn solved(self, nonces: &[u64], rng: &mut impl CryptoRng) -> Exchanging<K> {
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
            kind: self.kind,
            relay: self.relay,
            secret,
            statement,
            request,
        }
    }
}

impl<K: SessionKind> Exchanging<K> {
    /// Begins again: what was paid is not enough any more.
    #[must_use]
    pub fn again(self) -> Hello<K> {
        Hello {
            key: self.key,
            kind: self.kind,
        }
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
    pub fn answered(self, answer: &ExchangeAnswer) -> Result<K::Open, ProtocolError> {
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
        Ok(self.kind.open(self.key, self.relay, session, shared))
    }
}

impl Open {
    /// The session's name.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Signs, pads and seals the one message of this session. `box_part` says whether it can be answered; one that
    /// follows up has to be made for this session.
    #[must_use]
    pub fn seal(self, text: &Text, box_part: &BoxPart) -> Sent {
        let session = self.session;
        let (kind, content) = (Kind::Text as u8, text.as_bytes());
        let relay = self.relay.id();
        let statement = message::statement(&relay, &session, kind, &box_part.digest(), content);
        let signature = self.key.sign_statement(&statement);
        let head = message::head(&signature, kind, box_part, content.len());
        let mut plain = Zeroizing::new([0; message::PLAIN_BYTES]);
        plain[..message::HEAD_BYTES].copy_from_slice(head.as_slice());
        plain[message::HEAD_BYTES..][..content.len()].copy_from_slice(content);
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

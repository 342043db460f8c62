//! The secrets of a box and of its answers, a type for each, and what follows from them (PROTOCOL.md §17).

use std::fmt;

use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::chunks::AskNumber;
use crate::crypto::labels;
use crate::crypto::seal::MessageKey;
use crate::ids::{RelayId, SessionId};

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        pub struct $name(pub(in crate::v2) Zeroizing<[u8; 32]>);

        impl $name {
            /// The one with these bytes.
            #[must_use]
            pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}

secrets! {
    /// By what a sender proves that a box is its own. The relay holds it while the box lives.
    BoxSecret;

    /// By what a sender derives the first key of each of its messages' answers. It never leaves the sender.
    AnswerRoot;

    /// The key of one answer, and of those after it in its chain.
    AnswerKey;

    /// By what a sender says that it has an answer: nobody else can make it once the relay has sealed that.
    Acknowledgement;
}

/// Bytes of a [`Salt`].
pub const SALT_BYTES: usize = 16;

/// Random bytes that make the answer keys of each message others, and name its chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Salt(pub [u8; SALT_BYTES]);

/// A keyed hash by which a sender shows that it has a [`BoxSecret`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BoxProof(pub [u8; 32]);

/// What a relay keeps of an answer to know its [`Acknowledgement`] by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged(pub [u8; 32]);

/// What a proof is about. It is computed once, and tried with the secret of every box.
pub struct Claim(Zeroizing<[u8; 32]>);

impl Salt {
    /// A new one: 16 bytes are drawn.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut salt = Self([0; SALT_BYTES]);
        rng.fill_bytes(&mut salt.0);
        salt
    }
}

impl Claim {
    /// D(`follow-up`, session ‖ salt ‖ first answer key): of a message.
    #[must_use]
    pub fn follow_up(session: &SessionId, salt: &Salt, key: &AnswerKey) -> Self {
        let parts: [&[u8]; 3] = [&session.0, &salt.0, key.0.as_slice()];
        Self(labels::FOLLOW_UP.derive(&parts))
    }

    /// D(`box proof`, session ‖ number ‖ acknowledgements): of an ask.
    #[must_use]
    pub fn ask(session: &SessionId, number: AskNumber, acknowledgements: &[u8]) -> Self {
        let number = number.get().to_le_bytes();
        Self(labels::BOX_PROOF.derive(&[&session.0, &number, acknowledgements]))
    }
}

impl BoxSecret {
    /// D(`box secret`, entropy).
    #[must_use]
    pub fn derive(entropy: &[u8; 16]) -> Self {
        Self(labels::BOX_SECRET.derive(&[entropy]))
    }

    /// For what needs one of its own, such as a message that opens its box: each is wiped.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(self.0.clone())
    }

    /// keyed_hash(self, claim).
    #[must_use]
    pub fn prove(&self, claim: &Claim) -> BoxProof {
        BoxProof(*blake3::keyed_hash(&self.0, claim.0.as_slice()).as_bytes())
    }

    /// Whether `proof` is the one for this claim, in constant time: it is BLAKE3's comparison, which takes 2 ns. (Byte
    /// by byte it takes 30, half of what the hash takes, and a relay tries all boxes.)
    #[must_use]
    pub fn fits(&self, claim: &Claim, proof: &BoxProof) -> bool {
        blake3::keyed_hash(&self.0, claim.0.as_slice()) == proof.0
    }

    /// Whether both are the same, in constant time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }

    /// The key of one status record: D(`status key`, self ‖ session ‖ number), with a nonce of zeros.
    pub(super) fn status_key(&self, session: &SessionId, number: AskNumber) -> MessageKey {
        let number = number.get().to_le_bytes();
        let key = labels::STATUS_KEY.derive(&[self.0.as_slice(), &session.0, &number]);
        MessageKey::new(key, Zeroizing::new([0; 12]))
    }
}

impl AnswerRoot {
    /// D(`answer root`, entropy).
    #[must_use]
    pub fn derive(entropy: &[u8; 16]) -> Self {
        Self(labels::ANSWER_ROOT.derive(&[entropy]))
    }

    /// K(0) = D(`answer key`, self ‖ salt).
    #[must_use]
    pub fn first_key(&self, salt: &Salt) -> AnswerKey {
        AnswerKey(labels::ANSWER_KEY.derive(&[self.0.as_slice(), &salt.0]))
    }

    /// K(index) of the chain of this salt.
    #[must_use]
    pub fn key(&self, salt: &Salt, index: u16) -> AnswerKey {
        (0..index).fold(self.first_key(salt), |key, _| key.next())
    }
}

impl AnswerKey {
    /// K(i + 1) = D(`next answer key`, K(i)).
    #[must_use]
    pub fn next(&self) -> Self {
        Self(labels::NEXT_ANSWER_KEY.derive(&[self.0.as_slice()]))
    }

    /// D(`acknowledgement`, self).
    #[must_use]
    pub fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement(labels::ACKNOWLEDGEMENT.derive(&[self.0.as_slice()]))
    }

    /// D(`answer sealing key`, self ‖ relay's key ‖ box secret ‖ salt ‖ index), with a nonce of zeros: it
    /// seals one answer, and names all that this is about.
    pub(super) fn sealing(
        &self,
        relay: &RelayId,
        secret: &BoxSecret,
        salt: &Salt,
        index: u16,
    ) -> MessageKey {
        let key = labels::ANSWER_SEALING_KEY.derive(&[
            self.0.as_slice(),
            &relay.0,
            secret.0.as_slice(),
            &salt.0,
            &index.to_le_bytes(),
        ]);
        MessageKey::new(key, Zeroizing::new([0; 12]))
    }
}

impl Acknowledgement {
    /// D(`acknowledged`, self).
    #[must_use]
    pub fn digest(&self) -> Acknowledged {
        labels::ACKNOWLEDGED.digest(&[self.0.as_slice()])
    }

    /// As it stands in a request.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Acknowledged {
    /// Whether both are the same, in constant time.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl From<[u8; 32]> for Acknowledged {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

macro_rules! opaque_debug {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}
opaque_debug!(Salt, BoxProof, Acknowledged, Claim);

//! A stranger who takes every step by hand: it can ask again, ask otherwise, and seal whatever it likes.

pub mod v1;
pub mod v2;

use kkv_pow::{InstructionSet, Puzzle, Search, Solution, Solver};
use kkv_protocol::crypto::identity::{KeySeed, PublicKey, Relay, SenderKey};
use kkv_protocol::ids::InvitationProof;
use kkv_protocol::suite::Suite;
use kkv_protocol::v1::wire::{PowAnswer as PowAnswerV1, PowRequest as PowRequestV1};
use kkv_protocol::v2::purpose::Purpose;
use kkv_protocol::v2::wire::{PowAnswer as PowAnswerV2, PowRequest as PowRequestV2};
use kkv_protocol::wire::Hex;
use serde::de::DeserializeOwned;

use crate::request::Request;

/// Has a challenge and has paid for it; another one paid for the same challenge is another request.
#[derive(Debug)]
pub enum Paid {
    /// In kkv/1.
    V1(Box<v1::Paid>),
    /// In kkv/2.
    V2(Box<v2::Paid>),
}

/// Shares a key with the relay.
#[derive(Debug)]
pub enum Session {
    /// In kkv/1.
    V1(v1::Session),
    /// In kkv/2.
    V2(Box<v2::Session>),
}

/// The key with this secret byte, for those who are to meet again.
#[must_use]
pub fn sender_key(secret: u8) -> SenderKey {
    SenderKey::from_seed(&KeySeed::new([secret; 32].into()))
}

/// Asks for a challenge.
#[must_use]
pub fn hello(suite: Suite, key: &SenderKey) -> Request {
    let sender = key.public().id();
    match suite {
        Suite::V1 => Request::PowV1(PowRequestV1 { bytes: sender }),
        Suite::V2 => Request::PowV2(PowRequestV2 {
            suite: suite.to_string(),
            sender,
            purpose: Hex(Purpose::Message.to_bytes()),
            invitation: None,
        }),
    }
}

/// Asks for a challenge in kkv/2 with an invitation that nobody has made.
#[must_use]
pub fn uninvited(key: &SenderKey, proof: [u8; 32]) -> Request {
    Request::PowV2(PowRequestV2 {
        suite: Suite::V2.to_string(),
        sender: key.public().id(),
        purpose: Hex(Purpose::Message.to_bytes()),
        invitation: Some(InvitationProof(proof)),
    })
}

impl Paid {
    /// Pays for the challenge in this answer; another `seed` makes another request.
    ///
    /// # Panics
    /// It is no answer of an honest relay.
    #[must_use]
    pub fn new(suite: Suite, key: &SenderKey, answer: &str, seed: u64) -> Self {
        match suite {
            Suite::V1 => {
                let paid = v1::Paid::new(key, &read::<PowAnswerV1>(answer), seed);
                Self::V1(Box::new(paid))
            }
            Suite::V2 => {
                let paid = v2::Paid::new(key, &read::<PowAnswerV2>(answer), seed);
                Self::V2(Box::new(paid))
            }
        }
    }

    /// Asks for the session.
    #[must_use]
    pub fn request(&self) -> Request {
        match self {
            Self::V1(paid) => Request::ExchangeV1(paid.request()),
            Self::V2(paid) => Request::ExchangeV2(Box::new(paid.request())),
        }
    }

    /// Takes the answer.
    ///
    /// # Panics
    /// It is no answer of this relay.
    #[must_use]
    pub fn open(&self, relay: &PublicKey<Relay>, answer: &str) -> Session {
        match self {
            Self::V1(paid) => Session::V1(paid.open(relay, &read(answer))),
            Self::V2(paid) => Session::V2(Box::new(paid.open(relay, &read(answer)))),
        }
    }
}

impl Session {
    /// Signs and seals these bytes as a text, whatever they are: at most 2,920 in kkv/1, 3,500 in kkv/2.
    ///
    /// # Panics
    /// More than fit.
    #[must_use]
    pub fn say(&self, key: &SenderKey, text: &[u8]) -> Request {
        match self {
            Self::V1(session) => {
                Request::MessageV1(session.seal(key, &v1::Session::plain(key, text)))
            }
            Self::V2(session) => {
                let plain = session.plain(key, 0, text);
                Request::MessageV2(Box::new(session.seal(&plain)))
            }
        }
    }

    /// Checks the relay's word for a text that it has accepted.
    ///
    /// # Panics
    /// It isn't its word for this.
    pub fn accepted(&self, relay: &PublicKey<Relay>, key: &SenderKey, text: &[u8], answer: &str) {
        match self {
            Self::V1(_) => assert!(answer.is_empty(), "kkv/1 says nothing more"),
            Self::V2(session) => session.accepted(relay, key, text, &read(answer)),
        }
    }
}

/// Solves a puzzle that costs little, on this thread.
pub(crate) fn solve(puzzle: &Puzzle) -> Solution {
    let solver = Solver {
        threads: std::num::NonZeroUsize::MIN,
        instructions: InstructionSet::best(),
    };
    let found = solver.solve(puzzle, &[7; 24], &Search::default());
    found.expect("nobody stops this search")
}

fn read<T: DeserializeOwned>(answer: &str) -> T {
    serde_json::from_str(answer).expect("an honest relay's answer")
}

//! Requests as senders make them, and as strangers forge them.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to the tests and the benchmarks, each of which uses a part of it"
)]

use std::num::NonZeroUsize;

use kkv_base::limits::{MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};
use kkv_pow::{Puzzle, Search, Solution, Solver};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::files::{File, Files};
use kkv_protocol::ids::InvitationProof;
use kkv_protocol::suite::Suite;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::ask::sender::{AskRequest, Asking};
use kkv_protocol::v2::purpose::{BodySize, LargeSize, Purpose};
use kkv_protocol::v2::sender::{ForAsks, ForLarge};
use kkv_protocol::wire::Hex;
use kkv_protocol::{v1, v2};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::raw_http::{FORM, post};

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// A body for one of the steps.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: &'static str,
    pub suite: Suite,
    pub body: Vec<u8>,
    /// Whether the body is neither JSON nor a form.
    is_sealed: bool,
}

impl Request {
    fn new(path: &'static str, suite: Suite, body: &impl Serialize) -> Self {
        let body = match suite {
            Suite::V1 => serde_urlencoded::to_string(body).expect("a form").into(),
            Suite::V2 => serde_json::to_vec(body).expect("JSON"),
        };
        Self {
            path,
            suite,
            body,
            is_sealed: false,
        }
    }

    fn sealed(path: &'static str, body: &[u8]) -> Self {
        Self {
            path,
            suite: Suite::V2,
            body: body.to_vec(),
            is_sealed: true,
        }
    }

    /// Asks in a session.
    pub fn ask(request: &AskRequest) -> Self {
        Self::sealed("/ask", request.body())
    }

    /// Sends a piece of a message with files.
    pub fn piece(body: &[u8]) -> Self {
        Self::sealed("/msg", body)
    }

    /// What the body is.
    pub fn content_type(&self) -> &'static str {
        match self.suite {
            Suite::V1 => FORM,
            Suite::V2 if self.is_sealed => BYTES,
            Suite::V2 => JSON,
        }
    }

    /// As it goes out.
    pub fn bytes(&self) -> Vec<u8> {
        post(self.path, self.content_type(), &self.body)
    }

    /// Changes the last digit of what is signed or sealed: a kkv/1 form ends with it, a kkv/2 object but for two
    /// characters.
    pub fn garble(&mut self) {
        let digit = match self.suite {
            Suite::V1 => self.body.len() - 1,
            Suite::V2 => self.body.len() - 3,
        };
        self.body[digit] = if self.body[digit] == b'0' { b'1' } else { b'0' };
    }

    /// Makes the challenge of an exchange one that the relay has not given: another bit of its seed.
    pub fn forge(&mut self) {
        match self.suite {
            Suite::V1 => {
                let mut exchange: v1::wire::Exchange =
                    serde_urlencoded::from_bytes(&self.body).expect("an exchange");
                exchange.pow.0[16] ^= 1;
                *self = Self::new(self.path, self.suite, &exchange);
            }
            Suite::V2 => {
                let mut exchange: v2::wire::ExchangeRequest = read(&self.body);
                exchange.challenge.0[16] ^= 1;
                *self = Self::new(self.path, self.suite, &exchange);
            }
        }
    }
}

/// Somebody who asks for a challenge.
pub struct Hello {
    key: SenderKey,
    suite: Suite,
}

impl Hello {
    pub fn new(suite: Suite) -> Self {
        let key = SenderKey::generate(&mut rand::rng());
        Self { key, suite }
    }

    /// Asks for it.
    pub fn pow(&self) -> Request {
        let public = self.key.public().id();
        match self.suite {
            Suite::V1 => {
                let body = v1::wire::PowRequest { bytes: public };
                Request::new("/pow", self.suite, &body)
            }
            Suite::V2 => {
                let suite = self.suite.to_string();
                let body = v2::wire::PowRequest {
                    suite,
                    sender: public,
                    purpose: Hex(Purpose::Message.to_bytes()),
                    invitation: None,
                };
                Request::new("/pow", self.suite, &body)
            }
        }
    }

    /// Asks for it with an invitation that nobody has made.
    pub fn forged_invitation(&self) -> Request {
        let body = v2::wire::PowRequest {
            suite: self.suite.to_string(),
            sender: self.key.public().id(),
            purpose: Hex(Purpose::Message.to_bytes()),
            invitation: Some(InvitationProof([7; 32])),
        };
        Request::new("/pow", self.suite, &body)
    }

    /// Pays for `challenge` and offers keys. `relay` is the body of `GET /get_domain_pk`.
    pub fn pays(self, challenge: &[u8], relay: &[u8]) -> Exchanging {
        self.pays_with(challenge, relay, solve)
    }

    /// The same with whatever `solve` makes of the puzzle.
    pub fn pays_with(
        self,
        challenge: &[u8],
        relay: &[u8],
        solve: fn(&Puzzle) -> Solution,
    ) -> Exchanging {
        let rng = &mut rand::rng();
        match self.suite {
            Suite::V1 => {
                let hello = v1::sender::Hello::new(self.key);
                let challenged = hello.challenged(&read(challenge)).expect("a challenge");
                let Solution::V1(nonce) = solve(&challenged.puzzle()) else {
                    unreachable!("a kkv/1 puzzle")
                };
                let vouched = challenged.vouched(relay).expect("the relay's signature");
                Exchanging::V1(Box::new(vouched.solved(nonce, rng)))
            }
            Suite::V2 => {
                let hello = v2::sender::Hello::new(self.key);
                let challenged = hello.challenged(&read(challenge)).expect("a challenge");
                let Solution::V2(nonces) = solve(&challenged.puzzle()) else {
                    unreachable!("a kkv/2 puzzle")
                };
                Exchanging::V2(Box::new(challenged.solved(&nonces, rng)))
            }
        }
    }
}

/// Somebody who has paid.
pub enum Exchanging {
    V1(Box<v1::sender::Exchanging>),
    V2(Box<v2::sender::Exchanging>),
}

impl Exchanging {
    /// Offers keys.
    pub fn request(&self) -> Request {
        match self {
            Self::V1(v1) => Request::new("/exchange_keys", Suite::V1, v1.request()),
            Self::V2(v2) => Request::new("/exchange_keys", Suite::V2, v2.request()),
        }
    }

    /// Sends the longest message, to which nobody can answer.
    pub fn message(self, answer: &[u8]) -> Request {
        self.message_with(answer, &BoxPart::None)
    }

    /// The same with this box part, where the suite has one.
    pub fn message_with(self, answer: &[u8], box_part: &BoxPart) -> Request {
        let text = |bytes| Text::new(Zeroizing::new("a".repeat(bytes))).expect("it fits");
        match self {
            Self::V1(v1) => {
                let open = v1.answered(&read(answer)).expect("an answer");
                let sent = open.seal(&text(MAX_TEXT_BYTES_V1)).expect("it fits");
                Request::new("/msg", Suite::V1, &sent.request)
            }
            Self::V2(v2) => {
                let open = v2.answered(&read(answer)).expect("an answer");
                let sent = open.seal(&text(MAX_TEXT_BYTES), box_part);
                Request::new("/msg", Suite::V2, sent.request())
            }
        }
    }
}

/// Somebody who asks for a challenge for a message with files.
pub struct LargeHello(v2::sender::Hello<ForLarge>);

/// Somebody who has paid for one.
pub struct LargeExchanging(Box<v2::sender::Exchanging<ForLarge>>);

impl LargeHello {
    pub fn new(size: LargeSize) -> Self {
        let key = SenderKey::generate(&mut rand::rng());
        Self(v2::sender::Hello::for_large(key, size, None))
    }

    /// Asks for it.
    pub fn pow(&self) -> Request {
        Request::new("/pow", Suite::V2, &self.0.request())
    }

    /// Pays for `challenge` and offers keys.
    pub fn pays(self, challenge: &[u8]) -> LargeExchanging {
        let challenged = self.0.challenged(&read(challenge)).expect("a challenge");
        let Solution::V2(nonces) = solve(&challenged.puzzle()) else {
            unreachable!("a kkv/2 puzzle")
        };
        LargeExchanging(Box::new(challenged.solved(&nonces, &mut rand::rng())))
    }
}

impl LargeExchanging {
    /// Offers keys.
    pub fn request(&self) -> Request {
        Request::new("/exchange_keys", Suite::V2, self.0.request())
    }

    /// All pieces of a message with one file.
    pub fn pieces(self, answer: &[u8], file: &[u8]) -> Vec<Request> {
        let open = self.0.answered(&read(answer)).expect("an answer");
        let files = vec![File::new("file", "", file).expect("a name")];
        let files = Files::new("", files).expect("they are some");
        let mut upload = open.seal(&files, &BoxPart::None);
        let all = upload.missing().iter();
        all.map(|index| Request::piece(upload.begin(index)))
            .collect()
    }
}

/// Somebody who asks for a challenge for asks.
pub struct AskHello(v2::sender::Hello<ForAsks>);

/// Somebody who has paid for asks.
pub struct AskExchanging(Box<v2::sender::Exchanging<ForAsks>>);

impl AskHello {
    pub fn new(size: BodySize) -> Self {
        let key = SenderKey::generate(&mut rand::rng());
        Self(v2::sender::Hello::for_asks(key, size))
    }

    /// Asks for it.
    pub fn pow(&self) -> Request {
        Request::new("/pow", Suite::V2, &self.0.request())
    }

    /// Pays for `challenge` and offers keys.
    pub fn pays(self, challenge: &[u8]) -> AskExchanging {
        let challenged = self.0.challenged(&read(challenge)).expect("a challenge");
        let Solution::V2(nonces) = solve(&challenged.puzzle()) else {
            unreachable!("a kkv/2 puzzle")
        };
        AskExchanging(Box::new(challenged.solved(&nonces, &mut rand::rng())))
    }
}

impl AskExchanging {
    /// Offers keys.
    pub fn request(&self) -> Request {
        Request::new("/exchange_keys", Suite::V2, self.0.request())
    }

    pub fn answered(self, answer: &[u8]) -> Asking {
        self.0.answered(&read(answer)).expect("an answer")
    }
}

fn read<T: DeserializeOwned>(json: &[u8]) -> T {
    serde_json::from_slice(json).expect("an answer")
}

/// Solves a puzzle that costs little, on this thread.
pub fn solve(puzzle: &Puzzle) -> Solution {
    let solver = Solver {
        threads: NonZeroUsize::MIN,
        ..Solver::default()
    };
    let solution = solver.solve(puzzle, &[7; 24], &Search::default());
    solution.expect("nobody stops it")
}

//! The sender's steps spoken to a relay by calls, so that one step can be taken by many threads at once.

use std::sync::Barrier;

use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::refusal::Refusal;
use kkv_protocol::text::Text;
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::{v1, v2};
use kkv_relay::relay::Relay;
use rand::SeedableRng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

/// Who speaks, and with which one-use keys. Two of the same numbers are the same sender in the same exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speaker {
    pub(crate) key: u64,
    pub(crate) exchange: u64,
}

impl Speaker {
    pub(crate) fn key(self) -> SenderKey {
        SenderKey::generate(&mut StdRng::seed_from_u64(self.key))
    }

    pub(crate) fn challenge_v1(self, relay: &Relay) -> v1::wire::PowAnswer {
        let request = v1::sender::Hello::new(self.key()).request();
        let answer = relay.pow_v1(&request, &mut rand::rng());
        answer.expect("there is room")
    }

    pub(crate) fn challenge_v2(self, relay: &Relay) -> v2::wire::PowAnswer {
        let request = v2::sender::Hello::new(self.key()).request();
        let answer = relay.pow_v2(&request, &mut rand::rng());
        answer.expect("there is room")
    }

    pub(crate) fn exchanging_v1(
        self,
        relay: &Relay,
        challenge: &v1::wire::PowAnswer,
    ) -> v1::sender::Exchanging {
        let challenged = v1::sender::Hello::new(self.key()).challenged(challenge);
        let challenged = challenged.expect("the challenge is for this sender");
        let domain_key = relay.keys().public().id().to_string();
        let challenged = challenged.vouched(domain_key.as_bytes());
        let challenged = challenged.expect("the relay signed it");
        // At cost 0 every nonce is a solution.
        challenged.solved(
            kkv_pow::Nonce([7; 32]),
            &mut StdRng::seed_from_u64(self.exchange),
        )
    }

    pub(crate) fn exchanging_v2(self, challenge: &v2::wire::PowAnswer) -> v2::sender::Exchanging {
        let challenged = v2::sender::Hello::new(self.key()).challenged(challenge);
        let challenged = challenged.expect("the challenge is for this sender");
        challenged.solved(&[7], &mut StdRng::seed_from_u64(self.exchange))
    }

    /// The message as this speaker sends it after this answer to its exchange.
    pub(crate) fn message_v1(
        self,
        relay: &Relay,
        challenge: &v1::wire::PowAnswer,
        answer: &str,
        said: &str,
    ) -> v1::wire::MessageRequest {
        let answer = serde_json::from_str(answer).expect("an answer is JSON");
        let open = self.exchanging_v1(relay, challenge).answered(&answer);
        let sent = open.expect("the relay signed it").seal(&text(said));
        sent.expect("it is short").request
    }

    /// The same in kkv/2, with what it takes to check the receipt.
    pub(crate) fn message_v2(
        self,
        challenge: &v2::wire::PowAnswer,
        answer: &str,
        said: &str,
    ) -> v2::sender::Sent {
        let answer = serde_json::from_str(answer).expect("an answer is JSON");
        let open = self.exchanging_v2(challenge).answered(&answer);
        open.expect("the relay signed it")
            .seal(&text(said), &BoxPart::None)
    }
}

/// Gets a challenge in each suite. Each call of what is returned then asks for the same two exchanges.
pub(crate) fn exchanges(who: Speaker, relay: &Relay) -> impl Fn() -> [Result<String, Refusal>; 2] {
    let first = who.exchanging_v1(relay, &who.challenge_v1(relay));
    let second = who.exchanging_v2(&who.challenge_v2(relay));
    move || {
        let rng = &mut rand::rng();
        [
            relay.exchange_v1(first.request(), rng),
            relay.exchange_v2(second.request(), rng),
        ]
    }
}

fn text(text: &str) -> Text {
    Text::new(Zeroizing::new(text.to_owned())).expect("tests send what fits")
}

/// Calls `act` on that many threads at the same moment.
pub(crate) fn at_once<T: Send>(threads: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(threads);
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads)
            .map(|index| {
                let (barrier, act) = (&barrier, &act);
                scope.spawn(move || {
                    barrier.wait();
                    act(index)
                })
            })
            .collect();
        let joined = started.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|done| done.expect("no thread panics")).collect()
    })
}

/// What all threads were answered, if they were answered the same.
pub(crate) fn same(answers: Vec<Result<String, Refusal>>) -> String {
    let mut answers = answers.into_iter();
    let first = answers.next().expect("at least one was asked");
    for other in answers {
        assert_eq!(first, other, "one request, two answers");
    }
    first.expect("a good request is answered")
}

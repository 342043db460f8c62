//! A relay that says anything to a sender: what is right, what is nearly so under a right signature, and what is
//! nothing of the kind.

mod say;
mod twist;
pub mod upload;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arbitrary::Unstructured;
use kkv_base::clock::ManualClock;
use kkv_base::limits::{
    ANSWER_TIMEOUT, ATTEMPTS, MAX_PAYMENTS, MAX_REPEAT_PAUSE, PAID_REPEATS, RETRY_PAUSE,
    SLOW_DOWN_PAUSE,
};
use kkv_client::sender::{
    Accepted, Delivery, DeliveryOptions, Event, Failure, Observer, Reply, deliver,
};
use kkv_net::tor::{Dial, DialError, NoService};
use kkv_pow::{Cost, InstructionSet, Solver};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::ids::SenderId;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::text::Text;
use kkv_protocol::v2::invitation::Token;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use crate::in_process::{START, target};
use crate::lying_relay::LyingRelay;
use crate::raw_http::{Request, Wire};
use say::{Say, Then};
use twist::is_too_dear;

const TEXT: &str = "text";

/// A narrow line: a sender that doesn't read is found out.
const PIPE_BYTES: usize = 4096;

/// How often a request is sent at most whose refusal may pass: five times while pauses grow, and then once in each of
/// the longest.
const REPETITIONS: u32 = 6 + (PAID_REPEATS.as_secs() / MAX_REPEAT_PAUSE.as_secs()) as u32;

/// Requests for one message at most: each step of each suite, paid for as often as a price may rise, and asked for as
/// often as a line may break and a refusal may pass.
const MAX_REQUESTS: u32 =
    REPETITIONS * ATTEMPTS * ((2 * MAX_PAYMENTS + 1) + (3 * MAX_PAYMENTS + 1));

/// The longest that all of them may take: an answer's time for each, a look whether the line still holds, and the
/// pauses before it.
const LONGEST: Duration = ANSWER_TIMEOUT
    .saturating_add(SLOW_DOWN_PAUSE.saturating_mul(2))
    .saturating_add(RETRY_PAUSE.saturating_mul(1 << ATTEMPTS))
    .saturating_mul(MAX_REQUESTS);

/// The relay, and the bytes by which it decides.
#[derive(Clone)]
struct Hostile(Arc<Mutex<State>>);

struct State {
    script: Vec<u8>,
    at: usize,
    relay: LyingRelay,
    sender: SenderId,
    requests: u32,
    /// Messages that came whole, in either suite.
    messages: u32,
}

#[derive(Debug, Default)]
struct Heard {
    fell_back: Mutex<bool>,
}

impl Observer for Heard {
    fn event(&self, event: Event) {
        if matches!(event, Event::FellBack) {
            *self.fell_back.lock().expect("nobody panics with it") = true;
        }
    }
}

impl Hostile {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics with it")
    }

    async fn serve(self, stream: DuplexStream) {
        let mut wire = Wire::new(stream);
        let greeting = self.state().decide(|u, _| {
            if u.ratio(1, 16)? {
                say::fragments(u)
            } else {
                Ok(Vec::new())
            }
        });
        if wire
            .stream
            .write_all(&greeting.unwrap_or_default())
            .await
            .is_err()
        {
            return;
        }
        while let Some(request) = wire.request().await {
            let say = self.state().answer(&request);
            if say.to(&mut wire.stream).await.is_err() {
                return;
            }
            match say.then {
                Then::Listen => {}
                Then::HangUp => return,
                Then::Wait => {
                    while let Some(request) = wire.request().await {
                        self.state().hear(&request);
                    }
                    return;
                }
            }
        }
    }
}

impl State {
    /// Decides by the next bytes; `None` if there are no more of them.
    fn decide<T>(
        &mut self,
        decide: impl FnOnce(&mut Unstructured<'_>, &mut LyingRelay) -> arbitrary::Result<T>,
    ) -> Option<T> {
        let mut u = Unstructured::new(&self.script[self.at..]);
        if u.is_empty() {
            return None;
        }
        let decided = decide(&mut u, &mut self.relay);
        self.at = self.script.len() - u.len();
        decided.ok()
    }

    fn hear(&mut self, request: &Request) {
        self.requests += 1;
        assert!(self.requests <= MAX_REQUESTS, "a sender asks on and on");
        self.messages += u32::from(request.path == "/msg");
    }

    fn answer(&mut self, request: &Request) -> Say {
        self.hear(request);
        let say = self.decide(|u, relay| Say::decide(u, relay, request));
        let say = say.unwrap_or_else(|| Say::right(&mut self.relay, request));
        if is_too_dear(&say.bytes, self.sender) {
            return Say::nothing();
        }
        say
    }
}

impl Dial for Hostile {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        let refused = self.state().decide(|u, _| u.ratio(1, 16));
        if refused == Some(true) {
            sleep(RETRY_PAUSE).await;
            return Err(DialError::NoService(NoService::NoAnswer));
        }
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(self.clone().serve(far));
        Ok(near)
    }
}

/// Has a message sent to a relay that decides by these bytes what it says.
///
/// # Panics
/// The sender takes too long, asks too often, or says of its message what can't be known: a finding.
pub async fn run(script: &[u8]) {
    // The key follows from the script, so that no script can hold it.
    let mut hasher = DefaultHasher::new();
    script.hash(&mut hasher);
    let rng = &mut StdRng::seed_from_u64(hasher.finish());
    let key = SenderKey::generate(rng);
    let sender = key.public();
    let state = State {
        script: script.to_vec(),
        at: 0,
        relay: LyingRelay::new(rng),
        sender: sender.id(),
        requests: 0,
        messages: 0,
    };
    let hostile = Hostile(Arc::new(Mutex::new(state)));
    let suites = hostile.state().decide(|u, _| {
        Ok(*u.choose(&[
            SuitePolicy::Any,
            SuitePolicy::Only(Suite::V2),
            SuitePolicy::Only(Suite::V1),
        ])?)
    });
    let suites = suites.unwrap_or_default();
    let is_invited = hostile.state().decide(|u, _| u.ratio(1, 4)) == Some(true);
    let token = is_invited.then(|| Token::generate(rng).to_text());
    let invitation = token.map(|token| token.parse().expect("it is one"));
    let heard = Heard::default();
    let delivery = Delivery {
        dialer: &hostile,
        options: DeliveryOptions {
            suites,
            invitation,
            solver: Solver {
                threads: std::num::NonZeroUsize::MIN,
                instructions: InstructionSet::best(),
            },
            ..DeliveryOptions::new(target())
        },
        clock: &ManualClock::new(START),
        observer: &heard,
    };
    let text = Text::new(Zeroizing::new(TEXT.to_owned())).expect("it is short");
    let began = Instant::now();
    let outcome = deliver(&delivery, key, &text, Reply::No, rng).await;
    assert!(began.elapsed() <= LONGEST, "{:?}", began.elapsed());
    let state = hostile.state();
    match outcome {
        Ok(accepted) => {
            assert!(accepted.sender == sender && suites.allows(accepted.suite));
            let fell_back = *heard.fell_back.lock().expect("nobody panics with it");
            // Who shows an invitation pays nothing, whatever a relay says.
            assert_eq!(accepted.invited, is_invited);
            assert!(!is_invited || accepted.cost == Cost::FREE && accepted.suite == Suite::V2);
            state.believed(&accepted, fell_back);
        }
        Err(failure) => state.doubted(&failure),
    }
}

impl State {
    /// It may be said to have been accepted.
    fn believed(&self, accepted: &Accepted, fell_back: bool) {
        let relay = self.relay.public();
        assert!(accepted.relay == relay, "another relay has no say");
        match (accepted.suite, &accepted.receipt) {
            (Suite::V2, Some(receipted)) => {
                assert!(!fell_back && receipted.relay == relay);
                assert!(
                    receipted
                        .receipt
                        .verify(&relay, &receipted.signature)
                        .is_ok()
                );
                assert_eq!(Some(receipted.receipt), self.relay.read(TEXT));
            }
            // Who says yes in kkv/1 is believed, even one that has not read the message.
            (Suite::V1, None) => {}
            other => panic!("no receipt belongs to kkv/1, and one to kkv/2: {other:?}"),
        }
    }

    /// What is not accepted may be there only if that is said.
    fn doubted(&self, failure: &Failure) {
        let said_so = match failure {
            Failure::Indeterminate(_) => true,
            // What a relay that has read it says clearly, at once or after it said to ask again: it can lie, but not
            // by being silent. (That silence is never forgotten, tests/hostile_relay shows.)
            Failure::Refused(_)
            | Failure::RefusedUnread(400..=499)
            | Failure::RefusedUnknown(400..=499)
            | Failure::StillRefused(..) => true,
            _ => false,
        };
        assert!(
            self.messages == 0 || said_so,
            "it had the message: {failure:?}"
        );
    }
}

//! A relay that takes a message with files as it should, and says anything of its pieces: what answers are read while
//! requests go on (`pipeline` in kkv-client) is right, wrong, early, late, endless or nothing.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arbitrary::Unstructured;
use kkv_base::limits::{
    ANSWER_TIMEOUT, MAX_REPEAT_PAUSE, MIN_UPLOAD_RATE, RETRY_PAUSE, UPLOAD_PATIENCE,
};
use kkv_client::sender::{Failure, Uploader};
use kkv_net::tor::{Dial, DialError, NoService};
use kkv_pow::{Cost, Solution};
use kkv_protocol::files::{File, Files};
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::sender::Hello;
use kkv_protocol::v2::upload::MAX_PIECE_BYTES;
use kkv_protocol::v2::upload::sender::Upload;
use kkv_relay::queue::Queue;
use kkv_relay::relay::{Pricing, RelayConfig};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep};

use super::say::{self, Say, Then};
use crate::in_process::{InProcess, Unobserved, delivery};
use crate::raw_http::{Answer, Request, Wire};
use crate::stranger::{sender_key, solve};

const OCTETS: &str = "application/octet-stream";

/// Four pieces: more than are answered before the last is sent.
const SIZE: LargeSize = LargeSize::Kib256;

/// As much as takes this size.
const FILE_BYTES: usize = 150_000;

/// A narrow line: a sender that doesn't read is found out.
const PIPE_BYTES: usize = 4096;

/// The longest that one connection is waited at: an answer to each piece and to the question before, each in its time.
const LONGEST_CONNECTION: Duration = Duration::from_secs(
    (1 + SIZE.pieces() as u64)
        * (ANSWER_TIMEOUT.as_secs() + (MAX_PIECE_BYTES / MIN_UPLOAD_RATE as usize) as u64),
);

/// The longest that all of it may take: its patience begins anew with each piece that is acknowledged.
const LONGEST: Duration = Duration::from_secs(
    (1 + SIZE.pieces() as u64)
        * (UPLOAD_PATIENCE.as_secs() + MAX_REPEAT_PAUSE.as_secs() + LONGEST_CONNECTION.as_secs()),
);

/// The way to the relay, and the bytes by which it decides what is heard of it.
#[derive(Clone)]
struct Hostile {
    inbox: Arc<InProcess>,
    script: Arc<Mutex<Script>>,
}

struct Script {
    bytes: Vec<u8>,
    at: usize,
    /// What was said before, which may be said once more.
    said: Option<Answer>,
}

impl Script {
    /// Decides by the next bytes; `None` if there are no more of them.
    fn decide<T>(
        &mut self,
        decide: impl FnOnce(&mut Unstructured<'_>) -> arbitrary::Result<T>,
    ) -> Option<T> {
        let mut u = Unstructured::new(&self.bytes[self.at..]);
        if u.is_empty() {
            return None;
        }
        let decided = decide(&mut u);
        self.at = self.bytes.len() - u.len();
        decided.ok()
    }

    fn about(&mut self, right: Answer) -> Say {
        let is_stale = self.decide(|u| u.ratio(1, 16)) == Some(true);
        let before = self.said.take().filter(|_| is_stale);
        self.said = Some(copy(&right));
        let told = before.unwrap_or(right);
        let bytes = told.to_bytes();
        let say = self.decide(|u| Say::of(u, told, OCTETS));
        say.unwrap_or_else(|| Say::all(bytes, Then::Listen))
    }
}

fn copy(answer: &Answer) -> Answer {
    Answer {
        status: answer.status,
        headers: answer.headers.clone(),
        body: answer.body.clone(),
    }
}

impl Hostile {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("nobody panics with it")
    }

    async fn serve(self, stream: DuplexStream) {
        let mut wire = Wire::new(stream);
        let greeting = self.script().decide(|u| match u.ratio(1, 16)? {
            true => say::fragments(u),
            false => Ok(Vec::new()),
        });
        let greeting = greeting.unwrap_or_default();
        if wire.stream.write_all(&greeting).await.is_err() {
            return;
        }
        while let Some(request) = wire.request().await {
            let right = self.right(&request).await;
            let say = self.script().about(right);
            if say.to(&mut wire.stream).await.is_err() {
                return;
            }
            match say.then {
                Then::Listen => {}
                Then::HangUp => return,
                Then::Wait => {
                    while let Some(request) = wire.request().await {
                        self.right(&request).await;
                    }
                    return;
                }
            }
        }
    }

    /// What the relay says.
    async fn right(&self, request: &Request) -> Answer {
        let mut asked = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
        for (name, value) in &request.headers {
            asked += &format!("{name}: {value}\r\n");
        }
        asked += "\r\n";
        let asked = [asked.as_bytes(), &request.body].concat();
        Wire::new(self.inbox.connect()).ask(&asked).await
    }
}

impl Dial for Hostile {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        if self.script().decide(|u| u.ratio(1, 16)) == Some(true) {
            sleep(RETRY_PAUSE).await;
            return Err(DialError::NoService(NoService::NoAnswer));
        }
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(self.clone().serve(far));
        Ok(near)
    }
}

/// Has a message with a file sent to a relay of which these bytes decide what is heard.
///
/// # Panics
/// The sender takes too long, or says of its message what can't be known: a finding.
pub async fn run(script: &[u8]) {
    let rng = &mut StdRng::seed_from_u64(0);
    let config = RelayConfig {
        read_receipts: false,
        pricing: Pricing {
            base: Cost::FREE,
            adaptive: false,
        },
        expected_seconds: 60,
        suites: SuitePolicy::Any,
    };
    let queue = Queue::with_share(1, SIZE.bytes(), None).expect("so much memory");
    let inbox = Arc::new(InProcess::with(config, queue, rng));
    let upload = opened(&inbox, rng);
    let hostile = Hostile {
        inbox: Arc::clone(&inbox),
        script: Arc::new(Mutex::new(Script {
            bytes: script.to_vec(),
            at: 0,
            said: None,
        })),
    };
    let suites = SuitePolicy::Only(Suite::V2);
    let delivery = delivery(&hostile, suites, &inbox.clock, &Unobserved);
    let began = Instant::now();
    let outcome = Uploader::new(&delivery).send(upload).await;
    assert!(began.elapsed() <= LONGEST, "{:?}", began.elapsed());
    let now = inbox.relay.now().elapsed;
    let is_there = inbox.relay.queue().room(now).messages == 1;
    match outcome {
        Ok(receipted) => {
            let relay = inbox.relay.keys().public();
            assert!(is_there && receipted.relay == *relay);
            let verified = receipted.receipt.verify(relay, &receipted.signature);
            assert!(verified.is_ok());
        }
        // What is said clearly of it may be a lie, but silence is none.
        Err(
            Failure::Indeterminate(_)
            | Failure::Refused(_)
            | Failure::RefusedUnread(400..=499)
            | Failure::RefusedUnknown(400..=499),
        ) => {}
        Err(failure) => assert!(!is_there, "it had the message: {failure:?}"),
    }
}

/// A session for it, which was paid for, and the message sealed.
fn opened(inbox: &InProcess, rng: &mut StdRng) -> Upload {
    let relay = &inbox.relay;
    let hello = Hello::for_large(sender_key(2), SIZE, None);
    let answer = relay.pow_v2(&hello.request(), rng).expect("there is room");
    let challenged = hello.challenged(&answer).expect("the relay's own");
    let Solution::V2(nonces) = solve(&challenged.puzzle()) else {
        unreachable!("solved in the layout that was asked for");
    };
    let exchanging = challenged.solved(&nonces, rng);
    let answer = relay.exchange_v2(exchanging.request(), rng);
    let answer = serde_json::from_str(&answer.expect("it is paid")).expect("the relay's own");
    let open = exchanging.answered(&answer).expect("the relay's own");
    let bytes = vec![7; FILE_BYTES];
    let files = vec![File::new("file", "", &bytes).expect("it is one")];
    let files = Files::new("text", files).expect("they are some");
    open.seal(&files, &BoxPart::None)
}

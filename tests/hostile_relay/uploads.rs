//! Acknowledgements of pieces that are lies: who sends files gives such a relay up after a few requests, whatever it
//! says of what it has.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use kkv_base::clock::ManualClock;
use kkv_base::limits::UPLOAD_PATIENCE;
use kkv_client::sender::{Failure, Indeterminate, Reply, Uploader};
use kkv_net::tor::{Dial, DialError};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::error::ProtocolError;
use kkv_protocol::files::{File, Files};
use kkv_protocol::refusal::Refusal;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::sender::Receipted;
use kkv_relay::queue::Queue;
use kkv_relay::relay::{Pricing, RelayConfig};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

use crate::in_process::{InProcess, PIPE_BYTES, START, Unobserved, delivery};
use crate::raw_http::{Answer, Request, Wire, post};

const V2: SuitePolicy = SuitePolicy::Only(Suite::V2);

/// What a relay does with pieces. Its acknowledgements are well sealed: a real relay makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// None.
    Honest,
    /// It keeps no piece, and acknowledges that none is here.
    HasNone,
    /// It keeps the first, and says of each later one that only the first is here.
    OnlyTheFirst,
    /// It keeps the first and says so, and says from then on that none is here.
    TakesBack,
    /// It keeps all, and says of the last that it isn't here.
    DeniesTheLast,
    /// It has always too much to do.
    SlowDown,
    /// No piece is ever fast enough.
    TimedOut,
}

/// A relay that lies so.
#[derive(Clone)]
struct Liar(Arc<Inner>);

struct Inner {
    relay: InProcess,
    lie: Lie,
    seen: Mutex<Seen>,
    /// Bodies are answered one after the other, so that there is a first.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Seen {
    /// Body of a query in this session, which an honest relay acknowledges.
    query: Vec<u8>,
    /// Bodies that came to `/msg`.
    bodies: u32,
    /// What was acknowledged before any piece, and to the first.
    none: Option<Answer>,
    first: Option<Answer>,
}

impl Liar {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().expect("nobody panics while looking")
    }

    async fn serve(self, stream: DuplexStream) {
        let mut sender = Wire::new(stream);
        let mut relay = Wire::new(self.0.relay.connect());
        while let Some(request) = sender.request().await {
            let answer = match request.path.as_str() {
                "/msg" => self.acknowledgement(&request, &mut relay).await,
                _ => relay.ask(&request.to_bytes()).await,
            };
            if sender.stream.write_all(&answer.to_bytes()).await.is_err() {
                return;
            }
        }
    }

    async fn acknowledgement(&self, piece: &Request, relay: &mut Wire<DuplexStream>) -> Answer {
        let _turn = self.0.turn.lock().await;
        let (is_first, query) = {
            let mut seen = self.seen();
            seen.bodies += 1;
            (seen.bodies == 1, seen.query.clone())
        };
        let query = post("/msg", "application/octet-stream", &query);
        if is_first {
            let none = relay.ask(&query).await;
            self.seen().none = Some(none);
        }
        let refused = |refusal: Refusal| Answer {
            status: refusal.status(),
            headers: Vec::new(),
            body: refusal.body().into_bytes(),
        };
        match self.0.lie {
            Lie::HasNone => relay.ask(&query).await,
            Lie::SlowDown => refused(Refusal::SlowDown),
            Lie::TimedOut => refused(Refusal::TimedOut),
            Lie::OnlyTheFirst | Lie::TakesBack if !is_first => {
                let seen = self.seen();
                let said = match self.0.lie {
                    Lie::TakesBack => &seen.none,
                    _ => &seen.first,
                };
                said.clone().expect("the first has come")
            }
            _ => {
                let said = relay.ask(&piece.to_bytes()).await;
                let mut seen = self.seen();
                if is_first {
                    seen.first = Some(said.clone());
                }
                match (self.0.lie, self.0.relay.texts().is_empty()) {
                    (Lie::DeniesTheLast, false) => seen.none.clone().expect("one has come"),
                    _ => said,
                }
            }
        }
    }
}

impl Dial for Liar {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(self.clone().serve(far));
        Ok(near)
    }
}

/// Sends a message of this size to a relay that lies so; also how many bodies that took, and how long.
async fn sent(size: LargeSize, lie: Lie) -> (Result<Receipted, Failure>, u32, Duration) {
    let config = RelayConfig {
        read_receipts: false,
        pricing: Pricing {
            base: kkv_pow::Cost::new(0).expect("nothing is little"),
            adaptive: true,
        },
        expected_seconds: 60,
        suites: V2,
    };
    let queue = Queue::with_share(1, 2 << 20, None).expect("so much memory");
    let liar = Liar(Arc::new(Inner {
        relay: InProcess::with(config, queue, &mut rand::rng()),
        lie,
        seen: Mutex::default(),
        turn: tokio::sync::Mutex::default(),
    }));
    let bytes = vec![7; size.content_room() - 100];
    let files = vec![File::new("file", "", &bytes).expect("it is one")];
    let files = Files::new("text", files).expect("they are some");
    let clock = ManualClock::new(START);
    let delivery = delivery(&liar, V2, &clock, &Unobserved);
    let mut uploader = Uploader::new(&delivery);
    let mut rng = StdRng::from_rng(&mut rand::rng());
    let key = SenderKey::generate(&mut rng);
    let begun = uploader.begin(key, &files, Reply::No, &mut rng).await;
    let (upload, _) = begun.expect("up to here it is honest");
    liar.seen().query = upload.query().to_vec();
    let began = Instant::now();
    let result = uploader.send(upload).await;
    let bodies = liar.seen().bodies;
    (result, bodies, began.elapsed())
}

const SIZES: [LargeSize; 3] = [LargeSize::Kib16, LargeSize::Kib256, LargeSize::Mib1];

#[tokio::test(start_paused = true)]
async fn without_a_lie_files_are_accepted() {
    for size in SIZES {
        let (result, bodies, _) = sent(size, Lie::Honest).await;
        assert!(result.is_ok(), "{result:?}");
        assert!(bodies as usize <= size.pieces() + 1, "{bodies}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_acknowledges_what_it_has_not_is_sent_no_piece_twice() {
    for size in SIZES {
        for lie in [Lie::HasNone, Lie::OnlyTheFirst, Lie::TakesBack] {
            let (result, bodies, _) = sent(size, lie).await;
            if size.pieces() == 1 && lie != Lie::HasNone {
                assert!(result.is_ok(), "there is no later piece to lie about");
                continue;
            }
            // Of a single piece it may have the whole message, and deny it.
            let is_right = match &result {
                Err(Failure::Protocol(ProtocolError::Malformed)) => size.pieces() > 1,
                Err(Failure::Indeterminate(Indeterminate::Unclear)) => size.pieces() == 1,
                _ => false,
            };
            assert!(is_right, "{size:?} {lie:?}: {result:?}");
            // Those behind the first are under way before its answer comes.
            assert!(bodies <= 4, "{size:?} {lie:?}: {bodies}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_the_message_and_denies_its_last_piece_leaves_its_sender_in_doubt() {
    for size in SIZES {
        let (result, bodies, _) = sent(size, Lie::DeniesTheLast).await;
        let in_doubt = matches!(result, Err(Failure::Indeterminate(Indeterminate::Unclear)));
        assert!(in_doubt, "{size:?}: {result:?}");
        assert!(bodies as usize <= size.pieces() + 1, "{size:?}: {bodies}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_never_has_time_is_asked_a_few_times_and_for_minutes() {
    for size in SIZES {
        for (lie, said) in [
            (Lie::SlowDown, Refusal::SlowDown),
            (Lie::TimedOut, Refusal::TimedOut),
        ] {
            let (result, bodies, took) = sent(size, lie).await;
            let Err(failure) = &result else {
                panic!("{size:?} {lie:?}: {result:?}");
            };
            let refused = matches!(failure, Failure::Refused(refusal) if *refusal == said);
            assert!(refused, "{size:?} {lie:?}: {failure:?}");
            assert!(failure.leaves_upload(), "it may have time later");
            assert!(bodies <= 3 * 12, "{size:?} {lie:?}: {bodies}");
            assert!(took < UPLOAD_PATIENCE + Duration::from_secs(60), "{took:?}");
        }
    }
}

//! A relay behind its router, visited over connections on which anything may come.

use std::sync::Arc;
use std::time::Duration;

use arbitrary::Unstructured;
use axum::Router;
use kkv_base::limits::MAX_HEAD_BYTES;
use kkv_pow::{Cost, Solution};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::files::{File, Files};
use kkv_protocol::refusal::{Refusal, Refused};
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::sender::Hello;
use kkv_protocol::v2::upload::Pieces;
use kkv_protocol::v2::upload::sender::Upload;
use kkv_relay::queue::Queue;
use kkv_relay::relay::{Pricing, RelayConfig, router};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::change::changes;
use crate::in_process::InProcess;
use crate::request::Request;
use crate::stranger::{Paid, Session, hello, sender_key, solve};
use crate::visit::{Answer, Manner, Piece, Visited, visit, visits};

/// What every message says: whatever else is found in the queue was never sent.
const TEXT: &str = "text";
/// Pieces on one connection, at most.
const MAX_PIECES: usize = 12;

/// Pieces of HTTP that are right in some places and wrong in others.
const FRAGMENTS: [&str; 30] = [
    "GET ",
    "HEAD ",
    "POST ",
    "OPTIONS * ",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "/msg",
    "/pow",
    "/status",
    "/get_domain_pk",
    "http://2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion/exchange_keys?x=%00",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    " HTTP/9.9\r\n",
    "host: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\n",
    "expect: 100-continue\r\n",
    "content-length: 5\r\n",
    "content-length: 0\r\n",
    "content-length: 16385\r\n",
    "content-length: -1\r\n",
    "content-length: 18446744073709551615\r\n",
    "transfer-encoding: chunked\r\n",
    "transfer-encoding: chunked, identity\r\n",
    "content-type: application/json\r\n",
    "content-type: application/x-www-form-urlencoded; x\r\n",
    "connection: upgrade\r\nupgrade: h2c\r\n",
    "connection: close\r\n",
    "\r\n",
    "0\r\n\r\n",
    "ffffffffffffffff\r\n",
    "5;x=y\r\nabcde\r\n",
];

/// The one file that is sent, whose message takes the smallest room.
const FILE: [u8; 5] = *b"bytes";

/// Memory for files: two of the smallest.
const SHARE_BYTES: usize = 2 * LargeSize::Kib16.bytes();

/// A whole request, right or not.
#[derive(Debug)]
struct Whole {
    path: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
}

impl From<Request> for Whole {
    fn from(request: Request) -> Self {
        Self {
            path: request.path(),
            content_type: request.content_type(),
            body: request.body().into_bytes(),
        }
    }
}

/// Somebody on the way to one message.
#[derive(Debug)]
struct Caller {
    suite: Suite,
    key: SenderKey,
    paid: Option<Paid>,
    session: Option<Session>,
}

#[derive(Debug)]
struct Line {
    inbox: InProcess,
    router: Router,
    callers: [Caller; 2],
    /// Who sends a file, and asks what is here of it, by turns.
    upload: Option<Upload>,
    asks: bool,
    /// How often anybody has paid: so many messages there may be.
    paid: usize,
}

/// Does what the bytes say, and looks at what comes of it.
///
/// # Errors
/// The bytes are at their end.
///
/// # Panics
/// The relay does what it must not: a finding.
pub async fn run(u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    visits(Line::new(u)?, u).await
}

impl Caller {
    fn new(suite: Suite) -> Self {
        Self {
            suite,
            key: sender_key(1),
            paid: None,
            session: None,
        }
    }

    /// What an honest sender would ask for next.
    fn request(&self) -> Request {
        match (&self.session, &self.paid) {
            (Some(session), _) => session.say(&self.key, TEXT.as_bytes()),
            (None, Some(paid)) => paid.request(),
            (None, None) => hello(self.suite, &self.key),
        }
    }
}

impl Visited for Line {
    async fn connection(&mut self, u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        match u.int_in_range(0..=7)? {
            0..=3 => {
                let who = u.choose_index(self.callers.len() + 1)?;
                if who < self.callers.len() {
                    let _ = self.honest_step(who).await;
                } else {
                    self.uploads().await;
                }
            }
            4..=6 => self.any_script(u).await?,
            _ => {
                let time = Duration::from_millis(500) * u.arbitrary::<u8>()?.into();
                self.inbox.clock.advance(time);
                self.inbox.relay.purge();
                if u.arbitrary()? {
                    self.inbox.relay.wipe();
                }
            }
        }
        Ok(())
    }

    /// Only what was sent is there, no more often than somebody has paid, and no more than there is room for.
    fn check(&self) {
        let texts = self.inbox.texts();
        let is_sent = |text: &String| text == TEXT || is_the_file(text.as_bytes());
        assert!(texts.iter().all(is_sent), "{texts:?}");
        assert!(texts.len() <= self.paid);
        let occupancy = self
            .inbox
            .relay
            .queue()
            .occupancy(self.inbox.relay.now().elapsed);
        assert!(
            occupancy.stored + occupancy.reserved <= occupancy.capacity,
            "{occupancy:?}"
        );
    }

    /// After all that, whoever comes with what is right is served.
    async fn still_takes_a_message(&mut self) {
        self.inbox.relay.wipe();
        let who = usize::from(self.paid.is_multiple_of(2));
        self.callers[who] = Caller::new(self.callers[who].suite);
        for _ in 0..3 {
            assert_eq!(self.honest_step(who).await, Ok(()));
        }
        assert_eq!(self.inbox.texts(), [TEXT]);
    }
}

impl Line {
    fn new(u: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let config = RelayConfig {
            read_receipts: false,
            pricing: Pricing {
                base: Cost::new(u.int_in_range(0..=4)?).expect("that little can be asked for"),
                adaptive: true,
            },
            expected_seconds: 60,
            suites: SuitePolicy::Any,
        };
        let slots = u.int_in_range(1..=4)?;
        let queue = Queue::with_share(slots, SHARE_BYTES, None).expect("so much memory");
        let inbox = InProcess::with(config, queue, &mut StdRng::seed_from_u64(0));
        Ok(Self {
            router: router(Arc::clone(&inbox.relay)),
            inbox,
            callers: [Suite::V1, Suite::V2].map(Caller::new),
            upload: None,
            asks: false,
            paid: 0,
        })
    }

    /// A session for a message with a file, if there is room; or the next request of one.
    async fn uploads(&mut self) {
        let Some(request) = self.of_the_upload() else {
            self.upload = self.opened();
            self.paid += usize::from(self.upload.is_some());
            return;
        };
        self.asks = !self.asks;
        let close = "connection: close\r\n";
        let piece = Piece::now(post(&request, &request.body, close));
        let said = visit(self.router.clone(), &[piece], &Manner::default()).await;
        let answer = Answer::first(&said).expect("a whole request is answered");
        let upload = self.upload.as_mut().expect("it was just asked");
        let over = match answer.status {
            200 => {
                let taken = upload.acknowledged(answer.body);
                taken.expect("the relay's own word").is_some()
            }
            status => {
                let refusal = Refused::read(status, answer.body).known();
                refusal.expect("a refusal says why, under its own status");
                true
            }
        };
        if over {
            self.upload = None;
        }
    }

    fn opened(&self) -> Option<Upload> {
        let (relay, rng) = (
            &self.inbox.relay,
            &mut StdRng::seed_from_u64(self.paid as u64),
        );
        let hello = Hello::for_large(sender_key(2), LargeSize::Kib16, None);
        let answer = relay.pow_v2(&hello.request(), rng).ok()?;
        let challenged = hello.challenged(&answer).expect("the relay's own");
        let Solution::V2(nonces) = solve(&challenged.puzzle()) else {
            unreachable!("solved in the layout that was asked for");
        };
        let exchanging = challenged.solved(&nonces, rng);
        let answer = relay.exchange_v2(exchanging.request(), rng).ok()?;
        let answer = serde_json::from_str(&answer).expect("the relay's own");
        let open = exchanging.answered(&answer).expect("the relay's own");
        let files = vec![File::new("file", "", &FILE).expect("it is one")];
        let files = Files::new(TEXT, files).expect("they are some");
        Some(open.seal(&files, &BoxPart::None))
    }

    /// What its sender says next: its only piece, or a question.
    fn of_the_upload(&mut self) -> Option<Whole> {
        let upload = self.upload.as_mut()?;
        let first = Pieces::all(upload.size()).iter().next()?;
        let body = match self.asks {
            true => upload.query().to_vec(),
            false => upload.begin(first).to_vec(),
        };
        Some(Whole {
            path: "/msg",
            content_type: "application/octet-stream",
            body,
        })
    }

    /// A whole request on a connection of its own; its answer is heard.
    async fn honest_step(&mut self, who: usize) -> Result<(), Refusal> {
        let request = Whole::from(self.callers[who].request());
        let close = "connection: close\r\n";
        let piece = Piece::now(post(&request, &request.body, close));
        let said = visit(self.router.clone(), &[piece], &Manner::default()).await;
        let answer = Answer::first(&said).expect("a whole request is answered");
        let caller = &mut self.callers[who];
        if answer.status != 200 {
            let refusal = Refused::read(answer.status, answer.body).known();
            let refusal = refusal.expect("a refusal says why, under its own status");
            *caller = Caller::new(caller.suite);
            return Err(refusal);
        }
        let body = str::from_utf8(answer.body).expect("an answer is text");
        let relay = self.inbox.relay.keys().public();
        match (&caller.session, &caller.paid) {
            (Some(session), _) => {
                session.accepted(relay, &caller.key, TEXT.as_bytes(), body);
                *caller = Caller::new(caller.suite);
            }
            (None, Some(paid)) => caller.session = Some(paid.open(relay, body)),
            (None, None) => {
                caller.paid = Some(Paid::new(caller.suite, &caller.key, body, 0));
                self.paid += 1;
            }
        }
        Ok(())
    }

    /// Anything on one connection, of which nothing is heard.
    async fn any_script(&mut self, u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        let manner = Manner::arbitrary(u)?;
        let mut script = Vec::new();
        for _ in 0..u.int_in_range(0..=MAX_PIECES)? {
            script.push(self.piece(u)?);
        }
        let said = visit(self.router.clone(), &script, &manner).await;
        let sent: usize = script.iter().map(|piece| piece.bytes.len()).sum();
        // The shortest request has 18 bytes, and the longest answer, to an exchange of kkv/2, has some 2,600.
        assert!(
            said.len() <= (sent / 18 + 1) * 3000,
            "{} for {sent}",
            said.len()
        );
        if let Some(answer) = Answer::first(&said) {
            assert!(
                matches!(answer.status, 200 | 100 | 400..=499 | 507),
                "{}",
                answer.status
            );
        } else {
            assert!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
        }
        Ok(())
    }

    fn piece(&mut self, u: &mut Unstructured<'_>) -> arbitrary::Result<Piece> {
        let who = u.choose_index(self.callers.len() + 1)?;
        let caller = self.callers.get(who).map(Caller::request);
        let request = match (caller, self.of_the_upload()) {
            (Some(request), _) => request.into(),
            (None, Some(request)) => request,
            // Of no session.
            (None, None) => Whole {
                path: "/msg",
                content_type: "application/octet-stream",
                body: vec![who as u8; *u.choose(&[56, 16_384, 65_536])?],
            },
        };
        let body = request.body.clone();
        let bytes = match u.int_in_range(0..=7)? {
            0 => {
                let length = usize::from(u.arbitrary::<u8>()?).min(u.len());
                u.bytes(length)?.to_vec()
            }
            1 | 2 => u.choose(&FRAGMENTS)?.as_bytes().to_vec(),
            3 => post(&request, &body, ""),
            4 => post(&request, &changes(&body, u)?, ""),
            5 => changes(&post(&request, &body, ""), u)?,
            6 => chunked(&request, &body, u.int_in_range(1..=u8::MAX)?.into()),
            _ => {
                let times = u.int_in_range(0..=u8::MAX)?;
                vec![u.arbitrary()?; usize::from(times) * MAX_HEAD_BYTES / 128]
            }
        };
        let pause = if u.ratio(1, 4)? {
            Duration::from_millis(500) * u.arbitrary::<u8>()?.into()
        } else {
            Duration::ZERO
        };
        Ok(Piece { bytes, pause })
    }
}

/// Whether it is the content of the message with the file.
fn is_the_file(content: &[u8]) -> bool {
    Files::decode(content).is_ok_and(|files| {
        let is_one = |file: &File<'_>| file.name() == "file" && file.bytes() == FILE;
        files.text() == TEXT && files.files().iter().all(is_one) && files.files().len() == 1
    })
}

/// What a request looks like on the wire.
fn head(request: &Whole, more: &str) -> String {
    let (path, content_type) = (request.path, request.content_type);
    format!(
        "POST {path} HTTP/1.1\r\nhost: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\ncontent-type: {content_type}\r\n{more}"
    )
}

fn post(request: &Whole, body: &[u8], more: &str) -> Vec<u8> {
    let length = format!("content-length: {}\r\n{more}\r\n", body.len());
    [head(request, &length).as_bytes(), body].concat()
}

/// The same in chunks of so many bytes.
fn chunked(request: &Whole, body: &[u8], bytes: usize) -> Vec<u8> {
    let mut whole = head(request, "transfer-encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body.chunks(bytes) {
        whole.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        whole.extend_from_slice(chunk);
        whole.extend(b"\r\n");
    }
    whole.extend(b"0\r\n\r\n");
    whole
}

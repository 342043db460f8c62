//! A relay with a page, visited as browsers do and as nobody should: its forms, with script and without, and files in
//! pieces.

use std::sync::Arc;
use std::time::Duration;

use arbitrary::Unstructured;
use kkv_base::clock::ManualClock;
use kkv_base::limits::{MAX_HEAD_BYTES, MAX_TEXT_BYTES};
use kkv_net::http::Site;
use kkv_pow::Cost;
use kkv_protocol::files::Files;
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::text::Text;
use kkv_protocol::v2::purpose::LargeSize;
use kkv_relay::queue::{MessageId, Queue};
use kkv_relay::relay::{PAGE_PATHS, PageConfig, Pricing, Relay, RelayConfig, router};
use rand::SeedableRng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

use crate::change::changes;
use crate::in_process::START;
use crate::page_form::{FORM_TYPE, PageForm};
use crate::visit::{Answer, Manner, Piece, Visited, visit, visits};

const HOST: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
const OCTETS: &str = "application/octet-stream";
const JSON: &str = "application/json";
/// Pieces on one connection, at most.
const MAX_PIECES: usize = 8;
/// Bytes of the file that is sent: a piece and a little, or within one.
const FILES: [usize; 3] = [0, 5, 20_000];
/// What is written, or nothing, or next to nothing.
const TEXTS: [&str; 4] = ["text", "", "a\r\nb", "\u{202e}"];
/// Memory for files: two of the smallest, and one more.
const SHARE_BYTES: usize = 4 * LargeSize::Kib16.bytes();
const USES: u32 = 2;

/// What stands in forms and around them, right in some places and wrong in others.
const FRAGMENTS: [&str; 18] = [
    "--b\r\n",
    "--b--\r\n",
    "\r\n",
    "\r\n--b",
    "Content-Disposition: form-data; name=\"text\"\r\n\r\n",
    "Content-Disposition: form-data; name=\"form\"\r\n\r\n",
    "Content-Disposition: form-data; name=\"follows\"\r\n\r\nyes\r\n",
    "Content-Disposition: form-data; name=\"seen\"\r\n\r\n00\r\n",
    "Content-Disposition: form-data; name=\"upload\"\r\n\r\n",
    "Content-Disposition: form-data; name=\"file\"; filename=\"%22%0D%0A\u{202e}\"\r\n",
    "Content-Type: text/plain\r\n\r\n",
    "GET / HTTP/1.1\r\n",
    "POST /words HTTP/1.1\r\n",
    "POST /piece HTTP/1.1\r\n",
    "host: 2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion\r\n",
    "content-type: application/x-www-form-urlencoded\r\n",
    "content-type: multipart/form-data; boundary=\"b\"\r\n",
    "content-length: 2000000\r\n\r\n",
];

/// A whole request.
#[derive(Debug, Clone)]
struct Whole {
    path: &'static str,
    media_type: &'static str,
    body: Vec<u8>,
}

/// An upload that the relay has begun.
#[derive(Debug)]
struct Begun {
    name: String,
    piece: usize,
    missing: Vec<usize>,
    bytes: usize,
}

#[derive(Debug)]
struct Line {
    relay: Arc<Relay>,
    clock: Arc<ManualClock>,
    site: Site,
    free: u32,
    /// Links that are good for so many messages.
    invitation: String,
    /// The form that was opened last.
    form: Option<PageForm>,
    begun: Option<Begun>,
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

impl Visited for Line {
    async fn connection(&mut self, u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        match u.int_in_range(0..=9)? {
            0 => self.opens().await,
            1..=4 => {
                let request = self.request(u)?;
                self.asks(&request).await;
            }
            5..=8 => {
                let manner = Manner::arbitrary(u)?;
                let mut script = Vec::new();
                for _ in 0..u.int_in_range(0..=MAX_PIECES)? {
                    script.push(self.piece(u)?);
                }
                let said = visit(self.site.clone(), &script, &manner).await;
                if let Some(answer) = Answer::first(&said) {
                    must_be_known(answer.status);
                }
            }
            _ => {
                let time = Duration::from_secs(4) * u.arbitrary::<u8>()?.into();
                self.clock.advance(time);
                self.relay.purge();
                match u.int_in_range(0..=3)? {
                    0 => drop(self.relay.wipe()),
                    1 => self.takes_back(),
                    _ => self.answers(u.int_in_range(1..=3)?),
                }
            }
        }
        Ok(())
    }

    /// What is there is a message, for what lets one in, and no more than there is room for.
    fn check(&self) {
        let now = self.relay.now().elapsed;
        for id in (1..100).map(MessageId) {
            self.relay
                .queue()
                .with(id, now, |message| match Files::decode(message.content) {
                    Ok(files) => assert!(files.text().len() <= MAX_TEXT_BYTES),
                    Err(_) => {
                        let text = str::from_utf8(message.content).expect("a text");
                        assert!((1..=MAX_TEXT_BYTES).contains(&text.len()));
                    }
                });
        }
        let occupancy = self.relay.queue().occupancy(now);
        assert!(
            occupancy.stored + occupancy.reserved <= occupancy.capacity,
            "{occupancy:?}"
        );
        let status = self.relay.page_status().expect("it has a page");
        assert!(status.taken <= self.free, "{status:?}");
    }

    /// After all that, whoever has an invitation is served.
    async fn still_takes_a_message(&mut self) {
        self.relay.wipe();
        self.opens().await;
        let form = self.form.as_ref().expect("there is room");
        let invitation = invitation(&self.relay, 2);
        let told = [("invitation", invitation.as_str())];
        let body = form.message_by_script(&told, "text");
        let body = String::from_utf8(body).expect("it is text");
        // Nobody wants an answer, so nothing has to be told for one.
        let body = body.replace("name=\"answer\"", "name=\"nonces\"");
        let whole = Whole {
            path: "/",
            media_type: FORM_TYPE,
            body: body.into_bytes(),
        };
        let piece = Piece::now(whole.bytes(&whole.body));
        let said = visit(self.site.clone(), &[piece], &Manner::default()).await;
        let answer = Answer::first(&said).expect("a whole request is answered");
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&said));
        assert_eq!(
            self.relay
                .queue()
                .occupancy(self.relay.now().elapsed)
                .stored,
            1
        );
    }
}

impl Line {
    fn new(u: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let config = RelayConfig {
            read_receipts: true,
            pricing: Pricing {
                base: Cost::FREE, // any nonce is a solution
                adaptive: false,
            },
            expected_seconds: 60,
            suites: SuitePolicy::Any,
        };
        let slots = u.int_in_range(1..=4)?;
        let free = u.int_in_range(0..=2)?;
        let queue = Queue::with_share(slots, SHARE_BYTES, None).expect("so much memory");
        let clock = Arc::new(ManualClock::new(START));
        let rng = &mut StdRng::seed_from_u64(0);
        let relay = Relay::new(config, queue, Arc::clone(&clock) as _, rng);
        let relay = Arc::new(relay.with_page(PageConfig { free }, rng));
        Ok(Self {
            site: Site::with_pages(router(Arc::clone(&relay)), PAGE_PATHS),
            invitation: invitation(&relay, 1),
            relay,
            clock,
            free,
            form: None,
            begun: None,
        })
    }

    /// Opens the page, and keeps its form if it has one.
    async fn opens(&mut self) {
        let asked = format!("GET / HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
        let piece = Piece::now(asked.into_bytes());
        let said = visit(self.site.clone(), &[piece], &Manner::default()).await;
        let answer = Answer::first(&said).expect("a page is there");
        assert_eq!(answer.status, 200);
        let page = str::from_utf8(answer.body).expect("a page is text");
        self.form = PageForm::of(page);
    }

    /// The owner answers a message, if that can be: each answer lets in one more of its conversation.
    fn answers(&self, id: u64) {
        let text = Text::new(Zeroizing::new("answer".to_owned())).expect("it is one");
        let (relay, now) = (&self.relay, self.relay.now());
        let key = relay.keys().public().id();
        let boxes = relay.boxes();
        _ = boxes.answer(MessageId(id), &text, &key, relay.queue(), now);
    }

    /// The owner takes back what nobody has fetched in the first conversation, and what that let in.
    fn takes_back(&self) {
        let (relay, now) = (&self.relay, self.relay.now());
        relay.boxes().withdraw(1, relay.queue(), now);
    }

    /// A whole request on a connection of its own; its answer is heard.
    async fn asks(&mut self, request: &Whole) {
        let piece = Piece::now(request.bytes(&request.body));
        let said = visit(self.site.clone(), &[piece], &Manner::default()).await;
        let answer = Answer::first(&said).expect("a whole request is answered");
        must_be_known(answer.status);
        if request.path == "/upload" && answer.status == 200 {
            self.begun = Some(Begun::read(answer.body));
        }
    }

    /// What a browser might send next, with script or without.
    fn request(&self, u: &mut Unstructured<'_>) -> arbitrary::Result<Whole> {
        let unknown = PageForm {
            id: "00".to_owned(),
            words: String::new(),
        };
        let form = self.form.as_ref().unwrap_or(&unknown);
        let which = u.choose_index(TEXTS.len())?;
        // Another one for each text: what has the salt of a message before it goes on with nothing.
        let (text, salt) = (TEXTS[which], format!("{which:032x}"));
        let hex = |byte: u8| format!("{byte:02x}").repeat(32);
        let told = [("box", hex(u.int_in_range(0..=2)?)), ("key", hex(1))];
        let told = [
            (told[0].0, told[0].1.as_str()),
            ("salt", salt.as_str()),
            (told[1].0, told[1].1.as_str()),
            ("invitation", self.invitation.as_str()),
        ];
        let file = *u.choose(&FILES)?;
        let (path, media_type, body) = match u.int_in_range(0..=9)? {
            0 => ("/", FORM_TYPE, form.message(text)),
            1 => ("/", FORM_TYPE, form.message_by_script(&told[..3], text)),
            2 => ("/", FORM_TYPE, form.message_by_script(&told, text)),
            3 => (
                "/",
                FORM_TYPE,
                form.message_with(text, "a %22", &vec![7; file]),
            ),
            4 => ("/words", FORM_TYPE, form.look()),
            5 => ("/words", FORM_TYPE, PageForm::look_by_script(&told[..1])),
            6 => {
                let upload = form.upload("a", file, "", "");
                let invited = format!("\"invitation\":\"{}\"", self.invitation);
                let paid = "\"challenge\":\"\",\"nonces\":\"\"";
                let answered = format!("\"box\":\"{}\"", told[0].1);
                let upload = match u.int_in_range(0..=2)? {
                    0 => upload.replace(paid, &invited),
                    1 => upload.replace(paid, &answered),
                    _ => upload,
                };
                ("/upload", JSON, upload.into_bytes())
            }
            7 => ("/piece", OCTETS, self.next_piece(u)?),
            8 => {
                let name = self.begun.as_ref().map_or("", |begun| &begun.name);
                ("/", FORM_TYPE, form.message_uploaded(name))
            }
            _ => ("/price", JSON, format!("{{\"bytes\":{file}}}").into_bytes()),
        };
        let body = match path == "/" && u.arbitrary()? {
            true => following(&body),
            false => body,
        };
        Ok(Whole {
            path,
            media_type,
            body,
        })
    }

    /// A piece of the upload that has begun: the first that is missing, any other, or that it is given up.
    fn next_piece(&self, u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
        let Some(begun) = &self.begun else {
            return Ok(vec![b'0'; 40]);
        };
        let index = match u.int_in_range(0..=3)? {
            0 => usize::from(u.arbitrary::<u8>()?),
            which => *begun.missing.get(which - 1).unwrap_or(&0),
        };
        let bytes = begun
            .bytes
            .saturating_sub(index * begun.piece)
            .min(begun.piece);
        let bytes = if index == 255 { 0 } else { bytes };
        let head = format!("{}{index:02x}", begun.name);
        Ok([head.as_bytes(), &vec![7; bytes]].concat())
    }

    fn piece(&self, u: &mut Unstructured<'_>) -> arbitrary::Result<Piece> {
        let request = self.request(u)?;
        let bytes = match u.int_in_range(0..=6)? {
            0 => {
                let length = usize::from(u.arbitrary::<u8>()?).min(u.len());
                u.bytes(length)?.to_vec()
            }
            1 => u.choose(&FRAGMENTS)?.as_bytes().to_vec(),
            2 => request.bytes(&request.body),
            3 | 4 => request.bytes(&changes(&request.body, u)?),
            5 => changes(&request.bytes(&request.body), u)?,
            _ => vec![u.arbitrary()?; usize::from(u.arbitrary::<u8>()?) * MAX_HEAD_BYTES / 128],
        };
        let pause = match u.ratio(1, 4)? {
            true => Duration::from_millis(500) * u.arbitrary::<u8>()?.into(),
            false => Duration::ZERO,
        };
        Ok(Piece { bytes, pause })
    }
}

impl Begun {
    /// Of the relay's own answer.
    fn read(body: &[u8]) -> Self {
        let json: serde_json::Value = serde_json::from_slice(body).expect("the relay's own");
        let number = |value: &serde_json::Value| {
            let number = value.as_u64().expect("a number");
            usize::try_from(number).expect("a small one")
        };
        let missing = json["missing"].as_array().expect("a list");
        Self {
            name: json["upload"].as_str().expect("a name").to_owned(),
            piece: number(&json["piece"]),
            missing: missing.iter().map(number).collect(),
            bytes: FILES[2],
        }
    }
}

impl Whole {
    /// What it looks like on the wire with this body.
    fn bytes(&self, body: &[u8]) -> Vec<u8> {
        let (path, media_type, length) = (self.path, self.media_type, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {HOST}\r\norigin: http://{HOST}\r\nsec-fetch-site: same-origin\r\n\
             accept-language: en\r\ncontent-type: {media_type}\r\n\
             content-length: {length}\r\n\r\n"
        );
        [head.as_bytes(), body].concat()
    }
}

/// The same form, which goes on with the conversation of its words.
fn following(body: &[u8]) -> Vec<u8> {
    // What decides whether files are read stands before them.
    let field = "--b\r\nContent-Disposition: form-data; name=\"follows\"\r\n\r\nyes\r\n";
    [field.as_bytes(), body].concat()
}

/// A link to a relay, behind which stands what lets in a few messages.
fn invitation(relay: &Relay, seed: u64) -> String {
    let (now, rng) = (relay.now(), &mut StdRng::seed_from_u64(seed));
    let hour = Duration::from_secs(60 * 60);
    let made = relay.invitations().make(USES, hour, now, rng);
    let token = made.expect("they are few").0.to_text();
    format!("kkv://{HOST}+{}", *token)
}

fn must_be_known(status: u16) {
    assert!(
        matches!(status, 200 | 100 | 400..=499 | 503 | 507),
        "{status}"
    );
}

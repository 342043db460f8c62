//! The page, as a browser without script sees it: over HTTP, with forms that are filled in as they come.

use std::time::Duration;

use kkv_base::clock::ManualClock;
use kkv_base::limits::SESSION_LIFETIME;
use kkv_pow::Cost;
use kkv_protocol::Via;
use kkv_protocol::files::Files;
use kkv_protocol::suite::SuitePolicy;
use kkv_protocol::text::Text;
use tokio::io::AsyncWriteExt;
use zeroize::Zeroizing;

use super::super::ask::tests::{HOST, START, Said, connect, read};
use super::*;
use crate::queue::{MessageId, Queue};
use crate::relay::{PageConfig, Pricing, RelayConfig};

mod again;
mod answered;
mod browser;
mod cut;
mod derived;
mod files;
mod kept;
mod paid;
mod responses;
mod typed;
mod uploads;
mod wiped;

use browser::Form;

const SLOTS: u32 = 3;
const ROOM: usize = 4 << 20;

/// Paths of which nothing is to be had but by what script sends.
const POSTED: [&str; 3] = ["/price", "/upload", "/piece"];

struct Inbox {
    relay: Arc<Relay>,
    clock: Arc<ManualClock>,
}

impl Inbox {
    /// With so many places that are given away, and a price that nobody pays.
    fn new(free: u32) -> Self {
        Self::priced(Cost::HIGHEST, free)
    }

    fn priced(base: Cost, free: u32) -> Self {
        let config = RelayConfig {
            read_receipts: true,
            pricing: Pricing {
                base,
                adaptive: true,
            },
            expected_seconds: 60,
            suites: SuitePolicy::Any,
        };
        let clock = Arc::new(ManualClock::new(START));
        let queue = Queue::with_share(SLOTS, ROOM, None).unwrap();
        let rng = &mut rand::rng();
        let relay = Relay::new(config, queue, Arc::clone(&clock) as _, rng);
        let relay = Arc::new(relay.with_page(PageConfig { free }, rng));
        Self { relay, clock }
    }

    fn invited(uses: u32) -> (Self, String) {
        let inbox = Self::new(0);
        let (now, week) = (inbox.relay.now(), Duration::from_secs(7 * 24 * 60 * 60));
        let made = inbox
            .relay
            .invitations()
            .make(uses, week, now, &mut rand::rng());
        let token = made.unwrap().0.to_text();
        (inbox, format!("kkv://{HOST}+{}", *token))
    }

    async fn get(&self, path: &str) -> Said {
        let mut stream = connect(&self.relay);
        let head = format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\naccept-language: en\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        read(&mut stream, None).await.unwrap()
    }

    async fn ask_price(&self, origin: &str, media_type: &str, body: &str) -> Said {
        let mut stream = connect(&self.relay);
        let length = body.len();
        let request = format!(
            "POST /price HTTP/1.1\r\nhost: {HOST}\r\norigin: {origin}\r\naccept-language: en\r\n\
             content-type: {media_type}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        read(&mut stream, None).await.unwrap()
    }

    async fn opened(&self, path: &str) -> Form {
        Form::of(&self.get(path).await)
    }

    async fn post(&self, form: &Form) -> Said {
        let mut stream = connect(&self.relay);
        let (head, body) = form.request();
        stream.write_all(head.as_bytes()).await.unwrap();
        _ = stream.write_all(&body).await;
        read(&mut stream, None).await.unwrap()
    }

    /// All that there is, oldest first, without a name for what is no text.
    fn texts(&self) -> Vec<String> {
        let now = self.clock.elapsed();
        let ids = (1..20).map(MessageId);
        ids.filter_map(|id| {
            self.relay.queue().with(id, now, |message| {
                assert_eq!(message.header.via, Via::Web);
                let paid = message.header.cost;
                assert!(paid == Cost::FREE || paid >= self.relay.config().pricing.base);
                match Files::decode(message.content) {
                    Ok(files) => files.text().to_owned(),
                    Err(_) => String::from_utf8(message.content.to_vec()).unwrap(),
                }
            })
        })
        .collect()
    }

    fn answer(&self, id: u64, text: &str) {
        let text = Text::new(Zeroizing::new(text.to_owned())).unwrap();
        let relay = &self.relay;
        let key = relay.keys().public().id();
        let sealed = relay
            .boxes()
            .answer(MessageId(id), &text, &key, relay.queue(), relay.now());
        sealed.unwrap();
    }
}

use kkv_base::clock::Clock as _;

fn text(said: &Said) -> &str {
    str::from_utf8(&said.body).unwrap()
}

#[tokio::test(start_paused = true)]
async fn without_a_page_there_is_none() {
    let inbox = Inbox::new(1);
    let bare = Inbox {
        relay: {
            let config = *inbox.relay.config();
            let queue = Queue::new(1, None).unwrap();
            let clock = Arc::clone(&inbox.clock) as _;
            Arc::new(Relay::new(config, queue, clock, &mut rand::rng()))
        },
        clock: Arc::clone(&inbox.clock),
    };
    for path in PAGE_PATHS {
        let status = if POSTED.contains(path) { 405 } else { 200 };
        assert_eq!(inbox.get(path).await.status, status, "{path}");
        assert_eq!(bare.get(path).await.status, 403, "{path}");
    }
    let own = format!("http://{HOST}");
    let asked = bare.ask_price(&own, "application/json", "{\"bytes\":0}");
    assert_eq!(asked.await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_message_is_written_answered_and_written_back_to() {
    let inbox = Inbox::new(2);
    let form = inbox
        .opened("/")
        .await
        .with("text", "Is the flat\r\nfree? <b>");
    let words = form.get("words").to_owned();
    let sent = inbox.post(&form).await;
    assert_eq!(sent.status, 200, "{}", text(&sent));
    assert!(text(&sent).contains(&words), "they are shown once more");
    assert_eq!(inbox.texts(), ["Is the flat\nfree? <b>"]);

    let look = inbox
        .opened("/words")
        .await
        .with("words", &words.to_uppercase());
    let none = inbox.post(&look).await;
    assert!(text(&none).contains("No new answer yet") && text(&none).contains("waits to be read"));
    inbox.answer(1, "Yes. Come at <six>.");
    for _ in 0..2 {
        let seen = inbox.post(&look).await;
        assert!(
            text(&seen).contains("Yes. Come at &#60;six&#62;."),
            "{}",
            text(&seen)
        );
    }
    let answers = inbox.post(&look).await;
    assert!(text(&answers).contains("was answered") && !text(&answers).contains("waits to"));
    let writes = Form::of(&answers);
    let deletes = writes.deleting(&answers);
    let back = inbox.post(&writes.with("text", "I will.")).await;
    assert_eq!(back.status, 200, "{}", text(&back));
    assert_eq!(inbox.texts(), ["Is the flat\nfree? <b>", "I will."]);
    let gone = inbox.post(&look).await;
    assert!(
        text(&gone).contains("No new answer yet"),
        "what was answered is seen"
    );
    assert_eq!(text(&gone).matches("<li>").count(), 2);

    inbox.answer(2, "Good.");
    assert!(text(&inbox.post(&look).await).contains("Good."));
    let stale = inbox.post(&deletes).await;
    assert!(
        text(&stale).contains("Good."),
        "it deletes what it showed, and no other"
    );
    let typed = "typed </textarea> below".repeat(100);
    let deletes = Form::of(&stale).deleting(&stale).with("text", &typed);
    let large = deletes.file("a", "", &vec![1; 900_000]);
    let deleted = inbox.post(&large).await;
    assert!(
        text(&deleted).contains("<h1>The answers are deleted</h1>")
            && !text(&deleted).contains("Good.")
    );
    assert!(text(&deleted).contains("Choose the files once more"));
    assert!(!text(&deleted).contains("Delete the answers"));
    let again = Form::of(&deleted);
    assert_eq!(again.get("text"), typed);
    assert_eq!(inbox.post(&again).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_invitation_lets_in_as_often_as_it_says() {
    let (inbox, invitation) = Inbox::invited(2);
    let page = inbox.get("/").await;
    assert!(
        text(&page).contains("you need an invitation"),
        "before anything is typed"
    );
    for number in 0..2 {
        let form = inbox.opened("/").await.with("text", &format!("{number}"));
        let form = form.with("invitation", &invitation);
        assert_eq!(inbox.post(&form).await.status, 200);
        assert_eq!(
            inbox.post(&form).await.status,
            200,
            "once more, when it is used up"
        );
    }
    let form = inbox.opened("/").await.with("text", "2");
    assert_eq!(
        inbox
            .post(&form.with("invitation", &invitation))
            .await
            .status,
        403
    );
    assert_eq!(inbox.texts(), ["0", "1"]);
}

#[tokio::test(start_paused = true)]
async fn places_that_are_given_away_come_back_with_the_messages_deletion() {
    let inbox = Inbox::new(1);
    let write = async |text: &str| {
        inbox
            .post(&inbox.opened("/").await.with("text", text))
            .await
    };
    assert!(text(&inbox.get("/").await).contains("There is nothing to pay"));
    assert_eq!(write("one").await.status, 200);
    assert!(text(&inbox.get("/").await).contains("you need an invitation"));
    let status = inbox.relay.page_status().unwrap();
    assert_eq!((status.free, status.taken), (1, 1));
    assert_eq!(write("two").await.status, 403);
    // The owner's wipe ends with this, when the queue has been emptied: what came between keeps its place.
    inbox.relay.page().unwrap().wipe();
    assert_eq!(write("two").await.status, 403);
    inbox
        .relay
        .queue()
        .delete(MessageId(1), inbox.clock.elapsed());
    assert_eq!(write("three").await.status, 200);
    assert_eq!(inbox.texts(), ["three"]);
}

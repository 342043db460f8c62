//! The page, as a browser without script sees it: over HTTP, with forms that are filled in as they come.

use std::time::Duration;

use http_body_util::BodyExt;
use kkv_base::clock::ManualClock;
use kkv_base::limits::{FORM_LIFETIME, MAX_BODY_BYTES, MAX_LARGE_BODIES, SESSION_LIFETIME};
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

mod browser;
mod cut;
mod kept;
mod paid;
mod uploads;

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
    let [deletes, writes] = Form::all(&answers).try_into().unwrap();
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
    let [deletes, _] = Form::all(&stale).try_into().unwrap();
    let deleted = inbox.post(&deletes).await;
    assert!(
        text(&deleted).contains("The answers are deleted.") && !text(&deleted).contains("Good.")
    );
}

#[tokio::test(start_paused = true)]
async fn a_form_that_comes_twice_is_stored_once_and_answered_the_same() {
    let inbox = Inbox::new(3);
    let form = inbox.opened("/").await.with("text", "once");
    let first = inbox.post(&form).await;
    assert_eq!(inbox.post(&form).await, first);
    let (one, other) = tokio::join!(inbox.post(&form), inbox.post(&form));
    assert!(one == first && other == first);
    assert_eq!(inbox.texts(), ["once"]);

    // Gone back, and written something else.
    let changed = inbox.post(&form.clone().with("text", "twice")).await;
    assert_eq!(changed.status, 200);
    assert_eq!(inbox.texts(), ["once", "twice"]);

    inbox.relay.queue().delete_all(inbox.clock.elapsed());
    let changed = form.clone().with("text", "twice");
    assert_eq!(
        inbox.post(&changed).await,
        first,
        "a deletion shows in nothing"
    );
    inbox.clock.advance(SESSION_LIFETIME);
    let later = inbox.post(&form).await;
    assert!(
        text(&later).contains("If you have changed it since, that is not sent"),
        "{}",
        text(&later)
    );
    assert!(inbox.texts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_typed_comes_back_with_each_error() {
    let (inbox, invitation) = Inbox::invited(1);
    let hostile = "</textarea><script>1</script>\"";
    let long = "x".repeat(3501);
    let form = inbox.opened("/").await;
    let words = form.get("words").to_owned();
    let typed = |text: &str| {
        form.clone()
            .with("text", text)
            .with("invitation", &invitation)
    };
    for (form, status, said) in [
        (typed(" \r\n"), 422, "There is nothing in it"),
        (typed(&long), 422, "Your text is too long"),
        (
            typed(&format!("mine: {words}")),
            422,
            "are in what you were about to send",
        ),
        (
            typed(hostile).with("invitation", "x+nonsense"),
            403,
            "This invitation doesn't work",
        ),
        (
            typed(hostile).with("invitation", ""),
            403,
            "you need an invitation",
        ),
        (typed(hostile).with("form", "00"), 409, "send it once more"),
        (typed(hostile).with("seen", "00"), 400, "Send it once more"),
        (
            typed(hostile).with("follows", "yes"),
            409,
            "The conversation of these words is over",
        ),
    ] {
        let answer = inbox.post(&form).await;
        assert_eq!(answer.status, status, "{said}: {}", text(&answer));
        let shown = browser::unescaped(text(&answer));
        assert!(shown.contains(said), "{said}: {shown}");
        let again = Form::of(&answer);
        let text = form.get("text").replace("\r\n", "\n");
        assert_eq!(again.get("text"), text, "{said}");
        assert_eq!(again.get("invitation"), form.get("invitation"));
        assert_eq!(again.get("words"), words);
        assert_ne!(again.get("form"), form.get("form"));
    }
    assert!(inbox.texts().is_empty());
    inbox.clock.advance(FORM_LIFETIME);
    let late = inbox.post(&typed(hostile)).await;
    assert_eq!(late.status, 409);
    let sent = inbox.post(&Form::of(&late)).await;
    assert_eq!(
        sent.status,
        200,
        "the page of an error sends what it shows: {}",
        text(&sent)
    );
    assert_eq!(inbox.texts(), [hostile]);
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
    inbox
        .relay
        .queue()
        .delete(MessageId(1), inbox.clock.elapsed());
    assert_eq!(write("three").await.status, 200);
    assert_eq!(inbox.texts(), ["three"]);
}

#[tokio::test(start_paused = true)]
async fn a_full_inbox_says_so_before_anything_is_typed_and_gives_back_what_was() {
    let inbox = Inbox::new(10);
    let late = inbox.opened("/").await.with("text", "too late");
    for number in 0..SLOTS {
        let form = inbox.opened("/").await.with("text", &format!("{number}"));
        assert_eq!(inbox.post(&form).await.status, 200);
    }
    let page = inbox.get("/").await;
    assert!(text(&page).contains("This inbox is full") && !text(&page).contains("<form"));
    let answer = inbox.post(&late).await;
    assert_eq!(answer.status, 503);
    assert_eq!(Form::of(&answer).get("text"), "too late");
    assert!(
        text(&answer).contains("This inbox is full") && !text(&answer).contains("a place is free"),
        "{}",
        text(&answer)
    );
}

#[tokio::test(start_paused = true)]
async fn files_arrive_with_and_without_a_text() {
    let inbox = Inbox::new(3);
    let form = inbox.opened("/").await.with("text", "see");
    let photo: Vec<u8> = (0..900_000_u32).map(|i| (i % 251) as u8).collect();
    let named = "../a \"b\"\r\n\u{202e}.jpg";
    let form = form
        .file(named, "image/jpeg", &photo)
        .file("c", "text/plain", b"c");
    let answer = inbox.post(&form).await;
    assert_eq!(answer.status, 200, "{}", text(&answer));
    assert_eq!(inbox.post(&form).await, answer);
    let alone = inbox.opened("/").await.file("d", "", &[0; 100]);
    assert_eq!(inbox.post(&alone).await.status, 200);
    let now = inbox.clock.elapsed();
    let first = inbox.relay.queue().with(MessageId(1), now, |message| {
        let files = Files::decode(message.content).unwrap();
        let [a, c] = files.files() else { panic!("two") };
        assert_eq!(
            (a.name(), a.media_type(), c.name()),
            (named, "image/jpeg", "c")
        );
        assert!(a.bytes() == photo && c.bytes() == b"c");
        files.text().to_owned()
    });
    assert_eq!(first.as_deref(), Some("see"));
    assert_eq!(inbox.texts(), ["see", ""]);

    let too_large = inbox
        .opened("/")
        .await
        .with("text", "kept")
        .file("e", "", &vec![0; 3 << 20]);
    let answer = inbox.post(&too_large).await;
    assert_eq!(answer.status, 422);
    assert!(
        text(&answer).contains("larger than 1 MiB"),
        "{}",
        text(&answer)
    );
    assert_eq!(Form::of(&answer).get("text"), "kept");
}

#[tokio::test(start_paused = true)]
async fn a_large_body_is_read_only_if_its_message_would_be_let_in() {
    let (inbox, invitation) = Inbox::invited(1);
    let large = vec![1; 2 * MAX_BODY_BYTES];
    let uninvited = inbox
        .opened("/")
        .await
        .with("text", "kept")
        .file("a", "", &large);
    let answer = inbox.post(&uninvited).await;
    assert_eq!(answer.status, 403);
    let again = Form::of(&answer);
    assert_eq!(again.get("text"), "kept");
    assert!(text(&answer).contains("Choose the files once more"));
    let invited = uninvited.with("invitation", &invitation);
    assert_eq!(inbox.post(&invited).await.status, 200);
}

/// The page bounds what is typed there so that all of it comes back, whatever else is wrong.
#[tokio::test(start_paused = true)]
async fn the_longest_text_that_can_be_typed_comes_back_where_its_files_are_not_even_read() {
    let (inbox, invitation) = Inbox::invited(1);
    let page = inbox.get("/").await;
    let area = text(&page).split("<textarea ").nth(1).unwrap();
    let most = browser::attribute(area, "maxlength").unwrap();
    // Of the characters that count as one in a browser none has more bytes.
    let typed = "\u{20ac}".repeat(most.parse().unwrap());
    let form = Form::of(&page).with("text", &typed);
    for (invitation, file_bytes, status) in [
        ("", 0, 422),
        ("", 100_000, 403),
        ("x+nonsense", 100_000, 403),
        (&invitation, 0, 422),
        (&invitation, 100_000, 422),
        (&invitation, 3 << 20, 422),
    ] {
        let mut form = form.clone().with("invitation", invitation);
        if file_bytes > 0 {
            form = form.file("a", "", &vec![1; file_bytes]);
        }
        let answer = inbox.post(&form).await;
        assert_eq!(answer.status, status, "{invitation} {file_bytes}");
        let again = Form::of(&answer);
        assert!(again.get("text") == typed, "{invitation} {file_bytes}");
        assert_eq!(again.get("invitation"), invitation);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_form_is_told_so() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "x");
    for path in ["/", "/words"] {
        for (media_type, body) in [
            ("text/plain", "x"),
            ("application/x-www-form-urlencoded", "text=x"),
            ("multipart/form-data; boundary=a", ""),
            ("multipart/form-data; boundary=a", "--a--"),
            (
                "multipart/form-data; boundary=a",
                "--a\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--a--",
            ),
        ] {
            let mut stream = connect(&inbox.relay);
            let length = body.len();
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let said = read(&mut stream, None).await.unwrap();
            assert!(
                (400..500).contains(&said.status),
                "{path} {media_type} {body}: {}",
                text(&said)
            );
        }
    }
    let words = inbox
        .opened("/words")
        .await
        .with("words", "these are no words");
    let said = inbox.post(&words).await;
    assert_eq!(said.status, 422);
    assert_eq!(Form::of(&said).get("words"), "these are no words");
    let none = inbox.post(&words.with("words", form.get("words"))).await;
    assert!(text(&none).contains("There is nothing for these words here"));
    assert!(inbox.texts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_response_is_for_this_page_alone_and_kept_nowhere() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "x");
    let mut all = vec![
        inbox.post(&form).await,
        inbox.post(&form.with("form", "")).await,
    ];
    for path in PAGE_PATHS.iter().filter(|path| !POSTED.contains(path)) {
        all.push(inbox.get(path).await);
    }
    for (media_type, body) in [
        ("application/json", "{\"bytes\":0}"),
        ("application/json", "{}"),
        ("text/plain", ""),
    ] {
        let own = format!("http://{HOST}");
        all.push(inbox.ask_price(&own, media_type, body).await);
    }
    for said in all {
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            "cache-control: no-store",
            "referrer-policy: same-origin",
            "x-content-type-options: nosniff",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(said.head.contains(header), "{header}: {}", said.head);
        }
        for header in ["etag", "set-cookie", "date:", "server:", "last-modified"] {
            assert!(!said.head.contains(header), "{header}: {}", said.head);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_read_of_a_form_goes_with_its_connection() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "x");
    let look = inbox.opened("/words").await;
    for (form, status) in [
        (form.clone(), 200),
        (form.clone().with("form", ""), 409),
        (form.clone().with("text", " "), 422),
        (look.clone().with("words", form.get("words")), 200),
        (look.with("words", "none"), 422),
    ] {
        let said = inbox.post(&form).await;
        assert_eq!(said.status, status);
        assert!(said.head.contains("connection: close"), "{}", said.head);
    }
    for path in ["/", "/words", "/page.css"] {
        let said = inbox.get(path).await;
        assert!(!said.head.contains("connection:"), "{}", said.head);
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_takes_no_more_memory_than_what_was_sent() {
    let inbox = Inbox::new(1);
    let (typed, most) = (15_000, 8 * 1024);
    let form = inbox.opened("/").await.with("text", &"<".repeat(typed));
    let (head, body) = form.request();
    let mut lines = head.lines();
    let media_type = lines.find_map(|line| line.strip_prefix("content-type: "));
    let request = Request::post("/").header(CONTENT_TYPE, media_type.unwrap());
    let request = request.body(Body::from(body)).unwrap();
    let (relay, progress) = (Arc::clone(&inbox.relay), Progress::default());
    let response = written(State(relay), Extension(progress), request).await;
    assert_eq!(response.status(), 422);
    let mut body = response.into_body();
    let mut whole = 0;
    while let Some(frame) = body.frame().await {
        let piece = frame.unwrap().into_data().unwrap();
        assert!(piece.len() <= most, "{}", piece.len());
        whole += piece.len();
    }
    assert!(whole > 5 * typed, "all of it comes back");
}

#[tokio::test(start_paused = true)]
async fn a_form_that_came_long_ago_lets_no_large_body_in() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "x");
    let form = form.file("a", "", &[7; 100_000]);
    assert_eq!(inbox.post(&form).await.status, 200);
    let places = Arc::clone(&inbox.relay.page().unwrap().bodies);
    let all = u32::try_from(MAX_LARGE_BODIES).unwrap();
    let _taken = places.acquire_many_owned(all).await.unwrap();
    let too_soon = inbox.post(&form).await;
    assert_eq!(too_soon.status, 503, "it waits to be compared");
    inbox.clock.advance(SESSION_LIFETIME);
    let later = inbox.post(&form).await;
    assert_eq!(later.status, 200, "{}", text(&later));
    assert!(text(&later).contains("It had come before"));
}

#[tokio::test(start_paused = true)]
async fn a_wipe_shows_to_nobody_who_sends_a_form_again() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "x");
    let first = inbox.post(&form).await;
    inbox.relay.wipe();
    assert!(inbox.texts().is_empty());
    assert_eq!(inbox.post(&form).await, first);
    assert!(inbox.texts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_an_answer_only_after_all_is_not_told_of_words_that_open_none() {
    let inbox = Inbox::new(2);
    let form = inbox.opened("/").await.with("text", "x");
    let without = inbox.post(&form.without("answer")).await;
    assert_eq!(without.status, 200);
    assert!(!text(&without).contains(form.get("words")));
    let with = inbox.post(&form).await;
    assert!(text(&with).contains(form.get("words")));
    let look = inbox.opened("/words").await;
    let look = inbox.post(&look.with("words", form.get("words"))).await;
    assert!(text(&look).contains("No new answer yet"), "{}", text(&look));
}

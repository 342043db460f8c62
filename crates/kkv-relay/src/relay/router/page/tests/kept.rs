//! Words that stay where script runs: what it sends in their place, and what it gets (PROTOCOL.md §18).

use data_encoding::HEXLOWER;
use kkv_protocol::ids::RelayId;
use kkv_protocol::reply_words::ReplyWords;
use kkv_protocol::v2::answers::keys::{AnswerRoot, BoxSecret, Salt};
use kkv_protocol::v2::answers::sealed::SealedAnswer;

use super::*;

/// What script does with words that nobody else has.
pub(super) struct Kept(pub(super) ReplyWords);

impl Kept {
    pub(super) fn new() -> Self {
        Self(ReplyWords::generate(&mut rand::rng()))
    }

    /// A form as script sends it.
    pub(super) fn written(&self, form: &Form) -> Form {
        let salt: [u8; 16] = rand::random();
        let root = derived("answer root", self.0.entropy());
        let key = derived("answer key", &[&root[..], &salt].concat());
        form.without("words")
            .with("key", &HEXLOWER.encode(&key))
            .with("salt", &HEXLOWER.encode(&salt))
            .with("box", &self.secret())
    }

    /// The form that asks for answers, which says that these were seen.
    pub(super) fn look(&self, form: &Form, seen: &[String]) -> Form {
        let form = form.without("words").with("box", &self.secret());
        seen.iter().fold(form, |form, seen| form.and("seen", seen))
    }

    fn secret(&self) -> String {
        HEXLOWER.encode(&derived("box secret", self.0.entropy()))
    }

    /// The answers of a page, with the acknowledgement of each.
    pub(super) fn opened(&self, said: &Said) -> Vec<(String, String)> {
        let page = text(said);
        assert!(
            !page.contains("name=\"seen\"") && !page.contains("name=\"words\""),
            "{page}"
        );
        let attribute = |rest: &str, name: &str| {
            let (_, value) = rest.split_once(&format!("{name}=\"")).unwrap();
            HEXLOWER
                .decode(value.split('"').next().unwrap().as_bytes())
                .unwrap()
        };
        let articles = page.split("<article ").skip(1);
        articles
            .map(|article| {
                let relay = RelayId(attribute(article, "data-relay").try_into().unwrap());
                let place = attribute(article, "data-answer");
                let (salt, rest) = place.split_first_chunk().unwrap();
                let (index, sealed) = rest.split_first_chunk().unwrap();
                let sealed = SealedAnswer {
                    salt: Salt(*salt),
                    index: u16::from_le_bytes(*index),
                    sealed: Box::new(sealed.try_into().unwrap()),
                };
                let entropy = self.0.entropy();
                let (secret, root) = (BoxSecret::derive(entropy), AnswerRoot::derive(entropy));
                let opened = sealed.open(&relay, &secret, &root).unwrap();
                let acknowledgement = HEXLOWER.encode(opened.acknowledgement.as_bytes());
                (opened.text.to_string(), acknowledgement)
            })
            .collect()
    }
}

fn derived(name: &str, of: &[u8]) -> [u8; 32] {
    blake3::derive_key(&format!("kkv/2 2026-11-27 {name}"), of)
}

#[tokio::test(start_paused = true)]
async fn a_conversation_is_had_without_the_words() {
    let inbox = Inbox::new(3);
    let kept = Kept::new();
    let form = inbox.opened("/").await.with("text", "first");
    let form = kept.written(&form);
    let sent = inbox.post(&form).await;
    assert_eq!(sent.status, 200, "{}", text(&sent));
    assert!(
        text(&sent).contains("role=\"group\"></p>"),
        "a place for the words"
    );
    assert_eq!(inbox.post(&form).await, sent, "stored once");
    let other_salt = kept.written(&form);
    assert_eq!(inbox.post(&other_salt).await, sent, "whatever its salt is");
    assert_eq!(inbox.texts(), ["first"]);

    let opened = inbox.opened("/words").await;
    let look = kept.look(&opened, &[]);
    assert!(kept.opened(&inbox.post(&look).await).is_empty());
    inbox.answer(1, "<b>One</b>");
    inbox.answer(1, "Two");
    let answers = inbox.post(&look).await;
    assert!(!text(&answers).contains("One"));
    let shown = kept.opened(&answers);
    let texts: Vec<&str> = shown.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(texts, ["<b>One</b>", "Two"]);
    // Whoever types them where no script runs reads the same.
    let typed = inbox
        .post(&opened.clone().with("words", &kept.0.line()))
        .await;
    assert!(text(&typed).contains("&#60;b&#62;One&#60;/b&#62;") && text(&typed).contains("Two"));

    let seen = [shown[0].1.clone()];
    let left = inbox.post(&kept.look(&opened, &seen)).await;
    assert!(text(&left).contains("The answers are deleted"));
    assert_eq!(kept.opened(&left), shown[1..]);
    let writes = Form::of(&left);
    let back = kept
        .written(&writes.with("text", "second"))
        .and("seen", &shown[1].1);
    assert_eq!(inbox.post(&back).await.status, 200);
    assert_eq!(inbox.texts(), ["first", "second"]);
    let none = inbox.post(&look).await;
    assert!(kept.opened(&none).is_empty());
    assert_eq!(text(&none).matches("<li>").count(), 2, "one conversation");
    inbox.answer(1, "Three");
    assert_eq!(kept.opened(&inbox.post(&look).await)[0].0, "Three");
}

#[tokio::test(start_paused = true)]
async fn what_was_typed_comes_back_without_words() {
    let inbox = Inbox::new(3);
    let kept = Kept::new();
    let fresh = async |text: &str| kept.written(&inbox.opened("/").await.with("text", text));
    let long = "x".repeat(3501);
    let zeros = "0".repeat(64);
    for (form, status) in [
        (fresh("").await, 422),
        (fresh(&long).await, 422),
        (fresh("kept").await.with("box", &zeros[1..]), 400),
        (fresh("kept").await.with("box", "x"), 400),
        (fresh("kept").await.with("salt", &zeros), 400),
        (fresh("kept").await.without("salt"), 400),
        (fresh("kept").await.with("key", &"F".repeat(64)), 400),
        (fresh("kept").await.without("key"), 400),
        (fresh("kept").await.with("words", &kept.0.line()), 400),
        (fresh("kept").await.with("seen", "00"), 400),
        (fresh("kept").await.with("form", "00"), 409),
        (fresh("kept").await.with("follows", "yes"), 409),
    ] {
        let said = inbox.post(&form).await;
        assert_eq!(said.status, status, "{}", text(&said));
        let again = Form::of(&said);
        assert_eq!(again.get("text"), form.get("text"));
        assert!(again.get("box").is_empty() && again.get("follows").is_empty());
        if form.get("words").is_empty() {
            assert!(again.get("words").is_empty());
            assert!(text(&said).contains("role=\"group\"></p>"));
        }
    }
    assert!(inbox.texts().is_empty());
    let said = inbox
        .post(&fresh("kept").await.with("follows", "yes"))
        .await;
    let again = kept.written(&Form::of(&said));
    assert_eq!(inbox.post(&again).await.status, 200, "as a first message");
    assert_eq!(inbox.texts(), ["kept"]);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_box_learns_nothing_and_deletes_nothing() {
    let inbox = Inbox::new(1);
    let kept = Kept::new();
    let form = kept.written(&inbox.opened("/").await.with("text", "first"));
    assert_eq!(inbox.post(&form).await.status, 200);
    inbox.answer(1, "Yes.");
    let opened = inbox.opened("/words").await;
    let look = kept.look(&opened, &[]);
    let shown = kept.opened(&inbox.post(&look).await);
    let other = Kept::new().look(&opened, &[shown[0].1.clone()]);
    let none = inbox.post(&other).await;
    assert!(text(&none).contains("There is nothing for these words here"));
    let guessed = kept.look(&opened, &["00".repeat(32)]);
    assert_eq!(kept.opened(&inbox.post(&guessed).await), shown);
    for form in [
        look.clone().with("box", "00"),
        look.clone().with("words", &kept.0.line()),
        look.clone().and("seen", "00"),
    ] {
        assert_eq!(inbox.post(&form).await.status, 400);
    }
    assert_eq!(kept.opened(&inbox.post(&look).await), shown);
}

#[tokio::test(start_paused = true)]
async fn files_go_deflated_to_who_takes_that_and_pages_to_nobody() {
    let inbox = Inbox::new(1);
    for path in PAGE_PATHS.iter().filter(|path| !POSTED.contains(path)) {
        let plain = inbox.get(path).await;
        assert!(!plain.head.contains("content-encoding"), "{path}");
        for (accepted, is_deflated) in [
            ("gzip, deflate", true),
            ("Deflate", true),
            ("gzip, br", false),
            ("deflate;q=0", false),
        ] {
            let mut stream = connect(&inbox.relay);
            let head = format!(
                "GET {path} HTTP/1.1\r\nhost: {HOST}\r\naccept-encoding: {accepted}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let said = read(&mut stream, None).await.unwrap();
            let file = FILES.iter().find(|file| file.path == *path);
            let is_deflated = is_deflated && file.is_some();
            let says = said.head.contains("content-encoding: deflate");
            assert_eq!(says, is_deflated, "{path}: {accepted}");
            match file {
                Some(file) if is_deflated => assert!(said.body == file.deflated),
                Some(file) => assert!(said.body == file.bytes),
                None => assert!(text(&said).contains("<!doctype html>")),
            }
        }
    }
    assert!(FILES.iter().all(|file| PAGE_PATHS.contains(&file.path)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_open_hides_no_other_and_is_not_deleted() {
    const STAYS: &str = "Your words don't open it";
    let inbox = Inbox::new(2);
    let form = inbox.opened("/").await.with("text", "hello");
    let kept = Kept::new();
    let another_key = kept.written(&form).with("key", &"11".repeat(32));
    assert_eq!(inbox.post(&another_key).await.status, 200);
    inbox.answer(1, "Sealed for somebody else.");
    let words = kept.0.line();
    let look = inbox.opened("/words").await.with("words", &words);
    let said = inbox.post(&look).await;
    assert_eq!(said.status, 200);
    let shown = browser::unescaped(text(&said));
    assert!(shown.contains(STAYS), "{shown}");
    assert!(!shown.contains("Delete the answers"), "{shown}");
    let writes = Form::of(&said);
    let back = inbox.post(&writes.with("text", "Once more, please.")).await;
    assert_eq!(back.status, 200);

    inbox.answer(2, "It opens.");
    let said = inbox.post(&look).await;
    let shown = browser::unescaped(text(&said));
    assert!(
        shown.contains(STAYS) && shown.contains("It opens."),
        "{shown}"
    );
    let deletes = Form::of(&said).deleting(&said);
    let shown = browser::unescaped(text(&inbox.post(&deletes).await));
    assert!(
        shown.contains("<p role=\"status\">The answers are deleted.</p>"),
        "{shown}"
    );
    assert!(
        shown.contains(STAYS) && !shown.contains("It opens."),
        "{shown}"
    );
}

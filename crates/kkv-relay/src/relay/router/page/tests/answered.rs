//! Who was answered writes back without an invitation, once for each answer; and a conversation that is over is said to
//! be, whatever lets in its message.

use serde_json::json;

use super::kept::Kept;
use super::*;

const ASKED: &str = "Which department?";

/// An inbox that lets in by invitation alone, with one message in it and that one's words.
async fn with_a_message() -> (Inbox, String) {
    let (inbox, invitation) = Inbox::invited(1);
    let form = inbox.opened("/").await.with("text", "hello");
    let words = form.get("words").to_owned();
    let sent = inbox.post(&form.with("invitation", &invitation)).await;
    assert_eq!(sent.status, 200, "{}", text(&sent));
    (inbox, words)
}

impl Inbox {
    /// The form to write back, which stands last on the page of an answer.
    async fn write_back(&self, words: &str) -> Form {
        let said = self.looked(words).await;
        Form::all(&said).pop().unwrap()
    }

    async fn looked(&self, words: &str) -> Said {
        let look = self.opened("/words").await.with("words", words);
        self.post(&look).await
    }
}

fn must_need_an_invitation(said: &Said) {
    assert!(
        text(said).contains("name=\"invitation\"") && text(said).contains("need an invitation"),
        "{}",
        text(said)
    );
}

#[tokio::test(start_paused = true)]
async fn each_answer_lets_in_one_message_of_its_conversation() {
    let (inbox, words) = with_a_message().await;
    must_need_an_invitation(&inbox.looked(&words).await);
    for number in 0..2 {
        inbox.answer(1, ASKED);
        let page = inbox.looked(&words).await;
        assert!(
            text(&page).contains("You have been answered")
                && !text(&page).contains("name=\"invitation\""),
            "{}",
            text(&page)
        );
        let back = inbox.write_back(&words).await;
        // What is refused for something else has not been let in.
        let empty = inbox.post(&back.clone().with("text", " ")).await;
        assert_eq!(empty.status, 422);
        assert!(text(&empty).contains("You have been answered"));
        let back = back.with("text", &format!("back {number}"));
        assert_eq!(inbox.post(&back).await.status, 200);
        assert_eq!(inbox.post(&back).await.status, 200, "the same once more");
        must_need_an_invitation(&inbox.looked(&words).await);
        let more = inbox
            .post(&inbox.write_back(&words).await.with("text", "more"))
            .await;
        assert_eq!(more.status, 403);
        must_need_an_invitation(&more);
        let others = inbox.post(&inbox.opened("/").await.with("text", "x")).await;
        assert_eq!(others.status, 403, "nobody else is let in by it");
        assert_eq!(inbox.texts(), ["hello", &format!("back {number}")]);
        let now = inbox.clock.elapsed();
        assert!(inbox.relay.queue().delete(MessageId(number + 2), now));
    }
    // Two that wait let in two, and one that is taken back none.
    inbox.answer(1, ASKED);
    inbox.answer(1, ASKED);
    let (boxes, queue) = (inbox.relay.boxes(), inbox.relay.queue());
    assert_eq!(boxes.withdraw(1, queue, inbox.relay.now()), Some(2));
    must_need_an_invitation(&inbox.looked(&words).await);
}

#[tokio::test(start_paused = true)]
async fn an_answer_lets_in_files_in_a_form_and_before_it() {
    let (inbox, words) = with_a_message().await;
    inbox.answer(1, ASKED);
    let back = inbox.write_back(&words).await.with("text", "see");
    let large = back.file("a", "", &vec![1; 300_000]);
    assert_eq!(inbox.post(&large).await.status, 200);

    let inbox = Inbox::invited(1);
    let (inbox, invitation) = inbox;
    let kept = Kept::new();
    let form = inbox.opened("/").await.with("invitation", &invitation);
    let first = kept.written(&form.with("text", "hello"));
    assert_eq!(inbox.post(&first).await.status, 200);
    inbox.answer(1, ASKED);
    let answers = inbox
        .post(&kept.look(&inbox.opened("/words").await, &[]))
        .await;
    let back = Form::all(&answers).pop().unwrap().with("text", "see");
    let upload = |form: &Form, secret: &str| {
        let files = [json!({ "name": "a", "type": "", "size": 1 })];
        let asked = json!({
            "form": form.get("form"), "key": "1", "text": 3, "files": files, "box": secret,
        });
        asked.to_string()
    };
    let begin = async |asked: &str| {
        inbox
            .send("/upload", "application/json", asked.as_bytes())
            .await
    };
    let secret = kept.written(&back).get("box").to_owned();
    assert_eq!(begin(&upload(&back, "00")).await.status, 400);
    assert_eq!(begin(&upload(&back, "")).await.status, 403);
    let begun = begin(&upload(&back, &secret)).await;
    assert_eq!(begun.status, 200, "{}", text(&begun));
    // It is held from then on.
    let other = inbox
        .post(&kept.look(&inbox.opened("/words").await, &[]))
        .await;
    must_need_an_invitation(&other);
    let begun: serde_json::Value = serde_json::from_slice(&begun.body).unwrap();
    let name = begun["upload"].as_str().unwrap();
    let piece = [name.as_bytes(), b"00x"].concat();
    let sent = inbox.send("/piece", "application/octet-stream", &piece);
    assert_eq!(sent.await.status, 200);
    let back = kept.written(&back).with("upload", name);
    let said = inbox.post(&back).await;
    assert_eq!(said.status, 200, "{}", text(&said));
    assert_eq!(inbox.texts(), ["hello", "see"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_typed_below_answers_outlives_their_conversation() {
    let (inbox, words) = with_a_message().await;
    inbox.answer(1, ASKED);
    let said = inbox.looked(&words).await;
    let deletes = Form::of(&said).deleting(&said).with("text", "typed");
    inbox.relay.wipe();
    let said = inbox.post(&deletes).await;
    assert_eq!(said.status, 409);
    assert!(text(&said).contains("conversation of these words is over"));
    let again = Form::of(&said);
    assert_eq!((again.get("text"), again.get("follows")), ("typed", ""));
    let looked = inbox.looked(&words).await;
    assert!(text(&looked).contains("There is nothing for these words here"));
}

#[tokio::test(start_paused = true)]
async fn that_a_conversation_is_over_is_said_before_anything_of_invitations() {
    for size in [0, 300_000] {
        let (inbox, words) = with_a_message().await;
        inbox.answer(1, ASKED);
        let back = inbox.write_back(&words).await.with("text", "too late");
        inbox.relay.wipe();
        for invitation in ["", "of-an-inbox-that-was-wiped"] {
            let mut back = back.clone().with("invitation", invitation);
            if size > 0 {
                back = back.file("a", "", &vec![1; size]);
            }
            let said = inbox.post(&back).await;
            assert_eq!(said.status, 409, "{}", text(&said));
            assert!(text(&said).contains("conversation of these words is over"));
            assert!(!text(&said).contains("This invitation doesn"));
            let again = Form::of(&said);
            assert_eq!(again.get("text"), "too late");
            assert!(again.get("follows").is_empty());
        }
    }
}

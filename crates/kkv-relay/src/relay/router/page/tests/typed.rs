//! What was typed, which comes back with every error.

use http_body_util::BodyExt;
use kkv_base::limits::FORM_LIFETIME;
use kkv_protocol::v2::purpose::LargeSize;

use super::*;

/// Of another conversation.
const OTHERS: &str = "abandon amount liar amount expire adjust cage candy arch gather drum buyer";

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
            typed(&format!("Look for\n{OTHERS}, please.")),
            422,
            "There are twelve reply words in your message",
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
async fn a_full_inbox_says_so_before_anything_is_typed_and_gives_back_what_was() {
    let inbox = Inbox::new(10);
    let late = inbox.opened("/").await.with("text", "too late");
    for number in 0..SLOTS {
        let form = inbox.opened("/").await.with("text", &format!("{number}"));
        assert_eq!(inbox.post(&form).await.status, 200);
    }
    let (queue, now) = (inbox.relay.queue(), inbox.clock.elapsed());
    let room = || queue.reserve_large(LargeSize::Mib1, now).ok();
    let _all: Vec<_> = std::iter::from_fn(room).collect();
    let page = inbox.get("/").await;
    assert!(text(&page).contains("This inbox is full") && !text(&page).contains("<form"));
    let answer = inbox.post(&late).await;
    assert_eq!(answer.status, 503);
    assert_eq!(Form::of(&answer).get("text"), "too late");
    assert!(text(&answer).contains("Leave it open and press Send again"));
    assert!(
        text(&answer).contains("This inbox is full") && !text(&answer).contains("a place is free"),
        "{}",
        text(&answer)
    );
}

#[tokio::test(start_paused = true)]
async fn files_are_taken_where_only_a_text_alone_has_no_place_and_the_page_says_so() {
    const SAYS: &str = "no place for a text alone";
    let inbox = Inbox::new(10);
    assert!(!text(&inbox.get("/").await).contains(SAYS));
    for number in 0..SLOTS {
        let form = inbox.opened("/").await.with("text", &format!("{number}"));
        assert_eq!(inbox.post(&form).await.status, 200);
    }
    let page = inbox.get("/").await;
    assert!(text(&page).contains(SAYS), "{}", text(&page));
    assert!(!text(&page).contains("inbox is full"), "{}", text(&page));
    let alone = inbox.post(&Form::of(&page).with("text", "alone")).await;
    assert_eq!(alone.status, 503);
    assert!(text(&alone).contains(SAYS), "{}", text(&alone));
    let form = Form::of(&alone);
    assert_eq!(form.get("text"), "alone");
    assert_eq!(inbox.post(&form.file("a", "", b"a")).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_typed_words_is_said_as_script_says_it() {
    let inbox = Inbox::new(1);
    let look = inbox.opened("/words").await;
    let right = OTHERS;
    for (typed, why) in [
        (right.replace("liar", "l<i>ar"), "“l” is not a word"),
        (right.replace(" buyer", ""), "these are 11"),
        (
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about".to_owned(),
            "twelve words of another kind",
        ),
        (
            right.replace("adjust cage", "cage adjust"),
            "two that have changed places",
        ),
    ] {
        let said = inbox.post(&look.clone().with("words", &typed)).await;
        assert_eq!(said.status, 422);
        assert!(text(&said).contains(why), "{}", text(&said));
        assert_eq!(Form::of(&said).get("words"), typed);
    }
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

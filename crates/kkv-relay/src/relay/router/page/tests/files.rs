//! Files in a form, and bodies that are large by them.

use kkv_base::limits::MAX_BODY_BYTES;

use super::*;

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
    let shown = browser::unescaped(text(&answer));
    for came in [
        "<li>Text: 3 bytes</li>",
        "b\"\r\n\u{202e}.jpg</bdi>: 900,000 bytes</li>",
        "<li><bdi>c</bdi>: 1 byte</li>",
    ] {
        assert!(shown.contains(came), "{came}: {shown}");
    }
    assert_eq!(inbox.post(&form).await, answer);
    // A type that no message can have is left out.
    let long = "x".repeat(200);
    let alone = inbox.opened("/").await.file("d", &long, &[0; 100]);
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

    let empty = inbox
        .opened("/")
        .await
        .with("text", "kept")
        .file("e", "", b"");
    let answer = inbox.post(&empty).await;
    assert_eq!(answer.status, 422);
    assert!(text(&answer).contains("is empty"), "{}", text(&answer));
    assert_eq!(Form::of(&answer).get("text"), "kept");

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

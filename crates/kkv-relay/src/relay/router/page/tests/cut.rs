//! The line is cut at every byte: what a browser was told has arrived is there, and once.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_form_that_is_cut_at_any_byte_and_sent_again_is_stored_once() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "cut");
    let (head, body) = form.request();
    let all = [head.as_bytes(), &body].concat();
    // What the last field ends with is all that makes it whole: the line end behind it is not waited for.
    for bytes in 0..all.len() - 2 {
        let mut stream = connect(&inbox.relay);
        stream.write_all(&all[..bytes]).await.unwrap();
        stream.shutdown().await.unwrap();
        let said = read(&mut stream, None).await;
        assert!(said.is_none_or(|said| said.status != 200), "{bytes}");
        assert!(inbox.texts().is_empty(), "{bytes}");
    }
    // It came whole, and the answer was lost after so many bytes.
    let answer = inbox.post(&form).await;
    for _ in (0..answer.body.len()).step_by(101) {
        let mut stream = connect(&inbox.relay);
        stream.write_all(&all).await.unwrap();
        drop(stream);
        assert_eq!(inbox.post(&form).await, answer);
    }
    assert_eq!(inbox.texts(), ["cut"]);
}

#[tokio::test(start_paused = true)]
async fn answers_are_there_until_it_was_said_that_they_were_seen() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "hello");
    assert_eq!(inbox.post(&form).await.status, 200);
    inbox.answer(1, "An answer.");
    let look = inbox
        .opened("/words")
        .await
        .with("words", form.get("words"));
    let (head, body) = look.request();
    let all = [head.as_bytes(), &body].concat();
    for bytes in 0..=all.len() {
        let mut stream = connect(&inbox.relay);
        stream.write_all(&all[..bytes]).await.unwrap();
        drop(stream);
        tokio::task::yield_now().await;
    }
    let shown = inbox.post(&look).await;
    assert!(text(&shown).contains("An answer."));
    let [deletes, _] = Form::all(&shown).try_into().unwrap();
    let (head, body) = deletes.request();
    let all = [head.as_bytes(), &body].concat();
    for bytes in 0..all.len() - 2 {
        let mut stream = connect(&inbox.relay);
        stream.write_all(&all[..bytes]).await.unwrap();
        stream.shutdown().await.unwrap();
        _ = read(&mut stream, None).await;
    }
    assert!(
        text(&inbox.post(&look).await).contains("An answer."),
        "nobody has said whole that it was seen"
    );
    assert!(!text(&inbox.post(&deletes).await).contains("An answer."));
}

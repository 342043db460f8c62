//! The line is cut at every byte: what a browser was told has arrived is there, and once.

use tokio::io::AsyncReadExt;

use super::kept::Kept;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_form_that_is_cut_at_any_byte_and_sent_again_is_stored_once() {
    for kept in [None, Some(Kept::new())] {
        let inbox = Inbox::new(1);
        let form = inbox.opened("/").await.with("text", "cut");
        let form = kept.map_or(form.clone(), |kept| kept.written(&form));
        must_be_stored_once(&inbox, &form).await;
    }
}

async fn must_be_stored_once(inbox: &Inbox, form: &Form) {
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
    let answer = inbox.post(form).await;
    for bytes in (0..answer.body.len()).step_by(101) {
        let mut stream = connect(&inbox.relay);
        stream.write_all(&all).await.unwrap();
        stream.read_exact(&mut vec![0; bytes]).await.unwrap();
        drop(stream);
        assert_eq!(inbox.post(form).await, answer, "{bytes}");
    }
    assert_eq!(inbox.texts(), ["cut"]);
}

#[tokio::test(start_paused = true)]
async fn answers_are_there_until_it_was_said_that_they_were_seen() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "hello");
    assert_eq!(inbox.post(&form).await.status, 200);
    inbox.answer(1, "An answer.");
    let opened = inbox.opened("/words").await;
    let look = opened.clone().with("words", form.get("words"));
    cut(&inbox, &look, 0).await;
    let shown = inbox.post(&look).await;
    assert!(text(&shown).contains("An answer."));
    let deletes = Form::of(&shown).deleting(&shown);
    // The same by the words' own secrets, as script asks for it.
    let kept = Kept(ReplyWords::parse(form.get("words")).unwrap());
    let by_script = kept.look(&opened, &[]);
    cut(&inbox, &by_script, 0).await;
    let sealed = kept.opened(&inbox.post(&by_script).await);
    let seen = kept.look(&opened, &[sealed[0].1.clone()]);
    for form in [&deletes, &seen] {
        cut(&inbox, form, 2).await;
        assert!(
            text(&inbox.post(&look).await).contains("An answer."),
            "nobody has said whole that it was seen"
        );
    }
    assert!(kept.opened(&inbox.post(&seen).await).is_empty());
    assert!(!text(&inbox.post(&deletes).await).contains("An answer."));
}

/// Sends the form, cut at every byte but so many of the last.
async fn cut(inbox: &Inbox, form: &Form, whole: usize) {
    let (head, body) = form.request();
    let all = [head.as_bytes(), &body].concat();
    for bytes in 0..all.len() - whole {
        let mut stream = connect(&inbox.relay);
        stream.write_all(&all[..bytes]).await.unwrap();
        stream.shutdown().await.unwrap();
        _ = read(&mut stream, None).await;
    }
}

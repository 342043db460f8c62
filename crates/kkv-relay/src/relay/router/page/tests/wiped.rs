//! The owner wipes everything while forms are on their way.

use kkv_base::limits::MAX_LARGE_BODIES;

use super::*;

/// Lets what is there be read.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_form_on_its_way_ends_with_a_wipe_and_nothing_of_it_stays() {
    let inbox = Inbox::new(3);
    let page = inbox.relay.page().unwrap();
    let form = inbox.opened("/").await.with("text", "secret");
    let large = form.clone().file("a", "", &vec![1; 600_000]);
    for (form, places) in [(&large, MAX_LARGE_BODIES - 1), (&form, MAX_LARGE_BODIES)] {
        let (head, body) = form.request();
        let mut stream = connect(&inbox.relay);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body[..body.len() - 10]).await.unwrap();
        settle().await;
        assert_eq!(page.bodies.available_permits(), places, "it is being read");
        inbox.relay.wipe();
        let said = read(&mut stream, None).await.unwrap();
        assert_eq!(said.status, 409, "with no byte more");
        assert!(text(&said).contains("let go of what it had of it"));
        assert!(!text(&said).contains("secret"), "nor has the answer any");
        assert_eq!(page.bodies.available_permits(), MAX_LARGE_BODIES);
        assert!(inbox.texts().is_empty());
    }
    // It can be sent once more, and a wipe before has no part in it.
    assert_eq!(inbox.post(&large).await.status, 200);
    assert_eq!(inbox.texts(), ["secret"]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_place_ends_with_a_wipe_too() {
    let inbox = Inbox::new(3);
    let page = inbox.relay.page().unwrap();
    let taken = Arc::clone(&page.bodies);
    let _others = taken.acquire_many(MAX_LARGE_BODIES as u32).await.unwrap();
    let form = inbox.opened("/").await.with("text", "secret");
    let (head, body) = form.file("a", "", &vec![1; 600_000]).request();
    let mut stream = connect(&inbox.relay);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..200_000]).await.unwrap();
    settle().await;
    inbox.relay.wipe();
    assert_eq!(read(&mut stream, None).await.unwrap().status, 409);
}

#[tokio::test(start_paused = true)]
async fn words_on_their_way_end_with_a_wipe() {
    let inbox = Inbox::new(1);
    let words = ReplyWords::generate(&mut rand::rng()).line();
    let form = inbox.opened("/words").await.with("words", &words);
    let (head, body) = form.request();
    let mut stream = connect(&inbox.relay);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..body.len() - 10]).await.unwrap();
    settle().await;
    inbox.relay.close();
    let said = read(&mut stream, None).await.unwrap();
    assert_eq!(said.status, 409);
    assert!(!text(&said).contains(words.as_str()));
}

//! Forms that come again, and what shows of a message meanwhile.

use kkv_base::limits::MAX_LARGE_BODIES;

use super::*;

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
    let again = form.clone().with("text", "twice");
    assert_eq!(
        inbox.post(&again).await,
        changed,
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

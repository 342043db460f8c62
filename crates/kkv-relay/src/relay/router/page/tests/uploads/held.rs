//! What an upload holds while it is there, for how long, and that nobody holds more by it than by forms alone.

use kkv_protocol::limits::MAX_TEXT_BYTES;

use super::*;

/// A file that takes 16 KiB of memory.
fn small() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    vec![("a", "", vec![1; 10_000])]
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_is_gone_after_its_time_and_what_it_held_is_back() {
    let (inbox, invitation) = Inbox::invited(1);
    let form = inbox.opened("/").await.with("invitation", &invitation);
    let begun = inbox.begun(&form, "1", &files()).await;
    assert_eq!(inbox.piece(&begun, 0).await.status, 200);
    let other = inbox.opened("/").await.with("invitation", &invitation);
    let refused = inbox.begin(&other, "1", &small()).await;
    assert_eq!(error(&refused), "uninvited", "its only use is held");
    let text = other.clone().with("text", "x");
    assert_eq!(inbox.post(&text).await.status, 403);

    inbox.clock.advance(UPLOAD_IDLE - Duration::from_secs(1));
    assert_eq!(inbox.piece(&begun, 1).await.status, 200);
    inbox.clock.advance(UPLOAD_IDLE);
    inbox.relay.purge();
    assert_eq!(inbox.room().reserved, 0);
    assert_eq!(error(&inbox.piece(&begun, 2).await), "unproven");
    let late = inbox.post(&form.clone().with("upload", &begun.name)).await;
    assert_eq!(late.status, 409);
    assert!(super::text(&late).contains("Choose the files once more"));
    assert_eq!(inbox.post(&text).await.status, 200, "the use is back");
}

#[tokio::test(start_paused = true)]
async fn files_by_an_invitation_that_come_back_are_told_of_what_lets_them_in() {
    let (inbox, invitation) = Inbox::invited(1);
    let form = inbox.opened("/").await.with("invitation", &invitation);
    let begun = inbox.begun(&form, "1", &small()).await;
    inbox.all_sent(&begun).await;
    let form = form.with("upload", &begun.name);
    let back = inbox
        .post(&form.with("text", &"x".repeat(MAX_TEXT_BYTES + 1)))
        .await;
    assert_eq!(back.status, 422);
    let page = text(&back);
    assert!(!page.contains("a place is free"), "{page}");
    assert!(page.contains("what lets your message in"), "{page}");
    let shorter = Form::of(&back).with("text", "x");
    assert_eq!(inbox.post(&shorter).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn it_ends_however_often_its_pieces_come() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await;
    let begun = inbox.begun(&form, "1", &files()).await;
    let step = UPLOAD_IDLE - Duration::from_secs(1);
    for index in 0..3 {
        assert_eq!(inbox.piece(&begun, index).await.status, 200, "{index}");
        inbox.clock.advance(step);
    }
    inbox.clock.advance(UPLOAD_LIFETIME - 3 * step);
    assert_eq!(error(&inbox.piece(&begun, 3).await), "unproven");
    inbox.relay.purge();
    assert_eq!(inbox.room().reserved, 0);

    // Nor does it last by bodies that break.
    let begun = inbox.begun(&form, "1", &files()).await;
    let piece = request("/piece", OCTETS, &begun.part(0));
    for _ in 0..MAX_PIECES_BEGUN {
        let mut stream = connect(&inbox.relay);
        write(&mut stream, &piece[..piece.len() - 1]).await;
        stream.shutdown().await.unwrap();
        _ = read(&mut stream, None).await;
    }
    assert_eq!(error(&inbox.piece(&begun, 0).await), "unproven");
    assert_eq!(inbox.room().reserved, 0);
}

#[tokio::test(start_paused = true)]
async fn a_form_has_one_upload_and_another_forms_is_not_its_own() {
    let inbox = Inbox::new(2);
    let [one, other] = [inbox.opened("/").await, inbox.opened("/").await];
    let first = inbox.begun(&one, "1", &files()).await;
    let second = inbox.begun(&one, "2", &small()).await;
    assert_ne!(first.name, second.name);
    assert_eq!(
        inbox.room().reserved,
        16 << 10,
        "another choice takes the place of the first"
    );
    assert_eq!(error(&inbox.piece(&first, 0).await), "unproven");
    // The same key with other files is another choice, too: no file is put together of two.
    let third = inbox.begun(&one, "2", &[("b", "", vec![1; 10_000])]).await;
    inbox.all_sent(&third).await;

    let stolen = inbox.post(&other.clone().with("upload", &third.name)).await;
    assert_eq!(stolen.status, 409);
    let page = text(&stolen);
    assert!(
        !page.contains(&third.name) && page.contains("Choose the files once more"),
        "{page}"
    );
    assert!(inbox.texts().is_empty());
    assert_eq!(
        inbox.post(&one.with("upload", &third.name)).await.status,
        200
    );
    assert_eq!(inbox.stored(1)[0].0, "b");
}

#[tokio::test(start_paused = true)]
async fn a_form_that_came_long_ago_begins_none() {
    let inbox = Inbox::new(2);
    let form = inbox.opened("/").await.with("text", "x");
    assert_eq!(inbox.post(&form).await.status, 200);
    inbox.clock.advance(SESSION_LIFETIME);
    let refused = inbox.begin(&form, "1", &small()).await;
    assert_eq!(
        (error(&refused).as_str(), inbox.room().reserved),
        ("expired", 0)
    );
    // As script says it then.
    let before = inbox.post(&form.with("upload", "")).await;
    assert_eq!(before.status, 200);
    assert!(
        text(&before).contains("It had come before"),
        "{}",
        text(&before)
    );
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_given_away_is_held_and_comes_back_at_once_when_it_is_given_up() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await;
    let begun = inbox.begun(&form, "1", &files()).await;
    assert!(text(&inbox.get("/").await).contains("you need an invitation"));
    let held = || {
        let status = inbox.relay.page_status().unwrap();
        (status.taken, status.reserved)
    };
    assert_eq!(held(), (0, 1), "the owner is told the same");
    let other = inbox.opened("/").await;
    assert_eq!(
        error(&inbox.begin(&other, "1", &small()).await),
        "uninvited"
    );
    let gives_up = format!("{}ff", begun.name);
    for _ in 0..2 {
        let said = inbox.send("/piece", OCTETS, gives_up.as_bytes()).await;
        assert_eq!((said.status, text(&said)), (200, "{\"bytes\":0}"));
    }
    assert_eq!(inbox.room().reserved, 0);
    assert!(text(&inbox.get("/").await).contains("There is nothing to pay"));
    assert_eq!(held(), (0, 0));
    inbox.begun(&form, "1", &files()).await;
    inbox.clock.advance(UPLOAD_IDLE);
    assert_eq!(held(), (0, 0), "what is over holds nothing");
}

#[tokio::test(start_paused = true)]
async fn one_payment_holds_one_upload_and_buys_it_whatever_the_price_is_by_then() {
    let inbox = Inbox::priced(Cost::new(4).unwrap(), 0);
    let paid = inbox.pay(files()[0].2.len() + 100).await;
    let form = inbox.paid_form(&paid, "see").await;
    let begun = inbox.begun(&form, "1", &files()).await;
    for number in 0..3 {
        let other = inbox.paid_form(&paid, "x").await;
        assert_eq!(
            error(&inbox.begin(&other, "1", &small()).await),
            "spent",
            "{number}"
        );
        assert_eq!(inbox.post(&other).await.status, 402);
    }
    assert_eq!(inbox.room().reserved, 1 << 20);
    // Others fill what is left, and the challenge expires.
    let others = inbox.pay(900_000).await;
    let full = vec![1; 900_000];
    for number in 0..2 {
        let paid = if number == 0 {
            others.clone()
        } else {
            inbox.pay(900_000).await
        };
        let form = inbox.paid_form(&paid, "other").await;
        assert_eq!(inbox.post(&form.file("b", "", &full)).await.status, 200);
    }
    inbox.clock.advance(Duration::from_secs(120));
    inbox.all_sent(&begun).await;
    let form = form.with("upload", &begun.name);
    // What has to be mended is paid for still.
    let wrong = inbox
        .post(&form.clone().with("text", form.get("words")))
        .await;
    assert_eq!(wrong.status, 422);
    assert!(text(&wrong).contains("is paid for") && !text(&wrong).contains("id=\"invitation\""));
    assert_eq!(inbox.post(&form).await.status, 200);
    assert_eq!(inbox.costs()[2], u8::try_from(paid.cost).unwrap());
    // And it is spent.
    let other = inbox.paid_form(&paid, "x").await;
    assert_eq!(inbox.post(&other).await.status, 402);
}

#[tokio::test(start_paused = true)]
async fn a_size_has_to_be_paid_for_before_memory_is_given() {
    let inbox = Inbox::priced(Cost::new(4).unwrap(), 0);
    let paid = inbox.pay(100).await;
    let form = inbox.paid_form(&paid, "").await;
    assert_eq!(
        error(&inbox.begin(&form, "1", &files()).await),
        "price_rose"
    );
    assert_eq!(inbox.room().reserved, 0);
    let begun = inbox.begun(&form, "1", &small()).await;
    // A text that needs another size needs another upload.
    inbox.all_sent(&begun).await;
    let long = form
        .clone()
        .with("upload", &begun.name)
        .with("text", &"x".repeat(3500));
    assert_eq!(
        inbox.post(&long).await.status,
        200,
        "16 KiB have room for it"
    );
    let nearly = vec![("a", "", vec![1; 16_000])];
    let paid = inbox.pay(16_020).await;
    let form = inbox.paid_form(&paid, "").await;
    let begun = inbox.begun(&form, "1", &nearly).await;
    inbox.all_sent(&begun).await;
    let form = form.with("upload", &begun.name);
    let refused = inbox
        .post(&form.clone().with("text", &"x".repeat(500)))
        .await;
    assert_eq!(refused.status, 409, "{}", text(&refused));
    assert_eq!(inbox.post(&form).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_by_the_share_and_slots_of_texts_are_left_alone() {
    let inbox = Inbox::new(1000);
    let mut begun = Vec::new();
    for _ in 0..4 {
        begun.push(inbox.begun(&inbox.opened("/").await, "1", &files()).await);
    }
    let form = inbox.opened("/").await.with("text", "x");
    let refused = inbox.begin(&form, "1", &small()).await;
    assert_eq!((refused.status, error(&refused).as_str()), (507, "full"));
    for number in 0..SLOTS {
        let form = inbox.opened("/").await.with("text", &format!("{number}"));
        assert_eq!(inbox.post(&form).await.status, 200);
    }
    assert_eq!(inbox.post(&form).await.status, 503, "no slot is left");
    // But files take none.
    for name in ["aa", "ff"] {
        let gives_up = format!("{}{name}", begun[0].name);
        _ = inbox.send("/piece", OCTETS, gives_up.as_bytes()).await;
    }
    let begun = inbox.begun(&form, "1", &files()).await;
    inbox.all_sent(&begun).await;
    assert_eq!(
        inbox.post(&form.with("upload", &begun.name)).await.status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn the_owners_wipe_ends_all_of_them_and_a_relay_that_stops_begins_none() {
    let inbox = Inbox::new(2);
    let form = inbox.opened("/").await.with("text", "x");
    let begun = inbox.begun(&form, "1", &files()).await;
    let mut half = connect(&inbox.relay);
    let piece = request("/piece", OCTETS, &begun.part(0));
    write(&mut half, &piece[..piece.len() - 10]).await;
    tokio::task::yield_now().await;
    inbox.relay.wipe();
    assert_eq!(inbox.room().reserved, 0, "also while a piece is on its way");
    write(&mut half, &piece[piece.len() - 10..]).await;
    assert_eq!(error(&read(&mut half, None).await.unwrap()), "unproven");
    assert_eq!(
        inbox
            .post(&form.clone().with("upload", &begun.name))
            .await
            .status,
        409
    );
    inbox.begun(&form, "1", &files()).await;
    inbox.relay.close();
    let refused = inbox.begin(&form, "2", &small()).await;
    assert_eq!(error(&refused), "stopping");
    assert_eq!(inbox.room().reserved, 0);
}

#[tokio::test(start_paused = true)]
async fn it_is_looked_through_for_words_a_few_times_and_no_more() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await;
    let begun = inbox.begun(&form, "1", &small()).await;
    inbox.all_sent(&begun).await;
    let words = form.get("words").to_owned();
    let form = form.with("upload", &begun.name).with("text", &words);
    for _ in 0..8 {
        assert_eq!(inbox.post(&form).await.status, 422, "the words are in it");
    }
    assert_eq!(inbox.room().reserved, 0);
    assert_eq!(inbox.post(&form).await.status, 409);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_of_a_piece_goes_with_its_connection() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await;
    let begins = inbox.begin(&form, "1", &small()).await;
    let begun = inbox.begun(&form, "1", &small()).await;
    let piece = inbox.piece(&begun, 0).await;
    for said in [begins, piece] {
        assert_eq!(said.status, 200);
        assert!(said.head.contains("connection: close"), "{}", said.head);
    }
}

//! What script pays: over HTTP, as the page's script does it.

use super::*;
use data_encoding::HEXLOWER;
use kkv_pow::{Puzzle, PuzzleKey, Search, Solution, Solver};
use serde_json::Value;

/// What was asked for, and what was found for it.
#[derive(Clone)]
pub(super) struct Paid {
    pub(super) challenge: String,
    pub(super) nonces: String,
    pub(super) cost: u64,
}

pub(super) fn inbox(bits: u32, free: u32) -> Inbox {
    Inbox::priced(Cost::new(bits).unwrap(), free)
}

impl Inbox {
    pub(super) async fn price(&self, bytes: usize) -> Result<Value, String> {
        self.price_by(&format!("{{\"bytes\":{bytes}}}")).await
    }

    pub(super) async fn price_by(&self, body: &str) -> Result<Value, String> {
        let own = format!("http://{HOST}");
        let said = self.ask_price(&own, "application/json", body).await;
        let json: Value = serde_json::from_slice(&said.body).unwrap();
        match said.status {
            200 => Ok(json),
            _ => Err(json["error"].as_str().unwrap().to_owned()),
        }
    }

    pub(super) async fn pay(&self, bytes: usize) -> Paid {
        let price = self.price(bytes).await.unwrap();
        assert_eq!(price["seconds"], 60);
        let key = HEXLOWER.decode(price["puzzle"].as_str().unwrap().as_bytes());
        let cost = price["cost"].as_u64().unwrap();
        let puzzle = Puzzle::V2 {
            key: PuzzleKey(key.unwrap().try_into().unwrap()),
            cost: Cost::new(u32::try_from(cost).unwrap()).unwrap(),
        };
        let found = Solver::default().solve(&puzzle, &[0; 24], &Search::default());
        let Some(Solution::V2(nonces)) = found else {
            panic!("nobody stops it");
        };
        Paid {
            challenge: price["challenge"].as_str().unwrap().to_owned(),
            nonces: nonces.iter().map(|nonce| format!("{nonce:016x}")).collect(),
            cost,
        }
    }

    pub(super) async fn paid_form(&self, paid: &Paid, text: &str) -> Form {
        let form = self.opened("/").await;
        with_payment(form, paid).with("text", text)
    }

    /// What was paid for each message.
    pub(super) fn costs(&self) -> Vec<u8> {
        let now = self.clock.elapsed();
        let queue = self.relay.queue();
        let cost = |id| queue.with(MessageId(id), now, |message| message.header.cost.bits());
        (1..20).filter_map(cost).collect()
    }
}

pub(super) fn with_payment(form: Form, paid: &Paid) -> Form {
    form.with("challenge", &paid.challenge)
        .with("nonces", &paid.nonces)
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_paid_for_is_let_in_once() {
    let inbox = inbox(6, 0);
    let paid = inbox.pay(0).await;
    let form = inbox.paid_form(&paid, "paid").await;
    let first = inbox.post(&form).await;
    assert_eq!(first.status, 200, "{}", text(&first));
    assert_eq!(inbox.post(&form).await, first, "the same form again");
    assert_eq!(
        (inbox.texts(), inbox.costs()),
        (vec!["paid".to_owned()], vec![6])
    );

    let other = inbox.paid_form(&paid, "on the same payment").await;
    let refused = inbox.post(&other).await;
    assert_eq!(refused.status, 402);
    assert!(
        text(&refused).contains("was used already"),
        "{}",
        text(&refused)
    );
    let again = Form::of(&refused);
    assert_eq!(again.get("text"), "on the same payment");
    assert_eq!((again.get("challenge"), again.get("nonces")), ("", ""));

    // The owner's wipe brings nothing back.
    inbox.relay.wipe();
    assert_eq!(inbox.post(&other).await.status, 402);
    let paid = inbox.pay(0).await;
    let anew = with_payment(again, &paid);
    assert_eq!(inbox.post(&anew).await.status, 200);
    assert_eq!(inbox.texts(), ["on the same payment"]);
}

#[tokio::test(start_paused = true)]
async fn what_pays_for_nothing_is_refused_and_told_apart_from_no_payment() {
    let inbox = inbox(8, 0);
    let paid = inbox.pay(0).await;
    let form = inbox.paid_form(&paid, "kept").await;
    let zeros = "0".repeat(paid.nonces.len());
    let mut forged = paid.challenge.clone();
    forged.replace_range(48..50, "00"); // its cost
    for (name, value) in [
        ("challenge", forged.as_str()),
        ("challenge", form.get("form")),
        ("challenge", "x"),
        ("nonces", ""),
        ("nonces", &zeros),
        ("nonces", &paid.nonces[16..]),
    ] {
        let refused = inbox.post(&form.clone().with(name, value)).await;
        assert_eq!(refused.status, 402, "{name} {value}");
        assert_eq!(Form::of(&refused).get("text"), "kept");
        assert!(
            !text(&refused).contains("name=\"nonces\""),
            "{name} {value}"
        );
    }
    let unpaid = inbox.post(&form.clone().with("challenge", "")).await;
    assert_eq!(unpaid.status, 403, "as without script");
    inbox.clock.advance(Duration::from_secs(60));
    assert_eq!(inbox.post(&form).await.status, 402, "it has expired");
    assert!(inbox.texts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_payment_outlives_a_message_that_has_to_be_mended() {
    let inbox = inbox(6, 0);
    let paid = inbox.pay(0).await;
    let form = inbox.paid_form(&paid, "").await;
    for (wrong, status) in [(" ".to_owned(), 422), (form.get("words").to_owned(), 422)] {
        let said = inbox.post(&form.clone().with("text", &wrong)).await;
        assert_eq!(said.status, status);
        let page = text(&said);
        assert!(
            page.contains("is paid for") && !page.contains("/page.js"),
            "{page}"
        );
        assert!(!page.contains("id=\"invitation\""), "{page}");
        let mended = Form::of(&said);
        assert_eq!(mended.get("challenge"), paid.challenge);
        assert_eq!(mended.get("nonces"), paid.nonces);
    }
    let said = inbox.post(&form.with("text", " ")).await;
    let mended = Form::of(&said).with("text", "mended");
    assert_eq!(inbox.post(&mended).await.status, 200);
    assert_eq!(inbox.costs(), [6]);
}

#[tokio::test(start_paused = true)]
async fn what_was_stockpiled_buys_nothing_once_the_price_has_risen() {
    let inbox = inbox(6, 0);
    let mut stock = Vec::new();
    for _ in 0..3 {
        stock.push(inbox.pay(0).await);
    }
    let late = stock.pop().unwrap();
    for paid in &stock {
        let form = inbox.paid_form(paid, "stock").await;
        assert_eq!(inbox.post(&form).await.status, 200);
    }
    // One of three slots is free: one taker alone doesn't void a payment, two do.
    let form = inbox.paid_form(&late, "late").await;
    let refused = inbox.post(&form).await;
    assert_eq!(refused.status, 402);
    assert!(
        text(&refused).contains("The price has risen"),
        "{}",
        text(&refused)
    );
    let again = Form::of(&refused);
    assert_eq!((again.get("text"), again.get("challenge")), ("late", ""));
    let paid = inbox.pay(0).await;
    assert_eq!(paid.cost, 9, "6 + ⌊2 · log2(3 / 1)⌋");
    assert_eq!(inbox.post(&with_payment(again, &paid)).await.status, 200);
    assert_eq!(inbox.costs(), [6, 6, 9]);
    assert_eq!(inbox.price(0).await, Err("full".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn files_cost_by_their_size() {
    let inbox = inbox(4, 0);
    let photo = vec![1; 900_000];
    let text_alone = inbox.pay(0).await;
    let form = inbox.paid_form(&text_alone, "see").await;
    let form = form.file("a.jpg", "image/jpeg", &photo);
    let refused = inbox.post(&form).await;
    assert_eq!(refused.status, 402, "{}", text(&refused));
    assert!(text(&refused).contains("Choose the files once more"));
    let smallest = inbox.pay(100).await;
    assert_eq!(
        inbox
            .post(&with_payment(form.clone(), &smallest))
            .await
            .status,
        402
    );
    let paid = inbox.pay(photo.len() + 100).await;
    assert_eq!((text_alone.cost, smallest.cost, paid.cost), (4, 5, 8));
    let said = inbox.post(&with_payment(form, &paid)).await;
    assert_eq!(said.status, 200, "{}", text(&said));
    assert_eq!(
        (inbox.texts(), inbox.costs()),
        (vec!["see".to_owned()], vec![8])
    );
    assert_eq!(inbox.price(2 << 20).await, Err("too_large".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_invitation_and_a_free_place_spare_what_was_paid() {
    let inbox = inbox(6, 1);
    let (now, hour) = (inbox.relay.now(), Duration::from_secs(60 * 60));
    let made = inbox
        .relay
        .invitations()
        .make(1, hour, now, &mut rand::rng());
    let token = made.unwrap().0.to_text();
    let paid = inbox.pay(0).await;
    let form = inbox.paid_form(&paid, "invited").await;
    let invited = form.with("invitation", &token);
    assert_eq!(inbox.post(&invited).await.status, 200);
    let bad = inbox.paid_form(&paid, "free").await.with("nonces", "00");
    assert_eq!(inbox.post(&bad).await.status, 200, "a place is free");
    let form = inbox.paid_form(&paid, "paid").await;
    let said = inbox.post(&form).await;
    assert_eq!(
        said.status, 402,
        "with one slot of three the price has risen"
    );
    inbox
        .relay
        .queue()
        .delete(MessageId(1), inbox.clock.elapsed());
    assert_eq!(inbox.post(&form).await.status, 200);
    assert_eq!(inbox.costs(), [0, 6]);
}

#[tokio::test(start_paused = true)]
async fn a_price_is_told_to_our_own_pages_alone() {
    let inbox = inbox(6, 0);
    let own = format!("http://{HOST}");
    for (origin, media_type, body, status) in [
        (own.as_str(), "application/json", "{\"bytes\":0}", 200),
        (
            "http://elsewhere.example",
            "application/json",
            "{\"bytes\":0}",
            403,
        ),
        ("null", "application/json", "{\"bytes\":0}", 403),
        (&own, "application/json", "{\"bytes\":-1}", 400),
        (&own, "application/json", "[]", 400),
        (&own, "application/x-www-form-urlencoded", "bytes=0", 400),
        (&own, "text/plain", "{\"bytes\":0}", 415),
    ] {
        let said = inbox.ask_price(origin, media_type, body).await;
        assert_eq!(said.status, status, "{origin} {media_type} {body}");
    }
    let first = inbox.price(0).await.unwrap();
    let other = inbox.price(0).await.unwrap();
    assert_ne!(first["challenge"], other["challenge"]);
    assert_ne!(first["puzzle"], other["puzzle"]);
}

#[tokio::test(start_paused = true)]
async fn paying_is_offered_up_to_what_the_script_can_compute() {
    for (bits, free, offers) in [(6, 0, true), (36, 0, true), (37, 0, false), (6, 1, false)] {
        let inbox = inbox(bits, free);
        let page = inbox.get("/").await;
        assert_eq!(
            text(&page).contains("src=\"/page.js\""),
            offers,
            "{bits} {free}"
        );
        if free == 0 {
            assert!(
                text(&page).contains("you need an invitation"),
                "without script"
            );
        }
    }
}

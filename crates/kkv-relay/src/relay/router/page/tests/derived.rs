//! What script pays by PBKDF2, which takes long to check.

use super::paid::{Paid, inbox, with_payment};
use super::*;
use data_encoding::HEXLOWER;
use kkv_base::limits::MAX_CHECKS;
use kkv_page::derived::{derive, layout};
use kkv_pow::PuzzleKey;
use tokio::task::JoinSet;

const ASKED: &str = "{\"bytes\":0,\"class\":\"pbkdf2\"}";

/// A challenge, and the key and the price of its puzzle.
async fn ask(inbox: &Inbox, body: &str) -> (String, PuzzleKey, Cost) {
    let price = inbox.price_by(body).await.unwrap();
    assert_eq!(price["class"], "pbkdf2");
    let key = HEXLOWER.decode(price["puzzle"].as_str().unwrap().as_bytes());
    let cost = price["cost"].as_u64().unwrap();
    (
        price["challenge"].as_str().unwrap().to_owned(),
        PuzzleKey(key.unwrap().try_into().unwrap()),
        Cost::new(u32::try_from(cost).unwrap()).unwrap(),
    )
}

/// Pays by `values`, of which as many nonces as are wanted fit.
async fn pay_by(inbox: &Inbox, body: &str, value: impl Fn(&PuzzleKey, u64) -> PuzzleKey) -> Paid {
    let (challenge, key, cost) = ask(inbox, body).await;
    let (count, bits) = layout(cost);
    let tries = (0..).map(|nonce| (nonce, value(&key, nonce)));
    let good = tries.filter(|(nonce, value)| value.zeros(*nonce) >= u32::from(bits));
    let part =
        |(nonce, value): (u64, PuzzleKey)| format!("{nonce:016x}{}", HEXLOWER.encode(&value.0));
    Paid {
        challenge,
        nonces: good.take(count).map(part).collect(),
        cost: u64::from(cost.bits()),
    }
}

async fn pay(inbox: &Inbox) -> Paid {
    pay_by(inbox, ASKED, derive).await
}

/// What fits as a solution does, and is none: made up instead of derived.
async fn make_up(inbox: &Inbox) -> Paid {
    let made_up =
        |_: &PuzzleKey, nonce: u64| PuzzleKey(*blake3::hash(&nonce.to_le_bytes()).as_bytes());
    pay_by(inbox, ASKED, made_up).await
}

#[tokio::test(start_paused = true)]
async fn both_classes_are_named_and_the_one_that_is_asked_for_is_had() {
    let inbox = inbox(6, 0);
    let price = inbox.price(0).await.unwrap();
    assert_eq!(price["class"], "hash");
    assert_eq!(price["classes"], serde_json::json!(["hash", "pbkdf2"]));
    let price = inbox.price_by(ASKED).await.unwrap();
    assert_eq!(price["class"], "pbkdf2");
    for other in ["\"scrypt\"", "\"\"", "1"] {
        let body = format!("{{\"bytes\":0,\"class\":{other}}}");
        assert_eq!(inbox.price_by(&body).await, Err("malformed".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_paid_for_by_pbkdf2_is_let_in_once() {
    let inbox = inbox(15, 0);
    let paid = pay(&inbox).await;
    let form = inbox.paid_form(&paid, "paid").await;
    let first = inbox.post(&form).await;
    assert_eq!(first.status, 200, "{}", text(&first));
    assert_eq!(inbox.post(&form).await, first, "the same form again");
    assert_eq!(
        (inbox.texts(), inbox.costs()),
        (vec!["paid".to_owned()], vec![15])
    );
    let other = inbox.paid_form(&paid, "on the same payment").await;
    assert_eq!(inbox.post(&other).await.status, 402);
}

#[tokio::test(start_paused = true)]
async fn files_are_paid_for_so_as_well() {
    let inbox = inbox(10, 0);
    let photo = vec![1; 900_000];
    let body = "{\"bytes\":900100,\"class\":\"pbkdf2\"}";
    let paid = pay_by(&inbox, body, derive).await;
    assert_eq!(paid.cost, 14);
    let form = inbox.paid_form(&paid, "see").await;
    let form = form.file("a.jpg", "image/jpeg", &photo);
    let said = inbox.post(&form).await;
    assert_eq!(said.status, 200, "{}", text(&said));
    assert_eq!(inbox.costs(), [14]);
}

#[tokio::test(start_paused = true)]
async fn a_payment_by_pbkdf2_outlives_a_message_that_has_to_be_mended() {
    let inbox = inbox(14, 0);
    let paid = pay(&inbox).await;
    let said = inbox.post(&inbox.paid_form(&paid, " ").await).await;
    assert_eq!(said.status, 422);
    let mended = Form::of(&said);
    assert_eq!(mended.get("nonces"), paid.nonces);
    let mended = mended.with("text", "mended");
    assert_eq!(inbox.post(&mended).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_was_made_up_lets_nothing_in_and_spends_its_challenge() {
    let inbox = inbox(14, 0);
    let (challenge, key, _) = ask(&inbox, ASKED).await;
    let part = |nonce: u64, value: PuzzleKey| format!("{nonce:016x}{}", HEXLOWER.encode(&value.0));
    let right: String = (0..4)
        .map(|nonce| part(nonce, derive(&key, nonce)))
        .collect();
    let wrong: String = (0..4).map(|nonce| part(nonce, key)).collect();
    let payment = |nonces| Paid {
        challenge: challenge.clone(),
        nonces,
        cost: 14,
    };
    // What doesn't even look like a solution spends nothing.
    for nonces in [String::new(), right[..240].to_owned(), "00".repeat(160)] {
        let form = inbox.paid_form(&payment(nonces), "kept").await;
        assert_eq!(inbox.post(&form).await.status, 402);
    }
    let form = inbox.paid_form(&payment(wrong), "kept").await;
    let refused = inbox.post(&form).await;
    assert_eq!(refused.status, 402);
    let again = Form::of(&refused);
    assert_eq!((again.get("text"), again.get("nonces")), ("kept", ""));
    let late = inbox.paid_form(&payment(right), "kept").await;
    assert_eq!(inbox.post(&late).await.status, 402, "it is spent");
    assert!(inbox.texts().is_empty());
    let paid = pay(&inbox).await;
    assert_eq!(inbox.post(&with_payment(again, &paid)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_good_for_the_challenge_that_it_was_made_for_alone() {
    let inbox = inbox(14, 0);
    let (one, other) = (pay(&inbox).await, pay(&inbox).await);
    let stolen = Paid {
        challenge: other.challenge.clone(),
        ..pay(&inbox).await
    };
    let form = inbox.paid_form(&one, "confirmed and mended").await;
    assert_eq!(
        inbox.post(&form.clone().with("text", " ")).await.status,
        422
    );
    // What was found of one says nothing of another.
    let swapped = with_payment(form.clone(), &stolen);
    assert_eq!(inbox.post(&swapped).await.status, 402);
    assert_eq!(inbox.post(&form).await.status, 200);
    let spoiled = inbox.paid_form(&other, "spent by what was stolen").await;
    assert_eq!(inbox.post(&spoiled).await.status, 402);
}

/// All places taken: who comes then is told to try again, and has not lost what he has paid.
#[tokio::test]
async fn with_all_places_taken_who_has_paid_keeps_it() {
    let inbox = Arc::new(inbox(14, 0));
    let paid = pay(&inbox).await;
    let form = inbox.paid_form(&paid, "patient").await;
    let mut wrong = Vec::new();
    for _ in 0..4 * MAX_CHECKS {
        let made_up = make_up(&inbox).await;
        wrong.push(inbox.paid_form(&made_up, "flood").await);
    }
    let mut flood = JoinSet::new();
    for form in wrong {
        let inbox = Arc::clone(&inbox);
        flood.spawn(async move { inbox.post(&form).await.status });
    }
    let statuses = flood.join_all().await;
    assert!(statuses.contains(&503), "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 402 | 503)));

    let mut said = inbox.post(&form).await;
    while said.status == 503 {
        let again = Form::of(&said);
        assert_eq!(again.get("nonces"), paid.nonces);
        said = inbox.post(&again).await;
    }
    assert_eq!(said.status, 200, "{}", text(&said));
    assert_eq!(inbox.texts(), ["patient"]);
}

/// Whoever hangs up before he is answered has spent his challenge all the same.
#[tokio::test(start_paused = true)]
async fn who_hangs_up_is_checked_all_the_same() {
    let inbox = inbox(14, 0);
    let (challenge, key, _) = ask(&inbox, ASKED).await;
    let nonces = |value: &dyn Fn(u64) -> PuzzleKey| -> String {
        let part = |nonce| format!("{nonce:016x}{}", HEXLOWER.encode(&value(nonce).0));
        (0..4).map(part).collect()
    };
    let payment = Payment {
        challenge: challenge.clone(),
        nonces: nonces(&|_| key),
    };
    let offers = Offers {
        invitation: "",
        payment: &payment,
        follows: None,
        wants: Wants::Slot,
    };
    tokio::select! {
        biased;
        _ = inbox.relay.confirm(&offers) => panic!("it takes longer than that"),
        () = std::future::ready(()) => {} // and the other is dropped
    }
    let right = Paid {
        challenge,
        nonces: nonces(&|nonce| derive(&key, nonce)),
        cost: 14,
    };
    // It waits for its turn behind what is being checked, and is what would have been let in.
    let form = inbox.paid_form(&right, "too late").await;
    assert_eq!(inbox.post(&form).await.status, 402);
}

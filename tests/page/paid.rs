//! Paying, where script runs: the search itself, and what whoever waits for it sees and may do.

use super::*;
use crate::answerable::leave_answerable;

use data_encoding::HEXLOWER;
use kkv_pow::PuzzleKey;
use kkv_protocol::reply_words::ReplyWords;
use serde_json::{Value, json};

/// By `blake3` itself: the first sixteen nonces with `high` as their upper half.
fn nonces(key: [u8; 32], bits: u32, high: u32) -> Vec<String> {
    let fits = |low: &u32| {
        let mut block = [0; 64];
        block[56..60].copy_from_slice(&low.to_le_bytes());
        block[60..].copy_from_slice(&high.to_le_bytes());
        let hash = blake3::keyed_hash(&key, &block);
        let head = hash.as_bytes().first_chunk().expect("32 bytes have 4");
        u32::from_be_bytes(*head).leading_zeros() >= bits
    };
    let found = (0..=u32::MAX).filter(fits).take(16);
    found.map(|low| format!("{high:08x}{low:08x}")).collect()
}

/// Firefox keeps what its PBKDF2 gave last, and gives that again at once: with one salt it would seem to be four
/// times as fast as it is, and its user would be told a time that isn't kept.
#[test]
fn the_worker_derives_nothing_twice_while_it_measures() {
    let relay = Relay::start(&["--page"]);
    let browser = Session::start(Script::On);
    browser.go(&at(&relay, "/"));
    browser.evaluate(
        "window.salts = [];
         const derive = crypto.subtle.deriveBits.bind(crypto.subtle);
         crypto.subtle.deriveBits = (how, ...rest) => {
           salts.push(how.salt.join());
           return derive(how, ...rest);
         };
         addEventListener('message', ({ data }) => { window.measured ??= data.rate; });
         import('/worker.js').then(() => onmessage({ data: { measure: 20 } }));",
    );
    until("it has measured", || {
        browser.evaluate("return window.measured !== undefined") == true
    });
    // One before it counts and one while it does, on the slowest machine.
    let [different, all] = ["new Set(salts).size", "salts.length"]
        .map(|count| browser.evaluate(&format!("return {count}")));
    assert!(all.as_u64() >= Some(2), "{all}");
    assert_eq!(different, all);
}

/// By `pbkdf2` and `blake3`: the first four nonces with `high` as their upper half, each with the key derived of it.
fn derived(key: [u8; 32], bits: u32, high: u32) -> Vec<String> {
    let tries = (0..).map(|low: u32| {
        let nonce = u64::from(high) << 32 | u64::from(low);
        (nonce, kkv_page::derived::derive(&PuzzleKey(key), nonce))
    });
    let good = tries.filter(|(nonce, derived)| derived.zeros(*nonce) >= bits);
    let written =
        good.map(|(nonce, derived)| format!("{nonce:016x}{}", HEXLOWER.encode(&derived.0)));
    written.take(4).collect()
}

fn key(first: u8) -> [u8; 32] {
    std::array::from_fn(|i| first.wrapping_add(37_u8.wrapping_mul(i as u8)))
}

/// The first `count` that a worker finds.
fn found(
    browser: &Session,
    class: &str,
    key: [u8; 32],
    bits: u32,
    high: u32,
    count: usize,
) -> Value {
    let words: Vec<u32> = key
        .chunks(4)
        .map(|word| u32::from_le_bytes(word.try_into().expect("four bytes")))
        .collect();
    browser.evaluate(&format!(
        "window.found = []; window.worker?.terminate(); window.worker = new Worker('/worker.js');\
         worker.onmessage = ({{ data }}) => data.nonce && found.push(data.nonce) === {count} && worker.terminate();\
         worker.postMessage({{ challenge: 'x', class: '{class}', key: {words:?}, bits: {bits}, first: {high}, step: 1 }});"
    ));
    until("the nonces", || {
        browser.evaluate(&format!("return found.length >= {count}")) == true
    });
    browser.evaluate(&format!(
        "worker.terminate(); return found.slice(0, {count})"
    ))
}

/// Has pages know of one class alone, as if this machine were slow at the others.
fn only(browser: &Session, class: &str) {
    browser.on_every_page(&format!(
        "const ask = fetch;\
         window.fetch = async (...asked) => {{\
           const answer = await ask(...asked);\
           if (asked[0] !== '/price' || !answer.ok) return answer;\
           return new Response(JSON.stringify({{ ...await answer.json(), classes: ['{class}'] }}));\
         }};"
    ));
}

fn status(browser: &Session) -> String {
    browser.text_of("#pay-status").unwrap_or_default()
}

fn must_offer(browser: &Session) {
    until("the offer to pay", || {
        let needs = browser.text_of("#needs").unwrap_or_default();
        needs.contains("you need no invitation if your computer pays")
    });
    assert_eq!(
        browser.evaluate("return document.getElementById('invitation').required"),
        false
    );
}

#[test]
fn the_worker_finds_the_nonces_that_blake3_says() {
    let relay = Relay::start(&["--page"]);
    let browser = Session::start(Script::On);
    browser.go(&at(&relay, "/"));
    for (first, bits) in [(0_u8, 0), (0x7f, 7), (0xff, 12), (0x80, 15)] {
        let (key, high) = (key(first), u32::from(first) << 24 | 5);
        let found = found(&browser, "hash", key, bits, high, 16);
        assert_eq!(found, json!(nonces(key, bits, high)), "{bits} bits");
    }
    browser.must_have_kept_to(relay.address());
}

#[test]
fn the_worker_finds_the_nonces_that_pbkdf2_says() {
    let relay = Relay::start(&["--page"]);
    let browser = Session::start(Script::On);
    browser.go(&at(&relay, "/"));
    for (first, bits) in [(0_u8, 0), (0xff, 3)] {
        let (key, high) = (key(first), u32::from(first) << 24 | 5);
        let found = found(&browser, "pbkdf2", key, bits, high, 4);
        assert_eq!(found, json!(derived(key, bits, high)), "{bits} bits");
    }
    browser.must_have_kept_to(relay.address());
}

#[test]
fn a_message_is_paid_for_where_script_runs_and_by_invitation_where_it_does_not() {
    let relay = Relay::start(&["--page", "-c", "16"]);
    let without = Session::start(Script::Off);
    without.go(&at(&relay, "/"));
    let needs = without.find("#needs").text();
    assert!(
        needs.contains("you need an invitation")
            && needs.contains("Where this page may run script"),
        "{needs}"
    );
    assert_eq!(without.find("#invitation").label(), "Invitation");
    assert!(without.all("#pay-cancel, #pay-status").is_empty());
    drop(without);

    let browser = Session::start(Script::On);
    browser.go(&at(&relay, "/"));
    must_offer(&browser);
    let label = browser.find("#invitation").label();
    assert_eq!(label, "Invitation (not needed if your computer pays)");
    browser.find("form:has(#text) button").click();
    must_have_focus(&browser, "error");
    let said = browser.find("#error").text();
    assert!(
        said.starts_with("Your message was not sent") && said.contains("There is nothing in it"),
        "{said}"
    );
    write(&browser, HOSTILE);
    assert_eq!(heading(&browser), "Your message has arrived");
    let list = relay.list();
    assert_eq!(
        (&list[0]["cost"], &list[0]["suite"]),
        (&16.into(), &"web".into())
    );
    assert_eq!(relay.text(1), HOSTILE);
    let read = relay.owner(["read", "1"]).finish();
    let shown = read.stdout_text() + &read.stderr;
    assert!(shown.contains("web, paid 2^16"), "{shown}");
    browser.must_have_kept_to(relay.address());
}

#[test]
fn a_message_is_paid_for_by_pbkdf2_where_that_is_sooner_done() {
    let relay = Relay::start(&["--page", "-c", "17"]);
    let browser = Session::start(Script::On);
    only(&browser, "pbkdf2");
    browser.go(&at(&relay, "/"));
    must_offer(&browser);
    browser.evaluate(
        "window.submits = HTMLFormElement.prototype.requestSubmit;
         HTMLFormElement.prototype.requestSubmit = function () { window.held = this; }",
    );
    browser.find("#text").type_in("kept");
    browser.find("form:has(#text) button").click();
    until("the payment", || {
        browser.evaluate("return window.held !== undefined") == true
    });
    let nonces = browser.evaluate("return held.elements.nonces.value");
    let length = nonces.as_str().map(str::len);
    assert_eq!(length, Some(4 * 80), "four nonces, each with a key");
    browser.evaluate("HTMLFormElement.prototype.requestSubmit = submits; held.requestSubmit();");
    must_arrive(&browser);
    let list = relay.list();
    assert_eq!(list[0]["cost"], 17);
    assert_eq!(relay.text(1), "kept");
    browser.must_have_kept_to(relay.address());
}

#[test]
fn who_pays_sees_how_far_it_is_and_may_cancel() {
    let relay = Relay::start(&["--page", "-c", "16"]);
    let browser = Session::start(Script::On);
    only(&browser, "hash");
    browser.go(&at(&relay, "/"));
    must_offer(&browser);
    assert!(!asks_who_leaves(&browser));
    each::paying(&browser);
    assert!(asks_who_leaves(&browser));
    assert_eq!(browser.active().property("id"), "pay-cancel");
    browser.find("#pay-cancel").click();
    assert!(
        status(&browser).starts_with("Cancelled."),
        "{}",
        status(&browser)
    );
    assert_eq!(browser.active().text(), "Send");
    assert_eq!(browser.find("#text").property("value"), each::TEXT);
    assert!(relay.list().is_empty());
    assert!(asks_who_leaves(&browser), "for what was typed");
    browser.find("#text").clear();
    assert!(!asks_who_leaves(&browser));
    browser.find("#text").type_in("Once more.");
    // And once more: what was given up is over.
    browser.find("form:has(#text) button").click();
    until("the search", || {
        status(&browser).contains(" of 16 parts are done")
    });
    browser.find("#pay-cancel").click();
    browser.must_have_kept_to(relay.address());
}

#[test]
fn after_a_rise_of_the_price_the_new_one_is_paid() {
    let relay = Relay::start(&["--page", "-c", "8", "-m", "3"]);
    let browser = Session::start(Script::On);
    browser.go(&at(&relay, "/"));
    must_offer(&browser);
    let needs = browser.find("#needs").text();
    assert!(needs.contains("about 10 seconds at most"), "{needs}");
    browser.evaluate(
        "window.submits = HTMLFormElement.prototype.requestSubmit;
         HTMLFormElement.prototype.requestSubmit = function () { window.held = this; }",
    );
    browser.find("#text").type_in("late");
    browser.find("form:has(#text) button").click();
    until("the payment", || {
        browser.evaluate("return window.held !== undefined") == true
    });
    for _ in 0..2 {
        relay.deliver(b"another's");
    }
    browser.evaluate("HTMLFormElement.prototype.requestSubmit = submits; held.requestSubmit();");
    until("the refusal", || {
        let said = browser.text_of("#error").unwrap_or_default();
        said.contains("The price has risen")
    });
    assert_eq!(browser.find("#text").property("value"), "late");
    must_offer(&browser);
    browser.submit("form:has(#text) button");
    assert_eq!(heading(&browser), "Your message has arrived");
    let list = relay.list();
    assert_eq!(list[2]["cost"], 11, "8 + ⌊2 · log2(3 / 1)⌋");
    browser.must_have_kept_to(relay.address());
}

#[test]
fn what_would_take_too_long_is_said_before_anything_is_typed() {
    let relay = Relay::start(&["--page", "-c", "36", "--expected-time", "1"]);
    let browser = Session::start(Script::On);
    browser.go(&at(&relay, "/"));
    until("what it would take", || {
        let needs = browser.text_of("#needs").unwrap_or_default();
        needs.contains("which is too long")
    });
    let required = "return document.getElementById('invitation').required";
    assert_eq!(browser.evaluate(required), true);
    browser.must_have_kept_to(relay.address());
}

#[test]
fn the_question_to_who_leaves_ends_with_the_form_that_was_being_paid_for() {
    let relay = Relay::start(&["--page", "-c", "20"]);
    let words = ReplyWords::generate(&mut rand::rng());
    leave_answerable(relay.address(), words.entropy(), "Answer me.");
    let reply = relay.owner(["reply", "1", "-m", "I do."]).finish();
    reply.must_end_with(0);
    let browser = Session::start(Script::On);
    look(&browser, &relay, &words.line());
    // The answer lets in one message. It is shown again if that doesn't say that it was seen.
    browser.evaluate(
        "const real = window.fetch;
         window.fetch = (path, init) => { init.body.delete('seen'); return real(path, init); };",
    );
    write(&browser, "For nothing.");
    must_arrive(&browser);
    look(&browser, &relay, &words.line());
    each::until_paying_is_offered(&browser);
    each::paying(&browser);
    assert!(asks_who_leaves(&browser));
    delete(&browser);
    assert_eq!(browser.find("#text").property("value"), each::TEXT);
    browser.find("#text").clear();
    assert!(!asks_who_leaves(&browser));
    browser.must_have_kept_to(relay.address());
}

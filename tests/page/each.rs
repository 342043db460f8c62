//! The pages as people come to them, one after the other, for the tests that look at each.

use super::webdriver::{Script, Session};
use super::{at, inbox, look, must_have_focus, open, words, write};
use crate::programs::{Relay, until};

/// What somebody writes, and is answered.
pub(super) const TEXT: &str =
    "The minutes of 3 March were changed after they had been signed. I have both versions.";
const ANSWER: &str = "Thank you. Can you send the first version as a file?\nLeave the names out.";

/// What leaves no room to break a line in.
fn unbroken() -> String {
    "x".repeat(500)
}

/// Has `visit` look at each page, in each state in which it looks otherwise; it is told what the page is called here.
pub(super) fn each(mut visit: impl FnMut(&str, &Session)) {
    let browser = Session::start(Script::On);
    to_pay_on(&browser, &mut visit);
    to_write_on(&browser, Script::On, &mut visit);
    of_a_conversation(&browser, Script::On, &mut visit);
    browser.let_script_run(Script::Off);
    // The page is there, and has run none; what looks at it may.
    let mut visit = |name: &str, browser: &Session| {
        browser.let_script_run(Script::On);
        visit(&format!("{name}-without-script"), browser);
        browser.let_script_run(Script::Off);
    };
    to_write_on(&browser, Script::Off, &mut visit);
    of_a_conversation(&browser, Script::Off, &mut visit);
}

fn to_write_on(browser: &Session, script: Script, visit: &mut impl FnMut(&str, &Session)) {
    let relay = inbox("5");
    let [full, roomy] =
        ["0", "1M"].map(|most| Relay::start(&["--page", "-m", "1", "--max-bytes", most]));
    if script == Script::Off {
        browser.go(&at(&full, "/"));
        visit("invited", browser);
    }
    full.deliver(b"It takes the only slot.");
    browser.go(&at(&full, "/"));
    visit("full", browser);
    roomy.deliver(b"It takes the only slot.");
    browser.go(&at(&roomy, "/"));
    visit("only-files", browser);
    open(browser, &relay, script);
    visit("write", browser);
    browser.submit("form:has(#text) button");
    visit("empty", browser);
    browser.find("#text").type_in(&unbroken());
    visit("written", browser);
}

fn to_pay_on(browser: &Session, visit: &mut impl FnMut(&str, &Session)) {
    let relay = Relay::start(&["--page", "-c", "20"]);
    let dear = Relay::start(&["--page", "-c", "36", "--expected-time", "1"]);
    browser.go(&at(&dear, "/"));
    until("what it would take", || {
        let needs = browser.text_of("#needs").unwrap_or_default();
        needs.contains("which is too long")
    });
    visit("too-dear", browser);
    to_pay(browser, &relay);
    visit("offer", browser);
    paying(browser);
    visit("paying", browser);
    browser.find("#pay-cancel").click();
    visit("cancelled", browser);
}

/// Opens the page of a relay that has to be paid, and waits until it says for how much.
pub(super) fn to_pay(browser: &Session, relay: &Relay) {
    browser.go(&at(relay, "/"));
    until_paying_is_offered(browser);
}

pub(super) fn until_paying_is_offered(browser: &Session) {
    until("the offer to pay", || {
        let needs = browser.text_of("#needs").unwrap_or_default();
        needs.contains("if your computer pays")
    });
}

/// Pays on that page, for which nothing is ever found: so it doesn't end while it is looked at.
pub(super) fn paying(browser: &Session) {
    browser.evaluate("Worker.prototype.postMessage = () => {}");
    browser.find("#text").type_in(TEXT);
    browser.find("form:has(#text) button").click();
    until("the search", || {
        let status = browser.text_of("#pay-status").unwrap_or_default();
        status.contains(" parts are done") // 16 of hashes, 4 of PBKDF2, whichever is sooner done
    });
}

fn of_a_conversation(browser: &Session, script: Script, visit: &mut impl FnMut(&str, &Session)) {
    let relay = inbox("5");
    let reply = |answer: &str| {
        let replied = relay.owner(["reply", "1", "-m", answer]).finish();
        replied.must_end_with(0);
    };
    open(browser, &relay, script);
    let its_words = words(browser);
    write(browser, TEXT);
    visit("sent", browser);
    browser.go(&at(&relay, "/words"));
    visit("words", browser);
    browser
        .find("#words")
        .type_in("twelve words that are not any");
    browser.find("form button").click();
    must_have_focus(browser, "error");
    visit("mistyped", browser);
    look(browser, &relay, &its_words);
    visit("no-answer", browser);
    reply(ANSWER);
    look(browser, &relay, &its_words);
    visit("answer", browser);
    browser.find("summary").click();
    visit("asked-to-delete", browser);
    browser.submit("details button");
    visit("deleted", browser);
    reply(ANSWER);
    reply(&unbroken());
    look(browser, &relay, &its_words);
    visit("answers", browser);
    relay.owner(["wipe", "--yes"]).finish().must_end_with(0);
    look(browser, &relay, &its_words);
    visit("no-conversation", browser);
}

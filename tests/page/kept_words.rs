//! Words that never leave the page, where script runs: its cryptography by known answers, and whole conversations, of
//! which everything that the page sends is looked at.

mod known_answers;

use kkv_protocol::reply_words::ReplyWords;
use kkv_protocol::v2::answers::sender::Replies;
use serde_json::Value;

use super::*;
use crate::answerable::{fetch, leave_answerable};

/// Keeps on every page what it sends: the path, and each field as text.
const RECORDS: &str = "
    window.sent = [];
    const real = window.fetch;
    window.fetch = (path, init) => {
        if (init?.body) sent.push([path, ...Array.from(init.body, ([name, value]) => [name, String(value)])]);
        return real(path, init);
    };
    HTMLFormElement.prototype.submit = () => sent.push(['natively']);";

/// A browser with script in which all that pages send is kept.
fn recording() -> Session {
    let browser = Session::start(Script::On);
    browser.on_every_page(RECORDS);
    browser
}

/// What this page has sent since it was opened.
fn sent(browser: &Session) -> Vec<Value> {
    let sent = browser.evaluate("return sent");
    sent.as_array().expect("a list").clone()
}

/// The names of the fields of what was sent, and that none has a word of the twelve in it.
fn names(sent: &Value, words: &str) -> Vec<String> {
    let [_, fields @ ..] = sent.as_array().expect("a list").as_slice() else {
        panic!("a path and fields: {sent}");
    };
    let fields = fields.iter().map(|field| {
        let [name, value] = [0, 1].map(|place| field[place].as_str().expect("text"));
        let value = value.to_lowercase();
        let stands = |word: &str| value.split_whitespace().any(|other| other == word);
        assert!(!words.split_whitespace().all(stands), "{sent}");
        name.to_owned()
    });
    fields.collect()
}

fn parsed(words: &str) -> ReplyWords {
    ReplyWords::parse(words).expect("the page's own")
}

/// What `kkvc` finds for these words.
fn found(relay: &Relay, words: &str) -> Vec<String> {
    let Replies::Box(_, answers) = fetch(relay.address(), parsed(words).entropy(), &[]) else {
        panic!("there is a box");
    };
    answers
        .iter()
        .map(|answer| answer.text.to_string())
        .collect()
}

fn reply(relay: &Relay, id: &str, text: &str) {
    let replied = relay.owner(["reply", id, "-m", text]).finish();
    replied.must_end_with(0);
}

fn must_say(browser: &Session, said: &str) {
    must_have_focus(browser, "error");
    let error = browser.find("#error").text();
    assert!(error.contains(said), "{error}");
}

#[test]
fn a_conversation_is_had_of_whose_words_the_relay_never_hears() {
    let relay = inbox("5");
    let browser = recording();
    open(&browser, &relay, Script::On);
    let its_words = words(&browser);
    write(&browser, HOSTILE);
    assert_eq!(heading(&browser), "Your message has arrived");
    assert_eq!(words(&browser), its_words, "shown before and after");
    assert!(
        browser
            .source()
            .contains("Your browser has made these words")
    );
    assert!(asks_who_leaves(&browser));
    let [first] = sent(&browser).try_into().expect("one form");
    let first = names(&first, &its_words);
    assert_eq!(
        first,
        ["box", "salt", "key", "form", "text", "file", "answer"]
    );
    assert_eq!(relay.text(1), HOSTILE);
    assert!(found(&relay, &its_words).is_empty(), "nothing yet");

    let answer = format!("{HOSTILE}{EMOJI}");
    reply(&relay, "1", &answer);
    reply(&relay, "1", "And another.");
    assert_eq!(found(&relay, &its_words), [&answer, "And another."]);
    let short: Vec<_> = its_words
        .split(' ')
        .map(|word| &word[..word.len().min(4)])
        .collect();
    look(&browser, &relay, &short.join(" ").to_uppercase());
    assert_eq!(heading(&browser), "Answer");
    let shown: Vec<_> = browser
        .all("pre")
        .iter()
        .map(|pre| pre.property("textContent"))
        .collect();
    assert_eq!(shown, [&super::shown(&answer), "And another."]);
    assert_eq!(browser.evaluate("return document.title"), "Answer");
    assert!(browser.all("pre *").is_empty(), "text, and no HTML");
    assert!(browser.find("article h2 span").text().ends_with(" UTC"));
    write(&browser, "And so on.");
    assert_eq!(heading(&browser), "Your message has arrived");
    assert_eq!(words(&browser), its_words);
    let [looked, back] = sent(&browser).try_into().expect("two forms");
    assert_eq!(names(&looked, &its_words), ["box"]);
    let back = names(&back, &its_words);
    let expected = [
        "box", "salt", "key", "seen", "seen", "form", "follows", "text", "file",
    ];
    assert_eq!(back, expected);
    assert_eq!(relay.text(2), "And so on.");
    let conversations: Vec<_> = relay
        .list()
        .iter()
        .map(|one| one["conversation"]["number"].clone())
        .collect();
    assert_eq!(conversations, [1, 1]);

    assert!(found(&relay, &its_words).is_empty(), "they were seen");
    reply(&relay, "2", "Once more.");
    look(&browser, &relay, &its_words);
    browser.find("#text").type_in("typed below");
    let file = relay.directory().join("chosen");
    std::fs::write(&file, "below").expect("there is room for it");
    browser.find("#file").type_in(file.to_str().expect("UTF-8"));
    delete(&browser);
    assert_eq!(heading(&browser), "The answers are deleted");
    assert_eq!(browser.find("#text").property("value"), "typed below");
    let chosen = "return document.getElementById('file').files[0].name";
    assert_eq!(browser.evaluate(chosen), "chosen");
    assert!(!browser.source().contains("Choose the files once more"));
    assert!(found(&relay, &its_words).is_empty());
    let [looked, deleted] = sent(&browser).try_into().expect("two forms");
    assert_eq!(names(&looked, &its_words), ["box"]);
    let deleted = names(&deleted, &its_words);
    assert_eq!(deleted, ["box", "seen", "form", "follows", "text"]);
    browser.must_have_kept_to(relay.address());
}

#[test]
fn words_of_kkvc_and_of_a_page_without_script_are_read_where_script_runs() {
    let relay = inbox("5");
    let of_kkvc = ReplyWords::generate(&mut rand::rng());
    leave_answerable(relay.address(), of_kkvc.entropy(), "By kkvc.");
    let without = Session::start(Script::Off);
    open(&without, &relay, Script::Off);
    let of_page = words(&without);
    write(&without, "Without script.");
    drop(without);
    let browser = recording();
    for (id, its_words) in [("1", &**of_kkvc.line()), ("2", &of_page)] {
        reply(&relay, id, "Read where script runs.");
        look(&browser, &relay, its_words);
        assert_eq!(browser.find("pre").text(), "Read where script runs.");
        let [looked] = sent(&browser).try_into().expect("one form");
        assert_eq!(names(&looked, its_words), ["box"]);
    }
    browser.must_have_kept_to(relay.address());
}

#[test]
fn a_message_or_a_file_with_its_words_is_refused_before_it_is_sent() {
    let relay = inbox("5");
    let browser = recording();
    open(&browser, &relay, Script::On);
    let its_words = words(&browser);
    let send = || browser.find("form:has(#text) button").click();
    browser.find("#text").type_in(&its_words.to_uppercase());
    send();
    must_say(&browser, "twelve words are in what you were about to send");
    browser.find("#text").clear();
    browser.find("#text").type_in("See the file.");
    let file = relay.directory().join("notes.txt");
    let notes = format!(
        "{}\n1. {}\n",
        "x ".repeat(5000),
        its_words.replace(' ', "\n2. ")
    );
    std::fs::write(&file, notes).expect("there is room for it");
    browser.find("#file").type_in(file.to_str().expect("UTF-8"));
    send();
    must_say(&browser, "twelve words are in what you were about to send");
    assert!(sent(&browser).is_empty() && relay.list().is_empty());
    std::fs::write(&file, "harmless").expect("there is room for it");
    browser.evaluate("document.getElementById('file').value = ''");
    browser.find("#file").type_in(file.to_str().expect("UTF-8"));
    browser.submit("form:has(#text) button");
    assert_eq!(heading(&browser), "Your message has arrived");
    assert_eq!(relay.list()[0]["files"][0]["name"], "notes.txt");
    browser.must_have_kept_to(relay.address());
}

#[test]
fn what_is_wrong_with_typed_words_is_said_in_the_page() {
    let relay = inbox("1");
    let browser = recording();
    browser.go(&at(&relay, "/words"));
    let right =
        parsed("abandon amount liar amount expire adjust cage candy arch gather drum buyer").line();
    for (typed, said) in [
        (right.replace("liar", "l<b>iar"), "“l” is not a word"),
        (right.replace("buyer", "buyers"), "“buyers” is not a word"),
        (right.replace(" buyer", ""), "these are 11"),
        (
            format!("{} about", ["abandon"; 11].join(" ")),
            "twelve words of another kind",
        ),
        (
            right.replace("adjust cage", "cage adjust"),
            "two that have changed places",
        ),
    ] {
        browser.find("#words").clear();
        browser.find("#words").type_in(&typed);
        browser.find("form button").click();
        until("what is wrong", || {
            let error = browser.text_of("#error").unwrap_or_default();
            error.contains(said)
        });
        must_have_focus(&browser, "error");
        assert_eq!(browser.find("#words").property("value"), typed);
    }
    assert!(sent(&browser).is_empty());
    browser.find("#words").clear();
    browser.find("#words").type_in(&right);
    browser.submit("form button");
    assert_eq!(heading(&browser), "There is nothing for these words here");
    browser.must_have_kept_to(relay.address());
}

#[test]
fn a_form_whose_answer_was_lost_is_sent_again_and_stored_once() {
    let relay = inbox("5");
    let browser = Session::start(Script::On);
    open(&browser, &relay, Script::On);
    let its_words = words(&browser);
    browser.evaluate(
        "const real = window.fetch;
         window.fetch = async (...asked) => { window.fetch = real; await real(...asked); throw new TypeError(); }",
    );
    browser.find("#text").type_in("once");
    browser.find("form:has(#text) button").click();
    until("that it is not known", || {
        let error = browser.text_of("#error").unwrap_or_default();
        error.contains("it isn't known whether that has arrived")
    });
    assert_eq!(browser.find("#text").property("value"), "once");
    browser.submit("form:has(#text) button");
    assert_eq!(heading(&browser), "Your message has arrived");
    assert_eq!(words(&browser), its_words);
    assert_eq!(relay.list().len(), 1);
    reply(&relay, "1", "Yes.");
    assert_eq!(found(&relay, &its_words), ["Yes."]);
}

#[test]
fn without_the_list_the_relays_words_stay_and_without_an_answer_there_are_none() {
    let relay = inbox("5");
    let browser = Session::start(Script::On);
    open(&browser, &relay, Script::On);
    browser.find("[name=answer]").click();
    write(&browser, "No answer, please.");
    assert_eq!(heading(&browser), "Your message has arrived");
    assert!(browser.all(".words").is_empty());
    browser.reload();
    assert_eq!(heading(&browser), "Your message has arrived");
    assert!(relay.list()[0]["conversation"].is_null());

    browser.on_every_page(
        "const real = window.fetch; window.fetch = async () => { throw new TypeError(); };",
    );
    browser.go(&at(&relay, "/"));
    until("the relay's words", || {
        let shown = browser.text_of(".words").unwrap_or_default();
        shown.split(' ').count() == 12
    });
    let of_relay = words(&browser);
    write(&browser, "With the relay's words.");
    assert_eq!(heading(&browser), "Your message has arrived");
    assert_eq!(words(&browser), of_relay);
    reply(&relay, "2", "Yes.");
    assert_eq!(found(&relay, &of_relay), ["Yes."]);
}

#[test]
fn an_answer_that_does_not_open_hides_no_other_and_is_not_deleted() {
    let relay = inbox("5");
    let browser = Session::start(Script::On);
    open(&browser, &relay, Script::On);
    let its_words = words(&browser);
    browser.evaluate(
        "const real = window.fetch;
         window.fetch = (path, init) => { init.body.set('key', '11'.repeat(32)); return real(path, init); };",
    );
    write(&browser, "To be answered under a key of somebody else.");
    must_arrive(&browser);
    reply(&relay, "1", "Sealed for somebody else.");
    look(&browser, &relay, &its_words);
    let stays = "Your words don't open it";
    let article = browser.find("article").text();
    assert!(article.contains(stays), "{article}");
    assert!(browser.all("details").is_empty(), "nothing to delete");
    write(&browser, "Once more, please.");
    must_arrive(&browser);

    reply(&relay, "2", "It opens.");
    look(&browser, &relay, &its_words);
    let articles: Vec<_> = browser
        .all("article")
        .iter()
        .map(webdriver::Element::text)
        .collect();
    let [sealed, opened] = articles.try_into().expect("two answers");
    assert!(sealed.contains(stays), "{sealed}");
    assert!(opened.ends_with("It opens."), "{opened}");
    delete(&browser);
    let status = browser.find("[role=status]").text();
    assert_eq!(status, "The answers are deleted.");
    assert!(browser.find("article").text().contains(stays));
    assert!(browser.all("pre").is_empty());
    browser.must_have_kept_to(relay.address());
}

#[test]
fn words_that_somebody_may_have_written_down_never_change() {
    let relay = inbox("1");
    let browser = Session::start(Script::On);
    // When script comes, the twenty seconds are over for which they don't show.
    browser.on_every_page(
        "const real = window.getComputedStyle; \
         window.getComputedStyle = (one) => { \
             window.before = real(one).visibility; \
             document.getAnimations().forEach((one) => one.finish()); \
             return real(one); \
         };",
    );
    browser.go(&at(&relay, "/"));
    until("script", || {
        browser.evaluate("return window.before") == "hidden"
    });
    let of_relay = words(&browser);
    write(&browser, "With the relay's words.");
    must_arrive(&browser);
    assert_eq!(words(&browser), of_relay);
    reply(&relay, "1", "Yes.");
    assert_eq!(found(&relay, &of_relay), ["Yes."]);
}

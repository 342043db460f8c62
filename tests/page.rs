//! The page for browsers, in a real one: Chromium, driven by WebDriver. Everything is done with script on and with
//! script off; and what the browser's own log says of it is looked at, too: no error, nothing that the policy
//! refused, and no other host.

mod accessible;
mod axe;
mod each;
mod kept_words;
mod line;
#[cfg(feature = "embedded-tor")]
mod lookout;
mod paid;
mod pictures;
#[cfg(feature = "embedded-tor")]
mod tor_browser;
mod uploads;
mod webdriver;

use crate::programs::{Relay, until};
use webdriver::{Key, Script, Session};

/// What no page may take for markup, and no script turn round.
const HOSTILE: &str = "<b>bold</b> & \"quoted\" </textarea><script>document.title='owned'</script> שלום \u{202e}abc ♥\nline 2";

/// The driver types no characters like this one.
const EMOJI: &str = " 👩‍👩‍👧";

const BOTH: [Script; 2] = [Script::On, Script::Off];

fn inbox(free: &str) -> Relay {
    Relay::start(&["--page", "--page-free", free])
}

fn at(relay: &Relay, path: &str) -> String {
    format!("http://{}{path}", relay.address())
}

/// Opens the page to write on. Where script runs, it has made the words by then.
fn open(browser: &Session, relay: &Relay, script: Script) {
    browser.go(&at(relay, "/"));
    if script == Script::On {
        until("words that the page has made", || {
            let said = browser.text_of("#seized").unwrap_or_default();
            said.starts_with("Your twelve words stay in this browser")
        });
    }
}

fn write(browser: &Session, text: &str) {
    browser.find("#text").type_in(text);
    browser.submit("form:has(#text) button");
}

/// The twelve words that the page shows.
fn words(browser: &Session) -> String {
    let words = browser.find(".words").text();
    assert_eq!(words.split_whitespace().count(), 12, "{words}");
    words
}

/// Whether who leaves the page is asked first.
fn asks_who_leaves(browser: &Session) -> bool {
    let asked = "return !dispatchEvent(new Event('beforeunload', { cancelable: true }))";
    browser.evaluate(asked) == true
}

/// Browsers move the focus when they show a page, not when it is there.
fn must_have_focus(browser: &Session, id: &str) {
    until("the focus", || {
        browser.evaluate("return document.activeElement?.id") == id
    });
}

fn must_arrive(browser: &Session) {
    let arrived = "Your message has arrived";
    until("the page that it has arrived", || {
        browser.text_of("h1").as_deref() == Some(arrived)
    });
}

/// An answer as the page shows it.
fn shown(answer: &str) -> String {
    answer.replace('\u{202e}', "<U+202E>")
}

/// Deletes the answers that are shown, which is asked first.
fn delete(browser: &Session) {
    browser.find("summary").click();
    browser.submit("details button");
}

fn heading(browser: &Session) -> String {
    browser.find("h1").text()
}

fn look(browser: &Session, relay: &Relay, words: &str) {
    browser.go(&at(relay, "/words"));
    browser.find("#words").type_in(words);
    browser.submit("form button");
}

#[test]
fn a_message_is_written_answered_and_written_back_to_with_and_without_script() {
    for script in BOTH {
        let relay = inbox("5");
        let browser = Session::start(script);
        open(&browser, &relay, script);
        let before = words(&browser);
        write(&browser, HOSTILE);
        assert_eq!(heading(&browser), "Your message has arrived");
        assert_eq!(words(&browser), before, "shown before and after");
        let list = relay.list();
        assert_eq!(list.len(), 1, "{list:?}");
        assert_eq!(
            (&list[0]["suite"], list[0]["sender"].is_null()),
            (&"web".into(), true)
        );
        assert_eq!(relay.text(1), HOSTILE);

        look(&browser, &relay, &before.to_uppercase());
        assert_eq!(heading(&browser), "No new answer yet");
        let answer = format!("\n{HOSTILE}{EMOJI}");
        relay
            .owner(["reply", "1", "-m", &answer])
            .finish()
            .must_end_with(0);
        look(&browser, &relay, &before);
        assert_eq!(heading(&browser), "Answer");
        assert_eq!(browser.find("pre").property("textContent"), shown(&answer));

        write(&browser, "And so on.");
        assert_eq!(heading(&browser), "Your message has arrived");
        assert_eq!(relay.text(2), "And so on.");
        look(&browser, &relay, &before);
        assert_eq!(heading(&browser), "No new answer yet", "it was seen");
        assert_eq!(browser.all("li").len(), 2);
        relay
            .owner(["reply", "2", "-m", "Once more."])
            .finish()
            .must_end_with(0);
        look(&browser, &relay, &before);
        // Who is asked, and doesn't go on, has deleted nothing.
        browser.find("#text").type_in(HOSTILE);
        browser.find("summary").click();
        let asked = browser.find("details p").text();
        assert!(asked.contains("What you have typed stays"), "{asked}");
        browser.find("summary").click();
        delete(&browser);
        assert_eq!(heading(&browser), "The answers are deleted");
        assert_eq!(browser.find("#text").property("value"), HOSTILE);
        assert!(browser.all("details").is_empty());
        browser.submit("form button");
        must_arrive(&browser);
        assert_eq!(relay.text(3), HOSTILE);
        browser.must_have_kept_to(relay.address());
    }
}

#[test]
fn a_form_that_is_sent_more_than_once_brings_one_message() {
    for script in BOTH {
        let relay = inbox("5");
        let browser = Session::start(script);
        open(&browser, &relay, script);
        browser.find("#text").type_in("once");
        browser.find("form button").double_click();
        must_arrive(&browser);
        let shown = words(&browser);
        if script == Script::On {
            // Nobody else has the words, so who leaves is asked first; and then the page is another, and says so.
            assert!(asks_who_leaves(&browser));
            browser.reload();
            until("words that the page has made", || {
                browser.text_of("#words-heading").as_deref() == Some("Twelve new words")
            });
            assert_eq!(heading(&browser), "A new message, with new words");
            let said = browser.find("[role=status]").text();
            assert!(
                said.contains("don't open the answer to what you have sent"),
                "{said}"
            );
            assert_ne!(words(&browser), shown);
            browser.submit("nav a");
            open(&browser, &relay, script);
            assert_eq!(heading(&browser), "Leave a message");
        } else {
            browser.reload();
            assert_eq!(
                (heading(&browser).as_str(), words(&browser)),
                ("Your message has arrived", shown)
            );
            // Back: another form, so what is written there is another message.
            browser.back();
        }
        assert_eq!(relay.list().len(), 1);
        write(&browser, "twice");
        assert_eq!(relay.list().len(), 2);

        let first = browser.window();
        open(&browser, &relay, script);
        let second = browser.open_tab();
        open(&browser, &relay, script);
        let of_second = words(&browser);
        browser.switch_to(&first);
        assert_ne!(words(&browser), of_second, "each tab has words of its own");
        write(&browser, "from the first tab");
        browser.switch_to(&second);
        write(&browser, "from the second tab");
        assert_eq!(words(&browser), of_second);
        assert_eq!(relay.list().len(), 4);
        browser.must_have_kept_to(relay.address());
    }
}

#[test]
fn an_error_takes_the_focus_and_loses_nothing() {
    for script in BOTH {
        let relay = inbox("1");
        let browser = Session::start(script);
        open(&browser, &relay, script);
        let words = words(&browser);
        let typed = format!("My words are {words}.");
        browser.find("#text").type_in(&typed);
        browser.find("form button").click();
        must_have_focus(&browser, "error");
        assert!(
            browser
                .find("#error")
                .text()
                .contains("twelve words are in what"),
            "{}",
            browser.source()
        );
        assert_eq!(browser.find("#text").property("value"), typed);
        browser.find("#text").clear();
        write(&browser, "Now without.");
        assert_eq!(heading(&browser), "Your message has arrived");
        assert_eq!(relay.text(1), "Now without.");

        browser.go(&at(&relay, "/words"));
        browser
            .find("#words")
            .type_in("twelve words that are not any");
        browser.find("form button").click();
        must_have_focus(&browser, "error");
        assert_eq!(
            browser.find("#words").property("value"),
            "twelve words that are not any"
        );
        browser.must_have_kept_to(relay.address());
    }
}

#[test]
fn files_are_chosen_and_arrive_whole() {
    let relay = inbox("2");
    let browser = Session::start(Script::Off);
    let photo = relay.directory().join("a photo, \"of\" ü.jpg");
    let bytes: Vec<u8> = (0..700_000_u32).map(|i| (i % 253) as u8).collect();
    std::fs::write(&photo, &bytes).expect("there is room for it");
    browser.go(&at(&relay, "/"));
    browser
        .find("#file")
        .type_in(photo.to_str().expect("UTF-8"));
    write(&browser, "See.");
    assert_eq!(
        heading(&browser),
        "Your message has arrived",
        "{}",
        browser.source()
    );
    let came = browser.find("main ul").text();
    let expected = "Text: 4 bytes\na photo, \"of\" ü.jpg: 700,000 bytes";
    assert_eq!(came, expected);
    let list = relay.list();
    assert_eq!(list[0]["files"][0]["name"], "a photo, \"of\" ü.jpg");
    relay
        .owner(["save", "1", "-o", "saved"])
        .finish()
        .must_end_with(0);
    let saved = std::fs::read(relay.directory().join("saved")).expect("it was saved");
    assert!(saved == bytes);
    browser.must_have_kept_to(relay.address());
}

#[test]
fn an_invitation_is_asked_for_before_anything_is_typed_and_pasted_into_its_field() {
    let relay = Relay::start(&["--page"]);
    let made = relay.owner(["invite", "--json"]).finish().json();
    let link = made["link"].as_str().expect("a link");
    let browser = Session::start(Script::Off);
    browser.go(&at(&relay, "/"));
    assert!(browser.source().contains("you need an invitation"));
    browser.find("#invitation").type_in("w5jy.onion+mistyped");
    write(&browser, "Hello.");
    must_have_focus(&browser, "error");
    assert_eq!(
        browser.find("#invitation").property("value"),
        "w5jy.onion+mistyped"
    );
    browser.find("#invitation").clear();
    browser.find("#invitation").type_in(link);
    browser.submit("form button");
    assert_eq!(heading(&browser), "Your message has arrived");
    assert_eq!(relay.text(1), "Hello.");
}

/// Of an inbox that lets in by invitation alone: a message that has used up its own, and its words.
fn invited(browser: &Session, relay: &Relay, script: Script) -> String {
    let made = relay.owner(["invite", "--json"]).finish().json();
    open(browser, relay, script);
    browser
        .find("#invitation")
        .type_in(made["link"].as_str().expect("a link"));
    let its_words = words(browser);
    write(browser, "Hello.");
    must_arrive(browser);
    its_words
}

#[test]
fn who_was_answered_writes_back_without_an_invitation() {
    for script in BOTH {
        let relay = Relay::start(&["--page", "--read-receipts"]);
        let browser = Session::start(script);
        let its_words = invited(&browser, &relay, script);
        look(&browser, &relay, &its_words);
        assert_eq!(browser.all("#invitation").len(), 1);
        assert!(browser.find("li").text().ends_with("waits to be read"));
        for (number, files) in [(2, false), (3, true)] {
            relay
                .owner(["reply", "1", "-m", "Which department?"])
                .finish()
                .must_end_with(0);
            look(&browser, &relay, &its_words);
            assert_eq!(heading(&browser), "Answer");
            let needs = browser.find("#needs").text();
            assert!(needs.contains("without an invitation"), "{needs}");
            assert!(browser.find("li").text().ends_with("was answered"));
            assert!(browser.all("#invitation").is_empty());
            if files {
                let file = relay.directory().join("plan");
                std::fs::write(&file, "of it").expect("there is room for it");
                browser.find("#file").type_in(file.to_str().expect("UTF-8"));
            }
            write(&browser, "The third.");
            must_arrive(&browser);
            assert_eq!(relay.list().len(), number);
        }
        look(&browser, &relay, &its_words);
        assert_eq!(browser.all("#invitation").len(), 1, "both are used up");
        browser.must_have_kept_to(relay.address());
    }
}

#[test]
fn a_conversation_that_is_over_is_said_to_be_whatever_the_invitation_is() {
    for script in BOTH {
        let relay = Relay::start(&["--page"]);
        let browser = Session::start(script);
        let its_words = invited(&browser, &relay, script);
        look(&browser, &relay, &its_words);
        browser.find("#invitation").type_in("of before");
        relay.owner(["wipe", "--yes"]).finish().must_end_with(0);
        write(&browser, "Too late.");
        must_have_focus(&browser, "error");
        let said = browser.find("#error").text();
        assert!(
            said.contains("conversation of these words is over"),
            "{said}"
        );
        assert_eq!(browser.find("#text").property("value"), "Too late.");
        browser.must_have_kept_to(relay.address());
    }
}

#[test]
fn who_meets_a_full_inbox_keeps_what_was_typed_and_is_told_what_to_do() {
    for script in BOTH {
        let only_slot = ["-m", "1", "--max-bytes", "0"];
        let relay = Relay::start(&[&["--page", "--page-free", "5"][..], &only_slot].concat());
        let browser = Session::start(script);
        open(&browser, &relay, script);
        relay.deliver(b"It takes the only slot.");
        write(&browser, "Too late.");
        must_have_focus(&browser, "error");
        let said = browser.find("#error").text();
        assert!(
            said.contains("Leave it open and press Send again"),
            "{said}"
        );
        let needs = browser.find("#needs").text();
        assert!(needs.contains("As soon as there is room"), "{needs}");
        assert_eq!(browser.find("#text").property("value"), "Too late.");
        let deleted = relay.owner(["delete", "1", "--yes"]).finish();
        deleted.must_end_with(0);
        browser.submit("form button");
        must_arrive(&browser);
        assert_eq!(relay.text(2), "Too late.");
        browser.must_have_kept_to(relay.address());
    }
}

#[test]
fn an_empty_file_is_not_sent() {
    for script in BOTH {
        let relay = inbox("1");
        let browser = Session::start(script);
        open(&browser, &relay, script);
        let file = relay.directory().join("empty");
        std::fs::write(&file, "").expect("there is room for it");
        browser.find("#file").type_in(file.to_str().expect("UTF-8"));
        browser.find("#text").type_in("See.");
        browser.find("form button").click();
        must_have_focus(&browser, "error");
        let said = browser.find("#error").text();
        assert!(
            said.contains("A file that you have chosen is empty"),
            "{said}"
        );
        assert_eq!(browser.find("#text").property("value"), "See.");
        assert!(relay.list().is_empty());
        browser.must_have_kept_to(relay.address());
    }
}

/// Who comes back for an answer may take the first field for the place of the words.
#[test]
fn the_words_of_another_conversation_are_no_message_and_the_way_to_its_answer_stands_first() {
    const OTHERS: &str =
        "abandon amount liar amount expire adjust cage candy arch gather drum buyer";
    for script in BOTH {
        let relay = inbox("1");
        let browser = Session::start(script);
        open(&browser, &relay, script);
        let first = browser.all("a, textarea, button").into_iter().next();
        assert_eq!(first.expect("a link").text(), "Read an answer");
        browser.find("#text").type_in(OTHERS);
        browser.find("form button").click();
        must_have_focus(&browser, "error");
        let said = browser.find("#error").text();
        assert!(
            said.contains("There are twelve reply words in your message"),
            "{said}"
        );
        assert_eq!(browser.find("#text").property("value"), OTHERS);
        assert!(relay.list().is_empty());
        if script == Script::On {
            let sent = "return performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/'))";
            assert_eq!(browser.evaluate(sent), false, "it was found in the page");
        }
        browser.submit("nav a");
        assert_eq!(heading(&browser), "Read an answer");
        browser.must_have_kept_to(relay.address());
    }
}

#[test]
fn who_leaves_what_was_typed_is_asked_first_and_who_sends_it_is_not() {
    let relay = inbox("2");
    let browser = Session::start(Script::On);
    open(&browser, &relay, Script::On);
    assert!(!asks_who_leaves(&browser));
    browser.find("#text").type_in("kept nowhere");
    assert!(asks_who_leaves(&browser));
    browser.find("#text").clear();
    assert!(!asks_who_leaves(&browser));
    let file = relay.directory().join("plan");
    std::fs::write(&file, "of it").expect("there is room for it");
    browser.find("#file").type_in(file.to_str().expect("UTF-8"));
    assert!(asks_who_leaves(&browser));
    // The browser itself sends a form to which no answer is wanted, and doesn't ask.
    browser.evaluate("document.getElementById('file').value = ''");
    browser.find("[name=answer]").click();
    browser.find("#text").type_in("No answer, please.");
    let asked = "addEventListener('beforeunload', (event) => { sessionStorage.asked = event.defaultPrevented; })";
    browser.evaluate(asked);
    browser.submit("form button");
    must_arrive(&browser);
    assert_eq!(browser.evaluate("return sessionStorage.asked"), "false");
    assert!(!asks_who_leaves(&browser));
    browser.must_have_kept_to(relay.address());
}

#[test]
fn all_of_it_is_done_with_the_keyboard_alone() {
    let relay = inbox("1");
    let browser = Session::start(Script::Off);
    browser.go(&at(&relay, "/"));
    let order = ["", "text", "file", "", "", ""];
    for id in order {
        browser.press(&[Key::Tab]);
        assert_eq!(browser.active().property("id"), id);
        if id == "text" {
            browser.active().type_in("Typed.");
        }
    }
    assert_eq!(browser.active().text(), "Send");
    browser.press(&[Key::Enter]);
    must_arrive(&browser);
    assert_eq!(relay.text(1), "Typed.");
    let status = relay.owner(["status"]).finish().must_end_with(0);
    let said = status.stdout_text();
    assert!(said.contains("0 of 1 places for others"), "{said}");
}

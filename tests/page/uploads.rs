//! Files, where script runs: they come in pieces before their form, over lines that break, and are the same in the end.

use std::path::PathBuf;

use super::line::{Fault, Line};
use super::*;

/// Together a little less than 1 MiB.
const SIZES: [usize; 2] = [700_000, 330_000];

/// Two files of the sender's, in a directory of the test.
struct Files([(PathBuf, Vec<u8>); 2]);

impl Files {
    fn of(relay: &Relay) -> Self {
        let mut all = [("a photo, \"of\" ü.jpg", SIZES[0]), ("b", SIZES[1])].map(|(name, size)| {
            let bytes: Vec<u8> = (0..size).map(|i| (i % 253) as u8).collect();
            (relay.directory().join(name), bytes)
        });
        all[1].1.reverse();
        for (path, bytes) in &all {
            std::fs::write(path, bytes).expect("there is room for it");
        }
        Self(all)
    }

    fn choose(&self, browser: &Session) {
        let [one, other] = self
            .0
            .each_ref()
            .map(|(path, _)| path.to_str().expect("UTF-8"));
        browser.find("#file").type_in(&format!("{one}\n{other}"));
    }

    /// The owner saves them, and they are what was sent.
    fn must_have_arrived(&self, relay: &Relay) {
        let list = relay.list();
        assert_eq!(list.len(), 1, "{list:?}");
        let id = list[0]["id"].to_string();
        for (number, (path, bytes)) in (1..).zip(&self.0) {
            let name = path.file_name().expect("it has one").to_str();
            assert_eq!(list[0]["files"][number - 1]["name"].as_str(), name);
            let saved = format!("saved {number}");
            let save = ["save", &id, &number.to_string(), "-o", &saved].map(str::to_owned);
            relay.owner(save).finish().must_end_with(0);
            let saved = std::fs::read(relay.directory().join(saved)).expect("it was saved");
            assert!(saved == *bytes, "{number}");
        }
    }
}

fn status(browser: &Session) -> String {
    browser.text_of("#upload-status").unwrap_or_default()
}

fn reserved(relay: &Relay) -> u64 {
    let status = relay.owner(["status", "--json"]).finish().json();
    let bytes = &status["room"]["reserved"];
    bytes.as_u64().unwrap_or_else(|| panic!("{status}"))
}

fn press_send(browser: &Session) {
    browser.find("form:has(#text) button").click();
}

#[test]
fn files_are_sent_in_pieces_and_arrive_whole() {
    let relay = inbox("1");
    let files = Files::of(&relay);
    let browser = Session::start(Script::On);
    open(&browser, &relay, Script::On);
    files.choose(&browser);
    browser.find("#text").type_in("See.");
    browser.find("form:has(#text) button").double_click();
    must_arrive(&browser);
    assert_eq!(relay.text(1), "See.");
    let came = browser.find("#came").text();
    let expected = "Text: 4 bytes\na photo, \"of\" ü.jpg: 700,000 bytes\nb: 330,000 bytes";
    assert_eq!(came, expected);
    files.must_have_arrived(&relay);
    let pieces =
        browser.evaluate("return performance.getEntriesByName(location.origin + '/piece').length");
    assert_eq!(pieces, 16, "1,030,000 bytes by 65,480");
    assert_eq!(reserved(&relay), 0);
    browser.must_have_kept_to(relay.address());
}

#[test]
fn a_line_that_is_cut_is_waited_for_and_what_was_acknowledged_not_sent_again() {
    let relay = inbox("1");
    let files = Files::of(&relay);
    let line = Line::to(relay.address().parse().expect("an address"));
    let browser = Session::through(line.port());
    open(&browser, &relay, Script::On);
    files.choose(&browser);
    browser.find("#text").type_in("See.");
    line.fails_after(500_000, Fault::Cut);
    press_send(&browser);
    until("the cut", || line.has_failed());
    until("how far it is", || {
        status(&browser).contains(" of 1,030 kilobytes have arrived")
    });
    assert!(relay.list().is_empty());
    line.mend();
    must_arrive(&browser);
    files.must_have_arrived(&relay);
    // Three pieces were on their way.
    let all = SIZES.iter().sum::<usize>() as u64;
    assert!(
        line.passed() < all + 4 * 65_536 + 32_768,
        "{}",
        line.passed()
    );
}

#[test]
fn who_cancels_loses_nothing_and_holds_nothing() {
    let relay = inbox("1");
    let files = Files::of(&relay);
    let line = Line::to(relay.address().parse().expect("an address"));
    let browser = Session::through(line.port());
    open(&browser, &relay, Script::On);
    files.choose(&browser);
    browser.find("#text").type_in("kept");
    line.fails_after(400_000, Fault::Hangs);
    press_send(&browser);
    until("how far it is", || {
        status(&browser).contains(" kilobytes have arrived")
    });
    assert!(asks_who_leaves(&browser));
    assert_eq!(browser.active().property("id"), "upload-cancel");
    assert_eq!(reserved(&relay), 1 << 20);
    browser.find("#upload-cancel").click();
    assert!(
        status(&browser).starts_with("Cancelled."),
        "{}",
        status(&browser)
    );
    assert_eq!(browser.active().text(), "Send");
    assert_eq!(browser.find("#text").property("value"), "kept");
    line.mend();
    until("the memory", || reserved(&relay) == 0);
    press_send(&browser);
    must_arrive(&browser);
    files.must_have_arrived(&relay);
}

#[test]
fn files_need_not_be_chosen_again_after_an_error() {
    let relay = inbox("2"); // one is free when it goes on
    let files = Files::of(&relay);
    let browser = Session::start(Script::On);
    open(&browser, &relay, Script::On);
    let words = words(&browser);
    write(&browser, "The first.");
    look(&browser, &relay, &words);
    // The conversation is over before the next message of it comes.
    relay.owner(["wipe", "--yes"]).finish().must_end_with(0);
    files.choose(&browser);
    write(&browser, "And the files.");
    must_have_focus(&browser, "error");
    let kept = browser.find("#uploaded").text();
    assert!(kept.contains("a photo, \"of\" ü.jpg, b"), "{kept}");
    assert!(!browser.source().contains("Choose the files once more"));
    browser.submit("form:has(#text) button");
    assert_eq!(heading(&browser), "Your message has arrived");
    let came = browser.find("#came").text();
    assert!(came.ends_with("b: 330,000 bytes"), "{came}");
    files.must_have_arrived(&relay);
    browser.must_have_kept_to(relay.address());
}

#[test]
fn the_words_in_a_file_are_found_before_it_is_sent() {
    let relay = inbox("1");
    let browser = Session::start(Script::On);
    open(&browser, &relay, Script::On);
    let file = relay.directory().join("mine");
    std::fs::write(&file, words(&browser)).expect("there is room for it");
    browser.find("#file").type_in(file.to_str().expect("UTF-8"));
    press_send(&browser);
    must_have_focus(&browser, "error");
    let said = browser.find("#error").text();
    assert!(said.contains("twelve words are in what"), "{said}");
    let sent = "return performance.getEntriesByName(location.origin + '/upload').length";
    assert_eq!(browser.evaluate(sent), 0);
    browser.must_have_kept_to(relay.address());
}

#[test]
fn files_are_paid_for_by_their_size_before_they_are_sent() {
    let relay = Relay::start(&["--page", "-c", "8"]);
    let files = Files::of(&relay);
    let browser = Session::start(Script::On);
    open(&browser, &relay, Script::On);
    until("the offer to pay", || {
        let needs = browser.text_of("#needs").unwrap_or_default();
        needs.contains("you need no invitation if your computer pays")
    });
    files.choose(&browser);
    browser.find("#text").type_in("See.");
    press_send(&browser);
    must_arrive(&browser);
    files.must_have_arrived(&relay);
    assert_eq!(relay.list()[0]["cost"], 12);
    browser.must_have_kept_to(relay.address());
}

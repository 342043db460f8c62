//! The pages for those who see little, or nothing, or use no mouse (WCAG 2.2, level AA, as far as a machine can tell).
//! Each check names its success criterion.

use super::each::{each, paying, to_pay};
use super::webdriver::{Colours, Key, Script, Session};
use super::{HOSTILE, at, inbox, look, must_have_focus, words};
use crate::programs::{Relay, until};

/// What is wrong with a page as a tree, in words: nothing, if it is right.
const TREE: &str = "
    const wrong = [];
    const named = (element) => element.outerHTML.slice(0, 120);
    const shown = (selector) => [...document.querySelectorAll(selector)].filter((found) => found.checkVisibility());
    const root = document.documentElement;
    if (!root.lang) wrong.push('3.1.1: no language');
    if (!document.title.trim()) wrong.push('2.4.2: no title');
    if (document.querySelectorAll('h1').length !== 1) wrong.push('1.3.1: not one h1');
    if (document.querySelectorAll('main').length !== 1) wrong.push('1.3.1: not one main');
    const zoom = document.querySelector('meta[name=viewport]').content;
    if (/user-scalable|maximum-scale/.test(zoom)) wrong.push('1.4.4: no zoom');
    let level = 0;
    for (const heading of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
        const next = Number(heading.tagName[1]);
        if (next > level + 1) wrong.push('1.3.1: a level is left out before ' + named(heading));
        if (!heading.innerText.trim()) wrong.push('2.4.6: an empty heading');
        level = next;
    }
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    if (new Set(ids).size !== ids.length) wrong.push('1.3.1: an id twice in ' + ids);
    for (const name of ['aria-describedby', 'aria-labelledby']) {
        for (const element of shown(`[${name}]`)) {
            const said = document.getElementById(element.getAttribute(name))?.innerText.trim();
            if (!said) wrong.push('1.3.1: nothing says ' + name + ' of ' + named(element));
        }
    }
    const fields = 'input:not([type=hidden]), textarea, select';
    for (const field of shown(fields)) {
        const said = [...field.labels].map((label) => label.innerText).join('').trim();
        if (!said) wrong.push('3.3.2: no label for ' + named(field));
    }
    const regions = shown('section[aria-labelledby]').map((section) => section.getAttribute('aria-labelledby'));
    const names = regions.map((id) => document.getElementById(id)?.innerText);
    if (new Set(names).size !== names.length) wrong.push('2.4.1: regions of one name: ' + names);
    for (const control of shown('button, a')) {
        if (!control.innerText.trim()) wrong.push('4.1.2: no name of ' + named(control));
        const box = control.getBoundingClientRect();
        const isInText = control.tagName === 'A';
        if (!isInText && box.height < 24) wrong.push('2.5.8: too small: ' + named(control));
    }
    for (const image of document.querySelectorAll('img:not([alt])')) {
        wrong.push('1.1.1: no text for ' + named(image));
    }
    return wrong;";

/// What can hardly be read in the colours that are set: text below 4.5 to 1 (1.4.3), edges of fields below 3 to 1
/// (1.4.11), by the formulas of WCAG 2.2.
const CONTRAST: &str = "
    const wrong = [];
    let seen = 0;
    const parsed = (colour) => {
        const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
        return { channels: [red, green, blue], alpha };
    };
    const luminance = ({ channels }) => {
        const [red, green, blue] = channels.map((channel) => {
            const value = channel / 255;
            return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const ratio = (one, other) => {
        const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = parsed(getComputedStyle(at).backgroundColor);
            if (colour.alpha === 1) return colour;
        }
        return parsed('rgb(255, 255, 255)');
    };
    for (const element of document.querySelectorAll('body *')) {
        if (!element.checkVisibility() || element.matches(':disabled')) continue;
        const style = getComputedStyle(element);
        const isField = element.matches('input:not([type=hidden]), textarea');
        const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (says || isField) {
            seen += 1;
            const found = ratio(parsed(style.color), ground(element));
            if (found < 4.5) wrong.push(`1.4.3: ${found} in ${element.outerHTML.slice(0, 120)}`);
        }
        if (isField && element.type !== 'checkbox') {
            const found = ratio(parsed(style.borderTopColor), ground(element.parentElement));
            if (found < 3) wrong.push(`1.4.11: ${found} around ${element.outerHTML.slice(0, 120)}`);
        }
    }
    if (seen < 3) wrong.push('nothing was looked at');
    return wrong;";

/// What is wider than the window, or than what it stands in (1.4.10).
const TOO_WIDE: &str = "
    const width = document.documentElement.clientWidth;
    return [...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > width + 1 || element.scrollWidth > width)
        .map((element) => element.outerHTML.slice(0, 120));";

/// As those set it for whom letters stand too close (1.4.12), and twice as large (1.4.4).
const SPACED: &str = "
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
        :root { font-size: 200%; }
        * { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
        p { margin-bottom: 2em !important; }`);
    document.adoptedStyleSheets = [sheet];";

/// From now on, keeps whatever a screen reader says by itself: what changes in a live region that was there before.
const LISTENS: &str = "
    window.said = [];
    new MutationObserver((changes) => {
        for (const { target } of changes) {
            const region = target.parentElement?.closest('[role=status], [role=alert]') ?? target.closest?.('[role=status]');
            if (region?.checkVisibility()) said.push(region.innerText);
        }
    }).observe(document, { subtree: true, childList: true, characterData: true });";

#[track_caller]
fn must_find_nothing(browser: &Session, name: &str, look: &str) {
    let found = browser.evaluate(look);
    let found = found.as_array().expect("a list");
    assert!(found.is_empty(), "{name}: {found:#?}");
}

#[test]
fn every_page_can_be_read_and_used_by_those_who_see_little_or_nothing() {
    each(|name, browser| {
        must_find_nothing(browser, name, TREE);
        for colours in Colours::BOTH {
            browser.set_colours(colours);
            must_find_nothing(browser, name, CONTRAST);
        }
        // A window of 1280 px at 200 % (1.4.4), and at 400 % (1.4.10).
        for width in [640, 320] {
            browser.resize(width, 800);
            must_find_nothing(browser, name, TOO_WIDE);
        }
        browser.resize(1280, 800);
        browser.evaluate(SPACED);
        must_find_nothing(browser, name, TOO_WIDE);
        browser.evaluate("document.adoptedStyleSheets = []");
    });
}

#[test]
fn what_is_written_from_right_to_left_is_shown_so() {
    const HEBREW: &str = "שלום, זו הודעה.";
    let relay = inbox("5");
    let browser = Session::start(Script::Off);
    browser.go(&at(&relay, "/"));
    let its_words = words(&browser);
    let direction = |selector: &str| {
        let style = format!("getComputedStyle(document.querySelector('{selector}'))");
        let found = browser.evaluate(&format!("return {style}.direction"));
        found.as_str().expect("a word").to_owned()
    };
    assert_eq!(direction("#text"), "ltr");
    browser.find("#text").type_in(HEBREW);
    assert_eq!(direction("#text"), "rtl");
    browser.submit("form:has(#text) button");
    for (answer, read) in [(HEBREW, "rtl"), (HOSTILE, "ltr")] {
        let replied = relay.owner(["reply", "1", "-m", answer]).finish();
        replied.must_end_with(0);
        look(&browser, &relay, &its_words);
        assert_eq!(direction("article:last-of-type pre"), read);
        assert_eq!(direction("h1"), "ltr", "and nothing around it");
    }
}

/// What the key Tab comes to on the page that is open, one after the other, as a screen reader says it.
fn stops(browser: &Session) -> Vec<String> {
    let mut stops = Vec::new();
    loop {
        browser.press(&[Key::Tab]);
        // 2.4.7 and 2.4.11: it has an outline, and is in the window.
        let found = browser.evaluate(
            "const element = document.activeElement;
             const style = getComputedStyle(element), box = element.getBoundingClientRect();
             return {
                 isOver: element === document.body,
                 outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
                 there: box.bottom > 0 && box.top < innerHeight,
                 what: element.outerHTML.slice(0, 120),
             };",
        );
        let stop = format!("{} {:?}", browser.active().role(), browser.active().label());
        if found["isOver"] == true || stops.first() == Some(&stop) {
            return stops;
        }
        let is_seen = found["outlined"] == true && found["there"] == true;
        assert!(is_seen, "{found}");
        stops.push(stop);
        assert!(stops.len() < 20, "{stops:?}");
    }
}

#[test]
fn the_focus_goes_through_a_page_in_its_order_and_is_seen() {
    let (free, paid) = (inbox("5"), Relay::start(&["--page", "-c", "20"]));
    let browser = Session::start(Script::On);
    browser.go(&at(&free, "/"));
    let form = [
        "link \"Read an answer\"",
        "textbox \"Your message\"",
        "button \"Files\"",
        "group \"Your twelve words\"",
        "checkbox \"I want to be able to read an answer\"",
        "button \"Send\"",
    ];
    assert_eq!(stops(&browser), form);
    browser.go(&at(&free, "/words"));
    let look = [
        "textbox \"Your twelve words\"",
        "button \"Look\"",
        "link \"Leave a message\"",
    ];
    assert_eq!(stops(&browser), look);
    to_pay(&browser, &paid);
    let invitation = "textbox \"Invitation (not needed if your computer pays)\"";
    let with_invitation = [&form[..1], &[invitation], &form[1..]].concat();
    assert_eq!(stops(&browser), with_invitation);
    paying(&browser);
    assert_eq!(browser.active().label(), "Cancel");
}

#[test]
fn what_happens_by_itself_is_said() {
    let relay = Relay::start(&["--page", "-c", "20"]);
    let browser = Session::start(Script::On);
    browser.on_every_page(LISTENS);
    let must_say = |what: &str| {
        until(what, || {
            let said = browser.evaluate("return said");
            let mut said = said.as_array().expect("a list").iter();
            said.any(|said| said.as_str().is_some_and(|said| said.contains(what)))
        });
    };
    to_pay(&browser, &relay);
    must_say("if your computer pays");
    browser.find("form:has(#text) button").click();
    must_have_focus(&browser, "error");
    let error = browser.find("#error");
    assert_eq!(error.role(), "alert");
    assert!(error.text().contains("There is nothing in it"));
    paying(&browser);
    must_say("Your computer pays: 0 of"); // 16 parts, or 4 of PBKDF2, whichever is sooner done
    browser.find("#pay-cancel").click();
    must_say("Cancelled.");
}

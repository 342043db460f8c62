//! Screens with little room: nothing is done that is not seen, and what is told or written can be read.

use crossterm::event::{KeyCode, KeyModifiers};

use super::*;
use crate::tui::app::bindings::bindings;
use crate::tui::state::inbox::tests::{listed, summary};
use kkv_ui::error::{CliError, Exit};

fn paste(app: &mut App, text: &str) {
    app.input(Input::Paste(Zeroizing::new(text.to_owned())));
}

fn named(app: &mut App, code: KeyCode) {
    app.input(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)));
}

#[test]
fn where_nothing_is_seen_no_key_does_anything() {
    let mut app = app(1..=3);
    assert!(screen(&mut app, 30, 6).contains("more room"));
    assert!(press(&mut app, "dyDyy\ncqy").is_empty());
    assert!(screen(&mut app, 80, 24).contains("Enter read"));
    assert!(app.questions.is_empty() && app.composer.is_none());
    assert_eq!(press(&mut app, "dy").len(), 1);
    // But one can leave, if nothing is lost by that.
    press(&mut app, "cx");
    assert!(!screen(&mut app, 30, 6).contains("leaves"));
    assert!(press(&mut app, "\x03").is_empty());
    screen(&mut app, 80, 24);
    press(&mut app, "\x15\x1b");
    assert!(screen(&mut app, 30, 6).contains("leaves"));
    assert!(matches!(press(&mut app, "\x03")[..], [Effect::Quit]));
}

#[test]
fn a_question_that_has_no_room_is_not_answered_with_yes() {
    let mut app = app(1..=1);
    press(&mut app, "aaAlice\t");
    paste(&mut app, ADDRESS);
    press(&mut app, "\t\nv");
    assert!(screen(&mut app, 40, 8).contains("Make the window larger"));
    press(&mut app, "y");
    assert!(!app.contacts.selected().unwrap().is_verified());
    app.update(Event::KeysRested);
    assert!(screen(&mut app, 80, 24).contains("y yes   n no"));
    press(&mut app, "y");
    assert!(app.contacts.selected().unwrap().is_verified());
    press(&mut app, "v");
    assert!(screen(&mut app, 40, 8).contains("Esc back"));
    press(&mut app, "n");
    assert!(app.contacts.selected().unwrap().is_verified());
    screen(&mut app, 80, 24);
    // Leaving the question says nothing of the words; a no does.
    press(&mut app, "v\x1b");
    assert!(app.contacts.selected().unwrap().is_verified());
    press(&mut app, "vn");
    assert!(!app.contacts.selected().unwrap().is_verified());
    assert!(screen(&mut app, 80, 24).contains("Alice is not verified any more"));
    press(&mut app, "vn");
    assert!(screen(&mut app, 80, 24).contains("Alice is not verified; if the words differ"));
}

#[test]
fn who_leaves_the_smallest_window_sees_all_that_is_lost() {
    for undelivered in 0..=12 {
        for under_way in 0..=undelivered {
            let mut app = app(1..=1);
            app.ask(Question::Quit {
                undelivered,
                under_way,
                awaited: 1,
                is_begun: undelivered == 0,
                writing: None,
            });
            app.update(Event::KeysRested);
            let shown = screen(&mut app, 40, 8);
            let all = shown.replace(['│', '\n'], " ");
            let all = all.split_whitespace().collect::<Vec<_>>().join(" ");
            for words in [
                "Leave? ",
                "answers may come.",
                "is lost then",
                "noted.",
                "y yes",
            ] {
                assert!(all.contains(words), "{words}: {shown}");
            }
            assert!(matches!(press(&mut app, "y")[..], [Effect::Quit]));
        }
    }
}

#[test]
fn the_line_that_is_written_in_is_seen() {
    let mut app = app(1..=1);
    press(&mut app, "aaAlice");
    assert!(screen(&mut app, 40, 10).contains("│Alice"));
    press(&mut app, "\t127.0.0.1");
    assert!(screen(&mut app, 40, 10).contains("│127.0.0.1"));
    press(&mut app, "\x1b\x1bcsomebody");
    assert!(screen(&mut app, 40, 8).contains("│somebody"));
    press(&mut app, "\tsomething");
    assert!(screen(&mut app, 40, 8).contains("│something"));
}

#[test]
fn what_is_told_is_seen_to_its_end() {
    let mut app = app(1..=1);
    let why = "nobody is there, and nothing was sent; ".repeat(3) + "the end";
    app.update(Event::Relay(RelayEvent::Failed(why)));
    assert!(screen(&mut app, 80, 24).contains("the end"));
}

#[test]
fn messages_that_have_come_above_are_counted() {
    let mut app = app(1..=3);
    assert!(!screen(&mut app, 80, 24).contains('↑'));
    let more = listed(1..=40);
    app.update(Event::Relay(RelayEvent::Listed(status(), more)));
    let shown = screen(&mut app, 80, 24);
    assert!(shown.contains(" 18 newer ↑  2 older ↓ "), "{shown}");
    press(&mut app, "g");
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains(" 20 older ↓ ") && !shown.contains('↑'),
        "{shown}"
    );
    press(&mut app, "G");
    assert!(!screen(&mut app, 80, 24).contains('↓'));
    // Beside the words at the top of the list, or not at all.
    press(&mut app, "g");
    for width in 40..120 {
        let shown = screen(&mut app, width, 24);
        assert!(
            shown.contains("   ID") && (width < 64 || shown.contains('↓')),
            "{shown}"
        );
    }
}

#[test]
fn the_keys_without_which_one_is_stuck_are_named_on_every_screen() {
    for (width, height) in [(80, 24), (60, 15), (40, 8)] {
        let keys = |app: &mut App| {
            let shown = screen(app, width, height);
            shown.lines().last().unwrap().to_owned()
        };
        let mut app = app(1..=3);
        let shown = keys(&mut app);
        assert!(
            shown.contains(" q quit ") && shown.contains(" Enter read "),
            "{shown}"
        );
        press(&mut app, "c");
        let shown = keys(&mut app);
        assert!(
            shown.contains(" Ctrl-S send ") && shown.contains(" Tab "),
            "{shown}"
        );
        press(&mut app, "\x1baa");
        let shown = keys(&mut app);
        assert!(
            shown.contains(" Ctrl-S save ") && shown.contains(" Tab "),
            "{shown}"
        );
        press(&mut app, "\x1b\x1b");
        let (what, hint, can_start) = (String::new(), String::new(), true);
        app.update(Event::Relay(RelayEvent::Unreachable {
            what,
            hint,
            can_start,
        }));
        let shown = keys(&mut app);
        assert!(
            shown.contains(" q quit ") && shown.contains(" s start "),
            "{shown}"
        );
    }
}

#[test]
fn a_long_text_is_gone_through_by_pages_to_both_ends_and_fills_what_room_there_is() {
    let mut app = app(1..=1);
    press(&mut app, "c");
    paste(&mut app, ADDRESS);
    press(&mut app, "\t");
    let lines: Vec<String> = (1..=60).map(|line| format!("line {line}")).collect();
    paste(&mut app, &lines.join("\n"));
    screen(&mut app, 80, 24);
    (0..8).for_each(|_| named(&mut app, KeyCode::PageUp));
    // What was marked is not what a letter takes the place of, somewhere else.
    let marks = KeyEvent::new(KeyCode::Right, KeyModifiers::SHIFT);
    app.input(Input::Key(marks));
    named(&mut app, KeyCode::PageDown);
    press(&mut app, "Z");
    (0..8).for_each(|_| named(&mut app, KeyCode::PageUp));
    named(&mut app, KeyCode::End);
    press(&mut app, "X");
    (0..8).for_each(|_| named(&mut app, KeyCode::PageDown));
    named(&mut app, KeyCode::End);
    press(&mut app, "Y");
    let text = app.composer.as_ref().unwrap().text();
    assert_eq!(text.lines().count(), 60);
    let mut written = text.lines();
    assert!(written.next().unwrap().contains('X') && written.last().unwrap().contains('Y'));
    let full = |shown: &str| shown.matches("line ").count();
    assert_eq!(full(&screen(&mut app, 80, 24)), 16);
    assert_eq!(full(&screen(&mut app, 40, 10)), 3);
    assert_eq!(full(&screen(&mut app, 160, 50)), 42);
    let mut app = at("\n", Screen::Message);
    arrives(&mut app, summary(3), &lines.join("\n"));
    assert_eq!(full(&screen(&mut app, 40, 8)), 3);
}

/// All places, each with the keys that lead there.
const PLACES: [(&str, Screen); 6] = [
    ("", Screen::Inbox),
    ("\n", Screen::Message),
    ("c", Screen::Composer),
    ("o", Screen::Outbox),
    ("a", Screen::Contacts),
    ("aa", Screen::ContactForm),
];

/// A client at this place, with a message picked in its list.
fn at(keys: &str, place: Screen) -> App {
    let mut app = app(1..=3);
    press(&mut app, " ");
    press(&mut app, keys);
    if place == Screen::Message {
        arrives(&mut app, summary(3), "a text");
    }
    assert_eq!(app.screen, place);
    app
}

/// Its words, however they are broken into lines.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn some_of_a_text_is_seen_beside_whatever_is_told_of_it() {
    for (width, height) in [(40, 8), (40, 10), (60, 15)] {
        let mut app = app(1..=1);
        arrives(&mut app, summary(1), &"https://example.org/ ".repeat(40));
        assert!(
            screen(&mut app, width, height).contains("│https://"),
            "{height}"
        );
        press(&mut app, "l");
        let shown = screen(&mut app, width, height);
        assert!(shown.contains("copied link 1 of 40"), "{shown}");
        assert!(shown.contains("│https://"), "{shown}");
    }
}

#[test]
fn the_way_back_is_named_on_every_screen_however_narrow() {
    for (keys, place) in PLACES {
        for (width, height) in [(160, 50), (80, 24), (60, 15), (40, 10), (40, 8)] {
            let shown = screen(&mut at(keys, place), width, height);
            let last = shown.lines().last().unwrap();
            assert!(last.contains(" Esc "), "{place:?}, {width}: {last}");
            assert!(
                last.contains(" ? ") || last.contains(" F1 "),
                "{place:?}, {width}: {last}"
            );
        }
    }
}

#[test]
fn all_of_the_page_of_keys_is_seen_however_small_the_screen_is() {
    for (keys, place) in PLACES {
        for (width, height) in [(160, 50), (80, 24), (60, 15), (40, 10), (40, 8)] {
            let mut app = at(keys, place);
            named(&mut app, KeyCode::F(1));
            let (mut lines, mut is_more) = (Vec::new(), true);
            while is_more {
                let shown = screen(&mut app, width, height);
                assert!(shown.contains(" Esc goes back "), "{shown}");
                is_more = shown.contains("more line");
                let corner = shown.lines().find_map(|line| line.split_once("┌ Keys"));
                let left = corner.expect("the page").0.chars().count();
                for line in shown.lines() {
                    let line = line.chars().skip(left + 1).take_while(|c| *c != '│');
                    let line: String = line.collect();
                    if !line.contains('─') && !lines.contains(&line) {
                        lines.push(line);
                    }
                }
                // Line by line, with any of the keys for it.
                if is_more {
                    named(&mut app, KeyCode::Down);
                    assert!(app.overlay.is_some());
                }
            }
            let seen = lines.concat();
            for binding in bindings(place) {
                let (seen, long) = (words(&seen), words(binding.long));
                assert!(
                    seen.contains(&long),
                    "{place:?}, {width}x{height}: {long} in {seen}"
                );
            }
            named(&mut app, KeyCode::Esc);
            assert!(app.overlay.is_none() && app.screen == place);
        }
    }
}

#[test]
fn a_page_of_keys_that_is_longer_than_the_screen_is_gone_through_and_left() {
    let mut app = app(1..=3);
    press(&mut app, "?");
    let first = screen(&mut app, 60, 15);
    assert!(first.contains("more lines"), "{first}");
    press(&mut app, " ");
    let second = screen(&mut app, 60, 15);
    assert!(second != first && app.overlay.is_some());
    press(&mut app, "k");
    assert!(screen(&mut app, 60, 15) != second);
    press(&mut app, "G");
    let end = screen(&mut app, 60, 15);
    assert!(
        end.contains("draw the screen anew") && !end.contains("more line"),
        "{end}"
    );
    press(&mut app, "g");
    assert_eq!(screen(&mut app, 60, 15), first);
    press(&mut app, "d");
    assert!(
        app.overlay.is_none() && app.questions.is_empty(),
        "it only goes back"
    );
    // Where all of it is seen, there is nothing to go on in.
    press(&mut app, "?");
    screen(&mut app, 100, 40);
    press(&mut app, "j");
    assert!(app.overlay.is_none());
}

#[test]
fn why_a_message_failed_is_read_to_its_end_however_small_the_screen_is() {
    for (width, height) in [(80, 24), (60, 15), (40, 10), (40, 8)] {
        let mut app = app(1..=1);
        let mut id = 0;
        for _ in 0..8 {
            id = sent(&mut app, "some words");
        }
        press(&mut app, "\x1bo");
        app.outbox.select(id);
        let failed = CliError::new(
            Exit::Unreachable,
            "nobody is there, ".repeat(9) + "the end of why",
        );
        app.update(Event::Delivery(DeliveryEvent::Failed(
            id,
            failed.hint("Try it again tomorrow."),
        )));
        let mut seen = String::new();
        for _ in 0..20 {
            seen += &words(&screen(&mut app, width, height).replace(['│', '"'], " "));
            named(&mut app, KeyCode::PageDown);
        }
        for words in [
            "the end of why",
            "Try it again tomorrow.",
            "Enter opens it.",
        ] {
            assert!(seen.contains(words), "{width}x{height}: {words} in {seen}");
        }
        assert!(!screen(&mut app, width, height).contains("more line"));
    }
}

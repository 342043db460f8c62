//! What commands do to messages: picked, copied, and asked for by letters of other keyboards.

use super::*;
use crate::tor::TorMode;
use crate::tui::state::inbox::tests::{listed, summary};

#[test]
fn the_address_that_is_copied_is_the_one_that_leads_here() {
    for (tor, onion, copied) in [
        (TorMode::Embedded, Some(ADDRESS), Some(ADDRESS)),
        (TorMode::Off, None, Some("127.0.0.1:45069")),
        (TorMode::External, None, None),
    ] {
        let mut status = status();
        (status.tor, status.onion) = (tor, onion.map(str::to_owned));
        let mut app = app(1..=1);
        app.update(Event::Relay(RelayEvent::Listed(status, listed([]))));
        let effects = press(&mut app, "y");
        let is = match &effects[..] {
            [Effect::Copy(text)] => Some(text.as_str()),
            _ => None,
        };
        assert_eq!(is, copied);
        assert!(app.note.is_some());
    }
}

#[test]
fn an_empty_inbox_says_who_can_fill_it() {
    for (tor, onion, lets_in, who) in [
        (
            TorMode::Embedded,
            Some(ADDRESS),
            None,
            "Whoever has your address can leave one; y copies it.",
        ),
        (
            TorMode::Embedded,
            Some(ADDRESS),
            Some(2),
            "Only whom you let in (--allow) can leave one; y copies",
        ),
        (
            TorMode::Off,
            None,
            None,
            "Whoever is on this machine can leave one; y copies the address.",
        ),
        (
            TorMode::External,
            None,
            None,
            "Whoever has your address can leave one.",
        ),
    ] {
        let mut status = status();
        (status.tor, status.onion, status.lets_in) = (tor, onion.map(str::to_owned), lets_in);
        let mut app = app(1..=1);
        app.update(Event::Relay(RelayEvent::Listed(status, listed([]))));
        let shown = screen(&mut app, 100, 24);
        assert!(shown.contains(who), "{who}: {shown}");
    }
}

#[test]
fn several_are_picked_marked_and_deleted_after_one_question_that_counts_them() {
    let mut app = app(1..=5);
    press(&mut app, "  j ");
    assert!(screen(&mut app, 100, 24).contains("+* "));
    let picked = |app: &App| app.inbox.picked().map(|m| m.id.0).collect::<Vec<_>>();
    assert_eq!(picked(&app), [5, 4, 2]);
    for width in [40, 80] {
        let shown = screen(&mut app, width, 24);
        assert!(
            shown.contains("3 picked: d delete, u mark, Esc none"),
            "{shown}"
        );
    }
    let effects = press(&mut app, "u");
    let ids = [MessageId(5), MessageId(4), MessageId(2)];
    assert!(matches!(&effects[..], [Effect::Mark(marked, true)] if *marked == ids));
    assert!(picked(&app).is_empty());
    // One that has gone meanwhile, or another relay's with the same number, is not picked.
    press(&mut app, "g  ");
    let left = listed(1..=4);
    app.update(Event::Relay(RelayEvent::Listed(status(), left)));
    assert_eq!(picked(&app), [4]);
    assert!(press(&mut app, " d").is_empty());
    assert!(screen(&mut app, 80, 24).contains("Delete 2 picked messages?"));
    assert!(press(&mut app, "n").is_empty());
    let effects = press(&mut app, "dy");
    let ids = [MessageId(4), MessageId(3)];
    assert!(matches!(&effects[..], [Effect::Delete(Delete::Ids(deleted))] if *deleted == ids));
    // Esc picks none, and then d is for the one that is selected.
    press(&mut app, "\x1bgd");
    assert!(screen(&mut app, 80, 24).contains("Delete message 4?"));
    press(&mut app, "n ");
    let mut another = status();
    another.relay = RelayId([9; 32]);
    let same_numbers = listed(1..=4);
    app.update(Event::Relay(RelayEvent::Listed(another, same_numbers)));
    assert!(picked(&app).is_empty());
}

#[test]
fn links_are_copied_whole_one_after_the_other_and_as_harmless_as_they_are_shown() {
    let mut app = app(1..=1);
    let long = format!("https://example.org/{}", "long/".repeat(40));
    let text = format!("See {long}, and (http://example.onion/x\u{1b}y).");
    arrives(&mut app, summary(1), &text);
    screen(&mut app, 80, 24);
    let copied = |app: &mut App| match &press(app, "l")[..] {
        [Effect::Copy(link)] => link.to_string(),
        effects => panic!("{effects:?}"),
    };
    assert_eq!(copied(&mut app), long);
    assert_eq!(copied(&mut app), "http://example.onion/x");
    assert!(screen(&mut app, 80, 24).contains("copied link 2 of 2"));
    assert_eq!(copied(&mut app), long);
    arrives(&mut app, summary(1), "none");
    assert!(press(&mut app, "l").is_empty());
    assert!(screen(&mut app, 80, 24).contains("there is no link"));
}

#[test]
fn letters_of_other_keyboards_are_keys_by_their_place_where_nothing_is_written() {
    // j, d and k in Russian, Greek and Hebrew.
    for (down, delete, up) in [('о', 'в', 'л'), ('ξ', 'δ', 'κ'), ('ח', 'ג', 'ל')] {
        let mut app = app(1..=3);
        press(&mut app, &down.to_string());
        let effects = press(&mut app, &delete.to_string());
        assert!(effects.is_empty());
        assert!(screen(&mut app, 80, 24).contains("Delete message 2?"));
        // A yes is spelled; anything else is a no, and is told as one.
        assert!(press(&mut app, "н").is_empty() && app.questions.is_empty());
        assert!(screen(&mut app, 80, 24).contains("a yes is the Latin letter y"));
        press(&mut app, &format!("{delete}n{up}"));
        assert!(app.note.is_none());
        assert_eq!(app.inbox.selected().unwrap().id, MessageId(3));
    }
    let mut app = app(1..=3);
    assert!(press(&mut app, "В").is_empty());
    assert!(screen(&mut app, 80, 24).contains("Delete all 3 messages?"));
    press(&mut app, "nс");
    assert_eq!(app.screen, Screen::Composer, "с is where c is");
    press(&mut app, "кот\tй в д");
    let compose = app.composer.as_ref().unwrap();
    let written = (compose.address(), compose.text().to_string());
    assert_eq!(written, ("кот".to_owned(), "й в д".to_owned()));
    press(&mut app, "\x1b/где\x1b");
    assert_eq!(app.screen, Screen::Inbox);
    // On a phonetic keyboard д is d, and nobody who presses it means to open the message.
    assert!(press(&mut app, "д").is_empty());
    assert!(screen(&mut app, 80, 24).contains("Enter opens it"));
    app.keyboard = KeyboardLayout::here(|_| Some("sr_RS.UTF-8".to_owned()));
    assert!(press(&mut app, "вД").is_empty() && app.questions.is_empty());
}

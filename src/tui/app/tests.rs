//! What keys and events make of the screen, drawn into memory.

mod answering;
mod awaiting;
mod column_widths;
mod commands;
mod contacts_file;
mod editing;
mod fast_typing;
mod hostile_text;
mod in_doubt;
mod late_answers;
mod outbox;
mod saving;
mod small_windows;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use zeroize::Zeroizing;

use super::*;
use crate::tui::event::{ContactsEvent, DeliveryEvent, RelayEvent};
use crate::tui::state::contact_list::Change;
use crate::tui::state::inbox::tests::{listed, summary};
use crate::tui::state::outbox::DeliveryState;
use crate::tui::view::draw;
use kkv_owner::{Delete, Message, Summary};
use kkv_protocol::ids::{BoxDigest, RelayId, SessionId};
use kkv_protocol::suite::Suite;
use kkv_protocol::wire::Hex;
use kkv_terminal::visible::Visible;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::steps::Steps;

pub(in crate::tui) use kkv_relay::owner::stage::{ADDRESS, status};

pub(in crate::tui) fn message(summary: Summary, text: &str) -> Box<Message> {
    Box::new(Message {
        summary,
        relay: RelayId([7; 32]),
        session: SessionId([0; 32]),
        box_digest: BoxDigest([4; 32]),
        signature: Hex([0; 64]),
        text: Zeroizing::new(text.to_owned()).into(),
    })
}

/// The relay says what is in a message that was asked for.
pub(super) fn arrives(app: &mut App, summary: Summary, text: &str) -> Vec<Effect> {
    app.requested = Some(summary.id);
    app.update(Event::Relay(RelayEvent::Message(message(summary, text))))
}

/// A client with these messages in its relay.
pub(super) fn app(messages: std::ops::RangeInclusive<u64>) -> App {
    let mut app = App::new(Theme::plain(), ContactList::new(None));
    app.update(Event::Relay(RelayEvent::Listed(status(), listed(messages))));
    app
}

/// Presses these keys, one after the other, and looks at what each does.
pub(super) fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let effects = keys.chars().map(|key| {
        app.update(Event::KeysRested);
        press_fast(app, key.encode_utf8(&mut [0; 4]))
    });
    effects.flatten().collect()
}

/// Presses them faster than anybody could look at the screen, as when they are pasted.
pub(super) fn press_fast(app: &mut App, keys: &str) -> Vec<Effect> {
    let code = |key| match key {
        '\n' => KeyCode::Enter,
        '\x1b' => KeyCode::Esc,
        '\t' => KeyCode::Tab,
        key => KeyCode::Char(key),
    };
    let effects = keys.chars().map(|key| {
        let (code, modifiers) = match key {
            '\x13' => (KeyCode::Char('s'), KeyModifiers::CONTROL),
            '\x03' => (KeyCode::Char('c'), KeyModifiers::CONTROL),
            '\x1a' => (KeyCode::Char('z'), KeyModifiers::CONTROL),
            '\x0b' => (KeyCode::Char('j'), KeyModifiers::CONTROL), // a line feed
            '\x14' => (KeyCode::Char('t'), KeyModifiers::CONTROL),
            '\x15' => (KeyCode::Char('u'), KeyModifiers::CONTROL),
            key => (code(key), KeyModifiers::NONE),
        };
        app.input(Input::Key(KeyEvent::new(code, modifiers)))
    });
    effects.flatten().collect()
}

pub(super) fn screen(app: &mut App, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, app)).unwrap();
    terminal.backend().to_string()
}

/// A message that was written to somebody and sent: its number.
pub(super) fn sent(app: &mut App, text: &str) -> u64 {
    press(app, "c");
    app.input(Input::Paste(Zeroizing::new(ADDRESS.to_owned())));
    let effects = press(app, &format!("\t{text}\x13"));
    let [
        Effect::Send {
            id,
            target,
            text: sent,
            ..
        },
    ] = effects.as_slice()
    else {
        panic!("{effects:?}");
    };
    assert_eq!(
        (target.to_string().as_str(), sent.as_str()),
        (ADDRESS, text)
    );
    *id
}

/// The relay at `ADDRESS` has accepted this message, in kkv/2.
pub(super) fn accepted(id: u64) -> Event {
    Event::Delivery(DeliveryEvent::Accepted {
        id,
        words: "  relay   a\n".to_owned(),
        target: ADDRESS.parse().unwrap(),
        suite: Suite::V2,
    })
}

#[test]
fn a_message_is_read_from_the_list_and_marked_once_it_is_on_the_screen() {
    let mut app = app(1..=3);
    assert!(matches!(
        press(&mut app, "\n")[..],
        [Effect::Fetch(MessageId(3))]
    ));
    let effects = arrives(&mut app, summary(3), "Hello!");
    assert!(matches!(effects[..], [Effect::Mark(ref ids, true)] if ids[..] == [MessageId(3)]));
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("Hello!") && shown.contains("Message 3, 100 bytes"),
        "{shown}"
    );
    assert!(matches!(
        press(&mut app, "n")[..],
        [Effect::Fetch(MessageId(2))]
    ));
    press(&mut app, "\x1b");
    assert!(!screen(&mut app, 80, 24).contains("Hello!"));
}

#[test]
fn deleting_asks_once_and_deleting_all_twice() {
    let mut app = app(1..=3);
    assert!(press(&mut app, "d").is_empty());
    assert!(screen(&mut app, 80, 24).contains("Delete message 3?"));
    assert!(press(&mut app, "n").is_empty() && app.questions.is_empty());
    assert!(
        matches!(&press(&mut app, "dy")[..], [Effect::Delete(Delete::Ids(ids))] if ids[..] == [MessageId(3)])
    );
    assert!(press(&mut app, "Dy").is_empty());
    assert!(screen(&mut app, 80, 24).contains("Really delete all 3 messages?"));
    assert!(press(&mut app, "n").is_empty());
    // Those that were there when it was asked, and not one that has come since.
    assert!(press(&mut app, "Dy").is_empty());
    app.update(Event::Relay(RelayEvent::Listed(status(), listed(1..=4))));
    let effects = press(&mut app, "y");
    let ids = [MessageId(3), MessageId(2), MessageId(1)];
    assert!(matches!(&effects[..], [Effect::Delete(Delete::Ids(deleted))] if *deleted == ids));
}

#[test]
fn what_is_deleted_or_expires_while_it_is_read_leaves_the_screen() {
    let mut app = app(1..=3);
    arrives(&mut app, summary(3), "A secret");
    app.update(Event::Relay(RelayEvent::Listed(status(), listed([2]))));
    let shown = screen(&mut app, 80, 24);
    assert!(
        !shown.contains("A secret") && shown.contains("message 3 is gone"),
        "{shown}"
    );
    arrives(&mut app, summary(2), "Another");
    let away = RelayEvent::Unreachable {
        what: "no kkv is running".to_owned(),
        hint: "Start it".to_owned(),
        can_start: true,
    };
    app.update(Event::Relay(away));
    let shown = screen(&mut app, 80, 24);
    assert!(
        !shown.contains("Another") && shown.contains("s starts it"),
        "{shown}"
    );
    assert!(matches!(press(&mut app, "sy")[..], [Effect::StartRelay]));
}

#[test]
fn a_message_is_kept_until_it_has_arrived_and_then_forgotten() {
    let mut app = app(1..=1);
    let id = sent(&mut app, "my words");
    let progress = std::sync::Arc::new(std::sync::Mutex::new(Steps::new(None)));
    app.update(Event::Delivery(DeliveryEvent::Started {
        id,
        progress,
        at: 0,
    }));
    assert!(screen(&mut app, 80, 24).contains("on its way"));
    assert!(matches!(press(&mut app, "x")[..], [Effect::Cancel(cancelled)] if cancelled == id));
    let failed =
        CliError::new(Exit::Unreachable, "no way; nothing was delivered").hint("Try again.");
    app.update(Event::Delivery(DeliveryEvent::Failed(id, failed)));
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("no way; nothing was delivered") && shown.contains("Try again."),
        "{shown}"
    );
    // It is there to be sent again, and isn't lost by leaving in haste.
    assert!(press(&mut app, "\x03").is_empty());
    assert!(screen(&mut app, 80, 24).contains("Leave?"));
    press(&mut app, "n\n");
    assert!(screen(&mut app, 80, 24).contains("my words"));
    assert!(matches!(press(&mut app, "\x13")[..], [Effect::Send { .. }]));
    app.update(accepted(id));
    assert!(screen(&mut app, 80, 24).contains("Accepted"));
    assert!(app.outbox.get(id).unwrap().text.is_empty());
    assert!(matches!(press(&mut app, "\x1bq")[..], [Effect::Quit]));
}

#[test]
fn a_draft_that_is_put_aside_is_there_again() {
    let mut app = app(1..=1);
    press(&mut app, "c");
    press(&mut app, "\tone\ntwo\x1b");
    assert_eq!(app.screen, Screen::Inbox);
    press(&mut app, "c");
    let compose = app.composer.as_ref().unwrap();
    assert_eq!(compose.text().as_str(), "one\ntwo");
    assert!(press(&mut app, "\x13").is_empty(), "whom is it for?");
    assert!(screen(&mut app, 80, 24).contains("whom is it for?"));
    press(&mut app, "\x1b");
    assert!(press(&mut app, "q").is_empty(), "it would be lost");
    assert!(matches!(press(&mut app, "y")[..], [Effect::Quit]));
}

#[test]
fn every_screen_fits_whatever_the_size() {
    for width in [1, 20, 39, 40, 79, 80, 119, 120, 300] {
        for height in [1, 7, 8, 24, 100] {
            let mut app = app(1..=30);
            screen(&mut app, width, height);
            arrives(&mut app, summary(3), &"long ".repeat(500));
            screen(&mut app, width, height);
            for keys in ["d", "n", "?", "x", "c", "\x1b", "o"] {
                press(&mut app, keys);
                screen(&mut app, width, height);
            }
        }
    }
}

#[test]
fn a_contact_is_written_down_written_to_and_recognised() {
    let mut app = app(1..=1);
    arrives(&mut app, summary(1), "Hello!");
    // The sender of the message that is read is filled in.
    press(&mut app, "aAlice\t");
    app.input(Input::Paste(Zeroizing::new(ADDRESS.to_owned())));
    press(&mut app, "\t\x13");
    assert!(
        screen(&mut app, 80, 24).contains("it is the public key"),
        "07… is no key"
    );
    press(&mut app, "\x15");
    press(&mut app, "\n");
    let shown = screen(&mut app, 100, 24);
    assert!(
        shown.contains("Alice is a contact, until you end kkvc"),
        "{shown}"
    );
    assert!(
        shown.contains("Alice") && shown.contains("VERIFIED"),
        "{shown}"
    );
    press(&mut app, "v");
    assert!(screen(&mut app, 80, 24).contains("Does Alice have the same twelve words?"));
    press(&mut app, "y");
    assert!(app.contacts.selected().unwrap().is_verified());
    press(&mut app, "rs\n");
    assert_eq!(app.contacts.selected().unwrap().name().as_str(), "Alices");
    let id = app.outbox.messages().len() as u64 + 1;
    let effects = press(&mut app, "\nmy words\x13");
    let [
        Effect::Send {
            target,
            better: None,
            ..
        },
    ] = effects.as_slice()
    else {
        panic!("{effects:?}");
    };
    assert_eq!(target.to_string(), ADDRESS);
    app.update(accepted(id));
    // From now on nothing less will do.
    let effects = press(&mut app, "c\x15alices\n more\x13");
    assert!(
        matches!(&effects[..], [Effect::Send { better: Some(name), .. }] if name.as_str() == "Alices"),
        "{effects:?}"
    );
    press(&mut app, "\x1bady");
    assert!(app.contacts.book().is_empty());
}

#[test]
fn what_is_pasted_or_typed_fast_answers_no_question() {
    for typed in [
        "do your duty",
        "dy",
        "Dyyy",
        "dyyyyyyyy",
        "day",
        "Dy dy oy dy",
    ] {
        for is_read in [false, true] {
            let mut app = app(1..=3);
            if is_read {
                arrives(&mut app, summary(3), "a message");
            }
            let effects = press_fast(&mut app, typed);
            let deletes = |effect: &Effect| matches!(effect, Effect::Delete(_));
            assert!(!effects.iter().any(deletes), "{typed}: {effects:?}");
            let is_asked = !app.questions.is_empty();
            let is_left = is_asked || app.ignores_burst || is_read && typed.starts_with('D');
            assert!(
                is_left && app.composer.is_none() && app.contact_form.is_none(),
                "{typed}"
            );
            assert!(!screen(&mut app, 80, 24).contains("y yes"), "{typed}");
        }
    }
    // Slowly, any other key is a no.
    for typed in ["do your duty", "d y", "dny", "d\x1by"] {
        let effects = press(&mut app(1..=3), typed);
        let deletes = |effect: &Effect| matches!(effect, Effect::Delete(_));
        assert!(!effects.iter().any(deletes), "{typed}: {effects:?}");
    }
    assert!(!press(&mut app(1..=3), "dy").is_empty());
}

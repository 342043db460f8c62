//! Messages that ask for answers: their words, the answers that come, and what is lost by leaving.

use std::sync::Arc;

use tokio::time::Instant;

use super::*;
use crate::tui::event::{AnswersEvent, SendReply};
use crate::tui::state::awaited::{Place, Received};
use kkv_protocol::v2::answers::keys::Salt;
use kkv_protocol::v2::answers::status::{BoxStatus, Entry, EntryState};

pub(super) const CONTROL_T: &str = "\x14";

/// Has a message sent that asks for an answer: its number, and by what it is answered.
pub(super) fn asked(app: &mut App, text: &str) -> (u64, SendReply) {
    press(app, "c");
    app.input(Input::Paste(Zeroizing::new(ADDRESS.to_owned())));
    reply_of(press(app, &format!("\t{text}{CONTROL_T}\x13")))
}

pub(super) fn reply_of(effects: Vec<Effect>) -> (u64, SendReply) {
    let mut effects = effects.into_iter();
    match (effects.next(), effects.next()) {
        (Some(Effect::Send { id, reply, .. }), None) => (id, reply.expect("it asks for one")),
        other => panic!("{other:?}"),
    }
}

/// The same, accepted: the number of its conversation.
fn awaiting(app: &mut App) -> u64 {
    let (id, reply) = asked(app, "Is the flat free?");
    assert!(!reply.follows_up);
    let effects = app.update(accepted(id));
    let [
        Effect::Follow {
            id: conversation,
            target,
            secret,
        },
    ] = &effects[..]
    else {
        panic!("{effects:?}");
    };
    assert!(target.to_string() == ADDRESS && Arc::ptr_eq(secret, &reply.secret));
    *conversation
}

fn place(number: u8) -> Place {
    (Salt([number; 16]), 0)
}

fn answer(number: u8, text: &str) -> Received {
    Received {
        place: place(number),
        time: 1_800_000_000,
        text: Zeroizing::new(text.to_owned()),
        is_seen: false,
    }
}

pub(super) fn found(id: u64, inside: Option<EntryState>, answers: Vec<Received>) -> Event {
    let inside = inside.map(|state| BoxStatus {
        ends: 1_800_600_000,
        messages: 1,
        answers: answers.len().try_into().unwrap(),
        waiting: answers.len().try_into().unwrap(),
        receipts: state != EntryState::Accepted,
        entries: vec![Entry {
            salt: Salt([9; 16]),
            accepted: 1_800_000_000,
            state,
            answers: 0,
        }],
    });
    Event::Answers(AnswersEvent::Found {
        id,
        asked: Instant::now(),
        at: 1_800_000_600,
        started: 1_700_000_000,
        inside,
        answers,
    })
}

#[test]
fn an_answer_is_asked_for_only_where_that_is_wished() {
    let mut app = app(1..=1);
    press(&mut app, "c");
    app.input(Input::Paste(Zeroizing::new(ADDRESS.to_owned())));
    press(&mut app, "\ttext");
    assert!(!screen(&mut app, 80, 24).contains("asks for an answer"));
    press(&mut app, CONTROL_T);
    for (width, height) in [(80, 24), (40, 8)] {
        let shown = screen(&mut app, width, height);
        assert!(shown.contains(" asks for an answer "), "{shown}");
    }
    // It is still wished when it was put aside.
    press(&mut app, "\x1bc");
    assert!(screen(&mut app, 80, 24).contains(" asks for an answer "));
    let effects = press(&mut app, &format!("{CONTROL_T}\x13"));
    let [
        Effect::Send {
            id, reply: None, ..
        },
    ] = effects[..]
    else {
        panic!("{effects:?}");
    };
    assert!(app.update(accepted(id)).is_empty(), "nothing is looked for");
    for key in ["f", "r", "w"] {
        assert!(press(&mut app, key).is_empty());
        assert!(app.composer.is_none() && app.overlay.is_none() && app.note.is_some());
    }
    assert!(matches!(press(&mut app, "\x1bq")[..], [Effect::Quit]));
}

#[test]
fn its_words_are_shown_when_asked_for_and_whole_however_small_the_screen_is() {
    let mut app = app(1..=1);
    let id = awaiting(&mut app);
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("w shows the 12 words that open the answers"),
        "{shown}"
    );
    let secret = Arc::clone(&app.awaited.get(id).unwrap().secret);
    let stands = |shown: &str| {
        secret
            .words
            .iter()
            .filter(|word| shown.contains(word))
            .count()
    };
    let before = stands(&shown);
    for (width, height) in [(80, 24), (60, 15), (40, 8)] {
        press(&mut app, "w");
        let mut seen = String::new();
        for _ in 0..20 {
            seen += &screen(&mut app, width, height);
            if app.areas.page.last() > 0 {
                app.input(Input::Key(KeyEvent::new(KeyCode::Down, KeyModifiers::NONE)));
            }
        }
        assert_eq!(stands(&seen), 12, "{seen}");
        assert!(seen.contains("kkvc replies"), "{seen}");
        press(&mut app, "\x1b");
        assert!(app.overlay.is_none() && app.screen == Screen::Outbox);
    }
    assert_eq!(stands(&screen(&mut app, 80, 24)), before);
}

#[test]
fn what_is_known_of_a_message_is_shown_and_answers_as_they_come() {
    let mut app = app(1..=1);
    let id = awaiting(&mut app);
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("No answer has been looked for yet."),
        "{shown}"
    );
    app.update(Event::Answers(AnswersEvent::Planned {
        id,
        at: 1_800_000_900,
    }));
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("Looked for again at about 2027-01-15 "),
        "{shown}"
    );
    press(&mut app, "f");
    assert!(screen(&mut app, 80, 24).contains("looking for answers…"));
    let why = "nobody is there".to_owned();
    app.update(Event::Answers(AnswersEvent::Failed(id, why)));
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("The last look has failed: nobody is there"),
        "{shown}"
    );
    for (state, words) in [
        (EntryState::Accepted, ": accepted"),
        (EntryState::Waiting, ": not read yet"),
        (EntryState::Read, ": read"),
    ] {
        assert!(app.update(found(id, Some(state), Vec::new())).is_empty());
        let shown = screen(&mut app, 80, 24);
        assert!(
            shown.contains("  your message of 2027-01-15 ") && shown.contains(words),
            "{shown}"
        );
        assert!(
            !shown.contains("failed") && shown.contains("No answer yet, as of"),
            "{shown}"
        );
    }
    press(&mut app, "\x1b");
    let text = "Yes.\u{202e} Come\x1b[2J\nat six.";
    let effects = app.update(found(id, Some(EntryState::Read), vec![answer(1, text)]));
    assert!(matches!(effects[..], [Effect::RingBell]));
    assert!(screen(&mut app, 80, 24).contains("an answer has come: o shows it"));
    let secret = Arc::clone(&app.awaited.get(id).unwrap().secret);
    let is_seen = || secret.has_seen([place(1)].into_iter());
    assert!(!is_seen());
    press(&mut app, "o");
    // A question or a page over it is seen, and not what is below.
    press(&mut app, "w");
    screen(&mut app, 80, 24);
    assert!(!is_seen());
    press(&mut app, "\x1b");
    let shown = screen(&mut app, 80, 24);
    for line in [
        " new answer ",
        "│Answer of 2027-01-15 ",
        "││ Yes.<U+202E> Come<U+001B>[2J",
        "││ at six.",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert!(is_seen());
    assert!(screen(&mut app, 80, 24).contains(" answered "));
    // None comes twice.
    assert!(
        app.update(found(id, Some(EntryState::Read), vec![answer(1, text)]))
            .is_empty()
    );
    assert_eq!(app.awaited.get(id).unwrap().answers.len(), 1);
}

#[test]
fn an_answer_counts_as_seen_once_its_end_was_on_the_screen() {
    let mut app = app(1..=1);
    let id = awaiting(&mut app);
    let long = ["a line"; 40].join("\n");
    let both = vec![answer(1, &long), answer(2, "the second")];
    app.update(found(id, Some(EntryState::Read), both));
    let secret = Arc::clone(&app.awaited.get(id).unwrap().secret);
    screen(&mut app, 40, 8);
    assert!(!secret.has_seen([place(1)].into_iter()));
    let mut pages = 0;
    while !secret.has_seen([place(1)].into_iter()) {
        assert!(!secret.has_seen([place(2)].into_iter()));
        press(&mut app, " ");
        screen(&mut app, 40, 8);
        pages += 1;
        assert!(pages < 100);
    }
    app.input(Input::Key(KeyEvent::new(
        KeyCode::PageDown,
        KeyModifiers::NONE,
    )));
    for _ in 0..3 {
        press(&mut app, " ");
        screen(&mut app, 40, 8);
    }
    assert!(secret.has_seen([place(1), place(2)].into_iter()));
}

#[test]
fn one_writes_back_in_the_same_conversation() {
    let mut app = app(1..=1);
    let id = awaiting(&mut app);
    let secret = Arc::clone(&app.awaited.get(id).unwrap().secret);
    press(&mut app, "rThank you.\x1b");
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("put aside: Enter goes on writing it"),
        "{shown}"
    );
    // c begins another message, and r goes on.
    press(&mut app, "\x1bc");
    assert!(app.composer.as_ref().unwrap().is_empty());
    press(&mut app, "\x1bor");
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("┌ In the same conversation ") && shown.contains("Thank you."),
        "{shown}"
    );
    assert!(
        !shown.contains("Tab") && !shown.contains("Ctrl-T"),
        "{shown}"
    );
    // Its own words would give all of it away.
    let words = secret.words.line();
    app.input(Input::Paste(words.clone()));
    assert!(press(&mut app, "\x13").is_empty());
    assert!(screen(&mut app, 80, 24).contains("has its own reply words in it"));
    press(&mut app, "\x15");
    press(&mut app, "Thank you.");
    let (message, reply) = reply_of(press(&mut app, "\x13"));
    assert!(reply.follows_up && Arc::ptr_eq(&reply.secret, &secret));
    assert!(
        matches!(app.update(accepted(message))[..], [Effect::Follow { id: again, .. }] if again == id)
    );
    // It is over: what was refused is kept, and nothing more is written into it.
    app.update(found(id, None, Vec::new()));
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains(" over ") && shown.contains("Nothing of this conversation is there"),
        "{shown}"
    );
    press(&mut app, "r");
    assert!(app.composer.is_none() && app.note.is_some());
    assert!(matches!(press(&mut app, "\x1bq")[..], [Effect::Quit]));
}

#[test]
fn a_message_keeps_its_words_for_its_inbox_and_has_others_for_another() {
    let mut app = app(1..=1);
    let (id, first) = asked(&mut app, "Hello!");
    let fails = |app: &mut App| {
        let failed = CliError::new(Exit::Unreachable, "no way");
        app.update(Event::Delivery(DeliveryEvent::Failed(id, failed)));
    };
    fails(&mut app);
    let (_, again) = reply_of(press(&mut app, "\n\x13"));
    assert!(Arc::ptr_eq(&first.secret, &again.secret) && !again.follows_up);
    fails(&mut app);
    press(&mut app, "\n\t\x15");
    app.input(Input::Paste(Zeroizing::new("127.0.0.1:7".to_owned())));
    let (_, elsewhere) = reply_of(press(&mut app, "\x13"));
    assert_ne!(
        first.secret.words.entropy(),
        elsewhere.secret.words.entropy()
    );
}

#[test]
fn who_leaves_or_forgets_is_asked_and_told_what_is_lost() {
    let mut app = app(1..=1);
    awaiting(&mut app);
    assert!(press(&mut app, "\x03").is_empty());
    // In the smallest window, too: else nobody could leave there.
    for (columns, rows) in [(80, 24), (40, 8)] {
        let shown = screen(&mut app, columns, rows);
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in ["Answers may come in", "Their words go", "yes"] {
            assert!(shown.contains(words), "{words} in {shown}");
        }
    }
    screen(&mut app, 80, 24);
    press(&mut app, "n");
    let shown = screen(&mut app, 30, 6);
    assert!(!shown.contains("leaves"), "{shown}");
    screen(&mut app, 80, 24);
    press(&mut app, "\x1bc\tdraft\x1b\x03");
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("1 message was not delivered; answers may come"),
        "{shown}"
    );
    press(&mut app, "nokkd");
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("Forget this message, and the words that open its"),
        "{shown}"
    );
    press(&mut app, "n");
    assert_eq!(app.awaited.alive(), 1);
    // Another message of the conversation has them, too.
    let (id, _) = reply_of(press(&mut app, "rMore.\x13"));
    app.update(accepted(id));
    assert!(press(&mut app, "d").is_empty() && app.questions.is_empty());
    assert_eq!(app.awaited.alive(), 1);
    press(&mut app, "kk");
    assert!(matches!(press(&mut app, "dy")[..], [Effect::Unfollow(_)]));
    assert_eq!(app.awaited.alive(), 0);
}

#[test]
fn what_has_come_is_where_one_looks_and_the_bar_says_how_to_see_the_rest() {
    let mut app = app(1..=1);
    let id = awaiting(&mut app);
    assert!(!screen(&mut app, 100, 24).contains("Space"));
    let long = ["a line"; 40].join("\n");
    app.update(found(id, Some(EntryState::Read), vec![answer(1, &long)]));
    let shown = screen(&mut app, 100, 24);
    assert!(
        shown.contains("an answer has come: Space shows more of this one"),
        "{shown}"
    );
    press(&mut app, "\n");
    let shown = screen(&mut app, 100, 24);
    assert!(
        shown.contains("its answer is below: Space shows more"),
        "{shown}"
    );
    press(&mut app, " ");
    let shown = screen(&mut app, 100, 24);
    assert!(shown.contains("Space more"), "{shown}");
    // Another message is selected, or another screen is open.
    let (other, _) = asked(&mut app, "Hello!");
    app.update(accepted(other));
    app.update(found(id, Some(EntryState::Read), vec![answer(2, "More.")]));
    assert!(screen(&mut app, 100, 24).contains("come: it stands with its message"));
    press(&mut app, "\x1b");
    app.update(found(id, Some(EntryState::Read), vec![answer(3, "More.")]));
    assert!(screen(&mut app, 100, 24).contains("come: o shows it"));
}

#[test]
fn the_words_come_first_and_stand_beside_their_numbers_in_the_smallest_window() {
    let mut app = app(1..=1);
    let id = awaiting(&mut app);
    let secret = Arc::clone(&app.awaited.get(id).unwrap().secret);
    screen(&mut app, 40, 8);
    press(&mut app, "w");
    let shown = screen(&mut app, 40, 8);
    for (number, word) in (1..).zip(secret.words.iter()) {
        assert!(shown.contains(&format!("{number} {word}")), "{shown}");
    }
}

#[test]
fn answers_come_first_in_the_smallest_window() {
    let mut app = app(1..=1);
    let id = awaiting(&mut app);
    assert!(screen(&mut app, 40, 8).contains("Accepted: the message"));
    app.update(found(
        id,
        Some(EntryState::Read),
        vec![answer(1, "Come at six.")],
    ));
    press(&mut app, "\x1b");
    press(&mut app, "o");
    let shown = screen(&mut app, 40, 8);
    assert!(
        shown.contains("Answer of ") && shown.contains("Come at six."),
        "{shown}"
    );
    let large = screen(&mut app, 80, 24);
    let [accepted, answer] = ["Accepted: ", "Answer of "].map(|text| large.find(text));
    assert!(accepted.is_some() && accepted < answer, "{large}");
}

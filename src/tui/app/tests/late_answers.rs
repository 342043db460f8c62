//! What happens between two keys: answers that come late, and messages whose fate is unknown.

use std::ops::RangeInclusive;

use tokio::sync::oneshot;

use super::*;
use crate::tor::TorMode;
use crate::tui::state::inbox::tests::{listed, summary};
use kkv_ui::error::{CliError, Exit};

/// It is asked whether to pay for this message. The answer.
fn costs_much(app: &mut App, id: u64) -> oneshot::Receiver<bool> {
    let (answer, answered) = oneshot::channel();
    let words = "It takes long.".to_owned();
    app.update(Event::Delivery(DeliveryEvent::PaymentQuestion {
        id,
        words,
        answer,
    }));
    answered
}

#[test]
fn an_answer_that_comes_late_shows_nothing_and_marks_nothing() {
    let mut app = app(1..=3);
    press(&mut app, "\n");
    press(&mut app, "j");
    assert!(matches!(
        press(&mut app, "\n")[..],
        [Effect::Fetch(MessageId(2))]
    ));
    let late = message(summary(3), "the one before");
    assert!(
        app.update(Event::Relay(RelayEvent::Message(late)))
            .is_empty()
    );
    assert!(app.reading.is_none());
    assert_eq!(arrives(&mut app, summary(2), "this one").len(), 1);
    press(&mut app, "\x1b");
    let late = message(summary(2), "left already");
    assert!(
        app.update(Event::Relay(RelayEvent::Message(late)))
            .is_empty()
    );
    assert_eq!(app.screen, Screen::Inbox);
}

#[test]
fn a_price_is_asked_about_where_its_message_is_and_no_other_key_answers() {
    let mut app = app(1..=1);
    let id = sent(&mut app, "dear words");
    press(&mut app, "\x1bc");
    let mut answered = costs_much(&mut app, id);
    press(&mut app, "yn");
    assert_eq!(app.composer.as_ref().unwrap().address(), "yn");
    assert!(answered.try_recv().is_err(), "nobody was asked");
    press(&mut app, "\x1bo");
    assert!(screen(&mut app, 80, 24).contains("It takes long."));
    press(&mut app, "y");
    assert_eq!(answered.try_recv(), Ok(true));
}

#[test]
fn a_message_of_unknown_fate_stays_so_when_it_is_looked_at() {
    let mut app = app(1..=1);
    let id = sent(&mut app, "perhaps there");
    let failed = CliError::new(Exit::InDoubt, "it can't be known");
    app.update(Event::Delivery(DeliveryEvent::Failed(id, failed)));
    press(&mut app, "\n\x1b");
    assert!(matches!(
        app.outbox.get(id).unwrap().state,
        DeliveryState::Failed(_)
    ));
    press(&mut app, "\n!\x1b");
    assert!(matches!(
        app.outbox.get(id).unwrap().state,
        DeliveryState::Draft
    ));
}

#[test]
fn what_has_been_sent_is_neither_sent_again_nor_forgotten() {
    let mut app = app(1..=1);
    let id = sent(&mut app, "once");
    assert!(press(&mut app, "\n").is_empty() && app.composer.is_none());
    press(&mut app, "dy");
    assert_eq!(app.outbox.get(id).unwrap().text.as_str(), "once");
}

#[test]
fn a_message_that_goes_while_one_writes_is_not_gone_back_to() {
    let mut app = app(1..=2);
    arrives(&mut app, summary(2), "soon gone");
    press(&mut app, "c");
    app.update(Event::Relay(RelayEvent::Listed(status(), listed([1]))));
    press(&mut app, "\x1b");
    assert_eq!(app.screen, Screen::Inbox);
}

#[test]
fn a_line_feed_is_a_new_line_and_deletes_none() {
    let mut app = app(1..=1);
    press(&mut app, "c\tone\x0btwo");
    assert_eq!(app.composer.as_ref().unwrap().text().as_str(), "one\ntwo");
}

#[test]
fn what_was_asked_about_a_relay_that_has_ended_does_nothing_to_the_next() {
    let mut app = app(1..=1);
    arrives(&mut app, summary(1), "of the first relay");
    press(&mut app, "d");
    let mut another = status();
    another.relay = RelayId([9; 32]);
    app.update(Event::Relay(RelayEvent::Listed(another, listed([1]))));
    assert!(app.reading.is_none());
    assert!(
        press(&mut app, "y")
            .iter()
            .all(|effect| !matches!(effect, Effect::Delete(_)))
    );

    press(&mut app, "d");
    let (what, hint) = ("gone".to_owned(), String::new());
    let can_start = false;
    app.update(Event::Relay(RelayEvent::Unreachable {
        what,
        hint,
        can_start,
    }));
    app.update(Event::Relay(RelayEvent::Listed(status(), listed([1]))));
    assert!(
        press(&mut app, "y")
            .iter()
            .all(|effect| !matches!(effect, Effect::Delete(_)))
    );
}

#[test]
fn who_does_not_leave_after_all_goes_on_writing() {
    let mut app = app(1..=1);
    press(&mut app, "c");
    app.input(Input::Paste(Zeroizing::new(ADDRESS.to_owned())));
    press(&mut app, "\tone\x03");
    assert!(screen(&mut app, 80, 24).contains("Leave?"));
    press(&mut app, "n two\x1b");
    let outgoing = app.outbox.messages();
    assert_eq!(outgoing.len(), 1);
    assert_eq!(*outgoing[0].text, "one two");
}

#[test]
fn a_price_that_comes_while_one_is_asked_about_leaving_waits() {
    let mut app = app(1..=1);
    let id = sent(&mut app, "dear words");
    press(&mut app, "c");
    app.input(Input::Paste(Zeroizing::new(ADDRESS.to_owned())));
    press(&mut app, "\tother words\x03");
    let mut answered = costs_much(&mut app, id);
    press(&mut app, "nny");
    assert!(answered.try_recv().is_err(), "letters of a text");
    press(&mut app, "\x1b");
    app.screen = Screen::Inbox;
    press(&mut app, "o");
    assert!(screen(&mut app, 80, 24).contains("It takes long."));
    press(&mut app, "y");
    assert_eq!(answered.try_recv(), Ok(true));
}

#[test]
fn that_messages_went_with_their_relay_is_said() {
    for (messages, can_start, said) in [
        (1..=2, true, true),
        (RangeInclusive::new(1, 0), true, false),
        (1..=2, false, false),
    ] {
        let mut app = app(messages);
        let (what, hint) = (String::new(), String::new());
        app.update(Event::Relay(RelayEvent::Unreachable {
            what,
            hint,
            can_start,
        }));
        assert_eq!(
            screen(&mut app, 80, 24).contains("its messages are gone"),
            said
        );
    }
}

#[test]
fn a_hint_that_names_an_option_of_a_command_is_no_help_at_the_screen() {
    for (hint, helps) in [
        ("Name Tor's own SOCKS port with --tor.", true),
        (
            "Try again, or for longer with --timeout; Tor may do it.",
            false,
        ),
        ("--anyway tries all the same.", false),
    ] {
        let mut app = app(1..=1);
        let id = sent(&mut app, "my words");
        app.takes_options = |hint| hint.contains("--tor.");
        let failed = CliError::new(Exit::Unreachable, "not there").hint(hint);
        app.update(Event::Delivery(DeliveryEvent::Failed(id, failed)));
        let DeliveryState::Failed(failed) = &app.outbox.get(id).unwrap().state else {
            panic!("it has failed");
        };
        assert_eq!(failed.hint.is_some(), helps, "{hint}");
    }
}

#[test]
fn the_bell_is_for_messages_that_come_while_one_looks() {
    let mut app = App::new(Theme::plain(), ContactList::new(None));
    let mut here = |relay: u8, ids: &[u64]| {
        let mut status = status();
        status.relay = RelayId([relay; 32]);
        let messages = listed(ids.iter().copied());
        let effects = app.update(Event::Relay(RelayEvent::Listed(status, messages)));
        matches!(effects[..], [Effect::RingBell])
    };
    assert!(!here(7, &[1, 2]), "they were there already");
    assert!(here(7, &[1, 2, 3]));
    assert!(!here(7, &[1]) && !here(7, &[]), "some have gone");
    assert!(here(7, &[4]));
    assert!(!here(8, &[]), "another relay, with nothing in it");
    assert!(here(8, &[1]));
    assert!(here(9, &[1]), "the next one was quicker");
}

#[test]
fn what_is_said_of_a_relay_that_is_not_there_ends_when_one_is() {
    let away = || RelayEvent::Unreachable {
        what: String::new(),
        hint: String::new(),
        can_start: true,
    };
    let ended = || RelayEvent::Ended("your relay has ended (signal 9)".to_owned());
    for told in [None, Some(ended()), Some(RelayEvent::Starting)] {
        let mut app = app(1..=2);
        app.update(Event::Relay(away()));
        app.update(Event::Relay(told.unwrap_or_else(away)));
        assert!(app.note.is_some());
        press_fast(&mut app, "s");
        app.update(Event::Relay(RelayEvent::Starting));
        assert!(screen(&mut app, 80, 24).contains("starting your relay…"));
        app.update(Event::Relay(RelayEvent::Listed(status(), listed([]))));
        let shown = screen(&mut app, 80, 24);
        assert!(
            !shown.contains("starting") && !shown.contains("ended"),
            "{shown}"
        );
        assert!(
            app.questions.is_empty(),
            "there is nothing to start any more"
        );
    }
    // What is said of something else stays.
    let mut app = app(1..=2);
    app.update(Event::Relay(RelayEvent::Failed(
        "the disk is full".to_owned(),
    )));
    app.update(Event::Relay(RelayEvent::Listed(status(), listed([]))));
    assert!(screen(&mut app, 80, 24).contains("the disk is full"));
}

#[test]
fn what_is_told_of_a_relay_goes_with_it_and_its_end_is_told() {
    let no_address = || {
        let mut status = status();
        (status.tor, status.onion) = (TorMode::External, None);
        status
    };
    for ends in [true, false] {
        let mut app = app(1..=1);
        app.update(Event::Relay(RelayEvent::Listed(no_address(), listed([]))));
        let shown = screen(&mut app, 120, 24);
        assert!(
            shown.contains("can leave one.") && !shown.contains(" y "),
            "{shown}"
        );
        press(&mut app, "y");
        assert!(screen(&mut app, 80, 24).contains("doesn't know its address"));
        app.update(Event::Relay(RelayEvent::Status(no_address())));
        assert!(app.note.is_some(), "it is still that relay");
        let news = if ends {
            RelayEvent::Unreachable {
                what: "no kkv is running".to_owned(),
                hint: String::new(),
                can_start: true,
            }
        } else {
            let mut another = status();
            another.relay = RelayId([9; 32]);
            RelayEvent::Listed(another, listed([]))
        };
        app.update(Event::Relay(news));
        let shown = screen(&mut app, 80, 24);
        assert!(!shown.contains("address:"), "{shown}");
        assert!(shown.contains("your relay has ended"), "{shown}");
        assert_eq!(shown.contains("this is another"), !ends);
    }
}

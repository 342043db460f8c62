//! Questions that are answered before the keys have rested.

use super::*;
use crate::tui::state::inbox::tests::summary;
use kkv_ui::error::{CliError, Exit};

#[test]
fn a_no_closes_a_question_at_once_and_what_comes_in_the_same_burst_does_nothing() {
    for no in ["n", "N", "\x1b", "o", "q", "н"] {
        let mut app = app(1..=3);
        press_fast(&mut app, "d");
        let shown = screen(&mut app, 80, 24);
        assert!(shown.contains("… yes   n no"), "{shown}");
        assert!(press_fast(&mut app, no).is_empty());
        assert!(app.questions.is_empty(), "{no}");
        // Here each letter would do something, and y after it, too.
        assert!(press_fast(&mut app, "ucoadyDyy\n").is_empty(), "{no}");
        assert!(app.questions.is_empty() && app.screen == Screen::Inbox);
        assert!(app.waits_for_rest());
        let shown = screen(&mut app, 80, 24);
        assert!(!shown.contains("c write"), "{shown}");
        app.update(Event::KeysRested);
        assert!(!app.waits_for_rest());
        assert!(screen(&mut app, 80, 24).contains("c write"));
        assert_eq!(press(&mut app, "dy").len(), 1);
    }
}

#[test]
fn what_says_yes_or_more_than_no_waits_until_the_keys_have_rested() {
    let mut app = app(1..=3);
    assert!(press_fast(&mut app, "dyYy").is_empty());
    assert_eq!(app.questions.iter().count(), 1);
    assert_eq!(press(&mut app, "y").len(), 1);
    // Whether the words differ is asked for, and leaving that says nothing of them.
    arrives(&mut app, summary(1), "a text");
    press(&mut app, "aAlice\t");
    let address = Zeroizing::new(ADDRESS.to_owned());
    app.input(Input::Paste(address));
    press(&mut app, "\t\x15\nvyv");
    assert!(app.contacts.selected().unwrap().is_verified());
    press_fast(&mut app, "nN");
    assert!(screen(&mut app, 80, 24).contains("Esc back"));
    press_fast(&mut app, "\x1b");
    assert!(app.questions.is_empty());
    assert!(app.contacts.selected().unwrap().is_verified());
}

#[test]
fn a_key_for_a_question_that_closes_does_not_answer_the_one_that_opens_in_its_place() {
    let mut app = app(1..=1);
    let outgoing = [sent(&mut app, "dear words"), sent(&mut app, "dearer words")];
    let mut asked = outgoing.map(|id| {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let words = "It takes long.".to_owned();
        (
            DeliveryEvent::PaymentQuestion { id, words, answer },
            answered,
        )
    });
    let [(first, answered_first), (second, answered_second)] = &mut asked;
    let told = |told: &mut DeliveryEvent| {
        let nothing = DeliveryEvent::Failed(0, CliError::new(Exit::Refused, ""));
        Event::Delivery(std::mem::replace(told, nothing))
    };
    app.update(told(first));
    app.update(Event::KeysRested);
    answered_first.close();
    app.update(told(second));
    press_fast(&mut app, "y");
    assert!(answered_second.try_recv().is_err(), "it was not seen yet");
    press(&mut app, "y");
    assert_eq!(answered_second.try_recv(), Ok(true));
}

#[test]
fn a_price_that_is_asked_about_by_itself_is_declined_by_no_key_that_was_on_its_way() {
    let mut app = app(1..=1);
    let id = sent(&mut app, "dear words");
    let (answer, mut answered) = tokio::sync::oneshot::channel();
    let words = "It takes long.".to_owned();
    app.update(Event::Delivery(DeliveryEvent::PaymentQuestion {
        id,
        words,
        answer,
    }));
    press_fast(&mut app, "jn\x1bq");
    assert!(answered.try_recv().is_err());
    press(&mut app, "n");
    assert_eq!(answered.try_recv(), Ok(false));
}

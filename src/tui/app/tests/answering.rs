//! Messages that can be answered: how the list and the reading view show their conversations, and what becomes of
//! answers.

use super::*;
use crate::tui::app::answering::SEALED;
use crate::tui::state::inbox::tests::in_conversation;
use kkv_client::owner::ClientError;
use kkv_owner::{CantReply, Conversation, FileInfo};
use kkv_protocol::Via;
use kkv_protocol::v2::answers::box_part::BoxPart;

fn list(app: &mut App, messages: Vec<Summary>) {
    app.update(Event::Relay(RelayEvent::Listed(status(), messages.into())));
}

/// Three messages: the first and the last are of one conversation, in which the first was answered.
fn conversing() -> App {
    let mut app = app(std::ops::RangeInclusive::new(1, 0));
    list(&mut app, three(1));
    app
}

fn three(waiting: u8) -> Vec<Summary> {
    let first = Zeroizing::new("Is it\u{202e} free?".to_owned());
    vec![
        Summary {
            first: Some(first.into()),
            ..in_conversation(1, 7, (1, waiting, 1))
        },
        summary(2),
        in_conversation(3, 7, (1, waiting, 0)),
    ]
}

/// The answer that this effect has sealed: which one, and its text.
fn answered(effects: &[Effect]) -> (u64, u64, String) {
    let [Effect::Answer { id, to, text }] = effects else {
        panic!("{effects:?}");
    };
    assert_eq!(to.run, status().relay);
    (*id, to.message.0, text.as_str().to_owned())
}

fn sealed(app: &mut App, id: u64, answers: u16) {
    let conversation = Conversation {
        number: 7,
        answers,
        waiting: 2,
        answered: 1,
    };
    let at = 1_800_000_000;
    app.update(Event::Relay(RelayEvent::Answered {
        id,
        conversation,
        at,
    }));
}

#[test]
fn the_list_marks_what_can_be_answered_and_messages_of_one_conversation_alike() {
    let mut app = conversing();
    for width in 40..140 {
        let shown = screen(&mut app, width, 10);
        let rows: Vec<&str> = shown.lines().skip(2).take(3).collect();
        let marks = rows.iter().map(|row| row.contains('↩'));
        assert!(marks.eq([true, false, true]), "{width}: {shown}");
        let alike = rows[0].contains("↩7 ") && rows[2].contains("↩7✓");
        assert_eq!(alike, width >= 42, "{width}: {shown}");
    }
    // Where nothing can be answered, nothing takes room for that.
    list(&mut app, vec![summary(1), summary(2)]);
    let shown = screen(&mut app, 100, 10);
    assert!(
        !shown.contains('↩') && !shown.contains("r reply"),
        "{shown}"
    );
}

#[test]
fn an_answer_is_written_sealed_and_then_nobody_can_read_it_here() {
    let mut app = conversing();
    assert!(screen(&mut app, 80, 24).contains(" r reply "));
    press(&mut app, "rYes. Come\nat six.");
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("┌ Answer to message 3 ─") && shown.contains("17 of 3500 bytes"),
        "{shown}"
    );
    assert!(!shown.contains(" To ") && !shown.contains("Tab"), "{shown}");
    let effects = press(&mut app, "\t\x13");
    let (id, message, text) = answered(&effects);
    assert_eq!((message, text.as_str()), (3, "Yes. Come\nat six."));
    assert_eq!(app.screen, Screen::Inbox);
    // Until it is known what has become of it, it is neither written on, nor sealed twice, nor lost.
    press(&mut app, "o\ndx");
    assert!(app.composer.is_none() && app.questions.is_empty());
    press(&mut app, "\x03");
    assert!(screen(&mut app, 80, 24).contains("Leave? A message is on its way."));
    press(&mut app, "n");
    sealed(&mut app, id, 2);
    list(
        &mut app,
        vec![
            in_conversation(1, 7, (2, 2, 2)),
            in_conversation(3, 7, (2, 2, 1)),
        ],
    );
    let shown = screen(&mut app, 80, 24);
    assert!(shown.contains(SEALED), "{shown}");
    assert!(shown.contains(" sealed       2027-01-15 "), "{shown}");
    assert!(shown.contains("answer to message 3"), "{shown}");
    assert!(shown.contains("It waits to be fetched"), "{shown}");
    assert!(app.outbox.get(id).unwrap().text.is_empty());
    list(&mut app, vec![in_conversation(3, 7, (2, 0, 1))]);
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains(" fetched      ") && shown.contains("Its sender has fetched it."),
        "{shown}"
    );
    press(&mut app, "\n");
    assert!(app.composer.is_none());
    assert!(matches!(press(&mut app, "\x1bq")[..], [Effect::Quit]));
}

#[test]
fn an_answer_that_could_not_be_sealed_is_kept_and_gone_on_with_at_its_message() {
    let mut app = conversing();
    arrives(&mut app, summary(3), "When?");
    press(&mut app, "r\x13");
    assert!(app.composer.is_some(), "an empty one is none");
    press(&mut app, "At six.\x1b");
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("put aside: r at its message goes on writing it") && shown.contains("When?"),
        "{shown}"
    );
    // It is no draft for somebody else.
    press(&mut app, "c");
    assert!(app.composer.as_ref().unwrap().is_empty());
    press(&mut app, "\x1br");
    let (id, ..) = answered(&press(&mut app, "\x13"));
    assert_eq!(app.screen, Screen::Message);
    let why = ClientError::CantReply(MessageId(3), CantReply::BoxGone);
    app.update(Event::Relay(RelayEvent::NotAnswered(id, why.into())));
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("message 3 can't be answered") && shown.contains("o has what you wrote"),
        "{shown}"
    );
    press(&mut app, "o");
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains(" failed ") && shown.contains("Enter opens it"),
        "{shown}"
    );
    press(&mut app, "\x1b");
    list(&mut app, three(0));
    press(&mut app, "r");
    let composer = app.composer.as_ref().unwrap();
    assert_eq!((composer.id, composer.text().as_str()), (id, "At six."));
    press(&mut app, "\x03");
    assert!(screen(&mut app, 80, 24).contains("that you have written was not"));
}

#[test]
fn a_text_that_is_too_long_is_not_sent_and_stays() {
    let mut app = conversing();
    press(&mut app, "r");
    app.input(Input::Paste(Zeroizing::new("much ".repeat(701))));
    assert!(press(&mut app, "\x13").is_empty());
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("3505 of 3500 bytes") && app.note.is_some(),
        "{shown}"
    );
}

#[test]
fn what_cannot_be_answered_is_said_before_anything_is_written() {
    let mut app = conversing();
    press(&mut app, "jr");
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("message 2 can't be answered: its sender hasn't asked for an answer, or"),
        "{shown}"
    );
    // Who reads it knows which of the two it is.
    for (digest, via, why) in [
        (
            BoxPart::None.digest(),
            Via::V2,
            "hasn't asked for an answer",
        ),
        (BoxDigest([4; 32]), Via::V2, "can't be answered any more"),
        (BoxDigest([0; 32]), Via::V1, "hasn't asked for an answer"),
    ] {
        let mut app = app_with(Summary { via, ..summary(2) });
        app.requested = Some(MessageId(2));
        let mut read = message(Summary { via, ..summary(2) }, "words");
        read.box_digest = digest;
        app.update(Event::Relay(RelayEvent::Message(read)));
        press(&mut app, "r");
        let shown = screen(&mut app, 100, 24);
        assert!(shown.contains(why) && app.composer.is_none(), "{shown}");
        assert!(
            !shown.contains("any more") || !shown.contains("hasn't"),
            "{shown}"
        );
    }
    list(&mut app, vec![in_conversation(2, 1, (9, 4, 4))]);
    press(&mut app, "r");
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("4 answers wait for its sender already") && app.composer.is_none(),
        "{shown}"
    );
    assert!(screen(&mut app, 200, 24).contains("`kkvc reply --withdraw 1` takes them back"));
}

fn app_with(summary: Summary) -> App {
    let mut app = app(1..=1);
    list(&mut app, vec![summary]);
    app
}

#[test]
fn the_rest_of_a_conversation_stands_above_a_message_of_it() {
    let mut app = conversing();
    arrives(&mut app, summary(3), "When?");
    let shown = screen(&mut app, 80, 24);
    for line in [
        "Message 3, 100 bytes, can be answered",
        " Earlier  message 1, 2027-01-15 ",
        " │ Is it<U+202E> free?",
        "          you answered (waiting to be fetched)",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    let (id, ..) = answered(&press(&mut app, "rAt six.\x13"));
    sealed(&mut app, id, 2);
    list(
        &mut app,
        vec![
            in_conversation(1, 7, (2, 1, 2)),
            in_conversation(3, 7, (2, 1, 1)),
            in_conversation(4, 7, (2, 1, 0)),
        ],
    );
    let shown = screen(&mut app, 80, 24);
    for line in [
        "Message 3, 100 bytes, answered",
        " you answered (fetched)",
        " Since    you answered 2027-01-15 ",
        ":00 (waiting to be fetched)",
        "          message 4, 2027-01-15 ",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    // With less room the newest, and all of it behind a key.
    let shown = screen(&mut app, 60, 15);
    assert!(shown.contains(" 3 more lines: i shows all"), "{shown}");
    assert!(
        shown.contains("message 4,") && shown.contains("│When?"),
        "{shown}"
    );
    for (width, height) in [(60, 15), (40, 8), (100, 30)] {
        press(&mut app, "i");
        let mut seen = String::new();
        for _ in 0..30 {
            seen += &screen(&mut app, width, height);
            app.input(Input::Key(KeyEvent::new(KeyCode::Down, KeyModifiers::NONE)));
            if app.overlay.is_none() {
                press(&mut app, "i");
            }
        }
        for part in [
            "message 1,",
            "message 3, this one",
            "message 4,",
            "2^30 hashes",
        ] {
            assert!(seen.contains(part), "{part} in {seen}");
        }
        press(&mut app, "\x1b");
    }
    let smallest = screen(&mut app, 40, 8);
    assert!(
        smallest.contains("│When?") && smallest.contains("Message 3, 100"),
        "{smallest}"
    );
}

#[test]
fn files_are_counted_in_the_list_and_named_where_they_are_read() {
    let file = |name: &str| FileInfo {
        name: Zeroizing::new(name.to_owned()).into(),
        bytes: 40_000,
        media_type: Zeroizing::new("image/jpeg".to_owned()).into(),
    };
    let with = |names: &[&str]| Summary {
        files: names.iter().map(|name| file(name)).collect(),
        first: Some(Zeroizing::new("Photos from Sunday".to_owned()).into()),
        ..in_conversation(3, 7, (1, 1, 0))
    };
    let mut app = app(1..=1);
    list(&mut app, vec![with(&["lake.j…", "b"])]);
    let shown = screen(&mut app, 100, 24);
    assert!(shown.contains("  2 files  │ Photos from"), "{shown}");
    arrives(&mut app, with(&["lake.\u{202e}gpj", "b"]), "Photos");
    let shown = screen(&mut app, 80, 24);
    for line in [
        " Message 3, 100 bytes, 2 files, can be answered",
        " Files    1, 40 KiB │ lake.<U+202E>gpj  (image/jpeg)",
        "          2, 40 KiB │ b  (image/jpeg)",
        " Earlier  you answered",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    // However many they are, the text has its room, and all of them are behind a key.
    let many = vec!["x"; 32];
    arrives(&mut app, with(&many), "Photos");
    for (width, height) in [(80, 24), (60, 15), (40, 8)] {
        let shown = screen(&mut app, width, height);
        assert!(shown.contains("│Photos"), "{shown}");
        assert_eq!(shown.contains("i shows all"), height > 8, "{shown}");
    }
    press(&mut app, "i");
    assert!(screen(&mut app, 80, 60).contains(" 32, 40 KiB │ x "));
}

#[test]
fn details_of_a_message_go_with_it() {
    let mut app = conversing();
    let invited = Summary {
        invitation: Some(kkv_protocol::v2::invitation::InvitationNumber(12)),
        cost: 0,
        ..summary(4)
    };
    list(&mut app, vec![summary(2), invited]);
    press(&mut app, "gi");
    let shown = screen(&mut app, 100, 24);
    assert!(
        shown.contains("┌ Message 4 ") && shown.contains("nothing, by invitation 12, kkv/2"),
        "{shown}"
    );
    assert!(shown.contains("it can't be answered"), "{shown}");
    for (cost, paid) in [(0, "nothing, web"), (20, "2^20 hashes, web")] {
        let by_page = Summary {
            via: Via::Web,
            sender: None,
            cost,
            ..summary(4)
        };
        list(&mut app, vec![summary(2), by_page]);
        let shown = screen(&mut app, 100, 24);
        assert!(shown.contains(paid), "{shown}");
        assert!(shown.contains("nobody: it came by the page"), "{shown}");
    }
    list(&mut app, vec![summary(2)]);
    assert!(app.overlay.is_none());
    arrives(&mut app, summary(2), "words");
    press(&mut app, "i");
    assert!(screen(&mut app, 100, 24).contains("┌ Message 2 "));
}

#[test]
fn an_answer_is_for_the_run_of_the_relay_that_its_message_is_in() {
    let mut app = conversing();
    let (id, ..) = answered(&press(&mut app, "rAt six.\x13"));
    sealed(&mut app, id, 2);
    press(&mut app, "rAnd bring your piano.\x1b");
    let mut another = status();
    another.relay = RelayId([9; 32]);
    app.update(Event::Relay(RelayEvent::Listed(another, three(0).into())));
    press(&mut app, "o");
    app.outbox.select(id);
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains(" gone ") && shown.contains("Its relay has ended"),
        "{shown}"
    );
    // What was put aside is not for the message of the same number that is there now.
    press(&mut app, "\x1br");
    assert!(app.composer.as_ref().unwrap().is_empty());
    press(&mut app, "\x1boj\n");
    assert_eq!(
        answered(&press(&mut app, "\x13")).2,
        "And bring your piano."
    );
    // Nor is it known of that one when it was answered.
    press(&mut app, "\x1b");
    list(&mut app, vec![in_conversation(1, 7, (2, 0, 2))]);
    press(&mut app, "i");
    assert!(!screen(&mut app, 100, 24).contains("you answered 2027"));
}

//! Messages that ask for answers, and of which it isn't known whether they arrived; and what an invitation is good for
//! in a conversation.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::awaiting::{CONTROL_T, asked, reply_of};
use super::*;
use crate::tui::event::AnswersEvent;
use crate::tui::state::awaited::Secret;
use crate::tui::state::outbox::Progress;
use kkv_base::limits::SESSION_LIFETIME;
use kkv_base::lock;
use kkv_client::contacts::{Book, Contact};
use kkv_client::sender::Event as Happened;
use kkv_protocol::v2::answers::keys::Salt;
use kkv_protocol::v2::answers::status::{BoxStatus, Entry, EntryState};

fn fails(app: &mut App, id: u64, exit: Exit) -> Vec<Effect> {
    let failed = CliError::new(exit, "it broke off");
    app.update(Event::Delivery(DeliveryEvent::Failed(id, failed)))
}

/// A try of this message is on its way, with this salt.
fn on_its_way(app: &mut App, id: u64, salt: u8) {
    let progress = Progress::default();
    lock(&progress).take(Happened::Answerable(Salt([salt; 16])));
    lock(&progress).take(Happened::Sending);
    let at = 1_800_000_000;
    app.update(Event::Delivery(DeliveryEvent::Started { id, progress, at }));
}

/// The same, and it ends in doubt: what is followed from then on.
fn in_doubt(app: &mut App, id: u64, salt: u8) -> (u64, Arc<Secret>) {
    on_its_way(app, id, salt);
    let mut effects = fails(app, id, Exit::InDoubt).into_iter();
    match (effects.next(), effects.next()) {
        (Some(Effect::Follow { id, secret, .. }), None) => (id, secret),
        other => panic!("{other:?}"),
    }
}

/// A look that began so long after the last try in doubt, and has found messages with these salts, of so many.
fn look(app: &mut App, id: u64, after: Duration, salts: &[u8], messages: u16) -> Vec<Effect> {
    let tries = app.outbox.messages().iter().flat_map(|one| &one.tries);
    let last = tries.map(|of| of.ended).max().unwrap_or_else(Instant::now);
    let entry = |salt: &u8| Entry {
        salt: Salt([*salt; 16]),
        accepted: 1_800_000_000,
        state: EntryState::Waiting,
        answers: 0,
    };
    let inside = BoxStatus {
        ends: 1_800_600_000,
        messages,
        answers: 0,
        waiting: 0,
        receipts: true,
        entries: salts.iter().map(entry).collect(),
    };
    app.update(Event::Answers(AnswersEvent::Found {
        id,
        asked: last + after,
        at: 1_800_000_600,
        started: 1_700_000_000,
        inside: (messages > 0).then_some(inside),
        answers: Vec::new(),
    }))
}

/// As long as a session is open.
const LATER: Duration = SESSION_LIFETIME;

#[test]
fn a_message_in_doubt_keeps_its_conversation_and_a_look_settles_it() {
    for arrived in [true, false] {
        let mut app = app(1..=1);
        let (id, reply) = asked(&mut app, "Is the flat free?");
        let (conversation, secret) = in_doubt(&mut app, id, 1);
        assert!(Arc::ptr_eq(&secret, &reply.secret));
        let shown = screen(&mut app, 80, 24);
        for words in [" in doubt ", "is looked for", "No answer has been looked"] {
            assert!(shown.contains(words), "{words} in {shown}");
        }
        // Its words are the only ones: they aren't let go of unasked.
        for key in ["d", "\x03"] {
            assert!(press(&mut app, key).is_empty());
            assert!(!app.questions.is_empty(), "{key:?}");
            press(&mut app, "n");
        }
        if arrived {
            let effects = look(&mut app, conversation, Duration::ZERO, &[1], 1);
            assert!(effects.is_empty(), "{effects:?}");
            let shown = screen(&mut app, 80, 24);
            assert!(
                shown.contains(": not read yet") && app.outbox.undelivered() == 0,
                "{shown}"
            );
            assert_eq!(app.awaited.alive(), 1);
        } else {
            let effects = look(&mut app, conversation, LATER, &[], 0);
            assert!(matches!(effects[..], [Effect::Unfollow(_)]));
            let shown = screen(&mut app, 80, 24);
            for words in [
                " failed ",
                "it has not arrived, or is gone again",
                "Nothing of this conversation is there: your",
            ] {
                assert!(shown.contains(words), "{words} in {shown}");
            }
            assert_eq!((app.awaited.alive(), app.outbox.undelivered()), (0, 1));
            // Sent again, it is there.
            let (again, reply) = reply_of(press(&mut app, "\n\x13"));
            assert!(!reply.follows_up && Arc::ptr_eq(&secret, &reply.secret));
            assert!(matches!(
                app.update(accepted(again))[..],
                [Effect::Follow { .. }]
            ));
            assert_eq!(app.awaited.alive(), 1);
        }
    }
}

#[test]
fn what_a_look_tells_is_not_called_accepted_and_the_text_stays() {
    let mut app = app(1..=1);
    let (id, _) = asked(&mut app, "Is the flat free?");
    let (conversation, _) = in_doubt(&mut app, id, 1);
    look(&mut app, conversation, Duration::ZERO, &[1], 1);
    let shown = screen(&mut app, 80, 24);
    for words in [
        " arrived ",
        "It has arrived, by what the inbox says now.",
        "has not signed for it",
        "kept until you forget it: Enter opens it",
    ] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    assert!(!shown.to_lowercase().contains("accepted"), "{shown}");
    press(&mut app, "\n");
    assert!(screen(&mut app, 80, 24).contains("Is the flat free?"));
    press(&mut app, "\x1b");
    assert!(screen(&mut app, 80, 24).contains(" arrived "));
    // Its conversation is over: the text goes with a yes, and not before.
    look(&mut app, conversation, LATER, &[], 0);
    assert!(press(&mut app, "d").is_empty());
    assert!(screen(&mut app, 80, 24).contains("has not signed for it"));
    press(&mut app, "n");
    assert!(app.outbox.get(id).is_some_and(|one| !one.text.is_empty()));
    press(&mut app, "dy");
    assert!(app.outbox.get(id).is_none());
    // A receipt is another matter.
    let (id, _) = asked(&mut app, "And the garden?");
    let (conversation, _) = in_doubt(&mut app, id, 2);
    look(&mut app, conversation, Duration::ZERO, &[2], 1);
    reply_of(press(&mut app, "\n\x13"));
    app.update(accepted(id));
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("Accepted: the message is in the inbox."),
        "{shown}"
    );
    assert!(app.outbox.get(id).is_some_and(|one| one.text.is_empty()));
}

#[test]
fn another_text_after_a_try_in_doubt_is_another_message_and_neither_passes_for_the_other() {
    for is_sent in [true, false] {
        let mut app = app(1..=1);
        let (first, reply) = asked(&mut app, "FIRST TEXT");
        let (conversation, _) = in_doubt(&mut app, first, 1);
        let second = if is_sent {
            let (second, other) = reply_of(press(&mut app, "\n AND A SECOND\x13"));
            assert!(!Arc::ptr_eq(&reply.secret, &other.secret), "its own words");
            assert!(fails(&mut app, second, Exit::Unreachable).is_empty());
            second
        } else {
            press(&mut app, "\n AND A SECOND\x1b");
            let shown = screen(&mut app, 80, 24);
            assert!(
                shown.contains(" draft ") && shown.contains(" in doubt "),
                "{shown}"
            );
            app.outbox.selected().unwrap().id
        };
        assert_ne!(first, second);
        assert!(look(&mut app, conversation, LATER, &[1], 1).is_empty());
        let state = |id| &app.outbox.get(id).unwrap().state;
        assert!(matches!(state(first), DeliveryState::Arrived));
        assert!(matches!(
            (state(second), is_sent),
            (DeliveryState::Failed(_), true) | (DeliveryState::Draft, false)
        ));
        let texts = app.outbox.messages().iter().map(|one| one.text.as_str());
        let texts: Vec<_> = texts.collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(
            texts.contains(&"FIRST TEXT") && texts.iter().any(|text| text.contains("AND A SECOND"))
        );
        assert_eq!(app.outbox.undelivered(), 1, "leaving is asked about");
    }
}

#[test]
fn nothing_takes_the_place_of_what_may_have_arrived() {
    let mut app = app(1..=1);
    let (id, reply) = asked(&mut app, "text");
    in_doubt(&mut app, id, 1);
    // Its words are refused in another text, too.
    press(&mut app, "\n");
    app.input(Input::Paste(reply.secret.words.line()));
    assert!(press(&mut app, "\x13").is_empty());
    assert!(screen(&mut app, 80, 24).contains("its own reply words"));
    press(&mut app, "\x15\x1b");
    // To somebody else, without a wish for an answer, or emptied.
    for keys in ["\n\t\x15127.0.0.1:7\x1b", "\n\x14\x1b", "\n\x15\x1b"] {
        app.outbox.select(id);
        press(&mut app, keys);
        let kept = app.outbox.get(id).unwrap();
        assert_eq!(
            (kept.text.as_str(), kept.to.as_str()),
            ("text", ADDRESS),
            "{keys:?}"
        );
        assert!(kept.wants_answer && matches!(kept.state, DeliveryState::Failed(_)));
    }
}

#[test]
fn what_is_for_a_contact_who_has_moved_meanwhile_is_another_message() {
    let mut app = app(1..=1);
    let is_at = |app: &mut App, address: &str| {
        let mut book = Book::default();
        let (name, link) = ("bob".parse().unwrap(), address.parse().unwrap());
        book.add(Contact::of_link(name, link, None)).unwrap();
        app.contacts.set(book);
    };
    is_at(&mut app, ADDRESS);
    press(&mut app, "c");
    let (id, reply) = reply_of(press(&mut app, &format!("bob\tHello!{CONTROL_T}\x13")));
    in_doubt(&mut app, id, 1);
    is_at(&mut app, "127.0.0.1:7");
    let (other, elsewhere) = reply_of(press(&mut app, "\n\x13"));
    assert!(other != id && !Arc::ptr_eq(&reply.secret, &elsewhere.secret));
    assert!(screen(&mut app, 80, 24).contains(" in doubt "));
}

#[test]
fn a_try_that_fails_for_sure_does_not_settle_the_one_before() {
    let mut app = app(1..=1);
    let (id, reply) = asked(&mut app, "text");
    let (conversation, _) = in_doubt(&mut app, id, 1);
    let (again, other) = reply_of(press(&mut app, "\n\x13"));
    assert!(again == id && Arc::ptr_eq(&reply.secret, &other.secret));
    // While it is on its way, what has come of the first changes nothing.
    on_its_way(&mut app, id, 2);
    look(&mut app, conversation, LATER, &[1], 1);
    assert!(screen(&mut app, 80, 24).contains(" on its way "));
    assert!(fails(&mut app, id, Exit::Unreachable).is_empty());
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains(" in doubt ") && shown.contains("An earlier try of it may"),
        "{shown}"
    );
    look(&mut app, conversation, Duration::ZERO, &[1], 1);
    assert!(screen(&mut app, 80, 24).contains(" arrived "));
}

#[test]
fn not_there_is_said_for_good_once_no_session_can_be_open_any_more() {
    let mut app = app(1..=1);
    let (id, _) = asked(&mut app, "text");
    let (conversation, _) = in_doubt(&mut app, id, 1);
    let nearly = SESSION_LIFETIME - Duration::from_millis(1);
    for after in [Duration::ZERO, nearly] {
        assert!(
            look(&mut app, conversation, after, &[], 0).is_empty(),
            "it is followed on"
        );
        let shown = screen(&mut app, 80, 24);
        assert!(
            shown.contains(" in doubt ") && shown.contains("still arrive for two minutes"),
            "{shown}"
        );
        assert_eq!(app.awaited.alive(), 1);
        // Its words are asked about.
        press(&mut app, "d");
        assert!(!app.questions.is_empty());
        press(&mut app, "n");
    }
    look(&mut app, conversation, nearly, &[1], 1);
    assert!(screen(&mut app, 80, 24).contains(" arrived "));
}

#[test]
fn a_follow_up_in_doubt_has_arrived_if_it_is_there_itself() {
    let all: Vec<u8> = (10..26).collect();
    for (after, salts, messages, state) in [
        (Duration::ZERO, &[1][..], 1, " in doubt "),
        (LATER, &[1], 1, " failed "),
        (Duration::ZERO, &[2, 1], 2, " arrived "),
        (LATER, &[2, 1], 2, " arrived "),
        // A status names the last sixteen: it may have come before them.
        (LATER, &all, 17, " in doubt "),
    ] {
        let mut app = app(1..=1);
        let (id, _) = asked(&mut app, "text");
        on_its_way(&mut app, id, 1);
        app.update(accepted(id));
        let (follow_up, reply) = reply_of(press(&mut app, "rFOLLOW UP\x13"));
        assert!(reply.follows_up);
        let (conversation, _) = in_doubt(&mut app, follow_up, 2);
        look(&mut app, conversation, after, salts, messages);
        let shown = screen(&mut app, 80, 24);
        assert!(shown.contains(state), "{state} in {shown}");
        assert_eq!(
            shown.contains("it has not arrived: its"),
            state == " failed ",
            "{shown}"
        );
        let is_kept = app.outbox.get(follow_up).unwrap().text.as_str() == "FOLLOW UP";
        assert!(is_kept && app.awaited.alive() == 1);
        // r begins another, and does not go on with what may have arrived.
        press(&mut app, "r");
        let begun = app.composer.as_ref().unwrap().text();
        assert_eq!(begun.is_empty(), state != " failed ");
    }
}

#[test]
fn a_cancelled_message_is_followed_only_if_it_was_on_its_way() {
    for was_sending in [true, false] {
        let mut app = app(1..=1);
        let (id, _) = asked(&mut app, "Hello!");
        let progress = Progress::default();
        if was_sending {
            lock(&progress).take(Happened::Sending);
        }
        let started = DeliveryEvent::Started {
            id,
            progress,
            at: 1_800_000_000,
        };
        app.update(Event::Delivery(started));
        let effects = fails(&mut app, id, Exit::Cancelled);
        assert_eq!(effects.len(), usize::from(was_sending), "{effects:?}");
        assert_eq!(app.awaited.alive(), usize::from(was_sending));
    }
}

#[test]
fn who_is_invited_writes_back_by_the_invitation_and_pays_where_that_is_refused() {
    let mut app = app(1..=1);
    let link = format!("{ADDRESS}+aaaaaaaaaaaaaaaaaaaaaaaaadvanoxi");
    let mut book = Book::default();
    let link = link.parse().unwrap();
    let bob = Contact::of_link("bob".parse().unwrap(), link, None);
    book.add(bob).unwrap();
    app.contacts.set(book);
    let is_invited = |effects: &[Effect]| match effects {
        [
            Effect::Send {
                id,
                invitation,
                reply: Some(_),
                ..
            },
        ] => (*id, invitation.is_some()),
        other => panic!("{other:?}"),
    };
    press(&mut app, "c");
    let (id, invited) = is_invited(&press(&mut app, &format!("bob\tHello!{CONTROL_T}\x13")));
    assert!(invited);
    app.update(accepted(id));
    let (back, invited) = is_invited(&press(&mut app, "rMore.\x13"));
    assert!(invited);
    fails(&mut app, back, Exit::NotPaid);
    assert!(screen(&mut app, 80, 24).contains("Ctrl-S pays for it then"));
    let (_, invited) = is_invited(&press(&mut app, "\n\x13"));
    assert!(!invited);
}

#[test]
fn who_is_written_to_by_name_is_paid_for_where_an_invitation_is_refused() {
    let mut app = app(1..=1);
    let mut book = Book::default();
    let link = format!("{ADDRESS}+aaaaaaaaaaaaaaaaaaaaaaaaadvanoxi");
    let bob = Contact::of_link("bob".parse().unwrap(), link.parse().unwrap(), None);
    book.add(bob).unwrap();
    app.contacts.set(book);
    let is_invited = |effects: &[Effect]| match effects {
        [Effect::Send { id, invitation, .. }] => (*id, invitation.is_some()),
        other => panic!("{other:?}"),
    };
    press(&mut app, "c");
    let (id, invited) = is_invited(&press(&mut app, "bob\tHello!\x13"));
    assert!(invited);
    fails(&mut app, id, Exit::NotPaid);
    assert!(screen(&mut app, 80, 24).contains("Ctrl-S pays for it then"));
    let (id, invited) = is_invited(&press(&mut app, "\n\x13"));
    assert!(!invited);
    app.update(accepted(id));
    // The next one tries it again.
    let (_, invited) = is_invited(&press(&mut app, "cbob\tMore.\x13"));
    assert!(invited);
}

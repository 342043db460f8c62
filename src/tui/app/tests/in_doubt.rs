//! Messages that ask for answers, and of which it isn't known whether they arrived; and what an invitation is good for
//! in a conversation.

use std::sync::Arc;

use super::awaiting::{CONTROL_T, asked, found, reply_of};
use super::*;
use crate::tui::state::outbox::Progress;
use kkv_base::lock;
use kkv_client::contacts::{Book, Contact};
use kkv_protocol::v2::answers::status::EntryState;

fn fails(app: &mut App, id: u64, exit: Exit) -> Vec<Effect> {
    let failed = CliError::new(exit, "it broke off");
    app.update(Event::Delivery(DeliveryEvent::Failed(id, failed)))
}

#[test]
fn a_message_in_doubt_keeps_its_conversation_and_a_look_settles_it() {
    for arrived in [true, false] {
        let mut app = app(1..=1);
        let (id, reply) = asked(&mut app, "Is the flat free?");
        let effects = fails(&mut app, id, Exit::InDoubt);
        let [
            Effect::Follow {
                id: conversation,
                secret,
                ..
            },
        ] = &effects[..]
        else {
            panic!("{effects:?}");
        };
        assert!(Arc::ptr_eq(secret, &reply.secret));
        let shown = screen(&mut app, 80, 24);
        for words in [
            " in doubt ",
            "that is looked for",
            "No answer has been looked",
        ] {
            assert!(shown.contains(words), "{words} in {shown}");
        }
        // Its words are the only ones: they aren't let go of unasked.
        for key in ["d", "\x03"] {
            assert!(press(&mut app, key).is_empty());
            assert!(!app.questions.is_empty(), "{key:?}");
            press(&mut app, "n");
        }
        let inside = arrived.then_some(EntryState::Waiting);
        let effects = app.update(found(*conversation, inside, Vec::new()));
        let shown = screen(&mut app, 80, 24);
        if arrived {
            assert!(effects.is_empty(), "{effects:?}");
            assert!(
                shown.contains(" accepted ") && shown.contains("has arrived"),
                "{shown}"
            );
            assert!(
                shown.contains(": not read yet") && app.outbox.undelivered() == 0,
                "{shown}"
            );
            assert_eq!(app.awaited.alive(), 1);
        } else {
            assert!(matches!(effects[..], [Effect::Unfollow(_)]));
            assert!(
                shown.contains("Nothing of this conversation is there: your"),
                "{shown}"
            );
            assert_eq!((app.awaited.alive(), app.outbox.undelivered()), (0, 1));
            // Sent again, it is there.
            let (again, reply) = reply_of(press(&mut app, "\n\x13"));
            assert!(!reply.follows_up && Arc::ptr_eq(secret, &reply.secret));
            assert!(matches!(
                app.update(accepted(again))[..],
                [Effect::Follow { .. }]
            ));
            assert_eq!(app.awaited.alive(), 1);
        }
    }
}

#[test]
fn a_cancelled_message_is_followed_only_if_it_was_on_its_way() {
    for was_sending in [true, false] {
        let mut app = app(1..=1);
        let (id, _) = asked(&mut app, "Hello!");
        let progress = Progress::default();
        if was_sending {
            lock(&progress).take(kkv_client::sender::Event::Sending);
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

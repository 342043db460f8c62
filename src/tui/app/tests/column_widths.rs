//! What the list and the line at the top show at each width: whole words and numbers.

use super::*;
use crate::tor::{TorState, TorTrouble};
use crate::tui::state::inbox::tests::summary;
use kkv_client::contacts::{Book, Contact};
use kkv_owner::Summary;
use kkv_protocol::crypto::identity::{KeySeed, SigningKey};
use kkv_protocol::openpgp::Block;

#[test]
fn the_line_at_the_top_says_whole_words_about_tor_at_every_width() {
    let trouble = Some(TorTrouble::Blocked);
    for (state, whole, plain) in [
        (TorState::Reachable, "reachable", "reachable"),
        (
            TorState::Publishing { trouble: None },
            "publishing the address",
            "publishing the address",
        ),
        (
            TorState::Connecting {
                percent: 45,
                trouble,
            },
            "connecting (45 %); something on the way seems to block Tor, trying on",
            "connecting (45 %)",
        ),
        (
            TorState::Lost {
                trouble: TorTrouble::Offline,
            },
            "no connection; this machine seems to be offline, trying on",
            "no connection",
        ),
    ] {
        let mut app = app(1..=1);
        let mut status = status();
        status.tor_state = Some(state);
        app.update(Event::Relay(RelayEvent::Status(status)));
        for width in 40..=200 {
            let shown = screen(&mut app, width, 10);
            let head = shown.lines().next().unwrap().trim_matches('"').trim_end();
            let rest = head.strip_prefix(" kkv  ").unwrap();
            let rest = rest.trim_end_matches("  cost 31").trim_end();
            let rest = rest
                .trim_end_matches(" slots taken")
                .trim_end_matches("4 of 50")
                .trim_end();
            // All that is an address, and the words of Tor behind it.
            let rest = match rest.split_once(' ') {
                Some((place, rest)) if place.contains("onion") => rest.trim_start(),
                _ => rest,
            };
            assert!(
                rest == whole || rest == plain,
                "{width}: {head:?}: {rest:?}"
            );
            assert!(width < 110 || rest == whole, "{width}: {head:?}");
            assert!(width < 70 || head.contains("cost 31"), "{width}: {head:?}");
        }
    }
}

/// Messages that are shown with something in the last column.
fn told(first: Option<&str>, openpgp: Option<Block>, inside: Vec<Block>) -> Summary {
    Summary {
        first: first.map(|text| Zeroizing::new(text.to_owned()).into()),
        openpgp,
        openpgp_inside: inside,
        ..summary(24)
    }
}

#[test]
fn first_words_are_shown_where_they_have_room_and_as_harmless_as_a_text() {
    let mut app = app(1..=1);
    let list = vec![told(
        Some("  Dear\tBob,\r\nsee \u{202e}you \u{1b}[2J soon"),
        None,
        Vec::new(),
    )];
    app.update(Event::Relay(RelayEvent::Listed(status(), list.into())));
    let shown = screen(&mut app, 100, 10);
    assert!(
        shown.contains("   24  │ Dear Bob, see <U+202E>you <U+001B>[2J…"),
        "{shown}"
    );
    assert!(shown.contains("   ID  FIRST WORDS"), "{shown}");
    let shown = screen(&mut app, 200, 10);
    assert!(
        shown.contains("Dear Bob, see <U+202E>you <U+001B>[2J soon"),
        "the list has it all: {shown}"
    );
    let shown = screen(&mut app, 80, 10);
    assert!(shown.contains("   24  │ Dear Bob, see…"), "{shown}");
    let shown = screen(&mut app, 70, 10);
    assert!(
        !shown.contains("Dear") && !shown.contains("FIRST"),
        "{shown}"
    );
}

#[test]
fn no_number_is_cut_whatever_stands_beside_it() {
    for message in [
        told(None, Some(Block::SignedMessage), Vec::new()),
        told(None, None, vec![Block::PublicKey, Block::Message]),
        told(Some("words"), None, vec![Block::PublicKey]),
        told(Some(&"many words ".repeat(18)), None, Vec::new()),
    ] {
        for is_read in [false, true] {
            let mut app = app(1..=1);
            app.update(Event::Relay(RelayEvent::Listed(
                status(),
                vec![message.clone()].into(),
            )));
            if is_read {
                arrives(&mut app, message.clone(), "text");
            }
            for width in if is_read { 120..=140 } else { 40..=200 } {
                let shown = screen(&mut app, width, 10);
                let mut rows = shown.lines().skip(1);
                let (head, row) = (rows.next().unwrap(), rows.next().unwrap());
                let at = head.find(" ID").unwrap() + 1;
                let number: String = row.chars().skip(at).take(3).collect();
                let number = number.trim_end_matches([' ', '"']);
                assert_eq!(number, "24", "{width}: {shown}");
            }
        }
    }
}

#[test]
fn two_blanks_keep_a_fingerprint_out_of_a_name_that_a_terminal_turns_round() {
    let mut app = app(1..=1);
    let sender = SigningKey::from_seed(&KeySeed::new([1; 32].into())).public();
    let (name, target) = ("שלום".parse().unwrap(), ADDRESS.parse().unwrap());
    let mut book = Book::default();
    book.add(Contact::new(name, target, Some(sender))).unwrap();
    app.contacts = ContactList::new(Some(book));
    let message = Summary {
        sender: Some(sender.id()),
        ..summary(1)
    };
    arrives(&mut app, message, "text");
    let shown = screen(&mut app, 100, 24);
    let fingerprint = sender.fingerprint();
    let from = format!("From     שלום  {fingerprint} (");
    assert!(shown.contains(&from), "{shown}");
}

//! Who may be in a book with whom, and what changes in it.

use super::super::link::{Link, link_text};
use super::*;
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::v2::invitation::Token;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn contact(text: &str, port: u16) -> Contact {
    let target = format!("127.0.0.1:{port}").parse().unwrap();
    Contact::new(name(text), target, None)
}

/// A book of these, on ports from 1 up.
fn book(names: &[&str]) -> Book {
    let mut book = Book::default();
    for (port, name) in (1..).zip(names) {
        book.add(contact(name, port)).unwrap();
    }
    book
}

fn names(book: &Book) -> Vec<&str> {
    book.iter().map(|c| c.name().as_str()).collect()
}

#[test]
fn a_book_is_empty_until_somebody_is_in_it() {
    assert!(book(&[]).is_empty());
    assert!(!book(&["bob"]).is_empty());
}

#[test]
fn contacts_are_in_the_order_of_their_names_whatever_their_capitals() {
    let book = book(&["bob", "Carol", "alice", "Bo"]);
    assert_eq!(names(&book), ["alice", "Bo", "bob", "Carol"]);
    assert_eq!(book.get(&name("CAROL")).unwrap().name().as_str(), "Carol");
}

#[test]
fn no_two_have_the_same_name_address_or_key() {
    let mut book = book(&["bob"]);
    let same_name = book.add(contact("BOB", 2)).unwrap_err();
    assert_eq!(same_name.to_string(), "there is a contact 'bob' already");
    let same_address = book.add(contact("alice", 1)).unwrap_err();
    assert_eq!(same_address, BookError::SameAddress(name("bob")));
    let key = SenderKey::generate(&mut rand::rng()).public();
    let signs = |text, port| Contact {
        sender: Some(key),
        ..contact(text, port)
    };
    book.add(signs("carol", 3)).unwrap();
    let same_sender = book.add(signs("dave", 4)).unwrap_err();
    assert_eq!(same_sender, BookError::SameSender(name("carol")));
    assert_eq!(book.by_sender(&key), Some(&name("carol")));
    assert_eq!(names(&book), ["bob", "carol"]);
}

#[test]
fn a_new_invitation_of_somebody_is_kept_and_leaves_everything_else() {
    let mut book = book(&["bob"]);
    let target = book.get(&name("bob")).unwrap().target();
    book.verify(&name("bob"), target).unwrap();
    let token = || Token::generate(&mut rand::rng()).to_text();
    let link = |port: u16| -> Link {
        let address = format!("127.0.0.1:{port}");
        link_text(&address, &token()).parse().unwrap()
    };
    for link in [link(1), link(1)] {
        let invitation = link.invitation.clone();
        let invited = Contact::of_link(name("Bob"), link, None);
        let has_another = book.get(&name("bob")).unwrap().invitation().is_some();
        assert_eq!(book.has_another_invitation(&invited), has_another);
        if has_another {
            let refused = book.add(invited.clone());
            assert_eq!(refused, Err(BookError::HasInvitation(name("bob"))));
        }
        assert_eq!(book.add_over(invited.clone()), Ok(Added::Invitation));
        assert_eq!(book.add(invited), Ok(Added::Invitation), "it is the same");
        let bob = book.get(&name("bob")).unwrap();
        assert!(bob.is_verified() && bob.invitation() == invitation.as_ref());
        assert_eq!(bob.name().as_str(), "bob");
    }
    let elsewhere = book.add(Contact::of_link(name("bob"), link(2), None));
    assert_eq!(elsewhere, Err(BookError::SameName(name("bob"))));
    let plain = book.add(contact("bob", 1));
    assert_eq!(plain, Err(BookError::SameName(name("bob"))));
    let key = SenderKey::generate(&mut rand::rng()).public();
    let other_key = book.add(Contact::of_link(name("bob"), link(1), Some(key)));
    assert_eq!(other_key, Err(BookError::SameName(name("bob"))));
    book.forget_invitation(target);
    assert_eq!(book.get(&name("bob")).unwrap().invitation(), None);
}

#[test]
fn another_name_leaves_everything_else() {
    let mut book = book(&["bob", "carol"]);
    let target = book.get(&name("bob")).unwrap().target();
    book.note_suite(target, Suite::V2);
    let other = "127.0.0.1:9".parse().unwrap();
    let refused = book.verify(&name("bob"), other).unwrap_err();
    assert_eq!(refused, BookError::Changed(name("bob")));
    book.verify(&name("bob"), target).unwrap();
    assert!(!book.distrust(&name("bob"), target).unwrap().is_verified());
    book.verify(&name("bob"), target).unwrap();
    let renamed = book.rename(&name("BOB"), name("Zed")).unwrap();
    assert!(renamed.is_verified() && renamed.suite() == Some(Suite::V2));
    assert_eq!(names(&book), ["carol", "Zed"]);
    book.rename(&name("zed"), name("ZED")).unwrap();
    assert_eq!(names(&book), ["carol", "ZED"]);
    let taken = book.rename(&name("carol"), name("zed")).unwrap_err();
    assert_eq!(taken, BookError::SameName(name("zed")));
    let unknown = book.rename(&name("bob"), name("eve")).unwrap_err();
    assert_eq!(unknown, BookError::Unknown(name("bob")));
    assert_eq!(names(&book), ["carol", "ZED"]);
}

#[test]
fn only_a_better_suite_is_remembered() {
    let mut book = book(&["bob"]);
    let bob = name("bob");
    let target = book.get(&bob).unwrap().target();
    for (spoken, best) in [
        (Suite::V1, Suite::V1),
        (Suite::V2, Suite::V2),
        (Suite::V1, Suite::V2),
    ] {
        book.note_suite(target, spoken);
        assert_eq!(book.get(&bob).unwrap().suite(), Some(best));
    }
    let before = book.clone();
    book.note_suite("127.0.0.1:99".parse().unwrap(), Suite::V2);
    assert_eq!(book, before, "nobody is there");
}

#[test]
fn a_name_that_was_nearly_meant_is_found() {
    let book = book(&["bob", "Robert", "alice", "al"]);
    for (asked, meant) in [
        ("bbo", &["bob"][..]),
        ("rob", &["bob", "Robert"]),
        ("ALICA", &["alice"]),
        ("al", &["al", "alice"]),
        ("x", &[]),
        ("eve", &[]),
    ] {
        let near: Vec<&str> = book
            .near(&name(asked))
            .into_iter()
            .map(Name::as_str)
            .collect();
        assert_eq!(near, meant, "{asked}");
    }
}

#[test]
fn the_book_is_bounded() {
    let mut book = Book::default();
    for port in 1..=MAX_CONTACTS as u16 {
        book.add(contact(&format!("c{port}"), port)).unwrap();
    }
    assert_eq!(book.add(contact("more", 2000)), Err(BookError::Full));
    assert_eq!(book.len(), MAX_CONTACTS);
    let target = book.get(&name("c7")).unwrap().target();
    book.remove(&name("c7"), target).unwrap();
    book.add(contact("more", 2000)).unwrap();
}

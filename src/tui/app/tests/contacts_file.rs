//! Contacts in a file, which takes its time: what is on the screen until it has them, and what if it doesn't take them.

use super::*;
use kkv_client::contacts::{Book, Contact};
use kkv_protocol::suite::Suite;
use kkv_protocol::v2::invitation::Token;

/// Somebody who is written down and handed over.
fn written_down(app: &mut App) -> Change {
    app.contacts = ContactList::new(Some(Book::default()));
    press(app, "aaAlice\t");
    app.input(Input::Paste(Zeroizing::new(ADDRESS.to_owned())));
    press(app, "\t");
    saved(app)
}

fn saved(app: &mut App) -> Change {
    let mut effects = press(app, "\n");
    let Some(Effect::ChangeContacts(change)) = effects.pop().filter(|_| effects.is_empty()) else {
        panic!("it is to be kept");
    };
    change
}

/// The file has it, and `others` beside.
fn done(change: Change, others: &Book) -> Event {
    let mut book = others.clone();
    change.apply(&mut book).unwrap();
    tried(change, Ok(()), book)
}

/// The file doesn't take it, and has `book` in it.
fn refused(change: Change, why: &str, book: &Book) -> Event {
    tried(change, Err(why.to_owned()), book.clone())
}

fn tried(change: Change, result: Result<(), String>, book: Book) -> Event {
    Event::Contacts(ContactsEvent::Tried {
        change: Box::new(change),
        result,
        book,
    })
}

fn only(name: &str, address: &str) -> Book {
    let mut book = Book::default();
    let contact = Contact::new(name.parse().unwrap(), address.parse().unwrap(), None);
    book.add(contact).unwrap();
    book
}

#[test]
fn who_is_written_down_stays_as_written_until_the_file_has_it() {
    let mut app = app(1..=1);
    let change = written_down(&mut app);
    for keys in ["\n", "\x13", "xyz", "\x1b", "\t"] {
        assert!(press(&mut app, keys).is_empty());
        assert_eq!(app.screen, Screen::ContactForm);
        assert!(screen(&mut app, 80, 24).contains("saving…"));
    }
    app.update(refused(change, "the disk is full", &Book::default()));
    assert!(screen(&mut app, 80, 24).contains("the disk is full"));
    let change = saved(&mut app);
    app.update(done(change, &Book::default()));
    assert_eq!(app.screen, Screen::Contacts);
    let shown = screen(&mut app, 100, 24);
    assert!(shown.contains("Alice is a contact") && !shown.contains("until"));
    assert!(!shown.contains("xyz"));
}

#[test]
fn a_contact_is_written_to_by_the_letter_in_the_place_of_c() {
    let mut app = app(1..=1);
    app.contacts = ContactList::new(Some(only("Carol", ADDRESS)));
    press(&mut app, "aс");
    assert_eq!(app.screen, Screen::Composer);
}

#[test]
fn a_change_that_is_refused_shows_what_is_in_the_file_all_the_same() {
    let mut app = app(1..=1);
    let change = written_down(&mut app);
    let others = only("Carol", ADDRESS);
    app.update(refused(change, "'Carol' has this address already", &others));
    assert_eq!(app.contacts.book(), &others);
    // Nor does a change that is no form's end one.
    let change = saved(&mut app);
    let other = Change::Remove("Carol".parse().unwrap(), ADDRESS.parse().unwrap());
    app.update(refused(other, "there is no contact 'Carol'", &others));
    assert!(press(&mut app, "\n").is_empty(), "it is still being saved");
    app.update(done(change, &Book::default()));
    assert_eq!(app.screen, Screen::Contacts);
}

#[test]
fn what_another_program_does_to_the_contacts_is_on_the_screen() {
    let mut app = app(1..=1);
    app.contacts = ContactList::new(Some(only("Alice", ADDRESS)));
    press(&mut app, "a");
    let others = only("Carol", ADDRESS);
    app.update(Event::Contacts(ContactsEvent::Refreshed(others)));
    assert!(screen(&mut app, 80, 24).contains("Carol"));
    let why = "the passphrase is wrong".to_owned();
    app.update(Event::Contacts(ContactsEvent::Unreadable(why)));
    let shown = screen(&mut app, 80, 24);
    assert!(shown.contains("the passphrase is wrong") && shown.contains("Carol"));
}

#[test]
fn an_inbox_that_has_spoken_the_best_is_never_written_to_in_less_though_no_file_learns_it() {
    let mut app = app(1..=1);
    app.contacts = ContactList::new(Some(only("Alice", ADDRESS)));
    for time in 0..2 {
        let id = sent(&mut app, "my words");
        let better = app.contacts.better(ADDRESS.parse().unwrap()).is_some();
        assert_eq!(better, time > 0);
        let mut effects = app.update(accepted(id));
        let Some(Effect::ChangeContacts(change)) = effects.pop() else {
            panic!("the file is to learn it");
        };
        let before = app.contacts.book().clone();
        app.update(refused(change, "the disk is full", &before));
        press(&mut app, "\x1b");
    }
}

#[test]
fn who_is_taken_out_and_in_again_is_somebody_new() {
    let mut app = app(1..=1);
    let alice = || only("Alice", ADDRESS);
    app.contacts = ContactList::new(Some(alice()));
    let target = ADDRESS.parse().unwrap();
    app.contacts.learn(target, Suite::V2);
    assert!(app.contacts.better(target).is_some());
    app.contacts.set(Book::default());
    app.contacts.set(alice());
    assert!(app.contacts.better(target).is_none());
}

#[test]
fn a_contact_that_is_half_written_is_not_lost_by_leaving_in_haste() {
    let mut app = app(1..=1);
    press(&mut app, "aa");
    assert!(matches!(press(&mut app, "\x03")[..], [Effect::Quit]));
    press(&mut app, "Ali");
    assert!(press(&mut app, "\x03").is_empty());
    assert!(screen(&mut app, 80, 24).contains("Leave? The contact"));
    press(&mut app, "n");
    press(&mut app, "ce");
    assert!(screen(&mut app, 80, 24).contains("Alice"));
    press(&mut app, "\x03");
    assert!(matches!(press(&mut app, "y")[..], [Effect::Quit]));
}

#[test]
fn a_message_to_this_machine_is_told_not_to_go_through_tor() {
    for (address, told) in [("127.0.0.1:9", true), (ADDRESS, false)] {
        let mut app = app(1..=1);
        press(&mut app, "c");
        app.input(Input::Paste(Zeroizing::new(address.to_owned())));
        assert!(matches!(
            press(&mut app, "\thello\x13")[..],
            [Effect::Send { .. }]
        ));
        let shown = screen(&mut app, 100, 24);
        assert_eq!(shown.contains("does not go through Tor"), told, "{shown}");
    }
}

#[test]
fn an_invitation_takes_the_place_of_another_only_if_that_is_agreed_to() {
    let tokens = [(); 2].map(|()| Token::generate(&mut rand::rng()).to_text());
    let mut app = app(1..=1);
    app.contacts = ContactList::new(None);
    let add = |app: &mut App, token: &str| {
        press(app, "aBob\t");
        app.input(Input::Paste(Zeroizing::new(format!("{ADDRESS}+{token}"))));
        press(app, "\t\n");
    };
    press(&mut app, "a");
    add(&mut app, &tokens[0]);
    let shown = screen(&mut app, 100, 24);
    assert!(
        shown.contains("Bob is a contact, and you are invited"),
        "{shown}"
    );
    assert!(shown.contains("INVITED"), "{shown}");
    let kept = |app: &App| app.contacts.selected().unwrap().invitation().cloned();
    let first = kept(&app);
    add(&mut app, &tokens[1]);
    let shown = screen(&mut app, 100, 24);
    let asked = "Bob has an invitation already. Put this one in its";
    assert!(shown.contains(asked), "{shown}");
    press(&mut app, "n");
    assert_eq!(app.screen, Screen::ContactForm);
    assert!(kept(&app) == first);
    press(&mut app, "\n");
    app.update(Event::KeysRested);
    press(&mut app, "y");
    assert!(screen(&mut app, 100, 24).contains("Bob has this invitation now"));
    assert!(kept(&app) != first);
}

//! What a file of contacts withstands.

use std::os::unix::fs::{PermissionsExt, symlink};

use proptest::prelude::*;

use super::*;
use age::scrypt;
use kkv_testing::alone;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use zeroize::Zeroizing;

use crate::contacts::Contact;
use kkv_base::limits::CONTACTS_BUCKET_BYTES;
use kkv_base::limits::{MAX_CONTACTS_FILE_BYTES, MAX_CONTACTS_WORK_FACTOR};
use kkv_protocol::crypto::identity::SenderKey;
use kkv_protocol::suite::Suite;

/// The least that scrypt can be asked for, where it is not what is looked at.
const NO_WORK: u8 = 1;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(&Zeroizing::new(text.to_owned())).unwrap()
}

fn contact(name: &str, port: u16) -> Contact {
    let target = format!("127.0.0.1:{port}").parse().unwrap();
    Contact::new(name.parse().unwrap(), target, None)
}

fn book(names: &[&str]) -> Book {
    let mut book = Book::default();
    for (port, name) in (1..).zip(names) {
        book.add(contact(name, port)).unwrap();
    }
    book
}

/// A file with these bytes, as ours are.
fn file(directory: &Path, bytes: &[u8]) -> PathBuf {
    let path = directory.join("contacts");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn opened(path: &Path, with: &str) -> Result<BookFile, FileError> {
    SealedBook::read(path)?.open(passphrase(with))
}

#[test]
fn a_book_survives_its_file_and_nobody_else_can_read_that() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("contacts");
    let made = BookFile::create(&path, passphrase("a b"), book(&["bob", "alice"])).unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    assert_eq!(opened(&path, "a b").unwrap().book(), made.book());
    let there: Vec<_> = fs::read_dir(&directory).unwrap().collect();
    assert_eq!(there.len(), 1, "nothing else is left behind");
    let again = BookFile::create(&path, passphrase("x"), Book::default());
    assert!(matches!(again, Err(FileError::Exists)));
    assert_eq!(opened(&path, "a b").unwrap().book(), made.book());
}

#[test]
fn each_fault_of_a_file_has_its_own_error() {
    use FileError as E;
    let directory = tempfile::tempdir().unwrap();
    let sealed = seal(&book(&["bob"]), &passphrase("right"), NO_WORK).unwrap();
    let at = |bytes: &[u8]| opened(&file(directory.path(), bytes), "right").map(|_| ());
    assert!(at(&sealed).is_ok());
    let wrong = opened(&file(directory.path(), &sealed), "wrong");
    assert!(matches!(wrong, Err(E::WrongPassphrase)));
    for foreign in [&b""[..], b"bob", &vec![b'x'; MAX_CONTACTS_FILE_BYTES + 1]] {
        assert!(matches!(at(foreign), Err(E::Foreign)));
    }
    let mut longer = sealed.clone();
    longer.push(0);
    assert!(matches!(at(&longer), Err(E::Altered)));

    let missing = opened(&directory.path().join("none"), "right");
    assert!(matches!(missing, Err(E::Missing)));
    let no_file = opened(directory.path(), "right");
    assert!(matches!(no_file, Err(E::NotAFile)));
    let path = file(directory.path(), &sealed);
    for mode in [0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(opened(&path, "right"), Err(E::Exposed)));
    }
}

#[test]
fn a_file_that_would_take_all_time_and_memory_is_not_opened() {
    let header = |work: u8| {
        let sealed = seal(&Book::default(), &passphrase("x"), NO_WORK).unwrap();
        let end = sealed.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let (first, rest) = sealed.split_at(end);
        let line_end = rest.iter().position(|byte| *byte == b'\n').unwrap();
        let line = str::from_utf8(&rest[..line_end]).unwrap();
        let dearer = format!("{}{work}", line.strip_suffix('1').unwrap());
        [first, dearer.as_bytes(), &rest[line_end..]].concat()
    };
    for work in [MAX_CONTACTS_WORK_FACTOR + 1, 30, 63] {
        let found = unseal(&header(work), &passphrase("x")).unwrap_err();
        assert!(matches!(found, FileError::TooMuchWork(asked) if asked == work));
    }
    let within = unseal(&header(2), &passphrase("x")).unwrap_err();
    assert!(matches!(within, FileError::WrongPassphrase));
}

#[test]
fn what_was_made_for_a_key_or_is_no_contacts_is_refused() {
    let sealed = |bytes: &[u8]| {
        let mut recipient = scrypt::Recipient::new(passphrase("x").for_age());
        recipient.set_work_factor(NO_WORK);
        age::encrypt(&recipient, bytes).unwrap()
    };
    let found = unseal(&sealed(b"a letter"), &passphrase("x"));
    assert!(matches!(found, Err(FileError::Foreign)));
    let newer = sealed(br#"{"format":"kkv contacts","version":2}"#);
    assert!(matches!(
        unseal(&newer, &passphrase("x")),
        Err(FileError::Version(2))
    ));
    let key = age::x25519::Identity::generate().to_public();
    let for_a_key = age::encrypt(&key, b"{}").unwrap();
    assert!(matches!(
        unseal(&for_a_key, &passphrase("x")),
        Err(FileError::Foreign)
    ));
}

#[test]
fn a_change_sees_what_another_program_has_written_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("contacts");
    let mut one = BookFile::create(&path, passphrase("x"), book(&["bob"])).unwrap();
    let mut other = opened(&path, "x").unwrap();
    one.change(|book| book.add(contact("carol", 2))).unwrap();
    other.change(|book| book.add(contact("dave", 3))).unwrap();
    let names: Vec<_> = other.book().iter().map(|c| c.name().to_string()).collect();
    assert_eq!(names, ["bob", "carol", "dave"]);
    assert_eq!(opened(&path, "x").unwrap().book(), other.book());
}

#[test]
fn what_another_program_has_written_is_seen_once_it_is_looked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("contacts");
    let mut one = BookFile::create(&path, passphrase("x"), book(&["bob"])).unwrap();
    let mut other = opened(&path, "x").unwrap();
    assert!(!one.refresh().unwrap() && !other.refresh().unwrap());
    one.change(|book| book.add(contact("carol", 2))).unwrap();
    assert!(!one.refresh().unwrap(), "its own change is known to it");
    assert!(other.refresh().unwrap());
    assert_eq!(other.book(), one.book());
    assert!(!other.refresh().unwrap());
    // What is wrong with the file is told once, and what was read before stays.
    file(directory.path(), b"no contacts");
    assert!(matches!(other.refresh(), Err(FileError::Foreign)));
    assert!(!other.refresh().unwrap());
    fs::remove_file(&path).unwrap();
    assert!(matches!(other.refresh(), Err(FileError::Missing)));
    assert!(!other.refresh().unwrap());
    assert_eq!(other.book(), one.book());
}

#[test]
fn a_change_that_is_refused_or_changes_nothing_leaves_the_file_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("contacts");
    let mut contacts = BookFile::create(&path, passphrase("x"), book(&["bob"])).unwrap();
    let before = fs::read(&path).unwrap();
    let bob = "bob".parse().unwrap();
    let target = contacts.book().get(&bob).unwrap().target();
    let refused = contacts.change(|book| book.add(contact("BOB", 2)));
    assert!(matches!(
        refused,
        Err(ChangeError::Book(BookError::SameName(_)))
    ));
    contacts.change(|book| book.get(&bob).map(|_| ())).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
    contacts
        .change(|book| {
            book.note_suite(target, Suite::V2);
            Ok(())
        })
        .unwrap();
    assert_ne!(fs::read(&path).unwrap(), before);
    fs::remove_file(&path).unwrap();
    let gone = contacts.change(|book| book.remove(&bob, target));
    assert!(matches!(gone, Err(ChangeError::File(FileError::Missing))));
}

#[test]
fn a_file_that_is_gone_before_the_first_look_is_told_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = file(
        directory.path(),
        &seal(&book(&["bob"]), &passphrase("x"), NO_WORK).unwrap(),
    );
    let mut open = opened(&path, "x").unwrap();
    fs::remove_file(&path).unwrap();
    assert!(matches!(open.refresh(), Err(FileError::Missing)));
    assert!(!open.refresh().unwrap());
}

#[test]
fn a_file_that_was_exposed_is_read_once_it_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let sealed = |names| seal(&book(names), &passphrase("x"), NO_WORK).unwrap();
    let path = file(directory.path(), &sealed(&["bob"]));
    let mut open = opened(&path, "x").unwrap();
    assert!(!open.refresh().unwrap());
    fs::write(&path, sealed(&["bob", "carol"])).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(open.refresh(), Err(FileError::Exposed)));
    assert!(!open.refresh().unwrap());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(open.refresh().unwrap());
    assert_eq!(open.book().len(), 2);
}

#[test]
fn a_file_that_could_not_be_read_is_read_once_it_can_be() {
    alone(|| {
        let directory = tempfile::tempdir().unwrap();
        let sealed = |names| seal(&book(names), &passphrase("x"), NO_WORK).unwrap();
        let path = file(directory.path(), &sealed(&["bob"]));
        let mut open = opened(&path, "x").unwrap();
        fs::write(&path, sealed(&["bob", "carol"])).unwrap();
        let before = getrlimit(Resource::Nofile);
        let none = Rlimit {
            current: Some(0),
            ..before
        };
        setrlimit(Resource::Nofile, none).unwrap();
        let (failed, failed_again) = (open.refresh(), open.refresh());
        setrlimit(Resource::Nofile, before).unwrap();
        assert!(matches!(failed, Err(FileError::Io(_))), "{failed:?}");
        assert!(!failed_again.unwrap(), "it is told once");
        assert!(open.refresh().unwrap());
        assert_eq!(open.book().len(), 2);
    });
}

#[test]
fn a_link_to_a_file_stays_a_link() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (
        directory.path().join("contacts"),
        directory.path().join("link"),
    );
    BookFile::create(&path, passphrase("x"), book(&["bob"])).unwrap();
    symlink(&path, &link).unwrap();
    let mut through = opened(&link, "x").unwrap();
    through
        .change(|book| book.add(contact("carol", 2)))
        .unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(opened(&path, "x").unwrap().book().len(), 2);
}

/// Any name there can be, and nearly all of each kind that there can't.
fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("\\PC{1,32}|[a-zé\"\\\\ -]{1,32}", 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))] // each encrypts 64 KiB, in a development build

    #[test]
    fn whatever_they_are_called_contacts_survive_the_file(names in names(), keys: bool, spoken: bool) {
        let mut book = Book::default();
        for (port, text) in (1..).zip(names) {
            let Ok(name) = text.parse::<crate::contacts::Name>() else { continue };
            let target = format!("127.0.0.1:{port}").parse().unwrap();
            let sender = keys.then(|| SenderKey::generate(&mut rand::rng()).public());
            if book.add(Contact::new(name.clone(), target, sender)).is_ok() && spoken {
                book.note_suite(target, Suite::V1);
                book.verify(&name, target).unwrap();
            }
        }
        let sealed = seal(&book, &passphrase("x"), NO_WORK).unwrap();
        prop_assert_eq!(sealed.len() / CONTACTS_BUCKET_BYTES, 1);
        let again = unseal(&sealed, &passphrase("x")).unwrap();
        let text = |book: &Book| book.iter().map(|c| c.name().to_string()).collect::<Vec<_>>();
        prop_assert_eq!(text(&again), text(&book));
        prop_assert_eq!(again, book);
    }

    #[test]
    fn cut_anywhere_or_changed_anywhere_it_is_refused(at in 0..66_000usize, bit in 0..8u8, cut: bool) {
        let mut sealed = seal(&book(&["bob"]), &passphrase("x"), NO_WORK).unwrap();
        let at = at % sealed.len();
        if cut {
            sealed.truncate(at);
        } else {
            sealed[at] ^= 1 << bit;
        }
        prop_assert!(unseal(&sealed, &passphrase("x")).is_err());
    }
}

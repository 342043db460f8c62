//! What stands in a file of contacts once it is opened: JSON with a version, and spaces up to the next size.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::book::Book;
use super::contact::Contact;
use super::error::{BadEntry, FileError};
use super::name::Name;
use kkv_base::limits::{CONTACTS_BUCKET_BYTES, MAX_CONTACTS, MAX_CONTACTS_FILE_BYTES};
use kkv_net::tor::Target;
use kkv_protocol::crypto::identity::PublicKey;
use kkv_protocol::ids::SenderId;
use kkv_protocol::suite::Suite;

/// What the file calls itself.
const FORMAT: &str = "kkv contacts";
/// The only version there is.
pub(super) const VERSION: u64 = 1;

/// What every version begins with.
#[derive(Deserialize)]
struct Begin {
    format: String,
    version: u64,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    format: String,
    version: u64,
    contacts: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    address: String,
    suite: Option<Suite>,
    sender: Option<SenderId>,
    verified: bool,
    /// The token of an invitation, as it stands in a link. (A file of before has none.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invitation: Option<Zeroizing<String>>,
}

/// The bytes to be encrypted.
pub(super) fn write(book: &Book) -> Zeroizing<Vec<u8>> {
    let stored = Stored {
        format: FORMAT.to_owned(),
        version: VERSION,
        contacts: book.iter().map(Entry::of).collect(),
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_CONTACTS_FILE_BYTES));
    serde_json::to_writer(&mut *bytes, &stored).expect("our own types are always JSON");
    let size = bytes.len().next_multiple_of(CONTACTS_BUCKET_BYTES);
    bytes.resize(size, b' ');
    bytes
}

/// Reads them again.
pub(super) fn read(bytes: &[u8]) -> Result<Book, FileError> {
    let begin: Begin = serde_json::from_slice(bytes).map_err(|_| FileError::Foreign)?;
    if begin.format != FORMAT {
        return Err(FileError::Foreign);
    }
    if begin.version != VERSION {
        return Err(FileError::Version(begin.version));
    }
    let stored: Stored = serde_json::from_slice(bytes).map_err(|_| BadEntry::Fields)?;
    let mut contacts = Vec::with_capacity(stored.contacts.len().min(MAX_CONTACTS));
    for entry in stored.contacts {
        contacts.push(entry.contact()?);
    }
    // Where two names look alike, the one whose address was compared keeps it.
    contacts.sort_by_key(|contact| !contact.verified);
    let mut book = Book::default();
    for contact in contacts {
        book.adopt(contact).map_err(BadEntry::from)?;
    }
    Ok(book)
}

impl Entry {
    fn of(contact: &Contact) -> Self {
        Self {
            name: contact.name.as_str().to_owned(),
            address: contact.target.to_string(),
            suite: contact.suite,
            sender: contact.sender.map(|key| key.id()),
            verified: contact.verified,
            invitation: contact.invitation.as_ref().map(|it| it.token().to_text()),
        }
    }

    /// The contact, if all of it is what may stand there.
    fn contact(self) -> Result<Contact, BadEntry> {
        let sender = self
            .sender
            .map(|key| PublicKey::from_id(&key))
            .transpose()?;
        let name: Name = self.name.parse()?;
        let invitation = self.invitation.map(|token| token.parse()).transpose()?;
        Ok(Contact {
            suite: self.suite,
            verified: self.verified,
            invitation,
            ..Contact::new(name, self.address.parse::<Target>()?, sender)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contacts::book::BookError;
    use crate::contacts::link::Link;
    use crate::contacts::name::BadName;
    use kkv_base::limits::MAX_NAME_CHARACTERS;
    use kkv_net::tor::ParseTargetError;
    use kkv_protocol::crypto::identity::BadPublicKey;
    use kkv_protocol::crypto::identity::SenderKey;
    use kkv_protocol::ids::ServiceKey;
    use kkv_protocol::onion::OnionAddress;
    use kkv_protocol::v2::invitation::{BadToken, Token};

    fn onion(rng: &mut impl rand::CryptoRng) -> Target {
        let key = SenderKey::generate(rng).public();
        Target::Onion {
            address: OnionAddress::from_public_key(ServiceKey(*key.as_bytes())),
            port: 65535,
        }
    }

    #[test]
    fn the_version_is_the_one_that_a_reader_is_told_of() {
        let told = FileError::Version(2).to_string();
        assert!(
            told.ends_with(&format!("only version {VERSION} is known")),
            "{told}"
        );
    }

    #[test]
    fn one_contact_and_a_hundred_take_the_same_room() {
        let mut book = Book::default();
        let rng = &mut rand::rng();
        let empty = write(&book).len();
        for n in 0..100 {
            let sender = SenderKey::generate(rng).public();
            let name = format!("contact {n}").parse().unwrap();
            book.add(Contact::new(name, onion(rng), Some(sender)))
                .unwrap();
            assert_eq!(write(&book).len(), empty);
        }
        assert_eq!(empty, CONTACTS_BUCKET_BYTES);
        assert_eq!(read(&write(&book)).unwrap(), book);
    }

    #[test]
    fn as_many_as_there_can_be_fit_with_the_longest_names() {
        let mut book = Book::default();
        let rng = &mut rand::rng();
        for n in 0..MAX_CONTACTS {
            let sender = SenderKey::generate(rng).public();
            let name = format!("{n:04}{}", "🙂".repeat(MAX_NAME_CHARACTERS - 4));
            let target = onion(rng);
            let link = Link {
                target,
                invitation: Some(Token::generate(rng).to_text().parse().unwrap()),
            };
            let contact = Contact::of_link(name.parse().unwrap(), link, Some(sender));
            book.add(contact).unwrap();
            book.note_suite(target, Suite::V2);
        }
        let bytes = write(&book);
        assert!(bytes.len() <= MAX_CONTACTS_FILE_BYTES - 64 * 1024);
        assert_eq!(read(&bytes).unwrap(), book);
    }

    #[test]
    fn an_old_file_with_two_names_that_look_alike_opens_and_has_both() {
        let entry = |name: &str, port: u16, verified: bool| {
            format!(
                r#"{{"name":"{name}","address":"127.0.0.1:{port}","suite":null,"sender":null,"verified":{verified}}}"#
            )
        };
        let file = |contacts: &[String]| {
            let contacts = contacts.join(",");
            format!(r#"{{"format":"kkv contacts","version":1,"contacts":[{contacts}]}}"#)
        };
        let long = "e\u{301}".repeat(16);
        let text = file(&[
            entry("Jose\u{301}", 1, false),
            entry("Jos\u{e9}", 2, true),
            entry("Jos\u{e9} (2)", 3, true),
            entry("JOS\u{c9}", 4, false),
            entry(&long, 5, false),
            entry(&long.replace("e\u{301}", "\u{e9}"), 6, false),
        ]);
        let book = read(text.as_bytes()).unwrap();
        let called = |port: u16| {
            let target = format!("127.0.0.1:{port}").parse().unwrap();
            book.by_target(target).unwrap().name().as_str()
        };
        assert_eq!(called(2), "Jos\u{e9}", "it was compared");
        assert_eq!(called(3), "Jos\u{e9} (2)");
        assert_eq!(called(1), "Jose\u{301} (3)");
        assert_eq!(called(4), "JOS\u{c9} (4)");
        assert_eq!(book.len(), 6);
        assert_eq!(book.renamed().len(), 3);
        let again = read(&write(&book)).unwrap();
        assert!(again.iter().eq(book.iter()));
        assert!(again.renamed().is_empty());
        // Two with one address are no book of ours, whatever they are called.
        let same = file(&[entry("Jose\u{301}", 1, false), entry("Jos\u{e9}", 1, false)]);
        let refused = read(same.as_bytes());
        assert!(matches!(
            refused,
            Err(FileError::Malformed(BadEntry::Book(_)))
        ));
    }

    #[test]
    fn whatever_is_not_ours_or_not_of_this_version_is_told_apart() {
        let entry = r#"{"name":"bob","address":"127.0.0.1:1","suite":"kkv/2","sender":null,"verified":true}"#;
        let file = |contacts: &str| {
            format!(r#"{{"format":"kkv contacts","version":1,"contacts":[{contacts}]}}  "#)
        };
        let read = |text: &str| read(text.as_bytes());
        assert_eq!(read(&file(entry)).unwrap().len(), 1);
        for text in [
            "",
            "[]",
            "{}",
            r#"{"format":"something","version":1,"contacts":[]}"#,
        ] {
            assert!(matches!(read(text), Err(FileError::Foreign)), "{text}");
        }
        let newer = r#"{"format":"kkv contacts","version":2,"people":[]}"#;
        assert!(matches!(read(newer), Err(FileError::Version(2))));
        let bob: Name = "bob".parse().unwrap();
        for (contacts, why) in [
            ("7".to_owned(), BadEntry::Fields),
            (
                format!("{entry},{entry}"),
                BadEntry::Book(BookError::SameAddress(bob)),
            ),
            (
                entry.replace("bob", "b\\nb"),
                BadEntry::Name(BadName::Invisible),
            ),
            (
                entry.replace("127.0.0.1:1", "8.8.8.8:1"),
                BadEntry::Address(ParseTargetError::OutsideTor),
            ),
            (entry.replace("null", "\"00\""), BadEntry::Fields),
            (
                entry.replace("null", &format!("\"{}\"", "0".repeat(64))),
                BadEntry::Sender(BadPublicKey),
            ),
            (entry.replace("kkv/2", "kkv/3"), BadEntry::Fields),
            (entry.replace("true", "1"), BadEntry::Fields),
            (
                entry.replace("true", "true,\"invitation\":\"abc\""),
                BadEntry::Invitation(BadToken::Length(3)),
            ),
        ] {
            match read(&file(&contacts)) {
                Err(fault @ FileError::Malformed(_)) => {
                    let said = format!("what is in it can't be contacts: {why}");
                    assert_eq!(fault.to_string(), said, "{contacts}");
                    assert!(matches!(fault, FileError::Malformed(found) if found == why));
                }
                other => panic!("{contacts}: {other:?}"),
            }
        }
    }
}

//! The file of contacts that --contacts names, as commands use it.

use std::path::Path;

use super::ask::{confirm, require_yes_or_terminal};
use super::passphrase;
use crate::tor::{ParseTargetError, Target};
use kkv_client::contacts::{
    Added, Book, BookError, BookFile, ChangeError, Contact, FileError, Invitation, Link, Name,
    Recipient, SealedBook,
};
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_terminal::stderr::warn;
use kkv_terminal::visible::{OneLine, quoted};
use kkv_ui::advice::close_file;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::did_you_mean;

/// Where contacts are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contacts<'c> {
    pub(super) path: &'c Path,
    /// Whether the command line says so. A variable of the environment says it to the next command as well.
    pub(super) typed: bool,
    pub(super) passphrase_file: Option<&'c Path>,
}

/// Where a message is to go, and who that is if it is known, with the file that says so.
pub(super) struct ResolvedRecipient {
    pub(super) target: Target,
    /// By what a message there costs nothing.
    pub(super) invitation: Option<Invitation>,
    contact: Option<Known>,
    /// Whether it was told by its name.
    is_named: bool,
    /// Whether its invitation is forgotten once a message is accepted.
    forgets: bool,
}

/// A contact, and the open file that it is in.
struct Known {
    contact: Contact,
    file: BookFile,
}

impl Contacts<'_> {
    /// A command about these contacts, as it can be pasted: `kkvc` and `words`, with the file where it has to be named.
    pub(super) fn command(self, words: &str) -> String {
        match self.typed {
            true => format!("kkvc {words} --contacts {}", quoted(self.path)),
            false => format!("kkvc {words}"),
        }
    }

    /// Opens the file, whose passphrase is asked for if it has to be, and again if it is wrong.
    pub(super) async fn open(self) -> Result<BookFile, CliError> {
        let unusable = |fault: FileError| unusable(self.path, &fault);
        SealedBook::read(self.path).map_err(unusable)?; // before anybody is asked
        let open = |passphrase| SealedBook::read(self.path)?.open(passphrase);
        let opened = passphrase::opened(self.passphrase_file, self.path, "kkvc", open).await?;
        let file = opened.map_err(unusable)?;
        for name in file.book().renamed() {
            warn(format_args!(
                "kkvc: a contact is {name} from now on: its name looked like another's."
            ));
        }
        Ok(file)
    }

    /// Takes `contact` in, or its invitation if it is there already: in place of another only if that is agreed to
    /// (`yes`: it is). Makes the file if it isn't there yet. Returns the contact as it is now, and what is new.
    pub(super) async fn add(
        self,
        contact: Contact,
        yes: bool,
    ) -> Result<(Contact, Added), CliError> {
        match SealedBook::read(self.path) {
            Err(FileError::Missing) => {
                let passphrase = passphrase::new(self.passphrase_file, self.path).await?;
                let mut book = Book::default();
                book.add(contact.clone()).expect("nobody else is there");
                BookFile::create(self.path, passphrase, book)
                    .map_err(|fault| unusable(self.path, &fault))?;
                // Whatever else is left unsaid: the name of another file may have been mistyped.
                warn(format_args!(
                    "kkvc: a new file of contacts was made: {}",
                    OneLine(&self.path.to_string_lossy())
                ));
                Ok((contact, Added::Contact))
            }
            _ => {
                let name = contact.name().clone();
                let mut file = self.open().await?;
                // Asked before the file is locked: no other program waits for an answer.
                let replaces = file.book().has_another_invitation(&contact);
                if replaces {
                    agree_to_replace(&name, yes)?;
                }
                let added = |book: &mut Book| {
                    let added = match replaces {
                        true => book.add_over(contact)?,
                        false => book.add(contact)?,
                    };
                    Ok((book.get(&name)?.clone(), added))
                };
                self.change_in(&mut file, added)
            }
        }
    }

    /// Opens the file and changes what is in it.
    pub(super) async fn change<T>(
        self,
        change: impl FnOnce(&mut Book) -> Result<T, BookError>,
    ) -> Result<T, CliError> {
        self.change_in(&mut self.open().await?, change)
    }

    /// The same with a file that is open.
    pub(super) fn change_in<T>(
        self,
        file: &mut BookFile,
        change: impl FnOnce(&mut Book) -> Result<T, BookError>,
    ) -> Result<T, CliError> {
        let changed = file.change(change);
        changed.map_err(|fault| match fault {
            ChangeError::Book(fault) => refused(&fault, file.book(), self),
            ChangeError::File(fault) => unusable(self.path, &fault),
        })
    }
}

/// Has somebody agree that an invitation goes for good: which of the two can be used, nobody but its inbox knows.
fn agree_to_replace(name: &Name, yes: bool) -> Result<(), CliError> {
    require_yes_or_terminal(
        yes,
        &format!("put this invitation in place of the one that {name} has"),
    )?;
    let question = format!(
        "{name} has an invitation already, which can't be shown again. Put this one in its place?"
    );
    if !yes && !confirm(&question)? {
        let what = format!("{name} keeps the invitation that was there");
        return Err(CliError::new(Exit::Cancelled, what));
    }
    Ok(())
}

impl ResolvedRecipient {
    /// Finds out who `whom` is, among the contacts if there are any.
    pub(super) async fn find(
        whom: Recipient,
        contacts: Option<Contacts<'_>>,
    ) -> Result<Self, CliError> {
        let opened = match contacts {
            Some(contacts) => Some((contacts, contacts.open().await?)),
            None => None,
        };
        match (whom, opened) {
            (Recipient::Address(Link { target, invitation }), opened) => {
                let known = |file: BookFile| {
                    let contact = file.book().by_target(target)?.clone();
                    Some(Known { contact, file })
                };
                let contact = opened.and_then(|(_, file)| known(file));
                Ok(Self {
                    target,
                    invitation,
                    contact,
                    is_named: false,
                    forgets: false,
                })
            }
            (Recipient::Name(name), Some((contacts, file))) => {
                let contact = found(file.book(), &name, contacts)?.clone();
                Ok(Self {
                    target: contact.target(),
                    invitation: contact.invitation().cloned(),
                    contact: Some(Known { contact, file }),
                    is_named: true,
                    forgets: false,
                })
            }
            (Recipient::Name(name), None) => {
                let what = format!("'{name}' is no address: {}", ParseTargetError::OutsideTor);
                Err(CliError::usage(what).hint(
                    "If it is one of your contacts, name their file: --contacts FILE (see --help).",
                ))
            }
        }
    }

    /// The contact, if nothing less than kkv/2 may be spoken with it.
    pub(super) fn better(&self) -> Option<&Name> {
        let contact = &self.contact.as_ref()?.contact;
        contact.speaks_the_best().then(|| contact.name())
    }

    /// Refuses `suites` that leave out the better one that it has spoken before.
    pub(super) fn require_suite(&self, suites: SuitePolicy) -> Result<(), CliError> {
        match self.better() {
            Some(name) if !suites.allows(Suite::V2) => Err(CliError::usage(format!(
                "{name} has spoken kkv/2 before, and is not written to in the weaker kkv/1"
            ))
            .hint("Leave out --suite 1, or --contacts if you know better.")),
            _ => Ok(()),
        }
    }

    /// Refuses `suites` that have no invitations, if there is one.
    pub(super) fn require_invitations(&self, suites: SuitePolicy) -> Result<(), CliError> {
        if self.invitation.is_some() && !suites.allows(Suite::V2) {
            return Err(CliError::usage(
                "kkv/1 has no invitations; nothing was sent",
            )
            .hint("Leave out --suite 1, or write to the address alone, without the + and what follows."));
        }
        Ok(())
    }

    /// Pays whatever it costs. The invitation of the contact that was named is forgotten once that has come about; a
    /// link that was typed says nothing of a contact's.
    pub(super) fn pay(&mut self) {
        self.invitation = None;
        self.forgets = self.is_named;
    }

    /// Pays this time, and forgets nothing: the invitation may be good again.
    pub(super) fn pay_once(&mut self) {
        self.invitation = None;
    }

    /// The command that sends without the invitation of a contact, if it is one.
    pub(super) fn paying(&self) -> Option<String> {
        let contact = &self.contact.as_ref()?.contact;
        let is_kept = self.is_named && self.invitation.is_some();
        is_kept.then(|| format!("send --pay {}", quoted(contact.name().as_str())))
    }

    /// Keeps in mind which suite was spoken, if that is news, and forgets an invitation that somebody would rather have
    /// paid than used. The message is accepted by then.
    pub(super) fn remember(&mut self, suite: Suite) -> Result<(), CliError> {
        let Some(Known { contact, file }) = &mut self.contact else {
            return Ok(());
        };
        let forgets = self.forgets && contact.invitation().is_some();
        if !contact.learns_from(suite) && !forgets {
            return Ok(());
        }
        let (name, target) = (contact.name(), contact.target());
        let changed = file.change(|book| {
            book.note_suite(target, suite);
            if forgets {
                book.forget_invitation(target);
            }
            Ok(())
        });
        changed.map_err(|fault| {
            let what = format!(
                "the message was accepted, but that {name} speaks {suite} can't be noted: {fault}"
            );
            let mend = match fault {
                ChangeError::File(FileError::Busy) => "See whether another kkvc stands still.",
                _ => "See that the contacts and their directory can be written to.",
            };
            CliError::new(Exit::DoneUnreported, what).hint(format!("Don't send it again. {mend}"))
        })
    }
}

/// The contact of that name.
pub(super) fn found<'b>(
    book: &'b Book,
    name: &Name,
    contacts: Contacts<'_>,
) -> Result<&'b Contact, CliError> {
    book.get(name)
        .map_err(|fault| refused(&fault, book, contacts))
}

fn refused(fault: &BookError, book: &Book, contacts: Contacts<'_>) -> CliError {
    let failed = CliError::usage(fault.to_string());
    let list = || contacts.command("contact list");
    match fault {
        BookError::Unknown(name) => match did_you_mean(book, name) {
            Some(question) => failed.hint(question),
            None => failed
                .hint("This shows whom there is:")
                .command("  ", &list()),
        },
        BookError::SameName(_) | BookError::SameSender(_) => failed,
        BookError::HasInvitation(_) => failed.hint("Nothing was changed; run this again."),
        BookError::Changed(_) => failed
            .hint("Look at it, then run this again for that one:")
            .command("  ", &list()),
        BookError::SameAddress(name) => {
            let words = format!("contact rename {} NEW", quoted(name.as_str()));
            failed
                .hint("To give it another name:")
                .command("  ", &contacts.command(&words))
        }
        BookError::Full => failed.hint("Remove somebody with `kkvc contact remove`."),
    }
}

/// What is said of a file of contacts that can't be had.
fn unusable(path: &Path, fault: &FileError) -> CliError {
    let shown = quoted(path);
    let exit = match fault {
        FileError::Io(fault) => Exit::of_io(fault),
        _ => Exit::Usage,
    };
    let failed = CliError::new(exit, format!("can't use the contacts in {shown}: {fault}"));
    match fault {
        FileError::Missing => {
            failed.hint("The first `kkvc contact add` makes it, in a directory that exists.")
        }
        FileError::Exposed => match std::fs::metadata(path) {
            Ok(metadata) => close_file(failed, path, &metadata),
            Err(_) => failed,
        },
        FileError::Busy => {
            failed.hint("Nothing was changed. See whether another kkvc stands still, and end it.")
        }
        FileError::WrongPassphrase => failed
            .hint("Try again. If you are sure of it, the beginning of the file has been altered."),
        FileError::Altered | FileError::Malformed(_) | FileError::TooMuchWork(_) => {
            failed.hint("Take an older copy of it if you have one, or make another file.")
        }
        FileError::Foreign | FileError::NotAFile | FileError::Exists => {
            failed.hint("Name a file that `kkvc contact add` has made, or that isn't there yet.")
        }
        FileError::Version(_) => failed.hint("Use the kkvc that wrote it, or a newer one."),
        FileError::Io(_) => failed,
    }
}

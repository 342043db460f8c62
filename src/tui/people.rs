//! Contacts at the screen: in the file that they come from, or for as long as the client runs.

use crate::contacts::{Book, BookError, BookFile, ChangeError, Contact, Name};
use crate::crypto::identity::PublicKey;
use crate::protocol::suite::Suite;
use crate::protocol::wire::Hex;
use crate::tor::Target;

/// All contacts, and the one that keys act on.
pub(super) struct People {
    store: Store,
    chosen: usize,
}

enum Store {
    Session(Book),
    File(Box<BookFile>),
}

impl People {
    /// Those in `file`; without one, those of this session, which begins with nobody.
    pub(super) fn new(file: Option<BookFile>) -> Self {
        let store = match file {
            Some(file) => Store::File(Box::new(file)),
            None => Store::Session(Book::default()),
        };
        Self { store, chosen: 0 }
    }

    pub(super) fn book(&self) -> &Book {
        match &self.store {
            Store::Session(book) => book,
            Store::File(file) => file.book(),
        }
    }

    /// Whether they outlive the client.
    pub(super) fn are_kept(&self) -> bool {
        matches!(self.store, Store::File(_))
    }

    /// Changes them, in their file too if they have one: that takes as long as a guess at its passphrase.
    ///
    /// # Errors
    /// Why not, in words.
    pub(super) fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Book) -> Result<T, BookError>,
    ) -> Result<T, String> {
        let chosen = self.chosen().map(|contact| contact.name().clone());
        let changed = match &mut self.store {
            Store::Session(book) => change(book).map_err(ChangeError::Book),
            Store::File(file) => file.change(change),
        };
        self.move_by(0);
        // The same one, wherever it is in the list now.
        if let Some(chosen) = chosen {
            self.choose_name(&chosen);
        }
        changed.map_err(|fault| fault.to_string())
    }

    /// Remembers that the inbox at `target` has spoken `suite`, if it is a contact's and that is news.
    ///
    /// # Errors
    /// Why that can't be kept, in words.
    pub(super) fn note_suite(&mut self, target: Target, suite: Suite) -> Result<(), String> {
        let known = self.book().by_target(target);
        match known.filter(|contact| contact.suite() < Some(suite)) {
            Some(contact) => {
                let name = contact.name().clone();
                self.change(|book| book.note_suite(&name, suite))
            }
            None => Ok(()),
        }
    }

    /// The contact whose inbox at `target` has spoken kkv/2 before: nothing less is spoken with it.
    pub(super) fn better(&self, target: Target) -> Option<Name> {
        let known = self.book().by_target(target);
        let known = known.filter(|contact| contact.suite() == Some(Suite::V2));
        known.map(|contact| contact.name().clone())
    }

    /// Who signs with `sender`.
    pub(super) fn who_signs(&self, sender: &Hex<32>) -> Option<&Name> {
        let key = PublicKey::from_bytes(&sender.0).ok()?;
        self.book().by_sender(&key)
    }

    pub(super) fn chosen(&self) -> Option<&Contact> {
        self.book().iter().nth(self.chosen)
    }

    /// Where in the list the chosen one is.
    pub(super) fn place(&self) -> usize {
        self.chosen
    }

    /// Chooses the one in this place. Whether there is one.
    pub(super) fn choose(&mut self, place: usize) -> bool {
        let is_there = place < self.book().len();
        if is_there {
            self.chosen = place;
        }
        is_there
    }

    /// Chooses the one of that name, if there is one.
    pub(super) fn choose_name(&mut self, name: &Name) {
        let place = self
            .book()
            .iter()
            .position(|contact| contact.name() == name);
        self.chosen = place.unwrap_or(self.chosen);
    }

    /// Chooses another: so many lines further, or back. At the ends it stays.
    pub(super) fn move_by(&mut self, lines: isize) {
        let last = self.book().len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(lines).min(last);
    }
}

//! Contacts at the screen: those of a file, as it was seen last, or those of this session.

use std::collections::HashSet;

use crate::tor::Target;
use kkv_client::contacts::{Book, BookError, Contact, Name};
use kkv_protocol::crypto::identity::PublicKey;
use kkv_protocol::ids::SenderId;
use kkv_protocol::suite::Suite;

/// All contacts, and the one that keys act on.
pub(in crate::tui) struct ContactList {
    book: Book,
    are_kept: bool,
    /// Contacts that have spoken kkv/2 since this client runs, whether their file could learn it or not.
    have_spoken_best: HashSet<Target>,
    selected: usize,
}

/// What is done with contacts.
#[derive(Debug)]
pub(in crate::tui) enum Change {
    Add(Contact),
    /// The same, with an invitation in place of another.
    AddOver(Contact),
    Rename(Name, Name),
    /// The words of this address were compared, and nobody else's: the file may have been changed meanwhile.
    Verify(Name, Target),
    /// They were, and differ.
    Distrust(Name, Target),
    /// It was agreed to remove the one with this address, and nobody else.
    Remove(Name, Target),
    /// The inbox there has spoken this suite.
    Spoke(Target, Suite),
}

impl Change {
    /// Does it.
    ///
    /// # Errors
    /// It can't be done.
    pub(in crate::tui) fn apply(&self, book: &mut Book) -> Result<(), BookError> {
        match self {
            Self::Add(contact) => book.add(contact.clone()).map(drop),
            Self::AddOver(contact) => book.add_over(contact.clone()).map(drop),
            Self::Rename(old, new) => book.rename(old, new.clone()).map(|_| ()),
            Self::Verify(name, target) => book.verify(name, *target).map(|_| ()),
            Self::Distrust(name, target) => book.distrust(name, *target).map(|_| ()),
            Self::Remove(name, target) => book.remove(name, *target).map(|_| ()),
            Self::Spoke(target, suite) => {
                book.note_suite(*target, *suite);
                Ok(())
            }
        }
    }
}

impl ContactList {
    /// Those in a file; without one, those of this session, which begins with nobody.
    pub(in crate::tui) fn new(file: Option<Book>) -> Self {
        Self {
            are_kept: file.is_some(),
            book: file.unwrap_or_default(),
            have_spoken_best: HashSet::new(),
            selected: 0,
        }
    }

    pub(in crate::tui) fn book(&self) -> &Book {
        &self.book
    }

    /// Whether they outlive the client.
    pub(in crate::tui) fn are_kept(&self) -> bool {
        self.are_kept
    }

    /// They are these now.
    pub(in crate::tui) fn set(&mut self, book: Book) {
        let selected = self.selected().map(|contact| contact.name().clone());
        self.book = book;
        let is_known = |target: &Target| self.book.by_target(*target).is_some();
        self.have_spoken_best.retain(is_known);
        self.move_by(0);
        // The same one, wherever it is in the list now.
        if let Some(selected) = selected {
            self.select_name(&selected);
        }
    }

    /// What is to be changed when the inbox at `target` has spoken `suite`, if it is a contact's and that is news.
    pub(in crate::tui) fn learn(&mut self, target: Target, suite: Suite) -> Option<Change> {
        let known = self.book.by_target(target)?;
        if suite == Suite::V2 {
            self.have_spoken_best.insert(target);
        }
        known
            .learns_from(suite)
            .then_some(Change::Spoke(target, suite))
    }

    /// The contact at `target`, if nothing less than kkv/2 may be spoken with it.
    pub(in crate::tui) fn better(&self, target: Target) -> Option<Name> {
        let known = self.book.by_target(target)?;
        let is_better = known.speaks_the_best() || self.have_spoken_best.contains(&target);
        is_better.then(|| known.name().clone())
    }

    /// Who signs with `sender`.
    pub(in crate::tui) fn who_signs(&self, sender: Option<&SenderId>) -> Option<&Name> {
        let key = PublicKey::from_id(sender?).ok()?;
        self.book().by_sender(&key)
    }

    pub(in crate::tui) fn selected(&self) -> Option<&Contact> {
        self.book().iter().nth(self.selected)
    }

    /// Where in the list the selected one is.
    pub(in crate::tui) fn position(&self) -> usize {
        self.selected
    }

    /// Selects the one in this place. Whether there is one.
    pub(in crate::tui) fn select(&mut self, position: usize) -> bool {
        let is_there = position < self.book().len();
        if is_there {
            self.selected = position;
        }
        is_there
    }

    /// Selects the one of that name, if there is one.
    pub(in crate::tui) fn select_name(&mut self, name: &Name) {
        let position = self
            .book()
            .iter()
            .position(|contact| contact.name() == name);
        self.selected = position.unwrap_or(self.selected);
    }

    /// Selects another: so many lines further, or back. At the ends it stays.
    pub(in crate::tui) fn move_by(&mut self, lines: isize) {
        let last = self.book().len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(lines).min(last);
    }
}

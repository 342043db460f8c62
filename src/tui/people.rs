//! Contacts at the screen: those of a file, as it was seen last, or those of this session.

use std::collections::HashSet;

use crate::contacts::{Book, BookError, Contact, Name};
use crate::crypto::identity::PublicKey;
use crate::protocol::ids::SenderId;
use crate::protocol::suite::Suite;
use crate::tor::Target;

/// All contacts, and the one that keys act on.
pub(super) struct People {
    book: Book,
    are_kept: bool,
    /// Contacts that have spoken kkv/2 since this client runs, whether their file could learn it or not.
    have_spoken_best: HashSet<Target>,
    chosen: usize,
}

/// What is done with contacts.
#[derive(Debug)]
pub(super) enum Change {
    Add(Contact),
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

/// What has come of a change.
pub(super) struct Kept {
    pub(super) change: Change,
    /// Why it isn't done, in words.
    pub(super) done: Result<(), String>,
    /// All that there are now, whether it is done or not: another program may have changed the file.
    pub(super) book: Book,
}

impl Change {
    /// Does it.
    ///
    /// # Errors
    /// It can't be done.
    pub(super) fn apply(&self, book: &mut Book) -> Result<(), BookError> {
        match self {
            Self::Add(contact) => book.add(contact.clone()),
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

impl People {
    /// Those in a file; without one, those of this session, which begins with nobody.
    pub(super) fn new(file: Option<Book>) -> Self {
        Self {
            are_kept: file.is_some(),
            book: file.unwrap_or_default(),
            have_spoken_best: HashSet::new(),
            chosen: 0,
        }
    }

    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// Whether they outlive the client.
    pub(super) fn are_kept(&self) -> bool {
        self.are_kept
    }

    /// They are these now.
    pub(super) fn set(&mut self, book: Book) {
        let chosen = self.chosen().map(|contact| contact.name().clone());
        self.book = book;
        let is_known = |target: &Target| self.book.by_target(*target).is_some();
        self.have_spoken_best.retain(is_known);
        self.move_by(0);
        // The same one, wherever it is in the list now.
        if let Some(chosen) = chosen {
            self.choose_name(&chosen);
        }
    }

    /// What is to be changed when the inbox at `target` has spoken `suite`, if it is a contact's and that is news.
    pub(super) fn learn(&mut self, target: Target, suite: Suite) -> Option<Change> {
        let known = self.book.by_target(target)?;
        if suite == Suite::V2 {
            self.have_spoken_best.insert(target);
        }
        known
            .learns_from(suite)
            .then_some(Change::Spoke(target, suite))
    }

    /// The contact at `target`, if nothing less than kkv/2 may be spoken with it.
    pub(super) fn better(&self, target: Target) -> Option<Name> {
        let known = self.book.by_target(target)?;
        let is_better = known.speaks_the_best() || self.have_spoken_best.contains(&target);
        is_better.then(|| known.name().clone())
    }

    /// Who signs with `sender`.
    pub(super) fn who_signs(&self, sender: &SenderId) -> Option<&Name> {
        let key = PublicKey::from_id(sender).ok()?;
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

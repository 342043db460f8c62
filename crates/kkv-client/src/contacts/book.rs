//! Contacts in memory, by name.

use std::collections::BTreeMap;
use std::fmt;

use super::contact::Contact;
use super::name::Name;
use kkv_base::count::counted;
use kkv_base::limits::MAX_CONTACTS;
use kkv_net::tor::Target;
use kkv_protocol::crypto::identity::{PublicKey, Sender};
use kkv_protocol::suite::Suite;

/// A name that differs in more places than this from what was typed was not meant.
const NEAR: usize = 2;

/// All contacts, in the order of their names. No two have the same name, address or key, so that each of these tells
/// who it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Book {
    contacts: BTreeMap<String, Contact>,
    /// What those are called now whose names had to be told apart: see [`adopt`](Self::adopt).
    renamed: Vec<Name>,
}

/// Why contacts stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// Nobody is called that.
    #[error("there is no contact '{0}'")]
    Unknown(Name),
    /// Somebody is called that already.
    #[error("there is a contact '{0}' already")]
    SameName(Name),
    /// Somebody has this address already.
    #[error("'{0}' has this address already")]
    SameAddress(Name),
    /// Somebody has this key already.
    #[error("'{0}' signs with this key already")]
    SameSender(Name),
    /// It has another invitation, and nobody is shown that again.
    #[error("'{0}' has another invitation already, and keeps it")]
    HasInvitation(Name),
    /// Somebody else is called that by now.
    #[error("'{0}' has another address by now; nothing was changed")]
    Changed(Name),
    /// There is no room.
    #[error("there are {MAX_CONTACTS} contacts, and no more fit")]
    Full,
}

/// What was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// Somebody new.
    Contact,
    /// An invitation to somebody who was there.
    Invitation,
}

impl Book {
    /// Each contact, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.values()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contacts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty()
    }

    /// Takes one in. If it is there already, under this name and address, only an invitation is taken over from
    /// `contact`.
    ///
    /// # Errors
    /// Its name, address or key is somebody's already, it has another invitation, or there is no room.
    pub fn add(&mut self, contact: Contact) -> Result<Added, BookError> {
        self.take_in(contact, false)
    }

    /// The same; an invitation takes the place of another.
    ///
    /// # Errors
    /// As there, but for that.
    pub fn add_over(&mut self, contact: Contact) -> Result<Added, BookError> {
        self.take_in(contact, true)
    }

    /// Whether `contact` is there, and has another invitation than this one, which nobody is shown again.
    #[must_use]
    pub fn has_another_invitation(&self, contact: &Contact) -> bool {
        let same = self.contacts.get(contact.name.key());
        let same = same.filter(|same| same.may_be(contact));
        match (same.and_then(Contact::invitation), contact.invitation()) {
            (Some(kept), Some(new)) => kept != new,
            _ => false,
        }
    }

    fn take_in(&mut self, contact: Contact, replaces: bool) -> Result<Added, BookError> {
        let has_another = self.has_another_invitation(&contact);
        if let Some(same) = self.contacts.get_mut(contact.name.key()) {
            if same.may_be(&contact) && contact.invitation.is_some() {
                if has_another && !replaces {
                    return Err(BookError::HasInvitation(same.name.clone()));
                }
                same.invitation = contact.invitation;
                return Ok(Added::Invitation);
            }
            return Err(BookError::SameName(same.name.clone()));
        }
        if let Some(same) = self.by_target(contact.target) {
            return Err(BookError::SameAddress(same.name.clone()));
        }
        if let Some(same) = contact.sender.and_then(|key| self.by_sender(&key)) {
            return Err(BookError::SameSender(same.clone()));
        }
        if self.len() >= MAX_CONTACTS {
            return Err(BookError::Full);
        }
        let key = contact.name.key().to_owned();
        self.contacts.insert(key, contact);
        Ok(Added::Contact)
    }

    /// Takes one in from a file. A file of before may have two whose names look alike; the second gets a number behind
    /// its name.
    pub(super) fn adopt(&mut self, contact: Contact) -> Result<(), BookError> {
        if !self.contacts.contains_key(contact.name.key()) {
            return self.add(contact).map(drop);
        }
        let free = |name: &Name| !self.contacts.contains_key(name.key());
        let name = (2..).map(|n| contact.name.numbered(n)).find(free);
        let name = name.expect("there are more numbers than contacts");
        self.add(Contact {
            name: name.clone(),
            ..contact
        })?;
        self.renamed.push(name);
        Ok(())
    }

    /// Those that have another name than in the file they were read from, since somebody else's looked alike.
    #[must_use]
    pub fn renamed(&self) -> &[Name] {
        &self.renamed
    }

    /// Gives one another name, or the same with other capitals.
    ///
    /// # Errors
    /// Nobody is called `old`, or somebody else is called `new`.
    pub fn rename(&mut self, old: &Name, new: Name) -> Result<&Contact, BookError> {
        if let Some(same) = self.contacts.get(new.key()).filter(|_| *old != new) {
            return Err(BookError::SameName(same.name.clone()));
        }
        let contact = self.take(old)?;
        let renamed = self.contacts.entry(new.key().to_owned());
        Ok(renamed.or_insert(Contact {
            name: new,
            ..contact
        }))
    }

    /// Removes the contact `name` with the address `target`, which is the one that somebody has agreed to.
    ///
    /// # Errors
    /// Nobody is called that, or somebody with another address is by now.
    pub fn remove(&mut self, name: &Name, target: Target) -> Result<Contact, BookError> {
        if self.get(name)?.target != target {
            return Err(BookError::Changed(name.clone()));
        }
        self.take(name)
    }

    fn take(&mut self, name: &Name) -> Result<Contact, BookError> {
        let taken = self.contacts.remove(name.key());
        taken.ok_or_else(|| BookError::Unknown(name.clone()))
    }

    /// The contact of that name.
    ///
    /// # Errors
    /// Nobody is called that.
    pub fn get(&self, name: &Name) -> Result<&Contact, BookError> {
        let found = self.contacts.get(name.key());
        found.ok_or_else(|| BookError::Unknown(name.clone()))
    }

    /// The contact with that address.
    #[must_use]
    pub fn by_target(&self, target: Target) -> Option<&Contact> {
        self.iter().find(|contact| contact.target == target)
    }

    /// Who signs with `key`.
    #[must_use]
    pub fn by_sender(&self, key: &PublicKey<Sender>) -> Option<&Name> {
        let signs = |contact: &&Contact| contact.sender.as_ref() == Some(key);
        self.iter().find(signs).map(|contact| &contact.name)
    }

    /// Forgets the invitation to the inbox at `target`, if somebody there has one.
    pub fn forget_invitation(&mut self, target: Target) {
        let mut contacts = self.contacts.values_mut();
        if let Some(contact) = contacts.find(|contact| contact.target == target) {
            contact.invitation = None;
        }
    }

    /// Remembers that the inbox at `target` has spoken `suite`, unless it has spoken a better one before, or is
    /// nobody's (any more).
    pub fn note_suite(&mut self, target: Target, suite: Suite) {
        let mut contacts = self.contacts.values_mut();
        if let Some(contact) = contacts.find(|contact| contact.target == target) {
            contact.suite = contact.suite.max(Some(suite));
        }
    }

    /// Remembers that the address `compared` has been compared over another way.
    ///
    /// # Errors
    /// Nobody is called that, or somebody with another address is by now.
    pub fn verify(&mut self, name: &Name, compared: Target) -> Result<&Contact, BookError> {
        self.set_verified(name, compared, true)
    }

    /// Remembers that the address `compared` is another one than its owner says.
    ///
    /// # Errors
    /// Nobody is called that, or somebody with another address is by now.
    pub fn distrust(&mut self, name: &Name, compared: Target) -> Result<&Contact, BookError> {
        self.set_verified(name, compared, false)
    }

    fn set_verified(
        &mut self,
        name: &Name,
        compared: Target,
        verified: bool,
    ) -> Result<&Contact, BookError> {
        let contact = self.known(name)?;
        if contact.target != compared {
            return Err(BookError::Changed(name.clone()));
        }
        contact.verified = verified;
        Ok(contact)
    }

    /// Whom `name` may have meant: those that begin with it, and those that differ in a letter or two.
    #[must_use]
    pub fn near(&self, name: &Name) -> Vec<&Name> {
        let (asked, most) = (name.key(), NEAR.min(name.key().chars().count() / 2));
        let near = |known: &&Name| {
            let known = known.key();
            known.starts_with(asked) || strsim::osa_distance(known, asked) <= most
        };
        self.iter().map(Contact::name).filter(near).collect()
    }

    fn known(&mut self, name: &Name) -> Result<&mut Contact, BookError> {
        let found = self.contacts.get_mut(name.key());
        found.ok_or_else(|| BookError::Unknown(name.clone()))
    }
}

/// The keys are names, and they say whom someone writes to.
impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Book({})",
            counted(self.contacts.len() as u64, "contact")
        )
    }
}

#[cfg(test)]
mod tests;

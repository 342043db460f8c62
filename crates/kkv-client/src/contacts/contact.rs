//! One contact: what is known of somebody to write to.

use super::link::{Invitation, Link};
use super::name::Name;
use kkv_net::tor::Target;
use kkv_protocol::crypto::identity::{PublicKey, Sender};
use kkv_protocol::suite::Suite;

/// Somebody to write to. Its address stays what it is, since that is what was verified: another address is another
/// contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    pub(super) name: Name,
    pub(super) target: Target,
    pub(super) suite: Option<Suite>,
    pub(super) sender: Option<PublicKey<Sender>>,
    pub(super) verified: bool,
    pub(super) invitation: Option<Invitation>,
}

impl Contact {
    /// Somebody nothing else is known of yet. Messages that are signed with `sender`, if there is one, are theirs.
    #[must_use]
    pub fn new(name: Name, target: Target, sender: Option<PublicKey<Sender>>) -> Self {
        Self {
            name,
            target,
            suite: None,
            sender,
            verified: false,
            invitation: None,
        }
    }

    /// The same, with the invitation of the link that was handed out, if there was one.
    #[must_use]
    pub fn of_link(name: Name, link: Link, sender: Option<PublicKey<Sender>>) -> Self {
        Self {
            invitation: link.invitation,
            ..Self::new(name, link.target, sender)
        }
    }

    /// Whether `described`, who has the same name, is this one: by its address, and by its key if it says one.
    pub(super) fn may_be(&self, described: &Self) -> bool {
        let has_its_key = described.sender.is_none() || described.sender == self.sender;
        self.target == described.target && has_its_key
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Where its inbox is.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// The best suite that its inbox has spoken, if it is known.
    #[must_use]
    pub fn suite(&self) -> Option<Suite> {
        self.suite
    }

    /// Whether its inbox has spoken kkv/2 before: nothing less may be spoken with it, since only somebody in between
    /// could be the reason.
    #[must_use]
    pub fn speaks_the_best(&self) -> bool {
        self.suite == Some(Suite::V2)
    }

    /// Whether it is news that its inbox has spoken `suite`.
    #[must_use]
    pub fn learns_from(&self, suite: Suite) -> bool {
        self.suite < Some(suite)
    }

    /// The key that its messages are signed with, if it is known.
    #[must_use]
    pub fn sender(&self) -> Option<PublicKey<Sender>> {
        self.sender
    }

    /// By what messages there cost nothing, if it has invited us and that may be good still.
    #[must_use]
    pub fn invitation(&self) -> Option<&Invitation> {
        self.invitation.as_ref()
    }

    /// Whether its address has been compared over another way.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.verified
    }
}

#[cfg(test)]
mod tests {
    use kkv_protocol::crypto::identity::SenderKey;

    use super::*;

    #[test]
    fn a_contact_learns_only_of_a_better_suite_and_knows_the_key_it_was_given() {
        let key = SenderKey::generate(&mut rand::rng()).public();
        let target = "127.0.0.1:1".parse().unwrap();
        let mut contact = Contact::new("bob".parse().unwrap(), target, Some(key));
        assert!(contact.sender() == Some(key));
        let learns =
            |contact: &Contact| [Suite::V1, Suite::V2].map(|suite| contact.learns_from(suite));
        for (known, best, news) in [
            (None, false, [true, true]),
            (Some(Suite::V1), false, [false, true]),
            (Some(Suite::V2), true, [false, false]),
        ] {
            contact.suite = known;
            assert_eq!((contact.speaks_the_best(), learns(&contact)), (best, news));
        }
    }
}

//! A machine of a person, as a card lists it: its address, its mailbox, and what to seal with for it.

use ed25519_dalek::VerifyingKey;

use crate::author::Author;
use crate::minutes::Minutes;
use crate::sealing::SealingKey;

/// The Ed25519 public key of a version 3 onion service, from which its address follows (rend-spec-v3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OnionKey([u8; 32]);

/// The bytes are no key that an onion service can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address in it is no onion service's")]
pub struct BadOnionKey;

/// One of a person's machines.
#[derive(Clone, PartialEq, Eq)]
pub struct Machine {
    /// Where it is reached.
    pub address: OnionKey,
    /// By which direct letters for it are known ([`MailboxTag`](crate::MailboxTag)).
    pub mailbox: Author,
    /// From when on nothing may be sealed with the key.
    pub sealing_expires: Minutes,
    /// What to seal with.
    pub sealing: SealingKey,
}

impl OnionKey {
    /// Takes the service's public key.
    ///
    /// # Errors
    /// It is no point of the curve, or of small order: no service has it, and none is dialled.
    pub fn new(bytes: [u8; 32]) -> Result<Self, BadOnionKey> {
        match VerifyingKey::from_bytes(&bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(bytes)),
            _ => Err(BadOnionKey),
        }
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Machine {
    /// What to seal with at this time. None once it has expired.
    #[must_use]
    pub fn sealing_at(&self, now: Minutes) -> Option<&SealingKey> {
        (now < self.sealing_expires).then_some(&self.sealing)
    }
}

opaque_debug!(OnionKey, Machine);

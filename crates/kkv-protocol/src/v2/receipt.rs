//! The receipt (PROTOCOL.md §8): the relay's word that it has put one message of one sender into its queue.

use crate::crypto::identity::{BadSignature, PublicKey, Relay, RelayKey, Sender, Signature};
use crate::crypto::labels;
use crate::ids::{MessageDigest, SessionId, Statement};

/// What a receipt is about: session ‖ sender's key ‖ digest of the signed message.
///
/// The digest covers the sender's signature, which nobody can guess, so a receipt alone does not let anyone test
/// guesses of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The session the message came in.
    pub session: SessionId,
    /// Who sent it.
    pub sender: PublicKey<Sender>,
    /// Digest of the message: see [`digest`].
    pub digest: MessageDigest,
}

/// BLAKE3 derive_key([`labels::SIGNED_MESSAGE`], message statement ‖ its signature).
#[must_use]
pub fn digest(message: &Statement, signature: &Signature) -> MessageDigest {
    labels::SIGNED_MESSAGE.digest(&[&message.0, &signature.0])
}

impl Receipt {
    fn statement(&self) -> Statement {
        let fields: [&[u8]; 3] = [&self.session.0, self.sender.as_bytes(), &self.digest.0];
        labels::RECEIPT.digest(&fields)
    }

    /// Ed25519(relay, this).
    pub(crate) fn sign(&self, key: &RelayKey) -> Signature {
        key.sign_statement(&self.statement())
    }

    /// Checks the relay's word.
    ///
    /// # Errors
    /// The signature does not fit.
    pub fn verify(
        &self,
        relay: &PublicKey<Relay>,
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        relay.verify_statement(&self.statement(), signature)
    }
}

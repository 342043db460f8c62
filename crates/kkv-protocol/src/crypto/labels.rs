//! Every domain-separation string of kkv/2, spelled once. Changing one is a new protocol.

use std::fmt;
use std::marker::PhantomData;

use kkv_pow::PuzzleKey;
use zeroize::Zeroizing;

use crate::ids::{BoxDigest, MessageDigest, RequestDigest, Statement};
use crate::v2::answers::keys::Acknowledged;

/// A BLAKE3 `derive_key` context: hard-coded, globally unique, one per purpose (BLAKE3 paper §2.3). `T` is what is
/// derived, so that a digest made for one purpose can't stand where another is wanted.
pub struct Context<T> {
    label: &'static str,
    derives: PhantomData<fn() -> T>,
}

/// A context under which a secret is derived from secrets.
#[derive(Debug)]
pub struct SecretContext {
    label: &'static str,
}

/// The relay signs a challenge (PROTOCOL.md §4).
pub const CHALLENGE: Context<Statement> = Context::new("kkv/2 2026-11-21 challenge");
/// Key of the proof-of-work puzzle (PROTOCOL.md §5).
pub const PUZZLE: Context<PuzzleKey> = Context::new("kkv/2 2026-11-21 puzzle");
/// The sender signs its half of the exchange (PROTOCOL.md §6).
pub const REQUEST: Context<Statement> = Context::new("kkv/2 2026-11-21 exchange request");
/// The relay signs the whole exchange; the result names the session (PROTOCOL.md §6).
pub const SESSION: Context<Statement> = Context::new("kkv/2 2026-11-21 session");
/// The session's message key (PROTOCOL.md §6).
pub const MESSAGE_KEY: SecretContext = SecretContext {
    label: "kkv/2 2026-11-21 message key",
};
/// Key of what a relay says of an upload (PROTOCOL.md §16).
pub const UPLOAD_ACKNOWLEDGEMENT_KEY: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 upload acknowledgement key",
};
/// By which another run of a sender tells whether it is given what was begun ([`kept`](crate::v2::upload::kept)). No
/// relay knows it.
pub const KEPT_CONTENT: SecretContext = SecretContext {
    label: "kkv/2 2026-11-28 kept content",
};
/// Key of what a sender asks (PROTOCOL.md §14).
pub const ASK_REQUEST_KEY: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 ask request key",
};
/// Key of what it is answered (PROTOCOL.md §14).
pub const ASK_RESPONSE_KEY: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 ask response key",
};
/// Stands for a message's box part in what its sender signs (PROTOCOL.md §7).
pub const BOX_PART: Context<BoxDigest> = Context::new("kkv/2 2026-11-27 box part");
/// The sender signs its message (PROTOCOL.md §7).
pub const MESSAGE: Context<Statement> = Context::new("kkv/2 2026-11-27 message");
/// Digest of a message with its signature, by which a receipt names it (PROTOCOL.md §8).
pub const SIGNED_MESSAGE: Context<MessageDigest> = Context::new("kkv/2 2026-11-21 signed message");
/// By what a sender proves that a box is its own (PROTOCOL.md §17).
pub const BOX_SECRET: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 box secret",
};
/// From what a sender derives the first key of each chain (PROTOCOL.md §17).
pub const ANSWER_ROOT: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 answer root",
};
/// First key of a chain (PROTOCOL.md §17).
pub const ANSWER_KEY: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 answer key",
};
/// Each further key of a chain (PROTOCOL.md §17).
pub const NEXT_ANSWER_KEY: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 next answer key",
};
/// Seals one answer (PROTOCOL.md §17).
pub const ANSWER_SEALING_KEY: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 answer sealing key",
};
/// By what a sender says that it has an answer (PROTOCOL.md §17).
pub const ACKNOWLEDGEMENT: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 acknowledgement",
};
/// What the proof in a message is about (PROTOCOL.md §17).
pub const FOLLOW_UP: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 follow-up",
};
/// What the proof in an ask is about (PROTOCOL.md §17).
pub const BOX_PROOF: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 box proof",
};
/// Seals one status record (PROTOCOL.md §17).
pub const STATUS_KEY: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 status key",
};
/// What a relay knows an acknowledgement by (PROTOCOL.md §17).
pub const ACKNOWLEDGED: Context<Acknowledged> = Context::new("kkv/2 2026-11-27 acknowledged");
/// The relay signs a receipt (PROTOCOL.md §8).
pub const RECEIPT: Context<Statement> = Context::new("kkv/2 2026-11-21 receipt");

/// Fingerprint of a public key, for people to compare (PROTOCOL.md §9).
pub const FINGERPRINT: Context<[u8; 32]> = Context::new("kkv 2026-11-21 fingerprint");
/// An onion address as words, for people to compare.
pub const WORDS: Context<[u8; 32]> = Context::new("kkv 2026-11-22 words of an address");
/// Key of the proof that one has an invitation's token (PROTOCOL.md §15).
pub const INVITATION: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 invitation",
};
/// Checksum of an invitation's token, for people who type it (PROTOCOL.md §15).
pub const INVITATION_CHECK: SecretContext = SecretContext {
    label: "kkv 2026-11-27 invitation check",
};
/// The relay's own key for hiding which invitation a challenge is for; never leaves the process.
pub const INVITATION_MASK_KEY: SecretContext = SecretContext {
    label: "kkv/2 2026-11-27 invitation mask key",
};
/// The relay's own key for the tags by which it knows its kkv/1 challenges; never leaves the process.
pub const TAG_KEY_V1: SecretContext = SecretContext {
    label: "kkv/1 2026-11-21 challenge tag key",
};
/// The same for kkv/2.
pub const TAG_KEY_V2: SecretContext = SecretContext {
    label: "kkv/2 2026-11-21 challenge tag key",
};
/// The relay's own key for the names by which it remembers kkv/1 sessions; never leaves the process.
pub const NAME_KEY_V1: SecretContext = SecretContext {
    label: "kkv/1 2026-11-21 session name key",
};
/// Digest by which the relay knows a repeated request; never leaves the process.
pub const REPEAT: Context<RequestDigest> = Context::new("kkv 2026-11-21 repeated request");

/// First bytes of everything that is signed in kkv/2, before the 32 bytes of a [`Context::digest`].
///
/// kkv/1 signs bare bytes: 76 (challenge) or 32 (exchange) by the relay, 64, a ciphertext or a text without NUL by the
/// sender. With this prefix a kkv/2 statement has 48 bytes and a NUL, so that no signature of one suite can pass for
/// one of the other.
pub const STATEMENT_PREFIX: [u8; 16] = *b"kkv/2 statement\0";

impl<T: From<[u8; 32]>> Context<T> {
    const fn new(label: &'static str) -> Self {
        Self {
            label,
            derives: PhantomData,
        }
    }

    /// `BLAKE3 derive_key(context, parts[0] ‖ parts[1] ‖ …)`, 32 bytes.
    ///
    /// The parts are not separated: callers concatenate only fields of fixed length, with at most one of variable
    /// length, last.
    ///
    /// ```
    /// use kkv_protocol::crypto::labels;
    ///
    /// let whole = labels::MESSAGE.digest(&[b"relay", b"session"]);
    /// assert_eq!(whole, labels::MESSAGE.digest(&[b"relaysession"]));
    /// assert_ne!(whole, labels::CHALLENGE.digest(&[b"relaysession"]));
    /// ```
    #[must_use]
    pub fn digest(self, parts: &[&[u8]]) -> T {
        T::from(*hasher(self.label, parts).finalize().as_bytes())
    }
}

impl SecretContext {
    /// `BLAKE3 derive_key(context, parts[0] ‖ parts[1] ‖ …)`, 32 bytes, of secret parts: the result and the
    /// hasher's state are wiped. What is said of the parts of [`Context::digest`] holds here.
    ///
    /// ```
    /// use kkv_protocol::crypto::labels;
    ///
    /// let key = labels::TAG_KEY_V2.derive(&[&[7; 32]]);
    /// assert_ne!(*key, *labels::TAG_KEY_V1.derive(&[&[7; 32]]));
    /// ```
    #[must_use]
    pub fn derive(self, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut output = Zeroizing::new(hasher(self.label, parts).finalize_xof());
        let mut derived = Zeroizing::new([0; 32]);
        output.fill(derived.as_mut_slice());
        derived
    }
}

impl<T> fmt::Debug for Context<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({:?})", self.label)
    }
}

fn hasher(label: &str, parts: &[&[u8]]) -> Zeroizing<blake3::Hasher> {
    let mut hasher = Zeroizing::new(blake3::Hasher::new_derive_key(label));
    for part in parts {
        hasher.update(part);
    }
    hasher
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_differ() {
        let all = [
            CHALLENGE.label,
            PUZZLE.label,
            REQUEST.label,
            SESSION.label,
            MESSAGE_KEY.label,
            UPLOAD_ACKNOWLEDGEMENT_KEY.label,
            KEPT_CONTENT.label,
            ASK_REQUEST_KEY.label,
            ASK_RESPONSE_KEY.label,
            BOX_PART.label,
            MESSAGE.label,
            SIGNED_MESSAGE.label,
            BOX_SECRET.label,
            ANSWER_ROOT.label,
            ANSWER_KEY.label,
            NEXT_ANSWER_KEY.label,
            ANSWER_SEALING_KEY.label,
            ACKNOWLEDGEMENT.label,
            FOLLOW_UP.label,
            BOX_PROOF.label,
            STATUS_KEY.label,
            ACKNOWLEDGED.label,
            RECEIPT.label,
            FINGERPRINT.label,
            WORDS.label,
            TAG_KEY_V1.label,
            TAG_KEY_V2.label,
            NAME_KEY_V1.label,
            INVITATION.label,
            INVITATION_CHECK.label,
            INVITATION_MASK_KEY.label,
            REPEAT.label,
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| one != other), "{one:?}");
        }
    }

    #[test]
    fn a_secret_is_derived_as_a_digest_is() {
        let digest = Context::<[u8; 32]>::new(MESSAGE_KEY.label).digest(&[b"ab", b"c"]);
        assert_eq!(digest, *MESSAGE_KEY.derive(&[b"abc"]));
    }
}

//! Every domain-separation string of kkv/2, spelled once. Changing one is a new protocol.

use zeroize::Zeroizing;

/// A BLAKE3 `derive_key` context: hard-coded, globally unique, one per purpose (BLAKE3 paper §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context(&'static str);

/// The relay signs a challenge (PROTOCOL.md §4).
pub const CHALLENGE: Context = Context("kkv/2 2026-11-21 challenge");
/// Key of the proof-of-work puzzle (PROTOCOL.md §5).
pub const PUZZLE: Context = Context("kkv/2 2026-11-21 puzzle");
/// The sender signs its half of the exchange (PROTOCOL.md §6).
pub const REQUEST: Context = Context("kkv/2 2026-11-21 exchange request");
/// The relay signs the whole exchange; the result names the session (PROTOCOL.md §6).
pub const SESSION: Context = Context("kkv/2 2026-11-21 session");
/// The session's message key (PROTOCOL.md §6).
pub const MESSAGE_KEY: Context = Context("kkv/2 2026-11-21 message key");
/// The sender signs its message (PROTOCOL.md §7).
pub const MESSAGE: Context = Context("kkv/2 2026-11-21 message");
/// Digest of a message with its signature, by which a receipt names it (PROTOCOL.md §8).
pub const SIGNED_MESSAGE: Context = Context("kkv/2 2026-11-21 signed message");
/// The relay signs a receipt (PROTOCOL.md §8).
pub const RECEIPT: Context = Context("kkv/2 2026-11-21 receipt");

/// Fingerprint of a public key, for people to compare (PROTOCOL.md §9).
pub const FINGERPRINT: Context = Context("kkv 2026-11-21 fingerprint");
/// An onion address as words, for people to compare.
pub const WORDS: Context = Context("kkv 2026-11-22 words of an address");
/// The relay's own key for the tags by which it knows its kkv/1 challenges; never leaves the process.
pub const TAG_KEY_V1: Context = Context("kkv/1 2026-11-21 challenge tag key");
/// The same for kkv/2.
pub const TAG_KEY_V2: Context = Context("kkv/2 2026-11-21 challenge tag key");
/// The relay's own key for the names by which it remembers kkv/1 sessions; never leaves the process.
pub const NAME_KEY_V1: Context = Context("kkv/1 2026-11-21 session name key");
/// Digest by which the relay knows a repeated request; never leaves the process.
pub const REPEAT: Context = Context("kkv 2026-11-21 repeated request");

/// First bytes of everything that is signed in kkv/2, before the 32 bytes of a [`Context::digest`].
///
/// kkv/1 signs bare bytes: 76 (challenge) or 32 (exchange) by the relay, 64, a ciphertext or a text without NUL by the
/// sender. With this prefix a kkv/2 statement has 48 bytes and a NUL, so that no signature of one suite can pass for
/// one of the other.
pub const STATEMENT_PREFIX: [u8; 16] = *b"kkv/2 statement\0";

impl Context {
    /// `BLAKE3 derive_key(context, parts[0] ‖ parts[1] ‖ …)`, 32 bytes.
    ///
    /// The parts are not separated: callers concatenate only fields of fixed length, with at most one of variable
    /// length, last.
    #[must_use]
    pub fn digest(self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = Zeroizing::new(blake3::Hasher::new_derive_key(self.0));
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }

    /// The same for secret parts: the result and the hasher's state are wiped.
    #[must_use]
    pub fn secret(self, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut hasher = Zeroizing::new(blake3::Hasher::new_derive_key(self.0));
        for part in parts {
            hasher.update(part);
        }
        let mut output = Zeroizing::new(hasher.finalize_xof());
        let mut derived = Zeroizing::new([0; 32]);
        output.fill(derived.as_mut_slice());
        derived
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_differ() {
        let all = [
            CHALLENGE,
            PUZZLE,
            REQUEST,
            SESSION,
            MESSAGE_KEY,
            MESSAGE,
            SIGNED_MESSAGE,
            RECEIPT,
            FINGERPRINT,
            WORDS,
            TAG_KEY_V1,
            TAG_KEY_V2,
            NAME_KEY_V1,
            REPEAT,
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| one != other), "{one:?}");
        }
    }

    #[test]
    fn secret_and_digest_agree() {
        let parts: [&[u8]; 2] = [b"ab", b"c"];
        assert_eq!(MESSAGE_KEY.digest(&parts), *MESSAGE_KEY.secret(&[b"abc"]));
    }
}

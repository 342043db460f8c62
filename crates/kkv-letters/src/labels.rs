//! Every domain-separation string of letters, spelled once (LETTERS-FORMAT.md §3). Changing one is another format.

use zeroize::Zeroizing;

/// A BLAKE3 `derive_key` context: one for each purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label(&'static str);

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        $($(#[$doc])* pub(crate) const $name: Label = Label(concat!("kkv letters 2026-11-28 ", $text));)+

        #[cfg(test)]
        const ALL: &[Label] = &[$($name),+];
    };
}

labels! {
    /// An author signs an envelope.
    ENVELOPE = "envelope";
    /// By what people compare keys.
    CHECK_NUMBER = "check number";
    /// Ed25519 seed of an identity.
    IDENTITY_SIGNING = "identity signing";
    /// X25519 secret of an identity.
    IDENTITY_EXCHANGE = "identity exchange";
    /// Key of the circle that has one member: oneself.
    SELF_CIRCLE = "self circle";
    /// Key of the chain tags of an identity's actions.
    CHAIN_TAG_KEY = "chain tag key";
    /// Seed of the identity that succeeds another.
    NEXT_IDENTITY = "next identity";
    /// Names the key that may succeed another.
    SUCCESSOR = "successor";
    /// What slots, commitment and content are bound to.
    CLEAR_PART = "clear part";
    /// Commits to the content key.
    COMMITMENT = "commitment";
    /// Key of the tags of a circle's slots.
    CIRCLE_TAG = "circle tag";
    /// Key of the keys of a circle's slots.
    CIRCLE_SLOT = "circle slot";
    /// Key of the tags of a region's envelopes.
    REGION = "region";
    /// Names a pair of sealing keys.
    SEALING_KEY = "sealing key";
    /// Tag of a person's slot.
    PERSON_TAG = "person tag";
    /// Key of a person's slot.
    PERSON_SLOT = "person slot";
    /// Key by which a direct letter is authenticated.
    DIRECT = "direct letter";
    /// An identity signs its own X25519 key.
    EXCHANGE_KEY = "exchange key";
    /// Tag of a mailbox.
    MAILBOX = "mailbox";
    /// A person signs a card.
    CARD = "card";
    /// Finds typing mistakes in a card's short form.
    CARD_LINK = "card link";
    /// Two keys sign that one takes the other's place.
    MOVE = "move";
    /// A successor signs that a key has ended.
    REVOKE = "revoke";
    /// Key of the short ids of a look-up table.
    LOOKUP_ID = "lookup id";
    /// Key of checks and cells in a look-up table.
    LOOKUP_CELLS = "lookup cells";
}

impl Label {
    /// `BLAKE3 derive_key(label, parts[0] ‖ parts[1] ‖ …)`, 32 bytes.
    ///
    /// The parts are not separated: all but the last have a fixed length.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> [u8; 32] {
        *self.hasher(parts).finalize().as_bytes()
    }

    /// The same where it is a secret: wiped on drop.
    pub(crate) fn derive(self, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        self.hasher(parts).finalize_xof().fill(key.as_mut_slice());
        key
    }

    fn hasher(self, parts: &[&[u8]]) -> Zeroizing<blake3::Hasher> {
        let mut hasher = Zeroizing::new(blake3::Hasher::new_derive_key(self.0));
        for part in parts {
            hasher.update(part);
        }
        hasher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_differ() {
        for (i, one) in ALL.iter().enumerate() {
            assert!(!ALL[i + 1..].contains(one), "{one:?}");
        }
    }
}

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
}

impl Label {
    /// `BLAKE3 derive_key(label, parts[0] ‖ parts[1] ‖ …)`, 32 bytes.
    ///
    /// The parts are not separated: all but the last have a fixed length.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> [u8; 32] {
        *self.hasher(parts).finalize().as_bytes()
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

//! An onion address as words, for people to compare over another way, by reading them aloud.

use std::fmt;

use bip39::{Language, Mnemonic};

use kkv_protocol::crypto::labels;
use kkv_protocol::onion::OnionAddress;

/// Twelve English words: the first 16 bytes of a labelled BLAKE3 of the address's key, and 4 bits of their SHA-256,
/// eleven bits to a word (BIP-39).
///
/// 128 bits, as many as a fingerprint has: finding another address with the words of a given one takes 2^128 tries. No
/// two words of the list begin with the same four letters. They are no secret, and no seed of anything.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(Mnemonic);

impl Words {
    /// The words of `address`.
    #[must_use]
    pub fn of(address: &OnionAddress) -> Self {
        let digest = labels::WORDS.digest(&[&address.public_key().0]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Self::encoded(&bytes)
    }

    /// One word after the other.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.words()
    }

    fn encoded(bytes: &[u8; 16]) -> Self {
        let words = Mnemonic::from_entropy_in(Language::English, bytes);
        Self(words.expect("16 bytes are twelve words"))
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// They say whom someone writes to, as the address does.
impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;
    use kkv_protocol::ids::ServiceKey;

    /// From trezor/python-mnemonic, vectors.json: those of twelve words, which BIP-39 names as its own.
    const PUBLISHED: [(&str, &str); 8] = [
        (
            "00000000000000000000000000000000",
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
        ),
        (
            "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
        ),
        (
            "80808080808080808080808080808080",
            "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
        ),
        (
            "ffffffffffffffffffffffffffffffff",
            "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong",
        ),
        (
            "9e885d952ad362caeb4efe34a8e91bd2",
            "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic",
        ),
        (
            "c0ba5a8e914111210f2bd131f3d5e08d",
            "scheme spot photo card baby mountain device kick cradle pact join borrow",
        ),
        (
            "23db8160a31d3e0dca3688ed941adbf3",
            "cat swing flag economy stadium alone churn speed unique patch report train",
        ),
        (
            "f30f8c1da665478f49b001d94c5fc452",
            "vessel ladder alter error federal sibling chat ability sun glass valve picture",
        ),
    ];

    #[test]
    fn bytes_become_the_words_that_bip_39_publishes() {
        for (bytes, words) in PUBLISHED {
            let bytes = HEXLOWER.decode(bytes.as_bytes()).unwrap();
            let encoded = Words::encoded(&bytes.try_into().unwrap());
            assert_eq!(encoded.to_string(), words);
            assert_eq!(encoded.iter().collect::<Vec<_>>().join(" "), words);
        }
    }

    /// Computed by an implementation of BLAKE3 in another language. If this changes, words that people have compared
    /// mean nothing any more.
    #[test]
    fn the_words_of_an_address_never_change() {
        let address = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
        let words = Words::of(&address.parse().unwrap());
        assert_eq!(
            words.to_string(),
            "local december blouse pattern fatal rhythm harbor supply response biology draft poet"
        );
        assert_eq!(format!("{words:?}"), "Words(..)");
    }

    #[test]
    fn addresses_differ_in_their_words() {
        let [one, other] =
            [[1; 32], [2; 32]].map(|key| OnionAddress::from_public_key(ServiceKey(key)));
        assert_ne!(Words::of(&one), Words::of(&other));
    }
}

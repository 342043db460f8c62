//! An identity: what twelve recovery words stand for, and every key that lasts as long as a person keeps them
//! (LETTERS-FORMAT.md §8).
//!
//! Keys that expire (for sealing, for mailboxes, of circles) are random and not from here: words that are found later
//! open nothing that was sealed with those.

use kkv_words::{BadWords, ENTROPY_BYTES, Kind, Words};
use rand::CryptoRng;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::author::{Author, AuthorKey};
use crate::ids::ChainTag;
use crate::labels;

/// The 16 bytes that recovery words stand for. Wiped on drop.
pub struct Seed(Zeroizing<[u8; ENTROPY_BYTES]>);

/// All keys of a person that derive from recovery words. Wiped on drop.
pub struct Identity {
    seed: Seed,
    signing: AuthorKey,
    exchange: ExchangeSecret,
    self_circle: SelfCircleKey,
    chain_tags: ChainTagKey,
}

/// What others know of an identity for good.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicIdentity {
    /// Checks what the person signs.
    pub author: Author,
    /// X25519 public key, by which the person finds what is sealed for them.
    pub exchange: [u8; 32],
}

/// The X25519 secret of an identity, by which a person finds what is theirs. Wiped on drop.
pub struct ExchangeSecret(StaticSecret);

/// The key of the circle that oneself alone is in: it has one epoch, which the words bring back. Wiped on drop.
pub struct SelfCircleKey(Zeroizing<[u8; 32]>);

/// Makes the chain tags of actions: two machines of one person change the same chain, and nobody else can tell what a
/// chain is about. Wiped on drop.
pub struct ChainTagKey(Zeroizing<[u8; 32]>);

impl Seed {
    /// A new one: 16 bytes are drawn.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; ENTROPY_BYTES]);
        rng.fill_bytes(seed.as_mut_slice());
        Self(seed)
    }

    /// Takes 16 bytes that are one: those of a backup.
    #[must_use]
    pub fn new(bytes: &[u8; ENTROPY_BYTES]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// Reads recovery words.
    ///
    /// # Errors
    /// They are none, or words of another kind.
    pub fn parse(words: &str) -> Result<Self, BadWords> {
        Words::parse(Kind::Recovery, words).map(|words| Self::new(words.entropy()))
    }

    /// The words to write down.
    #[must_use]
    pub fn words(&self) -> Words {
        Words::new(Kind::Recovery, &self.0)
    }

    /// The 16 bytes, for a backup.
    #[must_use]
    pub fn bytes(&self) -> &[u8; ENTROPY_BYTES] {
        &self.0
    }
}

impl Identity {
    /// Derives all keys.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        let derive = |label: labels::Label| label.derive(&[seed.bytes()]);
        Self {
            signing: AuthorKey::from_seed(&derive(labels::IDENTITY_SIGNING)),
            exchange: ExchangeSecret(StaticSecret::from(*derive(labels::IDENTITY_EXCHANGE))),
            self_circle: SelfCircleKey(derive(labels::SELF_CIRCLE)),
            chain_tags: ChainTagKey(derive(labels::CHAIN_TAG_KEY)),
            seed,
        }
    }

    /// What the recovery words stand for.
    #[must_use]
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// Signs letters and cards.
    #[must_use]
    pub fn signing(&self) -> &AuthorKey {
        &self.signing
    }

    /// Finds what is sealed for the person.
    #[must_use]
    pub fn exchange(&self) -> &ExchangeSecret {
        &self.exchange
    }

    /// Seals what is for oneself.
    #[must_use]
    pub fn self_circle(&self) -> &SelfCircleKey {
        &self.self_circle
    }

    /// Names chains of actions.
    #[must_use]
    pub fn chain_tags(&self) -> &ChainTagKey {
        &self.chain_tags
    }

    /// What others may know.
    #[must_use]
    pub fn public(&self) -> PublicIdentity {
        PublicIdentity {
            author: self.signing.author(),
            exchange: self.exchange.public(),
        }
    }
}

impl ExchangeSecret {
    /// A new one, of no identity: 32 bytes are drawn.
    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(StaticSecret::from(*bytes))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        PublicKey::from(&self.0).to_bytes()
    }

    /// X25519 (RFC 7748 §6.1) with another's public key; none if that is of small order, with which everybody would
    /// know the result.
    #[must_use]
    pub fn agree(&self, theirs: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
        let shared = self.0.diffie_hellman(&PublicKey::from(*theirs));
        let bytes = Zeroizing::new(shared.to_bytes());
        shared.was_contributory().then_some(bytes)
    }
}

impl SelfCircleKey {
    /// The circle's 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl ChainTagKey {
    /// BLAKE3 keyed_hash(key, purpose ‖ target)[..16]: the chain of an action of this purpose about this target,
    /// whose length the purpose decides.
    #[must_use]
    pub fn tag(&self, purpose: u8, target: &[u8]) -> ChainTag {
        let mut hasher = Zeroizing::new(blake3::Hasher::new_keyed(&self.0));
        hasher.update(&[purpose]).update(target);
        let hash = hasher.finalize();
        ChainTag(*hash.as_bytes().first_chunk().expect("32 bytes have 16"))
    }
}

opaque_debug!(
    Seed,
    Identity,
    PublicIdentity,
    ExchangeSecret,
    SelfCircleKey,
    ChainTagKey
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_bring_back_every_key(seed: [u8; 16]) {
            let made = Identity::new(Seed::new(&seed));
            let back = Identity::new(Seed::parse(&made.seed().words().line()).unwrap());
            prop_assert!(back.public() == made.public());
            prop_assert_eq!(back.seed().bytes(), &seed);
            prop_assert_eq!(back.self_circle().bytes(), made.self_circle().bytes());
            prop_assert_eq!(back.chain_tags().tag(5, b"bob"), made.chain_tags().tag(5, b"bob"));
        }

        #[test]
        fn two_persons_agree_and_a_third_does_not(seeds: [[u8; 16]; 3]) {
            prop_assume!(seeds[0] != seeds[2] && seeds[1] != seeds[2]);
            let [ann, bob, eve] = seeds.map(|seed| Identity::new(Seed::new(&seed)));
            let agreed = ann.exchange().agree(&bob.public().exchange);
            prop_assert!(agreed.is_some());
            prop_assert_eq!(&agreed, &bob.exchange().agree(&ann.public().exchange));
            prop_assert_ne!(agreed, eve.exchange().agree(&bob.public().exchange));
        }
    }

    #[test]
    fn keys_of_one_seed_have_nothing_in_common() {
        let identity = Identity::new(Seed::new(&[7; 16]));
        let public = identity.public();
        let keys = [
            public.author.0,
            public.exchange,
            *identity.self_circle().bytes(),
            *identity.chain_tags().0,
            identity.exchange().0.to_bytes(),
        ];
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[place + 1..].contains(key), "{place}");
        }
    }

    #[test]
    fn nobody_can_fix_what_is_agreed_by_a_key_of_small_order() {
        let ann = Identity::new(Seed::new(&[7; 16]));
        let one: [u8; 32] = std::array::from_fn(|place| u8::from(place == 0));
        assert!(ann.exchange().agree(&[0; 32]).is_none());
        assert!(ann.exchange().agree(&one).is_none());
    }

    #[test]
    fn chains_of_other_purposes_targets_and_persons_are_others() {
        let [ann, bob] = [1, 2].map(|seed| Identity::new(Seed::new(&[seed; 16])));
        let tag = ann.chain_tags().tag(5, b"eve");
        assert_eq!(tag, ann.chain_tags().tag(5, b"eve"));
        assert_ne!(tag, ann.chain_tags().tag(6, b"eve"));
        assert_ne!(tag, ann.chain_tags().tag(5, b"eva"));
        assert_ne!(tag, bob.chain_tags().tag(5, b"eve"));
    }

    #[test]
    fn words_of_another_kind_bring_nobody_back() {
        let reply = Words::new(Kind::Reply, &[7; 16]).line();
        let other = BadWords::OtherKind(Kind::Recovery, Kind::Reply);
        assert_eq!(Seed::parse(&reply).unwrap_err(), other);
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let identity = Identity::new(Seed::new(&[7; 16]));
        let said = format!("{identity:?} {:?} {:?}", identity.seed(), identity.public());
        assert_eq!(said, "Identity(..) Seed(..) PublicIdentity(..)");
    }
}

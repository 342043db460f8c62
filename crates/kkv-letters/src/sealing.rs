//! Sealing for persons: by X25519 and ML-KEM-768 (FIPS 203), so that what is sealed is safe while either problem is
//! hard (LETTERS-FORMAT.md §12).
//!
//! A person has one X25519 key for good, by which slots are found, and pairs of keys that expire, by which they are
//! opened: words that are found later open none.

use ml_kem::kem::{Decapsulate, Encapsulate, Generate, KeyExport};
use ml_kem::ml_kem_768 as mlkem;
use rand::CryptoRng;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

use crate::envelope::{KEM_BYTES, TAG_BYTES};
use crate::labels;
use crate::slot::{ClearDigest, SlotKey};

/// Bytes of an ML-KEM-768 encapsulation key (FIPS 203, table 3).
const ENCAPSULATION_KEY_BYTES: usize = 1184;
/// Bytes of a sealing key: X25519's, then ML-KEM's.
pub const SEALING_KEY_BYTES: usize = 32 + ENCAPSULATION_KEY_BYTES;

/// A pair of secrets that a person opens with for a while. Wiped on drop.
pub struct SealingSecret {
    x25519: StaticSecret,
    mlkem768: mlkem::DecapsulationKey,
    public: SealingKey,
}

/// What others seal for a person with.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey {
    x25519: [u8; 32],
    mlkem768: Box<[u8; ENCAPSULATION_KEY_BYTES]>,
    /// D("sealing key", its bytes): names the pair, and binds what is sealed to it.
    digest: [u8; 32],
}

/// Whom to seal for.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The person's X25519 key.
    exchange: [u8; 32],
    /// A key of theirs that hasn't expired.
    sealing: SealingKey,
}

/// The bytes are no key to seal with: an X25519 key of small order, or an encapsulation key that isn't in canonical
/// form (FIPS 203 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be sealed with this key")]
pub struct BadSealingKey;

/// X25519 of an envelope's ephemeral key and a person's: found once for all slots.
pub(crate) type Meeting = Zeroizing<[u8; 32]>;

/// An ML-KEM ciphertext.
pub(crate) type Ciphertext = [u8; KEM_BYTES];

impl SealingSecret {
    /// A new pair: 32 bytes are drawn for X25519, then 64 for ML-KEM (d ‖ z of FIPS 203, algorithm 16).
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut x25519 = Zeroizing::new([0; 32]);
        rng.fill_bytes(x25519.as_mut_slice());
        let x25519 = StaticSecret::from(*x25519);
        let mlkem768 = mlkem::DecapsulationKey::generate_from_rng(rng);
        let public = SealingKey::of(
            PublicKey::from(&x25519).to_bytes(),
            Box::new(mlkem768.encapsulation_key().to_bytes().into()),
        );
        Self {
            x25519,
            mlkem768,
            public,
        }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &SealingKey {
        &self.public
    }

    /// What opens a slot that this pair's tag stands on. None if the ephemeral key is of small order.
    pub(crate) fn slot(
        &self,
        exchange: &[u8; 32],
        meeting: &Meeting,
        ephemeral: &[u8; 32],
        ciphertext: &Ciphertext,
        clear: &ClearDigest,
    ) -> Option<SlotKey> {
        let opened = agree(&self.x25519, ephemeral)?;
        let mut kem = self.mlkem768.decapsulate(&(*ciphertext).into());
        let secrets = [kem.as_slice(), &*opened, &**meeting];
        let key = self.public.slot(exchange, secrets, ciphertext, clear);
        kem.as_mut_slice().zeroize();
        Some(key)
    }
}

impl SealingKey {
    /// Takes the 1,216 bytes of a card: X25519's, then ML-KEM's.
    ///
    /// # Errors
    /// They are no usable key.
    pub fn new(bytes: &[u8; SEALING_KEY_BYTES]) -> Result<Self, BadSealingKey> {
        let (x25519, rest) = bytes.split_first_chunk().ok_or(BadSealingKey)?;
        let mlkem768: Box<[u8; ENCAPSULATION_KEY_BYTES]> =
            Box::new(rest.try_into().map_err(|_| BadSealingKey)?);
        mlkem::EncapsulationKey::new(&(*mlkem768).into()).map_err(|_| BadSealingKey)?;
        is_usable(x25519).ok_or(BadSealingKey)?;
        Ok(Self::of(*x25519, mlkem768))
    }

    fn of(x25519: [u8; 32], mlkem768: Box<[u8; ENCAPSULATION_KEY_BYTES]>) -> Self {
        Self {
            digest: labels::SEALING_KEY.digest(&[&x25519, &*mlkem768]),
            x25519,
            mlkem768,
        }
    }

    /// As it stands in a card.
    #[must_use]
    pub fn bytes(&self) -> [u8; SEALING_KEY_BYTES] {
        let mut bytes = [0; SEALING_KEY_BYTES];
        bytes[..32].copy_from_slice(&self.x25519);
        bytes[32..].copy_from_slice(&*self.mlkem768);
        bytes
    }

    /// By what its slot is found, so that a reader knows which pair to try: D("person tag", X25519(ephemeral, person)
    /// ‖ name of the pair ‖ clear digest)[..2].
    pub(crate) fn tag(&self, meeting: &Meeting, clear: &ClearDigest) -> [u8; TAG_BYTES] {
        let [first, second, ..] = labels::PERSON_TAG.digest(&[&**meeting, &self.digest, &clear.0]);
        [first, second]
    }

    /// D("person slot", ML-KEM secret ‖ X25519(ephemeral, pair) ‖ X25519(ephemeral, person) ‖ clear digest ‖
    /// person ‖ name of the pair ‖ ciphertext): bound to all secrets, and to all that they come from. The clear
    /// part has the ephemeral key.
    pub(crate) fn slot(
        &self,
        exchange: &[u8; 32],
        [kem, opened, found]: [&[u8]; 3],
        ciphertext: &Ciphertext,
        clear: &ClearDigest,
    ) -> SlotKey {
        SlotKey::new(labels::PERSON_SLOT.derive(&[
            kem,
            opened,
            found,
            &clear.0,
            exchange,
            &self.digest,
            ciphertext,
        ]))
    }
}

impl Recipient {
    /// A person, by the X25519 key and a sealing key of a card.
    ///
    /// # Errors
    /// The X25519 key is of small order: everybody would find what is sealed for it.
    pub fn new(exchange: [u8; 32], sealing: SealingKey) -> Result<Self, BadSealingKey> {
        is_usable(&exchange).ok_or(BadSealingKey)?;
        Ok(Self { exchange, sealing })
    }

    /// The tag, the ciphertext and the key of this reader's slot. 32 bytes are drawn (m of FIPS 203, algorithm 17).
    pub(crate) fn slot(
        &self,
        ephemeral: &StaticSecret,
        clear: &ClearDigest,
        rng: &mut impl CryptoRng,
    ) -> ([u8; TAG_BYTES], Ciphertext, SlotKey) {
        let good = "keys of small order are no recipient's";
        let meeting = agree(ephemeral, &self.exchange).expect(good);
        let opened = agree(ephemeral, &self.sealing.x25519).expect(good);
        let key = mlkem::EncapsulationKey::new(&(*self.sealing.mlkem768).into());
        let key = key.expect("a sealing key is in canonical form");
        let (ciphertext, mut kem) = key.encapsulate_with_rng(rng);
        let ciphertext: Ciphertext = ciphertext.into();
        let secrets = [kem.as_slice(), &*opened, &*meeting];
        let slot = self
            .sealing
            .slot(&self.exchange, secrets, &ciphertext, clear);
        kem.as_mut_slice().zeroize();
        (self.sealing.tag(&meeting, clear), ciphertext, slot)
    }
}

/// None if the public key is of small order, with which everybody would know the result.
fn agree(secret: &StaticSecret, public: &[u8; 32]) -> Option<Meeting> {
    let shared = secret.diffie_hellman(&PublicKey::from(*public));
    let bytes = Zeroizing::new(shared.to_bytes());
    shared.was_contributory().then_some(bytes)
}

/// Of a public key that is not of small order.
pub(crate) fn is_usable(public: &[u8; 32]) -> Option<()> {
    agree(&StaticSecret::from([1; 32]), public).map(|_| ())
}

opaque_debug!(SealingSecret, SealingKey, Recipient);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_no_bad_one_is_taken() {
        let secret = SealingSecret::generate(&mut rand::rng());
        let bytes = secret.public().bytes();
        assert!(SealingKey::new(&bytes).unwrap() == *secret.public());
        let mut small = bytes;
        small[..32].fill(0);
        assert_eq!(SealingKey::new(&small).unwrap_err(), BadSealingKey);
        // Twelve bits of ones are above q = 3329 (FIPS 203 §7.2).
        let mut large = bytes;
        large[32..34].fill(0xff);
        assert_eq!(SealingKey::new(&large).unwrap_err(), BadSealingKey);
        let nobody = Recipient::new([0; 32], secret.public().clone());
        assert_eq!(nobody.unwrap_err(), BadSealingKey);
    }
}

//! Ids of forms. Each page with a form makes a new one, so that a form that comes twice (a double click, a reload, the
//! way back, a second tab) is known and stored once. Nothing is kept of an id before its form has come.
//!
//! ```text
//! random 16 | expiry u64, masked | blind 16 | keyed_hash(key, "form" ‖ what stands before)[..16], in hex
//! ```
//!
//! The blind is random, too, and nobody keeps it: see [`digest`].
//!
//! The expiry is by a clock that counts from the start of the machine. Masked, so that no visitor learns when that was:
//! it would tell this machine among others whose time of running shows (TCP timestamps, RFC 7323).

use std::fmt;

use data_encoding::HEXLOWER_PERMISSIVE;
use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const RANDOM_BYTES: usize = 16;
pub(crate) const TAG_BYTES: usize = 16;
const BLIND_BYTES: usize = 16;
const BYTES: usize = RANDOM_BYTES + 8 + BLIND_BYTES + TAG_BYTES;

/// What begins the input of an id's tag. None that stands for something else begins with it, nor it with one.
const LABEL: &[u8] = b"form";
/// What begins the input of an expiry's mask.
const MASK: &[u8] = b"mask";
/// Context of a form's digest.
const DIGEST: &str = "kkv page 2026-11-28 form digest";
/// The same of an upload's name.
const UPLOAD: &[u8] = b"upload";

/// By what a relay knows its own ids and [challenges](crate::challenge): 32 bytes, new at each start. Wiped on drop.
pub struct PageKey(Zeroizing<[u8; 32]>);

/// The random part of an id that was found to be the relay's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FormId([u8; RANDOM_BYTES]);

/// By what the pieces of an upload, and then its form, name it: keyed_hash(key, "upload" ‖ the form's random ‖
/// key that the browser has chosen)[..16]. Who doesn't know the relay's key guesses none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UploadName(pub [u8; TAG_BYTES]);

/// Why an id is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFormId {
    /// This relay hasn't made it since it was started.
    #[error("this form is not from this inbox, or from before its last start")]
    Unknown,
    /// It is too old.
    #[error("this form is too old")]
    Expired,
}

/// What tells a form from the same one with something else in it: BLAKE3 derive_key(a context of its own, the id as it
/// is written ‖ whether an answer is wanted ‖ what is sent).
///
/// Who finds it, and what a relay keeps of the form beside it, can't check a guess of what was sent: that takes the
/// blind as well.
#[must_use]
pub fn digest(written: &str, wants_answer: bool, content: &[u8]) -> blake3::Hash {
    let mut hasher = Zeroizing::new(blake3::Hasher::new_derive_key(DIGEST));
    hasher.update(written.as_bytes());
    hasher.update(&[wants_answer.into()]).update(content);
    hasher.finalize()
}

impl PageKey {
    /// A new one: 32 bytes are drawn.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(key.as_mut_slice());
        Self(key)
    }

    /// A new id, as it stands in a form: 32 bytes are drawn. `expiry` is in seconds, of whatever clock
    /// [`check`](Self::check) is called with.
    pub fn issue(&self, expiry: u64, rng: &mut impl CryptoRng) -> String {
        let mut bytes = [0; BYTES];
        let (signed, tag) = bytes.split_at_mut(BYTES - TAG_BYTES);
        rng.fill_bytes(&mut signed[..RANDOM_BYTES]);
        rng.fill_bytes(&mut signed[RANDOM_BYTES + 8..]);
        let (random, rest) = signed.split_at_mut(RANDOM_BYTES);
        rest[..8].copy_from_slice(&self.masked(random, expiry).to_le_bytes());
        tag.copy_from_slice(&self.tag(LABEL, signed));
        HEXLOWER_PERMISSIVE.encode(&bytes)
    }

    /// Reads the id of a form, and until when it is good.
    ///
    /// # Errors
    /// It is not this relay's, or too old.
    pub fn check(&self, written: &str, now: u64) -> Result<(FormId, u64), BadFormId> {
        let bytes = HEXLOWER_PERMISSIVE.decode(written.as_bytes());
        let bytes = bytes.map_err(|_| BadFormId::Unknown)?;
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| BadFormId::Unknown)?;
        let (signed, tag) = bytes.split_at(BYTES - TAG_BYTES);
        if !bool::from(self.tag(LABEL, signed).ct_eq(tag)) {
            return Err(BadFormId::Unknown);
        }
        let (random, expiry) = signed
            .split_first_chunk::<RANDOM_BYTES>()
            .ok_or(BadFormId::Unknown)?;
        let expiry = expiry.first_chunk().ok_or(BadFormId::Unknown)?;
        let expiry = self.masked(random, u64::from_le_bytes(*expiry));
        if now < expiry {
            Ok((FormId(*random), expiry))
        } else {
            Err(BadFormId::Expired)
        }
    }

    /// expiry ⊕ keyed_hash(key, "mask" ‖ random)[..8]; of a masked expiry the expiry.
    pub(crate) fn masked(&self, random: &[u8], expiry: u64) -> u64 {
        let tag = self.tag(MASK, random);
        expiry ^ u64::from_le_bytes(*tag.first_chunk().expect("16 bytes have 8"))
    }

    /// The name of a form's upload; `chosen` tells it from others of the same form.
    #[must_use]
    pub fn upload_name(&self, form: FormId, chosen: &str) -> UploadName {
        UploadName(self.tag(UPLOAD, &[&form.0, chosen.as_bytes()].concat()))
    }

    /// keyed_hash(key, label ‖ signed)[..16].
    pub(crate) fn tag(&self, label: &[u8], signed: &[u8]) -> [u8; TAG_BYTES] {
        let mut hasher = Zeroizing::new(blake3::Hasher::new_keyed(&self.0));
        let hash = hasher.update(label).update(signed).finalize();
        *hash.as_bytes().first_chunk().expect("32 bytes have 16")
    }
}

impl UploadName {
    /// Reads it as it stands in a form.
    #[must_use]
    pub fn parse(written: &str) -> Option<Self> {
        let bytes = HEXLOWER_PERMISSIVE.decode(written.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// It as it stands in a form.
    #[must_use]
    pub fn to_text(self) -> String {
        HEXLOWER_PERMISSIVE.encode(&self.0)
    }
}

impl fmt::Debug for UploadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UploadName(..)")
    }
}

impl fmt::Debug for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> PageKey {
        PageKey::generate(&mut rand::rng())
    }

    #[test]
    fn an_id_is_good_until_its_time_and_only_at_the_relay_that_made_it() {
        let key = key();
        let [one, other] = [1000, 1000].map(|expiry| key.issue(expiry, &mut rand::rng()));
        let (id, expiry) = key.check(&one, 999).unwrap();
        assert_eq!(expiry, 1000);
        assert_eq!(key.check(&one.to_uppercase(), 0), Ok((id, 1000)));
        assert_ne!(key.check(&other, 999).unwrap().0, id);
        assert_eq!(key.check(&one, 1000), Err(BadFormId::Expired));
        assert_eq!(self::key().check(&one, 0), Err(BadFormId::Unknown));
        assert_eq!(format!("{key:?}"), "PageKey(..)");
    }

    #[test]
    fn a_digest_is_of_all_that_can_be_changed_and_of_the_blind() {
        let written = key().issue(1000, &mut rand::rng());
        let same = digest(&written, true, b"a");
        assert_eq!(digest(&written, true, b"a"), same);
        assert_ne!(digest(&written, false, b"a"), same);
        assert_ne!(digest(&written, true, b"b"), same);
        let mut bytes = HEXLOWER_PERMISSIVE.decode(written.as_bytes()).unwrap();
        bytes[RANDOM_BYTES + 8] ^= 1;
        let other = HEXLOWER_PERMISSIVE.encode(&bytes);
        assert_ne!(digest(&other, true, b"a"), same);
    }

    #[test]
    fn no_visitor_learns_when_it_expires() {
        let key = key();
        let shown = || {
            let id = key.issue(1000, &mut rand::rng());
            let bytes = HEXLOWER_PERMISSIVE.decode(id.as_bytes()).unwrap();
            u64::from_le_bytes(bytes[RANDOM_BYTES..][..8].try_into().unwrap())
        };
        // By chance 1 in 2^40 is so small.
        let [one, other] = [shown(), shown()];
        assert!(one > 1 << 24 && other > 1 << 24 && one != other);
    }

    #[test]
    fn a_change_of_any_bit_is_noticed() {
        let key = key();
        let id = key.issue(1000, &mut rand::rng());
        let bytes = HEXLOWER_PERMISSIVE.decode(id.as_bytes()).unwrap();
        for bit in 0..8 * BYTES {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let written = HEXLOWER_PERMISSIVE.encode(&changed);
            assert_eq!(key.check(&written, 0), Err(BadFormId::Unknown), "{bit}");
        }
        for length in 0..id.len() {
            assert_eq!(key.check(&id[..length], 0), Err(BadFormId::Unknown));
        }
    }

    #[test]
    fn an_uploads_name_is_that_of_one_form_and_one_choice_at_one_relay() {
        let key = key();
        let [one, other] = [0, 1].map(|_| key.issue(1, &mut rand::rng()));
        let [one, other] = [one, other].map(|id| key.check(&id, 0).unwrap().0);
        let name = key.upload_name(one, "a");
        assert_eq!(UploadName::parse(&name.to_text()), Some(name));
        assert_eq!(key.upload_name(one, "a"), name);
        for another in [
            key.upload_name(one, "b"),
            key.upload_name(other, "a"),
            self::key().upload_name(one, "a"),
        ] {
            assert_ne!(another, name);
        }
        assert_eq!(format!("{name:?}"), "UploadName(..)");
        assert_eq!(UploadName::parse("00"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_stumble(text: String) {
            prop_assert_eq!(UploadName::parse(&text), None);
            prop_assert_eq!(key().check(&text, 0), Err(BadFormId::Unknown));
        }
    }
}

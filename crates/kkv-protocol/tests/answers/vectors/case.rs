//! What both suites' vectors need: hex, and the values that every case has.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use data_encoding::HEXLOWER;
use kkv_protocol::crypto::identity::{KeySeed, SenderKey};
use kkv_protocol::relay_keys::RelayKeys;
use kkv_protocol::text::Text;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use zeroize::Zeroizing;

use crate::replay::Replay;

/// Bytes of a vector, hex in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXLOWER.decode(text.as_bytes());
        bytes.map(Self).map_err(D::Error::custom)
    }
}

impl Bytes {
    pub(crate) fn array<const N: usize>(&self) -> [u8; N] {
        self.0[..].try_into().unwrap()
    }
}

/// One side's lasting keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Party {
    secret: Bytes,
    /// The relay's second secret.
    root: Option<Bytes>,
    pub(crate) public: Bytes,
    pub(crate) fingerprint: String,
}

impl Party {
    pub(crate) fn relay_keys(&self) -> RelayKeys {
        let root = self.root.as_ref().unwrap();
        let mut drawn = Replay::new(&[&self.secret.0, &root.0]);
        let keys = RelayKeys::generate(&mut drawn);
        drawn.assert_used_up();
        keys
    }

    pub(crate) fn root(&self) -> &[u8] {
        &self.root.as_ref().unwrap().0
    }

    pub(crate) fn sender_key(&self) -> SenderKey {
        SenderKey::from_seed(&KeySeed::new(self.secret.array().into()))
    }
}

pub(crate) fn read<T: DeserializeOwned>(file: &str) -> T {
    serde_json::from_str(file).unwrap()
}

pub(crate) fn text(text: &str) -> Text {
    Text::new(Zeroizing::new(text.to_owned())).unwrap()
}

pub(crate) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

pub(crate) fn form(value: &impl serde::Serialize) -> String {
    serde_urlencoded::to_string(value).unwrap()
}

/// Seals by way of the cipher itself, with nothing of ours between.
pub(crate) fn seal(key: [u8; 32], nonce: [u8; 12], associated: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut sealed = plain.to_vec();
    let tag = ChaCha20Poly1305::new(&key.into())
        .encrypt_inout_detached(
            &Nonce::from(nonce),
            associated,
            sealed.as_mut_slice().into(),
        )
        .unwrap();
    sealed.extend_from_slice(&tag);
    sealed
}

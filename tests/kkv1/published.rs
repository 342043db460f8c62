//! kkv/1 once more, written from the table of the published wire alone, on the bare cryptography: what a published
//! client and a published server compute. It shares nothing with the code under test, so that a mistake there can't
//! hide behind the same mistake here.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce, Tag};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rand::Rng;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

/// Lower case, as it is sent.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

/// Either case, of exactly `N` bytes.
pub fn unhex<const N: usize>(text: &str) -> [u8; N] {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).expect("hex");
    let length = bytes.len();
    bytes
        .try_into()
        .unwrap_or_else(|_| panic!("{length} bytes instead of {N}"))
}

/// 32 random bytes.
pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// Fields of a form in their order.
pub type Fields = Vec<(&'static str, String)>;

/// The form: `name=value&name=value`. Hex needs no escapes.
pub fn form(fields: &[(&'static str, String)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(n, v)| format!("{n}={v}")).collect();
    pairs.join("&")
}

/// The same fields with one value changed.
pub fn with(fields: &Fields, name: &str, value: impl Into<String>) -> Fields {
    let mut changed = fields.clone();
    let field = changed.iter_mut().find(|(n, _)| *n == name);
    field.expect("there is such a field").1 = value.into();
    changed
}

/// The same fields without one.
pub fn without(fields: &Fields, name: &str) -> Fields {
    let others = fields.iter().filter(|(n, _)| *n != name);
    others.cloned().collect()
}

/// The fields of a form that was received, in their order; none of kkv/1's values has an escape.
pub fn parse_form(body: &str) -> Vec<(String, String)> {
    let pairs = body
        .split('&')
        .map(|pair| pair.split_once('=').expect("name=value"));
    pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

/// The 76 bytes: seed 32 | cost u32 | client public key 32 | expiry u64, little endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge {
    pub seed: [u8; 32],
    pub cost: u32,
    pub client: [u8; 32],
    pub expiry: u64,
}

impl Challenge {
    pub fn to_bytes(self) -> [u8; 76] {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&self.seed);
        bytes.extend_from_slice(&self.cost.to_le_bytes());
        bytes.extend_from_slice(&self.client);
        bytes.extend_from_slice(&self.expiry.to_le_bytes());
        bytes.try_into().expect("32 + 4 + 32 + 8 bytes")
    }

    pub fn from_bytes(bytes: &[u8; 76]) -> Self {
        let field = |range: std::ops::Range<usize>| bytes[range].to_vec();
        Self {
            seed: field(0..32).try_into().expect("32 bytes"),
            cost: u32::from_le_bytes(field(32..36).try_into().expect("4 bytes")),
            client: field(36..68).try_into().expect("32 bytes"),
            expiry: u64::from_le_bytes(field(68..76).try_into().expect("8 bytes")),
        }
    }

    /// Whether BLAKE3(nonce ‖ seed) has `cost` leading zero bits, from the most significant bit of byte 0.
    pub fn is_solved_by(&self, nonce: &[u8; 32]) -> bool {
        zero_bits(&[*nonce, self.seed]) >= self.cost
    }

    /// Tries random nonces, as a published client does.
    pub fn solve(&self) -> [u8; 32] {
        self.nonce(true)
    }

    /// A nonce that does not solve it.
    pub fn fail(&self) -> [u8; 32] {
        self.nonce(false)
    }

    fn nonce(&self, solves: bool) -> [u8; 32] {
        loop {
            let nonce = random();
            if self.is_solved_by(&nonce) == solves {
                return nonce;
            }
        }
    }
}

/// Leading zero bits of BLAKE3 over both halves, counted bit by bit.
pub fn zero_bits(block: &[[u8; 32]; 2]) -> u32 {
    let hash = blake3::hash(&block.concat());
    let bits = hash
        .as_bytes()
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1));
    let zeros = bits.take_while(|bit| *bit == 0).count();
    u32::try_from(zeros).expect("at most 256")
}

/// Whether `signature` is Ed25519(`public`, `message`).
pub fn verifies(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let key = VerifyingKey::from_bytes(public).expect("a public key");
    key.verify_strict(message, &Signature::from_bytes(signature))
        .is_ok()
}

/// A one-use X25519 key.
#[derive(Debug, Clone, Copy)]
pub struct OneUse([u8; 32]);

impl OneUse {
    pub fn new() -> Self {
        Self(random())
    }

    pub fn public(&self) -> [u8; 32] {
        x25519(self.0, X25519_BASEPOINT_BYTES)
    }

    pub fn agree(&self, theirs: [u8; 32]) -> [u8; 32] {
        x25519(self.0, theirs)
    }
}

/// Key: the raw shared secret; nonce: its first 12 bytes; no associated data; the tag comes last.
pub fn seal(shared: &[u8; 32], plain: &[u8]) -> Vec<u8> {
    let mut bytes = plain.to_vec();
    let nonce: [u8; 12] = shared[..12].try_into().expect("12 bytes");
    let tag = ChaCha20Poly1305::new(&Key::from(*shared))
        .encrypt_inout_detached(&Nonce::from(nonce), &[], bytes.as_mut_slice().into())
        .expect("short enough");
    bytes.extend_from_slice(tag.as_slice());
    bytes
}

/// The reverse; `None` if the tag does not fit.
pub fn open(shared: &[u8; 32], ciphertext: &[u8]) -> Option<Vec<u8>> {
    let (sealed, tag) = ciphertext.split_last_chunk::<16>()?;
    let mut bytes = sealed.to_vec();
    let nonce: [u8; 12] = shared[..12].try_into().expect("12 bytes");
    ChaCha20Poly1305::new(&Key::from(*shared))
        .decrypt_inout_detached(
            &Nonce::from(nonce),
            &[],
            bytes.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .ok()?;
    Some(bytes)
}

/// A published client's key, and the bodies it makes with it.
#[derive(Debug)]
pub struct Client {
    pub key: SigningKey,
}

impl Client {
    pub fn new() -> Self {
        Self {
            key: SigningKey::from_bytes(&random()),
        }
    }

    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// Fields of `POST /pow`.
    pub fn pow(&self) -> Fields {
        vec![("bytes", hex(self.public()))]
    }

    /// Fields of `POST /exchange_keys`.
    pub fn exchange(
        &self,
        challenge: &[u8; 76],
        signature: &[u8; 64],
        nonce: &[u8; 32],
        x25519: &[u8; 32],
    ) -> Fields {
        let proof = self.sign(&[*x25519, *nonce].concat());
        vec![
            ("ed25519_pubkey", hex(self.public())),
            ("nonce", hex(nonce)),
            ("pow", hex(challenge)),
            ("pow_sig", hex(signature)),
            ("diffie_hellman", hex(x25519)),
            ("diffie_hellman_sig", hex(proof)),
        ]
    }

    /// Fields of `POST /msg`.
    pub fn message(&self, shared: &[u8; 32], text: &[u8]) -> Fields {
        let plain = [&self.sign(text)[..], text].concat();
        self.message_of(&seal(shared, &plain))
    }

    /// Fields of `POST /msg` for a ciphertext made elsewhere.
    pub fn message_of(&self, ciphertext: &[u8]) -> Fields {
        vec![
            ("pubkey", hex(self.public())),
            ("chiphertext", hex(ciphertext)),
            ("signature", hex(self.sign(ciphertext))),
        ]
    }
}

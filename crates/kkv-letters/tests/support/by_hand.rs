//! Envelopes made by hand, as LETTERS-FORMAT.md says and no program of ours would: any content under a right seal, for
//! one circle, in anybody's name, and signed with any key.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use ed25519_dalek::{Signer, SigningKey};

/// What an envelope says in the clear, as far as it is chosen here.
pub(crate) struct Outside {
    pub(crate) author: [u8; 32],
    pub(crate) flags: u8,
    pub(crate) created: u32,
    pub(crate) chain: [u8; 16],
    pub(crate) ephemeral: [u8; 32],
}

/// D(label, data) of §3.
fn derive(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let context = format!("kkv letters 2026-11-28 {label}");
    blake3::derive_key(&context, &parts.concat())
}

/// The Ed25519 key of the identity that comes from these words (§8).
pub(crate) fn signing_key(seed: &[u8; 16]) -> SigningKey {
    SigningKey::from_bytes(&derive("identity signing", &[seed]))
}

/// A signed envelope of this body (§3, §4).
pub(crate) fn sign(body: &[u8], key: &SigningKey) -> Vec<u8> {
    let id = blake3::hash(body);
    let digest = derive("envelope", &[id.as_bytes()]);
    let signed = [b"kkv letters one\0".as_slice(), &digest].concat();
    [body, &key.sign(&signed).to_bytes()].concat()
}

/// The body of an envelope in the region of `region`, with one slot, for `circle`, and `text` as its content (§4, §6,
/// §10, §11).
pub(crate) fn body(
    outside: &Outside,
    region: &[u8; 32],
    circle: &[u8; 32],
    text: &[u8],
) -> Vec<u8> {
    let mut content = text.to_vec();
    content.resize(padded(text.len()), 0);
    let length = u32::try_from(content.len()).expect("it is short");
    let mut clear = vec![1, outside.flags, 1, 0];
    clear.extend(outside.author);
    clear.extend(outside.created.to_le_bytes());
    clear.extend(1000_u32.to_le_bytes());
    clear.extend([0; 16]);
    clear.extend(outside.chain);
    clear.extend((outside.created * 64).to_le_bytes());
    clear.extend(0_u32.to_le_bytes());
    clear.extend(length.to_le_bytes());
    clear.extend(outside.ephemeral);
    let tag = blake3::keyed_hash(&derive("region", &[region]), &clear);
    clear[44..60].copy_from_slice(&tag.as_bytes()[..16]);

    let digest = derive("clear part", &[&clear]);
    let key = [7; 32];
    let tag = blake3::keyed_hash(&derive("circle tag", &[circle]), &digest);
    let slot = blake3::keyed_hash(&derive("circle slot", &[circle]), &digest);
    [
        clear.as_slice(),
        &derive("commitment", &[&key, &digest]),
        &tag.as_bytes()[..2],
        &seal(slot.as_bytes(), &[], &key),
        &seal(&key, &digest, &content),
    ]
    .concat()
}

/// ChaCha20-Poly1305 with a nonce of zeros (§10).
fn seal(key: &[u8; 32], associated: &[u8], text: &[u8]) -> Vec<u8> {
    let mut sealed = text.to_vec();
    let tag = ChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(&Nonce::default(), associated, sealed.as_mut_slice().into())
        .expect("it is short");
    sealed.extend(tag);
    sealed
}

/// How long content of so many bytes becomes (§6).
pub(crate) fn padded(length: usize) -> usize {
    let length = length.max(1024);
    let exponent = length.ilog2();
    let free = exponent - (exponent.ilog2() + 1);
    length.next_multiple_of(1 << free)
}

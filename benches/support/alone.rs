//! The cryptography of one message on the relay's side, on the bare crates: each operation by itself, and as many of
//! each as a message takes.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to benchmarks, each of which uses a part of it"
)]

use std::hint::black_box;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Tag};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use kkv_base::limits::{MAX_TEXT_BYTES, MAX_TEXT_BYTES_V1};
use kkv_protocol::crypto::seal::TAG_BYTES;
use kkv_protocol::v2::ask::REQUEST_HEAD_BYTES;
use kkv_protocol::v2::purpose::BodySize;
use kkv_protocol::{v1, v2};
use ml_kem::kem::{Encapsulate, Generate, KeyExport};
use ml_kem::ml_kem_768 as mlkem;

/// Keys, signatures and sealed bytes to work on.
pub struct Operations {
    relay: SigningKey,
    sender: [u8; 32],
    signed: Vec<u8>,
    short: Signature,
    digest: Signature,
    text: Signature,
    ciphertext: Signature,
    x25519: x25519_dalek::PublicKey,
    mlkem768: mlkem::EncapsulationKey,
    mlkem768_bytes: [u8; 1184],
    aead: ChaCha20Poly1305,
    sealed: Vec<u8>,
}

/// What a kkv/2 statement is signed as: prefix and digest.
const STATEMENT_BYTES: usize = 48;
const EXCHANGE_BYTES: usize = 128 + 16 * 8 + 32 + 1184;
const SESSION_BYTES: usize = 32 + 64 + 32 + 1088;
const SEALED_BYTES: usize = v2::message::PLAIN_BYTES;
/// Body of the smallest ask, and of its answer.
const ASK_BYTES: usize = BodySize::Kib4.bytes();

impl Operations {
    pub fn new() -> Self {
        let rng = &mut rand::rng();
        let sender = SigningKey::from_bytes(&rand::random());
        let signed = vec![7; 4096];
        let decapsulation = mlkem::DecapsulationKey::generate_from_rng(rng);
        let aead = ChaCha20Poly1305::new(&[9; 32].into());
        let mut sealed = vec![5; SEALED_BYTES.max(ASK_BYTES)];
        let _tag: Tag = aead
            .encrypt_inout_detached(&[0; 12].into(), &[], sealed.as_mut_slice().into())
            .expect("it is short");
        Self {
            relay: SigningKey::from_bytes(&rand::random()),
            sender: sender.verifying_key().to_bytes(),
            short: sender.sign(&signed[..64]),
            digest: sender.sign(&signed[..STATEMENT_BYTES]),
            text: sender.sign(&signed[..MAX_TEXT_BYTES_V1]),
            ciphertext: sender.sign(&signed[..MAX_TEXT_BYTES_V1 + 80]),
            signed,
            x25519: (&x25519_dalek::EphemeralSecret::random_from_rng(rng)).into(),
            mlkem768: decapsulation.encapsulation_key().clone(),
            mlkem768_bytes: decapsulation.encapsulation_key().to_bytes().into(),
            aead,
            sealed,
        }
    }

    pub fn sign(&self, bytes: usize) -> Signature {
        self.relay.sign(&self.signed[..bytes])
    }

    /// The key's bytes to a point: done once for each sender.
    pub fn decode_key(&self) -> VerifyingKey {
        let key = VerifyingKey::from_bytes(black_box(&self.sender)).expect("a key");
        assert!(!key.is_weak());
        key
    }

    fn verify(&self, key: &VerifyingKey, bytes: usize, signature: &Signature) {
        key.verify_strict(black_box(&self.signed[..bytes]), signature)
            .expect("it fits");
    }

    pub fn verify_short(&self, key: &VerifyingKey) {
        self.verify(key, 64, &self.short);
    }

    pub fn verify_statement(&self, key: &VerifyingKey) {
        self.verify(key, STATEMENT_BYTES, &self.digest);
    }

    pub fn verify_text(&self, key: &VerifyingKey) {
        self.verify(key, MAX_TEXT_BYTES_V1, &self.text);
    }

    pub fn verify_ciphertext(&self, key: &VerifyingKey) {
        self.verify(key, MAX_TEXT_BYTES_V1 + 80, &self.ciphertext);
    }

    pub fn keyed(&self, bytes: usize) -> blake3::Hash {
        blake3::keyed_hash(&[3; 32], black_box(&self.signed[..bytes]))
    }

    pub fn hash(&self, bytes: usize) -> blake3::Hash {
        blake3::hash(black_box(&self.signed[..bytes]))
    }

    pub fn derive(&self, bytes: usize) -> [u8; 32] {
        blake3::derive_key("kkv benchmark 2026-11-21", black_box(&self.signed[..bytes]))
    }

    /// A one-use key and the secret shared with a sender.
    pub fn x25519(&self) -> (x25519_dalek::PublicKey, [u8; 32]) {
        let secret = x25519_dalek::EphemeralSecret::random_from_rng(&mut rand::rng());
        let public = x25519_dalek::PublicKey::from(&secret);
        let shared = secret.diffie_hellman(black_box(&self.x25519));
        assert!(shared.was_contributory());
        (public, shared.to_bytes())
    }

    pub fn mlkem768_decode(&self) -> mlkem::EncapsulationKey {
        mlkem::EncapsulationKey::new(&black_box(self.mlkem768_bytes).into()).expect("a key")
    }

    pub fn mlkem768_encapsulate(&self) -> u8 {
        let (ciphertext, _) = self.mlkem768.encapsulate_with_rng(&mut rand::rng());
        ciphertext[0]
    }

    /// Opening costs what sealing costs; the tag of these bytes is no matter.
    pub fn open(&self, bytes: usize, buffer: &mut [u8]) {
        let buffer = &mut buffer[..bytes];
        buffer.copy_from_slice(&self.sealed[..bytes]);
        let tag = self
            .aead
            .encrypt_inout_detached(&[0; 12].into(), &[], buffer.into());
        black_box(tag.expect("it is short"));
    }

    /// All that one kkv/1 message takes by the protocol. What the relay adds of its own is not counted: tags to know
    /// its challenges by, digests to know a repeated request by.
    pub fn v1(&self) {
        let buffer = &mut [0; SEALED_BYTES];
        // challenge: signature
        black_box(self.sign(v1::challenge::CHALLENGE_BYTES));
        // exchange: solution, sender's signature, X25519, own signature
        black_box(self.hash(64));
        let key = self.decode_key();
        self.verify_short(&key);
        black_box(self.x25519());
        black_box(self.sign(32));
        // message: outer signature, seal, inner signature
        self.verify_ciphertext(&key);
        self.open(64 + MAX_TEXT_BYTES_V1, buffer);
        self.verify_text(&key);
    }

    /// All that one kkv/2 message takes, likewise.
    pub fn v2(&self) {
        let buffer = &mut [0; SEALED_BYTES];
        let key = self.v2_exchange();
        // message key
        black_box(self.derive(96));
        // message: seal, digest and signature of the content, receipt
        self.open(SEALED_BYTES, buffer);
        black_box(self.derive(65 + MAX_TEXT_BYTES));
        self.verify_statement(&key);
        black_box(self.derive(32 + 64));
        black_box(self.derive(96));
        black_box(self.sign(STATEMENT_BYTES));
    }

    /// All that a session with one empty ask takes, likewise.
    pub fn v2_ask(&self) {
        self.v2_exchange();
        // both keys
        black_box(self.derive(96));
        black_box(self.derive(96));
        self.empty_ask();
    }

    /// One seal of a request and one of an answer, with 4 KiB each.
    pub fn empty_ask(&self) {
        let buffer = &mut [0; ASK_BYTES];
        self.open(ASK_BYTES - REQUEST_HEAD_BYTES - TAG_BYTES, buffer);
        self.open(ASK_BYTES - TAG_BYTES, buffer);
    }

    /// Challenge and exchange, but for the keys that come of them.
    fn v2_exchange(&self) -> VerifyingKey {
        // challenge: digest, signature
        black_box(self.derive(v2::challenge::CHALLENGE_BYTES));
        black_box(self.sign(STATEMENT_BYTES));
        // exchange: puzzle and solution, transcript, sender's signature, both exchanges, transcript, own signature
        black_box(self.derive(v2::challenge::CHALLENGE_BYTES));
        for _ in 0..16 {
            black_box(self.keyed(64));
        }
        black_box(self.derive(EXCHANGE_BYTES));
        let key = self.decode_key();
        self.verify_statement(&key);
        black_box(self.x25519());
        black_box(self.mlkem768_decode());
        black_box(self.mlkem768_encapsulate());
        black_box(self.derive(SESSION_BYTES));
        black_box(self.sign(STATEMENT_BYTES));
        key
    }
}

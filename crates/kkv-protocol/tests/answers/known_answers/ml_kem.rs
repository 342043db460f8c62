//! ML-KEM-768 (FIPS 203), through our hybrid exchange as far as it lets values out.

use kkv_protocol::crypto::exchange::{HybridAnswer, HybridSecret};
use kkv_protocol::ids::SessionId;
use ml_kem::kem::{Decapsulate, Encapsulate};
use ml_kem::ml_kem_768::{DecapsulationKey, EncapsulationKey};
use shake::Shake128;
use shake::digest::{ExtendableOutput, Update, XofReader};

use super::hex::array;
use crate::replay::Replay;

/// Accumulated vectors: `TestAccumulated` of Go's crypto/mlkem, whose method is that of C2SP/CCTV, ML-KEM/README.md.
///
/// For each round d, z, m and a ciphertext are drawn from SHAKE128 of nothing. The encapsulation key, the ciphertext
/// and the secret that m makes, and the secret that the drawn ciphertext is rejected with are absorbed by a second
/// SHAKE128. (CCTV's own hashes are those of the draft standard, in which key generation hashed d without the parameter
/// k.)
///
/// 10,000 rounds, for which `8a518cc63da366322a8e7a818c7a0d63483cb3528d34a4cf42f35d5ad73f22fc` is published, come out
/// right as well, but take a hundred times as long: three quarters of a minute in an unoptimised build.
const ROUNDS: usize = 100;
const HASH: &str = "1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415";

#[test]
fn keys_ciphertexts_and_secrets_are_those_of_the_accumulated_vectors() {
    let (mut drawn, mut results) = (Shake128::default().finalize_xof(), Shake128::default());
    let (mut seed, mut m, mut random) = ([0; 64], [0; 32], [0; 1088]);
    for round in 0..ROUNDS {
        drawn.read(&mut seed);
        drawn.read(&mut m);
        drawn.read(&mut random);
        let secret = DecapsulationKey::from_seed(seed.into());
        let public = secret.encapsulation_key();
        let (ciphertext, shared) = public.encapsulate_with_rng(&mut Replay::new(&[&m]));
        assert_eq!(secret.decapsulate(&ciphertext), shared, "round {round}");
        let public: [u8; 1184] = ml_kem::kem::KeyExport::to_bytes(public).into();
        results.update(&public);
        results.update(&ciphertext);
        results.update(&shared);
        results.update(&secret.decapsulate(&random.into()));
        if round % 10 == 0 {
            assert_ours_agrees(&seed, &m, &public, &ciphertext);
        }
    }
    let mut hash = [0; 32];
    results.finalize_xof().read(&mut hash);
    assert_eq!(hash, array(HASH));
}

/// Our exchange draws 32 bytes for X25519 first, then what ML-KEM needs.
fn assert_ours_agrees(seed: &[u8], m: &[u8], public: &[u8], ciphertext: &[u8]) {
    let mut drawn = Replay::new(&[&[1; 32], seed]);
    let offer = HybridSecret::generate(&mut drawn).offer();
    drawn.assert_used_up();
    assert_eq!(offer.mlkem768, public);
    let mut drawn = Replay::new(&[&[2; 32], m]);
    let (answer, _) = offer.answer(&mut drawn).unwrap();
    drawn.assert_used_up();
    assert_eq!(answer.mlkem768, ciphertext);
}

#[test]
fn a_ciphertext_for_nobody_gives_a_secret_that_opens_nothing() {
    let rng = &mut rand::rng();
    let secret = HybridSecret::generate(rng);
    let (answer, relays) = secret.offer().answer(rng).unwrap();
    let mut mlkem768 = answer.mlkem768;
    mlkem768[0] ^= 1;
    let changed = HybridAnswer { mlkem768, ..answer };
    let senders = secret.agree(&changed).unwrap();
    let mut sealed = *b"text";
    let tag = senders
        .message_key(&SessionId([0; 32]))
        .seal(&[], &mut sealed);
    let opened = relays
        .message_key(&SessionId([0; 32]))
        .open(&[], &mut sealed, &tag);
    assert!(opened.is_err());
}

#[test]
fn an_encapsulation_key_with_any_coefficient_of_q_or_more_is_refused() {
    // FIPS 203 §7.2, modulus check. Coefficients have 12 bits, two in three bytes; q = 3329 = 0xd01.
    let rng = &mut rand::rng();
    for coefficient in [0, 1, 383, 766, 767] {
        for value in [3328_u16, 3329, 4095] {
            let mut offer = HybridSecret::generate(rng).offer();
            let [low, high] = value.to_le_bytes();
            let at = coefficient / 2 * 3;
            if coefficient % 2 == 0 {
                offer.mlkem768[at] = low;
                offer.mlkem768[at + 1] = offer.mlkem768[at + 1] & 0xf0 | high;
            } else {
                offer.mlkem768[at + 1] = offer.mlkem768[at + 1] & 0x0f | low << 4;
                offer.mlkem768[at + 2] = high << 4 | low >> 4;
            }
            let taken = offer.answer(rng).is_ok();
            assert_eq!(taken, value < 3329, "{value} as coefficient {coefficient}");
            let alone = EncapsulationKey::new(&offer.mlkem768.into()).is_ok();
            assert_eq!(taken, alone);
        }
    }
}

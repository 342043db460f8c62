//! X25519 through our one-use secrets (RFC 7748). What they agree on stays inside; it shows in what the kkv/1 key made
//! of it seals.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use kkv_protocol::crypto::exchange::{BadExchangeKey, HybridSecret, X25519Secret, X25519Shared};
use kkv_protocol::ids::X25519PublicKey;

use super::hex::array;
use crate::replay::Replay;

fn secret(scalar: &[u8; 32]) -> X25519Secret {
    let mut drawn = Replay::new(&[scalar]);
    let secret = X25519Secret::generate(&mut drawn);
    drawn.assert_used_up();
    secret
}

fn agree(scalar: &str, theirs: &str) -> X25519Shared {
    secret(&array(scalar))
        .agree(X25519PublicKey(array(theirs)))
        .unwrap()
}

/// kkv/1 seals with the shared secret itself, so equal seals mean equal secrets.
fn assert_shared(shared: &X25519Shared, expected: &str) {
    let expected: [u8; 32] = array(expected);
    let nonce: [u8; 12] = expected[..12].try_into().unwrap();
    let mut by_the_book = *b"any text";
    let tag = ChaCha20Poly1305::new(&expected.into())
        .encrypt_inout_detached(&Nonce::from(nonce), &[], by_the_book.as_mut_slice().into())
        .unwrap();
    let mut ours = *b"any text";
    let our_tag = shared.message_key().seal(&[], &mut ours);
    assert_eq!((ours, our_tag), (by_the_book, tag.into()));
}

#[test]
fn the_function_is_that_of_rfc_7748() {
    // RFC 7748 §5.2. The second u has its top bit set, which is to be ignored.
    let cases = [
        [
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ],
        [
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ],
    ];
    for [scalar, u, expected] in cases {
        assert_shared(&agree(scalar, u), expected);
    }
}

#[test]
fn the_thousandth_iteration_is_that_of_rfc_7748() {
    // RFC 7748 §5.2: k and u start as 9; each step takes k to X25519(k, u) and u to the old k.
    let mut nine = [0; 32];
    nine[0] = 9;
    let (mut k, mut u) = (nine, nine);
    for step in 1..=1000 {
        (k, u) = (x25519_dalek::x25519(k, u), k);
        if step == 1 {
            let expected = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079";
            assert_eq!(k, array(expected));
        }
    }
    let expected = "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51";
    assert_eq!(k, array(expected));
}

#[test]
fn the_exchange_is_that_of_rfc_7748() {
    // RFC 7748 §6.1
    let alices = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    let bobs = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    let alice = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    let bob = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    let shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    assert_eq!(
        secret(&array(alices)).public(),
        X25519PublicKey(array(alice))
    );
    assert_eq!(secret(&array(bobs)).public(), X25519PublicKey(array(bob)));
    assert_shared(&agree(alices, bob), shared);
    assert_shared(&agree(bobs, alice), shared);
}

/// Every u below 2^255 that stands for a point of small order (Bernstein, cr.yp.to/ecdh.html, "How do I validate
/// Curve25519 public keys?", as far as they lie below 2^255; the others are these with the top bit set, or what RFC
/// 7748 reads as another point).
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[test]
fn no_point_of_small_order_makes_a_secret_in_either_suite() {
    let rng = &mut rand::rng();
    for u in SMALL_ORDER {
        for top_bit in [0, 0x80] {
            let mut u: [u8; 32] = array(u);
            u[31] |= top_bit;
            let u = X25519PublicKey(u);
            let alone = X25519Secret::generate(rng).agree(u);
            assert_eq!(alone.err(), Some(BadExchangeKey));

            let hybrid = HybridSecret::generate(rng);
            let mut offer = hybrid.offer();
            let (mut answer, _) = offer.answer(rng).unwrap();
            offer.x25519 = u;
            assert_eq!(offer.answer(rng).err(), Some(BadExchangeKey));
            answer.x25519 = u;
            assert_eq!(hybrid.agree(&answer).err(), Some(BadExchangeKey));
        }
    }
}

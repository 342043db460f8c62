//! Signatures that lax verifiers take: which of the twelve hard cases and which public keys are refused (PROTOCOL.md
//! §2).

use kkv_protocol::crypto::identity::{BadPublicKey, PublicKey, Sender, Signature};
use kkv_protocol::ids::SenderId;

use super::hex::{array, bytes};

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The key itself is not taken.
    BadKey,
    /// The key is, the signature is not.
    Refused,
    Fits,
}

/// Message, public key, signature of the twelve cases of Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs"
/// (2020), as published in novifinancial/ed25519-speccheck, cases.txt.
const SPECCHECK: [(&str, &str, &str, Verdict); 12] = [
    // 0: key and R of small order, S = 0: fits any text
    (
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000",
        Verdict::BadKey,
    ),
    // 1: key of small order
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        Verdict::BadKey,
    ),
    // 2: R of small order
    (
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        Verdict::Refused,
    ),
    // 3: key and R with a small-order part: the equation holds without the cofactor
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        Verdict::Fits,
    ),
    // 4: the equation holds only with the cofactor
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        Verdict::Refused,
    ),
    // 5: the same, and only if the cofactor is not multiplied in too early
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        Verdict::Refused,
    ),
    // 6: S above L
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        Verdict::Refused,
    ),
    // 7: S far above L
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        Verdict::Refused,
    ),
    // 8: R of small order, not in canonical form
    (
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
        Verdict::Refused,
    ),
    // 9: the same, hashed as it is
    (
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
        Verdict::Refused,
    ),
    // 10: key of small order, not in canonical form
    (
        "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        Verdict::BadKey,
    ),
    // 11: the same, hashed as it is
    (
        "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        Verdict::BadKey,
    ),
];

/// All 14 encodings of the eight points of small order: by y, with either sign, canonical ones first in each line
/// (libsodium's `ge25519_has_small_order` refuses the same).
const SMALL_ORDER: [&str; 14] = [
    // y = 0
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    // y = 1
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    // y = -1
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    // order 8
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

#[test]
fn of_the_twelve_hard_cases_only_the_one_of_mixed_order_fits() {
    for (number, (message, public, signature, expected)) in SPECCHECK.into_iter().enumerate() {
        let verdict = match PublicKey::<Sender>::from_id(&SenderId(array(public))) {
            Err(BadPublicKey) => Verdict::BadKey,
            Ok(public) => match public.verify(&bytes(message), &Signature(array(signature))) {
                Err(_) => Verdict::Refused,
                Ok(()) => Verdict::Fits,
            },
        };
        assert_eq!(verdict, expected, "case {number}");
    }
}

#[test]
fn no_encoding_of_a_point_of_small_order_is_a_public_key() {
    for public in SMALL_ORDER {
        let parsed = PublicKey::<Sender>::from_id(&SenderId(array(public)));
        assert_eq!(parsed, Err(BadPublicKey), "{public}");
    }
}

/// y in 32 bytes, and y + p, which stands for the same point: for y below 19 there is room for both. With the sign of x
/// on top.
fn both_encodings(y: u8, sign: u8) -> [SenderId; 2] {
    let (mut reduced, mut unreduced) = ([0; 32], [0xff; 32]);
    reduced[0] = y;
    reduced[31] = sign;
    unreduced[0] = 0xed + y;
    unreduced[31] = 0x7f | sign;
    [SenderId(reduced), SenderId(unreduced)]
}

#[test]
fn a_key_whose_y_is_not_reduced_modulo_p_is_a_key_if_its_point_is_and_keeps_its_bytes() {
    let mut keys = 0;
    for (y, sign) in (0..19).flat_map(|y| [(y, 0), (y, 0x80)]) {
        let [reduced, unreduced] =
            both_encodings(y, sign).map(|bytes| match PublicKey::<Sender>::from_id(&bytes) {
                Ok(key) => {
                    assert_eq!(key.id(), bytes, "it is hashed as it came");
                    true
                }
                Err(BadPublicKey) => false,
            });
        assert_eq!(reduced, unreduced, "y = {y}");
        keys += u32::from(unreduced);
    }
    assert_eq!(keys, 20, "as PROTOCOL.md §2 says");
}

#[test]
fn what_is_no_point_of_the_curve_is_no_public_key() {
    // y = 2: x² = (y² - 1) / (d y² + 1) has no root.
    let mut y = [0; 32];
    y[0] = 2;
    assert_eq!(
        PublicKey::<Sender>::from_id(&SenderId(y)),
        Err(BadPublicKey)
    );
}

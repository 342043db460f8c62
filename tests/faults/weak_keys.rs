//! Every encoding of the Ed25519 points of small order, and signatures that fit under them though nobody knows a
//! secret.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};

use crate::published::unhex;

/// The eight points of small order as a careful encoder writes them (curve25519-dalek's `EIGHT_TORSION`), by their
/// order.
pub(crate) const CANONICAL: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000", // 1
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 2
    "0000000000000000000000000000000000000000000000000000000000000000", // 4
    "0000000000000000000000000000000000000000000000000000000000000080", // 4
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // 8
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", // 8
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", // 8
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", // 8
];

/// The same points as a careless decoder takes them: a sign bit on x = 0, or y written as y + p where that fits into
/// 255 bits (Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs", table 1).
pub(crate) const NOT_CANONICAL: [&str; 6] = [
    "0100000000000000000000000000000000000000000000000000000000000080", // x = 0 with a sign, order 1
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", // x = 0 with a sign, order 2
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p + 1, order 1
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", // both
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // y = p, order 4
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", // y = p with a sign, order 4
];

/// All fourteen.
pub(crate) fn all() -> impl Iterator<Item = [u8; 32]> {
    CANONICAL.into_iter().chain(NOT_CANONICAL).map(unhex)
}

/// A signature R ‖ 0 that fits `message` under `weak` for a verifier that is not strict; `None` if this message has
/// none.
///
/// The check is R = S·B − k·A. With S = 0 the right side is one of the eight points, whichever k is.
/// So one message in eight has a fit.
pub(crate) fn forge(weak: &[u8; 32], message: &[u8]) -> Option<[u8; 64]> {
    let key = VerifyingKey::from_bytes(weak).ok()?;
    CANONICAL.into_iter().find_map(|point| {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&unhex::<32>(point));
        let fits = key.verify(message, &Signature::from_bytes(&signature));
        fits.is_ok().then_some(signature)
    })
}

#[test]
fn each_of_the_fourteen_is_of_small_order_or_no_point_and_can_be_forged_for() {
    let mut forged = 0;
    for weak in all() {
        let Ok(key) = VerifyingKey::from_bytes(&weak) else {
            continue;
        };
        assert!(key.is_weak());
        let some = (0u32..10_000).any(|n| forge(&weak, &n.to_le_bytes()).is_some());
        forged += u32::from(some);
    }
    // The canonical ones at least; otherwise the tests that use them would show nothing.
    assert!(forged >= 8, "{forged}");
}

//! Lies as the fuzzer wants them, none of which takes real time to find out.

use arbitrary::Unstructured;
use kkv_protocol::ids::{SenderId, X25519PublicKey};
use kkv_protocol::v2::receipt::Receipt;
use kkv_protocol::wire::Hex;

use crate::lying_relay::Twist;

/// The highest cost that is paid here at once. A search for more would take time of this machine's, while all other
/// time stands still.
const MAX_BITS: u8 = 8;
/// Bits that nobody pays, and that are refused unpaid.
const ABSURD_BITS: u8 = 61;

impl Twist for Unstructured<'_> {
    fn challenge_v1(&mut self, bytes: &mut [u8; 76]) {
        twist(bytes, self);
        bytes[32] = payable(bytes[32]);
    }

    fn challenge_v2(&mut self, bytes: &mut [u8; 128]) {
        twist(bytes, self);
        bytes[1] = payable(bytes[1]);
    }

    fn relay_key(&mut self, key: &mut [u8; 32]) {
        twist(key, self);
    }

    fn x25519(&mut self, key: &mut X25519PublicKey) {
        twist(&mut key.0, self);
    }

    fn mlkem768(&mut self, ciphertext: &mut [u8; 1088]) {
        twist(ciphertext, self);
    }

    fn receipt(&mut self, receipt: &mut Receipt) {
        twist(&mut receipt.session.0, self);
        twist(&mut receipt.digest.0, self);
    }

    fn signs_unopened(&mut self) -> bool {
        true
    }
}

/// Changes a few bytes, perhaps all of them.
fn twist(bytes: &mut [u8], u: &mut Unstructured<'_>) {
    let mut change = || -> arbitrary::Result<()> {
        for _ in 0..u.int_in_range(0..=3)? {
            let at = u.choose_index(bytes.len())?;
            bytes[at] = u.arbitrary()?;
        }
        if u.ratio(1, 16)? {
            bytes.fill(u.arbitrary()?);
        }
        Ok(())
    };
    change().expect("numbers can be made of no bytes too");
}

/// A cost that can be paid here, or one that nobody pays.
fn payable(bits: u8) -> u8 {
    match bits {
        0..=MAX_BITS | ABSURD_BITS.. => bits,
        _ => bits % (MAX_BITS + 1),
    }
}

/// Whether `sender` may take this for a challenge that costs real time, since kkv/1 searches before it looks at the
/// signature: it has the sender's key in it, and the cost before that.
pub(super) fn is_too_dear(bytes: &[u8], sender: SenderId) -> bool {
    let sender = sender.to_string();
    let mut found = bytes
        .windows(sender.len())
        .enumerate()
        .filter(|(_, window)| window.eq_ignore_ascii_case(sender.as_bytes()));
    found.any(|(at, _)| {
        let before = at.checked_sub(8).and_then(|start| bytes.get(start..at));
        let cost = before.and_then(|hex| Hex::<4>::parse(str::from_utf8(hex).ok()?).ok());
        cost.is_some_and(|cost| {
            let bits = u32::from_le_bytes(cost.0);
            (u32::from(MAX_BITS) + 1..u32::from(ABSURD_BITS)).contains(&bits)
        })
    })
}

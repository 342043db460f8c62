//! kkv/1, the published protocol, as it is on the wire (PROTOCOL.md §10).
//!
//! ```
//! use kkv_pow::{Cost, Search, Solution, Solver};
//! use kkv_protocol::Terms;
//! use kkv_protocol::crypto::identity::{PublicKey, Sender, SenderKey};
//! use kkv_protocol::crypto::random;
//! use kkv_protocol::limits::SLOT_BYTES;
//! use kkv_protocol::relay_keys::RelayKeys;
//! use kkv_protocol::text::Text;
//! use kkv_protocol::v1::relay;
//! use kkv_protocol::v1::sender::Hello;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rng = &mut random::kernel();
//! let keys = RelayKeys::generate(rng);
//! let hello = Hello::new(SenderKey::generate(rng));
//!
//! // POST /pow. The lifetimes of kkv/1 are not on the wire.
//! let now = 1_800_000_000;
//! let terms = Terms { cost: Cost::new(4)?, lifetime: 0, expiry: now + 480, session_lifetime: 0 };
//! let answer = relay::issue(&keys, &hello.request(), &terms, rng);
//! let challenged = hello.challenged(&answer)?;
//! let found = Solver::default().solve(&challenged.puzzle(), &[0; 24], &Search::default());
//! let Some(Solution::V1(nonce)) = found else {
//!     unreachable!("nobody stops it");
//! };
//!
//! // GET /get_domain_pk, then POST /exchange_keys.
//! let vouched = challenged.vouched(keys.public().id().to_string().as_bytes())?;
//! let exchanging = vouched.solved(nonce, rng);
//! let admitted = relay::admit(&keys, exchanging.request(), now)?;
//! let (session, answer) = admitted.open(&keys, rng)?;
//! let id = keys.session_id_v1(&session.sender()); // by which a message finds it
//! let answer = serde_json::from_str(&serde_json::to_string(&answer)?)?;
//! let open = exchanging.answered(&answer)?;
//!
//! // POST /msg.
//! let sent = open.seal(&Text::new("hello".to_owned().into())?)?;
//! let mut slot = [0; SLOT_BYTES];
//! let signed = relay::signed(&sent.request)?;
//! assert_eq!(keys.session_id_v1(&signed.sender()), id);
//! let (length, header) = session.open(&signed, &mut slot)?;
//! assert_eq!(&slot[..length], b"hello");
//!
//! // What the sender has signed, for whoever wants to check it.
//! let sender = PublicKey::<Sender>::from_id(&header.sender)?;
//! let content = kkv_protocol::v1::content_signed(&slot[..length]);
//! sender.verify(content, &header.signature)?;
//! # Ok(())
//! # }
//! ```

pub mod challenge;
pub mod relay;
pub mod sender;
pub mod wire;

use crate::crypto::seal::TAG_BYTES;
use crate::ids::X25519PublicKey;
use kkv_pow::Nonce;

/// Bytes of a signature before the text in an opened message.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// Shortest ciphertext that can hold a text: tag, signature and one byte.
pub(crate) const MIN_CIPHERTEXT_BYTES: usize = TAG_BYTES + SIGNATURE_BYTES + 1;

/// What a sender's inner signature is over: the bare text (PROTOCOL.md §10).
#[must_use]
pub fn content_signed(text: &[u8]) -> &[u8] {
    text
}

/// Whether these bytes are a text of kkv/1: UTF-8 without NUL.
///
/// A NUL would let a signed statement of kkv/2 pass for a text (PROTOCOL.md §2). A published relay never accepts one
/// either: it takes the NUL out and then finds that the signature doesn't fit.
///
/// ```
/// use kkv_protocol::v1::is_text;
///
/// assert!(is_text("h\u{e9}llo".as_bytes()));
/// assert!(!is_text(b"a\0b") && !is_text(b"\xff"));
/// ```
#[must_use]
pub fn is_text(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| !text.contains('\0'))
}

/// What a sender signs in the exchange: X25519 key ‖ nonce, 64 bytes.
pub(crate) fn exchange_signed(x25519: &X25519PublicKey, nonce: &Nonce) -> [u8; 64] {
    let mut signed = [0; 64];
    signed[..32].copy_from_slice(&x25519.0);
    signed[32..].copy_from_slice(&nonce.0);
    signed
}

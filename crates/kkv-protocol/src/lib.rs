//! kkv's protocol, byte for byte: both suites, kkv/1 and kkv/2, with the cryptography below them and the onion
//! addresses beside them. The specification is docs/PROTOCOL.md; `§` means one of its sections.
//!
//! No I/O, no async and no clock: bytes and times come in, bytes go out. The steps take their randomness as an
//! argument; [`crypto::random`] has the kernel's for who calls them.
//! Each side's steps are types; a step is taken by calling its one method, which consumes it and returns the next.
//!
//! ```text
//! v2::sender: Hello → Challenged → Exchanging → Open → Sent
//! v1::sender: Hello → Challenged → Vouched → Exchanging → Open → Sent
//! v1::relay  / v2::relay:  (issue) → Request → Admitted → Session
//! ```
//!
//! Whoever embeds it carries the bodies by HTTP (§3), keeps the relay's sessions and spent challenges (§3, §6), and
//! decides on prices (§5).
//!
//! # One message in kkv/2, by both sides
//!
//! ```
//! use kkv_pow::{Cost, Search, Solution, Solver};
//! use kkv_protocol::Terms;
//! use kkv_protocol::crypto::identity::SenderKey;
//! use kkv_protocol::crypto::random;
//! use kkv_protocol::limits::SLOT_BYTES;
//! use kkv_protocol::relay_keys::RelayKeys;
//! use kkv_protocol::text::Text;
//! use kkv_protocol::v2::answers::box_part::BoxPart;
//! use kkv_protocol::v2::relay;
//! use kkv_protocol::v2::sender::Hello;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rng = &mut random::kernel();
//! let keys = RelayKeys::generate(rng);
//! let hello = Hello::new(SenderKey::generate(rng));
//!
//! // POST /pow: the relay's terms, and a challenge that it signs.
//! let now = 1_800_000_000;
//! let terms = Terms {
//!     cost: Cost::new(4)?,
//!     lifetime: 480,
//!     expiry: now + 480,
//!     session_lifetime: 120,
//! };
//! let request = hello.request();
//! let purpose = relay::purpose(&request)?; // a message, as opposed to asks
//! let answer = relay::issue(&keys, &request, purpose, &terms, rng);
//! let challenged = hello.challenged(&answer)?;
//!
//! // The sender pays.
//! let found = Solver::default().solve(&challenged.puzzle(), &[0; 24], &Search::default());
//! let Some(Solution::V2(nonces)) = found else {
//!     unreachable!("nobody stops it");
//! };
//!
//! // POST /exchange_keys: one-use keys from both sides.
//! let exchanging = challenged.solved(&nonces, rng);
//! let admitted = relay::admit(&keys, exchanging.request(), now)?;
//! // What the relay remembers: the challenge as spent, and the request, to answer a repetition the same.
//! let (_spent, _repeat) = (admitted.seed(), admitted.repeat_digest());
//! let (session, answer) = admitted.open(&keys, rng)?;
//! let open = exchanging.answered(&answer)?;
//!
//! // POST /msg: the sealed message, and the relay's receipt for it.
//! let sent = open.seal(&Text::new("hello".to_owned().into())?, &BoxPart::None);
//! let _repeat = relay::message_digest(sent.request());
//! let mut slot = [0; SLOT_BYTES];
//! let opened = session.open(&keys, sent.request(), &mut slot)?;
//! assert_eq!(&slot[..opened.length], b"hello");
//! let receipted = sent.accepted(&opened.answer)?;
//! assert_eq!(receipted.receipt.session, opened.header.session);
//! # Ok(())
//! # }
//! ```
//!
//! # Versions
//!
//! The crate's number is that of its Rust interface, by Cargo's rules. The wire has numbers of its own, those of
//! [`suite::Suite`]: what they mean never changes, and a change of the wire is another suite. `vectors/` holds frozen
//! conversations and what must be refused, for other implementations too (§13).

pub mod blank;
pub mod crypto;
pub mod error;
pub mod files;
mod header;
pub mod ids;
pub mod kind;
pub mod limits;
pub mod onion;
pub mod openpgp;
pub mod proof;
pub mod refusal;
pub mod relay_keys;
pub mod reply_words;
pub mod suite;
mod terms;
pub mod text;
pub mod v1;
pub mod v2;
pub mod wire;

pub use header::{MessageHeader, Via};
pub use terms::Terms;

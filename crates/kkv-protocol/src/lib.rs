//! kkv's protocol (docs/PROTOCOL.md): both suites as steps that consume themselves, for sender and relay alike, with
//! the cryptography below them and the onion addresses beside them.
//!
//! No I/O, no async and no clock: bytes and times come in, bytes go out. The steps take their randomness as an
//! argument; `crypto::random` has the kernel's for who calls them.
//! Each side's steps are types; a step is taken by calling its one method, which consumes it and returns the next.
//!
//! ```text
//! v2::sender: Hello → Challenged → Exchanging → Open → Sent
//! v1::sender: Hello → Challenged → Vouched → Exchanging → Open → Sent
//! v1::relay  / v2::relay:  (issue) → Request → Admitted → Session
//! ```

pub mod blank;
pub mod crypto;
pub mod error;
mod header;
pub mod ids;
pub mod kind;
pub mod limits;
pub mod onion;
pub mod openpgp;
pub mod proof;
pub mod refusal;
pub mod relay_keys;
pub mod suite;
mod terms;
pub mod text;
pub mod v1;
pub mod v2;
pub mod wire;

pub use header::MessageHeader;
pub use terms::Terms;

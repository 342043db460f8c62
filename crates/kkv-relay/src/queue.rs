//! The bounded queue of messages, in memory (ARCHITECTURE.md, "Decisions").
//!
//! All memory is allocated at start: slots for texts, and a share for large messages, which never takes a slot (see
//! [`Share`](crate::memory::Share)). Both kinds of messages are in one order, with the same operations. A slot is free,
//! reserved for one session, or holds one message. It is wiped whenever it becomes free: on deletion, on expiry, when a
//! reservation is dropped, and on close. Message ids are never reused.
//!
//! The queue knows no protocol and no clock: its user stores a header `H` beside the bytes, and passes the time.

mod deleted;
mod listing;
mod message;
mod reservation;
mod state;
mod store;

pub use kkv_owner::{MessageId, Occupancy, Room};
pub use listing::Changes;
pub use message::{MessageRef, Now};
pub use reservation::{Full, LargeReservation, Reservation};
pub use store::{Closed, Queue};

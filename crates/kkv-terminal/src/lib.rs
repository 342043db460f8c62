//! What stands between a program and a person's terminal. It knows of no relay and of no message.
//!
//! ```text
//! visible, wrapped, bar, direction, measured   strangers' text: made safe, broken into lines, kept from the edge
//! json                                         the same text for programs, and harmless on a terminal
//! writer, stderr, colour                       outputs that nothing waits for; what is said there, and how loudly
//! input, signals                               what comes in; being told to end
//! ```
//!
//! It is apart from `kkv-client` so that whoever embeds that gets no threads that write, no handlers of signals and no
//! tables of Unicode.

pub mod bar;
pub mod colour;
pub mod direction;
pub mod input;
pub mod json;
pub mod measured;
pub mod signals;
pub mod stderr;
pub mod visible;
pub mod wrapped;
pub mod writer;

use kkv_base::lock;

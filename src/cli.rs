//! What a person sees: arguments, output, exit codes, hints. The only room that prints.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what this room is for"
)]

mod estimate;
mod exit;
mod identity;
mod inbox;
mod kkv;
mod kkvc;
mod output;
mod progress;
mod proof;
mod send;
mod visible;

pub use kkv::main as kkv;
pub use kkvc::main as kkvc;

//! What a person sees: arguments, output, exit codes, hints. The only room that prints, and not with `println!` and its like, which panic
//! when nobody reads any more: see `output`.

mod arguments;
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
mod signals;
mod visible;

pub use kkv::main as kkv;
pub use kkvc::main as kkvc;

//! Everything that arrives from outside may be any bytes: what is well formed reads back as it was written, all else is
//! refused with a reason, nothing panics, and the relay goes on as if nothing had been.

mod arrays;
mod mutants;
mod owners;
mod strangers;
mod values;
mod visit;
mod wire;

//! Everything that arrives from outside may be any bytes: what is well formed reads back as it was written, all else is
//! refused with a reason, nothing panics, and the relay goes on as if nothing had been.

#[path = "arbitrary_bytes/arrays.rs"]
mod arrays;
#[path = "support/in_process.rs"]
mod in_process;
#[path = "arbitrary_bytes/mutants.rs"]
mod mutants;
#[path = "arbitrary_bytes/owners.rs"]
mod owners;
#[path = "kkv1/raw_http.rs"]
mod raw_http;
#[path = "arbitrary_bytes/strangers.rs"]
mod strangers;
#[path = "arbitrary_bytes/values.rs"]
mod values;
#[path = "arbitrary_bytes/visit.rs"]
mod visit;
#[path = "arbitrary_bytes/wire.rs"]
mod wire;

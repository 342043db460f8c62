//! Everything that is tried with whole programs, or with several crates at once: one binary, so that all of it is
//! linked once. Each suite is a module, whose first lines say what it tries to break; `cargo nextest run --test all
//! -E 'test(/^siege::/)'` runs one of them.

mod arbitrary_bytes;
mod browsers;
mod cli;
mod embedded;
mod faults;
mod flood;
mod hostile_relay;
mod kept;
mod kkv1;
mod outside;
mod package;
mod page;
mod screen;
mod siege;
mod support;
mod tor;

// What suites lend each other. Benches and fuzzing have some of it at the same place.
use hostile_relay::{between, known_relay};
use kkv1::{delivery, published, published_server, raw_http, visit};
use support::{
    answerable, chromium, cut, fake_clock, in_process, lying_relay, model_terminal, page_form,
    programs, tor_network,
};

//! What a person sees: arguments, output, exit codes, hints. The only room that prints, and not with `println!` and its
//! like, which panic when nobody reads any more: see `output`.

mod address;
mod arguments;
mod ask;
mod bench;
mod book;
mod build;
mod cancel;
mod card;
mod carrying;
mod commands;
mod common;
mod completions;
mod compose;
mod contact;
mod delete;
mod doctor;
#[cfg(test)]
mod documented;
mod done;
mod editor;
#[cfg(feature = "embedded-tor")]
mod embedded;
#[cfg(not(feature = "embedded-tor"))]
#[path = "cli/embedded/absent.rs"]
mod embedded;
mod environment;
mod exit;
mod host;
mod identity;
mod invite;
mod key;
mod kkv;
mod kkvc;
mod list;
mod live;
#[cfg(test)]
mod man;
mod mark;
mod me;
mod message;
mod named;
mod output;
mod panic;
mod passphrase;
mod post;
mod progress;
mod proof;
mod read;
mod receipt;
mod replies;
mod reply;
mod runtime;
mod save;
mod send;
mod senders;
mod speed;
mod status;
mod tor_lines;
mod value_parsers;
mod watch;
mod wipe;
mod words;

pub use kkv::main as kkv;
pub use kkvc::main as kkvc;

// What a stranger's file passes through on its way to a person, to be tried from outside (fuzz/).
pub use proof::render_proofs;

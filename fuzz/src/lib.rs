//! What the targets share.

pub mod change;
pub mod hostile;
#[path = "../../tests/support/in_process.rs"]
mod in_process;
#[path = "../../tests/support/lying_relay.rs"]
mod lying_relay;
#[path = "../../tests/support/page_form.rs"]
mod page_form;
pub mod page_line;
pub mod pipe;
#[expect(dead_code, reason = "a part of it serves its own test alone")]
#[path = "../../crates/kkv-relay/tests/queue_model/model.rs"]
mod queue_model;
#[path = "../../tests/kkv1/raw_http.rs"]
mod raw_http;
pub mod relay_line;
pub mod request;
pub mod responder;
pub mod stranger;
mod visit;

use tokio::runtime::{Builder, Runtime};

/// A runtime whose time moves on only when everyone waits, and then at once.
///
/// # Panics
/// The system has none to give.
#[must_use]
pub fn paused() -> Runtime {
    let mut builder = Builder::new_current_thread();
    let built = builder.enable_time().start_paused(true).build();
    built.expect("a runtime needs little")
}

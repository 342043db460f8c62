//! Terminals that are told to let lines end at their edge: none is left so.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::sink::Sink;
use crate::bar::ends_lines;
use crate::lock;
use crate::signals::stop_is_requested;

/// What Ctrl-C has the kernel forget of a terminal's output is forgotten so soon after the signal.
const FORGOTTEN: Duration = Duration::from_millis(20);
/// The terminal that was told last to let lines end at its edge.
static GUARDED: Mutex<Option<Sink>> = Mutex::new(None);

/// Whether what is about to be written is such a text on a terminal, which is remembered.
pub(super) fn notice(sink: &Sink, bytes: &[u8]) -> bool {
    let is_guarded = sink.is_shared_terminal() && ends_lines(bytes);
    if is_guarded {
        *lock(&GUARDED) = Some(sink.clone());
    }
    is_guarded
}

/// The terminal whose text a signal may have cut off within a line that should end at its edge: Ctrl-C has the kernel
/// forget what the terminal hasn't taken yet. It is to be told to go on in the next line again.
pub(super) fn cut_off() -> Option<Sink> {
    if !stop_is_requested() {
        return None;
    }
    let terminal = lock(&GUARDED).take()?;
    #[expect(
        clippy::disallowed_methods,
        reason = "nothing tells when the kernel has forgotten"
    )]
    thread::sleep(FORGOTTEN);
    Some(terminal)
}

//! What is said when a program meets a fault of its own: where, and never what it was working on, which may be a stranger's text.

use std::panic::{self, Location};

use super::output::say;

/// From now on, for every thread. Only the request that met the fault is given up: see [`crate::http`].
pub(super) fn tell_where_only(program: &'static str) {
    panic::set_hook(Box::new(move |fault| {
        let place = fault.location().map(Location::to_string);
        say(format_args!(
            "{program}: a fault of its own, at {}; please tell its makers. What it was doing was given up.",
            place.as_deref().unwrap_or("an unknown place")
        ));
    }));
}

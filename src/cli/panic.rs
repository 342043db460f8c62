//! What is said when a program meets a fault of its own: where, and never what it was working on, which may be a
//! stranger's text.

use std::panic::{self, PanicHookInfo};

use super::output::complain;

/// From now on, for every thread. Only what met the fault ends with it: in `kkv` a request (see [`crate::http`]), in
/// `kkvc` the command, with the exit code that Rust gives ([`super::exit::CODES`]); a message may have left by then.
pub(super) fn tell_where_only(program: &'static str) {
    panic::set_hook(Box::new(move |fault| complain(told(program, fault))));
}

fn told(program: &str, fault: &PanicHookInfo<'_>) -> String {
    let place = fault.location().map(ToString::to_string);
    let place = place.as_deref().unwrap_or("an unknown place");
    format!(
        "{program}: a fault of its own, at {place}; please tell its makers. What it was doing may have been done or not."
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use kkv_testing::alone;

    #[test]
    fn the_place_of_a_fault_is_told_and_nothing_of_what_was_worked_on() {
        alone(|| {
            static TOLD: Mutex<String> = Mutex::new(String::new());
            panic::set_hook(Box::new(|fault| *crate::lock(&TOLD) = told("kkv", fault)));
            let text = String::from("a str\u{e9}nger's text");
            // As a fault in the handling of text does: it repeats what it was about.
            let fault = panic::catch_unwind(|| text[..6].len());
            let _ = panic::take_hook();
            assert!(fault.is_err());
            let told = crate::lock(&TOLD);
            assert!(told.contains("src/cli/panic.rs:"), "{told}");
            assert!(!told.contains("nger"), "{told}");
            assert!(told.contains("may have been done or not"), "{told}");
        });
    }
}

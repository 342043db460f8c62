//! What is printed when a program panics: where, and never the panic's message, which may repeat a stranger's text.

use std::panic::{self, PanicHookInfo};

use kkv_terminal::stderr::warn;

/// From now on, for every thread. A panic ends only its own task: in `kkv` a request (see [`kkv_net::http`]), in `kkvc`
/// the command, with the exit code that Rust gives ([`super::exit::CODES`]); a message may have left by then.
pub(super) fn report_place_only(program: &'static str) {
    panic::set_hook(Box::new(move |panic| warn(internal_error(program, panic))));
}

fn internal_error(program: &str, panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(ToString::to_string);
    let place = place.as_deref().unwrap_or("an unknown place");
    format!(
        "{program}: internal error at {place} (a bug; please report it). What it was doing may have been done or not."
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use kkv_testing::alone;

    #[test]
    fn a_panic_is_reported_as_an_internal_error_with_its_place_and_without_its_message() {
        alone(|| {
            static SAID: Mutex<String> = Mutex::new(String::new());
            panic::set_hook(Box::new(|panic| {
                *kkv_base::lock(&SAID) = internal_error("kkv", panic);
            }));
            let text = String::from("a str\u{e9}nger's text");
            // As a fault in the handling of text does: it repeats what it was about.
            let fault = panic::catch_unwind(|| text[..6].len());
            let _ = panic::take_hook();
            assert!(fault.is_err());
            let said = kkv_base::lock(&SAID);
            let start = "kkv: internal error at src/cli/panic.rs:";
            assert!(said.starts_with(start), "{said}");
            assert!(said.contains(" (a bug; please report it). "), "{said}");
            assert!(said.contains("may have been done or not"), "{said}");
            assert!(!said.contains("nger"), "{said}");
        });
    }
}

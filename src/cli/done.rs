//! What the owner's commands say of what they have done to messages.

use super::output::{json_line, print_outcome};
use kkv_owner::Done;
use kkv_terminal::stderr::info;
use kkv_ui::error::CliError;
use kkv_ui::fields::id_list;
use kkv_ui::selection::Selection;

/// Ends a question about what no backup brings back.
pub(super) const FOR_GOOD: &str = "It can't be undone.";

/// Says what was done. Of what is missing, only what was named by itself counts.
pub(super) fn report(
    done: Done,
    chosen: &Selection,
    verb: &str,
    json: bool,
) -> Result<(), CliError> {
    let done = Done {
        missing: chosen.explicit(&done.missing),
        ..done
    };
    say_done(&done, verb, json, "")?;
    chosen.require_all(&done.missing)
}

/// Says what was done, or that it was `nothing`.
pub(super) fn say_done(done: &Done, verb: &str, json: bool, nothing: &str) -> Result<(), CliError> {
    let of = match id_list(&done.done) {
        none if none.is_empty() => "nothing".to_owned(),
        some => some,
    };
    match (json, done.done.is_empty()) {
        (true, _) => return print_outcome(format_args!("{verb}: {of}"), &json_line(done)),
        (false, true) if nothing.is_empty() => {}
        (false, true) => info(nothing),
        (false, false) => info(format_args!("{verb}: {of}.")),
    }
    Ok(())
}

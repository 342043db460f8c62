//! How the command line of either program is taken, and how it is told what is wrong with one.

use std::process::ExitCode;

use clap::Parser;

use super::exit::Exit;
use super::output::say;
use super::visible::Visible;

/// Where the owner's socket is unless told otherwise, as `--help` says it (see [`crate::owner::default_path`]).
pub(super) const SOCKET_HELP: &str =
    "[default: $XDG_RUNTIME_DIR/kkv/kkv.sock, or kkv-UID/kkv.sock in $TMPDIR or /tmp]";

/// Parses the command line. What is printed instead, if it can't be used or asks for help, is printed here.
///
/// # Errors
/// The code to end with.
pub(super) fn parse<T: Parser>() -> Result<T, ExitCode> {
    T::try_parse().map_err(|error| {
        if !error.use_stderr() {
            let _ = error.print(); // help and version; nobody may be there to read them
            return ExitCode::SUCCESS;
        }
        // What was typed or pasted is shown back in it: an address, say, that a stranger made up.
        say(Visible(error.render().to_string().trim_end()));
        ExitCode::from(Exit::Usage as u8)
    })
}

/// Takes a whole number from 1 to `most`.
pub(super) fn from_one_to(
    most: u32,
) -> impl Fn(&str) -> Result<u32, String> + Clone + Send + Sync + 'static {
    move |text| match text.parse() {
        Ok(number @ 1..) if number <= most => Ok(number),
        _ => Err(format!("it is a whole number from 1 to {most}")),
    }
}

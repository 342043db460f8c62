//! Colour, where a terminal shows it and nobody has asked for none: `--no-color`, its variable, or NO_COLOR
//! (no-color.org).

use std::ffi::OsString;
use std::io;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use super::environment::is_no;

/// What is not read yet.
const BOLD: Style = Style::new().bold();
/// Something didn't work.
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Takes note, before anything is parsed, of whether the command line or `variable` refuses colour: help and errors of
/// clap obey it as well.
pub(super) fn init(words: &[OsString], variable: &str) {
    let options = words.iter().take_while(|word| *word != "--");
    let typed = options.into_iter().any(|word| word == "--no-color");
    let set = std::env::var_os(variable).is_some_and(|value| !value.is_empty() && !is_no(&value));
    if typed || set {
        ColorChoice::Never.write_global();
    }
}

/// Whether standard output shows colours, and is to.
pub(super) fn on_stdout() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Words that say that something didn't work, for standard error.
pub(super) fn error(words: &str) -> String {
    styled(
        words,
        ERROR,
        AutoStream::choice(&io::stderr()) != ColorChoice::Never,
    )
}

/// A line that wants to be seen, for standard output.
pub(super) fn bold(line: &str) -> String {
    styled(line, BOLD, on_stdout())
}

fn styled(words: &str, style: Style, colours: bool) -> String {
    if colours {
        format!("{style}{words}{style:#}")
    } else {
        words.to_owned()
    }
}

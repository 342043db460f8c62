//! Colour, where a terminal shows it and nobody has asked for none: the program ([`refuse`]), or NO_COLOR
//! (no-color.org).

use std::io;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// What is not read yet.
const BOLD: Style = Style::new().bold();
/// Something didn't work.
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Shows none from now on, whatever the terminal is.
pub fn refuse() {
    ColorChoice::Never.write_global();
}

/// Whether standard output shows colours, and is to.
pub fn on_stdout() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Words that say that something didn't work, for standard error.
pub fn error(words: &str) -> String {
    styled(
        words,
        ERROR,
        AutoStream::choice(&io::stderr()) != ColorChoice::Never,
    )
}

/// A line that wants to be seen, for standard output.
pub fn bold(line: &str) -> String {
    styled(line, BOLD, on_stdout())
}

fn styled(words: &str, style: Style, colours: bool) -> String {
    if colours {
        format!("{style}{words}{style:#}")
    } else {
        words.to_owned()
    }
}

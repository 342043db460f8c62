//! A line that lives on standard error, drawn without ever waiting for the terminal.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::mem::take;
use std::sync::Mutex;

use indicatif::{ProgressDrawTarget, TermLike};
use rustix::termios::tcgetwinsize;

use kkv_base::lock;
use kkv_base::private::Private;
use kkv_terminal::stderr::{Verbosity, verbosity};
use kkv_terminal::writer::{self, Sink};

/// Columns and rows of a terminal that doesn't say.
const USUAL: (u16, u16) = (80, 24);

/// Where such a line is drawn: nowhere if standard error is no terminal, or little is to be said.
pub(super) fn target() -> ProgressDrawTarget {
    if io::stderr().is_terminal() && verbosity() != Verbosity::Quiet {
        ProgressDrawTarget::term_like(Box::new(Live::default()))
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// What is drawn until it is flushed: then it goes to the terminal as one piece.
#[derive(Debug, Default)]
struct Live(Mutex<Frame>);

#[derive(Debug, Default)]
struct Frame {
    text: Private<String>,
    /// Whether it shows anything, beside taking away what was shown.
    shows: bool,
}

impl Live {
    fn add(&self, text: impl std::fmt::Display) -> io::Result<()> {
        let _ = write!(lock(&self.0).text, "{text}"); // a string takes everything
        Ok(())
    }

    fn go(&self, lines: usize, way: char) -> io::Result<()> {
        match lines {
            0 => Ok(()), // which a terminal would take for one
            lines => self.add(format_args!("\x1b[{lines}{way}")),
        }
    }
}

impl TermLike for Live {
    fn width(&self) -> u16 {
        size().0
    }

    fn height(&self) -> u16 {
        size().1
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.write_str(s)?;
        self.add('\n')
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        lock(&self.0).shows |= !s.trim().is_empty();
        self.add(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let Frame { text, shows } = take(&mut *lock(&self.0));
        match text.as_str() {
            "" => {}
            _ if shows => writer::frame(Sink::Err, text.0),
            _ => writer::words(Sink::Err, text.0),
        }
        Ok(())
    }
}

fn size() -> (u16, u16) {
    match tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => USUAL,
    }
}

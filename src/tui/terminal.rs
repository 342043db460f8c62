//! The terminal: taken over while this runs, and given back as it was, whatever happens but `kill -9`. Nothing here
//! waits for a terminal that takes no output, so keys and signals always count.

pub(super) mod clipboard;
pub(super) mod decode;
pub(super) mod input;
pub(super) mod row_backend;

use std::io::{self, Write};
use std::mem::take;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::execute;
use crossterm::style::Print;
use crossterm::terminal::{
    Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode, size,
};
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};
use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use clipboard::Clipboard;
use row_backend::RowBackend;

use kkv_terminal::writer::{self, Sink};

/// Whether the terminal is taken over: who finds it so gives it back, once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Tell of clicks and the wheel (1000), in numbers without a bound (1006), and of no move.
const CLICKS: &str = "\x1b[?1000h\x1b[?1006h";

/// How long the terminal has to take what gives it back.
const PATIENCE: Duration = Duration::from_millis(500);

/// Pieces that the terminal has not taken yet.
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// Told whenever it has taken one.
static TOOK: Notify = Notify::const_new();

/// The screen. Given back when dropped.
pub(super) struct ScreenGuard {
    terminal: Terminal<RowBackend<Output>>,
    /// Whether it is to tell of the mouse.
    mouse: bool,
    /// Whether the terminal shows less than there is to see.
    is_behind: bool,
}

/// What is drawn, until it is flushed: then it goes to the terminal, which takes it when it does.
#[derive(Default)]
struct Output(Vec<u8>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        WAITING.fetch_add(1, Ordering::AcqRel);
        writer::piece(Sink::Out, Zeroizing::new(take(&mut self.0)), |_| {
            // A terminal that is gone is noticed where keys come from.
            WAITING.fetch_sub(1, Ordering::AcqRel);
            TOOK.notify_one();
        });
        Ok(())
    }
}

impl ScreenGuard {
    /// Takes it over, with what is done by mouse if `mouse`.
    pub(super) fn open(mouse: bool) -> io::Result<Self> {
        tell_panics_on_the_old_screen();
        enter(mouse)?;
        Ok(Self {
            mouse,
            terminal: empty().inspect_err(|_| leave())?,
            is_behind: false,
        })
    }

    /// Shows what there is to see, unless the terminal has not taken the last picture yet: see [`Self::takes`].
    pub(super) fn draw(&mut self, view: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.is_behind = WAITING.load(Ordering::Acquire) > 0;
        if self.is_behind {
            return Ok(());
        }
        if !TAKEN.load(Ordering::Relaxed) {
            enter(self.mouse)?; // a fault on another thread has given it back, and is told there
            self.terminal = empty()?;
        }
        if whole()? != self.terminal.get_frame().area() {
            self.terminal = empty()?;
        }
        self.terminal.draw(view)?;
        Ok(())
    }

    /// Comes when the terminal has taken what it was behind with, and there is more to see.
    pub(super) async fn takes(&self) {
        if !self.is_behind {
            return std::future::pending().await;
        }
        while WAITING.load(Ordering::Acquire) > 0 {
            TOOK.notified().await;
        }
    }

    /// Has the whole screen drawn anew.
    pub(super) fn redraw(&mut self) -> io::Result<()> {
        self.terminal = empty()?;
        Ok(())
    }

    /// Gives `text` to the terminal's clipboard. Whether it takes it, no terminal says.
    pub(super) fn copy(&mut self, text: &str, way: Clipboard) -> io::Result<()> {
        let mut output = Output::default();
        output.write_all(&way.sequences(text))?;
        output.flush()
    }

    /// Rings its bell.
    pub(super) fn ring(&mut self) -> io::Result<()> {
        let mut output = Output::default();
        execute!(output, Print('\x07'))
    }

    /// Gives the terminal back and stops this process, until somebody has it go on.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        leave();
        kill_process(getpid(), Signal::STOP)?;
        enter(self.mouse)?;
        self.terminal = empty()?;
        Ok(())
    }
}

impl Drop for ScreenGuard {
    fn drop(&mut self) {
        let _ = self.terminal.show_cursor(); // which it would do itself, after everything
        leave();
    }
}

/// All of the screen as it is now.
fn whole() -> io::Result<Rect> {
    let (columns, rows) = size()?;
    Ok(Rect::new(0, 0, columns, rows))
}

/// The screen, emptied. Of a fixed size: one that follows the terminal's by itself asks where the cursor is, and waits
/// for an answer that comes among the keys.
fn empty() -> io::Result<Terminal<RowBackend<Output>>> {
    let mut output = Output::default();
    execute!(output, Clear(ClearType::All))?;
    let area = whole()?;
    let viewport = Viewport::Fixed(area);
    Terminal::with_options(
        RowBackend::new(Output::default(), area),
        TerminalOptions { viewport },
    )
}

fn enter(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::Relaxed);
    let mut output = Output::default();
    execute!(
        output,
        EnterAlternateScreen,
        DisableLineWrap,
        Print(if mouse { CLICKS } else { "" }),
        EnableBracketedPaste
    )
    .inspect_err(|_| leave())
}

/// As far as the terminal still listens. Messages don't stay behind, also where it has one screen only.
fn leave() {
    if !TAKEN.swap(false, Ordering::Relaxed) {
        return;
    }
    let mut output = Output::default();
    let _ = execute!(
        output,
        Clear(ClearType::All),
        DisableBracketedPaste,
        DisableMouseCapture,
        EnableLineWrap,
        LeaveAlternateScreen,
        Show
    );
    // Before its modes change, since what is still to come is meant for those that it has now.
    writer::finish(Some(PATIENCE));
    let _ = disable_raw_mode();
}

/// What is said of a fault of this program would go away with its own screen.
fn tell_panics_on_the_old_screen() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |fault| {
        leave();
        told(fault);
    }));
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs::{File, OpenOptions};
    use std::io::Read;
    use std::os::unix::fs::OpenOptionsExt;
    use std::process::{Command, Stdio};

    use rustix::fs::OFlags;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, tcgetattr};

    use super::*;

    /// Set in the process that has the fault.
    const FAULTY: &str = "SCREEN_WITH_A_FAULT";

    #[test]
    fn a_fault_gives_the_terminal_back_and_is_told_on_it() {
        if env::var_os(FAULTY).is_some() {
            let _screen = ScreenGuard::open(true).unwrap();
            panic!("as a fault would");
        }
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOCTTY.bits() as i32)
            .open(name.to_str().unwrap())
            .unwrap();
        let again = || Stdio::from(terminal.try_clone().unwrap());
        let name = "tui::terminal::tests::a_fault_gives_the_terminal_back_and_is_told_on_it";
        let mut faulty = Command::new(env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .env(FAULTY, "1")
            .stdin(again())
            .stdout(again())
            .stderr(again())
            .spawn()
            .unwrap();
        let reader = std::thread::spawn(move || {
            let mut seen = Vec::new();
            let _ = File::from(master).read_to_end(&mut seen); // an error once the last has gone
            String::from_utf8(seen).unwrap()
        });
        assert!(!faulty.wait().unwrap().success());
        let modes = tcgetattr(&terminal).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
        drop(terminal);
        let seen = reader.join().unwrap();
        let (before, after) = seen
            .rsplit_once("\x1b[?1049l")
            .expect("it leaves its screen");
        assert!(before.contains("\x1b[?1049h"), "{seen:?}");
        assert!(!before.contains("\x1b[?1049l"), "twice: {seen:?}");
        assert!(after.contains("as a fault would"), "{seen:?}");
    }
}

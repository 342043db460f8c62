//! A terminal of tmux, with a shell in it, in which the interactive client is started by typing its name.

use std::fs;
use std::io::{PipeWriter, pipe};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::programs::{Process, Relay, Signal};

/// What the shell in it says when it waits.
const PROMPT: &str = "ready>";

/// A terminal, and a tmux of its own. Ended when dropped, with all that was started in it.
pub(super) struct Tmux {
    directory: TempDir,
    /// A client that is told of all that happens, which is how one waits.
    told: Process,
    _stdin: PipeWriter,
}

impl Tmux {
    /// A terminal of this size, where `kkvc` stands for the client of `relay`.
    pub(super) fn new(relay: &Relay, columns: u16, rows: u16) -> Self {
        let client = relay.owner([""; 0]).into_command();
        let directory = tempfile::tempdir().expect("a directory for the test");
        let settings = directory.path().join("settings");
        fs::write(&settings, format!("PS1='{PROMPT} '\n")).expect("a file for the shell");
        let mut start = Self::command(&directory);
        start.args(["-f", "/dev/null", "new-session", "-d", "-s", "test"]);
        start.args(["-x", &columns.to_string(), "-y", &rows.to_string()]);
        for (name, value) in [
            ("TZ", "UTC".as_ref()),
            ("LC_ALL", "C.UTF-8".as_ref()),
            ("ENV", settings.as_os_str()),
            ("XDG_RUNTIME_DIR", "/nonexistent".as_ref()),
            ("KKVC", client.get_program()),
            ("SOCKET", relay.socket().as_os_str()),
        ] {
            let mut variable = std::ffi::OsString::from(format!("{name}="));
            variable.push(value);
            start.arg("-e").arg(variable);
        }
        start.arg("exec sh");
        run(start);
        let mut options = Self::command(&directory);
        options.args(["set-option", "-g", "window-size", "manual"]);
        options.args([";", "set-option", "-s", "set-clipboard", "on"]);
        run(options);
        let (stdin, writer) = pipe().expect("a pipe");
        let mut watch = Self::command(&directory);
        watch.args(["-C", "attach-session", "-t", "test"]);
        watch.stdin(Stdio::from(stdin));
        let terminal = Self {
            told: Process::spawn(watch, None),
            _stdin: writer,
            directory,
        };
        terminal.wait_for(PROMPT);
        terminal
    }

    /// The same, with the client in it: what it is given after its name.
    pub(super) fn with_client(relay: &Relay, arguments: &str, columns: u16, rows: u16) -> Self {
        let terminal = Self::new(relay, columns, rows);
        terminal.types(&format!("\"$KKVC\" --socket \"$SOCKET\" {arguments}\n"));
        terminal.wait_for("slots taken");
        terminal
    }

    fn command(directory: &TempDir) -> Command {
        let mut command = Command::new("tmux");
        command.env_remove("TMUX").env("LC_ALL", "C.UTF-8");
        command
            .arg("-u")
            .arg("-S")
            .arg(directory.path().join("tmux"));
        command.stdin(Stdio::null());
        command
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let mut command = Self::command(&self.directory);
        command.args(arguments);
        run(command)
    }

    /// Presses keys by their names in tmux: `Enter`, `Escape`, `C-s`, `q`.
    pub(super) fn press(&self, keys: &[&str]) {
        self.ask(&[&["send-keys", "-t", "test"], keys].concat());
    }

    /// Says yes to what is asked, once that takes an answer.
    pub(super) fn agrees(&self) {
        self.wait_for("y yes");
        self.press(&["y"]);
    }

    /// Types, letter by letter.
    pub(super) fn types(&self, text: &str) {
        for (place, line) in text.split('\n').enumerate() {
            if place > 0 {
                self.press(&["Enter"]);
            }
            if !line.is_empty() {
                self.ask(&["send-keys", "-t", "test", "-l", line]);
            }
        }
    }

    /// Pastes, as a terminal does it for a program that asks to be told (bracketed paste), and waits until `shown` is
    /// on the screen and keys are commands again.
    pub(super) fn pastes(&self, text: &str, shown: &str) {
        self.ask(&["set-buffer", "-b", "pasted", "--", text]);
        self.ask(&["paste-buffer", "-p", "-b", "pasted", "-t", "test"]);
        let ready = |screen: &str| screen.contains(shown) && !screen.trim_end().ends_with("\n …");
        self.wait_until(shown, ready);
    }

    /// Sends these bytes to the client, all at once.
    pub(super) fn sends(&self, bytes: &str) {
        self.ask(&["set-buffer", "-b", "sent", "--", bytes]);
        self.ask(&["paste-buffer", "-r", "-b", "sent", "-t", "test"]);
    }

    /// Pastes as a terminal does that takes no sign of an end out of what it pastes.
    pub(super) fn pastes_unfiltered(&self, text: &str) {
        self.sends(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Pastes what was last copied, in the same way.
    pub(super) fn paste_what_was_copied(&self) {
        self.ask(&["paste-buffer", "-p", "-t", "test"]);
    }

    /// Makes the terminal larger or smaller.
    pub(super) fn resize(&self, columns: u16, rows: u16) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.ask(&["resize-window", "-t", "test", "-x", &columns, "-y", &rows]);
    }

    /// What is on the screen.
    pub(super) fn screen(&self) -> String {
        self.ask(&["capture-pane", "-p", "-t", "test"])
    }

    /// What is on the screen and in the lines that have left it at the top.
    pub(super) fn everything(&self) -> String {
        self.ask(&["capture-pane", "-p", "-t", "test", "-S", "-"])
    }

    /// What is on the screen, with the escapes for how it looks.
    pub(super) fn raw_screen(&self) -> String {
        self.ask(&["capture-pane", "-p", "-e", "-t", "test"])
    }

    /// Whether the alternate screen is on, whether clicks are reported, how, and moves as well, and whether there is a
    /// cursor.
    pub(super) fn modes(&self) -> String {
        let modes =
            "#{alternate_on} #{mouse_any_flag} #{mouse_sgr_flag} #{mouse_all_flag} #{cursor_flag}";
        let modes = self.ask(&["display-message", "-p", "-t", "test", modes]);
        modes.trim().to_owned()
    }

    /// How often the bell has rung: what is written comes to whoever is told of it in lines, and this byte as `\007`.
    pub(super) fn bells(&self) -> usize {
        self.told.stdout().matches(r"\007").count()
    }

    /// Waits until it has rung so often.
    pub(super) fn wait_for_bells(&self, rings: usize) {
        let heard = |told: &str| told.matches(r"\007").count() >= rings;
        self.told.wait_for_stdout("the bell", heard);
    }

    /// What was last copied to the clipboard by way of this terminal.
    pub(super) fn clipboard(&self) -> String {
        self.ask(&["show-buffer"])
    }

    /// Waits until `text` is on the screen; all that is on it then.
    pub(super) fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits until the screen is as wished.
    pub(super) fn wait_until(&self, what: &str, ready: impl Fn(&str) -> bool) -> String {
        let (screen, is_ready) = self.look(ready);
        assert!(is_ready, "{what} did not come; on the screen is:\n{screen}");
        screen
    }

    /// Waits likewise, but not without end: what is on the screen then, and whether that is as wished.
    pub(super) fn look(&self, ready: impl Fn(&str) -> bool) -> (String, bool) {
        let seen = std::cell::RefCell::new(String::new());
        let looked = std::panic::AssertUnwindSafe(|| {
            self.told.wait_for_stdout("what is looked for", |_| {
                *seen.borrow_mut() = self.screen();
                ready(&seen.borrow())
            });
        });
        let is_ready = std::panic::catch_unwind(looked).is_ok();
        (seen.into_inner(), is_ready)
    }

    /// Waits until the shell is there again.
    pub(super) fn wait_for_shell(&self) -> String {
        self.wait_until("the shell", |screen| screen.trim_end().ends_with(PROMPT))
    }

    /// Sends the client a signal.
    pub(super) fn signal(&self, signal: Signal) {
        let shell = self.ask(&["display-message", "-p", "-t", "test", "#{pane_pid}"]);
        let shell = shell.trim();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        let children = children.expect("the shell runs");
        let client: i32 = children.trim().parse().expect("it has one child");
        let client = rustix::process::Pid::from_raw(client).expect("a process");
        rustix::process::kill_process(client, signal).expect("it can be signalled");
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Self::command(&self.directory).arg("kill-server").output();
    }
}

/// Runs one command of tmux to its end; what it says.
fn run(mut command: Command) -> String {
    let output = command.output().expect("tmux is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).expect("a screen is UTF-8")
}
